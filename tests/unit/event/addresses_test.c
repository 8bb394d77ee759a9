/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "event/addresses.h"
#include "suite.h"
#include "unit/event/namespace.h"

#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

typedef struct {
	GMainContext *context;
	WiceAddressWatch *watch;
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
	ck_assert_int_eq(wice__address_watch_new(watched->context, count, watched, &watched->watch),
			 0);
}

static void stop(Watched *watched)
{
	wice__address_watch_free(watched->watch);
	g_main_context_unref(watched->context);
}

/* A change is reported, and then nothing until the next one. */
static void expect_change(Watched *watched)
{
	run(watched, 60000, true);
	ck_assert_uint_ge(watched->n_changes, 1);
	run(watched, 300, false);
	watched->n_changes = 0;
}

static void expect_silence(Watched *watched)
{
	run(watched, 200, false);
	ck_assert_uint_eq(watched->n_changes, 0);
}

/* Two links of this namespace that are each other's cable. */
static bool is_running(const char *link)
{
	struct ifreq request = { 0 };
	g_strlcpy(request.ifr_name, link, sizeof request.ifr_name);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool running = ioctl(fd, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_RUNNING);
	close(fd);
	return running;
}

/* The kernel notices a carrier that comes or goes a little later. */
static void wait_running(const char *link)
{
	gint64 deadline = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;
	while (!is_running(link) && g_get_monotonic_time() < deadline)
		g_usleep(5000);
	ck_assert(is_running(link));
}

static bool enter_with_links(void)
{
	if (!namespace_enter())
		return false;
	if (!namespace_ip("link add name left type veth peer name right")) {
		printf("Skipped: cannot make a veth pair\n");
		return false;
	}
	namespace_write("/proc/sys/net/ipv6/conf/left/accept_dad", "0");
	namespace_write("/proc/sys/net/ipv6/conf/right/accept_dad", "0");
	/* Link-local addresses would come and go beside what is tested. */
	ck_assert(namespace_ip("link set left addrgenmode none"));
	ck_assert(namespace_ip("link set right addrgenmode none"));
	ck_assert(namespace_ip("link set left up"));
	ck_assert(namespace_ip("link set right up"));
	wait_running("left");
	wait_running("right");
	return true;
}

static size_t list(WiceLocalAddress **ret_addresses)
{
	size_t n = 0;
	ck_assert_int_eq(wice__addresses_list(ret_addresses, &n), 0);
	return n;
}

/* Its position plus 1, 0 if it is not listed. */
static size_t find(const char *text, WiceLocalAddress *ret)
{
	WiceAddress address;
	WiceLocalAddress *all;
	size_t n = list(&all), position = 0;
	ck_assert(wice_address_parse(text, &address));
	for (size_t i = 0; i < n && !position; i++) {
		if (wice_address_compare(&all[i].address, &address) == 0) {
			position = i + 1;
			if (ret)
				*ret = all[i];
		}
	}
	g_free(all);
	return position;
}

START_TEST(usable_addresses_are_listed_in_order)
{
	if (!enter_with_links())
		return;
	ck_assert(namespace_ip("addr add 192.0.2.9/24 dev right"));
	ck_assert(namespace_ip("addr add 192.0.2.1/24 dev left"));
	ck_assert(namespace_ip("addr add 2001:db8::1/64 dev left nodad"));
	ck_assert(namespace_ip("addr add 198.51.100.1/32 dev lo"));
	ck_assert(namespace_ip("addr add fe80::7/64 dev right nodad"));
	WiceLocalAddress *all;
	size_t n = list(&all);
	ck_assert_uint_eq(n, 4);
	for (size_t i = 1; i < n; i++)
		ck_assert_int_lt(wice_address_compare(&all[i - 1].address, &all[i].address), 0);
	g_free(all);
	WiceLocalAddress found;
	ck_assert_uint_eq(find("192.0.2.1", &found), 1);
	ck_assert_str_eq(found.ifname, "left");
	ck_assert_uint_eq(found.ifindex, if_nametoindex("left"));
	ck_assert(!found.point_to_point);
	ck_assert(!found.wireguard);
	ck_assert_uint_eq(find("192.0.2.9", &found), 2);
	ck_assert_str_eq(found.ifname, "right");
	ck_assert(find("2001:db8::1", NULL));
	ck_assert(find("fe80::7", NULL));
	ck_assert(!find("127.0.0.1", NULL));
	ck_assert(!find("198.51.100.1", NULL));
}
END_TEST

START_TEST(an_address_on_two_links_is_listed_for_both)
{
	if (!enter_with_links())
		return;
	ck_assert(namespace_ip("addr add 192.0.2.1/24 dev right"));
	ck_assert(namespace_ip("addr add 192.0.2.1/24 dev left"));
	WiceLocalAddress *all;
	ck_assert_uint_eq(list(&all), 2);
	ck_assert_uint_lt(all[0].ifindex, all[1].ifindex);
	g_free(all);
}
END_TEST

static bool becomes_listed(const char *address, bool listed)
{
	gint64 deadline = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;
	while ((find(address, NULL) > 0) != listed && g_get_monotonic_time() < deadline)
		g_usleep(5000);
	return (find(address, NULL) > 0) == listed;
}

START_TEST(unusable_addresses_are_not_listed)
{
	if (!enter_with_links())
		return;
	ck_assert(namespace_ip("addr add 192.0.2.1/24 dev left"));
	ck_assert(namespace_ip("addr add 2001:db8::1/64 dev left nodad preferred_lft 0"));
	ck_assert(becomes_listed("192.0.2.1", true));
	ck_assert(!find("2001:db8::1", NULL));
	ck_assert(namespace_ip("link set right down"));
	ck_assert(becomes_listed("192.0.2.1", false));
	ck_assert(namespace_ip("link set right up"));
	ck_assert(becomes_listed("192.0.2.1", true));
	ck_assert(namespace_ip("link set left down"));
	ck_assert(becomes_listed("192.0.2.1", false));
}
END_TEST

START_TEST(a_namespace_without_addresses_has_an_empty_list)
{
	if (!namespace_enter())
		return;
	WiceLocalAddress *all;
	ck_assert_uint_eq(list(&all), 0);
	g_free(all);
}
END_TEST

static int open_tun(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	g_strlcpy(request.ifr_name, name, sizeof request.ifr_name);
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd >= 0 && ioctl(fd, TUNSETIFF, &request) == 0)
		return fd;
	printf("Skipped: cannot make a tun device: %s\n", strerror(errno));
	return -1;
}

START_TEST(a_tun_device_is_point_to_point)
{
	int fd;
	if (!namespace_enter() || (fd = open_tun("tun7")) < 0)
		return;
	WiceLocalAddress found;
	ck_assert(namespace_ip("link set tun7 up"));
	ck_assert(namespace_ip("addr add 10.7.0.1/24 dev tun7"));
	ck_assert(find("10.7.0.1", &found));
	ck_assert(found.point_to_point);
	ck_assert(!found.wireguard);
	close(fd);
}
END_TEST

START_TEST(a_wireguard_link_is_marked)
{
	if (!namespace_enter())
		return;
	if (!namespace_ip("link add name wg7 type wireguard")) {
		printf("Skipped: this kernel has no WireGuard\n");
		return;
	}
	WiceLocalAddress found;
	ck_assert(namespace_ip("link set wg7 up"));
	ck_assert(namespace_ip("addr add 10.7.0.1/24 dev wg7"));
	ck_assert(find("10.7.0.1", &found));
	ck_assert(found.wireguard);
	ck_assert(found.point_to_point);
}
END_TEST

START_TEST(changes_are_reported)
{
	static const char *const changes[] = {
		"addr add 192.0.2.1/24 dev left",
		"addr del 192.0.2.1/24 dev left",
		"addr add 2001:db8::1/64 dev left",
		"link set right down",
		"link set right up",
		"addr add 192.0.2.1/24 dev left",
		"route add default via 192.0.2.2",
		"route del default via 192.0.2.2",
		"-6 route add default dev left",
		"link del left",
	};
	Watched watched;
	if (!enter_with_links())
		return;
	start(&watched);
	run(&watched, 300, false);
	watched.n_changes = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(changes); i++) {
		ck_assert_msg(namespace_ip("%s", changes[i]), "%s", changes[i]);
		expect_change(&watched);
	}
	stop(&watched);
}
END_TEST

START_TEST(routes_other_than_the_default_are_not_reported)
{
	Watched watched;
	if (!enter_with_links())
		return;
	ck_assert(namespace_ip("addr add 192.0.2.1/24 dev left"));
	start(&watched);
	run(&watched, 300, false);
	watched.n_changes = 0;
	ck_assert(namespace_ip("route add 203.0.113.0/24 via 192.0.2.2"));
	ck_assert(namespace_ip("route add unreachable 203.0.114.0/24"));
	expect_silence(&watched);
	stop(&watched);
}
END_TEST

START_TEST(a_tentative_address_becomes_usable_with_a_later_event)
{
	Watched watched;
	if (!enter_with_links())
		return;
	if (!namespace_write("/proc/sys/net/ipv6/conf/left/accept_dad", "1")) {
		printf("Skipped: cannot switch on duplicate address detection\n");
		return;
	}
	start(&watched);
	ck_assert(namespace_ip("addr add 2001:db8::1/64 dev left"));
	bool was_tentative = !find("2001:db8::1", NULL);
	for (unsigned i = 0; i < 100 && !find("2001:db8::1", NULL); i++) {
		watched.n_changes = 0;
		run(&watched, 60000, true);
		ck_assert_uint_ge(watched.n_changes, 1);
	}
	ck_assert(was_tentative);
	ck_assert(find("2001:db8::1", NULL));
	stop(&watched);
}
END_TEST

START_TEST(a_burst_is_reported_together)
{
	Watched watched;
	if (!enter_with_links())
		return;
	start(&watched);
	run(&watched, 300, false);
	watched.n_changes = 0;
	/* All of it waits in the socket when the loop first runs. */
	for (unsigned i = 1; i <= 40; i++)
		ck_assert(namespace_ip("addr add 10.0.0.%u/32 dev left", i));
	run(&watched, 60000, true);
	run(&watched, 300, false);
	/* The kernel may have something of its own to tell about the links meanwhile. */
	ck_assert_uint_ge(watched.n_changes, 1);
	ck_assert_uint_le(watched.n_changes, 4);
	WiceLocalAddress *all;
	ck_assert_uint_eq(list(&all), 40);
	g_free(all);
	stop(&watched);
}
END_TEST

static void make_addresses(unsigned n)
{
	FILE *batch = popen("ip -batch - 2>/dev/null", "w");
	ck_assert_ptr_nonnull(batch);
	for (unsigned i = 0; i < n; i++)
		fprintf(batch, "addr add 10.%u.%u.%u/32 dev left\n", i >> 16 & 255, i >> 8 & 255,
			i & 255);
	ck_assert_int_eq(pclose(batch), 0);
}

START_TEST(an_overflow_counts_as_a_change_and_is_survived)
{
	Watched watched;
	if (!enter_with_links())
		return;
	start(&watched);
	make_addresses(4000); /* more than the socket's buffer holds */
	run(&watched, 60000, true);
	ck_assert_uint_ge(watched.n_changes, 1);
	run(&watched, 300, false);
	watched.n_changes = 0;
	WiceLocalAddress *all;
	ck_assert_uint_eq(list(&all), 4000);
	g_free(all);
	ck_assert(namespace_ip("addr add 192.0.2.1/24 dev left"));
	expect_change(&watched);
	stop(&watched);
}
END_TEST

static void free_watch(void *user_data)
{
	Watched *watched = user_data;
	watched->n_changes++;
	wice__address_watch_free(watched->watch);
	watched->watch = NULL;
}

START_TEST(the_callback_may_free_the_watch)
{
	Watched watched = { .context = g_main_context_new() };
	if (enter_with_links()) {
		ck_assert_int_eq(wice__address_watch_new(watched.context, free_watch, &watched,
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

SUITE_MAIN("event addresses", usable_addresses_are_listed_in_order,
	   an_address_on_two_links_is_listed_for_both, unusable_addresses_are_not_listed,
	   a_namespace_without_addresses_has_an_empty_list, a_tun_device_is_point_to_point,
	   a_wireguard_link_is_marked, changes_are_reported,
	   routes_other_than_the_default_are_not_reported,
	   a_tentative_address_becomes_usable_with_a_later_event, a_burst_is_reported_together,
	   an_overflow_counts_as_a_change_and_is_survived, the_callback_may_free_the_watch)
