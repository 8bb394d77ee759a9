/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/replay.h"

#include <glib.h>
#include <string.h>

#include "suite.h"

#define WINDOW WICE_REPLAY_WINDOW
#define REJECT WICE_REJECT_AFTER_MESSAGES
#define EDGE (UINT64_C(1) + WINDOW) /* the first counter that pushes 0 out is one more */

typedef struct {
	uint64_t counter;
	bool accepted;
} Step;

START_TEST(follows_single_counters)
{
	/* One window for all of them. */
	static const Step steps[] = {
		{ 0, true },
		{ 1, true },
		{ 1, false },
		{ 9, true },
		{ 8, true },
		{ 7, true },
		{ 7, false },
		{ EDGE, true },
		{ EDGE - 1, true },
		{ EDGE - 1, false },
		{ EDGE - 2, true },
		{ 2, true },
		{ 2, false },
		{ EDGE + 16, true },
		{ 3, false },
		{ EDGE + 16, false },
		{ EDGE * 4, true },
		{ EDGE * 4 - (EDGE - 1), true },
		{ 10, false },
		{ EDGE * 4 - EDGE, false },
		{ EDGE * 4 - (EDGE + 1), false },
		{ EDGE * 4 - (EDGE - 2), true },
		{ EDGE * 4 + 1 - EDGE, false },
		{ 0, false },
		{ REJECT, false },
		{ REJECT - 1, true },
		{ REJECT, false },
		{ REJECT - 1, false },
		{ REJECT - 2, true },
		{ REJECT + 1, false },
		{ REJECT + 2, false },
		{ REJECT - 2, false },
		{ REJECT - 3, true },
		{ 0, false },
		{ UINT64_MAX, false },
		{ UINT64_MAX - 1, false },
	};
	WiceReplay replay = { 0 };
	for (size_t i = 0; i < G_N_ELEMENTS(steps); i++)
		ck_assert_msg(wice__replay_accept(&replay, steps[i].counter) == steps[i].accepted,
			      "step %zu", i);
}
END_TEST

/* All counters from first to last, in whichever direction that is, then a few single ones. */
typedef struct {
	uint64_t first, last;
	Step then[2];
	size_t n_then;
} Run;

START_TEST(follows_runs)
{
	static const Run runs[] = {
		{ 1, WINDOW, { { 0, true }, { 0, false } }, 2 },
		{ 2, WINDOW + 1, { { 1, true }, { 0, false } }, 2 },
		{ WINDOW, 0, { { 0, false } }, 1 },
		{ WINDOW + 1, 1, { { 0, false } }, 1 },
		{ WINDOW, 1, { { WINDOW + 1, true }, { 0, false } }, 2 },
		{ WINDOW, 1, { { 0, true }, { WINDOW + 1, true } }, 2 },
		{ 0, 4 * WICE_REPLAY_BITS, { { 4 * WICE_REPLAY_BITS, false } }, 1 },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(runs); i++) {
		const Run *run = &runs[i];
		WiceReplay replay = { 0 };
		uint64_t step = run->first < run->last ? 1 : UINT64_MAX;
		for (uint64_t counter = run->first; counter != run->last + step; counter += step)
			ck_assert_msg(wice__replay_accept(&replay, counter), "run %zu: %llu", i,
				      (unsigned long long)counter);
		for (size_t j = 0; j < run->n_then; j++)
			ck_assert_msg(wice__replay_accept(&replay, run->then[j].counter) ==
					      run->then[j].accepted,
				      "run %zu: step %zu behind it", i, j);
	}
}
END_TEST

/* A refused counter, and one from beyond the limit, leave the window alone. */
START_TEST(is_unchanged_by_what_it_refuses)
{
	WiceReplay replay = { 0 };
	ck_assert(wice__replay_accept(&replay, 100000));
	WiceReplay before = replay;
	ck_assert(!wice__replay_accept(&replay, 100000));
	ck_assert(!wice__replay_accept(&replay, 100000 - WINDOW - 1));
	ck_assert(!wice__replay_accept(&replay, REJECT));
	ck_assert_mem_eq(&before, &replay, sizeof replay);
}
END_TEST

/* What is remembered by hand: every counter that was accepted. */
typedef struct {
	GHashTable *seen;
	uint64_t greatest;
	bool any;
} Model;

static bool model_accept(Model *model, uint64_t counter)
{
	bool old = model->any && model->greatest > WINDOW && counter < model->greatest - WINDOW;
	gint64 key = (gint64)counter;
	if (old || g_hash_table_contains(model->seen, &key))
		return false;
	g_hash_table_add(model->seen, g_memdup2(&key, sizeof key));
	model->greatest = MAX(model->greatest, counter);
	model->any = true;
	return true;
}

/* Steps of all sizes, also over several windows at once, from random places. */
START_TEST(agrees_with_a_list_of_all_counters)
{
	for (uint32_t seed = 1; seed <= 50; seed++) {
		g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
		Model model = { .seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
							      NULL) };
		WiceReplay replay = { 0 };
		uint64_t base = (uint64_t)g_rand_int(rand) << g_rand_int_range(rand, 0, 30);
		for (int i = 0; i < 5000; i++) {
			uint64_t reach = UINT64_C(1) << g_rand_int_range(rand, 0, 16);
			uint64_t offset = g_rand_int(rand) % reach;
			uint64_t counter =
				g_rand_boolean(rand) ? base + offset : base - MIN(base, offset);
			ck_assert_msg(wice__replay_accept(&replay, counter) ==
					      model_accept(&model, counter),
				      "seed %u: counter %llu", seed, (unsigned long long)counter);
			base = MAX(base, counter);
		}
		g_hash_table_unref(model.seen);
	}
}
END_TEST

SUITE_MAIN("engine replay", follows_single_counters, follows_runs, is_unchanged_by_what_it_refuses,
	   agrees_with_a_list_of_all_counters)
