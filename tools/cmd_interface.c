/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands that tell wiced to do something with interfaces and peers: they print nothing if
 * it was done.
 */
#include "select.h"
#include "wice.h"

#include <glib.h>
#include <stdlib.h>

int cmd_restart(const Invocation *invocation)
{
	g_autoptr(GError) error = NULL;
	const char *interface = invocation->args[0];
	WiceKey key;
	g_autoptr(WiceControl) control = wice_control_connect(invocation->socket, &error);
	if (control && select_peer_of(control, interface, invocation->args[1], &key, &error) &&
	    wice_control_restart_peer(control, interface, &key, &error))
		return EXIT_SUCCESS;
	return fail(error);
}

int cmd_sync(const Invocation *invocation)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WiceControl) control = wice_control_connect(invocation->socket, &error);
	if (control && wice_control_sync(control, invocation_arg(invocation, 0), &error))
		return EXIT_SUCCESS;
	return fail(error);
}

int cmd_add(const Invocation *invocation)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WiceControl) control = wice_control_connect(invocation->socket, &error);
	if (control && wice_control_add_interface(control, invocation->args[0], &error))
		return EXIT_SUCCESS;
	return fail(error);
}

int cmd_delete(const Invocation *invocation)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WiceControl) control = wice_control_connect(invocation->socket, &error);
	if (control && wice_control_remove_interface(control, invocation->args[0], &error))
		return EXIT_SUCCESS;
	return fail(error);
}
