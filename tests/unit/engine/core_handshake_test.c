/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* How sessions of two cores come about, and what must not make one. */
#include <string.h>

#include "core_bed.h"
#include "crypto/key.h"

#define S 1000 /* milliseconds */

START_TEST(first_packet_begins_a_handshake)
{
	World *world = strangers();
	uint64_t first = world_send(world, A, B, 100, 50);
	WorldEnd *b = &world->ends[B];
	world_run(world, 0);
	ck_assert_uint_eq(world_count(world, A, WORLD_INITIATION, 0), 1);
	ck_assert_uint_eq(world_count(world, B, WORLD_RESPONSE, 0), 1);
	ck_assert_uint_eq(world_count(world, A, WORLD_KEEPALIVE, 0), 0);
	ck_assert_uint_eq(b->delivered, 100);
	for (unsigned i = 0; i < 100; i++)
		ck_assert_uint_eq(g_array_index(b->delivered_ids, uint64_t, i), first + i);
	ck_assert_uint_eq(world->ends[A].handshaken, 1);
	ck_assert_uint_eq(b->handshaken, 1);
	finish(world);
}
END_TEST

START_TEST(responder_waits_for_the_first_packet)
{
	World *world = strangers();
	world->lost_kinds[A] = WORLD_LOST(WORLD_DATA);
	world_send(world, A, B, 1, 10);
	world_run(world, 0);
	WiceCorePeer *a = peer_of(world, B, A);
	ck_assert_ptr_null(a->current);
	ck_assert_ptr_nonnull(a->next);
	ck_assert_uint_eq(world->ends[B].handshaken, 0);
	/* Packets of its own wait, until it has a reason to begin a handshake itself. */
	world_send(world, B, A, 2, 10);
	ck_assert_uint_eq(world_count(world, B, WORLD_DATA, 0), 0);
	world_run(world, 4998);
	world_send(world, B, A, 1, 10);
	world_run(world, 1);
	ck_assert_uint_eq(world_count(world, B, WORLD_INITIATION, 0), 0);
	world_run(world, 1);
	ck_assert_uint_eq(world->ends[A].delivered, 3);
	finish(world);
}
END_TEST

START_TEST(empty_packet_confirms)
{
	World *world = strangers();
	world_set_peer(world, A, B,
		       (WicePeerChange){ .fields = WICE_PEER_HAS_KEEPALIVE, .keepalive_s = 25 });
	world_run(world, 0);
	ck_assert_uint_eq(world_count(world, A, WORLD_KEEPALIVE, 0), 1);
	ck_assert_ptr_nonnull(peer_of(world, B, A)->current);
	ck_assert_ptr_null(peer_of(world, B, A)->next);
	finish(world);
}
END_TEST

START_TEST(both_may_begin_at_once)
{
	World *world = strangers();
	World *slow = strangers();
	/* Both initiations are on their way before one arrives. */
	slow->max_delay_ms = world->max_delay_ms = 1;
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
	finish(slow);
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
	world_run(world, 121 * S);
	WiceCoreSession *former = peer_of(world, B, A)->current;
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

static void set_psk(World *world, int end, int peer, uint8_t byte)
{
	WicePeerChange change = { .fields = WICE_PEER_HAS_PRESHARED_KEY };
	memset(&change.preshared_key, byte, sizeof change.preshared_key);
	world_set_peer(world, end, peer, change);
}

START_TEST(preshared_keys_must_be_equal)
{
	World *world = strangers();
	set_psk(world, A, B, 1);
	world_send(world, A, B, 1, 10);
	world_run(world, 3 * S);
	ck_assert_uint_eq(world->ends[A].handshaken, 0);
	ck_assert_uint_eq(world_counters(world, A).bad_handshake, 1);
	/* The key that is set while a handshake is under way is the one that counts. */
	set_psk(world, B, A, 1);
	world_run(world, 3 * S);
	ck_assert_uint_eq(world->ends[B].delivered, 1);
	/* A new one leaves the session as it is, but for the next one it is needed. */
	set_psk(world, A, B, 2);
	ck_assert(world_connected(world, A, B));
	world_run(world, 130 * S);
	world_send(world, A, B, 1, 10);
	world_run(world, 2 * S);
	ck_assert_uint_eq(world->ends[A].handshaken, 1);
	set_psk(world, B, A, 2);
	world_run(world, 6 * S);
	ck_assert_uint_eq(world->ends[A].handshaken, 2);
	finish(world);
}
END_TEST

START_TEST(same_private_key_changes_nothing)
{
	World *world = friends();
	WiceKey key = world->ends[A].private_key;
	WiceCoreSession *session = peer_of(world, A, B)->current;
	world_set_key(world, A, &key);
	world_run(world, 0);
	ck_assert(world_connected(world, A, B));
	ck_assert_ptr_eq(peer_of(world, A, B)->current, session);
	ck_assert_uint_eq(world_count(world, -1, WORLD_INITIATION, 0), 1);
	finish(world);
}
END_TEST

START_TEST(new_private_key_needs_a_new_session_at_once)
{
	World *world = friends();
	WiceKey old_public = world->ends[A].public_key, key = { { 0, 1, 2, 3 } };
	WicePeerChange remove = { .flags = WICE_PEER_CHANGE_REMOVE, .public_key = old_public };
	WiceDeviceChange change = { .size = sizeof change, .n_peers = 1, .peers = &remove };
	wice__key_clamp(&key);
	world_set_key(world, A, &key);
	world_apply(world, B, &change);
	world_join(world, A, B);
	int64_t since = world->ms;
	/* Although the last handshake was a second ago. */
	world_send(world, A, B, 1, 10);
	world_run(world, 0);
	ck_assert_uint_eq(world_count(world, A, WORLD_INITIATION, since), 1);
	ck_assert_uint_eq(world->ends[B].delivered, 2);
	ck_assert(world_connected(world, A, B));
	finish(world);
}
END_TEST

START_TEST(session_that_waits_is_spent_by_a_new_private_key_too)
{
	World *world = strangers();
	WiceKey key = { { 0, 1, 2, 3 } };
	world->lost_kinds[A] = WORLD_LOST(WORLD_DATA);
	world_send(world, A, B, 1, 10);
	world_run(world, 0);
	ck_assert_ptr_nonnull(peer_of(world, B, A)->next);
	wice__key_clamp(&key);
	world_set_key(world, B, &key);
	heal(world);
	world_send(world, A, B, 1, 10);
	world_run(world, 0);
	/* It can be confirmed, but nothing is sent with it. */
	world_send(world, B, A, 1, 10);
	ck_assert_uint_eq(world_count(world, B, WORLD_DATA, 0), 0);
	finish(world);
}
END_TEST

START_TEST(own_key_is_no_peer)
{
	World *world = friends();
	WiceKey key = world->ends[B].private_key;
	world_set_key(world, A, &key);
	ck_assert_uint_eq(g_hash_table_size(world->ends[A].core->peers), 0);
	ck_assert_uint_eq(g_hash_table_size(world->ends[A].core->indices), 0);
	world_set_peer(world, A, A, (WicePeerChange){ 0 });
	ck_assert_uint_eq(g_hash_table_size(world->ends[A].core->peers), 0);
	finish(world);
}
END_TEST

START_TEST(without_a_private_key_nothing_is_sent)
{
	World *world = friends();
	WiceKey key = world->ends[A].private_key, none = { { 0 } };
	world_set_peer(world, A, B,
		       (WicePeerChange){ .fields = WICE_PEER_HAS_KEEPALIVE, .keepalive_s = 25 });
	world_run(world, 1 * S);
	world_set_key(world, A, &none);
	int64_t since = world->ms = world->ms + 1;
	world_send(world, A, B, 1, 10);
	world_run(world, 60 * S);
	for (WorldKind kind = WORLD_INITIATION; kind <= WORLD_OTHER; kind++)
		ck_assert_uint_eq(world_count(world, A, kind, since), 0);
	/* The old keys are not kept for ever. */
	world_run(world, 540 * S);
	ck_assert_ptr_null(peer_of(world, A, B)->current);
	/* What waits goes out when there is one. */
	world_send(world, A, B, 1, 10);
	since = world->ms;
	world_set_key(world, A, &key);
	world_run(world, 0);
	ck_assert_uint_eq(world_count(world, A, WORLD_INITIATION, since), 1);
	ck_assert_uint_ge(world_count(world, A, WORLD_DATA, since), 1);
	finish(world);
}
END_TEST

/* The last datagram of a kind that was sent. */
static const WorldDatagram *captured(const World *world, WiceMessageType type)
{
	for (guint i = world->captured->len; i-- > 0;) {
		const WorldDatagram *datagram = world->captured->pdata[i];
		if (wice__message_type(datagram->data, datagram->length) == type)
			return datagram;
	}
	ck_abort_msg("nothing was captured");
}

START_TEST(repeated_handshakes_are_refused)
{
	World *world = strangers();
	WiceEndpoint elsewhere = { { WICE_FAMILY_IPV4, { 198, 51, 100, 1 } }, 1, 0 };
	world->capture = true;
	ck_assert(world_connected(world, A, B));
	const WorldDatagram *initiation = captured(world, WICE_MESSAGE_INITIATION);
	const WorldDatagram *response = captured(world, WICE_MESSAGE_RESPONSE);
	world_run(world, 1 * S);
	WiceCoreSession *session = peer_of(world, B, A)->current;
	world_inject(world, B, &elsewhere, initiation->data, initiation->length);
	world_inject(world, A, &elsewhere, response->data, response->length);
	ck_assert_uint_eq(world_counters(world, A).bad_handshake, 1);
	ck_assert_uint_eq(world_counters(world, B).bad_handshake, 1);
	ck_assert_uint_eq(world_count(world, B, WORLD_RESPONSE, 0), 1);
	ck_assert_ptr_eq(peer_of(world, B, A)->current, session);
	ck_assert_ptr_null(peer_of(world, B, A)->next);
	ck_assert_uint_eq(world->ends[A].roamed + world->ends[B].roamed, 0);
	finish(world);
}
END_TEST

START_TEST(forged_handshakes_are_counted)
{
	World *world = strangers();
	world->capture = true;
	cut(world);
	world_send(world, A, B, 1, 10);
	world_run(world, 6 * S);
	WorldDatagram datagram = *captured(world, WICE_MESSAGE_INITIATION);
	for (uint32_t i = 4; i < datagram.length - 16; i += 9) {
		uint64_t before = world_counters(world, B).bad_handshake;
		datagram.data[i] ^= 1;
		world_inject(world, B, &datagram.from, datagram.data, datagram.length);
		datagram.data[i] ^= 1;
		ck_assert_uint_eq(world_counters(world, B).bad_handshake, before + 1);
	}
	ck_assert_ptr_null(peer_of(world, B, A)->next);
	world_inject(world, B, &datagram.from, datagram.data, datagram.length);
	ck_assert_ptr_nonnull(peer_of(world, B, A)->next);
	finish(world);
}
END_TEST

START_TEST(initiations_of_strangers_are_refused)
{
	World *world = world_new(1, 2);
	world_set_peer(world, A, B,
		       (WicePeerChange){ .fields = WICE_PEER_HAS_ENDPOINT,
					 .endpoint = world->ends[B].address });
	world_send(world, A, B, 1, 10);
	world_run(world, 1 * S);
	ck_assert_uint_eq(world_counters(world, B).bad_handshake, 1);
	ck_assert_uint_eq(world_count(world, B, WORLD_RESPONSE, 0), 0);
	finish(world);
}
END_TEST

START_TEST(initiations_are_answered_every_20_ms_at_most)
{
	World *world = strangers();
	for (int i = 0; i < 30; i++) {
		/* As if it were another program with the same key. */
		world_restart(world, A);
		world->ends[A].realtime_leap_ns += 1000000000;
		world_set_peer(world, A, B,
			       (WicePeerChange){ .fields = WICE_PEER_HAS_ENDPOINT,
						 .endpoint = world->ends[B].address });
		world_send(world, A, B, 1, 10);
		world_run(world, 10);
	}
	ck_assert_uint_eq(world_count(world, A, WORLD_INITIATION, 0), 30);
	ck_assert_uint_eq(world_count(world, B, WORLD_RESPONSE, 0), 15);
	finish(world);
}
END_TEST

/* Random numbers of which every index but the last is one that must not be. */
static uint32_t bad_indices[] = { 0, 0x42a41221, 7, 7, 8 };
static size_t bad_at;

static void bad_random(World *world, void *bytes, size_t n)
{
	if (n == sizeof(uint32_t) && bad_at < G_N_ELEMENTS(bad_indices))
		memcpy(bytes, &bad_indices[bad_at++], n);
	else
		for (size_t i = 0; i < n; i++)
			((uint8_t *)bytes)[i] = (uint8_t)g_rand_int(world->rand);
}

START_TEST(indices_are_neither_zero_nor_stun_nor_taken)
{
	World *world = world_new(1, 1);
	WiceIndexEntry first = { 0 }, second = { 0 };
	world->random = bad_random;
	wice__core_register(world->ends[A].core, &first);
	wice__core_register(world->ends[A].core, &second);
	ck_assert_uint_eq(first.index, 7);
	ck_assert_uint_eq(second.index, 8);
	wice__core_unregister(world->ends[A].core, &first);
	wice__core_unregister(world->ends[A].core, &second);
	finish(world);
}
END_TEST

START_TEST(key_of_low_order_gets_nowhere)
{
	World *world = strangers();
	WorldEnd *a = &world->ends[A];
	WiceAllowedIpChange ip = { { { WICE_FAMILY_IPV4, { 10, 0, 0, 9 } }, 32 }, false };
	WicePeerChange peer = {
		.fields = WICE_PEER_HAS_ENDPOINT | WICE_PEER_HAS_KEEPALIVE,
		.public_key = { { 1 } },
		.endpoint = world->ends[B].address,
		.keepalive_s = 1,
		.n_allowed_ips = 1,
		.allowed_ips = &ip,
	};
	WiceDeviceChange change = { .size = sizeof change, .n_peers = 1, .peers = &peer };
	world_apply(world, A, &change);
	for (int i = 0; i < 100; i++) {
		world_send(world, A, 8, 2, 10);
		ck_assert_int_gt(wice__core_deadline(a->core), world->ms);
		world_run(world, 100);
	}
	world_run(world, 60 * S);
	ck_assert_uint_eq(world_count(world, A, WORLD_INITIATION, 0), 0);
	ck_assert_uint_eq(world_counters(world, A).staged_dropped, 200);
	ck_assert(world_connected(world, A, B));
	finish(world);
}
END_TEST

START_TEST(realtime_may_go_backwards)
{
	World *world = friends();
	for (int i = 0; i < 5; i++) {
		world->ends[A].realtime_leap_ns -= INT64_C(3600000000000);
		world_run(world, 121 * S);
		ck_assert(world_connected(world, A, B));
	}
	ck_assert_uint_eq(world->ends[A].handshaken, 6);
	finish(world);
}
END_TEST

/* The answer may take as long as we wait for it. */
START_TEST(distant_peer_is_reached)
{
	for (uint32_t seed = 0; seed < 20; seed++) {
		World *world = world_new(seed, 2);
		world_join(world, A, B);
		world->max_delay_ms = 2500;
		world_send(world, A, B, 1, 10);
		world_run(world, 8 * S);
		ck_assert_uint_eq(world_count(world, A, WORLD_INITIATION, 0), 1);
		ck_assert_uint_eq(world->ends[B].delivered, 1);
		finish(world);
	}
}
END_TEST

START_TEST(restarted_peer_is_found_again)
{
	World *world = friends();
	world_run(world, 30 * S);
	world_restart(world, B);
	world_set_peer(world, B, A, (WicePeerChange){ 0 });
	int64_t since = world->ms;
	world_send(world, A, B, 1, 10);
	world_run(world, 16 * S);
	ck_assert_uint_eq(world_count(world, A, WORLD_INITIATION, since), 1);
	ck_assert_uint_eq(world_counters(world, B).unknown_index, 1);
	ck_assert(world_connected(world, A, B));
	finish(world);
}
END_TEST

SUITE_MAIN("handshakes of an engine", both_agree_on_one_of_two_sessions, lost_response_does_no_harm,
	   distant_peer_is_reached, first_packet_begins_a_handshake,
	   responder_waits_for_the_first_packet, empty_packet_confirms, both_may_begin_at_once,
	   both_may_rekey_at_once, their_handshake_replaces_ours, former_session_still_opens,
	   preshared_keys_must_be_equal, same_private_key_changes_nothing,
	   new_private_key_needs_a_new_session_at_once,
	   session_that_waits_is_spent_by_a_new_private_key_too, own_key_is_no_peer,
	   without_a_private_key_nothing_is_sent, repeated_handshakes_are_refused,
	   forged_handshakes_are_counted, initiations_of_strangers_are_refused,
	   initiations_are_answered_every_20_ms_at_most,
	   indices_are_neither_zero_nor_stun_nor_taken, key_of_low_order_gets_nowhere,
	   realtime_may_go_backwards, restarted_peer_is_found_again)
