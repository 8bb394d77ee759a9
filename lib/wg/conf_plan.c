/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* What a file asks for, as a plan. */
#include "wg/conf.h"

#include <sodium.h>
#include <string.h>
#include <wice/error.h>

static bool check_use(const WiceConf *conf, WiceConfUse use, GError **error)
{
	if (use == WICE_CONF_SET && conf->mode == WICE_CONF_STRICT && !conf->has_interface) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "%s has no [Interface] section, so setting it would take the "
			    "interface's peers away and nothing else; add the section, or add the "
			    "file to what is set.",
			    conf->name);
		return false;
	}
	if (conf->interface.listen_port_service) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_UNREACHABLE,
			    "%s: the port of service %s has not been looked up.", conf->name,
			    conf->interface.listen_port_service);
		return false;
	}
	return true;
}

static bool make_peer(const WiceConf *conf, const WiceConfPeer *peer, WicePeerChange *ret,
		      GError **error)
{
	if (wice__conf_is_unresolved(peer)) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_UNREACHABLE,
			    "%s: the endpoint %s has not been resolved.", conf->name,
			    peer->endpoint_host);
		return false;
	}
	ret->flags = peer->increments ? 0 : WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS;
	ret->fields = peer->fields;
	ret->public_key = peer->public_key;
	ret->preshared_key = peer->preshared_key;
	ret->endpoint = peer->endpoint;
	ret->keepalive_s = peer->keepalive_s;
	ret->n_allowed_ips = peer->n_allowed_ips;
	ret->allowed_ips = peer->allowed_ips;
	return true;
}

static unsigned get_fields(const WiceConf *conf, WiceConfUse use)
{
	if (use == WICE_CONF_ADD)
		return conf->interface.fields;
	if (conf->mode == WICE_CONF_STRICT)
		return conf->interface.fields | WICE_DEVICE_HAS_FWMARK;
	return WICE_DEVICE_HAS_PRIVATE_KEY | WICE_DEVICE_HAS_LISTEN_PORT | WICE_DEVICE_HAS_FWMARK;
}

WicePlan *wice_conf_plan(const WiceConf *conf, WiceConfUse use, GError **error)
{
	if (!check_use(conf, use, error))
		return NULL;
	WicePlan *plan = NULL;
	WicePeerChange *peers = g_new0(WicePeerChange, conf->n_peers + 1);
	bool ok = true;
	for (size_t i = 0; ok && i < conf->n_peers; i++)
		ok = make_peer(conf, &conf->peers[i].values, &peers[i], error);
	if (ok) {
		WiceDeviceChange change = {
			.size = sizeof change,
			.flags = use == WICE_CONF_SET ? WICE_DEVICE_CHANGE_REPLACE_PEERS : 0,
			.fields = get_fields(conf, use),
			.private_key = conf->interface.private_key,
			.listen_port = conf->interface.listen_port,
			.fwmark = conf->interface.fwmark,
			.n_peers = conf->n_peers,
			.peers = peers,
		};
		plan = wice_plan_new(&change, error);
		wice_key_clear(&change.private_key);
	}
	sodium_memzero(peers, (conf->n_peers + 1) * sizeof *peers);
	g_free(peers);
	return plan;
}
