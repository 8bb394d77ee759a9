/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wg/writer.h"

#include "base/format.h"
#include "crypto/base64.h"

#include <sodium.h>

void wice__writer_grow(WiceWriter *writer, size_t len)
{
	size_t size = MAX(2 * writer->size, writer->len + len);
	char *data = g_malloc(size);
	memcpy(data, writer->data, writer->len);
	sodium_memzero(writer->data, writer->len);
	g_free(writer->data);
	writer->data = data;
	writer->size = size;
}

static void written_up_to(WiceWriter *writer, const char *end)
{
	writer->len = (size_t)(end - writer->data);
}

void wice__writer_init(WiceWriter *writer, size_t expected)
{
	*writer = (WiceWriter){ .size = expected + 1 };
	writer->data = g_malloc(writer->size);
}

char *wice__writer_finish(WiceWriter *writer)
{
	*wice__writer_room(writer, 1) = 0;
	return g_steal_pointer(&writer->data);
}

void wice__writer_decimal(WiceWriter *writer, uint64_t value)
{
	char *to = wice__writer_room(writer, WICE_DECIMAL_MAX);
	written_up_to(writer, wice__format_decimal(to, value));
}

void wice__writer_hex(WiceWriter *writer, uint32_t value)
{
	char *to = wice__writer_room(writer, WICE_HEX_MAX);
	written_up_to(writer, wice__format_hex(to, value));
}

void wice__writer_key(WiceWriter *writer, const WiceKey *key)
{
	wice__key_to_base64(key, wice__writer_room(writer, WICE_KEY_BASE64_LEN));
	writer->len += WICE_KEY_BASE64_LEN;
}

void wice__writer_address(WiceWriter *writer, const WiceAddress *address)
{
	char *to = wice__writer_room(writer, WICE_ADDRESS_SIZE);
	written_up_to(writer, wice__format_address(to, address));
}
