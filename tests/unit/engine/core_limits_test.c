/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* What is bounded: memory, counters of sessions, and the work that strangers can ask for. */
#include <errno.h>
#include <string.h>

#include "core_bed.h"

#define S 1000 /* milliseconds */

START_TEST(oldest_staged_packets_give_way)
{
	World *world = strangers();
	cut(world);
	uint64_t first = world_send(world, A, B, 150, 100);
	ck_assert_uint_eq(peer_of(world, A, B)->staged.length, 128);
	ck_assert_uint_eq(world_counters(world, A).staged_dropped, 22);
	heal(world);
	world_run(world, 6 * S);
	ck_assert_uint_eq(world->ends[B].delivered, 128);
	for (guint i = 0; i < 128; i++)
		ck_assert_uint_eq(g_array_index(world->ends[B].delivered_ids, uint64_t, i),
				  first + 22 + i);
	ck_assert_uint_eq(world->ends[A].core->staged_bytes, 0);
	finish(world);
}
END_TEST

/* An interface with many peers, none of which answers. */
static void add_silent_peers(World *world, int n)
{
	for (int i = 0; i < n; i++) {
		WiceAllowedIpChange ip = {
			{ { WICE_FAMILY_IPV4, { 10, 0, 0, (uint8_t)(i + 3) } }, 32 }, false
		};
		WicePeerChange peer = {
			.fields = WICE_PEER_HAS_ENDPOINT,
			.endpoint = { { WICE_FAMILY_IPV4, { 203, 0, 113, 1 } }, 1, 0 },
			.n_allowed_ips = 1,
			.allowed_ips = &ip,
		};
		WiceDeviceChange change = { .size = sizeof change, .n_peers = 1, .peers = &peer };
		peer.public_key.bytes[0] = 9;
		peer.public_key.bytes[1] = (uint8_t)i;
		world_apply(world, A, &change);
	}
}

START_TEST(staged_bytes_of_all_peers_are_bounded)
{
	World *world = strangers();
	WiceCore *core = world->ends[A].core;
	cut(world);
	add_silent_peers(world, 4);
	for (int i = 0; i < 4; i++)
		world_send(world, A, i + 2, 128, 60000);
	ck_assert_uint_le(core->staged_bytes, 16 << 20);
	ck_assert_uint_ge(core->staged_bytes, (16 << 20) - 61000);
	ck_assert_uint_gt(world_counters(world, A).staged_dropped, 0);
	/* Who has nothing staged gets no room, but those who have renew theirs. */
	world_send(world, A, B, 1, 60000);
	ck_assert_uint_eq(peer_of(world, A, B)->staged.length, 0);
	world_run(world, 110 * S);
	ck_assert_uint_eq(core->staged_bytes, 0);
	finish(world);
}
END_TEST

START_TEST(session_with_many_messages_is_followed)
{
	World *world = friends();
	WiceCorePeer *peer = peer_of(world, A, B);
	world_run(world, 5 * S);
	int64_t since = world->ms;
	peer->current->counter = REKEY_AFTER_MESSAGES;
	world_send(world, A, B, 1, 10);
	world_run(world, 0);
	ck_assert_uint_eq(world_count(world, A, WORLD_INITIATION, since), 1);
	ck_assert_uint_lt(peer->current->counter, 10);
	ck_assert(world_connected(world, A, B));
	finish(world);
}
END_TEST

START_TEST(responder_follows_a_session_with_many_messages_too)
{
	World *world = friends();
	world_run(world, 5 * S);
	peer_of(world, B, A)->current->counter = REKEY_AFTER_MESSAGES;
	world_send(world, B, A, 1, 10);
	world_run(world, 0);
	ck_assert_uint_eq(world_count(world, B, WORLD_INITIATION, 0), 1);
	finish(world);
}
END_TEST

START_TEST(counters_do_not_come_near_their_end)
{
	World *world = friends();
	WiceCorePeer *peer = peer_of(world, A, B);
	world_run(world, 5 * S);
	world->lost_kinds[A] = WORLD_LOST(WORLD_INITIATION);
	peer->current->counter = WICE_REJECT_AFTER_MESSAGES - 65536 - 2;
	int64_t since = world->ms;
	world_send(world, A, B, 4, 10);
	world_send(world, A, B, 4, 10);
	ck_assert_uint_eq(world_count(world, A, WORLD_DATA, since), 4);
	ck_assert_uint_lt(peer->current->counter, WICE_REJECT_AFTER_MESSAGES);
	ck_assert_uint_eq(peer->staged.length, 4);
	heal(world);
	world_run(world, 6 * S);
	ck_assert_uint_eq(world->ends[B].delivered, 9);
	finish(world);
}
END_TEST

START_TEST(counters_beyond_the_end_are_refused)
{
	World *world = friends();
	WiceCoreSession *session = peer_of(world, A, B)->current;
	uint8_t memory[WICE_PACKET_HEADROOM + 100 + WICE_PACKET_TAILROOM] = { 0 };
	WicePacket packet = { memory + WICE_PACKET_HEADROOM, 100 };
	WiceBindPacket sealed;
	session->counter = WICE_REJECT_AFTER_MESSAGES;
	wice__session_seal(session, world->ends[A].core->aead, 1420, &packet, 1, &sealed);
	world_inject(world, B, &world->ends[A].address, sealed.data, sealed.length);
	ck_assert_uint_eq(world_counters(world, B).replayed, 1);
	finish(world);
}
END_TEST

START_TEST(order_of_arrival_does_not_matter_within_the_window)
{
	World *world = friends();
	world->max_delay_ms = 1000;
	for (int i = 0; i < 20; i++)
		world_send(world, A, B, 100, 10);
	world_run(world, 1000);
	ck_assert_uint_eq(world->ends[B].delivered, 2001);
	ck_assert_uint_eq(world_counters(world, B).replayed, 0);
	finish(world);
}
END_TEST

START_TEST(under_load_senders_prove_where_they_are)
{
	World *world = strangers();
	world->ends[B].under_load = true;
	world_send(world, A, B, 1, 10);
	world_run(world, 1 * S);
	ck_assert_uint_eq(world_count(world, B, WORLD_COOKIE, 0), 1);
	ck_assert_uint_eq(world_count(world, B, WORLD_RESPONSE, 0), 0);
	ck_assert_uint_eq(world_counters(world, B).cookies_sent, 1);
	/* With the next attempt the cookie is there. */
	world_run(world, 5 * S);
	ck_assert_uint_eq(world_count(world, A, WORLD_INITIATION, 0), 2);
	ck_assert_uint_eq(world->ends[B].delivered, 1);
	ck_assert_uint_eq(world_counters(world, B).cookies_sent, 1);
	finish(world);
}
END_TEST

START_TEST(both_may_be_under_load)
{
	World *world = strangers();
	world->ends[A].under_load = world->ends[B].under_load = true;
	world_send(world, A, B, 1, 10);
	world_run(world, 20 * S);
	ck_assert_uint_eq(world_counters(world, A).cookies_sent, 1);
	ck_assert_uint_eq(world_counters(world, B).cookies_sent, 1);
	ck_assert_uint_eq(world->ends[B].delivered, 1);
	finish(world);
}
END_TEST

START_TEST(cookies_are_used_for_two_minutes)
{
	World *world = strangers();
	world->ends[B].under_load = true;
	world_send(world, A, B, 1, 10);
	world_run(world, 100 * S);
	ck_assert_uint_eq(world_counters(world, B).cookies_sent, 1);
	peer_of(world, A, B)->current->counter = REKEY_AFTER_MESSAGES;
	world_send(world, A, B, 1, 10);
	world_run(world, 1 * S);
	ck_assert_uint_eq(world_counters(world, B).cookies_sent, 1);
	ck_assert_uint_eq(world->ends[A].handshaken, 2);
	world_run(world, 20 * S);
	peer_of(world, A, B)->current->counter = REKEY_AFTER_MESSAGES;
	world_send(world, A, B, 1, 10);
	world_run(world, 6 * S);
	ck_assert_uint_eq(world_counters(world, B).cookies_sent, 2);
	ck_assert_uint_eq(world->ends[A].handshaken, 3);
	finish(world);
}
END_TEST

START_TEST(counters_have_64_bits)
{
	World *world = friends();
	peer_of(world, A, B)->current->counter = UINT32_MAX - 5;
	world_send(world, A, B, 10, 10);
	world_run(world, 0);
	ck_assert_uint_eq(world->ends[B].delivered, 11);
	ck_assert_uint_eq(peer_of(world, B, A)->current->replay.greatest,
			  (uint64_t)UINT32_MAX - 5 + 10);
	finish(world);
}
END_TEST

START_TEST(cookie_of_another_address_is_worth_nothing)
{
	World *world = strangers();
	world->ends[B].under_load = true;
	world_send(world, A, B, 1, 10);
	world_run(world, 1 * S);
	/* Another port is another address. */
	world->ends[A].address.port++;
	world_run(world, 5 * S);
	ck_assert_uint_eq(world_counters(world, B).cookies_sent, 2);
	ck_assert_uint_eq(world_count(world, B, WORLD_RESPONSE, 0), 0);
	world_run(world, 6 * S);
	ck_assert_uint_eq(world->ends[B].delivered, 1);
	finish(world);
}
END_TEST

START_TEST(forged_cookies_are_refused)
{
	World *world = strangers();
	WorldDatagram *cookie = NULL;
	world->ends[B].under_load = true;
	world->capture = true;
	world->lost_kinds[B] = WORLD_LOST(WORLD_COOKIE);
	world_send(world, A, B, 1, 10);
	world_run(world, 1 * S);
	cookie = world->captured->pdata[world->captured->len - 1];
	ck_assert_uint_eq(cookie->length, sizeof(WiceMessageCookie));
	cookie->data[40] ^= 1;
	world_inject(world, A, &cookie->from, cookie->data, cookie->length);
	ck_assert(!peer_of(world, A, B)->cookie.has_cookie);
	cookie->data[40] ^= 1;
	cookie->data[4] ^= 1;
	world_inject(world, A, &cookie->from, cookie->data, cookie->length);
	ck_assert(!peer_of(world, A, B)->cookie.has_cookie);
	ck_assert_uint_eq(world_counters(world, A).bad_handshake, 2);
	cookie->data[4] ^= 1;
	world_inject(world, A, &cookie->from, cookie->data, cookie->length);
	ck_assert(peer_of(world, A, B)->cookie.has_cookie);
	finish(world);
}
END_TEST

START_TEST(under_load_an_address_gets_20_handshakes_a_second)
{
	World *world = strangers();
	WorldDatagram *initiation = NULL;
	WiceCore *b = world->ends[B].core;
	world->ends[B].under_load = true;
	world->capture = true;
	world_send(world, A, B, 1, 10);
	world_run(world, 6 * S);
	for (guint i = 0; i < world->captured->len; i++) {
		WorldDatagram *datagram = world->captured->pdata[i];
		if (datagram->length == sizeof(WiceMessageInitiation))
			initiation = datagram;
	}
	/* One of the five at once is used up; the rest are replays that cost an X25519 each. */
	for (int i = 0; i < 20; i++)
		world_inject(world, B, &initiation->from, initiation->data, initiation->length);
	ck_assert_uint_ge(world_counters(world, B).rate_limited, 15);
	ck_assert_uint_le(world_counters(world, B).bad_handshake, 5);
	ck_assert_uint_eq(
		world_counters(world, B).rate_limited + world_counters(world, B).bad_handshake, 20);
	/* The address is forgotten in the end. */
	world->ends[B].under_load = false;
	world_run(world, 5 * S);
	ck_assert_int_eq(b->limit_ms, INT64_MAX);
	finish(world);
}
END_TEST

START_TEST(idle_peer_is_small)
{
	World *world = friends();
	/* With what GLib's table and the trie need for each. */
	ck_assert_uint_le(sizeof(WiceCorePeer) + 2 * 64 + 2 * 3 * sizeof(void *), 1536);
	world_run(world, 600 * S);
	WiceCorePeer *peer = peer_of(world, A, B);
	ck_assert_ptr_null(peer->current);
	ck_assert_ptr_null(peer->previous);
	ck_assert_ptr_null(peer->next);
	ck_assert_ptr_null(peer->handshake);
	finish(world);

	/* The costly things come when they are needed. */
	world = strangers();
	ck_assert(!peer_of(world, A, B)->noise.has_static_static);
	ck_assert_ptr_null(peer_of(world, A, B)->handshake);
	finish(world);
}
END_TEST

START_TEST(too_many_peers_are_refused)
{
	World *world = friends();
	g_autofree WicePeerChange *peers = g_new0(WicePeerChange, MAX_PEERS + 1);
	WiceDeviceChange change = { .size = sizeof change, .n_peers = MAX_PEERS, .peers = peers };
	/* The same one so many times, which there is, is fine; one more than there may be is not. */
	for (size_t i = 0; i < MAX_PEERS; i++) {
		peers[i].public_key = world->ends[B].public_key;
		peers[i].flags = WICE_PEER_CHANGE_UPDATE_ONLY;
	}
	ck_assert_int_eq(world_apply(world, A, &change), 0);
	for (size_t i = 0; i < MAX_PEERS; i++)
		memcpy(&peers[i].public_key, &i, sizeof i);
	ck_assert_int_eq(world_apply(world, A, &change), -E2BIG);
	ck_assert_uint_eq(g_hash_table_size(world->ends[A].core->peers), 1);
	ck_assert(world_connected(world, A, B));
	finish(world);
}
END_TEST

SUITE_MAIN("limits of an engine", cookies_are_used_for_two_minutes, counters_have_64_bits,
	   oldest_staged_packets_give_way, staged_bytes_of_all_peers_are_bounded,
	   session_with_many_messages_is_followed,
	   responder_follows_a_session_with_many_messages_too, counters_do_not_come_near_their_end,
	   counters_beyond_the_end_are_refused, order_of_arrival_does_not_matter_within_the_window,
	   under_load_senders_prove_where_they_are, both_may_be_under_load,
	   cookie_of_another_address_is_worth_nothing, forged_cookies_are_refused,
	   under_load_an_address_gets_20_handshakes_a_second, idle_peer_is_small,
	   too_many_peers_are_refused)
