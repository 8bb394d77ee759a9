/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_ENGINE_REPLAY_H
#define WICE_ENGINE_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The window of counters that may still come (RFC 6479: a ring of words, one of them spare). Pure.
 */
#define WICE_REPLAY_BITS 8192
#define WICE_REPLAY_WINDOW (WICE_REPLAY_BITS - 64)
#define WICE_REJECT_AFTER_MESSAGES (UINT64_MAX - WICE_REPLAY_WINDOW - 1)

typedef struct {
	uint64_t greatest; /* counter + 1; 0: none yet */
	uint64_t words[WICE_REPLAY_BITS / 64];
} WiceReplay;

/* All zeros is an empty window. True if counter is new; it is marked. */
bool wice__replay_accept(WiceReplay *replay, uint64_t counter);

#endif
