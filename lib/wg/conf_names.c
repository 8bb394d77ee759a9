/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Which names a document has, and what they have been resolved to. */
#include "wg/conf.h"

bool wice__conf_is_unresolved(const WiceConfPeer *peer)
{
	return peer->fields & WICE_PEER_HAS_ENDPOINT &&
	       peer->endpoint.address.family == WICE_FAMILY_NONE;
}

bool wice_conf_needs_resolving(const WiceConf *conf)
{
	if (conf->interface.listen_port_service)
		return true;
	for (size_t i = 0; i < conf->n_peers; i++) {
		if (wice__conf_is_unresolved(&conf->peers[i].values))
			return true;
	}
	return false;
}

char *wice__conf_peer_name(const WiceConfPeer *peer)
{
	if (!wice__conf_is_unresolved(peer))
		return NULL;
	return peer->endpoint_service
		       ? g_strdup_printf("%s %s", peer->endpoint_host, peer->endpoint_service)
		       : g_strdup_printf("%s %u", peer->endpoint_host, peer->endpoint_port);
}

void wice__conf_apply_resolved(WiceConf *conf)
{
	WiceConfInterface *interface = &conf->interface;
	const WiceEndpoint *found;
	if (g_hash_table_size(conf->resolved) == 0)
		return;
	if (interface->listen_port_service &&
	    (found = g_hash_table_lookup(conf->resolved, interface->listen_port_service))) {
		interface->listen_port = found->port;
		interface->listen_port_service = NULL;
	}
	for (size_t i = 0; i < conf->n_peers; i++) {
		WiceConfPeer *peer = &conf->peers[i].values;
		g_autofree char *name = wice__conf_peer_name(peer);
		if (!name || !(found = g_hash_table_lookup(conf->resolved, name)))
			continue;
		peer->endpoint = *found;
		peer->endpoint_port = found->port;
	}
}
