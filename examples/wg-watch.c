/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Prints what happens to the peers of all WireGuard interfaces. Needs no main loop: poll(2) does. */
#include <poll.h>
#include <stdio.h>
#include <wice/watch.h>

static void print_peer(const char *name, const WiceDevicePeer *peer, const char *what)
{
	char key[WICE_KEY_BASE64_SIZE], endpoint[WICE_ENDPOINT_SIZE];
	wice_key_to_base64(&peer->public_key, key);
	printf("%s %s %s (%s)\n", name, key, what, wice_endpoint_format(&peer->endpoint, endpoint));
}

static void on_event(const WiceWatchEvent *event, void *user_data)
{
	switch (event->type) {
	case WICE_WATCH_DEVICE_ADDED:
		printf("%s is there\n", event->name);
		break;
	case WICE_WATCH_DEVICE_REMOVED:
		printf("%s is gone\n", event->name);
		break;
	case WICE_WATCH_PEER_ADDED:
		print_peer(event->name, event->peer_after, "was added");
		break;
	case WICE_WATCH_PEER_REMOVED:
		print_peer(event->name, event->peer_before, "was removed");
		break;
	case WICE_WATCH_ENDPOINT:
		print_peer(event->name, event->peer_after, "is somewhere else");
		break;
	case WICE_WATCH_HANDSHAKE:
		print_peer(event->name, event->peer_after, "has shaken hands");
		break;
	case WICE_WATCH_TROUBLE:
		printf("%s cannot be read: %s\n", event->name, event->message);
		break;
	default:
		break;
	}
	fflush(stdout);
}

int main(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WiceWg) wg = wice_wg_new();
	g_autoptr(WiceWatch) watch = wice_watch_new(wg, NULL, on_event, NULL, NULL, &error);
	if (!watch) {
		fprintf(stderr, "%s\n", error->message);
		return 1;
	}
	struct pollfd ready = { .fd = wice_watch_fd(watch), .events = POLLIN };
	do {
		wice_watch_dispatch(watch);
	} while (poll(&ready, 1, -1) >= 0);
	return 0;
}
