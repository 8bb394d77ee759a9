/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_PROXY_NFT_WORLD_H
#define WICE_TESTS_PROXY_NFT_WORLD_H

/*
 * Two hosts on a wire, each in a network namespace that vanishes with the test. On each a plain UDP
 * socket plays WireGuard, another one the ICE agent, and a proxy of the mechanism nft is to bring
 * them together on the wire.
 */
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "proxy/nft/nft.h"
#include "unit/event/namespace.h"
#include "world.h"

typedef struct {
	int namespace;
	WiceProxy *proxy;
	WiceProxyPeer *peer;
	WiceProxyPath *path;
	int wg[2], ice; /* of WireGuard: one per family */
	WiceEndpoint ice_endpoint;
} NftHost;

static NftHost hosts[2];
static World world; /* its context and its buffer are what is used of it */
static bool ownerless;

#define WG_PORT 51820
static const char *const addresses[2][2] = { { "10.89.0.1", "10.89.0.2" },
					     { "fd89::1", "fd89::2" } };

static inline void enter(int host)
{
	ck_assert_int_eq(setns(hosts[host].namespace, CLONE_NEWNET), 0);
}

G_GNUC_PRINTF(1, 2) static inline bool run(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	char *command = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	bool ok = system(command) == 0;
	g_free(command);
	return ok;
}

/* Hands rules to nft(8). */
static inline void add_rules(const char *rules)
{
	ck_assert_msg(run("nft '%s'", rules), "%s", rules);
}

static inline int bind_socket(const char *address, uint16_t port, WiceEndpoint *ret_endpoint)
{
	struct sockaddr_storage name;
	WiceEndpoint endpoint = { .port = port };
	int one = 1, size = 8 << 20;
	ck_assert(wice_address_parse(address, &endpoint.address));
	socklen_t len = wice__endpoint_to_sockaddr(&endpoint, &name);
	int fd = socket(name.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(fd, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
	if (name.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&name, len), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&name, &len), 0);
	ck_assert(wice__endpoint_from_sockaddr((struct sockaddr *)&name, len, ret_endpoint));
	return fd;
}

static inline WiceProxy *new_proxy(const char *ifname, uint16_t wg_port)
{
	GError *error = NULL;
	WiceProxy *proxy =
		ownerless ? wice__proxy_nft_new_ownerless(world.context, ifname, wg_port, &error)
			  : wice__proxy_nft_new(world.context, ifname, wg_port, &error);
	ck_assert_msg(proxy != NULL, "%s", error ? error->message : "");
	return proxy;
}

static inline WiceProxyPath *new_path(WiceProxyPeer *peer, int fd, const WiceEndpoint *local)
{
	WiceProxySocket socket = { .fd = fd, .local = *local, .ufrag = "abcdefgh" };
	WiceProxyPath *path;
	ck_assert_int_eq(peer->proxy->ops->path_new(peer, &socket, &path), 0);
	return path;
}

static inline bool have_nft(void)
{
	bool have = run("command -v nft >/dev/null");
	if (!have)
		puts("skipped: needs nft(8)");
	return have;
}

/* False, with a reason, where there are no namespaces or no nf_tables. */
static inline bool make_network(void)
{
	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0) {
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
		enter(i);
		ck_assert(run("ip addr add %s/24 dev wire", addresses[0][i]));
		ck_assert(run("ip addr add %s/64 dev wire nodad", addresses[1][i]));
		ck_assert(run("ip link set wire up"));
	}
	for (int i = 0; i < 2; i++) {
		enter(i);
		ck_assert(namespace_wait_link("wire"));
	}
	world.context = g_main_context_new();
	return true;
}

/* With a peer each, which is the other one; nothing is selected. */
static inline bool make_hosts(int family)
{
	WiceEndpoint any;
	static const WiceProxyEvents events;
	if (!make_network())
		return false;
	for (int i = 0; i < 2; i++) {
		NftHost *host = &hosts[i];
		enter(i);
		host->wg[0] = bind_socket("0.0.0.0", WG_PORT, &any);
		host->wg[1] = bind_socket("::", WG_PORT, &any);
		host->ice = bind_socket(addresses[family][i], 0, &host->ice_endpoint);
		host->proxy = new_proxy("wg0", WG_PORT);
		ck_assert_int_eq(
			host->proxy->ops->peer_new(host->proxy, &events, NULL, &host->peer), 0);
		host->path = new_path(host->peer, host->ice, &host->ice_endpoint);
	}
	return true;
}

static inline void select_path(WiceProxyPath *path, const WiceEndpoint *remote)
{
	WiceEndpoint endpoint = { 0 };
	ck_assert_int_eq(path->peer->proxy->ops->select(path->peer, path, remote, &endpoint), 0);
	ck_assert_int_eq(wice_endpoint_compare(&endpoint, remote), 0);
}

static inline void select_both(void)
{
	for (int i = 0; i < 2; i++)
		select_path(hosts[i].path, &hosts[!i].ice_endpoint);
}

static inline void free_hosts(void)
{
	for (int i = 0; i < 2; i++) {
		hosts[i].proxy->ops->peer_free(hosts[i].peer);
		hosts[i].proxy->ops->free(hosts[i].proxy);
		close(hosts[i].wg[0]);
		close(hosts[i].wg[1]);
		close(hosts[i].ice);
		close(hosts[i].namespace);
	}
	g_main_context_unref(world.context);
}

/* From the WireGuard of a host to that of the other one, under ICE's port. */
static inline void carry(int family, int from, uint32_t number, size_t len)
{
	static uint8_t packet[WORLD_PACKET_MAX];
	world_data(packet, len, number);
	world_send(hosts[from].wg[family], &hosts[!from].ice_endpoint, packet, len);
	world_expect(&world, hosts[!from].wg[family], packet, len, &hosts[from].ice_endpoint);
}

static inline void carry_both_ways(int family)
{
	for (uint32_t i = 0; i < 20; i++) {
		carry(family, 0, i, 100 + 50 * i);
		carry(family, 1, i, 100 + 50 * i);
	}
}

/* From the ICE agent of a host to that of the other one. */
/*
 * Opens the firewall of one end; the other's drops it, or has been opened meanwhile: a neighbour
 * that is looked for delays packets. All are the same, so that one that comes late does no harm.
 */
static inline void send_stun(int from)
{
	uint8_t packet[20];
	world_stun(packet, "abcdefghijkl");
	world_send(hosts[from].ice, &hosts[!from].ice_endpoint, packet, sizeof packet);
}

static inline void carry_stun(int from)
{
	uint8_t packet[20];
	world_stun(packet, "abcdefghijkl");
	send_stun(from);
	world_expect(&world, hosts[!from].ice, packet, sizeof packet, &hosts[from].ice_endpoint);
}

static inline void set_tx_checksum(bool offload)
{
	for (int i = 0; i < 2; i++) {
		struct ethtool_value request = { ETHTOOL_STXCSUM, offload };
		struct ifreq name = { .ifr_name = "wire", .ifr_data = (void *)&request };
		enter(i);
		int fd = socket(AF_INET, SOCK_DGRAM, 0);
		ck_assert_int_eq(ioctl(fd, SIOCETHTOOL, &name), 0);
		close(fd);
	}
}

static inline int run_suite(const char *name, const TTest *const *tests, size_t n,
			    const TTest *const *once, size_t n_once)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	tcase_set_timeout(tcase, SUITE_TIMEOUT_S);
	for (size_t i = 0; i < n; i++)
		tcase_add_loop_test(tcase, tests[i], 0, 2); /* IPv4 and IPv6 */
	for (size_t i = 0; i < n_once; i++)
		tcase_add_test(tcase, once[i]);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
