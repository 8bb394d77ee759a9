/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys and their text forms, in constant time. Those that a dump or a file of 10,000 peers has 20,000
 * of are coded by hand: libsodium's coders are slower.
 */
#include "crypto/key.h"

#include "crypto/hex.h"

#include <sodium.h>
#include <string.h>

#define LANES UINT64_C(0x0101010101010101)

/* One in each of the eight bytes that is at least limit; all are below 128. */
static uint64_t at_least(uint64_t bytes, unsigned limit)
{
	return ((bytes + LANES * (128 - limit)) >> 7) & LANES;
}

static uint64_t load_48_bits(const uint8_t *bytes)
{
	uint64_t value = 0;
	for (unsigned i = 0; i < 6; i++)
		value = value << 8 | bytes[i];
	return value;
}

/* 48 bits as eight letters, all at once in the bytes of one word: no tables, no branches. */
static void encode_block(uint64_t bits, char ret[8])
{
	uint64_t x = bits;
	x = (x & 0xffffff000000) << 8 | (x & 0xffffff);
	x = (x & 0x00fff00000fff000) << 4 | (x & 0x00000fff00000fff);
	x = (x & 0x0fc00fc00fc00fc0) << 2 | (x & 0x003f003f003f003f);

	/* 0: 'A', 26: 'a', 52: '0', 62: '+', 63: '/'. No byte borrows from the next. */
	uint64_t letters = x + 'A' * LANES + at_least(x, 26) * ('a' - 'A' - 26) -
			   at_least(x, 52) * ('a' - '0' + 26) - at_least(x, 62) * ('0' - '+' + 10) +
			   at_least(x, 63) * ('/' - '+' - 1);
	letters = GUINT64_TO_BE(letters);
	memcpy(ret, &letters, sizeof letters);
}

/* The last block holds five bytes and the padding; the one before overlaps its neighbour. */
void wice_key_to_base64(const WiceKey *key, char ret_text[WICE_KEY_BASE64_SIZE])
{
	for (unsigned i = 0; i < 4; i++)
		encode_block(load_48_bits(&key->bytes[6 * i]), &ret_text[8 * i]);
	encode_block(load_48_bits(&key->bytes[21]), &ret_text[28]);
	encode_block(load_48_bits(&key->bytes[26]) << 8 & 0xffffffffffff, &ret_text[36]);
	ret_text[43] = '=';
	ret_text[44] = 0;
}

/* The reverse. Sets bits of *bad if some letters are none of base64. */
static uint64_t decode_block(const char text[8], uint64_t *bad)
{
	uint64_t x;
	memcpy(&x, text, sizeof x);
	x = GUINT64_FROM_BE(x);
	*bad |= x & LANES << 7;
	x &= LANES * 0x7f;

	uint64_t plus = at_least(x, '+'), slash = at_least(x, '/'), digit = at_least(x, '0');
	uint64_t upper = at_least(x, 'A'), lower = at_least(x, 'a');
	uint64_t valid = plus - at_least(x, '+' + 1) + slash - at_least(x, '9' + 1) + upper -
			 at_least(x, 'Z' + 1) + lower - at_least(x, 'z' + 1);
	*bad |= valid ^ LANES;
	x += plus * (62 - '+') - slash * (62 - '+' - 63 + '/') - digit * (63 - '/' - 52 + '0') -
	     upper * (52 - '0' + 'A') - lower * ('a' - 'A' - 26);

	x = (x >> 2 & 0x0fc00fc00fc00fc0) | (x & 0x003f003f003f003f);
	x = (x >> 4 & 0x00fff00000fff000) | (x & 0x00000fff00000fff);
	return (x >> 8 & 0xffffff000000) | (x & 0xffffff);
}

/* Writes two bytes more, which are zero. */
static void store_48_bits(uint64_t bits, uint8_t ret[8])
{
	bits = GUINT64_TO_BE(bits << 16);
	memcpy(ret, &bits, sizeof bits);
}

/*
 * The last block, which overlaps its neighbour, has one byte behind the key: of the padding, which
 * stands for 0, and of the two bits that no byte needs.
 */
bool wice__key_decode(const char text[WICE_KEY_BASE64_SIZE - 1], WiceKey *ret_key)
{
	struct {
		char last[8];
		uint8_t bytes[WICE_KEY_LEN + 3];
	} secret;
	uint64_t bad = 0;
	memcpy(secret.last, text + 36, sizeof secret.last);
	secret.last[7] = 'A';
	for (unsigned i = 0; i < 5; i++)
		store_48_bits(decode_block(&text[8 * i], &bad), &secret.bytes[6 * i]);
	store_48_bits(decode_block(secret.last, &bad), &secret.bytes[27]);
	bool ok = text[43] == '=' && (bad | secret.bytes[WICE_KEY_LEN]) == 0;
	if (ok)
		memcpy(ret_key->bytes, secret.bytes, WICE_KEY_LEN);
	sodium_memzero(&secret, sizeof secret);
	return ok;
}

bool wice_key_from_base64(const char *text, WiceKey *ret_key)
{
	return strnlen(text, WICE_KEY_BASE64_SIZE) == WICE_KEY_BASE64_SIZE - 1 &&
	       wice__key_decode(text, ret_key);
}

bool wice_key_from_hex(const char *text, WiceKey *ret_key)
{
	return strlen(text) == WICE_KEY_HEX_LEN && wice__key_from_hex(text, ret_key);
}

void wice_key_to_hex(const WiceKey *key, char ret_text[2 * WICE_KEY_LEN + 1])
{
	wice__key_to_hex(key, ret_text);
	ret_text[WICE_KEY_HEX_LEN] = 0;
}

int wice_key_compare(const WiceKey *a, const WiceKey *b)
{
	return memcmp(a->bytes, b->bytes, WICE_KEY_LEN);
}

bool wice_key_is_zero(const WiceKey *key)
{
	return sodium_is_zero(key->bytes, WICE_KEY_LEN);
}

void wice_key_clear(WiceKey *key)
{
	sodium_memzero(key, sizeof *key);
}

void wice_key_generate_private(WiceKey *ret_key)
{
	randombytes_buf(ret_key->bytes, WICE_KEY_LEN);
	ret_key->bytes[0] &= 248;
	ret_key->bytes[31] = (uint8_t)((ret_key->bytes[31] & 127) | 64);
}

void wice_key_public(const WiceKey *private_key, WiceKey *ret_public_key)
{
	crypto_scalarmult_base(ret_public_key->bytes, private_key->bytes);
}
