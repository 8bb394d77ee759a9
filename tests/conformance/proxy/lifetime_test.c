/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Peers and paths of a mechanism, as they come and go: lib/proxy/proxy.h. */
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>

#include "bed.h"
#include "stun/probe.h"

#define N_MANY 1000

static Bed bed;

static void free_path(BedPath *path)
{
	path->interface->proxy->ops->path_free(path->path);
	path->path = NULL;
}

static void free_peer(WiceProxyPeer *peer)
{
	peer->proxy->ops->peer_free(peer);
}

/* The descriptors are ours: what the proxy had of them is gone. */
static void check_sockets(const BedPath *path)
{
	uint8_t packet[BED_STUN_MAX];
	size_t len = bed_stun(packet, BED_STUN_REQUEST, "after it all", NULL);
	ck_assert_int_ge(fcntl(path->ice, F_GETFD), 0);
	bed_send(path->remote, &path->local, packet, len);
	bed_expect(&bed, path->ice, packet, len, &path->far);
	bed_send(path->ice, &path->far, packet, len);
	bed_expect(&bed, path->remote, packet, len, &path->local);
}

START_TEST(a_freed_path_leaves_the_socket_to_its_owner)
{
	BedPath path;
	if (!bed_open(&bed, _i))
		return;
	WiceProxyPeer *peer = bed_peer(&bed.interfaces[0], NULL, NULL);
	bed_path(&bed.interfaces[0], peer, &path);
	for (uint32_t i = 0; i < 5; i++) {
		WiceEndpoint endpoint = bed_select(&path);
		bed_carry(&path, &endpoint, i, 100);
		free_path(&path);
		check_sockets(&path);
		ck_assert_int_eq(bed_try_path(peer, &path), 0);
	}
	bed_remove(&path);
	free_peer(peer);
	bed_close(&bed);
}
END_TEST

/* The order in which two paths of a peer are freed, and which of them carries. */
START_TEST(a_path_carries_while_others_come_and_go)
{
	BedPath paths[2];
	if (!bed_open(&bed, _i))
		return;
	WiceProxyPeer *peer = bed_peer(&bed.interfaces[0], NULL, NULL);
	bed_path(&bed.interfaces[0], peer, &paths[0]);
	for (uint32_t i = 0; i < 10; i++) {
		BedPath *former = &paths[i % 2], *next = &paths[(i + 1) % 2];
		WiceEndpoint endpoint = bed_select(former);
		bed_carry(former, &endpoint, i, 100);
		bed_path(&bed.interfaces[0], peer, next);
		bed_carry(former, &endpoint, i, 100);
		endpoint = bed_select(next);
		bed_carry(next, &endpoint, i, 100);
		bed_remove(former);
		bed_carry(next, &endpoint, i, 100);
		/* One that was never selected does not matter either. */
		bed_path(&bed.interfaces[0], peer, former);
		bed_carry(next, &endpoint, i, 100);
		bed_remove(former);
		bed_carry(next, &endpoint, i, 100);
		bed_check(next);
	}
	bed_remove(&paths[0]);
	free_peer(peer);
	bed_close(&bed);
}
END_TEST

START_TEST(objects_may_be_freed_in_any_order)
{
	BedPath paths[3];
	if (!bed_open(&bed, _i))
		return;
	for (unsigned order = 0; order < 12; order++) {
		WiceProxyPeer *peer = bed_peer(&bed.interfaces[0], NULL, NULL);
		for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
			bed_path(&bed.interfaces[0], peer, &paths[i]);
			if (order & 1)
				bed_select(&paths[i]);
		}
		/* How many go before the peer, beginning with which one. */
		unsigned n = order / 2 % 3, first = order / 6;
		for (unsigned i = 0; i < n; i++)
			free_path(&paths[(first + i) % 3]);
		free_peer(peer);
		for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
			check_sockets(&paths[i]);
			paths[i].path = NULL;
			bed_remove(&paths[i]);
		}
	}
	bed_close(&bed);
}
END_TEST

START_TEST(nothing_is_selected_until_it_is_again)
{
	BedPath paths[2];
	WiceEndpoint endpoints[2], untouched = { .port = 77 };
	uint8_t packet[100];
	WiceProxyPeer *peers[2];
	if (!bed_open(&bed, _i))
		return;
	BedInterface *interface = &bed.interfaces[0];
	for (size_t i = 0; i < 2; i++) {
		peers[i] = bed_peer(interface, NULL, NULL);
		bed_path(interface, peers[i], &paths[i]);
		endpoints[i] = bed_select(&paths[i]);
		bed_carry(&paths[i], &endpoints[i], 1, 100);
	}
	const WiceProxyOps *ops = peers[0]->proxy->ops;
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_int_eq(ops->select(peers[0], NULL, NULL, &untouched), 0);
		ck_assert_uint_eq(untouched.port, 77);
	}
	bed_carry(&paths[1], &endpoints[1], 2, 100);
	if (ops->mechanism == WICE_MECHANISM_USER) {
		/* Sees all of WireGuard's packets, in their order. */
		bed_data(packet, sizeof packet, 3);
		bed_wg_send(interface, &endpoints[0], packet, sizeof packet);
		bed_carry(&paths[1], &endpoints[1], 3, 100);
		ck_assert(!bed_take(&bed, paths[0].remote));
	}
	endpoints[0] = bed_select(&paths[0]);
	bed_carry(&paths[0], &endpoints[0], 4, 100);
	for (size_t i = 0; i < 2; i++) {
		bed_remove(&paths[i]);
		free_peer(peers[i]);
	}
	bed_close(&bed);
}
END_TEST

START_TEST(the_first_answer_finds_its_way_before_anything_is_selected)
{
	enum { INITIATION = 1, INITIATION_LEN = 148, RESPONSE = 2, RESPONSE_LEN = 92 };
	BedPath path;
	uint8_t packet[INITIATION_LEN];
	if (!bed_open(&bed, _i))
		return;
	WiceProxyPeer *peer = bed_peer(&bed.interfaces[0], NULL, NULL);
	bed_path(&bed.interfaces[0], peer, &path);
	bed_data(packet, INITIATION_LEN, 1);
	packet[0] = INITIATION;
	bed_send(path.remote, &path.wire, packet, INITIATION_LEN);
	BED_UNTIL(&bed, bed_wg_take(path.interface));
	packet[0] = RESPONSE;
	bed_wg_reply(path.interface, packet, RESPONSE_LEN);
	bed_expect(&bed, path.remote, packet, RESPONSE_LEN, &path.wire);
	bed_remove(&path);
	free_peer(peer);
	bed_close(&bed);
}
END_TEST

START_TEST(the_listen_port_may_change)
{
	BedPath path;
	if (!bed_open(&bed, _i))
		return;
	BedInterface *interface = &bed.interfaces[0];
	const WiceProxyOps *ops = interface->proxy->ops;
	WiceProxyPeer *peer = bed_peer(interface, NULL, NULL);
	bed_path(interface, peer, &path);
	for (uint32_t i = 0; i < 3; i++) {
		WiceEndpoint endpoint = bed_select(&path);
		ck_assert_int_eq(ops->set_wg_port(interface->proxy, interface->port), 0);
		bed_carry(&path, &endpoint, i, 100);
		bed_move_port(interface);
		int r = ops->set_wg_port(interface->proxy, interface->port);
		if (r == -ESTALE) {
			bed_remove(&path);
			bed_path(interface, peer, &path);
			endpoint = bed_select(&path);
		} else {
			ck_assert_int_eq(r, 0);
		}
		bed_carry(&path, &endpoint, i, 100);
		bed_check(&path);
	}
	bed_remove(&path);
	free_peer(peer);
	bed_close(&bed);
}
END_TEST

/* What a callback frees. */
typedef enum { FREE_PATH, FREE_PEER, FREE_PROXY, N_FREE } What;

typedef struct {
	What what;
	unsigned n_calls;
	BedPath path;
	WiceProxyPeer *peer;
} Freed;

static void free_from_within(WiceProxyPath *path, const WiceEndpoint *source, const uint8_t *packet,
			     size_t len, void *user_data)
{
	Freed *freed = user_data;
	BedInterface *interface = freed->path.interface;
	freed->n_calls++;
	ck_assert_ptr_eq(path, freed->path.path);
	freed->path.path = NULL;
	if (freed->what == FREE_PATH) {
		interface->proxy->ops->path_free(path);
		return;
	}
	free_peer(freed->peer);
	freed->peer = NULL;
	if (freed->what == FREE_PEER)
		return;
	interface->proxy->ops->free(interface->proxy);
	interface->proxy = NULL;
}

static void answer_thrice(const BedPath *path)
{
	uint8_t packet[BED_STUN_MAX];
	uint8_t id[12] = { WICE_STUN_PROBE_TAG >> 24, WICE_STUN_PROBE_TAG >> 16 & 0xff,
			   WICE_STUN_PROBE_TAG >> 8 & 0xff, WICE_STUN_PROBE_TAG & 0xff };
	size_t len = bed_stun(packet, BED_STUN_REQUEST, (const char *)id, NULL);
	WiceProxyPeer *peer = path->path->peer;
	ck_assert_int_eq(peer->proxy->ops->path_send(path->path, &path->far, packet, len), 0);
	bed_expect(&bed, path->remote, packet, len, &path->wire);
	len = bed_stun(packet, BED_STUN_RESPONSE, (const char *)id, NULL);
	for (int i = 0; i < 3; i++)
		bed_send(path->remote, &path->wire, packet, len);
}

static void check_freeing(What what)
{
	static const WiceProxyEvents events = { .on_stun = free_from_within };
	BedInterface *interface = &bed.interfaces[0];
	Freed freed = { .what = what };
	freed.peer = bed_peer(interface, &events, &freed);
	bed_path(interface, freed.peer, &freed.path);
	answer_thrice(&freed.path);
	BED_UNTIL(&bed, freed.n_calls > 0);
	while (bed_turn(&bed))
		;
	ck_assert_uint_eq(freed.n_calls, 1);
	check_sockets(&freed.path);
	bed_remove(&freed.path);
	if (freed.peer)
		free_peer(freed.peer);
}

START_TEST(anything_may_be_freed_from_within_a_callback)
{
	BedPath other;
	if (!bed_open(&bed, _i))
		return;
	BedInterface *interface = &bed.interfaces[0];
	bool has_callbacks = interface->proxy->ops->path_send;
	WiceProxyPeer *peer = bed_peer(interface, NULL, NULL);
	bed_path(interface, peer, &other);
	WiceEndpoint endpoint = bed_select(&other);
	for (What what = 0; has_callbacks && what < N_FREE; what++) {
		if (what == FREE_PROXY) {
			free_path(&other);
			free_peer(peer);
			check_freeing(what);
			bed_remove(&other);
			bed_close(&bed);
			return;
		}
		check_freeing(what);
		bed_carry(&other, &endpoint, what, 100);
	}
	bed_remove(&other);
	free_peer(peer);
	bed_close(&bed);
}
END_TEST

/* One peer more, with a path where it is those that there is room for. */
static int add_one(GPtrArray *peers, BedPath *ret_path)
{
	BedInterface *interface = &bed.interfaces[0];
	WiceProxyPeer *peer = NULL;
	static const WiceProxyEvents events;
	int r = interface->proxy->ops->peer_new(interface->proxy, &events, NULL, &peer);
	if (r < 0) {
		ck_assert_ptr_null(peer);
		return r;
	}
	g_ptr_array_add(peers, peer);
	if (bed.subject->room_of_paths == 0)
		return 0;
	bed_sockets(interface, ret_path);
	r = bed_try_path(peer, ret_path);
	if (r < 0) {
		ck_assert_ptr_null(ret_path->path);
		bed_remove(ret_path);
	}
	return r;
}

START_TEST(without_room_there_is_an_error_and_no_harm)
{
	BedPath first, more[8];
	bed.small = true;
	if (!bed_open(&bed, _i))
		return;
	size_t room = bed.subject->room_of_paths ? bed.subject->room_of_paths
						 : bed.subject->room_of_peers;
	GPtrArray *peers = g_ptr_array_new_with_free_func((GDestroyNotify)free_peer);
	WiceProxyPeer *peer = bed_peer(&bed.interfaces[0], NULL, NULL);
	bed_path(&bed.interfaces[0], peer, &first);
	WiceEndpoint endpoint = bed_select(&first);
	for (size_t i = 1; i < room; i++)
		ck_assert_int_eq(add_one(peers, &more[(i - 1) % G_N_ELEMENTS(more)]), 0);
	for (unsigned i = 0; room > 0 && i < 2; i++) {
		BedPath none;
		ck_assert_int_eq(add_one(peers, &none), -ENOSPC);
		bed_carry(&first, &endpoint, i, 100);
	}
	/* One goes, one comes. */
	if (room > 0) {
		if (bed.subject->room_of_paths)
			bed_remove(&more[0]);
		g_ptr_array_remove_index_fast(peers, 0);
		ck_assert_int_eq(add_one(peers, &more[0]), 0);
	}
	bed_carry(&first, &endpoint, 9, 100);
	for (size_t i = 0; i + 1 < bed.subject->room_of_paths; i++)
		bed_remove(&more[i]);
	g_ptr_array_unref(peers);
	bed_remove(&first);
	free_peer(peer);
	bed_close(&bed);
}
END_TEST

static size_t many(void)
{
	struct rlimit limit;
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	/* Both ends of a path, and a socket of the proxy's. */
	return MIN(N_MANY, (limit.rlim_cur - 100) / 3);
}

START_TEST(a_thousand_peers_have_their_own_packets)
{
	size_t n = many();
	g_autofree BedPath *paths = g_new(BedPath, n);
	g_autofree WiceProxyPeer **peers = g_new(WiceProxyPeer *, n);
	g_autofree WiceEndpoint *endpoints = g_new(WiceEndpoint, n);
	if (!bed_open(&bed, _i))
		return;
	for (size_t i = 0; i < n; i++) {
		peers[i] = bed_peer(&bed.interfaces[0], NULL, NULL);
		bed_path(&bed.interfaces[0], peers[i], &paths[i]);
		endpoints[i] = bed_select(&paths[i]);
	}
	for (size_t i = 0; i < n; i++)
		bed_carry(&paths[i], &endpoints[i], (uint32_t)i, 100);
	/* Of every other one nothing is left, the rest go on. */
	for (size_t i = 0; i < n; i += 2) {
		bed_remove(&paths[i]);
		free_peer(peers[i]);
	}
	for (size_t i = 1; i < n; i += 2) {
		bed_carry(&paths[i], &endpoints[i], (uint32_t)i, 100);
		bed_remove(&paths[i]);
		free_peer(peers[i]);
	}
	bed_close(&bed);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_freed_path_leaves_the_socket_to_its_owner,
		a_path_carries_while_others_come_and_go,
		objects_may_be_freed_in_any_order,
		nothing_is_selected_until_it_is_again,
		the_first_answer_finds_its_way_before_anything_is_selected,
		the_listen_port_may_change,
		anything_may_be_freed_from_within_a_callback,
		without_room_there_is_an_error_and_no_harm,
		a_thousand_peers_have_their_own_packets,
	};
	return bed_run_suite("proxy lifetime", tests, G_N_ELEMENTS(tests));
}
