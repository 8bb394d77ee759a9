/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "turn/server.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "stun/responder.h"
#include "turn/server_state.h"

#define EXPIRE_PERIOD_MS 1000
#define SOFTWARE_MAX 127 /* RFC 8489 section 14.14: fewer than 128 characters */

uint32_t wice__turn_hash(const WiceTurnServer *server, const void *bytes, size_t len)
{
	uint64_t hash;
	crypto_shorthash_siphash24((uint8_t *)&hash, bytes, len, server->hash_key);
	return (uint32_t)hash;
}

static void default_u32(uint32_t *value, uint32_t otherwise)
{
	if (!*value)
		*value = otherwise;
}

static void copy_options(WiceTurnServer *server, const WiceTurnServerOptions *options)
{
	WiceTurnServerOptions *mine = &server->options;
	*mine = *options;
	mine->software = options->software ? g_strndup(options->software, SOFTWARE_MAX) : NULL;
	mine->secrets = (const char *const *)g_strdupv((char **)options->secrets);
	default_u32(&mine->max_lifetime_s, 3600);
	default_u32(&mine->max_allocations, 100000);
	default_u32(&mine->max_per_user, 10);
	default_u32(&mine->max_per_address, 50);
	default_u32(&mine->max_permissions, 256);
}

static void each_table(WiceTurnServer *server, void (*func)(WiceTurnTable *table))
{
	WiceTurnTable *const tables[] = {
		&server->allocations, &server->tickets,   &server->ports,
		&server->permissions, &server->channels,  &server->peers,
		&server->users,       &server->addresses, &server->reservations,
	};
	for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
		func(tables[i]);
}

WiceTurnServer *wice__turn_server_new(const WiceTurnServerOptions *options,
				      const WiceTurnServerEvents *events, void *user_data,
				      int64_t now_ms)
{
	WiceTurnServer *server = g_new0(WiceTurnServer, 1);
	copy_options(server, options);
	server->events = events;
	server->user_data = user_data;
	server->now_ms = now_ms;
	server->policy.permit_private = options->permit_private;
	server->policy.permit_loopback = options->permit_loopback;
	server->nonces.hidden_names = events->username != NULL;
	options->fill_random(server->nonces.key, sizeof server->nonces.key);
	options->fill_random(server->hash_key, sizeof server->hash_key);
	options->fill_random(&server->indication_prefix, sizeof server->indication_prefix);
	server->own = g_array_new(FALSE, FALSE, sizeof(WiceAddress));
	wice__deadlines_init(&server->deadlines);
	each_table(server, wice__turn_table_init);
	return server;
}

/* The members of a table, which func may take out. */
static void each_member(WiceTurnTable *table, void (*func)(WiceTurnNode *node, void *user_data),
			void *user_data)
{
	g_autoptr(GPtrArray) nodes = g_ptr_array_sized_new(table->n);
	for (uint32_t i = 0; i <= table->mask; i++)
		for (WiceTurnNode *node = table->buckets[i]; node; node = node->next)
			g_ptr_array_add(nodes, node);
	for (guint i = 0; i < nodes->len; i++)
		func(nodes->pdata[i], user_data);
}

static void end_allocation(WiceTurnNode *node, void *user_data)
{
	(void)user_data;
	wice__turn_allocation_end(WICE_TURN_OF(WiceTurnAllocation, by_tuple, node), true);
}

static void end_reservation(WiceTurnNode *node, void *user_data)
{
	wice__turn_reservation_end(user_data, WICE_TURN_OF(WiceTurnReservation, node, node), true);
}

static void forget_user(WiceTurnNode *node, void *user_data)
{
	wice__turn_user_forget(user_data, WICE_TURN_OF(WiceTurnUser, node, node));
}

void wice__turn_server_free(WiceTurnServer *server)
{
	if (!server)
		return;
	each_member(&server->allocations, end_allocation, NULL);
	each_member(&server->reservations, end_reservation, server);
	each_member(&server->users, forget_user, server);
	each_table(server, wice__turn_table_done);
	wice__deadlines_done(&server->deadlines);
	g_array_unref(server->own);
	g_free((char *)server->options.software);
	g_strfreev((char **)server->options.secrets);
	sodium_memzero(server, sizeof *server);
	g_free(server);
}

static bool is_listed(const WiceTurnServer *server, const WiceAddress *address)
{
	for (guint i = 0; i < server->own->len; i++)
		if (wice_address_compare(&g_array_index(server->own, WiceAddress, i), address) == 0)
			return true;
	return false;
}

void wice__turn_server_add_own_address(WiceTurnServer *server, const WiceAddress *address)
{
	if (!is_listed(server, address))
		g_array_append_val(server->own, *address);
}

bool wice__turn_server_is_own(const WiceTurnServer *server, const WiceTurnTuple *tuple,
			      const WiceAddress *address)
{
	if (server->policy.permit_loopback && wice_address_is_loopback(address))
		return false;
	return wice_address_compare(&tuple->local.address, address) == 0 ||
	       is_listed(server, address);
}

static void answer_binding(WiceTurnServer *server, const WiceTurnTuple *tuple,
			   const uint8_t *packet, size_t len, WiceTurnVerdict *ret_verdict)
{
	size_t answer_len = wice__stun_respond(packet, len, &tuple->client, server->answer);
	if (answer_len == 0 || answer_len > WICE_TURN_MAX_ANSWER * len)
		return;
	ret_verdict->type = WICE_TURN_ANSWER;
	ret_verdict->answer = server->answer;
	ret_verdict->answer_len = answer_len;
}

static void answer_request(WiceTurnServer *server, const WiceTurnTuple *tuple,
			   const WiceStunMessage *message, int64_t now_ms,
			   WiceTurnVerdict *ret_verdict)
{
	WiceTurnRequest request = {
		.message = message,
		.tuple = tuple,
		.now_ms = now_ms,
		.allocation = wice__turn_find_allocation(server, tuple, now_ms),
	};
	uint16_t code = wice__turn_authenticate(server, &request);
	if (code) {
		wice__turn_refuse(server, &request, code, ret_verdict);
	} else {
		/* So that nothing that it comes upon has expired. */
		wice__turn_server_expire(server, now_ms);
		wice__turn_answer_request(server, &request, ret_verdict);
	}
	wice__stun_key_clear(&request.key);
}

static bool may_send(WiceTurnAllocation *allocation, size_t len, int64_t now_ms)
{
	return wice__turn_spend(allocation->server, &allocation->user->tx_paid_us, len, now_ms);
}

static void send_to_peer(WiceTurnAllocation *allocation, const WiceEndpoint *peer, WiceSpan data,
			 WiceTurnVerdict *ret_verdict)
{
	allocation->traffic.tx_packets++;
	allocation->traffic.tx_bytes += data.len;
	ret_verdict->type = WICE_TURN_TO_PEER;
	ret_verdict->allocation = allocation;
	ret_verdict->peer = *peer;
	ret_verdict->data = data.data;
	ret_verdict->data_len = data.len;
}

/* An address of ours is a peer only as long as the port is a relayed one. */
static bool is_peer(const WiceTurnServer *server, bool own, const WiceEndpoint *peer)
{
	return !own || wice__turn_server_has_port(server, peer);
}

/* RFC 8656 section 12.6. */
static void relay_channel_data(WiceTurnServer *server, const WiceTurnTuple *tuple,
			       const uint8_t *packet, size_t len, int64_t now_ms,
			       WiceTurnVerdict *ret_verdict)
{
	uint16_t number;
	WiceSpan data;
	if (wice__channel_data_read(packet, len, &number, &data) != 0)
		return;
	WiceTurnAllocation *allocation = wice__turn_find_allocation(server, tuple, now_ms);
	if (!allocation)
		return;
	const WiceTurnChannel *channel = wice__turn_find_channel(allocation, number);
	if (channel && wice__turn_channel_lives(channel, now_ms) &&
	    is_peer(server, channel->own, &channel->peer) && may_send(allocation, data.len, now_ms))
		send_to_peer(allocation, &channel->peer, data, ret_verdict);
	else
		allocation->traffic.dropped++;
}

static bool has_permission(const WiceTurnAllocation *allocation, const WiceAddress *peer,
			   int64_t now_ms)
{
	const WiceTurnPermission *permission = wice__turn_find_permission(allocation, peer);
	return permission && permission->expires_ms > now_ms;
}

/* Section 11.2: what is wrong in any way is not heard of again. */
static void relay_indication(WiceTurnServer *server, const WiceTurnTuple *tuple,
			     const WiceStunMessage *message, int64_t now_ms,
			     WiceTurnVerdict *ret_verdict)
{
	WiceEndpoint peer;
	WiceSpan data;
	WiceTurnAllocation *allocation = wice__turn_find_allocation(server, tuple, now_ms);
	if (!allocation)
		return;
	int r = wice__stun_read_flag(message, WICE_STUN_DONT_FRAGMENT);
	bool own = false;
	if (message->n_unknown || r == -EBADMSG || (r == 0 && !server->options.dont_fragment) ||
	    wice__stun_read_address(message, WICE_STUN_XOR_PEER_ADDRESS, &peer) != 0 ||
	    wice__stun_read_bytes(message, WICE_STUN_DATA, &data) != 0 || peer.port == 0)
		goto dropped;
	own = wice__turn_server_is_own(server, tuple, &peer.address);
	if (!has_permission(allocation, &peer.address, now_ms) || !is_peer(server, own, &peer) ||
	    !may_send(allocation, data.len, now_ms))
		goto dropped;
	send_to_peer(allocation, &peer, data, ret_verdict);
	ret_verdict->dont_fragment = r == 0;
	return;
dropped:
	allocation->traffic.dropped++;
}

static bool is_known_method(uint16_t method)
{
	return method == WICE_STUN_ALLOCATE || method == WICE_STUN_REFRESH ||
	       method == WICE_STUN_CREATE_PERMISSION || method == WICE_STUN_CHANNEL_BIND;
}

static void take_message(WiceTurnServer *server, const WiceTurnTuple *tuple, const uint8_t *packet,
			 size_t len, int64_t now_ms, WiceTurnVerdict *ret_verdict)
{
	WiceStunMessage message;
	if (wice__stun_message_read(&message, packet, len) != 0)
		return;
	if (message.method == WICE_STUN_BINDING) {
		answer_binding(server, tuple, packet, len, ret_verdict);
		return;
	}
	if (server->options.stun_only || !message.has_cookie ||
	    (message.fingerprint && wice__stun_check_fingerprint(&message) != 0))
		return;
	if (message.message_class == WICE_STUN_INDICATION && message.method == WICE_STUN_SEND)
		relay_indication(server, tuple, &message, now_ms, ret_verdict);
	else if (message.message_class == WICE_STUN_REQUEST && is_known_method(message.method))
		answer_request(server, tuple, &message, now_ms, ret_verdict);
}

void wice__turn_server_from_client(WiceTurnServer *server, const WiceTurnTuple *tuple,
				   const uint8_t *packet, size_t len, int64_t now_ms,
				   WiceTurnVerdict *ret_verdict)
{
	*ret_verdict = (WiceTurnVerdict){ 0 };
	server->now_ms = MAX(server->now_ms, now_ms);
	if (!tuple->client.port || len == 0)
		return; /* from port 0: there is no way to answer */
	if (packet[0] & 0x40)
		relay_channel_data(server, tuple, packet, len, now_ms, ret_verdict);
	else
		take_message(server, tuple, packet, len, now_ms, ret_verdict);
}

/* Section 11.3: Data, with the peer's address; the data follows, from where it is. */
static size_t write_data_indication(WiceTurnServer *server, const WiceEndpoint *peer, size_t len)
{
	uint8_t transaction[WICE_STUN_TRANSACTION_LEN];
	uint64_t number = server->n_indications++;
	WiceStunWriter writer;
	wice__stun_put_u32(transaction, WICE_STUN_COOKIE);
	memcpy(transaction + 4, &server->indication_prefix, 4);
	memcpy(transaction + 8, &number, 8);
	wice__stun_writer_init(&writer, server->header, sizeof server->header, WICE_STUN_INDICATION,
			       WICE_STUN_DATA_INDICATION, transaction);
	wice__stun_write_address(&writer, WICE_STUN_XOR_PEER_ADDRESS, peer);
	wice__stun_writer_add(&writer, WICE_STUN_DATA, 0);
	if (writer.error)
		return 0;
	size_t body = writer.len - WICE_STUN_HEADER_LEN + len + wice__channel_data_padding(len);
	if (body > UINT16_MAX - WICE_STUN_HEADER_LEN)
		return 0;
	wice__stun_put_u16(server->header + 2, (uint16_t)body);
	wice__stun_put_u16(server->header + writer.len - 2, (uint16_t)len);
	return writer.len;
}

void wice__turn_server_from_peer(WiceTurnServer *server, WiceTurnAllocation *allocation,
				 const WiceEndpoint *peer, const uint8_t *packet, size_t len,
				 int64_t now_ms, WiceTurnVerdict *ret_verdict)
{
	const WiceTurnChannel *channel = wice__turn_find_peer(allocation, peer);
	size_t header_len = 0, padding = wice__channel_data_padding(len);
	*ret_verdict = (WiceTurnVerdict){ 0 };
	server->now_ms = MAX(server->now_ms, now_ms);
	if (channel && wice__turn_channel_lives(channel, now_ms) && len <= UINT16_MAX) {
		header_len = WICE_CHANNEL_DATA_HEADER_LEN;
		wice__stun_put_u16(server->header, channel->number);
		wice__stun_put_u16(server->header + 2, (uint16_t)len);
		if (!allocation->tuple.stream)
			padding = 0;
	} else if (has_permission(allocation, &peer->address, now_ms)) {
		header_len = write_data_indication(server, peer, len);
	}
	if (header_len == 0 || allocation->expires_ms <= now_ms ||
	    !wice__turn_spend(server, &allocation->user->rx_paid_us, len, now_ms)) {
		allocation->traffic.dropped++;
		return;
	}
	allocation->traffic.rx_packets++;
	allocation->traffic.rx_bytes += len;
	ret_verdict->type = WICE_TURN_TO_CLIENT;
	ret_verdict->allocation = allocation;
	ret_verdict->header = server->header;
	ret_verdict->header_len = header_len;
	ret_verdict->data = packet;
	ret_verdict->data_len = len;
	ret_verdict->padding = padding;
}

void wice__turn_server_stream_closed(WiceTurnServer *server, uint64_t stream)
{
	const WiceTurnTuple tuple = { .stream = stream };
	WiceTurnAllocation *found = wice__turn_find_allocation(server, &tuple, INT64_MIN);
	if (found && !found->mobile)
		wice__turn_allocation_end(found, true);
}

static void expire_one(WiceTurnServer *server, WiceTurnDue *due, int64_t now_ms)
{
	switch (due->kind) {
	case WICE_TURN_DUE_ALLOCATION:
		wice__turn_allocation_expire(WICE_TURN_OF(WiceTurnAllocation, due, due), now_ms);
		return;
	case WICE_TURN_DUE_USER:
		wice__turn_user_forget(server, WICE_TURN_OF(WiceTurnUser, due, due));
		return;
	case WICE_TURN_DUE_RESERVATION:
		wice__turn_reservation_end(server, WICE_TURN_OF(WiceTurnReservation, due, due),
					   true);
		return;
	}
}

int64_t wice__turn_server_expire(WiceTurnServer *server, int64_t now_ms)
{
	WiceDeadline *first;
	server->now_ms = MAX(server->now_ms, now_ms);
	while ((first = wice__deadlines_first(&server->deadlines)) && first->ms <= now_ms)
		expire_one(server, WICE_TURN_OF(WiceTurnDue, deadline, first), now_ms);
	return first ? MAX(first->ms, now_ms + EXPIRE_PERIOD_MS) : INT64_MAX;
}

void wice__turn_server_drain(WiceTurnServer *server, const WiceEndpoint *alternate)
{
	server->draining = true;
	server->alternate = alternate ? *alternate : (WiceEndpoint){ 0 };
}

bool wice__turn_server_has_allocation(const WiceTurnServer *server, const WiceTurnTuple *tuple)
{
	return wice__turn_find_allocation(server, tuple, server->now_ms) != NULL;
}

size_t wice__turn_server_n_allocations(const WiceTurnServer *server)
{
	return server->allocations.n;
}

void wice__turn_server_foreach(WiceTurnServer *server,
			       void (*func)(WiceTurnAllocation *allocation, void *user_data),
			       void *user_data)
{
	const WiceTurnTable *table = &server->allocations;
	for (uint32_t i = 0; i <= table->mask; i++)
		for (WiceTurnNode *node = table->buckets[i]; node; node = node->next)
			func(WICE_TURN_OF(WiceTurnAllocation, by_tuple, node), user_data);
}

const WiceTurnTuple *wice__turn_allocation_tuple(const WiceTurnAllocation *allocation)
{
	return &allocation->tuple;
}

const char *wice__turn_allocation_username(const WiceTurnAllocation *allocation)
{
	return allocation->user->name;
}

bool wice__turn_allocation_relayed(const WiceTurnAllocation *allocation, WiceFamily family,
				   WiceEndpoint *ret_relayed)
{
	if (!wice__turn_has_family(allocation, (uint8_t)family))
		return false;
	*ret_relayed = allocation->ports[family == WICE_FAMILY_IPV6].relayed;
	return true;
}

void wice__turn_allocation_traffic(const WiceTurnAllocation *allocation, WiceTurnTraffic *ret)
{
	*ret = allocation->traffic;
}

void wice__turn_allocation_add_traffic(WiceTurnAllocation *allocation,
				       const WiceTurnTraffic *traffic)
{
	WiceTurnTraffic *sum = &allocation->traffic;
	sum->rx_packets += traffic->rx_packets;
	sum->rx_bytes += traffic->rx_bytes;
	sum->tx_packets += traffic->tx_packets;
	sum->tx_bytes += traffic->tx_bytes;
	sum->dropped += traffic->dropped;
	wice__turn_charge(allocation->server, &allocation->user->rx_paid_us, traffic->rx_bytes);
	wice__turn_charge(allocation->server, &allocation->user->tx_paid_us, traffic->tx_bytes);
}

void wice__turn_allocation_set_data(WiceTurnAllocation *allocation, void *data)
{
	allocation->data = data;
}

void *wice__turn_allocation_data(const WiceTurnAllocation *allocation)
{
	return allocation->data;
}
