/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/tun.h"

#include <errno.h>
#include <glib.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define WAITING_MAX 1024

typedef struct {
	uint32_t length;
	uint8_t data[];
} Waiting;

typedef struct {
	WiceTun base;
	WiceEngineOutputFunc func;
	void *user_data;
	int event; /* readable while something waits */
	GMutex lock;
	GQueue waiting;
	uint64_t rx_packets, rx_malformed;
	atomic_uint_fast64_t tx_packets;
} CallbackTun;

static int callback_poll_fd(WiceTun *base, unsigned queue)
{
	return ((CallbackTun *)base)->event;
}

/* The event is written when the queue gets its first packet, and read with its last. */
static Waiting *take(CallbackTun *tun)
{
	eventfd_t signals;
	Waiting *waiting = g_queue_pop_head(&tun->waiting);
	if (waiting && g_queue_is_empty(&tun->waiting))
		eventfd_read(tun->event, &signals);
	return waiting;
}

static int callback_read(WiceTun *base, unsigned queue, WicePacketArena *arena)
{
	CallbackTun *tun = (CallbackTun *)base;
	if (arena->n == arena->n_slots)
		return -ENOBUFS;
	g_mutex_lock(&tun->lock);
	Waiting *waiting = take(tun);
	bool fits = waiting && waiting->length <= wice__packet_arena_capacity(arena);
	tun->rx_packets += fits;
	tun->rx_malformed += waiting && !fits;
	g_mutex_unlock(&tun->lock);
	if (!waiting)
		return -EAGAIN;
	if (fits) {
		uint8_t *data = wice__packet_arena_slot(arena, arena->n);
		memcpy(data, waiting->data, waiting->length);
		arena->packets[arena->n++] = (WicePacket){ data, waiting->length };
	}
	g_free(waiting);
	return 0;
}

static void callback_write(WiceTun *base, unsigned queue, const WicePacket *packets, size_t n)
{
	CallbackTun *tun = (CallbackTun *)base;
	for (size_t i = 0; i < n; i++)
		tun->func(packets[i].data, packets[i].length, tun->user_data);
	atomic_fetch_add(&tun->tx_packets, n);
}

static void callback_counters(WiceTun *base, WiceTunCounters *ret_counters)
{
	CallbackTun *tun = (CallbackTun *)base;
	uint64_t sent = atomic_load(&tun->tx_packets);
	g_mutex_lock(&tun->lock);
	*ret_counters = (WiceTunCounters){
		.rx_packets = tun->rx_packets,
		.rx_frames = tun->rx_packets + tun->rx_malformed,
		.rx_malformed = tun->rx_malformed,
		.tx_packets = sent,
		.tx_frames = sent,
	};
	g_mutex_unlock(&tun->lock);
}

static void callback_free(WiceTun *base)
{
	CallbackTun *tun = (CallbackTun *)base;
	g_queue_clear_full(&tun->waiting, g_free);
	g_mutex_clear(&tun->lock);
	close(tun->event);
	g_free(tun);
}

static const WiceTunOps callback_ops = {
	.poll_fd = callback_poll_fd,
	.read = callback_read,
	.write = callback_write,
	.counters = callback_counters,
	.free = callback_free,
};

WiceTun *wice__tun_callback_new(WiceEngineOutputFunc func, void *user_data)
{
	int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (event < 0)
		return NULL;
	CallbackTun *tun = g_new0(CallbackTun, 1);
	tun->base = (WiceTun){ .ops = &callback_ops, .n_queues = 1 };
	tun->func = func;
	tun->user_data = user_data;
	tun->event = event;
	g_mutex_init(&tun->lock);
	g_queue_init(&tun->waiting);
	return &tun->base;
}

int wice__tun_callback_inject(WiceTun *base, const uint8_t *packet, size_t length)
{
	CallbackTun *tun = (CallbackTun *)base;
	WiceIpHeader ip;
	if (length > WICE_PACKET_MAX)
		return -EMSGSIZE;
	if (!wice__ip_header(packet, length, &ip))
		return -EINVAL;
	Waiting *waiting = g_malloc(sizeof *waiting + ip.length);
	waiting->length = ip.length;
	memcpy(waiting->data, packet, ip.length);

	g_mutex_lock(&tun->lock);
	unsigned n = g_queue_get_length(&tun->waiting);
	if (n < WAITING_MAX)
		g_queue_push_tail(&tun->waiting, waiting);
	if (n == 0)
		eventfd_write(tun->event, 1);
	g_mutex_unlock(&tun->lock);
	if (n < WAITING_MAX)
		return 0;
	g_free(waiting);
	return -ENOBUFS;
}
