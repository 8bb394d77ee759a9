/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_SIGNALING_HUB_H
#define WICE_SIGNALING_HUB_H

#include <glib.h>
#include <stddef.h>
#include <wice/signaling.h>
#include <wice/status.h>

/*
 * Several backends used as one: an envelope goes out on all of them; what comes in on any is handed
 * on (duplicates are dropped by the mailbox of the pair of keys). Same rules for threads and
 * callbacks as a backend.
 */
typedef struct WiceSignalingHub WiceSignalingHub;

typedef struct {
	void (*on_state)(const char *url, bool ready, const char *reason, void *user_data);
	void (*on_envelope)(const WiceEnvelope *envelope, void *user_data);
	void (*on_garbage)(bool oversized, void *user_data);
} WiceSignalingHubEvents;

/* urls: NULL-terminated. Errors: INVALID, UNSUPPORTED (names the URL and what is wrong with it). */
WiceSignalingHub *wice__signaling_hub_new(GMainContext *context, const char *const *urls,
					  const WiceSignalingHubEvents *events, void *user_data,
					  GError **error);
void wice__signaling_hub_free(WiceSignalingHub *hub);
void wice__signaling_hub_subscribe(WiceSignalingHub *hub, const WiceKey *public_key,
				   const WiceKey *private_key);
void wice__signaling_hub_unsubscribe(WiceSignalingHub *hub, const WiceKey *public_key);
void wice__signaling_hub_publish(WiceSignalingHub *hub, const WiceEnvelope *envelope);
void wice__signaling_hub_network_changed(WiceSignalingHub *hub);
void wice__signaling_hub_set_fwmark(WiceSignalingHub *hub, uint32_t fwmark);
/* The states of all backends; returns their number, at most n are written; texts live as long as
 * no callback or call of the hub happens. */
size_t wice__signaling_hub_status(const WiceSignalingHub *hub, WiceBackendStatus *ret, size_t n);

#endif
