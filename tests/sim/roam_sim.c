/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two ends whose path is switched, in virtual time. WireGuard is a model: it sends to where the
 * newest packet that has arrived came from, or to what was set since. Paths delay, reorder and lose
 * packets, each in its own way, so packets of a former path arrive long after a switch. While the
 * storm lasts, ICE selects paths at both ends, in any order, and not always the same at both; users
 * set endpoints; a path dies, and ICE selects another. Then:
 *
 *   both ends send over the path that the controlling end has selected last, and stay there
 *   the controlled end has written its endpoint once per selection, the other one not without end
 *   nothing is sent to where nobody is, unless a path has died or a user has pointed there
 *   a peer that moves to an address that nobody knows is followed, and nothing is written
 *   the controlling end does not stay on a path that nobody has tried and that is dead
 *
 * The same worlds are run without the rule, too: if nobody chases anybody there, the model is too
 * kind to prove anything.
 *
 *   roam-sim [RUNS [FIRST-SEED]]
 */
#include <glib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/roam.h"

#define RUNS 1500
#define RUNS_WITHOUT 300
#define MUST_CHASE 0.1 /* so many of them, at least */
#define MAX_PATHS 3
#define NOWHERE MAX_PATHS     /* an address that is none of the peer's */
#define MOVED (MAX_PATHS + 1) /* where the controlled end is seen after its NAT gave it another */
#define MS 1000               /* time is counted in µs */
#define STORM_MS 30000
#define SPREAD_MS 3000 /* between the two ends' selections */
#define CONVERGE_MS 30000
#define STABLE_MS 30000
#define MOVE_MS 15000
#define GIVE_UP_MS 15000
#define RARE_MS 200 /* packets that come less often tell too little in that time */
#define POLL_FAST_MS 20
#define POLL_IDLE_MS 2000
#define KEEPALIVE_MS 10000 /* WireGuard's own, after something came and nothing went */
#define OLD_REASSERTIONS 3
#define WRITES_PER_SELECTION 2500 /* 50 per second while the rule insists, and some of users */

typedef enum {
	AT_SEND,
	AT_KEEPALIVE,
	AT_ARRIVE,
	AT_POLL,
	AT_SELECT, /* ICE has selected a path */
	AT_HAND,   /* a user sets an endpoint */
	AT_DIE,
} AtKind;

typedef struct {
	int64_t time;
	uint64_t order;
	AtKind kind;
	int end, path;
	bool keepalive;
} At;

typedef struct {
	double delay, jitter; /* in ms */
	bool dead;
} Path;

typedef struct {
	WiceRoam roam;
	int endpoint;    /* WireGuard's: a path, NOWHERE or MOVED */
	int selected;    /* by ICE */
	double interval; /* mean time between packets, in ms */
	bool echoes;     /* it sends nothing by itself, but answers at once, as to a ping */
	bool old;        /* a libwice from before there was a rule */
	unsigned old_reassertions;
	int64_t sent_at, received_at;
	unsigned selections, writes;
} End;

typedef struct {
	GRand *rand;
	int64_t now;
	uint64_t order;
	GArray *queue; /* of At, a binary heap */
	Path paths[MAX_PATHS];
	int n_paths;
	double loss;
	End ends[2]; /* the first one is controlling */
	bool moved, excused, without_rule, verbose;
	unsigned lost; /* sent to where nobody is */
	int64_t selected_at, deviated_at;
} World;

static bool before(const At *a, const At *b)
{
	return a->time != b->time ? a->time < b->time : a->order < b->order;
}

static void push(World *world, double delay_ms, At at)
{
	at.time = world->now + (int64_t)(delay_ms * MS);
	at.order = world->order++;
	g_array_append_val(world->queue, at);
	At *heap = (At *)(void *)world->queue->data;
	for (guint i = world->queue->len - 1; i > 0 && before(&heap[i], &heap[(i - 1) / 2]);
	     i = (i - 1) / 2) {
		At moved = heap[i];
		heap[i] = heap[(i - 1) / 2];
		heap[(i - 1) / 2] = moved;
	}
}

static At pop(World *world)
{
	At *heap = (At *)(void *)world->queue->data, first = heap[0];
	g_array_remove_index_fast(world->queue, 0);
	guint len = world->queue->len;
	for (guint i = 0, child; (child = 2 * i + 1) < len; i = child) {
		if (child + 1 < len && before(&heap[child + 1], &heap[child]))
			child++;
		if (!before(&heap[child], &heap[i]))
			break;
		At moved = heap[i];
		heap[i] = heap[child];
		heap[child] = moved;
	}
	return first;
}

static bool chance(World *world, double probability)
{
	return g_rand_double(world->rand) < probability;
}

static double between(World *world, double min, double max)
{
	return g_rand_double_range(world->rand, min, max);
}

static WiceEndpoint address_of(int end, int path)
{
	return (WiceEndpoint){
		.address = { .family = WICE_FAMILY_IPV4,
			     .bytes = { 10, 0, (uint8_t)end, (uint8_t)path } },
		.port = 51820,
	};
}

static void write_endpoint(World *world, int index, int path)
{
	world->ends[index].endpoint = path;
	world->ends[index].writes++;
}

/* The path that a packet to an endpoint takes, or -1. */
static int path_to(const World *world, int index, int endpoint)
{
	if (endpoint == MOVED)
		return world->ends[0].selected;
	if (endpoint == NOWHERE || world->paths[endpoint].dead || (world->moved && index == 0))
		return -1;
	return endpoint;
}

static void send_packet(World *world, int index, bool keepalive)
{
	End *end = &world->ends[index];
	end->sent_at = world->now;
	int path = path_to(world, index, end->endpoint);
	if (path < 0) {
		world->lost++;
		return;
	}
	if (chance(world, world->loss))
		return;
	double delay = world->paths[path].delay + between(world, 0, world->paths[path].jitter);
	int source = world->moved && index == 1 ? MOVED : path;
	push(world, delay,
	     (At){ .kind = AT_ARRIVE, .end = !index, .path = source, .keepalive = keepalive });
}

static void arrive(World *world, const At *at)
{
	End *end = &world->ends[at->end];
	end->endpoint = at->path;
	if (end->echoes && !at->keepalive)
		send_packet(world, at->end, false);
	if (at->keepalive || end->received_at > end->sent_at)
		return;
	end->received_at = world->now;
	push(world, KEEPALIVE_MS, (At){ .kind = AT_KEEPALIVE, .end = at->end });
}

static void look_as_before(World *world, int index)
{
	End *end = &world->ends[index];
	if (end->endpoint == end->selected || end->old_reassertions++ >= OLD_REASSERTIONS)
		return;
	write_endpoint(world, index, end->selected);
}

static void look(World *world, int index)
{
	End *end = &world->ends[index];
	WiceEndpoint seen = address_of(!index, end->endpoint);
	bool known = end->endpoint < MAX_PATHS;
	WiceRoamVerdict verdict = wice__roam_seen(&end->roam, &seen, known, world->now / MS);
	if (verdict == WICE_ROAM_REASSERT)
		write_endpoint(world, index, end->roam.selected.address.bytes[3]);
	if (verdict == WICE_ROAM_REASSERT || verdict == WICE_ROAM_REPEAT)
		send_packet(world, index, true);
}

static void poll(World *world, int index)
{
	End *end = &world->ends[index];
	bool fast = false;
	if (end->old) {
		look_as_before(world, index);
	} else if (!world->without_rule) {
		look(world, index);
		fast = wice__roam_wants_polls(&end->roam, world->now / MS);
	}
	push(world, (fast ? POLL_FAST_MS : POLL_IDLE_MS) + between(world, 0, 2),
	     (At){ .kind = AT_POLL, .end = index });
}

static int living_path(const World *world, int path)
{
	while (world->paths[path].dead)
		path = (path + 1) % world->n_paths;
	return path;
}

static void select_path(World *world, int index, int path, bool proven)
{
	End *end = &world->ends[index];
	WiceEndpoint endpoint = address_of(!index, path);
	end->selected = path;
	end->selections++;
	end->old_reassertions = 0;
	write_endpoint(world, index, path);
	wice__roam_selected(&end->roam, &endpoint, proven, world->now / MS);
	world->selected_at = world->now;
	if (index == 0)
		send_packet(world, index, true); /* as the session says */
	/* One poll more than there should be from now on; the shell has it at once, too. */
	push(world, POLL_FAST_MS / 2, (At){ .kind = AT_POLL, .end = index });
	if (world->verbose)
		printf("%10.3f end %d selects path %d\n", (double)world->now / MS, index, path);
}

/* Questions come at regular intervals, as those of ping. */
static double next_packet_ms(World *world, int index)
{
	double interval = world->ends[index].interval;
	return world->ends[!index].echoes ? interval
					  : -log(1 - g_rand_double(world->rand)) * interval;
}

static void handle(World *world, const At *at)
{
	End *end = &world->ends[at->end];
	switch (at->kind) {
	case AT_SEND:
		if (!end->echoes)
			send_packet(world, at->end, false);
		push(world, next_packet_ms(world, at->end), *at);
		break;
	case AT_KEEPALIVE:
		if (end->sent_at < end->received_at)
			send_packet(world, at->end, true);
		break;
	case AT_ARRIVE:
		arrive(world, at);
		break;
	case AT_POLL:
		poll(world, at->end);
		break;
	case AT_SELECT:
		select_path(world, at->end, living_path(world, at->path), true);
		break;
	case AT_HAND:
		end->endpoint = at->path;
		break;
	case AT_DIE:
		world->paths[at->path].dead = true;
		break;
	}
}

static bool has_converged(const World *world)
{
	int path = world->ends[0].selected;
	return world->ends[0].endpoint == path && world->ends[1].endpoint == path;
}

static void run_for(World *world, double ms)
{
	int64_t until = world->now + (int64_t)(ms * MS);
	while (((At *)(void *)world->queue->data)->time <= until) {
		int a = world->ends[0].endpoint, b = world->ends[1].endpoint;
		At at = pop(world);
		world->now = at.time;
		handle(world, &at);
		if (!has_converged(world))
			world->deviated_at = world->now;
		if (world->verbose &&
		    (a != world->ends[0].endpoint || b != world->ends[1].endpoint))
			printf("%10.3f endpoints %d %d\n", (double)world->now / MS,
			       world->ends[0].endpoint, world->ends[1].endpoint);
	}
	world->now = until;
}

static int any_path(World *world)
{
	return g_rand_int_range(world->rand, 0, world->n_paths);
}

/* ICE comes to a result at both ends, at the moment or a while later, in any order. */
static void switch_at(World *world, double when_ms, int path, int other_path)
{
	push(world, when_ms + between(world, 0, SPREAD_MS),
	     (At){ .kind = AT_SELECT, .end = 0, .path = path });
	push(world, when_ms + between(world, 0, SPREAD_MS),
	     (At){ .kind = AT_SELECT, .end = 1, .path = other_path });
}

static void plan_storm(World *world, bool same_in_the_end)
{
	for (int n = g_rand_int_range(world->rand, 0, 6); n > 0; n--)
		switch_at(world, between(world, 0, STORM_MS - 2 * SPREAD_MS), any_path(world),
			  any_path(world));
	int last = any_path(world);
	switch_at(world, STORM_MS - SPREAD_MS, last, same_in_the_end ? last : any_path(world));
	double calm_before_ms = STORM_MS - SPREAD_MS;
	if (chance(world, 0.2)) {
		world->excused = true;
		push(world, between(world, 0, calm_before_ms),
		     (At){ .kind = AT_DIE, .path = any_path(world) });
	}
	for (int n = chance(world, 0.2) ? 3 : 0; n > 0; n--) {
		world->excused = true;
		push(world, between(world, 0, calm_before_ms),
		     (At){ .kind = AT_HAND,
			   .end = g_rand_int_range(world->rand, 0, 2),
			   .path = chance(world, 0.3) ? NOWHERE : any_path(world) });
	}
}

static void begin(World *world, guint32 seed, bool without_rule, bool verbose)
{
	*world = (World){ .without_rule = without_rule, .verbose = verbose };
	world->rand = g_rand_new_with_seed(seed);
	world->queue = g_array_new(FALSE, FALSE, sizeof(At));
	world->n_paths = g_rand_int_range(world->rand, 2, MAX_PATHS + 1);
	world->loss = chance(world, 0.5) ? 0 : between(world, 0, 0.1);
	double slowest = chance(world, 0.3) ? 20 : 500;
	bool steady = chance(world, 0.3);
	for (int i = 0; i < world->n_paths; i++) {
		world->paths[i].delay = between(world, 0, slowest);
		world->paths[i].jitter =
			world->paths[i].delay * between(world, 0, steady ? 0.01 : 0.5);
	}
	/* Who is on the wrong path learns that from packets only, so there must be some. */
	bool same_in_the_end = chance(world, 0.85);
	for (int i = 0; i < 2; i++) {
		End *end = &world->ends[i];
		wice__roam_init(&end->roam, i == 0);
		end->interval = exp(between(world, log(2), log(same_in_the_end ? 5000 : 1000)));
		push(world, 0, (At){ .kind = AT_SELECT, .end = i });
		push(world, 0, (At){ .kind = AT_SEND, .end = i });
		push(world, between(world, 0, POLL_IDLE_MS), (At){ .kind = AT_POLL, .end = i });
	}
	world->ends[1].old = chance(world, 0.2);
	world->ends[0].echoes = chance(world, 0.2);
	/*
	 * One question at a time: of several that are under way, one may go another way for ever,
	 * seen by no poll, as long as both ways work.
	 */
	if (world->ends[0].echoes)
		world->ends[1].interval = between(world, 4 * slowest, 4 * slowest + 1000);
	plan_storm(world, same_in_the_end);
}

static void end(World *world)
{
	g_array_unref(world->queue);
	g_rand_free(world->rand);
}

static const char *judge_writes(const World *world)
{
	const End *a = &world->ends[0], *b = &world->ends[1];
	if (a->writes > a->selections * WRITES_PER_SELECTION)
		return "the controlling end writes and writes";
	if (!b->old && b->writes != b->selections)
		return "the controlled end does not only follow";
	return NULL;
}

/* The NAT of the controlled end forgets it and gives it another address. */
static const char *judge_move(World *world)
{
	unsigned writes = world->ends[0].writes + world->ends[1].writes;
	world->moved = true;
	run_for(world, MOVE_MS);
	if (world->ends[0].endpoint != MOVED || world->ends[1].endpoint != world->ends[0].selected)
		return "a peer that moved is not followed";
	if (world->ends[0].writes + world->ends[1].writes != writes)
		return "a peer that moved is fought";
	return NULL;
}

/* The controlling end alone selects a path that nobody has tried, and that is dead. */
static const char *judge_dead(World *world)
{
	int used = world->ends[0].selected, dead = (used + 1) % world->n_paths;
	world->paths[dead].dead = true;
	select_path(world, 0, dead, false);
	run_for(world, GIVE_UP_MS);
	if (world->ends[0].endpoint != used || world->ends[1].endpoint != used)
		return "a path that works is left for a dead one";
	return NULL;
}

static const char *judge(World *world, double *ret_took_ms)
{
	run_for(world, STORM_MS + CONVERGE_MS + STABLE_MS);
	*ret_took_ms = MAX(0, (double)(world->deviated_at - world->selected_at) / MS);
	if (!has_converged(world))
		return "the ends are not on the selected path";
	if (*ret_took_ms > CONVERGE_MS)
		return "the ends came to the selected path late, or did not stay";
	if (world->lost && !world->excused)
		return "packets went to where nobody is";
	const char *failure = judge_writes(world);
	if (failure || world->ends[1].interval > RARE_MS)
		return failure;
	return chance(world, 0.5) ? judge_move(world) : judge_dead(world);
}

/* In how many worlds the ends have not met when nobody does anything about it. */
static unsigned count_chases(guint32 first, guint32 runs)
{
	unsigned chases = 0;
	for (guint32 seed = first; seed < first + runs; seed++) {
		World world;
		double took_ms;
		begin(&world, seed, true, false);
		chases += judge(&world, &took_ms) != NULL;
		end(&world);
	}
	return chases;
}

static int compare_doubles(const void *a, const void *b)
{
	const double *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

int main(int argc, char **argv)
{
	guint32 runs = argc > 1 ? (guint32)strtoul(argv[1], NULL, 10) : RUNS;
	guint32 first = argc > 2 ? (guint32)strtoul(argv[2], NULL, 10) : 1;
	g_autofree double *took_ms = g_new(double, runs + 1);
	for (guint32 i = 0; i < runs; i++) {
		World world;
		begin(&world, first + i, false, runs == 1);
		const char *failure = judge(&world, &took_ms[i]);
		if (failure) {
			fprintf(stderr, "seed %u: %s (again: %s 1 %u)\n", first + i, failure,
				argv[0], first + i);
			return EXIT_FAILURE;
		}
		end(&world);
	}
	qsort(took_ms, runs, sizeof *took_ms, compare_doubles);
	printf("%u runs converged, half of them in %.0f ms, 99 %% in %.0f ms, all in %.0f ms\n",
	       runs, took_ms[runs / 2], took_ms[runs * 99 / 100], took_ms[runs - 1]);
	guint32 without = MIN(runs, RUNS_WITHOUT);
	unsigned chases = count_chases(first, without);
	printf("without the rule %u of %u did not\n", chases, without);
	return runs < RUNS_WITHOUT || chases > without * MUST_CHASE ? EXIT_SUCCESS : EXIT_FAILURE;
}
