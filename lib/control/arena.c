/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "control/arena.h"

#include <stdalign.h>
#include <string.h>

#define CHUNK_MIN ((size_t)4096)
#define CHUNK_MAX ((size_t)256 * 1024)

struct WiceArenaChunk {
	struct WiceArenaChunk *next;
	size_t size;
	alignas(max_align_t) char bytes[];
};

/* Chunks double, so that a small request costs little and a large status few calls. */
static struct WiceArenaChunk *add_chunk(WiceArena *arena, size_t needed)
{
	size_t size = arena->chunks ? MIN(arena->chunks->size * 2, CHUNK_MAX) : CHUNK_MIN;
	size = MAX(size, needed);
	struct WiceArenaChunk *chunk = g_try_malloc(sizeof *chunk + size);
	if (!chunk)
		return NULL;
	chunk->size = size;
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	arena->at = 0;
	return chunk;
}

void *wice__arena_alloc(WiceArena *arena, size_t size)
{
	const size_t align = alignof(max_align_t);
	if (size > arena->left)
		return NULL;
	/* A piece of no size costs, too, so that their number is bounded. */
	size_t rounded =
		size > SIZE_MAX - align ? SIZE_MAX : MAX((size + align - 1) / align * align, align);
	if (rounded > arena->left || rounded > SIZE_MAX / 2)
		return NULL;
	struct WiceArenaChunk *chunk = arena->chunks;
	if (!chunk || rounded > chunk->size - arena->at)
		chunk = add_chunk(arena, rounded);
	if (!chunk)
		return NULL;
	void *piece = chunk->bytes + arena->at;
	arena->at += rounded;
	arena->left -= rounded;
	return memset(piece, 0, rounded);
}

static void *take(void *allocator_data, size_t size)
{
	return wice__arena_alloc(allocator_data, size);
}

static void give_back(void *allocator_data, void *pointer)
{
}

void wice__arena_init(WiceArena *arena, size_t limit)
{
	*arena = (WiceArena){
		.allocator = { .alloc = take, .free = give_back, .allocator_data = arena },
		.left = limit,
	};
}

void wice__arena_done(WiceArena *arena)
{
	while (arena->chunks) {
		struct WiceArenaChunk *chunk = arena->chunks;
		arena->chunks = chunk->next;
		g_free(chunk);
	}
}
