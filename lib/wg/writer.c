/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wg/writer.h"

#include "base/format.h"

#include <glib.h>
#include <sodium.h>
#include <string.h>

static void grow(WiceWriter *writer, size_t len)
{
	size_t size = MAX(2 * writer->size, writer->len + len);
	char *data = g_malloc(size);
	memcpy(data, writer->data, writer->len);
	sodium_memzero(writer->data, writer->len);
	g_free(writer->data);
	writer->data = data;
	writer->size = size;
}

/* Where len more bytes may be written; the caller adds what it has written to writer->len. */
static char *room_for(WiceWriter *writer, size_t len)
{
	if (G_UNLIKELY(writer->size - writer->len < len))
		grow(writer, len);
	return writer->data + writer->len;
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
	*room_for(writer, 1) = 0;
	return g_steal_pointer(&writer->data);
}

void wice__writer_bytes(WiceWriter *writer, const char *bytes, size_t len)
{
	memcpy(room_for(writer, len), bytes, len);
	writer->len += len;
}

void wice__writer_text(WiceWriter *writer, const char *text)
{
	wice__writer_bytes(writer, text, strlen(text));
}

void wice__writer_char(WiceWriter *writer, char c)
{
	*room_for(writer, 1) = c;
	writer->len++;
}

void wice__writer_decimal(WiceWriter *writer, uint64_t value)
{
	char *to = room_for(writer, WICE_DECIMAL_MAX);
	written_up_to(writer, wice__format_decimal(to, value));
}

void wice__writer_hex(WiceWriter *writer, uint32_t value)
{
	char *to = room_for(writer, WICE_HEX_MAX);
	written_up_to(writer, wice__format_hex(to, value));
}

void wice__writer_key(WiceWriter *writer, const WiceKey *key)
{
	wice_key_to_base64(key, room_for(writer, WICE_KEY_BASE64_SIZE));
	writer->len += WICE_KEY_BASE64_SIZE - 1;
}

void wice__writer_address(WiceWriter *writer, const WiceAddress *address)
{
	char *to = room_for(writer, WICE_ADDRESS_SIZE);
	written_up_to(writer, wice__format_address(to, address));
}
