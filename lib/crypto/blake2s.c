/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/blake2s.h"

#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#define BLOCK_LEN 64

/* RFC 7693 section 2.6: the first 32 bits of the fractions of the square roots of 2, 3, 5... 19. */
static const uint32_t initial[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
	0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

/* RFC 7693 section 2.7: which word of the message goes where in each round. */
static const uint8_t sigma[10][16] = {
	{ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
	{ 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3 },
	{ 11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4 },
	{ 7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8 },
	{ 9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13 },
	{ 2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9 },
	{ 12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11 },
	{ 13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10 },
	{ 6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5 },
	{ 10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0 },
};

typedef struct {
	uint32_t chain[8];
	uint64_t counter; /* bytes that went into chain */
	uint8_t block[BLOCK_LEN];
	size_t len; /* bytes in block, which is kept when full: it may be the last */
} Blake2s;

static inline uint32_t rotate(uint32_t word, int right)
{
	return word >> right | word << (32 - right);
}

static inline uint32_t load_word(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* RFC 7693 section 3.1. */
static inline void mix(uint32_t v[16], int a, int b, int c, int d, uint32_t x, uint32_t y)
{
	v[a] += v[b] + x;
	v[d] = rotate(v[d] ^ v[a], 16);
	v[c] += v[d];
	v[b] = rotate(v[b] ^ v[c], 12);
	v[a] += v[b] + y;
	v[d] = rotate(v[d] ^ v[a], 8);
	v[c] += v[d];
	v[b] = rotate(v[b] ^ v[c], 7);
}

/* RFC 7693 section 3.2. Unrolled, so that sigma becomes addresses and v registers: twice as fast. */
static void compress(Blake2s *state, const uint8_t block[BLOCK_LEN], size_t len, bool last)
{
	uint32_t v[16];
	state->counter += len;
	memcpy(v, state->chain, sizeof state->chain);
	memcpy(v + 8, initial, sizeof initial);
	v[12] ^= (uint32_t)state->counter;
	v[13] ^= (uint32_t)(state->counter >> 32);
	v[14] ^= last ? UINT32_MAX : 0;
#pragma GCC unroll 10
	for (int round = 0; round < 10; round++) {
		const uint8_t *s = sigma[round];
		mix(v, 0, 4, 8, 12, load_word(block + 4 * s[0]), load_word(block + 4 * s[1]));
		mix(v, 1, 5, 9, 13, load_word(block + 4 * s[2]), load_word(block + 4 * s[3]));
		mix(v, 2, 6, 10, 14, load_word(block + 4 * s[4]), load_word(block + 4 * s[5]));
		mix(v, 3, 7, 11, 15, load_word(block + 4 * s[6]), load_word(block + 4 * s[7]));
		mix(v, 0, 5, 10, 15, load_word(block + 4 * s[8]), load_word(block + 4 * s[9]));
		mix(v, 1, 6, 11, 12, load_word(block + 4 * s[10]), load_word(block + 4 * s[11]));
		mix(v, 2, 7, 8, 13, load_word(block + 4 * s[12]), load_word(block + 4 * s[13]));
		mix(v, 3, 4, 9, 14, load_word(block + 4 * s[14]), load_word(block + 4 * s[15]));
	}
	for (int i = 0; i < 8; i++)
		state->chain[i] ^= v[i] ^ v[i + 8];
}

static void update(Blake2s *state, const void *data, size_t len)
{
	const uint8_t *bytes = data;
	while (len) {
		if (state->len == BLOCK_LEN) {
			compress(state, state->block, BLOCK_LEN, false);
			state->len = 0;
		}
		size_t n = BLOCK_LEN - state->len;
		if (n > len)
			n = len;
		memcpy(state->block + state->len, bytes, n);
		state->len += n;
		bytes += n;
		len -= n;
	}
}

static void update_parts(Blake2s *state, const WiceSpan *parts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		update(state, parts[i].data, parts[i].len);
}

/* RFC 7693 section 3.3: the key is a block of its own. */
static void begin(Blake2s *state, const void *key, size_t key_len, size_t digest_len)
{
	memcpy(state->chain, initial, sizeof initial);
	state->chain[0] ^= 0x01010000 ^ (uint32_t)key_len << 8 ^ (uint32_t)digest_len;
	state->counter = 0;
	state->len = 0;
	if (key_len) {
		memset(state->block, 0, BLOCK_LEN);
		memcpy(state->block, key, key_len);
		state->len = BLOCK_LEN;
	}
}

/* The state is wiped. */
static void finish(Blake2s *state, uint8_t *ret_digest, size_t digest_len)
{
	memset(state->block + state->len, 0, BLOCK_LEN - state->len);
	compress(state, state->block, state->len, true);
	for (size_t i = 0; i < digest_len; i++)
		ret_digest[i] = (uint8_t)(state->chain[i / 4] >> (8 * (i % 4)));
	sodium_memzero(state, sizeof *state);
}

void wice__blake2s(const void *key, size_t key_len, const WiceSpan *parts, size_t n,
		   uint8_t *ret_digest, size_t digest_len)
{
	Blake2s state;
	begin(&state, key, key_len, digest_len);
	update_parts(&state, parts, n);
	finish(&state, ret_digest, digest_len);
}

/* One of the two hashes of an HMAC: of the key, exclusive or a byte, and the message. */
static void hash_padded(const uint8_t key[BLOCK_LEN], uint8_t pad, const WiceSpan *parts, size_t n,
			uint8_t ret_digest[WICE_BLAKE2S_LEN])
{
	Blake2s state;
	begin(&state, NULL, 0, WICE_BLAKE2S_LEN);
	for (size_t i = 0; i < BLOCK_LEN; i++)
		state.block[i] = key[i] ^ pad;
	state.len = BLOCK_LEN;
	update_parts(&state, parts, n);
	finish(&state, ret_digest, WICE_BLAKE2S_LEN);
}

void wice__hmac_blake2s(const void *key, size_t key_len, const WiceSpan *parts, size_t n,
			uint8_t ret_digest[WICE_BLAKE2S_LEN])
{
	uint8_t padded[BLOCK_LEN] = { 0 }, digest[WICE_BLAKE2S_LEN];
	if (key_len > BLOCK_LEN)
		wice__blake2s(NULL, 0, &(WiceSpan){ key, key_len }, 1, padded, WICE_BLAKE2S_LEN);
	else if (key_len)
		memcpy(padded, key, key_len);
	hash_padded(padded, 0x36, parts, n, digest);
	hash_padded(padded, 0x5c, &(WiceSpan){ digest, sizeof digest }, 1, ret_digest);
	sodium_memzero(padded, sizeof padded);
	sodium_memzero(digest, sizeof digest);
}

void wice__kdf_blake2s(const uint8_t chain[WICE_BLAKE2S_LEN], const void *input, size_t input_len,
		       uint8_t (*ret_outputs)[WICE_BLAKE2S_LEN], size_t n)
{
	uint8_t extracted[WICE_BLAKE2S_LEN];
	WiceSpan parts[] = { { input, input_len }, { NULL, 0 } };
	wice__hmac_blake2s(chain, WICE_BLAKE2S_LEN, parts, 1, extracted);
	parts[0].len = 0;
	for (uint8_t i = 1; i <= n; i++) {
		parts[1] = (WiceSpan){ &i, 1 };
		wice__hmac_blake2s(extracted, sizeof extracted, parts, 2, ret_outputs[i - 1]);
		parts[0] = (WiceSpan){ ret_outputs[i - 1], WICE_BLAKE2S_LEN };
	}
	sodium_memzero(extracted, sizeof extracted);
}
