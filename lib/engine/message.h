/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_ENGINE_MESSAGE_H
#define WICE_ENGINE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* WireGuard's messages on the wire (whitepaper section 5.4). Numbers are little endian. */
typedef enum {
	WICE_MESSAGE_INVALID = 0,
	WICE_MESSAGE_INITIATION = 1,
	WICE_MESSAGE_RESPONSE = 2,
	WICE_MESSAGE_COOKIE = 3,
	WICE_MESSAGE_TRANSPORT = 4,
} WiceMessageType;

/* Structs of bytes: no padding, any alignment. */
typedef struct {
	uint8_t type[4]; /* the first byte, then three zeros */
	uint8_t sender[4];
	uint8_t ephemeral[32];
	uint8_t encrypted_static[32 + 16];
	uint8_t encrypted_timestamp[12 + 16];
	uint8_t mac1[16];
	uint8_t mac2[16];
} WiceMessageInitiation;

typedef struct {
	uint8_t type[4];
	uint8_t sender[4];
	uint8_t receiver[4];
	uint8_t ephemeral[32];
	uint8_t encrypted_nothing[16];
	uint8_t mac1[16];
	uint8_t mac2[16];
} WiceMessageResponse;

typedef struct {
	uint8_t type[4];
	uint8_t receiver[4];
	uint8_t nonce[24];
	uint8_t encrypted_cookie[16 + 16];
} WiceMessageCookie;

/* What comes before a transport message's encrypted packet; a tag of 16 bytes comes after it. */
typedef struct {
	uint8_t type[4];
	uint8_t receiver[4];
	uint8_t counter[8];
} WiceMessageHeader;

#define WICE_MESSAGE_MAX_HANDSHAKE sizeof(WiceMessageInitiation) /* 148 */
#define WICE_MESSAGE_HEADER_LEN sizeof(WiceMessageHeader)        /* 16 */
#define WICE_MESSAGE_TAG_LEN 16
#define WICE_MESSAGE_MIN_TRANSPORT (WICE_MESSAGE_HEADER_LEN + WICE_MESSAGE_TAG_LEN) /* keepalive */

/* What it is by its first four bytes, if its length fits: exactly, or for a transport at least. */
WiceMessageType wice__message_type(const uint8_t *data, size_t length);

/* Read and write little endian numbers at any address. */
static inline uint32_t wice__get_le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t wice__get_le64(const uint8_t *p)
{
	return wice__get_le32(p) | (uint64_t)wice__get_le32(p + 4) << 32;
}

static inline void wice__put_le32(uint8_t *p, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(value >> (8 * i));
}

static inline void wice__put_le64(uint8_t *p, uint64_t value)
{
	wice__put_le32(p, (uint32_t)value);
	wice__put_le32(p + 4, (uint32_t)(value >> 32));
}

#endif
