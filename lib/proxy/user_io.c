/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packets of the userspace proxy.
 *
 * All sockets of an interface are in one epoll descriptor, so the main loop polls a single one
 * however many peers there are. One dispatch handles a bounded number of batches and leaves the
 * rest for the next turn of the main loop.
 *
 * Receive offload (UDP_GRO) joins consecutive packets of one flow if they have the same size; the
 * last may be shorter. It looks for the receiving socket without running our program
 * (port_share.c), so that in half of the flows, by hash, it is not done at all. Where it is done, a
 * STUN packet that arrives right behind a WireGuard packet is shorter, would be stuck to it, and
 * the ICE agent would never see it: the more traffic, the more of its checks would be lost. But
 * packets that differ in their time to live are not joined (Linux 6.10, and stable kernels since).
 * So WireGuard's packets leave with one less than those that the ICE agent sends (port_share.c),
 * and cannot be confused on the other side. As that depends on the sender and on the receiver's
 * kernel, a path on which it has happened all the same receives without offload from then on.
 */
#include "proxy/user_io.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "event/sockaddr.h"
#include "stun/probe.h"

/* Batches per dispatch: 16 * 64 packets take about a millisecond. */
#define DISPATCH_BUDGET 16
#define MAX_EVENTS DISPATCH_BUDGET

typedef enum { PACKET_OTHER, PACKET_WIREGUARD, PACKET_PROBE, PACKET_STUN } PacketKind;

static uint32_t read_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The sizes are those of WireGuard's messages: https://www.wireguard.com/protocol/ */
static PacketKind classify(const uint8_t *packet, size_t len)
{
	if (len < 20)
		return PACKET_OTHER;
	switch (read_be32(packet)) {
	case 0x01000000:
		return len == 148 ? PACKET_WIREGUARD : PACKET_OTHER;
	case 0x02000000:
		return len == 92 ? PACKET_WIREGUARD : PACKET_OTHER;
	case 0x03000000:
		return len == 64 ? PACKET_WIREGUARD : PACKET_OTHER;
	case 0x04000000:
		return len >= 32 ? PACKET_WIREGUARD : PACKET_OTHER;
	}
	if (packet[0] & 0xc0)
		return PACKET_OTHER;
	return wice__stun_probe_is_tagged(packet, len) ? PACKET_PROBE : PACKET_STUN;
}

/* From the network to WireGuard. */

typedef struct {
	WiceUserInbound wireguard;
	unsigned n_probes;
	struct {
		const uint8_t *packet;
		size_t len;
		int message;
	} probes[WICE_UDP_BATCH];
} Inbound;

void wice__user_io_flush(WiceUserInbound *inbound)
{
	if (inbound->n == 0)
		return;
	WiceUserEntry *entry = inbound->path->entry;
	WiceUserProxy *proxy = entry->proxy;
	WiceUdpRoute route = {
		.to = (const struct sockaddr *)&proxy->wg_address,
		.to_len = sizeof proxy->wg_address,
		.local.family = WICE_FAMILY_IPV4,
	};
	memcpy(route.local.bytes, &entry->address, 4);
	WiceUdpSent sent = { 0 };
	wice__udp_send(&proxy->wg, &route, inbound->chunks, inbound->n, &sent);
	entry->counters.rx_packets += sent.packets;
	entry->counters.rx_bytes += sent.bytes;
	entry->counters.rx_dropped += sent.dropped;
	proxy->counters.gso_fallbacks += sent.gso_fallbacks;
	inbound->n = 0;
}

void wice__user_io_take(WiceUserInbound *inbound, const uint8_t *data, size_t len, size_t segment)
{
	if (inbound->n == WICE_USER_MAX_CHUNKS)
		wice__user_io_flush(inbound);
	inbound->chunks[inbound->n++] = (WiceUdpChunk){ data, len, segment };
}

static void disable_gro(WiceUserPath *path)
{
	if (!path->gro)
		return;
	wice__udp_set_gro(path->out.fd, false);
	path->gro = false;
	path->entry->proxy->counters.gro_disabled++;
}

static void take_packet(Inbound *inbound, const uint8_t *packet, size_t len, int message)
{
	switch (classify(packet, len)) {
	case PACKET_WIREGUARD:
		wice__user_io_take(&inbound->wireguard, packet, len, len);
		return;
	case PACKET_PROBE:
		if (inbound->n_probes < G_N_ELEMENTS(inbound->probes)) {
			inbound->probes[inbound->n_probes].packet = packet;
			inbound->probes[inbound->n_probes].len = len;
			inbound->probes[inbound->n_probes++].message = message;
			return;
		}
		break;
	default:
		break;
	}
	inbound->wireguard.path->entry->counters.rx_dropped++;
}

static bool is_all_wireguard(const WiceUdpChunk *chunk)
{
	for (size_t at = 0; at < chunk->len; at += chunk->segment)
		if (classify(chunk->data + at, MIN(chunk->segment, chunk->len - at)) !=
		    PACKET_WIREGUARD)
			return false;
	return true;
}

static void take_message(Inbound *inbound, const WiceUdpChunk *chunk, int message)
{
	if (is_all_wireguard(chunk)) {
		wice__user_io_take(&inbound->wireguard, chunk->data, chunk->len, chunk->segment);
		return;
	}
	for (size_t at = 0; at < chunk->len; at += chunk->segment) {
		size_t len = MIN(chunk->segment, chunk->len - at);
		if (at > 0 && classify(chunk->data + at, len) == PACKET_STUN)
			disable_gro(inbound->wireguard.path);
		take_packet(inbound, chunk->data + at, len, message);
	}
}

/* The callback may free the path, its entry and even the proxy. */
static void report_probes(const Inbound *inbound, const WiceUdpReceiver *receiver)
{
	WiceUserPath *path = inbound->wireguard.path;
	for (unsigned i = 0; i < inbound->n_probes; i++) {
		const WiceUserEntry *entry = path->entry;
		WiceUdpReceived received;
		WiceEndpoint source;
		if (!entry)
			return;
		if (!entry->events || !entry->events->on_stun ||
		    !wice__udp_received(receiver, inbound->probes[i].message, &received) ||
		    !wice__endpoint_from_sockaddr(received.from, received.from_len, &source))
			continue;
		entry->events->on_stun(&path->base, &source, inbound->probes[i].packet,
				       inbound->probes[i].len, entry->user_data);
	}
}

/*
 * The peer may select its path, and begin the handshake, before we have selected ours. Until then
 * WireGuard's answers go to where the question came from, as they would without a proxy; else the
 * first answer would be lost, and WireGuard asks again only after 5 s.
 */
void wice__user_io_heard(WiceUserPath *path, const WiceUdpReceived *received)
{
	WiceUserEntry *entry = path->entry;
	if (entry->selected && !entry->provisional)
		return;
	entry->selected = path;
	entry->provisional = true;
	if (!received)
		return;
	memcpy(&entry->remote, received->from, received->from_len);
	entry->remote_len = received->from_len;
}

bool wice__user_io_receive_from_network(void *owner)
{
	WiceUserPath *path = owner;
	if (!path->entry)
		return false;
	WiceUdpReceiver *receiver = path->entry->proxy->receiver;
	int n = wice__udp_receive(receiver, path->out.fd, WICE_UDP_BATCH);
	Inbound inbound;
	inbound.wireguard.path = path;
	inbound.wireguard.n = 0;
	inbound.n_probes = 0;
	for (int i = 0; i < n; i++) {
		WiceUdpReceived received;
		if (wice__udp_received(receiver, i, &received) && received.chunk.len > 0) {
			if (classify(received.chunk.data, received.chunk.len) == PACKET_WIREGUARD)
				wice__user_io_heard(path, &received);
			take_message(&inbound, &received.chunk, i);
		} else {
			path->entry->counters.rx_dropped++;
		}
	}
	wice__user_io_flush(&inbound.wireguard);
	report_probes(&inbound, receiver);
	return n == WICE_UDP_BATCH;
}

void wice__user_io_input(WiceUserPath *path, const uint8_t *packet, size_t len)
{
	WiceUserInbound inbound;
	inbound.path = path;
	inbound.n = 0;
	if (classify(packet, len) == PACKET_WIREGUARD)
		wice__user_io_take(&inbound, packet, len, len);
	else
		path->entry->counters.rx_dropped++;
	wice__user_io_flush(&inbound);
}

/* From WireGuard to the network. */

static void send_to_network(WiceUserEntry *entry, const WiceUdpChunk *chunks, size_t n)
{
	WiceUdpSent sent = { 0 };
	if (entry->selected && wice__user_path_is_relayed(entry->selected)) {
		wice__user_relayed_send(entry->selected, chunks, n, &sent);
	} else if (entry->selected) {
		WiceUdpRoute route = {
			.to = (const struct sockaddr *)&entry->remote,
			.to_len = entry->remote_len,
		};
		wice__udp_send(&entry->selected->out, &route, chunks, n, &sent);
	} else {
		for (size_t i = 0; i < n; i++)
			sent.dropped += wice__udp_chunk_packets(&chunks[i]);
	}
	entry->counters.tx_packets += sent.packets;
	entry->counters.tx_bytes += sent.bytes;
	entry->counters.tx_dropped += sent.dropped;
	entry->proxy->counters.gso_fallbacks += sent.gso_fallbacks;
}

/*
 * The socket is bound to the loopback interface, so only this host can send to it, but any user of
 * it. WireGuard's port cannot be forged: WireGuard has it.
 */
static bool is_from_wireguard(const WiceUserProxy *proxy, const WiceUdpReceived *received)
{
	struct sockaddr_in from;
	if (received->from_len != sizeof from)
		return false;
	memcpy(&from, received->from, sizeof from);
	return from.sin_family == AF_INET && from.sin_port == proxy->wg_address.sin_port &&
	       ntohl(from.sin_addr.s_addr) >> 24 == 127;
}

static WiceUserEntry *find_entry(const WiceUserProxy *proxy, const WiceAddress *address)
{
	uint32_t number = read_be32(address->bytes) ^ WICE_USER_ADDRESS_BASE;
	return number < proxy->capacity ? proxy->entries[number] : NULL;
}

static WiceUserEntry *addressee(WiceUserProxy *proxy, const WiceUdpReceived *received)
{
	size_t packets = wice__udp_chunk_packets(&received->chunk);
	if (!is_from_wireguard(proxy, received)) {
		proxy->counters.foreign += packets;
		return NULL;
	}
	WiceUserEntry *entry = find_entry(proxy, &received->local);
	if (!entry)
		proxy->counters.unknown += packets;
	return entry;
}

/*
 * A batch may hold packets for many peers in any order. They are chained per peer, so that each
 * peer's go out together and in their order.
 */
bool wice__user_io_receive_from_wireguard(void *owner)
{
	WiceUserProxy *proxy = owner;
	WiceUdpChunk chunks[WICE_UDP_BATCH], chain[WICE_UDP_BATCH];
	WiceUserEntry *touched[WICE_UDP_BATCH];
	int next[WICE_UDP_BATCH];
	size_t n_touched = 0;
	int n = wice__udp_receive(proxy->receiver, proxy->wg.fd, WICE_UDP_BATCH);
	for (int i = 0; i < n; i++) {
		WiceUdpReceived received;
		WiceUserEntry *entry;
		if (!wice__udp_received(proxy->receiver, i, &received) || received.chunk.len == 0 ||
		    !(entry = addressee(proxy, &received)))
			continue;
		chunks[i] = received.chunk;
		next[i] = -1;
		if (entry->first < 0) {
			touched[n_touched++] = entry;
			entry->first = i;
		} else {
			next[entry->last] = i;
		}
		entry->last = i;
	}
	for (size_t t = 0; t < n_touched; t++) {
		size_t length = 0;
		for (int i = touched[t]->first; i >= 0; i = next[i])
			chain[length++] = chunks[i];
		touched[t]->first = -1;
		send_to_network(touched[t], chain, length);
	}
	return n == WICE_UDP_BATCH;
}

static void free_retired(WiceUserProxy *proxy)
{
	g_slist_free_full(proxy->retired, g_free);
	proxy->retired = NULL;
	proxy->dispatching = false;
	if (proxy->freed)
		wice__user_proxy_free(proxy);
}

void wice__user_io_dispatch(int fd, GIOCondition condition, void *user_data)
{
	WiceUserProxy *proxy = user_data;
	bool more = true;
	proxy->dispatching = true;
	for (int budget = DISPATCH_BUDGET; more && budget > 0;) {
		struct epoll_event events[MAX_EVENTS];
		int n = epoll_wait(proxy->epoll_fd, events, MIN(budget, MAX_EVENTS), 0);
		more = n == MAX_EVENTS;
		for (int i = 0; i < n && !proxy->freed; i++) {
			WiceUserReader *reader = events[i].data.ptr;
			more |= reader->receive(reader->owner);
		}
		if (n <= 0 || proxy->freed)
			break;
		budget -= n;
	}
	free_retired(proxy);
}

void wice__user_io_prepare_path(WiceUserPath *path)
{
	wice__udp_sender_init(&path->out, path->out.fd, true, true);
	if (!path->shared)
		return;
	wice__udp_set_buffers(path->out.fd);
	wice__udp_permit_fragments(path->out.fd, path->local.address.family);
	path->gro = wice__udp_set_gro(path->out.fd, true);
}
