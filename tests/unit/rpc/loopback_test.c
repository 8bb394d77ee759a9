/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Our client and our server, over real sockets. */
#include <string.h>

#include "fixture.h"
#include "suite.h"
#include "unit/signaling/netns.h"

static void check_echo(Client *client, size_t len)
{
	g_autofree uint8_t *message = g_malloc(len + 1);
	for (size_t i = 0; i < len; i++)
		message[i] = (uint8_t)(i * 7 + i / 251);
	Request request;
	request_start(&request, client, ECHO, message, len, 0);
	wait_count(client->fixture->context, &request.finished, 1);
	ck_assert_msg(request.status == WICE_RPC_OK, "%s", request.text);
	ck_assert_uint_eq(request.messages, 1);
	ck_assert_uint_eq(request.last_len, len);
	ck_assert_uint_eq(request.last_hash, hash_bytes(message, len));
	request_done(&request);
}

START_TEST(messages_of_all_sizes_come_back_the_same)
{
	Fixture fixture;
	Client client;
	fixture_init(&fixture);
	fixture_listen(&fixture, _i == 1);
	client_init(&client, &fixture, NULL);
	wice__rpc_client_connect(client.client);
	static const size_t sizes[] = { 0, 1, 100, 16384, 65535, 1 << 20, 5 << 20 };
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++)
		check_echo(&client, sizes[i]);
	ck_assert_uint_eq(client.connected, 1);
	ck_assert_uint_eq(fixture.accepted, 1);
	client_done(&client);
	fixture_done(&fixture);
}
END_TEST

START_TEST(requests_made_before_the_connection_are_answered)
{
	Fixture fixture;
	Client client;
	Request requests[20];
	fixture_init(&fixture);
	fixture_listen(&fixture, false);
	client_init(&client, &fixture, NULL);
	Request early;
	request_start(&early, &client, ECHO, "x", 1, 0);
	ck_assert_ptr_null(early.request); /* neither connected nor connecting */
	wice__rpc_client_connect(client.client);
	for (size_t i = 0; i < G_N_ELEMENTS(requests); i++)
		request_start(&requests[i], &client, ECHO, "x", 1, 0);
	ck_assert_uint_eq(client.connected, 0);
	for (size_t i = 0; i < G_N_ELEMENTS(requests); i++) {
		wait_count(fixture.context, &requests[i].finished, 1);
		ck_assert_int_eq(requests[i].status, WICE_RPC_OK);
		request_done(&requests[i]);
	}
	client_done(&client);
	fixture_done(&fixture);
}
END_TEST

START_TEST(a_stream_of_messages_arrives_in_full_and_ends)
{
	Fixture fixture;
	Client client;
	Request request;
	fixture_init(&fixture);
	fixture_listen(&fixture, false);
	client_init(&client, &fixture, NULL);
	wice__rpc_client_connect(client.client);
	g_autofree uint8_t *message = g_malloc0(100000);
	message[0] = 200;
	request_start(&request, &client, STREAM, message, 100000, 0);
	wait_count(fixture.context, &request.finished, 1);
	ck_assert_uint_eq(request.messages, 200);
	ck_assert_uint_eq(request.last_len, 100000);
	ck_assert_int_eq(request.status, WICE_RPC_OK);
	request_done(&request);
	client_done(&client);
	fixture_done(&fixture);
}
END_TEST

START_TEST(a_refusal_arrives_with_its_status_and_its_text)
{
	static const struct {
		const char *path;
		WiceRpcStatus status;
	} cases[] = { { DENY, WICE_RPC_PERMISSION_DENIED },
		      { "/test.Test/Nothing", WICE_RPC_UNIMPLEMENTED } };
	Fixture fixture;
	Client client;
	Request request;
	fixture_init(&fixture);
	fixture_listen(&fixture, false);
	client_init(&client, &fixture, NULL);
	wice__rpc_client_connect(client.client);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		request_start(&request, &client, cases[i].path, "", 0, 0);
		wait_count(fixture.context, &request.finished, 1);
		ck_assert_int_eq(request.status, cases[i].status);
		ck_assert_uint_eq(request.messages, 0);
		if (i == 0)
			ck_assert_str_eq(request.text, DENY_TEXT);
		request_done(&request);
	}
	client_done(&client);
	fixture_done(&fixture);
}
END_TEST

START_TEST(a_message_over_the_limit_is_refused_by_either_side)
{
	Fixture fixture;
	Client client;
	Request request;
	fixture_init(&fixture);
	fixture.options.max_message = 1000;
	fixture_listen(&fixture, false);
	WiceRpcClientOptions options = client_options(&fixture);
	options.max_message = 500;
	client_init(&client, &fixture, &options);
	wice__rpc_client_connect(client.client);
	g_autofree uint8_t *message = g_malloc0(1 << 20);
	static const size_t sizes[] = { 501, 1001, 1 << 20 };
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
		request_start(&request, &client, ECHO, message, sizes[i], 0);
		wait_count(fixture.context, &request.finished, 1);
		ck_assert_int_eq(request.status, WICE_RPC_RESOURCE_EXHAUSTED);
		ck_assert_uint_eq(request.messages, 0);
		request_done(&request);
	}
	ck_assert_uint_eq(fixture.handled, 1); /* only what the server may take */
	check_echo(&client, 500);
	ck_assert_uint_eq(client.disconnected, 0);
	client_done(&client);
	fixture_done(&fixture);
}
END_TEST

START_TEST(a_deadline_ends_the_call_on_both_sides)
{
	Fixture fixture;
	Client client;
	Request request;
	fixture_init(&fixture);
	fixture_listen(&fixture, false);
	client_init(&client, &fixture, NULL);
	wice__rpc_client_connect(client.client);
	request_start(&request, &client, HOLD, "x", 1, 1000);
	wait_count(fixture.context, &request.finished, 1);
	ck_assert_int_eq(request.status, WICE_RPC_DEADLINE_EXCEEDED);
	wait_count(fixture.context, &fixture.destroyed, 1);
	ck_assert_uint_eq(fixture.handled, 1);
	request_done(&request);
	client_done(&client);
	fixture_done(&fixture);
}
END_TEST

START_TEST(a_cancelled_call_is_closed_at_the_server_without_on_finished)
{
	Fixture fixture;
	Client client;
	Request request, early;
	fixture_init(&fixture);
	fixture_listen(&fixture, false);
	client_init(&client, &fixture, NULL);
	wice__rpc_client_connect(client.client);
	request_start(&early, &client, HOLD, "x", 1, 0);
	wice__rpc_request_cancel(early.request); /* before it was sent */
	request_start(&request, &client, HOLD, "x", 1, 0);
	wait_count(fixture.context, &fixture.handled, 1);
	wice__rpc_request_cancel(request.request);
	wait_count(fixture.context, &fixture.destroyed, 1);
	check_echo(&client, 10);
	ck_assert_uint_eq(request.finished + early.finished, 0);
	ck_assert_uint_eq(fixture.handled, 2);
	client_done(&client);
	fixture_done(&fixture);
}
END_TEST

START_TEST(a_request_may_be_cancelled_from_its_own_message)
{
	Fixture fixture;
	Client client;
	Request request;
	fixture_init(&fixture);
	fixture_listen(&fixture, false);
	client_init(&client, &fixture, NULL);
	wice__rpc_client_connect(client.client);
	request_start(&request, &client, STREAM, "\x10", 1, 0);
	request.cancel_on_message = true;
	wait_count(fixture.context, &request.messages, 1);
	check_echo(&client, 10);
	ck_assert_uint_eq(request.messages, 1);
	ck_assert_uint_eq(request.finished, 0);
	client_done(&client);
	fixture_done(&fixture);
}
END_TEST

START_TEST(a_client_may_be_freed_from_its_callbacks)
{
	Fixture fixture;
	Client client;
	Request request, other;
	fixture_init(&fixture);
	fixture_listen(&fixture, false);
	client_init(&client, &fixture, NULL);
	wice__rpc_client_connect(client.client);
	if (_i == 0) {
		request_start(&other, &client, HOLD, "x", 1, 0);
		request_start(&request, &client, STREAM, "\x10", 1, 0);
		request.free_client_on_message = true;
		wait_count(fixture.context, &request.messages, 1);
		ck_assert_uint_eq(other.finished, 0);
	} else {
		request_start(&other, &client, HOLD, "x", 1, 0);
		wait_count(fixture.context, &fixture.handled, 1);
		client.free_on_disconnect = true;
		wice__rpc_server_free(g_steal_pointer(&fixture.server));
		wait_count(fixture.context, &client.disconnected, 1);
		ck_assert_int_eq(other.status, WICE_RPC_UNAVAILABLE);
		request_done(&other);
	}
	ck_assert_ptr_null(client.client);
	wait_count(fixture.context, &fixture.closed, 1);
	client_done(&client);
	fixture_done(&fixture);
}
END_TEST

START_TEST(a_handler_may_free_the_server_and_its_answer_still_arrives)
{
	Fixture fixture;
	Client client;
	Request request, other;
	fixture_init(&fixture);
	fixture_listen(&fixture, true);
	client_init(&client, &fixture, NULL);
	wice__rpc_client_connect(client.client);
	request_start(&other, &client, HOLD, "x", 1, 0);
	request_start(&request, &client, QUIT, "bye", 3, 0);
	wait_count(fixture.context, &request.finished, 1);
	ck_assert_msg(request.status == WICE_RPC_OK, "%s", request.text);
	ck_assert_uint_eq(request.last_len, 3);
	wait_count(fixture.context, &other.finished, 1);
	ck_assert_int_eq(other.status, WICE_RPC_UNAVAILABLE);
	wait_count(fixture.context, &client.disconnected, 1);
	request_done(&request);
	request_done(&other);
	client_done(&client);
	fixture_done(&fixture);
}
END_TEST

START_TEST(a_client_outlives_a_restart_of_the_server)
{
	Fixture fixture;
	Client client;
	Request request;
	fixture_init(&fixture);
	fixture_listen(&fixture, false);
	client_init(&client, &fixture, NULL);
	wice__rpc_client_connect(client.client);
	request_start(&request, &client, HOLD, "x", 1, 0);
	wait_count(fixture.context, &fixture.handled, 1);
	wice__rpc_server_free(g_steal_pointer(&fixture.server));
	wait_count(fixture.context, &client.disconnected, 1);
	ck_assert_uint_eq(request.finished, 1);
	ck_assert_int_eq(request.status, WICE_RPC_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(client.reason, "shutting down"));
	request_done(&request);

	wice__rpc_client_connect(client.client);
	wait_count(fixture.context, &client.disconnected, 2); /* nobody listens */
	fixture_listen(&fixture, false);
	wice__rpc_client_connect(client.client);
	check_echo(&client, 100);
	client_done(&client);
	fixture_done(&fixture);
}
END_TEST

START_TEST(connecting_again_finishes_the_requests_of_the_old_connection)
{
	Fixture fixture;
	Client client;
	Request request;
	fixture_init(&fixture);
	fixture_listen(&fixture, false);
	client_init(&client, &fixture, NULL);
	wice__rpc_client_connect(client.client);
	request_start(&request, &client, HOLD, "x", 1, 0);
	wait_count(fixture.context, &fixture.handled, 1);
	wice__rpc_client_connect(client.client);
	ck_assert_uint_eq(request.finished, 0);
	check_echo(&client, 10);
	ck_assert_uint_eq(request.finished, 1);
	ck_assert_int_eq(request.status, WICE_RPC_UNAVAILABLE);
	ck_assert_uint_eq(client.disconnected, 0);
	request_done(&request);
	client_done(&client);
	fixture_done(&fixture);
}
END_TEST

START_TEST(a_refused_connection_is_reported_with_its_reason)
{
	Fixture fixture;
	Client client;
	Request request;
	fixture_init(&fixture);
	fixture_listen(&fixture, false);
	wice__rpc_server_free(g_steal_pointer(&fixture.server));
	client_init(&client, &fixture, NULL);
	wice__rpc_client_connect(client.client);
	request_start(&request, &client, ECHO, "x", 1, 0);
	wait_count(fixture.context, &client.disconnected, 1);
	ck_assert_uint_eq(client.connected, 0);
	ck_assert_int_eq(request.status, WICE_RPC_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(client.reason, "127.0.0.1"));
	ck_assert_ptr_nonnull(strstr(client.reason, "refused"));
	request_done(&request);
	client_done(&client);
	fixture_done(&fixture);
}
END_TEST

START_TEST(a_path_too_long_for_a_socket_is_an_error_and_can_be_freed_before)
{
	Fixture fixture;
	Client client;
	fixture_init(&fixture);
	WiceRpcClientOptions options = client_options(&fixture);
	g_autofree char *path = g_strnfill(200, 'x');
	options.unix_path = path;
	client_init(&client, &fixture, &options);
	wice__rpc_client_connect(client.client);
	wice__rpc_client_connect(client.client);
	wait_count(fixture.context, &client.disconnected, 1);
	ck_assert_ptr_nonnull(strstr(client.reason, "characters"));
	wice__rpc_client_connect(client.client);
	client_done(&client);
	ck_assert_uint_eq(client.disconnected, 1);
	fixture_done(&fixture);
}
END_TEST

START_TEST(a_client_that_accept_refuses_is_closed)
{
	Fixture fixture;
	Client client;
	fixture_init(&fixture);
	fixture.refuse = true;
	fixture_listen(&fixture, true);
	client_init(&client, &fixture, NULL);
	wice__rpc_client_connect(client.client);
	wait_count(fixture.context, &client.disconnected, 1);
	ck_assert_uint_eq(fixture.closed, 0);
	client_done(&client);
	fixture_done(&fixture);
}
END_TEST

START_TEST(connections_beyond_the_limit_are_closed)
{
	Fixture fixture;
	Client clients[3];
	fixture_init(&fixture);
	fixture.options.max_connections = 2;
	fixture_listen(&fixture, false);
	for (size_t i = 0; i < 2; i++) {
		client_init(&clients[i], &fixture, NULL);
		wice__rpc_client_connect(clients[i].client);
		check_echo(&clients[i], 10);
	}
	client_init(&clients[2], &fixture, NULL);
	wice__rpc_client_connect(clients[2].client);
	wait_count(fixture.context, &clients[2].disconnected, 1);
	check_echo(&clients[0], 10);
	check_echo(&clients[1], 10);
	for (size_t i = 0; i < 3; i++)
		client_done(&clients[i]);
	fixture_done(&fixture);
}
END_TEST

START_TEST(calls_beyond_the_limit_wait_for_their_turn)
{
	Fixture fixture;
	Client client;
	Request requests[50];
	fixture_init(&fixture);
	fixture.options.max_calls = 4;
	fixture_listen(&fixture, false);
	client_init(&client, &fixture, NULL);
	wice__rpc_client_connect(client.client);
	check_echo(&client, 10); /* the server's limit is known now */
	for (size_t i = 0; i < G_N_ELEMENTS(requests); i++)
		request_start(&requests[i], &client, ECHO, "x", 1, 0);
	for (size_t i = 0; i < G_N_ELEMENTS(requests); i++) {
		wait_count(fixture.context, &requests[i].finished, 1);
		ck_assert_int_eq(requests[i].status, WICE_RPC_OK);
		request_done(&requests[i]);
	}
	client_done(&client);
	fixture_done(&fixture);
}
END_TEST

/* A server that takes connections, because the kernel does, and says nothing. */
static GSocket *listen_silently(Fixture *fixture)
{
	GSocket *silent = g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM,
				       G_SOCKET_PROTOCOL_DEFAULT, NULL);
	g_autoptr(GSocketAddress) any = g_inet_socket_address_new_from_string("127.0.0.1", 0);
	ck_assert(g_socket_bind(silent, any, TRUE, NULL));
	ck_assert(g_socket_listen(silent, NULL));
	g_autoptr(GSocketAddress) bound = g_socket_get_local_address(silent, NULL);
	fixture->port = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(bound));
	return silent;
}

START_TEST(requests_leave_with_the_preface_and_wait_for_nothing)
{
	Fixture fixture;
	Client client;
	Request request;
	char bytes[4096];
	fixture_init(&fixture);
	g_autoptr(GSocket) silent = listen_silently(&fixture);
	client_init(&client, &fixture, NULL);
	wice__rpc_client_connect(client.client);
	request_start(&request, &client, ECHO, "a-first-flight", 14, 0);
	wait_count(fixture.context, &client.connected, 1);
	g_autoptr(GSocket) accepted = g_socket_accept(silent, NULL, NULL);
	gssize n = g_socket_receive(accepted, bytes, sizeof bytes, NULL, NULL);
	ck_assert_int_gt(n, 24);
	ck_assert_mem_eq(bytes, "PRI * HTTP/2.0", 14);
	ck_assert_ptr_nonnull(memmem(bytes, (size_t)n, "a-first-flight", 14));
	client_done(&client);
	fixture_done(&fixture);
}
END_TEST

START_TEST(a_server_that_does_not_answer_is_found_by_ping)
{
	Fixture fixture;
	Client client;
	Request request;
	fixture_init(&fixture);
	GSocket *silent = listen_silently(&fixture);
	WiceRpcClientOptions options = client_options(&fixture);
	options.keepalive_ms = 50;
	client_init(&client, &fixture, &options);
	wice__rpc_client_connect(client.client);
	request_start(&request, &client, ECHO, "x", 1, 0);
	wait_count(fixture.context, &client.disconnected, 1);
	ck_assert_uint_eq(client.connected, 1);
	ck_assert_ptr_nonnull(strstr(client.reason, "not answered"));
	ck_assert_int_eq(request.status, WICE_RPC_UNAVAILABLE);
	request_done(&request);
	client_done(&client);
	g_object_unref(silent);
	fixture_done(&fixture);
}
END_TEST

/* Where packets with the mark are prohibited, a connection with it cannot even begin. */
START_TEST(the_firewall_mark_is_on_the_first_packet_already)
{
	Fixture fixture;
	Client client;
	if (!netns_enter() || !netns_ip("rule add pref 5 fwmark 0x77 prohibit") ||
	    !netns_ip("rule add pref 10 lookup local") || !netns_ip("rule del pref 0"))
		return;
	fixture_init(&fixture);
	fixture_listen(&fixture, false);
	client_init(&client, &fixture, NULL);
	wice__rpc_client_set_fwmark(client.client, 0x77);
	wice__rpc_client_connect(client.client);
	wait_count(fixture.context, &client.disconnected, 1);
	ck_assert_uint_eq(client.connected, 0);
	wice__rpc_client_set_fwmark(client.client, 0x78);
	wice__rpc_client_connect(client.client);
	check_echo(&client, 10);
	client_done(&client);
	fixture_done(&fixture);
}
END_TEST

START_TEST(an_idle_connection_lives_on_pings)
{
	Fixture fixture;
	Client client;
	Request request;
	fixture_init(&fixture);
	fixture_listen(&fixture, false);
	WiceRpcClientOptions options = client_options(&fixture);
	options.keepalive_ms = 40;
	client_init(&client, &fixture, &options);
	wice__rpc_client_connect(client.client);
	request_start(&request, &client, HOLD, "x", 1, 1500);
	wait_count(fixture.context, &request.finished, 1);
	ck_assert_int_eq(request.status, WICE_RPC_DEADLINE_EXCEEDED);
	ck_assert_uint_eq(client.disconnected, 0);
	request_done(&request);
	client_done(&client);
	fixture_done(&fixture);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rpc loopback");
	TCase *tcase = tcase_create("rpc loopback");
	tcase_set_timeout(tcase, SUITE_TIMEOUT_S);
	tcase_add_loop_test(tcase, messages_of_all_sizes_come_back_the_same, 0, 2);
	tcase_add_test(tcase, requests_made_before_the_connection_are_answered);
	tcase_add_test(tcase, a_stream_of_messages_arrives_in_full_and_ends);
	tcase_add_test(tcase, a_refusal_arrives_with_its_status_and_its_text);
	tcase_add_test(tcase, a_message_over_the_limit_is_refused_by_either_side);
	tcase_add_test(tcase, a_deadline_ends_the_call_on_both_sides);
	tcase_add_test(tcase, a_cancelled_call_is_closed_at_the_server_without_on_finished);
	tcase_add_test(tcase, a_request_may_be_cancelled_from_its_own_message);
	tcase_add_loop_test(tcase, a_client_may_be_freed_from_its_callbacks, 0, 2);
	tcase_add_test(tcase, a_handler_may_free_the_server_and_its_answer_still_arrives);
	tcase_add_test(tcase, a_client_outlives_a_restart_of_the_server);
	tcase_add_test(tcase, connecting_again_finishes_the_requests_of_the_old_connection);
	tcase_add_test(tcase, a_refused_connection_is_reported_with_its_reason);
	tcase_add_test(tcase, a_path_too_long_for_a_socket_is_an_error_and_can_be_freed_before);
	tcase_add_test(tcase, a_client_that_accept_refuses_is_closed);
	tcase_add_test(tcase, connections_beyond_the_limit_are_closed);
	tcase_add_test(tcase, calls_beyond_the_limit_wait_for_their_turn);
	tcase_add_test(tcase, requests_leave_with_the_preface_and_wait_for_nothing);
	tcase_add_test(tcase, the_firewall_mark_is_on_the_first_packet_already);
	tcase_add_test(tcase, a_server_that_does_not_answer_is_found_by_ping);
	tcase_add_test(tcase, an_idle_connection_lives_on_pings);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
