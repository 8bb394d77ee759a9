/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "bed.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "event/sockaddr.h"
#include "suite.h"
#include "unit/event/namespace.h"

/* Channels of UDP binds: packets of others in them, their lives, and what goes wrong with them. */

static const BedKind *const kind = &bed_kinds[3], *const plain_kind = &bed_kinds[0];

typedef struct {
	unsigned n;
	uint32_t channel;
	WiceEndpoint source;
	uint8_t data[2048];
	size_t length;
} Foreign;

static void on_foreign(uint32_t channel, const WiceEndpoint *source, const uint8_t *data,
		       size_t length, void *user_data)
{
	Foreign *foreign = user_data;
	foreign->n++;
	foreign->channel = channel;
	foreign->source = *source;
	foreign->length = length;
	memcpy(foreign->data, data, MIN(length, sizeof foreign->data));
}

/* Receives until nothing is left; nothing must come out but what is expected. */
static void expect_count(const BedEnd *end, size_t n)
{
	BedReceived received;
	bed_received_init(&received);
	ck_assert(bed_receive(end, 0, &received, n));
	bed_receive_rest(end, 0, &received);
	ck_assert_uint_eq(received.packets->len, n);
	bed_received_done(&received);
}

START_TEST(foreign_packets_go_to_the_function)
{
	static const struct {
		char bytes[9];
		size_t length; /* padded with zeros */
		bool foreign;
	} cases[] = {
		{ "\0\1\0\10\x21\x12\xa4\x42", 28, true },
		{ "\1\0\0\0", 148, false },
		{ "\1\0\0\0", 147, true },
		{ "\1\0\0\0", 149, true },
		{ "\2\0\0\0", 92, false },
		{ "\2\0\0\0", 91, true },
		{ "\3\0\0\0", 64, false },
		{ "\3\0\0\0", 65, true },
		{ "\4\0\0\0", 32, false },
		{ "\4\0\0\0", 31, true },
		{ "\4\0\0\0", 1452, false },
		{ "\4\0\0\0\x21\x12\xa4\x42", 64, false },
		{ "\4\0\0\1", 64, true },
		{ "\5\0\0\0", 64, true },
		{ "\0\0\0\0", 64, true },
		{ "\x40\0\0\10", 64, true },
		{ "\1", 1, true },
	};
	Bed bed;
	Foreign foreign = { 0 };
	if (!bed_init(&bed, kind))
		return;
	wice_bind_udp_set_foreign(bed.b.bind, on_foreign, &foreign);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		uint8_t data[1500] = { 0 };
		unsigned before = foreign.n;
		memcpy(data, cases[i].bytes, MIN(cases[i].length, 8));
		bed_send_to(bed.a.fd, &bed.b.address, data, cases[i].length);
		expect_count(&bed.b, !cases[i].foreign);
		ck_assert_uint_eq(foreign.n, before + cases[i].foreign);
		if (cases[i].foreign) {
			ck_assert_uint_eq(foreign.length, cases[i].length);
			ck_assert_mem_eq(foreign.data, data, cases[i].length);
			ck_assert_uint_eq(foreign.channel, bed.b.channel);
			ck_assert_int_eq(wice_endpoint_compare(&foreign.source, &bed.a.address), 0);
		}
	}
	/* An empty one is nobody's; without a function, they are dropped. */
	unsigned before = foreign.n;
	bed_send_to(bed.a.fd, &bed.b.address, "", 0);
	expect_count(&bed.b, 0);
	ck_assert_uint_eq(foreign.n, before);
	wice_bind_udp_set_foreign(bed.b.bind, NULL, NULL);
	bed_send_to(bed.a.fd, &bed.b.address, "hello", 5);
	expect_count(&bed.b, 0);
	ck_assert_uint_eq(foreign.n, before);
	bed_done(&bed);
}
END_TEST

/* The system joins packets of equal size whatever they are. */
START_TEST(foreign_packets_are_found_among_others)
{
	static const char *const cases[] = { "wfwww", "fwwww", "wwwwf", "ffwfw", "fffff",
					     "wfwfw", "f",     "wf",    "fw",    "wwwwwwww" };
	Bed bed;
	size_t n_received = 0;
	if (!bed_init(&bed, kind))
		return;
	for (size_t i = 0; i < 2 * G_N_ELEMENTS(cases); i++) {
		const char *what = cases[i / 2];
		size_t n = strlen(what);
		uint32_t lengths[8];
		Foreign foreign = { 0 };
		WiceBindPath path = bed_route(&bed.a, &bed.b);
		wice_bind_udp_set_foreign(bed.b.bind, on_foreign, &foreign);
		for (size_t j = 0; j < n; j++)
			lengths[j] = i % 2 && j == n - 1 ? 50 : 100;
		BedPackets packets = bed_packets(1, n, lengths);
		BedPackets own = { g_new0(WiceBindPacket, n), 0 };
		for (size_t j = 0; j < n; j++) {
			if (what[j] == 'f')
				packets.packets[j].data[0] = 0;
			else
				own.packets[own.n++] = packets.packets[j];
		}
		bed_send(&bed.a, &path, &packets);
		if (own.n > 0)
			bed_expect(&bed.b, &own, NULL);
		else
			expect_count(&bed.b, 0);
		while (foreign.n < n - own.n)
			expect_count(&bed.b, 0);
		ck_assert_uint_eq(foreign.n, n - own.n);
		n_received += own.n;
		ck_assert_uint_eq(bed_counters(&bed.b).rx_packets, n_received);
		wice_bind_udp_set_foreign(bed.b.bind, NULL, NULL);
		g_free(own.packets);
		bed_packets_free(&packets);
	}
	bed_done(&bed);
}
END_TEST

START_TEST(only_channels_have_foreign_packets)
{
	Bed bed;
	Foreign foreign = { 0 };
	WiceEndpoint own;
	if (!bed_init(&bed, kind))
		return;
	wice_bind_udp_set_foreign(bed.b.bind, on_foreign, &foreign);
	int fd = bed_socket("127.0.0.1", &own);
	WiceEndpoint to = own;
	to.port = bed.b.port;
	bed_send_to(fd, &to, "hello", 5);
	BedReceived received;
	bed_received_init(&received);
	ck_assert(bed_receive(&bed.b, 0, &received, 1));
	ck_assert_uint_eq(received.path.channel, 0);
	ck_assert_uint_eq(foreign.n, 0);
	bed_received_done(&received);
	close(fd);
	bed_done(&bed);
}
END_TEST

START_TEST(a_channel_ends_when_it_is_removed)
{
	Bed bed;
	if (!bed_init(&bed, kind))
		return;
	WiceBindPath path = bed_route(&bed.a, &bed.b), back = bed_route(&bed.b, &bed.a);
	BedPackets packets = bed_equal_packets(1, 5, 148);
	bed_ping(&bed.b, &bed.a, 148);
	bed_send(&bed.b, &back, &packets);
	wice_bind_udp_remove_channel(bed.a.bind, bed.a.channel);
	wice_bind_udp_remove_channel(bed.a.bind, bed.a.channel);
	wice_bind_udp_remove_channel(bed.a.bind, 0);
	wice_bind_udp_remove_channel(bed.a.bind, UINT32_MAX);
	expect_count(&bed.a, 0);
	ck_assert_int_eq(bed.a.bind->ops->send(bed.a.bind, &path, packets.packets, 5), -ENOTCONN);
	ck_assert_uint_eq(bed_counters(&bed.a).tx_dropped, 5);
	bed.a.bind->ops->route(bed.a.bind, &bed.b.address, &path);
	ck_assert_uint_eq(path.channel, 0);
	/* The socket is its owner's again, with what has come; the next has another number. */
	ck_assert(bed_wait(bed.a.fd, 0));
	uint32_t before = bed.a.channel;
	ck_assert_int_eq(wice_bind_udp_add_channel(bed.a.bind, bed.a.fd, &bed.a.channel), 0);
	ck_assert_uint_ne(bed.a.channel, before);
	expect_count(&bed.a, 5);
	bed_packets_free(&packets);
	bed_done(&bed);
}
END_TEST

START_TEST(a_route_leads_where_it_was_set)
{
	Bed bed;
	WiceBindPath path;
	if (!bed_init(&bed, kind))
		return;
	WiceEndpoint other = bed.b.address;
	other.port++;
	bed.a.bind->ops->route(bed.a.bind, &other, &path);
	ck_assert_uint_eq(path.channel, 0);
	wice_bind_udp_set_route(bed.a.bind, &bed.b.address, bed.a.channel + 1);
	bed.a.bind->ops->route(bed.a.bind, &bed.b.address, &path);
	ck_assert_uint_eq(path.channel, 0);
	wice_bind_udp_set_route(bed.a.bind, &bed.b.address, bed.a.channel);
	wice_bind_udp_set_route(bed.a.bind, &bed.b.address, bed.a.channel);
	bed.a.bind->ops->route(bed.a.bind, &bed.b.address, &path);
	ck_assert_uint_eq(path.channel, bed.a.channel);
	wice_bind_udp_set_route(bed.a.bind, &bed.b.address, 0);
	wice_bind_udp_set_route(bed.a.bind, &bed.b.address, 0);
	bed.a.bind->ops->route(bed.a.bind, &bed.b.address, &path);
	ck_assert_uint_eq(path.channel, 0);
	bed_done(&bed);
}
END_TEST

START_TEST(only_udp_sockets_can_be_channels)
{
	BedEnd end = bed_end_new(NULL);
	WiceBind *a, *b;
	int pipes[2];
	uint32_t channel = 99;
	int tcp = socket(AF_INET, SOCK_STREAM, 0), local = socket(AF_UNIX, SOCK_DGRAM, 0);
	ck_assert_int_eq(pipe(pipes), 0);
	ck_assert_int_eq(wice_bind_udp_add_channel(end.bind, -1, &channel), -EBADF);
	ck_assert_int_eq(wice_bind_udp_add_channel(end.bind, pipes[0], &channel), -EINVAL);
	ck_assert_int_eq(wice_bind_udp_add_channel(end.bind, tcp, &channel), -EINVAL);
	ck_assert_int_eq(wice_bind_udp_add_channel(end.bind, local, &channel), -EINVAL);
	wice_bind_pair_new(&a, &b);
	int udp = socket(AF_INET, SOCK_DGRAM, 0);
	ck_assert_int_eq(wice_bind_udp_add_channel(a, udp, &channel), -EOPNOTSUPP);
	wice_bind_udp_remove_channel(a, 1);
	wice_bind_udp_set_route(a, &(WiceEndpoint){ .port = 1 }, 1);
	wice_bind_udp_set_foreign(a, on_foreign, NULL);
	ck_assert_uint_eq(channel, 99);
	wice_bind_free(a);
	wice_bind_free(b);
	wice_bind_free(NULL);
	close(udp);
	close(tcp);
	close(local);
	close(pipes[0]);
	close(pipes[1]);
	bed_end_done(&end);
}
END_TEST

/* One whose packets the peer's host refuses: the error ends there, and at no cost of others. */
START_TEST(errors_of_a_connected_channel_are_passed_over)
{
	Bed bed;
	if (!bed_init(&bed, kind))
		return;
	struct sockaddr_storage name;
	WiceEndpoint closed, own;
	close(bed_socket("127.0.0.1", &closed));
	socklen_t len = wice__endpoint_to_sockaddr(&closed, &name);
	uint32_t channel;
	int fd = bed_socket("127.0.0.1", &own);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&name, len), 0);
	ck_assert_int_eq(wice_bind_udp_add_channel(bed.a.bind, fd, &channel), 0);
	WiceBindPath path = { .remote = closed, .channel = channel };
	BedPackets packets = bed_equal_packets(1, 3, 148);
	for (int i = 0; i < 10; i++) {
		bed.a.bind->ops->send(bed.a.bind, &path, packets.packets, 1);
		expect_count(&bed.a, 0);
		ck_assert(!bed_wait(bed.a.bind->ops->poll_fd(bed.a.bind, 0), 0));
		bed_ping(&bed.b, &bed.a, 148);
	}
	/* Somebody is there now: the channel works, and none of the packets is lost to an old error. */
	bed.a.bind->ops->send(bed.a.bind, &path, packets.packets, 1);
	int peer = socket(AF_INET, SOCK_DGRAM, 0);
	ck_assert_int_eq(bind(peer, (struct sockaddr *)&name, len), 0);
	bed_send(&bed.a, &path, &packets);
	for (int i = 0; i < 3; i++)
		ck_assert(bed_wait(peer, 60000) && recv(peer, &(char){ 0 }, 1, 0) == 1);
	bed_send_to(peer, &own, packets.packets[0].data, 148);
	expect_count(&bed.a, 1);
	bed_packets_free(&packets);
	close(peer);
	close(fd);
	bed_done(&bed);
}
END_TEST

/* Its owner has asked for more ancillary data than anybody reckons with. */
START_TEST(cut_off_packets_are_counted)
{
	static const int ip_options[] = { IP_RECVTTL, IP_RECVTOS, IP_RECVORIGDSTADDR, IP_PKTINFO };
	Bed bed;
	int on = 1;
	if (!bed_init(&bed, kind))
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(ip_options); i++)
		ck_assert_int_eq(setsockopt(bed.b.fd, IPPROTO_IP, ip_options[i], &on, sizeof on),
				 0);
	ck_assert_int_eq(setsockopt(bed.b.fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on), 0);
	ck_assert_int_eq(setsockopt(bed.b.fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on), 0);
	WiceBindPath path = bed_route(&bed.a, &bed.b);
	BedPackets packets = bed_equal_packets(1, 3, 148);
	bed_send(&bed.a, &path, &packets);
	expect_count(&bed.b, 0);
	ck_assert_uint_ge(bed_counters(&bed.b).rx_truncated, 1);
	ck_assert_uint_eq(bed_counters(&bed.b).rx_packets, 0);
	bed_packets_free(&packets);
	bed_done(&bed);
}
END_TEST

static int dual_socket(uint16_t *ret_port)
{
	struct sockaddr_in6 name = { .sin6_family = AF_INET6 };
	socklen_t len = sizeof name;
	int fd = socket(AF_INET6, SOCK_DGRAM, 0), off = 0;
	ck_assert_int_eq(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&name, &len), 0);
	*ret_port = ntohs(name.sin6_port);
	return fd;
}

/* A socket for both families: what comes from IPv4 is shown as IPv4, and the answer finds back. */
START_TEST(a_channel_may_have_both_families)
{
	Bed bed;
	if (!bed_init(&bed, kind))
		return;
	uint16_t port;
	uint32_t channel;
	int fd = dual_socket(&port);
	ck_assert_int_eq(wice_bind_udp_add_channel(bed.b.bind, fd, &channel), 0);
	WiceEndpoint to = bed.b.address;
	to.port = port;
	WiceBindPath path = { .remote = to, .channel = bed.a.channel }, back;
	BedPackets packets = bed_equal_packets(1, 20, 148);
	bed_send(&bed.a, &path, &packets);
	bed_expect(&bed.b, &packets, &back);
	ck_assert_uint_eq(back.channel, channel);
	ck_assert_int_eq(wice_endpoint_compare(&back.remote, &bed.a.address), 0);
	bed_send(&bed.b, &back, &packets);
	bed_expect(&bed.a, &packets, &back);
	ck_assert_int_eq(wice_endpoint_compare(&back.remote, &to), 0);
	bed_packets_free(&packets);
	close(fd);
	bed_done(&bed);
}
END_TEST

START_TEST(channels_outlive_their_sockets_owner)
{
	Bed bed;
	if (!bed_init(&bed, kind))
		return;
	close(bed.b.fd);
	bed.b.fd = -1;
	bed_ping(&bed.a, &bed.b, 148);
	bed_ping(&bed.b, &bed.a, 148);
	bed_done(&bed);
}
END_TEST

static uint32_t mark_of(int fd)
{
	uint32_t mark = 0xffff;
	socklen_t len = sizeof mark;
	ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_MARK, &mark, &len), 0);
	return mark;
}

START_TEST(channels_have_the_mark_of_their_bind)
{
	BedEnd end = bed_end_new(NULL);
	WiceEndpoint own;
	uint32_t first, second, foreign_mark = 7;
	if (!namespace_enter())
		return;
	int fds[2] = { bed_socket("127.0.0.1", &own), bed_socket("127.0.0.1", &own) };
	ck_assert_int_eq(
		setsockopt(fds[0], SOL_SOCKET, SO_MARK, &foreign_mark, sizeof foreign_mark), 0);
	ck_assert_int_eq(wice_bind_udp_add_channel(end.bind, fds[0], &first), 0);
	ck_assert_int_eq(bed_open(plain_kind, &end, 0), 0);
	ck_assert_uint_eq(mark_of(fds[0]), 7);
	end.bind->ops->close(end.bind);
	ck_assert_int_eq(end.bind->ops->open(end.bind, 0, 4711, 1, &end.port, &end.n_queues), 0);
	ck_assert_int_eq(wice_bind_udp_add_channel(end.bind, fds[1], &second), 0);
	ck_assert_uint_eq(mark_of(fds[0]), 4711);
	ck_assert_uint_eq(mark_of(fds[1]), 4711);
	ck_assert_int_eq(end.bind->ops->set_fwmark(end.bind, 0), 0);
	ck_assert_uint_eq(mark_of(fds[0]), 0);
	ck_assert_uint_eq(mark_of(fds[1]), 0);
	close(fds[0]);
	close(fds[1]);
	bed_end_done(&end);
}
END_TEST

/* Many channels on several queues, each with a packet: all are served, each by one queue. */
START_TEST(many_channels_are_served)
{
	enum { CHANNELS = 200, QUEUES = 3 };
	BedEnd end = bed_end_new(NULL);
	WiceEndpoint own, to[CHANNELS];
	bool seen[CHANNELS] = { false };
	uint32_t numbers[CHANNELS];
	if (!namespace_enter())
		return;
	int sender = bed_socket("127.0.0.1", &own);
	for (int i = 0; i < CHANNELS; i++) {
		int fd = bed_socket("127.0.0.1", &to[i]);
		ck_assert_int_eq(wice_bind_udp_add_channel(end.bind, fd, &numbers[i]), 0);
		close(fd);
	}
	ck_assert_int_eq(end.bind->ops->open(end.bind, 0, 0, QUEUES, &end.port, &end.n_queues), 0);
	uint8_t packet[148] = { 1 };
	for (int i = 0; i < CHANNELS; i++)
		bed_send_to(sender, &to[i], packet, sizeof packet);
	unsigned n = 0, used[QUEUES] = { 0 };
	for (unsigned q = 0; q < QUEUES; q++) {
		WiceBindDatagram datagram;
		while (bed_wait(end.bind->ops->poll_fd(end.bind, q), 0)) {
			if (end.bind->ops->receive(end.bind, q, &datagram, 1) != 1)
				continue;
			for (int i = 0; i < CHANNELS; i++)
				seen[i] |= numbers[i] == datagram.path.channel;
			used[q]++;
			n++;
		}
		ck_assert_uint_gt(used[q], 0);
	}
	ck_assert_uint_eq(n, CHANNELS);
	for (int i = 0; i < CHANNELS; i++)
		ck_assert(seen[i]);
	close(sender);
	bed_end_done(&end);
}
END_TEST

typedef struct {
	Bed bed;
	gint stop;
} Churn;

static void *send_always(void *user_data)
{
	Churn *churn = user_data;
	BedPackets packets = bed_equal_packets(1, 4, 148);
	while (!g_atomic_int_get(&churn->stop)) {
		WiceBindPath path;
		WiceBind *bind = churn->bed.a.bind;
		bind->ops->route(bind, &churn->bed.b.address, &path);
		bind->ops->send(bind, &path, packets.packets, packets.n);
		/* Foreign ones for the other end. */
		bed_send_to(churn->bed.a.fd, &churn->bed.b.address, "hello", 5);
	}
	bed_packets_free(&packets);
	return NULL;
}

static void *receive_always(void *user_data)
{
	Churn *churn = user_data;
	BedReceived received;
	bed_received_init(&received);
	while (!g_atomic_int_get(&churn->stop)) {
		if (bed_wait(churn->bed.b.bind->ops->poll_fd(churn->bed.b.bind, 0), 1))
			bed_receive_rest(&churn->bed.b, 0, &received);
		g_ptr_array_set_size(received.packets, 0);
	}
	bed_received_done(&received);
	return NULL;
}

/* Channels, routes and functions come and go while packets flow. */
START_TEST(channels_may_change_at_any_time)
{
	Churn churn = { .stop = 0 };
	if (!bed_init(&churn.bed, kind))
		return;
	BedEnd *a = &churn.bed.a, *b = &churn.bed.b;
	GThread *sender = g_thread_new("sender", send_always, &churn),
		*receiver = g_thread_new("receiver", receive_always, &churn);
	for (int i = 0; i < 300; i++) {
		Foreign foreign = { 0 };
		wice_bind_udp_set_foreign(b->bind, on_foreign, &foreign);
		wice_bind_udp_remove_channel(a->bind, a->channel);
		wice_bind_udp_remove_channel(b->bind, b->channel);
		ck_assert_int_eq(wice_bind_udp_add_channel(a->bind, a->fd, &a->channel), 0);
		ck_assert_int_eq(wice_bind_udp_add_channel(b->bind, b->fd, &b->channel), 0);
		wice_bind_udp_set_route(a->bind, &b->address, a->channel);
		ck_assert_int_eq(a->bind->ops->set_fwmark(a->bind, (uint32_t)i % 2), 0);
		bed_counters(b);
		wice_bind_udp_set_foreign(b->bind, NULL, NULL);
	}
	g_atomic_int_set(&churn.stop, 1);
	g_thread_join(sender);
	g_thread_join(receiver);
	bed_done(&churn.bed);
}
END_TEST

static void *exchange_channels(void *user_data)
{
	Churn *churn = user_data;
	BedEnd *a = &churn->bed.a;
	while (!g_atomic_int_get(&churn->stop)) {
		wice_bind_udp_remove_channel(a->bind, a->channel);
		ck_assert_int_eq(wice_bind_udp_add_channel(a->bind, a->fd, &a->channel), 0);
	}
	return NULL;
}

/* While it is closed, and while it is being opened and closed. */
START_TEST(channels_do_not_mind_whether_it_is_open)
{
	Churn churn = { .stop = 0 };
	if (!bed_init(&churn.bed, kind))
		return;
	BedEnd *a = &churn.bed.a, *b = &churn.bed.b;
	a->bind->ops->close(a->bind);
	wice_bind_udp_remove_channel(a->bind, a->channel);
	ck_assert_int_eq(wice_bind_udp_add_channel(a->bind, a->fd, &a->channel), 0);
	GThread *thread = g_thread_new("channels", exchange_channels, &churn);
	for (int i = 0; i < 50; i++) {
		ck_assert_int_eq(bed_open(kind, a, 0), 0);
		a->bind->ops->close(a->bind);
	}
	g_atomic_int_set(&churn.stop, 1);
	g_thread_join(thread);
	wice_bind_udp_set_route(a->bind, &b->address, a->channel);
	ck_assert_int_eq(bed_open(kind, a, 0), 0);
	bed_ping(a, b, 148);
	bed_ping(b, a, 148);
	bed_done(&churn.bed);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		foreign_packets_go_to_the_function,
		foreign_packets_are_found_among_others,
		only_channels_have_foreign_packets,
		a_channel_ends_when_it_is_removed,
		a_route_leads_where_it_was_set,
		only_udp_sockets_can_be_channels,
		errors_of_a_connected_channel_are_passed_over,
		cut_off_packets_are_counted,
		a_channel_may_have_both_families,
		channels_outlive_their_sockets_owner,
		channels_have_the_mark_of_their_bind,
		many_channels_are_served,
		channels_may_change_at_any_time,
		channels_do_not_mind_whether_it_is_open,
	};
	return bed_run("bind channel", tests, G_N_ELEMENTS(tests), 1);
}
