/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_CRYPTO_LANES_H
#define WICE_CRYPTO_LANES_H

#include <stdint.h>

/*
 * Eight bytes in one word, worked on all at once, without a branch or an index that depends on
 * them: for letters and digits of secrets.
 */
#define WICE_EACH(byte) (UINT64_C(0x0101010101010101) * (byte))
#define WICE_TOP_BITS WICE_EACH(0x80)

/* The top bit of each byte that is at least low. Needs bytes below 0x80, so that none overflows. */
static inline uint64_t wice__lanes_at_least(uint64_t bytes, uint8_t low)
{
	return (bytes + WICE_EACH((uint8_t)(0x80 - low))) & WICE_TOP_BITS;
}

/* The same for each byte from first to last. */
static inline uint64_t wice__lanes_within(uint64_t bytes, uint8_t first, uint8_t last)
{
	return wice__lanes_at_least(bytes, first) &
	       ~wice__lanes_at_least(bytes, (uint8_t)(last + 1));
}

#endif
