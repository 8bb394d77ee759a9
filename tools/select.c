/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "select.h"

#include <glib.h>
#include <string.h>

#define MAX_CANDIDATES_SHOWN 8

static const WicePeerStatus *find_by_prefix(const WiceInterfaceStatus *interface,
					    const WicePrefix *wanted)
{
	const WicePeerStatus *found = NULL;
	int longest = -1;
	for (size_t i = 0; i < interface->n_peers; i++) {
		const WicePeerStatus *peer = &interface->peers[i];
		for (size_t k = 0; k < peer->n_allowed_ips; k++) {
			const WicePrefix *allowed = &peer->allowed_ips[k];
			if (allowed->length > longest && allowed->length <= wanted->length &&
			    wice_prefix_contains(allowed, &wanted->address)) {
				longest = allowed->length;
				found = peer;
			}
		}
	}
	return found;
}

static gboolean select_by_prefix(const WiceInterfaceStatus *interface, const WicePrefix *wanted,
				 const char *text, WiceKey *ret_key, GError **error)
{
	const WicePeerStatus *peer = find_by_prefix(interface, wanted);
	if (!peer) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_NOT_FOUND,
			    "No peer of %s has %s within its allowed IPs.", interface->name, text);
		return FALSE;
	}
	*ret_key = peer->public_key;
	return TRUE;
}

static gboolean select_by_beginning(const WiceInterfaceStatus *interface, const char *text,
				    WiceKey *ret_key, GError **error)
{
	g_autoptr(GString) candidates = g_string_new(NULL);
	const WicePeerStatus *found = NULL;
	size_t n = 0;
	for (size_t i = 0; i < interface->n_peers; i++) {
		char key[WICE_KEY_BASE64_SIZE];
		wice_key_to_base64(&interface->peers[i].public_key, key);
		if (strncmp(key, text, strlen(text)) != 0)
			continue;
		found = &interface->peers[i];
		if (n++ < MAX_CANDIDATES_SHOWN)
			g_string_append_printf(candidates, "\n  %s", key);
	}
	if (n == 1) {
		*ret_key = found->public_key;
		return TRUE;
	}
	if (n == 0)
		g_set_error(error, WICE_ERROR, WICE_ERROR_NOT_FOUND,
			    "No peer of %s has a public key that begins with '%s'. See `wice show "
			    "%s`.",
			    interface->name, text, interface->name);
	else
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "'%s' could be any of %zu peers of %s; give more of the key:%s%s", text,
			    n, interface->name, candidates->str,
			    n > MAX_CANDIDATES_SHOWN ? "\n  ..." : "");
	return FALSE;
}

gboolean select_peer(const WiceStatusInfo *info, const char *interface, const char *text,
		     WiceKey *ret_key, GError **error)
{
	WicePrefix prefix;
	if (wice_key_from_base64(text, ret_key))
		return TRUE;
	for (size_t i = 0; i < info->n_interfaces; i++) {
		if (strcmp(info->interfaces[i].name, interface) != 0)
			continue;
		if (wice_prefix_parse(text, &prefix))
			return select_by_prefix(&info->interfaces[i], &prefix, text, ret_key,
						error);
		return select_by_beginning(&info->interfaces[i], text, ret_key, error);
	}
	g_set_error(error, WICE_ERROR, WICE_ERROR_NOT_FOUND, "wiced looks after no interface %s.",
		    interface);
	return FALSE;
}

gboolean select_peer_of(WiceControl *control, const char *interface, const char *text,
			WiceKey *ret_key, GError **error)
{
	if (wice_key_from_base64(text, ret_key))
		return TRUE;
	g_autoptr(WiceStatus) status = wice_control_status(control, interface, NULL, error);
	return status && select_peer(wice_status_info(status), interface, text, ret_key, error);
}
