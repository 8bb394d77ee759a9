/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_WRITER_H
#define WICE_WG_WRITER_H

#include <stddef.h>
#include <stdint.h>
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

void wice__writer_bytes(WiceWriter *writer, const char *bytes, size_t len);
void wice__writer_text(WiceWriter *writer, const char *text);
void wice__writer_char(WiceWriter *writer, char c);
void wice__writer_decimal(WiceWriter *writer, uint64_t value);
void wice__writer_hex(WiceWriter *writer, uint32_t value);
void wice__writer_key(WiceWriter *writer, const WiceKey *key);
void wice__writer_address(WiceWriter *writer, const WiceAddress *address);

#endif
