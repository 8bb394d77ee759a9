/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "signaling/flood.h"

#include <glib.h>
#include <sodium.h>
#include <string.h>

G_STATIC_ASSERT(sizeof((WiceFlood *)0)->key == crypto_shorthash_KEYBYTES);

void wice__flood_init(WiceFlood *flood, const uint8_t key[16])
{
	memset(flood, 0, sizeof *flood);
	memcpy(flood->key, key, sizeof flood->key);
}

static unsigned slot_of(const WiceFlood *flood, const WiceAddress *source)
{
	uint8_t hash[crypto_shorthash_BYTES];
	uint8_t input[1 + sizeof source->bytes];
	input[0] = source->family;
	memcpy(input + 1, source->bytes, sizeof source->bytes);
	crypto_shorthash(hash, input, sizeof input, flood->key);
	return hash[0] % WICE_FLOOD_SLOTS;
}

static bool take(int64_t *full_us, int64_t now_us, int64_t rate, int64_t burst)
{
	int64_t cost_us = 1000000 / rate;
	int64_t full = *full_us > now_us ? *full_us : now_us;
	if (full + cost_us - now_us > burst * cost_us)
		return false;
	*full_us = full + cost_us;
	return true;
}

bool wice__flood_allow(WiceFlood *flood, const WiceAddress *source, int64_t now_ms)
{
	int64_t now_us = now_ms * 1000;
	/* The source first: what one source sends too much must not use up what all share. */
	return take(&flood->source_us[slot_of(flood, source)], now_us, WICE_FLOOD_SOURCE_RATE,
		    WICE_FLOOD_SOURCE_BURST) &&
	       take(&flood->total_us, now_us, WICE_FLOOD_TOTAL_RATE, WICE_FLOOD_TOTAL_BURST);
}
