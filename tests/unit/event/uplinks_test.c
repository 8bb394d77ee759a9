/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "event/uplinks.h"
#include "suite.h"
#include "unit/event/namespace.h"

#include <linux/if_tun.h>
#include <sys/ioctl.h>

typedef struct {
	GMainContext *context;
	WiceUplinkWatch *watch;
	unsigned n_changes;
} Watched;

static void count(void *user_data)
{
	Watched *watched = user_data;
	watched->n_changes++;
}

static gboolean tick(gpointer user_data)
{
	return G_SOURCE_CONTINUE;
}

static void run(Watched *watched, unsigned ms, bool until_change)
{
	gint64 end = g_get_monotonic_time() + (gint64)ms * 1000;
	GSource *wake = g_timeout_source_new(5);
	g_source_set_callback(wake, tick, NULL, NULL);
	g_source_attach(wake, watched->context);
	while (g_get_monotonic_time() < end && !(until_change && watched->n_changes))
		g_main_context_iteration(watched->context, TRUE);
	g_source_destroy(wake);
	g_source_unref(wake);
}

static void start(Watched *watched)
{
	*watched = (Watched){ .context = g_main_context_new() };
	ck_assert_int_eq(wice__uplink_watch_new(watched->context, count, watched, &watched->watch),
			 0);
	run(watched, 300, false); /* what links that have just been made still have to tell */
	watched->n_changes = 0;
}

static void stop(Watched *watched)
{
	wice__uplink_watch_free(watched->watch);
	g_main_context_unref(watched->context);
}

/* The names of all, in order, each with ! if it has no Ethernet header: "lo left left.7!". */
static char *names(void)
{
	WiceUplink *all;
	size_t n;
	ck_assert_int_eq(wice__uplinks_list(&all, &n), 0);
	GString *text = g_string_new(NULL);
	for (size_t i = 0; i < n; i++) {
		ck_assert_uint_eq(all[i].ifindex, if_nametoindex(all[i].name));
		ck_assert(i == 0 || all[i - 1].ifindex < all[i].ifindex);
		g_string_append_printf(text, "%s%s%s", i ? " " : "", all[i].name,
				       all[i].ethernet ? "" : "!");
	}
	g_free(all);
	return g_string_free(text, FALSE);
}

static void expect(const char *expected, const char *after)
{
	char *text = names();
	ck_assert_msg(strcmp(text, expected) == 0, "after \"%s\": \"%s\" instead of \"%s\"", after,
		      text, expected);
	g_free(text);
}

/* Two links of this namespace that are each other's cable, without link-local addresses. */
static bool enter_with_links(void)
{
	if (!namespace_enter())
		return false;
	if (!namespace_ip("link add name left index 70 type veth peer name right index 80")) {
		printf("Skipped: cannot make a veth pair\n");
		return false;
	}
	ck_assert(namespace_ip("link set left addrgenmode none"));
	ck_assert(namespace_ip("link set right addrgenmode none"));
	ck_assert(namespace_ip("link set left up"));
	ck_assert(namespace_ip("link set right up"));
	return true;
}

/* What is done to left and right, one after the other, and what is an uplink then. */
typedef struct {
	const char *command;
	const char *uplinks;
} Step;

static void take(const Step *steps, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		ck_assert_msg(namespace_ip("%s", steps[i].command), "%s", steps[i].command);
		expect(steps[i].uplinks, steps[i].command);
	}
}

START_TEST(an_address_makes_an_uplink)
{
	static const Step steps[] = {
		{ "link set lo up", "lo" },
		{ "addr add 192.0.2.1/24 dev right", "lo right" },
		{ "addr add 2001:db8::1/64 dev left", "lo left right" },
		{ "link set right name other", "lo left other" },
		{ "addr del 192.0.2.1/24 dev other", "lo left" },
		{ "link set left down", "lo" },
		{ "link set left up", "lo" }, /* which has cost it its IPv6 address */
		{ "addr add 2001:db8::1/64 dev left", "lo left" },
		{ "addr flush dev lo", "lo left" },
		{ "link set lo down", "left" },
		{ "link set other down", "left" }, /* without a carrier it still is one */
		{ "link del left", "" },
	};
	if (enter_with_links())
		take(steps, G_N_ELEMENTS(steps));
}
END_TEST

START_TEST(link_local_addresses_alone_make_none)
{
	static const Step steps[] = {
		{ "addr add 169.254.7.1/16 dev left", "lo" },
		{ "addr add fe80::7/64 dev left", "lo" },
		{ "route add 169.254.8.0/24 dev left", "lo" },
		{ "route add 224.0.0.0/4 dev left", "lo" },
		{ "-6 route add fe80::8 dev left", "lo" },
		{ "addr add 10.0.0.1/8 dev left", "lo left" },
	};
	if (enter_with_links())
		take(steps, G_N_ELEMENTS(steps));
}
END_TEST

START_TEST(a_route_out_makes_an_uplink)
{
	static const Step steps[] = {
		{ "route add default dev left", "lo left" },
		{ "route del default dev left", "lo" },
		{ "route add 192.0.2.0/24 dev right table 77", "lo right" },
		{ "-6 route add 2001:db8::/32 dev left", "lo left right" },
		{ "-6 route del 2001:db8::/32 dev left", "lo right" },
		{ "route flush table 77", "lo" },
		{ "route add 192.0.2.0/24 nexthop dev left nexthop dev right", "lo left right" },
		{ "route replace unreachable 192.0.2.0/24", "lo" },
		{ "route add local 198.51.100.0/24 dev right", "lo" },
	};
	if (enter_with_links())
		take(steps, G_N_ELEMENTS(steps));
}
END_TEST

START_TEST(vlan_devices_are_uplinks_beside_theirs)
{
	static const Step steps[] = {
		{ "link add link left name left.7 index 90 type vlan id 7", "lo" },
		{ "link set left.7 up", "lo" },
		{ "addr add 192.0.2.1/24 dev left.7", "lo left.7" },
		{ "addr add 198.51.100.1/24 dev left", "lo left left.7" },
		{ "link del left.7", "lo left" },
	};
	if (!enter_with_links())
		return;
	if (!namespace_ip("link add link right name right.7 type vlan id 7")) {
		printf("Skipped: cannot make a VLAN device\n");
		return;
	}
	take(steps, G_N_ELEMENTS(steps));
}
END_TEST

START_TEST(ports_of_masters_are_none)
{
	static const Step steps[] = {
		{ "addr add 192.0.2.1/24 dev left", "lo left" },
		{ "link add name bridge7 index 90 type bridge", "lo left" },
		{ "link set left master bridge7", "lo" },
		{ "link set bridge7 up", "lo" },
		{ "addr add 198.51.100.1/24 dev bridge7", "lo bridge7" },
		{ "link set left nomaster", "lo left bridge7" },
	};
	if (!enter_with_links())
		return;
	if (!namespace_ip("link add name probe7 type bridge")) {
		printf("Skipped: cannot make a bridge\n");
		return;
	}
	take(steps, G_N_ELEMENTS(steps));
}
END_TEST

START_TEST(ports_of_a_vrf_are_uplinks)
{
	static const Step steps[] = {
		{ "link set left master vrf7", "lo" },
		{ "addr add 192.0.2.1/24 dev left", "lo left" },
	};
	if (!enter_with_links())
		return;
	if (!namespace_ip("link add name vrf7 type vrf table 77")) {
		printf("Skipped: cannot make a VRF\n");
		return;
	}
	take(steps, G_N_ELEMENTS(steps));
}
END_TEST

START_TEST(a_tun_device_has_no_ethernet_header)
{
	if (!namespace_enter_with_tun())
		return;
	struct ifreq tun = { .ifr_name = "tun7", .ifr_flags = IFF_TUN | IFF_NO_PI };
	struct ifreq tap = { .ifr_name = "tap7", .ifr_flags = IFF_TAP | IFF_NO_PI };
	int tun_fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	int tap_fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(ioctl(tun_fd, TUNSETIFF, &tun), 0);
	ck_assert_int_eq(ioctl(tap_fd, TUNSETIFF, &tap), 0);
	static const Step steps[] = {
		{ "link set tun7 up", "lo" },
		{ "link set tap7 up", "lo" },
		{ "addr add 192.0.2.1/24 dev tun7", "lo tun7!" },
		{ "addr add 198.51.100.1/24 dev tap7", "lo tun7! tap7" },
	};
	take(steps, G_N_ELEMENTS(steps));
	close(tun_fd);
	close(tap_fd);
	expect("lo", "close");
}
END_TEST

START_TEST(wireguard_devices_are_none)
{
	static const Step steps[] = {
		{ "link set wg7 up", "lo" },
		{ "addr add 192.0.2.1/24 dev wg7", "lo" },
		{ "route add default dev wg7", "lo" },
	};
	if (!namespace_enter())
		return;
	if (!namespace_ip("link add name wg7 type wireguard")) {
		printf("Skipped: this kernel has no WireGuard\n");
		return;
	}
	take(steps, G_N_ELEMENTS(steps));
}
END_TEST

START_TEST(devices_of_userspace_wireguard_are_none)
{
	if (!namespace_enter_with_tun())
		return;
	struct ifreq tun = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	g_snprintf(tun.ifr_name, sizeof tun.ifr_name, "wg%d", (int)getpid());
	g_autofree char *address = g_strdup_printf("addr add 192.0.2.1/24 dev %s", tun.ifr_name);
	g_autofree char *up = g_strdup_printf("link set %s up", tun.ifr_name);
	g_autofree char *uplinks = g_strdup_printf("lo %s!", tun.ifr_name);
	g_autofree char *path = g_strdup_printf("/var/run/wireguard/%s.sock", tun.ifr_name);
	if (g_mkdir_with_parents("/var/run/wireguard", 0700) < 0 ||
	    !g_file_set_contents(path, "", 0, NULL)) {
		printf("Skipped: cannot write to /var/run/wireguard\n");
		return;
	}
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(ioctl(fd, TUNSETIFF, &tun), 0);
	const Step steps[] = { { up, "lo" }, { address, "lo" } };
	take(steps, G_N_ELEMENTS(steps));
	unlink(path);
	expect(uplinks, "the socket has gone");
	close(fd);
}
END_TEST

START_TEST(devices_of_other_types_are_none)
{
	static const Step steps[] = {
		{ "link set gre7 up", "lo" },
		{ "addr add 192.0.2.1/24 dev gre7", "lo" },
	};
	if (!namespace_enter())
		return;
	if (!namespace_ip("link add name gre7 type gre local 127.0.0.1 remote 127.0.0.2")) {
		printf("Skipped: cannot make a GRE device\n");
		return;
	}
	take(steps, G_N_ELEMENTS(steps));
}
END_TEST

/* That it is reported within 100 ms is for a benchmark to say: these machines stall. */
static void expect_change(Watched *watched, const char *command)
{
	ck_assert_msg(system(command) == 0, "%s", command);
	run(watched, 60000, true);
	ck_assert_msg(watched->n_changes > 0, "%s", command);
	run(watched, 300, false);
	watched->n_changes = 0;
}

START_TEST(changes_are_reported)
{
	static const char *const commands[] = {
		"ip addr add 192.0.2.1/24 dev left",
		"ip addr del 192.0.2.1/24 dev left",
		"ip addr add 2001:db8::1/64 dev left",
		"ip route add 203.0.113.0/24 dev right table 77",
		"ip route del 203.0.113.0/24 dev right table 77",
		"ip -6 route add 2001:db8:1::/48 dev right",
		"ip link set right down",
		"ip link set right name other",
		"ip link set other up",
		"ip link del left",
	};
	Watched watched;
	if (!enter_with_links())
		return;
	start(&watched);
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
		expect_change(&watched, commands[i]);
	stop(&watched);
}
END_TEST

START_TEST(what_leads_nowhere_else_is_not_reported)
{
	Watched watched;
	if (!enter_with_links())
		return;
	start(&watched);
	ck_assert(namespace_ip("route add unreachable 203.0.113.0/24"));
	ck_assert(namespace_ip("route add local 203.0.114.0/24 dev lo"));
	run(&watched, 200, false);
	ck_assert_uint_eq(watched.n_changes, 0);
	stop(&watched);
}
END_TEST

START_TEST(a_deleted_qdisc_or_filter_is_reported)
{
	Watched watched;
	if (!enter_with_links())
		return;
	if (system("tc qdisc add dev left clsact 2>/dev/null") != 0) {
		printf("Skipped: cannot add a clsact qdisc\n");
		return;
	}
	/* Kernels come with different classifiers. */
	bool filter = system("tc filter add dev left ingress pref 7 u32 match u32 0 0 flowid 1:1 "
			     "2>/dev/null") == 0;
	start(&watched);
	if (filter)
		expect_change(&watched, "tc filter del dev left ingress pref 7");
	expect_change(&watched, "tc qdisc del dev left clsact");
	stop(&watched);
}
END_TEST

START_TEST(a_storm_makes_few_calls)
{
	Watched watched;
	if (!enter_with_links())
		return;
	start(&watched);
	FILE *batch = popen("ip -batch - 2>/dev/null", "w");
	ck_assert_ptr_nonnull(batch);
	for (unsigned i = 0; i < 1000; i++)
		fprintf(batch, "addr add 10.0.%u.%u/32 dev left\n", i / 256, i % 256);
	fflush(batch);
	gint64 began = g_get_monotonic_time();
	run(&watched, 60000, true);
	ck_assert_int_eq(pclose(batch), 0);
	run(&watched, 300, false);
	/* One per 20 ms at most, however long all of it took. */
	gint64 took = g_get_monotonic_time() - began;
	ck_assert_uint_ge(watched.n_changes, 1);
	ck_assert_uint_le(watched.n_changes, took / 20000 + 1);
	ck_assert_uint_lt(watched.n_changes, 100);
	expect("lo left", "a storm");
	stop(&watched);
}
END_TEST

static void free_watch(void *user_data)
{
	Watched *watched = user_data;
	watched->n_changes++;
	wice__uplink_watch_free(watched->watch);
	watched->watch = NULL;
}

START_TEST(the_callback_may_free_the_watch)
{
	Watched watched = { .context = g_main_context_new() };
	if (enter_with_links()) {
		ck_assert_int_eq(wice__uplink_watch_new(watched.context, free_watch, &watched,
							&watched.watch),
				 0);
		ck_assert(namespace_ip("addr add 192.0.2.1/24 dev left"));
		run(&watched, 60000, true);
		ck_assert(namespace_ip("addr del 192.0.2.1/24 dev left"));
		run(&watched, 100, false);
		ck_assert_uint_eq(watched.n_changes, 1);
	}
	g_main_context_unref(watched.context);
}
END_TEST

SUITE_MAIN("event uplinks", an_address_makes_an_uplink, link_local_addresses_alone_make_none,
	   a_route_out_makes_an_uplink, vlan_devices_are_uplinks_beside_theirs,
	   ports_of_masters_are_none, ports_of_a_vrf_are_uplinks,
	   a_tun_device_has_no_ethernet_header, wireguard_devices_are_none,
	   devices_of_userspace_wireguard_are_none, devices_of_other_types_are_none,
	   changes_are_reported, what_leads_nowhere_else_is_not_reported,
	   a_deleted_qdisc_or_filter_is_reported, a_storm_makes_few_calls,
	   the_callback_may_free_the_watch)
