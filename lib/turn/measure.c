/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The smoothing is TCP's (RFC 6298 section 2.3): an eighth of each round trip, a quarter of each
 * deviation. Loss is smoothed likewise, 1 part in 44 of each probe. A gap in which all are
 * missing counts as one of them, however many were sent into it; a long one is death.
 *
 * What is no measure of the way (this process was not scheduled, a radio had to wake up) is told by
 * the median of the last 16 and the median of the distances to it (MAD): what is further away than
 * three of those counts as an answer, and not as a round trip. Five in a row are one: the way has
 * changed, and all before is forgotten.
 *
 * A probe that is missing, and one that is an outlier, may be the first sign of a change. They are
 * followed by a burst, which tells soon whether they were.
 */
#include "turn/measure.h"

#include <stdlib.h>
#include <string.h>

#define START_PROBES 5
#define BURST_PROBES 40
#define QUICK_US 50000
#define USED_US 250000
#define DEAD_US 1000000
#define IDLE_MIN_US 20000000
#define IDLE_SPREAD_US 5000000
/* An answer that comes later is missing at first. */
#define LATE_MIN_US 300000
#define LATE_MAX_US 1000000
#define FORGOTTEN_US 1500000
/* Dead: so many are missing, and they were not sent all in one gap that will end. */
#define DEAD_AFTER 3
#define GAP_US 800000
#define ALL_LOST_64 64000
#define LOSS_SAMPLES 44
#define OUTLIER 3 /* times the MAD */
#define MAD_MIN_US 500
#define CHANGED_AFTER 5 /* outliers in a row */

static uint32_t distance(uint32_t a, uint32_t b)
{
	return a > b ? a - b : b - a;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static uint32_t median(uint32_t *values, unsigned n)
{
	qsort(values, n, sizeof *values, compare);
	return values[n / 2];
}

void wice__measure_init(WiceMeasure *measure, int64_t now_us)
{
	*measure = (WiceMeasure){ .quick = START_PROBES, .next_us = now_us };
}

static int64_t interval_us(const WiceMeasure *measure, const uint8_t id[12])
{
	if (measure->dead)
		return DEAD_US;
	if (measure->quick || measure->unanswered)
		return QUICK_US;
	if (measure->used)
		return USED_US;
	return IDLE_MIN_US + (id[0] * IDLE_SPREAD_US) / 256;
}

static void burst(WiceMeasure *measure, int64_t now_us)
{
	if (measure->quick < BURST_PROBES)
		measure->quick = BURST_PROBES;
	if (!measure->dead && measure->next_us > now_us + QUICK_US)
		measure->next_us = now_us + QUICK_US;
}

/* The one that was sent longest ago makes room. */
static unsigned slot_to_take(const WiceMeasure *measure)
{
	unsigned slot = 0;
	for (unsigned i = 0; i < WICE_MEASURE_PENDING; i++)
		if (measure->pending[i].sent_us < measure->pending[slot].sent_us)
			slot = i;
	return slot;
}

bool wice__measure_due(WiceMeasure *measure, int64_t now_us,
		       void (*fill_random)(void *buffer, size_t len), uint8_t ret_id[12])
{
	wice__measure_expire(measure, now_us);
	if (now_us < measure->next_us)
		return false;
	unsigned slot = slot_to_take(measure);
	fill_random(measure->pending[slot].id, sizeof measure->pending[slot].id);
	measure->pending[slot].sent_us = now_us ? now_us : 1;
	measure->pending[slot].answered = false;
	measure->pending[slot].missed = measure->pending[slot].counted = false;
	memcpy(ret_id, measure->pending[slot].id, sizeof measure->pending[slot].id);
	measure->next_us = now_us + interval_us(measure, ret_id);
	if (measure->quick)
		measure->quick--;
	return true;
}

static void set_loss(WiceMeasure *measure, int32_t loss_64)
{
	measure->loss_64 = loss_64 > 0 ? (uint32_t)loss_64 : 0;
	measure->loss_permille = measure->loss_64 / 64;
}

/* In permille with six bits behind the point. */
static void smooth_loss(WiceMeasure *measure, bool lost)
{
	int32_t sample = lost ? ALL_LOST_64 : 0, loss = (int32_t)measure->loss_64;
	set_loss(measure, loss + (sample - loss) / LOSS_SAMPLES);
}

/* The probe before this one is missing, too. */
static bool is_in_gap(const WiceMeasure *measure, unsigned slot)
{
	int64_t sent_us = measure->pending[slot].sent_us, before_us = 0;
	bool missed = false;
	for (unsigned i = 0; i < WICE_MEASURE_PENDING; i++) {
		int64_t other_us = measure->pending[i].sent_us;
		if (other_us <= before_us || other_us >= sent_us)
			continue;
		before_us = other_us;
		missed = measure->pending[i].missed;
	}
	return missed;
}

static void count_lost(WiceMeasure *measure, unsigned slot, int64_t now_us)
{
	int64_t sent_us = measure->pending[slot].sent_us;
	measure->pending[slot].missed = true;
	measure->pending[slot].counted = !is_in_gap(measure, slot);
	if (measure->pending[slot].counted)
		smooth_loss(measure, true);
	if (measure->unanswered++ == 0)
		measure->silent_at_us = sent_us;
	if (measure->unanswered >= DEAD_AFTER && sent_us - measure->silent_at_us >= GAP_US) {
		measure->dead = true;
		set_loss(measure, ALL_LOST_64);
	}
	burst(measure, now_us);
}

/* Back from the dead, it is not as good as if nothing had been. */
static void count_answer(WiceMeasure *measure, bool was_counted, int64_t now_us)
{
	measure->unanswered = 0;
	if (measure->dead) {
		measure->dead = false;
		set_loss(measure, ALL_LOST_64 / 2);
		burst(measure, now_us);
	} else if (was_counted) {
		set_loss(measure, (int32_t)measure->loss_64 - ALL_LOST_64 / LOSS_SAMPLES);
	}
	smooth_loss(measure, false);
}

static bool is_outlier(WiceMeasure *measure, uint32_t rtt_us)
{
	uint32_t values[WICE_MEASURE_WINDOW];
	unsigned n = measure->n_window;
	if (n < WICE_MEASURE_WINDOW / 2)
		return false;
	memcpy(values, measure->window, n * sizeof values[0]);
	uint32_t middle = median(values, n);
	for (unsigned i = 0; i < n; i++)
		values[i] = distance(measure->window[i], middle);
	uint32_t mad = median(values, n);
	return distance(rtt_us, middle) > OUTLIER * (mad > MAD_MIN_US ? mad : MAD_MIN_US);
}

static void smooth(WiceMeasure *measure, uint32_t rtt_us)
{
	if (!measure->has_rtt) {
		measure->has_rtt = true;
		measure->rtt_us = rtt_us;
		measure->deviation_us = rtt_us / 2;
		return;
	}
	uint32_t error = distance(rtt_us, measure->rtt_us);
	measure->deviation_us = (uint32_t)((3 * (uint64_t)measure->deviation_us + error) / 4);
	measure->rtt_us = (uint32_t)((7 * (uint64_t)measure->rtt_us + rtt_us) / 8);
}

static void remember(WiceMeasure *measure, uint32_t rtt_us)
{
	measure->window[measure->at_window] = rtt_us;
	measure->at_window = (measure->at_window + 1) % WICE_MEASURE_WINDOW;
	if (measure->n_window < WICE_MEASURE_WINDOW)
		measure->n_window++;
}

/* The last ones are all that counts. */
static void begin_anew(WiceMeasure *measure)
{
	uint32_t values[CHANGED_AFTER], sorted[CHANGED_AFTER];
	for (unsigned i = 0; i < CHANGED_AFTER; i++)
		values[i] = measure->window[(measure->at_window + WICE_MEASURE_WINDOW -
					     CHANGED_AFTER + i) %
					    WICE_MEASURE_WINDOW];
	memcpy(sorted, values, sizeof sorted);
	measure->rtt_us = median(sorted, CHANGED_AFTER);
	measure->deviation_us = measure->rtt_us / 2;
	measure->n_window = measure->at_window = measure->outliers = 0;
	for (unsigned i = 0; i < CHANGED_AFTER; i++)
		remember(measure, values[i]);
}

static void take(WiceMeasure *measure, uint32_t rtt_us, int64_t now_us)
{
	bool outlier = is_outlier(measure, rtt_us);
	remember(measure, rtt_us);
	if (!outlier) {
		measure->outliers = 0;
		smooth(measure, rtt_us);
		return;
	}
	if (++measure->outliers == CHANGED_AFTER)
		begin_anew(measure);
	burst(measure, now_us);
}

bool wice__measure_answered(WiceMeasure *measure, const uint8_t id[12], int64_t now_us)
{
	for (unsigned i = 0; i < WICE_MEASURE_PENDING; i++) {
		int64_t sent = measure->pending[i].sent_us;
		if (!sent || measure->pending[i].answered ||
		    memcmp(measure->pending[i].id, id, 12) != 0)
			continue;
		measure->pending[i].answered = true;
		count_answer(measure, measure->pending[i].counted, now_us);
		take(measure, now_us > sent ? (uint32_t)(now_us - sent) : 0, now_us);
		return true;
	}
	return false;
}

static int64_t late_us(const WiceMeasure *measure)
{
	int64_t late = measure->rtt_us + 4 * (int64_t)measure->deviation_us;
	if (!measure->has_rtt || late > LATE_MAX_US)
		return LATE_MAX_US;
	return late < LATE_MIN_US ? LATE_MIN_US : late;
}

static bool is_awaited(const WiceMeasure *measure, unsigned slot)
{
	return measure->pending[slot].sent_us && !measure->pending[slot].missed &&
	       !measure->pending[slot].answered;
}

/* The one that was sent first of those that are due to be missed, or -1. */
static int next_missed(const WiceMeasure *measure, int64_t now_us)
{
	int64_t late = late_us(measure);
	int next = -1;
	for (unsigned i = 0; i < WICE_MEASURE_PENDING; i++) {
		int64_t sent = measure->pending[i].sent_us;
		if (is_awaited(measure, i) && now_us - sent >= late &&
		    (next < 0 || sent < measure->pending[next].sent_us))
			next = (int)i;
	}
	return next;
}

void wice__measure_expire(WiceMeasure *measure, int64_t now_us)
{
	for (int slot; (slot = next_missed(measure, now_us)) >= 0;)
		count_lost(measure, (unsigned)slot, now_us);
	for (int i = 0; i < WICE_MEASURE_PENDING; i++)
		if (now_us - measure->pending[i].sent_us >= FORGOTTEN_US)
			measure->pending[i].sent_us = 0;
}

void wice__measure_hurry(WiceMeasure *measure, int64_t now_us)
{
	measure->quick = BURST_PROBES;
	if (measure->next_us > now_us)
		measure->next_us = now_us;
}

void wice__measure_set_used(WiceMeasure *measure, bool used, int64_t now_us)
{
	measure->used = used;
	if (used && measure->next_us > now_us + USED_US)
		measure->next_us = now_us;
}

int64_t wice__measure_deadline_us(const WiceMeasure *measure)
{
	int64_t deadline = measure->next_us, late = late_us(measure);
	for (unsigned i = 0; i < WICE_MEASURE_PENDING; i++) {
		int64_t sent = measure->pending[i].sent_us;
		if (is_awaited(measure, i) && sent + late < deadline)
			deadline = sent + late;
	}
	return deadline;
}

bool wice__measure_is_dead(const WiceMeasure *measure)
{
	return measure->dead;
}
