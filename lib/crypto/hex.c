/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hexadecimal keys, eight digits at a time. A word holds one digit in each of its bytes, and all
 * bytes are worked on at once. Keys may be private, so nothing here branches on a digit or uses
 * one as an index: all well-formed texts take the same time.
 */
#include "crypto/hex.h"

#include "crypto/lanes.h"

#include <stdint.h>
#include <string.h>

static uint64_t load(const char *digits)
{
	uint64_t word;
	memcpy(&word, digits, sizeof word);
	return GUINT64_FROM_LE(word);
}

/* The top bit of each byte that is a letter, a to f, of either case. */
static uint64_t letters(uint64_t digits)
{
	return wice__lanes_within(digits | WICE_EACH(0x20), 'a', 'f');
}

/* Zero if all eight are digits. */
static uint64_t malformed(uint64_t digits)
{
	uint64_t low = digits & ~WICE_TOP_BITS;
	uint64_t valid = (wice__lanes_within(low, '0', '9') | letters(low)) & ~digits;
	return valid ^ WICE_TOP_BITS;
}

/* Eight good digits to four bytes, the first in the lowest place. */
static uint32_t decode(uint64_t digits)
{
	uint64_t nibbles = (digits & WICE_EACH(0x0f)) + 9 * (letters(digits) >> 7);
	uint64_t bytes = (nibbles << 4 | nibbles >> 8) & UINT64_C(0x00ff00ff00ff00ff);
	bytes = (bytes | bytes >> 8) & UINT64_C(0x0000ffff0000ffff);
	return (uint32_t)(bytes | bytes >> 16);
}

/* The way back. */
static uint64_t encode(uint32_t four)
{
	uint64_t bytes = (four | (uint64_t)four << 16) & UINT64_C(0x0000ffff0000ffff);
	bytes = (bytes | bytes << 8) & UINT64_C(0x00ff00ff00ff00ff);
	uint64_t nibbles = (bytes >> 4 | bytes << 8) & WICE_EACH(0x0f);
	uint64_t above_nine = (nibbles + WICE_EACH(6)) >> 4 & WICE_EACH(1);
	return nibbles + WICE_EACH('0') + above_nine * ('a' - '9' - 1);
}

bool wice__key_from_hex(const char *digits, WiceKey *ret_key)
{
	uint64_t bad = 0;
	for (size_t i = 0; i < WICE_KEY_HEX_LEN; i += 8)
		bad |= malformed(load(digits + i));
	if (bad)
		return false;
	for (size_t i = 0; i < WICE_KEY_LEN; i += 4) {
		uint32_t four = GUINT32_TO_LE(decode(load(digits + 2 * i)));
		memcpy(ret_key->bytes + i, &four, sizeof four);
	}
	return true;
}

void wice__key_to_hex(const WiceKey *key, char *ret_digits)
{
	for (size_t i = 0; i < WICE_KEY_LEN; i += 4) {
		uint32_t four;
		memcpy(&four, key->bytes + i, sizeof four);
		uint64_t digits = GUINT64_TO_LE(encode(GUINT32_FROM_LE(four)));
		memcpy(ret_digits + 2 * i, &digits, sizeof digits);
	}
}
