/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_PLAYED_ROUTER_H
#define WICE_TESTS_PLAYED_ROUTER_H

#include "portmap/mapper.h"

#include <check.h>
#include <glib.h>
#include <string.h>

/*
 * A mapper and the router that it asks, in virtual time. The router's memory is one mapping; it
 * answers at once, or not at all.
 */
typedef struct {
	WicePortmapMapper mapper;
	int64_t now;
	GRand *rand;
	/* The router. */
	bool pcp, nat_pmp, upnp; /* what it knows */
	bool dead;               /* says nothing */
	double loss;             /* of packets, each way */
	unsigned pcp_result, nat_pmp_result;
	int64_t booted_at;
	uint32_t lifetime_s;
	WiceAddress external;
	uint16_t shift; /* of the external port, from what was suggested */
	int64_t mapped_until;
	uint8_t nonce[WICE_PCP_NONCE_LEN];
	/* What was seen. */
	unsigned n_pcp, n_address, n_map, n_upnp, n_changes;
	uint8_t last[WICE_PORTMAP_REQUEST_MAX];
	size_t last_len;
	uint8_t answer[WICE_PCP_MAP_LEN];
	size_t answer_len;
	bool changed;
} World;

static const uint8_t world_nonce[WICE_PCP_NONCE_LEN] = "twelve bytes";

static GRand *world_rand; /* fill_random has no user_data */

static void world_fill_random(void *buffer, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)buffer)[i] = (uint8_t)g_rand_int(world_rand);
}

static inline WiceAddress world_address(const char *text)
{
	WiceAddress address;
	ck_assert(wice_address_parse(text, &address));
	return address;
}

static inline void world_put(uint8_t *at, unsigned len, uint64_t value)
{
	for (unsigned i = 0; i < len; i++)
		at[i] = (uint8_t)(value >> 8 * (len - 1 - i));
}

static inline uint64_t world_get(const uint8_t *at, unsigned len)
{
	uint64_t value = 0;
	for (unsigned i = 0; i < len; i++)
		value = value << 8 | at[i];
	return value;
}

static inline uint32_t world_epoch(const World *world)
{
	return (uint32_t)((world->now - world->booted_at) / 1000);
}

static inline void world_init(World *world, const char *router, const char *local)
{
	memset(world, 0, sizeof *world);
	world->rand = world_rand = g_rand_new_with_seed(1);
	world->now = 1000000;
	world->booted_at = world->now - 5000000;
	world->lifetime_s = 7200;
	world->external = world_address("198.51.100.7");
	WicePortmapMapperOptions options = {
		.router = world_address(router),
		.internal = { world_address(local), 51820, 0 },
		.upnp = true,
		.fill_random = world_fill_random,
	};
	memcpy(options.nonce, world_nonce, sizeof world_nonce);
	if (options.router.family == WICE_FAMILY_IPV6) {
		options.scope = 2;
		world->external = options.internal.address;
	}
	wice__portmap_mapper_init(&world->mapper, &options, world->now);
}

static inline void world_done(World *world)
{
	g_rand_free(world->rand);
}

static inline bool world_input_from(World *world, const char *source, uint16_t port)
{
	WiceEndpoint from = { world_address(source), port, 0 };
	if (from.address.family == WICE_FAMILY_IPV6)
		from.scope = 2;
	bool changed = wice__portmap_mapper_input(&world->mapper, world->answer, world->answer_len,
						  &from, world->now);
	world->n_changes += changed;
	return changed;
}

static inline bool world_input(World *world)
{
	char router[WICE_ADDRESS_SIZE];
	return world_input_from(world, wice_address_format(&world->mapper.router.address, router),
				5351);
}

static inline bool world_forget(World *world, uint32_t lifetime_s)
{
	world->mapped_until = lifetime_s ? world->now + (int64_t)lifetime_s * 1000 : 0;
	return lifetime_s != 0;
}

static inline void world_answer_pcp(World *world)
{
	uint8_t *a = world->answer;
	uint32_t asked = (uint32_t)world_get(world->last + 4, 4);
	uint32_t lifetime = MIN(asked, world->lifetime_s);
	memcpy(a, world->last, WICE_PCP_MAP_LEN);
	world->answer_len = WICE_PCP_MAP_LEN;
	a[1] |= 0x80;
	a[3] = (uint8_t)world->pcp_result;
	memset(a + 8, 0, 16);
	world_put(a + 4, 4, world->pcp_result ? 1800 : lifetime);
	world_put(a + 8, 4, world_epoch(world));
	/* Another's mapping stays his: RFC 6887 section 11.3. */
	if (world->now < world->mapped_until && memcmp(world->nonce, a + 24, 12) != 0) {
		a[3] = 2;
		return;
	}
	if (world->pcp_result)
		return;
	memcpy(world->nonce, a + 24, 12);
	world_forget(world, lifetime);
	world_put(a + 42, 2, (world_get(a + 40, 2) + world->shift) & 0xffff);
	if (world->external.family == WICE_FAMILY_IPV6)
		memcpy(a + 44, world->external.bytes, 16);
	else
		memcpy(a + 56, world->external.bytes, 4);
}

static inline void world_answer_nat_pmp(World *world)
{
	uint8_t *a = world->answer;
	a[0] = 0;
	a[1] = world->last[1] | 0x80;
	world_put(a + 2, 2, world->last[0] != 0 ? 1 : world->nat_pmp_result);
	world_put(a + 4, 4, world_epoch(world));
	world->answer_len = 8;
	if (a[3] != 0)
		return;
	if (world->last[1] == 0) {
		memcpy(a + 8, world->external.bytes, 4);
		world->answer_len = 12;
		return;
	}
	uint32_t lifetime = MIN((uint32_t)world_get(world->last + 8, 4), world->lifetime_s);
	memcpy(a + 8, world->last + 4, 2);
	world_put(a + 10, 2, (world_get(a + 8, 2) + world->shift) & 0xffff);
	world_put(a + 12, 4, lifetime);
	world_forget(world, lifetime);
	world->answer_len = 16;
}

/* The router's answer to the last request is in world->answer; false: it has none. */
static inline bool world_answer(World *world)
{
	bool is_pcp = world->last[0] == 2;
	if (world->dead || (!world->pcp && !world->nat_pmp))
		return false;
	if (is_pcp && world->pcp)
		world_answer_pcp(world);
	else if (world->nat_pmp)
		world_answer_nat_pmp(world);
	else /* knows PCP only: RFC 6887 section 9 */
		world->answer_len = 24, memset(world->answer, 0, 24), world->answer[0] = 2,
		world->answer[1] = world->last[1] | 0x80, world->answer[3] = 1;
	return true;
}

static inline void world_count(World *world)
{
	if (world->last[0] == 2)
		world->n_pcp++;
	else if (world->last_len == 2)
		world->n_address++;
	else
		world->n_map++;
}

/* All that is due now. */
static inline void world_turn(World *world)
{
	world->n_changes += wice__portmap_mapper_advance(&world->mapper, world->now);
	while ((world->last_len =
			wice__portmap_mapper_output(&world->mapper, world->now, world->last)) > 0) {
		world_count(world);
		if (g_rand_double(world->rand) < world->loss || !world_answer(world) ||
		    g_rand_double(world->rand) < world->loss)
			continue;
		world_input(world);
	}
	if (!wice__portmap_mapper_start_upnp(&world->mapper, world->now))
		return;
	world->n_upnp++;
	WiceEndpoint external = { world->external, 51820, 0 };
	bool answered = world->upnp && !world->dead;
	if (answered)
		world_forget(world, WICE_PORTMAP_UPNP_LEASE_S);
	world->n_changes += wice__portmap_mapper_upnp_done(
		&world->mapper, answered ? &external : NULL, WICE_PORTMAP_UPNP_LEASE_S, world->now);
}

/* Lets ms pass. */
static inline void world_run(World *world, int64_t ms)
{
	int64_t end = world->now + ms;
	for (;;) {
		world_turn(world);
		int64_t deadline = wice__portmap_mapper_deadline(&world->mapper);
		ck_assert_int_gt(deadline, world->now);
		if (deadline > end)
			break;
		world->now = deadline;
	}
	world->now = end;
}

/* As the router says it to everybody. nat_pmp: in that protocol. */
static inline void world_announce(World *world, bool nat_pmp)
{
	uint8_t packet[24] = { nat_pmp ? 0 : 2, 0x80 };
	world_put(packet + (nat_pmp ? 4 : 8), 4, world_epoch(world));
	if (nat_pmp)
		memcpy(packet + 8, world->external.bytes, 4);
	WiceEndpoint from = world->mapper.router;
	wice__portmap_mapper_announced(&world->mapper, packet, nat_pmp ? 12 : 24, &from,
				       world->now);
}

static inline void world_reboot(World *world)
{
	world->booted_at = world->now;
	world->mapped_until = 0;
}

#endif
