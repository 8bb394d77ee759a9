/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only the whole file shows: one peer in two sections, one allowed IP at two peers. An error
 * in strict mode, and a warning in the others, where the later one wins.
 */
#include "wg/conf.h"
#include "wg/index.h"

#define KEEPALIVE_LONG_S 3600

static void tell(WiceConfFindings *findings, const char *at, const char *what, const char *why)
{
	if (findings->conf->mode == WICE_CONF_STRICT)
		wice__conf_error(findings, at, "%s; expected %s", what, why);
	else
		wice__conf_warning(findings, at, "%s; expected %s", what, why);
}

/* Fills same[] with the number of the first section of each peer. */
static void check_peers(WiceConfFindings *findings, uint32_t *same)
{
	const WiceConf *conf = findings->conf;
	WiceIndex index;
	if (conf->n_peers == 0)
		return;
	wice__index_init(&index, conf->peers, sizeof *conf->peers,
			 offsetof(WiceConfPeerEntry, values.public_key), WICE_KEY_LEN,
			 conf->n_peers);
	for (uint32_t i = 0; i < conf->n_peers; i++) {
		same[i] = i;
		/* Where there is no key, that has been told. */
		if (wice_key_is_zero(&conf->peers[i].values.public_key))
			continue;
		uint32_t before = wice__index_put(&index, i);
		if (before == WICE_INDEX_NONE)
			continue;
		same[i] = same[before];
		tell(findings, conf->text + conf->peers[i].offset,
		     "a second [Peer] with the same PublicKey", "one section for each peer");
	}
	wice__index_done(&index);
}

static void tell_twice(WiceConfFindings *findings, size_t ip, bool same_peer)
{
	const WiceConf *conf = findings->conf;
	char text[WICE_PREFIX_SIZE];
	const char *at = conf->text + conf->ip_offsets[ip];
	wice_prefix_format(&conf->allowed_ips[ip].prefix, text);
	if (same_peer) {
		wice__conf_warning(findings, at, "the peer has the allowed IP %s already", text);
		return;
	}
	g_autofree char *what =
		g_strdup_printf("the allowed IP %s, which another peer has already", text);
	tell(findings, at, what, "each at one peer only");
}

static void check_allowed_ips(WiceConfFindings *findings, const uint32_t *same)
{
	const WiceConf *conf = findings->conf;
	const WiceAllowedIpChange *ips = conf->allowed_ips;
	uint32_t *owners = g_new(uint32_t, conf->n_allowed_ips + 1);
	WiceIndex index;
	wice__index_init(&index, ips, sizeof *ips, offsetof(WiceAllowedIpChange, prefix),
			 sizeof ips->prefix, conf->n_allowed_ips);
	for (size_t i = 0; i < conf->n_peers; i++) {
		uint32_t first = (uint32_t)conf->peers[i].first_ip;
		for (uint32_t ip = first; ip < first + conf->peers[i].values.n_allowed_ips; ip++) {
			owners[ip] = same[i];
			if (ips[ip].remove)
				continue;
			uint32_t before = wice__index_put(&index, ip);
			if (before != WICE_INDEX_NONE)
				tell_twice(findings, ip, owners[before] == owners[ip]);
		}
	}
	wice__index_done(&index);
	g_free(owners);
}

/* What is taken but hardly meant. */
static void look_at_peer(WiceConfFindings *findings, const WiceConfPeerEntry *entry,
			 const WiceKey *own)
{
	const WiceConfPeer *peer = &entry->values;
	const char *at = findings->conf->text + entry->offset;
	if (!peer->has_allowed_ips)
		wice__conf_warning(findings, at,
				   "a [Peer] without AllowedIPs: nothing is sent to it and nothing "
				   "taken from it");
	if (own && wice_key_compare(own, &peer->public_key) == 0)
		wice__conf_warning(findings, at,
				   "a [Peer] whose PublicKey belongs to the PrivateKey of this "
				   "[Interface]: WireGuard ignores it");
	if (peer->fields & WICE_PEER_HAS_ENDPOINT && peer->endpoint_port == 0 &&
	    !peer->endpoint_service)
		wice__conf_warning(findings, at,
				   "a [Peer] whose Endpoint has port 0: nothing can be sent there");
	if (peer->keepalive_s > KEEPALIVE_LONG_S)
		wice__conf_warning(
			findings, at,
			"a [Peer] with a PersistentKeepalive of %u s, which keeps nothing "
			"alive: 25 s are usual",
			peer->keepalive_s);
}

static void look_around(WiceConfFindings *findings)
{
	const WiceConf *conf = findings->conf;
	WiceKey own;
	bool has_own = conf->interface.fields & WICE_DEVICE_HAS_PRIVATE_KEY &&
		       !wice_key_is_zero(&conf->interface.private_key);
	if (has_own)
		wice_key_public(&conf->interface.private_key, &own);
	for (size_t i = 0; i < conf->n_peers; i++)
		look_at_peer(findings, &conf->peers[i], has_own ? &own : NULL);
	if (conf->interface.listen_port_service)
		wice__conf_warning(findings, conf->text, "ListenPort is the name of a service");
	if (!conf->has_interface)
		wice__conf_warning(findings, conf->text,
				   "there is no [Interface]: \"wg setconf\" would take the "
				   "interface's key, port and mark away");
}

void wice__conf_check(WiceConfFindings *findings)
{
	const WiceConf *conf = findings->conf;
	if (findings->lint || conf->mode == WICE_CONF_STRICT) {
		uint32_t *same = g_new(uint32_t, conf->n_peers + 1);
		check_peers(findings, same);
		if (!wice__conf_failed(findings))
			check_allowed_ips(findings, same);
		g_free(same);
	}
	if (findings->lint)
		look_around(findings);
}
