/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only the whole file shows: one peer in two sections, one allowed IP at two peers. An error in
 * strict mode, and a warning in the others, where the later one wins.
 */
#include "wg/conf.h"

#include <sodium.h>
#include <string.h>

#define KEEPALIVE_LONG_S 3600

/*
 * A hash table of things by number. The hash is keyed with a secret, so that nobody can write a
 * file whose things all meet in one slot.
 */
typedef struct {
	uint32_t *slots; /* number + 1, 0: empty */
	size_t mask;
	unsigned char key[crypto_shorthash_KEYBYTES];
} Index;

static void index_init(Index *index, size_t n)
{
	size_t size = 16;
	while (size < 2 * n)
		size *= 2;
	index->slots = g_new0(uint32_t, size);
	index->mask = size - 1;
	randombytes_buf(index->key, sizeof index->key);
}

/* Where to look for a thing first. */
static size_t index_slot(const Index *index, const void *thing, size_t len)
{
	uint64_t hash;
	G_STATIC_ASSERT(sizeof hash == crypto_shorthash_BYTES);
	crypto_shorthash((unsigned char *)&hash, thing, len, index->key);
	return (size_t)hash & index->mask;
}

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
	Index index;
	index_init(&index, conf->n_peers);
	for (size_t i = 0; i < conf->n_peers; i++) {
		const WiceKey *key = &conf->peers[i].values.public_key;
		same[i] = (uint32_t)i;
		if (wice_key_is_zero(key)) /* there is none, which has been told */
			continue;
		size_t slot = index_slot(&index, key, sizeof *key);
		while (index.slots[slot] &&
		       wice_key_compare(&conf->peers[index.slots[slot] - 1].values.public_key,
					key) != 0)
			slot = (slot + 1) & index.mask;
		if (!index.slots[slot]) {
			index.slots[slot] = (uint32_t)i + 1;
			continue;
		}
		same[i] = index.slots[slot] - 1;
		tell(findings, conf->text + conf->peers[i].offset,
		     "a second [Peer] with the same PublicKey", "one section for each peer");
	}
	g_free(index.slots);
}

static void tell_twice(WiceConfFindings *findings, size_t ip, bool same_peer)
{
	const WiceConf *conf = findings->conf;
	char text[WICE_PREFIX_SIZE];
	const char *at = conf->text + g_array_index(conf->ip_offsets, uint32_t, ip);
	wice_prefix_format(&g_array_index(conf->allowed_ips, WiceAllowedIpChange, ip).prefix, text);
	if (same_peer) {
		wice__conf_warning(findings, at, "the peer has the allowed IP %s already", text);
		return;
	}
	g_autofree char *what =
		g_strdup_printf("the allowed IP %s, which another peer has already", text);
	tell(findings, at, what, "each at one peer only");
}

typedef struct {
	Index index;
	uint32_t *owners; /* by number of allowed IP: the peer, or another section of it */
} IpCheck;

/* Remembers an allowed IP, or tells that it has been there before. */
static void check_ip(WiceConfFindings *findings, IpCheck *check, size_t ip)
{
	const GArray *ips = findings->conf->allowed_ips;
	const WiceAllowedIpChange *change = &g_array_index(ips, WiceAllowedIpChange, ip);
	size_t slot = index_slot(&check->index, &change->prefix, sizeof change->prefix);
	uint32_t *slots = check->index.slots;
	if (change->remove)
		return;
	while (slots[slot] &&
	       memcmp(&g_array_index(ips, WiceAllowedIpChange, slots[slot] - 1).prefix,
		      &change->prefix, sizeof change->prefix) != 0)
		slot = (slot + 1) & check->index.mask;
	if (slots[slot])
		tell_twice(findings, ip, check->owners[slots[slot] - 1] == check->owners[ip]);
	slots[slot] = (uint32_t)ip + 1;
}

static void check_allowed_ips(WiceConfFindings *findings, const uint32_t *same)
{
	const WiceConf *conf = findings->conf;
	IpCheck check = { .owners = g_new(uint32_t, conf->allowed_ips->len + 1) };
	index_init(&check.index, conf->allowed_ips->len);
	for (size_t i = 0; i < conf->n_peers; i++) {
		size_t first = conf->peers[i].first_ip;
		for (size_t j = 0; j < conf->peers[i].values.n_allowed_ips; j++) {
			check.owners[first + j] = same[i];
			check_ip(findings, &check, first + j);
		}
	}
	g_free(check.owners);
	g_free(check.index.slots);
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
	if (wice_key_is_zero(&peer->public_key))
		wice__conf_warning(findings, at, "a [Peer] whose PublicKey is all zero");
	else if (own && wice_key_compare(own, &peer->public_key) == 0)
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
