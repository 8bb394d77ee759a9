/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "bed.h"
#include "suite.h"
#include "unit/event/namespace.h"

#include "event/sockaddr.h"
#include "ice/priority.h"
#include <dirent.h>
#include <errno.h>
#include <linux/filter.h>
#include <malloc.h>
#include <sys/socket.h>

/* What is special to libnice: the traps that nice_agent.c steps around. */

/*
 * The agent's socket is the first of the port's group, ours the second. Packets that begin with
 * 1..4 and three zeros are for us, and STUN messages whose transaction id begins with the tag.
 */
static void steer(int fd)
{
	struct sock_filter code[] = {
		{ BPF_LD | BPF_W | BPF_ABS, 0, 0, 0 },
		{ BPF_ALU | BPF_AND | BPF_K, 0, 0, 0x00ffffff },
		{ BPF_JMP | BPF_JEQ | BPF_K, 0, 3, 0 },
		{ BPF_LD | BPF_B | BPF_ABS, 0, 0, 0 },
		{ BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 0 },
		{ BPF_JMP | BPF_JGT | BPF_K, 0, 3, 4 },
		{ BPF_LD | BPF_W | BPF_ABS, 0, 0, 8 },
		{ BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 0x77694365 },
		{ BPF_RET | BPF_K, 0, 0, 0 },
		{ BPF_RET | BPF_K, 0, 0, 1 },
	};
	struct sock_fprog program = { .len = G_N_ELEMENTS(code), .filter = code };
	ck_assert_int_eq(
		setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program), 0);
}

static int share_port(const BedSide *side)
{
	int one = 1;
	struct sockaddr_storage storage;
	socklen_t len = wice__endpoint_to_sockaddr(&side->candidates[0].endpoint, &storage);
	int ice_fd = side->sockets[0].fd;
	ck_assert_int_eq(setsockopt(ice_fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one), 0);
	int fd = socket(storage.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&storage, len), 0);
	steer(fd);
	return fd;
}

static void send_to(int fd, const WiceEndpoint *to, const char *data, size_t len)
{
	struct sockaddr_storage storage;
	socklen_t size = wice__endpoint_to_sockaddr(to, &storage);
	ck_assert_int_eq(sendto(fd, data, len, 0, (struct sockaddr *)&storage, size), (ssize_t)len);
}

START_TEST(an_agent_works_on_a_shared_port)
{
	Bed bed;
	BedSide a = { 0 }, b = { 0 };
	bed_init(&bed);
	if (bed.ready) {
		static const char tagged[20] = "\1\1\0\0\x21\x12\xa4\x42wiCe";
		char buffer[64];
		ck_assert_int_eq(bed_open(&bed, &a, &wice__ice_nice, true, "192.0.2.1"), 0);
		ck_assert_int_eq(bed_open(&bed, &b, &wice__ice_nice, false, "192.0.2.2"), 0);
		int fd_a = share_port(&a), fd_b = share_port(&b);
		bed_introduce(&a, &b);
		ck_assert(bed_connect(&bed, &a, &b));
		bed_check_pair(&a, &b);
		send_to(fd_a, &a.pair.remote.endpoint, "\4\0\0\0data", 8);
		send_to(fd_a, &a.pair.remote.endpoint, tagged, sizeof tagged);
		bed_linger(&bed, 50);
		ck_assert_int_eq(recv(fd_b, buffer, sizeof buffer, 0), 8);
		ck_assert_mem_eq(buffer, "\4\0\0\0data", 8);
		ck_assert_int_eq(recv(fd_b, buffer, sizeof buffer, 0), sizeof tagged);
		ck_assert_uint_eq(b.n_data, 0);
		bed_linger(&bed, 7000); /* past the first keepalives and the end of the checks */
		ck_assert_int_lt(recv(fd_b, buffer, sizeof buffer, 0), 0);
		ck_assert_uint_eq(a.n_failed + b.n_failed, 0);
		bed_close(&a);
		bed_close(&b);
		close(fd_a);
		close(fd_b);
	}
	bed_done(&bed);
}
END_TEST

START_TEST(a_host_with_many_addresses_does_not_end_the_process)
{
	Bed bed;
	BedSide a = { 0 }, b = { 0 };
	bed_init(&bed);
	if (bed.ready) {
		/* libnice counts them in the order in which they were added. */
		for (unsigned i = 1; i <= 70; i++)
			ck_assert(namespace_ip("addr add 10.1.1.%u/32 dev lo", i));
		ck_assert_int_eq(bed_open(&bed, &a, &wice__ice_nice, true, "192.0.2.1"), 0);
		ck_assert_int_eq(bed_open(&bed, &b, &wice__ice_nice, true, "10.1.1.69"),
				 -EADDRNOTAVAIL);
		ck_assert_int_eq(bed_open(&bed, &b, &wice__ice_nice, false, "10.1.1.69 192.0.2.2"),
				 0);
		ck_assert_uint_eq(b.n_sockets, 1);
		bed_introduce(&a, &b);
		ck_assert(bed_connect(&bed, &a, &b));
		bed_close(&a);
		bed_close(&b);
	}
	bed_done(&bed);
}
END_TEST

static bool has_failed(void *user_data)
{
	BedSide *side = user_data;
	return side->n_failed > 0;
}

START_TEST(an_agent_without_any_pair_to_check_fails)
{
	Bed bed;
	BedSide a = { 0 }, b = { 0 };
	bed_init(&bed);
	if (bed.ready) {
		ck_assert_int_eq(bed_open(&bed, &a, &wice__ice_nice, true, "192.0.2.1"), 0);
		ck_assert_int_eq(bed_open(&bed, &b, &wice__ice_nice, false, "2001:db8::1"), 0);
		bed_introduce(&a, &b);
		ck_assert(bed_run(&bed, has_failed, &a));
		ck_assert_uint_eq(a.n_pairs, 0);
		bed_close(&a);
		bed_close(&b);
	}
	bed_done(&bed);
}
END_TEST

START_TEST(a_failed_agent_answers_no_check)
{
	Bed bed;
	BedSide a = { 0 }, b = { 0 }, c = { 0 };
	bed_init(&bed);
	if (bed.ready) {
		ck_assert_int_eq(bed_open(&bed, &a, &wice__ice_nice, false, "192.0.2.1"), 0);
		ck_assert_int_eq(bed_open(&bed, &b, &wice__ice_nice, true, "192.0.2.2"), 0);
		bed_tell(&a, &b);
		bed_close(&b);
		ck_assert(bed_run(&bed, has_failed, &a));
		/* One with a's credentials has its checks answered by any agent that listens. */
		ck_assert_int_eq(bed_open(&bed, &c, &wice__ice_nice, true, "192.0.2.2"), 0);
		ck_assert_int_eq(bed_set_remote(&c, &a.credentials), 0);
		ck_assert_int_eq(bed_add(&c, a.candidates, 1), 0);
		ck_assert(bed_run(&bed, has_failed, &c));
		ck_assert_uint_eq(c.n_pairs, 0);
		bed_close(&a);
		bed_close(&c);
	}
	bed_done(&bed);
}
END_TEST

START_TEST(server_reflexive_candidates_of_ours_are_checked)
{
	Bed bed;
	BedSide a = { 0 }, b = { 0 };
	bed_init(&bed);
	if (bed.ready) {
		WiceCandidate reflexive;
		ck_assert_int_eq(bed_open(&bed, &a, &wice__ice_nice, true, "192.0.2.1"), 0);
		ck_assert_int_eq(bed_open(&bed, &b, &wice__ice_nice, false, "192.0.2.2"), 0);
		/* As behind a NAT: the host candidate leads nowhere, what the server saw does. */
		WiceCandidate host = b.candidates[0];
		ck_assert(wice_endpoint_parse("198.51.100.7:40000", &host.endpoint));
		wice__ice_server_reflexive(&host, &b.candidates[0].endpoint, &reflexive);
		ck_assert_int_eq(bed_set_remote(&a, &b.credentials), 0);
		ck_assert_int_eq(bed_add(&a, &host, 1), 0);
		ck_assert_int_eq(bed_add(&a, &reflexive, 1), 0);
		ck_assert_int_eq(bed_set_remote(&b, &a.credentials), 0);
		ck_assert(bed_connect(&bed, &a, &b));
		bed_check_pair(&a, &b);
		ck_assert_int_eq(a.pair.remote.type, WICE_CANDIDATE_SERVER_REFLEXIVE);
		ck_assert_uint_eq(a.pair.remote.priority, reflexive.priority);
		ck_assert_str_eq(a.pair.remote.foundation, reflexive.foundation);
		ck_assert_int_eq(wice_endpoint_compare(&a.pair.remote.related, &host.endpoint), 0);
		ck_assert_int_eq(b.pair.remote.type, WICE_CANDIDATE_PEER_REFLEXIVE);
		bed_close(&a);
		bed_close(&b);
	}
	bed_done(&bed);
}
END_TEST

static size_t count_fds(void)
{
	size_t n = 0;
	DIR *folder = opendir("/proc/self/fd");
	ck_assert_ptr_nonnull(folder);
	while (readdir(folder))
		n++;
	closedir(folder);
	return n;
}

static void open_and_close(Bed *bed, unsigned n)
{
	for (unsigned i = 0; i < n; i += 2) {
		BedSide a = { 0 }, b = { 0 };
		ck_assert_int_eq(bed_open(bed, &a, &wice__ice_nice, true, "192.0.2.1"), 0);
		ck_assert_int_eq(bed_open(bed, &b, &wice__ice_nice, false, "192.0.2.2"), 0);
		bed_introduce(&a, &b);
		if (i % 20 == 0)
			ck_assert(bed_connect(bed, &a, &b));
		bed_close(&a);
		bed_close(&b);
		while (g_main_context_iteration(bed->context, FALSE))
			;
	}
}

START_TEST(a_thousand_agents_leave_nothing_behind)
{
	Bed bed;
	bed_init(&bed);
	if (bed.ready) {
		open_and_close(&bed, 100);
		size_t fds = count_fds(), heap = mallinfo2().uordblks;
		open_and_close(&bed, 1000);
		ck_assert_uint_eq(count_fds(), fds);
		ck_assert_uint_le(mallinfo2().uordblks, heap + 100 * 1024);
	}
	bed_done(&bed);
}
END_TEST

SUITE_MAIN("ice nice", an_agent_works_on_a_shared_port,
	   a_host_with_many_addresses_does_not_end_the_process,
	   an_agent_without_any_pair_to_check_fails, a_failed_agent_answers_no_check,
	   server_reflexive_candidates_of_ours_are_checked, a_thousand_agents_leave_nothing_behind)
