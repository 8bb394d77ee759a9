/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The least that makes one state out of another.
 *
 * One pass over the two sorted lists of peers collects what differs, as pairs of pointers: secrets
 * are copied once, into the plan. Then the allowed IPs of these pairs are looked at. Because one
 * has one owner, an allowed IP that moves needs only to be added at its new peer; so those that are
 * added anywhere are known (and indexed, if anything is removed at all) before any is removed.
 *
 * Peers that are not there yet come with REPLACE_ALLOWED_IPS: if somebody else makes such a peer
 * before the plan is applied, it has the wanted list afterwards, and none of another's. Removed
 * peers are named one by one, never by REPLACE_PEERS: applying the plan again must not end the
 * sessions of the peers that it has added.
 *
 * Both states must be such that WireGuard can be in them. If wanted has one allowed IP at two peers
 * (a snapshot that a broken implementation gave), the last one gets it.
 */
#include "wg/diff.h"
#include "wg/index.h"
#include "wg/plan.h"

#include <sodium.h>

typedef struct {
	const WiceDevicePeer *before, *after; /* NULL: not there */
	unsigned fields;                      /* what is to be set */
	bool allowed_ips;                     /* they differ */
} Pair;

typedef struct {
	const WiceDeviceInfo *present, *wanted;
	unsigned flags;
	GArray *removed, *others; /* of Pair, by key */
} Comparison;

/* An endpoint cannot be unset, and may be one that the peer roamed to. */
static bool endpoint_changes(const WiceDevicePeer *before, const WiceDevicePeer *after,
			     unsigned flags)
{
	if (!(after->fields & WICE_PEER_HAS_ENDPOINT))
		return false;
	if (flags & WICE_PLAN_KEEP_ENDPOINTS && before->fields & WICE_PEER_HAS_ENDPOINT)
		return false;
	return wice_endpoint_compare(&before->endpoint, &after->endpoint) != 0;
}

static bool preshared_key_changes(const WiceDevicePeer *before, const WiceDevicePeer *after)
{
	return (before->fields | after->fields) & WICE_PEER_HAS_PRESHARED_KEY &&
	       wice__keys_differ(&before->preshared_key, &after->preshared_key);
}

static unsigned peer_fields(const WiceDevicePeer *before, const WiceDevicePeer *after,
			    unsigned flags)
{
	unsigned fields = 0;
	if (preshared_key_changes(before, after))
		fields |= WICE_PEER_HAS_PRESHARED_KEY;
	if (endpoint_changes(before, after, flags))
		fields |= WICE_PEER_HAS_ENDPOINT;
	if (before->keepalive_s != after->keepalive_s)
		fields |= WICE_PEER_HAS_KEEPALIVE;
	return fields;
}

static void compare_pair(Comparison *comparison, const WiceDevicePeer *before,
			 const WiceDevicePeer *after)
{
	static const WiceDevicePeer nothing = { 0 };
	Pair pair = { .before = before, .after = after };
	if (!after) {
		if (!(comparison->flags & WICE_PLAN_KEEP_PEERS))
			g_array_append_val(comparison->removed, pair);
		return;
	}
	pair.fields = peer_fields(before ? before : &nothing, after, comparison->flags);
	pair.allowed_ips = !before || wice__allowed_ips_differ(before, after);
	if (!before || pair.fields || pair.allowed_ips)
		g_array_append_val(comparison->others, pair);
}

/* The key of the device itself, which cannot be a peer's. */
static bool own_key(const WiceDeviceInfo *info, WiceKey *ret)
{
	if (info->fields & WICE_DEVICE_HAS_PUBLIC_KEY)
		*ret = info->public_key;
	else if (info->fields & WICE_DEVICE_HAS_PRIVATE_KEY)
		wice_key_public(&info->private_key, ret);
	else
		return false;
	return true;
}

static void compare_peers(Comparison *comparison)
{
	const WiceDeviceInfo *a = comparison->present, *b = comparison->wanted;
	size_t i = 0, j = 0;
	WiceKey own;
	bool has_own = own_key(b, &own);
	while (i < a->n_peers || j < b->n_peers) {
		int order = i == a->n_peers   ? 1
			    : j == b->n_peers ? -1
					      : wice_key_compare(&a->peers[i].public_key,
								 &b->peers[j].public_key);
		const WiceDevicePeer *before = order <= 0 ? &a->peers[i++] : NULL;
		const WiceDevicePeer *after = order >= 0 ? &b->peers[j++] : NULL;
		if (after && has_own && wice_key_compare(&after->public_key, &own) == 0)
			after = NULL;
		if (before || after)
			compare_pair(comparison, before, after);
	}
}

/* Without its private key, a public one cannot be had: the private key stays then. */
static void change_interface(const WiceDeviceInfo *a, const WiceDeviceInfo *b,
			     WiceDeviceChange *ret)
{
	bool known = b->fields & WICE_DEVICE_HAS_PRIVATE_KEY ||
		     !(b->fields & WICE_DEVICE_HAS_PUBLIC_KEY);
	if (known && wice__keys_differ(&a->private_key, &b->private_key)) {
		ret->fields |= WICE_DEVICE_HAS_PRIVATE_KEY;
		ret->private_key = b->private_key;
	}
	if (b->listen_port && a->listen_port != b->listen_port) {
		ret->fields |= WICE_DEVICE_HAS_LISTEN_PORT;
		ret->listen_port = b->listen_port;
	}
	if (a->fwmark != b->fwmark) {
		ret->fields |= WICE_DEVICE_HAS_FWMARK;
		ret->fwmark = b->fwmark;
	}
}

/* Those of a that b (may be NULL) has not; room for all of a's. Returns how many they are. */
static size_t subtract(const WiceDevicePeer *a, const WiceDevicePeer *b, WicePrefix *ret)
{
	size_t n = 0, j = 0, n_b = b ? b->n_allowed_ips : 0;
	for (size_t i = 0; i < a->n_allowed_ips; i++) {
		int order = -1;
		while (j < n_b &&
		       (order = wice_prefix_compare(&a->allowed_ips[i], &b->allowed_ips[j])) > 0)
			j++;
		if (j == n_b || order != 0)
			ret[n++] = a->allowed_ips[i];
	}
	return n;
}

/* All allowed IPs that are added to any peer, and a way to find one. */
typedef struct {
	WicePrefix *prefixes;
	size_t n;
	WiceIndex index; /* made when the first one is to be found */
	bool indexed;
} Added;

static void collect_added(const GArray *pairs, Added *added)
{
	size_t n = 0;
	for (guint i = 0; i < pairs->len; i++)
		n += g_array_index(pairs, Pair, i).after->n_allowed_ips;
	*added = (Added){ .prefixes = g_new(WicePrefix, n) };
	for (guint i = 0; i < pairs->len; i++) {
		const Pair *pair = &g_array_index(pairs, Pair, i);
		if (pair->allowed_ips)
			added->n += subtract(pair->after, pair->before, added->prefixes + added->n);
	}
}

static void added_done(Added *added)
{
	if (added->indexed)
		wice__index_done(&added->index);
	g_free(added->prefixes);
}

static bool is_added(Added *added, const WicePrefix *prefix)
{
	if (!added->indexed) {
		wice__index_init(&added->index, added->prefixes, sizeof *added->prefixes, 0,
				 sizeof *added->prefixes, added->n);
		for (size_t i = 0; i < added->n; i++)
			wice__index_put(&added->index, (uint32_t)i);
		added->indexed = true;
	}
	return wice__index_find(&added->index, prefix) != WICE_INDEX_NONE;
}

static WiceAllowedIpChange *write_list(const WicePrefix *prefixes, size_t n, bool remove,
				       WiceAllowedIpChange *ret)
{
	for (size_t i = 0; i < n; i++)
		*ret++ = (WiceAllowedIpChange){ .prefix = prefixes[i], .remove = remove };
	return ret;
}

/*
 * Writes what is to be done with the allowed IPs of one peer, one by one or the whole new list,
 * whichever is shorter, and returns the end. scratch has room for all that both sides have.
 */
static WiceAllowedIpChange *change_allowed_ips(const Pair *pair, Added *added, WicePrefix *scratch,
					       WicePeerChange *peer, WiceAllowedIpChange *ret)
{
	const WiceDevicePeer *before = pair->before, *after = pair->after;
	if (!before) {
		peer->flags = WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS;
		return write_list(after->allowed_ips, after->n_allowed_ips, false, ret);
	}
	peer->flags = WICE_PEER_CHANGE_UPDATE_ONLY;
	if (!pair->allowed_ips)
		return ret;
	size_t n_lost = subtract(before, after, scratch), n_removed = 0;
	size_t n_kept = before->n_allowed_ips - n_lost;
	for (size_t i = 0; i < n_lost; i++) {
		if (!is_added(added, &scratch[i]))
			scratch[n_removed++] = scratch[i];
	}
	if (n_kept < n_removed) {
		peer->flags |= WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS;
		return write_list(after->allowed_ips, after->n_allowed_ips, false, ret);
	}
	ret = write_list(scratch, n_removed, true, ret);
	return write_list(scratch, subtract(after, before, scratch), false, ret);
}

static void change_peer(const Pair *pair, WicePeerChange *peer)
{
	peer->public_key = pair->after->public_key;
	peer->fields = pair->fields;
	if (pair->fields & WICE_PEER_HAS_PRESHARED_KEY)
		peer->preshared_key = pair->after->preshared_key;
	if (pair->fields & WICE_PEER_HAS_ENDPOINT)
		peer->endpoint = pair->after->endpoint;
	if (pair->fields & WICE_PEER_HAS_KEEPALIVE)
		peer->keepalive_s = pair->after->keepalive_s;
}

/*
 * Writes the peers of the plan and returns how many they are; ips has room for all allowed IPs of
 * both sides of all pairs. Nothing is said of a peer that only loses what another one gets.
 */
static size_t change_peers(const Comparison *comparison, WicePeerChange *ret,
			   WiceAllowedIpChange *ips, WicePrefix *scratch)
{
	const WicePeerChange *start = ret;
	Added added;
	collect_added(comparison->others, &added);
	for (guint i = 0; i < comparison->removed->len; i++, ret++) {
		ret->flags = WICE_PEER_CHANGE_REMOVE;
		ret->public_key = g_array_index(comparison->removed, Pair, i).before->public_key;
	}
	for (guint i = 0; i < comparison->others->len; i++) {
		const Pair *pair = &g_array_index(comparison->others, Pair, i);
		WiceAllowedIpChange *end = change_allowed_ips(pair, &added, scratch, ret, ips);
		if (ret->flags == WICE_PEER_CHANGE_UPDATE_ONLY && !pair->fields && end == ips)
			continue;
		change_peer(pair, ret);
		ret->allowed_ips = ips;
		ret->n_allowed_ips = (size_t)(end - ips);
		ips = end;
		ret++;
	}
	added_done(&added);
	return (size_t)(ret - start);
}

/* All allowed IPs that the peers of the plan have on both sides. */
static size_t count_allowed_ips(const GArray *pairs)
{
	size_t n = 0;
	for (guint i = 0; i < pairs->len; i++) {
		const Pair *pair = &g_array_index(pairs, Pair, i);
		n += (pair->before ? pair->before->n_allowed_ips : 0) + pair->after->n_allowed_ips;
	}
	return n;
}

static WicePlan *plan_of(const Comparison *comparison)
{
	WiceDeviceChange change = { .size = sizeof change };
	size_t n_pairs = comparison->removed->len + comparison->others->len;
	size_t n_ips = count_allowed_ips(comparison->others);
	WicePeerChange *peers = g_new0(WicePeerChange, n_pairs);
	g_autofree WiceAllowedIpChange *ips = g_new(WiceAllowedIpChange, n_ips);
	g_autofree WicePrefix *scratch = g_new(WicePrefix, n_ips);

	change_interface(comparison->present, comparison->wanted, &change);
	change.peers = peers;
	change.n_peers = change_peers(comparison, peers, ips, scratch);
	WicePlan *plan = wice__plan_copy(&change);
	if (change.n_peers)
		sodium_memzero(peers, change.n_peers * sizeof *peers);
	sodium_memzero(&change, sizeof change);
	g_free(peers);
	return plan;
}

WicePlan *wice_plan_between(const WiceDevice *present, const WiceDevice *wanted, unsigned flags)
{
	Comparison comparison = {
		.present = wice_device_info(present),
		.wanted = wice_device_info(wanted),
		.flags = flags,
		.removed = g_array_new(FALSE, FALSE, sizeof(Pair)),
		.others = g_array_new(FALSE, FALSE, sizeof(Pair)),
	};
	if (present != wanted)
		compare_peers(&comparison);
	WicePlan *plan = plan_of(&comparison);
	g_array_unref(comparison.removed);
	g_array_unref(comparison.others);
	return plan;
}

WicePlan *wice_plan_minimize(const WicePlan *plan, const WiceDevice *device, unsigned flags)
{
	g_autoptr(WiceDevice) result = wice_plan_result(plan, device);
	return wice_plan_between(device, result, flags);
}
