/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two binds in memory. Each end has an inbox that the other end sends to: a queue of datagrams, and
 * an eventfd that is readable as long as there is one. Packets that are sent together and have the
 * same size travel as one datagram, as they would over UDP with segmentation, so that it is one
 * allocation and what receives them meets segments here too.
 *
 * Both ends and the two inboxes are one object under one lock. It lives until both are freed.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <wice/bind.h>

/* Packets that wait, at most. */
#define MAX_WAITING 1024
#define MAX_DATAGRAM 65507
#define MAX_SEGMENTS 64
/* Of the first end, if it may be any; the other has the next. (RFC 6335 section 6.) */
#define FIRST_PORT 49152

typedef struct {
	unsigned n_packets;
	WiceBindDatagram datagram; /* its data are behind this */
	uint8_t data[];
} Parcel;

typedef struct Pair Pair;

typedef struct {
	WiceBind base;
	Pair *pair;
	bool is_open;
	uint16_t port;
	int event_fd;     /* -1: closed */
	GQueue inbox;     /* of Parcel */
	GQueue delivered; /* those that the last receive() has given */
	unsigned n_waiting;
	WiceBindCounters counters;
} End;

struct Pair {
	GMutex lock;
	End ends[2];
	unsigned n_ends;
};

static End *other_end(End *end)
{
	return &end->pair->ends[end == &end->pair->ends[0]];
}

static int end_open(End *end, uint16_t port)
{
	if (end->is_open)
		return -EALREADY;
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	end->event_fd = fd;
	end->port = port ? port : FIRST_PORT + (end != &end->pair->ends[0]);
	end->is_open = true;
	return 0;
}

static int pair_open(WiceBind *bind, uint16_t port, uint32_t fwmark, unsigned n_queues,
		     uint16_t *ret_port, unsigned *ret_n_queues)
{
	End *end = (End *)bind;
	g_mutex_lock(&end->pair->lock);
	int r = end_open(end, port);
	if (r == 0) {
		*ret_port = end->port;
		*ret_n_queues = 1;
	}
	g_mutex_unlock(&end->pair->lock);
	return r;
}

static void empty(GQueue *queue)
{
	Parcel *parcel;
	while ((parcel = g_queue_pop_head(queue)))
		g_free(parcel);
}

static void pair_close(WiceBind *bind)
{
	End *end = (End *)bind;
	g_mutex_lock(&end->pair->lock);
	if (end->is_open) {
		close(end->event_fd);
		end->event_fd = -1;
		end->is_open = false;
		empty(&end->inbox);
		empty(&end->delivered);
		end->n_waiting = 0;
	}
	g_mutex_unlock(&end->pair->lock);
}

static int pair_poll_fd(WiceBind *bind, unsigned queue)
{
	const End *end = (const End *)bind;
	return queue == 0 ? end->event_fd : -1;
}

static void deliver(End *end, WiceBindDatagram *ret_datagram)
{
	Parcel *parcel = g_queue_pop_head(&end->inbox);
	g_queue_push_tail(&end->delivered, parcel);
	end->n_waiting -= parcel->n_packets;
	end->counters.rx_packets += parcel->n_packets;
	*ret_datagram = parcel->datagram;
}

static int end_receive(End *end, WiceBindDatagram *datagrams, size_t n)
{
	uint64_t n_events;
	size_t count = 0;
	if (!end->is_open)
		return -ENOTCONN;
	if (n == 0)
		return -EINVAL;
	empty(&end->delivered);
	if (g_queue_is_empty(&end->inbox))
		return -EAGAIN;
	while (count < n && !g_queue_is_empty(&end->inbox))
		deliver(end, &datagrams[count++]);
	end->counters.rx_calls++;
	if (g_queue_is_empty(&end->inbox) && read(end->event_fd, &n_events, sizeof n_events) < 0)
		return -errno;
	return (int)count;
}

static int pair_receive(WiceBind *bind, unsigned queue, WiceBindDatagram *datagrams, size_t n)
{
	End *end = (End *)bind;
	if (queue != 0)
		return -EINVAL;
	g_mutex_lock(&end->pair->lock);
	int r = end_receive(end, datagrams, n);
	g_mutex_unlock(&end->pair->lock);
	return r;
}

/* How many of n packets make the first datagram: of one size, but for the last. */
static size_t measure(const WiceBindPacket *packets, size_t n, size_t *ret_length)
{
	size_t count = 1, length = packets[0].length;
	while (count < n && count < MAX_SEGMENTS && packets[count].length > 0 &&
	       packets[count - 1].length == packets[0].length &&
	       packets[count].length <= packets[0].length &&
	       length + packets[count].length <= MAX_DATAGRAM)
		length += packets[count++].length;
	*ret_length = length;
	return count;
}

static Parcel *pack(const End *sender, const WiceBindPacket *packets, size_t n, size_t length)
{
	Parcel *parcel = g_malloc(sizeof *parcel + length);
	uint8_t *at = parcel->data;
	for (size_t i = 0; i < n; i++) {
		memcpy(at, packets[i].data, packets[i].length);
		at += packets[i].length;
	}
	parcel->n_packets = (unsigned)n;
	parcel->datagram = (WiceBindDatagram){
		.data = parcel->data,
		.length = (uint32_t)length,
		.segment = n > 1 ? packets[0].length : 0,
		.path.remote = { .address = { WICE_FAMILY_IPV4, { 127, 0, 0, 1 } },
				 .port = sender->port },
	};
	return parcel;
}

static int put_into(End *end, Parcel *parcel)
{
	static const uint64_t one = 1;
	bool was_empty = g_queue_is_empty(&end->inbox);
	g_queue_push_tail(&end->inbox, parcel);
	end->n_waiting += parcel->n_packets;
	if (was_empty && write(end->event_fd, &one, sizeof one) < 0)
		return -errno;
	return 0;
}

/* Returns how many packets it took, or -errno for the first of them. */
static int send_some(End *sender, End *receiver, const WiceBindPacket *packets, size_t n)
{
	size_t length;
	if (packets[0].length > MAX_DATAGRAM)
		return -EMSGSIZE;
	if (receiver->n_waiting >= MAX_WAITING)
		return -ENOBUFS;
	size_t count = measure(packets, MIN(n, MAX_WAITING - receiver->n_waiting), &length);
	int r = put_into(receiver, pack(sender, packets, count, length));
	return r < 0 ? r : (int)count;
}

static bool is_at(const End *end, const WiceEndpoint *remote)
{
	return end->is_open && remote->port == end->port;
}

static int end_send(End *end, const WiceEndpoint *remote, const WiceBindPacket *packets, size_t n)
{
	End *receiver = other_end(end);
	size_t sent = 0;
	int error = 0;
	if (!end->is_open)
		return -ENOTCONN;
	end->counters.tx_calls++;
	if (!is_at(receiver, remote)) {
		/* Lost on the way, as far as a sender can tell. */
		end->counters.tx_packets += n;
		return (int)n;
	}
	for (size_t i = 0; i < n;) {
		int r = send_some(end, receiver, packets + i, n - i);
		i += r > 0 ? (size_t)r : 1;
		sent += r > 0 ? (size_t)r : 0;
		error = r > 0 ? error : r;
	}
	end->counters.tx_packets += sent;
	end->counters.tx_dropped += n - sent;
	return sent || n == 0 ? (int)sent : error;
}

static int pair_send(WiceBind *bind, WiceBindPath *path, const WiceBindPacket *packets, size_t n)
{
	End *end = (End *)bind;
	g_mutex_lock(&end->pair->lock);
	int r = end_send(end, &path->remote, packets, n);
	g_mutex_unlock(&end->pair->lock);
	return r;
}

static void pair_route(WiceBind *bind, const WiceEndpoint *remote, WiceBindPath *ret_path)
{
	*ret_path = (WiceBindPath){ .remote = *remote };
}

/* There is nothing that could see it. */
static int pair_set_fwmark(WiceBind *bind, uint32_t fwmark)
{
	return 0;
}

static void pair_counters(WiceBind *bind, WiceBindCounters *ret_counters)
{
	End *end = (End *)bind;
	g_mutex_lock(&end->pair->lock);
	*ret_counters = end->counters;
	g_mutex_unlock(&end->pair->lock);
}

static void pair_free(WiceBind *bind)
{
	Pair *pair = ((End *)bind)->pair;
	pair_close(bind);
	g_mutex_lock(&pair->lock);
	bool is_last = --pair->n_ends == 0;
	g_mutex_unlock(&pair->lock);
	if (!is_last)
		return;
	g_mutex_clear(&pair->lock);
	g_free(pair);
}

static const WiceBindOps pair_ops = {
	.name = "pair",
	.open = pair_open,
	.close = pair_close,
	.poll_fd = pair_poll_fd,
	.receive = pair_receive,
	.send = pair_send,
	.route = pair_route,
	.set_fwmark = pair_set_fwmark,
	.counters = pair_counters,
	.free = pair_free,
};

void wice_bind_pair_new(WiceBind **ret_a, WiceBind **ret_b)
{
	Pair *pair = g_new0(Pair, 1);
	g_mutex_init(&pair->lock);
	pair->n_ends = G_N_ELEMENTS(pair->ends);
	for (size_t i = 0; i < G_N_ELEMENTS(pair->ends); i++) {
		pair->ends[i].base.ops = &pair_ops;
		pair->ends[i].pair = pair;
		pair->ends[i].event_fd = -1;
		g_queue_init(&pair->ends[i].inbox);
		g_queue_init(&pair->ends[i].delivered);
	}
	*ret_a = &pair->ends[0].base;
	*ret_b = &pair->ends[1].base;
}
