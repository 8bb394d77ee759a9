/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_ENGINE_CHECKSUM_H
#define WICE_ENGINE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "engine/packet.h"

/*
 * The Internet checksum (RFC 1071). Sums are of 16-bit words in the machine's byte order, which
 * comes to the same as network order as long as the result is stored in it too; they are 64 bits
 * wide, so that a packet's carries need not be minded.
 */

/* Adds length bytes to sum; what is added in pieces must be in pieces of even length. */
uint64_t wice__checksum_add(uint64_t sum, const uint8_t *data, size_t length);

/* The pseudo header of a packet of TCP or UDP that has length bytes from its transport header on. */
uint64_t wice__checksum_pseudo(const WiceIpHeader *ip, uint8_t protocol, size_t length);

/* The 16 bits of a sum. */
static inline uint16_t wice__checksum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* Stores a sum as it is. */
static inline void wice__checksum_put_sum(uint8_t *field, uint64_t sum)
{
	uint16_t folded = wice__checksum_fold(sum);
	memcpy(field, &folded, sizeof folded);
}

/* Stores the checksum that makes it all sum up; never zero, which to UDP means none. */
static inline void wice__checksum_put(uint8_t *field, uint64_t sum)
{
	uint16_t folded = wice__checksum_fold(sum);
	folded = folded == 0xffff ? folded : (uint16_t)~folded;
	memcpy(field, &folded, sizeof folded);
}

#endif
