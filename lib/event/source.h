/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_EVENT_SOURCE_H
#define WICE_EVENT_SOURCE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Milliseconds of CLOCK_MONOTONIC: the `now` that pure cores are given. */
int64_t wice__now_ms(void);
/* Milliseconds since 1970. */
int64_t wice__realtime_ms(void);
/* Milliseconds that the machine has slept since it was started: they are not in wice__now_ms(). */
int64_t wice__slept_ms(void);
/* Microseconds of processor time that this thread has taken. */
int64_t wice__thread_us(void);

/*
 * A deadline that calls back when it has passed: one source that is moved, not re-made. Deadlines
 * are in wice__now_ms() time. The callback may move the timer or free it.
 */
typedef struct WiceTimer WiceTimer;
typedef void (*WiceTimerFunc)(void *user_data);
WiceTimer *wice__timer_new(GMainContext *context, WiceTimerFunc func, void *user_data);
void wice__timer_set(WiceTimer *timer, int64_t deadline_ms); /* INT64_MAX: never */
void wice__timer_free(WiceTimer *timer);

/*
 * Calls back while fd has one of the conditions. Does not own fd. The callback may free the watch.
 */
typedef struct WiceFdWatch WiceFdWatch;
typedef void (*WiceFdFunc)(int fd, GIOCondition condition, void *user_data);
WiceFdWatch *wice__fd_watch_new(GMainContext *context, int fd, GIOCondition condition,
				WiceFdFunc func, void *user_data);
void wice__fd_watch_set_condition(WiceFdWatch *watch, GIOCondition condition);
void wice__fd_watch_free(WiceFdWatch *watch);

/* Calls func once from the main loop, then destroy (may be NULL). */
void wice__idle_call(GMainContext *context, void (*func)(void *user_data), void *user_data,
		     GDestroyNotify destroy);

#endif
