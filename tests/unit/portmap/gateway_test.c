/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "portmap/gateway.h"
#include "suite.h"
#include "unit/event/namespace.h"

#include <net/if.h>

static void add_link(const char *name, const char *other_end)
{
	char path[64];
	ck_assert(namespace_ip("link add name %s type veth peer name %s", name, other_end));
	snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%s/accept_dad", name);
	namespace_write(path, "0");
	ck_assert(namespace_ip("link set %s up", name));
	ck_assert(namespace_ip("link set %s up", other_end));
}

static bool enter(void)
{
	if (!namespace_enter())
		return false;
	if (!namespace_ip("link add name try type veth peer name tried")) {
		printf("Skipped: cannot make a veth pair\n");
		return false;
	}
	add_link("home", "home-end");
	add_link("office", "office-end");
	return true;
}

static void expect(WiceFamily family, uint32_t fwmark, const char *address, const char *ifname,
		   const char *local)
{
	WiceGateway gateway;
	WiceAddress expected;
	ck_assert_int_eq(wice__gateway_find(family, fwmark, &gateway), 0);
	ck_assert(wice_address_parse(address, &expected));
	ck_assert_int_eq(wice_address_compare(&gateway.address, &expected), 0);
	ck_assert(wice_address_parse(local, &expected));
	ck_assert_int_eq(wice_address_compare(&gateway.local, &expected), 0);
	ck_assert_uint_eq(gateway.ifindex, if_nametoindex(ifname));
}

static void expect_none(WiceFamily family)
{
	WiceGateway gateway, before;
	memset(&gateway, 0x5a, sizeof gateway);
	before = gateway;
	ck_assert_int_eq(wice__gateway_find(family, 0, &gateway), -ENETUNREACH);
	ck_assert_mem_eq(&gateway, &before, sizeof gateway);
}

START_TEST(the_router_of_the_default_route_is_found_and_our_address_there)
{
	if (!enter())
		return;
	expect_none(WICE_FAMILY_IPV4);
	expect_none(WICE_FAMILY_IPV6);
	ck_assert(namespace_ip("addr add 192.168.1.2/24 dev home"));
	ck_assert(namespace_ip("addr add 10.0.0.2/24 dev office"));
	ck_assert(namespace_ip("addr add 2001:db8::2/64 dev home nodad"));
	expect_none(WICE_FAMILY_IPV4);
	ck_assert(namespace_ip("route add default via 192.168.1.1 metric 20"));
	ck_assert(namespace_ip("-6 route add default via fe80::1 dev home"));
	expect(WICE_FAMILY_IPV4, 0, "192.168.1.1", "home", "192.168.1.2");
	expect(WICE_FAMILY_IPV6, 0, "fe80::1", "home", "2001:db8::2");
	ck_assert(namespace_ip("route add default via 10.0.0.1 metric 10"));
	expect(WICE_FAMILY_IPV4, 0, "10.0.0.1", "office", "10.0.0.2");
}
END_TEST

START_TEST(a_link_without_a_router_has_none)
{
	if (!enter())
		return;
	ck_assert(namespace_ip("addr add 192.168.1.2/24 dev home"));
	ck_assert(namespace_ip("route add default dev home"));
	expect_none(WICE_FAMILY_IPV4);
	ck_assert(namespace_ip("route replace unreachable default"));
	expect_none(WICE_FAMILY_IPV4);
}
END_TEST

/* As wg-quick does it: all goes into the tunnel but what the tunnel itself sends. */
START_TEST(marked_packets_have_their_own_way)
{
	if (!enter())
		return;
	ck_assert(namespace_ip("addr add 192.168.1.2/24 dev home"));
	ck_assert(namespace_ip("addr add 10.0.0.2/24 dev office"));
	ck_assert(namespace_ip("route add default via 192.168.1.1"));
	ck_assert(namespace_ip("route add default dev office table 51820"));
	ck_assert(namespace_ip("rule add not fwmark 51820 table 51820"));
	expect_none(WICE_FAMILY_IPV4);
	expect(WICE_FAMILY_IPV4, 51820, "192.168.1.1", "home", "192.168.1.2");
}
END_TEST

SUITE_MAIN("portmap gateway", the_router_of_the_default_route_is_found_and_our_address_there,
	   a_link_without_a_router_has_none, marked_packets_have_their_own_way)
