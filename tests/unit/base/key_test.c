/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <glib.h>
#include <string.h>
#include <wice/key.h>

START_TEST(keys_survive_both_texts)
{
	for (int i = 0; i < 100; i++) {
		WiceKey key, again;
		char base64[WICE_KEY_BASE64_SIZE], hex[2 * WICE_KEY_LEN + 1];
		wice_key_generate_private(&key);
		wice_key_to_base64(&key, base64);
		ck_assert(wice_key_from_base64(base64, &again));
		ck_assert_mem_eq(&key, &again, sizeof key);
		wice_key_to_hex(&key, hex);
		ck_assert(wice_key_from_hex(hex, &again));
		ck_assert_mem_eq(&key, &again, sizeof key);
	}
}
END_TEST

START_TEST(malformed_keys_are_refused)
{
	static const char *const texts[] = {
		"",
		"AAAA",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",  /* no padding */
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=", /* unused bits not zero */
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==", /* 31 bytes */
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", /* 33 bytes */
		"AAAAAAAAAAAAAAAAAAAAAA AAAAAAAAAAAAAAAAAAAA=",
		"AAAAAAAAAAAAAAAAAAAAAA-AAAAAAAAAAAAAAAAAAAA=",
	};
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		WiceKey key = { { 9 } };
		ck_assert_msg(!wice_key_from_base64(texts[i], &key), "'%s'", texts[i]);
		ck_assert_uint_eq(key.bytes[0], 9);
	}
}
END_TEST

START_TEST(every_byte_has_its_digits)
{
	WiceKey key, again;
	char hex[2 * WICE_KEY_LEN + 1];
	for (unsigned i = 0; i < 256; i++) {
		for (unsigned j = 0; j < WICE_KEY_LEN; j++)
			key.bytes[j] = (uint8_t)(i + 37 * j);
		wice_key_to_hex(&key, hex);
		for (unsigned j = 0; j < WICE_KEY_LEN; j++) {
			char expected[3];
			g_snprintf(expected, sizeof expected, "%02x", key.bytes[j]);
			ck_assert_msg(memcmp(hex + (size_t)2 * j, expected, 2) == 0, "%s", hex);
		}
		ck_assert(wice_key_from_hex(hex, &again));
		ck_assert_mem_eq(&key, &again, sizeof key);
	}
}
END_TEST

START_TEST(only_digits_are_digits)
{
	char hex[2 * WICE_KEY_LEN + 1];
	memset(hex, '0', sizeof hex - 1);
	hex[sizeof hex - 1] = 0;
	for (unsigned c = 1; c < 256; c++) {
		for (unsigned at = 0; at < sizeof hex - 1; at++) {
			WiceKey key = { { 0 } };
			hex[at] = (char)c;
			ck_assert_msg(wice_key_from_hex(hex, &key) == g_ascii_isxdigit((gchar)c),
				      "%u at %u", c, at);
			unsigned nibble = key.bytes[at / 2] >> (at % 2 ? 0 : 4);
			if (g_ascii_isxdigit((gchar)c))
				ck_assert_int_eq((int)nibble, g_ascii_xdigit_value((gchar)c));
			hex[at] = '0';
		}
	}
	hex[sizeof hex - 2] = 0;
	WiceKey key = { { 9 } };
	ck_assert(!wice_key_from_hex(hex, &key));
	ck_assert_uint_eq(key.bytes[0], 9);
}
END_TEST

/* RFC 7748 section 6.1, Alice. */
START_TEST(public_keys_match_rfc7748)
{
	WiceKey private_key, public_key;
	char hex[2 * WICE_KEY_LEN + 1];
	ck_assert(wice_key_from_hex(
		"77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a", &private_key));
	wice_key_public(&private_key, &public_key);
	wice_key_to_hex(&public_key, hex);
	ck_assert_str_eq(hex, "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
}
END_TEST

/* Every value of six bits at every place. */
START_TEST(base64_is_that_of_others)
{
	for (unsigned value = 0; value < 256; value++) {
		for (unsigned i = 0; i < WICE_KEY_LEN; i++) {
			WiceKey key = { { 0 } };
			char text[WICE_KEY_BASE64_SIZE];
			memset(key.bytes, (int)(255 - value), sizeof key.bytes);
			key.bytes[i] = (uint8_t)value;
			g_autofree char *expected = g_base64_encode(key.bytes, sizeof key.bytes);
			wice_key_to_base64(&key, text);
			ck_assert_str_eq(text, expected);
		}
	}
}
END_TEST

/* Every byte at every place: taken if and only if it is what others would have written. */
START_TEST(base64_is_read_as_others_write_it)
{
	char text[WICE_KEY_BASE64_SIZE] = "3q2+7/AAAAAAAAAAzczMzDMzszM+AAAAzcxMPZqZmT4=";
	for (unsigned i = 0; i < WICE_KEY_BASE64_SIZE - 1; i++) {
		char good = text[i];
		for (unsigned value = 1; value < 256; value++) {
			WiceKey key, untouched;
			gsize len;
			memset(&key, 0x55, sizeof key);
			untouched = key;
			text[i] = (char)value;
			g_autofree guchar *bytes = g_base64_decode(text, &len);
			g_autofree char *again = g_base64_encode(bytes, len);
			bool expected = len == WICE_KEY_LEN && g_str_equal(again, text);
			ck_assert_msg(wice_key_from_base64(text, &key) == expected, "%s", text);
			ck_assert_mem_eq(&key, expected ? bytes : untouched.bytes, WICE_KEY_LEN);
		}
		text[i] = good;
	}
}
END_TEST

SUITE_MAIN("key", keys_survive_both_texts, base64_is_that_of_others,
	   base64_is_read_as_others_write_it, malformed_keys_are_refused, every_byte_has_its_digits,
	   only_digits_are_digits, public_keys_match_rfc7748)
