/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients of a TURN server over UDP, all in this process, for tests/bench/relay_server.py:
 *
 *   bench-relay-load hold SERVER USER PASSWORD CLIENTS
 *       makes allocations, says how long it took, holds them until its input ends, and gives
 *       them back
 *   bench-relay-load up|down SERVER USER PASSWORD CLIENTS SECONDS SIZE BURST
 *       then sends packets as fast as it can, BURST of one client (up) or to one client (down) at a
 *       time, and says how many have arrived: "packets seconds"
 *
 * Whoever packets are sent to is a socket with a filter that drops all and counts: so the kernel
 * has the same work in delivering them as ever, and this process none.
 */
#include <errno.h>
#include <glib.h>
#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "event/sockaddr.h"
#include "event/source.h"
#include "event/udp.h"
#include "stun/channel_data.h"
#include "turn/client.h"

#define MAX_BURST 64
#define SETUP_MS 20000
/* Requests that are under way at a time: more would overflow the server's queue. */
#define MAX_STARTING 64

typedef struct {
	int fd;
	WiceTurnClient *turn;
	uint16_t channel;
	bool ready;
	WiceEndpoint relayed;
} Client;

static WiceEndpoint server, peer;
static const char *username, *password;
static Client *clients;
static size_t n_clients;
static int peer_fd;
static bool is_hold;

static G_GNUC_NORETURN void fail(const char *what)
{
	fprintf(stderr, "bench-relay-load: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static int open_socket(const WiceAddress *address, WiceEndpoint *ret_local)
{
	WiceEndpoint any = { .address = *address };
	struct sockaddr_storage name;
	socklen_t len = wice__endpoint_to_sockaddr(&any, &name);
	int fd = socket(name.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&name, len) < 0)
		fail("socket");
	wice__udp_set_buffers(fd);
	len = sizeof name;
	getsockname(fd, (struct sockaddr *)&name, &len);
	if (ret_local)
		wice__endpoint_from_sockaddr((struct sockaddr *)&name, len, ret_local);
	return fd;
}

/* Setting up. */

static void start(Client *client)
{
	const WiceTurnClientOptions options = {
		.username = username,
		.password = password,
		.want_ipv4 = server.address.family == WICE_FAMILY_IPV4,
		.want_ipv6 = server.address.family == WICE_FAMILY_IPV6,
		.fill_random = randombytes_buf,
	};
	const WiceAddress any = { .family = server.address.family };
	client->fd = open_socket(&any, NULL);
	client->turn = wice__turn_client_new(&options, wice__now_ms());
	if (wice__turn_client_bind(client->turn, &peer, wice__now_ms(), &client->channel) != 0)
		fail("bind");
}

static void flush_output(Client *client)
{
	uint8_t packet[WICE_TURN_MAX_PACKET];
	size_t len;
	while (wice__turn_client_output(client->turn, wice__now_ms(), packet, &len))
		(void)wice__udp_send_to(client->fd, &server, packet, len);
}

static bool step(Client *client)
{
	uint8_t packet[2048];
	uint16_t channel;
	WiceSpan data;
	ssize_t len;
	while ((len = recv(client->fd, packet, sizeof packet, MSG_DONTWAIT)) >= 0)
		wice__turn_client_input(client->turn, packet, (size_t)len, wice__now_ms(), &channel,
					&data);
	flush_output(client);
	if (wice__turn_client_state(client->turn) == WICE_TURN_FAILED) {
		char reason[WICE_TURN_REASON_SIZE];
		wice__turn_client_failure(client->turn, reason);
		errno = 0;
		fail(reason);
	}
	WiceTurnEvent event;
	while (wice__turn_client_event(client->turn, &event)) {
		errno = event.code;
		if (event.type == WICE_TURN_EVENT_NOT_BOUND)
			fail("channel");
	}
	client->ready = wice__turn_client_is_bound(client->turn, client->channel);
	if (client->ready)
		(void)wice__turn_client_relayed(client->turn, (WiceFamily)server.address.family,
						&client->relayed);
	return client->ready;
}

static void set_up(void)
{
	size_t started = 0, first = 0;
	int64_t begun_ms = wice__now_ms();
	/* Documentation has these: nobody is there. */
	if (!is_hold)
		peer_fd = open_socket(&server.address, &peer);
	else if (!wice_endpoint_parse(server.address.family == WICE_FAMILY_IPV4 ? "192.0.2.1:9"
										: "[2001:db8::1]:9",
				      &peer))
		fail("peer");
	clients = g_new0(Client, n_clients);
	while (first < n_clients) {
		for (; started < n_clients && started < first + MAX_STARTING; started++)
			start(&clients[started]);
		for (size_t i = first; i < started; i++)
			if (!clients[i].ready)
				step(&clients[i]);
		while (first < started && clients[first].ready)
			first++;
		errno = ETIMEDOUT;
		if (wice__now_ms() - begun_ms > SETUP_MS)
			fail("allocations");
	}
	printf("ready %" G_GINT64_FORMAT " ms\n", (gint64)(wice__now_ms() - begun_ms));
	fflush(stdout);
}

/* Load. */

static void drop_all(int fd)
{
	struct sock_filter code = BPF_STMT(BPF_RET | BPF_K, 0);
	const struct sock_fprog program = { .len = 1, .filter = &code };
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0)
		fail("filter");
}

static uint64_t dropped(int fd)
{
	uint32_t info[SK_MEMINFO_VARS];
	socklen_t len = sizeof info;
	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len) < 0)
		fail("counters");
	return info[SK_MEMINFO_DROPS];
}

static uint64_t arrived(bool up)
{
	uint64_t sum = 0;
	if (up)
		return dropped(peer_fd);
	for (size_t i = 0; i < n_clients; i++)
		sum += dropped(clients[i].fd);
	return sum;
}

typedef struct {
	struct mmsghdr messages[MAX_BURST];
	struct iovec vectors[MAX_BURST];
	uint8_t packet[2048];
	struct sockaddr_storage to;
} Burst;

static void send_burst(Burst *burst, const Client *client, bool up, size_t size, unsigned n)
{
	size_t len = size;
	socklen_t to_len = wice__endpoint_to_sockaddr(up ? &server : &client->relayed, &burst->to);
	if (up) {
		(void)wice__channel_data_write(burst->packet, client->channel, size);
		len += WICE_CHANNEL_DATA_HEADER_LEN;
	}
	for (unsigned i = 0; i < n; i++) {
		burst->vectors[i] = (struct iovec){ burst->packet, len };
		burst->messages[i].msg_hdr = (struct msghdr){
			.msg_name = &burst->to,
			.msg_namelen = to_len,
			.msg_iov = &burst->vectors[i],
			.msg_iovlen = 1,
		};
	}
	(void)sendmmsg(up ? client->fd : peer_fd, burst->messages, n, MSG_DONTWAIT);
}

static void load(bool up, int64_t duration_ms, size_t size, unsigned n)
{
	Burst burst = { .packet = { 0 } };
	for (size_t i = 0; i < n_clients; i++)
		drop_all(clients[i].fd);
	drop_all(peer_fd);
	uint64_t before = arrived(up);
	int64_t begun_us = g_get_monotonic_time(), us = 0;
	for (size_t i = 0; us < duration_ms * 1000; i = (i + 1) % n_clients) {
		send_burst(&burst, &clients[i], up, size, n);
		us = g_get_monotonic_time() - begun_us;
	}
	printf("%" G_GUINT64_FORMAT " %.6f\n", (guint64)(arrived(up) - before), (double)us / 1e6);
	fflush(stdout);
}

static void hold(void)
{
	char byte;
	while (read(STDIN_FILENO, &byte, 1) > 0) {
	}
	for (size_t i = 0; i < n_clients; i++) {
		wice__turn_client_release(clients[i].turn, wice__now_ms());
		while (wice__turn_client_state(clients[i].turn) == WICE_TURN_RELEASING)
			step(&clients[i]);
	}
}

int main(int argc, char **argv)
{
	bool up = argc > 1 && strcmp(argv[1], "up") == 0;
	is_hold = argc > 1 && strcmp(argv[1], "hold") == 0;
	if (argc != (is_hold ? 6 : 9) || !wice_endpoint_parse(argv[2], &server)) {
		fprintf(stderr, "see the top of tests/bench/relay_load.c\n");
		return 2;
	}
	username = argv[3];
	password = argv[4];
	n_clients = strtoul(argv[5], NULL, 10);
	set_up();
	if (is_hold)
		hold();
	else
		load(up, (int64_t)(strtod(argv[6], NULL) * 1000),
		     MIN(strtoul(argv[7], NULL, 10), 2000),
		     MIN((unsigned)strtoul(argv[8], NULL, 10), MAX_BURST));
	return 0;
}
