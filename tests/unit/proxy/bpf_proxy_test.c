/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The mechanism `bpf` as the agent sees it, and what the mux says of wrong or too many sockets. */
#include <bpf/libbpf.h>
#include <sys/resource.h>

#include "bpf_world.h"

#define WG_PORT 51820
#define UFRAG_B "ijklMNOP"

static const WiceEndpoint local = { { WICE_FAMILY_IPV4, { 127, 0, 0, 1 } }, 40001, 0 };
static const WiceEndpoint local6 = { { WICE_FAMILY_IPV6, { [15] = 1 } }, 40001, 0 };
static const WiceEndpoint wildcard = { { WICE_FAMILY_IPV4, { 0 } }, 40001, 0 };
static const WiceEndpoint remote = { { WICE_FAMILY_IPV4, { 192, 0, 2, 1 } }, 4, 0 };

START_TEST(the_hooks_do_what_they_say)
{
	BpfWorld world;
	WiceProxyPeer *peer;
	WiceProxyPath *path, *none = NULL;
	WiceEndpoint wire, endpoint = { 0 }, heard = { 0 };
	WiceProxySocket socket = { .fd = -1, .local = local, .ufrag = BPF_UFRAG };
	if (!bpf_world_open(&world, _i))
		return;
	WiceProxy *proxy = wice__proxy_bpf_new(world.mux, WG_PORT);
	ck_assert_int_eq(proxy->ops->mechanism, WICE_MECHANISM_BPF);
	ck_assert(!proxy->ops->path_send);
	ck_assert(!proxy->ops->reads_relayed);
	ck_assert_int_eq(proxy->ops->peer_new(proxy, NULL, NULL, &peer), 0);
	ck_assert_int_eq(proxy->ops->path_new(peer, &socket, &path), 0);
	ck_assert_int_eq(proxy->ops->path_new(peer, &socket, &none), -EEXIST);
	socket.ufrag = "theirs";
	socket.local = local6;
	ck_assert_int_eq(proxy->ops->path_new(peer, &socket, &none), -ENOTSUP);
	ck_assert_ptr_null(none);

	proxy->ops->path_wire(path, &wire);
	ck_assert_int_eq(wice_address_compare(&wire.address, &local.address), 0);
	ck_assert_uint_eq(wire.port, WG_PORT);
	ck_assert_int_eq(proxy->ops->select(peer, path, &remote, &endpoint), 0);
	ck_assert_int_eq(wice_endpoint_compare(&endpoint, &remote), 0);
	ck_assert_int_eq(proxy->ops->select(peer, NULL, NULL, &endpoint), 0);
	ck_assert_int_eq(wice_endpoint_compare(&endpoint, &remote), 0);
	ck_assert_int_eq(proxy->ops->path_heard(path, &heard), -ENOENT);
	ck_assert_uint_eq(heard.port, 0);

	/* What was made for the port as it was is signalled with that, and goes with it. */
	ck_assert_int_eq(proxy->ops->set_wg_port(proxy, WG_PORT), 0);
	ck_assert_int_eq(proxy->ops->set_wg_port(proxy, WG_PORT + 1), -ESTALE);
	proxy->ops->path_wire(path, &wire);
	ck_assert_uint_eq(wire.port, WG_PORT);
	proxy->ops->path_free(path);
	socket = (WiceProxySocket){ .fd = -1, .local = local, .ufrag = BPF_UFRAG };
	ck_assert_int_eq(proxy->ops->path_new(peer, &socket, &path), 0);
	proxy->ops->path_wire(path, &wire);
	ck_assert_uint_eq(wire.port, WG_PORT + 1);
	proxy->ops->peer_free(peer); /* the path too */
	ck_assert_int_eq(wice__bpf_mux_add(world.mux, WG_PORT, &local, BPF_UFRAG), 0);
	proxy->ops->free(proxy);
	bpf_world_close(&world);
}
END_TEST

/* What is to come of it on the wire is in bpf_relayed_network_test.c. */
START_TEST(relayed_paths_have_endpoints_of_their_own)
{
	BpfWorld world;
	WiceProxyPeer *peer;
	WiceProxyPath *paths[2], *none = NULL;
	WiceEndpoint endpoints[2];
	WiceBpfRelayedCounters counters;
	uint8_t data[104] = { 0x40, 0, 0, 100 };
	if (!bpf_world_open(&world, _i))
		return;
	WiceBpfRelayed *relayed = wice__bpf_mux_relayed(world.mux);
	WiceProxy *proxy = wice__proxy_bpf_new(world.mux, WG_PORT);
	WiceProxyChannel channel = { .server = local, .fd = 0, .wg_port = WG_PORT };
	channel.server.port = 3478;
	ck_assert_int_eq(proxy->ops->peer_new(proxy, NULL, NULL, &peer), 0);
	for (uint16_t i = 0; i < 2; i++) {
		channel.channel = 0x4000 + i;
		channel.in_place = i;
		ck_assert_int_eq(proxy->ops->path_new_relayed(peer, &channel, &paths[i]), 0);
		ck_assert_int_eq(proxy->ops->select(peer, paths[i], NULL, &endpoints[i]), 0);
		ck_assert_int_eq(
			wice_address_compare(&endpoints[i].address, &channel.server.address), 0);
		WiceEndpoint heard_at;
		proxy->ops->path_heard_at(paths[i], &heard_at);
		ck_assert_int_eq(wice_endpoint_compare(&heard_at, &endpoints[i]), 0);
		ck_assert_uint_ge(endpoints[i].port, 16384);
		ck_assert_int_eq(wice__proxy_bpf_counters(paths[i], &counters), 0);
	}
	ck_assert_uint_ne(endpoints[0].port, endpoints[1].port);
	channel.channel = 0x4002;
	channel.wg_port++;
	ck_assert_int_eq(proxy->ops->path_new_relayed(peer, &channel, &none), -ENOTSUP);
	channel.wg_port = 0;
	ck_assert_int_eq(proxy->ops->path_new_relayed(peer, &channel, &none), -ENOTSUP);
	channel.wg_port = WG_PORT;
	channel.fd = -1;
	ck_assert_int_eq(proxy->ops->path_new_relayed(peer, &channel, &none), -ENOTSUP);
	ck_assert_ptr_null(none);

	/* What is not WireGuard's goes nowhere; the rest is for a socket that is not there. */
	for (size_t i = 0; i < 2; i++) {
		for (size_t len = 0; len <= 100; len++)
			proxy->ops->path_input(paths[i], data + 4, len);
		data[4] = 4;
	}
	WiceProxySocket socket = { .fd = -1, .local = local, .ufrag = BPF_UFRAG };
	ck_assert_int_eq(proxy->ops->path_new(peer, &socket, &none), 0);
	ck_assert_int_eq(wice__proxy_bpf_counters(none, &counters), -ENOENT);
	proxy->ops->path_input(none, data + 4, 100);

	ck_assert_uint_eq(wice__bpf_relayed_n_uplinks(relayed), 1);
	proxy->ops->path_free(paths[0]);
	ck_assert_uint_eq(wice__bpf_relayed_n_uplinks(relayed), 1);
	proxy->ops->peer_free(peer);
	ck_assert_uint_eq(wice__bpf_relayed_n_uplinks(relayed), 0);
	proxy->ops->free(proxy);
	bpf_world_close(&world);
}
END_TEST

START_TEST(sockets_are_told_apart)
{
	const WiceEndpoint none = { 0 };
	WiceEndpoint other = local;
	BpfWorld world;
	if (!bpf_world_open(&world, _i))
		return;
	WiceBpfMux *mux = world.mux;
	other.port++;
	ck_assert_int_eq(wice__bpf_mux_add(mux, WG_PORT, &local, BPF_UFRAG), 0);
	ck_assert_int_eq(wice__bpf_mux_add(mux, WG_PORT, &local6, BPF_UFRAG), 0);
	ck_assert_int_eq(wice__bpf_mux_add(mux, WG_PORT, &wildcard, NULL), 0);
	ck_assert_int_eq(wice__bpf_mux_add(mux, WG_PORT, &local, UFRAG_B), -EEXIST);
	ck_assert_int_eq(wice__bpf_mux_add(mux, WG_PORT, &other, BPF_UFRAG), -EEXIST);
	ck_assert_int_eq(wice__bpf_mux_add(mux, WG_PORT + 1, &local, UFRAG_B), -EEXIST);
	ck_assert_int_eq(wice__bpf_mux_add(mux, WG_PORT + 1, &other, BPF_UFRAG), 0);

	ck_assert_int_eq(wice__bpf_mux_add(mux, WG_PORT, &none, NULL), -EINVAL);
	ck_assert_int_eq(wice__bpf_mux_add(mux, 0, &local, NULL), -EINVAL);
	ck_assert_int_eq(wice__bpf_mux_add(mux, WG_PORT, &local, "short"), -EINVAL);
	ck_assert_int_eq(wice__bpf_mux_add(mux, WG_PORT, &local, "much too long"), -EINVAL);

	/* What is not there as it is said is not removed. */
	wice__bpf_mux_remove(mux, WG_PORT + 1, &local, BPF_UFRAG);
	ck_assert_int_eq(wice__bpf_mux_add(mux, WG_PORT, &local, BPF_UFRAG), -EEXIST);
	for (int i = 0; i < 3; i++)
		wice__bpf_mux_remove(mux, WG_PORT, &local, BPF_UFRAG);
	ck_assert_int_eq(wice__bpf_mux_add(mux, WG_PORT, &local, BPF_UFRAG), 0);
	bpf_world_close(&world);
}
END_TEST

/* On two addresses; one of them goes. */
START_TEST(sockets_of_equal_ports_do_not_depend_on_each_other)
{
	static const uint8_t packet[20] = { 0, 1 };
	BpfWorld world;
	WiceEndpoint first_at, second_at, other_at, wire;
	if (!bpf_world_open(&world, _i))
		return;
	int first = bpf_socket("127.0.0.1", &first_at);
	second_at = first_at;
	second_at.address.bytes[3] = 2;
	int second = bpf_bound_socket(&second_at, &wire);
	int other = bpf_socket("127.0.0.3", &other_at);
	ck_assert_int_eq(wice__bpf_mux_add(world.mux, WG_PORT, &first_at, NULL), 0);
	ck_assert_int_eq(wice__bpf_mux_add(world.mux, WG_PORT, &second_at, NULL), 0);
	wice__bpf_mux_remove(world.mux, WG_PORT, &first_at, NULL);
	wire.port = WG_PORT;
	bpf_send(second, &other_at, packet, sizeof packet);
	bpf_expect(other, packet, sizeof packet, &wire);
	bpf_send(first, &other_at, packet, sizeof packet);
	bpf_expect(other, packet, sizeof packet, &first_at);
	close(first);
	close(second);
	close(other);
	bpf_world_close(&world);
}
END_TEST

/* A failure leaves nothing behind: the first ones' room can be used again. */
START_TEST(room_is_bounded)
{
	enum { MAX = 8 };
	const WiceBpfMuxOptions options = { .size = sizeof options,
					    .attach = (WiceBpfAttach)_i,
					    .max_agents = MAX };
	WiceEndpoint endpoint = local;
	BpfWorld world;
	if (!bpf_world_open(&world, _i))
		return;
	WiceBpfMux *mux = wice__bpf_mux_new(world.context, &options, NULL);
	ck_assert_ptr_nonnull(mux);
	for (int round = 0; round < 3; round++) {
		for (uint16_t i = 0; i <= MAX; i++) {
			char *ufrag = g_strdup_printf("ufrag%03u", i);
			endpoint.port = 40000 + i;
			ck_assert_int_eq(wice__bpf_mux_add(mux, WG_PORT, &endpoint, ufrag),
					 i < MAX ? 0 : -ENOSPC);
			g_free(ufrag);
		}
		for (uint16_t i = 0; i <= MAX; i++) {
			char *ufrag = g_strdup_printf("ufrag%03u", i);
			endpoint.port = 40000 + i;
			wice__bpf_mux_remove(mux, WG_PORT, &endpoint, ufrag);
			g_free(ufrag);
		}
	}
	wice__bpf_mux_free(mux);
	bpf_world_close(&world);
}
END_TEST

static int n_printed;

static int count_printed(enum libbpf_print_level level, const char *format, va_list arguments)
{
	return n_printed++;
}

START_TEST(the_process_stays_as_it_was)
{
	BpfWorld world;
	struct rlimit before, after;
	ck_assert_int_eq(getrlimit(RLIMIT_MEMLOCK, &before), 0);
	libbpf_set_print(count_printed);
	if (!bpf_world_open(&world, _i) || !bpf_world_add_wire(&world))
		return;
	bpf_set_addresses(&world, "wire");
	BPF_UNTIL(&world, wice__bpf_mux_n_uplinks(world.mux) == 2);
	ck_assert_str_eq(wice__bpf_mux_attached_by(world.mux),
			 _i == WICE_BPF_ATTACH_TCX ? "tcx" : "clsact");
	bpf_world_talk(&world, BPF_NEAR4, BPF_FAR4);
	bpf_world_close(&world);
	ck_assert_int_eq(n_printed, 0);
	ck_assert(libbpf_set_print(NULL) == count_printed);
	ck_assert_int_eq(getrlimit(RLIMIT_MEMLOCK, &after), 0);
	ck_assert_mem_eq(&before, &after, sizeof before);
}
END_TEST

START_TEST(packets_are_counted)
{
	BpfWorld world;
	WiceBpfMuxCounters counters;
	if (!bpf_world_open(&world, _i))
		return;
	wice__bpf_mux_counters(world.mux, &counters);
	ck_assert_uint_eq(counters.moved + counters.responses + counters.requests, 0);
	bpf_world_talk(&world, "127.0.0.1", "127.0.0.1");
	wice__bpf_mux_counters(world.mux, &counters);
	ck_assert_uint_eq(counters.moved, 1);
	ck_assert_uint_eq(counters.responses, 1);
	ck_assert_uint_eq(counters.requests, 1);
	ck_assert_uint_eq(counters.unattributed, 0);
	bpf_world_close(&world);
}
END_TEST

BPF_SUITE_MAIN("bpf proxy", the_hooks_do_what_they_say, relayed_paths_have_endpoints_of_their_own,
	       sockets_are_told_apart, sockets_of_equal_ports_do_not_depend_on_each_other,
	       room_is_bounded, the_process_stays_as_it_was, packets_are_counted)
