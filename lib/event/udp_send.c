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
 * packet exceeds the MTU (alone it would be fragmented). The run is then sent packet by packet. The
 * first is remembered for good; the second only where all packets go the same way, or one peer
 * behind a narrow path would make it slow for all others.
 */
#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>

#include "event/udp.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

/* UDP_MAX_SEGMENTS of kernels before 6.9. */
#define MAX_SEGMENTS 64
/* Below this, fragmentation cannot be why the kernel refuses. RFC 791 section 3.1. */
#define MIN_MTU_PAYLOAD 500
/* Chunks that are looked at before the first is sent: some messages' worth. */
#define MAX_VECTORS 128
#define MAX_PARTS WICE_UDP_MAX_PARTS

typedef union {
	size_t align;
	char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(uint16_t))];
} Control;

typedef struct {
	WiceUdpRoute *route;
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
	WiceUdpSent *sent;
	size_t max_segment;
	unsigned n;
	unsigned n_vectors;
	Run runs[MAX_VECTORS];
	struct mmsghdr messages[MAX_VECTORS];
	struct iovec vectors[MAX_VECTORS];
	Control control[MAX_VECTORS];
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

static void *put_local(const WiceUdpRoute *route, struct msghdr *header, void *at)
{
	if (route->local.family == WICE_FAMILY_IPV4 && route->to->sa_family == AF_INET) {
		struct in_pktinfo info = { .ipi_ifindex = (int)route->ifindex };
		memcpy(&info.ipi_spec_dst, route->local.bytes, 4);
		return put_control(header, at, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
	}
	if (route->local.family == WICE_FAMILY_IPV6 && route->to->sa_family == AF_INET6) {
		struct in6_pktinfo info = { .ipi6_ifindex = route->ifindex };
		memcpy(&info.ipi6_addr, route->local.bytes, 16);
		return put_control(header, at, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
	}
	return at;
}

static void fill_header(const Run *run, Control *control, struct msghdr *header)
{
	const WiceUdpRoute *route = run->route;
	*header = (struct msghdr){
		.msg_name = (void *)route->to,
		.msg_namelen = route->to_len,
		.msg_iov = run->vectors,
		.msg_iovlen = run->n_vectors,
		.msg_control = control->bytes,
	};
	void *at = put_local(route, header, control->bytes);
	if (run->packets > 1) {
		uint16_t segment = (uint16_t)run->segment;
		put_control(header, at, SOL_UDP, UDP_SEGMENT, &segment, sizeof segment);
	}
}

static void fill_headers(Outbox *outbox, unsigned from)
{
	for (unsigned i = from; i < outbox->n; i++)
		fill_header(&outbox->runs[i], &outbox->control[i], &outbox->messages[i].msg_hdr);
}

static void count_run(const Run *run, WiceUdpSent *sent)
{
	sent->packets += run->packets;
	sent->bytes += run->bytes;
}

static void drop_run(const Run *run, int error, WiceUdpSent *sent)
{
	sent->dropped += run->packets;
	sent->error = error;
}

/* True if this errno may come from UDP_SEGMENT rather than from the packets themselves. */
static bool is_gso_error(int error)
{
	return error == EIO || error == EINVAL || error == EMSGSIZE || error == EOPNOTSUPP;
}

/* True if this errno may come from the source address, or its interface. */
static bool is_source_error(int error)
{
	return error == EINVAL || error == ENETUNREACH || error == EADDRNOTAVAIL ||
	       error == ENODEV || error == ENXIO;
}

static bool clear_source(WiceUdpRoute *route)
{
	if (!route->sticky || route->local.family == WICE_FAMILY_NONE)
		return false;
	route->local = (WiceAddress){ 0 };
	route->ifindex = 0;
	return true;
}

/* Where in the vectors of a run one is. */
typedef struct {
	const struct iovec *vector;
	size_t at;
} Cursor;

/* Takes the next bytes of the run, len or what there is, as up to MAX_PARTS vectors. */
static Run take_single(const Run *run, Cursor *cursor, struct iovec parts[MAX_PARTS])
{
	Run single = { .route = run->route, .vectors = parts, .packets = 1, .closed = true };
	const struct iovec *end = run->vectors + run->n_vectors;
	while (cursor->vector < end && single.bytes < run->segment) {
		size_t rest = cursor->vector->iov_len - cursor->at;
		size_t len = MIN(rest, run->segment - single.bytes);
		uint8_t *data = (uint8_t *)cursor->vector->iov_base + cursor->at;
		if (len > 0)
			parts[single.n_vectors++] = (struct iovec){ data, len };
		single.bytes += len;
		cursor->at += len;
		if (len == rest)
			*cursor = (Cursor){ cursor->vector + 1, 0 };
	}
	single.segment = single.bytes;
	return single;
}

static void send_one_by_one(Outbox *outbox, const Run *run)
{
	Cursor cursor = { run->vectors, 0 };
	for (size_t i = 0; i < run->packets; i++) {
		struct iovec parts[MAX_PARTS];
		Run single = take_single(run, &cursor, parts);
		Control control;
		struct msghdr header;
		fill_header(&single, &control, &header);
		outbox->sent->calls++;
		if (sendmsg(outbox->sender->fd, &header, MSG_DONTWAIT) < 0)
			drop_run(&single, errno, outbox->sent);
		else
			count_run(&single, outbox->sent);
	}
}

static void learn_gso_error(WiceUdpSender *sender, size_t segment, int error)
{
	size_t fits = 0;
	if (error != EIO && error != EOPNOTSUPP && segment > MIN_MTU_PAYLOAD) {
		if (!sender->one_path)
			return;
		fits = segment - 1;
	}
	/* Another thread may have learnt something else meanwhile; it would be learnt again. */
	if (fits < atomic_load_explicit(&sender->max_segment, memory_order_relaxed))
		atomic_store_explicit(&sender->max_segment, fits, memory_order_relaxed);
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
		for (; i < outbox->n; i++)
			drop_run(&outbox->runs[i], error, outbox->sent);
		return i;
	}
	if (is_source_error(error) && clear_source(outbox->runs[i].route)) {
		fill_headers(outbox, i);
		return i;
	}
	if (outbox->runs[i].packets > 1 && is_gso_error(error)) {
		outbox->sent->gso_fallbacks++;
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
	drop_run(&outbox->runs[i], error, outbox->sent);
	return i + 1;
}

static void flush(Outbox *outbox)
{
	fill_headers(outbox, 0);
	bool retried = false;
	for (unsigned i = 0; i < outbox->n;) {
		int done = sendmmsg(outbox->sender->fd, outbox->messages + i, outbox->n - i,
				    MSG_DONTWAIT);
		outbox->sent->calls++;
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
	outbox->max_segment =
		atomic_load_explicit(&outbox->sender->max_segment, memory_order_relaxed);
}

static bool can_append(const Run *run, const WiceUdpRoute *route, size_t max_segment, size_t len,
		       size_t segment, size_t packets)
{
	bool fits = segment == run->segment || (packets == 1 && len < run->segment);
	return fits && len > 0 && run->route == route && !run->closed &&
	       run->segment <= max_segment && run->packets + packets <= MAX_SEGMENTS &&
	       run->bytes + len <= WICE_UDP_MAX_PAYLOAD;
}

/* What goes to route: one packet of n parts, or several in one part. */
static void put(Outbox *outbox, WiceUdpRoute *route, const struct iovec *parts, size_t n,
		size_t segment)
{
	if (outbox->n_vectors + n > MAX_VECTORS)
		flush(outbox);
	struct iovec *vectors = &outbox->vectors[outbox->n_vectors];
	size_t len = 0;
	for (size_t i = 0; i < n; i++) {
		vectors[i] = parts[i];
		len += parts[i].iov_len;
	}
	outbox->n_vectors += n;
	size_t packets = len > segment ? (len + segment - 1) / segment : 1;
	Run *run = outbox->n ? &outbox->runs[outbox->n - 1] : NULL;
	if (!run || !can_append(run, route, outbox->max_segment, len, segment, packets)) {
		run = &outbox->runs[outbox->n++];
		*run = (Run){ .route = route, .vectors = vectors, .segment = segment };
	}
	run->n_vectors += n;
	run->packets += packets;
	run->bytes += len;
	run->closed = len != packets * run->segment || len == 0;
}

static void begin(Outbox *outbox, WiceUdpSender *sender, WiceUdpSent *sent)
{
	outbox->sender = sender;
	outbox->sent = sent;
	outbox->max_segment = atomic_load_explicit(&sender->max_segment, memory_order_relaxed);
	outbox->n = 0;
	outbox->n_vectors = 0;
}

/* The most bytes of a chunk that one message may carry. */
static size_t piece_limit(size_t max_segment, size_t segment)
{
	if (segment == 0 || segment > max_segment)
		return segment;
	size_t packets = MIN((size_t)MAX_SEGMENTS, WICE_UDP_MAX_PAYLOAD / segment);
	return MAX(packets, 1) * segment;
}

void wice__udp_send(WiceUdpSender *sender, WiceUdpRoute *route, const WiceUdpChunk *chunks,
		    size_t n, WiceUdpSent *sent)
{
	Outbox outbox;
	begin(&outbox, sender, sent);
	for (size_t i = 0; i < n; i++) {
		const uint8_t *data = chunks[i].data;
		size_t segment = MIN(chunks[i].segment, chunks[i].len);
		size_t limit = piece_limit(outbox.max_segment, segment), rest = chunks[i].len;
		do {
			size_t len = MIN(rest, limit);
			struct iovec part = { (void *)data, len };
			put(&outbox, route, &part, 1, MIN(segment, len));
			data += len;
			rest -= len;
		} while (rest > 0);
	}
	flush(&outbox);
}

void wice__udp_send_packets(WiceUdpSender *sender, const WiceUdpPacket *const *packets, size_t n,
			    WiceUdpSent *sent)
{
	Outbox outbox;
	begin(&outbox, sender, sent);
	for (size_t i = 0; i < n; i++) {
		const WiceUdpPacket *packet = packets[i];
		size_t len = 0;
		for (unsigned part = 0; part < packet->n_parts; part++)
			len += packet->parts[part].iov_len;
		put(&outbox, packet->route, packet->parts, packet->n_parts, len);
	}
	flush(&outbox);
}

void wice__udp_sender_init(WiceUdpSender *sender, int fd, bool segmentation, bool one_path)
{
	int value;
	socklen_t len = sizeof value;
	bool known = getsockopt(fd, SOL_UDP, UDP_SEGMENT, &value, &len) == 0;
	sender->fd = fd;
	sender->one_path = one_path;
	atomic_init(&sender->max_segment, segmentation && known ? WICE_UDP_MAX_PAYLOAD : 0);
}
