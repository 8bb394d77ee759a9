/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "turnserver/datagrams.h"

#include <glib.h>
#include <string.h>

#include "event/sockaddr.h"

/* That wait at a time; a message that was received with offload may hold 64 of them. */
#define MAX_DATAGRAMS 512
/* With less room than this for received messages, what waits is sent first. */
#define MIN_ROOM 16
/* The header of a Data indication to an IPv6 client has 20 + 4 + 20 + 4 bytes. */
#define MAX_HEADER 64

struct WiceDatagram {
	WiceUdpPacket packet;
	WiceDatagram *next;
	uint8_t header[MAX_HEADER];
	/* To a peer: its own way. Packets behind it to the same peer use it, too. */
	WiceEndpoint peer;
	WiceUdpRoute route;
	WiceUdpName name;
};

struct WiceDatagrams {
	WiceUdpReceiver *receiver;
	unsigned used; /* of the receiver's room */
	unsigned n;
	WiceUdpPort *waiting;
	WiceUdpSent sent;
	WiceDatagram datagrams[MAX_DATAGRAMS];
	const WiceUdpPacket *packets[MAX_DATAGRAMS];
};

socklen_t wice__udp_name(WiceUdpName *ret_name, const WiceEndpoint *endpoint)
{
	struct sockaddr_storage storage;
	socklen_t len = wice__endpoint_to_sockaddr(endpoint, &storage);
	memcpy(ret_name, &storage, sizeof *ret_name);
	return len;
}

int wice__datagrams_new(WiceDatagrams **ret_datagrams)
{
	WiceUdpReceiver *receiver;
	int err = wice__udp_receiver_new(WICE_UDP_BATCH, &receiver);
	if (err)
		return err;
	WiceDatagrams *datagrams = g_new0(WiceDatagrams, 1);
	datagrams->receiver = receiver;
	*ret_datagrams = datagrams;
	return 0;
}

void wice__datagrams_free(WiceDatagrams *datagrams)
{
	if (!datagrams)
		return;
	wice__udp_receiver_free(datagrams->receiver);
	g_free(datagrams);
}

void wice__datagrams_receive(WiceDatagrams *datagrams, WiceUdpPort *port, WiceDatagramFunc take,
			     void *user_data)
{
	unsigned first;
	if (datagrams->used + MIN_ROOM > WICE_UDP_BATCH)
		wice__datagrams_rest(datagrams);
	int n = wice__udp_receive_more(datagrams->receiver, port->polled.fd, WICE_UDP_BATCH,
				       &first);
	if (n <= 0)
		return;
	datagrams->used += (unsigned)n;
	for (int i = 0; i < n && port->polled.fd >= 0; i++) {
		WiceUdpReceived received;
		if (!wice__udp_received(datagrams->receiver, (int)first + i, &received))
			continue;
		const WiceUdpChunk *chunk = &received.chunk;
		for (size_t at = 0; at < chunk->len; at += chunk->segment)
			take(port, &received, chunk->data + at,
			     MIN(chunk->segment, chunk->len - at), user_data);
	}
}

/* The next one, queued at the port. */
static WiceDatagram *queue(WiceDatagrams *datagrams, WiceUdpPort *port)
{
	if (datagrams->n == MAX_DATAGRAMS)
		wice__datagrams_send(datagrams);
	WiceDatagram *datagram = &datagrams->datagrams[datagrams->n++];
	datagram->next = NULL;
	datagram->packet.n_parts = 0;
	if (port->first) {
		port->last->next = datagram;
	} else {
		port->first = datagram;
		port->next_waiting = datagrams->waiting;
		datagrams->waiting = port;
	}
	port->last = datagram;
	return datagram;
}

static void add_part(WiceUdpPacket *packet, const void *data, size_t len)
{
	packet->parts[packet->n_parts++] = (struct iovec){ (void *)data, len };
}

void wice__datagrams_to_peer(WiceDatagrams *datagrams, WiceUdpPort *port,
			     const WiceTurnVerdict *verdict)
{
	WiceDatagram *before = port->last;
	WiceDatagram *datagram = queue(datagrams, port);
	add_part(&datagram->packet, verdict->data, verdict->data_len);
	datagram->peer = verdict->peer;
	/* Mostly they follow each other; queueing may have sent those before it. */
	if (port->first != datagram && wice_endpoint_compare(&before->peer, &verdict->peer) == 0) {
		datagram->packet.route = before->packet.route;
		return;
	}
	datagram->packet.route = &datagram->route;
	datagram->route = (WiceUdpRoute){
		.to = &datagram->name.any,
		.to_len = wice__udp_name(&datagram->name, &verdict->peer),
	};
}

void wice__datagrams_to_client(WiceDatagrams *datagrams, WiceUdpPort *port, WiceUdpRoute *route,
			       const WiceTurnVerdict *verdict)
{
	static const uint8_t padding[3];
	g_return_if_fail(verdict->header_len <= MAX_HEADER && verdict->padding <= sizeof padding);
	WiceDatagram *datagram = queue(datagrams, port);
	datagram->packet.route = route;
	memcpy(datagram->header, verdict->header, verdict->header_len);
	add_part(&datagram->packet, datagram->header, verdict->header_len);
	add_part(&datagram->packet, verdict->data, verdict->data_len);
	if (verdict->padding > 0)
		add_part(&datagram->packet, padding, verdict->padding);
}

static void send_from(WiceDatagrams *datagrams, WiceUdpPort *port)
{
	size_t n = 0;
	for (const WiceDatagram *i = port->first; i; i = i->next)
		datagrams->packets[n++] = &i->packet;
	port->first = port->last = NULL;
	if (port->polled.fd >= 0)
		wice__udp_send_packets(&port->sender, datagrams->packets, n, &datagrams->sent);
}

void wice__datagrams_send(WiceDatagrams *datagrams)
{
	while (datagrams->waiting) {
		WiceUdpPort *port = datagrams->waiting;
		datagrams->waiting = port->next_waiting;
		send_from(datagrams, port);
	}
	datagrams->n = 0;
}

void wice__datagrams_rest(WiceDatagrams *datagrams)
{
	wice__datagrams_send(datagrams);
	wice__udp_receiver_clear(datagrams->receiver);
	datagrams->used = 0;
}

uint64_t wice__datagrams_dropped(const WiceDatagrams *datagrams)
{
	return datagrams->sent.dropped;
}
