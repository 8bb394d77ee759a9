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

static gboolean restart_peers(WiceControl *control, const WiceInterfaceStatus *interface,
			      GError **error)
{
	for (size_t i = 0; i < interface->n_peers; i++) {
		g_autoptr(GError) refusal = NULL;
		if (wice_control_restart_peer(control, interface->name,
					      &interface->peers[i].public_key, &refusal))
			continue;
		/* It may have gone since it was listed. */
		if (g_error_matches(refusal, WICE_ERROR, WICE_ERROR_NOT_FOUND))
			continue;
		g_propagate_error(error, g_steal_pointer(&refusal));
		return FALSE;
	}
	return TRUE;
}

/* Every peer of the interface; NULL: of all interfaces. */
static gboolean restart_all(WiceControl *control, const char *interface, GError **error)
{
	g_autoptr(WiceStatus) status = wice_control_status(control, interface, NULL, error);
	if (!status)
		return FALSE;
	const WiceStatusInfo *info = wice_status_info(status);
	for (size_t i = 0; i < info->n_interfaces; i++)
		if (!restart_peers(control, &info->interfaces[i], error))
			return FALSE;
	return TRUE;
}

static gboolean restart(WiceControl *control, const Invocation *invocation, GError **error)
{
	const char *interface = invocation_arg(invocation, 0);
	const char *peer = invocation_arg(invocation, 1);
	WiceKey key;
	if (invocation->proxy)
		return wice_control_set_mechanism(control, interface, invocation->mechanism, error);
	if (!peer)
		return restart_all(control, interface, error);
	return select_peer_of(control, interface, peer, &key, error) &&
	       wice_control_restart_peer(control, interface, &key, error);
}

int cmd_restart(const Invocation *invocation)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WiceControl) control = wice_control_connect(invocation->socket, &error);
	if (control && restart(control, invocation, &error))
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
