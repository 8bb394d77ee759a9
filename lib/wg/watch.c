/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One stream of events out of several sources of hints. A source never says what happened, only
 * where to look: that is read, compared with what was known, and the difference is what is told.
 * So no source needs to be complete, none can contradict another, and events are in order.
 *
 *	presence (links, sockets) --+
 *	the kernel's group "peers" -+
 *	own writes, engines --------+--> pace --> reader --> observe --> func
 *	time -----------------------+    (when)  (thread)   (what)
 *
 * All but the reader's thread runs while the watch is dispatched, on a context of its own that is
 * shown as one descriptor. Own writes are told of on any thread; they leave the name and wake the
 * context.
 */
#include "wg/watch.h"

#include "event/context_fd.h"
#include "event/source.h"
#include "wg/device.h"
#include "wg/observe.h"
#include "wg/pace.h"
#include "wg/peer_group.h"
#include "wg/presence.h"
#include "wg/reader.h"
#include "wg/uapi.h"
#include "wg/wg_private.h"

#include <errno.h>
#include <string.h>
#include <wice/error.h>

#define FAST_MS 20
#define SLOW_MS 5000

/* What was told of a device. */
typedef struct {
	WiceDevice *device; /* NULL: nothing yet */
	bool trouble;
} Known;

/* What was changed through the same WiceWg, on any thread. */
typedef struct {
	GMutex mutex;
	GHashTable *names;
	WiceTimer *timer;
} OwnWrites;

struct WiceWatch {
	WiceWg *wg;
	char *only; /* the one name to watch, or NULL */
	bool transfer;
	WiceWatchFunc func;
	void *user_data;
	GDestroyNotify destroy;
	bool telling, freed; /* freed while events are told: the rest is freed afterwards */

	WiceContextFd *context;
	WiceFdWatch *attached;
	WicePresence *presence;
	WicePeerGroup *group; /* NULL: the kernel has none */
	OwnWrites own;
	WicePace *pace;
	WiceTimer *timer; /* for pace */
	WiceReader *reader;
	GHashTable *known; /* name to Known */
};

static void known_free(gpointer data)
{
	Known *known = data;
	wice_device_unref(known->device);
	g_free(known);
}

/* Reads what is to be read now, or waits until something is. */
static void pump(WiceWatch *watch)
{
	int64_t now = wice__now_ms();
	const char *name = wice__pace_start(watch->pace, now);
	if (name)
		wice__reader_start(watch->reader, name);
	wice__timer_set(watch->timer, wice__pace_deadline(watch->pace, now));
}

static void timer_passed(void *user_data)
{
	pump(user_data);
}

static bool is_watched(const WiceWatch *watch, const char *name)
{
	return !watch->only || strcmp(watch->only, name) == 0;
}

static void look_for_all(WiceWatch *watch)
{
	wice__pace_hint_all(watch->pace);
	if (watch->only)
		wice__pace_found(watch->pace, watch->only);
	else
		wice__pace_hint(watch->pace, WICE_PACE_LIST);
}

static void present(const char *name, void *user_data)
{
	WiceWatch *watch = user_data;
	if (!name)
		look_for_all(watch);
	else if (is_watched(watch, name))
		wice__pace_hint(watch->pace, name);
	pump(watch);
}

void wice__watch_hint(WiceWatch *watch, const char *name)
{
	present(name, watch);
}

/* On any thread. */
static void written(const char *name, void *user_data)
{
	WiceWatch *watch = user_data;
	g_mutex_lock(&watch->own.mutex);
	g_hash_table_add(watch->own.names, g_strdup(name));
	wice__timer_set(watch->own.timer, 0);
	g_mutex_unlock(&watch->own.mutex);
}

static GHashTable *new_names(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

static void written_ready(void *user_data)
{
	WiceWatch *watch = user_data;
	GHashTableIter iter;
	gpointer name;
	g_mutex_lock(&watch->own.mutex);
	g_autoptr(GHashTable) names = watch->own.names;
	watch->own.names = new_names();
	g_mutex_unlock(&watch->own.mutex);
	g_hash_table_iter_init(&iter, names);
	while (g_hash_table_iter_next(&iter, &name, NULL)) {
		if (is_watched(watch, name))
			wice__pace_hint(watch->pace, name);
	}
	pump(watch);
}

/* func may free the watch. What the events point to is held by the caller. */
static void tell(WiceWatch *watch, const GArray *events)
{
	watch->telling = true;
	for (guint i = 0; i < events->len && !watch->freed; i++)
		watch->func(&g_array_index(events, WiceWatchEvent, i), watch->user_data);
	watch->telling = false;
	if (watch->freed)
		g_free(watch);
}

/* Finds or makes it. */
static Known *get_known(WiceWatch *watch, const char *name)
{
	Known *known = g_hash_table_lookup(watch->known, name);
	if (!known) {
		known = g_new0(Known, 1);
		g_hash_table_insert(watch->known, g_strdup(name), known);
	}
	return known;
}

static void note_trouble(WiceWatch *watch, const WiceReading *reading, GArray *events)
{
	Known *known = get_known(watch, reading->name);
	if (known->trouble)
		return;
	known->trouble = true;
	WiceWatchEvent event = { .type = WICE_WATCH_TROUBLE,
				 .name = reading->name,
				 .before = known->device,
				 .after = known->device,
				 .message = reading->error->message };
	g_array_append_val(events, event);
}

/* Replaces what is known, which is returned: it is the caller's. */
static WiceDevice *note_device(WiceWatch *watch, const char *name, WiceDevice *device)
{
	Known *known = get_known(watch, name);
	WiceDevice *before = g_steal_pointer(&known->device);
	if (!device) {
		g_hash_table_remove(watch->known, name);
		return before;
	}
	known->device = wice_device_ref(device);
	known->trouble = false;
	return before;
}

/* Engines of this process tell of everything but of packets. */
static bool tells_all(const WiceWatch *watch, const WiceDevice *device)
{
	return wice_device_info(device)->kind == WICE_DEVICE_ENGINE && !watch->transfer;
}

/* pace sees the events first: func may free the watch. */
static void note_pace(WiceWatch *watch, const WiceReading *reading, const GArray *events)
{
	int64_t now = wice__now_ms();
	bool is_list = !*reading->name;
	WicePaceOutcome outcome = reading->error               ? WICE_PACE_FAILED
				  : is_list || reading->device ? WICE_PACE_READ
							       : WICE_PACE_GONE;
	if (reading->device)
		wice__pace_set_telling(watch->pace, tells_all(watch, reading->device));
	for (guint i = 0; i < events->len; i++)
		wice__pace_observe(watch->pace, &g_array_index(events, WiceWatchEvent, i), now);
	wice__pace_done(watch->pace, outcome, reading->cost_us, now);
	for (char **name = reading->names; name && *name; name++)
		wice__pace_found(watch->pace, *name);
}

/* What happened before is found by the hint. */
static void join_group(WiceWatch *watch, WiceReading *reading)
{
	watch->group = wice__peer_group_new(reading->peer_group,
					    wice__context_fd_inner(watch->context), present, watch);
	reading->peer_group = -1;
	wice__pace_hint_all(watch->pace);
}

static void read_done(WiceReading *reading, void *user_data)
{
	WiceWatch *watch = user_data;
	int64_t start_us = wice__thread_us();
	g_autoptr(GArray) events = g_array_new(FALSE, FALSE, sizeof(WiceWatchEvent));
	g_autoptr(WiceDevice) before = NULL;
	if (reading->error) {
		note_trouble(watch, reading, events);
		Known *known = g_hash_table_lookup(watch->known, reading->name);
		before = known->device ? wice_device_ref(known->device) : NULL;
	} else {
		before = note_device(watch, reading->name, reading->device);
		wice__observe(reading->name, before, reading->device, watch->transfer, events);
	}
	if (reading->peer_group >= 0)
		join_group(watch, reading);
	reading->cost_us += wice__thread_us() - start_us;
	note_pace(watch, reading, events);
	pump(watch);
	tell(watch, events);
}

static void dispose(WiceWatch *watch)
{
	wice__wg_unobserve(watch->wg, watch);
	wice__fd_watch_free(watch->attached);
	wice__presence_free(watch->presence);
	wice__peer_group_free(watch->group);
	wice__reader_free(watch->reader);
	wice__timer_free(watch->own.timer);
	wice__timer_free(watch->timer);
	wice__context_fd_free(watch->context);
	wice__pace_free(watch->pace);
	g_hash_table_unref(watch->known);
	g_hash_table_unref(watch->own.names);
	g_mutex_clear(&watch->own.mutex);
	wice_wg_free(watch->wg);
	g_free(watch->only);
	watch->freed = true;
	if (!watch->telling)
		g_free(watch);
}

void wice_watch_free(WiceWatch *watch)
{
	if (!watch)
		return;
	GDestroyNotify destroy = watch->destroy;
	void *user_data = watch->user_data;
	dispose(watch);
	if (destroy)
		destroy(user_data);
}

static gboolean fail_to_start(GError **error, int r)
{
	g_set_error(
		error, WICE_ERROR, WICE_ERROR_IO,
		"Cannot watch WireGuard interfaces: the system refused a descriptor or a thread "
		"(%s); raise the limits of open files or of processes.",
		g_strerror(-r));
	return FALSE;
}

/* Whoever tells of changes does so before the first look, so that nothing falls in between. */
static gboolean start(WiceWatch *watch, const char *folder, GError **error)
{
	int r = wice__context_fd_new(&watch->context);
	if (r < 0)
		return fail_to_start(error, r);
	GMainContext *inner = wice__context_fd_inner(watch->context);
	watch->timer = wice__timer_new(inner, timer_passed, watch);
	watch->own.timer = wice__timer_new(inner, written_ready, watch);
	r = wice__reader_new(watch->wg, inner, read_done, watch, &watch->reader);
	if (r < 0)
		return fail_to_start(error, r);
	if (folder) {
		watch->presence = wice__presence_new_in(folder, inner, present, watch, NULL, error);
		if (!watch->presence)
			return FALSE;
	}
	wice__wg_observe(watch->wg, written, watch);
	look_for_all(watch);
	pump(watch);
	return TRUE;
}

static gboolean read_options(const WiceWatchOptions *options, WiceWatchOptions *ret, GError **error)
{
	*ret = (WiceWatchOptions){ 0 };
	if (options)
		memcpy(ret, options, MIN(options->size, sizeof *ret));
	if (ret->fast_ms == 0)
		ret->fast_ms = FAST_MS;
	if (ret->slow_ms == 0)
		ret->slow_ms = SLOW_MS;
	return !ret->name || wice__wg_check_name(ret->name, error);
}

WiceWatch *wice__watch_new_with(WiceWg *wg, const char *folder, const WiceWatchOptions *options,
				WiceWatchFunc func, void *user_data, GDestroyNotify destroy,
				GError **error)
{
	WiceWatchOptions read;
	if (!read_options(options, &read, error))
		return NULL;
	WiceWatch *watch = g_new0(WiceWatch, 1);
	watch->wg = wice__wg_ref(wg);
	watch->only = g_strdup(read.name);
	watch->transfer = read.transfer;
	watch->func = func;
	watch->user_data = user_data;
	watch->destroy = destroy;
	watch->pace = wice__pace_new(read.fast_ms, read.slow_ms);
	watch->known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, known_free);
	watch->own.names = new_names();
	g_mutex_init(&watch->own.mutex);
	if (start(watch, folder, error))
		return watch;
	dispose(watch);
	return NULL;
}

WiceWatch *wice_watch_new(WiceWg *wg, const WiceWatchOptions *options, WiceWatchFunc func,
			  void *user_data, GDestroyNotify destroy, GError **error)
{
	return wice__watch_new_with(wg, WICE_UAPI_FOLDER, options, func, user_data, destroy, error);
}

int wice_watch_fd(const WiceWatch *watch)
{
	return wice__context_fd_get(watch->context);
}

void wice_watch_dispatch(WiceWatch *watch)
{
	wice__context_fd_run(watch->context);
}

static void attached_ready(int fd, GIOCondition condition, void *user_data)
{
	wice_watch_dispatch(user_data);
}

void wice_watch_attach(WiceWatch *watch, GMainContext *context)
{
	wice__fd_watch_free(watch->attached);
	watch->attached =
		wice__fd_watch_new(context, wice_watch_fd(watch), G_IO_IN, attached_ready, watch);
}

void wice_watch_hurry(WiceWatch *watch, const char *name, unsigned ms)
{
	if (name && (!wice__interface_name_valid(name) || !is_watched(watch, name)))
		return;
	wice__pace_hurry(watch->pace, name, wice__now_ms() + ms);
	pump(watch);
}
