/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Snapshots of WireGuard interfaces, and how they are built.
 *
 * A builder keeps two flat arrays in the order of arrival: peers, and allowed IPs with the number
 * of the peer they belong to. _finish() sorts the numbers of the peers (never the peers: sorting
 * moves memory through places that nobody wipes), folds equal keys into one, deals the allowed IPs
 * out to their peers, sorts each peer's few, and copies everything once, into one block:
 *
 *	WiceDevice | peers, by key ... | order of peers | orders of allowed IPs | allowed IPs ...
 *
 * Arrays that hold secrets grow by hand, because realloc(3) leaves the old copy on the heap.
 */
#include "wg/device.h"

#include "base/address.h"
#include "wg/peer_order.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

struct WiceDevice {
	gatomicrefcount refs;
	size_t size; /* of the whole block */
	WiceDeviceInfo info;
	const uint32_t *order;
	WiceDevicePeer peers[];
};

typedef struct {
	WicePrefix prefix;
	uint32_t peer; /* number of its peer in the builder */
	uint32_t rank; /* while finishing: its place among its peer's allowed IPs, or REPEATED */
} BuilderPrefix;

#define REPEATED UINT32_MAX

struct WiceDeviceBuilder {
	WiceDeviceInfo info;
	WiceDevicePeer *peers;
	size_t n_peers, room;
	GArray *prefixes; /* of BuilderPrefix */
};

const char *wice_device_kind_name(WiceDeviceKind kind)
{
	switch (kind) {
	case WICE_DEVICE_KERNEL:
		return "kernel";
	case WICE_DEVICE_USERSPACE:
		return "userspace";
	case WICE_DEVICE_FAKE:
		return "fake";
	case WICE_DEVICE_ENGINE:
		return "engine";
	default:
		return "unknown";
	}
}

WiceDevice *wice_device_ref(WiceDevice *device)
{
	g_atomic_ref_count_inc(&device->refs);
	return device;
}

void wice_device_unref(WiceDevice *device)
{
	if (!device || !g_atomic_ref_count_dec(&device->refs))
		return;
	sodium_memzero(device, device->size);
	g_free(device);
}

const WiceDeviceInfo *wice_device_info(const WiceDevice *device)
{
	return &device->info;
}

const WiceDevicePeer *wice_device_find_peer(const WiceDevice *device, const WiceKey *public_key)
{
	size_t low = 0, high = device->info.n_peers;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = wice_key_compare(public_key, &device->peers[middle].public_key);
		if (order == 0)
			return &device->peers[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const uint32_t *wice_device_order(const WiceDevice *device)
{
	return device->order;
}

WiceDeviceBuilder *wice__device_builder_new(const char *name, WiceDeviceKind kind)
{
	WiceDeviceBuilder *builder = g_new0(WiceDeviceBuilder, 1);
	builder->info.kind = kind;
	g_strlcpy(builder->info.name, name, sizeof builder->info.name);
	builder->prefixes = g_array_new(FALSE, FALSE, sizeof(BuilderPrefix));
	return builder;
}

/* n: how many have been written; what lies behind them is clean. */
static void free_peers(WiceDevicePeer *peers, size_t n)
{
	if (n)
		sodium_memzero(peers, n * sizeof *peers);
	g_free(peers);
}

void wice__device_builder_free(WiceDeviceBuilder *builder)
{
	if (!builder)
		return;
	free_peers(builder->peers, builder->n_peers);
	g_array_unref(builder->prefixes);
	sodium_memzero(builder, sizeof *builder);
	g_free(builder);
}

WiceDeviceInfo *wice__device_builder_info(WiceDeviceBuilder *builder)
{
	return &builder->info;
}

static void make_room(WiceDeviceBuilder *builder, size_t room)
{
	if (room <= builder->room)
		return;
	WiceDevicePeer *peers = g_new0(WiceDevicePeer, room);
	if (builder->n_peers)
		memcpy(peers, builder->peers, builder->n_peers * sizeof *peers);
	free_peers(builder->peers, builder->n_peers);
	builder->peers = peers;
	builder->room = room;
}

static WiceDevicePeer *append_peer(WiceDeviceBuilder *builder)
{
	if (builder->n_peers == builder->room)
		make_room(builder, MAX(16, 4 * builder->room));
	return &builder->peers[builder->n_peers++];
}

void wice__device_builder_reserve(WiceDeviceBuilder *builder, size_t n_peers, size_t n_allowed_ips)
{
	guint n = builder->prefixes->len;
	make_room(builder, MIN(n_peers, WICE_DEVICE_PEERS_MAX));
	g_array_set_size(builder->prefixes,
			 MAX(n, (guint)MIN(n_allowed_ips, WICE_DEVICE_ALLOWED_IPS_MAX)));
	g_array_set_size(builder->prefixes, n);
}

int wice__device_builder_peer(WiceDeviceBuilder *builder, const WiceKey *public_key,
			      WiceDevicePeer **ret)
{
	WiceDevicePeer *open = builder->n_peers ? &builder->peers[builder->n_peers - 1] : NULL;
	if (!open || wice_key_compare(&open->public_key, public_key) != 0) {
		if (builder->n_peers == WICE_DEVICE_PEERS_MAX)
			return -E2BIG;
		open = append_peer(builder);
		open->public_key = *public_key;
	}
	*ret = open;
	return 0;
}

int wice__device_builder_allowed_ip(WiceDeviceBuilder *builder, const WicePrefix *prefix)
{
	if (builder->n_peers == 0 || !wice__prefix_valid(prefix))
		return -EINVAL;
	if (builder->prefixes->len >= WICE_DEVICE_ALLOWED_IPS_MAX)
		return -E2BIG;
	BuilderPrefix entry = { .prefix = *prefix, .peer = (uint32_t)(builder->n_peers - 1) };
	wice__prefix_clear_host_bits(&entry.prefix);
	g_array_append_val(builder->prefixes, entry);
	return 0;
}

static void fold_peer(WiceDevicePeer *into, const WiceDevicePeer *from)
{
	if (!wice_key_is_zero(&from->preshared_key))
		into->preshared_key = from->preshared_key;
	if (from->endpoint.address.family != WICE_FAMILY_NONE)
		into->endpoint = from->endpoint;
	if (from->keepalive_s)
		into->keepalive_s = from->keepalive_s;
	if (from->handshake_ns)
		into->handshake_ns = from->handshake_ns;
	if (from->rx_bytes)
		into->rx_bytes = from->rx_bytes;
	if (from->tx_bytes)
		into->tx_bytes = from->tx_bytes;
}

static unsigned bit_if(bool present, unsigned bit)
{
	return present ? bit : 0;
}

static unsigned peer_fields(const WiceDevicePeer *peer)
{
	return bit_if(!wice_key_is_zero(&peer->preshared_key), WICE_PEER_HAS_PRESHARED_KEY) |
	       bit_if(peer->endpoint.address.family != WICE_FAMILY_NONE, WICE_PEER_HAS_ENDPOINT) |
	       bit_if(peer->keepalive_s != 0, WICE_PEER_HAS_KEEPALIVE) |
	       bit_if(peer->handshake_ns != 0, WICE_PEER_HAS_HANDSHAKE);
}

static unsigned device_fields(const WiceDeviceInfo *info)
{
	return bit_if(!wice_key_is_zero(&info->private_key), WICE_DEVICE_HAS_PRIVATE_KEY) |
	       bit_if(!wice_key_is_zero(&info->public_key), WICE_DEVICE_HAS_PUBLIC_KEY) |
	       bit_if(info->listen_port != 0, WICE_DEVICE_HAS_LISTEN_PORT) |
	       bit_if(info->fwmark != 0, WICE_DEVICE_HAS_FWMARK);
}

/*
 * Writes the peers, sorted and folded, to ret and returns how many they are; ret_place[i] is where
 * the builder's i-th peer went.
 */
static size_t place_peers(const WiceDeviceBuilder *builder, WiceDevicePeer *ret,
			  uint32_t *ret_place)
{
	g_autofree uint32_t *sorted = wice__peer_order(builder->peers, builder->n_peers);
	size_t n = 0;
	for (size_t i = 0; i < builder->n_peers; i++) {
		const WiceDevicePeer *peer = &builder->peers[sorted[i]];
		if (n && wice_key_compare(&ret[n - 1].public_key, &peer->public_key) == 0)
			fold_peer(&ret[n - 1], peer);
		else
			ret[n++] = *peer;
		ret_place[sorted[i]] = (uint32_t)(n - 1);
	}
	for (size_t i = 0; i < n; i++) {
		ret[i].fields = peer_fields(&ret[i]);
		ret[i].allowed_ips = NULL;
		ret[i].allowed_ip_order = NULL;
		ret[i].n_allowed_ips = 0;
	}
	return n;
}

/* The order of arrival: of a folded peer its first part counts. */
static void write_order(const uint32_t *place, size_t n, uint32_t *ret)
{
	g_autofree bool *seen = g_new0(bool, n);
	for (size_t i = 0; i < n; i++) {
		if (!seen[place[i]])
			*ret++ = place[i];
		seen[place[i]] = true;
	}
}

/*
 * Deals the allowed IPs out to the peers: returns their numbers by peer, then by arrival, and
 * leaves in ret_start[i] where those of peer i begin; ret_start has one element more than peers.
 */
static uint32_t *deal_prefixes(const GArray *prefixes, const uint32_t *place, size_t n_peers,
			       uint32_t *ret_start)
{
	const BuilderPrefix *entries = (const BuilderPrefix *)(const void *)prefixes->data;
	uint32_t *dealt = g_new(uint32_t, prefixes->len);
	memset(ret_start, 0, (n_peers + 1) * sizeof *ret_start);
	for (guint i = 0; i < prefixes->len; i++)
		ret_start[place[entries[i].peer]]++;
	uint32_t end = 0;
	for (size_t i = 0; i <= n_peers; i++)
		ret_start[i] = end += ret_start[i];
	for (guint i = prefixes->len; i-- > 0;)
		dealt[--ret_start[place[entries[i].peer]]] = i;
	return dealt;
}

/* By prefix, then by arrival. */
static int compare_prefixes(gconstpointer a, gconstpointer b, gpointer user_data)
{
	const uint32_t *first = a, *second = b;
	const BuilderPrefix *entries = user_data;
	int order = wice_prefix_compare(&entries[*first].prefix, &entries[*second].prefix);
	return order ? order : *first < *second ? -1 : *first > *second;
}

/* Most peers have one or two allowed IPs, which come sorted or nearly so. */
static void sort_prefixes(uint32_t *numbers, size_t n, BuilderPrefix *entries)
{
	if (n > 16) {
		g_qsort_with_data(numbers, (gint)n, sizeof *numbers, compare_prefixes, entries);
		return;
	}
	for (size_t i = 1; i < n; i++) {
		uint32_t moving = numbers[i];
		size_t at = i;
		for (; at > 0 && compare_prefixes(&moving, &numbers[at - 1], entries) < 0; at--)
			numbers[at] = numbers[at - 1];
		numbers[at] = moving;
	}
}

/* Writes n allowed IPs, sorted and without repetitions, and their order; returns how many. */
static size_t write_prefixes(BuilderPrefix *entries, const uint32_t *arrived, size_t n,
			     uint32_t *scratch, WicePrefix *ret, uint32_t *ret_order)
{
	uint32_t count = 0;
	memcpy(scratch, arrived, n * sizeof *scratch);
	sort_prefixes(scratch, n, entries);
	for (size_t i = 0; i < n; i++) {
		BuilderPrefix *entry = &entries[scratch[i]];
		if (count && wice_prefix_compare(&ret[count - 1], &entry->prefix) == 0) {
			entry->rank = REPEATED;
			continue;
		}
		entry->rank = count;
		ret[count++] = entry->prefix;
	}
	for (size_t i = 0; i < n; i++) {
		if (entries[arrived[i]].rank != REPEATED)
			*ret_order++ = entries[arrived[i]].rank;
	}
	return count;
}

/* Writes all peers' allowed IPs and points the peers there. */
static void place_prefixes(GArray *prefixes, const uint32_t *place, WiceDevicePeer *peers,
			   size_t n_peers, WicePrefix *ret, uint32_t *ret_order)
{
	g_autofree uint32_t *start = g_new(uint32_t, n_peers + 1);
	g_autofree uint32_t *dealt = deal_prefixes(prefixes, place, n_peers, start);
	g_autofree uint32_t *scratch = g_new(uint32_t, prefixes->len);
	BuilderPrefix *entries = (BuilderPrefix *)(void *)prefixes->data;
	for (size_t i = 0; i < n_peers; i++) {
		size_t n = start[i + 1] - start[i];
		if (n == 0)
			continue;
		peers[i].allowed_ips = ret;
		peers[i].allowed_ip_order = ret_order;
		peers[i].n_allowed_ips =
			write_prefixes(entries, &dealt[start[i]], n, scratch, ret, ret_order);
		ret += peers[i].n_allowed_ips;
		ret_order += peers[i].n_allowed_ips;
	}
}

WiceDevice *wice__device_builder_finish(WiceDeviceBuilder *builder)
{
	size_t n_peers = builder->n_peers, n_ips = builder->prefixes->len;
	size_t size = sizeof(WiceDevice) + n_peers * (sizeof(WiceDevicePeer) + sizeof(uint32_t)) +
		      n_ips * (sizeof(uint32_t) + sizeof(WicePrefix));
	WiceDevice *device = g_malloc0(size);
	uint32_t *order = (uint32_t *)(void *)&device->peers[n_peers];
	uint32_t *ip_order = order + n_peers;
	g_autofree uint32_t *place = g_new(uint32_t, n_peers);

	g_atomic_ref_count_init(&device->refs);
	device->size = size;
	device->info = builder->info;
	device->info.fields = device_fields(&builder->info);
	device->info.n_peers = place_peers(builder, device->peers, place);
	device->info.peers = device->peers;
	device->order = n_peers ? order : NULL;
	write_order(place, n_peers, order);
	place_prefixes(builder->prefixes, place, device->peers, device->info.n_peers,
		       (WicePrefix *)(void *)(ip_order + n_ips), ip_order);
	wice__device_builder_free(builder);
	return device;
}

static size_t count_allowed_ips(const WiceDeviceInfo *info)
{
	size_t n = 0;
	for (size_t i = 0; i < info->n_peers; i++)
		n += info->peers[i].n_allowed_ips;
	return n;
}

WiceDeviceBuilder *wice__device_builder_copy(const WiceDevice *device)
{
	const WiceDeviceInfo *info = &device->info;
	WiceDeviceBuilder *builder = wice__device_builder_new(info->name, info->kind);
	builder->info = *info;
	wice__device_builder_reserve(builder, info->n_peers, count_allowed_ips(info));
	for (size_t i = 0; i < info->n_peers; i++) {
		const WiceDevicePeer *peer = &info->peers[device->order[i]];
		*append_peer(builder) = *peer;
		for (size_t j = 0; j < peer->n_allowed_ips; j++)
			(void)wice__device_builder_allowed_ip(
				builder, &peer->allowed_ips[peer->allowed_ip_order[j]]);
	}
	return builder;
}

void wice__device_builder_remove(WiceDeviceBuilder *builder, const WiceKey *public_key)
{
	size_t n = 0;
	g_autofree uint32_t *place = g_new(uint32_t, builder->n_peers);
	for (size_t i = 0; i < builder->n_peers; i++) {
		place[i] = UINT32_MAX;
		if (wice_key_compare(&builder->peers[i].public_key, public_key) == 0)
			continue;
		place[i] = (uint32_t)n;
		builder->peers[n++] = builder->peers[i];
	}
	if (n < builder->n_peers)
		sodium_memzero(&builder->peers[n], (builder->n_peers - n) * sizeof *builder->peers);
	builder->n_peers = n;

	guint kept = 0;
	BuilderPrefix *entries = (BuilderPrefix *)(void *)builder->prefixes->data;
	for (guint i = 0; i < builder->prefixes->len; i++) {
		if (place[entries[i].peer] == UINT32_MAX)
			continue;
		entries[kept] = entries[i];
		entries[kept].peer = place[entries[i].peer];
		kept++;
	}
	g_array_set_size(builder->prefixes, kept);
}

bool wice__handshake_time(int64_t seconds, int64_t nanoseconds, int64_t *ret_ns)
{
	if (seconds < 0 || seconds > INT64_MAX / 1000000000 - 1 || nanoseconds < 0 ||
	    nanoseconds >= 1000000000)
		return false;
	*ret_ns = seconds * 1000000000 + nanoseconds;
	return true;
}

bool wice__interface_name_valid(const char *name)
{
	size_t len = strnlen(name, 16);
	if (len == 0 || len > 15 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)name[i] <= ' ' || name[i] == '/' || name[i] == ':' ||
		    name[i] == 0x7f)
			return false;
	}
	return g_utf8_validate(name, (gssize)len, NULL);
}
