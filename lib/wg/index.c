/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Open addressing, never more than half full; nothing is ever taken out. */
#include "wg/index.h"

#include <glib.h>
#include <string.h>

void wice__index_init(WiceIndex *index, const void *records, size_t stride, size_t offset,
		      size_t key_size, size_t capacity)
{
	size_t n_slots = 16;
	while (n_slots < 2 * capacity)
		n_slots *= 2;
	*index = (WiceIndex){ .records = records,
			      .stride = stride,
			      .offset = offset,
			      .key_size = key_size,
			      .mask = n_slots - 1,
			      .slots = g_new0(uint32_t, n_slots) };
	crypto_shorthash_keygen(index->seed);
}

void wice__index_done(WiceIndex *index)
{
	g_free(index->slots);
}

static const unsigned char *key_of(const WiceIndex *index, uint32_t number)
{
	return index->records + number * index->stride + index->offset;
}

/* The slot that key is in, or the free one where it belongs. */
static uint32_t *find_slot(const WiceIndex *index, const void *key)
{
	uint64_t hash;
	crypto_shorthash((unsigned char *)&hash, key, index->key_size, index->seed);
	for (size_t at = hash & index->mask;; at = (at + 1) & index->mask) {
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
