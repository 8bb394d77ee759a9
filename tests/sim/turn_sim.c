/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients of a TURN server that do what they may and what they must not, at random, beside a model
 * of it (turn_world.h): each answer and each packet must be what the model says.
 *
 *   turn-sim [STEPS [SEED]]
 *
 * Nothing is relayed without a permission, no quota and no rate is exceeded, nothing is remembered
 * beyond what the model has (world_check_sums()), strangers get no more than they are allowed
 * (turn_strangers.c), and all ports that were opened are closed in the end (world_end()).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "turn_world.h"

#define STEPS 300000
#define EPOCH 3000 /* steps with one server */

static Lab *const lab = &world.lab;

static void forget_family(WorldAllocation *allocation, bool ipv6)
{
	for (unsigned i = 0; i < WORLD_NUMBERS; i++)
		if (world_peer_is_ipv6(allocation->bound_to[i]) == ipv6)
			allocation->bound_ms[i] = 0;
	for (unsigned i = 0; i < WORLD_PEERS; i++)
		if (world_peer_is_ipv6(i) == ipv6)
			allocation->permitted_ms[world_peer_address(i)] = 0;
	allocation->relayed[ipv6] = (WiceEndpoint){ 0 };
	if (!allocation->relayed[!ipv6].address.family)
		world_forget(allocation);
}

static void try_refresh(unsigned who)
{
	static const uint32_t lifetimes[] = { 0, 1, 600, 600, 1800, 3600, 9999 };
	WorldAllocation *allocation = &world.allocations[who];
	LabClient *client = &world.clients[who];
	uint32_t lifetime_s = lifetimes[world_roll(G_N_ELEMENTS(lifetimes))];
	unsigned user = world_speak(who), family = world_roll(2) ? 0 : 1 + world_roll(2);
	WiceStunWriter *writer = lab_begin(client, WICE_STUN_REFRESH);
	wice__stun_write_u32(writer, WICE_STUN_LIFETIME, lifetime_s);
	if (family)
		wice__stun_write_u8(writer, WICE_STUN_REQUESTED_ADDRESS_FAMILY, (uint8_t)family);
	uint16_t expected = world_expect_owner(who, user);
	if (!expected && family && !allocation->relayed[family - 1].address.family)
		expected = WICE_STUN_ERROR_FAMILY_MISMATCH;
	world_check("Refresh", who, expected, lab_ask(lab, client));
	if (expected)
		return;
	if (lifetime_s == 0 && family) {
		forget_family(allocation, family == 2);
	} else if (lifetime_s == 0) {
		world_forget(allocation);
	} else {
		world_check("lifetime", who, world_granted(lifetime_s),
			    lab_answered_lifetime(client));
		allocation->expires_ms = lab->now_ms + world_granted(lifetime_s) * 1000;
		world_read_ticket(who);
	}
}

static uint16_t expect_move(unsigned who, unsigned from, unsigned user, bool is_right)
{
	const WorldAllocation *found = &world.allocations[from];
	bool lives = world_lives(found) && found->mobile && is_right;
	uint16_t code = world_expect_sender(who, user);
	if (code)
		return code;
	if (world_lives(&world.allocations[who])) {
		code = lives && who == from ? 0 : WICE_STUN_ERROR_BAD_REQUEST;
		return code ? code : world_expect_owner(who, user);
	}
	if (!lives)
		return WICE_STUN_ERROR_ALLOCATION_MISMATCH;
	if (found->user != user)
		return WICE_STUN_ERROR_WRONG_CREDENTIALS;
	return world_network(who) == world_network(from) ? 0 : world_expect_address_quota(who);
}

/* Somebody comes for an allocation, from elsewhere, with its ticket (RFC 8016). */
static void try_move(unsigned who)
{
	unsigned from = world_roll(WORLD_CLIENTS), user = world.allocations[from].user;
	LabClient *client = &world.clients[who];
	const WorldAllocation *found = &world.allocations[from];
	uint8_t ticket[64];
	bool is_right = world_roll(8);
	if (world_roll(8) == 0)
		user = world_roll(WORLD_USERS);
	world_name(who, user);
	memcpy(ticket, found->ticket, sizeof ticket);
	ticket[0] ^= !is_right;
	wice__stun_write_bytes(lab_begin(client, WICE_STUN_REFRESH), WICE_STUN_MOBILITY_TICKET,
			       ticket, found->ticket_len ? found->ticket_len : sizeof ticket);
	uint16_t expected = expect_move(who, from, user, is_right);
	world_check("move", who, expected, lab_ask(lab, client));
	if (expected)
		return;
	if (who != from) {
		world.allocations[who] = world.allocations[from];
		world_forget(&world.allocations[from]);
	}
	world.allocations[who].expires_ms = lab->now_ms + 600 * 1000;
	world_read_ticket(who);
}

static void permit(WorldAllocation *allocation, unsigned peer)
{
	allocation->permitted_ms[world_peer_address(peer)] = lab->now_ms + 300 * 1000;
}

/* Some at once: all or none. */
static void try_permit(unsigned who)
{
	WorldAllocation *allocation = &world.allocations[who];
	unsigned list[3], n = 1 + world_roll(3), user = world_speak(who);
	WiceStunWriter *writer = lab_begin(&world.clients[who], WICE_STUN_CREATE_PERMISSION);
	for (unsigned i = 0; i < n; i++) {
		list[i] = world_roll(WORLD_PEERS);
		WiceEndpoint peer = world_peer(list[i]);
		wice__stun_write_address(writer, WICE_STUN_XOR_PEER_ADDRESS, &peer);
	}
	uint16_t expected = world_expect_owner(who, user);
	if (!expected)
		expected = world_expect_peers(allocation, list, n, false);
	world_check("CreatePermission", who, expected, lab_ask(lab, &world.clients[who]));
	for (unsigned i = 0; i < n && !expected; i++)
		permit(allocation, list[i]);
}

static void try_bind(unsigned who)
{
	WorldAllocation *allocation = &world.allocations[who];
	unsigned peer = world_roll(WORLD_PEERS), number = world_roll(WORLD_NUMBERS);
	uint16_t expected = world_expect_owner(who, world_speak(who));
	if (!expected)
		expected = world_expect_bind(allocation, number, peer);
	world_check(
		"ChannelBind", who, expected,
		lab_bind(lab, &world.clients[who], world_numbers[number], world_peer_text(peer)));
	if (expected)
		return;
	permit(allocation, peer);
	allocation->bound_ms[number] = lab->now_ms + 600 * 1000;
	allocation->bound_to[number] = peer;
}

static const char *roll_data(void)
{
	static const char *const texts[] = { "", "1", "some data", "some more data, as it were" };
	return texts[world_roll(G_N_ELEMENTS(texts))];
}

static void check_to_peer(unsigned who, const WiceTurnVerdict *verdict, bool expected,
			  unsigned peer, const char *text)
{
	WorldAllocation *allocation = &world.allocations[who];
	WiceEndpoint endpoint = world_peer(peer);
	size_t len = strlen(text);
	if (world_is_own(&endpoint.address) && !world_is_relayed(&endpoint))
		expected = false;
	if (expected)
		expected = world_spend(allocation->user, false, len);
	world_check("data to a peer", who, expected ? WICE_TURN_TO_PEER : WICE_TURN_DROP,
		    verdict->type);
	if (!expected)
		return;
	LAB_MUST(wice_endpoint_compare(&verdict->peer, &endpoint) == 0);
	LAB_MUST(verdict->allocation == world_find(who));
	LAB_MUST(verdict->data_len == len && memcmp(verdict->data, text, len) == 0);
	allocation->traffic.tx_packets++;
	allocation->traffic.tx_bytes += len;
}

/* Own ports close when their time has come, not when it is looked at. */
static void settle(unsigned peer)
{
	WiceEndpoint endpoint = world_peer(peer);
	if (world_is_own(&endpoint.address))
		lab_wait(lab, 0);
}

static void try_channel_data(unsigned who)
{
	const WorldAllocation *allocation = &world.allocations[who];
	unsigned number = world_roll(WORLD_NUMBERS), peer = allocation->bound_to[number];
	const char *text = roll_data();
	settle(peer);
	WiceTurnVerdict verdict =
		lab_channel_data(lab, &world.clients[who], world_numbers[number], text);
	check_to_peer(who, &verdict,
		      world_lives(allocation) && world_is_bound(allocation, number) &&
			      world_is_permitted(allocation, peer),
		      peer, text);
}

static void try_send(unsigned who)
{
	const WorldAllocation *allocation = &world.allocations[who];
	unsigned peer = world_roll(WORLD_PEERS);
	const char *text = roll_data();
	settle(peer);
	WiceTurnVerdict verdict = lab_send(lab, &world.clients[who], world_peer_text(peer), text);
	check_to_peer(who, &verdict,
		      world_lives(allocation) && world_is_permitted(allocation, peer), peer, text);
}

static void check_to_client(unsigned who, unsigned peer, const WiceTurnVerdict *verdict, size_t len)
{
	const LabClient *client = &world.clients[who];
	WorldAllocation *allocation = &world.allocations[who];
	unsigned header_len = world_peer_is_ipv6(peer) ? 48 : 36, padding = -len & 3;
	for (unsigned i = 0; i < WORLD_NUMBERS; i++)
		if (world_is_bound(allocation, i) && allocation->bound_to[i] == peer) {
			header_len = 4;
			padding = client->tuple.stream ? padding : 0;
			LAB_MUST(wice__stun_get_u16(verdict->header) == world_numbers[i]);
		}
	world_check("its header", who, header_len, (unsigned)verdict->header_len);
	world_check("its padding", who, padding, (unsigned)verdict->padding);
	LAB_MUST(verdict->data_len == len && verdict->allocation == client->allocation);
	allocation->traffic.rx_packets++;
	allocation->traffic.rx_bytes += len;
}

static void try_from_peer(unsigned who)
{
	const WorldAllocation *allocation = &world.allocations[who];
	unsigned peer = world_roll(WORLD_PEERS);
	const char *text = roll_data();
	if (!world_find(who))
		return;
	WiceTurnVerdict verdict =
		lab_from_peer(lab, &world.clients[who], world_peer_text(peer), text);
	bool expected = world_lives(allocation) && world_is_permitted(allocation, peer) &&
			world_spend(allocation->user, true, strlen(text));
	world_check("data from a peer", who, expected ? WICE_TURN_TO_CLIENT : WICE_TURN_DROP,
		    verdict.type);
	if (expected)
		check_to_client(who, peer, &verdict, strlen(text));
}

/* What a fast path has relayed past the server. */
static void try_fast_path(unsigned who)
{
	WorldAllocation *allocation = &world.allocations[who];
	const WiceTurnTraffic traffic = {
		.rx_packets = world_roll(3),
		.rx_bytes = world_roll(3000),
		.tx_packets = world_roll(3),
		.tx_bytes = world_roll(3000),
	};
	lab_wait(lab, 0);
	if (!world_lives(allocation))
		return;
	wice__turn_allocation_add_traffic(world_find(who), &traffic);
	allocation->traffic.rx_packets += traffic.rx_packets;
	allocation->traffic.rx_bytes += traffic.rx_bytes;
	allocation->traffic.tx_packets += traffic.tx_packets;
	allocation->traffic.tx_bytes += traffic.tx_bytes;
	world_charge(allocation->user, true, traffic.rx_bytes);
	world_charge(allocation->user, false, traffic.tx_bytes);
}

/* Not known, with a wrong password, or with what was given to somebody else. */
static void try_as_somebody_else(unsigned who)
{
	LabClient client = world.clients[who];
	const LabClient *other = &world.clients[(who + 1) % WORLD_CLIENTS];
	uint16_t expected = world_expect_nonce(who);
	switch (world_roll(3)) {
	case 0:
		client.password = "wrong";
		break;
	case 1:
		client.username = "nobody";
		break;
	default:
		memcpy(client.nonce, other->nonce, other->nonce_len);
		expected = WICE_STUN_ERROR_STALE_NONCE;
		break;
	}
	world_check("Refresh of somebody else", who,
		    expected ? expected : WICE_STUN_ERROR_UNAUTHENTICATED,
		    lab_refresh(lab, &client, 0));
}

/* Of a user, but malformed: the rest of such a request counts for nothing. */
static void try_malformed(unsigned who)
{
	static const struct {
		uint16_t method, type, len, code;
	} cases[] = {
		{ WICE_STUN_REFRESH, WICE_STUN_LIFETIME, 2, 400 },
		{ WICE_STUN_REFRESH, WICE_STUN_REQUESTED_ADDRESS_FAMILY, 1, 400 },
		{ WICE_STUN_REFRESH, WICE_STUN_REQUESTED_ADDRESS_FAMILY, 4, 443 },
		{ WICE_STUN_REFRESH, 0x7f00, 3, 420 },
		{ WICE_STUN_CREATE_PERMISSION, WICE_STUN_LIFETIME, 4, 400 },
		{ WICE_STUN_CREATE_PERMISSION, WICE_STUN_XOR_PEER_ADDRESS, 4, 400 },
		{ WICE_STUN_CREATE_PERMISSION, 0x7f00, 0, 420 },
		{ WICE_STUN_CHANNEL_BIND, WICE_STUN_CHANNEL_NUMBER, 4, 400 },
		{ WICE_STUN_CHANNEL_BIND, WICE_STUN_XOR_PEER_ADDRESS, 8, 400 },
	};
	unsigned i = world_roll(G_N_ELEMENTS(cases)), user = world_speak(who);
	WiceStunWriter *writer = lab_begin(&world.clients[who], cases[i].method);
	wice__stun_writer_add(writer, cases[i].type, cases[i].len);
	uint16_t expected = cases[i].code == 420 ? world_expect_sender(who, user)
						 : world_expect_owner(who, user);
	world_check("what is malformed", who, expected ? expected : cases[i].code,
		    lab_ask(lab, &world.clients[who]));
}

static void try_challenge(unsigned who)
{
	LabClient *client = &world.clients[who];
	lab_challenge(lab, client);
	world.nonce_ms[who] = lab->now_ms;
}

static void close_stream(unsigned who)
{
	uint64_t stream = world.clients[who].tuple.stream;
	WorldAllocation *allocation = &world.allocations[who];
	if (!stream)
		return;
	wice__turn_server_stream_closed(lab->server, stream);
	if (!allocation->mobile)
		world_forget(allocation);
}

static void wait(unsigned who)
{
	static const unsigned seconds[] = { 1, 1, 1, 5, 29, 30, 120, 299, 300, 301, 599, 600, 601 };
	(void)who;
	lab->now_ms += world_roll(1000);
	lab->now_ms += seconds[world_roll(world_roll(4) ? 6 : G_N_ELEMENTS(seconds))] * 1000;
}

static void check_sums(unsigned who)
{
	(void)who;
	world_check_sums();
}

static void hear_strangers(unsigned who)
{
	(void)who;
	for (unsigned i = 0; i < 4; i++)
		world_hear_stranger();
}

static void drain(void)
{
	world.alternate = lab_endpoint("192.0.2.99:3478");
	world.draining = true;
	wice__turn_server_drain(lab->server, &world.alternate);
}

static void step(void)
{
	static void (*const tries[])(unsigned who) = {
		world_try_allocate,
		world_try_allocate,
		world_try_allocate,
		world_try_allocate_again,
		try_refresh,
		try_move,
		try_permit,
		try_permit,
		try_bind,
		try_bind,
		try_channel_data,
		try_channel_data,
		try_send,
		try_from_peer,
		try_from_peer,
		try_as_somebody_else,
		hear_strangers,
		try_challenge,
		wait,
		check_sums,
		try_send,
		try_channel_data,
		close_stream,
		try_fast_path,
		try_malformed,
	};
	tries[world_roll(G_N_ELEMENTS(tries))](world_roll(WORLD_CLIENTS));
}

/* A simulation in which something never happens shows nothing about it. */
static void check_seen(void)
{
	static const uint16_t codes[] = { 300, 400, 401, 403, 420, 437, 438,
					  440, 441, 442, 443, 486, 508, 3600 };
	for (unsigned i = 0; i < G_N_ELEMENTS(codes); i++)
		if (world_seen(codes[i]) == 0) {
			fprintf(stderr, "%u was never seen\n", codes[i]);
			abort();
		}
}

int main(int argc, char **argv)
{
	unsigned steps = argc > 1 ? (unsigned)atoi(argv[1]) : STEPS;
	GRand *dice = g_rand_new_with_seed(argc > 2 ? (guint32)atoi(argv[2]) : 1);
	uint64_t n_opened = 0, n_shown = 0;
	for (unsigned done = 0; done < steps; done += EPOCH) {
		world_begin(dice);
		for (unsigned i = 0; i < EPOCH; i++) {
			if (i == EPOCH - EPOCH / 16 && world_roll(2))
				drain();
			step();
		}
		n_opened += lab->n_opened;
		n_shown += lab->n_shown;
		world_end();
	}
	if (steps >= STEPS)
		check_seen();
	printf("%u steps, %" G_GUINT64_FORMAT " ports, %" G_GUINT64_FORMAT " channels\n", steps,
	       (guint64)n_opened, (guint64)n_shown);
	g_rand_free(dice);
	return 0;
}
