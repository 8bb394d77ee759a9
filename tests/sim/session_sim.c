/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two sessions in virtual time. Everything around them is a model: a signaling network that loses,
 * delays, repeats and reorders descriptions and has outages; ICE agents that find each other when
 * both were given the other's description; a WireGuard that hears the other end when both ends of a
 * path exist. While the storm lasts, sessions are restarted, lose their addresses, are killed and
 * started again, and clocks leap. Afterwards both ends must be connected over the same pair of
 * agents and stay so, or, where no path is possible, say why.
 *
 *   session-sim [RUNS [FIRST-SEED]]
 */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/session.h"

#define RUNS 3000
#define STORM_MS 60000
#define CALM_MS 900000 /* the longest backoff is 5 minutes and may be met twice */
#define STABLE_MS 60000
#define TRAFFIC_MS 1000
#define SILENCE_MS 17000
#define AGENTS_KEPT 3

typedef struct {
	char ufrag[WICE_SESSION_UFRAG_SIZE];
	char remote[WICE_SESSION_UFRAG_SIZE]; /* whose description it was given */
} Agent;

typedef struct {
	uint64_t epoch, counter;
	char ufrag[WICE_SESSION_UFRAG_SIZE], remote_ufrag[WICE_SESSION_UFRAG_SIZE];
	bool wants_reply;
} Message;

typedef struct {
	const char *name;
	bool running;
	WiceSession session;
	int64_t clock_leap;
	uint64_t epoch, counter, peer_epoch, peer_counter;
	unsigned agents_made;
	Agent attempt, active, former; /* as in the shell; "" if there is none */
	Message heard;                 /* the newest description */
	int64_t last_heard;            /* by WireGuard */
	bool saw_reason;
	unsigned published;
} Node;

typedef enum {
	AT_DEADLINE,
	AT_MESSAGE,
	AT_HEARD,
	AT_PAIR,
	AT_PACKET,
	AT_TRAFFIC,
	AT_DISTURBANCE,
	AT_START,
} AtKind;

typedef struct {
	int64_t time;
	uint64_t order;
	AtKind kind;
	int node;
	Message message; /* AT_MESSAGE */
	Agent agent; /* AT_PAIR: the receiver's agent; AT_PACKET: the path as the sender sees it */
	bool answer; /* AT_PACKET: it is the answer to one */
} At;

typedef struct {
	GRand *rand;
	int64_t now;
	uint64_t order;
	GSequence *queue;
	Node nodes[2];
	bool possible; /* is there a path at all */
	double loss, repeat;
	int max_delay;
	int64_t outage_until;
	bool verbose;
} World;

static int compare_at(gconstpointer a, gconstpointer b, gpointer user_data)
{
	const At *x = a, *y = b;
	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static void schedule(World *world, int64_t delay, At at)
{
	at.time = world->now + delay;
	at.order = world->order++;
	g_sequence_insert_sorted(world->queue, g_memdup2(&at, sizeof at), compare_at, NULL);
}

static bool chance(World *world, double probability)
{
	return g_rand_double(world->rand) < probability;
}

static int64_t node_now(const World *world, const Node *node)
{
	return world->now + node->clock_leap;
}

static void step(World *world, int index, const WiceSessionEvent *event);

static void publish(World *world, int index)
{
	Node *node = &world->nodes[index];
	Message message = { .epoch = node->epoch, .counter = ++node->counter };
	node->published++;
	g_strlcpy(message.ufrag, node->attempt.ufrag, sizeof message.ufrag);
	g_strlcpy(message.remote_ufrag, node->session.paired_ufrag, sizeof message.remote_ufrag);
	message.wants_reply = node->session.phase == WICE_PHASE_SIGNALING;
	if (world->now < world->outage_until)
		return;
	for (int copies = 1 + chance(world, world->repeat); copies > 0; copies--)
		if (!chance(world, world->loss))
			schedule(world, g_rand_int_range(world->rand, 5, world->max_delay),
				 (At){ .kind = AT_MESSAGE, .node = !index, .message = message });
}

/* Does a packet that the sender puts on its path come out at the other node? */
static bool has_counterpart(const Node *receiver, const Agent *path)
{
	const Agent *kept[AGENTS_KEPT] = { &receiver->attempt, &receiver->active,
					   &receiver->former };
	for (int i = 0; i < AGENTS_KEPT; i++)
		if (path->ufrag[0] && strcmp(kept[i]->ufrag, path->remote) == 0 &&
		    strcmp(kept[i]->remote, path->ufrag) == 0)
			return true;
	return false;
}

static void send_packet(World *world, int index, bool answer)
{
	Node *node = &world->nodes[index];
	if (node->session.path && !chance(world, world->loss / 4))
		schedule(world, g_rand_int_range(world->rand, 5, 100),
			 (At){ .kind = AT_PACKET,
			       .node = !index,
			       .agent = node->active,
			       .answer = answer });
}

static void set_remote(World *world, int index)
{
	Node *node = &world->nodes[index], *other = &world->nodes[!index];
	g_strlcpy(node->attempt.remote, node->heard.ufrag, sizeof node->attempt.remote);
	if (!world->possible || !has_counterpart(other, &node->attempt) ||
	    strcmp(other->attempt.ufrag, node->attempt.remote) != 0)
		return;
	schedule(world, g_rand_int_range(world->rand, 5, 400),
		 (At){ .kind = AT_HEARD, .node = index, .agent = node->attempt });
	schedule(world, g_rand_int_range(world->rand, 5, 400),
		 (At){ .kind = AT_HEARD, .node = !index, .agent = other->attempt });
	schedule(world, g_rand_int_range(world->rand, 10, 400),
		 (At){ .kind = AT_PAIR, .node = index, .agent = node->attempt });
	schedule(world, g_rand_int_range(world->rand, 10, 400),
		 (At){ .kind = AT_PAIR, .node = !index, .agent = other->attempt });
}

static void open_agent(World *world, int index)
{
	Node *node = &world->nodes[index];
	memset(&node->attempt, 0, sizeof node->attempt);
	if (chance(world, 0.05)) {
		step(world, index, &(WiceSessionEvent){ .type = WICE_SESSION_NOT_OPENED });
		return;
	}
	g_snprintf(node->attempt.ufrag, sizeof node->attempt.ufrag, "%s%u.%u", node->name,
		   (unsigned)node->epoch, ++node->agents_made);
	step(world, index,
	     &(WiceSessionEvent){ .type = WICE_SESSION_OPENED, .ufrag = node->attempt.ufrag });
}

/* The same order as in lib/agent/peer.c. */
static void perform(World *world, int index, unsigned actions, const WiceSessionEvent *event)
{
	Node *node = &world->nodes[index];
	static const Agent no_agent;
	if (actions & WICE_SESSION_DO_CLOSE_ICE)
		node->attempt = no_agent;
	if (actions & WICE_SESSION_DO_DROP_PATH)
		node->active = node->former = no_agent;
	if (actions & WICE_SESSION_DO_OPEN_ICE) {
		open_agent(world, index);
		if (event->type == WICE_SESSION_REMOTE)
			step(world, index, event);
	}
	if (actions & WICE_SESSION_DO_SET_REMOTE)
		set_remote(world, index);
	if (actions & WICE_SESSION_DO_PUBLISH)
		publish(world, index);
	if ((actions & WICE_SESSION_DO_APPLY_PATH) &&
	    strcmp(node->active.ufrag, node->attempt.ufrag) != 0) {
		node->former = node->active;
		node->active = node->attempt;
		node->last_heard = world->now;
	}
	if (actions & WICE_SESSION_DO_TRY)
		g_assert(node->session.controlling && !node->active.ufrag[0]);
	if (actions & WICE_SESSION_DO_NUDGE)
		send_packet(world, index, false);
	if (actions & WICE_SESSION_DO_SETTLE)
		node->former = no_agent;
}

static void step(World *world, int index, const WiceSessionEvent *event)
{
	Node *node = &world->nodes[index];
	if (!node->running)
		return;
	WiceSessionPhase before = node->session.phase;
	unsigned actions = wice__session_step(&node->session, event, node_now(world, node));
	if (world->verbose && node->session.phase != before)
		printf("%8" G_GINT64_FORMAT " %s event %d: phase %d -> %d why %d\n", world->now,
		       node->name, event->type, before, node->session.phase, node->session.why);
	if (node->session.phase == WICE_PHASE_FAILED &&
	    node->session.why == WICE_WHY_NO_PAIR_ANSWERED && world->now > STORM_MS)
		node->saw_reason = true;
	perform(world, index, actions, event);
	if (node->session.deadline != INT64_MAX)
		schedule(world, MAX(0, node->session.deadline - node_now(world, node)),
			 (At){ .kind = AT_DEADLINE, .node = index });
}

/* The mailbox: the newest (epoch, counter) wins. */
static void receive(World *world, int index, const Message *message)
{
	Node *node = &world->nodes[index];
	if (!node->running || message->epoch < node->peer_epoch ||
	    (message->epoch == node->peer_epoch && message->counter <= node->peer_counter))
		return;
	node->peer_epoch = message->epoch;
	node->peer_counter = message->counter;
	node->heard = *message;
	step(world, index,
	     &(WiceSessionEvent){
		     .type = WICE_SESSION_REMOTE,
		     .ufrag = node->heard.ufrag,
		     .remote_ufrag = node->heard.remote_ufrag,
		     .wants_reply = node->heard.wants_reply,
	     });
}

static void packet_arrives(World *world, int index, const At *at)
{
	Node *node = &world->nodes[index];
	if (!node->running || !has_counterpart(node, &at->agent))
		return;
	node->last_heard = world->now;
	step(world, index, &(WiceSessionEvent){ .type = WICE_SESSION_WG_ALIVE });
	if (!at->answer)
		send_packet(world, index, true);
}

static void traffic(World *world, int index)
{
	Node *node = &world->nodes[index];
	schedule(world, TRAFFIC_MS, (At){ .kind = AT_TRAFFIC, .node = index });
	send_packet(world, index, false);
	if (node->session.path && node->session.proven &&
	    world->now - node->last_heard > SILENCE_MS)
		step(world, index, &(WiceSessionEvent){ .type = WICE_SESSION_WG_SILENT });
}

static void start(World *world, int index)
{
	Node *node = &world->nodes[index];
	if (node->running)
		return;
	node->running = true;
	node->epoch++;
	node->counter = node->peer_epoch = node->peer_counter = 0;
	wice__session_init(&node->session, index == 0, g_rand_int(world->rand),
			   node_now(world, node));
	step(world, index, &(WiceSessionEvent){ .type = WICE_SESSION_START });
}

static void kill_node(World *world, int index)
{
	Node *node = &world->nodes[index];
	static const Agent no_agent;
	node->running = false;
	node->attempt = node->active = node->former = no_agent;
	node->session.path = false;
	schedule(world, g_rand_int_range(world->rand, 1, 10000),
		 (At){ .kind = AT_START, .node = index });
}

static void disturb(World *world, int index)
{
	Node *node = &world->nodes[index];
	switch (g_rand_int_range(world->rand, 0, 7)) {
	case 0:
		step(world, index, &(WiceSessionEvent){ .type = WICE_SESSION_RESTART });
		break;
	case 1:
		memset(&node->active, 0, sizeof node->active);
		step(world, index, &(WiceSessionEvent){ .type = WICE_SESSION_NETWORK_CHANGED });
		break;
	case 2:
		kill_node(world, index);
		break;
	case 3:
		world->outage_until = world->now + g_rand_int_range(world->rand, 100, 10000);
		break;
	case 4:
		node->clock_leap += g_rand_int_range(world->rand, 0, 3600000);
		step(world, index, &(WiceSessionEvent){ .type = WICE_SESSION_DEADLINE });
		break;
	case 5:
		step(world, index, &(WiceSessionEvent){ .type = WICE_SESSION_ICE_FAILED });
		break;
	default: /* both at the same moment */
		step(world, 0, &(WiceSessionEvent){ .type = WICE_SESSION_RESTART });
		step(world, 1, &(WiceSessionEvent){ .type = WICE_SESSION_RESTART });
		break;
	}
}

static void handle(World *world, const At *at)
{
	Node *node = &world->nodes[at->node];
	switch (at->kind) {
	case AT_DEADLINE:
		if (node->running && node->session.deadline <= node_now(world, node))
			step(world, at->node, &(WiceSessionEvent){ .type = WICE_SESSION_DEADLINE });
		break;
	case AT_MESSAGE:
		receive(world, at->node, &at->message);
		break;
	case AT_HEARD:
		if (strcmp(node->attempt.ufrag, at->agent.ufrag) == 0)
			step(world, at->node, &(WiceSessionEvent){ .type = WICE_SESSION_HEARD });
		break;
	case AT_PAIR:
		if (strcmp(node->attempt.ufrag, at->agent.ufrag) == 0)
			step(world, at->node,
			     &(WiceSessionEvent){ .type = WICE_SESSION_PAIR_SELECTED });
		break;
	case AT_PACKET:
		packet_arrives(world, at->node, at);
		break;
	case AT_TRAFFIC:
		traffic(world, at->node);
		break;
	case AT_DISTURBANCE:
		if (node->running)
			disturb(world, at->node);
		break;
	case AT_START:
		start(world, at->node);
		break;
	}
}

static bool is_connected(const World *world)
{
	const Node *a = &world->nodes[0], *b = &world->nodes[1];
	return a->running && b->running &&
	       wice__session_state(&a->session) == WICE_STATE_CONNECTED &&
	       wice__session_state(&b->session) == WICE_STATE_CONNECTED &&
	       has_counterpart(b, &a->active) && has_counterpart(a, &b->active);
}

static bool has_ended(const World *world)
{
	if (world->possible)
		return is_connected(world);
	return world->nodes[0].saw_reason && world->nodes[1].saw_reason;
}

/* Runs until the time, or until the end is reached if asked to stop there. */
static void run_until(World *world, int64_t until, bool stop_at_end)
{
	while (!(stop_at_end && has_ended(world))) {
		GSequenceIter *first = g_sequence_get_begin_iter(world->queue);
		if (g_sequence_iter_is_end(first))
			return;
		At at = *(const At *)g_sequence_get(first);
		if (at.time > until)
			return;
		g_sequence_remove(first);
		world->now = at.time;
		handle(world, &at);
	}
}

static void begin(World *world, guint32 seed, bool verbose)
{
	memset(world, 0, sizeof *world);
	world->rand = g_rand_new_with_seed(seed);
	world->queue = g_sequence_new(g_free);
	world->verbose = verbose;
	world->possible = !chance(world, 0.1);
	world->loss = g_rand_double(world->rand) * 0.4;
	world->repeat = g_rand_double(world->rand) * 0.5;
	world->max_delay = g_rand_int_range(world->rand, 6, 1500);
	for (int i = 0; i < 2; i++) {
		world->nodes[i].name = i ? "b" : "a";
		schedule(world, g_rand_int_range(world->rand, 0, 5000),
			 (At){ .kind = AT_START, .node = i });
		schedule(world, g_rand_int_range(world->rand, 0, TRAFFIC_MS),
			 (At){ .kind = AT_TRAFFIC, .node = i });
	}
	for (int n = g_rand_int_range(world->rand, 0, 12); n > 0; n--)
		schedule(world, g_rand_int_range(world->rand, 0, STORM_MS),
			 (At){ .kind = AT_DISTURBANCE,
			       .node = g_rand_int_range(world->rand, 0, 2) });
}

static const char *judge(World *world)
{
	run_until(world, STORM_MS + 10000, false);
	run_until(world, STORM_MS + 10000 + CALM_MS, true);
	if (!has_ended(world))
		return world->possible ? "not connected" : "no reason given";
	if (!world->possible)
		return NULL;

	/* A lossless quiet network from here on: nothing may move. */
	world->loss = world->repeat = 0;
	unsigned restarts[2], published[2];
	run_until(world, world->now + 5000, false);
	for (int i = 0; i < 2; i++) {
		restarts[i] = world->nodes[i].session.restarts;
		published[i] = world->nodes[i].published;
	}
	run_until(world, world->now + STABLE_MS, false);
	if (!is_connected(world))
		return "did not stay connected";
	for (int i = 0; i < 2; i++) {
		if (world->nodes[i].session.restarts != restarts[i])
			return "restarted without a reason";
		if (world->nodes[i].published != published[i])
			return "goes on signaling while connected";
	}
	return NULL;
}

static void end(World *world)
{
	g_sequence_free(world->queue);
	g_rand_free(world->rand);
}

int main(int argc, char **argv)
{
	guint32 runs = argc > 1 ? (guint32)strtoul(argv[1], NULL, 10) : RUNS;
	guint32 first = argc > 2 ? (guint32)strtoul(argv[2], NULL, 10) : 1;
	unsigned connected = 0, explained = 0;
	for (guint32 seed = first; seed < first + runs; seed++) {
		World world;
		begin(&world, seed, runs == 1);
		const char *failure = judge(&world);
		if (failure) {
			for (int i = 0; i < 2; i++)
				fprintf(stderr,
					"  %s: phase %d why %d own %s paired %s restarts %u\n",
					world.nodes[i].name, world.nodes[i].session.phase,
					world.nodes[i].session.why,
					world.nodes[i].session.own_ufrag,
					world.nodes[i].session.paired_ufrag,
					world.nodes[i].session.restarts);
			fprintf(stderr, "seed %u: %s (again: %s 1 %u)\n", seed, failure, argv[0],
				seed);
			return EXIT_FAILURE;
		}
		connected += world.possible;
		explained += !world.possible;
		end(&world);
	}
	printf("%u runs: %u connected, %u without a path gave the reason\n", runs, connected,
	       explained);
	return EXIT_SUCCESS;
}
