/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_BENCH_BPF_BENCH_H
#define WICE_BENCH_BPF_BENCH_H

/*
 * What programs cost each packet, in nanoseconds: their run time as the kernel counts it
 * (BPF_ENABLE_STATS), net of that of a program that does nothing and runs just before them on the
 * same packets, which is what the counting itself takes. Real packets cross a veth pair: what
 * BPF_PROG_TEST_RUN repeats is always in the nearest cache.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proxy/bpf/mux_maps.h"
#include "proxy/bpf/skeleton.h"

#define WG_PORT 51820
#define OTHER_PORT 5000
#define NEAR "10.99.0.1"
#define FAR "10.99.0.2"
#define ROUNDS 15
#define PACKETS 20000

typedef struct {
	const char *name;
	bool egress;
	uint16_t source, destination;
	uint32_t words[2]; /* that the packet begins with */
	uint16_t len;
	double ns[ROUNDS], counting[ROUNDS];
} Case;

typedef struct {
	int near, far;             /* namespaces */
	int programs[2], empty[2]; /* one for each direction: ingress, egress */
} Bench;

static inline int fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static inline int load_empty(void)
{
	const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = -1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	return bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "empty", "Dual MIT/GPL", code,
			     sizeof code / sizeof code[0], NULL);
}

static inline void run(const char *command)
{
	if (system(command) != 0)
		fail(command);
}

static inline void make_wire(Bench *bench)
{
	char command[128];
	for (int i = 0; i < 2; i++) {
		if (unshare(CLONE_NEWNET) < 0)
			fail("unshare");
		*(i == 0 ? &bench->far : &bench->near) = open("/proc/self/ns/net", O_RDONLY);
	}
	snprintf(command, sizeof command,
		 "ip link add wire type veth peer name wire netns /proc/%d/fd/%d", (int)getpid(),
		 bench->far);
	run(command);
	run("ip addr add " NEAR "/24 dev wire && ip link set wire up");
	setns(bench->far, CLONE_NEWNET);
	run("ip addr add " FAR "/24 dev wire && ip link set wire up");
	setns(bench->near, CLONE_NEWNET);
}

static inline void attach(int program, bool egress, uint32_t priority)
{
	struct bpf_tc_hook hook = { .sz = sizeof hook,
				    .ifindex = (int)if_nametoindex("wire"),
				    .attach_point = egress ? BPF_TC_EGRESS : BPF_TC_INGRESS };
	struct bpf_tc_opts filter = {
		.sz = sizeof filter, .prog_fd = program, .handle = 1, .priority = priority
	};
	bpf_tc_hook_create(&hook);
	if (bpf_tc_attach(&hook, &filter) < 0)
		fail("bpf_tc_attach");
}

static inline void set_bit(uint8_t *bits, uint16_t port)
{
	port = htons(port);
	bits[port / 8] |= (uint8_t)(1 << port % 8);
}

static inline int quiet(enum libbpf_print_level level, const char *format, va_list arguments)
{
	return 0;
}

/* Against who has only these two capabilities, the kernel adds measures to the programs. */
static inline void drop_capabilities(struct __user_cap_data_struct ret_before[2])
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct few[2];
	if (syscall(SYS_capget, &header, ret_before) < 0)
		fail("capget");
	memcpy(few, ret_before, sizeof few);
	few[0].effective = CAP_TO_MASK(CAP_NET_ADMIN);
	few[1].effective = CAP_TO_MASK(CAP_BPF);
	syscall(SYS_capset, &header, few);
}

static inline void restore_capabilities(const struct __user_cap_data_struct before[2])
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	int error = errno;
	syscall(SYS_capset, &header, before);
	errno = error;
}

static inline void open_bench(Bench *bench, const struct bpf_program *ingress,
			      const struct bpf_program *egress)
{
	bench->programs[0] = bpf_program__fd(ingress);
	bench->programs[1] = bpf_program__fd(egress);
	make_wire(bench);
	for (int i = 0; i < 2; i++) {
		bench->empty[i] = load_empty();
		attach(bench->empty[i], i, 1);
		attach(bench->programs[i], i, 2);
	}
}

static inline int open_socket(const char *address, uint16_t port)
{
	struct sockaddr_in name = { .sin_family = AF_INET,
				    .sin_port = htons(port),
				    .sin_addr.s_addr = inet_addr(address) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(fd, (struct sockaddr *)&name, sizeof name) < 0)
		fail("bind");
	return fd;
}

static inline void connect_to(int fd, const char *address, uint16_t port)
{
	struct sockaddr_in name = { .sin_family = AF_INET,
				    .sin_port = htons(port),
				    .sin_addr.s_addr = inet_addr(address) };
	if (connect(fd, (struct sockaddr *)&name, sizeof name) < 0)
		fail("connect");
}

static inline double mean_ns(int program, bool begin, uint64_t before[2])
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof info;
	bpf_obj_get_info_by_fd(program, &info, &len);
	if (begin) {
		before[0] = info.run_time_ns;
		before[1] = info.run_cnt;
		return 0;
	}
	uint64_t n = info.run_cnt - before[1];
	if (n < PACKETS)
		fail("some packets have not crossed the wire");
	return (double)(info.run_time_ns - before[0]) / (double)n;
}

static inline void send_all(const Bench *bench, const Case *of)
{
	uint8_t packet[1452] = { 0 };
	for (size_t i = 0; i < 2; i++) {
		uint32_t word = htonl(of->words[i]);
		memcpy(packet + 4 * i, &word, sizeof word);
	}
	setns(of->egress ? bench->far : bench->near, CLONE_NEWNET);
	int sink = open_socket(of->egress ? FAR : NEAR, of->destination);
	setns(of->egress ? bench->near : bench->far, CLONE_NEWNET);
	int fd = open_socket(of->egress ? NEAR : FAR, of->source);
	connect_to(fd, of->egress ? FAR : NEAR, of->destination);
	for (uint32_t i = 0; i < PACKETS; i++) {
		memcpy(packet + 8, &i, sizeof i);
		send(fd, packet, of->len, 0);
	}
	setns(bench->near, CLONE_NEWNET);
	close(fd);
	close(sink);
}

static inline void measure(const Bench *bench, Case *of, int round)
{
	uint64_t before[2][2];
	int program = bench->programs[of->egress];
	int stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (stats < 0)
		fail("bpf_enable_stats");
	mean_ns(program, true, before[0]);
	mean_ns(bench->empty[of->egress], true, before[1]);
	send_all(bench, of);
	of->ns[round] = mean_ns(program, false, before[0]);
	of->counting[round] = mean_ns(bench->empty[of->egress], false, before[1]);
	of->ns[round] -= of->counting[round];
	close(stats);
}

static inline int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static inline double median(double *values)
{
	qsort(values, ROUNDS, sizeof values[0], compare);
	return values[ROUNDS / 2];
}

static inline void run_bench(const Bench *bench, Case *cases, size_t n)
{
	for (int round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < n; i++)
			measure(bench, &cases[i], round);
	for (size_t i = 0; i < n; i++)
		printf("%s: %.1f\n", cases[i].name, median(cases[i].ns));
	printf("# The counting itself: %.1f\n", median(cases[0].counting));
}

#endif
