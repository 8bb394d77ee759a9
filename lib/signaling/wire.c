/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "signaling/wire.h"

#include <errno.h>
#include <string.h>

/* 64 bits in groups of 7. */
#define VARINT_MAX_LEN 10
#define FIELD_NUMBER_MAX ((1u << 29) - 1)

static bool read_varint(WiceWireReader *reader, uint64_t *ret)
{
	uint64_t value = 0;
	for (size_t i = 0; i < reader->left && i < VARINT_MAX_LEN; i++) {
		uint8_t byte = reader->next[i];
		if (i == VARINT_MAX_LEN - 1 && byte > 1)
			return false;
		value |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte & 0x80)
			continue;
		reader->next += i + 1;
		reader->left -= i + 1;
		*ret = value;
		return true;
	}
	return false;
}

static bool read_fixed(WiceWireReader *reader, size_t len, uint64_t *ret)
{
	if (reader->left < len)
		return false;
	uint64_t value = 0;
	for (size_t i = 0; i < len; i++)
		value |= (uint64_t)reader->next[i] << (8 * i);
	reader->next += len;
	reader->left -= len;
	*ret = value;
	return true;
}

static bool read_bytes(WiceWireReader *reader, WiceWireField *field)
{
	uint64_t len;
	if (!read_varint(reader, &len) || len > reader->left)
		return false;
	field->bytes = reader->next;
	field->len = (size_t)len;
	reader->next += len;
	reader->left -= (size_t)len;
	return true;
}

int wice__wire_next(WiceWireReader *reader, WiceWireField *ret_field)
{
	if (reader->left == 0)
		return 0;
	uint64_t tag;
	if (!read_varint(reader, &tag) || tag >> 3 == 0 || tag >> 3 > FIELD_NUMBER_MAX)
		return -EBADMSG;

	WiceWireField field = { .number = (uint32_t)(tag >> 3), .type = (WiceWireType)(tag & 7) };
	bool ok;
	switch (field.type) {
	case WICE_WIRE_VARINT:
		ok = read_varint(reader, &field.value);
		break;
	case WICE_WIRE_FIXED64:
		ok = read_fixed(reader, 8, &field.value);
		break;
	case WICE_WIRE_BYTES:
		ok = read_bytes(reader, &field);
		break;
	case WICE_WIRE_FIXED32:
		ok = read_fixed(reader, 4, &field.value);
		break;
	default:
		ok = false;
	}
	if (!ok)
		return -EBADMSG;
	*ret_field = field;
	return 1;
}

bool wice__wire_once(uint64_t *seen, const WiceWireField *field)
{
	uint64_t bit = UINT64_C(1) << (field->number & 63);
	if (*seen & bit)
		return false;
	*seen |= bit;
	return true;
}

bool wice__wire_uint(const WiceWireField *field, uint64_t max, uint64_t *ret)
{
	if (field->type != WICE_WIRE_VARINT || field->value > max)
		return false;
	*ret = field->value;
	return true;
}

bool wice__wire_copy(const WiceWireField *field, void *ret, size_t len)
{
	if (field->type != WICE_WIRE_BYTES || field->len != len)
		return false;
	memcpy(ret, field->bytes, len);
	return true;
}

static size_t varint_len(uint64_t value)
{
	size_t len = 1;
	while (value >>= 7)
		len++;
	return len;
}

static void encode_varint(uint8_t *at, uint64_t value)
{
	for (; value > 0x7f; value >>= 7)
		*at++ = (uint8_t)(value | 0x80);
	*at = (uint8_t)value;
}

/* Room for that many more bytes, or NULL. */
static uint8_t *reserve(WiceWireWriter *writer, size_t len)
{
	if (writer->overflow || len > writer->size - writer->len) {
		writer->overflow = true;
		return NULL;
	}
	uint8_t *at = writer->bytes + writer->len;
	writer->len += len;
	return at;
}

static void put_varint(WiceWireWriter *writer, uint64_t value)
{
	uint8_t *at = reserve(writer, varint_len(value));
	if (at)
		encode_varint(at, value);
}

static void put_tag(WiceWireWriter *writer, uint32_t number, WiceWireType type)
{
	put_varint(writer, (uint64_t)number << 3 | type);
}

void wice__wire_put_uint(WiceWireWriter *writer, uint32_t number, uint64_t value)
{
	if (value == 0)
		return;
	put_tag(writer, number, WICE_WIRE_VARINT);
	put_varint(writer, value);
}

void wice__wire_put_bytes(WiceWireWriter *writer, uint32_t number, const void *bytes, size_t len)
{
	if (len == 0)
		return;
	put_tag(writer, number, WICE_WIRE_BYTES);
	put_varint(writer, len);
	uint8_t *at = reserve(writer, len);
	if (at)
		memcpy(at, bytes, len);
}

size_t wice__wire_begin(WiceWireWriter *writer, uint32_t number)
{
	put_tag(writer, number, WICE_WIRE_BYTES);
	return writer->len;
}

/*
 * The length goes in front once it is known, in as few bytes as it takes: the message moves up by
 * them.
 */
void wice__wire_end(WiceWireWriter *writer, size_t begin)
{
	if (writer->overflow)
		return;
	size_t len = writer->len - begin;
	size_t prefix = varint_len(len);
	if (!reserve(writer, prefix))
		return;
	memmove(writer->bytes + begin + prefix, writer->bytes + begin, len);
	encode_varint(writer->bytes + begin, len);
}

size_t wice__wire_bytes_size(uint32_t number, size_t len)
{
	return varint_len((uint64_t)number << 3) + varint_len(len) + len;
}
