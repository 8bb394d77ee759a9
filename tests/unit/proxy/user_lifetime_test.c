/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <malloc.h>

#include "world.h"

#define N_PEERS 200

static World world;
static WorldPeer peers[N_PEERS];

START_TEST(two_hundred_peers_get_their_own_packets_only)
{
	uint8_t packet[600];
	world_open(&world);
	for (int i = 0; i < N_PEERS; i++)
		world_add_peer(&world, &peers[i], i % 2 ? "127.0.0.1" : "::1", NULL, NULL);
	for (uint32_t round = 0; round < 5; round++) {
		/* Not in the order of their addresses, so that each batch is a mixture. */
		for (uint32_t i = 0; i < N_PEERS; i++) {
			uint32_t k = i * 7 % N_PEERS;
			world_data(packet, sizeof packet, round << 16 | k);
			world_send(world.wg, wice__user_entry_endpoint(peers[k].entry), packet,
				   sizeof packet);
			world_send(peers[k].remote, &peers[k].ice_endpoint, packet, sizeof packet);
		}
		bool seen[N_PEERS] = { false };
		for (uint32_t i = 0; i < N_PEERS; i++) {
			world_data(packet, sizeof packet, round << 16 | i);
			world_expect(&world, peers[i].remote, packet, sizeof packet,
				     &peers[i].ice_endpoint);
			world_receive(&world, world.wg);
			uint32_t from = world_number(&world) & 0xffff;
			ck_assert_uint_lt(from, N_PEERS);
			ck_assert(!seen[from]);
			seen[from] = true;
			ck_assert_int_eq(
				wice_endpoint_compare(&world.source,
						      wice__user_entry_endpoint(peers[from].entry)),
				0);
		}
	}
	for (int i = 0; i < N_PEERS; i++)
		world_remove_peer(&peers[i]);
	world_close(&world);
}
END_TEST

START_TEST(an_address_is_not_given_out_again_soon)
{
	WiceUserEntry *entry;
	GHashTable *seen = g_hash_table_new(g_direct_hash, g_direct_equal);
	world_open(&world);
	for (int i = 0; i < 500; i++) {
		ck_assert_int_eq(wice__user_entry_new(world.proxy, NULL, NULL, &entry), 0);
		const WiceEndpoint *endpoint = wice__user_entry_endpoint(entry);
		ck_assert(wice__user_is_ours(endpoint));
		guint key = (guint)endpoint->address.bytes[2] << 8 | endpoint->address.bytes[3];
		ck_assert_uint_ne(key, 0);
		ck_assert(g_hash_table_add(seen, GUINT_TO_POINTER(key)));
		wice__user_entry_free(entry);
	}
	g_hash_table_destroy(seen);
	world_close(&world);
}
END_TEST

START_TEST(thousands_of_entries_have_different_addresses)
{
	static WiceUserEntry *entries[5000];
	GHashTable *seen = g_hash_table_new(g_direct_hash, g_direct_equal);
	world_open(&world);
	for (size_t i = 0; i < G_N_ELEMENTS(entries); i++) {
		ck_assert_int_eq(wice__user_entry_new(world.proxy, NULL, NULL, &entries[i]), 0);
		const uint8_t *a = wice__user_entry_endpoint(entries[i])->address.bytes;
		ck_assert_uint_eq(a[0], 127);
		ck_assert_uint_ge(a[1], 128);
		guint key = (guint)a[1] << 16 | (guint)a[2] << 8 | a[3];
		ck_assert(g_hash_table_add(seen, GUINT_TO_POINTER(key)));
	}
	for (size_t i = 0; i < G_N_ELEMENTS(entries); i++)
		wice__user_entry_free(entries[i]);
	g_hash_table_destroy(seen);
	world_close(&world);
}
END_TEST

START_TEST(only_the_upper_half_of_the_loopback_network_is_ours)
{
	static const struct {
		const char *text;
		bool ours;
	} cases[] = { { "127.128.0.1:1", true },  { "127.255.255.254:1", true },
		      { "127.0.0.1:1", false },   { "127.127.255.255:1", false },
		      { "128.128.0.1:1", false }, { "[::1]:1", false },
		      { "[7f80::1]:1", false } };
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		WiceEndpoint endpoint;
		ck_assert(wice_endpoint_parse(cases[i].text, &endpoint));
		ck_assert_int_eq(wice__user_is_ours(&endpoint), cases[i].ours);
	}
	ck_assert(!wice__user_is_ours(&(WiceEndpoint){ 0 }));
}
END_TEST

typedef enum { FREE_PATH, FREE_ENTRY, FREE_OTHER_ENTRY, FREE_PROXY } Victim;

typedef struct {
	Victim victim;
	WorldPeer peers[2];
	unsigned calls;
} Scene;

static void free_victim(WiceProxyPath *base, const WiceEndpoint *source, const uint8_t *packet,
			size_t len, void *user_data)
{
	Scene *scene = user_data;
	WiceUserPath *path = (WiceUserPath *)base;
	int k = path == scene->peers[1].path, other = !k;
	if (scene->calls++ > 0)
		return;
	ck_assert_ptr_eq(path, scene->peers[k].path);
	switch (scene->victim) {
	case FREE_PATH:
		wice__user_path_free(path);
		break;
	case FREE_ENTRY:
		wice__user_entry_free(scene->peers[k].entry);
		scene->peers[k].entry = NULL;
		break;
	case FREE_OTHER_ENTRY:
		wice__user_entry_free(scene->peers[other].entry);
		scene->peers[other].entry = NULL;
		break;
	case FREE_PROXY:
		for (int i = 0; i < 2; i++) {
			wice__user_entry_free(scene->peers[i].entry);
			scene->peers[i].entry = NULL;
		}
		wice__user_proxy_free(world.proxy);
		world.proxy = NULL;
		break;
	}
}

/*
 * Both sockets are ready in one dispatch, each with several packets, and the first callback frees.
 */
START_TEST(anything_may_be_freed_from_within_a_callback)
{
	static const WiceProxyEvents events = { .on_stun = free_victim };
	static const unsigned calls[] = {
		[FREE_PATH] = 6, [FREE_ENTRY] = 6, [FREE_OTHER_ENTRY] = 5, [FREE_PROXY] = 1
	};
	Scene scene = { .victim = (Victim)_i };
	uint8_t probe[20], data[100];
	world_open(&world);
	world_stun(probe, "wiCeabcdefgh");
	world_data(data, sizeof data, 1);
	for (int k = 0; k < 2; k++)
		world_add_peer(&world, &scene.peers[k], "127.0.0.1", &events, &scene);
	for (int k = 0; k < 2; k++) {
		WorldPeer *peer = &scene.peers[k];
		for (int i = 0; i < 5; i++) {
			world_send(peer->remote, &peer->ice_endpoint, probe, sizeof probe);
			world_send(peer->remote, &peer->ice_endpoint, data, sizeof data);
			world_send(world.wg, wice__user_entry_endpoint(peer->entry), data,
				   sizeof data);
		}
	}
	WORLD_UNTIL(&world, scene.calls == calls[_i]);
	while (g_main_context_iteration(world.context, FALSE))
		;
	ck_assert_uint_eq(scene.calls, calls[_i]);
	for (int k = 0; k < 2; k++)
		world_remove_peer(&scene.peers[k]);
	world_close(&world);
}
END_TEST

static unsigned open_descriptors(void)
{
	unsigned n = 0;
	DIR *dir = opendir("/proc/self/fd");
	ck_assert_ptr_nonnull(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* Peers come and go while packets for them are under way in both directions. */
static void churn(int cycles)
{
	uint8_t packet[200];
	world_data(packet, sizeof packet, 0);
	for (int i = 0; i < cycles; i++) {
		WorldPeer peer;
		world_add_peer(&world, &peer, i % 2 ? "127.0.0.1" : "::1", NULL, NULL);
		WiceEndpoint entry = *wice__user_entry_endpoint(peer.entry);
		for (int k = 0; k < 10; k++) {
			world_send(world.wg, &entry, packet, sizeof packet);
			world_send(peer.remote, &peer.ice_endpoint, packet, sizeof packet);
		}
		if (i % 3 == 0)
			g_main_context_iteration(world.context, FALSE);
		if (i % 5 == 0)
			close(peer.ice);
		wice__user_entry_free(peer.entry);
		world_send(world.wg, &entry, packet, sizeof packet);
		if (i % 5)
			close(peer.ice);
		close(peer.remote);
		while (world_try_receive(&world, world.wg))
			;
	}
}

START_TEST(a_thousand_peers_leave_no_descriptor_and_no_memory_behind)
{
	WorldPeer steady;
	uint8_t packet[64];
	WiceUserProxyCounters counters;
	world_open(&world);
	world_add_peer(&world, &steady, "127.0.0.1", NULL, NULL);
	churn(50);
	unsigned descriptors = open_descriptors();
	size_t heap = mallinfo2().uordblks;
	churn(1000);
	ck_assert_uint_eq(open_descriptors(), descriptors);
	ck_assert_uint_lt(mallinfo2().uordblks, heap + 4096);
	world_data(packet, sizeof packet, 7);
	world_send(world.wg, wice__user_entry_endpoint(steady.entry), packet, sizeof packet);
	world_expect(&world, steady.remote, packet, sizeof packet, &steady.ice_endpoint);
	wice__user_proxy_counters(world.proxy, &counters);
	ck_assert_uint_gt(counters.unknown, 0);
	world_remove_peer(&steady);
	world_close(&world);
}
END_TEST

/* Two interfaces on one host: equal addresses, different ports. */
START_TEST(two_proxies_do_not_disturb_each_other)
{
	static World worlds[2];
	WorldPeer pair[2];
	uint8_t packet[64];
	for (int i = 0; i < 2; i++) {
		world_open(&worlds[i]);
		world_add_peer(&worlds[i], &pair[i], "127.0.0.1", NULL, NULL);
	}
	const WiceEndpoint *a = wice__user_entry_endpoint(pair[0].entry);
	const WiceEndpoint *b = wice__user_entry_endpoint(pair[1].entry);
	ck_assert_int_eq(wice_address_compare(&a->address, &b->address), 0);
	ck_assert_uint_ne(a->port, b->port);
	for (int i = 0; i < 2; i++) {
		world_data(packet, sizeof packet, (uint32_t)i);
		world_send(worlds[i].wg, i ? b : a, packet, sizeof packet);
		world_expect(&worlds[i], pair[i].remote, packet, sizeof packet,
			     &pair[i].ice_endpoint);
	}
	for (int i = 0; i < 2; i++) {
		world_remove_peer(&pair[i]);
		world_close(&worlds[i]);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		two_hundred_peers_get_their_own_packets_only,
		an_address_is_not_given_out_again_soon,
		thousands_of_entries_have_different_addresses,
		only_the_upper_half_of_the_loopback_network_is_ours,
		a_thousand_peers_leave_no_descriptor_and_no_memory_behind,
		two_proxies_do_not_disturb_each_other,
	};
	Suite *suite = suite_create("proxy user lifetime");
	TCase *tcase = tcase_create("proxy user lifetime");
	tcase_set_timeout(tcase, SUITE_TIMEOUT_S);
	for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
		tcase_add_test(tcase, tests[i]);
	tcase_add_loop_test(tcase, anything_may_be_freed_from_within_a_callback, FREE_PATH,
			    FREE_PROXY + 1);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
