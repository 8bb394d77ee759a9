/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wice/error.h>
#include <wice/relay.h>

#include "event/source.h"
#include "event/udp.h"
#include "stun/channel_data.h"
#include "suite.h"
#include "turn/client.h"
#include "turn/stream.h"
#include "turnserver/datagrams.h"
#include "turnserver/shared.h"

/*
 * The library's object with clients (those of turn/client.h) over sockets of the loopback device,
 * all in one thread.
 */

#define WAIT_MS 60000

typedef struct {
	int fd;
	bool is_stream;
	WiceTurnClient *turn;
	WiceTurnStream stream;
	uint16_t channel;
	unsigned n_received;
	char received[100];
} Client;

static struct {
	unsigned n_authorised, n_permitted, n_ended, n_drained;
	bool refuse;
	WiceRelayAccount last;
	char last_user[32];
} seen;

static GMainContext *context;
static WiceRelayServer *server;
static WiceEndpoint address; /* of its first listener */

/* Callbacks. */

static gboolean on_password(const char *username, char *ret_password, size_t size, void *user_data)
{
	if (strcmp(username, "alice") != 0)
		return FALSE;
	g_strlcpy(ret_password, "wonderland", size);
	return TRUE;
}

static gboolean on_authorise(const char *username, const WiceEndpoint *client, void *user_data)
{
	seen.n_authorised++;
	return !seen.refuse;
}

static gboolean on_permit(const char *username, const WiceEndpoint *peer, void *user_data)
{
	seen.n_permitted++;
	return peer->port != 9;
}

static void on_account(const WiceRelayAccount *account, gboolean ended, void *user_data)
{
	seen.n_ended += ended ? 1 : 0;
	seen.last = *account;
	g_strlcpy(seen.last_user, account->username, sizeof seen.last_user);
}

static void on_drained(void *user_data)
{
	seen.n_drained++;
	wice_relay_server_free(server);
	server = NULL;
}

/* Beginnings and ends. */

static WiceRelayServerOptions usual_options(const char *const *listen)
{
	static const char *const relay_addresses[] = { "127.0.0.1", NULL };
	WiceRelayServerOptions options;
	wice_relay_server_options_init(&options);
	options.listen = listen;
	options.relay_addresses = relay_addresses;
	options.permit_loopback = TRUE;
	options.fast_path = "off"; /* the devices of this host are none of ours */
	options.password = on_password;
	options.authorise = on_authorise;
	options.permit = on_permit;
	options.account = on_account;
	return options;
}

static void begin(const char *listen)
{
	const char *const texts[] = { listen, NULL };
	g_autoptr(GError) error = NULL;
	const WiceRelayServerOptions options = usual_options(texts);
	context = g_main_context_new();
	server = wice_relay_server_new(context, &options, &error);
	ck_assert_msg(server != NULL, "%s", error ? error->message : "");
	if (listen)
		ck_assert(
			wice_endpoint_parse(wice_relay_server_listening(server, 0) + 4, &address));
	if (listen && strchr(listen, '*'))
		ck_assert(wice_address_parse("127.0.0.1", &address.address));
}

static void end(void)
{
	wice_relay_server_free(server);
	g_main_context_unref(context);
}

static int open_socket(int type, const WiceEndpoint *to, WiceEndpoint *ret_local)
{
	WiceUdpName name;
	WiceEndpoint local = { .address = to->address };
	socklen_t len = wice__udp_name(&name, &local);
	int fd = socket(name.any.sa_family, type, 0);
	ck_assert_int_eq(bind(fd, &name.any, len), 0);
	len = sizeof name;
	ck_assert_int_eq(getsockname(fd, &name.any, &len), 0);
	if (ret_local) {
		*ret_local = local;
		ret_local->port = g_ntohs(name.in4.sin_port);
		return fd;
	}
	len = wice__udp_name(&name, to);
	ck_assert_int_eq(connect(fd, &name.any, len), 0);
	return fd;
}

static Client *client_new(int type, const WiceEndpoint *to, const char *password,
			  const WiceEndpoint *peer)
{
	Client *client = g_new0(Client, 1);
	const WiceTurnClientOptions options = {
		.stream = type == SOCK_STREAM,
		.username = "alice",
		.password = password,
		.want_ipv4 = true,
		.fill_random = randombytes_buf,
	};
	client->fd = open_socket(type, to, NULL);
	client->is_stream = type == SOCK_STREAM;
	client->turn = wice__turn_client_new(&options, wice__now_ms());
	wice__turn_stream_init(&client->stream, 2048);
	ck_assert_int_eq(
		wice__turn_client_bind(client->turn, peer, wice__now_ms(), &client->channel), 0);
	return client;
}

static void client_free(Client *client)
{
	close(client->fd);
	wice__turn_client_free(client->turn);
	wice__turn_stream_done(&client->stream);
	g_free(client);
}

static void take(Client *client, const uint8_t *packet, size_t len)
{
	uint16_t channel;
	WiceSpan data;
	if (wice__turn_client_input(client->turn, packet, len, wice__now_ms(), &channel, &data) !=
	    WICE_TURN_INPUT_DATA)
		return;
	ck_assert_uint_eq(channel, client->channel);
	ck_assert_uint_lt(data.len, sizeof client->received);
	memcpy(client->received, data.data, data.len);
	client->received[data.len] = '\0';
	client->n_received++;
}

static void read_stream(Client *client)
{
	size_t room, len;
	uint8_t *buffer = wice__turn_stream_room(&client->stream, &room), *frame;
	ssize_t n = recv(client->fd, buffer, room, MSG_DONTWAIT);
	wice__turn_stream_added(&client->stream, n > 0 ? (size_t)n : 0);
	while (wice__turn_stream_next(&client->stream, &frame, &len) == 0)
		take(client, frame, len);
}

/* One round of a client and of the server. */
static void step(Client *client)
{
	uint8_t packet[2048];
	size_t len;
	ssize_t n;
	while (wice__turn_client_output(client->turn, wice__now_ms(), packet, &len))
		ck_assert_int_eq(send(client->fd, packet, len, 0), (ssize_t)len);
	while (g_main_context_iteration(context, FALSE)) {
	}
	if (client->is_stream)
		read_stream(client);
	while (!client->is_stream &&
	       (n = recv(client->fd, packet, sizeof packet, MSG_DONTWAIT)) >= 0)
		take(client, packet, (size_t)n);
}

#define WAIT_FOR(client, condition)                                               \
	for (int64_t until_ms = wice__now_ms() + WAIT_MS; !(condition);) {        \
		ck_assert_msg(wice__now_ms() < until_ms, "in vain: " #condition); \
		step(client);                                                     \
	}

static bool is_bound(const Client *client)
{
	return wice__turn_client_is_bound(client->turn, client->channel);
}

static bool has_failed(const Client *client)
{
	return wice__turn_client_state(client->turn) == WICE_TURN_FAILED;
}

static void say(const Client *client, const char *text)
{
	uint8_t packet[200] = { 0 };
	size_t len = strlen(text);
	ck_assert_int_eq(wice__channel_data_write(packet, client->channel, len), 0);
	memcpy(packet + 4, text, len);
	len += 4 + (client->is_stream ? wice__channel_data_padding(len) : 0);
	ck_assert_int_eq(send(client->fd, packet, len, 0), (ssize_t)len);
}

static void hear(int fd, const char *text, Client *meanwhile)
{
	char buffer[100];
	ssize_t n = -1;
	WAIT_FOR(meanwhile, (n = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT)) >= 0);
	ck_assert_uint_eq((size_t)n, strlen(text));
	ck_assert(memcmp(buffer, text, strlen(text)) == 0);
}

static void relay_both_ways(int type, const char *listen)
{
	WiceEndpoint peer, relayed, any = { 0 };
	unsigned n_ended = seen.n_ended;
	begin(listen);
	ck_assert(wice_address_parse("127.0.0.1", &any.address));
	int peer_fd = open_socket(SOCK_DGRAM, &any, &peer);
	Client *client = client_new(type, &address, "wonderland", &peer);
	WAIT_FOR(client, is_bound(client));
	ck_assert(wice__turn_client_relayed(client->turn, WICE_FAMILY_IPV4, &relayed));
	say(client, "from the client");
	hear(peer_fd, "from the client", client);
	ck_assert_int_eq(wice__udp_send_to(peer_fd, &relayed, (const uint8_t *)"back", 4), 0);
	WAIT_FOR(client, client->n_received == 1);
	ck_assert_str_eq(client->received, "back");

	WiceRelayServerStatus status;
	wice_relay_server_status(server, &status);
	ck_assert_uint_eq(status.allocations, 1);
	ck_assert_uint_eq(status.packets, 2);
	ck_assert_uint_eq(status.bytes, strlen("from the client") + 4);
	ck_assert_uint_ge(status.unauthenticated, 1);
	wice__turn_client_release(client->turn, wice__now_ms());
	WAIT_FOR(client, wice__turn_client_state(client->turn) == WICE_TURN_RELEASED);
	ck_assert_uint_eq(seen.n_ended, n_ended + 1);
	ck_assert_str_eq(seen.last_user, "alice");
	ck_assert_uint_eq(seen.last.tx_packets, 1);
	ck_assert_uint_eq(seen.last.rx_bytes, 4);
	ck_assert_int_eq(wice_endpoint_compare(&seen.last.relayed_ipv4, &relayed), 0);
	wice_relay_server_status(server, &status);
	ck_assert_uint_eq(status.allocations, 0);
	ck_assert_uint_eq(status.total, 1);
	ck_assert_uint_eq(status.packets, 2);
	client_free(client);
	close(peer_fd);
	end();
}

START_TEST(packets_pass_both_ways_over_udp)
{
	relay_both_ways(SOCK_DGRAM, "udp:127.0.0.1:0");
}
END_TEST

START_TEST(packets_pass_both_ways_over_udp_of_all_addresses)
{
	relay_both_ways(SOCK_DGRAM, "udp:*:0");
}
END_TEST

START_TEST(packets_pass_both_ways_over_tcp)
{
	relay_both_ways(SOCK_STREAM, "tcp:127.0.0.1:0");
}
END_TEST

START_TEST(packets_pass_both_ways_between_families)
{
	relay_both_ways(SOCK_DGRAM, "udp:[::1]:0");
	relay_both_ways(SOCK_STREAM, "tcp:[::1]:0");
}
END_TEST

/* Each is the other's peer: no packet leaves the server between them. */
START_TEST(clients_of_one_server_meet)
{
	WiceEndpoint relayed[2], nobody;
	uint16_t channel;
	begin("udp:127.0.0.1:0");
	ck_assert(wice_endpoint_parse("127.0.0.1:40000", &nobody));
	Client *a = client_new(SOCK_DGRAM, &address, "wonderland", &nobody);
	Client *b = client_new(SOCK_DGRAM, &address, "wonderland", &nobody);
	WAIT_FOR(a, is_bound(a));
	WAIT_FOR(b, is_bound(b));
	ck_assert(wice__turn_client_relayed(a->turn, WICE_FAMILY_IPV4, &relayed[0]));
	ck_assert(wice__turn_client_relayed(b->turn, WICE_FAMILY_IPV4, &relayed[1]));
	ck_assert_int_eq(wice__turn_client_bind(a->turn, &relayed[1], wice__now_ms(), &channel), 0);
	a->channel = channel;
	ck_assert_int_eq(wice__turn_client_bind(b->turn, &relayed[0], wice__now_ms(), &channel), 0);
	b->channel = channel;
	WAIT_FOR(a, is_bound(a));
	WAIT_FOR(b, is_bound(b));
	say(a, "hello b");
	WAIT_FOR(b, b->n_received == 1);
	ck_assert_str_eq(b->received, "hello b");
	say(b, "hello a");
	WAIT_FOR(a, a->n_received == 1);
	ck_assert_str_eq(a->received, "hello a");
	client_free(a);
	client_free(b);
	end();
}
END_TEST

START_TEST(whoever_is_not_wanted_is_refused)
{
	WiceEndpoint peer, denied;
	WiceRelayServerStatus status;
	begin("udp:127.0.0.1:0");
	ck_assert(wice_endpoint_parse("127.0.0.1:40000", &peer));
	ck_assert(wice_endpoint_parse("127.0.0.1:9", &denied));
	Client *client = client_new(SOCK_DGRAM, &address, "nonsense", &peer);
	WAIT_FOR(client, has_failed(client));
	ck_assert_int_eq(wice__turn_client_failure(client->turn, NULL), WICE_TURN_REFUSED);
	client_free(client);
	ck_assert_uint_eq(seen.n_authorised, 0);

	seen.refuse = true;
	client = client_new(SOCK_DGRAM, &address, "wonderland", &peer);
	WAIT_FOR(client, has_failed(client));
	ck_assert_int_eq(wice__turn_client_failure(client->turn, NULL), WICE_TURN_FORBIDDEN);
	client_free(client);
	ck_assert_uint_eq(seen.n_authorised, 1);
	wice_relay_server_status(server, &status);
	ck_assert_uint_eq(status.refused, 1);
	ck_assert_uint_eq(status.total, 0);

	seen.refuse = false;
	client = client_new(SOCK_DGRAM, &address, "wonderland", &denied);
	WiceTurnEvent event = { 0 };
	WAIT_FOR(client, wice__turn_client_event(client->turn, &event) &&
				 event.type == WICE_TURN_EVENT_NOT_BOUND);
	ck_assert_uint_eq(event.code, 403);
	ck_assert_uint_eq(seen.n_permitted, 1);
	client_free(client);
	end();
}
END_TEST

START_TEST(a_stream_that_ends_takes_its_allocation_with_it)
{
	WiceEndpoint peer;
	begin("tcp:127.0.0.1:0");
	ck_assert(wice_endpoint_parse("127.0.0.1:40000", &peer));
	Client *client = client_new(SOCK_STREAM, &address, "wonderland", &peer);
	WAIT_FOR(client, is_bound(client));
	shutdown(client->fd, SHUT_RDWR);
	for (int64_t until_ms = wice__now_ms() + WAIT_MS; seen.n_ended == 0;) {
		ck_assert(wice__now_ms() < until_ms);
		g_main_context_iteration(context, FALSE);
	}
	client_free(client);
	end();
}
END_TEST

static bool is_over(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT);
	return n == 0 || (n < 0 && errno != EAGAIN);
}

/* So many that say nothing: who has no allocation has to make room for them. */
#define N_STRANGERS 1500

START_TEST(who_has_given_an_allocation_back_keeps_no_stream_for_it)
{
	WiceEndpoint peer;
	struct rlimit limit;
	int strangers[N_STRANGERS];
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_max < 3 * N_STRANGERS) {
		printf("Skipped: too few descriptors\n");
		return;
	}
	begin("tcp:127.0.0.1:0");
	ck_assert(wice_endpoint_parse("127.0.0.1:40000", &peer));
	limit.rlim_cur = limit.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	Client *user = client_new(SOCK_STREAM, &address, "wonderland", &peer);
	Client *former = client_new(SOCK_STREAM, &address, "wonderland", &peer);
	WAIT_FOR(user, is_bound(user));
	WAIT_FOR(former, is_bound(former));
	wice__turn_client_release(former->turn, wice__now_ms());
	WAIT_FOR(former, wice__turn_client_state(former->turn) == WICE_TURN_RELEASED);
	for (size_t i = 0; i < N_STRANGERS; i++) {
		strangers[i] = open_socket(SOCK_STREAM, &address, NULL);
		step(user);
	}
	WAIT_FOR(user, is_over(former->fd));
	ck_assert(!is_over(user->fd));
	for (size_t i = 0; i < N_STRANGERS; i++)
		close(strangers[i]);
	client_free(user);
	client_free(former);
	end();
}
END_TEST

START_TEST(a_stream_of_nonsense_is_hung_up_on)
{
	char byte;
	ssize_t n = -1;
	begin("tcp:127.0.0.1:0");
	int fd = open_socket(SOCK_STREAM, &address, NULL);
	ck_assert_int_eq(send(fd, "\xff\xff\xff\xff\xff", 5, 0), 5);
	for (int64_t until_ms = wice__now_ms() + WAIT_MS; n != 0 && errno != ECONNRESET;) {
		ck_assert(wice__now_ms() < until_ms);
		g_main_context_iteration(context, FALSE);
		n = recv(fd, &byte, 1, MSG_DONTWAIT);
	}
	close(fd);
	end();
}
END_TEST

START_TEST(a_server_that_drains_may_be_freed_when_it_has)
{
	WiceEndpoint peer;
	g_autoptr(GError) error = NULL;
	begin("udp:127.0.0.1:0");
	ck_assert(wice_endpoint_parse("127.0.0.1:40000", &peer));
	Client *client = client_new(SOCK_DGRAM, &address, "wonderland", &peer);
	WAIT_FOR(client, is_bound(client));
	ck_assert(!wice_relay_server_drain(server, "elsewhere", on_drained, NULL, &error));
	ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_INVALID));
	ck_assert(wice_relay_server_drain(server, "192.0.2.7:3478", on_drained, NULL, NULL));
	Client *other = client_new(SOCK_DGRAM, &address, "wonderland", &peer);
	WAIT_FOR(other, has_failed(other));
	ck_assert_int_eq(wice__turn_client_failure(other->turn, NULL), WICE_TURN_ALTERNATE);
	ck_assert_uint_eq(seen.n_drained, 0);
	wice__turn_client_release(client->turn, wice__now_ms());
	WAIT_FOR(client, seen.n_drained == 1);
	client_free(client);
	client_free(other);
	end();
}
END_TEST

/* Packets of another port: here those that are sent to the socket that it gives for it. */
START_TEST(a_port_of_somebody_else_is_shared)
{
	WiceEndpoint peer, to;
	begin("udp:127.0.0.1:0");
	int fd = wice__relay_server_share(server, WICE_FAMILY_IPV4, 51820);
	ck_assert_int_ge(fd, 0);
	ck_assert_str_eq(wice_relay_server_listening(server, 1), "udp:0.0.0.0:51820");
	WiceUdpName name;
	socklen_t len = sizeof name;
	ck_assert_int_eq(getsockname(fd, &name.any, &len), 0);
	to = address;
	to.port = g_ntohs(name.in4.sin_port);
	ck_assert_uint_ne(to.port, 51820);
	ck_assert(wice_endpoint_parse("127.0.0.1:40000", &peer));
	Client *client = client_new(SOCK_DGRAM, &to, "wonderland", &peer);
	WAIT_FOR(client, is_bound(client));
	wice__relay_server_unshare(server, WICE_FAMILY_IPV4, 51821);
	ck_assert_int_ge(fcntl(fd, F_GETFD), 0);
	wice__relay_server_unshare(server, WICE_FAMILY_IPV4, 51820);
	ck_assert_int_lt(fcntl(fd, F_GETFD), 0);
	ck_assert_ptr_null(wice_relay_server_listening(server, 1));
	client_free(client);
	end();
}
END_TEST

START_TEST(what_cannot_be_is_refused_with_a_reason)
{
	static const char *const nowhere[] = { NULL };
	static const char *const texts[][2] = {
		{ "udp:127.0.0.1", NULL }, { "127.0.0.1:3478", NULL },  { "udp:*:70000", NULL },
		{ "udp:::1:5", NULL },     { "tls:127.0.0.1:0", NULL }, { "", NULL },
	};
	static const char *const here[] = { "127.0.0.1/::1", NULL };
	g_autoptr(GError) error = NULL;
	WiceRelayServerOptions options = usual_options(nowhere);
	g_autoptr(WiceRelayServer) good = wice_relay_server_new(NULL, &options, &error);
	ck_assert_ptr_nonnull(good);
	ck_assert_ptr_null(wice_relay_server_listening(good, 0));
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		options = usual_options(texts[i]);
		ck_assert_ptr_null(wice_relay_server_new(NULL, &options, &error));
		ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_INVALID));
		ck_assert_ptr_nonnull(strstr(error->message, texts[i][0]));
		g_clear_error(&error);
	}
	options = usual_options(nowhere);
	options.relay_addresses = here;
	ck_assert_ptr_null(wice_relay_server_new(NULL, &options, &error));
	ck_assert_ptr_nonnull(strstr(error->message, here[0]));
	g_clear_error(&error);
	options = usual_options(nowhere);
	options.password = NULL;
	ck_assert_ptr_null(wice_relay_server_new(NULL, &options, &error));
	g_clear_error(&error);
	options = usual_options(nowhere);
	options.min_port = 2000;
	options.max_port = 1000;
	ck_assert_ptr_null(wice_relay_server_new(NULL, &options, &error));
	g_clear_error(&error);
	options = usual_options(nowhere);
	options.certificate_file = "/nonexistent.pem";
	ck_assert_ptr_null(wice_relay_server_new(NULL, &options, &error));
	ck_assert_ptr_nonnull(strstr(error->message, "/nonexistent.pem"));
}
END_TEST

SUITE_MAIN("turnserver server", packets_pass_both_ways_over_udp,
	   packets_pass_both_ways_over_udp_of_all_addresses, packets_pass_both_ways_over_tcp,
	   packets_pass_both_ways_between_families, clients_of_one_server_meet,
	   whoever_is_not_wanted_is_refused, a_stream_that_ends_takes_its_allocation_with_it,
	   who_has_given_an_allocation_back_keeps_no_stream_for_it,
	   a_stream_of_nonsense_is_hung_up_on, a_server_that_drains_may_be_freed_when_it_has,
	   a_port_of_somebody_else_is_shared, what_cannot_be_is_refused_with_a_reason)
