/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths over relays: WireGuard's packets in ChannelData, over the socket of a TURN client, or over
 * its stream by a callback.
 *
 * All paths over one socket have a relay object in common, which receives from it. Offload joins
 * what comes from the relay, whatever it is, so that each packet of a message is looked at by
 * itself: ChannelData of any path, or what is the TURN client's. Towards WireGuard they are joined
 * again: in place, what came as one message leaves as one, as it lies in memory.
 *
 * Towards the relay, headers that need room are made where the packets lie: these move towards the
 * end of their message, behind which there is room (WICE_UDP_TAILROOM), beginning with the last.
 *
 *	received     | packet   | packet   | last |
 *	             |h| packet   |h| packet   |h| last |
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "event/sockaddr.h"
#include "proxy/relayed.h"
#include "proxy/user_io.h"
#include "stun/channel_data.h"

/* From the relay to WireGuard. */

static void take_packet(WiceUserInbound *inbound, WiceUserPath *path, const uint8_t *packet,
			size_t len)
{
	if (inbound->path != path) {
		wice__user_io_flush(inbound);
		inbound->path = path;
	}
	WiceUdpChunk *last = inbound->n ? &inbound->chunks[inbound->n - 1] : NULL;
	if (last && last->data + last->len == packet && last->len % last->segment == 0 &&
	    len <= last->segment)
		last->len += len;
	else
		wice__user_io_take(inbound, packet, len, len);
}

static void take_data(WiceUserInbound *inbound, WiceUserPath *path, uint8_t *data, size_t len)
{
	size_t packet_len;
	uint8_t *packet = wice__relayed_restore(data, len, path->channel.in_place, &packet_len);
	if (packet) {
		wice__user_io_heard(path, NULL);
		take_packet(inbound, path, packet, packet_len);
	} else {
		path->entry->counters.rx_dropped++;
	}
}

void wice__user_relayed_input(WiceUserPath *path, uint8_t *data, size_t len)
{
	WiceUserInbound inbound;
	inbound.path = path;
	inbound.n = 0;
	take_data(&inbound, path, data, len);
	wice__user_io_flush(&inbound);
}

/*
 * Hands something to the TURN client, which may free the path, the relay, its entry and even the
 * proxy. False: the relay has gone.
 */
static bool hand_over(const WiceUserRelay *relay, const WiceUdpReceived *received,
		      const uint8_t *packet, size_t len)
{
	const WiceUserPath *path = relay->paths->data;
	const WiceProxyChannel *channel = &path->channel;
	WiceEndpoint source;
	if (channel->stun &&
	    wice__endpoint_from_sockaddr(received->from, received->from_len, &source))
		channel->stun(channel->user_data, &source, (uint8_t *)packet, len);
	return relay->paths;
}

static WiceUserPath *find_path(const WiceUserRelay *relay, const uint8_t *packet, size_t len,
			       WiceSpan *ret_data)
{
	uint16_t number;
	if (wice__channel_data_read(packet, len, &number, ret_data) < 0)
		return NULL;
	return g_hash_table_lookup(relay->channels, GUINT_TO_POINTER(number));
}

static bool is_from_server(const WiceUserRelay *relay, const WiceUdpReceived *received)
{
	WiceEndpoint source;
	return wice__endpoint_from_sockaddr(received->from, received->from_len, &source) &&
	       wice_endpoint_compare(&source, &relay->server) == 0;
}

/* False: the relay has gone. */
static bool take_message(const WiceUserRelay *relay, WiceUserInbound *inbound,
			 const WiceUdpReceived *received)
{
	const WiceUdpChunk *chunk = &received->chunk;
	bool from_server = is_from_server(relay, received);
	for (size_t at = 0; at < chunk->len; at += chunk->segment) {
		const uint8_t *packet = chunk->data + at;
		size_t len = MIN(chunk->segment, chunk->len - at);
		WiceSpan data;
		WiceUserPath *path = from_server ? find_path(relay, packet, len, &data) : NULL;
		if (path) {
			take_data(inbound, path, (uint8_t *)data.data, data.len);
			continue;
		}
		wice__user_io_flush(inbound);
		if (!hand_over(relay, received, packet, len))
			return false;
	}
	return true;
}

static bool receive_from_relay(void *owner)
{
	const WiceUserRelay *relay = owner;
	WiceUdpReceiver *receiver = relay->proxy->receiver;
	WiceUserInbound inbound;
	if (!relay->paths)
		return false;
	int n = wice__udp_receive(receiver, relay->out.fd, WICE_UDP_BATCH);
	inbound.path = NULL;
	inbound.n = 0;
	for (int i = 0; i < n; i++) {
		WiceUdpReceived received;
		if (wice__udp_received(receiver, i, &received) &&
		    !take_message(relay, &inbound, &received))
			return false;
	}
	wice__user_io_flush(&inbound);
	return n == WICE_UDP_BATCH;
}

/* From WireGuard to the relay. */

typedef struct {
	WiceUserPath *path;
	WiceUdpSent *sent;
	size_t n;
	WiceUdpChunk chunks[WICE_USER_MAX_CHUNKS];
} Outbound;

static void flush(Outbound *outbound)
{
	WiceUserRelay *relay = outbound->path->relay;
	WiceUdpRoute route = {
		.to = (const struct sockaddr *)&relay->to,
		.to_len = relay->to_len,
	};
	if (outbound->n > 0)
		wice__udp_send(&relay->out, &route, outbound->chunks, outbound->n, outbound->sent);
	outbound->n = 0;
}

static void send_over_stream(const Outbound *outbound, const uint8_t *message, size_t len)
{
	const WiceProxyChannel *channel = &outbound->path->channel;
	int r = channel->send(channel->user_data, message, len);
	if (r < 0) {
		outbound->sent->dropped++;
	} else {
		outbound->sent->packets++;
		outbound->sent->bytes += len;
	}
}

static void put(Outbound *outbound, const uint8_t *data, size_t len, size_t segment)
{
	if (outbound->n == WICE_USER_MAX_CHUNKS)
		flush(outbound);
	outbound->chunks[outbound->n++] = (WiceUdpChunk){ data, len, segment };
}

static void put_each(Outbound *outbound, const uint8_t *data, size_t len)
{
	while (len > 0) {
		size_t message = WICE_RELAYED_HEADER_LEN + ((size_t)data[2] << 8 | data[3]);
		if (outbound->path->relay)
			put(outbound, data, message, message);
		else
			send_over_stream(outbound, data, message);
		data += message;
		len -= message;
	}
}

static size_t growth_of(const WiceUdpChunk *chunk, bool in_place)
{
	size_t growth = 0;
	for (size_t at = 0; at < chunk->len; at += chunk->segment)
		growth += wice__relayed_growth(chunk->data + at,
					       MIN(chunk->segment, chunk->len - at), in_place);
	return growth;
}

/* growth: how far the last packet moves. */
static void wrap(const WiceProxyChannel *channel, const WiceUdpChunk *chunk, size_t growth)
{
	for (size_t i = wice__udp_chunk_packets(chunk); i-- > 0;) {
		size_t at = i * chunk->segment, len = MIN(chunk->segment, chunk->len - at), total;
		uint8_t *from = (uint8_t *)chunk->data + at, *to = from + growth;
		if (growth > 0)
			memmove(to, from, len);
		wice__relayed_wrap(to, len, channel->channel, channel->in_place, &total);
		growth -= total - len;
	}
}

static void take_chunk(Outbound *outbound, const WiceUdpChunk *chunk)
{
	const WiceProxyChannel *channel = &outbound->path->channel;
	size_t packets = wice__udp_chunk_packets(chunk);
	size_t growth = growth_of(chunk, channel->in_place);
	if (growth > WICE_UDP_TAILROOM) {
		outbound->sent->dropped += packets;
		return;
	}
	wrap(channel, chunk, growth);
	if (outbound->path->relay && (growth == 0 || growth == packets * WICE_RELAYED_HEADER_LEN))
		put(outbound, chunk->data, chunk->len + growth, chunk->segment + growth / packets);
	else
		put_each(outbound, chunk->data, chunk->len + growth);
}

void wice__user_relayed_send(WiceUserPath *path, const WiceUdpChunk *chunks, size_t n,
			     WiceUdpSent *sent)
{
	Outbound outbound;
	outbound.path = path;
	outbound.sent = sent;
	outbound.n = 0;
	for (size_t i = 0; i < n; i++)
		take_chunk(&outbound, &chunks[i]);
	if (path->relay)
		flush(&outbound);
}

/* Relays and their paths. */

static WiceUserRelay *find_relay(const WiceUserProxy *proxy, uint64_t id)
{
	for (const GSList *i = proxy->relays; i; i = i->next) {
		WiceUserRelay *relay = i->data;
		if (relay->id == id)
			return relay;
	}
	return NULL;
}

static int relay_new(WiceUserProxy *proxy, const WiceProxyChannel *channel, uint64_t id,
		     WiceUserRelay **ret_relay)
{
	int fd = fcntl(channel->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	WiceUserRelay *relay = g_new0(WiceUserRelay, 1);
	relay->proxy = proxy;
	relay->reader = (WiceUserReader){ receive_from_relay, relay };
	relay->id = id;
	relay->server = channel->server;
	relay->to_len = wice__endpoint_to_sockaddr(&channel->server, &relay->to);
	wice__udp_sender_init(&relay->out, fd, true, true);
	int r = wice__user_epoll_add(proxy, fd, &relay->reader);
	if (r < 0) {
		close(fd);
		g_free(relay);
		return r;
	}
	wice__udp_set_buffers(fd);
	wice__udp_permit_fragments(fd, channel->server.address.family);
	wice__udp_set_gro(fd, true);
	relay->channels = g_hash_table_new(NULL, NULL);
	proxy->relays = g_slist_prepend(proxy->relays, relay);
	*ret_relay = relay;
	return 0;
}

static void relay_free(WiceUserRelay *relay)
{
	WiceUserProxy *proxy = relay->proxy;
	proxy->relays = g_slist_remove(proxy->relays, relay);
	epoll_ctl(proxy->epoll_fd, EPOLL_CTL_DEL, relay->out.fd, NULL);
	wice__relayed_return_socket(relay->out.fd);
	close(relay->out.fd);
	g_hash_table_unref(relay->channels);
	wice__user_retire(proxy, relay);
}

static int take_relay(WiceUserProxy *proxy, const WiceProxyChannel *channel,
		      WiceUserRelay **ret_relay)
{
	uint64_t id;
	int r = wice__relayed_identify(channel->fd, &id);
	if (r < 0)
		return r;
	*ret_relay = find_relay(proxy, id);
	return *ret_relay ? 0 : relay_new(proxy, channel, id, ret_relay);
}

int wice__user_path_new_relayed(WiceUserEntry *entry, const WiceProxyChannel *channel,
				WiceUserPath **ret_path)
{
	WiceUserRelay *relay = NULL;
	int r = channel->fd >= 0 ? take_relay(entry->proxy, channel, &relay) : 0;
	if (r < 0)
		return r;
	WiceUserPath *path = g_new0(WiceUserPath, 1);
	path->base.peer = &entry->base;
	path->entry = entry;
	path->out.fd = -1;
	path->channel = *channel;
	path->relay = relay;
	if (relay) {
		relay->paths = g_slist_prepend(relay->paths, path);
		g_hash_table_insert(relay->channels, GUINT_TO_POINTER(channel->channel), path);
	}
	entry->paths = g_slist_prepend(entry->paths, path);
	*ret_path = path;
	return 0;
}

/* The path that now has the channel, if there is one: from before the one that has left. */
static void hand_down(WiceUserRelay *relay, uint16_t channel)
{
	g_hash_table_remove(relay->channels, GUINT_TO_POINTER(channel));
	for (GSList *i = relay->paths; i; i = i->next) {
		WiceUserPath *path = i->data;
		if (path->channel.channel != channel)
			continue;
		g_hash_table_insert(relay->channels, GUINT_TO_POINTER(channel), path);
		return;
	}
}

void wice__user_relayed_leave(WiceUserPath *path)
{
	WiceUserRelay *relay = path->relay;
	if (!relay)
		return;
	relay->paths = g_slist_remove(relay->paths, path);
	hand_down(relay, path->channel.channel);
	if (!relay->paths)
		relay_free(relay);
}
