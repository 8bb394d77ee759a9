/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <string.h>

#include "turn/measure.h"

#define MS 1000
#define S (1000 * MS)
#define START (5 * (int64_t)S)

static WiceMeasure measure;
static int64_t now;
static uint8_t next_id;

static void fill_random(void *buffer, size_t len)
{
	memset(buffer, ++next_id, len);
}

/* Until then: each probe is answered after rtt; 0: none is. Returns how many there were. */
static unsigned run(int64_t until, int64_t rtt)
{
	unsigned n = 0;
	uint8_t id[12];
	while (now < until) {
		if (wice__measure_due(&measure, now, fill_random, id)) {
			n++;
			now += rtt;
			if (rtt)
				ck_assert(wice__measure_answered(&measure, id, now));
			continue;
		}
		int64_t at = wice__measure_deadline_us(&measure);
		ck_assert_int_gt(at, now);
		now = at < until ? at : until;
		wice__measure_expire(&measure, now);
	}
	return n;
}

static void begin(void)
{
	now = START;
	wice__measure_init(&measure, now);
}

START_TEST(it_is_quick_at_first_and_slow_then)
{
	begin();
	ck_assert_uint_eq(run(now + S, 20 * MS), 6);
	ck_assert(measure.has_rtt);
	ck_assert_uint_eq(measure.rtt_us, 20 * MS);
	ck_assert_uint_eq(measure.loss_permille, 0);
	/* 20 to 25 s: a NAT forgets after 30 s at the earliest (RFC 4787 REQ-5: 2 minutes). */
	for (int i = 0; i < 20; i++) {
		int64_t waited = wice__measure_deadline_us(&measure) - now;
		ck_assert_int_le(waited, 25 * S);
		ck_assert_uint_eq(run(wice__measure_deadline_us(&measure) + S, 20 * MS), 1);
	}
}
END_TEST

START_TEST(what_is_used_is_asked_four_times_a_second)
{
	begin();
	run(now + 2 * S, 20 * MS);
	wice__measure_set_used(&measure, true, now);
	unsigned n = run(now + 10 * S, 20 * MS);
	ck_assert_uint_ge(n, 39);
	ck_assert_uint_le(n, 41);
	wice__measure_set_used(&measure, false, now);
	ck_assert_uint_le(run(now + 10 * S, 20 * MS), 1);
	wice__measure_hurry(&measure, now);
	ck_assert_uint_ge(run(now + S, 20 * MS), 10);
}
END_TEST

START_TEST(an_outlier_is_no_measure_and_a_longer_way_is)
{
	uint8_t id[12];
	begin();
	wice__measure_set_used(&measure, true, now);
	run(now + 10 * S, 20 * MS);
	now = wice__measure_deadline_us(&measure);
	ck_assert(wice__measure_due(&measure, now, fill_random, id));
	now += 200 * MS;
	ck_assert(wice__measure_answered(&measure, id, now));
	ck_assert_uint_eq(measure.rtt_us, 20 * MS);
	ck_assert_uint_eq(measure.loss_permille, 0);
	int64_t changed = now;
	run(now + 2 * S, 220 * MS);
	ck_assert_uint_ge(measure.rtt_us, 215 * MS);
	ck_assert_int_le(now - changed, 3 * S);
	run(now + 3 * S, 20 * MS);
	ck_assert_uint_le(measure.rtt_us, 25 * MS);
}
END_TEST

START_TEST(death_is_told_soon_and_so_is_return)
{
	begin();
	wice__measure_set_used(&measure, true, now);
	run(now + 10 * S, 20 * MS);
	run(now + 1600 * MS, 0);
	ck_assert(wice__measure_is_dead(&measure));
	ck_assert_uint_eq(measure.loss_permille, 1000);
	/* It is looked for, and not without end as quickly. */
	unsigned n = run(now + 60 * S, 0);
	ck_assert_uint_ge(n, 55);
	ck_assert_uint_le(n, 65);
	run(now + 1100 * MS, 20 * MS);
	ck_assert(!wice__measure_is_dead(&measure));
	ck_assert_uint_le(measure.loss_permille, 500);
	ck_assert_uint_ge(measure.loss_permille, 100);
	run(now + 20 * S, 20 * MS);
	ck_assert_uint_le(measure.loss_permille, 100);
}
END_TEST

START_TEST(a_gap_is_one_loss_and_no_death)
{
	begin();
	wice__measure_set_used(&measure, true, now);
	run(now + 10 * S, 20 * MS);
	run(now + 700 * MS, 0);
	run(now + 300 * MS, 20 * MS);
	ck_assert(!wice__measure_is_dead(&measure));
	ck_assert_uint_gt(measure.loss_permille, 0);
	ck_assert_uint_le(measure.loss_permille, 25);
}
END_TEST

START_TEST(loss_is_measured)
{
	uint8_t id[12];
	begin();
	wice__measure_set_used(&measure, true, now);
	for (int i = 0; i < 1000; i++) {
		now = wice__measure_deadline_us(&measure);
		wice__measure_expire(&measure, now);
		bool due = wice__measure_due(&measure, now, fill_random, id);
		if (due && i % 5)
			wice__measure_answered(&measure, id, now + 20 * MS);
	}
	ck_assert_uint_ge(measure.loss_permille, 100);
	ck_assert_uint_le(measure.loss_permille, 300);
}
END_TEST

START_TEST(an_answer_that_comes_late_is_no_loss)
{
	uint8_t id[12];
	begin();
	run(now + 2 * S, 20 * MS);
	now = wice__measure_deadline_us(&measure);
	ck_assert(wice__measure_due(&measure, now, fill_random, id));
	int64_t sent = now;
	wice__measure_expire(&measure, sent + 400 * MS);
	ck_assert_uint_gt(measure.loss_permille, 0);
	ck_assert(wice__measure_answered(&measure, id, sent + 500 * MS));
	ck_assert_uint_eq(measure.loss_permille, 0);
}
END_TEST

START_TEST(only_answers_to_probes_count_and_only_once)
{
	uint8_t id[12], other[12] = { 0 };
	begin();
	ck_assert(wice__measure_due(&measure, now, fill_random, id));
	ck_assert(!wice__measure_answered(&measure, other, now + MS));
	ck_assert(!measure.has_rtt);
	ck_assert(wice__measure_answered(&measure, id, now + 3 * MS));
	ck_assert(!wice__measure_answered(&measure, id, now + 4 * MS));
	ck_assert_uint_eq(measure.rtt_us, 3 * MS);
	/* The one that is forgotten, too. */
	ck_assert(wice__measure_due(&measure, now + S, fill_random, id));
	wice__measure_expire(&measure, now + 10 * (int64_t)S);
	ck_assert(!wice__measure_answered(&measure, id, now + 10 * (int64_t)S));
}
END_TEST

START_TEST(a_clock_that_stood_still_does_no_harm)
{
	uint8_t id[12];
	begin();
	run(now + 2 * S, 20 * MS);
	for (int i = 0; i < 1000; i++) {
		wice__measure_hurry(&measure, now);
		if (wice__measure_due(&measure, now, fill_random, id))
			wice__measure_answered(&measure, id, now - S);
	}
	ck_assert_uint_le(measure.rtt_us, 20 * MS);
}
END_TEST

SUITE_MAIN("measure", it_is_quick_at_first_and_slow_then, what_is_used_is_asked_four_times_a_second,
	   an_outlier_is_no_measure_and_a_longer_way_is, death_is_told_soon_and_so_is_return,
	   a_gap_is_one_loss_and_no_death, loss_is_measured, an_answer_that_comes_late_is_no_loss,
	   only_answers_to_probes_count_and_only_once, a_clock_that_stood_still_does_no_harm)
