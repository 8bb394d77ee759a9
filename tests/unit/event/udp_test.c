/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>

#include "event/udp.h"
#include "suite.h"

/*
 * What becomes one message, what is done about errors, and what is read out of received messages.
 * The system's calls are played: those below come before the C library's.
 */

#define MAX_MESSAGES 256

/* What the system was asked to send. */
typedef struct {
	size_t bytes;
	unsigned segment; /* 0: without UDP_SEGMENT */
	bool has_local;
	int error; /* what it said, 0: taken */
} Message;

typedef int (*Judge)(const Message *message);

static struct {
	Judge judge;
	Message messages[MAX_MESSAGES];
	unsigned n;
} wire;

static Message look_at(const struct msghdr *header)
{
	Message message = { 0 };
	for (size_t i = 0; i < header->msg_iovlen; i++)
		message.bytes += header->msg_iov[i].iov_len;
	struct msghdr *h = (struct msghdr *)header;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		uint16_t segment;
		if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_SEGMENT) {
			memcpy(&segment, CMSG_DATA(c), sizeof segment);
			message.segment = segment;
		} else {
			message.has_local = true;
		}
	}
	return message;
}

static int take(const struct msghdr *header)
{
	ck_assert_uint_lt(wire.n, MAX_MESSAGES);
	Message message = look_at(header);
	message.error = wire.judge ? wire.judge(&message) : 0;
	wire.messages[wire.n++] = message;
	return message.error;
}

ssize_t sendmsg(int fd, const struct msghdr *header, int flags)
{
	ck_assert(flags & MSG_DONTWAIT);
	errno = take(header);
	return errno ? -1 : 0;
}

int sendmmsg(int fd, struct mmsghdr *messages, unsigned n, int flags)
{
	ck_assert(flags & MSG_DONTWAIT);
	ck_assert_uint_gt(n, 0);
	for (unsigned i = 0; i < n; i++) {
		errno = take(&messages[i].msg_hdr);
		if (errno && i == 0)
			return -1;
		if (errno) {
			/* As the kernel does: told when the call is repeated. */
			wire.n--;
			return (int)i;
		}
	}
	return (int)n;
}

static WiceUdpSender sender(bool segmentation, bool one_path)
{
	WiceUdpSender result = { .fd = -1, .one_path = one_path };
	atomic_init(&result.max_segment, segmentation ? WICE_UDP_MAX_PAYLOAD : 0);
	return result;
}

static const struct sockaddr_in remote = { .sin_family = AF_INET };

static WiceUdpRoute route(bool has_local, bool sticky)
{
	WiceUdpRoute result = { .to = (const struct sockaddr *)&remote,
				.to_len = sizeof remote,
				.sticky = sticky };
	if (has_local) {
		result.local = (WiceAddress){ WICE_FAMILY_IPV4, { 192, 0, 2, 1 } };
		result.ifindex = 3;
	}
	return result;
}

static uint8_t data[1 << 17];

#define MAX_CASE 8

typedef struct {
	const char *name;
	bool plain; /* without segmentation */
	struct {
		unsigned n; /* so many of them */
		size_t len, segment;
	} in[MAX_CASE];
	struct {
		unsigned n;
		size_t bytes;
		unsigned segment;
	} out[MAX_CASE];
} Case;

static const Case cases[] = {
	{ "one", false, { { 1, 1, 1 } }, { { 1, 1, 0 } } },
	{ "two equal", false, { { 2, 1, 1 } }, { { 1, 2, 1 } } },
	{ "shorter last", false, { { 1, 2, 2 }, { 1, 1, 1 } }, { { 1, 3, 2 } } },
	{ "nothing behind a shorter one",
	  false,
	  { { 1, 2, 2 }, { 1, 1, 1 }, { 1, 2, 2 } },
	  { { 1, 3, 2 }, { 1, 2, 0 } } },
	{ "a run behind a shorter one",
	  false,
	  { { 3, 5, 5 }, { 2, 3, 3 }, { 2, 5, 5 } },
	  { { 1, 18, 5 }, { 1, 3, 0 }, { 1, 10, 5 } } },
	{ "longer ones begin anew",
	  false,
	  { { 1, 1, 1 }, { 2, 2, 2 } },
	  { { 1, 1, 0 }, { 1, 4, 2 } } },
	{ "empty ones are alone",
	  false,
	  { { 2, 0, 0 }, { 2, 7, 7 }, { 1, 0, 0 }, { 1, 7, 7 } },
	  { { 2, 0, 0 }, { 1, 14, 7 }, { 1, 0, 0 }, { 1, 7, 0 } } },
	{ "64 segments", false, { { 64, 10, 10 } }, { { 1, 640, 10 } } },
	{ "not 65", false, { { 65, 10, 10 } }, { { 1, 640, 10 }, { 1, 10, 0 } } },
	{ "65,507 bytes",
	  false,
	  { { 1, 32754, 32754 }, { 1, 32753, 32753 } },
	  { { 1, 65507, 32754 } } },
	{ "not 65,508", false, { { 2, 32754, 32754 } }, { { 2, 32754, 0 } } },
	{ "a frame of TCP",
	  false,
	  { { 48, 1452, 1452 } },
	  { { 1, 45 * 1452, 1452 }, { 1, 3 * 1452, 1452 } } },
	{ "segments as they came", false, { { 1, 3000, 1000 } }, { { 1, 3000, 1000 } } },
	{ "segments and one more",
	  false,
	  { { 1, 3000, 1000 }, { 1, 1000, 1000 } },
	  { { 1, 4000, 1000 } } },
	{ "segments with a shorter last",
	  false,
	  { { 1, 2500, 1000 }, { 1, 1000, 1000 } },
	  { { 1, 2500, 1000 }, { 1, 1000, 0 } } },
	{ "too many segments", false, { { 1, 7050, 100 } }, { { 1, 6400, 100 }, { 1, 650, 100 } } },
	{ "without segmentation",
	  true,
	  { { 3, 5, 5 }, { 1, 2500, 1000 } },
	  { { 3, 5, 0 }, { 2, 1000, 0 }, { 1, 500, 0 } } },
};

static size_t chunks_of(const Case *c, WiceUdpChunk *ret_chunks)
{
	size_t n = 0;
	for (size_t i = 0; i < MAX_CASE; i++)
		for (unsigned j = 0; j < c->in[i].n; j++)
			ret_chunks[n++] = (WiceUdpChunk){ data, c->in[i].len, c->in[i].segment };
	return n;
}

START_TEST(runs_of_equal_packets_become_one_message)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const Case *c = &cases[i];
		WiceUdpChunk chunks[128];
		WiceUdpSender from = sender(!c->plain, false);
		WiceUdpRoute to = route(false, false);
		WiceUdpSent sent = { 0 };
		wire.n = 0;
		size_t n = chunks_of(c, chunks), packets = 0, at = 0;
		for (size_t j = 0; j < n; j++)
			packets += wice__udp_chunk_packets(&chunks[j]);
		wice__udp_send(&from, &to, chunks, n, &sent);
		for (size_t j = 0; j < MAX_CASE; j++) {
			for (unsigned k = 0; k < c->out[j].n; k++, at++) {
				ck_assert_msg(
					at < wire.n && wire.messages[at].bytes == c->out[j].bytes &&
						wire.messages[at].segment == c->out[j].segment,
					"%s: message %zu of %u", c->name, at, wire.n);
			}
		}
		ck_assert_msg(at == wire.n, "%s: %u messages", c->name, wire.n);
		ck_assert_uint_eq(sent.packets, packets);
		ck_assert_uint_eq(sent.calls, 1);
		ck_assert_uint_eq(sent.dropped, 0);
	}
}
END_TEST

static size_t send_equal(WiceUdpSender *from, WiceUdpRoute *to, size_t n, size_t len,
			 WiceUdpSent *sent)
{
	WiceUdpChunk chunks[200];
	for (size_t i = 0; i < n; i++)
		chunks[i] = (WiceUdpChunk){ data, len, len };
	wire.n = 0;
	*sent = (WiceUdpSent){ 0 };
	wice__udp_send(from, to, chunks, n, sent);
	ck_assert_uint_eq(sent->packets + sent->dropped, n);
	return wire.n;
}

/* How often UDP_SEGMENT was tried. */
static unsigned n_joined(void)
{
	unsigned n = 0;
	for (unsigned i = 0; i < wire.n; i++)
		n += wire.messages[i].segment > 0;
	return n;
}

static int refuse_segments(const Message *message)
{
	return message->segment ? EIO : 0;
}

START_TEST(a_system_without_segments_is_asked_once)
{
	WiceUdpSender from = sender(true, false);
	WiceUdpRoute to = route(true, true);
	WiceUdpSent sent;
	wire.judge = refuse_segments;
	send_equal(&from, &to, 40, 1000, &sent);
	ck_assert_uint_eq(sent.packets, 40);
	ck_assert_uint_eq(sent.gso_fallbacks, 1);
	ck_assert_uint_eq(n_joined(), 1);
	ck_assert_uint_eq(wire.n, 41);
	/* It was not the source. */
	ck_assert_int_eq(to.local.family, WICE_FAMILY_IPV4);
	send_equal(&from, &to, 40, 100, &sent);
	ck_assert_uint_eq(sent.gso_fallbacks, 0);
	ck_assert_uint_eq(n_joined(), 0);
	ck_assert_uint_eq(sent.calls, 1);
	/* Also within a call. */
	from = sender(true, false);
	send_equal(&from, &to, 200, 1000, &sent);
	ck_assert_uint_eq(sent.packets, 200);
	ck_assert_uint_le(sent.gso_fallbacks, 3);
}
END_TEST

static int refuse_beyond_1000(const Message *message)
{
	return message->segment > 1000 ? EMSGSIZE : 0;
}

START_TEST(what_exceeds_the_mtu_is_remembered_where_all_go_one_way)
{
	for (int one_path = 0; one_path < 2; one_path++) {
		WiceUdpSender from = sender(true, one_path);
		WiceUdpRoute to = route(false, false);
		WiceUdpSent sent;
		wire.judge = refuse_beyond_1000;
		for (int i = 0; i < 3; i++) {
			send_equal(&from, &to, 10, 1200, &sent);
			ck_assert_uint_eq(sent.packets, 10);
			ck_assert_uint_eq(sent.gso_fallbacks, i == 0 || !one_path);
			send_equal(&from, &to, 10, 1000, &sent);
			ck_assert_uint_eq(sent.calls, 1);
			ck_assert_uint_eq(n_joined(), 1);
		}
	}
}
END_TEST

static int refuse_source(const Message *message)
{
	return message->has_local ? EINVAL : 0;
}

static int no_route(const Message *message)
{
	return message->has_local ? ENETUNREACH : 0;
}

static int refuse_both(const Message *message)
{
	return message->has_local || message->segment ? EINVAL : 0;
}

START_TEST(a_source_that_is_refused_is_cleared)
{
	static const struct {
		Judge judge;
		unsigned fallbacks;
	} judges[] = { { refuse_source, 0 }, { no_route, 0 }, { refuse_both, 1 } };
	for (size_t i = 0; i < G_N_ELEMENTS(judges); i++) {
		WiceUdpSender from = sender(true, false);
		WiceUdpRoute to = route(true, true);
		WiceUdpSent sent;
		wire.judge = judges[i].judge;
		send_equal(&from, &to, 40, 1000, &sent);
		ck_assert_uint_eq(sent.packets, 40);
		ck_assert_uint_eq(sent.gso_fallbacks, judges[i].fallbacks);
		ck_assert_int_eq(to.local.family, WICE_FAMILY_NONE);
		ck_assert_uint_eq(to.ifindex, 0);
		/* One who must have that source, or none. */
		to = route(true, false);
		send_equal(&from, &to, 3, 1000, &sent);
		ck_assert_uint_eq(sent.dropped, 3);
		ck_assert_int_ne(sent.error, 0);
		ck_assert_int_eq(to.local.family, WICE_FAMILY_IPV4);
	}
}
END_TEST

static int countdown, countdown_error;

static int refuse_after(const Message *message)
{
	return countdown-- > 0 ? 0 : countdown_error;
}

static int refuse_once(const Message *message)
{
	return countdown-- == 0 ? countdown_error : 0;
}

static int refuse_length_77(const Message *message)
{
	return message->bytes == 77 ? EPERM : 0;
}

START_TEST(a_full_queue_takes_no_more)
{
	static const int errors[] = { EAGAIN, ENOBUFS, ENOMEM };
	for (size_t i = 0; i < G_N_ELEMENTS(errors); i++) {
		WiceUdpSender from = sender(false, false);
		WiceUdpRoute to = route(false, false);
		WiceUdpSent sent;
		wire.judge = refuse_after;
		countdown = 5;
		countdown_error = errors[i];
		send_equal(&from, &to, 40, 1000, &sent);
		ck_assert_uint_eq(sent.packets, 5);
		ck_assert_uint_eq(sent.dropped, 35);
		ck_assert_int_eq(sent.error, errors[i]);
		ck_assert_uint_eq(sent.calls, 2);
	}
}
END_TEST

START_TEST(an_old_error_costs_no_packet)
{
	static const int errors[] = { ECONNREFUSED, EHOSTUNREACH, EINTR, EPERM };
	for (size_t i = 0; i < G_N_ELEMENTS(errors); i++) {
		WiceUdpSender from = sender(false, false);
		WiceUdpRoute to = route(false, false);
		WiceUdpSent sent;
		wire.judge = refuse_once;
		countdown = 5;
		countdown_error = errors[i];
		send_equal(&from, &to, 40, 1000, &sent);
		ck_assert_uint_eq(sent.packets, 40);
	}
}
END_TEST

START_TEST(a_packet_that_is_refused_is_dropped_alone)
{
	static const size_t lengths[] = { 10, 77, 20, 77, 30 };
	WiceUdpSender from = sender(false, false);
	WiceUdpRoute to = route(false, false);
	WiceUdpSent sent = { 0 };
	WiceUdpChunk chunks[G_N_ELEMENTS(lengths)];
	for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++)
		chunks[i] = (WiceUdpChunk){ data, lengths[i], lengths[i] };
	wire.judge = refuse_length_77;
	wice__udp_send(&from, &to, chunks, G_N_ELEMENTS(chunks), &sent);
	ck_assert_uint_eq(sent.packets, 3);
	ck_assert_uint_eq(sent.bytes, 60);
	ck_assert_uint_eq(sent.dropped, 2);
	ck_assert_int_eq(sent.error, EPERM);
}
END_TEST

/* What the system has received. */
static struct {
	int errors[20]; /* of the calls before */
	unsigned n_errors, n_calls;
	int flags;
	size_t len;
	int level, type; /* of a control message, 0: none */
	const void *control;
	size_t control_len;
} incoming;

int recvmmsg(int fd, struct mmsghdr *messages, unsigned n, int flags, struct timespec *timeout)
{
	ck_assert(flags & MSG_DONTWAIT);
	if (incoming.n_calls++ < incoming.n_errors) {
		errno = incoming.errors[incoming.n_calls - 1];
		return -1;
	}
	struct msghdr *header = &messages[0].msg_hdr;
	messages[0].msg_len = (unsigned)incoming.len;
	memset(header->msg_iov[0].iov_base, 'x', incoming.len);
	memcpy(header->msg_name, &remote, sizeof remote);
	header->msg_namelen = sizeof remote;
	header->msg_flags = incoming.flags;
	size_t room = header->msg_controllen;
	header->msg_controllen = 0;
	if (incoming.control) {
		ck_assert_uint_le(CMSG_SPACE(incoming.control_len), room);
		header->msg_controllen = CMSG_SPACE(incoming.control_len);
		struct cmsghdr *c = CMSG_FIRSTHDR(header);
		c->cmsg_level = incoming.level;
		c->cmsg_type = incoming.type;
		c->cmsg_len = CMSG_LEN(incoming.control_len);
		memcpy(CMSG_DATA(c), incoming.control, incoming.control_len);
	}
	return 1;
}

static bool receive_one(WiceUdpReceived *ret_received)
{
	WiceUdpReceiver *receiver;
	ck_assert_int_eq(wice__udp_receiver_new(4, &receiver), 0);
	ck_assert_int_eq(wice__udp_receive(receiver, -1, 4), 1);
	bool ok = wice__udp_received(receiver, 0, ret_received);
	wice__udp_receiver_free(receiver);
	return ok;
}

START_TEST(sources_are_read_from_ancillary_data)
{
	static const struct in_pktinfo v4 = { .ipi_ifindex = 5, .ipi_spec_dst = { 0x010200c0 } },
				       v4_none = { .ipi_ifindex = 5, .ipi_addr = { 0x010200c0 } };
	static const struct in6_pktinfo v6 = { { { { 0x20, 1, 0xd, 0xb8, [15] = 1 } } }, 5 },
					v6_none = { .ipi6_ifindex = 5 },
					v6_group = { { { { 0xff, 2, [15] = 1 } } }, 5 };
	static const int ttl = 64;
	const struct {
		int level, type;
		const void *control;
		size_t len;
		WiceFamily family;
	} table[] = {
		{ 0, 0, NULL, 0, WICE_FAMILY_NONE },
		{ IPPROTO_IP, IP_PKTINFO, &v4, sizeof v4, WICE_FAMILY_IPV4 },
		{ IPPROTO_IP, IP_PKTINFO, &v4_none, sizeof v4_none, WICE_FAMILY_NONE },
		{ IPPROTO_IPV6, IPV6_PKTINFO, &v6, sizeof v6, WICE_FAMILY_IPV6 },
		{ IPPROTO_IPV6, IPV6_PKTINFO, &v6_none, sizeof v6_none, WICE_FAMILY_NONE },
		{ IPPROTO_IPV6, IPV6_PKTINFO, &v6_group, sizeof v6_group, WICE_FAMILY_NONE },
		{ IPPROTO_IP, IP_TTL, &ttl, sizeof ttl, WICE_FAMILY_NONE },
		{ IPPROTO_IPV6, IP_PKTINFO, &v4, sizeof v4, WICE_FAMILY_NONE },
		{ IPPROTO_IP, IPV6_PKTINFO, &v6, sizeof v6, WICE_FAMILY_NONE },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		WiceUdpReceived received;
		incoming.len = 100;
		incoming.level = table[i].level;
		incoming.type = table[i].type;
		incoming.control = table[i].control;
		incoming.control_len = table[i].len;
		ck_assert(receive_one(&received));
		ck_assert_int_eq(received.local.family, table[i].family);
		ck_assert_uint_eq(received.ifindex, table[i].family ? 5 : 0);
		ck_assert_uint_eq(received.chunk.segment, 100);
		if (table[i].family == WICE_FAMILY_IPV4)
			ck_assert_mem_eq(received.local.bytes, "\300\0\2\1\0\0\0\0\0\0\0\0\0\0\0\0",
					 16);
		if (table[i].family == WICE_FAMILY_IPV6)
			ck_assert_mem_eq(received.local.bytes, &v6.ipi6_addr, 16);
	}
}
END_TEST

START_TEST(segments_are_read_from_ancillary_data)
{
	static const struct {
		size_t len;
		int segment;
		size_t expected, packets;
	} table[] = {
		{ 3, 1, 1, 3 },       { 1, 1, 1, 1 },     { 2, 1, 1, 2 },
		{ 4, 3, 3, 2 },       { 100, 0, 100, 1 }, { 100, -1, 100, 1 },
		{ 100, 200, 100, 1 }, { 0, 5, 0, 1 },     { 65340, 1452, 1452, 45 },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		WiceUdpReceived received;
		incoming.len = table[i].len;
		incoming.level = SOL_UDP;
		incoming.type = UDP_GRO;
		incoming.control = &table[i].segment;
		incoming.control_len = sizeof table[i].segment;
		ck_assert(receive_one(&received));
		ck_assert_uint_eq(received.chunk.len, table[i].len);
		ck_assert_uint_eq(received.chunk.segment, table[i].expected);
		ck_assert_uint_eq(wice__udp_chunk_packets(&received.chunk), table[i].packets);
	}
}
END_TEST

START_TEST(messages_that_were_cut_off_are_not_given)
{
	WiceUdpReceived received = { .ifindex = 77 };
	incoming.len = 100;
	incoming.flags = MSG_TRUNC;
	ck_assert(!receive_one(&received));
	incoming.flags = MSG_CTRUNC;
	ck_assert(!receive_one(&received));
	ck_assert_uint_eq(received.ifindex, 77);
	incoming.flags = 0;
	ck_assert(receive_one(&received));
}
END_TEST

START_TEST(errors_of_packets_are_not_errors_of_the_socket)
{
	static const struct {
		int errors[20];
		int expected;
	} table[] = {
		{ { 0 }, 1 },
		{ { ECONNREFUSED }, 1 },
		{ { EHOSTUNREACH, EINTR, EMSGSIZE, EPROTO }, 1 },
		{ { EAGAIN }, -EAGAIN },
		{ { ENETDOWN, EAGAIN }, -EAGAIN },
		{ { EBADF }, -EBADF },
		{ { ECONNREFUSED, ENOTSOCK }, -ENOTSOCK },
		{ { 111, 111, 111, 111, 111, 111, 111, 111, 111, 111, 111, 111, 111 }, -EAGAIN },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		WiceUdpReceiver *receiver;
		memcpy(incoming.errors, table[i].errors, sizeof incoming.errors);
		incoming.n_calls = 0;
		for (incoming.n_errors = 0; incoming.errors[incoming.n_errors];)
			incoming.n_errors++;
		ck_assert_int_eq(wice__udp_receiver_new(1, &receiver), 0);
		ck_assert_int_eq(wice__udp_receive(receiver, -1, 1), table[i].expected);
		wice__udp_receiver_free(receiver);
	}
}
END_TEST

static WiceUdpPacket in_parts(WiceUdpRoute *way, size_t a, size_t b, size_t c)
{
	return (WiceUdpPacket){ way, { { data, a }, { data + a, b }, { data + a + b, c } }, 3 };
}

/* Whatever is before and behind them, and wherever they go. */
START_TEST(packets_in_parts_become_one_message_per_way)
{
	WiceUdpSender out = sender(true, false);
	WiceUdpRoute ways[] = { route(false, false), route(true, false) };
	const WiceUdpPacket all[] = {
		in_parts(&ways[0], 4, 100, 0), in_parts(&ways[0], 4, 98, 2),
		in_parts(&ways[1], 4, 100, 0), in_parts(&ways[1], 4, 50, 2),
		in_parts(&ways[1], 4, 50, 2),  in_parts(&ways[0], 0, 0, 0),
	};
	static const Message expected[] = {
		{ 208, 104, false, 0 },
		{ 160, 104, true, 0 },
		{ 56, 0, true, 0 },
		{ 0, 0, false, 0 },
	};
	const WiceUdpPacket *packets[G_N_ELEMENTS(all)];
	WiceUdpSent sent = { 0 };
	for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
		packets[i] = &all[i];
	wice__udp_send_packets(&out, packets, G_N_ELEMENTS(all), &sent);
	ck_assert_uint_eq(wire.n, G_N_ELEMENTS(expected));
	for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
		ck_assert_uint_eq(wire.messages[i].bytes, expected[i].bytes);
		ck_assert_uint_eq(wire.messages[i].segment, expected[i].segment);
		ck_assert_int_eq(wire.messages[i].has_local, expected[i].has_local);
	}
	ck_assert_uint_eq(sent.packets, G_N_ELEMENTS(all));
	ck_assert_uint_eq(sent.bytes, 208 + 160 + 56);
}
END_TEST

START_TEST(packets_in_parts_are_sent_alone_where_segments_are_refused)
{
	WiceUdpSender out = sender(true, false);
	WiceUdpRoute way = route(false, false);
	const WiceUdpPacket all[] = { in_parts(&way, 4, 100, 0), in_parts(&way, 0, 102, 2),
				      in_parts(&way, 4, 7, 3) };
	const WiceUdpPacket *packets[] = { &all[0], &all[1], &all[2] };
	WiceUdpSent sent = { 0 };
	wire.judge = refuse_segments;
	wice__udp_send_packets(&out, packets, G_N_ELEMENTS(packets), &sent);
	ck_assert_uint_eq(wire.n, 4);
	ck_assert_uint_eq(wire.messages[1].bytes, 104);
	ck_assert_uint_eq(wire.messages[2].bytes, 104);
	ck_assert_uint_eq(wire.messages[3].bytes, 14);
	ck_assert_uint_eq(sent.packets, 3);
	ck_assert_uint_eq(sent.dropped, 0);
}
END_TEST

/* More than the outbox has room for. */
START_TEST(many_packets_in_parts_all_leave)
{
	WiceUdpSender out = sender(true, false);
	WiceUdpRoute way = route(false, false);
	const WiceUdpPacket one = in_parts(&way, 4, 96, 0);
	const WiceUdpPacket *packets[500];
	WiceUdpSent sent = { 0 };
	for (size_t i = 0; i < G_N_ELEMENTS(packets); i++)
		packets[i] = &one;
	wice__udp_send_packets(&out, packets, G_N_ELEMENTS(packets), &sent);
	ck_assert_uint_eq(sent.packets, G_N_ELEMENTS(packets));
	ck_assert_uint_eq(sent.bytes, 100 * G_N_ELEMENTS(packets));
	ck_assert_uint_lt(wire.n, 20);
}
END_TEST

SUITE_MAIN("event udp", packets_in_parts_become_one_message_per_way,
	   packets_in_parts_are_sent_alone_where_segments_are_refused,
	   many_packets_in_parts_all_leave, runs_of_equal_packets_become_one_message,
	   a_system_without_segments_is_asked_once,
	   what_exceeds_the_mtu_is_remembered_where_all_go_one_way,
	   a_source_that_is_refused_is_cleared, a_full_queue_takes_no_more,
	   an_old_error_costs_no_packet, a_packet_that_is_refused_is_dropped_alone,
	   sources_are_read_from_ancillary_data, segments_are_read_from_ancillary_data,
	   messages_that_were_cut_off_are_not_given, errors_of_packets_are_not_errors_of_the_socket)
