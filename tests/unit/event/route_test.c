/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "event/route.h"

#include <fcntl.h>
#include <glib.h>
#include <unistd.h>

#include "suite.h"
#include "unit/event/namespace.h"

static const struct {
	const char *remote, *local;
	uint32_t fwmark;
	bool leaves;
} cases[] = {
	{ "198.51.100.1:1", "192.0.2.1", 0, true },
	{ "198.51.100.1:1", "192.0.2.2", 0, true }, /* another address of the same device */
	{ "198.51.100.1:1", "203.0.113.1", 0, false },
	{ "203.0.113.9:1", "203.0.113.1", 0, true }, /* on the link */
	{ "203.0.113.9:1", "192.0.2.1", 0, false },
	{ "198.51.100.1:1", "203.0.113.1", 7, true }, /* policy routing by the mark */
	{ "198.51.100.1:1", "192.0.2.1", 7, false },
	{ "[2001:db8:ff::1]:1", "2001:db8::1", 0, true },
	{ "[2001:db8:ff::1]:1", "2001:db8:1::1", 0, false },
	{ "192.0.2.1:1", "192.0.2.1", 0, true },       /* ourselves */
	{ "198.51.100.1:1", "192.0.2.77", 0, true },   /* nobody's address: not known */
	{ "[2001:db9::1]:1", "2001:db8::1", 9, true }, /* no route: not known */
};

static bool make_host(void)
{
	return namespace_enter() && namespace_ip("link add up0 type veth peer name far0") &&
	       namespace_ip("link add up1 type veth peer name far1") &&
	       namespace_ip("link set up0 up") && namespace_ip("link set far0 up") &&
	       namespace_ip("link set up1 up") && namespace_ip("link set far1 up") &&
	       namespace_ip("addr add 192.0.2.1/24 dev up0") &&
	       namespace_ip("addr add 192.0.2.2/24 dev up0") &&
	       namespace_ip("addr add 203.0.113.1/24 dev up1") &&
	       namespace_ip("addr add 2001:db8::1/64 dev up0 nodad") &&
	       namespace_ip("addr add 2001:db8:1::1/64 dev up1 nodad") &&
	       namespace_ip("route add default via 192.0.2.254") &&
	       namespace_ip("route add 2001:db8:ff::/48 via 2001:db8::9") &&
	       namespace_ip("rule add fwmark 7 table 77") &&
	       namespace_ip("route add default via 203.0.113.254 table 77") &&
	       namespace_ip("-6 rule add fwmark 9 blackhole");
}

START_TEST(the_device_of_the_route_decides)
{
	if (!make_host())
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		WiceEndpoint remote;
		WiceAddress local;
		ck_assert(wice_endpoint_parse(cases[i].remote, &remote));
		ck_assert(wice_address_parse(cases[i].local, &local));
		ck_assert_msg(wice__route_leaves_by(&remote, &local, cases[i].fwmark) ==
				      cases[i].leaves,
			      "%s from %s", cases[i].remote, cases[i].local);
	}
}
END_TEST

static const struct {
	const char *remote;
	uint32_t fwmark;
	bool passes;
} ways[] = {
	{ "198.51.100.1:1", 0, true },      { "203.0.113.9:1", 0, false }, /* on the link */
	{ "203.0.113.9:1", 7, true },       { "192.0.2.1:1", 0, false },   /* ourselves */
	{ "127.0.0.1:1", 0, false },        { "[2001:db8:ff::1]:1", 0, true },
	{ "[2001:db8::7]:1", 0, false },    { "[2001:db9::1]:1", 0, false }, /* no route */
	{ "[2001:db8:ff::1]:1", 9, false },                                  /* forbidden */
};

START_TEST(routers_are_known)
{
	if (!make_host())
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
		WiceEndpoint remote;
		ck_assert(wice_endpoint_parse(ways[i].remote, &remote));
		ck_assert_msg(wice__route_passes_router(&remote, ways[i].fwmark) == ways[i].passes,
			      "%s", ways[i].remote);
	}
	ck_assert(namespace_ip("route replace default dev up1")); /* as with ppp */
	WiceEndpoint remote;
	ck_assert(wice_endpoint_parse("198.51.100.1:1", &remote));
	ck_assert(wice__route_passes_router(&remote, 0));
}
END_TEST

static const struct {
	const char *remote;
	bool ends_here;
} ends[] = {
	{ "198.51.100.1:1", false },    { "203.0.113.9:1", false }, { "[2001:db8:ff::1]:1", false },
	{ "[2001:db9::1]:1", false }, /* no route */
	{ "192.0.2.1:1", true },        { "127.0.0.1:1", true },    { "[::1]:1", true },
	{ "192.0.2.255:1", true },      { "224.0.0.1:1", true },    { "[ff02::1]:1", true },
	{ "198.18.0.7:1", true },       { "198.19.3.4:1", true }, /* of the loopback device */
	{ "[2001:db8::dead]:1", true },                           /* deprecated */
	{ "[2001:db8::]:1", true },                               /* all routers' */
};

START_TEST(all_ways_to_ourselves_are_known)
{
	if (!make_host())
		return;
	ck_assert(namespace_ip("link set lo up") && namespace_ip("addr add 198.18.0.7/32 dev lo") &&
		  namespace_ip("route add local 198.19.0.0/16 dev lo") &&
		  namespace_ip("addr add 2001:db8::dead/64 dev up0 nodad preferred_lft 0"));
	int fd = open("/proc/sys/net/ipv6/conf/all/forwarding", O_WRONLY | O_CLOEXEC);
	ck_assert(write(fd, "1", 1) == 1 && close(fd) == 0);
	for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
		WiceEndpoint remote;
		ck_assert(wice_endpoint_parse(ends[i].remote, &remote));
		ck_assert_msg(wice__route_ends_here(&remote) == ends[i].ends_here, "%s",
			      ends[i].remote);
	}
}
END_TEST

SUITE_MAIN("route", the_device_of_the_route_decides, routers_are_known,
	   all_ways_to_ourselves_are_known)
