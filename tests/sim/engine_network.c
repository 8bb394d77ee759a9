/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "engine/message.h"
#include "sim/engine_world.h"

/* What becomes of datagrams between the ends. */

#define CAPTURED_MAX 64

typedef struct {
	int64_t ms;
	uint64_t order;
	WorldDatagram *datagram;
} Flying;

void world_datagram_free(WorldDatagram *datagram)
{
	g_free(datagram->data);
	g_free(datagram);
}

WorldDatagram *world_datagram_copy(const WorldDatagram *datagram)
{
	WorldDatagram *copy = g_memdup2(datagram, sizeof(*datagram));

	copy->data = g_memdup2(datagram->data, datagram->length);
	return copy;
}

static int compare_flying(gconstpointer a, gconstpointer b, gpointer user_data)
{
	const Flying *x = a, *y = b;

	if (x->ms != y->ms)
		return x->ms < y->ms ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static int end_at(const World *world, const WiceEndpoint *address)
{
	for (int i = 0; i < world->n_ends; i++)
		if (wice_endpoint_compare(&world->ends[i].address, address) == 0)
			return i;
	return -1;
}

static WorldKind kind_of(const uint8_t *data, uint32_t length)
{
	switch (wice__message_type(data, length)) {
	case WICE_MESSAGE_INITIATION:
		return WORLD_INITIATION;
	case WICE_MESSAGE_RESPONSE:
		return WORLD_RESPONSE;
	case WICE_MESSAGE_COOKIE:
		return WORLD_COOKIE;
	case WICE_MESSAGE_TRANSPORT:
		return length == WICE_MESSAGE_MIN_TRANSPORT ? WORLD_KEEPALIVE : WORLD_DATA;
	default:
		return WORLD_OTHER;
	}
}

static const char *kind_name(WorldKind kind)
{
	static const char *const names[] = { "?",    "initiation", "response", "cookie",
					     "data", "keepalive",  "other" };

	return names[kind];
}

static void fly(World *world, const WorldDatagram *datagram)
{
	Flying *flying = g_new0(Flying, 1);
	int delay = world->max_delay_ms ? g_rand_int_range(world->rand, 0, world->max_delay_ms) : 0;

	flying->ms = world->ms + delay;
	flying->order = world->order++;
	flying->datagram = world_datagram_copy(datagram);
	g_sequence_insert_sorted(world->queue, flying, compare_flying, NULL);
}

static bool chance(World *world, double probability)
{
	return probability > 0 && g_rand_double(world->rand) < probability;
}

static void capture(World *world, const WorldDatagram *datagram)
{
	if (!world->capture)
		return;
	if (world->captured->len == CAPTURED_MAX)
		g_ptr_array_remove_index_fast(
			world->captured, (guint)g_rand_int_range(world->rand, 0, CAPTURED_MAX));
	g_ptr_array_add(world->captured, world_datagram_copy(datagram));
}

/* No handshake is begun within 5 s of the last one. */
static void check_initiation(World *world, const WorldSent *sent)
{
	int64_t *last;

	if (sent->kind != WORLD_INITIATION || sent->from < 0 || sent->to < 0)
		return;
	last = &world->initiated_ms[sent->from][sent->to];
	if (world->ms - *last < 5000)
		world_fail(world, "%c is too eager", 'a' + sent->from);
	*last = world->ms;
}

void world_excuse(World *world, int end)
{
	for (int other = 0; other < WORLD_ENDS; other++)
		world->initiated_ms[end][other] = 0;
}

void world_transmit(World *world, const WorldDatagram *datagram)
{
	WorldSent sent = { world->ms, end_at(world, &datagram->from), end_at(world, &datagram->to),
			   kind_of(datagram->data, datagram->length), datagram->length };
	bool lost = chance(world, world->loss) ||
		    (sent.from >= 0 && world->lost_kinds[sent.from] & WORLD_LOST(sent.kind));

	g_array_append_val(world->log, sent);
	check_initiation(world, &sent);
	world_trace(world, "%c -> %c  %s%s", 'a' + sent.from, sent.to < 0 ? '-' : 'a' + sent.to,
		    kind_name(sent.kind), lost ? " (lost)" : "");
	capture(world, datagram);
	if (lost)
		return;
	fly(world, datagram);
	if (chance(world, world->repeat))
		fly(world, datagram);
}

/* The next one, or NULL. */
static GSequenceIter *first(World *world)
{
	GSequenceIter *iter = g_sequence_get_begin_iter(world->queue);

	return g_sequence_iter_is_end(iter) ? NULL : iter;
}

int64_t world_next_arrival(World *world)
{
	GSequenceIter *iter = first(world);

	return iter ? ((Flying *)g_sequence_get(iter))->ms : INT64_MAX;
}

size_t world_take_arrivals(World *world, WorldDatagram **ret_datagrams, size_t max, int *ret_end)
{
	GSequenceIter *iter;
	size_t n = 0;

	while (n < max && (iter = first(world))) {
		Flying *flying = g_sequence_get(iter);
		int to = end_at(world, &flying->datagram->to);

		if (flying->ms > world->ms || (n && to != *ret_end))
			break;
		*ret_end = to;
		ret_datagrams[n++] = flying->datagram;
		g_sequence_remove(iter);
	}
	return n;
}

void world_network_init(World *world)
{
	world->log = g_array_new(FALSE, FALSE, sizeof(WorldSent));
	world->captured =
		g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))world_datagram_free);
	world->queue = g_sequence_new(g_free);
}

void world_network_done(World *world)
{
	GSequenceIter *iter;

	while ((iter = first(world))) {
		world_datagram_free(((Flying *)g_sequence_get(iter))->datagram);
		g_sequence_remove(iter);
	}
	g_sequence_free(world->queue);
	g_ptr_array_unref(world->captured);
	g_array_unref(world->log);
}

unsigned world_count(const World *world, int from, WorldKind kind, int64_t since_ms)
{
	unsigned n = 0;

	for (guint i = 0; i < world->log->len; i++) {
		const WorldSent *sent = &g_array_index(world->log, WorldSent, i);

		n += sent->ms >= since_ms && sent->kind == kind && (from < 0 || sent->from == from);
	}
	return n;
}

int64_t world_sent_at(const World *world, int from, WorldKind kind, int64_t since_ms, unsigned nth)
{
	for (guint i = 0; i < world->log->len; i++) {
		const WorldSent *sent = &g_array_index(world->log, WorldSent, i);

		if (sent->ms >= since_ms && sent->kind == kind && sent->from == from && nth-- == 0)
			return sent->ms - since_ms;
	}
	return -1;
}
