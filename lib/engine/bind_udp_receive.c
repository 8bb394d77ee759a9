/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets from the system. A queue has several sockets: of IPv4, of IPv6, and channels. Asking epoll
 * each time which of them has something would double the calls, so the one that had something last
 * (the hot one) is tried first. It must not starve the others: after a streak of calls that it has
 * served, epoll says who is next. Of one that always has something, epoll tells in turn with the
 * others, as it is asked for one at a time.
 *
 * A batch that was not full has emptied its socket, at least a moment ago. Then the next call says
 * that there is nothing without asking anybody: a single packet costs one call of the system and the
 * caller's own poll. If it was wrong, that poll ends at once.
 */
#include <errno.h>
#include <sys/epoll.h>

#include "engine/bind_udp.h"
#include "event/sockaddr.h"

/* Batches from the hot socket before others get a turn. */
#define MAX_STREAK 16
/* Attempts within a call, where what came was not for us. */
#define MAX_TURNS 8

static int find_hot(WiceBindUdpQueue *queue)
{
	struct epoll_event event;
	int n = epoll_wait(queue->epoll_fd, &event, 1, 0);
	if (n < 0 && errno != EINTR)
		return -errno;
	if (n <= 0)
		return -EAGAIN;
	queue->hot = event.data.u32;
	queue->is_hot = true;
	queue->streak = 0;
	return 0;
}

/* False if it is nothing to be handed on. */
static bool take(WiceBindUdp *bind, const WiceUdpReceiver *receiver, int i, uint32_t channel,
		 WiceBindDatagram *ret_datagram)
{
	WiceUdpReceived received;
	if (!wice__udp_received(receiver, i, &received)) {
		wice__bind_udp_count(&bind->rx_truncated, 1);
		return false;
	}
	const WiceUdpChunk *chunk = &received.chunk;
	WiceBindDatagram datagram = {
		.data = (uint8_t *)chunk->data,
		.length = (uint32_t)chunk->len,
		.segment = chunk->segment < chunk->len ? (uint32_t)chunk->segment : 0,
		.path.channel = channel,
	};
	if (!wice__endpoint_from_sockaddr(received.from, received.from_len, &datagram.path.remote))
		return false;
	if (channel) {
		wice__bind_udp_channel_filter(bind, &datagram);
		if (datagram.length == 0)
			return false;
	} else {
		datagram.path.local = received.local;
		datagram.path.ifindex = received.ifindex;
	}
	wice__bind_udp_count(
		&bind->rx_packets,
		wice__udp_chunk_packets(&(WiceUdpChunk){
			.len = datagram.length,
			.segment = datagram.segment ? datagram.segment : datagram.length,
		}));
	*ret_datagram = datagram;
	return true;
}

/* Returns the number of datagrams, which may be 0 though something came, or -errno. */
static int receive_batch(WiceBindUdp *bind, WiceBindUdpQueue *queue, int fd, uint32_t channel,
			 WiceBindDatagram *datagrams, size_t n)
{
	unsigned limit = (unsigned)MIN(n, WICE_BIND_UDP_BATCH);
	int got = wice__udp_receive(queue->receiver, fd, limit);
	wice__bind_udp_count(&bind->rx_calls, 1);
	if (got < 0)
		return got;
	int taken = 0;
	for (int i = 0; i < got; i++)
		taken += take(bind, queue->receiver, i, channel, &datagrams[taken]);
	queue->drained = taken > 0 && (unsigned)got < limit;
	return taken;
}

static int receive_from_channel(WiceBindUdp *bind, WiceBindUdpQueue *queue,
				WiceBindDatagram *datagrams, size_t n)
{
	WiceBindUdpChannel *channel = wice__bind_udp_channel_get(bind, queue->hot);
	if (!channel)
		return -EAGAIN;
	int r = receive_batch(bind, queue, channel->sender.fd, channel->number, datagrams, n);
	if (r < 0 && r != -EAGAIN) {
		wice__bind_udp_channel_ignore(bind, channel);
		r = -EAGAIN;
	}
	wice__bind_udp_channel_unref(channel);
	return r;
}

static int receive_from_hot(WiceBindUdp *bind, WiceBindUdpQueue *queue, WiceBindDatagram *datagrams,
			    size_t n)
{
	if (queue->hot == WICE_BIND_UDP_IPV4)
		return receive_batch(bind, queue, queue->ipv4.fd, 0, datagrams, n);
	if (queue->hot == WICE_BIND_UDP_IPV6)
		return receive_batch(bind, queue, queue->ipv6.fd, 0, datagrams, n);
	return receive_from_channel(bind, queue, datagrams, n);
}

int wice__bind_udp_receive(WiceBind *base, unsigned index, WiceBindDatagram *datagrams, size_t n)
{
	WiceBindUdp *bind = (WiceBindUdp *)base;
	if (!bind->queues)
		return -ENOTCONN;
	if (index >= bind->n_queues || n == 0)
		return -EINVAL;
	WiceBindUdpQueue *queue = &bind->queues[index];
	if (queue->drained) {
		queue->drained = false;
		return -EAGAIN;
	}
	for (unsigned turn = 0; turn < MAX_TURNS; turn++) {
		int r = 0;
		if (!queue->is_hot || queue->streak++ >= MAX_STREAK)
			r = find_hot(queue);
		if (r < 0)
			return r;
		r = receive_from_hot(bind, queue, datagrams, n);
		if (r > 0)
			return r;
		queue->is_hot = r == 0;
		if (r < 0 && r != -EAGAIN)
			return r;
	}
	return -EAGAIN;
}
