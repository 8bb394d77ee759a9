/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/mman.h>

#include "event/udp.h"

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

/*
 * A received message can have 64 KiB. The slots are spaced a bit wider: at a power of two, the
 * beginnings of all packets would compete for the same few lines of the processor's caches.
 */
#define SLOT_LEN 65536
#define SLOT_STRIDE (SLOT_LEN + WICE_UDP_TAILROOM)

/* Errors in a row that are passed over before somebody else gets a turn. */
#define MAX_ERRORS 8

/* Room for some more than we ask for: a socket that was made elsewhere may have other options on. */
typedef union {
	size_t align;
	char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int)) + 64];
} Control;

typedef struct {
	struct iovec vector;
	struct sockaddr_storage from;
	Control control;
} Slot;

struct WiceUdpReceiver {
	uint8_t *arena;
	size_t arena_len;
	unsigned n;
	unsigned used; /* slots that the last call has written to */
	struct mmsghdr messages[WICE_UDP_BATCH];
	Slot slots[];
};

static void reset_slot(WiceUdpReceiver *receiver, unsigned i)
{
	struct msghdr *header = &receiver->messages[i].msg_hdr;
	header->msg_name = &receiver->slots[i].from;
	header->msg_namelen = sizeof receiver->slots[i].from;
	header->msg_control = receiver->slots[i].control.bytes;
	header->msg_controllen = sizeof receiver->slots[i].control.bytes;
}

int wice__udp_receiver_new(unsigned n, WiceUdpReceiver **ret_receiver)
{
	/*
	 * Pages are taken when packets first need them: with packets of 1500 bytes, two per slot.
	 */
	size_t len = (size_t)SLOT_STRIDE * n;
	void *arena = mmap(NULL, len, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (arena == MAP_FAILED)
		return -errno;
	WiceUdpReceiver *receiver = g_malloc0(sizeof *receiver + n * sizeof receiver->slots[0]);
	receiver->arena = arena;
	receiver->arena_len = len;
	receiver->n = n;
	for (unsigned i = 0; i < n; i++) {
		receiver->slots[i].vector.iov_base = receiver->arena + (size_t)i * SLOT_STRIDE;
		receiver->slots[i].vector.iov_len = SLOT_LEN;
		receiver->messages[i].msg_hdr.msg_iov = &receiver->slots[i].vector;
		receiver->messages[i].msg_hdr.msg_iovlen = 1;
		reset_slot(receiver, i);
	}
	*ret_receiver = receiver;
	return 0;
}

void wice__udp_receiver_free(WiceUdpReceiver *receiver)
{
	if (!receiver)
		return;
	munmap(receiver->arena, receiver->arena_len);
	g_free(receiver);
}

/*
 * True if it is about the socket itself. All others are about packets that it has sent; reporting
 * one has cleared it.
 */
static bool is_lasting(int error)
{
	return error == EBADF || error == ENOTSOCK || error == EFAULT || error == EINVAL;
}

void wice__udp_receiver_clear(WiceUdpReceiver *receiver)
{
	for (unsigned i = 0; i < receiver->used; i++)
		reset_slot(receiver, i);
	receiver->used = 0;
}

int wice__udp_receive_more(WiceUdpReceiver *receiver, int fd, unsigned n, unsigned *ret_first)
{
	unsigned first = receiver->used;
	if (first == receiver->n)
		return -ENOBUFS;
	for (int errors = 0; errors < MAX_ERRORS; errors++) {
		int got = recvmmsg(fd, receiver->messages + first, MIN(n, receiver->n - first),
				   MSG_DONTWAIT, NULL);
		if (got >= 0) {
			receiver->used += (unsigned)got;
			*ret_first = first;
			return got;
		}
		if (errno == EAGAIN || is_lasting(errno))
			return -errno;
	}
	return -EAGAIN;
}

int wice__udp_receive(WiceUdpReceiver *receiver, int fd, unsigned n)
{
	unsigned first;
	wice__udp_receiver_clear(receiver);
	return wice__udp_receive_more(receiver, fd, n, &first);
}

static void read_control(const struct cmsghdr *c, WiceUdpReceived *received)
{
	if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) {
		int segment;
		memcpy(&segment, CMSG_DATA(c), sizeof segment);
		if (segment > 0)
			received->chunk.segment = MIN((size_t)segment, received->chunk.len);
	} else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		struct in_pktinfo info;
		memcpy(&info, CMSG_DATA(c), sizeof info);
		if (info.ipi_spec_dst.s_addr == INADDR_ANY)
			return;
		received->local.family = WICE_FAMILY_IPV4;
		memcpy(received->local.bytes, &info.ipi_spec_dst, 4);
		received->ifindex = (uint32_t)info.ipi_ifindex;
	} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
		struct in6_pktinfo info;
		memcpy(&info, CMSG_DATA(c), sizeof info);
		if (IN6_IS_ADDR_UNSPECIFIED(&info.ipi6_addr) ||
		    IN6_IS_ADDR_MULTICAST(&info.ipi6_addr))
			return;
		received->local.family = WICE_FAMILY_IPV6;
		memcpy(received->local.bytes, &info.ipi6_addr, 16);
		received->ifindex = (uint32_t)info.ipi6_ifindex;
	}
}

bool wice__udp_received(const WiceUdpReceiver *receiver, int i, WiceUdpReceived *ret_received)
{
	const struct mmsghdr *message = &receiver->messages[i];
	if (message->msg_hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		return false;
	WiceUdpReceived received = {
		.chunk = { receiver->slots[i].vector.iov_base, message->msg_len, message->msg_len },
		.from = (const struct sockaddr *)&receiver->slots[i].from,
		.from_len = message->msg_hdr.msg_namelen,
	};
	struct msghdr *header = (struct msghdr *)&message->msg_hdr;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c))
		read_control(c, &received);
	*ret_received = received;
	return true;
}
