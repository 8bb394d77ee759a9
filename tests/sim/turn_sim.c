/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients of a TURN server that do what they may and what they must not, at random, beside a model
 * of it that is a few arrays: each answer and each packet must be what the model says.
 *
 *   turn-sim [STEPS [SEED]]
 *
 * The model looks at times when it is asked and knows no timers, so that a timer of the server that
 * is late, or forgotten, shows. What must hold besides: nothing is relayed without a permission, no
 * quota is exceeded, strangers get no more than they are allowed (in lab_deliver()), and all ports
 * that were opened are closed in the end (in lab_done()).
 */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/turn/server_lab.h"

#define N_CLIENTS 6
#define N_PEERS 6
#define N_NUMBERS 4
#define PER_USER 2
#define PER_ADDRESS 2
#define TOTAL 4
#define PERMISSIONS 2
#define STEPS 300000
#define NONCE_S 900

static const char *const addresses[N_CLIENTS] = { "192.0.2.1:1", "192.0.2.1:2", "192.0.2.1:3",
						  "192.0.2.2:1", "192.0.2.2:2", "[2001:db8::1]:1" };
/* The first two are one address with two ports. The last one is denied. */
static const char *const peers[N_PEERS] = { "198.51.100.1:1", "198.51.100.1:2",  "198.51.100.2:1",
					    "198.51.100.3:1", "[2001:db8::9]:1", "10.0.0.1:1" };
static const uint8_t peer_address[N_PEERS] = { 0, 0, 1, 2, 3, 4 };
#define DENIED 5
#define N_ADDRESSES 5
static const bool peer_is_ipv6[N_PEERS] = { false, false, false, false, true, false };
/* The last one is no channel. */
static const uint16_t numbers[N_NUMBERS] = { 0x4000, 0x4001, 0x7fff, 0x3fff };

typedef struct {
	int64_t nonce_ms; /* when it was made; INT64_MIN: there is none */
	int64_t expires_ms;
	bool ipv4, ipv6;
	int64_t permitted_ms[N_ADDRESSES]; /* until when */
	int64_t bound_ms[N_NUMBERS];       /* until when */
	unsigned bound_to[N_NUMBERS];      /* and to whom */
} Model;

static Lab lab;
static LabClient clients[N_CLIENTS];
static Model models[N_CLIENTS];
static GRand *dice;

static unsigned roll(unsigned n)
{
	return (unsigned)g_rand_int_range(dice, 0, (gint32)n);
}

static bool lives(const Model *model)
{
	return model->expires_ms > lab.now_ms;
}

static bool is_permitted(const Model *model, unsigned peer)
{
	return model->permitted_ms[peer_address[peer]] > lab.now_ms;
}

static bool is_bound(const Model *model, unsigned number)
{
	return model->bound_ms[number] > lab.now_ms;
}

static bool has_family(const Model *model, unsigned peer)
{
	return peer_is_ipv6[peer] ? model->ipv6 : model->ipv4;
}

/* Permissions that take room: those that live, and those of channels that do. */
static unsigned count_permissions(const Model *model, unsigned *ret_mask)
{
	unsigned mask = 0;
	for (unsigned i = 0; i < N_PEERS; i++)
		if (is_permitted(model, i))
			mask |= 1u << peer_address[i];
	for (unsigned i = 0; i < N_NUMBERS; i++)
		if (is_bound(model, i))
			mask |= 1u << peer_address[model->bound_to[i]];
	*ret_mask = mask;
	return (unsigned)__builtin_popcount(mask);
}

static void forget(Model *model)
{
	int64_t nonce_ms = model->nonce_ms;
	memset(model, 0, sizeof *model);
	model->nonce_ms = nonce_ms;
}

static uint16_t expect_capacity(unsigned who)
{
	unsigned of_user = 0, of_address = 0, total = 0;
	for (unsigned i = 0; i < N_CLIENTS; i++) {
		if (!lives(&models[i]))
			continue;
		total++;
		of_user += i % 2 == who % 2;
		of_address += wice_address_compare(&clients[i].tuple.client.address,
						   &clients[who].tuple.client.address) == 0;
	}
	if (of_user >= PER_USER)
		return WICE_STUN_ERROR_QUOTA_REACHED;
	if (total >= TOTAL)
		return WICE_STUN_ERROR_INSUFFICIENT_CAPACITY;
	return of_address >= PER_ADDRESS ? WICE_STUN_ERROR_QUOTA_REACHED : 0;
}

/* What comes before what a request is about: 401, 438, or nothing. */
static uint16_t expect_nonce(const Model *model)
{
	return lab.now_ms / 1000 - model->nonce_ms / 1000 >= NONCE_S ? WICE_STUN_ERROR_STALE_NONCE
								     : 0;
}

static uint16_t expect_peer(const Model *model, unsigned peer)
{
	unsigned mask, n = count_permissions(model, &mask);
	if (!has_family(model, peer))
		return WICE_STUN_ERROR_FAMILY_MISMATCH;
	if (peer == DENIED)
		return WICE_STUN_ERROR_FORBIDDEN;
	if (!(mask & 1u << peer_address[peer]) && n >= PERMISSIONS)
		return WICE_STUN_ERROR_INSUFFICIENT_CAPACITY;
	return 0;
}

static void permit(Model *model, unsigned peer)
{
	model->permitted_ms[peer_address[peer]] = lab.now_ms + 300 * 1000;
}

static void fail(const char *what, unsigned who, unsigned expected, unsigned found)
{
	fprintf(stderr, "%s of client %u: %u expected, %u found\n", what, who, expected, found);
	abort();
}

static void check(const char *what, unsigned who, unsigned expected, unsigned found)
{
	if (expected != found)
		fail(what, who, expected, found);
}

static void try_allocate(unsigned who)
{
	Model *model = &models[who];
	unsigned kind = roll(4); /* nothing said, IPv4, IPv6, both */
	WiceStunWriter *writer = lab_begin(&clients[who], WICE_STUN_ALLOCATE);
	wice__stun_write_u8(writer, WICE_STUN_REQUESTED_TRANSPORT, 17);
	if (kind == 1 || kind == 2)
		wice__stun_write_u8(writer, WICE_STUN_REQUESTED_ADDRESS_FAMILY, (uint8_t)kind);
	if (kind == 3)
		wice__stun_write_u8(writer, WICE_STUN_ADDITIONAL_ADDRESS_FAMILY, 2);
	uint16_t expected = expect_nonce(model);
	if (!expected && lives(model))
		expected = WICE_STUN_ERROR_ALLOCATION_MISMATCH;
	if (!expected)
		expected = expect_capacity(who);
	check("Allocate", who, expected, lab_ask(&lab, &clients[who]));
	if (expected)
		return;
	forget(model);
	model->expires_ms = lab.now_ms + 600 * 1000;
	model->ipv4 = kind != 2;
	model->ipv6 = kind >= 2;
}

static void try_refresh(unsigned who)
{
	static const uint32_t lifetimes[] = { 0, 600, 600, 1800, 3600, 9999 };
	Model *model = &models[who];
	uint32_t lifetime = lifetimes[roll(G_N_ELEMENTS(lifetimes))];
	uint16_t expected = expect_nonce(model);
	if (!expected && !lives(model))
		expected = WICE_STUN_ERROR_ALLOCATION_MISMATCH;
	check("Refresh", who, expected, lab_refresh(&lab, &clients[who], lifetime));
	if (expected)
		return;
	if (lifetime == 0)
		forget(model);
	else
		model->expires_ms = lab.now_ms + MIN(lifetime, 3600u) * 1000;
}

static void try_permit(unsigned who)
{
	Model *model = &models[who];
	unsigned peer = roll(N_PEERS);
	uint16_t expected = expect_nonce(model);
	if (!expected && !lives(model))
		expected = WICE_STUN_ERROR_ALLOCATION_MISMATCH;
	if (!expected)
		expected = expect_peer(model, peer);
	check("CreatePermission", who, expected, lab_permit(&lab, &clients[who], peers[peer]));
	if (!expected)
		permit(model, peer);
}

static uint16_t expect_bind(const Model *model, unsigned number, unsigned peer)
{
	unsigned n = 0;
	if (numbers[number] < 0x4000)
		return WICE_STUN_ERROR_BAD_REQUEST;
	for (unsigned i = 0; i < N_NUMBERS; i++) {
		if (!is_bound(model, i))
			continue;
		n++;
		if ((i == number) != (model->bound_to[i] == peer))
			return WICE_STUN_ERROR_BAD_REQUEST;
	}
	uint16_t expected = expect_peer(model, peer);
	if (!expected && !is_bound(model, number) && n >= PERMISSIONS)
		expected = WICE_STUN_ERROR_INSUFFICIENT_CAPACITY;
	return expected;
}

static void try_bind(unsigned who)
{
	Model *model = &models[who];
	unsigned peer = roll(N_PEERS), number = roll(N_NUMBERS);
	uint16_t expected = expect_nonce(model);
	if (!expected && !lives(model))
		expected = WICE_STUN_ERROR_ALLOCATION_MISMATCH;
	if (!expected)
		expected = expect_bind(model, number, peer);
	check("ChannelBind", who, expected,
	      lab_bind(&lab, &clients[who], numbers[number], peers[peer]));
	if (expected)
		return;
	permit(model, peer);
	model->bound_ms[number] = lab.now_ms + 600 * 1000;
	model->bound_to[number] = peer;
}

static void check_to_peer(unsigned who, const WiceTurnVerdict *verdict, bool expected,
			  unsigned peer)
{
	WiceEndpoint endpoint = lab_endpoint(peers[peer]);
	check("data to a peer", who, expected ? WICE_TURN_TO_PEER : WICE_TURN_DROP, verdict->type);
	if (expected)
		check("its address", who, 0,
		      (unsigned)wice_endpoint_compare(&verdict->peer, &endpoint));
}

static void try_channel_data(unsigned who)
{
	const Model *model = &models[who];
	unsigned number = roll(N_NUMBERS), peer = model->bound_to[number];
	WiceTurnVerdict verdict =
		lab_channel_data(&lab, &clients[who], numbers[number], "some data");
	check_to_peer(who, &verdict,
		      lives(model) && is_bound(model, number) && is_permitted(model, peer), peer);
}

static void try_send(unsigned who)
{
	const Model *model = &models[who];
	unsigned peer = roll(N_PEERS);
	WiceTurnVerdict verdict = lab_send(&lab, &clients[who], peers[peer], "some data");
	check_to_peer(who, &verdict, lives(model) && is_permitted(model, peer), peer);
}

static void note(WiceTurnAllocation *allocation, void *user_data)
{
	LabClient *client = user_data;
	if (wice_endpoint_compare(&wice__turn_allocation_tuple(allocation)->client,
				  &client->tuple.client) == 0)
		client->allocation = allocation;
}

static void try_from_peer(unsigned who)
{
	const Model *model = &models[who];
	unsigned peer = roll(N_PEERS), header_len = peer_is_ipv6[peer] ? 48 : 36;
	if (!lives(model))
		return;
	wice__turn_server_foreach(lab.server, note, &clients[who]);
	WiceTurnVerdict verdict = lab_from_peer(&lab, &clients[who], peers[peer], "some data");
	bool permitted = is_permitted(model, peer);
	check("data from a peer", who, permitted ? WICE_TURN_TO_CLIENT : WICE_TURN_DROP,
	      verdict.type);
	for (unsigned i = 0; i < N_NUMBERS; i++)
		if (is_bound(model, i) && model->bound_to[i] == peer)
			header_len = 4;
	if (permitted)
		check("its header", who, header_len, (unsigned)verdict.header_len);
}

static void try_as_somebody_else(unsigned who)
{
	LabClient client = clients[who];
	uint16_t expected = expect_nonce(&models[who]);
	if (roll(2))
		client.password = "wrong";
	else
		client.username = "nobody";
	check("Refresh with wrong credentials", who, expected ? expected : 401,
	      lab_refresh(&lab, &client, 0));
	/* A user with a password, but not the one whose allocation it is. */
	client = clients[who];
	client.username = "user-three";
	if (!expected)
		expected = lives(&models[who]) ? WICE_STUN_ERROR_WRONG_CREDENTIALS
					       : WICE_STUN_ERROR_ALLOCATION_MISMATCH;
	check("Refresh of another user", who, expected, lab_refresh(&lab, &client, 0));
}

static void wait(void)
{
	static const unsigned seconds[] = { 1, 1, 1, 5, 30, 120, 299, 300, 301, 599, 600, 601 };
	lab.now_ms += roll(1000);
	lab.now_ms += seconds[roll(roll(4) ? 5 : G_N_ELEMENTS(seconds))] * 1000;
}

/* After what is due was done, the server has what the model has. */
static void check_sums(void)
{
	unsigned n_allocations = 0, n_channels = 0, n_ports = 0;
	lab_wait(&lab, 0);
	for (unsigned i = 0; i < N_CLIENTS; i++) {
		const Model *model = &models[i];
		if (!lives(model))
			continue;
		n_allocations++;
		n_ports += (unsigned)model->ipv4 + model->ipv6;
		for (unsigned j = 0; j < N_NUMBERS; j++)
			n_channels += is_bound(model, j) && is_permitted(model, model->bound_to[j]);
	}
	check("allocations", 0, n_allocations,
	      (unsigned)wice__turn_server_n_allocations(lab.server));
	check("channels of the fast path", 0, n_channels, (unsigned)lab.n_channels);
	check("open ports", 0, n_ports, lab.n_opened - lab.n_closed);
}

static void step(void)
{
	static void (*const tries[])(unsigned who) = {
		try_allocate, try_allocate,  try_refresh,      try_permit,
		try_bind,     try_bind,      try_channel_data, try_channel_data,
		try_send,     try_from_peer, try_from_peer,    try_as_somebody_else,
	};
	unsigned who = roll(N_CLIENTS), what = roll(G_N_ELEMENTS(tries) + 3);
	if (what < G_N_ELEMENTS(tries)) {
		tries[what](who);
	} else if (what == G_N_ELEMENTS(tries)) {
		wait();
	} else if (what == G_N_ELEMENTS(tries) + 1) {
		check_sums();
	} else {
		lab_challenge(&lab, &clients[who]);
		models[who].nonce_ms = lab.now_ms;
	}
}

int main(int argc, char **argv)
{
	unsigned steps = argc > 1 ? (unsigned)atoi(argv[1]) : STEPS;
	dice = g_rand_new_with_seed(argc > 2 ? (guint32)atoi(argv[2]) : 1);
	lab_init(&lab);
	lab.options.max_per_user = PER_USER;
	lab.options.max_per_address = PER_ADDRESS;
	lab.options.max_allocations = TOTAL;
	lab.options.max_permissions = PERMISSIONS;
	lab_start(&lab);
	for (unsigned i = 0; i < N_CLIENTS; i++) {
		clients[i] = lab_client(addresses[i], 0);
		clients[i].username = i % 2 ? "user-one" : "user-two";
		lab_challenge(&lab, &clients[i]);
		models[i].nonce_ms = lab.now_ms;
	}
	for (unsigned i = 0; i < steps; i++)
		step();
	printf("%u steps, %u allocations, %u channels\n", steps, lab.n_opened, lab.n_shown);
	lab_done(&lab);
	g_rand_free(dice);
	return 0;
}
