/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The verdict over a direct path and a relay, alone and together with what measures the path. */
#include "suite.h"

#include <glib.h>
#include <string.h>

#include "agent/preference.h"
#include "turn/choice.h"
#include "turn/measure.h"

#define RELAY_US 40000
#define S 1000
#define SEEDS 30

static WicePreference preference;
static int64_t now;

/* For how long the verdict stayed, looking every 50 ms; -1: for all of max. */
static int64_t stays(uint32_t direct_us, int64_t max)
{
	for (int64_t start = now; now - start < max; now += 50)
		if (wice__preference_update(&preference, direct_us, RELAY_US, now))
			return now - start;
	return -1;
}

static void begin(void)
{
	now = 1000 * S;
	wice__preference_init(&preference);
}

START_TEST(a_path_that_is_a_bit_worse_is_kept)
{
	begin();
	ck_assert_int_eq(stays(RELAY_US, 3600 * S), -1);
	ck_assert_int_eq(stays(RELAY_US + 30000, 3600 * S), -1);
	ck_assert(!preference.relay);
}
END_TEST

START_TEST(a_worse_one_is_left_in_seconds_a_much_worse_one_sooner)
{
	begin();
	ck_assert_int_eq(stays(RELAY_US + 31000, 60 * S), 10 * S);
	ck_assert(preference.relay);
	begin();
	ck_assert_int_eq(stays(RELAY_US + 240000, 60 * S), 1500);
	ck_assert(preference.relay);
}
END_TEST

START_TEST(what_was_bad_for_a_moment_is_forgotten)
{
	begin();
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(stays(RELAY_US + 240000, 1000), -1);
		ck_assert_int_eq(stays(RELAY_US, 100), -1);
	}
}
END_TEST

START_TEST(it_is_taken_again_when_it_has_been_good_for_a_while)
{
	begin();
	stays(RELAY_US + 240000, 60 * S);
	ck_assert_int_eq(stays(RELAY_US + 20000, 3600 * S), -1);
	ck_assert_int_eq(stays(RELAY_US, 60 * S), 30 * S);
	ck_assert(!preference.relay);
}
END_TEST

START_TEST(each_time_it_is_left_it_must_be_good_for_longer)
{
	begin();
	int64_t wait = 30 * S;
	for (int i = 0; i < 5; i++) {
		ck_assert_int_ge(stays(RELAY_US + 240000, 60 * S), 1500);
		ck_assert_int_eq(stays(RELAY_US, 3600 * S), wait);
		wait *= 2;
	}
	/* Until it has been kept for long. */
	ck_assert_int_eq(stays(RELAY_US, 601 * S), -1);
	ck_assert_int_eq(stays(RELAY_US + 240000, 60 * S), 1500);
	ck_assert_int_eq(stays(RELAY_US, 3600 * S), 30 * S);
}
END_TEST

START_TEST(a_relay_that_has_failed_is_not_soon_tried_again)
{
	begin();
	stays(RELAY_US + 240000, 60 * S);
	wice__preference_overrule(&preference, now);
	ck_assert(!preference.relay);
	ck_assert_int_eq(stays(RELAY_US + 60000, 590 * S), -1);
	wice__preference_overrule(&preference, now);
	ck_assert(!preference.relay);
}
END_TEST

/* With measurements. */

typedef struct {
	int64_t at_us;
	uint8_t id[12];
} Answer;

static struct {
	GRand *rand;
	WiceMeasure measure;
	GQueue answers;
	double rtt_ms, jitter_ms, loss;
	int64_t now_us;
} path;

static void fill_random(void *buffer, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)buffer)[i] = (uint8_t)g_rand_int(path.rand);
}

static void begin_path(guint32 seed)
{
	begin();
	path.rand = g_rand_new_with_seed(seed);
	path.now_us = now * 1000;
	path.rtt_ms = 20, path.jitter_ms = 2, path.loss = 0.005;
	g_queue_init(&path.answers);
	wice__measure_init(&path.measure, path.now_us);
	wice__measure_set_used(&path.measure, true, path.now_us);
}

static void end_path(void)
{
	g_queue_clear_full(&path.answers, g_free);
	g_rand_free(path.rand);
}

static void send_probe(const uint8_t id[12])
{
	if (g_rand_double(path.rand) < path.loss)
		return;
	double ms = path.rtt_ms + path.jitter_ms * g_rand_double(path.rand);
	Answer *answer = g_new(Answer, 1);
	answer->at_us = path.now_us + (int64_t)(ms * 1000);
	memcpy(answer->id, id, sizeof answer->id);
	g_queue_push_tail(&path.answers, answer);
}

static void take_answers(void)
{
	for (GList *link = path.answers.head, *next; link; link = next) {
		Answer *answer = link->data;
		next = link->next;
		if (answer->at_us > path.now_us)
			continue;
		wice__measure_answered(&path.measure, answer->id, path.now_us);
		g_free(answer);
		g_queue_delete_link(&path.answers, link);
	}
}

static bool verdict_changes(void)
{
	uint8_t id[12];
	take_answers();
	while (wice__measure_due(&path.measure, path.now_us, fill_random, id))
		send_probe(id);
	if (!path.measure.has_rtt || wice__measure_is_dead(&path.measure))
		return false;
	uint32_t cost = wice__choice_cost_us(path.measure.rtt_us, path.measure.loss_permille);
	return wice__preference_update(&preference, cost, RELAY_US, path.now_us / 1000);
}

/* The number of changes, and when the first one came. */
static unsigned run(int64_t seconds, int64_t *ret_first_ms)
{
	unsigned changes = 0;
	int64_t end = path.now_us + seconds * 1000000, start = path.now_us;
	for (; path.now_us < end; path.now_us += 5000)
		if (verdict_changes() && !changes++)
			*ret_first_ms = (path.now_us - start) / 1000;
	return changes;
}

START_TEST(noise_changes_nothing)
{
	int64_t first_ms;
	for (guint32 seed = 0; seed < SEEDS; seed++) {
		begin_path(seed);
		path.jitter_ms = 15;
		ck_assert_uint_le(run(600, &first_ms), 1);
		end_path();
	}
}
END_TEST

START_TEST(what_has_become_slow_is_left_in_seconds)
{
	int64_t first_ms;
	for (guint32 seed = 0; seed < SEEDS; seed++) {
		begin_path(seed);
		ck_assert_uint_eq(run(60, &first_ms), 0);
		path.rtt_ms += 200;
		ck_assert_uint_eq(run(60, &first_ms), 1);
		ck_assert_int_le(first_ms, 5000);
		ck_assert(preference.relay);
		path.rtt_ms -= 200;
		ck_assert_uint_eq(run(60, &first_ms), 1);
		ck_assert(!preference.relay);
		end_path();
	}
}
END_TEST

/* Of what is lost at random there may be none for a while, so a few seconds cannot be promised. */
START_TEST(what_loses_much_is_left_too)
{
	int64_t first_ms;
	for (guint32 seed = 0; seed < SEEDS; seed++) {
		begin_path(seed);
		ck_assert_uint_eq(run(60, &first_ms), 0);
		path.loss = 0.3;
		ck_assert_uint_ge(run(60, &first_ms), 1);
		ck_assert_int_le(first_ms, 20000);
		end_path();
	}
}
END_TEST

SUITE_MAIN("preference", a_path_that_is_a_bit_worse_is_kept,
	   a_worse_one_is_left_in_seconds_a_much_worse_one_sooner,
	   what_was_bad_for_a_moment_is_forgotten,
	   it_is_taken_again_when_it_has_been_good_for_a_while,
	   each_time_it_is_left_it_must_be_good_for_longer,
	   a_relay_that_has_failed_is_not_soon_tried_again, noise_changes_nothing,
	   what_has_become_slow_is_left_in_seconds, what_loses_much_is_left_too)
