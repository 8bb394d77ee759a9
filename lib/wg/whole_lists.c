/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All changes are kept in their order, but without what they take away: so each allowed IP comes to
 * the peer that had or got it last. Behind them, each peer that was to lose some is given the list
 * that it has in the end, and so loses them. Other peers lose nothing by that, for whatever is on
 * such a list is that peer's in the end.
 */
#include "wg/whole_lists.h"

#include "wg/plan.h"

#include <sodium.h>

struct WiceWholeLists {
	WiceDeviceChange change;
	WicePeerChange *peers; /* what change.peers points to */
	size_t n_peers, room;
	WiceAllowedIpChange *allowed_ips; /* of all peers that are not as they were in the plan */
	size_t n_allowed_ips;
};

static size_t count_additions(const WicePeerChange *peer)
{
	size_t n = 0;
	for (size_t i = 0; i < peer->n_allowed_ips; i++)
		n += !peer->allowed_ips[i].remove;
	return n;
}

/* Which peers of result lose allowed IPs by the plan: an array as long as result->peers. */
static bool *find_losers(const WiceDeviceChange *change, const WiceDevice *result)
{
	const WiceDeviceInfo *info = wice_device_info(result);
	bool *losers = g_new0(bool, info->n_peers);
	for (size_t i = 0; i < change->n_peers; i++) {
		if (!wice__takes_away(&change->peers[i]))
			continue;
		const WiceDevicePeer *peer =
			wice_device_find_peer(result, &change->peers[i].public_key);
		if (peer)
			losers[peer - info->peers] = true;
	}
	return losers;
}

static void make_room(WiceWholeLists *lists, const WiceDeviceChange *change,
		      const WiceDeviceInfo *result, const bool *losers)
{
	size_t n_allowed_ips = 0;
	lists->room = change->n_peers;
	for (size_t i = 0; i < change->n_peers; i++)
		n_allowed_ips += change->peers[i].n_allowed_ips;
	for (size_t i = 0; i < result->n_peers; i++) {
		if (!losers[i])
			continue;
		lists->room++;
		n_allowed_ips += result->peers[i].n_allowed_ips;
	}
	lists->peers = g_new0(WicePeerChange, lists->room);
	lists->allowed_ips = g_new0(WiceAllowedIpChange, n_allowed_ips);
}

static void put_allowed_ip(WiceWholeLists *lists, WicePeerChange *peer, const WicePrefix *prefix)
{
	WiceAllowedIpChange *entry = &lists->allowed_ips[lists->n_allowed_ips++];
	entry->prefix = *prefix;
	if (peer->n_allowed_ips++ == 0)
		peer->allowed_ips = entry;
}

static void put_additions(WiceWholeLists *lists, const WicePeerChange *peer)
{
	bool says_nothing = peer->flags == WICE_PEER_CHANGE_UPDATE_ONLY && peer->fields == 0;
	if (says_nothing && count_additions(peer) == 0)
		return;
	WicePeerChange *entry = &lists->peers[lists->n_peers++];
	*entry = *peer;
	entry->n_allowed_ips = 0;
	entry->allowed_ips = NULL;
	for (size_t i = 0; i < peer->n_allowed_ips; i++) {
		if (!peer->allowed_ips[i].remove)
			put_allowed_ip(lists, entry, &peer->allowed_ips[i].prefix);
	}
}

static void put_whole_list(WiceWholeLists *lists, const WiceDevicePeer *peer)
{
	WicePeerChange *entry = &lists->peers[lists->n_peers++];
	entry->flags = WICE_PEER_CHANGE_UPDATE_ONLY | WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS;
	entry->public_key = peer->public_key;
	for (size_t i = 0; i < peer->n_allowed_ips; i++)
		put_allowed_ip(lists, entry, &peer->allowed_ips[i]);
}

WiceWholeLists *wice__whole_lists_new(const WicePlan *plan, const WiceDevice *device)
{
	const WiceDeviceChange *change = wice_plan_change(plan);
	g_autoptr(WiceDevice) result = wice_plan_result(plan, device);
	const WiceDeviceInfo *info = wice_device_info(result);
	g_autofree bool *losers = find_losers(change, result);

	WiceWholeLists *lists = g_new0(WiceWholeLists, 1);
	make_room(lists, change, info, losers);
	for (size_t i = 0; i < change->n_peers; i++) {
		if (wice__takes_away(&change->peers[i]))
			put_additions(lists, &change->peers[i]);
		else
			lists->peers[lists->n_peers++] = change->peers[i];
	}
	for (size_t i = 0; i < info->n_peers; i++) {
		if (losers[i])
			put_whole_list(lists, &info->peers[i]);
	}
	lists->change = *change;
	lists->change.peers = lists->peers;
	lists->change.n_peers = lists->n_peers;
	return lists;
}

const WiceDeviceChange *wice__whole_lists_change(const WiceWholeLists *lists)
{
	return &lists->change;
}

void wice__whole_lists_free(WiceWholeLists *lists)
{
	if (!lists)
		return;
	sodium_memzero(lists->peers, lists->room * sizeof *lists->peers);
	sodium_memzero(&lists->change, sizeof lists->change);
	g_free(lists->peers);
	g_free(lists->allowed_ips);
	g_free(lists);
}
