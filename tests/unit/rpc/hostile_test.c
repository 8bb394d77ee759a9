/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Other ends that do what they must not: nghttp2 by hand, or plain bytes, against our server and our client. */
#include <nghttp2/nghttp2.h>
#include <string.h>

#include "fixture.h"
#include "suite.h"

/* A foreign client in the same thread: blocking-free socket, nghttp2 session, and what came of each stream. */
typedef struct {
	Fixture *fixture;
	GSocketConnection *connection;
	GSocket *socket;
	nghttp2_session *session;
	bool deaf; /* does not read */
	bool gone; /* the server has closed */
	unsigned closed_streams;
	unsigned resets;
	char status[16]; /* the last grpc-status, :status */
	char http_status[16];
	char message[256];
	const uint8_t *body;
	size_t body_len;
	bool hold_open; /* the body does not end */
} Foreign;

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
		     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
		     void *user_data)
{
	Foreign *foreign = user_data;
	if (strcmp((const char *)name, "grpc-status") == 0)
		g_strlcpy(foreign->status, (const char *)value, sizeof foreign->status);
	if (strcmp((const char *)name, ":status") == 0)
		g_strlcpy(foreign->http_status, (const char *)value, sizeof foreign->http_status);
	if (strcmp((const char *)name, "grpc-message") == 0)
		g_strlcpy(foreign->message, (const char *)value, sizeof foreign->message);
	return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t error, void *user_data)
{
	Foreign *foreign = user_data;
	foreign->closed_streams++;
	if (error)
		foreign->resets++;
	return 0;
}

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *bytes, size_t len,
			 uint32_t *flags, nghttp2_data_source *source, void *user_data)
{
	Foreign *foreign = user_data;
	size_t n = MIN(len, foreign->body_len);
	if (n == 0 && foreign->hold_open)
		return NGHTTP2_ERR_DEFERRED;
	if (n)
		memcpy(bytes, foreign->body, n);
	foreign->body += n;
	foreign->body_len -= n;
	if (foreign->body_len == 0 && !foreign->hold_open)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)n;
}

static void foreign_connect(Foreign *foreign, Fixture *fixture)
{
	*foreign = (Foreign){ .fixture = fixture };
	g_autoptr(GSocketClient) client = g_socket_client_new();
	foreign->connection =
		g_socket_client_connect_to_host(client, "127.0.0.1", fixture->port, NULL, NULL);
	ck_assert_ptr_nonnull(foreign->connection);
	foreign->socket = g_socket_connection_get_socket(foreign->connection);
	g_socket_set_blocking(foreign->socket, FALSE);
	nghttp2_session_callbacks *callbacks;
	nghttp2_session_callbacks_new(&callbacks);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
	nghttp2_session_client_new(&foreign->session, callbacks, foreign);
	nghttp2_session_callbacks_del(callbacks);
	nghttp2_submit_settings(foreign->session, 0, NULL, 0);
}

static void foreign_done(Foreign *foreign)
{
	nghttp2_session_del(foreign->session);
	g_object_unref(foreign->connection);
}

static void send_all(Foreign *foreign, const void *bytes, size_t len)
{
	const char *next = bytes;
	while (len > 0 && !foreign->gone) {
		g_autoptr(GError) error = NULL;
		gssize n = g_socket_send(foreign->socket, next, len, NULL, &error);
		if (n > 0) {
			next += n;
			len -= (size_t)n;
		} else if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)) {
			foreign->gone = true;
		}
		g_main_context_iteration(foreign->fixture->context, FALSE);
	}
}

static void foreign_pump(Foreign *foreign)
{
	const uint8_t *bytes;
	ssize_t n;
	while (!foreign->gone && (n = nghttp2_session_mem_send(foreign->session, &bytes)) > 0)
		send_all(foreign, bytes, (size_t)n);
	uint8_t buffer[65536];
	while (!foreign->deaf && !foreign->gone) {
		g_autoptr(GError) error = NULL;
		gssize got = g_socket_receive(foreign->socket, (char *)buffer, sizeof buffer, NULL,
					      &error);
		if (got < 0 && g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
			break;
		if (got <= 0)
			foreign->gone = true;
		else
			nghttp2_session_mem_recv(foreign->session, buffer, (size_t)got);
	}
	g_main_context_iteration(foreign->fixture->context, FALSE);
}

#define PUMP_UNTIL(foreign, condition)                                          \
	do {                                                                    \
		gint64 deadline = g_get_monotonic_time() + 60 * G_USEC_PER_SEC; \
		while (!(condition)) {                                          \
			foreign_pump(foreign);                                  \
			ck_assert_msg(g_get_monotonic_time() < deadline,        \
				      "waited in vain for " #condition);        \
		}                                                               \
	} while (0)

static nghttp2_nv field(const char *name, const char *value)
{
	return (nghttp2_nv){ (uint8_t *)name, (uint8_t *)value, strlen(name), strlen(value), 0 };
}

typedef struct {
	const char *method, *path, *type, *extra, *extra_value;
} Head;

static const Head good_head = { "POST", ECHO, "application/grpc", NULL, NULL };

static int32_t foreign_request(Foreign *foreign, const Head *head, const void *body, size_t len)
{
	nghttp2_nv fields[6] = { field(":method", head->method), field(":scheme", "http"),
				 field(":path", head->path), field(":authority", "x"),
				 field("content-type", head->type) };
	size_t n = 5;
	if (head->extra)
		fields[n++] = field(head->extra, head->extra_value);
	foreign->body = body;
	foreign->body_len = len;
	nghttp2_data_provider provider = { .read_callback = read_body };
	return nghttp2_submit_request(foreign->session, NULL, fields, n, &provider, NULL);
}

/* One request, its answer, and whether the connection is good for another. */
static void check_answer(Fixture *fixture, const Head *head, const void *body, size_t len,
			 const char *status)
{
	Foreign foreign;
	foreign_connect(&foreign, fixture);
	foreign_request(&foreign, head, body, len);
	PUMP_UNTIL(&foreign, foreign.closed_streams == 1 || foreign.gone);
	ck_assert(!foreign.gone);
	ck_assert_str_eq(foreign.status, status);
	foreign_request(&foreign, &good_head, "\0\0\0\0\1x", 6);
	PUMP_UNTIL(&foreign, foreign.closed_streams == 2 || foreign.gone);
	ck_assert_str_eq(foreign.status, "0");
	foreign_done(&foreign);
}

START_TEST(requests_that_are_no_good_calls_get_the_status_that_grpc_says)
{
	Fixture fixture;
	fixture_init(&fixture);
	fixture.options.max_message = 1000;
	fixture_listen(&fixture, false);
	Head head = good_head;
	check_answer(&fixture, &head, "\0\0\0\0\1x", 6, "0");
	check_answer(&fixture, &head, "\1\0\0\0\1x", 6, "12");            /* compressed */
	check_answer(&fixture, &head, "\0\0\0\0\1x\0\0\0\0\0", 11, "12"); /* two messages */
	check_answer(&fixture, &head, "\0\0\0\0\2x", 6, "13");            /* cut off */
	check_answer(&fixture, &head, "\0\0\0", 3, "13");
	check_answer(&fixture, &head, "", 0, "13"); /* none */
	check_answer(&fixture, &head, "\0\0\0\x03\xe9", 5, "8");
	check_answer(&fixture, &head, "\0\xff\xff\xff\xff", 5, "8");
	head.extra = "grpc-timeout";
	head.extra_value = "soon";
	check_answer(&fixture, &head, "\0\0\0\0\1x", 6, "3");
	head = good_head;
	head.path = "/no.Such/Method";
	check_answer(&fixture, &head, "\0\0\0\0\1x", 6, "12");
	head = good_head;
	head.type = "application/json";
	check_answer(&fixture, &head, "{}", 2, "3");
	head = good_head;
	head.method = "PUT";
	check_answer(&fixture, &head, "\0\0\0\0\1x", 6, "12");
	fixture_done(&fixture);
}
END_TEST

START_TEST(a_wrong_content_type_is_http_status_415)
{
	Fixture fixture;
	Foreign foreign;
	Head head = good_head;
	head.type = "text/html";
	fixture_init(&fixture);
	fixture_listen(&fixture, false);
	foreign_connect(&foreign, &fixture);
	foreign_request(&foreign, &head, "hello", 5);
	PUMP_UNTIL(&foreign, foreign.closed_streams == 1);
	ck_assert_str_eq(foreign.http_status, "415");
	foreign_done(&foreign);
	fixture_done(&fixture);
}
END_TEST

START_TEST(an_answer_before_the_end_of_the_request_stops_the_client)
{
	Fixture fixture;
	Foreign foreign;
	Head head = good_head;
	head.path = "/no.Such/Method";
	fixture_init(&fixture);
	fixture_listen(&fixture, false);
	foreign_connect(&foreign, &fixture);
	foreign.hold_open = true;
	foreign_request(&foreign, &head, "\0\0\0\0\1x", 6);
	PUMP_UNTIL(&foreign, foreign.closed_streams == 1);
	ck_assert_str_eq(foreign.status, "12");
	foreign_done(&foreign);
	fixture_done(&fixture);
}
END_TEST

START_TEST(a_deadline_of_the_client_ends_the_call_at_the_server)
{
	Fixture fixture;
	Foreign foreign;
	Head head = { "POST", HOLD, "application/grpc", "grpc-timeout", "500m" };
	fixture_init(&fixture);
	fixture_listen(&fixture, false);
	foreign_connect(&foreign, &fixture);
	foreign_request(&foreign, &head, "\0\0\0\0\1x", 6);
	PUMP_UNTIL(&foreign, foreign.closed_streams == 1 && fixture.destroyed == fixture.handled);
	ck_assert_str_eq(foreign.status, "4");
	foreign_done(&foreign);
	fixture_done(&fixture);
}
END_TEST

START_TEST(a_client_that_half_closes_its_socket_is_gone)
{
	Fixture fixture;
	Foreign foreign;
	Head head = good_head;
	head.path = HOLD;
	fixture_init(&fixture);
	fixture_listen(&fixture, false);
	foreign_connect(&foreign, &fixture);
	foreign_request(&foreign, &head, "\0\0\0\0\1x", 6);
	PUMP_UNTIL(&foreign, fixture.handled == 1);
	g_socket_shutdown(foreign.socket, FALSE, TRUE, NULL);
	wait_count(fixture.context, &fixture.closed, 1);
	ck_assert_uint_eq(fixture.destroyed, 1);
	foreign_done(&foreign);
	fixture_done(&fixture);
}
END_TEST

START_TEST(a_client_that_does_not_read_is_dropped)
{
	Fixture fixture;
	Foreign foreign;
	Head head = good_head;
	head.path = STREAM;
	fixture_init(&fixture);
	fixture.options.max_queued = 1 << 20;
	fixture_listen(&fixture, false);
	foreign_connect(&foreign, &fixture);
	foreign.deaf = true;
	g_autofree uint8_t *body = g_malloc0(50005);
	body[2] = 50000 >> 16;
	body[3] = 50000 >> 8 & 255;
	body[4] = 50000 & 255;
	body[5] = 255; /* messages: 12 MB */
	foreign_request(&foreign, &head, body, 50005);
	PUMP_UNTIL(&foreign, fixture.closed == 1);
	foreign_done(&foreign);
	fixture_done(&fixture);
}
END_TEST

START_TEST(a_client_that_has_streams_reset_without_end_is_dropped)
{
	Fixture fixture;
	Foreign foreign;
	fixture_init(&fixture);
	fixture_listen(&fixture, false);
	foreign_connect(&foreign, &fixture);
	for (unsigned i = 0; i < 4000 && !foreign.gone; i++) {
		int32_t id = foreign_request(&foreign, &good_head, "", 0);
		foreign_pump(&foreign);
		nghttp2_submit_rst_stream(foreign.session, 0, id, NGHTTP2_CANCEL);
		foreign_pump(&foreign);
	}
	ck_assert(foreign.gone);
	wait_count(fixture.context, &fixture.closed, 1);
	foreign_done(&foreign);
	fixture_done(&fixture);
}
END_TEST

START_TEST(headers_beyond_the_limit_reset_the_stream_and_endless_ones_end_the_connection)
{
	Fixture fixture;
	Foreign foreign;
	fixture_init(&fixture);
	fixture_listen(&fixture, false);
	foreign_connect(&foreign, &fixture);
	g_autofree char *lengthy = g_strnfill(20000, 'x');
	Head head = good_head;
	head.extra = "x-long";
	head.extra_value = lengthy;
	foreign_request(&foreign, &head, "\0\0\0\0\1x", 6);
	PUMP_UNTIL(&foreign, foreign.resets == 1);
	ck_assert_uint_eq(fixture.handled, 0);
	foreign_request(&foreign, &good_head, "\0\0\0\0\1x", 6);
	PUMP_UNTIL(&foreign, foreign.closed_streams == 2);
	ck_assert_str_eq(foreign.status, "0");

	/* HEADERS without END_HEADERS on stream 5, then CONTINUATION without end: an indexed field 1000 times each. */
	uint8_t frame[9 + 1000];
	for (unsigned i = 0; i < 2000 && !foreign.gone; i++) {
		memset(frame, 0x82, sizeof frame);
		const uint8_t head_bytes[9] = {
			0, 1000 >> 8, 1000 & 255, i ? 9 : 1, 0, 0, 0, 0, 5
		};
		memcpy(frame, head_bytes, 9);
		send_all(&foreign, frame, sizeof frame);
	}
	ck_assert(foreign.gone);
	wait_count(fixture.context, &fixture.closed, 1);
	foreign_done(&foreign);
	fixture_done(&fixture);
}
END_TEST

START_TEST(bytes_that_are_no_http2_end_the_connection)
{
	static const char *const openings[] = { "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\x16\x03\x01",
						"PRI * HTTP/2.0\r\n\r\nXX",
						"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff" };
	Fixture fixture;
	fixture_init(&fixture);
	fixture_listen(&fixture, false);
	for (unsigned i = 0; i < G_N_ELEMENTS(openings); i++) {
		Foreign foreign;
		uint8_t noise[4096];
		GRand *rand = g_rand_new_with_seed(i);
		for (size_t j = 0; j < sizeof noise; j++)
			noise[j] = (uint8_t)g_rand_int(rand);
		foreign_connect(&foreign, &fixture);
		send_all(&foreign, openings[i], strlen(openings[i]));
		send_all(&foreign, noise, sizeof noise);
		wait_count(fixture.context, &fixture.closed, i + 1);
		foreign_done(&foreign);
		g_rand_free(rand);
	}
	ck_assert_uint_eq(fixture.handled, 0);
	fixture_done(&fixture);
}
END_TEST

START_TEST(a_silent_client_is_sent_away)
{
	Fixture fixture;
	Foreign foreign;
	fixture_init(&fixture);
	fixture_listen(&fixture, false);
	foreign_connect(&foreign, &fixture);
	wait_count(fixture.context, &fixture.closed, 1);
	foreign_done(&foreign);
	fixture_done(&fixture);
}
END_TEST

/* --- A foreign server: it answers every connection with the same bytes. --- */

typedef struct {
	GSocketService *service;
	const char *bytes;
	size_t len;
} Oracle;

static gboolean on_incoming(GSocketService *service, GSocketConnection *connection, GObject *source,
			    gpointer user_data)
{
	const Oracle *oracle = user_data;
	GOutputStream *out = g_io_stream_get_output_stream(G_IO_STREAM(connection));
	g_output_stream_write_all(out, oracle->bytes, oracle->len, NULL, NULL, NULL);
	g_object_set_data_full(G_OBJECT(service), "connection", g_object_ref(connection),
			       g_object_unref);
	return TRUE;
}

#define SETTINGS "\0\0\0\4\0\0\0\0\0"
/* literal ":status 200" is index 8; content-type and grpc-status as literals without indexing */
#define STATUS_200 "\x88"
#define CONTENT_TYPE   \
	"\0\x0c"       \
	"content-type" \
	"\x10"         \
	"application/grpc"
#define HEADERS(flags, len) "\0\0" len "\1" flags "\0\0\0\1"

START_TEST(a_client_makes_sense_of_what_servers_send)
{
	static const struct {
		const char *bytes;
		size_t len;
		WiceRpcStatus status;
		const char *text;
	} cases[] = {
#define CASE(bytes, status, text) { bytes, sizeof bytes - 1, status, text }
		CASE("HTTP/1.1 400 Bad Request\r\n\r\n", WICE_RPC_UNAVAILABLE, "HTTP/2"),
		/* trailers only: grpc-status 7 */
		CASE(SETTINGS HEADERS("\5", "\x2f") STATUS_200 CONTENT_TYPE "\0\x0b"
									    "grpc-status"
									    "\1"
									    "7",
		     WICE_RPC_PERMISSION_DENIED, ""),
		/* no content-type */
		CASE(SETTINGS HEADERS("\5", "\1") STATUS_200, WICE_RPC_UNKNOWN, "content-type"),
		/* :status 404 is index 13 */
		CASE(SETTINGS HEADERS("\5", "\1") "\x8d", WICE_RPC_UNIMPLEMENTED, "404"),
		/* ends without a status */
		CASE(SETTINGS HEADERS("\5", "\x20") STATUS_200 CONTENT_TYPE, WICE_RPC_INTERNAL,
		     "without a status"),
		/* a compressed message */
		CASE(SETTINGS HEADERS("\4", "\x20") STATUS_200 CONTENT_TYPE "\0\0\6\0\0\0\0\0\1"
									    "\1\0\0\0\1x",
		     WICE_RPC_UNIMPLEMENTED, "compressed"),
		/* RST_STREAM, REFUSED_STREAM */
		CASE(SETTINGS "\0\0\4\3\0\0\0\0\1\0\0\0\7", WICE_RPC_UNAVAILABLE, "REFUSED"),
		/* GOAWAY, ENHANCE_YOUR_CALM, with a text */
		CASE(SETTINGS "\0\0\x16\7\0\0\0\0\0\0\0\0\0\0\0\0\x0b"
			      "too_many_pings",
		     WICE_RPC_UNAVAILABLE, "too_many_pings"),
		/* GOAWAY, NO_ERROR */
		CASE(SETTINGS "\0\0\x08\7\0\0\0\0\0\0\0\0\0\0\0\0\0", WICE_RPC_UNAVAILABLE,
		     "shutting down"),
		/* DATA on a stream that nobody has opened */
		CASE(SETTINGS "\0\0\1\0\0\0\0\0\7x", WICE_RPC_UNAVAILABLE, ""),
	};
	Fixture fixture;
	Client client;
	Request request;
	fixture_init(&fixture);
	g_main_context_push_thread_default(fixture.context);
	Oracle oracle = { g_socket_service_new(), cases[_i].bytes, cases[_i].len };
	fixture.port =
		g_socket_listener_add_any_inet_port(G_SOCKET_LISTENER(oracle.service), NULL, NULL);
	g_signal_connect(oracle.service, "incoming", G_CALLBACK(on_incoming), &oracle);
	g_socket_service_start(oracle.service);
	client_init(&client, &fixture, NULL);
	wice__rpc_client_connect(client.client);
	request_start(&request, &client, ECHO, "x", 1, 0);
	wait_count(fixture.context, &request.finished, 1);
	ck_assert_msg(request.status == cases[_i].status, "%d %s", request.status, request.text);
	ck_assert_msg(strstr(request.text, cases[_i].text) != NULL, "%s", request.text);
	ck_assert_uint_eq(request.messages, 0);
	request_done(&request);
	client_done(&client);
	g_socket_service_stop(oracle.service);
	g_socket_listener_close(G_SOCKET_LISTENER(oracle.service));
	g_object_unref(oracle.service);
	g_main_context_pop_thread_default(fixture.context);
	fixture_done(&fixture);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rpc hostile");
	TCase *tcase = tcase_create("rpc hostile");
	tcase_set_timeout(tcase, SUITE_TIMEOUT_S);
	tcase_add_test(tcase, requests_that_are_no_good_calls_get_the_status_that_grpc_says);
	tcase_add_test(tcase, a_wrong_content_type_is_http_status_415);
	tcase_add_test(tcase, an_answer_before_the_end_of_the_request_stops_the_client);
	tcase_add_test(tcase, a_deadline_of_the_client_ends_the_call_at_the_server);
	tcase_add_test(tcase, a_client_that_half_closes_its_socket_is_gone);
	tcase_add_test(tcase, a_client_that_does_not_read_is_dropped);
	tcase_add_test(tcase, a_client_that_has_streams_reset_without_end_is_dropped);
	tcase_add_test(
		tcase,
		headers_beyond_the_limit_reset_the_stream_and_endless_ones_end_the_connection);
	tcase_add_test(tcase, bytes_that_are_no_http2_end_the_connection);
	tcase_add_test(tcase, a_silent_client_is_sent_away);
	tcase_add_loop_test(tcase, a_client_makes_sense_of_what_servers_send, 0, 10);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
