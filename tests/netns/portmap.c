/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Has a port mapped, as an agent does for WireGuard's.
 *
 *   portmap PORT
 *
 * Prints a line for each change: "mapped:", then "PROTOCOL INTERNAL EXTERNAL" of each mapping. SIGHUP: the network has
 * changed. SIGTERM: removes the mappings.
 */
#include "portmap/portmap.h"
#include <glib-unix.h>
#include <stdio.h>
#include <stdlib.h>

static WicePortmap *portmap;

static void changed(void *user_data)
{
	size_t n;
	const WicePortMapping *mappings = wice__portmap_list(portmap, &n);
	printf("mapped:");
	for (size_t i = 0; i < n; i++) {
		char internal[WICE_ENDPOINT_SIZE], external[WICE_ENDPOINT_SIZE];
		printf(" %s %s %s", wice__portmap_protocol_name(mappings[i].protocol),
		       wice_endpoint_format(&mappings[i].internal, internal),
		       wice_endpoint_format(&mappings[i].external, external));
	}
	printf("\n");
	fflush(stdout);
}

static gboolean network_changed(gpointer unused)
{
	wice__portmap_network_changed(portmap);
	return G_SOURCE_CONTINUE;
}

static gboolean end(gpointer loop)
{
	g_main_loop_quit(loop);
	return G_SOURCE_CONTINUE;
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s PORT\n", argv[0]);
		return 2;
	}
	GMainLoop *loop = g_main_loop_new(NULL, FALSE);
	if (wice__portmap_new(NULL, (uint16_t)atoi(argv[1]), 0, changed, NULL, &portmap) != 0)
		return 1;
	g_unix_signal_add(SIGHUP, network_changed, NULL);
	g_unix_signal_add(SIGTERM, end, loop);
	printf("ready\n");
	fflush(stdout);
	g_main_loop_run(loop);
	wice__portmap_free(portmap);
	g_main_loop_unref(loop);
	return 0;
}
