/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Where packets go to and come from: endpoints, roaming, allowed IPs; and what is dropped for what. */
#include <string.h>

#include "core_bed.h"

static const WiceEndpoint elsewhere = { { WICE_FAMILY_IPV4, { 198, 51, 100, 1 } }, 4000, 0 };

static bool is_at(World *world, int end, int peer, const WiceEndpoint *address)
{
	WiceDevicePeer read = world_read_peer(world, end, peer);
	return wice_endpoint_compare(&read.endpoint, address) == 0;
}

START_TEST(data_makes_a_peer_roam)
{
	World *world = friends();
	world_move(world, A, &elsewhere);
	world_send(world, A, B, 1, 10);
	world_run(world, 0);
	ck_assert_uint_eq(world->ends[B].delivered, 2);
	ck_assert_uint_eq(world->ends[B].roamed, 1);
	ck_assert(is_at(world, B, A, &elsewhere));
	ck_assert(world_connected(world, A, B));
	finish(world);
}
END_TEST

START_TEST(keepalives_make_a_peer_roam)
{
	World *world = friends();
	world_run(world, 30000);
	world_move(world, A, &elsewhere);
	world_set_peer(world, A, B,
		       (WicePeerChange){ .fields = WICE_PEER_HAS_KEEPALIVE, .keepalive_s = 25 });
	world_run(world, 0);
	ck_assert(is_at(world, B, A, &elsewhere));
	finish(world);
}
END_TEST

START_TEST(handshakes_make_a_peer_roam)
{
	World *world = friends();
	world_run(world, 600000);
	world_move(world, A, &elsewhere);
	world->lost_kinds[A] = WORLD_LOST(WORLD_DATA);
	int64_t since = world->ms;
	world_send(world, A, B, 1, 10);
	world_run(world, 0);
	ck_assert(is_at(world, B, A, &elsewhere));
	ck_assert_int_eq(world_sent_at(world, B, WORLD_RESPONSE, since, 0), 0);
	/* And with a response. */
	ck_assert(is_at(world, A, B, &world->ends[B].address));
	finish(world);
}
END_TEST

START_TEST(the_last_packet_tells_where_a_peer_is)
{
	World *world = friends();
	WiceEndpoint home = world->ends[A].address;
	for (int i = 0; i < 10; i++) {
		world_move(world, A, i % 2 ? &home : &elsewhere);
		world_send(world, A, B, 1, 10);
	}
	/* All of them arrive in one batch. */
	world_run(world, 0);
	ck_assert_uint_eq(world->ends[B].delivered, 11);
	ck_assert(is_at(world, B, A, &home));
	finish(world);
}
END_TEST

START_TEST(forged_and_repeated_packets_make_nobody_roam)
{
	World *world = strangers();
	WorldDatagram *datagram;
	world->capture = true;
	ck_assert(world_connected(world, A, B));
	for (guint i = 0; i < world->captured->len; i++) {
		datagram = world->captured->pdata[i];
		world_inject(world, A, &elsewhere, datagram->data, datagram->length);
		world_inject(world, B, &elsewhere, datagram->data, datagram->length);
		datagram->data[datagram->length - 1] ^= 1;
		world_inject(world, A, &elsewhere, datagram->data, datagram->length);
		world_inject(world, B, &elsewhere, datagram->data, datagram->length);
	}
	ck_assert_uint_eq(world->ends[A].roamed + world->ends[B].roamed, 0);
	ck_assert(world_connected(world, A, B));
	finish(world);
}
END_TEST

START_TEST(cookies_make_nobody_roam)
{
	World *world = strangers();
	world->ends[B].under_load = true;
	world->lost_kinds[B] = WORLD_LOST(WORLD_COOKIE);
	world->capture = true;
	world_send(world, A, B, 1, 10);
	world_run(world, 0);
	const WorldDatagram *cookie = world->captured->pdata[world->captured->len - 1];
	world_inject(world, A, &elsewhere, cookie->data, cookie->length);
	ck_assert(peer_of(world, A, B)->cookie.has_cookie);
	ck_assert(is_at(world, A, B, &world->ends[B].address));
	ck_assert_uint_eq(world->ends[A].roamed, 0);
	ck_assert_uint_eq(world_read_peer(world, A, B).rx_bytes, 0);
	finish(world);
}
END_TEST

START_TEST(endpoint_can_be_set)
{
	World *world = friends();
	world_move(world, B, &elsewhere);
	world_set_peer(world, A, B,
		       (WicePeerChange){ .fields = WICE_PEER_HAS_ENDPOINT, .endpoint = elsewhere });
	ck_assert(is_at(world, A, B, &elsewhere));
	ck_assert(world_connected(world, A, B));
	finish(world);
}
END_TEST

START_TEST(without_an_endpoint_packets_are_dropped)
{
	World *world = world_new(1, 2);
	world_join(world, A, B);
	world_remove_peer(world, B, A);
	world_set_peer(world, B, A, (WicePeerChange){ 0 });
	world_send(world, B, A, 5, 10);
	world_run(world, 60000);
	ck_assert_uint_eq(world_counters(world, B).no_endpoint, 5);
	ck_assert_uint_eq(world->log->len, 0);
	ck_assert_int_eq(wice__core_deadline(world->ends[B].core), INT64_MAX);
	/* It is learnt from the peer. */
	ck_assert(world_connected(world, A, B));
	finish(world);
}
END_TEST

START_TEST(keepalives_begin_with_the_endpoint)
{
	World *world = world_new(1, 2);
	world_join(world, A, B);
	world_remove_peer(world, A, B);
	world_set_peer(world, A, B,
		       (WicePeerChange){ .fields = WICE_PEER_HAS_KEEPALIVE, .keepalive_s = 25 });
	world_run(world, 60000);
	ck_assert_uint_eq(world->log->len, 0);
	world_set_peer(world, A, B,
		       (WicePeerChange){ .fields = WICE_PEER_HAS_ENDPOINT,
					 .endpoint = world->ends[B].address });
	world_run(world, 0);
	ck_assert_uint_eq(world->ends[B].handshaken, 1);
	finish(world);
}
END_TEST

START_TEST(source_that_is_gone_is_cleared)
{
	World *world = friends();
	WorldEnd *a = &world->ends[A];
	ck_assert_int_eq(peer_of(world, A, B)->path.local.family, WICE_FAMILY_IPV4);
	world_move(world, A, &elsewhere);
	world_send(world, A, B, 1, 10);
	ck_assert_uint_eq(a->sources_cleared, 1);
	ck_assert_int_eq(peer_of(world, A, B)->path.local.family, WICE_FAMILY_NONE);
	world_send(world, A, B, 1, 10);
	ck_assert_uint_eq(a->sources_cleared, 1);
	world_run(world, 0);
	world_send(world, B, A, 1, 10);
	world_run(world, 0);
	ck_assert_int_eq(peer_of(world, A, B)->path.local.family, WICE_FAMILY_IPV4);
	/* What control sends finds out, too. */
	world_move(world, A, &(WiceEndpoint){ { WICE_FAMILY_IPV4, { 203, 0, 113, 1 } }, 1, 0 });
	world_run(world, 11000);
	ck_assert_uint_eq(a->sources_cleared, 2);
	ck_assert_int_eq(peer_of(world, A, B)->path.local.family, WICE_FAMILY_NONE);
	finish(world);
}
END_TEST

START_TEST(doubt_clears_the_source)
{
	World *world = friends();
	world_run(world, 30000);
	cut(world);
	world_send(world, A, B, 1, 10);
	ck_assert_int_eq(peer_of(world, A, B)->path.local.family, WICE_FAMILY_IPV4);
	world_run(world, 15400);
	ck_assert_int_eq(peer_of(world, A, B)->path.local.family, WICE_FAMILY_NONE);
	ck_assert_uint_eq(world->ends[A].roamed, 0);
	finish(world);
}
END_TEST

START_TEST(rerouting_asks_for_paths_again)
{
	World *world = friends();
	ck_assert_uint_eq(peer_of(world, A, B)->path.ifindex, 1);
	wice__core_reroute(world->ends[A].core);
	ck_assert_uint_eq(peer_of(world, A, B)->path.ifindex, 0);
	ck_assert(is_at(world, A, B, &world->ends[B].address));
	ck_assert_uint_eq(world->ends[A].roamed, 0);
	ck_assert(world_connected(world, A, B));
	finish(world);
}
END_TEST

START_TEST(removed_peer_is_gone_with_its_packets)
{
	World *world = friends();
	world->max_delay_ms = 10;
	world_send(world, A, B, 5, 10);
	world_remove_peer(world, B, A);
	world_run(world, 20);
	ck_assert_uint_eq(world->ends[B].delivered, 1);
	ck_assert_uint_eq(world_counters(world, B).unknown_index, 5);
	world_send(world, B, A, 2, 10);
	ck_assert_uint_eq(world_counters(world, B).no_peer, 2);
	ck_assert_int_eq(wice__core_deadline(world->ends[B].core), INT64_MAX);
	finish(world);
}
END_TEST

START_TEST(peer_that_is_removed_during_a_handshake_is_gone)
{
	World *world = strangers();
	world->max_delay_ms = 10;
	world_send(world, A, B, 5, 10);
	world_remove_peer(world, A, B);
	world_run(world, 100000);
	ck_assert_uint_eq(world_counters(world, A).staged_dropped, 5);
	ck_assert_uint_eq(world_counters(world, A).bad_handshake, 1);
	ck_assert_uint_eq(world->ends[A].core->staged_bytes, 0);
	finish(world);
}
END_TEST

START_TEST(moved_allowed_ips_take_effect_at_once)
{
	World *world = world_new(1, 3);
	WiceAllowedIpChange ip = { { { WICE_FAMILY_IPV4, { 10, 0, 0, 2 } }, 32 }, false };
	WicePeerChange take = { .n_allowed_ips = 1, .allowed_ips = &ip };
	world_join(world, A, B);
	world_join(world, A, C);
	ck_assert(world_connected(world, A, B));
	ck_assert(world_connected(world, A, C));
	world_set_peer(world, A, C, take);
	/* What b sends is refused from now on. */
	world_send(world, B, A, 3, 10);
	world_run(world, 0);
	ck_assert_uint_eq(world_counters(world, A).spoofed, 3);
	ck_assert_uint_eq(world->ends[A].delivered, 2);
	world_set_peer(world, A, B, take);
	ck_assert(world_connected(world, A, B));
	ip.remove = true;
	world_set_peer(world, A, B, take);
	world_send(world, A, B, 1, 10);
	ck_assert_uint_eq(world_counters(world, A).no_peer, 1);
	finish(world);
}
END_TEST

/* What a's system makes of a message for b whose endpoint it routes into the tunnel. Its length. */
static uint32_t wrap(const World *world, bool ipv6, bool fragment, const WorldDatagram *message,
		     uint8_t *ret_packet)
{
	static const uint8_t ipv4_head[20] = { 0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 192, 0, 2, 1 };
	static const uint8_t ipv6_head[40] = { 0x60, 0, 0, 0, 0, 0, 17, 64 };
	static const uint8_t part[8] = { 17, 0, 0, 1 };
	const WiceEndpoint *to = &world->ends[B].address;
	uint32_t head = ipv6 ? 40 : 20, length;
	memcpy(ret_packet, ipv6 ? ipv6_head : ipv4_head, head);
	memcpy(ret_packet + (ipv6 ? 24 : 16), to->address.bytes, ipv6 ? 16 : 4);
	uint8_t *udp = ret_packet + head;
	if (fragment && ipv6) {
		ret_packet[6] = 44;
		memcpy(udp, part, 8);
		udp += 8;
	} else if (fragment) {
		ret_packet[6] = 0x20;
	}
	memset(udp, 0, 8);
	udp[2] = (uint8_t)(to->port >> 8);
	udp[3] = (uint8_t)to->port;
	memcpy(udp + 8, message->data, message->length);
	length = (uint32_t)(udp - ret_packet) + 8 + message->length;
	if (ipv6) {
		ret_packet[4] = (uint8_t)((length - 40) >> 8);
		ret_packet[5] = (uint8_t)(length - 40);
	} else {
		ret_packet[2] = (uint8_t)(length >> 8);
		ret_packet[3] = (uint8_t)length;
	}
	return length;
}

static void check_loop(bool ipv6, bool fragment)
{
	World *world = world_new(1, 2);
	WiceAllowedIpChange ip = { { world->ends[B].address.address, 32 }, false };
	uint8_t packet[2000];
	if (ipv6) {
		world->ends[B].address.address = (WiceAddress){ WICE_FAMILY_IPV6, { 0xfd, 9 } };
		ip.prefix = (WicePrefix){ world->ends[B].address.address, 128 };
	}
	world_join(world, A, B);
	ck_assert(world_connected(world, A, B));
	world_set_peer(world, A, B, (WicePeerChange){ .n_allowed_ips = 1, .allowed_ips = &ip });
	world->capture = true;
	world_send(world, A, B, 1, 10);
	world_run(world, 0);
	WorldDatagram *message = world->captured->pdata[world->captured->len - 1];
	uint32_t port = ipv6 ? fragment ? 51 : 43 : 23;

	uint32_t length = wrap(world, ipv6, fragment, message, packet);
	world_send_raw(world, A, packet, length);
	ck_assert_uint_eq(world_counters(world, A).no_peer, 1);
	/* To another port, for another session, no data: it is somebody else's. */
	packet[port] ^= 1;
	world_send_raw(world, A, packet, length);
	packet[port] ^= 1;
	packet[port + 9] ^= 1;
	world_send_raw(world, A, packet, length);
	packet[port + 9] ^= 1;
	packet[port + 5] ^= 1;
	world_send_raw(world, A, packet, length);
	ck_assert_uint_eq(world_counters(world, A).no_peer, 1);
	finish(world);
}

START_TEST(what_comes_back_into_the_tunnel_is_dropped)
{
	for (int i = 0; i < 4; i++)
		check_loop(i & 1, i & 2);
}
END_TEST

START_TEST(lengths_are_padded_but_not_above_the_mtu)
{
	static const struct {
		uint32_t mtu, length, sealed;
	} cases[] = {
		{ 1420, 28, 32 },     { 1420, 32, 32 },     { 1420, 33, 48 },  { 1420, 1408, 1408 },
		{ 1420, 1409, 1420 }, { 1420, 1420, 1420 }, { 0, 1409, 1424 }, { 1424, 1409, 1424 },
		{ 68, 65, 68 },       { 68, 69, 80 },
	};
	World *world = friends();

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		int64_t since = world->ms = world->ms + 1;
		wice__core_set_mtu(world->ends[A].core, cases[i].mtu);
		world_send(world, A, B, 1, cases[i].length - 20);
		world_run(world, 0);
		ck_assert_uint_eq(world_count(world, A, WORLD_DATA, since), 1);
		ck_assert_uint_eq(g_array_index(world->log, WorldSent, world->log->len - 1).length,
				  cases[i].sealed + 32);
		ck_assert_uint_eq(world->ends[B].delivered, i + 2);
	}
	finish(world);
}
END_TEST

START_TEST(what_is_no_packet_is_not_sent)
{
	World *world = friends();
	uint8_t packet[100] = { 0x45, 0, 0, 100 };
	uint64_t dropped = 0;
	memcpy(packet + 12, (uint8_t[]){ 10, 0, 0, 1, 10, 0, 0, 2 }, 8);
	for (uint32_t length = 0; length < 100; length += 9) {
		world_send_raw(world, A, packet, length);
		ck_assert_uint_eq(world_counters(world, A).no_peer, ++dropped);
	}
	packet[0] = 0x55;
	world_send_raw(world, A, packet, 100);
	packet[0] = 0x65;
	world_send_raw(world, A, packet, 100);
	packet[0] = 0x45;
	packet[19] = 77;
	world_send_raw(world, A, packet, 100);
	ck_assert_uint_eq(world_counters(world, A).no_peer, dropped + 3);
	finish(world);
}
END_TEST

START_TEST(what_comes_must_be_the_peers)
{
	World *world = friends();
	uint8_t packet[100] = { 0x45, 0, 0, 100 };
	/* From nobody's address. */
	memcpy(packet + 12, (uint8_t[]){ 10, 0, 0, 9, 10, 0, 0, 2 }, 8);
	world_send_raw(world, A, packet, 100);
	world_run(world, 0);
	ck_assert_uint_eq(world_counters(world, B).spoofed, 1);
	ck_assert_uint_eq(world_counters(world, B).not_ip, 0);
	ck_assert_uint_eq(world->ends[B].delivered, 1);
	finish(world);
}
END_TEST

START_TEST(a_batch_may_be_for_several_peers)
{
	static const uint8_t to[] = { 2, 3, 3, 9, 2, 2, 3 };
	World *world = world_new(1, 3);
	uint8_t memory[G_N_ELEMENTS(to)][WICE_PACKET_HEADROOM + 40 + WICE_PACKET_TAILROOM];
	WicePacket packets[G_N_ELEMENTS(to)];
	const WiceLaneRun *runs;
	world_join(world, A, B);
	world_join(world, A, C);
	ck_assert(world_connected(world, A, B));
	ck_assert(world_connected(world, A, C));
	for (size_t i = 0; i < G_N_ELEMENTS(to); i++) {
		packets[i] = (WicePacket){ memory[i] + WICE_PACKET_HEADROOM, 40 };
		memset(packets[i].data, 0, 40);
		packets[i].data[0] = 0x45;
		packets[i].data[3] = 40;
		memcpy(packets[i].data + 16, (uint8_t[]){ 10, 0, 0, to[i] }, 4);
	}
	ck_assert_uint_eq(wice__lane_seal(world->ends[A].outbound, packets, G_N_ELEMENTS(to),
					  world->ms, &runs),
			  2);
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(runs[i].n, 3);
		ck_assert_int_eq(
			wice_endpoint_compare(&runs[i].path.remote, &world->ends[i + 1].address),
			0);
	}
	/* In their order. */
	ck_assert_ptr_eq(runs[0].packets[1].data, packets[4].data - WICE_MESSAGE_HEADER_LEN);
	ck_assert_ptr_eq(runs[1].packets[2].data, packets[6].data - WICE_MESSAGE_HEADER_LEN);
	ck_assert_uint_eq(world_counters(world, A).no_peer, 1);
	wice__lane_report(world->ends[A].outbound, world_now(world, &world->ends[A]));
	finish(world);
}
END_TEST

/* The most specific prefix decides whose an address is, and not whether one of the sender's fits. */
START_TEST(source_must_be_the_peers_by_the_longest_prefix)
{
	World *world = world_new(1, 3);
	WiceAllowedIpChange wide = { { { WICE_FAMILY_IPV4, { 10, 0, 0, 0 } }, 24 }, false };
	uint8_t packet[100] = { 0x45, 0, 0, 100 };
	world_join(world, A, B);
	world_join(world, C, B);
	world_set_peer(world, B, A, (WicePeerChange){ .n_allowed_ips = 1, .allowed_ips = &wide });
	ck_assert(world_connected(world, A, B));
	memcpy(packet + 12, (uint8_t[]){ 10, 0, 0, 3, 10, 0, 0, 2 }, 8);
	world_send_raw(world, A, packet, 100);
	world_run(world, 0);
	ck_assert_uint_eq(world_counters(world, B).spoofed, 1);
	ck_assert(world_connected(world, C, B));
	finish(world);
}
END_TEST

START_TEST(ipv6_packets_are_carried)
{
	World *world = friends();
	WorldEnd *b = &world->ends[B];
	WiceAllowedIpChange ip = { { { WICE_FAMILY_IPV6, { 0xfd, 1 } }, 64 }, false };
	WicePeerChange change = { .n_allowed_ips = 1, .allowed_ips = &ip };
	uint8_t packet[100] = { 0x60, 0, 0, 0, 0, 60 };
	WiceBindDatagram datagram = { 0 };
	WicePacket *packets;
	world_set_peer(world, A, B, change);
	world_set_peer(world, B, A, change);
	memcpy(packet + 8, (uint8_t[]){ 0xfd, 1 }, 2);
	memcpy(packet + 24, (uint8_t[]){ 0xfd, 1 }, 2);
	world->capture = true;
	cut(world);
	world_send_raw(world, A, packet, 100);
	WorldDatagram *sealed = world->captured->pdata[0];
	datagram.data = sealed->data;
	datagram.length = sealed->length;
	datagram.path.remote = sealed->from;
	ck_assert_uint_eq(
		wice__lane_open(b->inbound, &datagram, 1, world->ms, NULL, NULL, &packets), 1);
	ck_assert_uint_eq(packets[0].length, 100);
	ck_assert_mem_eq(packets[0].data, packet, 100);
	wice__lane_report(b->inbound, world_now(world, b));
	/* Of another network. */
	packet[25] = 2;
	world_send_raw(world, A, packet, 100);
	ck_assert_uint_eq(world_counters(world, A).no_peer, 1);
	finish(world);
}
END_TEST

/* As only a peer with another program could. */
static void seal_anything(World *world, const uint8_t *bytes, uint32_t length)
{
	uint8_t memory[WICE_PACKET_HEADROOM + 100 + WICE_PACKET_TAILROOM] = { 0 };
	WicePacket packet = { memory + WICE_PACKET_HEADROOM, length };
	WiceBindPacket sealed;
	memcpy(packet.data, bytes, length);
	wice__session_seal(peer_of(world, A, B)->current, world->ends[A].core->aead, 1420, &packet,
			   1, &sealed);
	world_inject(world, B, &world->ends[A].address, sealed.data, sealed.length);
}

START_TEST(what_decrypts_to_no_packet_is_dropped)
{
	static const uint8_t cases[][20] = {
		{ '?' },                 /* no version */
		{ 0x45, 0, 0, 200 },     /* longer than what there is */
		{ 0x45, 0, 0, 19 },      /* shorter than its header */
		{ 0x44, 0, 0, 20 },      /* a header that is too short */
		{ 0x4f, 0, 0, 20 },      /* options that are not there */
		{ 0x60, 0, 0, 0, 0, 1 }, /* cut off */
	};
	World *world = friends();
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		seal_anything(world, cases[i], sizeof cases[i]);
		ck_assert_uint_eq(world_counters(world, B).not_ip, i + 1);
	}
	ck_assert_uint_eq(world->ends[B].delivered, 1);
	ck_assert_uint_eq(world_counters(world, B).spoofed, 0);
	finish(world);
}
END_TEST

/* What a has sealed, as systems that join datagrams hand it over. */
START_TEST(joined_datagrams_are_taken_apart)
{
	World *world = friends();
	WorldEnd *b = &world->ends[B];
	WiceEndpoint from = world->ends[A].address;
	g_autoptr(GByteArray) joined = g_byte_array_new();
	WiceBindDatagram datagram = { .path = { from, b->address.address, 1, 0 } };
	WicePacket *packets;
	world->capture = true;
	cut(world);
	world_send(world, A, B, 9, 60);
	world_send(world, A, B, 1, 10);
	for (guint i = 0; i < world->captured->len; i++) {
		WorldDatagram *one = world->captured->pdata[i];
		datagram.segment = MAX(datagram.segment, one->length);
		g_byte_array_append(joined, one->data, one->length);
	}
	/* And a rest that is no message. */
	g_byte_array_append(joined, (const guint8 *)"abc", 3);
	datagram.data = joined->data;
	datagram.length = joined->len;
	ck_assert_uint_eq(
		wice__lane_open(b->inbound, &datagram, 1, world->ms, NULL, NULL, &packets), 9);
	for (int i = 0; i < 9; i++)
		ck_assert_uint_eq(packets[i].length, 80);
	wice__lane_report(b->inbound, world_now(world, b));
	finish(world);
}
END_TEST

START_TEST(each_counter_counts_what_it_says)
{
	World *world = strangers();
	uint8_t garbage[64] = { 4 }, strange[64] = { 9 };
	world->capture = true;
	ck_assert(world_connected(world, A, B));
	WorldDatagram *data = world->captured->pdata[2];
	world_inject(world, B, &elsewhere, strange, sizeof strange);
	ck_assert_uint_eq(world_counters(world, B).invalid, 1);
	world_inject(world, B, &elsewhere, garbage, 31);
	ck_assert_uint_eq(world_counters(world, B).invalid, 2);
	world_inject(world, B, &elsewhere, garbage, sizeof garbage);
	ck_assert_uint_eq(world_counters(world, B).unknown_index, 1);
	world_inject(world, B, &elsewhere, data->data, data->length);
	ck_assert_uint_eq(world_counters(world, B).replayed, 1);
	data->data[20] ^= 1;
	world_inject(world, B, &elsewhere, data->data, data->length);
	ck_assert_uint_eq(world_counters(world, B).forged, 1);
	/* They stay when the lane that has counted them is gone. */
	wice__lane_free(world->ends[B].inbound);
	world->ends[B].inbound = wice__lane_new(world->ends[B].core);
	ck_assert_uint_eq(world_counters(world, B).forged, 1);
	ck_assert_uint_eq(world_counters(world, B).bad_handshake, 0);
	ck_assert_uint_eq(world_counters(world, B).expired, 0);
	finish(world);
}
END_TEST

START_TEST(bytes_are_those_of_messages)
{
	World *world = strangers();
	world_send(world, A, B, 1, 108);
	world_run(world, 0);
	/* 148 and 92 of the handshake; 128 of the packet, 32 around it. */
	ck_assert_uint_eq(world_read_peer(world, A, B).tx_bytes, 148 + 160);
	ck_assert_uint_eq(world_read_peer(world, A, B).rx_bytes, 92);
	ck_assert_uint_eq(world_read_peer(world, B, A).rx_bytes, 148 + 160);
	ck_assert_uint_eq(world_read_peer(world, B, A).tx_bytes, 92);
	world_run(world, 10000);
	ck_assert_uint_eq(world_read_peer(world, B, A).tx_bytes, 92 + 32);
	ck_assert_int_ne(world_read_peer(world, A, B).handshake_ns, 0);
	finish(world);
}
END_TEST

SUITE_MAIN("paths of an engine", a_batch_may_be_for_several_peers,
	   source_must_be_the_peers_by_the_longest_prefix, ipv6_packets_are_carried,
	   what_decrypts_to_no_packet_is_dropped, data_makes_a_peer_roam,
	   keepalives_make_a_peer_roam, handshakes_make_a_peer_roam,
	   the_last_packet_tells_where_a_peer_is, forged_and_repeated_packets_make_nobody_roam,
	   cookies_make_nobody_roam, endpoint_can_be_set, without_an_endpoint_packets_are_dropped,
	   keepalives_begin_with_the_endpoint, source_that_is_gone_is_cleared,
	   doubt_clears_the_source, rerouting_asks_for_paths_again,
	   removed_peer_is_gone_with_its_packets, peer_that_is_removed_during_a_handshake_is_gone,
	   moved_allowed_ips_take_effect_at_once, what_comes_back_into_the_tunnel_is_dropped,
	   lengths_are_padded_but_not_above_the_mtu, what_is_no_packet_is_not_sent,
	   what_comes_must_be_the_peers, joined_datagrams_are_taken_apart,
	   each_counter_counts_what_it_says, bytes_are_those_of_messages)
