/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys in base64, many letters at a time, because a large device has tens of thousands of them: a
 * word of 8 bytes, or a vector of 16 to read them, holds one letter, or its six bits, in each of
 * its bytes, and all bytes are worked on at once. Keys may be private, so nothing here branches on
 * a letter or uses one as an index: all well-formed texts take the same time.
 *
 * A key is 43 letters and '='. Its blocks of 6 bytes and 8 letters are these; the fifth overlaps
 * the fourth, and the last is one byte short:
 *
 *	bytes    0   6   12  18  21  27
 *	letters  0   8   16  24  28  36
 *
 * Two blocks of letters each follow one another, and are one vector.
 */
#include "crypto/base64.h"

#include "crypto/lanes.h"

#include <sodium.h>
#include <string.h>

#define N_BLOCKS 6

typedef signed char Letters __attribute__((vector_size(16)));
typedef uint16_t Pairs __attribute__((vector_size(16)));
typedef uint32_t Quads __attribute__((vector_size(16)));
typedef uint64_t Words __attribute__((vector_size(16)));

static const uint8_t first_byte[N_BLOCKS] = { 0, 6, 12, 18, 21, 27 };
static const uint8_t first_letter[N_BLOCKS] = { 0, 8, 16, 24, 28, 36 };

/* One in each byte that is at least low. */
static uint64_t at_least(uint64_t bytes, uint8_t low)
{
	return wice__lanes_at_least(bytes, low) >> 7;
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

/* What is added to a letter to have its value. */
enum {
	TO_UPPER = 0 - 'A',
	TO_LOWER = 26 - 'a',
	TO_DIGIT = 52 - '0',
	TO_PLUS = 62 - '+',
	TO_SLASH = 63 - '/',
};

/*
 * The values of sixteen letters. Sets bits in *bad where one of them is none: from '/' to 'z' there
 * are letters and gaps in turns, so one is good if it is beyond an odd number of their borders.
 */
static Letters decode_letters(Letters c, Letters *bad)
{
	Letters plus = c == '+', digit = c >= '0', upper = c >= 'A', lower = c >= 'a';
	*bad |= ~(plus ^ (c >= '/') ^ (c > '9') ^ upper ^ (c > 'Z') ^ lower ^ (c > 'z'));
	return c + TO_SLASH + (plus & (TO_PLUS - TO_SLASH)) + (digit & (TO_DIGIT - TO_SLASH)) +
	       (upper & (TO_UPPER - TO_DIGIT)) + (lower & (TO_LOWER - TO_UPPER));
}

/* Two times eight values of six bits, closed up: the first of eight is in the highest place. */
static Words join_bits(Letters values)
{
	Words words = (Words)values;
	words = (Words){ GUINT64_FROM_LE(words[0]), GUINT64_FROM_LE(words[1]) };
	Pairs pairs = (Pairs)words;
	pairs = (pairs & 0x3f) << 6 | pairs >> 8;
	Quads quads = (Quads)pairs;
	quads = (quads & 0xfff) << 12 | quads >> 16;
	words = (Words)quads;
	return (words & 0xffffff) << 24 | words >> 32;
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

bool wice__key_from_base64(const char *text, WiceKey *ret_key)
{
	/* '=' stands for no bits, as 'A' does. */
	const Letters padding = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '=' ^ 'A' };
	uint64_t bits[N_BLOCKS];
	Letters bad = { 0 };
	uint64_t wrong[2];
	for (unsigned i = 0; i < N_BLOCKS / 2; i++) {
		Letters letters;
		memcpy(&letters, text + first_letter[2 * i], sizeof letters);
		if (i == N_BLOCKS / 2 - 1)
			letters ^= padding;
		Words two = join_bits(decode_letters(letters, &bad));
		memcpy(bits + 2 * i, &two, sizeof two);
	}
	/* The two bits that are left over must be zero. */
	memcpy(wrong, &bad, sizeof wrong);
	wrong[0] |= wrong[1] | (uint8_t)(text[WICE_KEY_BASE64_LEN - 1] ^ '=') |
		    (bits[N_BLOCKS - 1] & 0xff);
	if (wrong[0] == 0) {
		for (unsigned i = 0; i < N_BLOCKS - 1; i++)
			store(bits[i] << 16, ret_key->bytes + first_byte[i], 6);
		store(bits[N_BLOCKS - 1] << 16, ret_key->bytes + first_byte[N_BLOCKS - 1], 5);
	}
	sodium_memzero(bits, sizeof bits);
	return wrong[0] == 0;
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
