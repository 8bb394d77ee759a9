/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "bed.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "event/sockaddr.h"
#include "suite.h"
#include "unit/event/namespace.h"

/* What UDP binds promise beyond what all do: ports, addresses, marks, offloads, errors. */

static const BedKind *const kind4 = &bed_kinds[0], *const kind6 = &bed_kinds[1];

static WiceEndpoint endpoint(const char *address, uint16_t port)
{
	WiceEndpoint result = { .port = port };
	ck_assert(wice_address_parse(address, &result.address));
	return result;
}

static int bind_socket(WiceFamily family, uint16_t port, bool reuse)
{
	int fd = socket(family == WICE_FAMILY_IPV4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0), on = 1;
	struct sockaddr_storage name;
	WiceEndpoint any = { .address.family = family, .port = port };
	ck_assert_int_ge(fd, 0);
	if (family == WICE_FAMILY_IPV6)
		ck_assert_int_eq(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on), 0);
	if (reuse)
		ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on), 0);
	socklen_t len = wice__endpoint_to_sockaddr(&any, &name);
	if (bind(fd, (struct sockaddr *)&name, len) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Returns the length of what a plain socket receives, and from where. */
static ssize_t receive_from(int fd, WiceEndpoint *ret_source)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof name;
	uint8_t data[2048];
	if (!bed_wait(fd, 60000))
		return -1;
	ssize_t n = recvfrom(fd, data, sizeof data, 0, (struct sockaddr *)&name, &len);
	ck_assert(wice__endpoint_from_sockaddr((struct sockaddr *)&name, len, ret_source));
	return n;
}

START_TEST(both_families_have_one_port)
{
	if (!namespace_enter())
		return;
	for (int i = 0; i < 20; i++) {
		BedEnd end = bed_end_new(NULL);
		ck_assert_int_eq(bed_open(kind4, &end, 0), 0);
		ck_assert_int_eq(bind_socket(WICE_FAMILY_IPV4, end.port, false), -1);
		ck_assert_int_eq(bind_socket(WICE_FAMILY_IPV6, end.port, false), -1);
		end.bind->ops->close(end.bind);
		int fd4 = bind_socket(WICE_FAMILY_IPV4, end.port, false),
		    fd6 = bind_socket(WICE_FAMILY_IPV6, end.port, false);
		ck_assert_int_ge(fd4, 0);
		ck_assert_int_ge(fd6, 0);
		close(fd4);
		close(fd6);
		bed_end_done(&end);
	}
}
END_TEST

/* Half of all ports are taken for IPv6: one that is free for both is found all the same. */
START_TEST(any_port_is_free_for_both)
{
	if (!namespace_enter() ||
	    !namespace_write("/proc/sys/net/ipv4/ip_local_port_range", "40000 40099"))
		return;
	int fds[50];
	for (uint16_t i = 0; i < G_N_ELEMENTS(fds); i++)
		fds[i] = bind_socket(WICE_FAMILY_IPV6, 40000 + 2 * i, false);
	for (int i = 0; i < 20; i++) {
		BedEnd end = bed_end_new(NULL);
		ck_assert_int_eq(bed_open(kind4, &end, 0), 0);
		ck_assert_uint_eq(end.port % 2, 1);
		bed_end_done(&end);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
		close(fds[i]);
}
END_TEST

/* Also by somebody who would share it; and nothing is left open then. */
START_TEST(a_port_in_use_is_refused)
{
	if (!namespace_enter())
		return;
	for (int i = 0; i < 8; i++) {
		WiceFamily family = i & 1 ? WICE_FAMILY_IPV4 : WICE_FAMILY_IPV6;
		WiceFamily other = i & 1 ? WICE_FAMILY_IPV6 : WICE_FAMILY_IPV4;
		bool shares = i & 2;
		unsigned n_queues = i & 4 ? 2 : 1, got = 99;
		uint16_t port = 99;
		int fd = bind_socket(family, 40000, shares);
		BedEnd end = bed_end_new(NULL);
		ck_assert_int_eq(end.bind->ops->open(end.bind, 40000, 0, n_queues, &port, &got),
				 -EADDRINUSE);
		ck_assert_uint_eq(port, 99);
		ck_assert_uint_eq(got, 99);
		int free_one = bind_socket(other, 40000, false);
		ck_assert_int_ge(free_one, 0);
		close(free_one);
		close(fd);
		ck_assert_int_eq(bed_open(kind4, &end, 40000), 0);
		ck_assert_uint_eq(end.port, 40000);
		bed_end_done(&end);
	}
}
END_TEST

/* From now on socket() fails for a family, as where the system was built without it. */
static bool refuse_family(int domain)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)domain, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { G_N_ELEMENTS(code), code };
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

START_TEST(one_family_is_enough)
{
	Bed bed = { .kind = _i ? kind6 : kind4 };
	if (!namespace_enter())
		return;
	if (!refuse_family(_i ? AF_INET : AF_INET6)) {
		puts("skipped: no seccomp");
		return;
	}
	bed.a = bed_end_new(NULL);
	bed.b = bed_end_new(NULL);
	ck_assert_int_eq(bed_open(bed.kind, &bed.a, 0), 0);
	ck_assert_int_eq(bed_open(bed.kind, &bed.b, 0), 0);
	bed_ping(&bed.a, &bed.b, 148);
	WiceBindPath path = { .remote = endpoint(_i ? "127.0.0.1" : "::1", bed.b.port) };
	BedPackets packets = bed_equal_packets(1, 3, 148);
	ck_assert_int_eq(bed.a.bind->ops->send(bed.a.bind, &path, packets.packets, 3),
			 -EAFNOSUPPORT);
	ck_assert_uint_eq(bed_counters(&bed.a).tx_dropped, 3);
	bed.a.bind->ops->close(bed.a.bind);
	ck_assert(refuse_family(_i ? AF_INET6 : AF_INET));
	ck_assert_int_eq(bed_open(bed.kind, &bed.a, 0), -EAFNOSUPPORT);
	bed_packets_free(&packets);
	bed_done(&bed);
}
END_TEST

/* The packets of a sender come at one queue, and all queues work. */
START_TEST(queues_share_the_senders)
{
	enum { QUEUES = 4, SENDERS = 64 };
	BedEnd end = bed_end_new(NULL);
	BedReceived received[QUEUES];
	unsigned n = 0, n_used = 0;
	if (!namespace_enter())
		return;
	ck_assert_int_eq(end.bind->ops->open(end.bind, 0, 0, QUEUES, &end.port, &end.n_queues), 0);
	ck_assert_uint_eq(end.n_queues, QUEUES);
	ck_assert_int_eq(end.bind->ops->poll_fd(end.bind, QUEUES), -1);
	WiceEndpoint to = endpoint("127.0.0.1", end.port);
	for (int i = 0; i < SENDERS; i++) {
		WiceEndpoint own;
		int fd = bed_socket("127.0.0.1", &own);
		bed_send_to(fd, &to, "one", 3);
		bed_send_to(fd, &to, "two", 3);
		close(fd);
	}
	for (unsigned q = 0; q < QUEUES; q++) {
		bed_received_init(&received[q]);
		bed_receive_rest(&end, q, &received[q]);
		ck_assert_uint_eq(received[q].packets->len % 2, 0);
		n += received[q].packets->len;
		n_used += received[q].packets->len > 0;
		bed_received_done(&received[q]);
	}
	ck_assert_uint_eq(n, 2 * SENDERS);
	ck_assert_uint_ge(n_used, 2);
	bed_end_done(&end);
}
END_TEST

typedef struct {
	int fds[8];
	unsigned n;
	bool refuse;
} Protected;

static bool protect(int fd, void *user_data)
{
	Protected *seen = user_data;
	struct sockaddr_in6 name;
	socklen_t len = sizeof name;
	/* Not in use yet. */
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&name, &len), 0);
	ck_assert_uint_eq(name.sin6_port, 0);
	seen->fds[seen->n++] = fd;
	return !seen->refuse;
}

static uint32_t mark_of(int fd)
{
	uint32_t mark = 0xffff;
	socklen_t len = sizeof mark;
	ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_MARK, &mark, &len), 0);
	return mark;
}

START_TEST(every_socket_is_protected_and_marked)
{
	Protected seen = { 0 };
	WiceBindUdpOptions options = { sizeof options, protect, &seen, false, false };
	BedEnd end = bed_end_new(&options);
	if (!namespace_enter())
		return;
	ck_assert_int_eq(end.bind->ops->open(end.bind, 0, 4711, 2, &end.port, &end.n_queues), 0);
	ck_assert_uint_eq(seen.n, 4);
	for (unsigned i = 0; i < seen.n; i++)
		ck_assert_uint_eq(mark_of(seen.fds[i]), 4711);
	ck_assert_int_eq(end.bind->ops->set_fwmark(end.bind, 12), 0);
	for (unsigned i = 0; i < seen.n; i++)
		ck_assert_uint_eq(mark_of(seen.fds[i]), 12);
	ck_assert_int_eq(end.bind->ops->set_fwmark(end.bind, 0), 0);
	for (unsigned i = 0; i < seen.n; i++)
		ck_assert_uint_eq(mark_of(seen.fds[i]), 0);
	end.bind->ops->close(end.bind);
	seen = (Protected){ .refuse = true };
	ck_assert_int_eq(bed_open(kind4, &end, 0), -EPERM);
	ck_assert_uint_eq(seen.n, 1);
	ck_assert_int_eq(fcntl(seen.fds[0], F_GETFD), -1);
	seen = (Protected){ 0 };
	ck_assert_int_eq(bed_open(kind4, &end, 0), 0);
	bed_end_done(&end);
}
END_TEST

/* The kernel's WireGuard sends packets that may be fragmented, and so do we: no path is a hole. */
START_TEST(packets_may_be_fragmented)
{
	Protected seen = { 0 };
	WiceBindUdpOptions options = { sizeof options, protect, &seen, false, false };
	BedEnd end = bed_end_new(&options);
	if (!namespace_enter())
		return;
	ck_assert_int_eq(bed_open(kind4, &end, 0), 0);
	for (unsigned i = 0; i < 2; i++) {
		int value = -1;
		socklen_t len = sizeof value;
		ck_assert_int_eq(getsockopt(seen.fds[i], i ? IPPROTO_IPV6 : IPPROTO_IP,
					    i ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER, &value, &len),
				 0);
		ck_assert_int_eq(value, i ? IPV6_PMTUDISC_DONT : IP_PMTUDISC_DONT);
	}
	bed_end_done(&end);
}
END_TEST

/* Two addresses of ours; a remote that talks to the second one. */
typedef struct {
	int fd;
	WiceEndpoint remote, second;
	BedEnd end;
	WiceBindPath path; /* that of what has come from the remote */
} Sticky;

static const char *const stickies[2][3] = {
	{ "192.0.2.1", "192.0.2.2", "192.0.2.3" },
	{ "2001:db8::1", "2001:db8::2", "2001:db8::3" },
};

static bool sticky_init(Sticky *sticky, int family, const WiceBindUdpOptions *options)
{
	char command[64];
	if (!namespace_enter())
		return false;
	for (int i = 0; i < 3; i++) {
		snprintf(command, sizeof command, "addr add dev lo %s/%s", stickies[family][i],
			 family ? "128 nodad" : "32");
		ck_assert(bed_ip(command));
	}
	sticky->end = bed_end_new(options);
	ck_assert_int_eq(bed_open(family ? kind6 : kind4, &sticky->end, 0), 0);
	sticky->fd = bed_socket(stickies[family][0], &sticky->remote);
	sticky->second = endpoint(stickies[family][1], sticky->end.port);
	BedReceived received;
	bed_received_init(&received);
	bed_send_to(sticky->fd, &sticky->second, "hello", 5);
	ck_assert(bed_receive(&sticky->end, 0, &received, 1));
	sticky->path = received.path;
	ck_assert_int_eq(wice_endpoint_compare(&sticky->path.remote, &sticky->remote), 0);
	bed_received_done(&received);
	return true;
}

static void sticky_done(Sticky *sticky)
{
	close(sticky->fd);
	bed_end_done(&sticky->end);
}

/* Sends n packets; all come to the remote. From where? */
static WiceEndpoint answer(Sticky *sticky, size_t n)
{
	WiceEndpoint source = { 0 };
	BedPackets packets = bed_equal_packets(1, n, 148);
	bed_send(&sticky->end, &sticky->path, &packets);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(receive_from(sticky->fd, &source), 148);
	ck_assert(!bed_wait(sticky->fd, 0));
	bed_packets_free(&packets);
	return source;
}

START_TEST(answers_leave_from_the_address_that_was_asked)
{
	Sticky sticky;
	if (!sticky_init(&sticky, _i, NULL))
		return;
	ck_assert_int_eq(wice_address_compare(&sticky.path.local, &sticky.second.address), 0);
	ck_assert_uint_eq(sticky.path.ifindex, if_nametoindex("lo"));
	for (size_t n = 1; n <= 64; n += 63) {
		WiceEndpoint source = answer(&sticky, n);
		ck_assert_int_eq(wice_endpoint_compare(&source, &sticky.second), 0);
	}
	/* Without one, the system's choice is another. */
	sticky.path.local = (WiceAddress){ 0 };
	WiceEndpoint source = answer(&sticky, 1);
	ck_assert_int_ne(wice_endpoint_compare(&source, &sticky.second), 0);
	ck_assert_uint_eq(bed_counters(&sticky.end).source_cleared, 0);
	sticky_done(&sticky);
}
END_TEST

START_TEST(sources_are_not_kept_if_not_wanted)
{
	WiceBindUdpOptions options = { .size = sizeof options, .no_sticky = true };
	Sticky sticky;
	if (!sticky_init(&sticky, _i, &options))
		return;
	ck_assert_int_eq(sticky.path.local.family, WICE_FAMILY_NONE);
	ck_assert_uint_eq(sticky.path.ifindex, 0);
	WiceEndpoint source = answer(&sticky, 2);
	ck_assert_int_ne(wice_endpoint_compare(&source, &sticky.second), 0);
	sticky_done(&sticky);
}
END_TEST

START_TEST(a_source_that_is_gone_is_cleared)
{
	static const size_t sizes[] = { 1, 64 };
	Sticky sticky;
	char command[64];
	if (!sticky_init(&sticky, _i, NULL))
		return;
	WiceBindPath before = sticky.path;
	snprintf(command, sizeof command, "addr del dev lo %s/%s", stickies[_i][1],
		 _i ? "128" : "32");
	ck_assert(bed_ip(command));
	for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
		sticky.path = before;
		WiceEndpoint source = answer(&sticky, sizes[i]);
		ck_assert_int_ne(wice_endpoint_compare(&source, &sticky.second), 0);
		ck_assert_int_eq(sticky.path.local.family, WICE_FAMILY_NONE);
		ck_assert_uint_eq(sticky.path.ifindex, 0);
		ck_assert_uint_eq(bed_counters(&sticky.end).source_cleared, i + 1);
	}
	/* An interface that is gone. */
	sticky.path.local = endpoint(stickies[_i][2], 1).address;
	sticky.path.ifindex = 4711;
	answer(&sticky, 3);
	ck_assert_int_eq(sticky.path.local.family, WICE_FAMILY_NONE);
	WiceBindCounters counters = bed_counters(&sticky.end);
	ck_assert_uint_eq(counters.source_cleared, 3);
	ck_assert_uint_eq(counters.tx_dropped, 0);
	ck_assert_uint_eq(counters.gso_fallbacks, 0);
	sticky_done(&sticky);
}
END_TEST

/* A path whose source is of the other family must not stop anything. */
START_TEST(a_source_of_the_wrong_family_does_not_matter)
{
	Sticky sticky;
	if (!sticky_init(&sticky, _i, NULL))
		return;
	sticky.path.local = endpoint(stickies[!_i][0], 1).address;
	answer(&sticky, 3);
	sticky_done(&sticky);
}
END_TEST

START_TEST(scopes_of_link_local_addresses_are_kept)
{
	Bed bed;
	if (!bed_init(&bed, kind6))
		return;
	if (bed_ip("link add wire type dummy") && bed_ip("addr add fe80::1/64 dev wire nodad") &&
	    bed_ip("link set wire up")) {
		WiceEndpoint to = endpoint("fe80::1", bed.b.port);
		to.scope = if_nametoindex("wire");
		WiceBindPath path = { .remote = to }, back;
		BedPackets packets = bed_equal_packets(1, 2, 148);
		bed_send(&bed.a, &path, &packets);
		bed_expect(&bed.b, &packets, &back);
		ck_assert_uint_eq(back.remote.scope, to.scope);
		ck_assert_int_eq(wice_address_compare(&back.local, &to.address), 0);
		bed_send(&bed.b, &back, &packets);
		bed_expect(&bed.a, &packets, NULL);
		ck_assert_uint_eq(bed_counters(&bed.b).source_cleared, 0);
		bed_packets_free(&packets);
	}
	bed_done(&bed);
}
END_TEST

START_TEST(an_interface_that_is_down_is_survived)
{
	Bed bed;
	if (!bed_init(&bed, _i ? kind6 : kind4))
		return;
	WiceBindPath path = bed_route(&bed.a, &bed.b);
	BedPackets packets = bed_equal_packets(1, 40, 500);
	ck_assert(bed_ip("link set lo down"));
	bed.a.bind->ops->send(bed.a.bind, &path, packets.packets, 40);
	ck_assert(!bed_wait(bed.b.bind->ops->poll_fd(bed.b.bind, 0), 0));
	ck_assert(bed_ip("link set lo up"));
	bed_send(&bed.a, &path, &packets);
	bed_expect(&bed.b, &packets, NULL);
	bed_packets_free(&packets);
	bed_done(&bed);
}
END_TEST

START_TEST(a_network_without_a_route_is_an_error)
{
	Bed bed;
	if (!bed_init(&bed, _i ? kind6 : kind4))
		return;
	WiceBindPath path = { .remote = endpoint(_i ? "2001:db8:1::1" : "203.0.113.1", 9) };
	BedPackets packets = bed_equal_packets(1, 40, 500);
	ck_assert_int_eq(bed.a.bind->ops->send(bed.a.bind, &path, packets.packets, 40),
			 -ENETUNREACH);
	ck_assert_uint_eq(bed_counters(&bed.a).tx_dropped, 40);
	ck_assert_uint_eq(bed_counters(&bed.a).tx_packets, 0);
	bed_ping(&bed.a, &bed.b, 148);
	bed_packets_free(&packets);
	bed_done(&bed);
}
END_TEST

/* Segmentation is what makes batches cheap: here it must be in use. */
START_TEST(segments_are_used_where_they_may_be)
{
	Bed bed;
	if (!bed_init(&bed, &bed_kinds[_i]))
		return;
	bool expected = !bed.kind->no_segmentation;
	WiceBindPath path = bed_route(&bed.a, &bed.b);
	BedPackets packets = bed_equal_packets(1, 40, 1452);
	bed_send(&bed.a, &path, &packets);
	BedReceived received;
	bed_received_init(&received);
	ck_assert(bed_receive(&bed.b, 0, &received, 40));
	ck_assert_uint_eq(received.n_datagrams, expected ? 1 : 40);
	ck_assert_uint_eq(bed_counters(&bed.a).tx_calls, 1);
	/* One who has not asked for it gets packets. */
	WiceEndpoint plain, source;
	int fd = bed_socket(bed.kind->family == WICE_FAMILY_IPV4 ? "127.0.0.1" : "::1", &plain);
	path.remote = plain;
	bed_send(&bed.a, &path, &packets);
	for (int i = 0; i < 40; i++)
		ck_assert_int_eq(receive_from(fd, &source), 1452);
	close(fd);
	bed_received_done(&received);
	bed_packets_free(&packets);
	bed_done(&bed);
}
END_TEST

/* One by one then, fragmented; other sizes are joined as before, also on later paths. */
START_TEST(packets_beyond_the_mtu_arrive)
{
	Bed bed;
	if (!bed_init(&bed, _i ? kind6 : kind4))
		return;
	ck_assert(bed_ip("link set lo mtu 1300"));
	WiceBindPath path = bed_route(&bed.a, &bed.b);
	BedPackets large = bed_equal_packets(1, 40, 1452), small = bed_equal_packets(1, 40, 1200);
	for (unsigned i = 1; i < 3; i++) {
		bed_send(&bed.a, &path, &large);
		bed_expect(&bed.b, &large, NULL);
		ck_assert_uint_eq(bed_counters(&bed.a).gso_fallbacks, i);
		uint64_t calls = bed_counters(&bed.a).tx_calls;
		bed_send(&bed.a, &path, &small);
		bed_expect(&bed.b, &small, NULL);
		ck_assert_uint_eq(bed_counters(&bed.a).tx_calls, calls + 1);
		ck_assert_uint_eq(bed_counters(&bed.a).gso_fallbacks, i);
	}
	ck_assert_uint_eq(bed_counters(&bed.a).tx_dropped, 0);
	bed_packets_free(&large);
	bed_packets_free(&small);
	bed_done(&bed);
}
END_TEST

/* One family is flooded, the other has a packet: it gets its turn soon. */
START_TEST(a_flood_does_not_starve_the_other_family)
{
	enum { FLOOD = 2000, BATCH = 16, SOON = 40 };
	WiceBindUdpOptions options = { .size = sizeof options, .no_segmentation = true };
	BedEnd end = bed_end_new(&options);
	WiceBindDatagram datagrams[BATCH];
	WiceEndpoint own;
	if (!namespace_enter())
		return;
	ck_assert_int_eq(bed_open(kind4, &end, 0), 0);
	WiceFamily quiet = _i ? WICE_FAMILY_IPV4 : WICE_FAMILY_IPV6;
	WiceEndpoint loud_to = endpoint(_i ? "::1" : "127.0.0.1", end.port),
		     quiet_to = endpoint(_i ? "127.0.0.1" : "::1", end.port);
	int loud = bed_socket(_i ? "::1" : "127.0.0.1", &own),
	    other = bed_socket(_i ? "127.0.0.1" : "::1", &own);
	for (int i = 0; i < FLOOD; i++)
		bed_send_to(loud, &loud_to, "x", 1);
	ck_assert_int_eq(end.bind->ops->receive(end.bind, 0, datagrams, BATCH), BATCH);
	bed_send_to(other, &quiet_to, "y", 1);
	int calls = 0;
	bool found = false;
	while (!found && calls++ < SOON) {
		int n = end.bind->ops->receive(end.bind, 0, datagrams, BATCH);
		for (int i = 0; i < n; i++)
			found |= datagrams[i].path.remote.address.family == quiet;
	}
	ck_assert(found);
	close(loud);
	close(other);
	bed_end_done(&end);
}
END_TEST

/* Under load there are no calls but those that bring packets. */
START_TEST(a_busy_socket_is_not_asked_about)
{
	enum { FLOOD = 1600, BATCH = 16 };
	WiceBindUdpOptions options = { .size = sizeof options, .no_segmentation = true };
	BedEnd end = bed_end_new(&options);
	WiceBindDatagram datagrams[BATCH];
	WiceEndpoint own;
	if (!namespace_enter())
		return;
	ck_assert_int_eq(bed_open(kind4, &end, 0), 0);
	WiceEndpoint to = endpoint("127.0.0.1", end.port);
	int fd = bed_socket("127.0.0.1", &own);
	for (int i = 0; i < FLOOD; i++)
		bed_send_to(fd, &to, "x", 1);
	for (int i = 0; i < FLOOD / BATCH; i++)
		ck_assert_int_eq(end.bind->ops->receive(end.bind, 0, datagrams, BATCH), BATCH);
	WiceBindCounters counters = bed_counters(&end);
	ck_assert_uint_eq(counters.rx_packets, FLOOD);
	ck_assert_uint_eq(counters.rx_calls, FLOOD / BATCH);
	close(fd);
	bed_end_done(&end);
}
END_TEST

START_TEST(a_single_packet_costs_one_call)
{
	enum { ROUNDS = 100 };
	Bed bed;
	if (!bed_init(&bed, _i ? kind6 : kind4))
		return;
	const WiceBindOps *ops = bed.b.bind->ops;
	WiceBindPath path = bed_route(&bed.a, &bed.b);
	BedPackets packets = bed_equal_packets(1, 1, 148);
	for (int i = 0; i < ROUNDS; i++) {
		WiceBindDatagram datagrams[4];
		bed_send(&bed.a, &path, &packets);
		ck_assert(bed_wait(ops->poll_fd(bed.b.bind, 0), 60000));
		ck_assert_int_eq(ops->receive(bed.b.bind, 0, datagrams, 4), 1);
		ck_assert_int_eq(ops->receive(bed.b.bind, 0, datagrams, 4), -EAGAIN);
	}
	ck_assert_uint_eq(bed_counters(&bed.a).tx_calls, ROUNDS);
	ck_assert_uint_eq(bed_counters(&bed.b).rx_calls, ROUNDS);
	bed_packets_free(&packets);
	bed_done(&bed);
}
END_TEST

int main(void)
{
	const TTest *const once[] = {
		both_families_have_one_port,
		any_port_is_free_for_both,
		a_port_in_use_is_refused,
		queues_share_the_senders,
		every_socket_is_protected_and_marked,
		packets_may_be_fragmented,
		scopes_of_link_local_addresses_are_kept,
		a_busy_socket_is_not_asked_about,
	};
	const TTest *const per_family[] = {
		one_family_is_enough,
		answers_leave_from_the_address_that_was_asked,
		sources_are_not_kept_if_not_wanted,
		a_source_that_is_gone_is_cleared,
		a_source_of_the_wrong_family_does_not_matter,
		an_interface_that_is_down_is_survived,
		a_network_without_a_route_is_an_error,
		packets_beyond_the_mtu_arrive,
		a_flood_does_not_starve_the_other_family,
		a_single_packet_costs_one_call,
	};
	const TTest *const per_kind[] = { segments_are_used_where_they_may_be };
	int failed = bed_run("bind udp", once, G_N_ELEMENTS(once), 1);
	failed |= bed_run("bind udp family", per_family, G_N_ELEMENTS(per_family), 2);
	/* IPv4, IPv6, and without segmentation. */
	failed |= bed_run("bind udp segments", per_kind, G_N_ELEMENTS(per_kind), 3);
	return failed;
}
