/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"
#include "wg/pace.h"

#include <string.h>

#define FAST_MS 20
#define SLOW_MS 5000
#define NEVER INT64_MAX

/* Devices of which each read takes cost_us, in virtual time. */
typedef struct {
	WicePace *pace;
	int64_t now_ms;
	int64_t cost_us;
} Bed;

static void set_up(Bed *bed)
{
	*bed = (Bed){ .pace = wice__pace_new(FAST_MS, SLOW_MS), .now_ms = 1000, .cost_us = 100 };
}

static void tear_down(Bed *bed)
{
	wice__pace_free(bed->pace);
}

static WiceWatchEvent peer_event(WiceWatchEventType type, const WiceDevicePeer *peer)
{
	return (WiceWatchEvent){ .type = type, .peer_before = peer, .peer_after = peer };
}

/* Goes to the next read, which gives these results; returns how long that took, or NEVER. */
static int64_t step(Bed *bed, const char *name, WicePaceOutcome outcome,
		    const WiceWatchEvent *event)
{
	int64_t start_ms = bed->now_ms, due = wice__pace_deadline(bed->pace, bed->now_ms);
	if (due == NEVER)
		return NEVER;
	while (due > bed->now_ms) { /* what was to be fast may have become slow by then */
		ck_assert_int_eq(due, wice__pace_deadline(bed->pace, bed->now_ms));
		bed->now_ms = due;
		due = wice__pace_deadline(bed->pace, bed->now_ms);
	}
	const char *next = wice__pace_start(bed->pace, bed->now_ms);
	ck_assert_str_eq(next, name);
	ck_assert_int_eq(wice__pace_deadline(bed->pace, bed->now_ms), NEVER);
	ck_assert_ptr_null(wice__pace_start(bed->pace, bed->now_ms));
	if (event)
		wice__pace_observe(bed->pace, event, bed->now_ms);
	wice__pace_done(bed->pace, outcome, bed->cost_us, bed->now_ms);
	return bed->now_ms - start_ms;
}

static int64_t read_ok(Bed *bed, const char *name)
{
	return step(bed, name, WICE_PACE_READ, NULL);
}

START_TEST(without_devices_nothing_happens)
{
	Bed bed;
	set_up(&bed);
	ck_assert_int_eq(wice__pace_deadline(bed.pace, bed.now_ms), NEVER);
	ck_assert_ptr_null(wice__pace_start(bed.pace, bed.now_ms));
	wice__pace_hint(bed.pace, "wg0");
	ck_assert_int_eq(step(&bed, "wg0", WICE_PACE_GONE, NULL), 0);
	ck_assert_int_eq(wice__pace_deadline(bed.pace, bed.now_ms), NEVER);
	tear_down(&bed);
}
END_TEST

START_TEST(what_tells_is_only_read_when_it_does)
{
	Bed bed;
	set_up(&bed);
	wice__pace_hint(bed.pace, "wg0");
	ck_assert_str_eq(wice__pace_start(bed.pace, bed.now_ms), "wg0");
	wice__pace_set_telling(bed.pace, true);
	const WiceDevicePeer peer = { .keepalive_s = 1 };
	WiceWatchEvent event = peer_event(WICE_WATCH_PEER_ADDED, &peer);
	wice__pace_observe(bed.pace, &event, bed.now_ms);
	wice__pace_done(bed.pace, WICE_PACE_READ, bed.cost_us, bed.now_ms);
	ck_assert_int_eq(wice__pace_deadline(bed.pace, bed.now_ms), NEVER);
	bed.now_ms += 60000;
	wice__pace_hint(bed.pace, "wg0");
	ck_assert_int_eq(read_ok(&bed, "wg0"), 0);
	ck_assert_int_eq(wice__pace_deadline(bed.pace, bed.now_ms), NEVER);
	/* A failure is tried again all the same, and another device of that name is polled. */
	wice__pace_hint(bed.pace, "wg0");
	ck_assert_int_lt(step(&bed, "wg0", WICE_PACE_FAILED, NULL), 10);
	ck_assert_str_eq((bed.now_ms += 1000, wice__pace_start(bed.pace, bed.now_ms)), "wg0");
	wice__pace_set_telling(bed.pace, false);
	wice__pace_done(bed.pace, WICE_PACE_READ, bed.cost_us, bed.now_ms);
	ck_assert_int_lt(wice__pace_deadline(bed.pace, bed.now_ms), NEVER);
	tear_down(&bed);
}
END_TEST

START_TEST(what_is_quiet_is_polled_slowly)
{
	Bed bed;
	set_up(&bed);
	wice__pace_hint(bed.pace, "wg0");
	ck_assert_int_eq(read_ok(&bed, "wg0"), 0);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(read_ok(&bed, "wg0"), SLOW_MS);
	tear_down(&bed);
}
END_TEST

START_TEST(the_slow_poll_may_be_switched_off)
{
	Bed bed;
	set_up(&bed);
	wice__pace_free(bed.pace);
	bed.pace = wice__pace_new(FAST_MS, UINT_MAX);
	wice__pace_hint(bed.pace, "wg0");
	ck_assert_int_eq(read_ok(&bed, "wg0"), 0);
	ck_assert_int_eq(read_ok(&bed, "wg0"), NEVER);
	wice__pace_hint(bed.pace, "wg0");
	ck_assert_int_le(read_ok(&bed, "wg0"), FAST_MS);
	tear_down(&bed);
}
END_TEST

/* How long it is polled fast. */
static int64_t fast_time(Bed *bed, const char *name)
{
	int64_t start_ms = bed->now_ms, last_ms = bed->now_ms;
	while (read_ok(bed, name) == FAST_MS)
		last_ms = bed->now_ms;
	return last_ms - start_ms;
}

START_TEST(connecting_peers_are_polled_fast)
{
	static const struct {
		WiceWatchEventType type;
		int64_t handshake_ns;
		int64_t fast_ms;
	} cases[] = {
		{ WICE_WATCH_PEER_ADDED, 0, 15000 }, { WICE_WATCH_PEER_ADDED, 5, 0 },
		{ WICE_WATCH_ENDPOINT, 0, 15000 },   { WICE_WATCH_ENDPOINT, 5, 15000 },
		{ WICE_WATCH_PEER_CHANGED, 0, 0 },   { WICE_WATCH_TRANSFER, 0, 0 },
		{ WICE_WATCH_HANDSHAKE, 5, 0 },      { WICE_WATCH_PEER_REMOVED, 0, 0 },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		Bed bed;
		WiceDevicePeer peer = { .handshake_ns = cases[i].handshake_ns };
		WiceWatchEvent event = peer_event(cases[i].type, &peer);
		set_up(&bed);
		wice__pace_hint(bed.pace, "wg0");
		step(&bed, "wg0", WICE_PACE_READ, &event);
		int64_t time = fast_time(&bed, "wg0");
		ck_assert_msg(time == cases[i].fast_ms, "case %zu: %d ms", i, (int)time);
		tear_down(&bed);
	}
}
END_TEST

START_TEST(a_handshake_or_the_end_of_all_connecting_peers_ends_it)
{
	static const WiceWatchEventType ends[] = { WICE_WATCH_HANDSHAKE, WICE_WATCH_PEER_REMOVED };
	for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
		Bed bed;
		WiceDevicePeer first = { .public_key = { { 1 } } }, second = { .fields = 0 };
		WiceWatchEvent events[] = { peer_event(WICE_WATCH_PEER_ADDED, &first),
					    peer_event(WICE_WATCH_PEER_ADDED, &second),
					    peer_event(ends[i], &first),
					    peer_event(ends[i], &second) };
		set_up(&bed);
		wice__pace_hint(bed.pace, "wg0");
		step(&bed, "wg0", WICE_PACE_READ, &events[0]);
		ck_assert_int_eq(step(&bed, "wg0", WICE_PACE_READ, &events[1]), FAST_MS);
		ck_assert_int_eq(step(&bed, "wg0", WICE_PACE_READ, &events[2]), FAST_MS);
		ck_assert_int_eq(step(&bed, "wg0", WICE_PACE_READ, &events[3]), FAST_MS);
		ck_assert_int_eq(read_ok(&bed, "wg0"), SLOW_MS);
		tear_down(&bed);
	}
}
END_TEST

START_TEST(peers_of_listed_devices_may_be_old)
{
	Bed bed;
	WiceDevicePeer peer = { .n_allowed_ips = 0 };
	WiceWatchEvent event = peer_event(WICE_WATCH_PEER_ADDED, &peer);
	set_up(&bed);
	wice__pace_found(bed.pace, "wg0");
	step(&bed, "wg0", WICE_PACE_READ, &event);
	ck_assert_int_eq(fast_time(&bed, "wg0"), 0);
	wice__pace_found(bed.pace, "wg0"); /* it is known: the peer is new */
	step(&bed, "wg0", WICE_PACE_READ, &event);
	ck_assert_int_eq(fast_time(&bed, "wg0"), 15000);
	tear_down(&bed);
}
END_TEST

START_TEST(hurry_is_fast_for_so_long)
{
	Bed bed;
	set_up(&bed);
	wice__pace_hurry(bed.pace, "wg0", bed.now_ms + 1000);
	read_ok(&bed, "wg0");
	ck_assert_int_eq(fast_time(&bed, "wg0"), 1000 - FAST_MS);
	wice__pace_hurry(bed.pace, NULL, bed.now_ms + 500);
	read_ok(&bed, "wg0");
	ck_assert_int_eq(fast_time(&bed, "wg0"), 500 - FAST_MS);
	tear_down(&bed);
}
END_TEST

START_TEST(large_devices_are_read_more_rarely)
{
	static const struct {
		int64_t cost_us, fast_ms, slow_ms;
	} cases[] = {
		{ 0, FAST_MS, SLOW_MS }, { 1000, 20, 5000 },  { 1001, 21, 5000 },
		{ 5000, 100, 5000 },     { 5500, 110, 5500 }, { 80000, 1600, 80000 },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		Bed bed;
		set_up(&bed);
		bed.cost_us = cases[i].cost_us;
		wice__pace_hurry(bed.pace, "wg0", bed.now_ms + 10000);
		read_ok(&bed, "wg0");
		ck_assert_int_eq(read_ok(&bed, "wg0"), cases[i].fast_ms);
		while (bed.now_ms < 11000)
			read_ok(&bed, "wg0");
		ck_assert_int_eq(read_ok(&bed, "wg0"), cases[i].slow_ms);
		tear_down(&bed);
	}
}
END_TEST

START_TEST(hints_are_followed_at_once_but_not_without_end)
{
	Bed bed;
	set_up(&bed);
	bed.cost_us = 10000;
	wice__pace_hint(bed.pace, "wg0");
	ck_assert_int_eq(read_ok(&bed, "wg0"), 0);
	for (int i = 0; i < 3; i++) {
		wice__pace_hint(bed.pace, "wg0");
		ck_assert_int_eq(read_ok(&bed, "wg0"), 200);
	}
	bed.now_ms += 300;
	wice__pace_hint(bed.pace, "wg0");
	ck_assert_int_eq(read_ok(&bed, "wg0"), 0);
	tear_down(&bed);
}
END_TEST

START_TEST(a_hint_during_a_read_leads_to_another)
{
	static const WicePaceOutcome outcomes[] = { WICE_PACE_READ, WICE_PACE_GONE,
						    WICE_PACE_FAILED };
	for (size_t i = 0; i < G_N_ELEMENTS(outcomes); i++) {
		Bed bed;
		set_up(&bed);
		wice__pace_hint(bed.pace, "wg0");
		ck_assert_str_eq(wice__pace_start(bed.pace, bed.now_ms), "wg0");
		wice__pace_hint(bed.pace, "wg0");
		wice__pace_done(bed.pace, outcomes[i], 100, bed.now_ms);
		ck_assert_int_le(read_ok(&bed, "wg0"), 2);
		tear_down(&bed);
	}
}
END_TEST

START_TEST(what_cannot_be_read_is_tried_ever_more_rarely)
{
	static const int64_t pauses_ms[] = { 1000,  2000,  4000,  8000, 16000,
					     32000, 64000, 64000, 64000 };
	Bed bed;
	set_up(&bed);
	wice__pace_hint(bed.pace, "wg0");
	step(&bed, "wg0", WICE_PACE_FAILED, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(pauses_ms); i++)
		ck_assert_int_eq(step(&bed, "wg0", WICE_PACE_FAILED, NULL), pauses_ms[i]);
	wice__pace_hint(bed.pace, "wg0");
	ck_assert_int_le(read_ok(&bed, "wg0"), 2);
	ck_assert_int_eq(read_ok(&bed, "wg0"), SLOW_MS);
	step(&bed, "wg0", WICE_PACE_FAILED, NULL);
	ck_assert_int_eq(step(&bed, "wg0", WICE_PACE_FAILED, NULL), pauses_ms[0]);
	tear_down(&bed);
}
END_TEST

START_TEST(the_list_is_read_until_it_can_be)
{
	Bed bed;
	set_up(&bed);
	wice__pace_hint(bed.pace, WICE_PACE_LIST);
	ck_assert_int_eq(step(&bed, WICE_PACE_LIST, WICE_PACE_FAILED, NULL), 0);
	ck_assert_int_eq(step(&bed, WICE_PACE_LIST, WICE_PACE_READ, NULL), 1000);
	ck_assert_int_eq(wice__pace_deadline(bed.pace, bed.now_ms), NEVER);
	wice__pace_hint_all(bed.pace);
	ck_assert_int_le(read_ok(&bed, WICE_PACE_LIST), 2);
	tear_down(&bed);
}
END_TEST

/* Runs for a while and counts; returns the share of the time that was spent, in millionths. */
static int64_t run(Bed *bed, int64_t ms, GHashTable *counts)
{
	int64_t start_ms = bed->now_ms, spent_us = 0;
	while (bed->now_ms < start_ms + ms) {
		const char *name = wice__pace_start(bed->pace, bed->now_ms);
		if (!name) {
			bed->now_ms = wice__pace_deadline(bed->pace, bed->now_ms);
			continue;
		}
		int count = GPOINTER_TO_INT(g_hash_table_lookup(counts, name));
		g_hash_table_insert(counts, g_strdup(name), GINT_TO_POINTER(count + 1));
		bed->now_ms += bed->cost_us / 1000;
		spent_us += bed->cost_us;
		wice__pace_done(bed->pace, WICE_PACE_READ, bed->cost_us, bed->now_ms);
	}
	return spent_us * 1000 / (bed->now_ms - start_ms);
}

/* However many there are, the share of the time is kept and divided fairly. */
START_TEST(many_devices_share_the_time)
{
	static const struct {
		bool hurry;
		int64_t cost_us, run_ms, share; /* millionths */
		int least, most;
	} cases[] = {
		{ false, 2000, 2000000, 1000, 9, 11 }, /* 2 s each, 100 devices */
		{ true, 2000, 42000, 50000, 9, 11 },   /* 40 ms each */
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		Bed bed;
		set_up(&bed);
		bed.cost_us = cases[i].cost_us;
		g_autoptr(GHashTable) counts =
			g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
		for (int k = 0; k < 100; k++) {
			g_autofree char *name = g_strdup_printf("wg%d", k);
			wice__pace_found(bed.pace, name);
		}
		run(&bed, 100, counts);
		g_hash_table_remove_all(counts);
		if (cases[i].hurry)
			wice__pace_hurry(bed.pace, NULL, NEVER);
		run(&bed, 5000, counts); /* the hints */
		g_hash_table_remove_all(counts);
		int64_t share = run(&bed, cases[i].run_ms, counts);
		ck_assert_int_le(share, cases[i].share);
		ck_assert_uint_eq(g_hash_table_size(counts), 100);
		GHashTableIter iter;
		gpointer count;
		g_hash_table_iter_init(&iter, counts);
		while (g_hash_table_iter_next(&iter, NULL, &count)) {
			ck_assert_int_ge(GPOINTER_TO_INT(count), cases[i].least);
			ck_assert_int_le(GPOINTER_TO_INT(count), cases[i].most);
		}
		tear_down(&bed);
	}
}
END_TEST

/* Slow polls of a large device do not hold up the fast ones of a small one. */
START_TEST(slow_polls_do_not_delay_fast_ones)
{
	Bed bed;
	set_up(&bed);
	bed.cost_us = 50000;
	wice__pace_hint(bed.pace, "large");
	read_ok(&bed, "large");
	ck_assert_int_eq(read_ok(&bed, "large"), 50000);
	bed.cost_us = 100;
	wice__pace_hurry(bed.pace, "small", bed.now_ms + 40000);
	read_ok(&bed, "small");
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(read_ok(&bed, "small"), FAST_MS);
	tear_down(&bed);
}
END_TEST

SUITE_MAIN("wg pace", without_devices_nothing_happens, what_tells_is_only_read_when_it_does,
	   what_is_quiet_is_polled_slowly, the_slow_poll_may_be_switched_off,
	   connecting_peers_are_polled_fast, a_handshake_or_the_end_of_all_connecting_peers_ends_it,
	   peers_of_listed_devices_may_be_old, hurry_is_fast_for_so_long,
	   large_devices_are_read_more_rarely, hints_are_followed_at_once_but_not_without_end,
	   a_hint_during_a_read_leads_to_another, what_cannot_be_read_is_tried_ever_more_rarely,
	   the_list_is_read_until_it_can_be, many_devices_share_the_time,
	   slow_polls_do_not_delay_fast_ones)
