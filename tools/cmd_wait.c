/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "select.h"
#include "text.h"
#include "wice.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>

static void blame_peer(GString *out, const char *interface, const WicePeerStatus *peer)
{
	char key[WICE_KEY_BASE64_SIZE];
	wice_key_to_base64(&peer->public_key, key);
	g_string_append_printf(out, "  %s %s is %s", interface, key, wice_state_name(peer->state));
	if (*peer->reason) {
		g_string_append(out, ": ");
		text_clean(out, peer->reason);
	}
	g_string_append_c(out, '\n');
}

/*
 * Who is not connected, and why. What cannot be asked any more is left out: the timeout itself
 * has been told.
 */
static void print_laggards(WiceControl *control, const char *interface, const WiceKey *peer)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WiceStatus) status = wice_control_status(control, interface, peer, &error);
	if (!status) {
		fprintf(stderr, "  %s\n", error->message);
		return;
	}
	g_autoptr(GString) out = g_string_new(NULL);
	const WiceStatusInfo *info = wice_status_info(status);
	size_t n_peers = 0;
	for (size_t i = 0; i < info->n_interfaces; i++) {
		const WiceInterfaceStatus *found = &info->interfaces[i];
		n_peers += found->n_peers;
		for (size_t k = 0; k < found->n_peers; k++)
			if (found->peers[k].state != WICE_STATE_CONNECTED)
				blame_peer(out, found->name, &found->peers[k]);
	}
	if (n_peers == 0)
		g_string_append(out, "  There is no peer.\n");
	fputs(out->str, stderr);
}

int cmd_wait(const Invocation *invocation)
{
	g_autoptr(GError) error = NULL;
	const char *interface = invocation_arg(invocation, 0);
	const char *text = invocation_arg(invocation, 1);
	WiceKey key;
	const WiceKey *peer = text ? &key : NULL;
	g_autoptr(WiceControl) control = wice_control_connect(invocation->socket, &error);
	if (!control)
		return fail(error);
	if (text && !select_peer_of(control, interface, text, &key, &error))
		return fail(error);
	if (wice_control_wait(control, interface, peer, WICE_STATE_CONNECTED,
			      invocation->timeout_ms, &error))
		return EXIT_SUCCESS;
	if (!g_error_matches(error, WICE_ERROR, WICE_ERROR_TIMEOUT))
		return fail(error);
	fprintf(stderr, "wice: Not connected after %g s:\n", invocation->timeout_ms / 1000.0);
	print_laggards(control, interface, peer);
	return EXIT_FAILURE;
}
