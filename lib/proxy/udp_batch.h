/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_PROXY_UDP_BATCH_H
#define WICE_PROXY_UDP_BATCH_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Receives and sends UDP packets many at a time. Allocates nothing per packet and never blocks. */

#define WICE_UDP_BATCH 64

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
	WiceUdpChunk chunk;
	const struct sockaddr *from;
	socklen_t from_len;
	struct in_addr to; /* IPv4 with IP_PKTINFO set, else 0.0.0.0 */
} WiceUdpReceived;

/* The buffers for one batch. They can be used for any number of sockets, one after the other. */
typedef struct WiceUdpReceiver WiceUdpReceiver;

int wice__udp_receiver_new(WiceUdpReceiver **ret_receiver);
void wice__udp_receiver_free(WiceUdpReceiver *receiver);
/*
 * How many of at most WICE_UDP_BATCH messages there were, or -errno; -EAGAIN when there are none.
 */
int wice__udp_receive(WiceUdpReceiver *receiver, int fd);
/*
 * The i-th of them, valid until the next wice__udp_receive(); false if it is empty or was cut off.
 */
bool wice__udp_received(const WiceUdpReceiver *receiver, int i, WiceUdpReceived *ret_received);

/* What is known about sending from a socket. */
typedef struct {
	int fd;
	size_t max_segment;     /* UDP_SEGMENT is used for packets of up to this size; 0: never */
	uint64_t gso_fallbacks; /* how often the kernel refused it */
} WiceUdpSender;

typedef struct {
	const struct sockaddr *to;
	socklen_t to_len;
	struct in_addr from; /* IPv4 source address, or 0.0.0.0 for the socket's own */
} WiceUdpRoute;

typedef struct {
	uint64_t packets, bytes, dropped;
} WiceUdpSent;

void wice__udp_sender_init(WiceUdpSender *sender, int fd);
/* Sends all or drops what the kernel does not take. Adds to sent. */
void wice__udp_send(WiceUdpSender *sender, const WiceUdpRoute *route, const WiceUdpChunk *chunks,
		    size_t n, WiceUdpSent *sent);

/* Asks for 7 MiB each, or as much as the system allows. */
void wice__udp_set_buffers(int fd);
/* False if the kernel does not know UDP_GRO. */
bool wice__udp_set_gro(int fd, bool on);

#endif
