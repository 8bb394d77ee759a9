/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/bind_udp.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "stun/relayed.h"

static const WiceBindOps udp_ops;

WiceBindUdp *wice__bind_udp(WiceBind *bind)
{
	return bind->ops == &udp_ops ? (WiceBindUdp *)bind : NULL;
}

static int add_to_epoll(int epoll_fd, int fd, uint32_t name)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = name };
	if (fd < 0)
		return 0;
	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int queue_init(WiceBindUdpQueue *queue)
{
	queue->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (queue->epoll_fd < 0)
		return -errno;
	queue->rest_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (queue->rest_fd < 0)
		return -errno;
	int r = wice__udp_receiver_new(WICE_BIND_UDP_BATCH, &queue->receiver);
	if (r == 0)
		r = add_to_epoll(queue->epoll_fd, queue->ipv4.fd, WICE_BIND_UDP_IPV4);
	if (r == 0)
		r = add_to_epoll(queue->epoll_fd, queue->ipv6.fd, WICE_BIND_UDP_IPV6);
	if (r == 0)
		r = add_to_epoll(queue->epoll_fd, queue->rest_fd, WICE_BIND_UDP_REST);
	return r;
}

static void queues_free(WiceBindUdpQueue *queues, unsigned n)
{
	wice__bind_udp_sockets_close(queues, n);
	for (unsigned i = 0; i < n; i++) {
		wice__udp_receiver_free(queues[i].receiver);
		if (queues[i].epoll_fd >= 0)
			close(queues[i].epoll_fd);
		if (queues[i].rest_fd >= 0)
			close(queues[i].rest_fd);
	}
	g_free(queues);
}

static int queues_new(const WiceBindUdp *bind, uint16_t port, uint32_t fwmark, unsigned n,
		      WiceBindUdpQueue **ret_queues, uint16_t *ret_port)
{
	uint16_t chosen;
	WiceBindUdpQueue *queues = g_new0(WiceBindUdpQueue, n);
	for (unsigned i = 0; i < n; i++)
		queues[i].epoll_fd = queues[i].rest_fd = -1;
	int r = wice__bind_udp_sockets_open(bind, port, fwmark, queues, n, &chosen);
	for (unsigned i = 0; i < n && r == 0; i++)
		r = queue_init(&queues[i]);
	if (r < 0) {
		queues_free(queues, n);
		return r;
	}
	*ret_queues = queues;
	*ret_port = chosen;
	return 0;
}

static int udp_open(WiceBind *base, uint16_t port, uint32_t fwmark, unsigned n_queues,
		    uint16_t *ret_port, unsigned *ret_n_queues)
{
	WiceBindUdp *bind = (WiceBindUdp *)base;
	unsigned n = CLAMP(n_queues, 1, WICE_BIND_UDP_MAX_QUEUES);
	WiceBindUdpQueue *queues = NULL;
	uint16_t chosen = 0;
	if (bind->queues)
		return -EALREADY;
	int r = queues_new(bind, port, fwmark, n, &queues, &chosen);
	if (r < 0)
		return r;
	r = wice__bind_udp_channels_set_mark(bind, fwmark);
	if (r < 0) {
		queues_free(queues, n);
		return r;
	}
	bind->queues = queues;
	bind->n_queues = n;
	wice__bind_udp_channels_start(bind);
	*ret_port = chosen;
	*ret_n_queues = n;
	return 0;
}

static void udp_close(WiceBind *base)
{
	WiceBindUdp *bind = (WiceBindUdp *)base;
	if (!bind->queues)
		return;
	wice__bind_udp_channels_stop(bind);
	queues_free(bind->queues, bind->n_queues);
	bind->queues = NULL;
	bind->n_queues = 0;
}

static int udp_poll_fd(WiceBind *base, unsigned queue)
{
	const WiceBindUdp *bind = (const WiceBindUdp *)base;
	return queue < bind->n_queues ? bind->queues[queue].epoll_fd : -1;
}

static int udp_set_fwmark(WiceBind *base, uint32_t fwmark)
{
	WiceBindUdp *bind = (WiceBindUdp *)base;
	int r = 0;
	for (unsigned i = 0; i < bind->n_queues && r == 0; i++) {
		const WiceBindUdpQueue *queue = &bind->queues[i];
		if (queue->ipv4.fd >= 0)
			r = wice__bind_udp_set_mark(queue->ipv4.fd, fwmark);
		if (r == 0 && queue->ipv6.fd >= 0)
			r = wice__bind_udp_set_mark(queue->ipv6.fd, fwmark);
	}
	return r < 0 ? r : wice__bind_udp_channels_set_mark(bind, fwmark);
}

static uint64_t load(_Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void udp_counters(WiceBind *base, WiceBindCounters *ret_counters)
{
	WiceBindUdp *bind = (WiceBindUdp *)base;
	*ret_counters = (WiceBindCounters){
		.rx_packets = load(&bind->rx_packets),
		.rx_calls = load(&bind->rx_calls),
		.tx_packets = load(&bind->tx_packets),
		.tx_calls = load(&bind->tx_calls),
		.tx_dropped = load(&bind->tx_dropped),
		.rx_truncated = load(&bind->rx_truncated),
		.gso_fallbacks = load(&bind->gso_fallbacks),
		.source_cleared = load(&bind->source_cleared),
	};
}

static void udp_free(WiceBind *base)
{
	WiceBindUdp *bind = (WiceBindUdp *)base;
	udp_close(base);
	wice__bind_udp_channels_done(bind);
	g_mutex_clear(&bind->foreign_lock);
	g_mutex_clear(&bind->lock);
	g_free(bind);
}

static const WiceBindOps udp_ops = {
	.name = "udp",
	.headroom = WICE_RELAYED_HEADER_LEN,
	.open = udp_open,
	.close = udp_close,
	.poll_fd = udp_poll_fd,
	.receive = wice__bind_udp_receive,
	.send = wice__bind_udp_send,
	.route = wice__bind_udp_route,
	.set_fwmark = udp_set_fwmark,
	.counters = udp_counters,
	.free = udp_free,
};

WiceBind *wice_bind_udp_new(const WiceBindUdpOptions *options)
{
	WiceBindUdp *bind = g_new0(WiceBindUdp, 1);
	bind->base.ops = &udp_ops;
	if (options)
		memcpy(&bind->options, options, MIN(options->size, sizeof bind->options));
	g_mutex_init(&bind->lock);
	g_mutex_init(&bind->foreign_lock);
	wice__bind_udp_channels_init(bind);
	return &bind->base;
}
