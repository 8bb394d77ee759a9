/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "event/source.h"

#include <glib-unix.h>
#include <time.h>

int64_t wice__now_ms(void)
{
	return g_get_monotonic_time() / 1000;
}

int64_t wice__realtime_ms(void)
{
	return g_get_real_time() / 1000;
}

static int64_t clock_ms(clockid_t clock)
{
	struct timespec time;
	clock_gettime(clock, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

int64_t wice__slept_ms(void)
{
	return clock_ms(CLOCK_BOOTTIME) - clock_ms(CLOCK_MONOTONIC);
}

int64_t wice__thread_us(void)
{
	struct timespec time;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (int64_t)time.tv_sec * G_USEC_PER_SEC + time.tv_nsec / 1000;
}

/* The GSource itself is the timer; it stays attached and its ready time is moved. */
typedef struct {
	GSource source;
	WiceTimerFunc func;
	void *user_data;
} TimerSource;

struct WiceTimer {
	TimerSource timer;
};

static gboolean timer_dispatch(GSource *source, GSourceFunc callback, gpointer user_data)
{
	TimerSource *timer = (TimerSource *)source;
	g_source_set_ready_time(source, -1);
	timer->func(timer->user_data);
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs timer_funcs = { .dispatch = timer_dispatch };

WiceTimer *wice__timer_new(GMainContext *context, WiceTimerFunc func, void *user_data)
{
	GSource *source = g_source_new(&timer_funcs, sizeof(TimerSource));
	TimerSource *timer = (TimerSource *)source;
	timer->func = func;
	timer->user_data = user_data;
	g_source_set_ready_time(source, -1);
	g_source_attach(source, context);
	return (WiceTimer *)timer;
}

void wice__timer_set(WiceTimer *timer, int64_t deadline_ms)
{
	GSource *source = &timer->timer.source;
	g_source_set_ready_time(source, deadline_ms == INT64_MAX ? -1 : deadline_ms * 1000);
}

void wice__timer_free(WiceTimer *timer)
{
	if (!timer)
		return;
	g_source_destroy(&timer->timer.source);
	g_source_unref(&timer->timer.source);
}

struct WiceFdWatch {
	GSource *source;
	gpointer tag;
	WiceFdFunc func;
	void *user_data;
	int fd;
};

typedef struct {
	GSource source;
	WiceFdWatch *watch; /* NULL once the watch has been freed */
} FdSource;

static gboolean fd_dispatch(GSource *source, GSourceFunc callback, gpointer user_data)
{
	WiceFdWatch *watch = ((FdSource *)source)->watch;
	if (!watch)
		return G_SOURCE_REMOVE;
	watch->func(watch->fd, g_source_query_unix_fd(source, watch->tag), watch->user_data);
	return G_SOURCE_CONTINUE;
}

static gboolean fd_check(GSource *source)
{
	WiceFdWatch *watch = ((FdSource *)source)->watch;
	return watch && g_source_query_unix_fd(source, watch->tag) != 0;
}

static GSourceFuncs fd_funcs = { .check = fd_check, .dispatch = fd_dispatch };

WiceFdWatch *wice__fd_watch_new(GMainContext *context, int fd, GIOCondition condition,
				WiceFdFunc func, void *user_data)
{
	WiceFdWatch *watch = g_new0(WiceFdWatch, 1);
	watch->fd = fd;
	watch->func = func;
	watch->user_data = user_data;
	watch->source = g_source_new(&fd_funcs, sizeof(FdSource));
	((FdSource *)watch->source)->watch = watch;
	watch->tag = g_source_add_unix_fd(watch->source, fd, condition);
	g_source_attach(watch->source, context);
	return watch;
}

void wice__fd_watch_set_condition(WiceFdWatch *watch, GIOCondition condition)
{
	g_source_modify_unix_fd(watch->source, watch->tag, condition);
}

void wice__fd_watch_free(WiceFdWatch *watch)
{
	if (!watch)
		return;
	((FdSource *)watch->source)->watch = NULL;
	g_source_destroy(watch->source);
	g_source_unref(watch->source);
	g_free(watch);
}

typedef struct {
	void (*func)(void *user_data);
	void *user_data;
	GDestroyNotify destroy;
} IdleCall;

static gboolean idle_dispatch(gpointer data)
{
	IdleCall *call = data;
	call->func(call->user_data);
	return G_SOURCE_REMOVE;
}

static void idle_free(gpointer data)
{
	IdleCall *call = data;
	if (call->destroy)
		call->destroy(call->user_data);
	g_free(call);
}

void wice__idle_call(GMainContext *context, void (*func)(void *user_data), void *user_data,
		     GDestroyNotify destroy)
{
	IdleCall *call = g_new0(IdleCall, 1);
	call->func = func;
	call->user_data = user_data;
	call->destroy = destroy;
	GSource *source = g_idle_source_new();
	g_source_set_priority(source, G_PRIORITY_DEFAULT);
	g_source_set_callback(source, idle_dispatch, call, idle_free);
	g_source_attach(source, context);
	g_source_unref(source);
}
