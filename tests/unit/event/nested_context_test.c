/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "event/context_pool.h"
#include "event/nested_context.h"
#include "event/source.h"
#include "suite.h"

#include <dirent.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEADLINE_MS 60000

typedef struct {
	GMainContext *outer;
	WiceNestedContext *nested;
	GMainContext *inner;
	GThread *thread;
	unsigned n_calls;
} Bed;

static void set_up(Bed *bed)
{
	g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_WARNING | G_LOG_LEVEL_CRITICAL);
	*bed = (Bed){ .outer = g_main_context_new(), .thread = g_thread_self() };
	ck_assert_int_eq(wice__nested_context_new(bed->outer, &bed->nested), 0);
	bed->inner = wice__nested_context_inner(bed->nested);
}

static void tear_down(Bed *bed)
{
	wice__nested_context_free(bed->nested);
	g_main_context_unref(bed->outer);
}

static void called(void *user_data)
{
	Bed *bed = user_data;
	ck_assert_ptr_eq(g_thread_self(), bed->thread);
	ck_assert(g_main_context_is_owner(bed->outer));
	bed->n_calls++;
}

static void passed(void *user_data)
{
	*(bool *)user_data = true;
}

/* Runs the outer context until there have been n calls. */
static void run_until(Bed *bed, unsigned n)
{
	bool late = false;
	WiceTimer *timer = wice__timer_new(bed->outer, passed, &late);
	wice__timer_set(timer, wice__now_ms() + DEADLINE_MS);
	while (bed->n_calls < n && !late)
		g_main_context_iteration(bed->outer, TRUE);
	wice__timer_free(timer);
	ck_assert_uint_ge(bed->n_calls, n);
}

/* Returns the number of iterations. */
static unsigned linger(Bed *bed, unsigned ms)
{
	bool over = false;
	unsigned n = 0;
	WiceTimer *timer = wice__timer_new(bed->outer, passed, &over);
	wice__timer_set(timer, wice__now_ms() + ms);
	while (!over) {
		g_main_context_iteration(bed->outer, TRUE);
		n++;
	}
	wice__timer_free(timer);
	return n;
}

static void read_byte(int fd, GIOCondition condition, void *user_data)
{
	char byte;
	ck_assert_int_eq(read(fd, &byte, 1), 1);
	called(user_data);
}

typedef struct {
	int ends[2];
	WiceFdWatch *watch; /* of ends[0] */
} Pipe;

static void pipe_open(Bed *bed, Pipe *self)
{
	ck_assert_int_eq(pipe2(self->ends, O_CLOEXEC | O_NONBLOCK), 0);
	self->watch = wice__fd_watch_new(bed->inner, self->ends[0], G_IO_IN, read_byte, bed);
}

static void pipe_write(const Pipe *self)
{
	ck_assert_int_eq(write(self->ends[1], "x", 1), 1);
}

static void pipe_close(Pipe *self)
{
	wice__fd_watch_free(self->watch);
	close(self->ends[0]);
	close(self->ends[1]);
}

static unsigned count_descriptors(void)
{
	unsigned n = 0;
	DIR *folder = opendir("/proc/self/fd");
	while (readdir(folder))
		n++;
	closedir(folder);
	return n;
}

START_TEST(timers_fire_on_the_thread_of_the_outer_context)
{
	Bed bed;
	set_up(&bed);
	WiceTimer *timer = wice__timer_new(bed.inner, called, &bed);
	int64_t due = wice__now_ms() + 30;
	wice__timer_set(timer, due);
	run_until(&bed, 1);
	ck_assert_int_ge(wice__now_ms(), due);
	wice__timer_set(timer, 0);
	run_until(&bed, 2);
	wice__timer_free(timer);
	tear_down(&bed);
}
END_TEST

START_TEST(a_timer_that_is_moved_from_outside_is_followed)
{
	Bed bed;
	set_up(&bed);
	WiceTimer *timer = wice__timer_new(bed.inner, called, &bed);
	wice__timer_set(timer, wice__now_ms() + 1000000);
	linger(&bed, 10);
	wice__timer_set(timer, wice__now_ms() + 20);
	run_until(&bed, 1);
	wice__timer_set(timer, wice__now_ms() + 20);
	wice__timer_set(timer, INT64_MAX);
	linger(&bed, 60);
	ck_assert_uint_eq(bed.n_calls, 1);
	wice__timer_free(timer);
	tear_down(&bed);
}
END_TEST

START_TEST(descriptors_fire_as_often_as_they_are_ready)
{
	Bed bed;
	set_up(&bed);
	Pipe pipe;
	pipe_open(&bed, &pipe);
	linger(&bed, 10);
	for (unsigned i = 1; i <= 20; i++) {
		pipe_write(&pipe);
		run_until(&bed, i);
	}
	linger(&bed, 10);
	ck_assert_uint_eq(bed.n_calls, 20);
	wice__fd_watch_set_condition(pipe.watch, 0);
	pipe_write(&pipe);
	linger(&bed, 20);
	ck_assert_uint_eq(bed.n_calls, 20);
	wice__fd_watch_set_condition(pipe.watch, G_IO_IN);
	run_until(&bed, 21);
	pipe_close(&pipe);
	tear_down(&bed);
}
END_TEST

typedef struct {
	Bed *bed;
	WiceTimer *timer;
	Pipe pipe;
} Chain;

static void open_pipe_in_callback(void *user_data)
{
	Chain *chain = user_data;
	called(chain->bed);
	pipe_open(chain->bed, &chain->pipe);
	pipe_write(&chain->pipe);
	wice__idle_call(chain->bed->inner, called, chain->bed, NULL);
}

START_TEST(what_a_callback_attaches_runs)
{
	Bed bed;
	set_up(&bed);
	Chain chain = { .bed = &bed };
	chain.timer = wice__timer_new(bed.inner, open_pipe_in_callback, &chain);
	wice__timer_set(chain.timer, 0);
	run_until(&bed, 3);
	wice__timer_free(chain.timer);
	pipe_close(&chain.pipe);
	tear_down(&bed);
}
END_TEST

static gpointer attach_from_thread(gpointer user_data)
{
	Bed *bed = user_data;
	g_usleep(20000);
	wice__idle_call(bed->inner, called, bed, NULL);
	return NULL;
}

START_TEST(what_another_thread_attaches_runs_on_the_thread_of_the_outer_context)
{
	Bed bed;
	set_up(&bed);
	GThread *thread = g_thread_new("attach", attach_from_thread, &bed);
	run_until(&bed, 1);
	g_thread_join(thread);
	tear_down(&bed);
}
END_TEST

typedef struct {
	Bed *bed;
	Pipe pipes[2];
} Rivals;

static void close_the_other(int fd, GIOCondition condition, void *user_data)
{
	Rivals *rivals = user_data;
	called(rivals->bed);
	Pipe *other = &rivals->pipes[fd == rivals->pipes[0].ends[0]];
	wice__fd_watch_free(other->watch);
	other->watch = NULL;
}

START_TEST(a_descriptor_that_a_callback_gives_up_is_not_dispatched)
{
	Bed bed;
	set_up(&bed);
	Rivals rivals = { .bed = &bed };
	for (unsigned i = 0; i < 2; i++) {
		pipe_open(&bed, &rivals.pipes[i]);
		wice__fd_watch_free(rivals.pipes[i].watch);
		rivals.pipes[i].watch = wice__fd_watch_new(bed.inner, rivals.pipes[i].ends[0],
							   G_IO_IN, close_the_other, &rivals);
	}
	for (unsigned i = 0; i < 2; i++)
		pipe_write(&rivals.pipes[i]);
	run_until(&bed, 1);
	ck_assert((rivals.pipes[0].watch == NULL) != (rivals.pipes[1].watch == NULL));
	run_until(&bed, 5); /* the other's byte is never read */
	for (unsigned i = 0; i < 2; i++)
		pipe_close(&rivals.pipes[i]);
	tear_down(&bed);
}
END_TEST

static void free_nested(void *user_data)
{
	Bed *bed = user_data;
	called(bed);
	wice__nested_context_free(bed->nested);
	bed->nested = NULL;
}

START_TEST(it_may_be_freed_in_a_callback_of_its_own)
{
	Bed bed;
	set_up(&bed);
	g_main_context_ref(bed.inner);
	WiceTimer *timer = wice__timer_new(bed.inner, free_nested, &bed);
	WiceTimer *later = wice__timer_new(bed.inner, called, &bed);
	wice__timer_set(timer, 0);
	run_until(&bed, 1);
	wice__timer_set(later, 0);
	linger(&bed, 20);
	ck_assert_uint_eq(bed.n_calls, 1);
	wice__timer_free(timer);
	wice__timer_free(later);
	g_main_context_unref(bed.inner);
	tear_down(&bed);
}
END_TEST

static void run_outer(void *user_data)
{
	Bed *bed = user_data;
	called(bed);
	run_until(bed, bed->n_calls + 1);
}

START_TEST(a_callback_may_run_the_outer_context)
{
	Bed bed;
	set_up(&bed);
	WiceTimer *runner = wice__timer_new(bed.inner, run_outer, &bed);
	WiceTimer *other = wice__timer_new(bed.inner, called, &bed);
	wice__timer_set(runner, 0);
	wice__timer_set(other, wice__now_ms() + 20);
	run_until(&bed, 2);
	wice__timer_set(other, 0);
	run_until(&bed, 3);
	wice__timer_free(runner);
	wice__timer_free(other);
	tear_down(&bed);
}
END_TEST

static void check_thread_default(void *user_data)
{
	Bed *bed = user_data;
	ck_assert_ptr_eq(g_main_context_get_thread_default(), bed->outer);
	called(bed);
}

START_TEST(callbacks_see_the_thread_default_context_of_the_caller)
{
	Bed bed;
	set_up(&bed);
	WiceTimer *timer = wice__timer_new(bed.inner, check_thread_default, &bed);
	wice__timer_set(timer, 0);
	g_main_context_push_thread_default(bed.outer);
	run_until(&bed, 1);
	g_main_context_pop_thread_default(bed.outer);
	wice__timer_free(timer);
	tear_down(&bed);
}
END_TEST

static gboolean again(gpointer user_data)
{
	called(user_data);
	return G_SOURCE_CONTINUE;
}

START_TEST(what_is_always_ready_starves_nobody)
{
	Bed bed;
	set_up(&bed);
	GSource *busy = g_idle_source_new();
	g_source_set_priority(busy, G_PRIORITY_HIGH);
	g_source_set_callback(busy, again, &bed, NULL);
	g_source_attach(busy, bed.inner);
	unsigned n = linger(&bed, 50); /* whose end is a source of the outer context */
	ck_assert_uint_ge(bed.n_calls, 1);
	ck_assert_uint_le(bed.n_calls, 2 * n);
	g_source_destroy(busy);
	g_source_unref(busy);
	tear_down(&bed);
}
END_TEST

/* A few iterations of settling are fine; a busy loop makes tens of thousands. */
START_TEST(it_does_nothing_while_there_is_nothing_to_do)
{
	Bed bed;
	set_up(&bed);
	Pipe pipes[8];
	WiceTimer *timer = wice__timer_new(bed.inner, called, &bed);
	wice__timer_set(timer, wice__now_ms() + 1000000);
	for (unsigned i = 0; i < 8; i++) {
		pipe_open(&bed, &pipes[i]);
		pipe_write(&pipes[i]);
	}
	run_until(&bed, 8);
	linger(&bed, 20);
	ck_assert_uint_le(linger(&bed, 300), 10);
	for (unsigned i = 0; i < 8; i++)
		pipe_close(&pipes[i]);
	linger(&bed, 20);
	ck_assert_uint_le(linger(&bed, 300), 10);
	wice__timer_free(timer);
	tear_down(&bed);
}
END_TEST

START_TEST(a_number_that_comes_back_as_another_file_is_noticed)
{
	Bed bed;
	set_up(&bed);
	Pipe pipe;
	pipe_open(&bed, &pipe);
	linger(&bed, 10);
	for (unsigned i = 1; i <= 10; i++) {
		int number = pipe.ends[0];
		pipe_close(&pipe);
		pipe_open(&bed, &pipe);
		ck_assert_int_eq(pipe.ends[0], number);
		linger(&bed, 5);
		pipe_write(&pipe);
		run_until(&bed, i);
	}
	pipe_close(&pipe);
	tear_down(&bed);
}
END_TEST

/* The file stays in the epoll set, and ready, and the number that it is known by is no more. */
START_TEST(a_duplicate_of_a_closed_descriptor_makes_no_busy_loop)
{
	Bed bed;
	set_up(&bed);
	Pipe first, second;
	pipe_open(&bed, &first);
	linger(&bed, 10);
	int duplicate = fcntl(first.ends[0], F_DUPFD_CLOEXEC, 0);
	close(first.ends[0]);
	wice__fd_watch_free(first.watch);
	pipe_write(&first);
	linger(&bed, 20);
	ck_assert_uint_le(linger(&bed, 300), 10);
	ck_assert_uint_eq(bed.n_calls, 0);

	pipe_open(&bed, &second);
	linger(&bed, 10);
	pipe_write(&second);
	run_until(&bed, 1);
	ck_assert_uint_le(linger(&bed, 300), 10);
	pipe_close(&second);
	close(duplicate);
	close(first.ends[1]);
	tear_down(&bed);
}
END_TEST

static void read_file(int fd, GIOCondition condition, void *user_data)
{
	called(user_data);
}

START_TEST(what_epoll_does_not_take_is_looked_at_all_the_same)
{
	Bed bed;
	set_up(&bed);
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	WiceFdWatch *watch = wice__fd_watch_new(bed.inner, fd, G_IO_IN, read_file, &bed);
	run_until(&bed, 5);
	wice__fd_watch_free(watch);
	close(fd);
	linger(&bed, 50);
	ck_assert_uint_le(linger(&bed, 300), 10);
	tear_down(&bed);
}
END_TEST

START_TEST(a_thousand_lives_leave_nothing_behind)
{
	GMainContext *outer = g_main_context_new();
	g_main_context_iteration(outer, FALSE);
	unsigned before = count_descriptors();
	for (unsigned i = 0; i < 1000; i++) {
		Bed bed = { .outer = outer, .thread = g_thread_self() };
		ck_assert_int_eq(wice__nested_context_new(outer, &bed.nested), 0);
		bed.inner = wice__nested_context_inner(bed.nested);
		Pipe pipe;
		pipe_open(&bed, &pipe);
		pipe_write(&pipe);
		while (!bed.n_calls)
			g_main_context_iteration(outer, FALSE);
		pipe_close(&pipe);
		wice__nested_context_free(bed.nested);
	}
	ck_assert_uint_eq(count_descriptors(), before);
	g_main_context_unref(outer);
}
END_TEST

START_TEST(a_pool_gives_few_users_the_same_context_and_takes_all_back)
{
	enum { N = 3 * WICE_CONTEXT_POOL_SHARE };
	GMainContext *outer = g_main_context_new();
	g_main_context_iteration(outer, FALSE);
	unsigned before = count_descriptors();
	WiceContextPool *pool = wice__context_pool_new(outer);
	GMainContext *contexts[N];
	for (unsigned cycle = 0; cycle < 50; cycle++) {
		for (unsigned i = 0; i < N; i++) {
			contexts[i] = wice__context_pool_take(pool);
			unsigned shared = 0;
			for (unsigned k = 0; k < i; k++)
				shared += contexts[k] == contexts[i];
			ck_assert_uint_lt(shared, WICE_CONTEXT_POOL_SHARE);
		}
		ck_assert_uint_eq(count_descriptors(), before + 3 * 2);
		/* Gaps are filled before anything is added. */
		wice__context_pool_give(pool, contexts[cycle % N]);
		ck_assert_ptr_eq(wice__context_pool_take(pool), contexts[cycle % N]);
		for (unsigned i = 0; i < N; i++)
			wice__context_pool_give(pool, contexts[(i * 7) % N]);
		ck_assert_uint_eq(count_descriptors(), before);
	}
	wice__context_pool_give(pool, NULL);
	wice__context_pool_free(pool);
	g_main_context_unref(outer);
}
END_TEST

START_TEST(with_few_descriptors_left_a_pool_gives_the_outer_context)
{
	GMainContext *outer = g_main_context_new();
	WiceContextPool *pool = wice__context_pool_new(outer);
	int next = dup(STDOUT_FILENO);
	close(next);
	static const unsigned spares[] = { 0, 1, 30 };
	for (size_t i = 0; i < G_N_ELEMENTS(spares); i++) {
		struct rlimit limit = { 0 }, tight;
		ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
		tight = (struct rlimit){ .rlim_cur = (rlim_t)next + spares[i],
					 .rlim_max = limit.rlim_max };
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &tight), 0);
		GMainContext *context = wice__context_pool_take(pool);
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
		ck_assert_ptr_eq(context, outer);
		wice__context_pool_give(pool, context);
	}
	wice__context_pool_free(pool);
	g_main_context_unref(outer);
}
END_TEST

SUITE_MAIN("nested context", timers_fire_on_the_thread_of_the_outer_context,
	   a_timer_that_is_moved_from_outside_is_followed,
	   descriptors_fire_as_often_as_they_are_ready, what_a_callback_attaches_runs,
	   what_another_thread_attaches_runs_on_the_thread_of_the_outer_context,
	   a_descriptor_that_a_callback_gives_up_is_not_dispatched,
	   it_may_be_freed_in_a_callback_of_its_own, a_callback_may_run_the_outer_context,
	   callbacks_see_the_thread_default_context_of_the_caller,
	   what_is_always_ready_starves_nobody, it_does_nothing_while_there_is_nothing_to_do,
	   a_number_that_comes_back_as_another_file_is_noticed,
	   a_duplicate_of_a_closed_descriptor_makes_no_busy_loop,
	   what_epoll_does_not_take_is_looked_at_all_the_same,
	   a_thousand_lives_leave_nothing_behind,
	   a_pool_gives_few_users_the_same_context_and_takes_all_back,
	   with_few_descriptors_left_a_pool_gives_the_outer_context)
