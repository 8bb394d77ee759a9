/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* From protobuf: the first problem ends it. */
#include "control/convert.h"
#include "control/messages.h"
#include "control/request.h"

#include <string.h>
#include <wice/error.h>

typedef struct {
	WiceArena *arena;
	const char *problem;
} Reader;

static bool refuse(Reader *reader, const char *problem)
{
	if (!reader->problem)
		reader->problem = problem;
	return false;
}

/*
 * An array in the arena; the caller has the elements already, so n is bounded by what was
 * decoded.
 */
static void *new_array(Reader *reader, size_t n, size_t size)
{
	void *array = wice__arena_alloc(reader->arena, n * size);
	if (!array)
		refuse(reader, "it takes too much memory");
	return array;
}

static bool text_from(Reader *reader, const char *text, const char **ret)
{
	if (strlen(text) > WICE_CONTROL_TEXT_MAX || !g_utf8_validate(text, -1, NULL))
		return refuse(reader, "a text is too long or not UTF-8");
	*ret = text;
	return true;
}

static bool enum_from(Reader *reader, int value, int min, int max)
{
	if (value < min || value > max)
		return refuse(reader, "an enum has a value that this version does not know");
	return true;
}

static bool key_from(Reader *reader, const ProtobufCBinaryData *bytes, bool optional, WiceKey *ret)
{
	if (optional && bytes->len == 0)
		return true;
	if (bytes->len != WICE_KEY_LEN)
		return refuse(reader, "a key does not have 32 bytes");
	memcpy(ret->bytes, bytes->data, WICE_KEY_LEN);
	return true;
}

static bool address_from(Reader *reader, const ProtobufCBinaryData *bytes, WiceAddress *ret)
{
	if (bytes->len != 4 && bytes->len != 16)
		return refuse(reader, "an address has neither 4 nor 16 bytes");
	ret->family = bytes->len == 4 ? WICE_FAMILY_IPV4 : WICE_FAMILY_IPV6;
	memcpy(ret->bytes, bytes->data, bytes->len);
	return true;
}

static bool endpoint_from(Reader *reader, const PbEndpoint *message, WiceEndpoint *ret)
{
	if (!message)
		return true;
	if (message->port > UINT16_MAX)
		return refuse(reader, "a port is larger than 65535");
	ret->port = (uint16_t)message->port;
	ret->scope = message->scope;
	if (!address_from(reader, &message->address, &ret->address))
		return false;
	if (ret->scope && ret->address.family != WICE_FAMILY_IPV6)
		return refuse(reader, "an IPv4 address has a scope");
	return true;
}

static bool prefix_from(Reader *reader, const PbPrefix *message, WicePrefix *ret)
{
	WiceAddress address = { 0 };
	if (!address_from(reader, &message->address, &address))
		return false;
	if (message->length > (address.family == WICE_FAMILY_IPV4 ? 32 : 128))
		return refuse(reader, "a prefix is longer than its address");
	ret->address = address;
	ret->length = (uint8_t)message->length;
	if (!wice_prefix_contains(ret, &address))
		return refuse(reader, "a prefix has bits behind its length");
	return true;
}

static bool candidate_from(Reader *reader, const PbCandidate *message, WiceCandidate *ret)
{
	if (!message)
		return true;
	if (!enum_from(reader, (int)message->type, WICE_CANDIDATE_HOST, WICE_CANDIDATE_RELAYED) ||
	    !endpoint_from(reader, message->endpoint, &ret->endpoint) ||
	    !endpoint_from(reader, message->related, &ret->related))
		return false;
	if (strlen(message->foundation) >= sizeof ret->foundation ||
	    !g_str_is_ascii(message->foundation))
		return refuse(reader, "a foundation is not 1 to 32 ASCII characters");
	ret->type = (WiceCandidateType)message->type;
	ret->priority = message->priority;
	g_strlcpy(ret->foundation, message->foundation, sizeof ret->foundation);
	return true;
}

static bool allowed_ips_from(Reader *reader, const PbPeer *message, WicePeerStatus *ret)
{
	WicePrefix *prefixes = new_array(reader, message->n_allowed_ips, sizeof *prefixes);
	for (size_t i = 0; prefixes && i < message->n_allowed_ips; i++)
		if (!prefix_from(reader, message->allowed_ips[i], &prefixes[i]))
			return false;
	ret->allowed_ips = prefixes;
	ret->n_allowed_ips = message->n_allowed_ips;
	return prefixes != NULL;
}

static bool state_from(Reader *reader, int value, WicePeerState *ret)
{
	if (!enum_from(reader, value - STATE_SHIFT, WICE_STATE_IDLE, WICE_STATE_FAILED))
		return false;
	*ret = (WicePeerState)(value - STATE_SHIFT);
	return true;
}

static bool is_known_mechanism(int value)
{
	return value >= WICE_MECHANISM_NONE && value <= WICE_MECHANISM_NFT;
}

/* exact is absent in what older daemons send, and may be beyond us in what newer ones do. */
static bool mechanism_from(Reader *reader, int first, int exact, WiceMechanism *ret)
{
	if (!enum_from(reader, first, WICE_MECHANISM_NONE, WICE_MECHANISM_INPROCESS))
		return false;
	*ret = (WiceMechanism)(exact && is_known_mechanism(exact) ? exact : first);
	return true;
}

static bool peer_from(Reader *reader, const PbPeer *message, WicePeerStatus *ret)
{
	if (!key_from(reader, &message->public_key, false, &ret->public_key) ||
	    !allowed_ips_from(reader, message, ret) ||
	    !state_from(reader, (int)message->state, &ret->state) ||
	    !enum_from(reader, (int)message->path, WICE_PATH_NONE, WICE_PATH_RELAY) ||
	    !mechanism_from(reader, (int)message->mechanism, (int)message->exact_mechanism,
			    &ret->mechanism) ||
	    !candidate_from(reader, message->local, &ret->local) ||
	    !candidate_from(reader, message->remote, &ret->remote) ||
	    !endpoint_from(reader, message->endpoint, &ret->endpoint) ||
	    !text_from(reader, message->reason, &ret->reason))
		return false;
	ret->state_since_ms = message->state_since_ms;
	ret->path = (WicePathKind)message->path;
	ret->handshake_ns = message->handshake_ns;
	ret->rx_bytes = message->rx_bytes;
	ret->tx_bytes = message->tx_bytes;
	ret->restarts = message->restarts;
	ret->connect_ms = message->connect_ms;
	return true;
}

static void counters_from(const PbCounters *message, WiceSignalingCounters *ret)
{
	if (!message)
		return;
	*ret = (WiceSignalingCounters){
		.accepted = message->accepted,
		.malformed = message->malformed,
		.oversized = message->oversized,
		.misaddressed = message->misaddressed,
		.unknown_peer = message->unknown_peer,
		.forged = message->forged,
		.replayed = message->replayed,
		.stale = message->stale,
		.downgraded = message->downgraded,
		.limited = message->limited,
		.unsupported = message->unsupported,
	};
}

static bool outside_from(Reader *reader, const PbInterface *message, WiceInterfaceStatus *ret)
{
	WiceOutsideAddress *outside = new_array(reader, message->n_outside, sizeof *outside);
	for (size_t i = 0; outside && i < message->n_outside; i++)
		if (!endpoint_from(reader, message->outside[i]->endpoint, &outside[i].endpoint) ||
		    !text_from(reader, message->outside[i]->source, &outside[i].source))
			return false;
	ret->outside = outside;
	ret->n_outside = message->n_outside;
	return outside != NULL;
}

static bool relay_from(Reader *reader, const PbRelay *message, WiceRelayStatus *ret)
{
	ret->ready = message->ready;
	ret->rtt_us = message->rtt_us;
	ret->loss_permille = message->loss_permille;
	ret->n_peers = message->n_peers;
	return text_from(reader, message->url, &ret->url) &&
	       text_from(reader, message->reason, &ret->reason) &&
	       endpoint_from(reader, message->server, &ret->server) &&
	       endpoint_from(reader, message->relayed_ipv4, &ret->relayed_ipv4) &&
	       endpoint_from(reader, message->relayed_ipv6, &ret->relayed_ipv6);
}

static bool relays_from(Reader *reader, const PbInterface *message, WiceInterfaceStatus *ret)
{
	WiceRelayStatus *relays = new_array(reader, message->n_relays, sizeof *relays);
	for (size_t i = 0; relays && i < message->n_relays; i++)
		if (!relay_from(reader, message->relays[i], &relays[i]))
			return false;
	ret->relays = relays;
	ret->n_relays = message->n_relays;
	return relays != NULL;
}

static bool interface_from(Reader *reader, const PbInterface *message, WiceInterfaceStatus *ret)
{
	if (!wice__control_name_is_possible(message->name))
		return refuse(reader, "an interface has an impossible name");
	if (message->listen_port > UINT16_MAX)
		return refuse(reader, "a port is larger than 65535");
	if (!enum_from(reader, (int)message->kind, WICE_DEVICE_KERNEL, WICE_DEVICE_ENGINE) ||
	    !key_from(reader, &message->public_key, true, &ret->public_key) ||
	    !text_from(reader, message->mechanism_reason, &ret->mechanism_reason) ||
	    !enum_from(reader, (int)message->nat, WICE_NAT_UNKNOWN, WICE_NAT_ENDPOINT_DEPENDENT) ||
	    !outside_from(reader, message, ret) || !relays_from(reader, message, ret))
		return false;
	if (is_known_mechanism((int)message->mechanism))
		ret->mechanism = (WiceMechanism)message->mechanism;
	ret->nat = (WiceNatMapping)message->nat;
	ret->name = message->name;
	ret->kind = (WiceDeviceKind)message->kind;
	ret->ifindex = message->ifindex;
	ret->listen_port = (uint16_t)message->listen_port;
	ret->fwmark = message->fwmark;
	counters_from(message->signaling, &ret->signaling);

	WicePeerStatus *peers = new_array(reader, message->n_peers, sizeof *peers);
	for (size_t i = 0; peers && i < message->n_peers; i++)
		if (!peer_from(reader, message->peers[i], &peers[i]))
			return false;
	ret->peers = peers;
	ret->n_peers = message->n_peers;
	return peers != NULL;
}

static bool backends_from(Reader *reader, const PbStatus *message, WiceStatusInfo *ret)
{
	WiceBackendStatus *backends = new_array(reader, message->n_backends, sizeof *backends);
	for (size_t i = 0; backends && i < message->n_backends; i++) {
		const PbBackend *backend = message->backends[i];
		if (!text_from(reader, backend->url, &backends[i].url) ||
		    !text_from(reader, backend->reason, &backends[i].reason))
			return false;
		backends[i].ready = backend->ready;
	}
	ret->backends = backends;
	ret->n_backends = message->n_backends;
	return backends != NULL;
}

static bool status_from(Reader *reader, const PbStatus *message, WiceStatusInfo *ret)
{
	if (!text_from(reader, message->version, &ret->version) ||
	    !backends_from(reader, message, ret))
		return false;
	ret->pid = message->pid;
	ret->started_ms = message->started_ms;
	ret->now_ms = message->now_ms;
	counters_from(message->signaling, &ret->signaling);
	WiceInterfaceStatus *interfaces =
		new_array(reader, message->n_interfaces, sizeof *interfaces);
	for (size_t i = 0; interfaces && i < message->n_interfaces; i++)
		if (!interface_from(reader, message->interfaces[i], &interfaces[i]))
			return false;
	ret->interfaces = interfaces;
	ret->n_interfaces = message->n_interfaces;
	return interfaces != NULL;
}

static bool event_from(Reader *reader, const PbEvent *message, WiceEvent *ret)
{
	if (!enum_from(reader, (int)message->type, WICE_EVENT_INTERFACE_ADDED,
		       WICE_EVENT_BACKEND_STATE) ||
	    !key_from(reader, &message->peer, true, &ret->peer) ||
	    !text_from(reader, message->reason, &ret->reason) ||
	    !text_from(reader, message->backend, &ret->backend))
		return false;
	ret->type = (WiceEventType)message->type;
	ret->time_ms = message->time_ms;
	ret->interface = message->interface;
	ret->ready = message->ready;
	if (ret->type != WICE_EVENT_BACKEND_STATE &&
	    !wice__control_name_is_possible(message->interface))
		return refuse(reader, "an interface has an impossible name");
	if (ret->type == WICE_EVENT_BACKEND_STATE && *message->interface)
		return refuse(reader, "an event of a backend names an interface");
	if (ret->type != WICE_EVENT_PEER_STATE)
		return true;
	ret->path = (WicePathKind)message->path;
	return state_from(reader, (int)message->state, &ret->state) &&
	       state_from(reader, (int)message->previous_state, &ret->previous_state) &&
	       enum_from(reader, (int)message->path, WICE_PATH_NONE, WICE_PATH_RELAY) &&
	       mechanism_from(reader, (int)message->mechanism, (int)message->exact_mechanism,
			      &ret->mechanism);
}

static void set_protocol_error(GError **error, const char *what, const char *problem)
{
	g_set_error(
		error, WICE_ERROR, WICE_ERROR_PROTOCOL,
		"wiced sent %s that cannot be used: %s. Are wice and wiced of the same version?",
		what, problem);
}

WiceStatus *wice__control_status_decode(const uint8_t *bytes, size_t len, GError **error)
{
	WiceArena arena;
	wice__arena_init(&arena, WICE_CONTROL_RESPONSE_MEMORY);
	Reader reader = { .arena = &arena };
	WiceStatusInfo info = { 0 };
	WiceStatus *status = NULL;
	PbStatus *message =
		wice__control__v1__get_status_response__unpack(&arena.allocator, len, bytes);
	if (!message)
		refuse(&reader, "it is no protobuf message of that kind");
	else if (status_from(&reader, message, &info))
		status = wice_status_new(&info);
	if (!status)
		set_protocol_error(error, "a status", reader.problem);
	wice__arena_done(&arena);
	return status;
}

gboolean wice__control_event_decode(const uint8_t *bytes, size_t len, WiceArena *arena,
				    WiceEvent *ret, GError **error)
{
	Reader reader = { .arena = arena };
	WiceEvent event = { 0 };
	PbEvent *message = wice__control__v1__event__unpack(&arena->allocator, len, bytes);
	if (!message)
		refuse(&reader, "it is no protobuf message of that kind");
	if (!message || !event_from(&reader, message, &event)) {
		set_protocol_error(error, "an event", reader.problem);
		return FALSE;
	}
	*ret = event;
	return TRUE;
}
