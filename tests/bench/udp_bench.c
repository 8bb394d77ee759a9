/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-udp FROM TO ADDRESS SIZE RATE SECONDS
 *
 * Sends UDP packets of SIZE bytes (with their IPv4 header) from network namespace FROM to ADDRESS
 * in namespace TO, RATE of them per second (0: as many as go), and prints how many were sent, how
 * many came, and in how many seconds they were sent:
 *
 *	100000 99998 0.500
 *
 * iperf3 needs a system call per packet on both sides and is the bottleneck long before a tunnel is
 * with small packets; here it is one for up to BATCH. Packets are due at even intervals, looked at
 * every TICK. What the sender could not send in time because others had the processor, it sends
 * later, up to BACKLOG packets: half of what the queue of a TUN device holds.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum {
	BATCH = 64,
	BACKLOG = 256,
	HEADERS = 20 + 8, /* IPv4, UDP */
	PACKET_MAX = 65535,
	SLOT = 2048, /* the sink looks at no more of a packet */
	BUFFER = 8 << 20,
	QUIET_MS = 200, /* nothing more comes if nothing came for that long */
};
static const double TICK = 100e-6; /* seconds */

typedef struct {
	int fd;
	atomic_bool sent_all;
	unsigned long n_received;
} Sink;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static double now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int socket_in(const char *namespace)
{
	char path[256];
	snprintf(path, sizeof(path), "/run/netns/%s", namespace);
	int ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWNET) != 0)
		fail(path);
	close(ns);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		fail("socket");
	return fd;
}

/* Binds the sink to a free port of an address and connects the source with it. */
static void join(int source, int sink, const char *text)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t length = sizeof(address);
	struct timeval patience = { .tv_usec = QUIET_MS * 1000 };
	int buffer = BUFFER;
	if (inet_pton(AF_INET, text, &address.sin_addr) != 1)
		fail(text);
	if (bind(sink, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    getsockname(sink, (struct sockaddr *)&address, &length) != 0 ||
	    setsockopt(sink, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer)) != 0 ||
	    setsockopt(sink, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0)
		fail("the sink's socket");
	if (connect(source, (struct sockaddr *)&address, sizeof(address)) != 0)
		fail("connect");
}

static void *receive(void *data)
{
	Sink *sink = data;
	static char slots[BATCH][SLOT];
	struct iovec parts[BATCH];
	struct mmsghdr messages[BATCH];
	memset(messages, 0, sizeof(messages));
	for (int i = 0; i < BATCH; i++) {
		parts[i] = (struct iovec){ slots[i], SLOT };
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	for (;;) {
		bool last = atomic_load(&sink->sent_all);
		int n = recvmmsg(sink->fd, messages, BATCH, MSG_WAITFORONE, NULL);
		if (n > 0)
			sink->n_received += (unsigned long)n;
		else if (last)
			return NULL;
	}
}

static void wait_a_tick(void)
{
	struct timespec tick = { .tv_nsec = (long)(TICK * 1e9) };
	clock_nanosleep(CLOCK_MONOTONIC, 0, &tick, NULL);
}

/* Sends for some seconds and returns how many packets. */
static unsigned long blast(int fd, size_t size, double rate, double seconds, double *ret_elapsed)
{
	static char payload[PACKET_MAX];
	struct iovec part = { payload, size - HEADERS };
	struct mmsghdr messages[BATCH];
	unsigned long n_sent = 0;
	double due = 0, start = now(), before = start, time = start;
	memset(messages, 0, sizeof(messages));
	for (int i = 0; i < BATCH; i++) {
		messages[i].msg_hdr.msg_iov = &part;
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	for (; time - start < seconds; before = time, time = now()) {
		due += rate * (time - before);
		due = rate == 0 ? BATCH : due > BACKLOG ? BACKLOG : due;
		if (due < 1) {
			wait_a_tick();
			continue;
		}
		int n = sendmmsg(fd, messages, due < BATCH ? (unsigned)due : BATCH, 0);
		if (n > 0) {
			n_sent += (unsigned long)n;
			due -= n;
		}
	}
	*ret_elapsed = time - start;
	return n_sent;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	double elapsed;
	if (argc != 7 || atoi(argv[4]) <= HEADERS || atoi(argv[4]) > PACKET_MAX) {
		fprintf(stderr, "Usage: bench-udp FROM TO ADDRESS SIZE RATE SECONDS\n");
		return 2;
	}
	Sink sink = { .fd = socket_in(argv[2]) };
	int source = socket_in(argv[1]);
	join(source, sink.fd, argv[3]);
	prctl(PR_SET_TIMERSLACK, 1UL);
	if (pthread_create(&thread, NULL, receive, &sink) != 0)
		fail("pthread_create");
	unsigned long n_sent =
		blast(source, (size_t)atoi(argv[4]), atof(argv[5]), atof(argv[6]), &elapsed);
	atomic_store(&sink.sent_all, true);
	pthread_join(thread, NULL);
	printf("%lu %lu %.3f\n", n_sent, sink.n_received, elapsed);
	return 0;
}
