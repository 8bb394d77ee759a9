/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "stun/attributes.h"

#include <errno.h>
#include <string.h>

/* RFC 8489 §14.3: under 509 bytes; §14.8-10, §14.14: under 128 characters, 763 bytes. */
#define USERNAME_MAX 508
#define TEXT_MAX 763
/* More algorithms than anybody will define; keeps a hostile list short. */
#define ALGORITHMS_MAX 256
#define ERROR_HEADER_LEN 4
#define ALGORITHM_HEADER_LEN 4
#define IPV4_LEN 8
#define IPV6_LEN 20
#define ANY UINT16_MAX

/* The known types lie in two runs of 64, so that the type is nearly the index. */
#define SLOTS 128
#define SLOT(type) (((type)&0x3f) | ((type) >> 9 & 0x40))
#define IN_SLOTS(type) (((type)&0x7fc0) == 0)

static const WiceStunAttributeInfo infos[SLOTS] = {
#define ATTRIBUTE(type, text, value_kind, shortest, longest)                                       \
	[SLOT(WICE_STUN_##type)] = {                                                               \
		.name = text, .kind = WICE_STUN_KIND_##value_kind, .min = shortest, .max = longest \
	}
	ATTRIBUTE(MAPPED_ADDRESS, "MAPPED-ADDRESS", ADDRESS, IPV4_LEN, IPV6_LEN),
	ATTRIBUTE(SOURCE_ADDRESS, "SOURCE-ADDRESS", ADDRESS, IPV4_LEN, IPV6_LEN),
	ATTRIBUTE(CHANGED_ADDRESS, "CHANGED-ADDRESS", ADDRESS, IPV4_LEN, IPV6_LEN),
	ATTRIBUTE(USERNAME, "USERNAME", BYTES, 0, USERNAME_MAX),
	ATTRIBUTE(MESSAGE_INTEGRITY, "MESSAGE-INTEGRITY", BYTES, WICE_SHA1_LEN, WICE_SHA1_LEN),
	ATTRIBUTE(ERROR_CODE, "ERROR-CODE", ERROR, ERROR_HEADER_LEN, ERROR_HEADER_LEN + TEXT_MAX),
	ATTRIBUTE(UNKNOWN_ATTRIBUTES, "UNKNOWN-ATTRIBUTES", TYPES, 0, ANY),
	ATTRIBUTE(REFLECTED_FROM, "REFLECTED-FROM", ADDRESS, IPV4_LEN, IPV6_LEN),
	ATTRIBUTE(CHANNEL_NUMBER, "CHANNEL-NUMBER", U16, 4, 4),
	ATTRIBUTE(LIFETIME, "LIFETIME", U32, 4, 4),
	ATTRIBUTE(XOR_PEER_ADDRESS, "XOR-PEER-ADDRESS", XOR_ADDRESS, IPV4_LEN, IPV6_LEN),
	ATTRIBUTE(DATA, "DATA", BYTES, 0, ANY),
	ATTRIBUTE(REALM, "REALM", BYTES, 0, TEXT_MAX),
	ATTRIBUTE(NONCE, "NONCE", BYTES, 0, TEXT_MAX),
	ATTRIBUTE(XOR_RELAYED_ADDRESS, "XOR-RELAYED-ADDRESS", XOR_ADDRESS, IPV4_LEN, IPV6_LEN),
	ATTRIBUTE(REQUESTED_ADDRESS_FAMILY, "REQUESTED-ADDRESS-FAMILY", U8, 4, 4),
	ATTRIBUTE(EVEN_PORT, "EVEN-PORT", U8, 1, 1),
	ATTRIBUTE(REQUESTED_TRANSPORT, "REQUESTED-TRANSPORT", U8, 4, 4),
	ATTRIBUTE(DONT_FRAGMENT, "DONT-FRAGMENT", FLAG, 0, 0),
	ATTRIBUTE(MESSAGE_INTEGRITY_SHA256, "MESSAGE-INTEGRITY-SHA256", BYTES, 16, WICE_SHA256_LEN),
	ATTRIBUTE(PASSWORD_ALGORITHM, "PASSWORD-ALGORITHM", ALGORITHMS, ALGORITHM_HEADER_LEN,
		  ALGORITHMS_MAX),
	ATTRIBUTE(USERHASH, "USERHASH", BYTES, WICE_SHA256_LEN, WICE_SHA256_LEN),
	ATTRIBUTE(XOR_MAPPED_ADDRESS, "XOR-MAPPED-ADDRESS", XOR_ADDRESS, IPV4_LEN, IPV6_LEN),
	ATTRIBUTE(RESERVATION_TOKEN, "RESERVATION-TOKEN", U64, 8, 8),
	ATTRIBUTE(PRIORITY, "PRIORITY", U32, 4, 4),
	ATTRIBUTE(USE_CANDIDATE, "USE-CANDIDATE", FLAG, 0, 0),
	ATTRIBUTE(ADDITIONAL_ADDRESS_FAMILY, "ADDITIONAL-ADDRESS-FAMILY", U8, 4, 4),
	/* The family, then as ERROR-CODE. */
	ATTRIBUTE(ADDRESS_ERROR_CODE, "ADDRESS-ERROR-CODE", BYTES, ERROR_HEADER_LEN,
		  ERROR_HEADER_LEN + TEXT_MAX),
	ATTRIBUTE(PASSWORD_ALGORITHMS, "PASSWORD-ALGORITHMS", ALGORITHMS, 0, ALGORITHMS_MAX),
	ATTRIBUTE(SOFTWARE, "SOFTWARE", BYTES, 0, TEXT_MAX),
	ATTRIBUTE(ALTERNATE_SERVER, "ALTERNATE-SERVER", ADDRESS, IPV4_LEN, IPV6_LEN),
	ATTRIBUTE(FINGERPRINT, "FINGERPRINT", U32, 4, 4),
	ATTRIBUTE(ICE_CONTROLLED, "ICE-CONTROLLED", U64, 8, 8),
	ATTRIBUTE(ICE_CONTROLLING, "ICE-CONTROLLING", U64, 8, 8),
	ATTRIBUTE(OTHER_ADDRESS, "OTHER-ADDRESS", ADDRESS, IPV4_LEN, IPV6_LEN),
	ATTRIBUTE(MOBILITY_TICKET, "MOBILITY-TICKET", BYTES, 0, ANY),
#undef ATTRIBUTE
};

const WiceStunAttributeInfo *wice__stun_attribute_info(uint16_t type)
{
	const WiceStunAttributeInfo *info = &infos[SLOT(type)];
	return IN_SLOTS(type) && info->name ? info : NULL;
}

/* Finds the attribute and checks its length against the table. */
static int find(const WiceStunMessage *message, uint16_t type, WiceStunAttribute *ret)
{
	const WiceStunAttributeInfo *info = wice__stun_attribute_info(type);
	WiceStunAttribute attribute;
	if (!wice__stun_message_find(message, type, &attribute))
		return -ENOENT;
	if (info && (attribute.len < info->min || attribute.len > info->max))
		return -EBADMSG;
	*ret = attribute;
	return 0;
}

static int find_sized(const WiceStunMessage *message, uint16_t type, size_t min,
		      WiceStunAttribute *ret)
{
	int r = find(message, type, ret);
	return r == 0 && ret->len < min ? -EBADMSG : r;
}

int wice__stun_read_flag(const WiceStunMessage *message, uint16_t type)
{
	WiceStunAttribute attribute;
	return find(message, type, &attribute);
}

int wice__stun_read_u8(const WiceStunMessage *message, uint16_t type, uint8_t *ret)
{
	WiceStunAttribute attribute;
	int r = find_sized(message, type, 1, &attribute);
	if (r == 0)
		*ret = attribute.value[0];
	return r;
}

int wice__stun_read_u16(const WiceStunMessage *message, uint16_t type, uint16_t *ret)
{
	WiceStunAttribute attribute;
	int r = find_sized(message, type, 2, &attribute);
	if (r == 0)
		*ret = wice__stun_get_u16(attribute.value);
	return r;
}

int wice__stun_read_u32(const WiceStunMessage *message, uint16_t type, uint32_t *ret)
{
	WiceStunAttribute attribute;
	int r = find_sized(message, type, 4, &attribute);
	if (r == 0)
		*ret = wice__stun_get_u32(attribute.value);
	return r;
}

int wice__stun_read_u64(const WiceStunMessage *message, uint16_t type, uint64_t *ret)
{
	WiceStunAttribute attribute;
	int r = find_sized(message, type, 8, &attribute);
	if (r == 0)
		*ret = (uint64_t)wice__stun_get_u32(attribute.value) << 32 |
		       wice__stun_get_u32(attribute.value + 4);
	return r;
}

int wice__stun_read_bytes(const WiceStunMessage *message, uint16_t type, WiceSpan *ret)
{
	WiceStunAttribute attribute;
	int r = find(message, type, &attribute);
	if (r == 0)
		*ret = (WiceSpan){ attribute.value, attribute.len };
	return r;
}

static bool is_xored(uint16_t type)
{
	const WiceStunAttributeInfo *info = wice__stun_attribute_info(type);
	return info && info->kind == WICE_STUN_KIND_XOR_ADDRESS;
}

/* key: cookie and transaction id, 16 bytes (RFC 8489 §14.2); the port takes the first two. */
static void xor_address(uint8_t *port_and_address, size_t len, const uint8_t *key)
{
	for (size_t i = 0; i < 2; i++)
		port_and_address[i] ^= key[i];
	for (size_t i = 0; i < len; i++)
		port_and_address[2 + i] ^= key[i];
}

int wice__stun_decode_address(const WiceStunMessage *message, const WiceStunAttribute *attribute,
			      WiceEndpoint *ret)
{
	uint8_t raw[2 + 16];
	WiceEndpoint endpoint = { 0 };
	bool xored = is_xored(attribute->type);
	if (attribute->len < IPV4_LEN || (xored && !message->has_cookie))
		return -EBADMSG;
	switch (attribute->value[1]) {
	case WICE_STUN_FAMILY_IPV4:
		endpoint.address.family = WICE_FAMILY_IPV4;
		break;
	case WICE_STUN_FAMILY_IPV6:
		endpoint.address.family = WICE_FAMILY_IPV6;
		break;
	default:
		return -EBADMSG;
	}
	size_t len = endpoint.address.family == WICE_FAMILY_IPV4 ? 4 : 16;
	if (attribute->len != 4 + len)
		return -EBADMSG;
	memcpy(raw, attribute->value + 2, 2 + len);
	if (xored)
		xor_address(raw, len, wice__stun_message_transaction(message));
	endpoint.port = wice__stun_get_u16(raw);
	memcpy(endpoint.address.bytes, raw + 2, len);
	*ret = endpoint;
	return 0;
}

int wice__stun_read_address(const WiceStunMessage *message, uint16_t type, WiceEndpoint *ret)
{
	WiceStunAttribute attribute;
	int r = find(message, type, &attribute);
	return r ? r : wice__stun_decode_address(message, &attribute, ret);
}

/* The hundreds in 3 bits, the rest in the next byte (RFC 8489 §14.8). */
int wice__stun_read_error(const WiceStunMessage *message, uint16_t *ret_code, WiceSpan *ret_reason)
{
	WiceStunAttribute attribute;
	int r = find(message, WICE_STUN_ERROR_CODE, &attribute);
	if (r)
		return r;
	uint8_t hundreds = attribute.value[2] & 7, number = attribute.value[3];
	if (hundreds < 3 || hundreds > 6 || number > 99)
		return -EBADMSG;
	*ret_code = (uint16_t)(hundreds * 100 + number);
	if (ret_reason)
		*ret_reason = (WiceSpan){ attribute.value + ERROR_HEADER_LEN,
					  (size_t)attribute.len - ERROR_HEADER_LEN };
	return 0;
}

int wice__stun_read_types(const WiceStunMessage *message, uint16_t *ret_types, size_t max,
			  size_t *ret_n)
{
	WiceStunAttribute attribute;
	int r = find(message, WICE_STUN_UNKNOWN_ATTRIBUTES, &attribute);
	if (r)
		return r;
	if (attribute.len % 2)
		return -EBADMSG;
	size_t n = attribute.len / 2u < max ? attribute.len / 2u : max;
	for (size_t i = 0; i < n; i++)
		ret_types[i] = wice__stun_get_u16(attribute.value + 2 * i);
	*ret_n = n;
	return 0;
}

int wice__stun_read_algorithms(const WiceStunMessage *message, uint16_t type,
			       uint16_t *ret_algorithms, size_t max, size_t *ret_n)
{
	WiceStunAttribute attribute;
	uint16_t algorithms[ALGORITHMS_MAX / ALGORITHM_HEADER_LEN];
	size_t n = 0;
	int r = find(message, type, &attribute);
	if (r)
		return r;
	for (size_t at = 0; at < attribute.len;) {
		if (attribute.len - at < ALGORITHM_HEADER_LEN)
			return -EBADMSG;
		size_t parameters = wice__stun_get_u16(attribute.value + at + 2);
		algorithms[n++] = wice__stun_get_u16(attribute.value + at);
		at += ALGORITHM_HEADER_LEN;
		if (parameters > attribute.len - at)
			return -EBADMSG;
		at += (parameters + 3) & ~(size_t)3;
	}
	if (type == WICE_STUN_PASSWORD_ALGORITHM && n != 1)
		return -EBADMSG;
	n = n < max ? n : max;
	memcpy(ret_algorithms, algorithms, n * sizeof *algorithms);
	*ret_n = n;
	return 0;
}

/* Adds a value of a length that the type allows. */
static uint8_t *add(WiceStunWriter *writer, uint16_t type, size_t len)
{
	const WiceStunAttributeInfo *info = wice__stun_attribute_info(type);
	if (!writer->error && info && (len < info->min || len > info->max))
		writer->error = -EINVAL;
	return wice__stun_writer_add(writer, type, len);
}

/* A number, left-aligned in the length that the type has. */
static void write_number(WiceStunWriter *writer, uint16_t type, const uint8_t *bytes, size_t len)
{
	const WiceStunAttributeInfo *info = wice__stun_attribute_info(type);
	uint8_t *value = add(writer, type, info && info->min > len ? info->min : len);
	if (value)
		memcpy(value, bytes, len);
}

void wice__stun_write_flag(WiceStunWriter *writer, uint16_t type)
{
	add(writer, type, 0);
}

void wice__stun_write_u8(WiceStunWriter *writer, uint16_t type, uint8_t value)
{
	write_number(writer, type, &value, 1);
}

void wice__stun_write_u16(WiceStunWriter *writer, uint16_t type, uint16_t value)
{
	uint8_t bytes[2];
	wice__stun_put_u16(bytes, value);
	write_number(writer, type, bytes, sizeof bytes);
}

void wice__stun_write_u32(WiceStunWriter *writer, uint16_t type, uint32_t value)
{
	uint8_t bytes[4];
	wice__stun_put_u32(bytes, value);
	write_number(writer, type, bytes, sizeof bytes);
}

void wice__stun_write_u64(WiceStunWriter *writer, uint16_t type, uint64_t value)
{
	uint8_t bytes[8];
	wice__stun_put_u32(bytes, (uint32_t)(value >> 32));
	wice__stun_put_u32(bytes + 4, (uint32_t)value);
	write_number(writer, type, bytes, sizeof bytes);
}

void wice__stun_write_bytes(WiceStunWriter *writer, uint16_t type, const void *data, size_t len)
{
	uint8_t *value = add(writer, type, len);
	if (value && len)
		memcpy(value, data, len);
}

void wice__stun_write_address(WiceStunWriter *writer, uint16_t type, const WiceEndpoint *endpoint)
{
	bool v4 = endpoint->address.family == WICE_FAMILY_IPV4, xored = is_xored(type);
	size_t len = v4 ? 4 : 16;
	if (!writer->error && ((!v4 && endpoint->address.family != WICE_FAMILY_IPV6) ||
			       (xored && !writer->has_cookie)))
		writer->error = -EINVAL;
	uint8_t *value = add(writer, type, 4 + len);
	if (!value)
		return;
	value[1] = v4 ? WICE_STUN_FAMILY_IPV4 : WICE_STUN_FAMILY_IPV6;
	wice__stun_put_u16(value + 2, endpoint->port);
	memcpy(value + 4, endpoint->address.bytes, len);
	if (xored)
		xor_address(value + 2, len, writer->data + 4);
}

/*
 * RFC 3489 has no padding, every value is a multiple of 4 long: there the phrase is filled up with
 * spaces (§11.2.9) and a list of types repeats its last one (§11.2.10).
 */
void wice__stun_write_error(WiceStunWriter *writer, uint16_t code, const char *reason)
{
	if (!reason)
		reason = wice__stun_error_phrase(code);
	size_t len = strlen(reason);
	size_t filled = writer->has_cookie ? len : (len + 3) & ~(size_t)3;
	if (!writer->error && (code < 300 || code > 699))
		writer->error = -EINVAL;
	uint8_t *value = add(writer, WICE_STUN_ERROR_CODE, ERROR_HEADER_LEN + filled);
	if (!value)
		return;
	value[2] = (uint8_t)(code / 100);
	value[3] = (uint8_t)(code % 100);
	memset(value + ERROR_HEADER_LEN, ' ', filled);
	memcpy(value + ERROR_HEADER_LEN, reason, len);
}

void wice__stun_write_types(WiceStunWriter *writer, const uint16_t *types, size_t n)
{
	size_t filled = writer->has_cookie ? n : (n + 1) & ~(size_t)1;
	uint8_t *value = add(writer, WICE_STUN_UNKNOWN_ATTRIBUTES, 2 * filled);
	for (size_t i = 0; value && i < filled; i++)
		wice__stun_put_u16(value + 2 * i, types[i < n ? i : n - 1]);
}

void wice__stun_write_algorithms(WiceStunWriter *writer, uint16_t type, const uint16_t *algorithms,
				 size_t n)
{
	uint8_t *value = add(writer, type, n * ALGORITHM_HEADER_LEN);
	for (size_t i = 0; value && i < n; i++)
		wice__stun_put_u16(value + i * ALGORITHM_HEADER_LEN, algorithms[i]);
}

const char *wice__stun_error_phrase(uint16_t code)
{
	switch (code) {
	case WICE_STUN_ERROR_TRY_ALTERNATE:
		return "Try Alternate";
	case WICE_STUN_ERROR_BAD_REQUEST:
		return "Bad Request";
	case WICE_STUN_ERROR_UNAUTHENTICATED:
		return "Unauthenticated";
	case WICE_STUN_ERROR_FORBIDDEN:
		return "Forbidden";
	case WICE_STUN_ERROR_MOBILITY_FORBIDDEN:
		return "Mobility Forbidden";
	case WICE_STUN_ERROR_UNKNOWN_ATTRIBUTE:
		return "Unknown Attribute";
	case WICE_STUN_ERROR_ALLOCATION_MISMATCH:
		return "Allocation Mismatch";
	case WICE_STUN_ERROR_STALE_NONCE:
		return "Stale Nonce";
	case WICE_STUN_ERROR_FAMILY_NOT_SUPPORTED:
		return "Address Family not Supported";
	case WICE_STUN_ERROR_WRONG_CREDENTIALS:
		return "Wrong Credentials";
	case WICE_STUN_ERROR_UNSUPPORTED_TRANSPORT:
		return "Unsupported Transport Protocol";
	case WICE_STUN_ERROR_FAMILY_MISMATCH:
		return "Peer Address Family Mismatch";
	case WICE_STUN_ERROR_QUOTA_REACHED:
		return "Allocation Quota Reached";
	case WICE_STUN_ERROR_ROLE_CONFLICT:
		return "Role Conflict";
	case WICE_STUN_ERROR_SERVER_ERROR:
		return "Server Error";
	case WICE_STUN_ERROR_INSUFFICIENT_CAPACITY:
		return "Insufficient Capacity";
	default:
		return "";
	}
}
