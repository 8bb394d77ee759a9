/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Peers: made, removed, and where they are. */
#include "engine/core_private.h"

#include <sodium.h>
#include <string.h>

WiceCorePeer *wice__core_find_peer(WiceCore *core, const WiceKey *key)
{
	return g_hash_table_lookup(core->peers, key);
}

WiceCorePeer *wice__core_add_peer(WiceCore *core, const WiceKey *key)
{
	WiceCorePeer *peer = g_new0(WiceCorePeer, 1);
	peer->noise.public_key = *key;
	wice__cookie_maker_init(&peer->cookie, key);
	wice__deadline_init(&peer->deadline);
	peer->handshake_entry.peer = peer;
	peer->shaken_ms = peer->answered_ms = INT64_MIN;
	peer->retry_ms = peer->forget_ms = INT64_MAX;
	peer->look_ms = INT64_MAX;
	g_queue_init(&peer->staged);
	peer->link.data = peer;
	g_queue_push_tail_link(&core->peer_order, &peer->link);
	g_hash_table_insert(core->peers, &peer->noise.public_key, peer);
	return peer;
}

void wice__core_forget(WiceCore *core, WiceCorePeer *peer)
{
	wice__core_end_session(core, &peer->current);
	wice__core_end_session(core, &peer->previous);
	wice__core_end_session(core, &peer->next);
	wice__core_end_handshake(core, peer);
	wice__core_drop_staged(core, peer);
}

void wice__core_remove_peer(WiceCore *core, WiceCorePeer *peer)
{
	wice__core_forget(core, peer);
	wice__core_stop_timers(core, peer);
	wice__allowed_ips_clear(core->routes, &peer->allowed_ips);
	g_queue_unlink(&core->peer_order, &peer->link);
	g_hash_table_remove(core->peers, &peer->noise.public_key);
}

bool wice__same_path(const WiceBindPath *a, const WiceBindPath *b)
{
	return a->channel == b->channel && a->ifindex == b->ifindex &&
	       wice_endpoint_compare(&a->remote, &b->remote) == 0 &&
	       wice_address_compare(&a->local, &b->local) == 0;
}

static bool same_way(const WiceBindPath *a, const WiceBindPath *b)
{
	return a->channel == b->channel && wice_endpoint_compare(&a->remote, &b->remote) == 0;
}

void wice__core_set_path(WiceCore *core, WiceCorePeer *peer, const WiceBindPath *path)
{
	bool roamed = !same_way(&peer->path, path);
	if (wice__same_path(&peer->path, path))
		return;
	wice__core_hold_lanes(core);
	peer->path = *path;
	wice__core_release_lanes(core);
	if (roamed)
		core->hooks->event(WICE_ENGINE_PEER_ENDPOINT, &peer->noise.public_key,
				   core->user_data);
}

void wice__core_heard_on(WiceCore *core, WiceCorePeer *peer, const WiceBindPath *path)
{
	bool news = !same_way(&peer->path, path);
	wice__core_set_path(core, peer, path);
	if (news && core->hooks->authenticated)
		core->hooks->authenticated(path, &peer->noise.public_key, core->user_data);
}

void wice__core_clear_source(WiceCore *core, WiceCorePeer *peer)
{
	WiceBindPath path = peer->path;
	path.local = (WiceAddress){ 0 };
	path.ifindex = 0;
	wice__core_set_path(core, peer, &path);
}

void wice__core_send(WiceCore *core, WiceCorePeer *peer, const WiceBindPacket *packets, size_t n,
		     bool data, WiceNow now)
{
	WiceBindPath path = peer->path;
	uint64_t bytes = 0;
	core->hooks->send(&path, packets, n, core->user_data);
	if (path.local.family != peer->path.local.family)
		wice__core_clear_source(core, peer);
	for (size_t i = 0; i < n; i++)
		bytes += packets[i].length;
	peer->tx_bytes += bytes;
	wice__peer_sent(peer, now.ms, data);
}

void wice__core_reroute(WiceCore *core)
{
	g_mutex_lock(&core->mutex);
	for (GList *item = core->peer_order.head; item; item = item->next) {
		WiceCorePeer *peer = item->data;
		WiceBindPath path;
		if (peer->path.remote.address.family == WICE_FAMILY_NONE)
			continue;
		core->hooks->route(&peer->path.remote, &path, core->user_data);
		wice__core_set_path(core, peer, &path);
	}
	g_mutex_unlock(&core->mutex);
}
