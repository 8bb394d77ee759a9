/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "stun/message.h"

#include <errno.h>
#include <string.h>

#include "stun/attributes.h"

#define TYPE_AT 0
#define LENGTH_AT 2
#define TRANSACTION_AT 4

/* WiceStunWriter.sealed, in the only order in which these may follow one another. */
enum { OPEN, SEALED_SHA1, SEALED_SHA256, FINISHED };

static size_t padded(size_t len)
{
	return (len + 3) & ~(size_t)3;
}

uint16_t wice__stun_type_join(WiceStunClass message_class, uint16_t method)
{
	unsigned m = method, c = message_class;
	return (uint16_t)((m & 0xf80) << 2 | (m & 0x070) << 1 | (m & 0x00f) | (c & 2) << 7 |
			  (c & 1) << 4);
}

WiceStunClass wice__stun_type_class(uint16_t type)
{
	return (WiceStunClass)((type >> 7 & 2) | (type >> 4 & 1));
}

uint16_t wice__stun_type_method(uint16_t type)
{
	return (uint16_t)((type >> 2 & 0xf80) | (type >> 1 & 0x070) | (type & 0x00f));
}

/* The first integrity attribute ends what is protected; 0 if there is none. */
static size_t seal_offset(const WiceStunMessage *message)
{
	if (message->integrity)
		return message->integrity;
	return message->integrity_sha256;
}

static void note_unknown(WiceStunMessage *message, uint16_t type)
{
	if (type < WICE_STUN_COMPREHENSION_OPTIONAL && !wice__stun_attribute_info(type) &&
	    message->n_unknown < WICE_STUN_MAX_UNKNOWN)
		message->unknown[message->n_unknown++] = type;
}

static void note_attribute(WiceStunMessage *message, uint16_t type, uint16_t at)
{
	bool sealed = seal_offset(message) != 0;
	switch (type) {
	case WICE_STUN_MESSAGE_INTEGRITY:
		if (!sealed)
			message->integrity = at;
		break;
	case WICE_STUN_MESSAGE_INTEGRITY_SHA256:
		if (!message->integrity_sha256)
			message->integrity_sha256 = at;
		break;
	case WICE_STUN_FINGERPRINT:
		message->fingerprint = at;
		break;
	default:
		if (!sealed)
			note_unknown(message, type);
	}
}

static int scan_attributes(WiceStunMessage *message)
{
	size_t at = WICE_STUN_HEADER_LEN;
	for (unsigned n = 0; at < message->len; n++) {
		size_t left = message->len - at; /* a multiple of 4: room for a header */
		size_t len = wice__stun_get_u16(message->data + at + 2);
		if (padded(len) > left - WICE_STUN_ATTRIBUTE_HEADER_LEN || message->fingerprint)
			return -EBADMSG;
		if (n == WICE_STUN_MAX_ATTRIBUTES)
			return -E2BIG;
		note_attribute(message, wice__stun_get_u16(message->data + at), (uint16_t)at);
		at += WICE_STUN_ATTRIBUTE_HEADER_LEN + padded(len);
	}
	return 0;
}

int wice__stun_message_read(WiceStunMessage *ret_message, const uint8_t *packet, size_t len)
{
	if (len < WICE_STUN_HEADER_LEN || packet[0] & 0xc0)
		return -EBADMSG;
	size_t body = wice__stun_get_u16(packet + LENGTH_AT);
	if (body % 4 || body > UINT16_MAX - WICE_STUN_HEADER_LEN ||
	    body != len - WICE_STUN_HEADER_LEN)
		return -EBADMSG;

	uint16_t type = wice__stun_get_u16(packet + TYPE_AT);
	WiceStunMessage message = {
		.data = packet,
		.len = len,
		.method = wice__stun_type_method(type),
		.message_class = (uint8_t)wice__stun_type_class(type),
		.has_cookie = wice__stun_get_u32(packet + TRANSACTION_AT) == WICE_STUN_COOKIE,
	};
	int r = scan_attributes(&message);
	if (r == 0)
		*ret_message = message;
	return r;
}

const uint8_t *wice__stun_message_transaction(const WiceStunMessage *message)
{
	return message->data + TRANSACTION_AT;
}

static bool attribute_counts(const WiceStunMessage *message, size_t at)
{
	size_t seal = seal_offset(message);
	return !seal || at <= seal || at == message->integrity_sha256 || at == message->fingerprint;
}

bool wice__stun_message_next(const WiceStunMessage *message, size_t *cursor,
			     WiceStunAttribute *ret_attribute)
{
	size_t at = *cursor ? *cursor : WICE_STUN_HEADER_LEN;
	while (at < message->len) {
		const uint8_t *header = message->data + at;
		uint16_t len = wice__stun_get_u16(header + 2);
		bool counts = attribute_counts(message, at);
		at += WICE_STUN_ATTRIBUTE_HEADER_LEN + padded(len);
		if (counts) {
			*cursor = at;
			*ret_attribute = (WiceStunAttribute){
				.type = wice__stun_get_u16(header),
				.len = len,
				.value = header + WICE_STUN_ATTRIBUTE_HEADER_LEN,
			};
			return true;
		}
	}
	*cursor = at;
	return false;
}

bool wice__stun_message_find(const WiceStunMessage *message, uint16_t type,
			     WiceStunAttribute *ret_attribute)
{
	WiceStunAttribute attribute;
	size_t cursor = 0;
	while (wice__stun_message_next(message, &cursor, &attribute))
		if (attribute.type == type) {
			*ret_attribute = attribute;
			return true;
		}
	return false;
}

bool wice__stun_message_has(const WiceStunMessage *message, uint16_t type)
{
	WiceStunAttribute ignored;
	return wice__stun_message_find(message, type, &ignored);
}

void wice__stun_writer_init(WiceStunWriter *writer, uint8_t *buffer, size_t size,
			    WiceStunClass message_class, uint16_t method,
			    const uint8_t transaction[WICE_STUN_TRANSACTION_LEN])
{
	*writer = (WiceStunWriter){
		.data = buffer,
		.size = size,
		.has_cookie = wice__stun_get_u32(transaction) == WICE_STUN_COOKIE,
	};
	if (size < WICE_STUN_HEADER_LEN) {
		writer->error = -ENOBUFS;
		return;
	}
	wice__stun_put_u16(buffer + TYPE_AT, wice__stun_type_join(message_class, method));
	wice__stun_put_u16(buffer + LENGTH_AT, 0);
	memcpy(buffer + TRANSACTION_AT, transaction, WICE_STUN_TRANSACTION_LEN);
	writer->len = WICE_STUN_HEADER_LEN;
}

void wice__stun_writer_init_reply(WiceStunWriter *writer, uint8_t *buffer, size_t size,
				  WiceStunClass message_class, const WiceStunMessage *request)
{
	wice__stun_writer_init(writer, buffer, size, message_class, request->method,
			       wice__stun_message_transaction(request));
}

/* Nothing may be added behind what a closing attribute covers, but for the next closing one. */
static bool may_add(WiceStunWriter *writer, uint16_t type)
{
	uint8_t rank = type == WICE_STUN_MESSAGE_INTEGRITY          ? SEALED_SHA1
		       : type == WICE_STUN_MESSAGE_INTEGRITY_SHA256 ? SEALED_SHA256
		       : type == WICE_STUN_FINGERPRINT              ? FINISHED
								    : OPEN;
	if (writer->sealed != OPEN && rank <= writer->sealed)
		return false;
	writer->sealed = rank;
	return true;
}

uint8_t *wice__stun_writer_add(WiceStunWriter *writer, uint16_t type, size_t len)
{
	if (writer->error)
		return NULL;
	if (len > UINT16_MAX || !may_add(writer, type)) {
		writer->error = -EINVAL;
		return NULL;
	}
	size_t room = writer->size < UINT16_MAX ? writer->size : UINT16_MAX;
	size_t needed = WICE_STUN_ATTRIBUTE_HEADER_LEN + padded(len);
	if (needed > room - writer->len) {
		writer->error = -ENOBUFS;
		return NULL;
	}
	uint8_t *attribute = writer->data + writer->len;
	wice__stun_put_u16(attribute, type);
	wice__stun_put_u16(attribute + 2, (uint16_t)len);
	memset(attribute + WICE_STUN_ATTRIBUTE_HEADER_LEN, 0, padded(len));
	writer->len += needed;
	wice__stun_put_u16(writer->data + LENGTH_AT,
			   (uint16_t)(writer->len - WICE_STUN_HEADER_LEN));
	return attribute + WICE_STUN_ATTRIBUTE_HEADER_LEN;
}

int wice__stun_writer_finish(const WiceStunWriter *writer, size_t *ret_len)
{
	if (writer->error)
		return writer->error;
	*ret_len = writer->len;
	return 0;
}
