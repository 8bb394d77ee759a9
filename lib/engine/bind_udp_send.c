/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "engine/bind_udp.h"
#include "engine/message.h"
#include "event/sockaddr.h"
#include "stun/relayed.h"

/* Packets that are handed on at a time; more than a message takes. */
#define MAX_CHUNKS 128

/* An IPv4 address as an IPv6 socket knows it (RFC 4291 section 2.5.5.2). */
static WiceEndpoint mapped(const WiceEndpoint *endpoint)
{
	WiceEndpoint result = { .address.family = WICE_FAMILY_IPV6, .port = endpoint->port };
	memset(result.address.bytes + 10, 0xff, 2);
	memcpy(result.address.bytes + 12, endpoint->address.bytes, 4);
	return result;
}

static socklen_t name_of(const WiceEndpoint *remote, const WiceBindUdpChannel *channel,
			 struct sockaddr_storage *ret_name)
{
	if (!channel || !channel->is_ipv6 || remote->address.family != WICE_FAMILY_IPV4)
		return wice__endpoint_to_sockaddr(remote, ret_name);
	WiceEndpoint other = mapped(remote);
	return wice__endpoint_to_sockaddr(&other, ret_name);
}

static WiceUdpChunk wrap(const WiceBindPacket *packet, const WiceBindUdpChannel *relayed)
{
	size_t len;
	uint8_t *data = wice__relayed_wrap(packet->data, packet->length, relayed->relay_channel,
					   relayed->in_place, &len);
	return (WiceUdpChunk){ data, len, len };
}

/* The packets are as they were before. */
static void unwrap(const WiceBindPacket *packet, const WiceUdpChunk *chunk)
{
	if (chunk->data == packet->data)
		wice__put_le32(packet->data, WICE_MESSAGE_TRANSPORT);
}

/* relayed: that the packets are for, or NULL. */
static void send_all(WiceUdpSender *sender, WiceUdpRoute *route, const WiceBindUdpChannel *relayed,
		     const WiceBindPacket *packets, size_t n, WiceUdpSent *sent)
{
	WiceUdpChunk chunks[MAX_CHUNKS];
	for (size_t done = 0; done < n; done += MAX_CHUNKS) {
		size_t count = MIN(n - done, MAX_CHUNKS);
		for (size_t i = 0; i < count; i++) {
			const WiceBindPacket *packet = &packets[done + i];
			chunks[i] = (WiceUdpChunk){ packet->data, packet->length, packet->length };
			if (relayed)
				chunks[i] = wrap(packet, relayed);
		}
		wice__udp_send(sender, route, chunks, count, sent);
		for (size_t i = 0; relayed && i < count; i++)
			unwrap(&packets[done + i], &chunks[i]);
	}
}

static void count_sent(WiceBindUdp *bind, const WiceUdpSent *sent)
{
	wice__bind_udp_count(&bind->tx_packets, sent->packets);
	wice__bind_udp_count(&bind->tx_calls, sent->calls);
	wice__bind_udp_count(&bind->tx_dropped, sent->dropped);
	wice__bind_udp_count(&bind->gso_fallbacks, sent->gso_fallbacks);
}

static int send_from(WiceBindUdp *bind, WiceUdpSender *sender, const WiceBindUdpChannel *channel,
		     WiceBindPath *path, const WiceBindPacket *packets, size_t n)
{
	const WiceBindUdpChannel *relayed = channel && channel->carrier ? channel : NULL;
	struct sockaddr_storage name;
	WiceUdpRoute route = {
		.to = (const struct sockaddr *)&name,
		.to_len = relayed ? name_of(&relayed->server, relayed->carrier, &name)
				  : name_of(&path->remote, channel, &name),
		.sticky = true,
	};
	if (!bind->options.no_sticky && !channel) {
		route.local = path->local;
		route.ifindex = path->ifindex;
	}
	bool had_local = route.local.family != WICE_FAMILY_NONE;
	WiceUdpSent sent = { 0 };
	send_all(sender, &route, relayed, packets, n, &sent);
	count_sent(bind, &sent);
	if (had_local && route.local.family == WICE_FAMILY_NONE) {
		path->local = (WiceAddress){ 0 };
		path->ifindex = 0;
		wice__bind_udp_count(&bind->source_cleared, 1);
	}
	return sent.packets || n == 0 ? (int)sent.packets : -sent.error;
}

static int drop_all(WiceBindUdp *bind, size_t n, int error)
{
	wice__bind_udp_count(&bind->tx_dropped, n);
	return error;
}

int wice__bind_udp_send(WiceBind *base, WiceBindPath *path, const WiceBindPacket *packets, size_t n)
{
	WiceBindUdp *bind = (WiceBindUdp *)base;
	if (!bind->queues)
		return drop_all(bind, n, -ENOTCONN);
	if (path->channel != 0) {
		WiceBindUdpChannel *channel = wice__bind_udp_channel_get(bind, path->channel);
		if (!channel)
			return drop_all(bind, n, -ENOTCONN);
		WiceBindUdpChannel *owner = channel->carrier ? channel->carrier : channel;
		int r = send_from(bind, &owner->sender, channel, path, packets, n);
		wice__bind_udp_channel_unref(channel);
		return r;
	}
	/* One socket serves all senders: the system needs no lock to send from it. */
	WiceUdpSender *sender = path->remote.address.family == WICE_FAMILY_IPV6
					? &bind->queues[0].ipv6
					: &bind->queues[0].ipv4;
	if (sender->fd < 0 || path->remote.address.family == WICE_FAMILY_NONE)
		return drop_all(bind, n, -EAFNOSUPPORT);
	return send_from(bind, sender, NULL, path, packets, n);
}
