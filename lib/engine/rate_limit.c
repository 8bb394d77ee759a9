/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A token bucket per address, in an open hash table with linear probing. Nothing is deleted from the
 * table: when it grows, and when it is swept, what is still needed moves to a new one of the right
 * size. An address whose bucket is full again is as good as one that was never seen, so it is left
 * behind.
 */
#include "engine/rate_limit.h"

#include <glib.h>
#include <sodium.h>
#include <string.h>

#define COST_MS (1000 / WICE_RATE_LIMIT_PER_SECOND)
#define FULL_MS (COST_MS * WICE_RATE_LIMIT_BURST)
#define SLOTS_MIN 16u
#define SWEEP_MS 1000 /* a full table is not searched for old addresses more often */

G_STATIC_ASSERT(1000 % WICE_RATE_LIMIT_PER_SECOND == 0);

/* What is limited as one: an IPv4 address, or the network half of an IPv6 address. */
typedef struct {
	uint8_t family; /* WICE_FAMILY_NONE: a free slot */
	uint8_t network[8];
} Source;

typedef struct {
	Source source;
	uint16_t tokens_ms; /* there were as many... */
	int64_t since_ms;   /* ... then */
} Bucket;

struct WiceRateLimit {
	uint8_t hash_key[crypto_shorthash_KEYBYTES];
	Bucket *buckets;
	uint32_t slots; /* a power of two; at most half of them are taken */
	uint32_t n;
	int64_t swept_ms;
	bool has_swept;
};

WiceRateLimit *wice__rate_limit_new(const uint8_t hash_key[16])
{
	WiceRateLimit *limit = g_new0(WiceRateLimit, 1);
	memcpy(limit->hash_key, hash_key, sizeof limit->hash_key);
	limit->slots = SLOTS_MIN;
	limit->buckets = g_new0(Bucket, limit->slots);
	return limit;
}

void wice__rate_limit_free(WiceRateLimit *limit)
{
	if (!limit)
		return;
	g_free(limit->buckets);
	sodium_memzero(limit->hash_key, sizeof limit->hash_key);
	g_free(limit);
}

static Source source_of(const WiceAddress *address)
{
	Source source = { .family = address->family };
	size_t length = address->family == WICE_FAMILY_IPV4 ? 4 : 8;
	memcpy(source.network, address->bytes, length);
	return source;
}

/* The source's bucket, or the free one where it belongs. */
static Bucket *find_bucket(const WiceRateLimit *limit, const Source *source)
{
	uint8_t hash[crypto_shorthash_BYTES];
	uint32_t at;
	crypto_shorthash(hash, (const uint8_t *)source, sizeof *source, limit->hash_key);
	memcpy(&at, hash, sizeof at);
	for (;; at++) {
		Bucket *bucket = &limit->buckets[at & (limit->slots - 1)];
		if (bucket->source.family == WICE_FAMILY_NONE ||
		    memcmp(&bucket->source, source, sizeof *source) == 0)
			return bucket;
	}
}

static int64_t tokens_at(const Bucket *bucket, int64_t now_ms)
{
	return MIN(bucket->tokens_ms + MAX(now_ms - bucket->since_ms, 0), FULL_MS);
}

/*
 * Moves all buckets that are not full to a new table with room for as many more, so that it is not
 * done again soon.
 */
static void rebuild(WiceRateLimit *limit, int64_t now_ms)
{
	Bucket *old = limit->buckets;
	uint32_t old_slots = limit->slots, left = 0;
	for (uint32_t i = 0; i < old_slots; i++)
		left += old[i].source.family && tokens_at(&old[i], now_ms) < FULL_MS;
	limit->n = left;
	limit->slots = SLOTS_MIN;
	while (limit->slots < 4 * (left + 1))
		limit->slots *= 2;
	limit->buckets = g_new0(Bucket, limit->slots);
	for (uint32_t i = 0; i < old_slots; i++)
		if (old[i].source.family && tokens_at(&old[i], now_ms) < FULL_MS)
			*find_bucket(limit, &old[i].source) = old[i];
	g_free(old);
}

/* Makes room for one more address. False if there is none. */
static bool reserve(WiceRateLimit *limit, int64_t now_ms)
{
	if (limit->n == WICE_RATE_LIMIT_CAPACITY) {
		if (limit->has_swept && now_ms - limit->swept_ms < SWEEP_MS)
			return false;
		wice__rate_limit_expire(limit, now_ms);
		return limit->n < WICE_RATE_LIMIT_CAPACITY;
	}
	if (2 * (limit->n + 1) > limit->slots)
		rebuild(limit, now_ms);
	return true;
}

bool wice__rate_limit_allow(WiceRateLimit *limit, const WiceAddress *address, int64_t now_ms)
{
	Source source = source_of(address);
	Bucket *bucket = find_bucket(limit, &source);
	int64_t tokens_ms = FULL_MS;
	if (bucket->source.family == WICE_FAMILY_NONE) {
		if (!reserve(limit, now_ms))
			return false;
		bucket = find_bucket(limit, &source);
		bucket->source = source;
		limit->n++;
	} else {
		tokens_ms = tokens_at(bucket, now_ms);
	}
	bool allowed = tokens_ms >= COST_MS;
	bucket->tokens_ms = (uint16_t)(allowed ? tokens_ms - COST_MS : tokens_ms);
	bucket->since_ms = now_ms;
	return allowed;
}

uint32_t wice__rate_limit_expire(WiceRateLimit *limit, int64_t now_ms)
{
	limit->swept_ms = now_ms;
	limit->has_swept = true;
	rebuild(limit, now_ms);
	return limit->n;
}
