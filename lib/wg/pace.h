/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_PACE_H
#define WICE_WG_PACE_H

#include <stdbool.h>
#include <wice/watch.h>

/*
 * Which device to read when. Devices are read one at a time; times are milliseconds of a clock
 * that does not jump.
 */
typedef struct WicePace WicePace;

/* The name of what is no device but the list of them: never polled, but tried until it works. */
#define WICE_PACE_LIST ""

/* Periods in milliseconds; slow may be UINT_MAX: never. */
WicePace *wice__pace_new(unsigned fast_ms, unsigned slow_ms);
/* NULL is fine. */
void wice__pace_free(WicePace *pace);

/* Something may have happened to this device, which need not be known yet: it is read soon. */
void wice__pace_hint(WicePace *pace, const char *name);
void wice__pace_hint_all(WicePace *pace);
/* The same for one that was listed: if it is new here, its peers may be old. */
void wice__pace_found(WicePace *pace, const char *name);
/* Something is going on with it (NULL: with all): it is read soon, and fast until then. */
void wice__pace_hurry(WicePace *pace, const char *name, int64_t until_ms);

/*
 * Which one to read now, or NULL: none yet. Nothing more is started until it is _done(). The name
 * is valid until then.
 */
const char *wice__pace_start(WicePace *pace, int64_t now_ms);

typedef enum {
	WICE_PACE_READ = 1,
	WICE_PACE_GONE,   /* there is no such device: it is forgotten */
	WICE_PACE_FAILED, /* it is tried again, ever more rarely */
} WicePaceOutcome;

/* cost_us: the time that was spent on it. */
void wice__pace_done(WicePace *pace, WicePaceOutcome outcome, int64_t cost_us, int64_t now_ms);

/* What the device that is being read turned out to have been through; before _done(). */
void wice__pace_observe(WicePace *pace, const WiceWatchEvent *event, int64_t now_ms);

/*
 * The device that is being read tells of all that happens to it, or no longer does: it need not be
 * polled. Before _done().
 */
void wice__pace_set_telling(WicePace *pace, bool telling);

/* When to call _start() again; INT64_MAX: not before something else has been called. */
int64_t wice__pace_deadline(const WicePace *pace, int64_t now_ms);

#endif
