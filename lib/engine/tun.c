/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TUN devices of Linux. With IFF_VNET_HDR each frame has a virtio header before it, by which one
 * read or write carries many packets of a flow (engine/offload.h). What of this the kernel has is
 * found out by asking for it, most first; what it refuses later, when a joined frame is written, is
 * not tried again.
 */
#include "engine/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "engine/offload.h"

#define DEVICE "/dev/net/tun"
#define QUEUES_MAX 256 /* the kernel's limit */
/* Since Linux 6.2. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

G_STATIC_ASSERT(sizeof(WiceOffloadPiece) == sizeof(struct iovec));
G_STATIC_ASSERT(G_STRUCT_OFFSET(WiceOffloadPiece, data) == G_STRUCT_OFFSET(struct iovec, iov_base));
G_STATIC_ASSERT(G_STRUCT_OFFSET(WiceOffloadPiece, length) ==
		G_STRUCT_OFFSET(struct iovec, iov_len));

/* Each direction's numbers are counted by its thread and read by any. */
typedef struct {
	atomic_uint_fast64_t packets, frames, bad;
} Direction;

typedef struct {
	int fd;
	_Alignas(64) Direction rx;
	_Alignas(64) Direction tx;
	WiceOffloadJoin join;
} Queue;

typedef struct {
	WiceTun base;
	bool virtio; /* frames have a virtio header */
	atomic_bool tcp, udp;
	atomic_uint_fast64_t fallbacks;
	Queue *queues;
} LinuxTun;

/* There is one who counts: no locked instruction is needed. */
static void count(atomic_uint_fast64_t *counter, uint64_t n)
{
	uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);
	atomic_store_explicit(counter, value + n, memory_order_relaxed);
}

static uint64_t counted(atomic_uint_fast64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static int tun_poll_fd(WiceTun *base, unsigned queue)
{
	return ((LinuxTun *)base)->queues[queue].fd;
}

static int read_frame(const LinuxTun *tun, Queue *queue, WicePacketArena *arena)
{
	WiceOffloadPiece pieces[WICE_OFFLOAD_SPLIT_PIECES];
	size_t n = wice__offload_split_prepare(arena, pieces), skip = tun->virtio ? 0 : 1;
	size_t header = tun->virtio ? sizeof arena->virtio : 0;
	if (!tun->virtio)
		arena->virtio = (WiceVirtioHeader){ 0 };
	ssize_t got = readv(queue->fd, (struct iovec *)pieces + skip, (int)(n - skip));
	if (got < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	count(&queue->rx.frames, 1);
	if ((size_t)got < header ||
	    !wice__offload_split_take(arena, pieces, n, (size_t)got - header))
		count(&queue->rx.bad, 1);
	return 0;
}

static int tun_read(WiceTun *base, unsigned queue_number, WicePacketArena *arena)
{
	Queue *queue = &((LinuxTun *)base)->queues[queue_number];
	size_t before = arena->n;
	int r = 0;
	if (wice__offload_split_waits(arena) && arena->n < arena->n_slots)
		wice__offload_split_resume(arena);
	else if (!wice__offload_split_room(arena))
		return -ENOBUFS;
	else
		r = read_frame((LinuxTun *)base, queue, arena);
	count(&queue->rx.packets, arena->n - before);
	return r;
}

static bool write_packet(const LinuxTun *tun, const Queue *queue, const WicePacket *packet)
{
	WiceVirtioHeader header = { 0 };
	struct iovec pieces[] = { { &header, sizeof header }, { packet->data, packet->length } };
	return tun->virtio ? writev(queue->fd, pieces, 2) > 0
			   : write(queue->fd, packet->data, packet->length) > 0;
}

static void write_packets(const LinuxTun *tun, Queue *queue, const WicePacket *packets, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool ok = write_packet(tun, queue, &packets[i]);
		count(ok ? &queue->tx.packets : &queue->tx.bad, 1);
		count(&queue->tx.frames, ok);
	}
}

/* This kernel does not take such frames after all. */
static void fall_back(LinuxTun *tun, Queue *queue, const WiceOffloadFrame *frame)
{
	atomic_store(frame->protocol == WICE_PROTOCOL_TCP ? &tun->tcp : &tun->udp, false);
	atomic_fetch_add(&tun->fallbacks, 1);
	for (size_t i = frame->first, k = 0; k < frame->n; k++, i = queue->join.next[i])
		write_packets(tun, queue, &queue->join.packets[i], 1);
}

static void write_frame(LinuxTun *tun, Queue *queue, const WiceOffloadFrame *frame)
{
	uint8_t head[WICE_OFFLOAD_JOIN_HEAD];
	WiceOffloadPiece pieces[WICE_OFFLOAD_JOIN_PIECES];
	size_t n = wice__offload_join_pieces(&queue->join, frame, head, pieces);
	if (writev(queue->fd, (struct iovec *)pieces, (int)n) > 0) {
		count(&queue->tx.packets, frame->n);
		count(&queue->tx.frames, 1);
	} else if (errno == EINVAL && frame->n > 1) {
		fall_back(tun, queue, frame);
	} else {
		count(&queue->tx.bad, frame->n);
	}
}

static void tun_write(WiceTun *base, unsigned queue_number, const WicePacket *packets, size_t n)
{
	LinuxTun *tun = (LinuxTun *)base;
	Queue *queue = &tun->queues[queue_number];
	for (size_t part; n; packets += part, n -= part) {
		bool tcp = atomic_load_explicit(&tun->tcp, memory_order_relaxed);
		bool udp = atomic_load_explicit(&tun->udp, memory_order_relaxed);
		part = MIN(n, WICE_OFFLOAD_JOIN_MAX);
		if (part == 1 || !(tcp || udp)) {
			write_packets(tun, queue, packets, part);
			continue;
		}
		wice__offload_join(&queue->join, packets, part, tcp, udp);
		for (size_t i = 0; i < queue->join.n_frames; i++)
			write_frame(tun, queue, &queue->join.frames[i]);
	}
}

static void tun_counters(WiceTun *base, WiceTunCounters *ret_counters)
{
	LinuxTun *tun = (LinuxTun *)base;
	WiceTunCounters sum = {
		.gso_fallbacks = counted(&tun->fallbacks),
		.tcp_offload = atomic_load(&tun->tcp),
		.udp_offload = atomic_load(&tun->udp),
	};
	for (unsigned i = 0; i < base->n_queues; i++) {
		Queue *queue = &tun->queues[i];
		sum.rx_packets += counted(&queue->rx.packets);
		sum.rx_frames += counted(&queue->rx.frames);
		sum.rx_malformed += counted(&queue->rx.bad);
		sum.tx_packets += counted(&queue->tx.packets);
		sum.tx_frames += counted(&queue->tx.frames);
		sum.tx_dropped += counted(&queue->tx.bad);
	}
	*ret_counters = sum;
}

static void tun_free(WiceTun *base)
{
	LinuxTun *tun = (LinuxTun *)base;
	for (unsigned i = 0; i < base->n_queues; i++)
		if (tun->queues[i].fd >= 0)
			close(tun->queues[i].fd);
	g_aligned_free(tun->queues);
	g_free(tun);
}

static const WiceTunOps tun_ops = {
	.poll_fd = tun_poll_fd,
	.read = tun_read,
	.write = tun_write,
	.counters = tun_counters,
	.free = tun_free,
};

static LinuxTun *tun_alloc(unsigned n_queues)
{
	LinuxTun *tun = g_new0(LinuxTun, 1);
	tun->base = (WiceTun){ .ops = &tun_ops, .n_queues = n_queues };
	tun->queues = g_aligned_alloc0(n_queues, sizeof *tun->queues, _Alignof(Queue));
	for (unsigned i = 0; i < n_queues; i++)
		tun->queues[i].fd = -1;
	return tun;
}

/* A device with virtio headers: everything that the kernel has, or nothing. */
static int enable_offloads(LinuxTun *tun, bool no_offload)
{
	const unsigned tcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
	const unsigned udp = TUN_F_USO4 | TUN_F_USO6;
	const unsigned tries[] = { tcp | TUN_F_TSO_ECN | udp, tcp | TUN_F_TSO_ECN, tcp, 0 };
	int fd = tun->queues[0].fd, size = sizeof(WiceVirtioHeader);
	if (ioctl(fd, TUNSETVNETHDRSZ, &size) < 0)
		return -errno;
	for (size_t i = no_offload ? G_N_ELEMENTS(tries) - 1 : 0; i < G_N_ELEMENTS(tries); i++) {
		if (ioctl(fd, TUNSETOFFLOAD, (unsigned long)tries[i]) < 0)
			continue;
		tun->tcp = tries[i] & tcp;
		tun->udp = tries[i] & udp;
		return 0;
	}
	return -errno;
}

static int set_mtu(const char *name, uint32_t mtu)
{
	struct ifreq request = { .ifr_mtu = (int)mtu };
	g_strlcpy(request.ifr_name, name, sizeof request.ifr_name);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int r = ioctl(fd, SIOCSIFMTU, &request) < 0 ? -errno : 0;
	close(fd);
	return r;
}

/* The name in request is completed by the kernel with the first queue. */
static int open_queue(Queue *queue, struct ifreq *request)
{
	queue->fd = open(DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (queue->fd < 0)
		return errno == ENXIO || errno == ENODEV ? -ENOENT : -errno;
	return ioctl(queue->fd, TUNSETIFF, request) < 0 ? -errno : 0;
}

static int open_queues(LinuxTun *tun, struct ifreq *request)
{
	short flags = request->ifr_flags;
	request->ifr_flags |= IFF_TUN_EXCL;
	int r = open_queue(&tun->queues[0], request);
	for (unsigned i = 1; r == 0 && i < tun->base.n_queues; i++) {
		request->ifr_flags = flags;
		r = open_queue(&tun->queues[i], request);
	}
	return r;
}

int wice__tun_open(const WiceTunOptions *options, char ret_name[16], WiceTun **ret_tun)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	unsigned n_queues = MAX(options->n_queues, 1);
	const char *name = options->name ? options->name : "";
	if (n_queues > QUEUES_MAX || strlen(name) >= sizeof request.ifr_name)
		return -EINVAL;
	g_strlcpy(request.ifr_name, name, sizeof request.ifr_name);
	if (!options->no_offload)
		request.ifr_flags |= IFF_VNET_HDR;
	if (n_queues > 1)
		request.ifr_flags |= IFF_MULTI_QUEUE;

	LinuxTun *tun = tun_alloc(n_queues);
	tun->virtio = !options->no_offload;
	int r = open_queues(tun, &request);
	if (r == 0 && tun->virtio)
		r = enable_offloads(tun, false);
	if (r == 0 && options->mtu)
		r = set_mtu(request.ifr_name, options->mtu);
	if (r < 0) {
		tun_free(&tun->base);
		return r;
	}
	g_strlcpy(ret_name, request.ifr_name, 16);
	*ret_tun = &tun->base;
	return 0;
}

int wice__tun_adopt(int fd, bool no_offload, char ret_name[16], WiceTun **ret_tun)
{
	struct ifreq request = { 0 };
	int flags = fcntl(fd, F_GETFL);
	if (ioctl(fd, TUNGETIFF, &request) < 0 || flags < 0)
		return -errno;
	if (!(request.ifr_flags & IFF_TUN))
		return -EINVAL;
	if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;

	LinuxTun *tun = tun_alloc(1);
	tun->queues[0].fd = fd;
	tun->virtio = request.ifr_flags & IFF_VNET_HDR;
	int r = tun->virtio ? enable_offloads(tun, no_offload) : 0;
	if (r < 0) {
		tun->queues[0].fd = -1;
		tun_free(&tun->base);
		return r;
	}
	g_strlcpy(ret_name, request.ifr_name, 16);
	*ret_tun = &tun->base;
	return 0;
}
