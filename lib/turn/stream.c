/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "turn/stream.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "stun/channel_data.h"

void wice__turn_stream_init(WiceTurnStream *stream, size_t usual_size)
{
	*stream = (WiceTurnStream){
		.buffer = g_malloc(usual_size),
		.size = usual_size,
		.usual_size = usual_size,
	};
}

void wice__turn_stream_done(WiceTurnStream *stream)
{
	g_clear_pointer(&stream->buffer, g_free);
}

/* Puts what there is of a frame to the front of a buffer that the whole of it fits into. */
uint8_t *wice__turn_stream_room(WiceTurnStream *stream, size_t *ret_len)
{
	const uint8_t *rest = stream->buffer + stream->begin;
	size_t len = stream->end - stream->begin;
	size_t frame = 0;
	(void)wice__stun_frame_size(rest, len, &frame);
	size_t size = MAX(frame, stream->usual_size);
	if (size != stream->size) {
		uint8_t *buffer = g_malloc(size);
		memcpy(buffer, rest, len);
		g_free(stream->buffer);
		stream->buffer = buffer;
		stream->size = size;
	} else if (stream->begin > 0) {
		memmove(stream->buffer, rest, len);
	}
	stream->begin = 0;
	stream->end = len;
	*ret_len = stream->size - len;
	return stream->buffer + len;
}

void wice__turn_stream_added(WiceTurnStream *stream, size_t len)
{
	stream->end += len;
}

int wice__turn_stream_next(WiceTurnStream *stream, uint8_t **ret_frame, size_t *ret_len)
{
	uint8_t *rest = stream->buffer + stream->begin;
	size_t len = stream->end - stream->begin;
	size_t frame;
	int err = wice__stun_frame_size(rest, len, &frame);
	if (err)
		return err;
	if (frame > len)
		return -EAGAIN;
	stream->begin += frame;
	*ret_frame = rest;
	*ret_len = frame;
	return 0;
}
