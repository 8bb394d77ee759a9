/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thread, one job. What both sides touch (Shared) is guarded by its mutex and freed by whoever
 * leaves last: the reader may be freed while the thread is stuck in a device. A finished job wakes
 * the context through a timer, which may be moved from any thread.
 */
#include "wg/reader.h"

#include "event/source.h"
#include "wg/device.h"
#include "wg/peer_group.h"
#include "wg/thread_pool.h"

#include <errno.h>
#include <linux/wireguard.h>
#include <string.h>
#include <unistd.h>
#include <wice/error.h>

/* So long a userspace device that hangs delays the others; wice/watch.h says so. */
#define READ_TIMEOUT_MS 1000
#define GROUP_TIMEOUT_MS 1000

typedef enum { JOB_NONE, JOB_WANTED, JOB_DONE } JobState;

typedef struct {
	gatomicrefcount refs;
	WiceWg *wg;
	GMutex mutex;
	GCond cond;
	JobState state;
	bool quit;
	bool group_tried;    /* the thread's alone */
	WiceTimer *finished; /* NULL once the reader has been freed */
	char name[16];
	WiceReading reading;
} Shared;

struct WiceReader {
	Shared *shared;
	WiceTimer *finished;
	WiceReaderDone done;
	void *user_data;
};

static const WiceReading nothing = { .peer_group = -1 };

static void clear(WiceReading *reading)
{
	if (reading->peer_group >= 0)
		close(reading->peer_group);
	wice_device_unref(reading->device);
	g_strfreev(reading->names);
	g_clear_error(&reading->error);
	*reading = nothing;
}

static void shared_unref(Shared *shared)
{
	if (!g_atomic_ref_count_dec(&shared->refs))
		return;
	clear(&shared->reading);
	wice_wg_free(shared->wg);
	g_mutex_clear(&shared->mutex);
	g_cond_clear(&shared->cond);
	g_free(shared);
}

/* A socket whose interface is in another network namespace, or gone, is no device here. */
static bool is_here(const WiceDevice *device)
{
	const WiceDeviceInfo *info = wice_device_info(device);
	return info->kind != WICE_DEVICE_USERSPACE || info->ifindex != 0;
}

static void read_device(WiceWg *wg, const char *name, WiceReading *reading)
{
	reading->device = wice_wg_get(wg, name, READ_TIMEOUT_MS, &reading->error);
	if (reading->device && !is_here(reading->device))
		g_clear_pointer(&reading->device, wice_device_unref);
	if (g_error_matches(reading->error, WICE_ERROR, WICE_ERROR_NOT_FOUND))
		g_clear_error(&reading->error);
}

static void try_group(Shared *shared, WiceReading *reading)
{
	if (shared->group_tried || !reading->device ||
	    wice_device_info(reading->device)->kind != WICE_DEVICE_KERNEL)
		return;
	shared->group_tried = true;
	int64_t deadline = wice__now_ms() + GROUP_TIMEOUT_MS;
	reading->peer_group = wice__peer_group_open(WG_GENL_NAME, "peers", deadline);
}

static void read_now(Shared *shared, const char *name, WiceReading *reading)
{
	int64_t start_us = g_get_monotonic_time(), start_thread_us = wice__thread_us();
	if (*name)
		read_device(shared->wg, name, reading);
	else
		reading->names = wice_wg_list(shared->wg, NULL, &reading->error);
	int64_t waited_us = (g_get_monotonic_time() - start_us) / 10;
	reading->cost_us = MAX(wice__thread_us() - start_thread_us, waited_us);
}

static gpointer work(gpointer data)
{
	Shared *shared = data;
	g_mutex_lock(&shared->mutex);
	while (!shared->quit) {
		if (shared->state != JOB_WANTED) {
			g_cond_wait(&shared->cond, &shared->mutex);
			continue;
		}
		char name[sizeof shared->name];
		WiceReading reading = nothing;
		memcpy(name, shared->name, sizeof name);
		g_mutex_unlock(&shared->mutex);
		read_now(shared, name, &reading);
		try_group(shared, &reading);
		g_mutex_lock(&shared->mutex);
		shared->reading = reading;
		shared->state = JOB_DONE;
		if (shared->finished)
			wice__timer_set(shared->finished, 0);
	}
	g_mutex_unlock(&shared->mutex);
	shared_unref(shared);
	return NULL;
}

static void hand_over(void *user_data)
{
	WiceReader *reader = user_data;
	Shared *shared = reader->shared;
	g_mutex_lock(&shared->mutex);
	WiceReading reading = shared->reading;
	char name[sizeof shared->name];
	memcpy(name, shared->name, sizeof name);
	shared->reading = nothing;
	shared->state = JOB_NONE;
	g_mutex_unlock(&shared->mutex);
	reading.name = name;
	reader->done(&reading, reader->user_data);
	clear(&reading);
}

int wice__reader_new(WiceWg *wg, GMainContext *context, WiceReaderDone done, void *user_data,
		     WiceReader **ret_reader)
{
	Shared *shared = g_new0(Shared, 1);
	g_atomic_ref_count_init(&shared->refs);
	g_mutex_init(&shared->mutex);
	g_cond_init(&shared->cond);
	shared->wg = wice__wg_ref(wg);
	shared->reading = nothing;
	g_atomic_ref_count_inc(&shared->refs);
	int r = wice__thread_start("wice-watch", work, shared);
	if (r < 0) {
		shared_unref(shared);
		shared_unref(shared);
		return r;
	}
	WiceReader *reader = g_new0(WiceReader, 1);
	reader->shared = shared;
	reader->done = done;
	reader->user_data = user_data;
	reader->finished = wice__timer_new(context, hand_over, reader);
	g_mutex_lock(&shared->mutex);
	shared->finished = reader->finished;
	g_mutex_unlock(&shared->mutex);
	*ret_reader = reader;
	return 0;
}

void wice__reader_start(WiceReader *reader, const char *name)
{
	Shared *shared = reader->shared;
	g_mutex_lock(&shared->mutex);
	g_strlcpy(shared->name, name, sizeof shared->name);
	shared->state = JOB_WANTED;
	g_cond_signal(&shared->cond);
	g_mutex_unlock(&shared->mutex);
}

void wice__reader_free(WiceReader *reader)
{
	if (!reader)
		return;
	Shared *shared = reader->shared;
	g_mutex_lock(&shared->mutex);
	shared->quit = true;
	shared->finished = NULL;
	g_cond_signal(&shared->cond);
	g_mutex_unlock(&shared->mutex);
	wice__timer_free(reader->finished);
	shared_unref(shared);
	g_free(reader);
}
