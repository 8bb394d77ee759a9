/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The timers of the whitepaper's section 6, to the millisecond. */
#include "core_bed.h"

#define S 1000 /* milliseconds */

static void assert_between(int64_t value, int64_t least, int64_t most)
{
	ck_assert_int_ge(value, least);
	ck_assert_int_le(value, most);
}

/* The whole of the log since then has this many handshakes that an end began. */
static void assert_initiations(const World *world, int64_t since, unsigned by_a, unsigned by_b)
{
	ck_assert_uint_eq(world_count(world, A, WORLD_INITIATION, since), by_a);
	ck_assert_uint_eq(world_count(world, B, WORLD_INITIATION, since), by_b);
}

START_TEST(initiator_rekeys_when_it_sends_after_120_s)
{
	World *world = friends();
	int64_t since = world->ms;
	world_run(world, 118 * S);
	world_send(world, A, B, 1, 10);
	assert_initiations(world, since, 0, 0);
	world_run(world, 1 * S);
	world_send(world, B, A, 1, 10);
	assert_initiations(world, since, 0, 0);
	world_send(world, A, B, 1, 10);
	world_run(world, 0);
	assert_initiations(world, since, 1, 0);
	ck_assert_uint_eq(world->ends[A].handshaken, 2);
	ck_assert_uint_eq(world->ends[B].handshaken, 2);
	world_run(world, 60 * S);
	assert_initiations(world, since, 1, 0);
	finish(world);
}
END_TEST

START_TEST(responder_does_not_rekey)
{
	World *world = friends();
	int64_t since = world->ms;
	for (int i = 0; i < 159; i++) {
		world_run(world, 1 * S);
		world_send(world, B, A, 1, 10);
	}
	/* What a sends are answers: empty packets make it rekey as any do. */
	assert_initiations(world, since, world_count(world, A, WORLD_INITIATION, since), 0);
	finish(world);
}
END_TEST

START_TEST(initiator_rekeys_when_it_receives_after_165_s)
{
	World *world = friends();
	int64_t since = world->ms;
	world_run(world, 163 * S);
	world_send(world, B, A, 1, 10);
	world_run(world, 0);
	assert_initiations(world, since, 0, 0);
	world_run(world, 1 * S);
	world_send(world, B, A, 1, 10);
	world_run(world, 0);
	assert_initiations(world, since, 1, 0);
	/* Once is enough. */
	world_send(world, B, A, 1, 10);
	world_run(world, 0);
	assert_initiations(world, since, 1, 0);
	finish(world);
}
END_TEST

START_TEST(session_ends_after_180_s)
{
	World *world = friends();
	int64_t since = world->ms;
	/* The session is a second old; nobody may renew it. */
	world->lost_kinds[A] = WORLD_LOST(WORLD_INITIATION);
	world->lost_kinds[B] = WORLD_LOST(WORLD_INITIATION);
	world_run(world, 179 * S - 1);
	world_send(world, B, A, 1, 10);
	ck_assert_uint_eq(world_count(world, B, WORLD_DATA, since), 1);
	world_run(world, 0);
	ck_assert_uint_eq(world->ends[A].delivered, 2);
	world_run(world, 1);
	world_send(world, B, A, 1, 10);
	ck_assert_uint_eq(world_count(world, B, WORLD_DATA, since), 1);
	ck_assert_uint_eq(world_count(world, B, WORLD_INITIATION, since), 1);
	finish(world);
}
END_TEST

START_TEST(late_packets_of_a_session_are_refused)
{
	World *world = friends();
	world->max_delay_ms = 1;
	world_run(world, 178 * S);
	world_send(world, B, A, 1, 10);
	/* It is on its way while a's machine is too busy to look. */
	world->ends[A].asleep_until_ms = 0;
	ck_assert_uint_eq(world_counters(world, A).expired, 0);
	world->ms += 1 * S;
	world_run(world, 0);
	ck_assert_uint_eq(world_counters(world, A).expired, 1);
	finish(world);
}
END_TEST

START_TEST(handshake_is_repeated_for_90_s)
{
	World *world = strangers();
	int64_t since = world->ms, last = 0;
	cut(world);
	world_send(world, A, B, 3, 10);
	world_run(world, 300 * S);
	assert_initiations(world, since, 19, 0);
	for (unsigned i = 1; i < 19; i++) {
		int64_t at = world_sent_at(world, A, WORLD_INITIATION, since, i);
		assert_between(at - last, 5 * S, 5 * S + 333);
		last = at;
	}
	ck_assert_uint_eq(world_counters(world, A).staged_dropped, 3);
	ck_assert_uint_eq(peer_of(world, A, B)->staged.length, 0);

	/* It is tried anew for new packets. */
	heal(world);
	world_send(world, A, B, 1, 10);
	world_run(world, 0);
	ck_assert_uint_eq(world->ends[B].delivered, 1);
	finish(world);
}
END_TEST

START_TEST(waits_between_handshakes_differ)
{
	World *world = strangers();
	int64_t since = world->ms, first;
	bool differ = false;
	cut(world);
	world_send(world, A, B, 1, 10);
	world_run(world, 60 * S);
	first = world_sent_at(world, A, WORLD_INITIATION, since, 1);
	for (unsigned i = 2; i < 8; i++)
		differ |= world_sent_at(world, A, WORLD_INITIATION, since, i) -
				  world_sent_at(world, A, WORLD_INITIATION, since, i - 1) !=
			  first;
	ck_assert(differ);
	finish(world);
}
END_TEST

START_TEST(new_packets_keep_a_handshake_going)
{
	World *world = strangers();
	cut(world);
	for (int i = 0; i < 200; i++) {
		world_send(world, A, B, 1, 10);
		world_run(world, 1 * S);
	}
	ck_assert_uint_eq(peer_of(world, A, B)->staged.length, 128);
	ck_assert_uint_eq(world_counters(world, A).staged_dropped, 72);
	finish(world);
}
END_TEST

START_TEST(keys_are_forgotten_after_540_s)
{
	World *world = friends();
	WiceCorePeer *peer = peer_of(world, A, B);
	world_run(world, 538 * S);
	ck_assert_ptr_nonnull(peer->current);
	world_run(world, 1 * S);
	ck_assert_ptr_null(peer->current);
	ck_assert_uint_eq(g_hash_table_size(world->ends[A].core->indices), 0);
	ck_assert_int_eq(wice__core_deadline(world->ends[A].core), INT64_MAX);
	finish(world);
}
END_TEST

START_TEST(half_a_handshake_is_forgotten_too)
{
	World *world = strangers();
	cut(world);
	world_send(world, A, B, 1, 10);
	world_run(world, 102 * S);
	ck_assert_ptr_nonnull(peer_of(world, A, B)->handshake);
	world_run(world, 540 * S);
	ck_assert_ptr_null(peer_of(world, A, B)->handshake);
	ck_assert_uint_eq(g_hash_table_size(world->ends[A].core->indices), 0);
	finish(world);
}
END_TEST

START_TEST(received_data_is_acknowledged_after_10_s)
{
	World *world = friends();
	world_run(world, 30 * S);
	int64_t since = world->ms;
	world_send(world, A, B, 1, 10);
	world_run(world, 60 * S);
	ck_assert_int_eq(world_sent_at(world, B, WORLD_KEEPALIVE, since, 0), 10 * S);
	ck_assert_uint_eq(world_count(world, B, WORLD_KEEPALIVE, since), 1);
	/* A keepalive is no data: it is not answered. */
	ck_assert_uint_eq(world_count(world, A, WORLD_KEEPALIVE, since), 0);
	assert_initiations(world, since, 0, 0);
	finish(world);
}
END_TEST

START_TEST(more_data_is_acknowledged_once_more)
{
	World *world = friends();
	world_run(world, 30 * S);
	int64_t since = world->ms;
	world_send(world, A, B, 1, 10);
	world_run(world, 1 * S);
	world_send(world, A, B, 1, 10);
	world_run(world, 60 * S);
	ck_assert_uint_eq(world_count(world, B, WORLD_KEEPALIVE, since), 2);
	ck_assert_int_eq(world_sent_at(world, B, WORLD_KEEPALIVE, since, 0), 10 * S);
	ck_assert_int_eq(world_sent_at(world, B, WORLD_KEEPALIVE, since, 1), 20 * S);
	finish(world);
}
END_TEST

START_TEST(answers_are_acknowledgements)
{
	World *world = friends();
	world_run(world, 30 * S);
	int64_t since = world->ms;
	for (int i = 0; i < 60; i++) {
		world_send(world, A, B, 1, 10);
		world_send(world, B, A, 1, 10);
		world_run(world, 1 * S);
	}
	/* But for the last packets, all were answered. */
	ck_assert_uint_eq(world_count(world, A, WORLD_KEEPALIVE, since), 0);
	ck_assert_uint_eq(world_count(world, B, WORLD_KEEPALIVE, since), 0);
	finish(world);
}
END_TEST

START_TEST(unanswered_data_begins_a_handshake_after_15_s)
{
	World *world = friends();
	world_run(world, 30 * S);
	cut(world);
	int64_t since = world->ms;
	/* The first one counts. */
	for (int i = 0; i < 16; i++) {
		world_send(world, A, B, 1, 10);
		world_run(world, 1 * S);
	}
	assert_initiations(world, since, 1, 0);
	assert_between(world_sent_at(world, A, WORLD_INITIATION, since, 0), 15 * S, 15 * S + 333);
	finish(world);
}
END_TEST

START_TEST(keepalives_need_no_answer)
{
	World *world = friends();
	world_run(world, 30 * S);
	world_send(world, A, B, 1, 10);
	world_run(world, 10 * S - 1);
	int64_t since = world->ms;
	cut(world);
	world_run(world, 100 * S);
	/* a is in doubt; b, which has acknowledged, is not. */
	ck_assert_uint_eq(world_count(world, B, WORLD_KEEPALIVE, since), 1);
	ck_assert_uint_gt(world_count(world, A, WORLD_INITIATION, since), 0);
	ck_assert_uint_eq(world_count(world, B, WORLD_INITIATION, since), 0);
	finish(world);
}
END_TEST

static void set_keepalive(World *world, int end, int peer, uint16_t seconds)
{
	world_set_peer(
		world, end, peer,
		(WicePeerChange){ .fields = WICE_PEER_HAS_KEEPALIVE, .keepalive_s = seconds });
}

START_TEST(persistent_keepalives_keep_their_interval)
{
	World *world = friends();
	world_run(world, 30 * S);
	int64_t since = world->ms;
	set_keepalive(world, B, A, 25);
	world_run(world, 80 * S);
	ck_assert_uint_eq(world_count(world, B, WORLD_KEEPALIVE, since), 4);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_int_eq(world_sent_at(world, B, WORLD_KEEPALIVE, since, i), 25 * S * i);
	ck_assert_uint_eq(world_count(world, A, WORLD_KEEPALIVE, since), 0);
	set_keepalive(world, B, A, 0);
	world_run(world, 60 * S);
	ck_assert_uint_eq(world_count(world, B, WORLD_KEEPALIVE, since), 4);
	finish(world);
}
END_TEST

START_TEST(traffic_makes_persistent_keepalives_needless)
{
	World *world = friends();
	set_keepalive(world, B, A, 5);
	world_run(world, 0);
	int64_t since = world->ms = world->ms + 1;
	for (int i = 0; i < 30; i++) {
		world_run(world, 4 * S);
		world_send(world, i % 2 ? B : A, i % 2 ? A : B, 1, 10);
	}
	ck_assert_uint_eq(world_count(world, B, WORLD_KEEPALIVE, since), 0);
	since = world->ms;
	world_run(world, 6 * S);
	ck_assert_int_eq(world_sent_at(world, B, WORLD_KEEPALIVE, since, 0), 5 * S);
	finish(world);
}
END_TEST

START_TEST(persistent_keepalive_begins_a_handshake)
{
	World *world = strangers();
	int64_t since = world->ms;
	set_keepalive(world, A, B, 25);
	world_run(world, 0);
	ck_assert_uint_eq(world_count(world, A, WORLD_INITIATION, since), 1);
	ck_assert_uint_eq(world_count(world, A, WORLD_KEEPALIVE, since), 1);
	ck_assert_uint_eq(world->ends[B].handshaken, 1);
	finish(world);
}
END_TEST

START_TEST(persistent_keepalive_outlives_an_outage)
{
	World *world = strangers();
	cut(world);
	set_keepalive(world, A, B, 25);
	world_run(world, 1000 * S);
	heal(world);
	world_run(world, 30 * S);
	ck_assert_uint_eq(world->ends[B].handshaken, 1);
	finish(world);
}
END_TEST

START_TEST(hours_of_sleep_are_survived)
{
	World *world = friends();
	set_keepalive(world, B, A, 25);
	world_send(world, A, B, 1, 10);
	world->ends[A].asleep_until_ms = world->ends[B].asleep_until_ms = world->ms + 7200 * S;
	world_run(world, 7200 * S - 1);
	int64_t since = world->ms;
	world_run(world, 1);
	assert_between(world_count(world, A, WORLD_INITIATION, since) +
			       world_count(world, B, WORLD_INITIATION, since),
		       1, 2);
	world_run(world, 6 * S);
	ck_assert(world_connected(world, A, B));
	finish(world);
}
END_TEST

START_TEST(a_keepalive_that_is_due_after_the_session_is_not_waited_for)
{
	World *world = friends();
	world_send(world, A, B, 1, 10);
	world_run(world, 1 * S);
	cut(world);
	world->ends[B].asleep_until_ms = world->ms + 250 * S;
	world_run(world, 2000 * S);
	ck_assert_int_eq(wice__core_deadline(world->ends[B].core), INT64_MAX);
	finish(world);
}
END_TEST

START_TEST(nothing_happens_while_it_is_down)
{
	World *world = friends();
	WorldEnd *a = &world->ends[A];
	int64_t since = world->ms;
	set_keepalive(world, A, B, 25);
	world_run(world, 0);
	wice__core_set_up(a->core, false);
	since = world->ms = world->ms + 1;
	world_send(world, A, B, 1, 10);
	world_send(world, B, A, 1, 10);
	world_run(world, 100 * S);
	ck_assert_uint_eq(world_count(world, A, WORLD_KEEPALIVE, since), 0);
	ck_assert_uint_eq(world_count(world, A, WORLD_DATA, since), 0);
	assert_initiations(world, since, 0, world_count(world, B, WORLD_INITIATION, since));
	ck_assert_uint_eq(world_count(world, A, WORLD_RESPONSE, since), 0);
	ck_assert_int_eq(wice__core_deadline(a->core), INT64_MAX);
	ck_assert_uint_eq(g_hash_table_size(a->core->indices), 0);

	wice__core_set_up(a->core, true);
	since = world->ms;
	world_run(world, 0);
	assert_initiations(world, since, 1, 0);
	world_run(world, 6 * S);
	ck_assert(world_connected(world, A, B));
	finish(world);
}
END_TEST

START_TEST(what_was_due_before_is_forgotten_by_going_down)
{
	World *world = friends();
	WorldEnd *a = &world->ends[A];
	world_run(world, 30 * S);
	/* Something is unanswered, something unacknowledged, a handshake under way. */
	world_send(world, B, A, 1, 10);
	world_run(world, 0);
	cut(world);
	world_send(world, A, B, 1, 10);
	world_run(world, 15400);
	world_send(world, A, B, 1, 10);
	wice__core_set_up(a->core, false);
	wice__core_set_up(a->core, true);
	world->ms++;
	world_run(world, 60 * S);
	ck_assert_int_eq(wice__core_deadline(a->core), INT64_MAX);
	finish(world);
}
END_TEST

SUITE_MAIN("timers of an engine", initiator_rekeys_when_it_sends_after_120_s,
	   responder_does_not_rekey, initiator_rekeys_when_it_receives_after_165_s,
	   session_ends_after_180_s, late_packets_of_a_session_are_refused,
	   handshake_is_repeated_for_90_s, waits_between_handshakes_differ,
	   new_packets_keep_a_handshake_going, keys_are_forgotten_after_540_s,
	   half_a_handshake_is_forgotten_too, received_data_is_acknowledged_after_10_s,
	   more_data_is_acknowledged_once_more, answers_are_acknowledgements,
	   unanswered_data_begins_a_handshake_after_15_s, keepalives_need_no_answer,
	   persistent_keepalives_keep_their_interval, traffic_makes_persistent_keepalives_needless,
	   persistent_keepalive_begins_a_handshake, persistent_keepalive_outlives_an_outage,
	   hours_of_sleep_are_survived, a_keepalive_that_is_due_after_the_session_is_not_waited_for,
	   nothing_happens_while_it_is_down, what_was_due_before_is_forgotten_by_going_down)
