/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <string.h>

#include "agent/suspicion.h"

static WiceSuspicion suspicion;
static uint64_t rx, tx;
static int64_t now;

/* Traffic for a while, looked at every poll_ms. Returns after how long it was suspected, or -1. */
static int64_t flow(int64_t for_ms, int64_t poll_ms, int64_t rx_every_ms, int64_t tx_every_ms)
{
	int64_t start = now, rx_at = now, tx_at = now;
	while (now - start < for_ms) {
		now += poll_ms;
		for (; rx_every_ms && rx_at + rx_every_ms <= now; rx_at += rx_every_ms)
			rx += 128;
		for (; tx_every_ms && tx_at + tx_every_ms <= now; tx_at += tx_every_ms)
			tx += 128;
		if (wice__suspicion_sample(&suspicion, rx, tx, now))
			return now - start;
	}
	return -1;
}

static void set_up(void)
{
	memset(&suspicion, 0, sizeof suspicion);
	rx = tx = 1000;
	now = 1000000;
	wice__suspicion_reset(&suspicion, now);
}

START_TEST(a_path_that_dies_under_traffic_is_noticed)
{
	static const int64_t intervals[] = { 10, 100, 500, 1000 };
	for (size_t i = 0; i < sizeof intervals / sizeof intervals[0]; i++) {
		set_up();
		ck_assert_int_eq(flow(5000, 250, intervals[i], intervals[i]), -1);
		int64_t after = flow(20000, 250, 0, intervals[i]);
		ck_assert_int_ge(after, 1000);
		ck_assert_int_le(after, 2500);
	}
}
END_TEST

START_TEST(a_busy_host_notices_as_well)
{
	static const int64_t polls[] = { 700, 1400, 2000 };
	for (size_t i = 0; i < sizeof polls / sizeof polls[0]; i++) {
		set_up();
		ck_assert_int_eq(flow(5000, polls[i], 100, 100), -1);
		int64_t after = flow(20000, polls[i], 0, 100);
		ck_assert_int_ge(after, 1000);
		ck_assert_int_le(after, 3 * polls[i]);
	}
}
END_TEST

START_TEST(what_is_one_way_or_over_is_not)
{
	set_up();
	ck_assert_int_eq(flow(60000, 250, 10000, 10), -1); /* keepalives come back */
	set_up();
	flow(5000, 250, 10, 10);
	ck_assert_int_eq(flow(60000, 250, 0, 0), -1); /* it has ended */
	set_up();
	flow(5000, 250, 10, 10);
	ck_assert_int_eq(flow(400, 250, 0, 100), -1); /* a pause */
	ck_assert_int_eq(flow(60000, 250, 100, 100), -1);
	set_up();
	ck_assert_int_eq(flow(60000, 2000, 1000, 1000), -1); /* looked at too seldom to tell */
}
END_TEST

START_TEST(mistakes_make_it_more_patient)
{
	set_up();
	int64_t before = 0;
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(flow(5000, 250, 100, 100), -1);
		int64_t after = flow(60000, 250, 0, 100);
		ck_assert_int_gt(after, before);
		before = after;
	}
	flow(400000, 250, 100, 100);
	ck_assert_int_le(flow(20000, 250, 0, 100), 2500);
}
END_TEST

START_TEST(traffic_is_watched_and_idleness_is_not)
{
	set_up();
	ck_assert(wice__suspicion_wants_polls(&suspicion, now));
	flow(5000, 250, 0, 0);
	ck_assert(!wice__suspicion_wants_polls(&suspicion, now));
	flow(1000, 250, 100, 100);
	ck_assert(wice__suspicion_wants_polls(&suspicion, now));
	flow(5000, 250, 0, 0);
	ck_assert(!wice__suspicion_wants_polls(&suspicion, now));
}
END_TEST

SUITE_MAIN("suspicion", a_path_that_dies_under_traffic_is_noticed, a_busy_host_notices_as_well,
	   what_is_one_way_or_over_is_not, mistakes_make_it_more_patient,
	   traffic_is_watched_and_idleness_is_not)
