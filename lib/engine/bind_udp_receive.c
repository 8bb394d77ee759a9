/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets from the system. A queue has several sockets: of IPv4, of IPv6, and channels. Asking
 * epoll each time which of them has something would double the calls, so the one that had something
 * last (the hot one) is tried first. It must not starve the others: after a streak of calls that it
 * has served, epoll says who is next. Of one that always has something, epoll tells in turn with
 * the others, as it is asked for one at a time.
 *
 * A batch that was not full has emptied its socket, at least a moment ago. Then the next call says
 * that there is nothing without asking anybody: a single packet costs one call of the system and
 * the caller's own poll. If it was wrong, that poll ends at once.
 *
 * A message of a channel may be more datagrams than the caller has room for, as the system joins
 * packets of several peers behind a relay. What is left waits for the next call, and an event makes
 * the queue readable until then.
 */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

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

/* False if it was cut off or came from nowhere. */
static bool read_message(WiceBindUdp *bind, const WiceUdpReceiver *receiver, int i,
			 WiceBindDatagram *ret_message)
{
	WiceUdpReceived received;
	if (!wice__udp_received(receiver, i, &received)) {
		wice__bind_udp_count(&bind->rx_truncated, 1);
		return false;
	}
	const WiceUdpChunk *chunk = &received.chunk;
	WiceBindDatagram message = {
		.data = (uint8_t *)chunk->data,
		.length = (uint32_t)chunk->len,
		.segment = chunk->segment < chunk->len ? (uint32_t)chunk->segment : 0,
		.path.local = received.local,
		.path.ifindex = received.ifindex,
	};
	if (!wice__endpoint_from_sockaddr(received.from, received.from_len, &message.path.remote))
		return false;
	*ret_message = message;
	return true;
}

static void count_packets(WiceBindUdp *bind, const WiceBindDatagram *datagrams, int n)
{
	uint64_t packets = 0;
	for (int i = 0; i < n; i++)
		packets += wice__udp_chunk_packets(&(WiceUdpChunk){
			.len = datagrams[i].length,
			.segment =
				datagrams[i].segment ? datagrams[i].segment : datagrams[i].length,
		});
	wice__bind_udp_count(&bind->rx_packets, packets);
}

/* Returns the number of messages, which must be handed on before the next batch, or -errno. */
static int receive_batch(WiceBindUdp *bind, WiceBindUdpQueue *queue, int fd, size_t n)
{
	unsigned limit = (unsigned)MIN(n, WICE_BIND_UDP_BATCH);
	int got = wice__udp_receive(queue->receiver, fd, limit);
	wice__bind_udp_count(&bind->rx_calls, 1);
	queue->drained = got > 0 && (unsigned)got < limit;
	return got;
}

/* From a socket of the port. Returns the number of datagrams, which may be 0, or -errno. */
static int receive_from_port(WiceBindUdp *bind, WiceBindUdpQueue *queue, int fd,
			     WiceBindDatagram *datagrams, size_t n)
{
	int taken = 0, got = receive_batch(bind, queue, fd, n);
	for (int i = 0; i < got; i++)
		taken += read_message(bind, queue->receiver, i, &datagrams[taken]);
	count_packets(bind, datagrams, taken);
	queue->drained &= taken > 0;
	return got < 0 ? got : taken;
}

/* There is, or is no longer, something left of the batch: poll_fd tells of it. */
static void set_rest(WiceBindUdpQueue *queue, bool has_rest)
{
	eventfd_t count;
	if (has_rest && !queue->has_rest)
		eventfd_write(queue->rest_fd, 1);
	else if (!has_rest && queue->has_rest)
		eventfd_read(queue->rest_fd, &count);
	queue->has_rest = has_rest;
}

/* Hands on what a channel's batch has. Returns the number of datagrams, which may be 0. */
static int take_batch(WiceBindUdp *bind, WiceBindUdpQueue *queue, WiceBindUdpChannel *channel,
		      WiceBindDatagram *datagrams, size_t n)
{
	WiceBindUdpBatch *batch = &queue->batch;
	size_t taken = 0;
	for (; batch->next < batch->n; batch->next++, batch->at = 0) {
		WiceBindDatagram message;
		if (!read_message(bind, queue->receiver, batch->next, &message))
			continue;
		taken += wice__bind_udp_sort(bind, channel, &message, &batch->at, datagrams + taken,
					     n - taken);
		if (batch->at < message.length)
			break;
	}
	count_packets(bind, datagrams, (int)taken);
	set_rest(queue, batch->next < batch->n);
	return (int)taken;
}

static int receive_from_channel(WiceBindUdp *bind, WiceBindUdpQueue *queue,
				WiceBindDatagram *datagrams, size_t n)
{
	WiceBindUdpChannel *channel = wice__bind_udp_channel_get(bind, queue->hot);
	if (!channel)
		return -EAGAIN;
	int r = receive_batch(bind, queue, channel->sender.fd, n);
	if (r >= 0) {
		queue->batch = (WiceBindUdpBatch){ .n = r, .channel = channel->number };
		r = take_batch(bind, queue, channel, datagrams, n);
		queue->drained &= r > 0;
	} else if (r != -EAGAIN) {
		wice__bind_udp_channel_ignore(bind, channel);
		r = -EAGAIN;
	}
	wice__bind_udp_channel_unref(channel);
	return r;
}

/* What is left of a channel that has gone is not for anybody. */
static int receive_rest(WiceBindUdp *bind, WiceBindUdpQueue *queue, WiceBindDatagram *datagrams,
			size_t n)
{
	WiceBindUdpChannel *channel = wice__bind_udp_channel_get(bind, queue->batch.channel);
	if (!channel) {
		set_rest(queue, false);
		return 0;
	}
	int r = take_batch(bind, queue, channel, datagrams, n);
	wice__bind_udp_channel_unref(channel);
	return r;
}

static int receive_from_hot(WiceBindUdp *bind, WiceBindUdpQueue *queue, WiceBindDatagram *datagrams,
			    size_t n)
{
	if (queue->hot == WICE_BIND_UDP_IPV4)
		return receive_from_port(bind, queue, queue->ipv4.fd, datagrams, n);
	if (queue->hot == WICE_BIND_UDP_IPV6)
		return receive_from_port(bind, queue, queue->ipv6.fd, datagrams, n);
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
	if (queue->has_rest) {
		int r = receive_rest(bind, queue, datagrams, n);
		if (r > 0)
			return r;
	}
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
