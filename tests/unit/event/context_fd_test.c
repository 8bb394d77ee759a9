/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "event/context_fd.h"
#include "event/source.h"
#include "suite.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <stdbool.h>
#include <unistd.h>

#define DEADLINE_MS 60000

typedef struct {
	WiceContextFd *context;
	GMainContext *inner;
	unsigned n_calls;
} Bed;

static void set_up(Bed *bed)
{
	g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_WARNING | G_LOG_LEVEL_CRITICAL);
	*bed = (Bed){ .n_calls = 0 };
	ck_assert_int_eq(wice__context_fd_new(&bed->context), 0);
	bed->inner = wice__context_fd_inner(bed->context);
}

static void tear_down(Bed *bed)
{
	wice__context_fd_free(bed->context);
}

static void called(void *user_data)
{
	((Bed *)user_data)->n_calls++;
}

/* False if there was nothing to do for so long. */
static bool wait_and_run(Bed *bed, int ms)
{
	struct pollfd pollfd = { .fd = wice__context_fd_get(bed->context), .events = POLLIN };
	if (poll(&pollfd, 1, ms) <= 0)
		return false;
	wice__context_fd_run(bed->context);
	return true;
}

static void run_until(Bed *bed, unsigned n)
{
	int64_t deadline = wice__now_ms() + DEADLINE_MS;
	while (bed->n_calls < n && wice__now_ms() < deadline)
		wait_and_run(bed, 1000);
	ck_assert_uint_ge(bed->n_calls, n);
}

/* Takes up what has been attached; then nothing happens by itself. */
static void settle(Bed *bed)
{
	while (wait_and_run(bed, 100))
		;
}

START_TEST(timers_make_it_readable)
{
	Bed bed;
	set_up(&bed);
	WiceTimer *timer = wice__timer_new(bed.inner, called, &bed);
	settle(&bed);
	for (unsigned n = 1; n <= 5; n++) {
		wice__timer_set(timer, wice__now_ms() + 5);
		run_until(&bed, n);
	}
	wice__timer_set(timer, 0);
	run_until(&bed, 6);
	wice__timer_set(timer, wice__now_ms() + DEADLINE_MS);
	settle(&bed);
	wice__timer_set(timer, INT64_MAX);
	settle(&bed);
	ck_assert(!wait_and_run(&bed, 300));
	ck_assert_uint_eq(bed.n_calls, 6);
	wice__timer_free(timer);
	tear_down(&bed);
}
END_TEST

static gpointer set_timer(gpointer timer)
{
	g_usleep(20000);
	wice__timer_set(timer, 0);
	return NULL;
}

START_TEST(another_thread_may_wake_it)
{
	Bed bed;
	set_up(&bed);
	WiceTimer *timer = wice__timer_new(bed.inner, called, &bed);
	settle(&bed);
	GThread *thread = g_thread_new("waker", set_timer, timer);
	run_until(&bed, 1);
	g_thread_join(thread);
	wice__timer_free(timer);
	tear_down(&bed);
}
END_TEST

static void read_byte(int fd, GIOCondition condition, void *user_data)
{
	char byte;
	ck_assert_int_eq(read(fd, &byte, 1), 1);
	called(user_data);
}

START_TEST(descriptors_make_it_readable)
{
	Bed bed;
	int pipes[2];
	set_up(&bed);
	ck_assert(g_unix_open_pipe(pipes, FD_CLOEXEC, NULL));
	WiceFdWatch *watch = wice__fd_watch_new(bed.inner, pipes[0], G_IO_IN, read_byte, &bed);
	settle(&bed);
	for (unsigned n = 1; n <= 5; n++) {
		ck_assert_int_eq(write(pipes[1], "", 1), 1);
		run_until(&bed, n);
	}
	settle(&bed);
	ck_assert_uint_eq(bed.n_calls, 5);
	wice__fd_watch_free(watch);
	close(pipes[0]);
	close(pipes[1]);
	tear_down(&bed);
}
END_TEST

/* The descriptor stays the same when the one behind it is replaced. */
START_TEST(a_duplicate_of_a_closed_descriptor_does_not_keep_it_readable)
{
	Bed bed;
	int pipes[2];
	set_up(&bed);
	int fd = wice__context_fd_get(bed.context);
	ck_assert(g_unix_open_pipe(pipes, FD_CLOEXEC, NULL));
	WiceFdWatch *watch = wice__fd_watch_new(bed.inner, pipes[0], G_IO_IN, read_byte, &bed);
	settle(&bed);
	int copy = fcntl(pipes[0], F_DUPFD_CLOEXEC, 0);
	close(pipes[0]);
	wice__fd_watch_free(watch);
	settle(&bed);
	ck_assert_int_eq(write(pipes[1], "", 1), 1);
	settle(&bed);
	ck_assert_int_eq(wice__context_fd_get(bed.context), fd);
	WiceTimer *timer = wice__timer_new(bed.inner, called, &bed);
	wice__timer_set(timer, wice__now_ms() + 5);
	run_until(&bed, 1);
	watch = wice__fd_watch_new(bed.inner, copy, G_IO_IN, read_byte, &bed);
	run_until(&bed, 2);
	wice__fd_watch_free(watch);
	wice__timer_free(timer);
	close(copy);
	close(pipes[1]);
	tear_down(&bed);
}
END_TEST

static void run_and_free(void *user_data)
{
	Bed *bed = user_data;
	bed->n_calls++;
	wice__context_fd_run(bed->context); /* does nothing */
	wice__context_fd_free(bed->context);
	bed->context = NULL;
}

START_TEST(it_may_be_freed_in_a_callback_of_its_own)
{
	Bed bed;
	set_up(&bed);
	WiceTimer *timer = wice__timer_new(bed.inner, run_and_free, &bed);
	wice__timer_set(timer, 0);
	ck_assert(wait_and_run(&bed, DEADLINE_MS));
	ck_assert_uint_eq(bed.n_calls, 1);
	ck_assert_ptr_null(bed.context);
	wice__timer_free(timer);
	tear_down(&bed);
}
END_TEST

SUITE_MAIN("context descriptor", timers_make_it_readable, another_thread_may_wake_it,
	   descriptors_make_it_readable,
	   a_duplicate_of_a_closed_descriptor_does_not_keep_it_readable,
	   it_may_be_freed_in_a_callback_of_its_own)
