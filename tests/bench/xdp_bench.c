/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fast path of the relay: frames per second on one processor, and what its program takes of
 * each.
 *
 *   xdp_bench [SECONDS [BYTES]]
 *
 *   xdp_direct_pps   frames that cross two veth pairs and a program that only sends them on
 *   xdp_native_pps   ChannelData to a peer, and so on for generic and tc; with all that making and
 *                    dropping frames takes
 *   xdp_native_ns    what the program takes, net of the counting
 *
 * Frames are made in the kernel (BPF_F_TEST_XDP_LIVE_FRAMES) by a program that is nothing but the
 * headers to be written: pages are used again and again, as the relay has left them. The other end
 * drops them, by XDP as well. All of this happens on the processor that makes them.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "turnserver/xdp.h"

#define CHANNEL 0x4001
#define HEAD 46 /* of Ethernet, IPv4, UDP and the channel */
#define HEAD_WORDS ((HEAD + 7) / 8)
#define BATCH 64
#define REPEAT (1 << 16)
#define ROUNDS 5
#define LIVE_FRAMES (1U << 1) /* BPF_F_TEST_XDP_LIVE_FRAMES, since Linux 5.18 */
#define WARM_UP 2000

typedef struct {
	int maker, relay, sink; /* namespaces */
	int empty;              /* drops */
	int generator;
	size_t len; /* of the frames */
	double seconds;
} Bench;

static G_GNUC_NORETURN void fail(const char *what)
{
	fprintf(stderr, "bench-xdp: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

G_GNUC_PRINTF(1, 2) static void run(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *command = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	if (system(command) != 0)
		fail(command);
}

static void enter(int namespace)
{
	if (setns(namespace, CLONE_NEWNET) < 0)
		fail("setns");
}

static int new_namespace(void)
{
	if (unshare(CLONE_NEWNET) < 0)
		fail("unshare");
	run("ip link set lo up");
	return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

static int load(const struct bpf_insn *code, size_t n)
{
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "bench", "Dual MIT/GPL", code, n, NULL);
	if (fd < 0)
		fail("bpf_prog_load");
	return fd;
}

static int load_returning(int verdict)
{
	const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = verdict },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	return load(code, G_N_ELEMENTS(code));
}

/* Sends on by that device whatever comes. */
static int load_redirecting(unsigned ifindex)
{
	const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K,
		  .dst_reg = BPF_REG_1,
		  .imm = (int32_t)ifindex },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = 0 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	return load(code, G_N_ELEMENTS(code));
}

/* Writes these words to where the frame begins, and sends it by that device. */
static int load_generator(const uint64_t words[HEAD_WORDS], unsigned ifindex)
{
	struct bpf_insn code[5 + 3 * HEAD_WORDS + 6];
	size_t n = 0;
	code[n++] = (struct bpf_insn){ .code = BPF_LDX | BPF_MEM | BPF_W,
				       .dst_reg = BPF_REG_2,
				       .src_reg = BPF_REG_1,
				       .off = offsetof(struct xdp_md, data) };
	code[n++] = (struct bpf_insn){ .code = BPF_LDX | BPF_MEM | BPF_W,
				       .dst_reg = BPF_REG_3,
				       .src_reg = BPF_REG_1,
				       .off = offsetof(struct xdp_md, data_end) };
	code[n++] = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_X,
				       .dst_reg = BPF_REG_4,
				       .src_reg = BPF_REG_2 };
	code[n++] = (struct bpf_insn){ .code = BPF_ALU64 | BPF_ADD | BPF_K,
				       .dst_reg = BPF_REG_4,
				       .imm = HEAD_WORDS * 8 };
	code[n++] = (struct bpf_insn){ .code = BPF_JMP | BPF_JGT | BPF_X,
				       .dst_reg = BPF_REG_4,
				       .src_reg = BPF_REG_3,
				       .off = 3 * HEAD_WORDS + 4 };
	for (int i = 0; i < HEAD_WORDS; i++) {
		code[n++] = (struct bpf_insn){ .code = BPF_LD | BPF_IMM | BPF_DW,
					       .dst_reg = BPF_REG_1,
					       .imm = (int32_t)words[i] };
		code[n++] = (struct bpf_insn){ .imm = (int32_t)(words[i] >> 32) };
		code[n++] = (struct bpf_insn){ .code = BPF_STX | BPF_MEM | BPF_DW,
					       .dst_reg = BPF_REG_2,
					       .src_reg = BPF_REG_1,
					       .off = (int16_t)(8 * i) };
	}
	code[n++] = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K,
				       .dst_reg = BPF_REG_1,
				       .imm = (int32_t)ifindex };
	code[n++] = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2 };
	code[n++] = (struct bpf_insn){ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect };
	code[n++] = (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT };
	code[n++] = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K,
				       .dst_reg = BPF_REG_0,
				       .imm = XDP_DROP };
	code[n++] = (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT };
	return load(code, n);
}

static int ask_ethtool(const char *device, uint32_t command, uint32_t value)
{
	struct ethtool_value request = { command, value };
	struct ifreq name = { .ifr_data = (void *)&request };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	g_strlcpy(name.ifr_name, device, sizeof name.ifr_name);
	int r = ioctl(fd, SIOCETHTOOL, &name);
	close(fd);
	return r;
}

static void attach(const char *device, int program)
{
	if (bpf_xdp_attach((int)if_nametoindex(device), program,
			   program < 0 ? 0 : XDP_FLAGS_DRV_MODE, NULL) < 0)
		fail("bpf_xdp_attach");
}

/* With GRO, a veth takes frames without a program on it, too. */
static void make_world(Bench *bench)
{
	bench->maker = new_namespace();
	bench->sink = new_namespace();
	bench->relay = new_namespace();
	run("ip link add in address 02:00:00:00:00:01 type veth peer name wire netns "
	    "/proc/%d/fd/%d && ip addr add 10.1.0.1/24 dev in && ip link set in up",
	    (int)getpid(), bench->maker);
	run("ip link add out type veth peer name wire address 02:00:00:00:00:02 netns "
	    "/proc/%d/fd/%d && ip addr add 10.2.0.1/24 dev out && ip link set out up && "
	    "ip neigh add 10.2.0.2 lladdr 02:00:00:00:00:02 dev out",
	    (int)getpid(), bench->sink);
	if (ask_ethtool("in", ETHTOOL_SGRO, 1) < 0)
		fail("GRO");
	bench->empty = load_returning(XDP_DROP);
	enter(bench->sink);
	run("ip link set wire up");
	attach("wire", bench->empty);
	enter(bench->maker);
	run("ip link set wire up");
	attach("wire", bench->empty);
}

static void put_u16(uint8_t *to, size_t value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

/* Without a UDP checksum, which the program has less to do for: a few additions. */
static void make_generator(Bench *bench, const WiceXdpChannel *channel)
{
	uint64_t words[HEAD_WORDS] = { 0 };
	uint8_t *frame = (uint8_t *)words, *ip = frame + 14, *udp = ip + 20;
	uint32_t sum = 0;
	frame[0] = 2;
	frame[5] = 1;
	put_u16(frame + 12, 0x0800);
	ip[0] = 0x45;
	put_u16(ip + 2, bench->len - 14);
	ip[8] = 64;
	ip[9] = 17;
	memcpy(ip + 12, channel->client.address.bytes, 4);
	memcpy(ip + 16, channel->server.address.bytes, 4);
	for (int i = 0; i < 20; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	put_u16(ip + 10, ~(sum + (sum >> 16)) & 0xffff);
	put_u16(udp, channel->client.port);
	put_u16(udp + 2, channel->server.port);
	put_u16(udp + 4, bench->len - 34);
	put_u16(udp + 8, channel->channel);
	put_u16(udp + 10, bench->len - HEAD);
	bench->generator = load_generator(words, if_nametoindex("wire"));
}

/* Returns how many frames were made. */
static uint64_t make_frames(const Bench *bench, double seconds)
{
	g_autofree uint8_t *frame = g_malloc0(bench->len);
	struct xdp_md context = { .data_end = (uint32_t)bench->len };
	gint64 end = g_get_monotonic_time() + (gint64)(seconds * G_USEC_PER_SEC);
	uint64_t n = 0;
	do {
		struct bpf_test_run_opts options = { .sz = sizeof options,
						     .data_in = frame,
						     .data_size_in = (uint32_t)bench->len,
						     .ctx_in = &context,
						     .ctx_size_in = sizeof context,
						     .repeat = seconds > 0 ? REPEAT : WARM_UP,
						     .flags = LIVE_FRAMES,
						     .batch_size = BATCH };
		if (bpf_prog_test_run_opts(bench->generator, &options) < 0)
			fail("BPF_PROG_TEST_RUN");
		n += (uint64_t)options.repeat;
	} while (g_get_monotonic_time() < end);
	return n;
}

/* Frames that the sink has dropped. */
static uint64_t count_dropped(const Bench *bench)
{
	g_autofree char *text = NULL;
	uint64_t packets = 0;
	enter(bench->sink);
	if (!g_file_get_contents("/proc/thread-self/net/dev", &text, NULL, NULL))
		fail("/proc/thread-self/net/dev");
	const char *line = strstr(text, "wire:");
	if (!line || sscanf(line, "wire: %*u %" G_GUINT64_FORMAT, &packets) != 1)
		fail("no counter of the sink");
	enter(bench->maker);
	return packets;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Seconds per frame: the median. */
static double measure(const Bench *bench)
{
	double results[ROUNDS];
	make_frames(bench, 0);
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t before = count_dropped(bench);
		gint64 begin = g_get_monotonic_time();
		make_frames(bench, bench->seconds / ROUNDS);
		double us = (double)(g_get_monotonic_time() - begin);
		uint64_t n = count_dropped(bench) - before;
		if (n < WARM_UP)
			fail("frames are lost");
		results[i] = us / 1e6 / (double)n;
	}
	qsort(results, ROUNDS, sizeof results[0], compare);
	return results[ROUNDS / 2];
}

static double mean_ns(int program, uint64_t before[2])
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof info;
	bpf_obj_get_info_by_fd(program, &info, &len);
	double n = (double)(info.run_cnt - before[1]);
	double ns = (double)(info.run_time_ns - before[0]);
	before[0] = info.run_time_ns;
	before[1] = info.run_cnt;
	return n > 0 ? ns / n : 0;
}

/* One of this process's programs. */
static int find_program(const char *name)
{
	for (int fd = 3; fd < 1024; fd++) {
		struct bpf_prog_info info = { 0 };
		uint32_t len = sizeof info;
		char path[32], target[64] = "";
		g_snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		if (readlink(path, target, sizeof target - 1) > 0 &&
		    strcmp(target, "anon_inode:bpf-prog") == 0 &&
		    bpf_obj_get_info_by_fd(fd, &info, &len) == 0 && strcmp(info.name, name) == 0)
			return fd;
	}
	errno = ENOENT;
	fail(name);
}

/* The program that does nothing, at the end of the same way, tells what the counting takes. */
static double measure_program(const Bench *bench, const char *name)
{
	uint64_t of_program[2] = { 0 }, of_empty[2] = { 0 };
	int program = find_program(name);
	int stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	mean_ns(program, of_program);
	mean_ns(bench->empty, of_empty);
	make_frames(bench, bench->seconds / ROUNDS);
	double ns = mean_ns(program, of_program) - mean_ns(bench->empty, of_empty);
	close(stats);
	return ns;
}

static void measure_mode(const Bench *bench, const WiceXdpChannel *channel, WiceXdpMode mode)
{
	static const char *const names[] = { NULL, "native", "generic", "tc" };
	const WiceXdpOptions options = { .size = sizeof options, .mode = mode };
	g_autofree char *program = g_strdup_printf("wice_%s", names[mode]);
	GError *error = NULL;
	enter(bench->relay);
	WiceXdp *xdp = wice__xdp_new(NULL, &options, &error);
	if (!xdp) {
		printf("# %s: %s\n", names[mode], error->message);
		g_error_free(error);
		return;
	}
	if (wice__xdp_add(xdp, channel) < 0)
		fail("wice__xdp_add");
	enter(bench->maker);
	printf("xdp_%s_pps: %.0f\n", names[mode], 1 / measure(bench));
	printf("xdp_%s_ns: %.1f\n", names[mode], measure_program(bench, program));
	wice__xdp_free(xdp);
}

/* The same way, without a relay. */
static double measure_direct(const Bench *bench)
{
	enter(bench->relay);
	int redirecting = load_redirecting(if_nametoindex("out"));
	attach("in", redirecting);
	attach("out", bench->empty);
	enter(bench->maker);
	double direct = measure(bench);
	enter(bench->relay);
	attach("in", -1);
	attach("out", -1);
	close(redirecting);
	return direct;
}

int main(int argc, char **argv)
{
	Bench bench = { .seconds = argc > 1 ? atof(argv[1]) : 2,
			.len = argc > 2 ? (size_t)atoi(argv[2]) : 1000 };
	WiceXdpChannel channel = { .channel = CHANNEL };
	cpu_set_t processor;
	if (geteuid() != 0) {
		puts("skipped: must be root to make network namespaces");
		return EXIT_SUCCESS;
	}
	if (bench.len < 64 || bench.len > 1514 ||
	    !wice_endpoint_parse("10.1.0.2:40000", &channel.client) ||
	    !wice_endpoint_parse("10.1.0.1:3478", &channel.server) ||
	    !wice_endpoint_parse("10.2.0.1:50000", &channel.relayed) ||
	    !wice_endpoint_parse("10.2.0.2:51820", &channel.peer)) {
		fputs("usage: bench-xdp [SECONDS [BYTES]]\n", stderr);
		return EXIT_FAILURE;
	}
	CPU_ZERO(&processor);
	CPU_SET(0, &processor);
	sched_setaffinity(0, sizeof processor, &processor);
	make_world(&bench);
	make_generator(&bench, &channel);
	printf("xdp_direct_pps: %.0f\n", 1 / measure_direct(&bench));
	for (WiceXdpMode mode = WICE_XDP_NATIVE; mode <= WICE_XDP_TC; mode++)
		measure_mode(&bench, &channel, mode);
	return EXIT_SUCCESS;
}
