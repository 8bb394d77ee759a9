/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The signaling server, seen by clients that speak its messages directly. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wice/error.h>

#include "rpc/rpc.h"
#include "signaling/sealed.h"
#include "signaling/service.h"
#include "suite.h"
#include "unit/signaling/netns.h"
#include "unit/signaling/recorder.h"

static GMainContext *context;
static WiceSignalingServer *server;

static void start_server(const WiceSignalingServerOptions *options)
{
	g_autoptr(GError) error = NULL;
	context = g_main_context_new();
	server = wice_signaling_server_new(context, options, &error);
	ck_assert_msg(server != NULL, "%s", error ? error->message : "");
}

static WiceSignalingServerOptions default_options(void)
{
	WiceSignalingServerOptions options;
	wice_signaling_server_options_init(&options);
	options.listen = "127.0.0.1:0";
	return options;
}

static void stop_server(void)
{
	wice_signaling_server_free(server);
	while (g_main_context_iteration(context, FALSE))
		;
	g_main_context_unref(context);
}

static void ignore_connected(void *user_data)
{
}

static void ignore_disconnected(const GError *error, void *user_data)
{
}

static WiceRpcClient *connect_client_on(GMainContext *client_context)
{
	static const WiceRpcClientEvents events = { ignore_connected, ignore_disconnected };
	WiceRpcClientOptions options = {
		.size = sizeof options,
		.host = "127.0.0.1",
		.port = wice_signaling_server_port(server),
		.max_message = 1 << 20,
	};
	WiceRpcClient *client = wice__rpc_client_new(client_context, &options, &events, NULL);
	wice__rpc_client_connect(client);
	return client;
}

static WiceRpcClient *connect_client(void)
{
	return connect_client_on(context);
}

/* One call and all that came of it. */
typedef struct {
	WiceRpcRequest *request;
	unsigned messages;
	uint8_t last[WICE_ENVELOPE_MAX];
	size_t last_len;
	bool finished;
	WiceRpcStatus status;
	char text[256];
} Call;

static void on_message(const uint8_t *message, size_t len, void *user_data)
{
	Call *call = user_data;
	call->messages++;
	call->last_len = len;
	ck_assert_uint_le(len, sizeof call->last);
	if (len)
		memcpy(call->last, message, len);
}

static void on_finished(WiceRpcStatus status, const char *text, void *user_data)
{
	Call *call = user_data;
	call->request = NULL;
	call->finished = true;
	call->status = status;
	g_strlcpy(call->text, text, sizeof call->text);
}

static void call_start(Call *call, WiceRpcClient *client, const char *path, const uint8_t *message,
		       size_t len)
{
	static const WiceRpcRequestEvents events = { on_message, on_finished };
	memset(call, 0, sizeof *call);
	call->request = wice__rpc_client_call(client, path, message, len, 0, &events, call);
	ck_assert_ptr_nonnull(call->request);
}

static WiceRpcStatus call_status(WiceRpcClient *client, const char *path, const uint8_t *message,
				 size_t len)
{
	Call call;
	call_start(&call, client, path, message, len);
	WAIT_FOR(context, call.finished);
	ck_assert_int_eq(call.messages, call.status == WICE_RPC_OK);
	return call.status;
}

typedef struct {
	WiceKey private_key, public_key;
} Pair;

static Pair pair_new(void)
{
	Pair pair;
	wice_key_generate_private(&pair.private_key);
	wice_key_public(&pair.private_key, &pair.public_key);
	return pair;
}

static void subscribe(Call *call, WiceRpcClient *client, const Pair *pair, bool can_prove)
{
	uint8_t message[WICE_SERVICE_MESSAGE_SIZE];
	WiceSubscribeParams params = { .key = pair->public_key, .can_prove = can_prove };
	size_t len = wice__subscribe_params_write(&params, message);
	call_start(call, client, WICE_SERVICE_SUBSCRIBE, message, len);
}

/* Waits for the challenge and opens it. */
static WiceProveParams solve(const Call *call, const Pair *pair)
{
	WiceProveParams params = { .key = pair->public_key };
	const uint8_t *sealed;
	WAIT_FOR(context, call->messages == 1);
	ck_assert(wice__challenge_read(call->last, call->last_len, &pair->public_key, &sealed));
	ck_assert(
		wice__challenge_open(sealed, &pair->public_key, &pair->private_key, params.token));
	return params;
}

static WiceRpcStatus prove(WiceRpcClient *client, const WiceProveParams *params)
{
	uint8_t message[WICE_SERVICE_MESSAGE_SIZE];
	size_t len = wice__prove_params_write(params, message);
	return call_status(client, WICE_SERVICE_PROVE, message, len);
}

static void subscribe_live(Call *call, WiceRpcClient *client, const Pair *pair)
{
	subscribe(call, client, pair, true);
	WiceProveParams params = solve(call, pair);
	ck_assert_int_eq(prove(client, &params), WICE_RPC_OK);
	WAIT_FOR(context, call->messages == 2);
	ck_assert_uint_eq(call->last_len, 0);
}

static WiceRpcStatus publish(WiceRpcClient *client, const WiceKey *to, uint8_t tag)
{
	uint8_t message[WICE_ENVELOPE_MAX], body[40] = { tag };
	WiceEnvelope envelope = {
		.sender = key_named('s'), .recipient = *to, .body = body, .body_len = sizeof body
	};
	size_t len = wice__envelope_write(&envelope, message, sizeof message);
	return call_status(client, WICE_SERVICE_PUBLISH, message, len);
}

static uint8_t tag_of(const Call *call)
{
	WiceEnvelope envelope;
	ck_assert(wice__envelope_read(call->last, call->last_len, &envelope));
	return envelope.body[0];
}

START_TEST(a_proven_subscriber_gets_what_is_published)
{
	WiceSignalingServerOptions options = default_options();
	start_server(&options);
	WiceRpcClient *client = connect_client(), *other = connect_client();
	Pair pair = pair_new(), nobody = pair_new();
	Call stream, second;
	subscribe_live(&stream, client, &pair);
	subscribe_live(&second, other, &pair);
	ck_assert_int_eq(publish(other, &nobody.public_key, 1), WICE_RPC_OK);
	ck_assert_int_eq(publish(other, &pair.public_key, 2), WICE_RPC_OK);
	WAIT_FOR(context, stream.messages == 3 && second.messages == 3);
	ck_assert_uint_eq(tag_of(&stream), 2);
	ck_assert_uint_eq(tag_of(&second), 2);
	wice__rpc_client_free(client);
	wice__rpc_client_free(other);
	stop_server();
}
END_TEST

START_TEST(a_token_counts_once_for_its_key_and_on_its_connection)
{
	WiceSignalingServerOptions options = default_options();
	start_server(&options);
	WiceRpcClient *client = connect_client(), *thief = connect_client();
	Pair pair = pair_new(), other = pair_new();
	Call stream, other_stream;
	subscribe(&stream, client, &pair, true);
	WiceProveParams params = solve(&stream, &pair), wrong = params;
	wrong.token[5] ^= 1;
	ck_assert_int_eq(prove(client, &wrong), WICE_RPC_PERMISSION_DENIED);
	ck_assert_int_eq(prove(thief, &params), WICE_RPC_PERMISSION_DENIED);
	subscribe(&other_stream, client, &other, true);
	WAIT_FOR(context, other_stream.messages == 1);
	wrong = params;
	wrong.key = other.public_key;
	ck_assert_int_eq(prove(client, &wrong), WICE_RPC_PERMISSION_DENIED);
	ck_assert_int_eq(stream.messages, 1);
	ck_assert_int_eq(prove(client, &params), WICE_RPC_OK);
	WAIT_FOR(context, stream.messages == 2);
	ck_assert_int_eq(prove(client, &params), WICE_RPC_PERMISSION_DENIED);

	/* Cancelled and asked for again: another challenge. */
	wice__rpc_request_cancel(stream.request);
	subscribe(&stream, client, &pair, true);
	WAIT_FOR(context, stream.messages == 1);
	ck_assert_int_eq(prove(client, &params), WICE_RPC_PERMISSION_DENIED);
	ck_assert_uint_eq(other_stream.messages, 1);
	wice__rpc_client_free(client);
	wice__rpc_client_free(thief);
	stop_server();
}
END_TEST

START_TEST(the_first_eight_envelopes_wait_for_the_proof)
{
	WiceSignalingServerOptions options = default_options();
	start_server(&options);
	WiceRpcClient *client = connect_client();
	Pair pair = pair_new();
	Call stream;
	subscribe(&stream, client, &pair, true);
	WiceProveParams params = solve(&stream, &pair);
	for (uint8_t tag = 1; tag <= 12; tag++)
		ck_assert_int_eq(publish(client, &pair.public_key, tag), WICE_RPC_OK);
	ck_assert_uint_eq(stream.messages, 1);
	ck_assert_int_eq(prove(client, &params), WICE_RPC_OK);
	WAIT_FOR(context, stream.messages == 1 + 1 + 8);
	ck_assert_uint_eq(tag_of(&stream), 8);
	ck_assert_int_eq(publish(client, &pair.public_key, 13), WICE_RPC_OK);
	WAIT_FOR(context, stream.messages == 11);
	ck_assert_uint_eq(tag_of(&stream), 13);
	wice__rpc_client_free(client);
	stop_server();
}
END_TEST

START_TEST(a_foreign_subscriber_is_refused_unless_allowed)
{
	WiceSignalingServerOptions options = default_options();
	options.allow_unproven = _i;
	start_server(&options);
	WiceRpcClient *client = connect_client();
	Pair pair = pair_new();
	Call stream;
	subscribe(&stream, client, &pair, false);
	if (options.allow_unproven) {
		WAIT_FOR(context, stream.messages == 1);
		ck_assert_uint_eq(stream.last_len, 0);
		ck_assert_int_eq(publish(client, &pair.public_key, 1), WICE_RPC_OK);
		WAIT_FOR(context, stream.messages == 2);
		ck_assert_uint_eq(tag_of(&stream), 1);
	} else {
		WAIT_FOR(context, stream.finished);
		ck_assert_int_eq(stream.status, WICE_RPC_UNAUTHENTICATED);
		ck_assert_ptr_nonnull(strstr(stream.text, "proof"));
		ck_assert_uint_eq(stream.messages, 0);
	}
	wice__rpc_client_free(client);
	stop_server();
}
END_TEST

START_TEST(strangers_cannot_keep_the_owner_of_a_key_out)
{
	enum { STRANGERS = 8 };
	WiceSignalingServerOptions options = default_options();
	options.allow_unproven = true;
	start_server(&options);
	WiceRpcClient *stranger = connect_client(), *owner = connect_client();
	Pair pair = pair_new();
	Call streams[STRANGERS + 1], pending[20], own, again[STRANGERS];
	for (int i = 0; i < STRANGERS; i++) {
		subscribe(&streams[i], stranger, &pair, false);
		WAIT_FOR(context, streams[i].messages == 1);
	}
	subscribe(&streams[STRANGERS], stranger, &pair, false);
	WAIT_FOR(context, streams[STRANGERS].finished);
	ck_assert_int_eq(streams[STRANGERS].status, WICE_RPC_RESOURCE_EXHAUSTED);
	for (size_t i = 0; i < G_N_ELEMENTS(pending); i++)
		subscribe(&pending[i], stranger, &pair, true);
	WAIT_FOR(context, pending[19].messages == 1);

	subscribe_live(&own, owner, &pair);
	WAIT_FOR(context, streams[0].finished);
	ck_assert_int_eq(streams[0].status, WICE_RPC_RESOURCE_EXHAUSTED);
	ck_assert(!streams[1].finished);
	/* The owner's own forgotten streams make room last, and the oldest first. */
	for (int i = 0; i < STRANGERS; i++) {
		ck_assert(!own.finished);
		subscribe_live(&again[i], owner, &pair);
	}
	WAIT_FOR(context, own.finished);
	for (int i = 0; i < STRANGERS; i++)
		ck_assert(streams[i].finished && !again[i].finished);
	wice__rpc_client_free(stranger);
	wice__rpc_client_free(owner);
	stop_server();
}
END_TEST

START_TEST(a_client_that_sends_too_much_is_slowed_down)
{
	WiceSignalingServerOptions options = default_options();
	options.rate = 1;
	options.burst = 20;
	start_server(&options);
	WiceRpcClient *client = connect_client(), *other = connect_client();
	Pair pair = pair_new();
	unsigned refused = 0;
	for (uint8_t tag = 0; tag < 60; tag++)
		refused += publish(client, &pair.public_key, tag) == WICE_RPC_RESOURCE_EXHAUSTED;
	ck_assert_uint_gt(refused, 0);
	ck_assert_uint_le(refused, 40);
	ck_assert_int_eq(publish(other, &pair.public_key, 1), WICE_RPC_OK);
	wice__rpc_client_free(client);
	wice__rpc_client_free(other);
	stop_server();
}
END_TEST

START_TEST(subscriptions_beyond_the_limit_of_a_connection_are_refused)
{
	WiceSignalingServerOptions options = default_options();
	options.max_subscriptions = 3;
	start_server(&options);
	WiceRpcClient *client = connect_client();
	Call streams[4];
	for (int i = 0; i < 4; i++) {
		Pair pair = pair_new();
		subscribe(&streams[i], client, &pair, true);
		WAIT_FOR(context, streams[i].messages == 1 || streams[i].finished);
	}
	ck_assert(!streams[2].finished);
	ck_assert_int_eq(streams[3].status, WICE_RPC_RESOURCE_EXHAUSTED);
	/* One that ends makes room. */
	wice__rpc_request_cancel(streams[0].request);
	Pair pair = pair_new();
	subscribe_live(&streams[0], client, &pair);
	wice__rpc_client_free(client);
	stop_server();
}
END_TEST

START_TEST(what_is_no_envelope_is_not_passed_on)
{
	WiceSignalingServerOptions options = default_options();
	start_server(&options);
	WiceRpcClient *client = connect_client();
	Pair pair = pair_new();
	Call stream;
	uint8_t message[WICE_SERVICE_MESSAGE_SIZE], token[WICE_TOKEN_LEN] = { 1 };
	static const uint8_t large[WICE_ENVELOPE_MAX + 1];
	subscribe_live(&stream, client, &pair);
	/* A challenge of somebody's own making, the empty envelope, garbage, too much. */
	size_t len = wice__challenge_write(&pair.public_key, token, message);
	ck_assert_int_eq(call_status(client, WICE_SERVICE_PUBLISH, message, len),
			 WICE_RPC_INVALID_ARGUMENT);
	ck_assert_int_eq(call_status(client, WICE_SERVICE_PUBLISH, NULL, 0),
			 WICE_RPC_INVALID_ARGUMENT);
	ck_assert_int_eq(call_status(client, WICE_SERVICE_PUBLISH, large, 100),
			 WICE_RPC_INVALID_ARGUMENT);
	ck_assert_int_eq(call_status(client, WICE_SERVICE_PUBLISH, large, sizeof large),
			 WICE_RPC_RESOURCE_EXHAUSTED);
	ck_assert_int_eq(call_status(client, WICE_SERVICE_SUBSCRIBE, large, 100),
			 WICE_RPC_INVALID_ARGUMENT);
	ck_assert_int_eq(call_status(client, WICE_SERVICE_PROVE, large, 100),
			 WICE_RPC_INVALID_ARGUMENT);
	ck_assert_int_eq(call_status(client, WICE_SERVICE_BUILD_INFO, NULL, 0), WICE_RPC_OK);
	ck_assert_int_eq(publish(client, &pair.public_key, 7), WICE_RPC_OK);
	WAIT_FOR(context, stream.messages == 3);
	ck_assert_uint_eq(tag_of(&stream), 7);
	wice__rpc_client_free(client);
	stop_server();
}
END_TEST

START_TEST(a_subscriber_that_does_not_read_loses_envelopes_but_not_its_connection)
{
	enum { PUBLISHED = 300 };
	WiceSignalingServerOptions options = default_options();
	options.allow_unproven = true;
	start_server(&options);
	GMainContext *slow_context = g_main_context_new();
	WiceRpcClient *slow = connect_client_on(slow_context), *client = connect_client();
	Pair pair = pair_new();
	Call stream;
	subscribe(&stream, slow, &pair, false);
	while (stream.messages == 0) {
		g_main_context_iteration(context, FALSE);
		g_main_context_iteration(slow_context, FALSE);
	}
	static uint8_t message[WICE_ENVELOPE_MAX], body[15000];
	WiceEnvelope envelope = { .recipient = pair.public_key, .body = body, .body_len = 15000 };
	for (int i = 0; i < PUBLISHED; i++) {
		size_t len = wice__envelope_write(&envelope, message, sizeof message);
		ck_assert_int_eq(call_status(client, WICE_SERVICE_PUBLISH, message, len),
				 WICE_RPC_OK);
	}
	ck_assert_uint_eq(stream.messages, 1);
	/* It reads again: there is what was kept, and what is sent from now on. */
	WAIT_FOR(context, !g_main_context_iteration(slow_context, FALSE) && stream.messages > 50);
	ck_assert_int_eq(publish(client, &pair.public_key, 7), WICE_RPC_OK);
	WAIT_FOR(context, !g_main_context_iteration(slow_context, FALSE) && stream.last_len < 200);
	ck_assert_uint_eq(tag_of(&stream), 7);
	ck_assert_uint_lt(stream.messages, PUBLISHED);
	ck_assert(!stream.finished);
	wice__rpc_client_free(client);
	wice__rpc_client_free(slow);
	while (g_main_context_iteration(slow_context, FALSE))
		;
	g_main_context_unref(slow_context);
	stop_server();
}
END_TEST

static void check_option(const WiceSignalingServerOptions *options, WiceErrorCode code,
			 const char *text)
{
	g_autoptr(GError) error = NULL;
	ck_assert_ptr_null(wice_signaling_server_new(context, options, &error));
	ck_assert(g_error_matches(error, WICE_ERROR, (gint)code));
	ck_assert_msg(strstr(error->message, text) != NULL, "%s", error->message);
}

/* A connection from this address: is it taken? The server speaks first, with its SETTINGS. */
static bool is_taken(const char *source, int *ret_fd)
{
	struct sockaddr_in from = { .sin_family = AF_INET };
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				  .sin_port = htons(wice_signaling_server_port(server)) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(inet_pton(AF_INET, source, &from.sin_addr), 1);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&from, sizeof from), 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
	char byte;
	ssize_t n = -1;
	WAIT_FOR(context, (n = recv(fd, &byte, 1, MSG_DONTWAIT)) >= 0 || errno != EAGAIN);
	*ret_fd = fd;
	return n == 1;
}

START_TEST(one_source_cannot_take_all_connections)
{
	if (!netns_enter() || !netns_ip("addr add 198.51.100.7/32 dev lo") ||
	    !netns_ip("addr add 198.51.100.8/32 dev lo"))
		return;
	WiceSignalingServerOptions options = default_options();
	options.max_connections = 24;
	start_server(&options);
	int fds[6];
	for (int i = 0; i < 3; i++)
		ck_assert(is_taken("198.51.100.7", &fds[i]));
	ck_assert(!is_taken("198.51.100.7", &fds[3]));
	ck_assert(is_taken("198.51.100.8", &fds[4]));
	/* One that ends makes room. */
	close(fds[0]);
	for (int i = 0; i < 100; i++)
		g_main_context_iteration(context, FALSE);
	ck_assert(is_taken("198.51.100.7", &fds[0]));
	/* Loopback is not limited. */
	int local[8];
	for (size_t i = 0; i < G_N_ELEMENTS(local); i++)
		ck_assert(is_taken("127.0.0.1", &local[i]));
	for (size_t i = 0; i < G_N_ELEMENTS(local); i++)
		close(local[i]);
	for (size_t i = 0; i < G_N_ELEMENTS(fds) - 1; i++)
		close(fds[i]);
	stop_server();
}
END_TEST

START_TEST(options_that_cannot_work_are_told_with_the_reason)
{
	static const char *const addresses[] = { "",       "nowhere", "example.org:80", "127.0.0.1",
						 "::1:80", "[::1]:x", ":65536",         ":",
						 "[::1]",  "1.2.3:80" };
	WiceSignalingServerOptions good = default_options(), options = good;
	start_server(&good);
	for (size_t i = 0; i < G_N_ELEMENTS(addresses); i++) {
		options.listen = addresses[i];
		check_option(&options, WICE_ERROR_INVALID, addresses[i]);
	}
	options = good;
	options.rate = 0;
	check_option(&options, WICE_ERROR_INVALID, "limit");
	options = good;
	options.tls_cert = "/nonexistent/cert.pem";
	check_option(&options, WICE_ERROR_INVALID, "key");
	options.tls_key = "/nonexistent/key.pem";
	if (g_tls_backend_supports_tls(g_tls_backend_get_default()))
		check_option(&options, WICE_ERROR_INVALID, "/nonexistent/cert.pem");
	options = good;
	g_autofree char *taken =
		g_strdup_printf("127.0.0.1:%u", wice_signaling_server_port(server));
	options.listen = taken;
	check_option(&options, WICE_ERROR_BUSY, taken);
	options.listen = "192.0.2.77:0"; /* not ours */
	check_option(&options, WICE_ERROR_IO, "192.0.2.77");
	stop_server();
}
END_TEST

START_TEST(a_port_alone_means_all_addresses)
{
	WiceSignalingServerOptions options = default_options();
	options.listen = ":0";
	start_server(&options);
	WiceRpcClient *client = connect_client(); /* over IPv4 */
	ck_assert_int_eq(call_status(client, WICE_SERVICE_BUILD_INFO, NULL, 0), WICE_RPC_OK);
	wice__rpc_client_free(client);
	stop_server();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("signaling server");
	TCase *tcase = tcase_create("signaling server");
	tcase_set_timeout(tcase, SUITE_TIMEOUT_S);
	tcase_add_test(tcase, a_proven_subscriber_gets_what_is_published);
	tcase_add_test(tcase, a_token_counts_once_for_its_key_and_on_its_connection);
	tcase_add_test(tcase, the_first_eight_envelopes_wait_for_the_proof);
	tcase_add_loop_test(tcase, a_foreign_subscriber_is_refused_unless_allowed, 0, 2);
	tcase_add_test(tcase, strangers_cannot_keep_the_owner_of_a_key_out);
	tcase_add_test(tcase, a_client_that_sends_too_much_is_slowed_down);
	tcase_add_test(tcase, subscriptions_beyond_the_limit_of_a_connection_are_refused);
	tcase_add_test(tcase, one_source_cannot_take_all_connections);
	tcase_add_test(tcase, what_is_no_envelope_is_not_passed_on);
	tcase_add_test(tcase,
		       a_subscriber_that_does_not_read_loses_envelopes_but_not_its_connection);
	tcase_add_test(tcase, options_that_cannot_work_are_told_with_the_reason);
	tcase_add_test(tcase, a_port_alone_means_all_addresses);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
