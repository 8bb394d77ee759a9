/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_RPC_FRAME_H
#define WICE_RPC_FRAME_H

#include <stddef.h>
#include <stdint.h>

/*
 * How gRPC puts messages into a byte stream (PROTOCOL-HTTP2.md, "Length-Prefixed-Message"). Pure.
 *
 *   0        1                                5
 *   +--------+--------+--------+--------+--------+------ ...
 *   |compress|      length, big endian           | message
 *   +--------+--------+--------+--------+--------+------ ...
 */
#define WICE_RPC_FRAME_PREFIX 5

/* Bytes that come in at one end and are taken from the other. All zero is empty. */
typedef struct {
	uint8_t *bytes;
	size_t start; /* of what has not been taken yet */
	size_t len;
	size_t size;
} WiceRpcBuffer;

void wice__rpc_buffer_append(WiceRpcBuffer *buffer, const void *bytes, size_t len);
/* The bytes that are there; valid until the next change. */
const uint8_t *wice__rpc_buffer_peek(const WiceRpcBuffer *buffer);
/* Removes len bytes, at most buffer->len. */
void wice__rpc_buffer_drop(WiceRpcBuffer *buffer, size_t len);
/* Frees the memory; the buffer is empty and can be used again. */
void wice__rpc_buffer_clear(WiceRpcBuffer *buffer);

typedef enum {
	WICE_RPC_FRAME_MORE,       /* not complete yet */
	WICE_RPC_FRAME_MESSAGE,    /* complete */
	WICE_RPC_FRAME_COMPRESSED, /* the flag is set; we never agree to a compression */
	WICE_RPC_FRAME_TOO_LARGE,  /* longer than max; known from the prefix alone */
} WiceRpcFrameResult;

/*
 * Looks at the frame that bytes begin with. For MESSAGE *ret_message points into bytes, and the
 * frame takes WICE_RPC_FRAME_PREFIX + *ret_len of them.
 */
WiceRpcFrameResult wice__rpc_frame_read(const uint8_t *bytes, size_t len, size_t max,
					const uint8_t **ret_message, size_t *ret_len);

/* Appends a frame. len must be below 2^32. */
void wice__rpc_frame_append(WiceRpcBuffer *buffer, const uint8_t *message, size_t len);

#endif
