/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* How sessions follow one another, also when both ends begin one at the same time. */
#include "core_bed.h"
#include "crypto/key.h"

#define S 1000 /* milliseconds */

START_TEST(both_may_begin_at_once)
{
	World *world = strangers();
	/* Both initiations are on their way before one arrives. */
	world->max_delay_ms = 1;
	world_send(world, A, B, 1, 10);
	world_send(world, B, A, 1, 10);
	world_run(world, 10);
	ck_assert_uint_eq(world->ends[A].delivered, 1);
	ck_assert_uint_eq(world->ends[B].delivered, 1);
	world->max_delay_ms = 0;
	ck_assert(world_connected(world, A, B));
	world_run(world, 60 * S);
	ck_assert_uint_eq(world_count(world, -1, WORLD_INITIATION, 0), 2);
	finish(world);

	/* In any order. */
	for (uint32_t seed = 0; seed < 100; seed++) {
		World *other = world_new(seed, 2);
		world_join(other, A, B);
		other->max_delay_ms = 100;
		world_send(other, A, B, 1, 10);
		world_run(other, g_rand_int_range(other->rand, 0, 60));
		world_send(other, B, A, 1, 10);
		world_run(other, 400);
		ck_assert_uint_eq(other->ends[A].delivered, 1);
		ck_assert_uint_eq(other->ends[B].delivered, 1);
		finish(other);
	}
}
END_TEST

/* The two sessions of two handshakes that have crossed become one, which one end renews. */
START_TEST(both_agree_on_one_of_two_sessions)
{
	for (uint32_t seed = 0; seed < 200; seed++) {
		World *world = world_new(seed, 2);
		WiceCoreSession *a, *b;
		int64_t since;
		world_join(world, A, B);
		world->max_delay_ms = 100;
		world_send(world, A, B, 1, 10);
		world_run(world, g_rand_int_range(world->rand, 0, 60));
		world_send(world, B, A, 1, 10);
		world_run(world, 400);
		for (int i = 0; i < 4; i++) {
			world_send(world, A, B, 1, 10);
			world_send(world, B, A, 1, 10);
			world_run(world, 200);
		}
		a = peer_of(world, A, B)->current;
		b = peer_of(world, B, A)->current;
		ck_assert_uint_eq(a->remote_index, b->entry.index);
		ck_assert_uint_ne(a->initiator, b->initiator);
		since = world->ms;
		for (int i = 0; i < 130; i++) {
			world_send(world, A, B, 1, 10);
			world_send(world, B, A, 1, 10);
			world_run(world, 1 * S);
		}
		ck_assert_uint_eq(world_count(world, -1, WORLD_INITIATION, since), 1);
		ck_assert_uint_eq(world->ends[A].delivered, world->ends[B].delivered);
		ck_assert_uint_eq(world->ends[A].delivered, 135);
		finish(world);
	}
}
END_TEST

/* An answer that is lost takes nothing away from what there is. */
START_TEST(lost_response_does_no_harm)
{
	for (uint32_t seed = 0; seed < 50; seed++) {
		World *world = world_new(seed, 2);
		world_join(world, A, B);
		/* Each has a session of its own, and has not heard of the other's. */
		world->lost_kinds[A] = world->lost_kinds[B] =
			WORLD_LOST(WORLD_DATA) | WORLD_LOST(WORLD_KEEPALIVE);
		world->max_delay_ms = 10;
		world_send(world, A, B, 1, 10);
		world_send(world, B, A, 1, 10);
		world_run(world, 6 * S);
		world->max_delay_ms = 0;
		world->lost_kinds[A] = world->lost_kinds[B] = WORLD_LOST(WORLD_RESPONSE);
		peer_of(world, A, B)->current->counter = REKEY_AFTER_MESSAGES;
		for (int i = 0; i < 20; i++) {
			ck_assert(world_connected(world, A, B));
			world_run(world, 1 * S);
		}
		heal(world);
		world_run(world, 6 * S);
		ck_assert(world_connected(world, A, B));
		finish(world);
	}
}
END_TEST

/* Of two sessions that the same end began, a late packet does not bring the former one back. */
START_TEST(late_packet_of_a_former_session_changes_nothing)
{
	for (uint32_t seed = 0; seed < 10; seed++) {
		World *world = world_new(seed, 2);
		WorldEnd *a = &world->ends[A];
		WiceCoreSession *session;
		const WorldDatagram *late;
		world_join(world, A, B);
		ck_assert(world_connected(world, A, B));
		world->capture = true;
		cut(world);
		world_send(world, A, B, 1, 10);
		heal(world);
		late = world->captured->pdata[0];
		world->capture = false;
		wice__core_set_up(a->core, false);
		wice__core_set_up(a->core, true);
		world_excuse(world, A);
		world->ms += 100;
		ck_assert(world_connected(world, A, B));
		session = peer_of(world, B, A)->current;
		world_inject(world, B, &a->address, late->data, late->length);
		ck_assert_uint_eq(world->ends[B].delivered, 3);
		ck_assert_ptr_eq(peer_of(world, B, A)->current, session);
		finish(world);
	}
}
END_TEST

START_TEST(session_that_was_never_used_is_given_up)
{
	World *world = strangers();
	world->lost_kinds[A] = WORLD_LOST(WORLD_RESPONSE);
	world_send(world, B, A, 1, 10);
	world_run(world, 1 * S);
	ck_assert_ptr_nonnull(peer_of(world, A, B)->next);
	world->lost_kinds[A] = 0;
	world->lost_kinds[B] = WORLD_LOST(WORLD_INITIATION);
	world_run(world, 10 * S);
	world_send(world, A, B, 1, 10);
	world_run(world, 0);
	ck_assert_uint_eq(world->ends[B].delivered, 1);
	ck_assert_ptr_null(peer_of(world, A, B)->next);
	finish(world);
}
END_TEST

START_TEST(answer_ends_nothing_that_is_in_use)
{
	World *world = friends();
	world_run(world, 121 * S);
	/* a has a new session, of which b has not heard by any packet; then b begins one. */
	world->lost_kinds[A] = WORLD_LOST(WORLD_DATA) | WORLD_LOST(WORLD_KEEPALIVE);
	world_send(world, A, B, 1, 10);
	world_run(world, 6 * S);
	world->lost_kinds[A] |= WORLD_LOST(WORLD_RESPONSE);
	peer_of(world, B, A)->current->counter = REKEY_AFTER_MESSAGES + 1;
	world_send(world, B, A, 1, 10);
	world_run(world, 1 * S);
	ck_assert_uint_eq(world_count(world, B, WORLD_INITIATION, 0), 1);
	world_send(world, B, A, 1, 10);
	world_run(world, 0);
	ck_assert_uint_eq(world->ends[A].delivered, 3);
	finish(world);
}
END_TEST

START_TEST(former_session_is_spent_by_a_new_private_key_too)
{
	World *world = friends();
	WiceKey key = { { 0, 1, 2, 3 } };
	world_run(world, 121 * S);
	ck_assert(world_connected(world, A, B));
	ck_assert(!wice__session_spent(peer_of(world, A, B)->previous, world->ms));
	wice__key_clamp(&key);
	world_set_key(world, A, &key);
	ck_assert(wice__session_spent(peer_of(world, A, B)->previous, world->ms));
	ck_assert(wice__session_spent(peer_of(world, A, B)->current, world->ms));
	finish(world);
}
END_TEST

START_TEST(both_may_rekey_at_once)
{
	for (uint32_t seed = 0; seed < 50; seed++) {
		World *world = world_new(seed, 2);
		WiceCorePeer *peers[2];
		world_join(world, A, B);
		ck_assert(world_connected(world, A, B));
		world_run(world, 6 * S);
		peers[A] = peer_of(world, A, B);
		peers[B] = peer_of(world, B, A);
		for (int end = A; end <= B; end++)
			peers[end]->current->counter = REKEY_AFTER_MESSAGES + 1;
		world->max_delay_ms = 100;
		world_send(world, A, B, 1, 10);
		world_send(world, B, A, 1, 10);
		world_run(world, 500);
		world->max_delay_ms = 0;
		ck_assert_uint_eq(world_count(world, -1, WORLD_INITIATION, 0), 3);
		ck_assert_uint_lt(peers[A]->current->counter, 100);
		ck_assert_uint_lt(peers[B]->current->counter, 100);
		ck_assert(world_connected(world, A, B));
		finish(world);
	}
}
END_TEST

START_TEST(their_handshake_replaces_ours)
{
	World *world = strangers();
	world->lost_kinds[A] = WORLD_LOST(WORLD_INITIATION);
	world_send(world, A, B, 1, 10);
	world_run(world, 1 * S);
	ck_assert_ptr_nonnull(peer_of(world, A, B)->handshake);
	world_send(world, B, A, 1, 10);
	world_run(world, 0);
	ck_assert_uint_eq(world->ends[A].delivered, 1);
	ck_assert_uint_eq(world->ends[B].delivered, 1);
	ck_assert_ptr_null(peer_of(world, A, B)->handshake);
	ck_assert_uint_eq(g_hash_table_size(world->ends[A].core->indices), 1);
	world_run(world, 10 * S);
	ck_assert_uint_eq(world_count(world, A, WORLD_INITIATION, 0), 1);
	finish(world);
}
END_TEST

START_TEST(former_session_still_opens)
{
	World *world = friends();
	WiceCoreSession *former;
	world_run(world, 121 * S);
	former = peer_of(world, B, A)->current;
	/* a renews the session; b does not hear of it by any packet yet, and goes on with the old one. */
	world->lost_kinds[A] = WORLD_LOST(WORLD_DATA) | WORLD_LOST(WORLD_KEEPALIVE);
	world_send(world, A, B, 1, 10);
	world_run(world, 0);
	ck_assert_ptr_nonnull(peer_of(world, B, A)->next);
	ck_assert_ptr_eq(peer_of(world, B, A)->current, former);
	world_send(world, B, A, 1, 10);
	world_run(world, 0);
	ck_assert_uint_eq(world->ends[A].delivered, 2);
	heal(world);
	ck_assert(world_connected(world, A, B));
	ck_assert_ptr_eq(peer_of(world, B, A)->previous, former);
	finish(world);
}
END_TEST

SUITE_MAIN("sessions of an engine", both_may_begin_at_once, both_agree_on_one_of_two_sessions,
	   lost_response_does_no_harm, late_packet_of_a_former_session_changes_nothing,
	   session_that_was_never_used_is_given_up, answer_ends_nothing_that_is_in_use,
	   former_session_is_spent_by_a_new_private_key_too, both_may_rekey_at_once,
	   their_handshake_replaces_ours, former_session_still_opens)
