/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests of the text protocol (https://www.wireguard.com/xplatform/), server side: "get=1" or
 * "set=1", lines of key=value, an empty line.
 *
 * A set is taken as a whole or not at all: lines are collected in a plan, and nothing is changed
 * before the empty line has come. After the first error the rest is read and forgotten, so that its
 * answer goes to this request and the next one is understood.
 *
 * Like wireguard-go, and unlike a flag of netlink, replace_allowed_ips counts from the line on
 * where it stands; nothing counts of a peer that is removed, but all of it must be well-formed.
 */
#include "engine/uapi_request.h"

#include <errno.h>
#include <sodium.h>

#include "base/parse.h"

struct WiceUapiRequest {
	WiceUapiScopeFunc scope;
	WiceUapiVerb verb;
	int error; /* the first one */
	size_t n_bytes;
	WiceDeviceChange change; /* its peers are pointed to at the end */
	WicePeerChange *peers;   /* they have secrets, so this grows by hand */
	size_t n_peers, room;
	GArray *allowed_ips; /* of WiceAllowedIpChange, those of one peer behind those of another */
};

WiceUapiRequest *wice__uapi_request_new(WiceUapiScopeFunc scope)
{
	WiceUapiRequest *request = g_new0(WiceUapiRequest, 1);
	request->scope = scope;
	request->change.size = sizeof request->change;
	request->allowed_ips = g_array_new(FALSE, FALSE, sizeof(WiceAllowedIpChange));
	return request;
}

static void free_peers(WicePeerChange *peers, size_t n)
{
	if (n)
		sodium_memzero(peers, n * sizeof *peers);
	g_free(peers);
}

void wice__uapi_request_free(WiceUapiRequest *request)
{
	if (!request)
		return;
	free_peers(request->peers, request->n_peers);
	g_array_unref(request->allowed_ips);
	sodium_memzero(request, sizeof *request);
	g_free(request);
}

WiceUapiVerb wice__uapi_request_verb(const WiceUapiRequest *request)
{
	return request->verb;
}

int wice__uapi_request_error(const WiceUapiRequest *request)
{
	return request->error;
}

/* Values of the interface. All readers return false if value is none of theirs. */

static bool is(WiceUapiSlice text, const char *expected)
{
	return text.len == strlen(expected) && memcmp(text.at, expected, text.len) == 0;
}

static bool read_private_key(WiceUapiRequest *request, WiceUapiSlice value)
{
	request->change.fields |= WICE_DEVICE_HAS_PRIVATE_KEY;
	return wice__uapi_read_key(value, &request->change.private_key);
}

static bool read_listen_port(WiceUapiRequest *request, WiceUapiSlice value)
{
	uint64_t port;
	if (!wice__uapi_read_number(value, UINT16_MAX, &port))
		return false;
	request->change.fields |= WICE_DEVICE_HAS_LISTEN_PORT;
	request->change.listen_port = (uint16_t)port;
	return true;
}

static bool read_fwmark(WiceUapiRequest *request, WiceUapiSlice value)
{
	uint64_t mark;
	if (!wice__uapi_read_number(value, UINT32_MAX, &mark))
		return false;
	request->change.fields |= WICE_DEVICE_HAS_FWMARK;
	request->change.fwmark = (uint32_t)mark;
	return true;
}

static bool read_replace_peers(WiceUapiRequest *request, WiceUapiSlice value)
{
	request->change.flags |= WICE_DEVICE_CHANGE_REPLACE_PEERS;
	return is(value, "true");
}

/* Values of the peer that was named last. */

static WicePeerChange *last_peer(const WiceUapiRequest *request)
{
	return &request->peers[request->n_peers - 1];
}

static bool read_remove(WiceUapiRequest *request, WiceUapiSlice value)
{
	last_peer(request)->flags |= WICE_PEER_CHANGE_REMOVE;
	return is(value, "true");
}

static bool read_update_only(WiceUapiRequest *request, WiceUapiSlice value)
{
	last_peer(request)->flags |= WICE_PEER_CHANGE_UPDATE_ONLY;
	return is(value, "true");
}

/* It takes those away, too, that the lines before it have added. */
static bool read_replace_allowed_ips(WiceUapiRequest *request, WiceUapiSlice value)
{
	WicePeerChange *peer = last_peer(request);
	g_array_set_size(request->allowed_ips,
			 request->allowed_ips->len - (guint)peer->n_allowed_ips);
	peer->n_allowed_ips = 0;
	peer->flags |= WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS;
	return is(value, "true");
}

static bool read_preshared_key(WiceUapiRequest *request, WiceUapiSlice value)
{
	last_peer(request)->fields |= WICE_PEER_HAS_PRESHARED_KEY;
	return wice__uapi_read_key(value, &last_peer(request)->preshared_key);
}

/* Where an interface is named, it must be there. */
static bool read_endpoint(WiceUapiRequest *request, WiceUapiSlice value)
{
	WicePeerChange *peer = last_peer(request);
	if (!wice__uapi_read_endpoint(value, request->scope, &peer->endpoint))
		return false;
	peer->fields |= WICE_PEER_HAS_ENDPOINT;
	return peer->endpoint.scope || !memchr(value.at, '%', value.len);
}

static bool read_keepalive(WiceUapiRequest *request, WiceUapiSlice value)
{
	uint64_t seconds;
	if (!wice__uapi_read_number(value, UINT16_MAX, &seconds))
		return false;
	last_peer(request)->fields |= WICE_PEER_HAS_KEEPALIVE;
	last_peer(request)->keepalive_s = (uint16_t)seconds;
	return true;
}

static bool read_allowed_ip(WiceUapiRequest *request, WiceUapiSlice value)
{
	WiceAllowedIpChange change = { .remove = value.len && *value.at == '-' };
	const char *text = value.at + change.remove;
	size_t len = value.len - change.remove;
	if (!memchr(text, '/', len) || !wice__parse_prefix(text, len, &change.prefix))
		return false;
	g_array_append_val(request->allowed_ips, change);
	last_peer(request)->n_allowed_ips++;
	return true;
}

static bool read_protocol_version(WiceUapiRequest *request, WiceUapiSlice value)
{
	return is(value, "1");
}

typedef struct {
	const char *key; /* with its "=" */
	size_t len;
	bool (*read)(WiceUapiRequest *request, WiceUapiSlice value);
} Field;

#define FIELD(name, function)                           \
	{                                               \
		name "=", sizeof name "=" - 1, function \
	}

static const Field device_fields[] = {
	FIELD("private_key", read_private_key),
	FIELD("listen_port", read_listen_port),
	FIELD("fwmark", read_fwmark),
	FIELD("replace_peers", read_replace_peers),
};

/* The most frequent ones first. */
static const Field peer_fields[] = {
	FIELD("allowed_ip", read_allowed_ip),
	FIELD("replace_allowed_ips", read_replace_allowed_ips),
	FIELD("endpoint", read_endpoint),
	FIELD("persistent_keepalive_interval", read_keepalive),
	FIELD("preshared_key", read_preshared_key),
	FIELD("update_only", read_update_only),
	FIELD("remove", read_remove),
	FIELD("protocol_version", read_protocol_version),
};

static WicePeerChange *append_peer(WiceUapiRequest *request)
{
	if (request->n_peers == request->room) {
		size_t room = MAX(16, 2 * request->room);
		WicePeerChange *peers = g_new0(WicePeerChange, room);
		if (request->n_peers)
			memcpy(peers, request->peers, request->n_peers * sizeof *peers);
		free_peers(request->peers, request->n_peers);
		request->peers = peers;
		request->room = room;
	}
	return &request->peers[request->n_peers++];
}

static int read_set_line(WiceUapiRequest *request, WiceUapiSlice line)
{
	const Field *fields = request->n_peers ? peer_fields : device_fields;
	size_t n = request->n_peers ? G_N_ELEMENTS(peer_fields) : G_N_ELEMENTS(device_fields);
	WiceUapiSlice value;
	if (!memchr(line.at, '=', line.len))
		return -EPROTO;
	if (WICE_UAPI_CUT(line, "public_key", &value))
		return wice__uapi_read_key(value, &append_peer(request)->public_key) ? 0 : -EINVAL;
	for (size_t i = 0; i < n; i++) {
		if (wice__uapi_cut(line, fields[i].key, fields[i].len, &value))
			return fields[i].read(request, value) ? 0 : -EINVAL;
	}
	return -EINVAL;
}

static int read_line(WiceUapiRequest *request, WiceUapiSlice line)
{
	if (request->verb == WICE_UAPI_NONE) {
		request->verb = is(line, "get=1")   ? WICE_UAPI_GET
				: is(line, "set=1") ? WICE_UAPI_SET
						    : WICE_UAPI_NONE;
		return request->verb == WICE_UAPI_NONE ? -EPROTO : 0;
	}
	if (line.len == 0)
		return 1;
	if (!request->error)
		request->error =
			request->verb == WICE_UAPI_SET ? read_set_line(request, line) : -EINVAL;
	return 0;
}

int wice__uapi_request_feed(WiceUapiRequest *request, const char *data, size_t len,
			    size_t *ret_n_read)
{
	const char *at = data, *end = data + len, *newline;
	int r = 0;
	while (r == 0 && (newline = memchr(at, '\n', (size_t)(end - at)))) {
		WiceUapiSlice line = { at, (size_t)(newline - at) };
		request->n_bytes += line.len + 1;
		at = newline + 1;
		if (line.len > WICE_UAPI_LINE_MAX || request->n_bytes > WICE_UAPI_REQUEST_MAX)
			r = -EIO;
		else
			r = read_line(request, line);
	}
	if (r == 0 && (size_t)(end - at) > WICE_UAPI_LINE_MAX)
		r = -EIO;
	*ret_n_read = (size_t)(at - data);
	return r;
}

int wice__uapi_request_plan(WiceUapiRequest *request, WicePlan **ret)
{
	const WiceAllowedIpChange *allowed_ips =
		(const WiceAllowedIpChange *)(const void *)request->allowed_ips->data;
	for (size_t i = 0; i < request->n_peers; i++) {
		if (!request->peers[i].n_allowed_ips)
			continue; /* there may be no array to add to */
		request->peers[i].allowed_ips = allowed_ips;
		allowed_ips += request->peers[i].n_allowed_ips;
	}
	request->change.peers = request->peers;
	request->change.n_peers = request->n_peers;
	WicePlan *plan = wice_plan_new(&request->change, NULL);
	if (!plan)
		return -EINVAL;
	*ret = plan;
	return 0;
}
