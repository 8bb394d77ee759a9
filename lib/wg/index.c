/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open addressing, never more than half full; nothing is ever taken out.
 *
 * The hash is "multilinear-HM" of Lemire and Kaser ("Strongly universal string hashing is fast",
 * 2014): to each word of 32 bits a secret one of 64 is added, pairs of sums are multiplied, the
 * products added up; of the total the upper half counts. For any two keys all pairs of hashes are
 * equally likely, whoever chose the keys, and it takes a fraction of the time of SipHash.
 */
#include "wg/index.h"

#include <glib.h>
#include <sodium.h>
#include <string.h>

void wice__index_init(WiceIndex *index, const void *records, size_t stride, size_t offset,
		      size_t key_size, size_t capacity)
{
	size_t n_slots = 16;
	g_assert(key_size >= WICE_INDEX_KEY_MIN && key_size <= WICE_INDEX_KEY_MAX);
	while (n_slots < 2 * capacity)
		n_slots *= 2;
	*index = (WiceIndex){ .records = records,
			      .stride = stride,
			      .offset = offset,
			      .key_size = key_size,
			      .mask = n_slots - 1,
			      .slots = g_new0(uint32_t, n_slots) };
	randombytes_buf(index->seed, sizeof index->seed);
}

void wice__index_done(WiceIndex *index)
{
	g_free(index->slots);
}

static const unsigned char *key_of(const WiceIndex *index, uint32_t number)
{
	return index->records + number * index->stride + index->offset;
}

/* Keys that count up have hashes in a row, which would share their slots: this scatters them. */
static uint32_t scatter(uint32_t hash)
{
	hash ^= hash >> 16;
	hash *= 0x85ebca6b; /* odd, so that different hashes stay different */
	return hash ^ hash >> 13;
}

static uint64_t multiply_pair(const unsigned char *bytes, const uint64_t seed[2])
{
	uint64_t pair;
	memcpy(&pair, bytes, sizeof pair);
	return (seed[0] + (uint32_t)pair) * (seed[1] + (pair >> 32));
}

static uint32_t hash_key(const WiceIndex *index, const unsigned char *key)
{
	const uint64_t *seed = index->seed;
	const unsigned char *last = key + index->key_size - 8;
	uint64_t sum = *seed++;
	for (; key < last; key += 8, seed += 2)
		sum += multiply_pair(key, seed);
	sum += multiply_pair(last, seed); /* it may overlap the one before */
	return scatter((uint32_t)(sum >> 32));
}

/* The slot that key is in, or the free one where it belongs. */
static uint32_t *find_slot(const WiceIndex *index, const void *key)
{
	for (size_t at = hash_key(index, key) & index->mask;; at = (at + 1) & index->mask) {
		uint32_t taken = index->slots[at];
		if (!taken || memcmp(key_of(index, taken - 1), key, index->key_size) == 0)
			return &index->slots[at];
	}
}

uint32_t wice__index_find(const WiceIndex *index, const void *key)
{
	return *find_slot(index, key) - 1; /* a free one gives WICE_INDEX_NONE */
}

uint32_t wice__index_put(WiceIndex *index, uint32_t number)
{
	uint32_t *slot = find_slot(index, key_of(index, number));
	uint32_t before = *slot - 1;
	*slot = number + 1;
	return before;
}
