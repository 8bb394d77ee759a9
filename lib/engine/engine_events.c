/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events wait in a queue until the engine's main context has time. They may come in any number:
 * of a full queue the oldest is forgotten, but for those that come once and say that it is the end.
 */
#include "engine/engine_private.h"

#define MAX_EVENTS 4096

static gboolean dispatch(gpointer user_data)
{
	WiceEngine *engine = user_data;
	g_autofree bool *freed = g_new0(bool, 1); /* the engine, by what is told */
	engine->freed = freed;
	while (!*freed) {
		g_autofree WiceEngineEvent *event = NULL;
		g_mutex_lock(&engine->events_lock);
		event = g_queue_pop_head(&engine->events);
		if (!event) {
			g_clear_pointer(&engine->dispatcher, g_source_unref);
			engine->freed = NULL;
		}
		g_mutex_unlock(&engine->events_lock);
		if (!event)
			break;
		engine->on_event(engine, event, engine->user_data);
	}
	return G_SOURCE_REMOVE;
}

static bool is_the_end(const WiceEngineEvent *event)
{
	return event->type == WICE_ENGINE_LOST || event->type == WICE_ENGINE_SOCKET_DELETED;
}

static void forget_oldest(GQueue *events)
{
	for (GList *item = events->head; item; item = item->next) {
		if (is_the_end(item->data))
			continue;
		g_free(item->data);
		g_queue_delete_link(events, item);
		return;
	}
}

static void put(WiceEngine *engine, const WiceEngineEvent *event)
{
	if (engine->events.length >= MAX_EVENTS)
		forget_oldest(&engine->events);
	g_queue_push_tail(&engine->events, g_memdup2(event, sizeof *event));
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
	wice__engine_attachments_tell(g_atomic_pointer_get(&engine->attachments));
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
	if (engine->freed)
		*engine->freed = true;
	g_mutex_lock(&engine->events_lock);
	g_queue_clear_full(&engine->events, g_free);
	if (engine->dispatcher)
		g_source_destroy(engine->dispatcher);
	g_clear_pointer(&engine->dispatcher, g_source_unref);
	g_mutex_unlock(&engine->events_lock);
}
