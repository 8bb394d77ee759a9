/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slicing by four: four bytes cost four independent look-ups instead of four dependent ones.
 *
 * A CRC is linear, so an entry is the XOR of the entries of its single bits. Each table follows
 * from eight constants, which the compiler spreads out; the 32 of them are one sequence: start with
 * the (reflected) polynomial 0xedb88320 and go on with x = x >> 1 ^ (x & 1 ? 0xedb88320 : 0).
 */
#include "crypto/crc32.h"

#define BIT(i, n, entry) ((i) >> (n)&1 ? (entry) : 0u)
#define ENTRY(i, b7, b6, b5, b4, b3, b2, b1, b0)                                         \
	(BIT(i, 7, b7) ^ BIT(i, 6, b6) ^ BIT(i, 5, b5) ^ BIT(i, 4, b4) ^ BIT(i, 3, b3) ^ \
	 BIT(i, 2, b2) ^ BIT(i, 1, b1) ^ BIT(i, 0, b0))
#define ENTRIES_4(i, ...)                                                            \
	ENTRY(i, __VA_ARGS__), ENTRY(i + 1, __VA_ARGS__), ENTRY(i + 2, __VA_ARGS__), \
		ENTRY(i + 3, __VA_ARGS__)
#define ENTRIES_16(i, ...)                                                                       \
	ENTRIES_4(i, __VA_ARGS__), ENTRIES_4(i + 4, __VA_ARGS__), ENTRIES_4(i + 8, __VA_ARGS__), \
		ENTRIES_4(i + 12, __VA_ARGS__)
#define ENTRIES_64(i, ...)                                           \
	ENTRIES_16(i, __VA_ARGS__), ENTRIES_16(i + 16, __VA_ARGS__), \
		ENTRIES_16(i + 32, __VA_ARGS__), ENTRIES_16(i + 48, __VA_ARGS__)
#define TABLE(...)                                                                 \
	{                                                                          \
		ENTRIES_64(0, __VA_ARGS__), ENTRIES_64(64, __VA_ARGS__),           \
			ENTRIES_64(128, __VA_ARGS__), ENTRIES_64(192, __VA_ARGS__) \
	}

/* tables[k][b]: what byte b does to the register when k more bytes follow it. */
static const uint32_t tables[4][256] = {
	TABLE(0xedb88320, 0x76dc4190, 0x3b6e20c8, 0x1db71064, 0x0edb8832, 0x076dc419, 0xee0e612c,
	      0x77073096),
	TABLE(0x3b83984b, 0xf0794f05, 0x958424a2, 0x4ac21251, 0xc8d98a08, 0x646cc504, 0x32366282,
	      0x191b3141),
	TABLE(0xe1351b80, 0x709a8dc0, 0x384d46e0, 0x1c26a370, 0x0e1351b8, 0x0709a8dc, 0x0384d46e,
	      0x01c26a37),
	TABLE(0xed59b63b, 0x9b14583d, 0xa032af3e, 0x5019579f, 0xc5b428ef, 0x8f629757, 0xaa09c88b,
	      0xb8bc6765),
};

uint32_t wice__crc32(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *bytes = data;
	crc = ~crc;
	for (; len >= 4; len -= 4, bytes += 4) {
		crc ^= (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
		       (uint32_t)bytes[3] << 24;
		crc = tables[3][crc & 255] ^ tables[2][crc >> 8 & 255] ^
		      tables[1][crc >> 16 & 255] ^ tables[0][crc >> 24];
	}
	for (; len > 0; len--, bytes++)
		crc = crc >> 8 ^ tables[0][(crc ^ *bytes) & 255];
	return ~crc;
}
