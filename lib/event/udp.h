/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_EVENT_UDP_H
#define WICE_EVENT_UDP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <wice/addr.h>

/* Receives and sends UDP packets many at a time. Allocates nothing per packet and never blocks. */

/* Messages per call of the system, at most. */
#define WICE_UDP_BATCH 64
/* Behind each received message there is room for its owner to make it grow by this. */
#define WICE_UDP_TAILROOM 1472
/* The largest payload over IPv4. */
#define WICE_UDP_MAX_PAYLOAD 65507

/* One packet, or several back to back: all of segment bytes, the last one of up to that many. */
typedef struct {
	const uint8_t *data;
	size_t len;
	size_t segment; /* len if it is one packet */
} WiceUdpChunk;

static inline size_t wice__udp_chunk_packets(const WiceUdpChunk *chunk)
{
	return chunk->len <= chunk->segment ? 1
					    : (chunk->len + chunk->segment - 1) / chunk->segment;
}

typedef struct {
	WiceUdpChunk chunk; /* in the receiver's memory, which its owner may write to */
	const struct sockaddr *from;
	socklen_t from_len;
	/* Where it was sent to, after wice__udp_tell_local(). Else none. */
	WiceAddress local;
	uint32_t ifindex;
} WiceUdpReceived;

/* The buffers for one batch. They can be used for any number of sockets, one after the other. */
typedef struct WiceUdpReceiver WiceUdpReceiver;

/* For batches of up to n messages, at most WICE_UDP_BATCH. 64 KiB each, taken when first needed. */
int wice__udp_receiver_new(unsigned n, WiceUdpReceiver **ret_receiver);
/* NULL is fine. */
void wice__udp_receiver_free(WiceUdpReceiver *receiver);
/*
 * How many of at most n messages there were, or -errno; -EAGAIN when there are none. What an ICMP
 * error has left at the socket is passed over.
 */
int wice__udp_receive(WiceUdpReceiver *receiver, int fd, unsigned n);
/*
 * The same behind what was received since wice__udp_receiver_clear(), and stays: the first of the
 * new ones is the *ret_first-th. -ENOBUFS: there is no room.
 */
void wice__udp_receiver_clear(WiceUdpReceiver *receiver);
int wice__udp_receive_more(WiceUdpReceiver *receiver, int fd, unsigned n, unsigned *ret_first);
/* The i-th of them, valid until the next wice__udp_receive(); false if it was cut off. */
bool wice__udp_received(const WiceUdpReceiver *receiver, int i, WiceUdpReceived *ret_received);

/* What is known about sending from a socket. Several threads may send at once. */
typedef struct {
	int fd;
	bool one_path; /* what does not fit is remembered: all goes the same way */
	/* UDP_SEGMENT is used for packets of up to this size; 0: never. */
	_Atomic size_t max_segment;
} WiceUdpSender;

typedef struct {
	const struct sockaddr *to;
	socklen_t to_len;
	WiceAddress local; /* the source address; none: the system chooses */
	uint32_t ifindex;  /* the interface that local is on; 0: any */
	bool sticky;       /* local and ifindex are cleared if the system refuses them */
} WiceUdpRoute;

typedef struct {
	uint64_t packets, bytes, dropped;
	uint64_t calls;         /* of the system */
	uint64_t gso_fallbacks; /* how often the kernel refused UDP_SEGMENT */
	int error;              /* why the last one that was dropped was */
} WiceUdpSent;

/* segmentation: use UDP_SEGMENT, if the kernel knows it. */
void wice__udp_sender_init(WiceUdpSender *sender, int fd, bool segmentation, bool one_path);
/* Sends all or drops what the kernel does not take. Adds to sent. */
void wice__udp_send(WiceUdpSender *sender, WiceUdpRoute *route, const WiceUdpChunk *chunks,
		    size_t n, WiceUdpSent *sent);

/* A packet in parts, so that something can be put before and behind what was received. */
#define WICE_UDP_MAX_PARTS 3
typedef struct {
	WiceUdpRoute *route; /* the same pointer for all that go the same way */
	struct iovec parts[WICE_UDP_MAX_PARTS];
	unsigned n_parts;
} WiceUdpPacket;

/* The same for packets in parts, each on a way of its own. */
void wice__udp_send_packets(WiceUdpSender *sender, const WiceUdpPacket *const *packets, size_t n,
			    WiceUdpSent *sent);

/* One packet, now or not at all. -errno; -EINVAL: that is no endpoint. */
int wice__udp_send_to(int fd, const WiceEndpoint *remote, const uint8_t *packet, size_t len);

/* Asks for 7 MiB each, or as much as the system allows. */
void wice__udp_set_buffers(int fd);
/* False if the kernel does not know UDP_GRO well enough. */
bool wice__udp_set_gro(int fd, bool on);
/* Each received message tells at which address and interface it came in. */
int wice__udp_tell_local(int fd, WiceFamily family);
/*
 * As the kernel's WireGuard sends: packets that are too large for the path may be fragmented on it.
 */
void wice__udp_permit_fragments(int fd, WiceFamily family);

#endif
