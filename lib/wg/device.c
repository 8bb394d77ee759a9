/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Snapshots of WireGuard interfaces, and how they are built.
 *
 * A builder keeps two flat arrays in the order of arrival: peers, and allowed IPs with the number
 * of the peer they belong to. _finish() sorts references to the peers (never the peers: sorting
 * moves memory through places that nobody wipes), folds equal keys into one and copies everything
 * once, into one block:
 *
 *	WiceDevice | peers, by key ... | allowed IPs, by peer, by prefix ...
 *
 * Arrays that hold secrets grow by hand, because realloc(3) leaves the old copy on the heap.
 */
#include "wg/device.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

struct WiceDevice {
	gatomicrefcount refs;
	size_t size; /* of the whole block */
	WiceDeviceInfo info;
	WiceDevicePeer peers[];
};

typedef struct {
	size_t peer; /* number of its peer in the builder */
	WicePrefix prefix;
} BuilderPrefix;

struct WiceDeviceBuilder {
	WiceDeviceInfo info;
	WiceDevicePeer *peers;
	size_t n_peers, room;
	GArray *prefixes; /* of BuilderPrefix */
};

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

WiceDeviceBuilder *wice__device_builder_new(const char *name, WiceDeviceKind kind)
{
	WiceDeviceBuilder *builder = g_new0(WiceDeviceBuilder, 1);
	builder->info.kind = kind;
	g_strlcpy(builder->info.name, name, sizeof builder->info.name);
	builder->prefixes = g_array_new(FALSE, FALSE, sizeof(BuilderPrefix));
	return builder;
}

static void free_peers(WiceDevicePeer *peers, size_t room)
{
	if (peers)
		sodium_memzero(peers, room * sizeof *peers);
	g_free(peers);
}

void wice__device_builder_free(WiceDeviceBuilder *builder)
{
	if (!builder)
		return;
	free_peers(builder->peers, builder->room);
	g_array_unref(builder->prefixes);
	sodium_memzero(builder, sizeof *builder);
	g_free(builder);
}

WiceDeviceInfo *wice__device_builder_info(WiceDeviceBuilder *builder)
{
	return &builder->info;
}

static void make_room(WiceDeviceBuilder *builder)
{
	if (builder->n_peers < builder->room)
		return;
	size_t room = builder->room ? 2 * builder->room : 16;
	WiceDevicePeer *peers = g_new0(WiceDevicePeer, room);
	if (builder->n_peers)
		memcpy(peers, builder->peers, builder->n_peers * sizeof *peers);
	free_peers(builder->peers, builder->room);
	builder->peers = peers;
	builder->room = room;
}

int wice__device_builder_peer(WiceDeviceBuilder *builder, const WiceKey *public_key,
			      WiceDevicePeer **ret)
{
	WiceDevicePeer *open = builder->n_peers ? &builder->peers[builder->n_peers - 1] : NULL;
	if (!open || wice_key_compare(&open->public_key, public_key) != 0) {
		if (builder->n_peers == WICE_DEVICE_PEERS_MAX)
			return -E2BIG;
		make_room(builder);
		open = &builder->peers[builder->n_peers++];
		open->public_key = *public_key;
	}
	*ret = open;
	return 0;
}

static void clear_host_bits(WicePrefix *prefix)
{
	for (unsigned i = 0; i < sizeof prefix->address.bytes; i++) {
		unsigned before = 8 * i;
		unsigned keep = prefix->length > before ? MIN(prefix->length - before, 8) : 0;
		prefix->address.bytes[i] &= (uint8_t)(0xff00u >> keep);
	}
}

int wice__device_builder_allowed_ip(WiceDeviceBuilder *builder, const WicePrefix *prefix)
{
	unsigned longest = prefix->address.family == WICE_FAMILY_IPV4   ? 32
			   : prefix->address.family == WICE_FAMILY_IPV6 ? 128
									: 0;
	if (builder->n_peers == 0 || longest == 0 || prefix->length > longest)
		return -EINVAL;
	if (builder->prefixes->len >= WICE_DEVICE_ALLOWED_IPS_MAX)
		return -E2BIG;
	BuilderPrefix entry = { .peer = builder->n_peers - 1, .prefix = *prefix };
	clear_host_bits(&entry.prefix);
	g_array_append_val(builder->prefixes, entry);
	return 0;
}

/* By key, then by arrival, so that folding sees the parts of a peer in their order. */
static int compare_peers(gconstpointer a, gconstpointer b, gpointer user_data)
{
	const WiceDevicePeer *const *first = a, *const *second = b;
	int order = wice_key_compare(&(*first)->public_key, &(*second)->public_key);
	return order ? order : *first < *second ? -1 : *first > *second;
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
static size_t place_peers(const WiceDeviceBuilder *builder, WiceDevicePeer *ret, size_t *ret_place)
{
	g_autofree const WiceDevicePeer **order = g_new(const WiceDevicePeer *, builder->n_peers);
	for (size_t i = 0; i < builder->n_peers; i++)
		order[i] = &builder->peers[i];
	g_qsort_with_data(order, (gint)builder->n_peers, sizeof(WiceDevicePeer *), compare_peers,
			  NULL);

	size_t n = 0;
	for (size_t i = 0; i < builder->n_peers; i++) {
		if (n && wice_key_compare(&ret[n - 1].public_key, &order[i]->public_key) == 0)
			fold_peer(&ret[n - 1], order[i]);
		else
			ret[n++] = *order[i];
		ret_place[order[i] - builder->peers] = n - 1;
	}
	for (size_t i = 0; i < n; i++) {
		ret[i].fields = peer_fields(&ret[i]);
		ret[i].allowed_ips = NULL;
		ret[i].n_allowed_ips = 0;
	}
	return n;
}

static int compare_prefixes(gconstpointer a, gconstpointer b)
{
	const BuilderPrefix *first = a, *second = b;
	if (first->peer != second->peer)
		return first->peer < second->peer ? -1 : 1;
	return wice_prefix_compare(&first->prefix, &second->prefix);
}

/*
 * Writes each peer's prefixes to ret, sorted and without repetitions, and points the peers there.
 */
static void place_prefixes(GArray *prefixes, const size_t *place, WiceDevicePeer *peers,
			   WicePrefix *ret)
{
	BuilderPrefix *entries = (BuilderPrefix *)(void *)prefixes->data;
	for (guint i = 0; i < prefixes->len; i++)
		entries[i].peer = place[entries[i].peer];
	g_array_sort(prefixes, compare_prefixes);
	for (guint i = 0; i < prefixes->len; i++) {
		if (i && compare_prefixes(&entries[i - 1], &entries[i]) == 0)
			continue;
		WiceDevicePeer *peer = &peers[entries[i].peer];
		if (peer->n_allowed_ips++ == 0)
			peer->allowed_ips = ret;
		*ret++ = entries[i].prefix;
	}
}

WiceDevice *wice__device_builder_finish(WiceDeviceBuilder *builder)
{
	size_t peers_size = builder->n_peers * sizeof(WiceDevicePeer);
	size_t size = sizeof(WiceDevice) + peers_size + builder->prefixes->len * sizeof(WicePrefix);
	WiceDevice *device = g_malloc0(size);
	g_autofree size_t *place = g_new(size_t, builder->n_peers);

	g_atomic_ref_count_init(&device->refs);
	device->size = size;
	device->info = builder->info;
	device->info.fields = device_fields(&builder->info);
	device->info.n_peers = place_peers(builder, device->peers, place);
	device->info.peers = device->peers;
	place_prefixes(builder->prefixes, place, device->peers,
		       (WicePrefix *)(void *)((char *)device->peers + peers_size));
	wice__device_builder_free(builder);
	return device;
}

WiceDeviceBuilder *wice__device_builder_copy(const WiceDevice *device)
{
	WiceDeviceBuilder *builder = wice__device_builder_new(device->info.name, device->info.kind);
	builder->info = device->info;
	for (size_t i = 0; i < device->info.n_peers; i++) {
		const WiceDevicePeer *peer = &device->peers[i];
		make_room(builder);
		builder->peers[builder->n_peers++] = *peer;
		for (size_t j = 0; j < peer->n_allowed_ips; j++)
			(void)wice__device_builder_allowed_ip(builder, &peer->allowed_ips[j]);
	}
	return builder;
}

void wice__device_builder_remove(WiceDeviceBuilder *builder, const WiceKey *public_key)
{
	size_t n = 0;
	g_autofree size_t *place = g_new(size_t, builder->n_peers);
	for (size_t i = 0; i < builder->n_peers; i++) {
		place[i] = SIZE_MAX;
		if (wice_key_compare(&builder->peers[i].public_key, public_key) == 0)
			continue;
		place[i] = n;
		builder->peers[n++] = builder->peers[i];
	}
	if (n < builder->n_peers)
		sodium_memzero(&builder->peers[n], (builder->n_peers - n) * sizeof *builder->peers);
	builder->n_peers = n;

	guint kept = 0;
	BuilderPrefix *entries = (BuilderPrefix *)(void *)builder->prefixes->data;
	for (guint i = 0; i < builder->prefixes->len; i++) {
		if (place[entries[i].peer] == SIZE_MAX)
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
