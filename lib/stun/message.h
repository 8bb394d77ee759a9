/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_STUN_MESSAGE_H
#define WICE_STUN_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * STUN messages (RFC 8489 §5), read in place and written into the caller's buffer. No I/O, no
 * allocation.
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |0 0|     STUN Message Type     |         Message Length        |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |                         Magic Cookie                          |   } RFC 3489: 16 bytes of
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+   } transaction id; ours
 *   |                 Transaction ID (96 bits) ...                  |   } are always these 16
 *
 * then attributes, each a type, the length of its value and the value, padded to 4 bytes (§14).
 */
#define WICE_STUN_HEADER_LEN 20
#define WICE_STUN_ATTRIBUTE_HEADER_LEN 4
#define WICE_STUN_TRANSACTION_LEN 16
#define WICE_STUN_COOKIE 0x2112a442u /* RFC 8489 §5 */

/* Our limits: more attributes attack our time, more unknown ones the size of the reply. */
#define WICE_STUN_MAX_ATTRIBUTES 64
#define WICE_STUN_MAX_UNKNOWN 16

/* RFC 8489 §5 */
typedef enum {
	WICE_STUN_REQUEST = 0,
	WICE_STUN_INDICATION = 1,
	WICE_STUN_SUCCESS = 2,
	WICE_STUN_ERROR = 3,
} WiceStunClass;

/* RFC 8489 §18.2; RFC 8656 §17. Send and Data are indications, the others have a response. */
typedef enum {
	WICE_STUN_BINDING = 0x001,
	WICE_STUN_ALLOCATE = 0x003,
	WICE_STUN_REFRESH = 0x004,
	WICE_STUN_SEND = 0x006,
	WICE_STUN_DATA_INDICATION = 0x007,
	WICE_STUN_CREATE_PERMISSION = 0x008,
	WICE_STUN_CHANNEL_BIND = 0x009,
} WiceStunMethod;

/* The 14 bits of the type hold both, interleaved: M M M M M C M M M C M M M M (RFC 8489 §5). */
uint16_t wice__stun_type_join(WiceStunClass message_class, uint16_t method);
WiceStunClass wice__stun_type_class(uint16_t type);
uint16_t wice__stun_type_method(uint16_t type);

/* A well-formed message. Refers to the packet that it was read from, which must outlive it. */
typedef struct {
	const uint8_t *data;
	size_t len;
	uint16_t method;       /* WiceStunMethod, or one that we do not know */
	uint8_t message_class; /* WiceStunClass */
	bool has_cookie;       /* false: an RFC 3489 message, without a cookie */
	/* Offsets of these attributes, 0 if there is none that counts. */
	uint16_t integrity;
	uint16_t integrity_sha256;
	uint16_t fingerprint;
	/* Comprehension-required attributes that we do not know, in order, at most the maximum. */
	uint8_t n_unknown;
	uint16_t unknown[WICE_STUN_MAX_UNKNOWN];
} WiceStunMessage;

typedef struct {
	uint16_t type;
	uint16_t len;         /* of the value, without padding */
	const uint8_t *value; /* in the packet */
} WiceStunAttribute;

/*
 * Checks all of a datagram: the lengths must fit exactly, and FINGERPRINT, if there is one, must be
 * the last attribute. 0, -EBADMSG if it is no (well-formed) STUN message, -E2BIG for too many
 * attributes.
 */
int wice__stun_message_read(WiceStunMessage *ret_message, const uint8_t *packet, size_t len);

/* The 16 bytes that a response repeats. */
const uint8_t *wice__stun_message_transaction(const WiceStunMessage *message);

/*
 * Walks the attributes that count: what follows MESSAGE-INTEGRITY is not protected and is skipped,
 * but for MESSAGE-INTEGRITY-SHA256 and FINGERPRINT (RFC 8489 §14.5). *cursor begins as 0.
 */
bool wice__stun_message_next(const WiceStunMessage *message, size_t *cursor,
			     WiceStunAttribute *ret_attribute);
/* The first one of a type: RFC 8489 §14 lets a receiver ignore the others. */
bool wice__stun_message_find(const WiceStunMessage *message, uint16_t type,
			     WiceStunAttribute *ret_attribute);
bool wice__stun_message_has(const WiceStunMessage *message, uint16_t type);

/*
 * Writes a message. The first error sticks and makes the rest do nothing, so that only
 * wice__stun_writer_finish() needs to be checked. What is in the buffer is a complete message after
 * each step.
 */
typedef struct {
	uint8_t *data;
	size_t size;
	size_t len;
	int error; /* 0, -ENOBUFS, -EINVAL */
	bool has_cookie;
	uint8_t sealed; /* how far the closing attributes have been written */
} WiceStunWriter;

/* transaction: as on the wire, so beginning with the cookie, unless RFC 3489's form is wanted. */
void wice__stun_writer_init(WiceStunWriter *writer, uint8_t *buffer, size_t size,
			    WiceStunClass message_class, uint16_t method,
			    const uint8_t transaction[WICE_STUN_TRANSACTION_LEN]);
/* A response to a request, in the form that it had. */
void wice__stun_writer_init_reply(WiceStunWriter *writer, uint8_t *buffer, size_t size,
				  WiceStunClass message_class, const WiceStunMessage *request);
/* Adds an attribute of len bytes and returns where its value goes, zeroed; NULL after an error. */
uint8_t *wice__stun_writer_add(WiceStunWriter *writer, uint16_t type, size_t len);
/* 0 and the length of the message, or the error that stuck. */
int wice__stun_writer_finish(const WiceStunWriter *writer, size_t *ret_len);

/* Big-endian numbers at any alignment. */
static inline uint16_t wice__stun_get_u16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t wice__stun_get_u32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline void wice__stun_put_u16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static inline void wice__stun_put_u32(uint8_t *at, uint32_t value)
{
	wice__stun_put_u16(at, (uint16_t)(value >> 16));
	wice__stun_put_u16(at + 2, (uint16_t)value);
}

#endif
