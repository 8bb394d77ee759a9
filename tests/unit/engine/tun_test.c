/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two TUN devices in two network namespaces, and the test in between: what is read from one is
 * written to the other. Sockets stay in the namespace that they were made in, so one thread has
 * both ends.
 */
#include "engine/offload.h"

#include <arpa/inet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "engine/tun.h"
#include "suite.h"
#include "unit/engine/frame.h"
#include "unit/event/namespace.h"

#define STREAM_BYTES ((size_t)8 * 1024 * 1024)
#define PATIENCE_US (60 * G_USEC_PER_SEC)

typedef struct {
	WiceTun *tun;
	WicePacketArena arena;
	char name[16];
	int namespace;
	size_t longest; /* packet that came out of it */
} End;

typedef struct {
	End left, right;
} Patch;

/* An older kernel: takes no joined frames. */
static bool refuse_joined;

ssize_t writev(int fd, const struct iovec *pieces, int n)
{
	if (refuse_joined && pieces[0].iov_len > sizeof(WiceVirtioHeader)) {
		errno = EINVAL;
		return -1;
	}
	return syscall(SYS_writev, fd, pieces, n);
}

static void go(const End *end)
{
	ck_assert_int_eq(setns(end->namespace, CLONE_NEWNET), 0);
}

static void start_end(End *end, unsigned number, uint32_t mtu, bool no_offload)
{
	WiceTunOptions options = { .name = "wice%d", .mtu = mtu, .no_offload = no_offload };
	ck_assert_int_eq(wice__tun_open(&options, end->name, &end->tun), 0);
	wice__packet_arena_init(&end->arena, mtu);
	end->namespace = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	ck_assert(namespace_ip("link set %s up", end->name));
	ck_assert(namespace_ip("addr add dev %s 10.9.0.%u/24", end->name, number));
	if (mtu >= 1280)
		ck_assert(namespace_ip("addr add dev %s fd09::%u/64 nodad", end->name, number));
}

static void start(Patch *patch, uint32_t mtu, bool left_plain, bool right_plain)
{
	*patch = (Patch){ 0 };
	start_end(&patch->left, 1, mtu, left_plain);
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	start_end(&patch->right, 2, mtu, right_plain);
}

static void stop_end(End *end)
{
	end->tun->ops->free(end->tun);
	wice__packet_arena_done(&end->arena);
	close(end->namespace);
}

static void stop(Patch *patch)
{
	stop_end(&patch->left);
	stop_end(&patch->right);
}

/* Carries everything that is there. */
static void carry(End *from, End *to)
{
	int r;
	do {
		r = from->tun->ops->read(from->tun, 0, &from->arena);
		if (r == 0)
			continue;
		ck_assert_msg(r == -EAGAIN || r == -ENOBUFS, "%s", strerror(-r));
		for (size_t i = 0; i < from->arena.n; i++)
			from->longest = MAX(from->longest, from->arena.packets[i].length);
		to->tun->ops->write(to->tun, 0, from->arena.packets, from->arena.n);
		wice__packet_arena_empty(&from->arena);
	} while (r != -EAGAIN);
}

static void carry_both(Patch *patch)
{
	struct pollfd fds[] = {
		{ patch->left.tun->ops->poll_fd(patch->left.tun, 0), POLLIN, 0 },
		{ patch->right.tun->ops->poll_fd(patch->right.tun, 0), POLLIN, 0 },
	};
	poll(fds, 2, 10);
	carry(&patch->left, &patch->right);
	carry(&patch->right, &patch->left);
}

static WiceTunCounters counters_of(const End *end)
{
	WiceTunCounters counters;
	end->tun->ops->counters(end->tun, &counters);
	return counters;
}

static int open_socket(const End *end, int type, const char *address, int family)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} name = { .any.sa_family = (sa_family_t)family };
	go(end);
	int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(fd, 0);
	bool v4 = family == AF_INET;
	ck_assert_int_eq(inet_pton(family, address,
				   v4 ? (void *)&name.v4.sin_addr : (void *)&name.v6.sin6_addr),
			 1);
	name.v4.sin_port = htons(7777);
	socklen_t length = v4 ? sizeof name.v4 : sizeof name.v6;
	ck_assert_int_eq(bind(fd, &name.any, length), 0);
	return fd;
}

static void connect_socket(int fd, const char *address, int family)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(7777) };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(7777) };
	inet_pton(family, address,
		  family == AF_INET ? (void *)&v4.sin_addr : (void *)&v6.sin6_addr);
	int r = connect(fd, family == AF_INET ? (void *)&v4 : (void *)&v6,
			family == AF_INET ? sizeof v4 : sizeof v6);
	ck_assert(r == 0 || errno == EINPROGRESS);
}

static int wait_accept(Patch *patch, int listener)
{
	gint64 deadline = g_get_monotonic_time() + PATIENCE_US;
	int fd;
	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) < 0) {
		ck_assert_int_lt(g_get_monotonic_time(), deadline);
		carry_both(patch);
	}
	return fd;
}

static uint8_t stream_byte(size_t at)
{
	return (uint8_t)(at * 2654435761u >> 13);
}

static size_t send_some(int fd, size_t at)
{
	uint8_t data[60000];
	size_t n = MIN(sizeof data, STREAM_BYTES - at);
	for (size_t i = 0; i < n; i++)
		data[i] = stream_byte(at + i);
	ssize_t sent = n ? send(fd, data, n, MSG_NOSIGNAL) : 0;
	return sent > 0 ? (size_t)sent : 0;
}

static size_t receive_some(int fd, size_t at)
{
	uint8_t data[60000];
	ssize_t n = recv(fd, data, sizeof data, 0);
	size_t wrong = 0;
	for (ssize_t i = 0; i < n; i++)
		wrong += data[i] != stream_byte(at + (size_t)i);
	ck_assert_uint_eq(wrong, 0);
	return n > 0 ? (size_t)n : 0;
}

/* From right to left. */
static void stream(Patch *patch, int family)
{
	const char *left = family == AF_INET ? "10.9.0.1" : "fd09::1";
	const char *right = family == AF_INET ? "10.9.0.2" : "fd09::2";
	int listener = open_socket(&patch->left, SOCK_STREAM, left, family);
	int sender = open_socket(&patch->right, SOCK_STREAM, right, family);
	ck_assert_int_eq(listen(listener, 1), 0);
	connect_socket(sender, left, family);
	int receiver = wait_accept(patch, listener);
	gint64 deadline = g_get_monotonic_time() + PATIENCE_US;
	for (size_t sent = 0, received = 0; received < STREAM_BYTES;) {
		sent += send_some(sender, sent);
		carry_both(patch);
		received += receive_some(receiver, received);
		ck_assert_int_lt(g_get_monotonic_time(), deadline);
	}
	close(receiver);
	close(sender);
	close(listener);
}

typedef struct {
	uint32_t mtu;
	bool left_plain, right_plain;
} StreamCase;

static const StreamCase stream_cases[] = {
	{ 576, false, false },   { 1420, false, false }, { 9000, false, false },
	{ 65535, false, false }, { 1420, true, true },   { 9000, true, true },
	{ 65535, true, true },   { 1420, true, false },  { 1420, false, true },
};

START_TEST(streams)
{
	const StreamCase *c = &stream_cases[_i];
	Patch patch;
	if (!namespace_enter_with_tun())
		return;
	start(&patch, c->mtu, c->left_plain, c->right_plain);
	stream(&patch, AF_INET);
	if (c->mtu >= 1280)
		stream(&patch, AF_INET6);
	WiceTunCounters left = counters_of(&patch.left), right = counters_of(&patch.right);
	ck_assert_uint_le(patch.right.longest, c->mtu);
	ck_assert_uint_eq(left.tcp_offload, !c->left_plain);
	ck_assert_uint_eq(left.rx_malformed + right.rx_malformed, 0);
	ck_assert_uint_eq(left.tx_dropped + right.tx_dropped, 0);
	ck_assert_uint_eq(left.gso_fallbacks + right.gso_fallbacks, 0);
	ck_assert_uint_eq(right.rx_packets, left.tx_packets);
	if (!c->left_plain && c->mtu < 9000)
		ck_assert_uint_gt(left.tx_packets, 4 * left.tx_frames);
	if (c->right_plain)
		ck_assert_uint_eq(right.rx_packets, right.rx_frames);
	else if (c->mtu < 9000)
		ck_assert_uint_gt(right.rx_packets, 4 * right.rx_frames);
	stop(&patch);
}
END_TEST

START_TEST(joined_frames_that_are_refused_go_one_by_one)
{
	Patch patch;
	if (!namespace_enter_with_tun())
		return;
	start(&patch, 1420, false, false);
	refuse_joined = true;
	stream(&patch, AF_INET);
	WiceTunCounters left = counters_of(&patch.left);
	ck_assert_uint_ge(left.gso_fallbacks, 1);
	ck_assert_uint_le(left.gso_fallbacks, 64);
	ck_assert(!left.tcp_offload);
	ck_assert_uint_eq(left.tx_packets, left.tx_frames);
	ck_assert_uint_eq(left.tx_dropped, 0);
	stop(&patch);
}
END_TEST

/* Returns how many arrived; each must be whole. */
static size_t receive_datagrams(int fd, size_t size)
{
	uint8_t data[2000];
	ssize_t n;
	size_t count = 0;
	while ((n = recv(fd, data, sizeof data, 0)) >= 0) {
		ck_assert_uint_eq((size_t)n, size);
		ck_assert_uint_eq(data[0], data[size - 1]);
		count++;
	}
	return count;
}

START_TEST(segments_of_udp)
{
	enum { SIZE = 1000, SEGMENTS = 40, CALLS = 10 };
	static uint8_t data[SIZE * SEGMENTS];
	int size = SIZE;
	Patch patch;
	if (!namespace_enter_with_tun())
		return;
	start(&patch, 1420, false, false);
	int receiver = open_socket(&patch.left, SOCK_DGRAM, "10.9.0.1", AF_INET);
	int sender = open_socket(&patch.right, SOCK_DGRAM, "10.9.0.2", AF_INET);
	connect_socket(sender, "10.9.0.1", AF_INET);
	ck_assert_int_eq(setsockopt(sender, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size), 0);
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i / SIZE);
	gint64 deadline = g_get_monotonic_time() + PATIENCE_US;
	size_t received = 0;
	for (int i = 0; i < CALLS; i++) {
		ck_assert_int_eq(send(sender, data, sizeof data, 0), sizeof data);
		do {
			carry_both(&patch);
			received += receive_datagrams(receiver, SIZE);
			ck_assert_int_lt(g_get_monotonic_time(), deadline);
		} while (received < (size_t)(i + 1) * SEGMENTS);
	}
	WiceTunCounters left = counters_of(&patch.left), right = counters_of(&patch.right);
	if (right.udp_offload) {
		ck_assert_uint_gt(right.rx_packets, 4 * right.rx_frames);
		ck_assert_uint_gt(left.tx_packets, 4 * left.tx_frames);
	} else {
		printf("This kernel has no segmentation of UDP for TUN devices\n");
	}
	ck_assert_uint_eq(left.tx_dropped, 0);
	close(sender);
	close(receiver);
	stop(&patch);
}
END_TEST

START_TEST(a_device_that_is_deleted_is_a_lasting_error)
{
	WiceTunOptions options = { .name = "wice%d" };
	uint8_t data[100];
	Frame frame = { .payload = 50 };
	End end = { 0 };
	if (!namespace_enter_with_tun())
		return;
	ck_assert_int_eq(wice__tun_open(&options, end.name, &end.tun), 0);
	wice__packet_arena_init(&end.arena, 1500);
	ck_assert(namespace_ip("link del %s", end.name));
	struct pollfd poll_fd = { end.tun->ops->poll_fd(end.tun, 0), POLLIN, 0 };
	ck_assert_int_eq(poll(&poll_fd, 1, 60000), 1);
	for (int i = 0; i < 3; i++) {
		int r = end.tun->ops->read(end.tun, 0, &end.arena);
		ck_assert(r < 0 && r != -EAGAIN && r != -ENOBUFS);
	}
	WicePacket packet = { data, (uint32_t)frame_make(&frame, data) };
	end.tun->ops->write(end.tun, 0, &packet, 1);
	ck_assert_uint_eq(counters_of(&end).tx_dropped, 1);
	end.tun->ops->free(end.tun);
	wice__packet_arena_done(&end.arena);
}
END_TEST

START_TEST(an_interface_that_is_down_drops)
{
	for (int no_offload = 0; no_offload < 2; no_offload++) {
		WiceTunOptions options = { .name = "wice%d", .no_offload = no_offload };
		uint8_t data[2][200];
		Frame frame = { .payload = 50 };
		WicePacket packets[2];
		End end = { 0 };
		if (!namespace_enter_with_tun())
			return;
		ck_assert_int_eq(wice__tun_open(&options, end.name, &end.tun), 0);
		for (size_t i = 0; i < 2; i++, frame.seq += 50)
			packets[i] = (WicePacket){ data[i], (uint32_t)frame_make(&frame, data[i]) };
		end.tun->ops->write(end.tun, 0, packets, 2);
		WiceTunCounters counters = counters_of(&end);
		ck_assert_uint_eq(counters.tx_dropped, 2);
		ck_assert_uint_eq(counters.tx_packets, 0);
		ck_assert_uint_eq(counters.gso_fallbacks, 0);
		end.tun->ops->free(end.tun);
	}
}
END_TEST

static int ask_interface(const char *name, unsigned long what)
{
	struct ifreq request = { 0 };
	g_strlcpy(request.ifr_name, name, sizeof request.ifr_name);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int r = ioctl(fd, what, &request);
	close(fd);
	return r < 0 ? -errno : request.ifr_mtu;
}

START_TEST(names_and_mtus)
{
	char name[16], other[16] = "untouched";
	WiceTun *tun, *second = NULL;
	if (!namespace_enter_with_tun())
		return;
	WiceTunOptions options = { .name = "wg7", .mtu = 1280 };
	ck_assert_int_eq(wice__tun_open(&options, name, &tun), 0);
	ck_assert_str_eq(name, "wg7");
	ck_assert_int_eq(ask_interface("wg7", SIOCGIFMTU), 1280);
	int r = wice__tun_open(&options, other, &second);
	ck_assert(r == -EBUSY || r == -EEXIST);
	ck_assert(namespace_ip("tuntap add mode tun name foreign"));
	options.name = "foreign";
	ck_assert_int_eq(wice__tun_open(&options, other, &second), -EBUSY);
	options.name = "lo";
	ck_assert_int_lt(wice__tun_open(&options, other, &second), 0);
	options.name = "a-name-too-long-";
	ck_assert_int_eq(wice__tun_open(&options, other, &second), -EINVAL);
	options = (WiceTunOptions){ .name = "wg8", .n_queues = 257 };
	ck_assert_int_eq(wice__tun_open(&options, other, &second), -EINVAL);
	options = (WiceTunOptions){ .name = "wg8", .mtu = 70000 };
	ck_assert_int_eq(wice__tun_open(&options, other, &second), -EINVAL);
	ck_assert_int_eq(ask_interface("wg8", SIOCGIFMTU), -ENODEV);
	ck_assert_str_eq(other, "untouched");
	ck_assert_ptr_null(second);
	options = (WiceTunOptions){ 0 };
	ck_assert_int_eq(wice__tun_open(&options, other, &second), 0);
	ck_assert_int_ge(ask_interface(other, SIOCGIFMTU), 0);
	second->ops->free(second);
	tun->ops->free(tun);
	ck_assert_int_eq(ask_interface("wg7", SIOCGIFMTU), -ENODEV);
}
END_TEST

static int open_foreign(short flags)
{
	struct ifreq request = { .ifr_name = "foreign", .ifr_flags = flags };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(ioctl(fd, TUNSETIFF, &request), 0);
	return fd;
}

START_TEST(devices_of_others_are_adopted)
{
	static const struct {
		short flags;
		bool no_offload, tcp;
		int error;
	} cases[] = {
		{ IFF_TUN | IFF_NO_PI, false, false, 0 },
		{ IFF_TUN | IFF_NO_PI | IFF_VNET_HDR, false, true, 0 },
		{ IFF_TUN | IFF_NO_PI | IFF_VNET_HDR, true, false, 0 },
		{ IFF_TAP | IFF_NO_PI, false, false, -EINVAL },
	};
	if (!namespace_enter_with_tun())
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		char name[16] = "";
		End end = { 0 };
		int fd = open_foreign(cases[i].flags);
		int r = wice__tun_adopt(fd, cases[i].no_offload, name, &end.tun);
		ck_assert_int_eq(r, cases[i].error);
		if (r < 0) {
			ck_assert_int_eq(close(fd), 0);
			continue;
		}
		ck_assert_str_eq(name, "foreign");
		ck_assert_int_eq(end.tun->ops->poll_fd(end.tun, 0), fd);
		wice__packet_arena_init(&end.arena, 1500);
		ck_assert_int_eq(end.tun->ops->read(end.tun, 0, &end.arena), -EAGAIN);
		ck_assert_uint_eq(counters_of(&end).tcp_offload, cases[i].tcp);
		wice__packet_arena_done(&end.arena);
		end.tun->ops->free(end.tun);
	}
	char name[16];
	WiceTun *tun;
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	ck_assert_int_lt(wice__tun_adopt(fd, false, name, &tun), 0);
	close(fd);
}
END_TEST

START_TEST(queues_are_of_one_interface)
{
	enum { N = 3 };
	WiceTunOptions options = { .name = "wg7", .n_queues = N, .mtu = 1420 };
	Frame frame = { .payload = 100, .udp = true };
	uint8_t data[200];
	End end = { 0 };
	if (!namespace_enter_with_tun())
		return;
	ck_assert_int_eq(wice__tun_open(&options, end.name, &end.tun), 0);
	ck_assert_uint_eq(end.tun->n_queues, N);
	wice__packet_arena_init(&end.arena, 1420);
	ck_assert(namespace_ip("link set wg7 up"));
	WicePacket packet = { data, (uint32_t)frame_make(&frame, data) };
	for (unsigned queue = 0; queue < N; queue++) {
		end.tun->ops->write(end.tun, queue, &packet, 1);
		int r;
		while ((r = end.tun->ops->read(end.tun, queue, &end.arena)) == 0)
			wice__packet_arena_empty(&end.arena);
		ck_assert_int_eq(r, -EAGAIN);
	}
	ck_assert_uint_eq(counters_of(&end).tx_packets, N);
	wice__packet_arena_done(&end.arena);
	end.tun->ops->free(end.tun);
	ck_assert_int_eq(ask_interface("wg7", SIOCGIFMTU), -ENODEV);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("engine tun");
	TCase *tcase = tcase_create("tun");
	tcase_set_timeout(tcase, SUITE_TIMEOUT_S);
	tcase_add_loop_test(tcase, streams, 0, G_N_ELEMENTS(stream_cases));
	tcase_add_test(tcase, joined_frames_that_are_refused_go_one_by_one);
	tcase_add_test(tcase, segments_of_udp);
	tcase_add_test(tcase, a_device_that_is_deleted_is_a_lasting_error);
	tcase_add_test(tcase, an_interface_that_is_down_drops);
	tcase_add_test(tcase, names_and_mtus);
	tcase_add_test(tcase, devices_of_others_are_adopted);
	tcase_add_test(tcase, queues_are_of_one_interface);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
