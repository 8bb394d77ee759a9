/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls that do not wait. A job is what one call asked for and what came of it. A thread does
 * the work with the call that waits; the answer is an idle source of the caller's context.
 *
 *	start -> thread works -> answer        the usual way
 *	start -> cancelled -> answer           the thread's result is dropped when it comes
 *
 * Exactly one answer is attached: by the thread or by the cancelling, whoever is first
 * (`answered`). A job has two owners, the thread and the answer. The answer's part (user_data, the
 * watch of cancel) is touched on the context only, and goes with the source, also with a context
 * that is never run again. The job keeps the context, and the context the answer; so the thread
 * gives the context back when it has done its part.
 */
#include "event/cancel.h"
#include "wg/wg_private.h"

#include <wice/error.h>

typedef struct Job Job;
struct Job {
	gatomicrefcount refs;
	WiceWg *wg;

	/* Set before the thread starts. */
	void (*work)(Job *job);
	char *name;
	unsigned timeout_ms;
	WicePlan *plan;
	WiceLinkChange change;

	/* Written by the thread, read by the answer unless it was cancelled. */
	GError *error;
	char **names, **problems;
	WiceDevice *device;
	WiceLink *link;

	GMainContext *context; /* referenced until the thread has done its part */
	GMutex mutex;          /* guards these two */
	bool answered, cancelled;

	/* The answer's */
	WiceCancelWatch *watch;
	void (*report)(const Job *job, const GError *error);
	union {
		WiceWgListed listed;
		WiceWgGot got;
		WiceWgDone done;
		WiceWgGotLink got_link;
	} func;
	void *user_data;
	GDestroyNotify destroy;
};

static void clear_change(WiceLinkChange *change)
{
	g_free((char *)change->new_name);
	g_free((WiceInterfaceAddress *)change->add);
	g_free((WiceInterfaceAddress *)change->remove);
	g_free((WicePrefix *)change->routes);
}

static void job_unref(Job *job)
{
	if (!g_atomic_ref_count_dec(&job->refs))
		return;
	g_free(job->name);
	wice_plan_unref(job->plan);
	clear_change(&job->change);
	g_clear_error(&job->error);
	g_strfreev(job->names);
	g_strfreev(job->problems);
	wice_device_unref(job->device);
	wice_link_free(job->link);
	g_mutex_clear(&job->mutex);
	wice_wg_free(job->wg);
	g_free(job);
}

static gboolean answer_dispatch(gpointer data)
{
	Job *job = data;
	g_autoptr(GError) cancelled = NULL;
	wice__cancel_unwatch(g_steal_pointer(&job->watch));
	g_mutex_lock(&job->mutex);
	if (job->cancelled)
		cancelled = g_error_new(WICE_ERROR, WICE_ERROR_CANCELLED,
					"The call was cancelled; what it asked for may have been "
					"done all the same.");
	g_mutex_unlock(&job->mutex);
	job->report(job, cancelled ? cancelled : job->error);
	return G_SOURCE_REMOVE;
}

static void answer_free(gpointer data)
{
	Job *job = data;
	wice__cancel_unwatch(job->watch);
	if (job->destroy)
		job->destroy(job->user_data);
	job_unref(job);
}

/* Attaches the answer unless it has been attached. */
static void job_answer(Job *job, bool cancelled)
{
	g_mutex_lock(&job->mutex);
	job->cancelled = job->cancelled || cancelled;
	if (!job->answered) {
		GSource *source = g_idle_source_new();
		g_source_set_priority(source, G_PRIORITY_DEFAULT);
		g_source_set_callback(source, answer_dispatch, job, answer_free);
		g_source_attach(source, job->context);
		g_source_unref(source);
	}
	job->answered = true;
	g_mutex_unlock(&job->mutex);
}

static void job_cancelled(void *user_data)
{
	job_answer(user_data, true);
}

/* The end of the thread's part. */
static void job_finish(Job *job)
{
	job_answer(job, false);
	g_main_context_unref(job->context);
	job_unref(job);
}

/* What was cancelled while it waited for a thread is not begun. */
static void job_run(void *data)
{
	Job *job = data;
	g_mutex_lock(&job->mutex);
	bool wanted = !job->cancelled;
	g_mutex_unlock(&job->mutex);
	if (wanted)
		job->work(job);
	job_finish(job);
}

static Job *job_new(WiceWg *wg, const char *name, unsigned timeout_ms, GMainContext *context,
		    void *user_data, GDestroyNotify destroy)
{
	Job *job = g_new0(Job, 1);
	g_atomic_ref_count_init(&job->refs);
	g_atomic_ref_count_inc(&job->refs);
	g_mutex_init(&job->mutex);
	job->wg = wice__wg_ref(wg);
	job->name = g_strdup(name);
	job->timeout_ms = timeout_ms;
	job->context = g_main_context_ref(context ? context : g_main_context_default());
	job->user_data = user_data;
	job->destroy = destroy;
	return job;
}

/* A job with an error or a cancelled one has only to be answered. */
static void job_start(Job *job, WiceCancel *cancel)
{
	if (cancel) {
		job->watch = wice__cancel_watch(cancel, job_cancelled, job);
		job->cancelled = wice_cancel_is_cancelled(cancel);
	}
	if (job->cancelled || job->error) {
		job_finish(job);
		return;
	}
	int r = wice__thread_pool_run(job->wg->threads, job_run, job);
	if (r < 0) {
		g_set_error(&job->error, WICE_ERROR, WICE_ERROR_IO,
			    "Cannot start a thread to control WireGuard interfaces: the system "
			    "refused it (%s).",
			    g_strerror(-r));
		job_finish(job);
	}
}

static void list(Job *job)
{
	job->names = wice_wg_list(job->wg, &job->problems, &job->error);
}

static void report_list(const Job *job, const GError *error)
{
	job->func.listed(error ? NULL : job->names, error ? NULL : job->problems, error,
			 job->user_data);
}

void wice_wg_list_async(WiceWg *wg, GMainContext *context, WiceCancel *cancel, WiceWgListed done,
			void *user_data, GDestroyNotify destroy)
{
	Job *job = job_new(wg, NULL, 0, context, user_data, destroy);
	job->work = list;
	job->report = report_list;
	job->func.listed = done;
	job_start(job, cancel);
}

static void get(Job *job)
{
	job->device = wice_wg_get(job->wg, job->name, job->timeout_ms, &job->error);
}

static void report_device(const Job *job, const GError *error)
{
	job->func.got(error ? NULL : job->device, error, job->user_data);
}

void wice_wg_get_async(WiceWg *wg, const char *name, unsigned timeout_ms, GMainContext *context,
		       WiceCancel *cancel, WiceWgGot done, void *user_data, GDestroyNotify destroy)
{
	Job *job = job_new(wg, name, timeout_ms, context, user_data, destroy);
	job->work = get;
	job->report = report_device;
	job->func.got = done;
	job_start(job, cancel);
}

static void report_done(const Job *job, const GError *error)
{
	job->func.done(error, job->user_data);
}

static void start_change(Job *job, void (*work)(Job *job), WiceCancel *cancel, WiceWgDone done)
{
	job->work = work;
	job->report = report_done;
	job->func.done = done;
	job_start(job, cancel);
}

static void set(Job *job)
{
	wice_wg_set(job->wg, job->name, job->plan, job->timeout_ms, &job->error);
}

void wice_wg_set_async(WiceWg *wg, const char *name, WicePlan *plan, unsigned timeout_ms,
		       GMainContext *context, WiceCancel *cancel, WiceWgDone done, void *user_data,
		       GDestroyNotify destroy)
{
	Job *job = job_new(wg, name, timeout_ms, context, user_data, destroy);
	job->plan = wice_plan_ref(plan);
	start_change(job, set, cancel, done);
}

static void create(Job *job)
{
	wice_wg_create(job->wg, job->name, job->timeout_ms, &job->error);
}

void wice_wg_create_async(WiceWg *wg, const char *name, unsigned timeout_ms, GMainContext *context,
			  WiceCancel *cancel, WiceWgDone done, void *user_data,
			  GDestroyNotify destroy)
{
	Job *job = job_new(wg, name, timeout_ms, context, user_data, destroy);
	start_change(job, create, cancel, done);
}

static void delete (Job *job)
{
	wice_wg_delete(job->wg, job->name, job->timeout_ms, &job->error);
}

void wice_wg_delete_async(WiceWg *wg, const char *name, unsigned timeout_ms, GMainContext *context,
			  WiceCancel *cancel, WiceWgDone done, void *user_data,
			  GDestroyNotify destroy)
{
	Job *job = job_new(wg, name, timeout_ms, context, user_data, destroy);
	start_change(job, delete, cancel, done);
}

static void get_link(Job *job)
{
	job->link = wice_wg_get_link(job->wg, job->name, job->timeout_ms, &job->error);
}

static void report_link(const Job *job, const GError *error)
{
	job->func.got_link(error ? NULL : job->link, error, job->user_data);
}

void wice_wg_get_link_async(WiceWg *wg, const char *name, unsigned timeout_ms,
			    GMainContext *context, WiceCancel *cancel, WiceWgGotLink done,
			    void *user_data, GDestroyNotify destroy)
{
	Job *job = job_new(wg, name, timeout_ms, context, user_data, destroy);
	job->work = get_link;
	job->report = report_link;
	job->func.got_link = done;
	job_start(job, cancel);
}

static void set_link(Job *job)
{
	wice_wg_set_link(job->wg, job->name, &job->change, job->timeout_ms, &job->error);
}

static void copy_change(const WiceLinkChange *change, WiceLinkChange *ret)
{
	*ret = *change;
	ret->size = sizeof *ret;
	ret->new_name = g_strdup(change->new_name);
	ret->add = g_memdup2(change->add, change->n_add * sizeof *change->add);
	ret->remove = g_memdup2(change->remove, change->n_remove * sizeof *change->remove);
	ret->routes = g_memdup2(change->routes, change->n_routes * sizeof *change->routes);
}

void wice_wg_set_link_async(WiceWg *wg, const char *name, const WiceLinkChange *change,
			    unsigned timeout_ms, GMainContext *context, WiceCancel *cancel,
			    WiceWgDone done, void *user_data, GDestroyNotify destroy)
{
	Job *job = job_new(wg, name, timeout_ms, context, user_data, destroy);
	WiceLinkChange whole;
	if (wice__wg_check_link_change(change, &whole, &job->error))
		copy_change(&whole, &job->change);
	start_change(job, set_link, cancel, done);
}
