/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <netinet/udp.h>
#include <stdio.h>

#include "world.h"

static World world;

static const char *const loopbacks[] = { "127.0.0.1", "::1" };

static void exchange(const WorldPeer *peer, size_t len)
{
	static uint8_t packet[WORLD_PACKET_MAX];
	const WiceEndpoint *entry = wice__user_entry_endpoint(peer->entry);
	world_data(packet, len, (uint32_t)len);
	world_send(world.wg, entry, packet, len);
	world_expect(&world, peer->remote, packet, len, &peer->ice_endpoint);
	world_data(packet, len, (uint32_t)len + 1);
	world_send(peer->remote, &peer->ice_endpoint, packet, len);
	world_expect(&world, world.wg, packet, len, entry);
}

START_TEST(packets_travel_both_ways_unchanged)
{
	WorldPeer peer;
	WiceUserCounters counters;
	world_open(&world);
	world_add_peer(&world, &peer, loopbacks[_i], NULL, NULL);
	ck_assert(wice__user_path_shares_port(peer.path));
	uint64_t packets = 0, bytes = 0;
	for (size_t len = 32; len <= 65488; len += len < 1500 ? 1 : 4999) {
		exchange(&peer, len);
		packets++;
		bytes += len;
	}
	wice__user_entry_counters(peer.entry, &counters);
	ck_assert_uint_eq(counters.rx_packets, packets);
	ck_assert_uint_eq(counters.tx_packets, packets);
	ck_assert_uint_eq(counters.rx_bytes, bytes);
	ck_assert_uint_eq(counters.tx_bytes, bytes);
	ck_assert_uint_eq(counters.rx_dropped + counters.tx_dropped, 0);
	world_remove_peer(&peer);
	world_close(&world);
}
END_TEST

static size_t burst_len(uint32_t i)
{
	static const size_t sizes[] = {
		1420, 1420, 1420, 96, 1420, 32, 32, 32, 64, 64, 1420, 5000
	};
	return i < 150 ? 1420 : sizes[i % G_N_ELEMENTS(sizes)];
}

static void send_burst(int fd, const WiceEndpoint *to, uint32_t n)
{
	uint8_t packet[5000];
	for (uint32_t i = 0; i < n; i++)
		world_send(fd, to, packet, world_data(packet, burst_len(i), i));
}

static void expect_burst(int fd, const WiceEndpoint *source, uint32_t n)
{
	uint8_t packet[5000];
	for (uint32_t i = 0; i < n; i++)
		world_expect(&world, fd, packet, world_data(packet, burst_len(i), i), source);
}

START_TEST(bursts_of_mixed_sizes_keep_their_order_and_boundaries)
{
	WorldPeer peer;
	world_open(&world);
	world_add_peer(&world, &peer, loopbacks[_i], NULL, NULL);
	const WiceEndpoint *entry = wice__user_entry_endpoint(peer.entry);
	send_burst(world.wg, entry, 400);
	expect_burst(peer.remote, &peer.ice_endpoint, 400);
	send_burst(peer.remote, &peer.ice_endpoint, 400);
	expect_burst(world.wg, entry, 400);
	world_remove_peer(&peer);
	world_close(&world);
}
END_TEST

/* A userspace WireGuard sends many packets at once with UDP_SEGMENT. */
START_TEST(joined_packets_from_wireguard_and_network_arrive_apart)
{
	WorldPeer peer;
	uint8_t joined[5300], packet[1000];
	int segment = 1000;
	world_open(&world);
	world_add_peer(&world, &peer, loopbacks[_i], NULL, NULL);
	const WiceEndpoint *entry = wice__user_entry_endpoint(peer.entry);
	for (uint32_t i = 0; i < 6; i++)
		world_data(joined + i * 1000, i < 5 ? 1000 : 300, i);
	if (setsockopt(world.wg, SOL_UDP, UDP_SEGMENT, &segment, sizeof segment) < 0) {
		puts("skipped: this kernel has no UDP_SEGMENT");
		return;
	}
	ck_assert_int_eq(setsockopt(peer.remote, SOL_UDP, UDP_SEGMENT, &segment, sizeof segment),
			 0);
	world_send(world.wg, entry, joined, sizeof joined);
	world_send(peer.remote, &peer.ice_endpoint, joined, sizeof joined);
	for (uint32_t i = 0; i < 6; i++) {
		size_t len = world_data(packet, i < 5 ? 1000 : 300, i);
		world_expect(&world, peer.remote, packet, len, &peer.ice_endpoint);
		world_expect(&world, world.wg, packet, len, entry);
	}
	world_remove_peer(&peer);
	world_close(&world);
}
END_TEST

typedef struct {
	unsigned n;
	uint8_t packet[20];
	WiceEndpoint source;
} Probes;

static void on_stun(WiceProxyPath *path, const WiceEndpoint *source, const uint8_t *packet,
		    size_t len, void *user_data)
{
	Probes *probes = user_data;
	ck_assert_uint_eq(len, 20);
	memcpy(probes->packet, packet, len);
	probes->source = *source;
	probes->n++;
}

static const WiceProxyEvents events = { .on_stun = on_stun };

START_TEST(stun_goes_to_the_ice_agent_unless_it_has_our_tag)
{
	WorldPeer peer;
	Probes probes = { 0 };
	uint8_t theirs[20], ours[20];
	world_open(&world);
	world_add_peer(&world, &peer, loopbacks[_i], &events, &probes);
	world_stun(theirs, "wicenotourid");
	world_stun(ours, "wiCe12345678");
	world_send(peer.remote, &peer.ice_endpoint, theirs, sizeof theirs);
	world_expect(&world, peer.ice, theirs, sizeof theirs, &peer.remote_endpoint);
	ck_assert_uint_eq(probes.n, 0);
	ck_assert_int_eq(wice__user_path_send(peer.path, &peer.remote_endpoint, ours, sizeof ours),
			 0);
	world_expect(&world, peer.remote, ours, sizeof ours, &peer.ice_endpoint);
	memset(ours + 4, 0, 4); /* the cookie-less form of RFC 3489 */
	world_send(peer.remote, &peer.ice_endpoint, ours, sizeof ours);
	WORLD_UNTIL(&world, probes.n > 0);
	ck_assert_uint_eq(probes.n, 1);
	ck_assert_mem_eq(probes.packet, ours, sizeof ours);
	ck_assert_int_eq(wice_endpoint_compare(&probes.source, &peer.remote_endpoint), 0);
	ck_assert(!world_try_receive(&world, peer.ice));
	world_remove_peer(&peer);
	world_close(&world);
}
END_TEST

static int received_ttl(int fd)
{
	uint8_t packet[100];
	union {
		size_t align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec vector = { packet, sizeof packet };
	struct msghdr header = { .msg_iov = &vector,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof control.bytes };
	int ttl;
	WORLD_UNTIL(&world, recvmsg(fd, &header, MSG_DONTWAIT) > 0);
	ck_assert_ptr_nonnull(CMSG_FIRSTHDR(&header));
	memcpy(&ttl, CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof ttl);
	return ttl;
}

/* Why: see "Receive offload" in lib/proxy/user_io.c. */
START_TEST(data_differs_from_the_agents_packets_in_its_time_to_live)
{
	WorldPeer peer;
	uint8_t packet[64];
	int on = 1;
	world_open(&world);
	world_add_peer(&world, &peer, loopbacks[_i], NULL, NULL);
	ck_assert_int_eq(
		_i ? setsockopt(peer.remote, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof on)
		   : setsockopt(peer.remote, IPPROTO_IP, IP_RECVTTL, &on, sizeof on),
		0);
	world_data(packet, sizeof packet, 1);
	world_send(peer.ice, &peer.remote_endpoint, packet, sizeof packet);
	int agents = received_ttl(peer.remote);
	world_send(world.wg, wice__user_entry_endpoint(peer.entry), packet, sizeof packet);
	ck_assert_int_eq(received_ttl(peer.remote), agents - 1);
	world_remove_peer(&peer);
	world_close(&world);
}
END_TEST

START_TEST(malformed_wireguard_packets_stop_at_the_proxy)
{
	static const struct {
		uint8_t type;
		size_t len;
	} cases[] = { { 1, 147 }, { 1, 149 }, { 2, 91 }, { 3, 65 }, { 4, 31 }, { 4, 4 } };
	static const struct {
		uint8_t type;
		size_t len;
	} good[] = { { 1, 148 }, { 2, 92 }, { 3, 64 }, { 4, 32 } };
	WorldPeer peer;
	WiceUserCounters counters;
	uint8_t packet[200] = { 0 };
	world_open(&world);
	world_add_peer(&world, &peer, loopbacks[_i], NULL, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		packet[0] = cases[i].type;
		world_send(peer.remote, &peer.ice_endpoint, packet, cases[i].len);
		wice__user_path_input(peer.path, packet, cases[i].len);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
		packet[0] = good[i].type;
		world_send(peer.remote, &peer.ice_endpoint, packet, good[i].len);
		world_expect(&world, world.wg, packet, good[i].len,
			     wice__user_entry_endpoint(peer.entry));
	}
	wice__user_entry_counters(peer.entry, &counters);
	ck_assert_uint_eq(counters.rx_dropped, 2 * G_N_ELEMENTS(cases));
	ck_assert_uint_eq(counters.rx_packets, G_N_ELEMENTS(good));
	world_remove_peer(&peer);
	world_close(&world);
}
END_TEST

START_TEST(switching_paths_under_traffic_loses_nothing)
{
	WorldPeer old, new;
	uint8_t packet[1000];
	bool seen[2000] = { false };
	unsigned n_seen = 0, n_new = 0;
	world_open(&world);
	world_add_peer(&world, &old, "127.0.0.1", NULL, NULL);
	new.entry = old.entry;
	world_add_path(&new, "::1");
	for (uint32_t i = 0; i < G_N_ELEMENTS(seen); i++) {
		world_send(world.wg, wice__user_entry_endpoint(old.entry), packet,
			   world_data(packet, sizeof packet, i));
		if (i % 100 == 50)
			wice__user_entry_select(old.entry, new.path, &new.remote_endpoint);
		else if (i % 100 == 0)
			wice__user_entry_select(old.entry, old.path, &old.remote_endpoint);
		if (i % 7 == 0)
			g_main_context_iteration(world.context, FALSE);
	}
	while (n_seen < G_N_ELEMENTS(seen)) {
		bool at_new = false;
		WORLD_UNTIL(&world, world_try_receive(&world, old.remote) ||
					    (at_new = world_try_receive(&world, new.remote)));
		uint32_t number = world_number(&world);
		ck_assert_uint_lt(number, G_N_ELEMENTS(seen));
		ck_assert(!seen[number]);
		seen[number] = true;
		n_seen++;
		n_new += at_new;
	}
	ck_assert_uint_gt(n_new, 0);
	ck_assert_uint_lt(n_new, n_seen);
	world_close_sockets(&new);
	world_remove_peer(&old);
	world_close(&world);
}
END_TEST

START_TEST(the_unselected_path_and_unknown_sources_still_reach_wireguard)
{
	WorldPeer old, new;
	WiceEndpoint stranger_endpoint;
	uint8_t packet[64];
	world_open(&world);
	int stranger = world_socket("127.0.0.1", &stranger_endpoint);
	world_add_peer(&world, &old, "127.0.0.1", NULL, NULL);
	new.entry = old.entry;
	world_add_path(&new, "127.0.0.1");
	wice__user_entry_select(new.entry, new.path, &new.remote_endpoint);
	const WiceEndpoint *entry = wice__user_entry_endpoint(old.entry);
	world_data(packet, sizeof packet, 1);
	world_send(old.remote, &old.ice_endpoint, packet, sizeof packet);
	world_expect(&world, world.wg, packet, sizeof packet, entry);
	world_send(new.remote, &new.ice_endpoint, packet, sizeof packet);
	world_expect(&world, world.wg, packet, sizeof packet, entry);
	world_send(stranger, &new.ice_endpoint, packet, sizeof packet);
	world_expect(&world, world.wg, packet, sizeof packet, entry);
	world_send(world.wg, entry, packet, sizeof packet);
	world_expect(&world, new.remote, packet, sizeof packet, &new.ice_endpoint);
	close(stranger);
	world_close_sockets(&new);
	world_remove_peer(&old);
	world_close(&world);
}
END_TEST

START_TEST(only_wireguards_port_is_heard_on_the_loopback_side)
{
	WorldPeer peer;
	WiceEndpoint foreign_endpoint, nobody;
	WiceUserProxyCounters counters;
	uint8_t packet[64];
	world_open(&world);
	int foreign = world_socket("127.0.0.1", &foreign_endpoint);
	world_add_peer(&world, &peer, "127.0.0.1", NULL, NULL);
	const WiceEndpoint *entry = wice__user_entry_endpoint(peer.entry);
	nobody = *entry;
	nobody.address.bytes[3]++;
	world_data(packet, sizeof packet, 1);
	for (int i = 0; i < 5; i++)
		world_send(foreign, entry, packet, sizeof packet);
	for (int i = 0; i < 3; i++)
		world_send(world.wg, &nobody, packet, sizeof packet);
	nobody.address.bytes[1] = 255;
	world_send(world.wg, &nobody, packet, sizeof packet);
	nobody.address.bytes[1] = 0;
	world_send(world.wg, &nobody, packet, sizeof packet);
	world_data(packet, sizeof packet, 2);
	world_send(world.wg, entry, packet, sizeof packet);
	world_expect(&world, peer.remote, packet, sizeof packet, &peer.ice_endpoint);
	wice__user_proxy_counters(world.proxy, &counters);
	ck_assert_uint_eq(counters.foreign, 5);
	ck_assert_uint_eq(counters.unknown, 5);
	close(foreign);
	world_remove_peer(&peer);
	world_close(&world);
}
END_TEST

START_TEST(a_changed_wireguard_port_is_followed)
{
	WorldPeer peer;
	WiceUserProxyCounters counters;
	uint8_t packet[64];
	world_open(&world);
	world_add_peer(&world, &peer, "127.0.0.1", NULL, NULL);
	const WiceEndpoint *entry = wice__user_entry_endpoint(peer.entry);
	int old = world.wg;
	world.wg = world_socket("0.0.0.0", &world.wg_endpoint);
	wice__user_proxy_set_wg_port(world.proxy, world.wg_endpoint.port);
	world_data(packet, sizeof packet, 1);
	world_send(old, entry, packet, sizeof packet);
	world_data(packet, sizeof packet, 2);
	world_send(world.wg, entry, packet, sizeof packet);
	world_expect(&world, peer.remote, packet, sizeof packet, &peer.ice_endpoint);
	world_send(peer.remote, &peer.ice_endpoint, packet, sizeof packet);
	world_expect(&world, world.wg, packet, sizeof packet, entry);
	ck_assert(!world_try_receive(&world, old));
	wice__user_proxy_counters(world.proxy, &counters);
	ck_assert_uint_eq(counters.foreign, 1);
	close(old);
	world_remove_peer(&peer);
	world_close(&world);
}
END_TEST

static WiceUserCounters counters_of(const WorldPeer *peer)
{
	WiceUserCounters counters;
	wice__user_entry_counters(peer->entry, &counters);
	return counters;
}

START_TEST(unreachable_ports_disturb_no_later_packet)
{
	WorldPeer peer;
	uint8_t packet[1400];
	WiceEndpoint closed;
	world_open(&world);
	world_add_peer(&world, &peer, loopbacks[_i], NULL, NULL);
	const WiceEndpoint *entry = wice__user_entry_endpoint(peer.entry);
	close(world_socket(loopbacks[_i], &closed));
	for (uint32_t i = 0; i < 2000; i++) {
		wice__user_entry_select(peer.entry, peer.path,
					i % 2 ? &peer.remote_endpoint : &closed);
		world_data(packet, sizeof packet, i);
		world_send(world.wg, entry, packet, sizeof packet);
		WORLD_UNTIL(&world, counters_of(&peer).tx_packets == i + 1);
		if (i % 2) {
			world_receive(&world, peer.remote);
			ck_assert_uint_eq(world_number(&world), i);
		}
	}
	/* The same on the other side: WireGuard's interface is down for a while. */
	close(world.wg);
	for (uint32_t i = 0; i < 200; i++)
		world_send(peer.remote, &peer.ice_endpoint, packet, sizeof packet);
	WORLD_UNTIL(&world, counters_of(&peer).rx_packets == 200);
	world.wg = world_socket("0.0.0.0", &world.wg_endpoint);
	wice__user_proxy_set_wg_port(world.proxy, world.wg_endpoint.port);
	exchange(&peer, 1400);
	world_remove_peer(&peer);
	world_close(&world);
}
END_TEST

START_TEST(without_a_selected_path_packets_are_dropped_and_counted)
{
	WorldPeer peer;
	uint8_t packet[64];
	world_open(&world);
	world_add_peer(&world, &peer, "127.0.0.1", NULL, NULL);
	const WiceEndpoint *entry = wice__user_entry_endpoint(peer.entry);
	world_data(packet, sizeof packet, 1);
	wice__user_entry_select(peer.entry, NULL, NULL);
	world_send(world.wg, entry, packet, sizeof packet);
	WORLD_UNTIL(&world, counters_of(&peer).tx_dropped == 1);
	wice__user_entry_select(peer.entry, peer.path, &peer.remote_endpoint);
	wice__user_path_free(peer.path);
	world_send(world.wg, entry, packet, sizeof packet);
	WORLD_UNTIL(&world, counters_of(&peer).tx_dropped == 2);
	ck_assert_uint_eq(counters_of(&peer).tx_packets, 0);
	ck_assert(!world_try_receive(&world, peer.remote));
	world_remove_peer(&peer);
	world_close(&world);
}
END_TEST

/*
 * Two sockets of different users cannot share a port, so this is what a kernel without the feature
 * looks like.
 */
START_TEST(before_a_selection_answers_go_to_where_the_question_came_from)
{
	WorldPeer peer;
	uint8_t packet[148];
	world_open(&world);
	world_add_peer(&world, &peer, loopbacks[_i], NULL, NULL);
	const WiceEndpoint *entry = wice__user_entry_endpoint(peer.entry);
	wice__user_entry_select(peer.entry, NULL, NULL);
	size_t len = world_data(packet, sizeof packet, 1);
	world_send(peer.remote, &peer.ice_endpoint, packet, len);
	world_expect(&world, world.wg, packet, len, entry);
	len = world_data(packet, 92, 2);
	world_send(world.wg, entry, packet, len);
	world_expect(&world, peer.remote, packet, len, &peer.ice_endpoint);
	world_remove_peer(&peer);
	world_close(&world);
}
END_TEST

START_TEST(without_port_sharing_the_ice_agents_socket_serves)
{
	WorldPeer peer;
	uint8_t packet[1400];
	if (geteuid() != 0) {
		puts("skipped: must be root to act as two users");
		return;
	}
	world_open(&world);
	ck_assert_int_eq(wice__user_entry_new(world.proxy, NULL, NULL, &peer.entry), 0);
	peer.ice = world_socket(loopbacks[_i], &peer.ice_endpoint);
	peer.remote = world_socket(loopbacks[_i], &peer.remote_endpoint);
	ck_assert_int_eq(seteuid(65534), 0);
	ck_assert_int_eq(
		wice__user_path_new(peer.entry, peer.ice, &peer.ice_endpoint, 0, &peer.path), 0);
	ck_assert_int_eq(seteuid(0), 0);
	ck_assert(!wice__user_path_shares_port(peer.path));
	wice__user_entry_select(peer.entry, peer.path, &peer.remote_endpoint);
	const WiceEndpoint *entry = wice__user_entry_endpoint(peer.entry);
	send_burst(world.wg, entry, 200);
	expect_burst(peer.remote, &peer.ice_endpoint, 200);
	world_data(packet, sizeof packet, 9);
	world_send(peer.remote, &peer.ice_endpoint, packet, sizeof packet);
	world_receive(&world, peer.ice);
	wice__user_path_input(peer.path, world.buffer, (size_t)world.len);
	world_expect(&world, world.wg, packet, sizeof packet, entry);
	wice__user_path_free(peer.path);
	world_send(peer.ice, &peer.remote_endpoint, packet, sizeof packet);
	world_expect(&world, peer.remote, packet, sizeof packet, &peer.ice_endpoint);
	world_remove_peer(&peer);
	world_close(&world);
}
END_TEST

int main(void)
{
	const TTest *const both_families[] = {
		packets_travel_both_ways_unchanged,
		bursts_of_mixed_sizes_keep_their_order_and_boundaries,
		joined_packets_from_wireguard_and_network_arrive_apart,
		stun_goes_to_the_ice_agent_unless_it_has_our_tag,
		data_differs_from_the_agents_packets_in_its_time_to_live,
		malformed_wireguard_packets_stop_at_the_proxy,
		unreachable_ports_disturb_no_later_packet,
		without_port_sharing_the_ice_agents_socket_serves,
	};
	const TTest *const others[] = {
		switching_paths_under_traffic_loses_nothing,
		the_unselected_path_and_unknown_sources_still_reach_wireguard,
		only_wireguards_port_is_heard_on_the_loopback_side,
		a_changed_wireguard_port_is_followed,
		without_a_selected_path_packets_are_dropped_and_counted,
		before_a_selection_answers_go_to_where_the_question_came_from,
	};
	Suite *suite = suite_create("proxy user");
	TCase *tcase = tcase_create("proxy user");
	tcase_set_timeout(tcase, SUITE_TIMEOUT_S);
	for (size_t i = 0; i < G_N_ELEMENTS(both_families); i++)
		tcase_add_loop_test(tcase, both_families[i], 0, G_N_ELEMENTS(loopbacks));
	for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
		tcase_add_test(tcase, others[i]);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
