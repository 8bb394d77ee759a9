/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/frame.h"

#include <glib.h>
#include <string.h>

#define BUFFER_MIN 256

/*
 * Makes room for len more bytes behind the last one: by moving to the front if that is cheap, else
 * by growing.
 */
static void buffer_reserve(WiceRpcBuffer *buffer, size_t len)
{
	if (buffer->start + buffer->len + len <= buffer->size)
		return;
	if (buffer->start >= buffer->len && buffer->len + len <= buffer->size) {
		memcpy(buffer->bytes, buffer->bytes + buffer->start, buffer->len);
		buffer->start = 0;
		return;
	}
	size_t size = MAX(buffer->size * 2, BUFFER_MIN);
	while (size < buffer->len + len)
		size *= 2;
	uint8_t *bytes = g_malloc(size);
	if (buffer->len)
		memcpy(bytes, buffer->bytes + buffer->start, buffer->len);
	g_free(buffer->bytes);
	buffer->bytes = bytes;
	buffer->start = 0;
	buffer->size = size;
}

void wice__rpc_buffer_append(WiceRpcBuffer *buffer, const void *bytes, size_t len)
{
	if (len == 0)
		return;
	buffer_reserve(buffer, len);
	memcpy(buffer->bytes + buffer->start + buffer->len, bytes, len);
	buffer->len += len;
}

const uint8_t *wice__rpc_buffer_peek(const WiceRpcBuffer *buffer)
{
	return buffer->bytes ? buffer->bytes + buffer->start : NULL;
}

void wice__rpc_buffer_drop(WiceRpcBuffer *buffer, size_t len)
{
	buffer->start += len;
	buffer->len -= len;
	if (buffer->len == 0)
		wice__rpc_buffer_clear(buffer);
}

void wice__rpc_buffer_clear(WiceRpcBuffer *buffer)
{
	g_free(buffer->bytes);
	*buffer = (WiceRpcBuffer){ 0 };
}

WiceRpcFrameResult wice__rpc_frame_read(const uint8_t *bytes, size_t len, size_t max,
					const uint8_t **ret_message, size_t *ret_len)
{
	if (len > 0 && bytes[0] != 0)
		return WICE_RPC_FRAME_COMPRESSED;
	if (len < WICE_RPC_FRAME_PREFIX)
		return WICE_RPC_FRAME_MORE;
	size_t message_len =
		(size_t)bytes[1] << 24 | (size_t)bytes[2] << 16 | (size_t)bytes[3] << 8 | bytes[4];
	if (message_len > max)
		return WICE_RPC_FRAME_TOO_LARGE;
	if (len - WICE_RPC_FRAME_PREFIX < message_len)
		return WICE_RPC_FRAME_MORE;
	*ret_message = bytes + WICE_RPC_FRAME_PREFIX;
	*ret_len = message_len;
	return WICE_RPC_FRAME_MESSAGE;
}

void wice__rpc_frame_append(WiceRpcBuffer *buffer, const uint8_t *message, size_t len)
{
	const uint8_t prefix[WICE_RPC_FRAME_PREFIX] = {
		0, (uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len,
	};
	buffer_reserve(buffer, sizeof prefix + len);
	wice__rpc_buffer_append(buffer, prefix, sizeof prefix);
	wice__rpc_buffer_append(buffer, message, len);
}
