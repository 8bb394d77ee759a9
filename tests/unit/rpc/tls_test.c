/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "certificate.h"
#include "fixture.h"
#include "suite.h"

static TestCertificate files;

static bool tls_fixture(Fixture *fixture, const char *alt_names)
{
	g_autoptr(GError) error = NULL;
	if (!test_certificate_make(&files, alt_names))
		return false;
	fixture_init(fixture);
	fixture->certificate =
		g_tls_certificate_new_from_files(files.certificate, files.key, &error);
	ck_assert_msg(fixture->certificate != NULL, "%s", error ? error->message : "");
	fixture_listen(fixture, false);
	return true;
}

static void tls_fixture_done(Fixture *fixture)
{
	fixture_done(fixture);
	test_certificate_remove(&files);
}

static WiceRpcClientOptions tls_options(const Fixture *fixture, bool trust)
{
	WiceRpcClientOptions options = client_options(fixture);
	options.tls = true;
	options.tls_ca_file = trust ? files.certificate : NULL;
	return options;
}

START_TEST(messages_come_back_the_same_over_tls)
{
	Fixture fixture;
	Client client;
	if (!tls_fixture(&fixture, "DNS:localhost,IP:127.0.0.1"))
		return;
	WiceRpcClientOptions options = tls_options(&fixture, true);
	client_init(&client, &fixture, &options);
	wice__rpc_client_connect(client.client);
	static const size_t sizes[] = { 0, 1, 70000, 5 << 20 };
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
		Request request;
		g_autofree uint8_t *message = g_malloc(sizes[i] + 1);
		memset(message, (int)i + 1, sizes[i] + 1);
		request_start(&request, &client, ECHO, message, sizes[i], 0);
		wait_count(fixture.context, &request.finished, 1);
		ck_assert_msg(request.status == WICE_RPC_OK, "%s", request.text);
		ck_assert_uint_eq(request.last_len, sizes[i]);
		ck_assert_uint_eq(request.last_hash, hash_bytes(message, sizes[i]));
		request_done(&request);
	}
	client_done(&client);
	tls_fixture_done(&fixture);
}
END_TEST

static void check_refused(Fixture *fixture, const WiceRpcClientOptions *options, const char *why)
{
	Client client;
	Request request;
	client_init(&client, fixture, options);
	wice__rpc_client_connect(client.client);
	request_start(&request, &client, ECHO, "secret", 6, 0);
	wait_count(fixture->context, &client.disconnected, 1);
	ck_assert_uint_eq(client.connected, 0);
	ck_assert_uint_eq(fixture->handled, 0);
	ck_assert_int_eq(request.status, WICE_RPC_UNAVAILABLE);
	ck_assert_msg(strstr(client.reason, why) != NULL, "\"%s\" does not say \"%s\"",
		      client.reason, why);
	request_done(&request);
	client_done(&client);
}

START_TEST(a_certificate_that_is_not_trusted_is_refused_with_the_reason)
{
	Fixture fixture;
	if (!tls_fixture(&fixture, "DNS:localhost,IP:127.0.0.1"))
		return;
	WiceRpcClientOptions options = tls_options(&fixture, false);
	check_refused(&fixture, &options, "not signed by an authority");
	tls_fixture_done(&fixture);
}
END_TEST

START_TEST(a_certificate_of_another_host_is_refused_with_the_reason)
{
	Fixture fixture;
	if (!tls_fixture(&fixture, "DNS:elsewhere.example"))
		return;
	WiceRpcClientOptions options = tls_options(&fixture, true);
	check_refused(&fixture, &options, "for another name");
	tls_fixture_done(&fixture);
}
END_TEST

START_TEST(a_file_of_trusted_certificates_that_cannot_be_read_is_named)
{
	Fixture fixture;
	if (!tls_fixture(&fixture, "DNS:localhost,IP:127.0.0.1"))
		return;
	WiceRpcClientOptions options = tls_options(&fixture, true);
	options.tls_ca_file = "/nonexistent/ca.pem";
	check_refused(&fixture, &options, "/nonexistent/ca.pem");
	tls_fixture_done(&fixture);
}
END_TEST

START_TEST(a_server_without_tls_is_refused)
{
	Fixture fixture;
	test_tls_used = true;
	fixture_init(&fixture);
	fixture_listen(&fixture, false);
	WiceRpcClientOptions options = client_options(&fixture);
	options.tls = true;
	check_refused(&fixture, &options, "127.0.0.1");
	fixture_done(&fixture);
}
END_TEST

START_TEST(clients_without_tls_and_silent_ones_do_not_keep_others_out)
{
	enum { SILENT = 12 };
	Fixture fixture;
	Client plain, client;
	Request request;
	GSocketConnection *silent[SILENT];
	if (!tls_fixture(&fixture, "DNS:localhost,IP:127.0.0.1"))
		return;
	g_autoptr(GSocketClient) connector = g_socket_client_new();
	for (size_t i = 0; i < SILENT; i++) {
		silent[i] = g_socket_client_connect_to_host(connector, "127.0.0.1", fixture.port,
							    NULL, NULL);
		ck_assert_ptr_nonnull(silent[i]);
	}
	client_init(&plain, &fixture, NULL);
	wice__rpc_client_connect(plain.client);
	wait_count(fixture.context, &plain.disconnected, 1);

	WiceRpcClientOptions options = tls_options(&fixture, true);
	client_init(&client, &fixture, &options);
	wice__rpc_client_connect(client.client);
	request_start(&request, &client, ECHO, "x", 1, 0);
	wait_count(fixture.context, &request.finished, 1);
	ck_assert_msg(request.status == WICE_RPC_OK, "%s", request.text);
	/* They are sent away in the end. */
	wait_count(fixture.context, &fixture.closed, SILENT + 1);
	for (size_t i = 0; i < SILENT; i++)
		g_object_unref(silent[i]);
	request_done(&request);
	client_done(&plain);
	client_done(&client);
	tls_fixture_done(&fixture);
}
END_TEST

START_TEST(a_server_or_client_may_go_during_the_handshake)
{
	Fixture fixture;
	Client client;
	if (!tls_fixture(&fixture, "DNS:localhost,IP:127.0.0.1"))
		return;
	WiceRpcClientOptions options = tls_options(&fixture, true);
	client_init(&client, &fixture, &options);
	wice__rpc_client_connect(client.client);
	wait_count(fixture.context, &fixture.accepted, 1);
	for (int i = 0; i < _i; i++)
		g_main_context_iteration(fixture.context, FALSE);
	if (_i % 2) {
		wice__rpc_server_free(g_steal_pointer(&fixture.server));
		wait_count(fixture.context, &client.disconnected, 1);
	} else {
		wice__rpc_client_free(g_steal_pointer(&client.client));
		wait_count(fixture.context, &fixture.closed, 1);
	}
	client_done(&client);
	/* The threads that were busy with it report back. */
	for (int i = 0; i < 20; i++) {
		settle(fixture.context);
		g_usleep(5000);
	}
	tls_fixture_done(&fixture);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rpc tls");
	TCase *tcase = tcase_create("rpc tls");
	tcase_set_timeout(tcase, SUITE_TIMEOUT_S);
	tcase_add_test(tcase, messages_come_back_the_same_over_tls);
	tcase_add_test(tcase, a_certificate_that_is_not_trusted_is_refused_with_the_reason);
	tcase_add_test(tcase, a_certificate_of_another_host_is_refused_with_the_reason);
	tcase_add_test(tcase, a_file_of_trusted_certificates_that_cannot_be_read_is_named);
	tcase_add_test(tcase, a_server_without_tls_is_refused);
	tcase_add_test(tcase, clients_without_tls_and_silent_ones_do_not_keep_others_out);
	tcase_add_loop_test(tcase, a_server_or_client_may_go_during_the_handshake, 0, 10);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
