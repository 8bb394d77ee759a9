/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "../rpc/certificate.h"
#include "event/source.h"
#include "played_server.h"
#include "relay/relay.h"
#include "stun/channel_data.h"
#include "suite.h"

#define WAIT_MS 60000
#define BIG (64 * 1024)

/* Who uses a relay, and what he has seen. */
typedef struct {
	WiceRelay *relay;
	bool inside; /* a call of the relay's functions */
	unsigned n_changed, n_opened, n_closing, n_data;
	int fd;
	WiceEndpoint local, server;
	uint16_t channel;
	uint8_t data[BIG];
	size_t data_len;
	bool free_on_data, free_on_changed;
} User;

static TestCertificate files;
static GTlsCertificate *certificate;

static void free_relay(User *user)
{
	user->inside = true;
	wice__relay_free(g_steal_pointer(&user->relay));
	user->inside = false;
}

static void on_changed(WiceRelay *relay, void *user_data)
{
	User *user = user_data;
	ck_assert(!user->inside);
	ck_assert_ptr_eq(relay, user->relay);
	user->n_changed++;
	if (user->free_on_changed)
		free_relay(user);
}

static void on_data(WiceRelay *relay, uint16_t channel, uint8_t *data, size_t len, void *user_data)
{
	User *user = user_data;
	user->n_data++;
	user->channel = channel;
	user->data_len = len;
	memcpy(user->data, data, len);
	memset(data, 0, len);
	if (user->free_on_data)
		free_relay(user);
}

static void on_opened(WiceRelay *relay, int fd, const WiceEndpoint *local,
		      const WiceEndpoint *server, void *user_data)
{
	User *user = user_data;
	user->n_opened++;
	user->fd = fd;
	user->local = *local;
	user->server = *server;
}

static void on_closing(WiceRelay *relay, int fd, const WiceEndpoint *local,
		       const WiceEndpoint *server, void *user_data)
{
	User *user = user_data;
	user->n_closing++;
	ck_assert_int_eq(fd, user->fd);
	ck_assert_int_eq(wice_endpoint_compare(local, &user->local), 0);
	ck_assert_int_eq(wice_endpoint_compare(server, &user->server), 0);
}

static const WiceRelayEvents events = {
	.changed = on_changed,
	.data = on_data,
	.socket_opened = on_opened,
	.socket_closing = on_closing,
};

static void user_start(User *user, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void user_start(User *user, const char *format, ...)
{
	g_autoptr(GError) error = NULL;
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	WiceRelaySpec *spec = wice__relay_spec_parse(text, false, &error);
	ck_assert_msg(spec != NULL, "%s", error ? error->message : "");
	WiceRelayOptions options = { .spec = spec };
	*user = (User){ .inside = true };
	user->relay = wice__relay_new(&options, &events, user);
	user->inside = false;
	wice__relay_spec_free(spec);
	ck_assert_int_eq(wice__relay_state(user->relay), WICE_RELAY_CONNECTING);
	ck_assert_str_ne(wice__relay_reason(user->relay), "");
}

/* With the library's events until it holds. */
#define WAIT(condition)                                                                          \
	do {                                                                                     \
		for (int64_t until = wice__now_ms() + WAIT_MS; !(condition);) {                  \
			ck_assert_msg(wice__now_ms() < until, "waited in vain: %s", #condition); \
			if (!g_main_context_iteration(NULL, FALSE))                              \
				g_usleep(1000);                                                  \
		}                                                                                \
	} while (0)

static bool is_ready(const User *user)
{
	return wice__relay_state(user->relay) == WICE_RELAY_READY;
}

static bool has_failed(const User *user)
{
	return wice__relay_state(user->relay) == WICE_RELAY_FAILED;
}

static void wait_ready(User *user)
{
	WAIT(is_ready(user) || has_failed(user));
	ck_assert_msg(is_ready(user), "%s", wice__relay_reason(user->relay));
	ck_assert_str_eq(wice__relay_reason(user->relay), "");
}

static void wait_failed(User *user, const char *why)
{
	WAIT(has_failed(user));
	const char *reason = wice__relay_reason(user->relay);
	ck_assert_msg(strstr(reason, why) != NULL, "\"%s\" does not say \"%s\"", reason, why);
}

static uint16_t bind_peer(User *user)
{
	WiceEndpoint peer;
	uint16_t channel;
	ck_assert(wice_endpoint_parse("198.51.100.1:51820", &peer));
	user->inside = true;
	ck_assert_int_eq(wice__relay_bind(user->relay, &peer, &channel), 0);
	user->inside = false;
	WAIT(wice__relay_is_bound(user->relay, channel));
	return channel;
}

static void send_data(User *user, uint16_t channel, size_t len)
{
	uint8_t packet[4 + BIG];
	ck_assert_int_eq(wice__channel_data_write(packet, channel, len), 0);
	memset(packet + 4, 0x5a, len);
	ck_assert_int_eq(wice__relay_send(user->relay, packet, 4 + len), 0);
}

static void check_echo(User *user, uint16_t channel, size_t len)
{
	unsigned before = user->n_data;
	send_data(user, channel, len);
	WAIT(user->n_data > before);
	ck_assert_uint_eq(user->channel, channel);
	ck_assert_uint_eq(user->data_len, len);
	for (size_t i = 0; i < len; i++)
		ck_assert_uint_eq(user->data[i], 0x5a);
}

static bool make_certificate(const char *names)
{
	if (!test_certificate_make(&files, names))
		return false;
	certificate = g_tls_certificate_new_from_files(files.certificate, files.key, NULL);
	ck_assert_ptr_nonnull(certificate);
	return true;
}

static void remove_certificate(void)
{
	g_clear_object(&certificate);
	test_certificate_remove(&files);
}

static const struct {
	WiceTurnTransport transport;
	const char *address, *format;
} ways[] = {
	{ WICE_TURN_UDP, "127.0.0.1", "turn:127.0.0.1:%u" },
	{ WICE_TURN_UDP, "::1", "turn:[::1]:%u" },
	{ WICE_TURN_UDP, "127.0.0.1", "turn:localhost:%u" },
	{ WICE_TURN_TCP, "127.0.0.1", "turn:127.0.0.1:%u?transport=tcp" },
	{ WICE_TURN_TCP, "::1", "turn:[::1]:%u?transport=tcp" },
	{ WICE_TURN_TLS, "127.0.0.1", "turns:localhost:%u ca-file=%s" },
	{ WICE_TURN_TLS, "::1", "turns:[::1]:%u ca-file=%s" },
};

START_TEST(an_allocation_is_made_used_and_given_back)
{
	static User user;
	PlayedServer server;
	WiceEndpoint relayed;
	bool tls = ways[_i].transport == WICE_TURN_TLS, udp = ways[_i].transport == WICE_TURN_UDP;
	if (tls && !make_certificate("DNS:localhost,IP:127.0.0.1,IP:::1"))
		return;
	played_server_start(&server, ways[_i].transport, ways[_i].address, 0, certificate);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	user_start(&user, ways[_i].format, server.port, files.certificate);
#pragma GCC diagnostic pop
	wait_ready(&user);
	WAIT(user.n_changed > 0);
	ck_assert(wice__relay_relayed(user.relay, WICE_FAMILY_IPV4, &relayed));
	ck_assert_uint_eq(relayed.port, 50000);
	ck_assert(!wice__relay_relayed(user.relay, WICE_FAMILY_IPV6, &relayed));
	ck_assert_uint_eq(wice__relay_server(user.relay)->port, server.port);
	ck_assert_uint_eq(wice__relay_server(user.relay)->address.family,
			  strchr(ways[_i].address, ':') ? WICE_FAMILY_IPV6 : WICE_FAMILY_IPV4);
	WAIT(wice__relay_measure(user.relay)->has_rtt);

	uint16_t channel = bind_peer(&user);
	static const size_t sizes[] = { 0, 1, 2, 3, 4, 1420, 9000 };
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++)
		check_echo(&user, channel, sizes[i]);

	if (udp) {
		ck_assert_int_eq(user.fd, wice__relay_fd(user.relay));
		ck_assert_uint_ne(user.local.port, 0);
		ck_assert_uint_eq(user.n_closing + 1, user.n_opened);
	} else {
		ck_assert_int_eq(wice__relay_fd(user.relay), -1);
	}
	free_relay(&user);
	ck_assert_uint_eq(user.n_closing, user.n_opened);
	ck_assert_uint_eq(user.n_opened > 0, udp);
	if (udp)
		WAIT(PLAYED_GET(&server, n_releases) > 0);
	played_server_stop(&server);
	remove_certificate();
}
END_TEST

/* There is no main loop any more then. */
START_TEST(servers_that_want_a_newer_nonce_release_too)
{
	static User users[3];
	WiceRelay *relays[G_N_ELEMENTS(users)];
	PlayedServer servers[G_N_ELEMENTS(users)];
	for (size_t i = 0; i < G_N_ELEMENTS(users); i++) {
		played_server_start(&servers[i], WICE_TURN_UDP, "127.0.0.1", 0, NULL);
		user_start(&users[i], "turn:127.0.0.1:%u username=alice password=x",
			   servers[i].port);
		wait_ready(&users[i]);
		relays[i] = users[i].relay;
	}
	PLAYED_SET(&servers[0], stale, 1);
	PLAYED_SET(&servers[1], stale, 2);
	PLAYED_SET(&servers[2], silent, true);
	wice__relay_give_back_all(relays, G_N_ELEMENTS(relays));
	ck_assert_uint_eq(PLAYED_GET(&servers[0], n_releases), 2);
	ck_assert_uint_eq(PLAYED_GET(&servers[1], n_releases), 3);
	for (size_t i = 0; i < G_N_ELEMENTS(users); i++) {
		free_relay(&users[i]);
		played_server_stop(&servers[i]);
	}
}
END_TEST

START_TEST(what_fails_is_said_and_tried_again)
{
	static User user;
	PlayedServer server;
	played_server_start(&server, WICE_TURN_UDP, "127.0.0.1", 0, NULL);
	PLAYED_SET(&server, allocate_error, 486);
	user_start(&user, "turn:127.0.0.1:%u", server.port);
	wait_failed(&user, "as many allocations");
	ck_assert_int_eq(wice__relay_fd(user.relay), -1);
	ck_assert_uint_eq(user.n_closing, 1);
	unsigned n_changed = user.n_changed, n_allocates = PLAYED_GET(&server, n_allocates);
	WAIT(PLAYED_GET(&server, n_allocates) > n_allocates);
	PLAYED_SET(&server, allocate_error, 0);
	WAIT(is_ready(&user));
	WAIT(user.n_changed > n_changed);
	free_relay(&user);
	played_server_stop(&server);
}
END_TEST

START_TEST(a_network_that_has_changed_is_tried_at_once)
{
	static User user;
	PlayedServer server;
	played_server_start(&server, WICE_TURN_UDP, "127.0.0.1", 0, NULL);
	PLAYED_SET(&server, allocate_error, 508);
	user_start(&user, "turn:127.0.0.1:%u", server.port);
	/* By then it would wait for seconds. */
	WAIT(PLAYED_GET(&server, n_allocates) >= 4);
	WAIT(wice__relay_fd(user.relay) == -1);
	PLAYED_SET(&server, allocate_error, 0);
	int64_t before = wice__now_ms();
	wice__relay_network_changed(user.relay);
	WAIT(is_ready(&user));
	ck_assert_int_lt(wice__now_ms() - before, 4000);
	free_relay(&user);
	played_server_stop(&server);
}
END_TEST

START_TEST(reasons_name_what_is_wrong)
{
	static User user;
	PlayedServer server;
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "turn:127.0.0.1:1", "Nothing listens at 127.0.0.1:1" },
		{ "turn:[::1]:1", "Nothing listens at [::1]:1" },
		{ "turn:127.0.0.1:1?transport=tcp", "refused" },
		{ "turn:name.invalid", "name.invalid cannot be resolved" },
		{ "turn:name.invalid?transport=tcp", "name.invalid" },
		{ "turn:255.255.255.255", "255.255.255.255" },
		{ "turn:127.0.0.1:1 username=a password-file=/nonexistent/p", "/nonexistent/p" },
		{ "turn:127.0.0.1:1 username=a password-command=false", "status 1" },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		user_start(&user, "%s", cases[i].text);
		wait_failed(&user, cases[i].why);
		ck_assert_uint_eq(user.n_opened, user.n_closing);
		free_relay(&user);
	}
	played_server_start(&server, WICE_TURN_TCP, "127.0.0.1", 0, NULL);
	PLAYED_SET(&server, talks_nonsense, true);
	user_start(&user, "turn:127.0.0.1:%u?transport=tcp", server.port);
	wait_failed(&user, "what is not TURN");
	free_relay(&user);
	played_server_stop(&server);
}
END_TEST

START_TEST(certificates_are_checked)
{
	static User user;
	PlayedServer server;
	if (!make_certificate("DNS:elsewhere.example"))
		return;
	played_server_start(&server, WICE_TURN_TLS, "127.0.0.1", 0, certificate);
	user_start(&user, "turns:127.0.0.1:%u", server.port);
	wait_failed(&user, "certificate");
	free_relay(&user);
	user_start(&user, "turns:127.0.0.1:%u ca-file=%s", server.port, files.certificate);
	wait_failed(&user, "for another name");
	ck_assert_uint_eq(PLAYED_GET(&server, n_allocates), 0);
	free_relay(&user);
	played_server_stop(&server);
	remove_certificate();
}
END_TEST

START_TEST(a_server_that_does_not_answer_is_given_up)
{
	static User user;
	PlayedServer server;
	played_server_start(&server, _i ? WICE_TURN_TCP : WICE_TURN_UDP, "127.0.0.1", 0, NULL);
	PLAYED_SET(&server, silent, true);
	user_start(&user, "turn:127.0.0.1:%u?transport=%s", server.port, _i ? "tcp" : "udp");
	wait_failed(&user, "does not answer");
	free_relay(&user);
	played_server_stop(&server);
}
END_TEST

START_TEST(a_server_that_vanishes_is_noticed_and_found_again)
{
	static User user;
	PlayedServer server;
	played_server_start(&server, _i ? WICE_TURN_TCP : WICE_TURN_UDP, "127.0.0.1", 0, NULL);
	user_start(&user, "turn:127.0.0.1:%u?transport=%s", server.port, _i ? "tcp" : "udp");
	wait_ready(&user);
	PLAYED_SET(&server, silent, true);
	user.inside = true;
	wice__relay_hurry(user.relay);
	user.inside = false;
	WAIT(!is_ready(&user));
	PLAYED_SET(&server, silent, false);
	WAIT(is_ready(&user));
	free_relay(&user);
	played_server_stop(&server);
}
END_TEST

START_TEST(a_way_that_was_silent_for_a_moment_costs_nothing)
{
	static User user;
	PlayedServer server;
	played_server_start(&server, WICE_TURN_UDP, "127.0.0.1", 0, NULL);
	user_start(&user, "turn:127.0.0.1:%u", server.port);
	wait_ready(&user);
	uint16_t channel = bind_peer(&user);
	unsigned n_refreshes = PLAYED_GET(&server, n_refreshes);
	wice__relay_hurry(user.relay);
	WAIT(PLAYED_GET(&server, n_refreshes) > n_refreshes);
	check_echo(&user, channel, 100);
	wice__relay_network_changed(user.relay);
	WAIT(PLAYED_GET(&server, n_refreshes) > n_refreshes + 1);
	ck_assert_uint_eq(PLAYED_GET(&server, n_allocates), 1);
	check_echo(&user, channel, 100);
	free_relay(&user);
	played_server_stop(&server);
}
END_TEST

START_TEST(one_that_is_used_is_measured_often)
{
	static User user;
	PlayedServer server;
	played_server_start(&server, WICE_TURN_UDP, "127.0.0.1", 0, NULL);
	user_start(&user, "turn:127.0.0.1:%u", server.port);
	wice__relay_set_used(user.relay, true);
	/* Without, the sixth probe comes after 20 s. */
	int64_t before = wice__now_ms();
	WAIT(PLAYED_GET(&server, n_bindings) >= 8);
	ck_assert_int_lt(wice__now_ms() - before, 18000);
	wice__relay_set_used(user.relay, false);
	free_relay(&user);
	played_server_stop(&server);
}
END_TEST

START_TEST(an_allocation_that_the_server_has_forgotten_is_made_anew)
{
	static User user;
	PlayedServer server;
	played_server_start(&server, WICE_TURN_UDP, "127.0.0.1", 0, NULL);
	user_start(&user, "turn:127.0.0.1:%u", server.port);
	wait_ready(&user);
	unsigned n_allocates = PLAYED_GET(&server, n_allocates);
	PLAYED_SET(&server, forgot, true);
	wice__relay_hurry(user.relay);
	WAIT(!is_ready(&user));
	PLAYED_SET(&server, forgot, false);
	WAIT(is_ready(&user));
	ck_assert_uint_gt(PLAYED_GET(&server, n_allocates), n_allocates);
	free_relay(&user);
	played_server_stop(&server);
}
END_TEST

START_TEST(another_server_is_gone_to)
{
	static User user;
	PlayedServer first, second;
	played_server_start(&first, WICE_TURN_UDP, "127.0.0.1", 0, NULL);
	played_server_start(&second, WICE_TURN_UDP, "::1", 0, NULL);
	WiceEndpoint alternate = { .port = second.port };
	ck_assert(wice_address_parse("::1", &alternate.address));
	PLAYED_SET(&first, alternate, alternate);
	PLAYED_SET(&first, allocate_error, 300);
	user_start(&user, "turn:127.0.0.1:%u", first.port);
	wait_ready(&user);
	ck_assert_int_eq(wice_endpoint_compare(wice__relay_server(user.relay), &alternate), 0);
	ck_assert_uint_eq(PLAYED_GET(&second, n_allocates), 1);
	free_relay(&user);
	played_server_stop(&first);
	played_server_stop(&second);
}
END_TEST

START_TEST(another_server_is_not_gone_to_for_ever_or_nowhere)
{
	static User user;
	PlayedServer server;
	WiceEndpoint alternate;
	static const char *const nowhere[] = { NULL, "0.0.0.0:3478", "127.0.0.1:0",
					       "224.0.0.1:3478" };
	for (size_t i = 0; i < G_N_ELEMENTS(nowhere); i++) {
		played_server_start(&server, WICE_TURN_UDP, "127.0.0.1", 0, NULL);
		alternate = (WiceEndpoint){ .port = server.port };
		ck_assert(wice_address_parse("127.0.0.1", &alternate.address));
		if (nowhere[i])
			ck_assert(wice_endpoint_parse(nowhere[i], &alternate));
		PLAYED_SET(&server, alternate, alternate);
		PLAYED_SET(&server, allocate_error, 300);
		user_start(&user, "turn:127.0.0.1:%u", server.port);
		wait_failed(&user, "sends us to");
		ck_assert_uint_eq(PLAYED_GET(&server, n_allocates), nowhere[i] ? 1 : 4);
		free_relay(&user);
		played_server_stop(&server);
	}
}
END_TEST

static gboolean always(gpointer user_data)
{
	return G_SOURCE_CONTINUE;
}

START_TEST(what_comes_another_way_is_taken)
{
	static User user;
	PlayedServer server;
	uint8_t packet[2048];
	played_server_start(&server, WICE_TURN_UDP, "127.0.0.1", 0, NULL);
	user_start(&user, "turn:127.0.0.1:%u", server.port);
	wait_ready(&user);
	wice__relay_set_reading(user.relay, false);
	WiceEndpoint peer, stranger = user.server;
	uint16_t channel;
	ck_assert(wice_endpoint_parse("198.51.100.1:51820", &peer));
	ck_assert_int_eq(wice__relay_bind(user.relay, &peer, &channel), 0);
	guint ticks = g_timeout_add(5, always, NULL);
	for (int i = 0; !wice__relay_is_bound(user.relay, channel); i++) {
		ck_assert_int_lt(i, 10000);
		g_main_context_iteration(NULL, TRUE);
		ssize_t len = recv(wice__relay_fd(user.relay), packet, sizeof packet, MSG_DONTWAIT);
		if (len > 0) {
			user.inside = true;
			wice__relay_input(user.relay, &user.server, packet, (size_t)len);
			user.inside = false;
		}
	}
	g_source_remove(ticks);
	ck_assert_int_eq(wice__channel_data_write(packet, channel, 3), 0);
	memcpy(packet + 4, "abc", 3);
	stranger.port ^= 1;
	wice__relay_input(user.relay, &stranger, packet, 7);
	ck_assert_uint_eq(user.n_data, 0);
	wice__relay_input(user.relay, &user.server, packet, 7);
	ck_assert_uint_eq(user.n_data, 1);
	ck_assert_mem_eq(user.data, "abc", 3);
	wice__relay_set_reading(user.relay, true);
	check_echo(&user, channel, 10);
	free_relay(&user);
	played_server_stop(&server);
}
END_TEST

START_TEST(callbacks_may_free)
{
	static User user;
	PlayedServer server;
	played_server_start(&server, _i % 2 ? WICE_TURN_TCP : WICE_TURN_UDP, "127.0.0.1", 0, NULL);
	user_start(&user, "turn:127.0.0.1:%u?transport=%s", server.port, _i % 2 ? "tcp" : "udp");
	if (_i < 2) {
		user.free_on_changed = true;
	} else {
		wait_ready(&user);
		uint16_t channel = bind_peer(&user);
		user.free_on_data = true;
		for (int i = 0; i < 10; i++)
			send_data(&user, channel, 100);
	}
	WAIT(!user.relay);
	ck_assert_uint_eq(user.n_opened, user.n_closing);
	while (g_main_context_iteration(NULL, FALSE))
		;
	played_server_stop(&server);
}
END_TEST

START_TEST(it_may_be_freed_at_any_time)
{
	static User user;
	PlayedServer server;
	if (!make_certificate("DNS:localhost"))
		return;
	played_server_start(&server, WICE_TURN_TLS, "127.0.0.1", 0, certificate);
	for (int i = 0; i < 20; i++) {
		user_start(&user,
			   "turns:localhost:%u ca-file=%s username=a password-command=echo x",
			   server.port, files.certificate);
		for (int j = 0; j < i; j++) {
			g_main_context_iteration(NULL, FALSE);
			g_usleep(500);
		}
		free_relay(&user);
	}
	for (int i = 0; i < 20; i++) {
		while (g_main_context_iteration(NULL, FALSE))
			;
		g_usleep(5000);
	}
	played_server_stop(&server);
	remove_certificate();
}
END_TEST

START_TEST(a_server_that_does_not_read_costs_no_memory)
{
	static User user;
	static uint8_t packet[4 + 60000];
	PlayedServer server;
	played_server_start(&server, WICE_TURN_TCP, "127.0.0.1", 0, NULL);
	user_start(&user, "turn:127.0.0.1:%u?transport=tcp", server.port);
	wait_ready(&user);
	uint16_t channel = bind_peer(&user);
	PLAYED_SET(&server, deaf, true);
	ck_assert_int_eq(wice__channel_data_write(packet, channel, 60000), 0);
	size_t sent = 0;
	int err = 0;
	while (err == 0 && sent < (64 << 20)) {
		err = wice__relay_send(user.relay, packet, sizeof packet);
		sent += sizeof packet;
	}
	ck_assert_int_eq(err, -EAGAIN);
	PLAYED_SET(&server, deaf, false);
	WAIT(wice__relay_send(user.relay, packet, sizeof packet) == 0);
	free_relay(&user);
	played_server_stop(&server);
}
END_TEST

START_TEST(without_an_allocation_nothing_can_be_done)
{
	static User user;
	uint16_t channel = 0;
	WiceEndpoint peer;
	static const uint8_t packet[] = { 0x40, 0, 0, 0 };
	ck_assert(wice_endpoint_parse("198.51.100.1:51820", &peer));
	user_start(&user, "turn:127.0.0.1:1");
	ck_assert_int_eq(wice__relay_bind(user.relay, &peer, &channel), -ENOTCONN);
	ck_assert_int_eq(wice__relay_send(user.relay, packet, sizeof packet), -ENOTCONN);
	ck_assert_uint_eq(wice__relay_server(user.relay)->address.family, WICE_FAMILY_NONE);
	ck_assert_str_eq(wice__relay_url(user.relay), "turn:127.0.0.1:1");
	wice__relay_unbind(user.relay, 0x4000);
	wice__relay_hurry(user.relay);
	wice__relay_network_changed(user.relay);
	ck_assert(!wice__relay_measure(user.relay)->has_rtt);
	free_relay(&user);
	wice__relay_free(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("relay");
	TCase *tcase = tcase_create("relay");
	tcase_set_timeout(tcase, SUITE_TIMEOUT_S);
	tcase_add_loop_test(tcase, an_allocation_is_made_used_and_given_back, 0,
			    G_N_ELEMENTS(ways));
	tcase_add_test(tcase, servers_that_want_a_newer_nonce_release_too);
	tcase_add_test(tcase, what_fails_is_said_and_tried_again);
	tcase_add_test(tcase, a_network_that_has_changed_is_tried_at_once);
	tcase_add_test(tcase, reasons_name_what_is_wrong);
	tcase_add_test(tcase, certificates_are_checked);
	tcase_add_loop_test(tcase, a_server_that_does_not_answer_is_given_up, 0, 2);
	tcase_add_loop_test(tcase, a_server_that_vanishes_is_noticed_and_found_again, 0, 2);
	tcase_add_test(tcase, a_way_that_was_silent_for_a_moment_costs_nothing);
	tcase_add_test(tcase, one_that_is_used_is_measured_often);
	tcase_add_test(tcase, an_allocation_that_the_server_has_forgotten_is_made_anew);
	tcase_add_test(tcase, another_server_is_gone_to);
	tcase_add_test(tcase, another_server_is_not_gone_to_for_ever_or_nowhere);
	tcase_add_test(tcase, what_comes_another_way_is_taken);
	tcase_add_loop_test(tcase, callbacks_may_free, 0, 4);
	tcase_add_test(tcase, it_may_be_freed_at_any_time);
	tcase_add_test(tcase, a_server_that_does_not_read_costs_no_memory);
	tcase_add_test(tcase, without_an_allocation_nothing_can_be_done);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
