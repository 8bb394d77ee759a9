/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* watch: what happens to WireGuard interfaces, one line per event, until interrupted. */
#include "watch.h"
#include "wg.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
	const WgCall *call;
	int code; /* of the last line that was written */
} Printer;

/* Each line at once: whoever reads a pipe waits for it. */
static void on_event(const WiceWatchEvent *event, void *user_data)
{
	Printer *printer = user_data;
	int64_t now_ms = g_get_real_time() / 1000;
	if (printer->code != EXIT_SUCCESS)
		return;
	char *line = printer->call->options & WG_JSON ? watch_event_json(event, now_ms)
						      : watch_event_text(event, now_ms);
	printer->code = wg_output(printer->call, line, true);
}

int wg_watch(const WgCall *call)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WiceWg) wg = wice_wg_new();
	Printer printer = { .call = call, .code = EXIT_SUCCESS };
	WiceWatchOptions options = {
		.size = sizeof options,
		.name = call->n_args ? call->args[0] : NULL,
		.transfer = call->options & WG_TRANSFER,
	};
	WiceWatch *watch = wice_watch_new(wg, &options, on_event, &printer, NULL, &error);
	if (!watch)
		return wg_fail(call, error);
	struct pollfd ready = { .fd = wice_watch_fd(watch), .events = POLLIN };
	while (printer.code == EXIT_SUCCESS) {
		wice_watch_dispatch(watch);
		if (printer.code == EXIT_SUCCESS && poll(&ready, 1, -1) < 0 && errno != EINTR) {
			fprintf(stderr, "%s: Cannot wait for events: %s\n", call->program,
				strerror(errno));
			printer.code = EXIT_FAILURE;
		}
	}
	wice_watch_free(watch);
	return printer.code;
}
