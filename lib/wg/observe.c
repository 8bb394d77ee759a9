/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* What happened between two snapshots: each bit of their difference is a part of an event. */
#include "wg/observe.h"

#define DEVICE_CHANGES (WICE_CHANGE_PRIVATE_KEY | WICE_CHANGE_LISTEN_PORT | WICE_CHANGE_FWMARK)
#define PEER_CHANGES (WICE_CHANGE_PRESHARED_KEY | WICE_CHANGE_KEEPALIVE | WICE_CHANGE_ALLOWED_IPS)

typedef struct {
	WiceWatchEvent event; /* what all events of this comparison have in common */
	bool transfer;
	GArray *events;
} Comparison;

static void add(const Comparison *comparison, WiceWatchEventType type, unsigned changes,
		const WiceDevicePeer *before, const WiceDevicePeer *after)
{
	WiceWatchEvent event = comparison->event;
	event.type = type;
	event.changes = changes;
	event.peer_before = before;
	event.peer_after = after;
	g_array_append_val(comparison->events, event);
}

/* A peer that was removed and made again lost its handshake: that is none. */
static void compare_peer(unsigned changes, const WiceDevicePeer *before,
			 const WiceDevicePeer *after, void *user_data)
{
	const Comparison *comparison = user_data;
	if (changes & WICE_CHANGE_PEER_ADDED)
		add(comparison, WICE_WATCH_PEER_ADDED, 0, before, after);
	if (changes & WICE_CHANGE_PEER_REMOVED)
		add(comparison, WICE_WATCH_PEER_REMOVED, 0, before, after);
	if (changes & PEER_CHANGES)
		add(comparison, WICE_WATCH_PEER_CHANGED, changes & PEER_CHANGES, before, after);
	if (changes & WICE_CHANGE_ENDPOINT)
		add(comparison, WICE_WATCH_ENDPOINT, 0, before, after);
	if ((changes & WICE_CHANGE_HANDSHAKE) && after->handshake_ns)
		add(comparison, WICE_WATCH_HANDSHAKE, 0, before, after);
	if ((changes & WICE_CHANGE_TRANSFER) && comparison->transfer)
		add(comparison, WICE_WATCH_TRANSFER, 0, before, after);
}

static bool made_again(const WiceDevice *before, const WiceDevice *after)
{
	const WiceDeviceInfo *a = wice_device_info(before), *b = wice_device_info(after);
	return a->ifindex != b->ifindex || a->kind != b->kind;
}

static void compare_devices(Comparison *comparison)
{
	WiceDevice *before = comparison->event.before, *after = comparison->event.after;
	guint first = comparison->events->len;
	unsigned changes =
		DEVICE_CHANGES & wice_device_diff(before, after, compare_peer, comparison);
	if (!changes)
		return;
	WiceWatchEvent changed = comparison->event;
	changed.type = WICE_WATCH_DEVICE_CHANGED;
	changed.changes = changes;
	g_array_insert_val(comparison->events, first, changed);
}

void wice__observe(const char *name, WiceDevice *before, WiceDevice *after, bool transfer,
		   GArray *events)
{
	if (before && after && made_again(before, after)) {
		wice__observe(name, before, NULL, transfer, events);
		wice__observe(name, NULL, after, transfer, events);
		return;
	}
	Comparison comparison = { .event = { .name = name, .before = before, .after = after },
				  .transfer = transfer,
				  .events = events };
	if (before && after) {
		compare_devices(&comparison);
	} else if (after) {
		add(&comparison, WICE_WATCH_DEVICE_ADDED, 0, NULL, NULL);
		wice_device_diff(NULL, after, compare_peer, &comparison);
	} else if (before) {
		wice_device_diff(before, NULL, compare_peer, &comparison);
		add(&comparison, WICE_WATCH_DEVICE_REMOVED, 0, NULL, NULL);
	}
}
