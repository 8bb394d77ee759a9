/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <arpa/inet.h>
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

/* One of 16 bytes of few values, so that there are gaps of all lengths in all places. */
static void random_bytes(GRand *rand, uint8_t bytes[16])
{
	static const uint8_t values[] = { 0, 0, 0, 0, 0xff, 0x0f, 0xa0, 0x01 };
	for (size_t i = 0; i < 16; i += 2) {
		bool zero = g_rand_boolean(rand);
		bytes[i] = zero ? 0 : values[g_rand_int_range(rand, 0, 8)];
		bytes[i + 1] = zero ? 0 : values[g_rand_int_range(rand, 0, 8)];
	}
}

START_TEST(addresses_are_written_as_inet_ntop_does)
{
	GRand *rand = g_rand_new_with_seed(1);
	for (unsigned i = 0; i < 200000; i++) {
		WiceAddress address = { .family = i % 2 ? WICE_FAMILY_IPV6 : WICE_FAMILY_IPV4 },
			    back;
		char text[WICE_ADDRESS_SIZE], expected[INET6_ADDRSTRLEN];
		random_bytes(rand, address.bytes);
		if (address.family == WICE_FAMILY_IPV4)
			memset(address.bytes + 4, 0, 12);
		inet_ntop(i % 2 ? AF_INET6 : AF_INET, address.bytes, expected, sizeof expected);
		ck_assert_str_eq(wice_address_format(&address, text), expected);
		ck_assert_msg(wice_address_parse(text, &back), "%s", text);
		ck_assert_mem_eq(&back, &address, sizeof back);
	}
	g_rand_free(rand);
}
END_TEST

static void assert_read_as_inet_pton_does(const char *text)
{
	uint8_t bytes[16] = { 0 };
	WiceAddress address = { 0 };
	uint8_t family = inet_pton(AF_INET, text, bytes) == 1    ? WICE_FAMILY_IPV4
			 : inet_pton(AF_INET6, text, bytes) == 1 ? WICE_FAMILY_IPV6
								 : WICE_FAMILY_NONE;
	ck_assert_msg(wice_address_parse(text, &address) == (family != WICE_FAMILY_NONE), "'%s'",
		      text);
	ck_assert_msg(address.family == family, "'%s'", text);
	if (family != WICE_FAMILY_NONE)
		ck_assert_mem_eq(address.bytes, bytes, sizeof bytes);
}

/* Texts that are nearly addresses: good ones with a few characters changed, lost or repeated. */
START_TEST(addresses_are_read_as_inet_pton_does)
{
	static const char *const seeds[] = { "192.0.2.255",
					     "0.0.0.0",
					     "2001:db8::1",
					     "::",
					     "::1",
					     "1::",
					     "1:2:3:4:5:6:7:8",
					     "::ffff:192.0.2.1",
					     "64:ff9b::1.2.3.4",
					     "1:2:3:4:5:6:1.2.3.4",
					     "1:2:3:4:5:6:7::" };
	static const char alphabet[] = "0129fFg:.:.: ";
	GRand *rand = g_rand_new_with_seed(2);
	for (unsigned i = 0; i < 300000; i++) {
		GString *text = g_string_new(seeds[i % G_N_ELEMENTS(seeds)]);
		assert_read_as_inet_pton_does(text->str);
		for (int n = g_rand_int_range(rand, 0, 4); n > 0; n--) {
			char c = alphabet[g_rand_int_range(rand, 0, sizeof alphabet - 1)];
			gssize at = g_rand_int_range(rand, 0, (gint)text->len + 1);
			if (g_rand_boolean(rand))
				g_string_insert_c(text, at, c);
			else
				g_string_erase(text, at, (gsize)at < text->len ? 1 : 0);
		}
		assert_read_as_inet_pton_does(text->str);
		g_string_free(text, TRUE);
	}
	g_rand_free(rand);
}
END_TEST

SUITE_MAIN("base address", addresses_are_written_as_inet_ntop_does,
	   addresses_are_read_as_inet_pton_does, endpoints_survive_text,
	   malformed_endpoints_are_refused, prefixes_lose_their_host_bits,
	   interface_addresses_keep_their_host_bits, a_prefix_contains_its_addresses)
