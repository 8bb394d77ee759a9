/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_INDEX_H
#define WICE_WG_INDEX_H

#include <stddef.h>
#include <stdint.h>

/*
 * Finds records of an array by some bytes in them: a public key, or a prefix without host bits. The
 * array is the caller's and may grow behind what has been put, but not move. Whoever chooses the
 * bytes cannot make it slow: the hash has a secret key.
 */
#define WICE_INDEX_KEY_MIN 8
#define WICE_INDEX_KEY_MAX 32

typedef struct {
	const unsigned char *records;
	size_t stride;           /* from one record to the next */
	size_t offset, key_size; /* of the key within a record */
	size_t mask;
	uint32_t *slots; /* number of a record + 1; 0: free */
	uint64_t seed[WICE_INDEX_KEY_MAX / 4 + 1];
} WiceIndex;

#define WICE_INDEX_NONE UINT32_MAX

/* For at most capacity different keys, of WICE_INDEX_KEY_MIN to _MAX bytes. */
void wice__index_init(WiceIndex *index, const void *records, size_t stride, size_t offset,
		      size_t key_size, size_t capacity);
void wice__index_done(WiceIndex *index);

/* The number of the record that has this key, or WICE_INDEX_NONE. */
uint32_t wice__index_find(const WiceIndex *index, const void *key);

/* Puts a record. Returns the one that was found by its key until now, or WICE_INDEX_NONE. */
uint32_t wice__index_put(WiceIndex *index, uint32_t number);

#endif
