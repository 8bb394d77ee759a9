/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One end of a tunnel whose path is switched: what lib/agent/peer.c does with the verdicts of
 * lib/agent/roam.c, without ICE.
 *
 *   roamer INTERFACE PEER controlling|controlled ENDPOINT...
 *
 * The endpoints are the peer's, one per path. Commands on stdin, one per line:
 *
 *   N    ICE has selected path N (from 0 on)
 *   ?    prints the path that WireGuard sends over (-1: none of them) and the number of writes
 *
 * Ends at the end of stdin.
 */
#include <glib-unix.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wice/wg.h>

#include "agent/roam.h"
#include "event/source.h"

#define MAX_PATHS 8
#define POLL_FAST_MS 20
#define POLL_IDLE_MS 2000
#define NUDGE_KEEPALIVE_S 25
#define TIMEOUT_MS 5000

typedef struct {
	GMainLoop *loop;
	WiceWg *wg;
	const char *interface;
	WiceKey peer;
	WiceEndpoint paths[MAX_PATHS];
	int n_paths;
	WiceRoam roam;
	WiceTimer *timer;
	unsigned writes;
	char line[64];
	size_t len;
} Roamer;

static void fail(GError *error)
{
	fprintf(stderr, "roamer: %s\n", error->message);
	exit(EXIT_FAILURE);
}

static void update(Roamer *roamer, WicePeerUpdate update)
{
	GError *error = NULL;
	update.size = sizeof update;
	update.public_key = roamer->peer;
	if (!wice_wg_update_peer(roamer->wg, roamer->interface, &update, TIMEOUT_MS, &error))
		fail(error);
}

static void write_endpoint(Roamer *roamer)
{
	roamer->writes++;
	update(roamer, (WicePeerUpdate){ .set_endpoint = true, .endpoint = roamer->roam.selected });
}

/* Keepalive from off to on sends at once. */
static void nudge(Roamer *roamer)
{
	update(roamer, (WicePeerUpdate){ .set_keepalive = true, .keepalive_s = NUDGE_KEEPALIVE_S });
	update(roamer, (WicePeerUpdate){ .set_keepalive = true });
}

static WiceEndpoint look(Roamer *roamer)
{
	GError *error = NULL;
	g_autoptr(WiceDevice) device =
		wice_wg_get(roamer->wg, roamer->interface, TIMEOUT_MS, &error);
	if (!device)
		fail(error);
	return wice_device_info(device)->peers[0].endpoint;
}

static int path_of(const Roamer *roamer, const WiceEndpoint *endpoint)
{
	for (int i = 0; i < roamer->n_paths; i++)
		if (wice_endpoint_compare(&roamer->paths[i], endpoint) == 0)
			return i;
	return -1;
}

static void on_poll(void *user_data)
{
	Roamer *roamer = user_data;
	WiceEndpoint seen = look(roamer);
	bool known = path_of(roamer, &seen) >= 0;
	WiceRoamVerdict verdict = wice__roam_seen(&roamer->roam, &seen, known, wice__now_ms());
	if (verdict == WICE_ROAM_REASSERT)
		write_endpoint(roamer);
	if (verdict == WICE_ROAM_REASSERT || verdict == WICE_ROAM_REPEAT)
		nudge(roamer);
	int64_t now = wice__now_ms();
	bool fast = wice__roam_wants_polls(&roamer->roam, now);
	wice__timer_set(roamer->timer, now + (fast ? POLL_FAST_MS : POLL_IDLE_MS));
}

static void obey(Roamer *roamer)
{
	if (strcmp(roamer->line, "?") == 0) {
		WiceEndpoint seen = look(roamer);
		printf("%d %u\n", path_of(roamer, &seen), roamer->writes);
		fflush(stdout);
		return;
	}
	int path = atoi(roamer->line);
	if (path < 0 || path >= roamer->n_paths)
		return;
	wice__roam_selected(&roamer->roam, &roamer->paths[path], true, wice__now_ms());
	write_endpoint(roamer);
	if (roamer->roam.controlling)
		nudge(roamer);
	wice__timer_set(roamer->timer, wice__now_ms() + POLL_FAST_MS / 2);
}

static gboolean on_input(gint fd, GIOCondition condition, gpointer user_data)
{
	Roamer *roamer = user_data;
	char byte;
	(void)condition;
	if (read(fd, &byte, 1) != 1) {
		g_main_loop_quit(roamer->loop);
		return G_SOURCE_REMOVE;
	}
	if (byte != '\n' && roamer->len + 1 < sizeof roamer->line) {
		roamer->line[roamer->len++] = byte;
		return G_SOURCE_CONTINUE;
	}
	roamer->line[roamer->len] = 0;
	roamer->len = 0;
	obey(roamer);
	return G_SOURCE_CONTINUE;
}

static bool parse(Roamer *roamer, int argc, char **argv)
{
	if (argc < 5 || argc > 4 + MAX_PATHS || !wice_key_from_base64(argv[2], &roamer->peer))
		return false;
	roamer->interface = argv[1];
	wice__roam_init(&roamer->roam, strcmp(argv[3], "controlling") == 0);
	for (int i = 4; i < argc; i++)
		if (!wice_endpoint_parse(argv[i], &roamer->paths[roamer->n_paths++]))
			return false;
	return true;
}

int main(int argc, char **argv)
{
	Roamer roamer = { 0 };
	if (!parse(&roamer, argc, argv)) {
		fprintf(stderr, "usage: %s INTERFACE PEER controlling|controlled ENDPOINT...\n",
			argv[0]);
		return 2;
	}
	roamer.wg = wice_wg_new();
	roamer.loop = g_main_loop_new(NULL, FALSE);
	roamer.timer = wice__timer_new(NULL, on_poll, &roamer);
	wice__timer_set(roamer.timer, wice__now_ms());
	g_unix_fd_add(STDIN_FILENO, G_IO_IN | G_IO_HUP, on_input, &roamer);
	g_main_loop_run(roamer.loop);
	wice__timer_free(roamer.timer);
	g_main_loop_unref(roamer.loop);
	wice_wg_free(roamer.wg);
	return EXIT_SUCCESS;
}
