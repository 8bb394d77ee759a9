/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration: what a plan changes, what a snapshot tells. */
#include "engine/core_private.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

/* Sessions and handshakes with the old key are worth nothing any more. */
static void expire(WiceCore *core, WiceCorePeer *peer)
{
	WiceCoreSession *sessions[] = { peer->current, peer->previous, peer->next };
	wice__noise_peer_reset(&peer->noise);
	wice__core_end_handshake(core, peer);
	peer->retry_ms = INT64_MAX;
	peer->shaken_ms = INT64_MIN;
	for (size_t i = 0; i < G_N_ELEMENTS(sessions); i++)
		if (sessions[i])
			sessions[i]->counter = WICE_REJECT_AFTER_MESSAGES;
	wice__core_look_soon(core, peer);
}

static void set_private_key(WiceCore *core, const WiceKey *key)
{
	if (core->has_identity && sodium_memcmp(&core->identity.private_key, key, sizeof *key) == 0)
		return;
	core->has_identity = !wice_key_is_zero(key);
	wice__noise_identity(key, &core->identity);
	wice__cookie_checker_init(&core->checker, &core->identity.public_key);
	WiceCorePeer *self =
		core->has_identity ? wice__core_find_peer(core, &core->identity.public_key) : NULL;
	if (self)
		wice__core_remove_peer(core, self);
	for (GList *item = core->peer_order.head; item; item = item->next)
		expire(core, item->data);
}

static void set_allowed_ips(WiceCore *core, WiceCorePeer *peer, const WicePeerChange *change)
{
	if (change->flags & WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS)
		wice__allowed_ips_clear(core->routes, &peer->allowed_ips);
	for (size_t i = 0; i < change->n_allowed_ips; i++) {
		const WiceAllowedIpChange *ip = &change->allowed_ips[i];
		if (ip->remove)
			wice__allowed_ips_remove(core->routes, &ip->prefix, peer,
						 &peer->allowed_ips);
		else
			wice__allowed_ips_insert(core->routes, &ip->prefix, peer,
						 &peer->allowed_ips);
	}
}

static void set_endpoint(WiceCore *core, WiceCorePeer *peer, const WiceEndpoint *endpoint)
{
	if (wice_endpoint_compare(&peer->path.remote, endpoint) == 0)
		return;
	peer->path = (WiceBindPath){ .remote = *endpoint };
	core->hooks->route(endpoint, &peer->path, core->user_data);
}

static void change_peer(WiceCore *core, const WicePeerChange *change)
{
	WiceCorePeer *peer = wice__core_find_peer(core, &change->public_key);
	if (change->flags & WICE_PEER_CHANGE_REMOVE) {
		if (peer)
			wice__core_remove_peer(core, peer);
		return;
	}
	if (!peer) {
		if (change->flags & WICE_PEER_CHANGE_UPDATE_ONLY)
			return;
		if (core->has_identity &&
		    wice_key_compare(&core->identity.public_key, &change->public_key) == 0)
			return;
		peer = wice__core_add_peer(core, &change->public_key);
	}
	if (change->fields & WICE_PEER_HAS_PRESHARED_KEY)
		peer->noise.preshared_key = change->preshared_key;
	if (change->fields & WICE_PEER_HAS_ENDPOINT)
		set_endpoint(core, peer, &change->endpoint);
	if (change->fields & WICE_PEER_HAS_KEEPALIVE) {
		peer->wants_keepalive |= change->keepalive_s && !peer->keepalive_s;
		peer->keepalive_s = change->keepalive_s;
	}
	set_allowed_ips(core, peer, change);
	wice__core_look_soon(core, peer);
}

static void remove_all(WiceCore *core)
{
	while (core->peer_order.head)
		wice__core_remove_peer(core, core->peer_order.head->data);
}

static bool too_many(const WiceCore *core, const WiceDeviceChange *change)
{
	bool replace = change->flags & WICE_DEVICE_CHANGE_REPLACE_PEERS;
	size_t n = replace ? 0 : g_hash_table_size(core->peers);
	if (n + change->n_peers <= MAX_PEERS)
		return false;
	for (size_t i = 0; i < change->n_peers; i++)
		n += replace || !g_hash_table_contains(core->peers, &change->peers[i].public_key);
	return n > MAX_PEERS;
}

int wice__core_apply(WiceCore *core, const WiceDeviceChange *change)
{
	g_mutex_lock(&core->mutex);
	int r = too_many(core, change) ? -E2BIG : 0;
	if (r == 0) {
		wice__core_hold_lanes(core);
		if (change->fields & WICE_DEVICE_HAS_PRIVATE_KEY)
			set_private_key(core, &change->private_key);
		if (change->flags & WICE_DEVICE_CHANGE_REPLACE_PEERS)
			remove_all(core);
		for (size_t i = 0; i < change->n_peers; i++)
			change_peer(core, &change->peers[i]);
		wice__core_release_lanes(core);
	}
	g_mutex_unlock(&core->mutex);
	return r;
}

static void read_allowed_ip(const WicePrefix *prefix, void *builder)
{
	wice__device_builder_allowed_ip(builder, prefix);
}

static void read_peer(const WiceCorePeer *peer, WiceDeviceBuilder *builder)
{
	WiceDevicePeer *to;
	if (wice__device_builder_peer(builder, &peer->noise.public_key, &to) < 0)
		return;
	to->preshared_key = peer->noise.preshared_key;
	to->endpoint = peer->path.remote;
	to->keepalive_s = peer->keepalive_s;
	to->handshake_ns = peer->handshake_ns;
	to->rx_bytes = peer->rx_bytes;
	to->tx_bytes = peer->tx_bytes;
	wice__allowed_ips_foreach(&peer->allowed_ips, read_allowed_ip, builder);
}

void wice__core_read(WiceCore *core, WiceDeviceBuilder *builder)
{
	WiceDeviceInfo *info = wice__device_builder_info(builder);
	g_mutex_lock(&core->mutex);
	if (core->has_identity) {
		info->private_key = core->identity.private_key;
		info->public_key = core->identity.public_key;
	}
	for (GList *item = core->peer_order.head; item; item = item->next)
		read_peer(item->data, builder);
	g_mutex_unlock(&core->mutex);
}

static void start(WiceCore *core, WiceCorePeer *peer)
{
	peer->shaken_ms = INT64_MIN;
	peer->wants_keepalive = peer->keepalive_s != 0;
	wice__core_look_soon(core, peer);
}

static void stop(WiceCore *core, WiceCorePeer *peer)
{
	wice__core_forget(core, peer);
	wice__core_stop_timers(core, peer);
}

void wice__core_set_up(WiceCore *core, bool up)
{
	g_mutex_lock(&core->mutex);
	if (core->up != up) {
		wice__core_hold_lanes(core);
		core->up = up;
		for (GList *item = core->peer_order.head; item; item = item->next)
			(up ? start : stop)(core, item->data);
		wice__core_release_lanes(core);
	}
	g_mutex_unlock(&core->mutex);
}

void wice__core_set_mtu(WiceCore *core, uint32_t mtu)
{
	atomic_store(&core->mtu, mtu);
}
