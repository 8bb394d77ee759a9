/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Relayed paths of the userspace proxy: what conformance/proxy cannot see. */
#include <netinet/udp.h>

#include "event/udp.h"
#include "world.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

static World world;

typedef struct {
	int result;
	unsigned n;
	size_t len;
} Stream;

static int take(void *user_data, const uint8_t *channel_data, size_t len)
{
	Stream *stream = user_data;
	stream->n++;
	stream->len = len;
	return stream->result;
}

static WiceUserEntry *add_entry(void)
{
	WiceUserEntry *entry = NULL;
	ck_assert_int_eq(wice__user_entry_new(world.proxy, NULL, NULL, &entry), 0);
	return entry;
}

static WiceUserCounters counters_of(const WiceUserEntry *entry)
{
	WiceUserCounters counters;
	wice__user_entry_counters(entry, &counters);
	return counters;
}

START_TEST(what_a_stream_does_not_take_is_counted)
{
	uint8_t packet[100];
	Stream stream = { 0 };
	WiceProxyChannel channel = {
		.fd = -1, .channel = 0x4000, .send = take, .user_data = &stream
	};
	WiceUserPath *path;
	world_open(&world);
	WiceUserEntry *entry = add_entry();
	ck_assert_int_eq(wice__user_path_new_relayed(entry, &channel, &path), 0);
	wice__user_entry_select(entry, path, NULL);
	world_data(packet, sizeof packet, 1);
	for (unsigned i = 1; i <= 4; i++) {
		stream.result = i % 2 ? 0 : -EAGAIN;
		world_send(world.wg, wice__user_entry_endpoint(entry), packet, sizeof packet);
		WORLD_UNTIL(&world, stream.n == i);
	}
	ck_assert_uint_eq(stream.len, sizeof packet + 4);
	WORLD_UNTIL(&world, counters_of(entry).tx_packets + counters_of(entry).tx_dropped == 4);
	ck_assert_uint_eq(counters_of(entry).tx_packets, 2);
	ck_assert_uint_eq(counters_of(entry).tx_dropped, 2);
	wice__user_entry_free(entry);
	world_close(&world);
}
END_TEST

START_TEST(what_is_not_of_wireguard_is_counted)
{
	uint8_t message[104] = { 0x40, 0, 0, 100 };
	WiceUserPath *path;
	WiceEndpoint own, server;
	world_open(&world);
	int client = world_socket("127.0.0.1", &own), relay = world_socket("127.0.0.1", &server);
	WiceProxyChannel channel = { .server = server, .fd = client, .channel = 0x4000 };
	WiceUserEntry *entry = add_entry();
	ck_assert_int_eq(wice__user_path_new_relayed(entry, &channel, &path), 0);
	ck_assert(!wice__user_path_shares_port(path));
	world_send(relay, &own, message, sizeof message);
	WORLD_UNTIL(&world, counters_of(entry).rx_dropped == 1);
	world_data(message + 4, 100, 1);
	world_send(relay, &own, message, sizeof message);
	world_expect(&world, world.wg, message + 4, 100, wice__user_entry_endpoint(entry));
	ck_assert_uint_eq(counters_of(entry).rx_packets, 1);
	ck_assert_uint_eq(counters_of(entry).rx_dropped, 1);
	wice__user_entry_free(entry);
	close(client);
	close(relay);
	world_close(&world);
}
END_TEST

/* A relay that is connected to anew has another socket, often with the same descriptor. */
START_TEST(descriptor_that_is_used_again)
{
	uint8_t packet[100];
	WiceUserPath *path;
	WiceEndpoint own, server;
	world_open(&world);
	int client = world_socket("127.0.0.1", &own), relay = world_socket("127.0.0.1", &server);
	WiceProxyChannel channel = { .server = server, .fd = client, .channel = 0x4000 };
	WiceUserEntry *entry = add_entry();
	ck_assert_int_eq(wice__user_path_new_relayed(entry, &channel, &path), 0);
	int other = world_socket("127.0.0.1", &own);
	ck_assert_int_eq(dup2(other, client), client);
	close(other);
	ck_assert_int_eq(wice__user_path_new_relayed(entry, &channel, &path), 0);
	wice__user_entry_select(entry, path, NULL);
	world_data(packet, sizeof packet, 1);
	world_send(world.wg, wice__user_entry_endpoint(entry), packet, sizeof packet);
	world_receive(&world, relay);
	ck_assert_int_eq(world.len, sizeof packet + 4);
	ck_assert_int_eq(wice_endpoint_compare(&world.source, &own), 0);
	wice__user_entry_free(entry);
	close(client);
	close(relay);
	world_close(&world);
}
END_TEST

/* What came as one message leaves as one, and nothing had to be taken apart. */
START_TEST(offload_is_kept)
{
	enum { N = 40, LEN = 1400 };
	static uint8_t packets[N * LEN];
	int segment = LEN;
	for (unsigned in_place = 0; in_place < 2; in_place++) {
		WiceUserPath *path;
		WiceEndpoint own, server;
		WiceUserProxyCounters counters;
		world_open(&world);
		int client = world_socket("0.0.0.0", &own),
		    relay = world_socket("127.0.0.1", &server);
		WiceProxyChannel channel = {
			.server = server, .fd = client, .channel = 0x4000, .in_place = in_place
		};
		WiceUserEntry *entry = add_entry();
		ck_assert_int_eq(wice__user_path_new_relayed(entry, &channel, &path), 0);
		wice__user_entry_select(entry, path, NULL);
		for (uint32_t i = 0; i < N; i++)
			world_data(packets + (size_t)i * LEN, LEN, i);
		ck_assert_int_eq(
			setsockopt(world.wg, SOL_UDP, UDP_SEGMENT, &segment, sizeof segment), 0);
		ck_assert(wice__udp_set_gro(relay, true));
		world_send(world.wg, wice__user_entry_endpoint(entry), packets, sizeof packets);
		world_receive(&world, relay);
		ck_assert_int_eq(world.len, N * (in_place ? LEN : LEN + 4));
		wice__user_proxy_counters(world.proxy, &counters);
		ck_assert_uint_eq(counters.gso_fallbacks, 0);
		ck_assert_uint_eq(counters_of(entry).tx_packets, N);
		wice__user_entry_free(entry);
		close(client);
		close(relay);
		world_close(&world);
	}
}
END_TEST

SUITE_MAIN("proxy user relayed", what_a_stream_does_not_take_is_counted,
	   what_is_not_of_wireguard_is_counted, descriptor_that_is_used_again, offload_is_kept)
