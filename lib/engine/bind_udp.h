/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_ENGINE_BIND_UDP_H
#define WICE_ENGINE_BIND_UDP_H

/*
 * What the files of the UDP bind share:
 *
 *	bind_udp.c          the object, opening and closing
 *	bind_udp_socket.c   the sockets of a port
 *	bind_udp_send.c     packets to the system
 *	bind_udp_receive.c  packets from it
 *	bind_udp_channel.c  sockets that were added, routes to them
 *	bind_udp_relayed.c  peers behind relays, over such sockets
 *	bind_udp_sort.c     what comes in there: WireGuard's, of relays, foreign
 *
 * The sockets of the port and all that a queue has change in open() and close() only, which nobody
 * else runs beside: they need no lock. Channels, routes and marks change at any time: they are
 * under the bind's lock, which is held for a look, never for a call that may take time. A channel
 * is kept by a reference while it is used.
 */
#include <stdatomic.h>
#include <wice/bind.h>

#include "event/udp.h"

/* 64 KiB of memory for each. */
#define WICE_BIND_UDP_BATCH 16
#define WICE_BIND_UDP_MAX_QUEUES 64
#define WICE_BIND_UDP_MAX_CHANNELS 65535

/* A socket of a queue, as its epoll descriptor names it: of the port, or a channel's number. */
#define WICE_BIND_UDP_IPV4 UINT32_C(0)
#define WICE_BIND_UDP_IPV6 UINT32_MAX
/* Not a socket: readable while a batch has a rest. */
#define WICE_BIND_UDP_REST (UINT32_MAX - 1)

/* What has been received from a channel: a message may be several datagrams. */
typedef struct {
	int n, next; /* messages, and the first that has something left */
	size_t at;   /* how much of that one is done */
	uint32_t channel;
} WiceBindUdpBatch;

typedef struct {
	WiceUdpSender ipv4, ipv6; /* fd -1: the system has no such addresses */
	int epoll_fd;             /* has the sockets that this queue receives from */
	WiceUdpReceiver *receiver;
	/* What receive() remembers, see there. */
	uint32_t hot;
	bool is_hot, drained;
	unsigned streak;
	WiceBindUdpBatch batch;
	int rest_fd; /* an event */
	bool has_rest;
} WiceBindUdpQueue;

typedef struct WiceBindUdpChannel WiceBindUdpChannel;
struct WiceBindUdpChannel {
	gatomicrefcount refs;
	uint32_t number;
	WiceBindUdpChannel *carrier; /* NULL: has a socket itself */

	/* With a socket: */
	bool is_ipv6; /* its addresses are, IPv4 ones are mapped */
	WiceUdpSender sender;
	GHashTable *relayed; /* relay's channel -> the newest; NULL: has carried none */

	/* With a carrier, on which it holds a reference: */
	WiceEndpoint server, remote;
	uint16_t relay_channel;
	bool in_place;
	WiceBindUdpChannel *former; /* that has the same channel of the relay */
};

typedef struct {
	WiceBind base;
	WiceBindUdpOptions options;
	WiceBindUdpQueue *queues; /* NULL: not open */
	unsigned n_queues;

	GMutex lock; /* of what follows */
	uint32_t fwmark;
	bool is_open;         /* channels are received from */
	GHashTable *channels; /* number -> WiceBindUdpChannel */
	GHashTable *routes;   /* WiceEndpoint -> number */
	uint32_t last_channel;

	GMutex foreign_lock; /* held while foreign runs */
	WiceBindForeignFunc foreign;
	void *foreign_data;

	_Atomic uint64_t rx_packets, rx_calls, rx_truncated;
	_Atomic uint64_t tx_packets, tx_calls, tx_dropped, gso_fallbacks, source_cleared;
} WiceBindUdp;

static inline void wice__bind_udp_count(_Atomic uint64_t *counter, uint64_t n)
{
	if (n > 0)
		atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/* The UDP bind that this is, or NULL. */
WiceBindUdp *wice__bind_udp(WiceBind *bind);

/* Hooks. */
int wice__bind_udp_send(WiceBind *bind, WiceBindPath *path, const WiceBindPacket *packets,
			size_t n);
int wice__bind_udp_receive(WiceBind *bind, unsigned queue, WiceBindDatagram *datagrams, size_t n);
void wice__bind_udp_route(WiceBind *bind, const WiceEndpoint *remote, WiceBindPath *ret_path);

/*
 * Opens the sockets of all queues, IPv4 and IPv6, on one port; 0: any that is free for both. Errors
 * are open()'s; nothing is open then.
 */
int wice__bind_udp_sockets_open(const WiceBindUdp *bind, uint16_t port, uint32_t fwmark,
				WiceBindUdpQueue *queues, unsigned n, uint16_t *ret_port);
void wice__bind_udp_sockets_close(WiceBindUdpQueue *queues, unsigned n);
/* 0 or -errno. */
int wice__bind_udp_set_mark(int fd, uint32_t fwmark);

/* A new reference, or NULL: no longer there. */
WiceBindUdpChannel *wice__bind_udp_channel_get(WiceBindUdp *bind, uint32_t number);
void wice__bind_udp_channel_unref(WiceBindUdpChannel *channel);
/* Tables of channels and routes. */
void wice__bind_udp_channels_init(WiceBindUdp *bind);
void wice__bind_udp_channels_done(WiceBindUdp *bind);
/* Channels are received from, or no longer. The queues are there in both cases. */
void wice__bind_udp_channels_start(WiceBindUdp *bind);
void wice__bind_udp_channels_stop(WiceBindUdp *bind);
/* Receives from it no more: it is broken. */
void wice__bind_udp_channel_ignore(WiceBindUdp *bind, const WiceBindUdpChannel *channel);
/* Marks all of them. 0 or -errno. */
int wice__bind_udp_channels_set_mark(WiceBindUdp *bind, uint32_t fwmark);
/* Enters a new one into the table, under the lock. 0 or -errno. */
int wice__bind_udp_channel_enter(WiceBindUdp *bind, WiceBindUdpChannel *channel);

/* The one that receives what the relay sends for its channel, a new reference; or NULL. */
WiceBindUdpChannel *wice__bind_udp_relayed_get(WiceBindUdp *bind, const WiceBindUdpChannel *carrier,
					       uint16_t relay_channel);
/* Its carrier's table no longer has it. Under the lock. */
void wice__bind_udp_relayed_leave(const WiceBindUdpChannel *channel);

/*
 * Sorts what came in a channel as one message, from *at on, which it moves to where n datagrams
 * were not enough. Returns their number. Hands what is not WireGuard's to the foreign function.
 */
size_t wice__bind_udp_sort(WiceBindUdp *bind, WiceBindUdpChannel *channel,
			   const WiceBindDatagram *message, size_t *at, WiceBindDatagram *datagrams,
			   size_t n);

#endif
