/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plans: checked, and copied into one block that never changes:
 *
 *	WicePlan | peers ... | allowed IPs of the first peer, of the second ...
 */
#include "wg/plan.h"

#include "base/address.h"
#include "base/options.h"
#include "crypto/key.h"
#include "wg/device.h"

#include <sodium.h>
#include <string.h>
#include <wice/error.h>

#define DEVICE_FLAGS WICE_DEVICE_CHANGE_REPLACE_PEERS
#define DEVICE_FIELDS \
	(WICE_DEVICE_HAS_PRIVATE_KEY | WICE_DEVICE_HAS_LISTEN_PORT | WICE_DEVICE_HAS_FWMARK)
#define PEER_FLAGS                                                \
	(WICE_PEER_CHANGE_REMOVE | WICE_PEER_CHANGE_UPDATE_ONLY | \
	 WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS)
#define PEER_FIELDS (WICE_PEER_HAS_PRESHARED_KEY | WICE_PEER_HAS_ENDPOINT | WICE_PEER_HAS_KEEPALIVE)

struct WicePlan {
	gatomicrefcount refs;
	size_t size; /* of the whole block */
	WiceDeviceChange change;
	WicePeerChange peers[];
};

static gboolean fail(GError **error, const WicePeerChange *peer, const char *reason)
{
	char key[WICE_KEY_BASE64_SIZE];
	wice_key_to_base64(&peer->public_key, key);
	g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID, "Cannot plan a change of peer %s: %s.",
		    key, reason);
	return FALSE;
}

static gboolean check_peer(const WicePeerChange *peer, GError **error)
{
	if (peer->flags & ~(unsigned)PEER_FLAGS || peer->fields & ~(unsigned)PEER_FIELDS)
		return fail(error, peer,
			    "it has flags or fields that this version of libwice does not know or "
			    "that cannot be set");
	uint8_t family = peer->endpoint.address.family;
	if (peer->fields & WICE_PEER_HAS_ENDPOINT && family != WICE_FAMILY_IPV4 &&
	    family != WICE_FAMILY_IPV6)
		return fail(error, peer,
			    "its endpoint is no address, and WireGuard cannot unset an endpoint");
	for (size_t i = 0; i < peer->n_allowed_ips; i++) {
		if (!wice__prefix_valid(&peer->allowed_ips[i].prefix))
			return fail(error, peer,
				    "one of its allowed IPs has no address, or a length that does "
				    "not fit it");
	}
	return TRUE;
}

static gboolean check_sizes(const WiceDeviceChange *change, GError **error)
{
	size_t left = WICE_DEVICE_ALLOWED_IPS_MAX;
	if (change->n_peers > WICE_DEVICE_PEERS_MAX) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "Cannot plan a change of %zu peers: a device has at most %zu.",
			    change->n_peers, WICE_DEVICE_PEERS_MAX);
		return FALSE;
	}
	for (size_t i = 0; i < change->n_peers; i++) {
		if (change->peers[i].n_allowed_ips > left) {
			g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
				    "Cannot plan a change of more than %zu allowed IPs.",
				    WICE_DEVICE_ALLOWED_IPS_MAX);
			return FALSE;
		}
		left -= change->peers[i].n_allowed_ips;
	}
	return TRUE;
}

static gboolean check(const WiceDeviceChange *change, GError **error)
{
	if (!wice__options_understood(change, change->size, sizeof *change)) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "The size of the device change is wrong, or it asks for what this "
			    "version of libwice does not know; set it to "
			    "sizeof(WiceDeviceChange).");
		return FALSE;
	}
	if (change->flags & ~(unsigned)DEVICE_FLAGS || change->fields & ~(unsigned)DEVICE_FIELDS) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "The device change has flags or fields that this version of libwice "
			    "does not know or that cannot be set.");
		return FALSE;
	}
	if (!check_sizes(change, error))
		return FALSE;
	for (size_t i = 0; i < change->n_peers; i++) {
		if (!check_peer(&change->peers[i], error))
			return FALSE;
	}
	return TRUE;
}

/* Copies what counts: a field without its bit is zero, and a removal has nothing but its key. */
static WiceAllowedIpChange *copy_peer(const WicePeerChange *from, WicePeerChange *to,
				      WiceAllowedIpChange *room)
{
	to->public_key = from->public_key;
	to->flags = from->flags & WICE_PEER_CHANGE_REMOVE ? WICE_PEER_CHANGE_REMOVE : from->flags;
	if (to->flags & WICE_PEER_CHANGE_REMOVE)
		return room;
	to->fields = from->fields;
	if (from->fields & WICE_PEER_HAS_PRESHARED_KEY)
		to->preshared_key = from->preshared_key;
	if (from->fields & WICE_PEER_HAS_ENDPOINT) {
		to->endpoint = from->endpoint;
		wice__endpoint_unmap(&to->endpoint);
	}
	if (from->fields & WICE_PEER_HAS_KEEPALIVE)
		to->keepalive_s = from->keepalive_s;
	to->allowed_ips = room;
	to->n_allowed_ips = from->n_allowed_ips;
	for (size_t i = 0; i < from->n_allowed_ips; i++, room++) {
		*room = from->allowed_ips[i];
		wice__prefix_clear_host_bits(&room->prefix);
	}
	return room;
}

/* WireGuard keeps keys as they are used, and shows them so. */
static void copy_private_key(const WiceKey *key, WiceKey *ret)
{
	*ret = *key;
	if (!wice_key_is_zero(ret))
		wice__key_clamp(ret);
}

WicePlan *wice__plan_copy(const WiceDeviceChange *change)
{
	size_t peers_size = change->n_peers * sizeof(WicePeerChange);
	size_t size = sizeof(WicePlan) + peers_size;
	for (size_t i = 0; i < change->n_peers; i++)
		size += change->peers[i].n_allowed_ips * sizeof(WiceAllowedIpChange);
	WicePlan *plan = g_malloc0(size);
	WiceAllowedIpChange *room = (WiceAllowedIpChange *)(void *)&plan->peers[change->n_peers];

	g_atomic_ref_count_init(&plan->refs);
	plan->size = size;
	plan->change.size = sizeof plan->change;
	plan->change.flags = change->flags;
	plan->change.fields = change->fields;
	if (change->fields & WICE_DEVICE_HAS_PRIVATE_KEY)
		copy_private_key(&change->private_key, &plan->change.private_key);
	if (change->fields & WICE_DEVICE_HAS_LISTEN_PORT)
		plan->change.listen_port = change->listen_port;
	if (change->fields & WICE_DEVICE_HAS_FWMARK)
		plan->change.fwmark = change->fwmark;
	plan->change.n_peers = change->n_peers;
	plan->change.peers = plan->peers;
	for (size_t i = 0; i < change->n_peers; i++)
		room = copy_peer(&change->peers[i], &plan->peers[i], room);
	return plan;
}

WicePlan *wice_plan_new(const WiceDeviceChange *change, GError **error)
{
	return check(change, error) ? wice__plan_copy(change) : NULL;
}

WicePlan *wice_plan_ref(WicePlan *plan)
{
	g_atomic_ref_count_inc(&plan->refs);
	return plan;
}

void wice_plan_unref(WicePlan *plan)
{
	if (!plan || !g_atomic_ref_count_dec(&plan->refs))
		return;
	sodium_memzero(plan, plan->size);
	g_free(plan);
}

const WiceDeviceChange *wice_plan_change(const WicePlan *plan)
{
	return &plan->change;
}

bool wice__takes_away(const WicePeerChange *peer)
{
	for (size_t i = 0; i < peer->n_allowed_ips; i++) {
		if (peer->allowed_ips[i].remove)
			return true;
	}
	return false;
}

bool wice_plan_is_empty(const WicePlan *plan)
{
	const WiceDeviceChange *change = &plan->change;
	if (change->flags || change->fields)
		return false;
	for (size_t i = 0; i < change->n_peers; i++) {
		const WicePeerChange *peer = &change->peers[i];
		if (peer->flags != WICE_PEER_CHANGE_UPDATE_ONLY || peer->fields ||
		    peer->n_allowed_ips)
			return false;
	}
	return true;
}
