/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Two hosts, each with a proxy, on a wire: what loopback does not show (receive offload, MTU). */
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#include "unit/event/namespace.h"
#include "world.h"

#define TRIES 16
#define HOLD_US 50000 /* how long receive offload waits for more */

typedef struct {
	int namespace;
	World world;
	WorldPeer peer; /* the other host */
} Host;

static Host hosts[2];

static const char *const addresses[2][2] = { { "10.88.0.1", "10.88.0.2" },
					     { "fd88::1", "fd88::2" } };

static void enter(const Host *host)
{
	ck_assert_int_eq(setns(host->namespace, CLONE_NEWNET), 0);
}

G_GNUC_PRINTF(1, 2) static bool run(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	char *command = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	bool ok = system(command) == 0;
	g_free(command);
	return ok;
}

static bool set_offload(uint32_t command, uint32_t value)
{
	struct ethtool_value request = { command, value };
	struct ifreq name = { .ifr_name = "wire", .ifr_data = (void *)&request };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	bool ok = ioctl(fd, SIOCETHTOOL, &name) == 0;
	close(fd);
	return ok;
}

/* The files of /sys/class/net are those of the namespace that the mount was made in. */
static bool hold_back_received(void)
{
	return mount("sysfs", "/sys", "sysfs", 0, NULL) == 0 &&
	       run("echo %d > /sys/class/net/wire/gro_flush_timeout", HOLD_US * 1000) &&
	       run("echo 100 > /sys/class/net/wire/napi_defer_hard_irqs");
}

static bool make_hosts(void)
{
	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		puts("skipped: must be root to make network namespaces");
		return false;
	}
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
		hosts[i].namespace = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
		ck_assert(run("ip link set lo up"));
	}
	if (!run("ip link add wire type veth peer name far") ||
	    !run("ip link set far netns /proc/%d/fd/%d name wire", (int)getpid(),
		 hosts[0].namespace)) {
		puts("skipped: this kernel has no veth");
		return false;
	}
	for (int i = 0; i < 2; i++) {
		enter(&hosts[i]);
		ck_assert(run("ip addr add %s/24 dev wire", addresses[0][i]));
		ck_assert(run("ip addr add %s/64 dev wire nodad", addresses[1][i]));
		ck_assert(run("ip link set wire up"));
		world_open(&hosts[i].world);
	}
	for (int i = 0; i < 2; i++) {
		enter(&hosts[i]);
		ck_assert(namespace_wait_link("wire"));
	}
	return true;
}

/* A veth does this only for what its other end cannot pass on joined. */
static bool enable_receive_offload(void)
{
	bool ok = true;
	for (int i = 0; i < 2; i++) {
		enter(&hosts[i]);
		ok = ok && run("ip link set wire gso_max_segs 1") && set_offload(ETHTOOL_STSO, 0) &&
		     set_offload(ETHTOOL_SGRO, 1) && hold_back_received();
	}
	if (!ok)
		puts("skipped: this kernel has no receive offload for veth");
	return ok;
}

static void open_peers(int family)
{
	for (int i = 0; i < 2; i++) {
		WorldPeer *peer = &hosts[i].peer;
		enter(&hosts[i]);
		ck_assert_int_eq(
			wice__user_entry_new(hosts[i].world.proxy, NULL, NULL, &peer->entry), 0);
		peer->ice = world_socket(addresses[family][i], &peer->ice_endpoint);
		peer->remote = world_socket(addresses[family][i], &peer->remote_endpoint);
		ck_assert_int_eq(wice__user_path_new(peer->entry, peer->ice, &peer->ice_endpoint, 0,
						     &peer->path),
				 0);
	}
	for (int i = 0; i < 2; i++)
		wice__user_entry_select(hosts[i].peer.entry, hosts[i].peer.path,
					&hosts[!i].peer.ice_endpoint);
}

static void close_peers(void)
{
	for (int i = 0; i < 2; i++)
		world_remove_peer(&hosts[i].peer);
}

static void close_hosts(void)
{
	for (int i = 0; i < 2; i++) {
		world_close(&hosts[i].world);
		close(hosts[i].namespace);
	}
}

static WiceUserProxyCounters counters_of(const Host *host)
{
	WiceUserProxyCounters counters;
	wice__user_proxy_counters(host->world.proxy, &counters);
	return counters;
}

/* Through the first host's proxy to the second host's WireGuard. */
static void carry(uint32_t n, size_t len)
{
	uint8_t packet[1500];
	Host *from = &hosts[0], *to = &hosts[1];
	WiceUserCounters before, sent;
	wice__user_entry_counters(from->peer.entry, &before);
	for (uint32_t i = 0; i < n; i++)
		world_send(from->world.wg, wice__user_entry_endpoint(from->peer.entry), packet,
			   world_data(packet, len, i));
	do {
		g_main_context_iteration(from->world.context, FALSE);
		wice__user_entry_counters(from->peer.entry, &sent);
	} while (sent.tx_packets + sent.tx_dropped < before.tx_packets + before.tx_dropped + n);
	ck_assert_uint_eq(sent.tx_dropped, 0);
	for (uint32_t i = 0; i < n; i++)
		world_expect(&to->world, to->world.wg, packet, world_data(packet, len, i),
			     wice__user_entry_endpoint(to->peer.entry));
}

START_TEST(two_proxies_carry_packets_over_a_wire)
{
	if (!make_hosts())
		return;
	open_peers(_i);
	carry(1, 100); /* finds the neighbour */
	carry(300, 1400);
	carry(300, 32);
	close_peers();
	close_hosts();
}
END_TEST

START_TEST(packets_beyond_the_mtu_are_sent_one_by_one)
{
	if (!make_hosts())
		return;
	for (int i = 0; i < 2; i++) {
		enter(&hosts[i]);
		ck_assert(run("ip link set wire mtu 1300"));
	}
	open_peers(_i);
	carry(1, 100);
	carry(100, 1400);
	uint64_t fallbacks = counters_of(&hosts[0]).gso_fallbacks;
	ck_assert_uint_gt(fallbacks, 0);
	carry(100, 1400);
	carry(100, 1200);
	ck_assert_uint_eq(counters_of(&hosts[0]).gso_fallbacks, fallbacks);
	close_peers();
	close_hosts();
}
END_TEST

static void set_ttl(int fd, int family, int ttl)
{
	int level = family ? IPPROTO_IPV6 : IPPROTO_IP;
	int option = family ? IPV6_UNICAST_HOPS : IP_TTL;
	ck_assert_int_eq(setsockopt(fd, level, option, &ttl, sizeof ttl), 0);
}

/*
 * STUN close behind a few larger data packets of the same flow. One socket sends both: over a veth,
 * packets of two sockets that share a port were not seen to be joined. A real wire does not know
 * about sockets.
 */
static void send_data_and_stun(int family, int data_ttl)
{
	uint8_t data[1000], stun[20];
	int fd = hosts[0].peer.remote;
	world_stun(stun, "abcdefghijkl");
	set_ttl(fd, family, data_ttl);
	for (uint32_t i = 0; i < 4; i++)
		world_send(fd, &hosts[1].peer.ice_endpoint, data, world_data(data, sizeof data, i));
	set_ttl(fd, family, 64);
	world_send(fd, &hosts[1].peer.ice_endpoint, stun, sizeof stun);
}

static void expect_data(void)
{
	uint8_t data[1000];
	for (uint32_t i = 0; i < 4; i++)
		world_expect(&hosts[1].world, hosts[1].world.wg, data,
			     world_data(data, sizeof data, i),
			     wice__user_entry_endpoint(hosts[1].peer.entry));
}

/* True if the agent has it, false if the proxy has noticed that it will not. */
static bool agent_gets_stun(void)
{
	Host *host = &hosts[1];
	bool got = false;
	WORLD_UNTIL(&host->world, (got = world_try_receive(&host->world, host->peer.ice)) ||
					  counters_of(host).gro_disabled > 0);
	return got;
}

START_TEST(receive_offload_joins_nothing_that_differs_in_its_time_to_live)
{
	if (!make_hosts() || !enable_receive_offload())
		return;
	for (int try = 0; try < TRIES; try++) {
		open_peers(_i);
		send_data_and_stun(_i, 63);
		ck_assert(agent_gets_stun());
		expect_data();
		close_peers();
	}
	close_hosts();
}
END_TEST

/* Another implementation may send both with the same time to live. */
START_TEST(a_path_that_lost_stun_to_receive_offload_does_without_it)
{
	bool lost = false;
	if (!make_hosts() || !enable_receive_offload())
		return;
	for (int try = 0; try < TRIES && !lost; try++) {
		open_peers(_i);
		send_data_and_stun(_i, 64);
		lost = !agent_gets_stun();
		expect_data();
		if (lost) {
			send_data_and_stun(_i, 64);
			world_receive(&hosts[1].world, hosts[1].peer.ice);
			ck_assert_int_eq(hosts[1].world.len, 20);
			expect_data();
			ck_assert_uint_eq(counters_of(&hosts[1]).gro_disabled, 1);
		}
		close_peers();
	}
	if (!lost)
		puts("skipped: this kernel's receive offload has joined nothing");
	close_hosts();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		two_proxies_carry_packets_over_a_wire,
		packets_beyond_the_mtu_are_sent_one_by_one,
		receive_offload_joins_nothing_that_differs_in_its_time_to_live,
		a_path_that_lost_stun_to_receive_offload_does_without_it,
	};
	Suite *suite = suite_create("proxy network");
	TCase *tcase = tcase_create("proxy network");
	tcase_set_timeout(tcase, SUITE_TIMEOUT_S);
	for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
		tcase_add_loop_test(tcase, tests[i], 0, 2);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
