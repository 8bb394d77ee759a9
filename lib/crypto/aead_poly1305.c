/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/aead_poly1305.h"

#include <sodium.h>
#include <string.h>

__extension__ typedef unsigned __int128 Wide;

typedef struct {
	uint64_t h[3]; /* the sum so far; of the last word, a few bits */
	uint64_t r[2];
} Sum;

static uint64_t load(const uint8_t *bytes)
{
	uint64_t value;
	memcpy(&value, bytes, sizeof value);
	return value;
}

/*
 * h = (h + block) * r modulo 2^130 - 5. What is above 2^130 comes back times 5; r[1] is a multiple of 4,
 * so that r[1] * 2^128 is r[1] / 4 * 5.
 */
static inline void add_block(Sum *sum, uint64_t low, uint64_t high)
{
	uint64_t r0 = sum->r[0], r1 = sum->r[1], r1_5 = r1 + (r1 >> 2);
	Wide carried = (Wide)sum->h[0] + low;
	uint64_t h0 = (uint64_t)carried;
	carried = (Wide)sum->h[1] + high + (uint64_t)(carried >> 64);
	uint64_t h1 = (uint64_t)carried, h2 = sum->h[2] + 1 + (uint64_t)(carried >> 64);

	Wide p0 = (Wide)h0 * r0 + (Wide)h1 * r1_5;
	Wide p1 = (Wide)h0 * r1 + (Wide)h1 * r0 + h2 * r1_5 + (uint64_t)(p0 >> 64);
	uint64_t p2 = h2 * r0 + (uint64_t)(p1 >> 64);

	carried = (Wide)(uint64_t)p0 + (p2 >> 2) + (p2 & ~UINT64_C(3));
	sum->h[0] = (uint64_t)carried;
	carried = (Wide)(uint64_t)p1 + (uint64_t)(carried >> 64);
	sum->h[1] = (uint64_t)carried;
	sum->h[2] = (p2 & 3) + (uint64_t)(carried >> 64);
}

/* The sum modulo 2^130 - 5, less than twice which it is, without the bits above 2^128. */
static Wide reduce(const Sum *sum)
{
	Wide h = (Wide)sum->h[1] << 64 | sum->h[0], reduced = h + 5;
	uint64_t exceeds = (sum->h[2] + (reduced < 5)) >> 2;
	Wide take = -(Wide)exceeds;
	return (h & ~take) | (reduced & take);
}

void wice__poly1305_tag(const uint8_t key[32], const uint8_t *data, uint32_t length,
			uint8_t ret_tag[WICE_AEAD_TAG_LEN])
{
	Sum sum = { .r = { load(key) & UINT64_C(0x0ffffffc0fffffff),
			   load(key + 8) & UINT64_C(0x0ffffffc0ffffffc) } };
	uint32_t left = length;
	for (; left >= 16; left -= 16, data += 16)
		add_block(&sum, load(data), load(data + 8));
	if (left > 0) {
		uint8_t last[16] = { 0 };
		memcpy(last, data, left);
		add_block(&sum, load(last), load(last + 8));
	}
	add_block(&sum, 0, length);
	Wide tag = reduce(&sum) + ((Wide)load(key + 24) << 64 | load(key + 16));
	memcpy(ret_tag, &tag, WICE_AEAD_TAG_LEN);
	sodium_memzero(&sum, sizeof sum);
}
