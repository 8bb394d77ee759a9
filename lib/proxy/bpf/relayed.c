/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Channels as entries of maps. A channel is there for what comes in before it is for what WireGuard
 * sends, so that an answer is never early; its ports' bits come last, and go first.
 */
#include "proxy/bpf/relayed.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "event/source.h"
#include "event/udp.h"
#include "proxy/bpf/attachments.h"
#include "proxy/bpf/heartbeat.h"
#include "proxy/bpf/load.h"
#include "proxy/bpf/mapped.h"
#include "proxy/bpf/ports.h"
#include "proxy/bpf/relayed_maps.h"
#include "proxy/bpf/skeleton.h"

/* RFC 5766 section 11; RFC 8656 has made fewer of them. */
#define CHANNEL_MIN 0x4000
#define CHANNEL_MAX 0x7fff

/* A channel that was added. */
typedef struct {
	WiceRelayedKey key; /* in the map of what is sent */
	WiceBpfChannel channel;
	WiceBpfRelayedCounters before; /* of those that it has replaced */
} Entry;

/* A socket that shows packets to WireGuard, of both families where there is IPv6. */
typedef struct {
	int fd;
	uint16_t port;
	uint64_t cookie;
	uint32_t fwmark;
} Injector;

struct WiceBpfRelayed {
	GMainContext *context;
	WiceBpfRelayedOptions options;
	GHashTable *entries; /* by their key */
	/*
	 * WiceRelayedKey of what is received: GSList of Entry, the newest first. It is the one
	 * that receives; the others are about to go, or it will go before them.
	 */
	GHashTable *receivers;
	unsigned n_expected;
	WiceTimer *timer; /* to attach for them */
	/* While there are entries, or some are expected. */
	struct relayed_bpf *programs;
	WiceBpfAttacher attacher;
	bool has_attacher;
	WiceBpfAttachments *attachments;
	WiceBpfHeartbeat *heartbeat;
	Injector injector;
	WiceBpfPorts wg_ports, synthetic_ports;
};

static guint hash_key(gconstpointer data)
{
	const WiceRelayedKey *key = data;
	uint64_t hash = key->server.words[0] * 31 + key->server.words[1];
	hash = (hash ^ key->numbers) * 0x9e3779b97f4a7c15;
	return (guint)(hash >> 32);
}

static gboolean equal_keys(gconstpointer a, gconstpointer b)
{
	return memcmp(a, b, sizeof(WiceRelayedKey)) == 0;
}

static void on_timer(void *user_data);

WiceBpfRelayed *wice__bpf_relayed_new(GMainContext *context, const WiceBpfRelayedOptions *options)
{
	WiceBpfRelayed *relayed = g_new0(WiceBpfRelayed, 1);
	relayed->context = context;
	relayed->options = *options;
	relayed->entries = g_hash_table_new_full(hash_key, equal_keys, NULL, g_free);
	relayed->receivers = g_hash_table_new_full(hash_key, equal_keys, g_free, NULL);
	relayed->timer = wice__timer_new(context, on_timer, relayed);
	relayed->injector.fd = -1;
	return relayed;
}

static int load(void *user_data)
{
	WiceBpfRelayed *relayed = user_data;
	struct relayed_bpf *programs = relayed_bpf__open();
	if (!programs)
		return -errno;
	relayed->programs = programs;
	int r = bpf_map__reuse_fd(programs->maps.received, relayed->options.received);
	if (r == 0)
		r = bpf_map__reuse_fd(programs->maps.relays, relayed->options.relays);
	return r == 0 ? relayed_bpf__load(programs) : r;
}

/* To a wildcard, so that nobody else has the port. It gets nothing. */
static int bind_injector(int fd, int family, uint16_t *ret_port)
{
	struct sockaddr_in6 name = { .sin6_family = (sa_family_t)family };
	const int off = 0, none = 0, probe = IP_PMTUDISC_PROBE;
	socklen_t len = family == AF_INET6 ? sizeof name : sizeof(struct sockaddr_in);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &none, sizeof none);
	/* What has come in whole is not to be fragmented here. */
	setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &probe, sizeof probe);
	if (family == AF_INET6) {
		const int probe6 = IPV6_PMTUDISC_PROBE;
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
		setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &probe6, sizeof probe6);
	}
	if (bind(fd, (struct sockaddr *)&name, len) < 0 ||
	    getsockname(fd, (struct sockaddr *)&name, &len) < 0)
		return -errno;
	*ret_port = GUINT16_FROM_BE(name.sin6_port); /* where sockaddr_in has it, too */
	return 0;
}

static int open_injector(Injector *ret)
{
	static const int types = SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
	Injector injector = { 0 };
	socklen_t len = sizeof injector.cookie;
	int family = AF_INET6;
	injector.fd = socket(family, types, 0);
	if (injector.fd < 0)
		injector.fd = socket(family = AF_INET, types, 0);
	if (injector.fd < 0)
		return -errno;
	int r = bind_injector(injector.fd, family, &injector.port);
	if (r == 0 && getsockopt(injector.fd, SOL_SOCKET, SO_COOKIE, &injector.cookie, &len) < 0)
		r = -errno;
	if (r < 0) {
		close(injector.fd);
		return r;
	}
	*ret = injector;
	return 0;
}

static int init_attacher(WiceBpfRelayed *relayed)
{
	const struct relayed_bpf *bpf = relayed->programs;
	WiceBpfPrograms programs = {
		.ethernet = {
			[WICE_BPF_INGRESS] = bpf_program__fd(bpf->progs.wice_ingress),
			[WICE_BPF_EGRESS] = bpf_program__fd(bpf->progs.wice_egress),
		},
		.l3 = {
			[WICE_BPF_INGRESS] = bpf_program__fd(bpf->progs.wice_ingress_l3),
			[WICE_BPF_EGRESS] = bpf_program__fd(bpf->progs.wice_egress_l3),
		},
	};
	int r = wice__bpf_attacher_init(&relayed->attacher, relayed->options.attach, &programs);
	relayed->has_attacher = r == 0;
	return r;
}

/* Leaves it as one that has no channels. */
static void stop(WiceBpfRelayed *relayed)
{
	wice__bpf_attachments_free(relayed->attachments);
	relayed->attachments = NULL;
	if (relayed->has_attacher)
		wice__bpf_attacher_done(&relayed->attacher);
	relayed->has_attacher = false;
	wice__bpf_heartbeat_free(relayed->heartbeat);
	relayed->heartbeat = NULL;
	if (relayed->injector.fd >= 0)
		close(relayed->injector.fd);
	relayed->injector.fd = -1;
	relayed_bpf__destroy(relayed->programs);
	relayed->programs = NULL;
	memset(&relayed->wg_ports, 0, sizeof relayed->wg_ports);
	memset(&relayed->synthetic_ports, 0, sizeof relayed->synthetic_ports);
}

static int start(WiceBpfRelayed *relayed)
{
	int r = wice__bpf_load(load, relayed);
	if (r == 0)
		r = open_injector(&relayed->injector);
	if (r == 0) {
		struct relayed_bpf__bss *bss = relayed->programs->bss;
		relayed->heartbeat =
			wice__bpf_heartbeat_new(relayed->context, &bss->alive_until_ns);
		bss->inject_port = GUINT16_TO_BE(relayed->injector.port);
		bss->inject_cookie = relayed->injector.cookie;
		wice__bpf_ports_use(&relayed->wg_ports, bss->wg_ports, relayed->injector.port);
		r = init_attacher(relayed);
	}
	if (r == 0)
		r = wice__bpf_attachments_new(relayed->context, &relayed->attacher,
					      &relayed->attachments);
	if (r < 0)
		stop(relayed);
	return r;
}

/* If it cannot be done, the first channel finds that out. */
static void on_timer(void *user_data)
{
	WiceBpfRelayed *relayed = user_data;
	if (!relayed->programs)
		(void)start(relayed);
}

static void stop_if_unused(WiceBpfRelayed *relayed)
{
	if (g_hash_table_size(relayed->entries) > 0 || relayed->n_expected > 0)
		return;
	wice__timer_set(relayed->timer, INT64_MAX);
	stop(relayed);
}

void wice__bpf_relayed_expect(WiceBpfRelayed *relayed, bool expect)
{
	relayed->n_expected += expect ? 1u : -1u;
	if (expect)
		wice__timer_set(relayed->timer, wice__now_ms());
	else
		stop_if_unused(relayed);
}

static void free_list(gpointer key, gpointer list, gpointer user_data)
{
	g_slist_free(list);
}

void wice__bpf_relayed_free(WiceBpfRelayed *relayed)
{
	if (!relayed)
		return;
	wice__timer_free(relayed->timer);
	stop(relayed);
	g_hash_table_foreach(relayed->receivers, free_list, NULL);
	g_hash_table_unref(relayed->receivers);
	g_hash_table_unref(relayed->entries); /* the mux's map goes with the mux */
	g_free(relayed);
}

static WiceRelayedKey make_key(const WiceBpfChannel *channel, uint16_t first, uint16_t second,
			       uint16_t third)
{
	return (WiceRelayedKey){
		.server = wice__bpf_map_address(&channel->server.address),
		.numbers = WICE_RELAYED_NUMBERS(GUINT16_TO_BE(first), GUINT16_TO_BE(second),
						GUINT16_TO_BE(third)),
	};
}

static WiceRelayedKey sent_key(const WiceBpfChannel *channel)
{
	return make_key(channel, channel->synthetic_port, 0, 0);
}

static WiceRelayedKey received_key(const WiceBpfChannel *channel)
{
	return make_key(channel, channel->server.port, channel->wg_port, channel->channel);
}

static int sent_map(const WiceBpfRelayed *relayed)
{
	return bpf_map__fd(relayed->programs->maps.sent);
}

static int put(int map, const WiceRelayedKey *key, const void *value)
{
	int r = bpf_map_update_elem(map, key, value, BPF_ANY);
	return r == -E2BIG ? -ENOSPC : r;
}

static int put_sent(const WiceBpfRelayed *relayed, const WiceBpfChannel *channel)
{
	WiceRelayedKey key = sent_key(channel);
	WiceRelayedSent value = {
		.wg_port = GUINT16_TO_BE(channel->wg_port),
		.server_port = GUINT16_TO_BE(channel->server.port),
		.channel = GUINT16_TO_BE(channel->channel),
		.in_place = channel->in_place,
	};
	return put(sent_map(relayed), &key, &value);
}

static int put_received(const WiceBpfRelayed *relayed, const WiceBpfChannel *channel)
{
	WiceRelayedKey key = received_key(channel);
	WiceRelayedReceived value = {
		.synthetic_port = GUINT16_TO_BE(channel->synthetic_port),
		.in_place = channel->in_place,
	};
	return put(relayed->options.received, &key, &value);
}

static bool receives(const WiceBpfRelayed *relayed, const Entry *entry)
{
	WiceRelayedKey key = received_key(&entry->channel);
	const GSList *receivers = g_hash_table_lookup(relayed->receivers, &key);
	return receivers && receivers->data == entry;
}

/* Adds what the map has counted for the entry, which receives. */
static void add_received(const WiceBpfRelayed *relayed, const Entry *entry,
			 WiceBpfRelayedCounters *counters)
{
	WiceRelayedKey key = received_key(&entry->channel);
	WiceRelayedReceived received = { 0 };
	bpf_map_lookup_elem(relayed->options.received, &key, &received);
	counters->rx_packets += received.packets;
	counters->rx_bytes += received.bytes;
	counters->rx_slow += received.slow;
}

static void add_sent(const WiceBpfRelayed *relayed, const Entry *entry,
		     WiceBpfRelayedCounters *counters)
{
	WiceRelayedSent sent = { 0 };
	bpf_map_lookup_elem(sent_map(relayed), &entry->key, &sent);
	counters->tx_packets += sent.packets;
	counters->tx_bytes += sent.bytes;
	counters->dropped_gso += sent.dropped_gso;
	counters->dropped_mtu += sent.dropped_mtu;
	counters->dropped_fragments += sent.dropped_fragments;
	counters->dropped_others += sent.dropped_others;
}

static void set_receivers(WiceBpfRelayed *relayed, const WiceRelayedKey *key, GSList *receivers)
{
	if (receivers)
		g_hash_table_replace(relayed->receivers, g_memdup2(key, sizeof *key), receivers);
	else
		g_hash_table_remove(relayed->receivers, key);
}

/* The entry, of which the channel is about to be that, receives from now on. */
static int take_channel(WiceBpfRelayed *relayed, const WiceBpfChannel *channel, Entry *entry)
{
	WiceRelayedKey key = received_key(channel);
	GSList *receivers = g_hash_table_lookup(relayed->receivers, &key);
	if (receivers) {
		Entry *former = receivers->data;
		add_received(relayed, former, &former->before);
	}
	int r = put_received(relayed, channel);
	if (r == 0)
		set_receivers(relayed, &key, g_slist_prepend(receivers, entry));
	return r;
}

/* What has been counted for the entry by then is lost, if it receives. */
static void leave_channel(WiceBpfRelayed *relayed, const WiceBpfChannel *channel, Entry *entry)
{
	WiceRelayedKey key = received_key(channel);
	GSList *receivers = g_hash_table_lookup(relayed->receivers, &key);
	bool received = receivers->data == entry;
	receivers = g_slist_remove(receivers, entry);
	set_receivers(relayed, &key, receivers);
	if (!receivers)
		bpf_map_delete_elem(relayed->options.received, &key);
	else if (received)
		put_received(relayed, &((const Entry *)receivers->data)->channel);
}

static int add(WiceBpfRelayed *relayed, const WiceBpfChannel *channel)
{
	struct relayed_bpf__bss *bss = relayed->programs->bss;
	Entry *entry = g_new0(Entry, 1);
	entry->key = sent_key(channel);
	entry->channel = *channel;
	int r = take_channel(relayed, channel, entry);
	if (r == 0) {
		r = put_sent(relayed, channel);
		if (r < 0)
			leave_channel(relayed, channel, entry);
	}
	if (r < 0) {
		g_free(entry);
		return r;
	}
	g_hash_table_insert(relayed->entries, &entry->key, entry);
	wice__bpf_ports_use(&relayed->wg_ports, bss->wg_ports, channel->wg_port);
	wice__bpf_ports_use(&relayed->synthetic_ports, bss->synthetic_ports,
			    channel->synthetic_port);
	return 0;
}

/* It stays the one that receives, or not, where the number of the channel stays. */
static int replace(WiceBpfRelayed *relayed, const WiceBpfChannel *channel, Entry *entry)
{
	const WiceBpfChannel old = entry->channel;
	WiceRelayedKey old_key = received_key(&old), new_key = received_key(channel);
	bool same = equal_keys(&old_key, &new_key), received = receives(relayed, entry);
	WiceBpfRelayedCounters counters = entry->before;
	if (received)
		add_received(relayed, entry, &counters);
	add_sent(relayed, entry, &counters);
	int r = 0;
	if (!same)
		r = take_channel(relayed, channel, entry);
	else if (received)
		r = put_received(relayed, channel);
	if (r < 0)
		return r;
	entry->before = counters;
	r = put_sent(relayed, channel);
	if (r < 0 && !same)
		leave_channel(relayed, channel, entry);
	if (r < 0)
		return r;
	entry->channel = *channel;
	if (!same)
		leave_channel(relayed, &old, entry);
	return 0;
}

int wice__bpf_relayed_add(WiceBpfRelayed *relayed, const WiceBpfChannel *channel)
{
	if (channel->server.address.family == WICE_FAMILY_NONE || channel->server.port == 0 ||
	    channel->wg_port == 0 || channel->synthetic_port == 0 ||
	    channel->channel < CHANNEL_MIN || channel->channel > CHANNEL_MAX)
		return -EINVAL;
	int r = relayed->programs ? 0 : start(relayed);
	if (r < 0)
		return r;
	WiceRelayedKey key = sent_key(channel);
	Entry *entry = g_hash_table_lookup(relayed->entries, &key);
	if (entry && entry->channel.wg_port != channel->wg_port)
		return -EEXIST;
	r = entry ? replace(relayed, channel, entry) : add(relayed, channel);
	stop_if_unused(relayed);
	return r;
}

static Entry *find(const WiceBpfRelayed *relayed, const WiceBpfChannel *channel)
{
	WiceRelayedKey key = sent_key(channel);
	Entry *entry = g_hash_table_lookup(relayed->entries, &key);
	return entry && entry->channel.wg_port == channel->wg_port ? entry : NULL;
}

void wice__bpf_relayed_remove(WiceBpfRelayed *relayed, const WiceBpfChannel *channel)
{
	Entry *entry = find(relayed, channel);
	if (!entry)
		return;
	struct relayed_bpf__bss *bss = relayed->programs->bss;
	wice__bpf_ports_unuse(&relayed->synthetic_ports, bss->synthetic_ports,
			      entry->channel.synthetic_port);
	wice__bpf_ports_unuse(&relayed->wg_ports, bss->wg_ports, entry->channel.wg_port);
	bpf_map_delete_elem(sent_map(relayed), &entry->key);
	leave_channel(relayed, &entry->channel, entry);
	g_hash_table_remove(relayed->entries, &entry->key);
	stop_if_unused(relayed);
}

int wice__bpf_relayed_inject(WiceBpfRelayed *relayed, const WiceBpfChannel *channel,
			     uint32_t fwmark, const uint8_t *packet, size_t len)
{
	Injector *injector = &relayed->injector;
	WiceEndpoint to = channel->server;
	if (!find(relayed, channel))
		return -ENOENT;
	if (injector->fwmark != fwmark) {
		if (setsockopt(injector->fd, SOL_SOCKET, SO_MARK, &fwmark, sizeof fwmark) < 0)
			return -errno;
		injector->fwmark = fwmark;
	}
	to.port = channel->synthetic_port;
	return wice__udp_send_to(injector->fd, &to, packet, len);
}

size_t wice__bpf_relayed_n_uplinks(const WiceBpfRelayed *relayed)
{
	return relayed->attachments ? wice__bpf_attachments_count(relayed->attachments) : 0;
}

int wice__bpf_relayed_counters(const WiceBpfRelayed *relayed, const WiceBpfChannel *channel,
			       WiceBpfRelayedCounters *ret_counters)
{
	const Entry *entry = find(relayed, channel);
	if (!entry)
		return -ENOENT;
	*ret_counters = entry->before;
	add_sent(relayed, entry, ret_counters);
	if (receives(relayed, entry))
		add_received(relayed, entry, ret_counters);
	return 0;
}
