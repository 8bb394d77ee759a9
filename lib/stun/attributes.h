/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_STUN_ATTRIBUTES_H
#define WICE_STUN_ATTRIBUTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/addr.h>

#include "crypto/mac.h"
#include "stun/message.h"

/* Types below this one must be understood by the receiver (RFC 8489 §14). */
#define WICE_STUN_COMPREHENSION_OPTIONAL 0x8000

enum {
	WICE_STUN_MAPPED_ADDRESS = 0x0001,      /* RFC 8489 §14.1 */
	WICE_STUN_SOURCE_ADDRESS = 0x0004,      /* RFC 3489 §11.2.5: old servers still send it */
	WICE_STUN_CHANGED_ADDRESS = 0x0005,     /* RFC 3489 §11.2.3: likewise */
	WICE_STUN_USERNAME = 0x0006,            /* RFC 8489 §14.3 */
	WICE_STUN_MESSAGE_INTEGRITY = 0x0008,   /* RFC 8489 §14.5 */
	WICE_STUN_ERROR_CODE = 0x0009,          /* RFC 8489 §14.8 */
	WICE_STUN_UNKNOWN_ATTRIBUTES = 0x000a,  /* RFC 8489 §14.13 */
	WICE_STUN_REFLECTED_FROM = 0x000b,      /* RFC 3489 §11.2.11: likewise */
	WICE_STUN_CHANNEL_NUMBER = 0x000c,      /* RFC 8656 §18.1 */
	WICE_STUN_LIFETIME = 0x000d,            /* RFC 8656 §18.2 */
	WICE_STUN_XOR_PEER_ADDRESS = 0x0012,    /* RFC 8656 §18.3 */
	WICE_STUN_DATA = 0x0013,                /* RFC 8656 §18.4 */
	WICE_STUN_REALM = 0x0014,               /* RFC 8489 §14.9 */
	WICE_STUN_NONCE = 0x0015,               /* RFC 8489 §14.10 */
	WICE_STUN_XOR_RELAYED_ADDRESS = 0x0016, /* RFC 8656 §18.5 */
	WICE_STUN_REQUESTED_ADDRESS_FAMILY = 0x0017,  /* RFC 8656 §18.6 */
	WICE_STUN_EVEN_PORT = 0x0018,                 /* RFC 8656 §18.7 */
	WICE_STUN_REQUESTED_TRANSPORT = 0x0019,       /* RFC 8656 §18.8 */
	WICE_STUN_DONT_FRAGMENT = 0x001a,             /* RFC 8656 §18.9 */
	WICE_STUN_MESSAGE_INTEGRITY_SHA256 = 0x001c,  /* RFC 8489 §14.6 */
	WICE_STUN_PASSWORD_ALGORITHM = 0x001d,        /* RFC 8489 §14.12 */
	WICE_STUN_USERHASH = 0x001e,                  /* RFC 8489 §14.4 */
	WICE_STUN_XOR_MAPPED_ADDRESS = 0x0020,        /* RFC 8489 §14.2 */
	WICE_STUN_RESERVATION_TOKEN = 0x0022,         /* RFC 8656 §18.10 */
	WICE_STUN_PRIORITY = 0x0024,                  /* RFC 8445 §16.1 */
	WICE_STUN_USE_CANDIDATE = 0x0025,             /* RFC 8445 §16.1 */
	WICE_STUN_ADDITIONAL_ADDRESS_FAMILY = 0x8000, /* RFC 8656 §18.11 */
	WICE_STUN_ADDRESS_ERROR_CODE = 0x8001,        /* RFC 8656 §18.12 */
	WICE_STUN_PASSWORD_ALGORITHMS = 0x8002,       /* RFC 8489 §14.11 */
	WICE_STUN_SOFTWARE = 0x8022,                  /* RFC 8489 §14.14 */
	WICE_STUN_ALTERNATE_SERVER = 0x8023,          /* RFC 8489 §14.15 */
	WICE_STUN_FINGERPRINT = 0x8028,               /* RFC 8489 §14.7 */
	WICE_STUN_ICE_CONTROLLED = 0x8029,            /* RFC 8445 §16.1 */
	WICE_STUN_ICE_CONTROLLING = 0x802a,           /* RFC 8445 §16.1 */
	WICE_STUN_OTHER_ADDRESS = 0x802c,             /* RFC 5780 §7.4 */
	WICE_STUN_MOBILITY_TICKET = 0x8030,           /* RFC 8016 §5 */
};

/* Error codes that are acted upon. RFC 8489 §14.8, RFC 8656 §19, RFC 8445 §16.2, RFC 8016 §5. */
enum {
	WICE_STUN_ERROR_TRY_ALTERNATE = 300,
	WICE_STUN_ERROR_BAD_REQUEST = 400,
	WICE_STUN_ERROR_UNAUTHENTICATED = 401,
	WICE_STUN_ERROR_FORBIDDEN = 403,
	WICE_STUN_ERROR_MOBILITY_FORBIDDEN = 405,
	WICE_STUN_ERROR_UNKNOWN_ATTRIBUTE = 420,
	WICE_STUN_ERROR_ALLOCATION_MISMATCH = 437,
	WICE_STUN_ERROR_STALE_NONCE = 438,
	WICE_STUN_ERROR_FAMILY_NOT_SUPPORTED = 440,
	WICE_STUN_ERROR_WRONG_CREDENTIALS = 441,
	WICE_STUN_ERROR_UNSUPPORTED_TRANSPORT = 442,
	WICE_STUN_ERROR_FAMILY_MISMATCH = 443,
	WICE_STUN_ERROR_QUOTA_REACHED = 486,
	WICE_STUN_ERROR_ROLE_CONFLICT = 487,
	WICE_STUN_ERROR_SERVER_ERROR = 500,
	WICE_STUN_ERROR_INSUFFICIENT_CAPACITY = 508,
};

/* Values of REQUESTED-ADDRESS-FAMILY and its like, and inside addresses (RFC 8489 §14.1). */
#define WICE_STUN_FAMILY_IPV4 0x01
#define WICE_STUN_FAMILY_IPV6 0x02
/* EVEN-PORT: reserve the next port too (RFC 8656 §18.7). */
#define WICE_STUN_EVEN_PORT_RESERVE 0x80
/* The only REQUESTED-TRANSPORT of RFC 8656 §18.8: the IP protocol number. */
#define WICE_STUN_TRANSPORT_UDP 17

/* What a value consists of, and so which pair of functions below reads and writes it. */
typedef enum {
	WICE_STUN_KIND_FLAG,
	WICE_STUN_KIND_U8,  /* in the first byte; the rest is written as zero and ignored */
	WICE_STUN_KIND_U16, /* in the first two */
	WICE_STUN_KIND_U32,
	WICE_STUN_KIND_U64,
	WICE_STUN_KIND_BYTES,
	WICE_STUN_KIND_ADDRESS,
	WICE_STUN_KIND_XOR_ADDRESS,
	WICE_STUN_KIND_ERROR,
	WICE_STUN_KIND_TYPES,
	WICE_STUN_KIND_ALGORITHMS,
} WiceStunKind;

typedef struct {
	const char *name;
	WiceStunKind kind;
	uint16_t min, max; /* length of the value */
} WiceStunAttributeInfo;

/* NULL for a type that we do not know. */
const WiceStunAttributeInfo *wice__stun_attribute_info(uint16_t type);

/*
 * Readers: 0, -ENOENT if the message has no such attribute (that counts), -EBADMSG if it has one
 * that is malformed. Writers record their error in the writer: -EINVAL for what the attribute
 * cannot hold. Whether an address is XORed follows from the type; RFC 3489 messages have no cookie
 * to XOR with and count such an address as malformed.
 */
int wice__stun_read_flag(const WiceStunMessage *message, uint16_t type);
int wice__stun_read_u8(const WiceStunMessage *message, uint16_t type, uint8_t *ret);
int wice__stun_read_u16(const WiceStunMessage *message, uint16_t type, uint16_t *ret);
int wice__stun_read_u32(const WiceStunMessage *message, uint16_t type, uint32_t *ret);
int wice__stun_read_u64(const WiceStunMessage *message, uint16_t type, uint64_t *ret);
/* The value itself, in the packet, for any kind. Text is neither NUL-terminated nor checked. */
int wice__stun_read_bytes(const WiceStunMessage *message, uint16_t type, WiceSpan *ret);
int wice__stun_read_address(const WiceStunMessage *message, uint16_t type, WiceEndpoint *ret);
/* The same for one that wice__stun_message_next() found: XOR-PEER-ADDRESS may repeat. */
int wice__stun_decode_address(const WiceStunMessage *message, const WiceStunAttribute *attribute,
			      WiceEndpoint *ret);
/* ret_reason may be NULL. */
int wice__stun_read_error(const WiceStunMessage *message, uint16_t *ret_code, WiceSpan *ret_reason);
/* UNKNOWN-ATTRIBUTES; the first max of them. */
int wice__stun_read_types(const WiceStunMessage *message, uint16_t *ret_types, size_t max,
			  size_t *ret_n);
/* PASSWORD-ALGORITHM(S): the numbers of the first max; parameters are checked and left out. */
int wice__stun_read_algorithms(const WiceStunMessage *message, uint16_t type,
			       uint16_t *ret_algorithms, size_t max, size_t *ret_n);

void wice__stun_write_flag(WiceStunWriter *writer, uint16_t type);
void wice__stun_write_u8(WiceStunWriter *writer, uint16_t type, uint8_t value);
void wice__stun_write_u16(WiceStunWriter *writer, uint16_t type, uint16_t value);
void wice__stun_write_u32(WiceStunWriter *writer, uint16_t type, uint32_t value);
void wice__stun_write_u64(WiceStunWriter *writer, uint16_t type, uint64_t value);
void wice__stun_write_bytes(WiceStunWriter *writer, uint16_t type, const void *data, size_t len);
void wice__stun_write_address(WiceStunWriter *writer, uint16_t type, const WiceEndpoint *endpoint);
/* reason NULL: the usual phrase. */
void wice__stun_write_error(WiceStunWriter *writer, uint16_t code, const char *reason);
void wice__stun_write_types(WiceStunWriter *writer, const uint16_t *types, size_t n);
/* Algorithms without parameters, which are all there are (RFC 8489 §18.5). */
void wice__stun_write_algorithms(WiceStunWriter *writer, uint16_t type, const uint16_t *algorithms,
				 size_t n);

/* "Unauthenticated" and so on; "" if unknown. */
const char *wice__stun_error_phrase(uint16_t code);

#endif
