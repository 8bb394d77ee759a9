/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "select.h"
#include "show.h"
#include "text.h"
#include "wice.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>

int cmd_show(const Invocation *invocation)
{
	g_autoptr(GError) error = NULL;
	const char *interface = invocation_arg(invocation, 0);
	const char *peer = invocation_arg(invocation, 1);
	WiceKey key;
	g_autoptr(WiceControl) control = wice_control_connect(invocation->socket, &error);
	if (!control)
		return fail(error);
	if (peer && !select_peer_of(control, interface, peer, &key, &error))
		return fail(error);
	g_autoptr(WiceStatus) status =
		wice_control_status(control, interface, peer ? &key : NULL, &error);
	if (!status)
		return fail(error);
	const WiceStatusInfo *info = wice_status_info(status);
	g_autofree char *text = invocation->json ? show_status_json(info)
						 : show_status_text(info, interface == NULL,
								    text_wants_colour(stdout));
	fputs(text, stdout);
	return EXIT_SUCCESS;
}
