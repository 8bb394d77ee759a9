/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_WRITER_H
#define WICE_WG_WRITER_H

#include <glib.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <wice/addr.h>
#include <wice/key.h>

/*
 * A text that grows and may hold secrets: the buffer is sized once by a guess and, where that was
 * too small, moves by hand, wiping what it leaves behind.
 */
typedef struct {
	char *data;
	size_t len, size;
} WiceWriter;

/* expected: how long the text will probably be. */
void wice__writer_init(WiceWriter *writer, size_t expected);
/* Hands the text over, with a NUL, to be wiped and freed with g_free(). */
char *wice__writer_finish(WiceWriter *writer);

/* Makes the buffer larger by at least len bytes. */
void wice__writer_grow(WiceWriter *writer, size_t len);

/* Where len more bytes may be written; the caller adds what it has written to writer->len. */
static inline char *wice__writer_room(WiceWriter *writer, size_t len)
{
	if (G_UNLIKELY(writer->size - writer->len < len))
		wice__writer_grow(writer, len);
	return writer->data + writer->len;
}

static inline void wice__writer_bytes(WiceWriter *writer, const char *bytes, size_t len)
{
	memcpy(wice__writer_room(writer, len), bytes, len);
	writer->len += len;
}

static inline void wice__writer_text(WiceWriter *writer, const char *text)
{
	wice__writer_bytes(writer, text, strlen(text));
}

static inline void wice__writer_char(WiceWriter *writer, char c)
{
	*wice__writer_room(writer, 1) = c;
	writer->len++;
}

void wice__writer_decimal(WiceWriter *writer, uint64_t value);
void wice__writer_hex(WiceWriter *writer, uint32_t value);
void wice__writer_key(WiceWriter *writer, const WiceKey *key);
void wice__writer_address(WiceWriter *writer, const WiceAddress *address);

#endif
