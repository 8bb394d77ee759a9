/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <errno.h>
#include <glib.h>
#include <sodium.h>
#include <string.h>

#include "engine/cookie.h"

#define MACS_LEN 32
#define MAC_LEN 16

static const uint8_t nonce[24] = "24 bytes used only once";
static const uint8_t secret[32] = "^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^";
static const uint8_t other_secret[32] = "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv";

static const WiceEndpoint source4 = { { WICE_FAMILY_IPV4, { 192, 0, 2, 7 } }, 51820, 0 };
static const WiceEndpoint source6 = { { WICE_FAMILY_IPV6, { 0x20, 0x01, 0x0d, 0xb8, [15] = 9 } },
				      1,
				      0 };

/* The receiver, a sender, and what the sender sends. */
typedef struct {
	WiceCookieChecker checker;
	WiceCookieMaker maker;
	uint8_t message[256];
	size_t length;
} Pair;

static WiceKey receiver_key(void)
{
	WiceKey key;
	for (uint8_t i = 0; i < sizeof key.bytes; i++)
		key.bytes[i] = i;
	return key;
}

static void make_pair(Pair *pair, size_t length)
{
	WiceKey key = receiver_key();
	memset(pair, 0, sizeof *pair);
	wice__cookie_checker_init(&pair->checker, &key);
	wice__cookie_maker_init(&pair->maker, &key);
	pair->length = length;
	for (size_t i = 0; i < length; i++)
		pair->message[i] = (uint8_t)i;
}

static void add_macs(Pair *pair, int64_t now_ms)
{
	wice__cookie_add_macs(&pair->maker, pair->message, pair->length, now_ms);
}

static WiceMacState check(const Pair *pair, const WiceEndpoint *source, int64_t now_ms)
{
	return wice__cookie_check(&pair->checker, pair->message, pair->length, source, true,
				  now_ms);
}

static WiceMessageCookie reply(Pair *pair, const WiceEndpoint *source, int64_t now_ms)
{
	WiceMessageCookie message;
	wice__cookie_reply(&pair->checker, pair->message, pair->length, source, nonce, secret,
			   now_ms, &message);
	return message;
}

/* A message, the cookie for it, and the message once more, all at once. */
static void exchange(Pair *pair, const WiceEndpoint *source, int64_t now_ms)
{
	add_macs(pair, now_ms);
	WiceMessageCookie message = reply(pair, source, now_ms);
	ck_assert_int_eq(wice__cookie_read_reply(&pair->maker, &message, now_ms), 0);
	add_macs(pair, now_ms);
}

static void assert_hex(const uint8_t *bytes, size_t len, const char *expected)
{
	char hex[65];
	ck_assert_str_eq(sodium_bin2hex(hex, sizeof hex, bytes, len), expected);
}

/*
 * Messages of 0, 1, 2... to the receiver with the public key 0, 1, 2...; mac2 with source4's cookie.
 * Computed with Python's hashlib after the whitepaper.
 */
static const struct {
	size_t length;
	const char *mac1, *mac2;
} macs[] = {
	{ 32, "f3746d8804ac15d109b1d49ada51ccee", "cd16d13bce1dfaa8d6570312fa9e44f0" },
	{ 64, "8627e555aabff3b03cf685ee66909a1d", "1fda07c2f45e75973a809ce277bfb30a" },
	{ 92, "8005f0ec509ede69d81a48d2b1b6977c", "1ef7460b973800676da0b3d082bf58d1" },
	{ 148, "3a7d1b865f062f4af4677f1d88d7ea74", "1032d3730648f932b554812a0c20ee52" },
	{ 256, "4bee5567065530cd669cf5f670d5941f", "d2baf60c291ed25ed791eed4916361aa" },
};
#define COOKIE4 "d3db86e8856b8e7203fc88ea4e19a61a"
#define COOKIE6 "72bbca31ea83845990869c873a5f3eff"

START_TEST(macs_are_the_whitepapers)
{
	for (size_t i = 0; i < G_N_ELEMENTS(macs); i++) {
		Pair pair;
		make_pair(&pair, macs[i].length);
		uint8_t *mac1 = pair.message + pair.length - MACS_LEN;
		exchange(&pair, &source4, 0);
		assert_hex(mac1, MAC_LEN, macs[i].mac1);
		assert_hex(mac1 + MAC_LEN, MAC_LEN, macs[i].mac2);
		ck_assert_int_eq(check(&pair, &source4, 0), WICE_MAC_WITH_COOKIE);
	}
}
END_TEST

START_TEST(cookies_are_the_whitepapers)
{
	uint8_t key[32], cookie[WICE_COOKIE_LEN];
	Pair pair;
	make_pair(&pair, 148);
	memcpy(pair.message + 4, "\x61\x62\x63\x64", 4); /* the sender's index */
	add_macs(&pair, 0);
	WiceMessageCookie message = reply(&pair, &source6, 0);
	ck_assert_mem_eq(message.type, "\3\0\0\0", 4);
	ck_assert_mem_eq(message.receiver, "\x61\x62\x63\x64", 4);
	ck_assert_mem_eq(message.nonce, nonce, sizeof nonce);
	/* BLAKE2s("cookie--" || public key) */
	sodium_hex2bin(key, sizeof key,
		       "3dd5869c5202e45146936d1644f76ff697061661c181f3fd450eae43932eacec", 64, NULL,
		       NULL, NULL);
	ck_assert_int_eq(crypto_aead_xchacha20poly1305_ietf_decrypt(
				 cookie, NULL, NULL, message.encrypted_cookie,
				 sizeof message.encrypted_cookie,
				 pair.message + pair.length - MACS_LEN, MAC_LEN, nonce, key),
			 0);
	assert_hex(cookie, sizeof cookie, COOKIE6);
	exchange(&pair, &source4, 0);
	assert_hex(pair.maker.cookie, sizeof pair.maker.cookie, COOKIE4);
}
END_TEST

START_TEST(without_a_cookie_mac2_is_zero)
{
	Pair pair;
	make_pair(&pair, 148);
	add_macs(&pair, 0);
	ck_assert(sodium_is_zero(pair.message + 148 - MAC_LEN, MAC_LEN));
	ck_assert_int_eq(check(&pair, &source4, 0), WICE_MAC_VALID);
	ck_assert_int_eq(wice__cookie_check(&pair.checker, pair.message, 148, &source4, false, 0),
			 WICE_MAC_VALID);
	/* a secret of zeros is not one */
	memset(pair.checker.secret, 0, sizeof pair.checker.secret);
	ck_assert_int_eq(check(&pair, &source4, 0), WICE_MAC_VALID);
}
END_TEST

START_TEST(every_bit_counts)
{
	Pair pair;
	make_pair(&pair, 148);
	exchange(&pair, &source4, 0);
	for (size_t bit = 0; bit < 8 * pair.length; bit++) {
		bool in_mac2 = bit >= 8 * (pair.length - MAC_LEN);
		pair.message[bit / 8] ^= (uint8_t)(1 << bit % 8);
		WiceMacState expected = in_mac2 ? WICE_MAC_VALID : WICE_MAC_INVALID;
		ck_assert_int_eq(check(&pair, &source4, 0), expected);
		ck_assert_int_eq(wice__cookie_check(&pair.checker, pair.message, pair.length,
						    &source4, false, 0),
				 expected);
		pair.message[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	ck_assert_int_eq(check(&pair, &source4, 0), WICE_MAC_WITH_COOKIE);
}
END_TEST

START_TEST(mac2_is_not_looked_at_without_load)
{
	Pair pair;
	make_pair(&pair, 148);
	exchange(&pair, &source4, 0);
	ck_assert_int_eq(wice__cookie_check(&pair.checker, pair.message, 148, &source4, false, 0),
			 WICE_MAC_VALID);
}
END_TEST

START_TEST(what_has_no_room_for_macs_is_garbage)
{
	Pair pair;
	make_pair(&pair, 148);
	add_macs(&pair, 0);
	for (pair.length = 0; pair.length < 148; pair.length++)
		ck_assert_int_eq(check(&pair, &source4, 0), WICE_MAC_INVALID);
}
END_TEST

START_TEST(a_cookie_is_for_one_address_and_port)
{
	Pair pair;
	for (int i = 0; i < 2; i++) {
		const WiceEndpoint *source = i ? &source6 : &source4;
		make_pair(&pair, 148);
		exchange(&pair, source, 0);
		ck_assert_int_eq(check(&pair, source, 0), WICE_MAC_WITH_COOKIE);
		ck_assert_int_eq(check(&pair, i ? &source4 : &source6, 0), WICE_MAC_VALID);
		for (int bit = 0; bit < 16; bit++) {
			WiceEndpoint other = *source;
			other.port ^= (uint16_t)(1 << bit);
			ck_assert_int_eq(check(&pair, &other, 0), WICE_MAC_VALID);
		}
		for (int bit = 0; bit < (i ? 128 : 32); bit++) {
			WiceEndpoint other = *source;
			other.address.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
			ck_assert_int_eq(check(&pair, &other, 0), WICE_MAC_VALID);
		}
	}
}
END_TEST

START_TEST(a_secret_lasts_120_seconds)
{
	Pair pair;
	make_pair(&pair, 148);
	exchange(&pair, &source4, 1000);
	ck_assert_int_eq(check(&pair, &source4, 120999), WICE_MAC_WITH_COOKIE);
	ck_assert_int_eq(check(&pair, &source4, 121000), WICE_MAC_VALID);

	/* a reply until then does not change it, one after that does */
	WiceMessageCookie message;
	wice__cookie_reply(&pair.checker, pair.message, pair.length, &source4, nonce, other_secret,
			   120999, &message);
	ck_assert_mem_eq(pair.checker.secret, secret, sizeof secret);
	ck_assert_int_eq(check(&pair, &source4, 120999), WICE_MAC_WITH_COOKIE);
	wice__cookie_reply(&pair.checker, pair.message, pair.length, &source4, nonce, other_secret,
			   121000, &message);
	ck_assert_mem_eq(pair.checker.secret, other_secret, sizeof secret);
	ck_assert_int_eq(check(&pair, &source4, 121000), WICE_MAC_VALID);
	ck_assert_int_eq(wice__cookie_read_reply(&pair.maker, &message, 121000), 0);
	add_macs(&pair, 121000);
	ck_assert_int_eq(check(&pair, &source4, 240999), WICE_MAC_WITH_COOKIE);
}
END_TEST

START_TEST(a_sender_stops_using_a_cookie_5_seconds_earlier)
{
	Pair pair;
	make_pair(&pair, 148);
	exchange(&pair, &source4, 1000);
	add_macs(&pair, 115999);
	ck_assert_int_eq(check(&pair, &source4, 115999), WICE_MAC_WITH_COOKIE);
	add_macs(&pair, 116000);
	ck_assert(sodium_is_zero(pair.message + 148 - MAC_LEN, MAC_LEN));
	ck_assert(sodium_is_zero(pair.maker.cookie, sizeof pair.maker.cookie));
	add_macs(&pair, 1000); /* and for good */
	ck_assert(sodium_is_zero(pair.message + 148 - MAC_LEN, MAC_LEN));
}
END_TEST

START_TEST(forged_replies_are_refused)
{
	Pair pair;
	make_pair(&pair, 148);
	add_macs(&pair, 0);
	WiceMessageCookie message = reply(&pair, &source4, 0);
	WiceCookieMaker before = pair.maker;
	uint8_t *bytes = (uint8_t *)&message;
	for (size_t bit = 8 * offsetof(WiceMessageCookie, nonce); bit < 8 * sizeof message; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_eq(wice__cookie_read_reply(&pair.maker, &message, 0), -EBADMSG);
		ck_assert_mem_eq(&pair.maker, &before, sizeof before);
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	ck_assert_int_eq(wice__cookie_read_reply(&pair.maker, &message, 0), 0);
}
END_TEST

START_TEST(a_reply_is_for_the_last_message_and_once)
{
	Pair pair;
	make_pair(&pair, 148);
	add_macs(&pair, 0);
	WiceMessageCookie first = reply(&pair, &source4, 0);
	pair.message[8] ^= 1;
	add_macs(&pair, 0);
	ck_assert_int_eq(wice__cookie_read_reply(&pair.maker, &first, 0), -EBADMSG);
	WiceMessageCookie second = reply(&pair, &source4, 0);
	ck_assert_int_eq(wice__cookie_read_reply(&pair.maker, &second, 0), 0);
	ck_assert_int_eq(wice__cookie_read_reply(&pair.maker, &second, 1), -ENOENT);
	ck_assert_int_eq(pair.maker.cookie_ms, 0);
	/* asked again, it may answer again */
	add_macs(&pair, 2);
	second = reply(&pair, &source6, 2);
	ck_assert_int_eq(wice__cookie_read_reply(&pair.maker, &second, 2), 0);
	ck_assert_int_eq(pair.maker.cookie_ms, 2);
	assert_hex(pair.maker.cookie, sizeof pair.maker.cookie, COOKIE6);
}
END_TEST

START_TEST(nobody_is_answered_who_was_not_asked)
{
	Pair pair, silent;
	make_pair(&pair, 148);
	make_pair(&silent, 148);
	add_macs(&pair, 0);
	WiceMessageCookie message = reply(&pair, &source4, 0);
	ck_assert_int_eq(wice__cookie_read_reply(&silent.maker, &message, 0), -ENOENT);
	ck_assert(!silent.maker.has_cookie);
}
END_TEST

START_TEST(another_receiver_takes_no_macs_and_gives_no_cookies)
{
	WiceKey key = receiver_key();
	Pair pair, other;
	make_pair(&pair, 148);
	make_pair(&other, 148);
	key.bytes[0] ^= 1;
	wice__cookie_checker_init(&other.checker, &key);
	exchange(&pair, &source4, 0);
	memcpy(other.message, pair.message, 148);
	ck_assert_int_eq(check(&other, &source4, 0), WICE_MAC_INVALID);
	WiceMessageCookie message = reply(&other, &source4, 0);
	ck_assert_int_eq(wice__cookie_read_reply(&pair.maker, &message, 0), -EBADMSG);
}
END_TEST

START_TEST(a_new_key_forgets_the_secret)
{
	WiceKey key = receiver_key();
	Pair pair;
	make_pair(&pair, 148);
	exchange(&pair, &source4, 0);
	wice__cookie_checker_init(&pair.checker, &key);
	ck_assert_int_eq(check(&pair, &source4, 0), WICE_MAC_VALID);
	ck_assert(sodium_is_zero(pair.checker.secret, sizeof pair.checker.secret));
}
END_TEST

SUITE_MAIN("cookie", macs_are_the_whitepapers, cookies_are_the_whitepapers,
	   without_a_cookie_mac2_is_zero, every_bit_counts, mac2_is_not_looked_at_without_load,
	   what_has_no_room_for_macs_is_garbage, a_cookie_is_for_one_address_and_port,
	   a_secret_lasts_120_seconds, a_sender_stops_using_a_cookie_5_seconds_earlier,
	   forged_replies_are_refused, a_reply_is_for_the_last_message_and_once,
	   nobody_is_answered_who_was_not_asked,
	   another_receiver_takes_no_macs_and_gives_no_cookies, a_new_key_forgets_the_secret)
