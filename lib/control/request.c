/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All requests are made of the same five fields, so they are read and written through the
 * descriptors that protoc-c generates: one table says which call has which message and what it
 * cannot do without.
 */
#include "control/request.h"

#include "control/control.pb-c.h"

#include <string.h>
#include <wice/error.h>

#define NAME_MAX_BYTES 15 /* IFNAMSIZ - 1 */

typedef struct {
	const char *path;
	const ProtobufCMessageDescriptor *descriptor;
	bool needs_interface;
	bool needs_peer;
} Method;

static const Method methods[WICE_CONTROL_N_METHODS] = {
	[WICE_CONTROL_GET_STATUS] = {
		.path = WICE_CONTROL_SERVICE "GetStatus",
		.descriptor = &wice__control__v1__get_status_request__descriptor,
	},
	[WICE_CONTROL_STREAM_EVENTS] = {
		.path = WICE_CONTROL_SERVICE "StreamEvents",
		.descriptor = &wice__control__v1__stream_events_request__descriptor,
	},
	[WICE_CONTROL_RESTART_PEER] = {
		.path = WICE_CONTROL_SERVICE "RestartPeer",
		.descriptor = &wice__control__v1__restart_peer_request__descriptor,
		.needs_interface = true,
		.needs_peer = true,
	},
	[WICE_CONTROL_SET_MECHANISM] = {
		.path = WICE_CONTROL_SERVICE "SetMechanism",
		.descriptor = &wice__control__v1__set_mechanism_request__descriptor,
	},
	[WICE_CONTROL_SYNC] = {
		.path = WICE_CONTROL_SERVICE "Sync",
		.descriptor = &wice__control__v1__sync_request__descriptor,
	},
	[WICE_CONTROL_ADD_INTERFACE] = {
		.path = WICE_CONTROL_SERVICE "AddInterface",
		.descriptor = &wice__control__v1__add_interface_request__descriptor,
		.needs_interface = true,
	},
	[WICE_CONTROL_REMOVE_INTERFACE] = {
		.path = WICE_CONTROL_SERVICE "RemoveInterface",
		.descriptor = &wice__control__v1__remove_interface_request__descriptor,
		.needs_interface = true,
	},
	[WICE_CONTROL_CREATE_INTERFACE] = {
		.path = WICE_CONTROL_SERVICE "CreateInterface",
		.descriptor = &wice__control__v1__create_interface_request__descriptor,
		.needs_interface = true,
	},
	[WICE_CONTROL_DELETE_INTERFACE] = {
		.path = WICE_CONTROL_SERVICE "DeleteInterface",
		.descriptor = &wice__control__v1__delete_interface_request__descriptor,
		.needs_interface = true,
	},
	[WICE_CONTROL_WAIT] = {
		.path = WICE_CONTROL_SERVICE "Wait",
		.descriptor = &wice__control__v1__wait_request__descriptor,
	},
	[WICE_CONTROL_STOP] = {
		.path = WICE_CONTROL_SERVICE "Stop",
		.descriptor = &wice__control__v1__stop_request__descriptor,
	},
};

const char *wice__control_method_path(WiceControlMethod method)
{
	return methods[method].path;
}

/* The member of message with that name in the .proto file, or NULL if the message has none. */
static void *member(ProtobufCMessage *message, const char *name)
{
	const ProtobufCFieldDescriptor *field =
		protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);
	return field ? (char *)message + field->offset : NULL;
}

static char **interface_member(ProtobufCMessage *message)
{
	char **interface = member(message, "interface");
	return interface ? interface : member(message, "pattern");
}

GBytes *wice__control_request_encode(WiceControlMethod method, const WiceControlRequest *request)
{
	WiceArena arena;
	wice__arena_init(&arena, SIZE_MAX);
	ProtobufCMessage *message =
		wice__arena_alloc(&arena, methods[method].descriptor->sizeof_message);
	protobuf_c_message_init(methods[method].descriptor, message);

	char **interface = interface_member(message);
	ProtobufCBinaryData *peer = member(message, "peer");
	Wice__Control__V1__PeerState *state = member(message, "state");
	uint32_t *timeout_ms = member(message, "timeout_ms");
	Wice__Control__V1__Mechanism *mechanism = member(message, "mechanism");
	if (interface && request->interface)
		*interface = (char *)request->interface;
	if (peer && request->peer)
		*peer = (ProtobufCBinaryData){ WICE_KEY_LEN, (uint8_t *)request->peer->bytes };
	if (state)
		*state = (Wice__Control__V1__PeerState)((int)request->state + 1);
	if (timeout_ms)
		*timeout_ms = request->timeout_ms;
	if (mechanism)
		*mechanism = (Wice__Control__V1__Mechanism)request->mechanism;

	size_t len = protobuf_c_message_get_packed_size(message);
	uint8_t *bytes = g_malloc(len + 1);
	protobuf_c_message_pack(message, bytes);
	wice__arena_done(&arena);
	return g_bytes_new_take(bytes, len);
}

/* What the kernel accepts as the name of an interface; a pattern is made of the same characters. */
bool wice__control_name_is_possible(const char *name)
{
	for (const char *c = name; *c; c++)
		if (*c == '/' || *c == ':' || g_ascii_isspace(*c) || g_ascii_iscntrl(*c))
			return false;
	return *name && strlen(name) <= NAME_MAX_BYTES && g_utf8_validate(name, -1, NULL);
}

static bool read_interface(ProtobufCMessage *message, WiceControlRequest *request,
			   const char **ret_problem)
{
	char **interface = interface_member(message);
	if (!interface || !**interface)
		return true;
	if (!wice__control_name_is_possible(*interface)) {
		*ret_problem = "the interface is not one to 15 printable characters without '/', "
			       "':' and space";
		return false;
	}
	request->interface = *interface;
	return true;
}

static bool read_peer(ProtobufCMessage *message, WiceControlRequest *request,
		      const char **ret_problem)
{
	const ProtobufCBinaryData *peer = member(message, "peer");
	if (!peer || peer->len == 0)
		return true;
	if (peer->len != WICE_KEY_LEN) {
		*ret_problem = "the peer is not a public key of 32 bytes";
		return false;
	}
	request->peer = (const WiceKey *)peer->data;
	return true;
}

static bool read_state(ProtobufCMessage *message, WiceControlRequest *request,
		       const char **ret_problem)
{
	const Wice__Control__V1__PeerState *state = member(message, "state");
	request->state = WICE_STATE_CONNECTED;
	if (!state || (int)*state == 0)
		return true;
	if ((int)*state < 1 || (int)*state > (int)WICE_STATE_FAILED + 1) {
		*ret_problem = "the state is none of those that a peer can have";
		return false;
	}
	request->state = (WicePeerState)((int)*state - 1);
	return true;
}

static bool read_mechanism(ProtobufCMessage *message, WiceControlRequest *request,
			   const char **ret_problem)
{
	const Wice__Control__V1__Mechanism *mechanism = member(message, "mechanism");
	if (!mechanism)
		return true;
	if ((int)*mechanism < 0 || (int)*mechanism > (int)WICE_MECHANISM_NFT) {
		*ret_problem = "this daemon knows no such mechanism";
		return false;
	}
	request->mechanism = (WiceMechanism)*mechanism;
	return true;
}

static const char *read_all(WiceControlMethod method, ProtobufCMessage *message,
			    WiceControlRequest *request)
{
	const char *problem = NULL;
	const uint32_t *timeout_ms = member(message, "timeout_ms");
	if (timeout_ms)
		request->timeout_ms = *timeout_ms;
	if (!read_interface(message, request, &problem) || !read_peer(message, request, &problem) ||
	    !read_state(message, request, &problem) || !read_mechanism(message, request, &problem))
		return problem;
	if (methods[method].needs_interface && !request->interface)
		return "the interface is missing";
	if (methods[method].needs_peer && !request->peer)
		return "the peer is missing";
	if (request->peer && !request->interface)
		return "a peer is named without the interface that it belongs to";
	return NULL;
}

gboolean wice__control_request_decode(WiceControlMethod method, const uint8_t *bytes, size_t len,
				      WiceArena *arena, WiceControlRequest *ret, GError **error)
{
	WiceControlRequest request = { 0 };
	ProtobufCMessage *message = NULL;
	const char *problem = "it is not a protobuf message of that call";
	if (len <= WICE_CONTROL_REQUEST_MAX)
		message = protobuf_c_message_unpack(methods[method].descriptor, &arena->allocator,
						    len, bytes);
	if (message)
		problem = read_all(method, message, &request);
	if (problem) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "The request to %s cannot be used: %s.", methods[method].path, problem);
		return FALSE;
	}
	*ret = request;
	return TRUE;
}
