/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_SIGNALING_FLOOD_H
#define WICE_SIGNALING_FLOOD_H

#include <stdbool.h>
#include <stdint.h>
#include <wice/addr.h>

/*
 * Limits what strangers can make us work on, in constant memory: a token bucket for each of a fixed
 * number of slots that source addresses are hashed to with a secret key, and one for all of them,
 * because a stranger on the link can send under any number of addresses. Who shares a slot shares
 * its limit. Pure.
 */
#define WICE_FLOOD_SLOTS 256

/* A host with 1,000 peers may greet all of them at once, and again half a minute later. */
#define WICE_FLOOD_SOURCE_RATE 100 /* per second */
#define WICE_FLOOD_SOURCE_BURST 2000
#define WICE_FLOOD_TOTAL_RATE 2000
#define WICE_FLOOD_TOTAL_BURST 8000

typedef struct {
	uint8_t key[16];
	/* For each bucket the time at which it is full again, µs: the whole of its state (GCRA). */
	int64_t total_us;
	int64_t source_us[WICE_FLOOD_SLOTS];
} WiceFlood;

void wice__flood_init(WiceFlood *flood, const uint8_t key[16]);
/* False if this one is too much. now_ms must not go back. */
bool wice__flood_allow(WiceFlood *flood, const WiceAddress *source, int64_t now_ms);

#endif
