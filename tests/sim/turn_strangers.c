/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whoever knows no password but sees, bends and repeats what others send, or makes things up. He
 * gets at most WICE_TURN_MAX_ANSWER times what he sent, of a Binding 2.4 times, never sealed; the
 * server remembers nothing of him; and nothing is relayed but where the tuple that he sends from
 * has a permission.
 */
#include <string.h>

#include "turn/server_state.h"
#include "turn_world.h"

typedef struct {
	uint8_t bytes[2048];
	size_t len;
} Packet;

static const uint16_t methods[] = {
	WICE_STUN_BINDING, WICE_STUN_ALLOCATE,        WICE_STUN_REFRESH,
	WICE_STUN_SEND,    WICE_STUN_DATA_INDICATION, WICE_STUN_CREATE_PERMISSION,
	WICE_STUN_BINDING, WICE_STUN_CHANNEL_BIND,
};

static void write_random(WiceStunWriter *writer)
{
	static const uint16_t types[] = {
		WICE_STUN_USERNAME,
		WICE_STUN_REALM,
		WICE_STUN_NONCE,
		WICE_STUN_MESSAGE_INTEGRITY,
		WICE_STUN_MESSAGE_INTEGRITY_SHA256,
		WICE_STUN_REQUESTED_TRANSPORT,
		WICE_STUN_LIFETIME,
		WICE_STUN_DATA,
		0x7f00,
		0x7f01,
		0xff00,
	};
	static const uint8_t lengths[] = { 0, 1, 4, 8, 20, 29, 32, 60 };
	for (unsigned i = world_roll(8); i > 0; i--) {
		size_t len = lengths[world_roll(sizeof lengths)];
		uint8_t *value =
			wice__stun_writer_add(writer, types[world_roll(G_N_ELEMENTS(types))], len);
		for (size_t j = 0; value && j < len; j++)
			value[j] = (uint8_t)world_roll(256);
	}
}

/* A message without credentials, or with some that are none; one to a peer among them. */
static void make_up(Packet *packet)
{
	uint8_t transaction[WICE_STUN_TRANSACTION_LEN] = { 0x21, 0x12, 0xa4, 0x42 };
	WiceEndpoint peer = world_peer(world_roll(WORLD_PEERS));
	WiceStunWriter writer;
	transaction[15] = (uint8_t)world_roll(256);
	if (world_roll(16) == 0)
		transaction[0] = 0; /* as of RFC 3489 */
	wice__stun_writer_init(&writer, packet->bytes, sizeof packet->bytes,
			       world_roll(4) ? WICE_STUN_REQUEST : (WiceStunClass)world_roll(4),
			       methods[world_roll(G_N_ELEMENTS(methods))], transaction);
	if (world_roll(4) == 0)
		wice__stun_write_address(&writer, WICE_STUN_XOR_PEER_ADDRESS, &peer);
	if (world_roll(2))
		write_random(&writer);
	if (world_roll(2))
		wice__stun_write_fingerprint(&writer);
	if (wice__stun_writer_finish(&writer, &packet->len) != 0)
		packet->len = 0;
}

static void make_noise(Packet *packet)
{
	packet->len = world_roll(64);
	for (size_t i = 0; i < packet->len; i++)
		packet->bytes[i] = (uint8_t)world_roll(256);
}

/* Somebody's last request, with a bit turned or cut short. */
static void bend(Packet *packet, const LabClient *victim)
{
	memcpy(packet->bytes, victim->request, victim->request_len);
	packet->len = victim->request_len;
	if (world_roll(4)) {
		unsigned bit = world_roll((unsigned)packet->len * 8);
		packet->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	} else {
		packet->len = world_roll((unsigned)packet->len);
	}
}

static bool may_reach(const WorldAllocation *allocation, const WiceEndpoint *endpoint)
{
	if (!world_lives(allocation) ||
	    (world_is_own(&endpoint->address) && !world_is_relayed(endpoint)))
		return false;
	for (unsigned i = 0; i < WORLD_PEERS; i++) {
		WiceEndpoint peer = world_peer(i);
		if (world_is_permitted(allocation, i) &&
		    wice_address_compare(&peer.address, &endpoint->address) == 0)
			return true;
	}
	return false;
}

static void check_answer(const Packet *packet, const WiceTurnVerdict *verdict)
{
	WiceStunMessage question, answer;
	LAB_MUST(wice__stun_message_read(&question, packet->bytes, packet->len) == 0);
	LAB_MUST(wice__stun_message_read(&answer, verdict->answer, verdict->answer_len) == 0);
	LAB_MUST(!answer.integrity && !answer.integrity_sha256);
	LAB_MUST(verdict->answer_len <= WICE_TURN_MAX_ANSWER * packet->len);
	if (question.method == WICE_STUN_BINDING)
		LAB_MUST(verdict->answer_len * 5 <= packet->len * 12);
	else
		LAB_MUST(answer.message_class == WICE_STUN_ERROR);
}

static void get_sizes(uint32_t sizes[9])
{
	const WiceTurnServer *server = world.lab.server;
	const WiceTurnTable *const tables[] = {
		&server->allocations, &server->tickets,   &server->ports,
		&server->permissions, &server->channels,  &server->peers,
		&server->users,       &server->addresses, &server->reservations,
	};
	for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
		sizes[i] = tables[i]->n;
}

static void deliver(const Packet *packet, unsigned who)
{
	WorldAllocation *allocation = &world.allocations[who];
	uint32_t before[9], after[9];
	WiceTurnVerdict verdict;
	get_sizes(before);
	wice__turn_server_from_client(world.lab.server, &world.clients[who].tuple, packet->bytes,
				      packet->len, world.lab.now_ms, &verdict);
	get_sizes(after);
	LAB_MUST(memcmp(before, after, sizeof before) == 0);
	LAB_MUST(verdict.type != WICE_TURN_TO_CLIENT);
	if (verdict.type == WICE_TURN_ANSWER)
		check_answer(packet, &verdict);
	if (verdict.type != WICE_TURN_TO_PEER)
		return;
	LAB_MUST(may_reach(allocation, &verdict.peer) && verdict.allocation == world_find(who));
	LAB_MUST(verdict.data >= packet->bytes &&
		 verdict.data + verdict.data_len <= packet->bytes + packet->len);
	LAB_MUST(world_spend(allocation->user, false, verdict.data_len));
	allocation->traffic.tx_packets++;
	allocation->traffic.tx_bytes += verdict.data_len;
}

void world_hear_stranger(void)
{
	unsigned who = world_roll(WORLD_CLIENTS), victim = world_roll(WORLD_CLIENTS);
	Packet packet;
	lab_wait(&world.lab, 0); /* so that own ports are as the model has them */
	switch (world_roll(4)) {
	case 0:
		make_up(&packet);
		break;
	case 1:
		make_noise(&packet);
		break;
	default:
		bend(&packet, &world.clients[victim]);
		break;
	}
	deliver(&packet, who);
}
