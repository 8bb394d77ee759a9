/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets that look like WireGuard's, from one network namespace to another, directly or over a
 * relay, for tests/bench/relay.py:
 *
 *   bench-relay client NAMESPACE SERVER HOW [USER PASSWORD]
 *       is a wiced of one peer: HOW is move, inplace (TC programs) or user (the userspace proxy).
 *       Makes an allocation from SERVER, says "relayed ADDRESS:PORT", reads that of the peer, binds
 *       a channel, says "endpoint ADDRESS:PORT", where WireGuard is to send to, and serves until
 *       its input ends. Without USER there is no TURN server: something between the two clients
 *       translates addresses, channel 0x4000 is what both have.
 *   bench-relay send FROM TO ENDPOINT SIZE SECONDS sealed|bare
 *       sends from WireGuard's port in namespace FROM to ENDPOINT, SIZE bytes as what is inside of
 *       the tunnel has, and says how many packets have come to WireGuard's port in namespace TO:
 *       "packets seconds". sealed: encrypts each before, and decrypts as many, as the two WireGuards
 *       would.
 *
 * The kernel's WireGuard gives its packets to UDP one by one, each with a checksum that is left to
 * the device, and takes them in the hook of a socket. So does this one: what comes is counted and
 * dropped by a filter of the socket. A bounded number of packets is under way, as with the TCP
 * inside of a tunnel: a flood that is mostly dropped would measure how the scheduler shares out
 * processors.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/aead.h"
#include "event/sockaddr.h"
#include "event/udp.h"
#include "proxy/bpf/mux.h"
#include "proxy/user.h"
#include "relay/relay.h"

#define WG_PORT 51820
#define USER_PORT 40000 /* of a client in userspace that has no TURN server */
#define CHANNEL 0x4000
#define HEADER 16 /* of WireGuard's packet */
#define ROOM 2048
#define BATCH 64
#define WINDOW 1024
#define STUCK_US 5000

typedef struct {
	GMainLoop *loop;
	WiceBpfMux *mux; /* NULL: user */
	WiceProxy *proxy;
	WiceProxyPeer *peer;
	WiceProxyPath *path;
	bool in_place;
	WiceRelay *relay;
	WiceProxyChannel channel;
	bool has_relayed, has_endpoint; /* have been printed */
} Client;

static const WiceProxyEvents proxy_events = { 0 };

static G_GNUC_NORETURN void fail(const char *what, int error)
{
	fprintf(stderr, "bench-relay: %s: %s\n", what, error ? g_strerror(error) : "failed");
	exit(EXIT_FAILURE);
}

static void enter(const char *namespace)
{
	char *path = g_strdup_printf("/run/netns/%s", namespace);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		fail(path, errno);
	close(fd);
	g_free(path);
}

static int open_socket(uint16_t port)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&name, sizeof name) < 0)
		fail("a socket", errno);
	wice__udp_set_buffers(fd);
	return fd;
}

static void say(const char *what, const WiceEndpoint *endpoint)
{
	char text[WICE_ENDPOINT_SIZE];
	printf("%s %s\n", what, wice_endpoint_format(endpoint, text));
	fflush(stdout);
}

/* A client. */

static void open_path(Client *client)
{
	const WiceProxyOps *ops = client->proxy->ops;
	WiceEndpoint endpoint;
	client->channel.in_place = client->in_place;
	int r = ops->peer_new(client->proxy, &proxy_events, NULL, &client->peer);
	if (r == 0)
		r = ops->path_new_relayed(client->peer, &client->channel, &client->path);
	if (r == 0)
		r = ops->select(client->peer, client->path, &client->channel.server, &endpoint);
	if (r < 0)
		fail("a relayed path", -r);
	client->has_endpoint = true;
	say("endpoint", &endpoint);
}

static int send_channel_data(void *user_data, const uint8_t *channel_data, size_t len)
{
	const Client *client = user_data;
	return client->relay ? wice__relay_send(client->relay, channel_data, len) : -ENOTCONN;
}

static void take_stun(void *user_data, const WiceEndpoint *source, uint8_t *packet, size_t len)
{
	const Client *client = user_data;
	if (client->relay)
		wice__relay_input(client->relay, source, packet, len);
}

static void on_changed(WiceRelay *relay, void *user_data)
{
	Client *client = user_data;
	WiceEndpoint relayed;
	if (wice__relay_state(relay) == WICE_RELAY_FAILED)
		fail(wice__relay_reason(relay), 0);
	if (!client->has_relayed && wice__relay_state(relay) == WICE_RELAY_READY &&
	    wice__relay_relayed(relay, WICE_FAMILY_IPV4, &relayed)) {
		client->has_relayed = true;
		say("relayed", &relayed);
	}
	if (client->channel.channel && !client->has_endpoint &&
	    wice__relay_is_bound(relay, client->channel.channel)) {
		client->channel.server = *wice__relay_server(relay);
		client->channel.fd = wice__relay_fd(relay);
		wice__relay_set_reading(relay, !client->proxy->ops->reads_relayed);
		open_path(client);
	}
}

static void on_socket_opened(WiceRelay *relay, int fd, const WiceEndpoint *local,
			     const WiceEndpoint *server, void *user_data)
{
	Client *client = user_data;
	client->channel.port = local->port;
	if (!client->mux)
		return;
	int r = wice__bpf_mux_add_asker(client->mux, WG_PORT, local, fd);
	if (r == 0)
		r = wice__bpf_mux_add_relay(client->mux, WG_PORT, server, local->port);
	if (r < 0)
		fail("the TURN client on WireGuard's port", -r);
}

static void on_data(WiceRelay *relay, uint16_t channel, uint8_t *data, size_t len, void *user_data)
{
	const Client *client = user_data;
	if (client->path && client->proxy->ops->path_input)
		client->proxy->ops->path_input(client->path, data, len);
}

static const WiceRelayEvents relay_events = {
	.changed = on_changed,
	.data = on_data,
	.socket_opened = on_socket_opened,
};

static void start_relay(Client *client, const WiceEndpoint *server, char *user, char *password)
{
	WiceRelaySpec spec = {
		.url = { .relays = true, .port = server->port },
		.username = user,
		.password = password,
	};
	WiceRelayOptions options = { .context = g_main_context_default(), .spec = &spec };
	wice_address_format(&server->address, spec.url.host);
	client->relay = wice__relay_new(&options, &relay_events, client);
}

/* A line with the peer's relayed address, then the end. */
static gboolean on_input(GIOChannel *input, GIOCondition condition, gpointer user_data)
{
	Client *client = user_data;
	WiceEndpoint peer;
	char *line = NULL;
	if (g_io_channel_read_line(input, &line, NULL, NULL, NULL) != G_IO_STATUS_NORMAL) {
		g_main_loop_quit(client->loop);
		return G_SOURCE_REMOVE;
	}
	if (!wice_endpoint_parse(g_strchomp(line), &peer))
		fail(line, EINVAL);
	g_free(line);
	int r = wice__relay_bind(client->relay, &peer, &client->channel.channel);
	if (r < 0)
		fail("a channel", -r);
	return G_SOURCE_CONTINUE;
}

static void make_proxy(Client *client, bool user)
{
	GError *error = NULL;
	if (user) {
		int r = wice__proxy_user_new(g_main_context_default(), WG_PORT, &client->proxy);
		if (r < 0)
			fail("the proxy", -r);
		return;
	}
	client->mux = wice__bpf_mux_new(g_main_context_default(), NULL, &error);
	if (!client->mux)
		fail(error->message, 0);
	client->proxy = wice__proxy_bpf_new(client->mux, WG_PORT);
}

static void run_client(int argc, char **argv)
{
	WiceEndpoint server;
	Client client = { .loop = g_main_loop_new(NULL, FALSE) };
	if (!wice_endpoint_parse(argv[3], &server))
		fail(argv[3], EINVAL);
	client.in_place = strcmp(argv[4], "inplace") == 0;
	enter(argv[2]);
	make_proxy(&client, strcmp(argv[4], "user") == 0);
	client.channel = (WiceProxyChannel){
		.server = server,
		.wg_port = client.mux ? WG_PORT : 0,
		.send = send_channel_data,
		.stun = take_stun,
		.user_data = &client,
	};
	if (argc > 6) {
		start_relay(&client, &server, argv[5], argv[6]);
	} else {
		client.channel.channel = CHANNEL;
		client.channel.port = USER_PORT;
		client.channel.fd = open_socket(USER_PORT);
		open_path(&client);
	}
	GIOChannel *input = g_io_channel_unix_new(STDIN_FILENO);
	g_io_add_watch(input, G_IO_IN | G_IO_HUP, on_input, &client);
	g_main_loop_run(client.loop);
	if (client.peer)
		client.proxy->ops->peer_free(client.peer);
	client.proxy->ops->free(client.proxy);
	wice__relay_free(client.relay);
	wice__bpf_mux_free(client.mux);
	g_io_channel_unref(input);
	g_main_loop_unref(client.loop);
}

/* Load. */

static void drop_all(int fd)
{
	struct sock_filter code = BPF_STMT(BPF_RET | BPF_K, 0);
	const struct sock_fprog program = { .len = 1, .filter = &code };
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0)
		fail("a filter", errno);
}

static uint32_t dropped(int fd)
{
	uint32_t info[SK_MEMINFO_VARS];
	socklen_t len = sizeof info;
	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len) < 0)
		fail("counters", errno);
	return info[SK_MEMINFO_DROPS];
}

/* Returns how many have arrived. What is lost leaves the window when nothing has come for a while. */
static uint32_t await_window(int sink, uint32_t sent, uint32_t *lost)
{
	gint64 since = g_get_monotonic_time();
	uint32_t arrived = dropped(sink), before = arrived;
	while (sent - *lost - arrived > WINDOW - BATCH) {
		g_usleep(20);
		arrived = dropped(sink);
		if (arrived != before)
			since = g_get_monotonic_time();
		else if (g_get_monotonic_time() - since > STUCK_US)
			*lost = sent - arrived;
		before = arrived;
	}
	return arrived;
}

typedef struct {
	uint8_t key[WICE_AEAD_KEY_LEN];
	const WiceAeadProvider *aead; /* NULL: bare */
	uint8_t packets[BATCH][ROOM];
	WiceAeadPacket sealed[BATCH];
	struct iovec vectors[BATCH];
	struct mmsghdr messages[BATCH];
	struct sockaddr_storage name;
} Load;

static void fill(Load *load, const WiceEndpoint *to, size_t size)
{
	socklen_t name_len = wice__endpoint_to_sockaddr(to, &load->name);
	for (int i = 0; i < BATCH; i++) {
		uint8_t *packet = load->packets[i];
		packet[0] = 4;
		memset(packet + 4, 0xa5, 4); /* the receiver's index */
		load->sealed[i] =
			(WiceAeadPacket){ .data = packet + HEADER, .length = (uint32_t)size };
		load->vectors[i] = (struct iovec){ packet, HEADER + size + WICE_AEAD_TAG_LEN };
		load->messages[i].msg_hdr = (struct msghdr){ .msg_name = &load->name,
							     .msg_namelen = name_len,
							     .msg_iov = &load->vectors[i],
							     .msg_iovlen = 1 };
	}
}

/* One by one: the kernel's WireGuard has nothing that does several at once. */
static void seal(Load *load, uint64_t counter)
{
	for (int i = 0; i < BATCH; i++) {
		load->aead->open(load->key, &load->sealed[i], 1);
		load->sealed[i].counter = counter + (uint64_t)i;
		load->aead->seal(load->key, &load->sealed[i], 1);
	}
}

static void blast(int fd, int sink, Load *load, gint64 duration_us)
{
	gint64 begun = g_get_monotonic_time(), us = 0;
	uint32_t sent = 0, lost = 0, arrived = 0;
	while (us < duration_us) {
		if (load->aead)
			seal(load, sent);
		int n = sendmmsg(fd, load->messages, BATCH, 0);
		if (n < 0)
			fail("sending", errno);
		sent += (uint32_t)n;
		arrived = await_window(sink, sent, &lost);
		us = g_get_monotonic_time() - begun;
	}
	printf("%u %.6f\n", arrived, (double)us / 1e6);
}

static void run_sender(char **argv)
{
	static Load load;
	WiceEndpoint to;
	size_t size = strtoul(argv[5], NULL, 10);
	if (!wice_endpoint_parse(argv[4], &to) || HEADER + size + WICE_AEAD_TAG_LEN > ROOM)
		fail(argv[4], EINVAL);
	fill(&load, &to, size);
	if (strcmp(argv[7], "sealed") == 0)
		load.aead = wice__aead_best();
	enter(argv[3]);
	int sink = open_socket(WG_PORT);
	drop_all(sink);
	enter(argv[2]);
	int fd = open_socket(WG_PORT);
	blast(fd, sink, &load, (gint64)(strtod(argv[6], NULL) * G_USEC_PER_SEC));
}

int main(int argc, char **argv)
{
	if ((argc == 5 || argc == 7) && strcmp(argv[1], "client") == 0) {
		run_client(argc, argv);
	} else if (argc == 8 && strcmp(argv[1], "send") == 0) {
		run_sender(argv);
	} else {
		fprintf(stderr, "see the top of tests/bench/relay_bench.c\n");
		return 2;
	}
	return EXIT_SUCCESS;
}
