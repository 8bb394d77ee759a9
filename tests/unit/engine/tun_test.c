/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two TUN devices in two network namespaces, and the test in between: what is read from one is
 * written to the other. Sockets stay in the namespace that they were made in, so one thread has
 * both ends.
 */
#include "engine/tun.h"
#include "suite.h"
#include "unit/engine/frame.h"
#include "unit/event/namespace.h"

#include <arpa/inet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>

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

/* Whether this machine lets us make such devices. */
static bool can_test(void)
{
	if (geteuid() != 0) {
		printf("Skipped: TUN devices need root\n");
		return false;
	}
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		printf("Skipped: /dev/net/tun: %s\n", strerror(errno));
		return false;
	}
	close(fd);
	return namespace_enter();
}

static void go(const End *end)
{
	ck_assert_int_eq(setns(end->namespace, CLONE_NEWNET), 0);
}

G_GNUC_PRINTF(1, 2) static void run_ip(const char *format, ...)
{
	va_list list;
	va_start(list, format);
	g_autofree char *arguments = g_strdup_vprintf(format, list);
	va_end(list);
	ck_assert_msg(namespace_ip(arguments), "%s", arguments);
}

static void start_end(End *end, unsigned number, uint32_t mtu, bool no_offload)
{
	WiceTunOptions options = { .name = "wice%d", .mtu = mtu, .no_offload = no_offload };
	ck_assert_int_eq(wice__tun_open(&options, end->name, &end->tun), 0);
	wice__packet_arena_init(&end->arena, mtu);
	end->namespace = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	run_ip("link set %s up", end->name);
	run_ip("addr add dev %s 10.9.0.%u/24", end->name, number);
	if (mtu >= 1280)
		run_ip("addr add dev %s fd09::%u/64 nodad", end->name, number);
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
static bool carry(End *from, End *to)
{
	bool any = false;
	int r;
	do {
		r = from->tun->ops->read(from->tun, 0, &from->arena);
		if (r == 0)
			continue;
		ck_assert_msg(r == -EAGAIN || r == -ENOBUFS, "%s", strerror(-r));
		for (size_t i = 0; i < from->arena.n; i++)
			from->longest = MAX(from->longest, from->arena.packets[i].length);
		to->tun->ops->write(to->tun, 0, from->arena.packets, from->arena.n);
		any |= from->arena.n > 0;
		wice__packet_arena_empty(&from->arena);
	} while (r != -EAGAIN);
	return any;
}

static void carry_both(Patch *patch)
{
	struct pollfd fds[] = {
		{ patch->left.tun->ops->poll_fd(patch->left.tun, 0), POLLIN, 0 },
		{ patch->right.tun->ops->poll_fd(patch->right.tun, 0), POLLIN, 0 },
	};
	poll(fds, 2, 10);
	bool any = carry(&patch->left, &patch->right);
	any |= carry(&patch->right, &patch->left);
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
	if (!can_test())
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
	if (c->right_plain)
		ck_assert_uint_eq(right.rx_packets, right.rx_frames);
	else if (c->mtu < 9000)
		ck_assert_uint_gt(right.rx_packets, 4 * right.rx_frames);
	stop(&patch);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("engine tun");
	TCase *tcase = tcase_create("tun");
	tcase_set_timeout(tcase, SUITE_TIMEOUT_S);
	tcase_add_loop_test(tcase, streams, 0, G_N_ELEMENTS(stream_cases));
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
