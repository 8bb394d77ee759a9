/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_BASE_DEADLINES_H
#define WICE_BASE_DEADLINES_H

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

/* Which of many is due next: a binary heap of members that know their place in it. Pure. */
typedef struct {
	int64_t ms;   /* INT64_MAX: is not in the heap */
	size_t place; /* meaningless then */
} WiceDeadline;

typedef struct {
	GPtrArray *heap; /* WiceDeadline *, borrowed; each not later than its children */
} WiceDeadlines;

void wice__deadlines_init(WiceDeadlines *deadlines);
void wice__deadlines_done(WiceDeadlines *deadlines);
/* A deadline that is in no heap. */
void wice__deadline_init(WiceDeadline *deadline);
/* Moves, adds or (INT64_MAX) takes out. */
void wice__deadlines_set(WiceDeadlines *deadlines, WiceDeadline *deadline, int64_t ms);
/* The earliest, or NULL. */
WiceDeadline *wice__deadlines_first(const WiceDeadlines *deadlines);

#endif
