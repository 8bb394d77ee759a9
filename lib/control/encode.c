/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* To protobuf: a tree of messages in an arena that points into the source. */
#include "control/convert.h"
#include "control/messages.h"

#include <string.h>

static void *new_message(WiceArena *arena, const ProtobufCMessageDescriptor *descriptor)
{
	ProtobufCMessage *message = wice__arena_alloc(arena, descriptor->sizeof_message);
	protobuf_c_message_init(descriptor, message);
	return message;
}

static char *text_to(WiceArena *arena, const char *text)
{
	size_t len = text ? strlen(text) : 0;
	if (len <= WICE_CONTROL_TEXT_MAX && g_utf8_validate_len(text ? text : "", len, NULL))
		return (char *)(text ? text : "");
	/* Each bad byte becomes three (U+FFFD): cut first, and again to whole characters. */
	g_autofree char *valid = g_utf8_make_valid(text, (gssize)MIN(len, WICE_CONTROL_TEXT_MAX));
	const char *end = valid + MIN(strlen(valid), WICE_CONTROL_TEXT_MAX);
	g_utf8_validate(valid, end - valid, &end);
	char *copy = wice__arena_alloc(arena, (size_t)(end - valid) + 1);
	return memcpy(copy, valid, (size_t)(end - valid));
}

static ProtobufCBinaryData bytes_to(const void *bytes, size_t len)
{
	return (ProtobufCBinaryData){ len, (uint8_t *)bytes };
}

static ProtobufCBinaryData key_to(const WiceKey *key)
{
	return bytes_to(key->bytes, wice_key_is_zero(key) ? 0 : WICE_KEY_LEN);
}

static ProtobufCBinaryData address_to(const WiceAddress *address)
{
	return bytes_to(address->bytes, address->family == WICE_FAMILY_IPV4   ? 4
					: address->family == WICE_FAMILY_IPV6 ? 16
									      : 0);
}

static PbEndpoint *endpoint_to(WiceArena *arena, const WiceEndpoint *endpoint)
{
	if (endpoint->address.family == WICE_FAMILY_NONE)
		return NULL;
	PbEndpoint *message = new_message(arena, &wice__control__v1__endpoint__descriptor);
	message->address = address_to(&endpoint->address);
	message->port = endpoint->port;
	message->scope = endpoint->scope;
	return message;
}

static PbCandidate *candidate_to(WiceArena *arena, const WiceCandidate *candidate)
{
	if ((int)candidate->type == 0)
		return NULL;
	PbCandidate *message = new_message(arena, &wice__control__v1__candidate__descriptor);
	message->type = (Wice__Control__V1__CandidateType)candidate->type;
	message->priority = candidate->priority;
	message->endpoint = endpoint_to(arena, &candidate->endpoint);
	message->related = endpoint_to(arena, &candidate->related);
	message->foundation = text_to(arena, candidate->foundation);
	return message;
}

static PbPrefix *prefix_to(WiceArena *arena, const WicePrefix *prefix)
{
	PbPrefix *message = new_message(arena, &wice__control__v1__prefix__descriptor);
	message->address = address_to(&prefix->address);
	message->length = prefix->length;
	return message;
}

/* What clients from before BPF and NFT take a mechanism for. */
static Wice__Control__V1__Mechanism first_mechanism_to(WiceMechanism mechanism)
{
	if (mechanism == WICE_MECHANISM_BPF || mechanism == WICE_MECHANISM_NFT)
		mechanism = WICE_MECHANISM_KERNEL;
	return (Wice__Control__V1__Mechanism)mechanism;
}

static PbPeer *peer_to(WiceArena *arena, const WicePeerStatus *peer)
{
	PbPeer *message = new_message(arena, &wice__control__v1__peer_status__descriptor);
	message->public_key = bytes_to(peer->public_key.bytes, WICE_KEY_LEN);
	message->n_allowed_ips = peer->n_allowed_ips;
	message->allowed_ips = wice__arena_alloc(arena, peer->n_allowed_ips * sizeof(PbPrefix *));
	for (size_t i = 0; i < peer->n_allowed_ips; i++)
		message->allowed_ips[i] = prefix_to(arena, &peer->allowed_ips[i]);
	message->state = (Wice__Control__V1__PeerState)((int)peer->state + STATE_SHIFT);
	message->state_since_ms = peer->state_since_ms;
	message->path = (Wice__Control__V1__PathKind)peer->path;
	message->mechanism = first_mechanism_to(peer->mechanism);
	message->exact_mechanism = (Wice__Control__V1__Mechanism)peer->mechanism;
	message->local = candidate_to(arena, &peer->local);
	message->remote = candidate_to(arena, &peer->remote);
	message->endpoint = endpoint_to(arena, &peer->endpoint);
	message->handshake_ns = peer->handshake_ns;
	message->rx_bytes = peer->rx_bytes;
	message->tx_bytes = peer->tx_bytes;
	message->restarts = peer->restarts;
	message->connect_ms = peer->connect_ms;
	message->reason = text_to(arena, peer->reason);
	return message;
}

static PbCounters *counters_to(WiceArena *arena, const WiceSignalingCounters *counters)
{
	PbCounters *message =
		new_message(arena, &wice__control__v1__signaling_counters__descriptor);
	message->accepted = counters->accepted;
	message->malformed = counters->malformed;
	message->oversized = counters->oversized;
	message->misaddressed = counters->misaddressed;
	message->unknown_peer = counters->unknown_peer;
	message->forged = counters->forged;
	message->replayed = counters->replayed;
	message->stale = counters->stale;
	message->downgraded = counters->downgraded;
	message->limited = counters->limited;
	message->unsupported = counters->unsupported;
	return message;
}

static PbOutside *outside_to(WiceArena *arena, const WiceOutsideAddress *outside)
{
	PbOutside *message = new_message(arena, &wice__control__v1__outside_address__descriptor);
	message->endpoint = endpoint_to(arena, &outside->endpoint);
	message->source = text_to(arena, outside->source);
	return message;
}

static PbRelay *relay_to(WiceArena *arena, const WiceRelayStatus *relay)
{
	PbRelay *message = new_message(arena, &wice__control__v1__relay_status__descriptor);
	message->url = text_to(arena, relay->url);
	message->ready = relay->ready;
	message->reason = text_to(arena, relay->reason);
	message->server = endpoint_to(arena, &relay->server);
	message->relayed_ipv4 = endpoint_to(arena, &relay->relayed_ipv4);
	message->relayed_ipv6 = endpoint_to(arena, &relay->relayed_ipv6);
	message->rtt_us = relay->rtt_us;
	message->loss_permille = relay->loss_permille;
	message->n_peers = relay->n_peers;
	return message;
}

/* All peers, or the one with that key. */
static PbInterface *interface_to(WiceArena *arena, const WiceInterfaceStatus *interface,
				 const WiceKey *key)
{
	PbInterface *message = new_message(arena, &wice__control__v1__interface_status__descriptor);
	message->name = text_to(arena, interface->name);
	message->kind = (Wice__Control__V1__DeviceKind)interface->kind;
	message->ifindex = interface->ifindex;
	message->public_key = key_to(&interface->public_key);
	message->listen_port = interface->listen_port;
	message->fwmark = interface->fwmark;
	message->mechanism = (Wice__Control__V1__Mechanism)interface->mechanism;
	message->mechanism_reason = text_to(arena, interface->mechanism_reason);
	message->nat = (Wice__Control__V1__NatMapping)interface->nat;
	message->outside = wice__arena_alloc(arena, interface->n_outside * sizeof(PbOutside *));
	for (size_t i = 0; i < interface->n_outside; i++)
		message->outside[message->n_outside++] = outside_to(arena, &interface->outside[i]);
	message->relays = wice__arena_alloc(arena, interface->n_relays * sizeof(PbRelay *));
	for (size_t i = 0; i < interface->n_relays; i++)
		message->relays[message->n_relays++] = relay_to(arena, &interface->relays[i]);
	message->signaling = counters_to(arena, &interface->signaling);
	message->peers = wice__arena_alloc(arena, interface->n_peers * sizeof(PbPeer *));
	for (size_t i = 0; i < interface->n_peers; i++) {
		const WicePeerStatus *peer = &interface->peers[i];
		if (!key || wice_key_compare(key, &peer->public_key) == 0)
			message->peers[message->n_peers++] = peer_to(arena, peer);
	}
	return message;
}

static PbBackend *backend_to(WiceArena *arena, const WiceBackendStatus *backend)
{
	PbBackend *message = new_message(arena, &wice__control__v1__backend_status__descriptor);
	message->url = text_to(arena, backend->url);
	message->ready = backend->ready;
	message->reason = text_to(arena, backend->reason);
	return message;
}

static GBytes *pack(const ProtobufCMessage *message)
{
	size_t len = protobuf_c_message_get_packed_size(message);
	uint8_t *bytes = g_malloc(len + 1);
	protobuf_c_message_pack(message, bytes);
	return g_bytes_new_take(bytes, len);
}

GBytes *wice__control_status_encode(const WiceStatusInfo *info, const char *interface,
				    const WiceKey *peer)
{
	WiceArena arena;
	wice__arena_init(&arena, SIZE_MAX);
	PbStatus *message =
		new_message(&arena, &wice__control__v1__get_status_response__descriptor);
	message->version = text_to(&arena, info->version);
	message->pid = info->pid;
	message->started_ms = info->started_ms;
	message->now_ms = info->now_ms;
	message->signaling = counters_to(&arena, &info->signaling);
	message->backends = wice__arena_alloc(&arena, info->n_backends * sizeof(PbBackend *));
	for (size_t i = 0; i < info->n_backends; i++)
		message->backends[message->n_backends++] = backend_to(&arena, &info->backends[i]);
	message->interfaces = wice__arena_alloc(&arena, info->n_interfaces * sizeof(PbInterface *));
	for (size_t i = 0; i < info->n_interfaces; i++)
		if (!interface || strcmp(interface, info->interfaces[i].name) == 0)
			message->interfaces[message->n_interfaces++] =
				interface_to(&arena, &info->interfaces[i], peer);

	gboolean found = (!interface || message->n_interfaces) &&
			 (!peer || (message->n_interfaces && message->interfaces[0]->n_peers));
	GBytes *bytes = found ? pack(&message->base) : NULL;
	wice__arena_done(&arena);
	return bytes;
}

GBytes *wice__control_event_encode(const WiceEvent *event)
{
	WiceArena arena;
	wice__arena_init(&arena, SIZE_MAX);
	PbEvent *message = new_message(&arena, &wice__control__v1__event__descriptor);
	message->type = (Wice__Control__V1__EventType)event->type;
	message->time_ms = event->time_ms;
	message->interface = text_to(&arena, event->interface);
	message->peer = key_to(&event->peer);
	if (event->type == WICE_EVENT_PEER_STATE) {
		message->state = (Wice__Control__V1__PeerState)((int)event->state + STATE_SHIFT);
		message->previous_state =
			(Wice__Control__V1__PeerState)((int)event->previous_state + STATE_SHIFT);
		message->path = (Wice__Control__V1__PathKind)event->path;
		message->mechanism = first_mechanism_to(event->mechanism);
		message->exact_mechanism = (Wice__Control__V1__Mechanism)event->mechanism;
	}
	message->reason = text_to(&arena, event->reason);
	message->backend = text_to(&arena, event->backend);
	message->ready = event->ready;
	GBytes *bytes = pack(&message->base);
	wice__arena_done(&arena);
	return bytes;
}
