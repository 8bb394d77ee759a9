/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The smoothing is TCP's (RFC 6298 section 2.3): an eighth of each round trip, a quarter of each
 * deviation. Loss is smoothed likewise, a sixteenth of each probe, but that several in a row are
 * missing is believed at once.
 *
 * What is no measure of the way (this process was not scheduled, a radio had to wake up) is told by
 * the median of the last 16 and the median of the distances to it (MAD): what is further away than
 * three of those counts as an answer, and not as a round trip. A way that has really become longer
 * moves the median within half a window.
 */
#include "turn/measure.h"

#include <stdlib.h>
#include <string.h>

#define QUICK_PROBES 5
#define QUICK_US 200000
#define HURRY_US 250000 /* answers are missing */
#define USED_US 1000000
#define IDLE_MIN_US 20000000
#define IDLE_SPREAD_US 5000000
#define LOST_AFTER_US 1000000
#define DEAD_AFTER 3
#define OUTLIER 3 /* times the MAD */
#define MAD_MIN_US 500

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
	*measure = (WiceMeasure){ .quick = QUICK_PROBES, .next_us = now_us };
}

static int64_t interval_us(const WiceMeasure *measure, const uint8_t id[12])
{
	if (measure->unanswered)
		return measure->unanswered < DEAD_AFTER ? HURRY_US : USED_US;
	if (measure->quick)
		return QUICK_US;
	if (measure->used)
		return USED_US;
	return IDLE_MIN_US + (id[0] * IDLE_SPREAD_US) / 256;
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
	memcpy(ret_id, measure->pending[slot].id, sizeof measure->pending[slot].id);
	measure->next_us = now_us + interval_us(measure, ret_id);
	if (measure->quick)
		measure->quick--;
	return true;
}

static void count(WiceMeasure *measure, bool lost)
{
	uint32_t sample = lost ? 1000 * 64 : 0; /* with six bits behind the point */
	measure->loss_64 = (uint32_t)((int32_t)measure->loss_64 +
				      ((int32_t)sample - (int32_t)measure->loss_64) / 16);
	measure->loss_permille = measure->loss_64 / 64;
	measure->unanswered = lost ? measure->unanswered + 1 : 0;
	if (measure->unanswered >= DEAD_AFTER)
		measure->loss_64 = 1000 * 64;
	else if (!lost && measure->was_dead)
		measure->loss_64 = 500 * 64;
	measure->was_dead = measure->unanswered >= DEAD_AFTER;
	measure->loss_permille = measure->loss_64 / 64;
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

static void take(WiceMeasure *measure, uint32_t rtt_us)
{
	bool outlier = is_outlier(measure, rtt_us);
	measure->window[measure->at_window] = rtt_us;
	measure->at_window = (measure->at_window + 1) % WICE_MEASURE_WINDOW;
	if (measure->n_window < WICE_MEASURE_WINDOW)
		measure->n_window++;
	if (!outlier)
		smooth(measure, rtt_us);
}

bool wice__measure_answered(WiceMeasure *measure, const uint8_t id[12], int64_t now_us)
{
	for (unsigned i = 0; i < WICE_MEASURE_PENDING; i++) {
		int64_t sent = measure->pending[i].sent_us;
		if (!sent || memcmp(measure->pending[i].id, id, 12) != 0)
			continue;
		measure->pending[i].sent_us = 0;
		count(measure, false);
		take(measure, now_us > sent ? (uint32_t)(now_us - sent) : 0);
		return true;
	}
	return false;
}

void wice__measure_expire(WiceMeasure *measure, int64_t now_us)
{
	for (unsigned i = 0; i < WICE_MEASURE_PENDING; i++) {
		int64_t sent = measure->pending[i].sent_us;
		if (!sent || now_us - sent < LOST_AFTER_US)
			continue;
		measure->pending[i].sent_us = 0;
		count(measure, true);
		if (measure->next_us > now_us + HURRY_US)
			measure->next_us = now_us;
	}
}

void wice__measure_hurry(WiceMeasure *measure, int64_t now_us)
{
	measure->quick = QUICK_PROBES;
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
	int64_t deadline = measure->next_us;
	for (unsigned i = 0; i < WICE_MEASURE_PENDING; i++) {
		int64_t sent = measure->pending[i].sent_us;
		if (sent && sent + LOST_AFTER_US < deadline)
			deadline = sent + LOST_AFTER_US;
	}
	return deadline;
}

bool wice__measure_is_dead(const WiceMeasure *measure)
{
	return measure->unanswered >= DEAD_AFTER;
}
