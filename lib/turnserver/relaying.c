/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "event/sockaddr.h"
#include "stun/attributes.h"
#include "stun/message.h"
#include "turnserver/server_private.h"

static bool is_relayed(const WiceTurnVerdict *verdict)
{
	return verdict->type == WICE_TURN_TO_PEER || verdict->type == WICE_TURN_TO_CLIENT;
}

/* Its memory stays as it is until the sockets rest, and so does the data in it. */
static void pass_to_client(WiceRelayServer *server, const WiceTurnVerdict *verdict)
{
	WiceTenant *tenant = wice__tenant_of(verdict->allocation);
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

void wice__relaying_pass(WiceRelayServer *server, const WiceTurnVerdict *verdict, int64_t now_ms)
{
	if (verdict->type == WICE_TURN_TO_PEER)
		pass_to_peer(server, verdict, now_ms);
	else if (verdict->type == WICE_TURN_TO_CLIENT)
		pass_to_client(server, verdict);
}

static void count_answer(WiceRelayServer *server, const WiceTurnVerdict *verdict)
{
	WiceStunMessage message;
	uint16_t code;
	if (wice__stun_message_read(&message, verdict->answer, verdict->answer_len) != 0)
		return;
	if (message.method == WICE_STUN_BINDING) {
		server->unauthenticated++;
		return;
	}
	if (message.message_class != WICE_STUN_ERROR ||
	    wice__stun_read_error(&message, &code, NULL) != 0)
		return;
	if (code == 401 || code == 438)
		server->unauthenticated++;
	else if (message.method == WICE_STUN_ALLOCATE)
		server->refused++;
}

void wice__relaying_answered(WiceRelayServer *server, const WiceTurnVerdict *verdict,
			     int64_t now_ms)
{
	count_answer(server, verdict);
	if (server->expiry_ms <= now_ms + 1000)
		return;
	server->expiry_ms = now_ms + 1000;
	wice__timer_set(server->expiry, server->expiry_ms);
}

static void take_from_client(WiceUdpPort *port, const WiceUdpReceived *received,
			     const uint8_t *data, size_t len, void *user_data)
{
	WiceRelayServer *server = user_data;
	const WiceListener *listener = (const WiceListener *)port;
	WiceTurnTuple tuple = { .local = listener->local };
	WiceTurnVerdict verdict;
	int64_t now_ms = wice__now_ms();
	if (!wice__endpoint_from_sockaddr(received->from, received->from_len, &tuple.client))
		return;
	if (received->local.family == listener->local.address.family)
		tuple.local.address = received->local;
	wice__turn_server_from_client(server->core, &tuple, data, len, now_ms, &verdict);
	if (is_relayed(&verdict)) {
		wice__relaying_pass(server, &verdict, now_ms);
	} else if (verdict.type == WICE_TURN_ANSWER) {
		WiceUdpRoute route = { .to = received->from,
				       .to_len = received->from_len,
				       .local = received->local };
		WiceUdpChunk answer = { verdict.answer, verdict.answer_len, verdict.answer_len };
		WiceUdpSent sent = { 0 };
		wice__udp_send(&port->sender, &route, &answer, 1, &sent);
		wice__relaying_answered(server, &verdict, now_ms);
	}
}

void wice__relaying_on_listener(WicePolled *polled, uint32_t events, void *user_data)
{
	WiceRelayServer *server = user_data;
	wice__datagrams_receive(server->datagrams, (WiceUdpPort *)polled, take_from_client, server);
}

static void take_from_peer(WiceUdpPort *port, const WiceUdpReceived *received, const uint8_t *data,
			   size_t len, void *user_data)
{
	WiceRelayServer *server = user_data;
	const WiceTenant *tenant = ((const WiceOutlet *)port)->owner;
	int64_t now_ms = wice__now_ms();
	WiceTurnVerdict verdict;
	WiceEndpoint peer;
	if (!tenant || !wice__endpoint_from_sockaddr(received->from, received->from_len, &peer))
		return;
	wice__turn_server_from_peer(server->core, tenant->allocation, &peer, data, len, now_ms,
				    &verdict);
	wice__relaying_pass(server, &verdict, now_ms);
}

void wice__relaying_on_outlet(WicePolled *polled, uint32_t events, void *user_data)
{
	WiceRelayServer *server = user_data;
	wice__datagrams_receive(server->datagrams, (WiceUdpPort *)polled, take_from_peer, server);
}

void wice__relaying_rest(void *user_data)
{
	WiceRelayServer *server = user_data;
	wice__datagrams_rest(server->datagrams);
}
