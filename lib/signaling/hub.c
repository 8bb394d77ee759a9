/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "signaling/hub.h"

#include <string.h>
#include <wice/error.h>

typedef struct {
	WiceSignalingHub *hub;
	char *url;
	const WiceSignalingOps *ops;
	WiceSignalingBackend *backend;
	bool ready;
	char *reason;
} Spoke;

struct WiceSignalingHub {
	const WiceSignalingHubEvents *events;
	void *user_data;
	GPtrArray *spokes;
};

/* The user may free the hub in any of these callbacks: nothing may follow them. */

static void spoke_state(bool ready, const char *reason, void *user_data)
{
	Spoke *spoke = user_data;
	spoke->ready = ready;
	g_free(spoke->reason);
	spoke->reason = g_strdup(ready ? "" : reason);
	spoke->hub->events->on_state(spoke->url, ready, spoke->reason, spoke->hub->user_data);
}

static void spoke_envelope(const WiceEnvelope *envelope, void *user_data)
{
	const WiceSignalingHub *hub = ((Spoke *)user_data)->hub;
	hub->events->on_envelope(envelope, hub->user_data);
}

static void spoke_garbage(bool oversized, void *user_data)
{
	const WiceSignalingHub *hub = ((Spoke *)user_data)->hub;
	hub->events->on_garbage(oversized, hub->user_data);
}

static const WiceSignalingEvents spoke_events = {
	.on_state = spoke_state,
	.on_envelope = spoke_envelope,
	.on_garbage = spoke_garbage,
};

static void spoke_free(gpointer data)
{
	Spoke *spoke = data;
	if (spoke->backend)
		spoke->ops->close(spoke->backend);
	g_free(spoke->reason);
	g_free(spoke->url);
	g_free(spoke);
}

static gboolean add_spoke(WiceSignalingHub *hub, GMainContext *context, const char *url,
			  GError **error)
{
	for (guint i = 0; i < hub->spokes->len; i++)
		if (strcmp(((Spoke *)hub->spokes->pdata[i])->url, url) == 0) {
			g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
				    "Cannot use the signaling backend \"%s\" twice: name it once.",
				    url);
			return FALSE;
		}
	const WiceSignalingOps *ops = wice_signaling_find(url, error);
	if (!ops)
		return FALSE;
	Spoke *spoke = g_new0(Spoke, 1);
	spoke->hub = hub;
	spoke->url = g_strdup(url);
	spoke->ops = ops;
	spoke->reason = g_strdup("It has not been reached yet.");
	g_ptr_array_add(hub->spokes, spoke);
	spoke->backend = ops->open(context, url, &spoke_events, spoke, error);
	return spoke->backend != NULL;
}

WiceSignalingHub *wice__signaling_hub_new(GMainContext *context, const char *const *urls,
					  const WiceSignalingHubEvents *events, void *user_data,
					  GError **error)
{
	if (!urls || !urls[0]) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "Cannot exchange candidates with peers: no signaling backend is named. "
			    "Name at least one, for instance multicast://.");
		return NULL;
	}
	WiceSignalingHub *hub = g_new0(WiceSignalingHub, 1);
	hub->events = events;
	hub->user_data = user_data;
	hub->spokes = g_ptr_array_new_with_free_func(spoke_free);
	for (; *urls; urls++)
		if (!add_spoke(hub, context, *urls, error)) {
			wice__signaling_hub_free(hub);
			return NULL;
		}
	return hub;
}

void wice__signaling_hub_free(WiceSignalingHub *hub)
{
	if (!hub)
		return;
	g_ptr_array_unref(hub->spokes);
	g_free(hub);
}

void wice__signaling_hub_subscribe(WiceSignalingHub *hub, const WiceKey *public_key,
				   const WiceKey *private_key)
{
	for (guint i = 0; i < hub->spokes->len; i++) {
		const Spoke *spoke = hub->spokes->pdata[i];
		spoke->ops->subscribe(spoke->backend, public_key, private_key);
	}
}

void wice__signaling_hub_unsubscribe(WiceSignalingHub *hub, const WiceKey *public_key)
{
	for (guint i = 0; i < hub->spokes->len; i++) {
		const Spoke *spoke = hub->spokes->pdata[i];
		spoke->ops->unsubscribe(spoke->backend, public_key);
	}
}

void wice__signaling_hub_publish(WiceSignalingHub *hub, const WiceEnvelope *envelope)
{
	for (guint i = 0; i < hub->spokes->len; i++) {
		const Spoke *spoke = hub->spokes->pdata[i];
		spoke->ops->publish(spoke->backend, envelope);
	}
}

void wice__signaling_hub_network_changed(WiceSignalingHub *hub)
{
	for (guint i = 0; i < hub->spokes->len; i++) {
		const Spoke *spoke = hub->spokes->pdata[i];
		spoke->ops->network_changed(spoke->backend);
	}
}

void wice__signaling_hub_set_fwmark(WiceSignalingHub *hub, uint32_t fwmark)
{
	for (guint i = 0; i < hub->spokes->len; i++) {
		const Spoke *spoke = hub->spokes->pdata[i];
		if (spoke->ops->set_fwmark)
			spoke->ops->set_fwmark(spoke->backend, fwmark);
	}
}

size_t wice__signaling_hub_status(const WiceSignalingHub *hub, WiceBackendStatus *ret, size_t n)
{
	for (guint i = 0; i < hub->spokes->len && i < n; i++) {
		const Spoke *spoke = hub->spokes->pdata[i];
		ret[i] = (WiceBackendStatus){ spoke->url, spoke->ready, spoke->reason };
	}
	return hub->spokes->len;
}
