/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_SIGNALING_WIRE_H
#define WICE_SIGNALING_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The wire format of protocol buffers, read and written in place: no allocation, no copy, no
 * recursion. protobuf-c would allocate for every field that a stranger cares to send; this reader
 * points into the bytes.
 */

/* https://protobuf.dev/programming-guides/encoding: groups (3, 4) are refused. */
typedef enum {
	WICE_WIRE_VARINT = 0,
	WICE_WIRE_FIXED64 = 1,
	WICE_WIRE_BYTES = 2,
	WICE_WIRE_FIXED32 = 5,
} WiceWireType;

typedef struct {
	const uint8_t *next;
	size_t left;
} WiceWireReader;

typedef struct {
	uint32_t number;
	WiceWireType type;
	uint64_t value;       /* of the three numeric types */
	const uint8_t *bytes; /* of WICE_WIRE_BYTES; points into what is read */
	size_t len;
} WiceWireField;

/* Reads the next field: 1, 0 at the end, -EBADMSG if the bytes are no message. */
int wice__wire_next(WiceWireReader *reader, WiceWireField *ret_field);

/*
 * False if the field's number was met before. Protobuf lets the last one win; two parsers that
 * disagree about that (a server that routes, a recipient that believes) see two different messages,
 * so we refuse. For field numbers below 64.
 */
bool wice__wire_once(uint64_t *seen, const WiceWireField *field);

/* The value of a field, checked: false leaves ret untouched. */
bool wice__wire_uint(const WiceWireField *field, uint64_t max, uint64_t *ret);
bool wice__wire_copy(const WiceWireField *field, void *ret, size_t len);

typedef struct {
	uint8_t *bytes;
	size_t size;
	size_t len;
	bool overflow; /* something did not fit; what was written is worthless */
} WiceWireWriter;

/* Fields with the value 0 or no bytes are left out, as canonical proto3 does. */
void wice__wire_put_uint(WiceWireWriter *writer, uint32_t number, uint64_t value);
void wice__wire_put_bytes(WiceWireWriter *writer, uint32_t number, const void *bytes, size_t len);

/* An embedded message is what is put between begin and end; end takes what begin returned. */
size_t wice__wire_begin(WiceWireWriter *writer, uint32_t number);
void wice__wire_end(WiceWireWriter *writer, size_t begin);

/* The length of a field of that many bytes, tag and length included. */
size_t wice__wire_bytes_size(uint32_t number, size_t len);

#endif
