/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "event/sockaddr.h"
#include "stun/attributes.h"
#include "stun/message.h"
#include "turnserver/server_private.h"

#define EXPIRY_MS 1000

static void pass_to_stream(WiceRelayServer *server, uint64_t stream, const WiceTurnVerdict *verdict)
{
	static const uint8_t padding[3];
	const struct iovec parts[] = {
		{ (void *)verdict->header, verdict->header_len },
		{ (void *)verdict->data, verdict->data_len },
		{ (void *)padding, verdict->padding },
	};
	WiceConnection *connection = wice__connections_find(server->connections, stream);
	if (!connection || !wice__connection_send(connection, parts, G_N_ELEMENTS(parts)))
		server->dropped++;
}

/* The data stays where it is until the sockets rest. */
static void pass_to_client(WiceRelayServer *server, const WiceTurnVerdict *verdict)
{
	WiceTenant *tenant = wice__tenant_of(verdict->allocation);
	uint64_t stream = wice__turn_allocation_tuple(verdict->allocation)->stream;
	if (stream) {
		pass_to_stream(server, stream, verdict);
		return;
	}
	WiceUdpRoute *route = wice__tenant_route(tenant);
	if (route)
		wice__datagrams_to_client(server->datagrams, &tenant->listener->udp, route,
					  verdict);
}

/* Both are clients of this server: the kernel need not see it. */
static void pass_to_neighbour(WiceRelayServer *server, const WiceTurnVerdict *verdict,
			      const WiceOutlet *from, const WiceOutlet *to, int64_t now_ms)
{
	const WiceTenant *tenant = to->owner;
	WiceTurnVerdict next;
	if (!tenant)
		return;
	wice__turn_server_from_peer(server->core, tenant->allocation, &from->outer, verdict->data,
				    verdict->data_len, now_ms, &next);
	if (next.type == WICE_TURN_TO_CLIENT)
		pass_to_client(server, &next);
}

static void pass_to_peer(WiceRelayServer *server, const WiceTurnVerdict *verdict, int64_t now_ms)
{
	const WiceTenant *tenant = wice__tenant_of(verdict->allocation);
	WiceOutlet *from = tenant->outlets[verdict->peer.address.family == WICE_FAMILY_IPV6];
	const WiceOutlet *to = wice__outlet_find(server->outlets, &verdict->peer);
	if (!from)
		return;
	if (to)
		pass_to_neighbour(server, verdict, from, to, now_ms);
	else
		wice__datagrams_to_peer(server->datagrams, &from->udp, verdict);
}

static void pass(WiceRelayServer *server, const WiceTurnVerdict *verdict, int64_t now_ms)
{
	if (verdict->type == WICE_TURN_TO_PEER)
		pass_to_peer(server, verdict, now_ms);
	else if (verdict->type == WICE_TURN_TO_CLIENT)
		pass_to_client(server, verdict);
}

static void count_refusal(WiceRelayServer *server, const WiceStunMessage *message)
{
	uint16_t code;
	if (wice__stun_read_error(message, &code, NULL) != 0)
		return;
	if (code == WICE_STUN_ERROR_UNAUTHENTICATED || code == WICE_STUN_ERROR_STALE_NONCE)
		server->unauthenticated++;
	else if (message->method == WICE_STUN_ALLOCATE)
		server->refused++;
}

/*
 * What is being answered may expire sooner than all that there was before. True: whoever has asked
 * has proven to be a user.
 */
static bool note_answer(WiceRelayServer *server, const WiceTurnVerdict *verdict, int64_t now_ms)
{
	WiceStunMessage message;
	if (server->expiry_ms > now_ms + EXPIRY_MS) {
		server->expiry_ms = now_ms + EXPIRY_MS;
		wice__timer_set(server->expiry, server->expiry_ms);
	}
	if (wice__stun_message_read(&message, verdict->answer, verdict->answer_len) != 0)
		return false;
	if (message.method == WICE_STUN_BINDING)
		server->unauthenticated++;
	else if (message.message_class == WICE_STUN_ERROR)
		count_refusal(server, &message);
	return message.method != WICE_STUN_BINDING && message.message_class == WICE_STUN_SUCCESS;
}

static void take_from_client(WiceUdpPort *port, const WiceUdpReceived *received,
			     const uint8_t *data, size_t len, void *user_data)
{
	WiceRelayServer *server = user_data;
	const WiceListener *listener = (const WiceListener *)port;
	WiceTurnTuple tuple = { .local = listener->local };
	WiceTurnVerdict verdict;
	int64_t now_ms = server->now_ms;
	if (!wice__endpoint_from_sockaddr(received->from, received->from_len, &tuple.client))
		return;
	if (received->local.family == listener->local.address.family)
		tuple.local.address = received->local;
	wice__turn_server_from_client(server->core, &tuple, data, len, now_ms, &verdict);
	pass(server, &verdict, now_ms);
	if (verdict.type == WICE_TURN_ANSWER) {
		WiceUdpRoute route = { .to = received->from,
				       .to_len = received->from_len,
				       .local = received->local };
		WiceUdpChunk answer = { verdict.answer, verdict.answer_len, verdict.answer_len };
		WiceUdpSent sent = { 0 };
		wice__udp_send(&port->sender, &route, &answer, 1, &sent);
		(void)note_answer(server, &verdict, now_ms);
	}
}

void wice__relaying_on_listener(WicePolled *polled, uint32_t events, void *user_data)
{
	WiceRelayServer *server = user_data;
	server->now_ms = wice__now_ms();
	wice__datagrams_receive(server->datagrams, (WiceUdpPort *)polled, take_from_client, server);
}

static void take_from_peer(WiceUdpPort *port, const WiceUdpReceived *received, const uint8_t *data,
			   size_t len, void *user_data)
{
	WiceRelayServer *server = user_data;
	const WiceTenant *tenant = ((const WiceOutlet *)port)->owner;
	int64_t now_ms = server->now_ms;
	WiceTurnVerdict verdict;
	WiceEndpoint peer;
	if (!tenant || !wice__endpoint_from_sockaddr(received->from, received->from_len, &peer))
		return;
	wice__turn_server_from_peer(server->core, tenant->allocation, &peer, data, len, now_ms,
				    &verdict);
	pass(server, &verdict, now_ms);
}

void wice__relaying_on_outlet(WicePolled *polled, uint32_t events, void *user_data)
{
	WiceRelayServer *server = user_data;
	server->now_ms = wice__now_ms();
	wice__datagrams_receive(server->datagrams, (WiceUdpPort *)polled, take_from_peer, server);
}

/* Clients over TCP and TLS. */

static void take_frame(WiceConnection *connection, const uint8_t *frame, size_t len,
		       void *user_data)
{
	WiceRelayServer *server = user_data;
	WiceTurnTuple tuple = {
		.client = *wice__connection_client(connection),
		.local = *wice__connection_local(connection),
		.stream = wice__connection_number(connection),
	};
	int64_t now_ms = wice__now_ms();
	WiceTurnVerdict verdict;
	wice__turn_server_from_client(server->core, &tuple, frame, len, now_ms, &verdict);
	if (verdict.type != WICE_TURN_ANSWER) {
		pass(server, &verdict, now_ms);
		return;
	}
	const struct iovec answer = { (void *)verdict.answer, verdict.answer_len };
	(void)wice__connection_send(connection, &answer, 1);
	if (note_answer(server, &verdict, now_ms) &&
	    wice__turn_server_has_allocation(server->core, &tuple))
		wice__connection_settle(connection, true);
}

static void on_overwrite(void *user_data)
{
	WiceRelayServer *server = user_data;
	wice__datagrams_send(server->datagrams);
}

static void on_closed(uint64_t number, void *user_data)
{
	WiceRelayServer *server = user_data;
	wice__turn_server_stream_closed(server->core, number);
}

const WiceConnectionEvents wice__relaying_connection_events = {
	.frame = take_frame,
	.overwrite = on_overwrite,
	.closed = on_closed,
};

void wice__relaying_rest(void *user_data)
{
	WiceRelayServer *server = user_data;
	wice__datagrams_rest(server->datagrams);
	wice__connections_flush(server->connections);
}
