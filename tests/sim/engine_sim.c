/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two to five engines' cores in virtual time (see engine_world.h). While the storm lasts, the network
 * loses, repeats, delays and reorders; strangers repeat old datagrams and send garbage; machines
 * sleep, move, restart and have clocks that leap; keys, peers and endpoints are changed under
 * traffic; some are under load. Afterwards every two must be connected within a minute if one of
 * them knows where the other one is, and when there is no traffic any more, all must come to rest.
 *
 *   engine-sim [RUNS [FIRST-SEED]]     one run is told step by step
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/key.h"
#include "engine/core_private.h"
#include "sim/engine_world.h"

#define RUNS 300
#define STORM_MS 400000
#define CONNECTED_MS 60000
#define STEP_MS 1000
#define REST_MS (3 * FORGET_AFTER_TIME)

/* The world, and what the two ends of each pair have been told of one another. */
typedef struct {
	World *world;
	uint8_t psk[WORLD_ENDS][WORLD_ENDS]; /* of a < b */
	bool up[WORLD_ENDS];
	int64_t latest_leap_ns[WORLD_ENDS], least_leap_ns[WORLD_ENDS];
	int64_t heals_ms[WORLD_ENDS]; /* what it sends is lost until then */
	bool with_keepalives;
} Sim;

static int below(Sim *sim, int n)
{
	return n > 1 ? g_rand_int_range(sim->world->rand, 0, n) : 0;
}

static int some_end(Sim *sim)
{
	return below(sim, sim->world->n_ends);
}

static int other_end(Sim *sim, int end)
{
	return (end + 1 + below(sim, sim->world->n_ends - 1)) % sim->world->n_ends;
}

static WiceEndpoint new_address(Sim *sim, int end)
{
	return (WiceEndpoint){ { WICE_FAMILY_IPV4,
				 { 198, 51, (uint8_t)end, (uint8_t)below(sim, 200) } },
			       (uint16_t)(1024 + below(sim, 60000)),
			       0 };
}

/* What happens to the engines. */

static void set_psk(Sim *sim, int a, int b)
{
	WicePeerChange change = { .fields = WICE_PEER_HAS_PRESHARED_KEY };

	change.preshared_key.bytes[0] = sim->psk[MIN(a, b)][MAX(a, b)];
	world_set_peer(sim->world, a, b, change);
}

static void tell_endpoint(Sim *sim, int a, int b)
{
	world_set_peer(sim->world, a, b,
		       (WicePeerChange){ .fields = WICE_PEER_HAS_ENDPOINT,
					 .endpoint = sim->world->ends[b].address });
}

static void set_keepalive(Sim *sim, int a, int b)
{
	static const uint16_t intervals[] = { 0, 1, 25, 120 };

	if (sim->with_keepalives)
		world_set_peer(sim->world, a, b,
			       (WicePeerChange){ .fields = WICE_PEER_HAS_KEEPALIVE,
						 .keepalive_s = intervals[below(sim, 4)] });
}

static void set_up(Sim *sim, int end, bool up)
{
	sim->up[end] = up;
	wice__core_set_up(sim->world->ends[end].core, up);
	world_excuse(sim->world, end);
	world_trace(sim->world, "%c: %s", 'a' + end, up ? "up" : "down");
}

/* Makes b a peer of a, with all that a must know. */
static void introduce(Sim *sim, int a, int b)
{
	set_psk(sim, a, b);
	if (below(sim, 2))
		tell_endpoint(sim, a, b);
	if (below(sim, 4) == 0)
		set_keepalive(sim, a, b);
}

static void restart(Sim *sim, int end)
{
	World *world = sim->world;

	/*
	 * A machine that has forgotten its last timestamp needs a clock that is later, or nobody
	 * believes its handshakes: that is WireGuard's own limit.
	 */
	sim->least_leap_ns[end] = sim->latest_leap_ns[end];
	world->ends[end].realtime_leap_ns = sim->latest_leap_ns[end];
	world_restart(world, end);
	sim->up[end] = true;
	for (int other = 0; other < world->n_ends; other++)
		if (other != end)
			introduce(sim, end, other);
}

static void change_key(Sim *sim, int end)
{
	World *world = sim->world;
	WiceKey key = { { 0 } };

	for (size_t i = 0; i < sizeof(key.bytes); i++)
		key.bytes[i] = (uint8_t)below(sim, 256);
	wice__key_clamp(&key);
	for (int other = 0; other < world->n_ends; other++)
		if (other != end)
			world_remove_peer(world, other, end);
	world_set_key(world, end, &key);
	for (int other = 0; other < world->n_ends; other++)
		if (other != end)
			introduce(sim, other, end);
	world_trace(world, "%c: has a new key", 'a' + end);
}

static void leap(Sim *sim, int end)
{
	int64_t ns = (below(sim, 7200) - 3600) * INT64_C(1000000000);
	WorldEnd *target = &sim->world->ends[end];

	target->realtime_leap_ns = MAX(target->realtime_leap_ns + ns, sim->least_leap_ns[end]);
	sim->latest_leap_ns[end] = MAX(sim->latest_leap_ns[end], target->realtime_leap_ns);
	world_trace(sim->world, "%c: the clock leaps", 'a' + end);
}

static void fall_asleep(Sim *sim, int end)
{
	int seconds = below(sim, 4) ? below(sim, 20) : below(sim, 600);

	sim->world->ends[end].asleep_until_ms = sim->world->ms + seconds * INT64_C(1000);
	world_trace(sim->world, "%c: sleeps for %d s", 'a' + end, seconds);
}

static void cut_off(Sim *sim, int end)
{
	static const unsigned lost[] = { WORLD_CUT, WORLD_LOST(WORLD_INITIATION),
					 WORLD_LOST(WORLD_RESPONSE), WORLD_LOST(WORLD_KEEPALIVE),
					 WORLD_LOST(WORLD_DATA) | WORLD_LOST(WORLD_KEEPALIVE) };

	sim->world->lost_kinds[end] = lost[below(sim, G_N_ELEMENTS(lost))];
	sim->heals_ms[end] = sim->world->ms + below(sim, 120000);
	world_trace(sim->world, "%c: cut off (%x)", 'a' + end, sim->world->lost_kinds[end]);
}

static void heal_links(Sim *sim)
{
	for (int end = 0; end < sim->world->n_ends; end++)
		if (sim->heals_ms[end] <= sim->world->ms)
			sim->world->lost_kinds[end] = 0;
}

/* As if so many packets had been sent. */
static void wear_out(Sim *sim, int end)
{
	static const uint64_t counters[] = { REKEY_AFTER_MESSAGES,
					     WICE_REJECT_AFTER_MESSAGES - 65536 - 10 };
	WorldEnd *at = &sim->world->ends[end];
	WiceCorePeer *peer =
		wice__core_find_peer(at->core, &sim->world->ends[other_end(sim, end)].public_key);

	if (peer && peer->current && peer->current->counter < REKEY_AFTER_MESSAGES)
		peer->current->counter = counters[below(sim, 2)];
}

/* Strangers, who have seen everything. */

static void repeat_old(Sim *sim)
{
	World *world = sim->world;
	const WorldDatagram *old;
	WiceEndpoint elsewhere = new_address(sim, 9);
	int to = some_end(sim);

	if (!world->captured->len)
		return;
	old = world->captured->pdata[below(sim, (int)world->captured->len)];
	world_trace(world, "? repeats something to %c", 'a' + to);
	world_inject(world, to, below(sim, 2) ? &old->from : &elsewhere, old->data, old->length);
}

static void send_garbage(Sim *sim)
{
	World *world = sim->world;
	const WorldDatagram *old;
	g_autofree uint8_t *data = NULL;
	uint32_t length;

	if (!world->captured->len)
		return;
	old = world->captured->pdata[below(sim, (int)world->captured->len)];
	length = below(sim, 3) ? old->length : (uint32_t)below(sim, (int)old->length);
	data = g_memdup2(old->data, old->length);
	data[below(sim, (int)old->length)] ^= (uint8_t)(1 << below(sim, 8));
	world_inject(world, some_end(sim), &old->from, data, length);
}

static void send_some(Sim *sim, int end)
{
	world_send(sim->world, end, other_end(sim, end),
		   (unsigned)(below(sim, 8) ? 1 + below(sim, 4) : 1 + below(sim, 200)),
		   (uint32_t)below(sim, 300));
}

static void disturb(Sim *sim)
{
	World *world = sim->world;
	int end = some_end(sim), other = other_end(sim, end);
	WiceEndpoint address = new_address(sim, end);

	switch (below(sim, 18)) {
	case 0:
		world_move(world, end, &address);
		break;
	case 1:
		restart(sim, end);
		break;
	case 2:
		change_key(sim, end);
		break;
	case 3:
		sim->psk[MIN(end, other)][MAX(end, other)]++;
		set_psk(sim, end, other);
		if (below(sim, 2))
			set_psk(sim, other, end);
		break;
	case 4:
		fall_asleep(sim, end);
		break;
	case 5:
		leap(sim, end);
		break;
	case 6:
		world->ends[end].under_load = !world->ends[end].under_load;
		break;
	case 7:
		cut_off(sim, end);
		break;
	case 8:
		world_remove_peer(world, end, other);
		break;
	case 9:
		introduce(sim, end, other);
		break;
	case 10:
		tell_endpoint(sim, end, other);
		break;
	case 11:
		set_keepalive(sim, end, other);
		break;
	case 12:
		set_up(sim, end, !sim->up[end]);
		break;
	case 13:
		wear_out(sim, end);
		break;
	case 14:
		wice__core_reroute(world->ends[end].core);
		break;
	case 15:
		send_garbage(sim);
		break;
	default:
		repeat_old(sim);
	}
}

static void storm(Sim *sim)
{
	World *world = sim->world;
	int64_t until = world->ms + STORM_MS;

	while (world->ms < until && !world->failure) {
		int64_t pause = below(sim, 3000);

		if (below(sim, 20) == 0)
			pause = below(sim, 100000);
		if (below(sim, 4) == 0)
			pause = 0;
		world_run(world, pause);
		heal_links(sim);
		if (below(sim, 3))
			send_some(sim, some_end(sim));
		else
			disturb(sim);
	}
}

/* Afterwards. */

static bool knows(Sim *sim, int a, int b)
{
	WiceDevicePeer peer = world_read_peer(sim->world, a, b);

	return wice_endpoint_compare(&peer.endpoint, &sim->world->ends[b].address) == 0;
}

/* What somebody must do whose engines cannot find one another. */
static void repair(Sim *sim)
{
	World *world = sim->world;

	world->loss = world->repeat = 0;
	world->max_delay_ms = below(sim, 2) ? 1 + below(sim, 100) : 0;
	for (int end = 0; end < world->n_ends; end++) {
		world->lost_kinds[end] = 0;
		world->ends[end].asleep_until_ms = 0;
		if (!sim->up[end])
			set_up(sim, end, true);
	}
	for (int a = 0; a < world->n_ends; a++)
		for (int b = a + 1; b < world->n_ends; b++) {
			bool turned = below(sim, 2);

			set_psk(sim, a, b);
			set_psk(sim, b, a);
			if (!knows(sim, a, b) && !knows(sim, b, a))
				tell_endpoint(sim, turned ? a : b, turned ? b : a);
		}
}

static void send_all(Sim *sim)
{
	for (int a = 0; a < sim->world->n_ends; a++)
		for (int b = 0; b < sim->world->n_ends; b++)
			if (a != b)
				world_send(sim->world, a, b, 1, 64);
}

/* Everybody has something to say to everybody, every second. */
static void chat(Sim *sim, int rounds)
{
	for (int i = 0; i < rounds && !sim->world->failure; i++) {
		send_all(sim);
		world_run(sim->world, STEP_MS);
	}
}

/*
 * Of three packets in each direction two must arrive: when both ends renew a session at once, what is
 * on the way in the former one may be lost.
 */
static void must_connect(Sim *sim)
{
	World *world = sim->world;
	unsigned before[WORLD_ENDS][WORLD_ENDS];

	chat(sim, CONNECTED_MS / STEP_MS);
	memcpy(before, world->arrived, sizeof(before));
	chat(sim, 3);
	for (int a = 0; a < world->n_ends; a++)
		for (int b = 0; b < world->n_ends; b++)
			if (a != b && world->arrived[a][b] < before[a][b] + 2)
				world_fail(world, "%c cannot talk to %c", 'a' + a, 'a' + b);
}

static void must_rest(Sim *sim)
{
	World *world = sim->world;

	for (int a = 0; a < world->n_ends; a++)
		for (int b = 0; b < world->n_ends; b++)
			if (a != b)
				world_set_peer(
					world, a, b,
					(WicePeerChange){ .fields = WICE_PEER_HAS_KEEPALIVE });
	world_run(world, REST_MS);
	for (int end = 0; end < world->n_ends; end++) {
		WiceCore *core = world->ends[end].core;

		if (wice__core_deadline(core) != INT64_MAX)
			world_fail(world, "%c does not come to rest", 'a' + end);
		if (core->staged_bytes || g_hash_table_size(core->indices))
			world_fail(world, "%c keeps what it does not need", 'a' + end);
	}
}

static void begin(Sim *sim, uint32_t seed, bool verbose)
{
	*sim = (Sim){ .world = world_new(seed, 2 + (int)(seed % (WORLD_ENDS - 1))) };
	sim->world->verbose = verbose;
	sim->world->capture = true;
	sim->world->loss = g_rand_double(sim->world->rand) * 0.4;
	sim->world->repeat = g_rand_double(sim->world->rand) * 0.3;
	sim->world->max_delay_ms = below(sim, 4) ? 1 + below(sim, 1500) : 0;
	sim->with_keepalives = below(sim, 2);
	for (int a = 0; a < sim->world->n_ends; a++) {
		sim->up[a] = true;
		sim->least_leap_ns[a] = INT64_MIN / 2;
		for (int b = 0; b < sim->world->n_ends; b++)
			if (a != b)
				tell_endpoint(sim, a, b);
	}
}

/* Returns what went wrong, to be freed, or NULL. */
static char *run(uint32_t seed, bool verbose)
{
	Sim sim;
	char *failure;

	begin(&sim, seed, verbose);
	storm(&sim);
	repair(&sim);
	must_connect(&sim);
	if (!sim.world->failure)
		must_rest(&sim);
	failure = g_strdup(sim.world->failure);
	world_free(sim.world);
	return failure;
}

int main(int argc, char **argv)
{
	uint32_t runs = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : RUNS;
	uint32_t first = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1;

	for (uint32_t seed = first; seed < first + runs; seed++) {
		g_autofree char *failure = run(seed, runs == 1), *again = NULL;

		if (!failure)
			continue;
		if (runs > 1)
			again = run(seed, true);
		fprintf(stderr, "seed %u: %s (again: %s 1 %u)\n", seed, failure, argv[0], seed);
		return EXIT_FAILURE;
	}
	printf("%u runs\n", runs);
	return EXIT_SUCCESS;
}
