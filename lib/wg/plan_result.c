/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a plan makes of a device: a model of WireGuard that does what the kernel does, in its order.
 *
 * Peers and allowed IPs stand in two arrays in the order in which they came; both have room for all
 * that can come, so nothing moves. What is removed stays where it is and is marked: a peer that
 * comes back is a new one. One index finds the peer of a key, the other the owner of a prefix, so
 * everything takes the same short time however large the device is:
 *
 *	Peer.first -> Route.next -> Route.next ...	the allowed IPs of a peer
 *	owners: prefix -> the newest Route		the peer that has a prefix
 *
 * An allowed IP that is set again gets a new Route at the end of its peer's list, and the one that
 * was there before is marked gone, whoever had it.
 */
#include "crypto/key.h"
#include "wg/device.h"
#include "wg/index.h"

#include <sodium.h>
#include <stddef.h>
#include <wice/plan.h>

typedef struct {
	WiceDevicePeer state; /* without its allowed IPs */
	uint32_t first, last; /* these, or WICE_INDEX_NONE */
	bool gone;
} Peer;

typedef struct {
	WicePrefix prefix;
	bool gone;
	uint32_t peer, next;
} Route;

typedef struct {
	WiceDeviceInfo info; /* without its peers */
	Peer *peers;
	uint32_t n_peers;
	Route *routes;
	uint32_t n_routes;
	WiceIndex by_key, owners;
} Model;

static size_t count_allowed_ips(const WiceDeviceInfo *info, const WiceDeviceChange *change)
{
	size_t n = 0;
	for (size_t i = 0; i < info->n_peers; i++)
		n += info->peers[i].n_allowed_ips;
	for (size_t i = 0; i < change->n_peers; i++)
		n += change->peers[i].n_allowed_ips;
	return n;
}

static void model_init(Model *model, const WiceDeviceInfo *info, const WiceDeviceChange *change)
{
	size_t peers_max = info->n_peers + change->n_peers;
	size_t routes_max = count_allowed_ips(info, change);
	*model = (Model){ .info = *info,
			  .peers = g_new(Peer, peers_max),
			  .routes = g_new(Route, routes_max) };
	wice__index_init(&model->by_key, model->peers, sizeof(Peer),
			 offsetof(Peer, state.public_key), sizeof(WiceKey), peers_max);
	wice__index_init(&model->owners, model->routes, sizeof(Route), offsetof(Route, prefix),
			 sizeof(WicePrefix), routes_max);
}

static void model_done(Model *model)
{
	wice__index_done(&model->by_key);
	wice__index_done(&model->owners);
	if (model->n_peers)
		sodium_memzero(model->peers, model->n_peers * sizeof *model->peers);
	g_free(model->peers);
	g_free(model->routes);
	sodium_memzero(&model->info, sizeof model->info);
}

static uint32_t find_peer(const Model *model, const WiceKey *key)
{
	uint32_t number = wice__index_find(&model->by_key, key);
	return number != WICE_INDEX_NONE && model->peers[number].gone ? WICE_INDEX_NONE : number;
}

static uint32_t add_peer(Model *model, const WiceDevicePeer *state)
{
	uint32_t number = model->n_peers++;
	model->peers[number] = (Peer){ .state = *state, .first = WICE_INDEX_NONE };
	wice__index_put(&model->by_key, number);
	return number;
}

static void add_allowed_ip(Model *model, uint32_t owner, const WicePrefix *prefix)
{
	Peer *peer = &model->peers[owner];
	uint32_t number = model->n_routes++;
	model->routes[number] =
		(Route){ .prefix = *prefix, .peer = owner, .next = WICE_INDEX_NONE };
	uint32_t before = wice__index_put(&model->owners, number);
	if (before != WICE_INDEX_NONE)
		model->routes[before].gone = true;
	if (peer->first == WICE_INDEX_NONE)
		peer->first = number;
	else
		model->routes[peer->last].next = number;
	peer->last = number;
}

static void remove_allowed_ip(Model *model, uint32_t owner, const WicePrefix *prefix)
{
	uint32_t number = wice__index_find(&model->owners, prefix);
	if (number != WICE_INDEX_NONE && model->routes[number].peer == owner)
		model->routes[number].gone = true;
}

static void load_peers(Model *model, const WiceDevice *device)
{
	const WiceDeviceInfo *info = wice_device_info(device);
	const uint32_t *order = wice_device_order(device);
	for (size_t i = 0; i < info->n_peers; i++) {
		const WiceDevicePeer *peer = &info->peers[order[i]];
		uint32_t number = add_peer(model, peer);
		for (size_t j = 0; j < peer->n_allowed_ips; j++)
			add_allowed_ip(model, number,
				       &peer->allowed_ips[peer->allowed_ip_order[j]]);
	}
}

/*
 * A new private key removes the peer that is the device itself from now on. Devices keep it
 * clamped: one that differs in nothing else is the same one, and setting it anew would cost every
 * peer its session.
 */
static void change_private_key(Model *model, const WiceKey *private_key)
{
	WiceDeviceInfo *info = &model->info;
	WiceKey key = *private_key;
	if (!wice_key_is_zero(&key))
		wice__key_clamp(&key);
	bool same = sodium_memcmp(&info->private_key, &key, sizeof key) == 0;
	if (!same) {
		info->private_key = key;
		info->public_key = (WiceKey){ 0 };
	}
	wice_key_clear(&key);
	if (same || wice_key_is_zero(&info->private_key))
		return;
	wice_key_public(&info->private_key, &info->public_key);
	uint32_t number = find_peer(model, &info->public_key);
	if (number != WICE_INDEX_NONE)
		model->peers[number].gone = true;
}

static bool is_own_key(const Model *model, const WiceKey *key)
{
	return !wice_key_is_zero(&model->info.public_key) &&
	       wice_key_compare(&model->info.public_key, key) == 0;
}

static void change_peer(Model *model, const WicePeerChange *change)
{
	uint32_t number = find_peer(model, &change->public_key);
	if (number == WICE_INDEX_NONE) {
		if (change->flags & (WICE_PEER_CHANGE_REMOVE | WICE_PEER_CHANGE_UPDATE_ONLY) ||
		    is_own_key(model, &change->public_key))
			return;
		number = add_peer(model, &(WiceDevicePeer){ .public_key = change->public_key });
	}
	Peer *peer = &model->peers[number];
	peer->gone = change->flags & WICE_PEER_CHANGE_REMOVE;
	if (change->fields & WICE_PEER_HAS_PRESHARED_KEY)
		peer->state.preshared_key = change->preshared_key;
	if (change->fields & WICE_PEER_HAS_ENDPOINT)
		peer->state.endpoint = change->endpoint;
	if (change->fields & WICE_PEER_HAS_KEEPALIVE)
		peer->state.keepalive_s = change->keepalive_s;
	if (change->flags & WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS)
		peer->first = WICE_INDEX_NONE;
	for (size_t i = 0; i < change->n_allowed_ips; i++) {
		const WiceAllowedIpChange *entry = &change->allowed_ips[i];
		if (entry->remove)
			remove_allowed_ip(model, number, &entry->prefix);
		else
			add_allowed_ip(model, number, &entry->prefix);
	}
}

static void apply(Model *model, const WiceDeviceChange *change)
{
	if (change->fields & WICE_DEVICE_HAS_LISTEN_PORT)
		model->info.listen_port = change->listen_port;
	if (change->fields & WICE_DEVICE_HAS_FWMARK)
		model->info.fwmark = change->fwmark;
	if (change->fields & WICE_DEVICE_HAS_PRIVATE_KEY)
		change_private_key(model, &change->private_key);
	for (size_t i = 0; i < change->n_peers; i++)
		change_peer(model, &change->peers[i]);
}

/* What is more than a device can have is left out, as a device would refuse it. */
static WiceDevice *snapshot(const Model *model)
{
	WiceDeviceBuilder *builder = wice__device_builder_new(model->info.name, model->info.kind);
	WiceDeviceInfo *info = wice__device_builder_info(builder);
	WiceDevicePeer *entry;
	*info = model->info;
	wice__device_builder_reserve(builder, model->n_peers, model->n_routes);
	for (uint32_t i = 0; i < model->n_peers; i++) {
		const Peer *peer = &model->peers[i];
		if (peer->gone ||
		    wice__device_builder_peer(builder, &peer->state.public_key, &entry) < 0)
			continue;
		*entry = peer->state;
		for (uint32_t j = peer->first; j != WICE_INDEX_NONE; j = model->routes[j].next) {
			if (!model->routes[j].gone)
				(void)wice__device_builder_allowed_ip(builder,
								      &model->routes[j].prefix);
		}
	}
	return wice__device_builder_finish(builder);
}

WiceDevice *wice_plan_result(const WicePlan *plan, const WiceDevice *device)
{
	static const WiceDeviceInfo just_made = { .kind = WICE_DEVICE_FAKE };
	const WiceDeviceChange *change = wice_plan_change(plan);
	Model model;
	model_init(&model, device ? wice_device_info(device) : &just_made, change);
	if (device && !(change->flags & WICE_DEVICE_CHANGE_REPLACE_PEERS))
		load_peers(&model, device);
	apply(&model, change);
	WiceDevice *result = snapshot(&model);
	model_done(&model);
	return result;
}
