/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the mux costs each packet, in nanoseconds: the run time of its programs as the kernel counts
 * it (BPF_ENABLE_STATS), net of that of a program that does nothing and runs just before them on
 * the same packets, which is what the counting itself takes. Real packets cross a veth pair: what
 * BPF_PROG_TEST_RUN repeats is always in the nearest cache.
 *
 *   mux_ns          a packet of WireGuard that arrives
 *   mux_egress_ns   one that it sends
 *   mux_foreign_ns  one of somebody else that arrives
 *   mux_moved_ns    a STUN request that an agent sends: its id is remembered, its port replaced
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
#define AGENT_PORT 40123
#define OTHER_PORT 5000
#define NEAR "10.99.0.1"
#define FAR "10.99.0.2"
#define ROUNDS 15
#define PACKETS 20000

typedef struct {
	const char *name;
	bool egress;
	uint16_t source, destination;
	uint32_t first_word;
	double ns[ROUNDS], counting[ROUNDS];
} Case;

typedef struct {
	int near, far; /* namespaces */
	struct mux_bpf *mux;
	int empty[2]; /* programs: one for each direction */
} Bench;

static int fail(const char *what)
{
	fprintf(stderr, "mux_bench: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static int load_empty(void)
{
	const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = -1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	return bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "empty", "Dual MIT/GPL", code,
			     sizeof code / sizeof code[0], NULL);
}

static void run(const char *command)
{
	if (system(command) != 0)
		fail(command);
}

static void make_wire(Bench *bench)
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

static void attach(int program, bool egress, uint32_t priority)
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

static void set_bit(uint8_t *bits, uint16_t port)
{
	port = htons(port);
	bits[port / 8] |= (uint8_t)(1 << port % 8);
}

static void fill(struct mux_bpf *mux)
{
	WiceMuxSocket key = { .port = htons(AGENT_PORT) };
	WiceMuxAgent agent = { .wg_port = htons(WG_PORT) };
	key.address.words[1] = htobe64(WICE_MUX_IPV4_PREFIX | ntohl(inet_addr(NEAR)));
	bpf_map_update_elem(bpf_map__fd(mux->maps.agents), &key, &agent, BPF_ANY);
	set_bit(mux->bss->agent_ports, AGENT_PORT);
	set_bit(mux->bss->wg_ports, WG_PORT);
	mux->bss->alive_until_ns = UINT64_MAX;
}

static int quiet(enum libbpf_print_level level, const char *format, va_list arguments)
{
	return 0;
}

/* Against who has only these two, the kernel adds measures to the programs. */
static struct mux_bpf *load_with_two_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct all[2], few[2];
	if (syscall(SYS_capget, &header, all) < 0)
		fail("capget");
	memcpy(few, all, sizeof few);
	few[0].effective = CAP_TO_MASK(CAP_NET_ADMIN);
	few[1].effective = CAP_TO_MASK(CAP_BPF);
	syscall(SYS_capset, &header, few);
	struct mux_bpf *mux = mux_bpf__open_and_load();
	int error = errno;
	syscall(SYS_capset, &header, all);
	errno = error;
	return mux;
}

static void open_bench(Bench *bench)
{
	libbpf_set_print(quiet);
	bench->mux = load_with_two_capabilities();
	if (!bench->mux) {
		printf("skipped: BPF programs cannot be loaded: %s\n", strerror(errno));
		exit(EXIT_SUCCESS);
	}
	fill(bench->mux);
	make_wire(bench);
	for (int egress = 0; egress < 2; egress++) {
		const struct bpf_program *program =
			egress ? bench->mux->progs.wice_egress : bench->mux->progs.wice_ingress;
		bench->empty[egress] = load_empty();
		attach(bench->empty[egress], egress, 1);
		attach(bpf_program__fd(program), egress, 2);
	}
}

static int open_socket(const char *address, uint16_t port)
{
	struct sockaddr_in name = { .sin_family = AF_INET,
				    .sin_port = htons(port),
				    .sin_addr.s_addr = inet_addr(address) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(fd, (struct sockaddr *)&name, sizeof name) < 0)
		fail("bind");
	return fd;
}

static void connect_to(int fd, const char *address, uint16_t port)
{
	struct sockaddr_in name = { .sin_family = AF_INET,
				    .sin_port = htons(port),
				    .sin_addr.s_addr = inet_addr(address) };
	if (connect(fd, (struct sockaddr *)&name, sizeof name) < 0)
		fail("connect");
}

static double mean_ns(int program, bool begin, uint64_t before[2])
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

static void send_all(const Bench *bench, const Case *of)
{
	uint8_t packet[1452] = { 0 };
	uint32_t first_word = htonl(of->first_word);
	memcpy(packet, &first_word, sizeof first_word);
	setns(of->egress ? bench->far : bench->near, CLONE_NEWNET);
	int sink = open_socket(of->egress ? FAR : NEAR, of->destination);
	setns(of->egress ? bench->near : bench->far, CLONE_NEWNET);
	int fd = open_socket(of->egress ? NEAR : FAR, of->source);
	connect_to(fd, of->egress ? FAR : NEAR, of->destination);
	for (uint32_t i = 0; i < PACKETS; i++) {
		memcpy(packet + 8, &i, sizeof i);
		send(fd, packet, sizeof packet, 0);
	}
	setns(bench->near, CLONE_NEWNET);
	close(fd);
	close(sink);
}

static void measure(const Bench *bench, Case *of, int round)
{
	uint64_t before[2][2];
	int program = bpf_program__fd(of->egress ? bench->mux->progs.wice_egress
						 : bench->mux->progs.wice_ingress);
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

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof values[0], compare);
	return values[ROUNDS / 2];
}

int main(void)
{
	Bench bench;
	Case cases[] = {
		{ "mux_ns", false, OTHER_PORT, WG_PORT, 0x04000000 },
		{ "mux_egress_ns", true, WG_PORT, OTHER_PORT, 0x04000000 },
		{ "mux_foreign_ns", false, OTHER_PORT, OTHER_PORT, 0x04000000 },
		{ "mux_moved_ns", true, AGENT_PORT, OTHER_PORT, 0x00010594 },
	};
	size_t n = sizeof cases / sizeof cases[0];
	open_bench(&bench);
	for (int round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < n; i++)
			measure(&bench, &cases[i], round);
	for (size_t i = 0; i < n; i++)
		printf("%s: %.1f\n", cases[i].name, median(cases[i].ns));
	printf("# The counting itself: %.1f\n", median(cases[0].counting));
	mux_bpf__destroy(bench.mux);
	return EXIT_SUCCESS;
}
