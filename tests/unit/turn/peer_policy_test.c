/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <glib.h>

#include "turn/peer_policy.h"

/* Which permission it takes: none will do, no one does, private or loopback does. */
typedef enum { OPEN, NEVER, PRIVATE, LOOPBACK } Needs;

static const struct {
	const char *address;
	Needs needs;
} cases[] = {
	{ "1.1.1.1", OPEN },
	{ "192.0.2.1", OPEN },
	{ "203.0.113.9", OPEN },
	{ "0.0.0.0", NEVER },
	{ "0.1.2.3", NEVER },
	{ "9.255.255.255", OPEN },
	{ "10.0.0.0", PRIVATE },
	{ "10.255.255.255", PRIVATE },
	{ "11.0.0.0", OPEN },
	{ "100.63.255.255", OPEN },
	{ "100.64.0.1", PRIVATE },
	{ "100.127.255.255", PRIVATE },
	{ "100.128.0.0", OPEN },
	{ "126.255.255.255", OPEN },
	{ "127.0.0.1", LOOPBACK },
	{ "127.255.255.255", LOOPBACK },
	{ "128.0.0.0", OPEN },
	{ "169.253.255.255", OPEN },
	{ "169.254.169.254", NEVER },
	{ "169.255.0.0", OPEN },
	{ "172.15.255.255", OPEN },
	{ "172.16.0.0", PRIVATE },
	{ "172.31.255.255", PRIVATE },
	{ "172.32.0.0", OPEN },
	{ "192.0.0.8", NEVER },
	{ "192.88.99.1", NEVER },
	{ "192.168.0.1", PRIVATE },
	{ "192.169.0.0", OPEN },
	{ "198.17.255.255", OPEN },
	{ "198.18.0.0", PRIVATE },
	{ "198.19.255.255", PRIVATE },
	{ "198.20.0.0", OPEN },
	{ "223.255.255.255", OPEN },
	{ "224.0.0.1", NEVER },
	{ "239.255.255.255", NEVER },
	{ "240.0.0.1", NEVER },
	{ "255.255.255.255", NEVER },
	{ "2001:db8::1", OPEN },
	{ "2606:4700::1111", OPEN },
	{ "::", NEVER },
	{ "::1", LOOPBACK },
	{ "::2", NEVER },
	{ "::203.0.113.9", NEVER },
	{ "::ffff:203.0.113.9", NEVER },
	{ "::ffff:127.0.0.1", NEVER },
	{ "::ffff:0:10.0.0.1", NEVER },
	{ "100::1", NEVER },
	{ "100:0:0:1::1", OPEN },
	{ "fbff::1", OPEN },
	{ "fc00::1", PRIVATE },
	{ "fdff::1", PRIVATE },
	{ "fe7f::1", OPEN },
	{ "fe80::1", NEVER },
	{ "febf::1", NEVER },
	{ "fec0::1", PRIVATE },
	{ "ff02::1", NEVER },
	{ "2002:cb00:7109::1", OPEN },
	{ "2002:7f00:1::1", LOOPBACK },
	{ "2002:a9fe:a9fe::1", NEVER },
	{ "2002:c0a8:1::1", PRIVATE },
	{ "64:ff9b::203.0.113.9", OPEN },
	{ "64:ff9b::127.0.0.1", LOOPBACK },
	{ "64:ff9b::10.0.0.1", PRIVATE },
	{ "64:ff9b::224.0.0.1", NEVER },
	{ "64:ff9b:1::cb00:7109", PRIVATE },
	/* Teredo, of 203.0.113.9 and of 10.0.0.1 */
	{ "2001:0:cb00:7101:0:0:34ff:8ef6", OPEN },
	{ "2001:0:cb00:7101:0:0:f5ff:fffe", PRIVATE },
};

START_TEST(what_is_denied_unless_permitted)
{
	static const WicePeerPolicy policies[] = {
		{ false, false }, { true, false }, { false, true }, { true, true }
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		for (size_t j = 0; j < G_N_ELEMENTS(policies); j++) {
			const WicePeerPolicy *policy = &policies[j];
			WiceAddress address;
			ck_assert(wice_address_parse(cases[i].address, &address));
			bool permitted = cases[i].needs == OPEN ||
					 (cases[i].needs == PRIVATE && policy->permit_private) ||
					 (cases[i].needs == LOOPBACK && policy->permit_loopback);
			ck_assert_msg(wice__peer_is_denied(policy, &address) == !permitted,
				      "%s, %zu", cases[i].address, j);
		}
}
END_TEST

START_TEST(no_address_is_denied)
{
	const WicePeerPolicy policy = { true, true };
	const WiceAddress none = { 0 };
	ck_assert(wice__peer_is_denied(&policy, &none));
}
END_TEST

SUITE_MAIN("peer policy", what_is_denied_unless_permitted, no_address_is_denied)
