/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "engine/tun.h"

/*
 * A TUN without a device: packets wait in a bounded queue until the engine reads them; an eventfd is
 * readable while there are any.
 */
#define MAX_WAITING 1024

typedef struct {
	uint32_t length;
	uint8_t data[];
} Waiting;

typedef struct {
	WiceTun base;
	WiceEngineOutputFunc func;
	void *user_data;
	int fd;
	GMutex mutex;
	GQueue waiting; /* Waiting */
	_Atomic uint64_t rx_packets, tx_packets;
} CallbackTun;

static int callback_poll_fd(WiceTun *base, unsigned queue)
{
	return ((CallbackTun *)base)->fd;
}

static Waiting *take(CallbackTun *tun)
{
	Waiting *packet;
	eventfd_t count;

	g_mutex_lock(&tun->mutex);
	packet = g_queue_pop_head(&tun->waiting);
	if (!packet)
		eventfd_read(tun->fd, &count);
	g_mutex_unlock(&tun->mutex);
	return packet;
}

static int callback_read(WiceTun *base, unsigned queue, WicePacketArena *arena)
{
	CallbackTun *tun = (CallbackTun *)base;
	Waiting *packet;
	uint8_t *slot;

	if (arena->n == arena->n_slots)
		return -ENOBUFS;
	packet = take(tun);
	if (!packet)
		return -EAGAIN;
	tun->rx_packets++;
	if (packet->length <= wice__packet_arena_capacity(arena)) {
		slot = wice__packet_arena_slot(arena, arena->n);
		memcpy(slot, packet->data, packet->length);
		arena->packets[arena->n++] = (WicePacket){ slot, packet->length };
	}
	g_free(packet);
	return 0;
}

static void callback_write(WiceTun *base, unsigned queue, const WicePacket *packets, size_t n)
{
	CallbackTun *tun = (CallbackTun *)base;

	for (size_t i = 0; i < n; i++)
		tun->func(packets[i].data, packets[i].length, tun->user_data);
	tun->tx_packets += n;
}

static void callback_counters(WiceTun *base, WiceTunCounters *ret_counters)
{
	const CallbackTun *tun = (const CallbackTun *)base;
	uint64_t rx = tun->rx_packets, tx = tun->tx_packets;

	*ret_counters = (WiceTunCounters){
		.rx_packets = rx, .rx_frames = rx, .tx_packets = tx, .tx_frames = tx
	};
}

static void callback_free(WiceTun *base)
{
	CallbackTun *tun = (CallbackTun *)base;

	g_queue_clear_full(&tun->waiting, g_free);
	g_mutex_clear(&tun->mutex);
	close(tun->fd);
	g_free(tun);
}

static const WiceTunOps callback_ops = {
	.name = "callback",
	.poll_fd = callback_poll_fd,
	.read = callback_read,
	.write = callback_write,
	.counters = callback_counters,
	.free = callback_free,
};

WiceTun *wice__tun_callback_new(WiceEngineOutputFunc func, void *user_data)
{
	CallbackTun *tun = g_new0(CallbackTun, 1);

	tun->base.ops = &callback_ops;
	tun->base.n_queues = 1;
	tun->func = func;
	tun->user_data = user_data;
	tun->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	g_mutex_init(&tun->mutex);
	g_queue_init(&tun->waiting);
	return &tun->base;
}

int wice__tun_callback_inject(WiceTun *base, const uint8_t *data, size_t length)
{
	CallbackTun *tun = (CallbackTun *)base;
	WiceIpHeader header;
	Waiting *packet;
	bool full;

	if (length > WICE_PACKET_MAX)
		return -EMSGSIZE;
	if (!wice__ip_header(data, length, &header))
		return -EINVAL;
	packet = g_malloc(sizeof(*packet) + header.length);
	packet->length = header.length;
	memcpy(packet->data, data, header.length);
	g_mutex_lock(&tun->mutex);
	full = tun->waiting.length >= MAX_WAITING;
	if (!full) {
		g_queue_push_tail(&tun->waiting, packet);
		eventfd_write(tun->fd, 1);
	}
	g_mutex_unlock(&tun->mutex);
	if (full)
		g_free(packet);
	return full ? -ENOBUFS : 0;
}
