/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* inprocess:[NAME]: agents of this process that name the same room. */
#include "signaling/backends.h"
#include "signaling/room.h"

static WiceSignalingBackend *inprocess_open(GMainContext *context, const char *url,
					    const WiceSignalingEvents *events, void *user_data,
					    GError **error)
{
	return wice__room_enter(context, url, &wice__signaling_inprocess, NULL, events, user_data);
}

const WiceSignalingOps wice__signaling_inprocess = {
	.size = sizeof(WiceSignalingOps),
	.scheme = "inprocess",
	.open = inprocess_open,
	.subscribe = wice__room_subscribe,
	.unsubscribe = wice__room_unsubscribe,
	.publish = wice__room_publish,
	.network_changed = wice__room_network_changed,
	.set_fwmark = NULL, /* there is no socket */
	.close = wice__room_leave,
};
