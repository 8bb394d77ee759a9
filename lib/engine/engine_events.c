/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/engine_private.h"

/*
 * Events wait in a queue until the engine's main context has time. They may come in any number: a
 * queue that is full of them says only once that they were more.
 */
#define MAX_EVENTS 4096

static gboolean dispatch(gpointer user_data)
{
	WiceEngine *engine = user_data;

	for (;;) {
		WiceEngineEvent *event;

		g_mutex_lock(&engine->events_lock);
		event = g_queue_pop_head(&engine->events);
		if (!event)
			g_clear_pointer(&engine->dispatcher, g_source_unref);
		g_mutex_unlock(&engine->events_lock);
		if (!event)
			return G_SOURCE_REMOVE;
		engine->on_event(engine, event, engine->user_data);
		g_free(event);
	}
}

static void put(WiceEngine *engine, const WiceEngineEvent *event)
{
	if (engine->events.length >= MAX_EVENTS)
		g_free(g_queue_pop_head(&engine->events));
	g_queue_push_tail(&engine->events, g_memdup2(event, sizeof(*event)));
	if (engine->dispatcher)
		return;
	engine->dispatcher = g_idle_source_new();
	g_source_set_priority(engine->dispatcher, G_PRIORITY_DEFAULT);
	g_source_set_callback(engine->dispatcher, dispatch, engine, NULL);
	g_source_attach(engine->dispatcher, engine->context);
}

void wice__engine_emit(WiceEngine *engine, WiceEngineEventType type, const WiceKey *peer)
{
	WiceEngineEvent event = { .type = type };

	wice__engine_attachments_tell(engine->attachments);
	if (!engine->on_event)
		return;
	if (peer)
		event.peer = *peer;
	g_mutex_lock(&engine->events_lock);
	put(engine, &event);
	g_mutex_unlock(&engine->events_lock);
}

void wice__engine_drop_events(WiceEngine *engine)
{
	g_mutex_lock(&engine->events_lock);
	g_queue_clear_full(&engine->events, g_free);
	if (engine->dispatcher)
		g_source_destroy(engine->dispatcher);
	g_clear_pointer(&engine->dispatcher, g_source_unref);
	g_mutex_unlock(&engine->events_lock);
}
