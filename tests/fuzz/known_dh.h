/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_FUZZ_KNOWN_DH_H
#define WICE_TESTS_FUZZ_KNOWN_DH_H

/*
 * X25519 for a target: libsodium's, but what was computed is remembered. The same few keys meet in
 * almost every input, and each meeting takes longer than all the rest. Takes the place of
 * libsodium's functions when the target is linked.
 */
#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define KNOWN_DH_MAX 4096

typedef struct {
	uint8_t scalar[crypto_scalarmult_SCALARBYTES], point[crypto_scalarmult_BYTES];
	uint8_t product[crypto_scalarmult_BYTES];
	int result;
	bool known;
} KnownDh;

/* The slot of a meeting, in which another may be. */
static KnownDh *find_known_dh(KnownDh *all, const uint8_t *scalar, const uint8_t *point)
{
	uint64_t words[8], hash = 0;

	memcpy(words, scalar, 32);
	memcpy(words + 4, point, 32);
	for (int i = 0; i < 8; i++)
		hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15;
	return &all[hash >> 52];
}

static bool is_known_dh(const KnownDh *slot, const uint8_t *scalar, const uint8_t *point)
{
	return slot->known && memcmp(slot->scalar, scalar, sizeof(slot->scalar)) == 0 &&
	       memcmp(slot->point, point, sizeof(slot->point)) == 0;
}

int crypto_scalarmult(unsigned char *q, const unsigned char *n, const unsigned char *p)
{
	static KnownDh all[KNOWN_DH_MAX];
	KnownDh *slot = find_known_dh(all, n, p);

	if (!is_known_dh(slot, n, p)) {
		slot->known = true;
		memcpy(slot->scalar, n, sizeof(slot->scalar));
		memcpy(slot->point, p, sizeof(slot->point));
		slot->result = crypto_scalarmult_curve25519(slot->product, n, p);
	}
	memcpy(q, slot->product, sizeof(slot->product));
	return slot->result;
}

int crypto_scalarmult_base(unsigned char *q, const unsigned char *n)
{
	static const uint8_t base[crypto_scalarmult_BYTES] = { 9 };

	return crypto_scalarmult(q, n, base);
}

#endif
