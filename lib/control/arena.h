/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_CONTROL_ARENA_H
#define WICE_CONTROL_ARENA_H

#include <glib.h>
#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

/*
 * Memory that is taken piece by piece and given back at once, up to a limit. A decoded protobuf
 * message is many small pieces, and a hostile one can ask for a hundred times its own size: a
 * decoder that takes them from here is bounded, and freeing is one call however far it came.
 */
typedef struct {
	ProtobufCAllocator allocator; /* for protobuf_c_message_unpack(); takes from this arena */
	struct WiceArenaChunk *chunks;
	size_t at;   /* in the newest chunk */
	size_t left; /* of the limit */
} WiceArena;

/* limit counts the bytes given out. The arena must not be moved afterwards. */
void wice__arena_init(WiceArena *arena, size_t limit);
void wice__arena_done(WiceArena *arena);

/* Aligned for every type and zeroed; NULL if the limit does not allow it or memory is short. */
void *wice__arena_alloc(WiceArena *arena, size_t size);

#endif
