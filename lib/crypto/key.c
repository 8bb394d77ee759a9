/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys and their text forms. libsodium's coders run in constant time, as do ours for the two forms
 * that a dump of 10,000 peers has 20,000 of.
 */
#include "crypto/hex.h"

#include <sodium.h>
#include <string.h>

#define LANES UINT64_C(0x0101010101010101)

/* Decoding is done by hand because libsodium's decoder accepts non-canonical trailing bits. */
bool wice_key_from_base64(const char *text, WiceKey *ret_key)
{
	WiceKey key;
	char canonical[WICE_KEY_BASE64_SIZE];
	size_t len;
	bool ok = strlen(text) == WICE_KEY_BASE64_SIZE - 1 &&
		  sodium_base642bin(key.bytes, sizeof key.bytes, text, WICE_KEY_BASE64_SIZE - 1,
				    NULL, &len, NULL, sodium_base64_VARIANT_ORIGINAL) == 0 &&
		  len == WICE_KEY_LEN;
	if (ok) {
		wice_key_to_base64(&key, canonical);
		ok = sodium_memcmp(canonical, text, sizeof canonical) == 0;
		sodium_memzero(canonical, sizeof canonical);
	}
	if (ok)
		*ret_key = key;
	wice_key_clear(&key);
	return ok;
}

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
