/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/format.h"
#include "suite.h"

#include <arpa/inet.h>
#include <glib.h>
#include <string.h>

START_TEST(numbers_are_as_printf_writes_them)
{
	static const uint64_t edges[] = { 0,
					  9,
					  10,
					  99,
					  100,
					  UINT16_MAX,
					  0xabcdef,
					  UINT32_MAX,
					  (uint64_t)UINT32_MAX + 1,
					  999999999999999999,
					  UINT64_MAX };
	for (size_t i = 0; i < G_N_ELEMENTS(edges); i++) {
		char text[WICE_DECIMAL_MAX + 1], expected[WICE_DECIMAL_MAX + 1];
		*wice__format_decimal(text, edges[i]) = 0;
		g_snprintf(expected, sizeof expected, "%" G_GUINT64_FORMAT, (guint64)edges[i]);
		ck_assert_str_eq(text, expected);
		*wice__format_hex(text, (uint32_t)edges[i]) = 0;
		g_snprintf(expected, sizeof expected, "0x%x", (unsigned)edges[i]);
		ck_assert_str_eq(text, expected);
	}
}
END_TEST

static void assert_as_inet_ntop(const WiceAddress *address)
{
	char text[WICE_ADDRESS_SIZE], expected[INET6_ADDRSTRLEN];
	int family = address->family == WICE_FAMILY_IPV4 ? AF_INET : AF_INET6;
	ck_assert_ptr_nonnull(inet_ntop(family, address->bytes, expected, sizeof expected));
	*wice__format_address(text, address) = 0;
	ck_assert_str_eq(text, expected);
}

/* Every pattern of zero and other words, with each kind of other word. */
START_TEST(addresses_are_as_inet_ntop_writes_them)
{
	static const uint16_t others[] = { 1, 0x10, 0xabc, 0xffff };
	for (unsigned pattern = 0; pattern < 256 * G_N_ELEMENTS(others); pattern++) {
		WiceAddress address = { .family = WICE_FAMILY_IPV6 };
		uint16_t word = others[pattern / 256];
		for (unsigned i = 0; i < 8; i++) {
			address.bytes[2 * i] = pattern >> i & 1 ? (uint8_t)(word >> 8) : 0;
			address.bytes[2 * i + 1] = pattern >> i & 1 ? (uint8_t)word : 0;
		}
		assert_as_inet_ntop(&address);
	}
	for (unsigned octet = 0; octet < 256; octet++) {
		WiceAddress address = { .family = WICE_FAMILY_IPV4 };
		memset(address.bytes, (int)octet, 3);
		assert_as_inet_ntop(&address);
	}
}
END_TEST

START_TEST(no_address_is_no_text)
{
	char text[WICE_ADDRESS_SIZE];
	ck_assert_ptr_eq(wice__format_address(text, &(WiceAddress){ 0 }), text);
}
END_TEST

SUITE_MAIN("base format", numbers_are_as_printf_writes_them, addresses_are_as_inet_ntop_writes_them,
	   no_address_is_no_text)
