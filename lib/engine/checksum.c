/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/checksum.h"

#include <glib.h>

#define BLOCK ((size_t)64)

typedef uint64_t Lanes __attribute__((vector_size(32)));

/*
 * The 32-bit halves of 64-bit lanes are summed in lanes of their own: no carry is lost, and none
 * needs to be passed on. Written once, and compiled for more than one processor.
 */
static inline __attribute__((always_inline)) uint64_t add_blocks(const uint8_t *data, size_t n)
{
	Lanes even = { 0 }, odd = { 0 };
	for (; n; n--, data += BLOCK) {
		Lanes a, b;
		memcpy(&a, data, sizeof a);
		memcpy(&b, data + sizeof a, sizeof b);
		even += (a & 0xffffffff) + (b & 0xffffffff);
		odd += (a >> 32) + (b >> 32);
	}
	even += odd;
	return even[0] + even[1] + even[2] + even[3];
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static uint64_t add_blocks_avx2(const uint8_t *data, size_t n)
{
	return add_blocks(data, n);
}
#endif

static uint64_t add_all_blocks(const uint8_t *data, size_t n)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx2"))
		return add_blocks_avx2(data, n);
#endif
	return add_blocks(data, n);
}

uint64_t wice__checksum_add(uint64_t sum, const uint8_t *data, size_t length)
{
	if (length >= BLOCK) {
		sum += add_all_blocks(data, length / BLOCK);
		data += length & ~(BLOCK - 1);
		length &= BLOCK - 1;
	}
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

uint64_t wice__checksum_pseudo(const WiceIpHeader *ip, uint8_t protocol, size_t length)
{
	size_t address = ip->family == WICE_FAMILY_IPV4 ? 4 : 16;
	uint64_t sum = (uint64_t)GUINT16_TO_BE(protocol) + GUINT32_TO_BE((uint32_t)length);
	sum = wice__checksum_add(sum, ip->source, address);
	return wice__checksum_add(sum, ip->destination, address);
}
