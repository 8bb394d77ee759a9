/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "stun/integrity.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "crypto/crc32.h"
#include "stun/attributes.h"

/* RFC 8489 §14.7: keeps it apart from a CRC that another protocol may have in the same packet. */
#define FINGERPRINT_XOR 0x5354554eu
/* RFC 8489 §14.6: a truncated value is a multiple of 4 and no shorter than this. */
#define SHA256_MIN 16

/* What an attribute at an offset covers: the header with its length changed, and the rest. */
typedef struct {
	uint8_t header[4];
	WiceSpan parts[2];
} Covered;

static void cover(Covered *covered, const uint8_t *data, size_t at, size_t len)
{
	size_t end = at + WICE_STUN_ATTRIBUTE_HEADER_LEN + len;
	memcpy(covered->header, data, 2);
	wice__stun_put_u16(covered->header + 2, (uint16_t)(end - WICE_STUN_HEADER_LEN));
	covered->parts[0] = (WiceSpan){ covered->header, sizeof covered->header };
	covered->parts[1] =
		(WiceSpan){ data + sizeof covered->header, at - sizeof covered->header };
}

static void compute_sha1(const uint8_t *data, size_t at, const WiceStunKey *key,
			 uint8_t ret_mac[WICE_SHA1_LEN])
{
	Covered covered;
	cover(&covered, data, at, WICE_SHA1_LEN);
	wice__hmac_sha1((WiceSpan){ key->bytes, key->len }, covered.parts, 2, ret_mac);
}

static void compute_sha256(const uint8_t *data, size_t at, size_t len, const WiceStunKey *key,
			   uint8_t ret_mac[WICE_SHA256_LEN])
{
	Covered covered;
	cover(&covered, data, at, len);
	wice__hmac_sha256((WiceSpan){ key->bytes, key->len }, covered.parts, 2, ret_mac);
}

static uint32_t compute_fingerprint(const uint8_t *data, size_t at)
{
	Covered covered;
	cover(&covered, data, at, 4);
	uint32_t crc = wice__crc32(0, covered.parts[0].data, covered.parts[0].len);
	return wice__crc32(crc, covered.parts[1].data, covered.parts[1].len) ^ FINGERPRINT_XOR;
}

/* The length of the value whose attribute is at an offset of a checked message. */
static size_t value_len(const WiceStunMessage *message, size_t at)
{
	return wice__stun_get_u16(message->data + at + 2);
}

static const uint8_t *value_at(const WiceStunMessage *message, size_t at)
{
	return message->data + at + WICE_STUN_ATTRIBUTE_HEADER_LEN;
}

int wice__stun_check_integrity(const WiceStunMessage *message, const WiceStunKey *key)
{
	uint8_t mac[WICE_SHA1_LEN];
	size_t at = message->integrity;
	if (!at)
		return -ENOENT;
	if (value_len(message, at) != sizeof mac || !message->has_cookie)
		return -EACCES;
	compute_sha1(message->data, at, key, mac);
	return sodium_memcmp(mac, value_at(message, at), sizeof mac) ? -EACCES : 0;
}

int wice__stun_check_integrity_sha256(const WiceStunMessage *message, const WiceStunKey *key)
{
	uint8_t mac[WICE_SHA256_LEN];
	size_t at = message->integrity_sha256;
	if (!at)
		return -ENOENT;
	size_t len = value_len(message, at);
	if (len < SHA256_MIN || len > sizeof mac || len % 4 || !message->has_cookie)
		return -EACCES;
	compute_sha256(message->data, at, len, key, mac);
	return sodium_memcmp(mac, value_at(message, at), len) ? -EACCES : 0;
}

int wice__stun_check_fingerprint(const WiceStunMessage *message)
{
	size_t at = message->fingerprint;
	if (!at)
		return -ENOENT;
	if (value_len(message, at) != 4 ||
	    wice__stun_get_u32(value_at(message, at)) != compute_fingerprint(message->data, at))
		return -EBADMSG;
	return 0;
}

static uint8_t *seal(WiceStunWriter *writer, uint16_t type, size_t len)
{
	if (!writer->error && !writer->has_cookie)
		writer->error = -EINVAL;
	return wice__stun_writer_add(writer, type, len);
}

void wice__stun_write_integrity(WiceStunWriter *writer, const WiceStunKey *key)
{
	size_t at = writer->len;
	uint8_t *value = seal(writer, WICE_STUN_MESSAGE_INTEGRITY, WICE_SHA1_LEN);
	if (value)
		compute_sha1(writer->data, at, key, value);
}

void wice__stun_write_integrity_sha256(WiceStunWriter *writer, const WiceStunKey *key)
{
	size_t at = writer->len;
	uint8_t *value = seal(writer, WICE_STUN_MESSAGE_INTEGRITY_SHA256, WICE_SHA256_LEN);
	if (value)
		compute_sha256(writer->data, at, WICE_SHA256_LEN, key, value);
}

void wice__stun_write_fingerprint(WiceStunWriter *writer)
{
	size_t at = writer->len;
	uint8_t *value = seal(writer, WICE_STUN_FINGERPRINT, 4);
	if (value)
		wice__stun_put_u32(value, compute_fingerprint(writer->data, at));
}
