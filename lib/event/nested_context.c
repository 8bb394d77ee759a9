/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "event/nested_context.h"

#include "event/polled_context.h"

#include <glib-unix.h>
#include <stdbool.h>

/*
 * What GLib does once per wake-up takes time proportional to all sources of the context, and what
 * poll(2) does to all descriptors, however few of them have something to say. An ICE agent with what
 * belongs to it has seven sources and a socket. One wake-up, for instance for a packet in the proxy,
 * took this long on one context and with 16 peers to a nested one:
 *
 *      peers        1      50     200
 *      one       32 us   82 us  250 us
 *      nested    30 us   28 us   43 us
 *
 * A peer causes some wake-ups itself, so the whole grew with the square of their number.
 *
 * So sources are spread over contexts inside the context. A wake-up costs the sources of the outer
 * context, which has one per inner context, plus those of the inner contexts that are meant.
 */

struct WiceNestedContext {
	GSource source;
	WicePolledContext *polled;
	unsigned generation; /* of the descriptor that tag stands for */
	gpointer tag;        /* NULL: there is no descriptor */
};

/*
 * The same time comes out with up to a millisecond of difference, since the timeout is rounded up.
 * Setting it to the same wakes nobody.
 */
static void set_timeout(WiceNestedContext *self, int timeout)
{
	gint64 old = g_source_get_ready_time(&self->source);
	gint64 time = timeout < 0 ? -1 : g_get_monotonic_time() + (gint64)timeout * 1000;
	if (timeout <= 0 || old < 0 || ABS(time - old) >= 1000)
		g_source_set_ready_time(&self->source, time);
}

/* What run returned is what the outer context is to wait for. */
static void follow(WiceNestedContext *self, int timeout)
{
	unsigned generation = wice__polled_context_generation(self->polled);
	int fd = wice__polled_context_fd(self->polled);
	if (generation != self->generation) {
		if (self->tag)
			g_source_remove_unix_fd(&self->source, self->tag);
		self->tag = fd >= 0 ? g_source_add_unix_fd(&self->source, fd, G_IO_IN) : NULL;
		self->generation = generation;
	}
	set_timeout(self, timeout);
}

static gboolean dispatch(GSource *source, GSourceFunc callback, gpointer user_data)
{
	WiceNestedContext *self = (WiceNestedContext *)source;
	bool told = self->tag && g_source_query_unix_fd(source, self->tag);
	int timeout = wice__polled_context_run(self->polled, told);
	if (g_source_is_destroyed(source))
		return G_SOURCE_REMOVE;
	follow(self, timeout);
	return G_SOURCE_CONTINUE;
}

static void finalize(GSource *source)
{
	wice__polled_context_free(((WiceNestedContext *)source)->polled);
}

/* Unarmed means that a callback runs the outer context. */
static gboolean prepare(GSource *source, gint *timeout)
{
	*timeout = -1;
	return wice__polled_context_is_unarmed(((WiceNestedContext *)source)->polled);
}

static GSourceFuncs source_funcs = { .prepare = prepare,
				     .dispatch = dispatch,
				     .finalize = finalize };

int wice__nested_context_new(GMainContext *outer, WiceNestedContext **ret_nested)
{
	WicePolledContext *polled;
	int error = wice__polled_context_new(&polled);
	if (error < 0)
		return error;
	GSource *source = g_source_new(&source_funcs, sizeof(WiceNestedContext));
	WiceNestedContext *self = (WiceNestedContext *)source;
	self->polled = polled;
	follow(self, -1);
	g_source_set_can_recurse(source, TRUE);
	g_source_attach(source, outer);
	*ret_nested = self;
	return 0;
}

GMainContext *wice__nested_context_inner(WiceNestedContext *nested)
{
	return wice__polled_context_inner(nested->polled);
}

void wice__nested_context_free(WiceNestedContext *nested)
{
	if (!nested)
		return;
	wice__polled_context_stop(nested->polled);
	g_source_destroy(&nested->source);
	g_source_unref(&nested->source);
}
