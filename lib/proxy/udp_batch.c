/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Per packet, the trip through the kernel's UDP stack costs far more than the system call or the
 * copy. So packets of equal size to one destination ("a run") are handed over as one message with
 * UDP_SEGMENT, which makes the trip once and is cut apart as late as possible: by the network card,
 * or when it is queued to a receiver on this host that has not asked for UDP_GRO. The receiver sees
 * ordinary packets in either case.
 *
 * A kernel, driver or route may refuse it: EIO without checksum offload, EINVAL or EMSGSIZE when a
 * packet exceeds the MTU (alone it would be fragmented). The run is then sent packet by packet, and
 * the socket remembers.
 */
#include "proxy/udp_batch.h"

#include <errno.h>
#include <glib.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/mman.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

/* UDP_MAX_SEGMENTS of kernels before 6.9. */
#define MAX_SEGMENTS 64
/* Payload of the largest message, with room for any IPv6 extension header. */
#define MAX_RUN_BYTES 65000
/* Below this, fragmentation cannot be why the kernel refuses. RFC 791 section 3.1. */
#define MIN_MTU_PAYLOAD 500
#define SOCKET_BUFFER (7 << 20)

/*
 * A received message can have 64 KiB. The slots are spaced a bit wider: at a power of two, the
 * beginnings of all packets would compete for the same few lines of the processor's caches.
 */
#define SLOT_LEN 65536
#define SLOT_STRIDE (SLOT_LEN + 1472)

typedef union {
	size_t align;
	char bytes[CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(int))];
} Control;

struct WiceUdpReceiver {
	uint8_t *arena;
	int used; /* slots that the last call has written to */
	struct mmsghdr messages[WICE_UDP_BATCH];
	struct iovec vectors[WICE_UDP_BATCH];
	struct sockaddr_storage from[WICE_UDP_BATCH];
	Control control[WICE_UDP_BATCH];
};

static void reset_slot(WiceUdpReceiver *receiver, int i)
{
	struct msghdr *header = &receiver->messages[i].msg_hdr;
	header->msg_name = &receiver->from[i];
	header->msg_namelen = sizeof receiver->from[i];
	header->msg_control = receiver->control[i].bytes;
	header->msg_controllen = sizeof receiver->control[i].bytes;
}

int wice__udp_receiver_new(WiceUdpReceiver **ret_receiver)
{
	/*
	 * Pages are taken when packets first need them: with packets of 1500 bytes, two per slot.
	 */
	void *arena = mmap(NULL, (size_t)SLOT_STRIDE * WICE_UDP_BATCH, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (arena == MAP_FAILED)
		return -errno;
	WiceUdpReceiver *receiver = g_new0(WiceUdpReceiver, 1);
	receiver->arena = arena;
	for (int i = 0; i < WICE_UDP_BATCH; i++) {
		receiver->vectors[i].iov_base = receiver->arena + (size_t)i * SLOT_STRIDE;
		receiver->vectors[i].iov_len = SLOT_LEN;
		receiver->messages[i].msg_hdr.msg_iov = &receiver->vectors[i];
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
	munmap(receiver->arena, (size_t)SLOT_STRIDE * WICE_UDP_BATCH);
	g_free(receiver);
}

int wice__udp_receive(WiceUdpReceiver *receiver, int fd)
{
	for (int i = 0; i < receiver->used; i++)
		reset_slot(receiver, i);
	receiver->used = 0;
	int n;
	do {
		n = recvmmsg(fd, receiver->messages, WICE_UDP_BATCH, MSG_DONTWAIT, NULL);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	receiver->used = n;
	return n;
}

bool wice__udp_received(const WiceUdpReceiver *receiver, int i, WiceUdpReceived *ret_received)
{
	const struct mmsghdr *message = &receiver->messages[i];
	if (message->msg_len == 0 || (message->msg_hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return false;
	WiceUdpReceived received = {
		.chunk = { receiver->vectors[i].iov_base, message->msg_len, message->msg_len },
		.from = (const struct sockaddr *)&receiver->from[i],
		.from_len = message->msg_hdr.msg_namelen,
	};
	struct msghdr *header = (struct msghdr *)&message->msg_hdr;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) {
			int segment;
			memcpy(&segment, CMSG_DATA(c), sizeof segment);
			if (segment > 0)
				received.chunk.segment = MIN((size_t)segment, message->msg_len);
		} else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;
			memcpy(&info, CMSG_DATA(c), sizeof info);
			received.to = info.ipi_addr;
		}
	}
	*ret_received = received;
	return true;
}

typedef struct {
	struct iovec *vectors;
	size_t n_vectors;
	size_t segment, packets, bytes;
	bool closed; /* its last packet is shorter, so nothing can follow */
} Run;

/*
 * Messages about to be sent. Only what is used is ever written to: it is too large to be cleared.
 */
typedef struct {
	WiceUdpSender *sender;
	const WiceUdpRoute *route;
	WiceUdpSent *sent;
	unsigned n;
	unsigned n_vectors;
	Run runs[WICE_UDP_BATCH];
	struct mmsghdr messages[WICE_UDP_BATCH];
	struct iovec vectors[WICE_UDP_BATCH];
	Control control[WICE_UDP_BATCH];
} Outbox;

static void *put_control(struct msghdr *header, void *at, int level, int type, const void *data,
			 size_t len)
{
	struct cmsghdr *c = at;
	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), data, len);
	header->msg_controllen += CMSG_SPACE(len);
	return (char *)at + CMSG_SPACE(len);
}

static void fill_header(const WiceUdpRoute *route, const Run *run, Control *control,
			struct msghdr *header)
{
	*header = (struct msghdr){
		.msg_name = (void *)route->to,
		.msg_namelen = route->to_len,
		.msg_iov = run->vectors,
		.msg_iovlen = run->n_vectors,
		.msg_control = control->bytes,
	};
	void *at = control->bytes;
	if (route->from.s_addr) {
		struct in_pktinfo info = { .ipi_spec_dst = route->from };
		at = put_control(header, at, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
	}
	if (run->packets > 1) {
		uint16_t segment = (uint16_t)run->segment;
		put_control(header, at, SOL_UDP, UDP_SEGMENT, &segment, sizeof segment);
	}
}

static void count_run(const Run *run, WiceUdpSent *sent)
{
	sent->packets += run->packets;
	sent->bytes += run->bytes;
}

/* True if this errno may come from UDP_SEGMENT rather than from the packets themselves. */
static bool is_gso_error(int error)
{
	return error == EIO || error == EINVAL || error == EMSGSIZE || error == EOPNOTSUPP;
}

static void send_one_by_one(Outbox *outbox, const Run *run)
{
	Control control;
	for (size_t i = 0; i < run->n_vectors; i++) {
		uint8_t *data = run->vectors[i].iov_base;
		for (size_t rest = run->vectors[i].iov_len; rest > 0;) {
			size_t len = MIN(rest, run->segment);
			struct iovec vector = { data, len };
			Run single = { &vector, 1, len, 1, len, true };
			struct msghdr header;
			fill_header(outbox->route, &single, &control, &header);
			if (sendmsg(outbox->sender->fd, &header, MSG_DONTWAIT) < 0)
				outbox->sent->dropped++;
			else
				count_run(&single, outbox->sent);
			data += len;
			rest -= len;
		}
	}
}

static void learn_gso_error(WiceUdpSender *sender, size_t segment, int error)
{
	sender->gso_fallbacks++;
	if (error == EIO || error == EOPNOTSUPP || segment <= MIN_MTU_PAYLOAD)
		sender->max_segment = 0;
	else
		sender->max_segment = MIN(sender->max_segment, segment - 1);
}

static void drop_runs(const Outbox *outbox, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		outbox->sent->dropped += outbox->runs[i].packets;
}

/* Handles that message i could not be sent. Returns the message to go on with. */
static unsigned after_error(Outbox *outbox, unsigned i, int error, bool *retried)
{
	if (error == EINTR)
		return i;
	if (error == EAGAIN || error == ENOBUFS || error == ENOMEM) {
		/*
		 * Like a full queue of a network card. Holding them back would only make them late.
		 */
		drop_runs(outbox, i, outbox->n);
		return outbox->n;
	}
	if (outbox->runs[i].packets > 1 && is_gso_error(error)) {
		learn_gso_error(outbox->sender, outbox->runs[i].segment, error);
		send_one_by_one(outbox, &outbox->runs[i]);
		return i + 1;
	}
	/*
	 * It may have been the error (ICMP) that an earlier packet has caused: reporting it has
	 * cleared it.
	 */
	if (!*retried) {
		*retried = true;
		return i;
	}
	*retried = false;
	drop_runs(outbox, i, i + 1);
	return i + 1;
}

static void flush(Outbox *outbox)
{
	for (unsigned i = 0; i < outbox->n; i++)
		fill_header(outbox->route, &outbox->runs[i], &outbox->control[i],
			    &outbox->messages[i].msg_hdr);
	bool retried = false;
	for (unsigned i = 0; i < outbox->n;) {
		int done = sendmmsg(outbox->sender->fd, outbox->messages + i, outbox->n - i,
				    MSG_DONTWAIT);
		if (done <= 0) {
			i = after_error(outbox, i, done < 0 ? errno : EAGAIN, &retried);
			continue;
		}
		for (; done > 0; done--)
			count_run(&outbox->runs[i++], outbox->sent);
		retried = false;
	}
	outbox->n = 0;
	outbox->n_vectors = 0;
}

static bool can_append(const Run *run, size_t max_segment, size_t len, size_t segment,
		       size_t packets)
{
	bool fits = segment == run->segment || (packets == 1 && len < run->segment);
	return fits && !run->closed && run->segment <= max_segment &&
	       run->packets + packets <= MAX_SEGMENTS && run->bytes + len <= MAX_RUN_BYTES;
}

static void put(Outbox *outbox, const uint8_t *data, size_t len, size_t segment)
{
	if (outbox->n_vectors == WICE_UDP_BATCH)
		flush(outbox);
	size_t packets = (len + segment - 1) / segment;
	struct iovec *vector = &outbox->vectors[outbox->n_vectors++];
	*vector = (struct iovec){ (void *)data, len };
	Run *run = outbox->n ? &outbox->runs[outbox->n - 1] : NULL;
	if (!run || !can_append(run, outbox->sender->max_segment, len, segment, packets)) {
		run = &outbox->runs[outbox->n++];
		*run = (Run){ .vectors = vector, .segment = segment };
	}
	run->n_vectors++;
	run->packets += packets;
	run->bytes += len;
	run->closed = len % run->segment != 0;
}

/* The most bytes of a chunk that one message may carry. */
static size_t piece_limit(const WiceUdpSender *sender, size_t segment)
{
	if (segment > sender->max_segment)
		return segment;
	size_t packets = MIN((size_t)MAX_SEGMENTS, MAX_RUN_BYTES / segment);
	return MAX(packets, 1) * segment;
}

void wice__udp_send(WiceUdpSender *sender, const WiceUdpRoute *route, const WiceUdpChunk *chunks,
		    size_t n, WiceUdpSent *sent)
{
	Outbox outbox;
	outbox.sender = sender;
	outbox.route = route;
	outbox.sent = sent;
	outbox.n = 0;
	outbox.n_vectors = 0;
	for (size_t i = 0; i < n; i++) {
		const uint8_t *data = chunks[i].data;
		size_t segment = MIN(chunks[i].segment, chunks[i].len);
		for (size_t rest = chunks[i].len; rest > 0;) {
			size_t len = MIN(rest, piece_limit(sender, segment));
			put(&outbox, data, len, MIN(segment, len));
			data += len;
			rest -= len;
		}
	}
	flush(&outbox);
}

void wice__udp_sender_init(WiceUdpSender *sender, int fd)
{
	int value;
	socklen_t len = sizeof value;
	bool known = getsockopt(fd, SOL_UDP, UDP_SEGMENT, &value, &len) == 0;
	*sender = (WiceUdpSender){ .fd = fd, .max_segment = known ? MAX_RUN_BYTES : 0 };
}

void wice__udp_set_buffers(int fd)
{
	int size = SOCKET_BUFFER;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

bool wice__udp_set_gro(int fd, bool on)
{
	int value = on;
	return setsockopt(fd, SOL_UDP, UDP_GRO, &value, sizeof value) == 0;
}
