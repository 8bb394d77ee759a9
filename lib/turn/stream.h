/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TURN_STREAM_H
#define WICE_TURN_STREAM_H

#include <stddef.h>
#include <stdint.h>

/*
 * Cuts what comes over TCP or TLS into STUN messages and ChannelData (RFC 8656 section 12.5): pure.
 * The bytes are read right into its buffer and given from there, each frame whole.
 *
 *   room -> read(2) -> added -> next, next, ... -EAGAIN -> room ...
 */

/* The largest frame that there can be: a STUN message with all of its 16 bits of length. */
#define WICE_TURN_STREAM_MAX_FRAME 65552

typedef struct {
	uint8_t *buffer;
	size_t size;
	size_t begin, end; /* what is in it and was not given yet */
	size_t usual_size;
} WiceTurnStream;

/* usual_size: of the buffer, at least 20, except while a larger frame comes in. */
void wice__turn_stream_init(WiceTurnStream *stream, size_t usual_size);
void wice__turn_stream_done(WiceTurnStream *stream);
/*
 * Where to read to, and up to how much (never 0). What next has given is no longer valid. To be
 * called once next has said -EAGAIN.
 */
uint8_t *wice__turn_stream_room(WiceTurnStream *stream, size_t *ret_len);
/* So many bytes were read to there. */
void wice__turn_stream_added(WiceTurnStream *stream, size_t len);
/*
 * The next frame, ChannelData with its padding; it may be written to. -EAGAIN: more must be read.
 * -EBADMSG: it is neither STUN nor ChannelData, now and for ever.
 */
int wice__turn_stream_next(WiceTurnStream *stream, uint8_t **ret_frame, size_t *ret_len);

#endif
