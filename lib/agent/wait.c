/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* wice_agent_wait(): conditions on the states of peers, looked at whenever one has changed. */
#include <wice/error.h>

#include "agent/agent_private.h"
#include "event/cancel.h"
#include "event/source.h"

typedef struct {
	WiceAgent *agent;
	char *interface; /* NULL: all */
	bool has_peer;
	WiceKey peer;
	WicePeerState state;
	int64_t deadline;
	WiceCancel *cancel;
	WiceCancelWatch *cancel_watch;
	WiceWaitFunc callback;
	void *user_data;
	GDestroyNotify destroy;
} Wait;

typedef struct {
	const Wait *wait;
	size_t n_peers, n_in_state;
} Count;

static void count_peer(WicePeer *peer, void *user_data)
{
	Count *count = user_data;
	const Wait *wait = count->wait;
	if (wait->has_peer && wice_key_compare(wice__peer_key(peer), &wait->peer) != 0)
		return;
	count->n_peers++;
	if (wice__peer_state(peer) == wait->state)
		count->n_in_state++;
}

static bool is_fulfilled(const Wait *wait)
{
	Count count = { .wait = wait };
	GHashTableIter iter;
	gpointer name, interface;
	g_hash_table_iter_init(&iter, wait->agent->interfaces);
	while (g_hash_table_iter_next(&iter, &name, &interface))
		if (!wait->interface || g_str_equal(wait->interface, name))
			wice__interface_foreach_peer(interface, count_peer, &count);
	return count.n_peers && count.n_peers == count.n_in_state;
}

static void complete(Wait *wait, const GError *error)
{
	wait->agent->waits = g_list_remove(wait->agent->waits, wait);
	wice__cancel_unwatch(wait->cancel_watch);
	wait->callback(error, wait->user_data);
	if (wait->destroy)
		wait->destroy(wait->user_data);
	g_free(wait->interface);
	if (wait->cancel)
		wice_cancel_unref(wait->cancel);
	g_free(wait);
}

static void complete_with(Wait *wait, WiceErrorCode code, const char *text)
{
	g_autoptr(GError) error = g_error_new_literal(WICE_ERROR, code, text);
	complete(wait, error);
}

/* True if it completed. */
static bool evaluate(Wait *wait, int64_t now)
{
	if (wait->cancel && wice_cancel_is_cancelled(wait->cancel)) {
		complete_with(wait, WICE_ERROR_CANCELLED, "Waiting was cancelled.");
		return true;
	}
	if (is_fulfilled(wait)) {
		complete(wait, NULL);
		return true;
	}
	if (wait->deadline <= now) {
		complete_with(wait, WICE_ERROR_TIMEOUT,
			      "Waiting took too long: not every peer is in the wanted state.");
		return true;
	}
	return false;
}

/* A callback may add or complete waits, so the list is looked at from its start after each. */
void wice__waits_evaluate(WiceAgent *agent)
{
	int64_t now = wice__now_ms();
	GList *link = agent->waits;
	while (link)
		link = evaluate(link->data, now) ? agent->waits : link->next;

	int64_t deadline = INT64_MAX;
	for (link = agent->waits; link; link = link->next)
		deadline = MIN(deadline, ((Wait *)link->data)->deadline);
	wice__timer_set(agent->wait_timer, deadline);
}

void wice__waits_cancel_all(WiceAgent *agent)
{
	while (agent->waits)
		complete_with(agent->waits->data, WICE_ERROR_CANCELLED,
			      "Waiting ended: the agent is being stopped.");
}

static void on_cancelled(void *user_data)
{
	Wait *wait = user_data;
	wice__timer_set(wait->agent->wait_timer, 0);
}

void wice_agent_wait(WiceAgent *agent, const char *interface, const WiceKey *peer,
		     WicePeerState state, unsigned timeout_ms, WiceCancel *cancel,
		     WiceWaitFunc callback, void *user_data, GDestroyNotify destroy)
{
	Wait *wait = g_new0(Wait, 1);
	wait->agent = agent;
	wait->interface = g_strdup(interface);
	wait->has_peer = peer != NULL;
	if (peer)
		wait->peer = *peer;
	wait->state = state;
	wait->deadline = timeout_ms ? wice__now_ms() + timeout_ms : INT64_MAX;
	wait->callback = callback;
	wait->user_data = user_data;
	wait->destroy = destroy;
	if (cancel) {
		wait->cancel = wice_cancel_ref(cancel);
		wait->cancel_watch = wice__cancel_watch(cancel, on_cancelled, wait);
	}
	agent->waits = g_list_append(agent->waits, wait);
	wice__timer_set(agent->wait_timer, 0); /* from the main loop, not from here */
}
