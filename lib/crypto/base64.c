/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys in base64, eight letters at a time, because a large device has tens of thousands of them. A
 * word holds one letter, or its six bits, in each of its bytes, and all bytes are worked on at
 * once. Keys may be private, so nothing here branches on a letter or uses one as an index: all
 * well-formed texts take the same time.
 *
 * A key is 43 letters and '='. Its blocks of 6 bytes and 8 letters are these; the fifth overlaps
 * the fourth, and the last is one byte short:
 *
 *	bytes    0   6   12  18  21  27
 *	letters  0   8   16  24  28  36
 */
#include "crypto/base64.h"

#include "crypto/lanes.h"

#include <sodium.h>
#include <string.h>

#define N_BLOCKS 6

static const uint8_t first_byte[N_BLOCKS] = { 0, 6, 12, 18, 21, 27 };
static const uint8_t first_letter[N_BLOCKS] = { 0, 8, 16, 24, 28, 36 };

/* One in each byte that is at least low. */
static uint64_t at_least(uint64_t bytes, uint8_t low)
{
	return wice__lanes_at_least(bytes, low) >> 7;
}

static uint64_t within(uint64_t bytes, uint8_t first, uint8_t last)
{
	return wice__lanes_within(bytes, first, last) >> 7;
}

/* 48 bits, spread over eight bytes; no byte borrows from the next. */
static uint64_t encode_block(uint64_t bits)
{
	uint64_t x = bits;
	x = (x & 0xffffff000000) << 8 | (x & 0xffffff);
	x = (x & 0x00fff00000fff000) << 4 | (x & 0x00000fff00000fff);
	x = (x & 0x0fc00fc00fc00fc0) << 2 | (x & 0x003f003f003f003f);
	return x + WICE_EACH('A') + at_least(x, 26) * ('a' - 'A' - 26) -
	       at_least(x, 52) * ('a' - '0' + 26) - at_least(x, 62) * ('0' - '+' + 10) +
	       at_least(x, 63) * ('/' - '+' - 1);
}

/* The way back. Sets bits in *bad if one of the letters is none. */
static uint64_t decode_block(uint64_t letters, uint64_t *bad)
{
	uint64_t low = letters & ~WICE_TOP_BITS;
	uint64_t upper = within(low, 'A', 'Z'), lower = within(low, 'a', 'z');
	uint64_t digit = within(low, '0', '9');
	uint64_t plus = within(low, '+', '+'), slash = within(low, '/', '/');
	*bad |= ((upper | lower | digit | plus | slash) ^ WICE_EACH(1)) | (letters & WICE_TOP_BITS);

	uint64_t x = low - upper * 'A' - lower * ('a' - 26) + digit * (52 - '0') +
		     plus * (62 - '+') + slash * (63 - '/');
	x = (x & 0x3f003f003f003f00) >> 2 | (x & 0x003f003f003f003f);
	x = (x & 0x0fff00000fff0000) >> 4 | (x & 0x00000fff00000fff);
	return (x & 0x00ffffff00000000) >> 8 | (x & 0xffffff);
}

/* Eight bytes, the first in the highest place. */
static inline uint64_t load(const void *bytes)
{
	uint64_t word;
	memcpy(&word, bytes, sizeof word);
	return GUINT64_FROM_BE(word);
}

static inline void store(uint64_t word, void *ret, size_t n)
{
	word = GUINT64_TO_BE(word);
	memcpy(ret, &word, n);
}

bool wice__key_from_base64(const char *letters, WiceKey *ret_key)
{
	uint64_t bits[N_BLOCKS], bad = 0;
	for (unsigned i = 0; i < N_BLOCKS - 1; i++)
		bits[i] = decode_block(load(letters + first_letter[i]), &bad);
	/* '=' stands for no bits, and the two that are left over must be zero. */
	uint64_t last = load(letters + first_letter[N_BLOCKS - 1]);
	bits[N_BLOCKS - 1] = decode_block((last & ~UINT64_C(0xff)) | 'A', &bad);
	bad |= ((last & 0xff) ^ '=') | (bits[N_BLOCKS - 1] & 0xff);
	if (bad == 0) {
		for (unsigned i = 0; i < N_BLOCKS - 1; i++)
			store(bits[i] << 16, ret_key->bytes + first_byte[i], 6);
		store(bits[N_BLOCKS - 1] << 16, ret_key->bytes + first_byte[N_BLOCKS - 1], 5);
	}
	sodium_memzero(bits, sizeof bits);
	return bad == 0;
}

void wice__key_to_base64(const WiceKey *key, char *ret_letters)
{
	for (unsigned i = 0; i < N_BLOCKS - 1; i++)
		store(encode_block(load(key->bytes + first_byte[i]) >> 16),
		      ret_letters + first_letter[i], 8);
	uint64_t last = load(key->bytes + WICE_KEY_LEN - 8) << 24 >> 16;
	store(encode_block(last), ret_letters + first_letter[N_BLOCKS - 1], 8);
	ret_letters[WICE_KEY_BASE64_LEN - 1] = '=';
}
