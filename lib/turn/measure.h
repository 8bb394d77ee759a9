/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TURN_MEASURE_H
#define WICE_TURN_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How good the way to a server is, from probes (STUN Binding requests, each with an id of its own,
 * sent once): pure. Smoothed round trip and loss. Samples further than three median absolute
 * deviations from the median of the last ones are no measure of the way but of this host, unless
 * there are several in a row.
 */
#define WICE_MEASURE_WINDOW 16
#define WICE_MEASURE_PENDING 32

typedef struct {
	bool has_rtt;
	uint32_t rtt_us;        /* smoothed */
	uint32_t deviation_us;  /* likewise, of the round trip */
	uint32_t loss_permille; /* smoothed; 1000: nothing comes back */
	/* internal */
	bool used;
	bool dead;
	uint32_t loss_64; /* permille, times 64 */
	uint32_t window[WICE_MEASURE_WINDOW];
	unsigned n_window, at_window;
	unsigned outliers; /* in a row */
	struct {
		uint8_t id[12];
		bool answered;
		bool missed;     /* it may still come */
		bool counted;    /* as lost */
		int64_t sent_us; /* 0: unused */
	} pending[WICE_MEASURE_PENDING];
	uint32_t unanswered;  /* in a row */
	int64_t silent_at_us; /* when the first of these was sent */
	unsigned quick;       /* probes that are still sent quickly */
	int64_t next_us;
} WiceMeasure;

/* The first probes follow quickly on each other. */
void wice__measure_init(WiceMeasure *measure, int64_t now_us);
/*
 * True if a probe is due: send a request with this transaction id. Adaptive: quick at first and
 * when something seems to have changed, else four each second while it is used, and every 20 to 25
 * s while it is not (which keeps a NAT's mapping, too).
 */
bool wice__measure_due(WiceMeasure *measure, int64_t now_us,
		       void (*fill_random)(void *buffer, size_t len), uint8_t ret_id[12]);
/* True if that was a probe of ours. */
bool wice__measure_answered(WiceMeasure *measure, const uint8_t id[12], int64_t now_us);
/* Counts those that will not come any more; to be called at the deadline. */
void wice__measure_expire(WiceMeasure *measure, int64_t now_us);
/* Asks quickly again: the network has changed, traffic over it was seen to get lost. */
void wice__measure_hurry(WiceMeasure *measure, int64_t now_us);
/*
 * Packets of ours go over it: what becomes bad is to be noticed at once. That costs 200 bytes each
 * second each way.
 */
void wice__measure_set_used(WiceMeasure *measure, bool used, int64_t now_us);
/* When to ask wice__measure_due() next. */
int64_t wice__measure_deadline_us(const WiceMeasure *measure);
/* Answers are missing in a row: it is not to be used while there is another. */
bool wice__measure_is_dead(const WiceMeasure *measure);

#endif
