/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "show.h"
#include "text.h"
#include "wice.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
	bool json;
	bool colours;
} Monitor;

static gboolean on_event(const WiceEvent *event, void *user_data)
{
	const Monitor *monitor = user_data;
	g_autofree char *line =
		monitor->json ? show_event_json(event) : show_event_text(event, monitor->colours);
	/* Each line at once: whoever reads a pipe waits for it. Nobody reads any more: enough. */
	return fputs(line, stdout) >= 0 && fflush(stdout) == 0;
}

int cmd_monitor(const Invocation *invocation)
{
	g_autoptr(GError) error = NULL;
	Monitor monitor = { .json = invocation->json, .colours = text_wants_colour(stdout) };
	g_autoptr(WiceControl) control = wice_control_connect(invocation->socket, &error);
	if (control && wice_control_stream_events(control, on_event, &monitor, 0, &error))
		return EXIT_SUCCESS;
	return fail(error);
}
