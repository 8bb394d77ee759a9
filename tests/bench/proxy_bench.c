/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the userspace proxy costs: packets from a sender in one network namespace to a receiver in
 * another, with a proxy in each, against the same two without proxies.
 *
 *   direct:   sender ======================= veth ======================= receiver
 *   proxied:  sender == lo == [proxy A] ==== veth ==== [proxy B] == lo == receiver
 *
 * Each box is a process of its own. Sender and receiver do what the kernel's WireGuard does: each
 * packet is handed to UDP by itself (sendmmsg, no UDP_SEGMENT), and received packets are taken one
 * by one (no UDP_GRO). The sender keeps a bounded number of packets under way, as the TCP inside of
 * a tunnel would; a flood that is mostly dropped would measure how the scheduler shares out two
 * cores.
 *
 * The wire is told to carry single packets, as any real one does: what a proxy has joined with
 * UDP_SEGMENT is cut apart in software before it. The "joined" figures are without that: veth then
 * passes the joined packets as they are, which is what two containers on one host get, and stands
 * for a network card that cuts and joins in hardware.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <inttypes.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "event/sockaddr.h"
#include "proxy/user.h"

#define WG_PORT 51820
#define ICE_PORT 40000
#define ADDRESS_A "10.99.0.1"
#define ADDRESS_B "10.99.0.2"
#define BATCH 64
#define WARM_UP_US 150000
#define MEASURE_US 500000
#define ROUNDS 9

enum { SENDER, RECEIVER, PROXY_A, PROXY_B, N_ROLES };

typedef struct {
	_Atomic uint64_t sent, received;
	_Atomic int ready; /* processes that are set up */
	_Atomic bool stop;
	WiceEndpoint entry; /* of proxy A */
} Shared;

typedef struct {
	double pps, gbit, cpu_us; /* CPU time of all processes per packet that arrived */
} Sample;

static Shared *shared;
static int namespaces[2];
static pid_t holders[2]; /* of the namespaces */
static uint64_t window = 4096;

G_GNUC_NORETURN static void die(const char *what)
{
	fprintf(stderr, "proxy_bench: %s: %s\n", what, g_strerror(errno));
	exit(EXIT_FAILURE);
}

static WiceEndpoint endpoint(const char *address, uint16_t port)
{
	WiceEndpoint e = { .port = port };
	if (!wice_address_parse(address, &e.address))
		abort();
	return e;
}

static int bound_socket(const WiceEndpoint *e)
{
	struct sockaddr_storage name;
	socklen_t len = wice__endpoint_to_sockaddr(e, &name);
	int fd = socket(AF_INET, SOCK_DGRAM, 0), size = 7 << 20;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
	if (fd < 0 || bind(fd, (struct sockaddr *)&name, len) < 0)
		die("cannot bind a socket");
	return fd;
}

/* Packets are lost if the window stays full: then it is opened anew. */
static void await_window(uint64_t *base)
{
	gint64 since = g_get_monotonic_time();
	while (atomic_load(&shared->sent) - atomic_load(&shared->received) - *base > window) {
		if (g_get_monotonic_time() - since > 20000)
			*base = atomic_load(&shared->sent) - atomic_load(&shared->received);
		g_usleep(50);
	}
}

static void run_sender(bool proxied, size_t len)
{
	static uint8_t packet[65536] = { 4 };
	WiceEndpoint own = endpoint("0.0.0.0", WG_PORT);
	WiceEndpoint to = proxied ? shared->entry : endpoint(ADDRESS_B, WG_PORT);
	struct sockaddr_storage name;
	socklen_t name_len = wice__endpoint_to_sockaddr(&to, &name);
	struct iovec vector = { packet, len };
	struct mmsghdr messages[BATCH] = { 0 };
	uint64_t base = 0;
	int fd = bound_socket(&own);
	for (int i = 0; i < BATCH; i++)
		messages[i].msg_hdr = (struct msghdr){ .msg_name = &name,
						       .msg_namelen = name_len,
						       .msg_iov = &vector,
						       .msg_iovlen = 1 };
	atomic_fetch_add(&shared->ready, 1);
	while (!atomic_load(&shared->stop)) {
		int n = sendmmsg(fd, messages, BATCH, 0);
		if (n > 0)
			atomic_fetch_add(&shared->sent, (uint64_t)n);
		await_window(&base);
	}
}

static void run_receiver(void)
{
	static uint8_t packets[BATCH][2048];
	struct iovec vectors[BATCH];
	struct mmsghdr messages[BATCH] = { 0 };
	WiceEndpoint own = endpoint("0.0.0.0", WG_PORT);
	int fd = bound_socket(&own);
	struct timeval timeout = { .tv_usec = 20000 };
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
	for (int i = 0; i < BATCH; i++) {
		vectors[i] = (struct iovec){ packets[i], sizeof packets[i] };
		messages[i].msg_hdr = (struct msghdr){ .msg_iov = &vectors[i], .msg_iovlen = 1 };
	}
	atomic_fetch_add(&shared->ready, 1);
	while (!atomic_load(&shared->stop)) {
		int n = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);
		if (n > 0)
			atomic_fetch_add(&shared->received, (uint64_t)n);
	}
}

static gboolean stop_poll(gpointer unused)
{
	return G_SOURCE_CONTINUE;
}

static void run_proxy(const char *own_address, const char *peer_address, bool is_a)
{
	WiceUserProxy *proxy;
	WiceUserEntry *entry;
	WiceUserPath *path;
	WiceUserCounters counters;
	WiceEndpoint own = endpoint(own_address, ICE_PORT), peer = endpoint(peer_address, ICE_PORT);
	GMainContext *context = g_main_context_default();
	int ice = bound_socket(&own);
	if (wice__user_proxy_new(context, WG_PORT, &proxy) < 0 ||
	    wice__user_entry_new(proxy, NULL, NULL, &entry) < 0 ||
	    wice__user_path_new(entry, ice, &own, 0, &path) < 0)
		die("cannot make the proxy");
	wice__user_entry_select(entry, path, &peer);
	if (is_a)
		shared->entry = *wice__user_entry_endpoint(entry);
	atomic_fetch_add(&shared->ready, 1);
	g_timeout_add(20, stop_poll, NULL);
	while (!atomic_load(&shared->stop))
		g_main_context_iteration(context, TRUE);
	wice__user_entry_counters(entry, &counters);
	if (getenv("PROXY_BENCH_VERBOSE"))
		fprintf(stderr,
			"proxy %c: tx %" PRIu64 " (dropped %" PRIu64 ") rx %" PRIu64
			" (dropped %" PRIu64 ")\n",
			is_a ? 'A' : 'B', counters.tx_packets, counters.tx_dropped,
			counters.rx_packets, counters.rx_dropped);
	wice__user_entry_free(entry);
	wice__user_proxy_free(proxy);
}

static pid_t start(int role, bool proxied, size_t len)
{
	int before = atomic_load(&shared->ready);
	pid_t pid = fork();
	if (pid < 0)
		die("cannot fork");
	if (pid > 0) {
		while (atomic_load(&shared->ready) == before && waitpid(pid, NULL, WNOHANG) == 0)
			g_usleep(500);
		return pid;
	}
	if (setns(namespaces[role == RECEIVER || role == PROXY_B], CLONE_NEWNET) < 0)
		die("cannot enter the network namespace");
	if (role == SENDER)
		run_sender(proxied, len);
	else if (role == RECEIVER)
		run_receiver();
	else if (role == PROXY_A)
		run_proxy(ADDRESS_A, ADDRESS_B, true);
	else
		run_proxy(ADDRESS_B, ADDRESS_A, false);
	_exit(EXIT_SUCCESS);
}

static double cpu_seconds(const struct rusage *usage)
{
	return (double)usage->ru_utime.tv_sec + (double)usage->ru_stime.tv_sec +
	       (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e6;
}

static Sample measure(bool proxied, size_t len)
{
	static const int order[] = { RECEIVER, PROXY_B, PROXY_A, SENDER };
	pid_t children[N_ROLES];
	size_t n = 0;
	double cpu = 0;
	memset(shared, 0, sizeof *shared);
	for (size_t i = 0; i < G_N_ELEMENTS(order); i++)
		if (proxied || order[i] == RECEIVER || order[i] == SENDER)
			children[n++] = start(order[i], proxied, len);
	g_usleep(WARM_UP_US);
	gint64 from = g_get_monotonic_time();
	uint64_t received = atomic_load(&shared->received);
	g_usleep(MEASURE_US);
	received = atomic_load(&shared->received) - received;
	double seconds = (double)(g_get_monotonic_time() - from) / G_USEC_PER_SEC;
	atomic_store(&shared->stop, true);
	for (size_t i = 0; i < n; i++) {
		struct rusage usage;
		int status;
		if (wait4(children[i], &status, 0, &usage) < 0 || status != 0) {
			errno = ECHILD;
			die("a process has failed");
		}
		cpu += cpu_seconds(&usage);
	}
	uint64_t total = MAX(atomic_load(&shared->received), 1);
	double pps = (double)received / seconds;
	return (Sample){ pps, pps * (double)len * 8 / 1e9, cpu * 1e6 / (double)total };
}

/*
 * Its end of a pipe keeps the namespace's process alive until the program exits, however it does.
 */
static pid_t make_namespace(int *ret_namespace)
{
	int ready[2], alive[2];
	char path[64], c;
	if (pipe(ready) < 0 || pipe(alive) < 0)
		die("cannot make a pipe");
	pid_t pid = fork();
	if (pid == 0) {
		close(alive[1]);
		if (unshare(CLONE_NEWNET) < 0)
			_exit(EXIT_FAILURE);
		if (write(ready[1], "", 1) == 1 && read(alive[0], &c, 1) >= 0)
			_exit(EXIT_SUCCESS);
	}
	close(ready[1]);
	if (pid < 0 || read(ready[0], &c, 1) != 1) {
		puts("skipped: must be root to make network namespaces");
		exit(EXIT_SUCCESS);
	}
	snprintf(path, sizeof path, "/proc/%d/ns/net", (int)pid);
	*ret_namespace = open(path, O_RDONLY | O_CLOEXEC);
	fcntl(alive[1], F_SETFD, FD_CLOEXEC);
	return pid;
}

G_GNUC_PRINTF(1, 2) static void run(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	char *command = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	if (system(command) != 0)
		die(command);
	g_free(command);
}

/* 65535 is the kernel's default. */
static void set_wire(int segments)
{
	for (int i = 0; i < 2; i++)
		run("nsenter -t %d -n ip link set wire gso_max_segs %d", (int)holders[i], segments);
}

static void make_network(void)
{
	pid_t a = holders[0] = make_namespace(&namespaces[0]);
	pid_t b = holders[1] = make_namespace(&namespaces[1]);
	run("nsenter -t %d -n ip link add wire type veth peer name wire netns %d", (int)a, (int)b);
	for (int i = 0; i < 2; i++) {
		int pid = (int)(i ? b : a);
		run("nsenter -t %d -n ip addr add %s/24 dev wire", pid, i ? ADDRESS_B : ADDRESS_A);
		run("nsenter -t %d -n ip link set lo up", pid);
		run("nsenter -t %d -n ip link set wire up", pid);
	}
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Prints median and range; returns the median. */
static double report(const char *name, const double values[ROUNDS], const char *format)
{
	double sorted[ROUNDS];
	memcpy(sorted, values, sizeof sorted);
	qsort(sorted, ROUNDS, sizeof sorted[0], compare_doubles);
	char median[32], low[32], high[32];
	g_ascii_formatd(median, sizeof median, format, sorted[ROUNDS / 2]);
	g_ascii_formatd(low, sizeof low, format, sorted[0]);
	g_ascii_formatd(high, sizeof high, format, sorted[ROUNDS - 1]);
	printf("%s: %s\n%s_range: %s..%s\n", name, median, name, low, high);
	return sorted[ROUNDS / 2];
}

static void compare(size_t len, const char *suffix)
{
	double pps[2][ROUNDS], gbit[2][ROUNDS], cpu[2][ROUNDS], ratio[ROUNDS];
	char name[64];
	for (int round = 0; round < ROUNDS; round++) {
		for (int k = 0; k < 2; k++) {
			Sample sample = measure(k == 1, len);
			pps[k][round] = sample.pps;
			gbit[k][round] = sample.gbit;
			cpu[k][round] = sample.cpu_us;
		}
		ratio[round] = pps[1][round] / pps[0][round];
	}
	for (int k = 0; k < 2; k++) {
		const char *kind = k ? "user" : "direct";
		snprintf(name, sizeof name, "proxy_%s%s_pps", kind, suffix);
		report(name, pps[k], "%.0f");
		snprintf(name, sizeof name, "proxy_%s%s_gbit", kind, suffix);
		report(name, gbit[k], "%.2f");
		snprintf(name, sizeof name, "proxy_%s%s_cpu_us_per_packet", kind, suffix);
		report(name, cpu[k], "%.2f");
	}
	snprintf(name, sizeof name, "proxy_user%s_pps_ratio", suffix);
	double median = report(name, ratio, "%.2f");
	/* All packets are of one size, so that the two ratios are the same figure. */
	printf("proxy_user%s_gbit_ratio: %.2f\n", suffix, median);
}

int main(int argc, char **argv)
{
	struct utsname machine;
	uname(&machine);
	if (argc > 1)
		window = strtoull(argv[1], NULL, 10);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("# Compares: packets through a userspace proxy at each end (user) with the same "
	       "sender and "
	       "receiver without (direct)\n");
	printf("# Over: veth between two network namespaces; no UDP_SEGMENT in the sender, no "
	       "UDP_GRO in "
	       "the receiver\n");
	printf("# The veth carries single packets; \"joined\": also what a proxy has joined\n");
	printf("# %d alternating rounds of %.1f s, medians of all; at most %" PRIu64
	       " packets under way\n",
	       ROUNDS, MEASURE_US / 1e6, window);
	printf("# Machine: %s %s, %ld processors\n", machine.release, machine.machine,
	       sysconf(_SC_NPROCESSORS_ONLN));
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		die("cannot share memory");
	make_network();
	set_wire(1);
	compare(1400, "");
	compare(64, "_small");
	set_wire(65535);
	compare(1400, "_joined");
	return EXIT_SUCCESS;
}
