/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Events are delivered from the main loop, so that a handler may call anything. */
#include "agent/agent_private.h"

typedef struct {
	WiceEvent event;
	char *interface, *reason, *backend;
} QueuedEvent;

static void free_event(gpointer data)
{
	QueuedEvent *queued = data;
	g_free(queued->interface);
	g_free(queued->reason);
	g_free(queued->backend);
	g_free(queued);
}

void wice__agent_deliver_events(WiceAgent *agent)
{
	QueuedEvent *queued;
	while ((queued = g_queue_pop_head(agent->events))) {
		if (agent->handler)
			agent->handler(&queued->event, agent->handler_data);
		free_event(queued);
	}
}

void wice__agent_emit(WiceAgent *agent, const WiceEvent *event)
{
	QueuedEvent *queued = g_new0(QueuedEvent, 1);
	queued->event = *event;
	queued->event.time_ms = wice__realtime_ms();
	queued->event.interface = queued->interface =
		g_strdup(event->interface ? event->interface : "");
	queued->event.reason = queued->reason = g_strdup(event->reason ? event->reason : "");
	queued->event.backend = queued->backend = g_strdup(event->backend ? event->backend : "");
	g_queue_push_tail(agent->events, queued);
	wice__timer_set(agent->wait_timer, 0);
}

void wice__agent_free_events(WiceAgent *agent)
{
	g_queue_free_full(agent->events, free_event);
}
