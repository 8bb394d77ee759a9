/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <glib.h>
#include <string.h>
#include <wice/addr.h>

START_TEST(endpoints_survive_text)
{
	static const char *const texts[] = { "192.0.2.1:51820", "[2001:db8::1]:1",
					     "[fe80::1%3]:65535", "0.0.0.0:0" };
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		WiceEndpoint endpoint;
		char text[WICE_ENDPOINT_SIZE];
		ck_assert_msg(wice_endpoint_parse(texts[i], &endpoint), "%s", texts[i]);
		ck_assert_str_eq(wice_endpoint_format(&endpoint, text), texts[i]);
	}
}
END_TEST

START_TEST(malformed_endpoints_are_refused)
{
	static const char *const texts[] = { "",
					     ":",
					     "1.2.3.4",
					     "1.2.3.4:",
					     "1.2.3.4:65536",
					     "1.2.3.4: 1",
					     "1.2.3.4:+1",
					     "::1:5",
					     "[::1]",
					     "[::1]5",
					     "[::1:5",
					     "[1.2.3.4]:5",
					     "[::1%x]:5",
					     "[::1%]:5",
					     "host:5",
					     "1.2.3.4:99999999999" };
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		WiceEndpoint endpoint = { .port = 7 };
		ck_assert_msg(!wice_endpoint_parse(texts[i], &endpoint), "%s", texts[i]);
		ck_assert_uint_eq(endpoint.port, 7);
	}
}
END_TEST

START_TEST(prefixes_lose_their_host_bits)
{
	static const struct {
		const char *text, *canonical;
	} cases[] = { { "10.1.2.3/8", "10.0.0.0/8" },
		      { "10.1.2.3", "10.1.2.3/32" },
		      { "0.0.0.0/0", "0.0.0.0/0" },
		      { "10.1.2.255/25", "10.1.2.128/25" },
		      { "2001:db8:ffff::1/33", "2001:db8:8000::/33" },
		      { "::1", "::1/128" } };
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		WicePrefix prefix;
		char text[WICE_PREFIX_SIZE];
		ck_assert_msg(wice_prefix_parse(cases[i].text, &prefix), "%s", cases[i].text);
		ck_assert_str_eq(wice_prefix_format(&prefix, text), cases[i].canonical);
	}
	WicePrefix prefix;
	ck_assert(!wice_prefix_parse("10.0.0.0/33", &prefix));
	ck_assert(!wice_prefix_parse("10.0.0.0/", &prefix));
	ck_assert(!wice_prefix_parse("::/129", &prefix));
	ck_assert(!wice_prefix_parse("", &prefix));
}
END_TEST

START_TEST(interface_addresses_keep_their_host_bits)
{
	static const struct {
		const char *text, *canonical;
	} cases[] = { { "10.1.2.3/8", "10.1.2.3/8" },
		      { "10.1.2.3", "10.1.2.3/32" },
		      { "0.0.0.0/0", "0.0.0.0/0" },
		      { "2001:db8:ffff::1/33", "2001:db8:ffff::1/33" },
		      { "fd00::1", "fd00::1/128" } };
	static const char *const bad[] = {
		"",         "10.0.0.1/33",  "10.0.0.1/", "fd00::1/129", "10.0.0.1/ 8",
		"10.0.0/8", "fe80::1%2/64", "/8"
	};
	WiceInterfaceAddress address;
	char text[WICE_PREFIX_SIZE];
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		ck_assert_msg(wice_interface_address_parse(cases[i].text, &address), "%s",
			      cases[i].text);
		ck_assert_str_eq(wice_interface_address_format(&address, text), cases[i].canonical);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		WiceInterfaceAddress before = { .length = 7 };
		address = before;
		ck_assert_msg(!wice_interface_address_parse(bad[i], &address), "%s", bad[i]);
		ck_assert_mem_eq(&address, &before, sizeof before);
	}
	WiceInterfaceAddress none = { 0 };
	ck_assert_str_eq(wice_interface_address_format(&none, text), "(none)");
}
END_TEST

START_TEST(a_prefix_contains_its_addresses)
{
	WicePrefix prefix;
	WiceAddress in, out, other;
	ck_assert(wice_prefix_parse("10.8.0.0/13", &prefix));
	ck_assert(wice_address_parse("10.15.255.255", &in));
	ck_assert(wice_address_parse("10.16.0.0", &out));
	ck_assert(wice_address_parse("::1", &other));
	ck_assert(wice_prefix_contains(&prefix, &in));
	ck_assert(!wice_prefix_contains(&prefix, &out));
	ck_assert(!wice_prefix_contains(&prefix, &other));
}
END_TEST

SUITE_MAIN("base address", endpoints_survive_text, malformed_endpoints_are_refused,
	   prefixes_lose_their_host_bits, interface_addresses_keep_their_host_bits,
	   a_prefix_contains_its_addresses)
