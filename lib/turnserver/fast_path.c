/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "turnserver/fast_path.h"

#include <string.h>

#include "base/log.h"
#include "event/source.h"

#define COUNT_PERIOD_MS 1000

/* A channel in the kernel. Its number and allocation are its key. */
typedef struct {
	WiceTurnAllocation *allocation;
	WiceXdpChannel channel;
	WiceXdpCount to_peer, to_client; /* that the core has been told of */
} Entry;

struct WiceFastPath {
	WiceXdp *xdp; /* NULL: there is none */
	char *reason; /* then: why */
	GHashTable *entries;
	WiceTimer *timer;
	uint64_t packets;
};

static guint hash(gconstpointer key)
{
	const Entry *entry = key;
	return g_direct_hash(entry->allocation) ^ entry->channel.channel;
}

static gboolean equal(gconstpointer a, gconstpointer b)
{
	const Entry *left = a, *right = b;
	return left->allocation == right->allocation &&
	       left->channel.channel == right->channel.channel;
}

static void count_one(WiceFastPath *path, Entry *entry)
{
	WiceXdpCount to_peer, to_client;
	if (wice__xdp_counters(path->xdp, &entry->channel, &to_peer, &to_client) != 0)
		return;
	const WiceTurnTraffic news = {
		.tx_packets = to_peer.packets - entry->to_peer.packets,
		.tx_bytes = to_peer.bytes - entry->to_peer.bytes,
		.rx_packets = to_client.packets - entry->to_client.packets,
		.rx_bytes = to_client.bytes - entry->to_client.bytes,
	};
	entry->to_peer = to_peer;
	entry->to_client = to_client;
	path->packets += news.tx_packets + news.rx_packets;
	if (news.tx_packets || news.rx_packets)
		wice__turn_allocation_add_traffic(entry->allocation, &news);
}

void wice__fast_path_count(WiceFastPath *path)
{
	GHashTableIter iterator;
	gpointer entry;
	g_hash_table_iter_init(&iterator, path->entries);
	while (g_hash_table_iter_next(&iterator, &entry, NULL))
		count_one(path, entry);
}

static void on_timer(void *user_data)
{
	WiceFastPath *path = user_data;
	wice__fast_path_count(path);
	if (g_hash_table_size(path->entries) > 0)
		wice__timer_set(path->timer, wice__now_ms() + COUNT_PERIOD_MS);
}

static WiceXdpMode parse_mode(const char *mode)
{
	if (strcmp(mode, "native") == 0)
		return WICE_XDP_NATIVE;
	if (strcmp(mode, "generic") == 0)
		return WICE_XDP_GENERIC;
	return strcmp(mode, "tc") == 0 ? WICE_XDP_TC : WICE_XDP_BEST;
}

WiceFastPath *wice__fast_path_new(GMainContext *context, const char *mode, GError **error)
{
	g_autoptr(GError) reason = NULL;
	WiceXdp *xdp = NULL;
	mode = mode ? mode : "auto";
	if (strcmp(mode, "off") != 0) {
		const WiceXdpOptions options = { .size = sizeof options, .mode = parse_mode(mode) };
		xdp = wice__xdp_new(context, &options, &reason);
	}
	if (reason && strcmp(mode, "auto") != 0) {
		g_propagate_error(error, g_steal_pointer(&reason));
		return NULL;
	}
	if (reason)
		wice__log(WICE_LOG_INFO, "", "The relay has no fast path: %s", reason->message);
	WiceFastPath *path = g_new0(WiceFastPath, 1);
	path->xdp = xdp;
	path->reason = reason ? g_strdup_printf("none: %s", reason->message) : g_strdup("off");
	path->entries = g_hash_table_new_full(hash, equal, g_free, NULL);
	path->timer = wice__timer_new(context, on_timer, path);
	return path;
}

void wice__fast_path_free(WiceFastPath *path)
{
	if (!path)
		return;
	wice__xdp_free(path->xdp);
	wice__timer_free(path->timer);
	g_hash_table_unref(path->entries);
	g_free(path->reason);
	g_free(path);
}

void wice__fast_path_add(WiceFastPath *path, WiceTurnAllocation *allocation,
			 const WiceXdpChannel *channel)
{
	if (!path->xdp)
		return;
	wice__fast_path_remove(path, allocation, channel->channel);
	/* Where there is no room, or the kernel refuses it, the packets come up to us. */
	if (wice__xdp_add(path->xdp, channel) != 0)
		return;
	if (g_hash_table_size(path->entries) == 0)
		wice__timer_set(path->timer, wice__now_ms() + COUNT_PERIOD_MS);
	Entry *entry = g_new0(Entry, 1);
	entry->allocation = allocation;
	entry->channel = *channel;
	g_hash_table_add(path->entries, entry);
}

void wice__fast_path_remove(WiceFastPath *path, WiceTurnAllocation *allocation, uint16_t channel)
{
	const Entry key = { .allocation = allocation, .channel.channel = channel };
	Entry *entry = g_hash_table_lookup(path->entries, &key);
	if (!entry)
		return;
	count_one(path, entry);
	wice__xdp_remove(path->xdp, &entry->channel);
	g_hash_table_remove(path->entries, &key);
}

uint64_t wice__fast_path_packets(const WiceFastPath *path)
{
	return path->packets;
}

const char *wice__fast_path_describe(WiceFastPath *path)
{
	return path->xdp ? wice__xdp_describe(path->xdp) : path->reason;
}
