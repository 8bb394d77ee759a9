/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/deadlines.h"

void wice__deadlines_init(WiceDeadlines *deadlines)
{
	deadlines->heap = g_ptr_array_new();
}

void wice__deadlines_done(WiceDeadlines *deadlines)
{
	g_ptr_array_unref(deadlines->heap);
}

void wice__deadline_init(WiceDeadline *deadline)
{
	*deadline = (WiceDeadline){ .ms = INT64_MAX };
}

static WiceDeadline *at(const WiceDeadlines *deadlines, size_t place)
{
	return deadlines->heap->pdata[place];
}

static void put(WiceDeadlines *deadlines, size_t place, WiceDeadline *deadline)
{
	deadlines->heap->pdata[place] = deadline;
	deadline->place = place;
}

/* Moves the deadline from its place towards the root until its parent is not later. */
static void rise(WiceDeadlines *deadlines, WiceDeadline *deadline)
{
	size_t place = deadline->place;
	while (place > 0 && at(deadlines, (place - 1) / 2)->ms > deadline->ms) {
		put(deadlines, place, at(deadlines, (place - 1) / 2));
		place = (place - 1) / 2;
	}
	put(deadlines, place, deadline);
}

/* Moves it away from the root until no child is earlier. */
static void sink(WiceDeadlines *deadlines, WiceDeadline *deadline)
{
	size_t place = deadline->place, n = deadlines->heap->len;
	for (;;) {
		size_t child = 2 * place + 1;
		if (child + 1 < n && at(deadlines, child + 1)->ms < at(deadlines, child)->ms)
			child++;
		if (child >= n || at(deadlines, child)->ms >= deadline->ms)
			break;
		put(deadlines, place, at(deadlines, child));
		place = child;
	}
	put(deadlines, place, deadline);
}

static void take_out(WiceDeadlines *deadlines, WiceDeadline *deadline)
{
	WiceDeadline *last = at(deadlines, deadlines->heap->len - 1);
	g_ptr_array_set_size(deadlines->heap, (int)deadlines->heap->len - 1);
	if (last != deadline) {
		put(deadlines, deadline->place, last);
		rise(deadlines, last);
		sink(deadlines, last);
	}
	deadline->ms = INT64_MAX;
}

void wice__deadlines_set(WiceDeadlines *deadlines, WiceDeadline *deadline, int64_t ms)
{
	if (ms == deadline->ms)
		return;
	if (ms == INT64_MAX) {
		take_out(deadlines, deadline);
		return;
	}
	if (deadline->ms == INT64_MAX) {
		deadline->place = deadlines->heap->len;
		g_ptr_array_add(deadlines->heap, deadline);
	}
	deadline->ms = ms;
	rise(deadlines, deadline);
	sink(deadlines, deadline);
}

WiceDeadline *wice__deadlines_first(const WiceDeadlines *deadlines)
{
	return deadlines->heap->len ? at(deadlines, 0) : NULL;
}
