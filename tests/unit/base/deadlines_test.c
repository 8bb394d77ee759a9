/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/deadlines.h"

#include "suite.h"

#define N 200

static WiceDeadlines heap;
static WiceDeadline members[N];

static void begin(void)
{
	wice__deadlines_init(&heap);
	for (int i = 0; i < N; i++)
		wice__deadline_init(&members[i]);
}

/* The earliest by looking at all of them. */
static int64_t earliest(void)
{
	int64_t ms = INT64_MAX;
	for (int i = 0; i < N; i++)
		ms = MIN(ms, members[i].ms);
	return ms;
}

/* No member is earlier than the one above it. */
static void assert_heap(void)
{
	for (guint i = 1; i < heap.heap->len; i++) {
		const WiceDeadline *above = heap.heap->pdata[(i - 1) / 2];
		const WiceDeadline *member = heap.heap->pdata[i];
		ck_assert_int_le(above->ms, member->ms);
		ck_assert_uint_eq(member->place, i);
	}
}

static int64_t first(void)
{
	WiceDeadline *deadline = wice__deadlines_first(&heap);
	return deadline ? deadline->ms : INT64_MAX;
}

START_TEST(empty_has_no_first)
{
	begin();
	ck_assert_ptr_null(wice__deadlines_first(&heap));
	wice__deadlines_set(&heap, &members[0], INT64_MAX);
	ck_assert_ptr_null(wice__deadlines_first(&heap));
	wice__deadlines_set(&heap, &members[0], 5);
	wice__deadlines_set(&heap, &members[0], INT64_MAX);
	ck_assert_ptr_null(wice__deadlines_first(&heap));
	wice__deadlines_done(&heap);
}
END_TEST

START_TEST(comes_out_in_order)
{
	begin();
	for (int i = 0; i < N; i++)
		wice__deadlines_set(&heap, &members[i], (i * 37) % N);
	for (int i = 0; i < N; i++) {
		WiceDeadline *deadline = wice__deadlines_first(&heap);
		ck_assert_int_eq(deadline->ms, i);
		wice__deadlines_set(&heap, deadline, INT64_MAX);
	}
	ck_assert_ptr_null(wice__deadlines_first(&heap));
	wice__deadlines_done(&heap);
}
END_TEST

START_TEST(any_change_keeps_the_order)
{
	GRand *rand = g_rand_new_with_seed(1);
	begin();
	for (int i = 0; i < 20000; i++) {
		WiceDeadline *some = &members[g_rand_int_range(rand, 0, N)];
		int64_t ms = g_rand_int_range(rand, -20, 60);
		wice__deadlines_set(&heap, some, ms > 50 ? INT64_MAX : ms);
		assert_heap();
		ck_assert_int_eq(first(), earliest());
	}
	/* Members may go in any order. */
	for (int i = 0; i < N; i++) {
		wice__deadlines_set(&heap, &members[(i * 37) % N], INT64_MAX);
		assert_heap();
		ck_assert_int_eq(first(), earliest());
	}
	g_rand_free(rand);
	wice__deadlines_done(&heap);
}
END_TEST

SUITE_MAIN("deadlines", empty_has_no_first, comes_out_in_order, any_change_keeps_the_order)
