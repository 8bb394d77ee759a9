/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* What STUN computes with: digests, CRC, keys. */
#include "suite.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "crypto/crc32.h"
#include "crypto/mac.h"
#include "stun/credentials.h"

#define TEXT(text) ((WiceSpan){ (text), strlen(text) })

static void assert_hex(const uint8_t *bytes, size_t len, const char *expected)
{
	g_autoptr(GString) hex = g_string_new(NULL);
	for (size_t i = 0; i < len; i++)
		g_string_append_printf(hex, "%02x", bytes[i]);
	ck_assert_str_eq(hex->str, expected);
}

START_TEST(digests_match_published_values_however_the_text_is_split)
{
	static const char text[] = "what do ya want for nothing?"; /* RFC 2202 and 4231, case 2 */
	uint8_t digest[32];
	for (size_t at = 0; at <= strlen(text); at++) {
		const WiceSpan parts[] = { { text, at }, { text + at, strlen(text) - at } };
		wice__hmac_sha1(TEXT("Jefe"), parts, 2, digest);
		assert_hex(digest, WICE_SHA1_LEN, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
		wice__hmac_sha256(TEXT("Jefe"), parts, 2, digest);
		assert_hex(digest, WICE_SHA256_LEN,
			   "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	}
	const WiceSpan abc[] = { { "ab", 2 }, { "c", 1 } };
	wice__md5(abc, 2, digest); /* RFC 1321 A.5 */
	assert_hex(digest, WICE_MD5_LEN, "900150983cd24fb0d6963f7d28e17f72");
	wice__sha256(abc, 2, digest); /* FIPS 180-2 B.1 */
	assert_hex(digest, WICE_SHA256_LEN,
		   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
END_TEST

START_TEST(keys_longer_than_a_block_are_hashed_first)
{
	uint8_t key[80], digest[20]; /* RFC 2202, case 6 */
	const WiceSpan text = TEXT("Test Using Larger Than Block-Size Key - Hash Key First");
	memset(key, 0xaa, sizeof key);
	wice__hmac_sha1((WiceSpan){ key, sizeof key }, &text, 1, digest);
	assert_hex(digest, sizeof digest, "aa4ae5e15272d00e95705637ce8a3b55ed402112");
}
END_TEST

/* One bit at a time, straight from the definition. */
static uint32_t slow_crc(const uint8_t *bytes, size_t len)
{
	uint32_t crc = UINT32_MAX;
	for (size_t i = 0; i < len; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

START_TEST(crc_matches_its_definition_however_the_data_is_split)
{
	uint8_t data[300];
	GRand *rand = g_rand_new_with_seed(7);
	ck_assert_uint_eq(wice__crc32(0, "123456789", 9), 0xcbf43926);
	ck_assert_uint_eq(wice__crc32(0, "", 0), 0);
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)g_rand_int(rand);
	for (size_t len = 0; len <= sizeof data; len++) {
		size_t at = (size_t)g_rand_int_range(rand, 0, (gint)len + 1);
		uint32_t crc = wice__crc32(wice__crc32(0, data, at), data + at, len - at);
		ck_assert_uint_eq(crc, slow_crc(data, len));
	}
	g_rand_free(rand);
}
END_TEST

START_TEST(long_term_keys_match_published_values)
{
	WiceStunKey key;
	/* RFC 5389 §15.4 */
	ck_assert_int_eq(wice__stun_key_long_term(&key, WICE_STUN_ALGORITHM_MD5, TEXT("user"),
						  TEXT("realm"), TEXT("pass")),
			 0);
	assert_hex(key.bytes, key.len, "8493fbc53ba582fb4c044c456bdc40eb");
	wice__stun_key_clear(&key);
	ck_assert_uint_eq(key.len, 0);
	ck_assert_uint_eq(key.bytes[0], 0);
}
END_TEST

START_TEST(unacceptable_texts_make_no_key)
{
	static const char *const bad[] = { "", "a\nb", "a\x7f", "\xff", "\xc3", "a\xc2\x85" };
	WiceStunKey key = { .len = 5 };
	uint8_t hash[32];
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		WiceSpan text = TEXT(bad[i]), good = TEXT("good");
		ck_assert_int_eq(wice__stun_key_short_term(&key, text), -EINVAL);
		ck_assert_int_eq(wice__stun_key_long_term(&key, 1, text, good, good), -EINVAL);
		ck_assert_int_eq(wice__stun_key_long_term(&key, 1, good, text, good), -EINVAL);
		ck_assert_int_eq(wice__stun_key_long_term(&key, 2, good, good, text), -EINVAL);
		ck_assert_int_eq(wice__stun_userhash(text, good, hash), -EINVAL);
		ck_assert_int_eq(wice__stun_userhash(good, text, hash), -EINVAL);
	}
	ck_assert_int_eq(wice__stun_key_short_term(&key, (WiceSpan){ "a\0b", 3 }), -EINVAL);
	ck_assert_int_eq(wice__stun_key_long_term(&key, 3, TEXT("a"), TEXT("b"), TEXT("c")),
			 -EINVAL);
	ck_assert_uint_eq(key.len, 5);
}
END_TEST

START_TEST(passwords_are_limited_in_length)
{
	char password[WICE_STUN_KEY_MAX + 1];
	WiceStunKey key;
	memset(password, 'p', sizeof password);
	ck_assert_int_eq(wice__stun_key_short_term(&key, (WiceSpan){ password, sizeof password }),
			 -E2BIG);
	ck_assert_int_eq(wice__stun_key_short_term(&key, (WiceSpan){ password, WICE_STUN_KEY_MAX }),
			 0);
	ck_assert_uint_eq(key.len, WICE_STUN_KEY_MAX);
}
END_TEST

SUITE_MAIN("stun digests", digests_match_published_values_however_the_text_is_split,
	   keys_longer_than_a_block_are_hashed_first,
	   crc_matches_its_definition_however_the_data_is_split,
	   long_term_keys_match_published_values, unacceptable_texts_make_no_key,
	   passwords_are_limited_in_length)
