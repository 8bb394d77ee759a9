/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_ENGINE_RATE_LIMIT_H
#define WICE_ENGINE_RATE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>
#include <wice/addr.h>

/*
 * How many handshakes an address may begin while we are under load: 20 a second, 5 at once, per IPv4
 * address or IPv6 /64 network. The table is bounded: when it is full of addresses that were seen
 * within the last second, new ones are refused. Pure; the hash of an address is keyed.
 */
typedef struct WiceRateLimit WiceRateLimit;

#define WICE_RATE_LIMIT_PER_SECOND 20
#define WICE_RATE_LIMIT_BURST 5
#define WICE_RATE_LIMIT_CAPACITY 8192 /* addresses */

/* hash_key: 16 random bytes. Memory grows with the addresses that are seen, and shrinks again. */
WiceRateLimit *wice__rate_limit_new(const uint8_t hash_key[16]);
void wice__rate_limit_free(WiceRateLimit *limit);
/* True if one more may be served now. */
bool wice__rate_limit_allow(WiceRateLimit *limit, const WiceAddress *address, int64_t now_ms);
/* Forgets addresses that have their whole burst again; returns how many are left. */
uint32_t wice__rate_limit_expire(WiceRateLimit *limit, int64_t now_ms);

#endif
