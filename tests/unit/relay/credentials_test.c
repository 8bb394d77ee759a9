/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <wice/log.h>

#include "event/source.h"
#include "relay/spec.h"
#include "suite.h"

typedef struct {
	bool called;
	char *username, *password, *error;
} Answer;

static char *folder;
static unsigned n_warnings;

static void on_log(WiceLogLevel level, const char *subject, const char *message, void *user_data)
{
	if (level == WICE_LOG_WARNING)
		n_warnings++;
}

static void setup(void)
{
	folder = g_dir_make_tmp("wice-relay-XXXXXX", NULL);
	ck_assert_ptr_nonnull(folder);
	wice_log_set_handler(WICE_LOG_WARNING, on_log, NULL);
}

static void teardown(void)
{
	g_autofree char *path = g_build_filename(folder, "secret", NULL);
	g_unlink(path);
	g_rmdir(folder);
	g_clear_pointer(&folder, g_free);
}

static char *write_secret(const char *text, gssize len, int mode)
{
	char *path = g_build_filename(folder, "secret", NULL);
	ck_assert(g_file_set_contents(path, text, len, NULL));
	ck_assert_int_eq(g_chmod(path, mode), 0);
	return path;
}

static void on_answer(const char *username, const char *password, const GError *error,
		      void *user_data)
{
	Answer *answer = user_data;
	ck_assert(!answer->called);
	answer->called = true;
	answer->username = g_strdup(username);
	answer->password = g_strdup(password);
	answer->error = error ? g_strdup(error->message) : NULL;
}

static Answer get(const WiceRelaySpec *spec)
{
	Answer answer = { 0 };
	wice__relay_credentials_get(g_main_context_default(), spec, on_answer, &answer);
	ck_assert(!answer.called);
	while (!answer.called)
		g_main_context_iteration(NULL, TRUE);
	return answer;
}

static void answer_done(Answer *answer)
{
	g_free(answer->username);
	g_free(answer->password);
	g_free(answer->error);
}

static void expect_password(const WiceRelaySpec *spec, const char *password)
{
	Answer answer = get(spec);
	ck_assert_msg(answer.error == NULL, "%s", answer.error);
	ck_assert_str_eq(answer.username, "alice");
	ck_assert_str_eq(answer.password, password);
	answer_done(&answer);
}

static void expect_error(const WiceRelaySpec *spec, const char *why)
{
	Answer answer = get(spec);
	ck_assert_msg(answer.error != NULL, "no error where \"%s\" was expected", why);
	ck_assert_msg(strstr(answer.error, why) != NULL, "\"%s\" does not say \"%s\"", answer.error,
		      why);
	ck_assert_ptr_null(answer.username);
	ck_assert_ptr_null(answer.password);
	answer_done(&answer);
}

START_TEST(none_and_those_of_the_text_itself)
{
	WiceRelaySpec none = { 0 };
	Answer answer = get(&none);
	ck_assert(!answer.error && !answer.username && !answer.password);
	WiceRelaySpec spec = { .username = (char *)"alice", .password = (char *)"secret" };
	expect_password(&spec, "secret");
}
END_TEST

START_TEST(the_first_line_of_a_file_is_read_anew_each_time)
{
	static const struct {
		const char *text, *password;
	} cases[] = {
		{ "secret", "secret" },
		{ "another one\n", "another one" },
		{ "with \xc3\xa4\r\nmore\n", "with \xc3\xa4" },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = write_secret(cases[i].text, -1, 0600);
		WiceRelaySpec spec = { .username = (char *)"alice", .password_file = path };
		expect_password(&spec, cases[i].password);
	}
	ck_assert_uint_eq(n_warnings, 0);
}
END_TEST

START_TEST(a_file_that_everybody_can_read_is_warned_of)
{
	g_autofree char *path = write_secret("secret\n", -1, 0644);
	WiceRelaySpec spec = { .username = (char *)"alice", .password_file = path };
	expect_password(&spec, "secret");
	ck_assert_uint_eq(n_warnings, 1);
}
END_TEST

START_TEST(files_that_hold_no_secret_are_refused)
{
	char long_line[5000];
	memset(long_line, 'x', sizeof long_line);
	const struct {
		const char *text;
		gssize len;
	} cases[] = { { "", 0 }, { "\n", 1 }, { "a\0b", 3 }, { "a\tb\n", 4 }, { long_line, 5000 } };
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = write_secret(cases[i].text, cases[i].len, 0600);
		WiceRelaySpec spec = { .username = (char *)"alice", .password_file = path };
		expect_error(&spec, path);
		spec = (WiceRelaySpec){ .secret_file = path };
		expect_error(&spec, path);
	}
	WiceRelaySpec spec = { .username = (char *)"alice",
			       .password_file = (char *)"/nonexistent/f" };
	expect_error(&spec, "/nonexistent/f");
	spec.password_file = folder;
	expect_error(&spec, "no ordinary file");
	g_autofree char *fifo = g_build_filename(folder, "secret", NULL);
	g_unlink(fifo);
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	spec.password_file = fifo;
	expect_error(&spec, "no ordinary file");
}
END_TEST

START_TEST(a_command_is_run_and_what_it_prints_is_taken)
{
	WiceRelaySpec spec = { .username = (char *)"alice" };
	static const struct {
		const char *command, *password, *error;
	} cases[] = {
		{ "echo secret", "secret", NULL },
		{ "printf 'two words\\nmore\\n'", "two words", NULL },
		{ "sh -c 'echo first; exit 3'", NULL, "status 3" },
		{ "sh -c 'kill -9 $$'", NULL, "signal" },
		{ "true", NULL, "printed no line" },
		{ "yes", NULL, "4 KiB" },
		{ "/nonexistent/program", NULL, "cannot be run" },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		spec.password_command = (char *)cases[i].command;
		if (cases[i].error)
			expect_error(&spec, cases[i].error);
		else
			expect_password(&spec, cases[i].password);
	}
}
END_TEST

START_TEST(a_command_that_does_not_end_is_ended)
{
	WiceRelaySpec spec = { .username = (char *)"alice",
			       .password_command = (char *)"sleep 1000" };
	int64_t started = wice__now_ms();
	expect_error(&spec, "10 s");
	ck_assert_int_ge(wice__now_ms() - started, 10000);
}
END_TEST

START_TEST(cancelled_ones_do_not_call_back)
{
	static const char *const commands[] = { NULL, "sleep 1000", "echo x" };
	for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
		WiceRelaySpec spec = { .username = (char *)"alice",
				       .password = (char *)(commands[i] ? NULL : "x"),
				       .password_command = (char *)commands[i] };
		Answer answer = { 0 };
		wice__relay_credentials_cancel(wice__relay_credentials_get(
			g_main_context_default(), &spec, on_answer, &answer));
		for (int64_t until = wice__now_ms() + 200; wice__now_ms() < until;) {
			g_main_context_iteration(NULL, FALSE);
			g_usleep(1000);
		}
		ck_assert(!answer.called);
	}
}
END_TEST

static bool is_running(long pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%ld/stat", pid), *stat = NULL;
	if (!g_file_get_contents(path, &stat, NULL, NULL))
		return false;
	return strrchr(stat, ')')[2] != 'Z';
}

START_TEST(what_a_command_has_started_ends_with_it)
{
	g_autofree char *path = write_secret("", 0, 0600);
	g_autofree char *command = g_strdup_printf("sh -c 'sleep 1000 & echo $! > %s; wait'", path);
	g_autofree char *text = NULL;
	WiceRelaySpec spec = { .username = (char *)"alice", .password_command = command };
	Answer answer = { 0 };
	WiceRelayCredentials *credentials =
		wice__relay_credentials_get(g_main_context_default(), &spec, on_answer, &answer);
	do {
		g_usleep(1000);
		g_clear_pointer(&text, g_free);
		ck_assert(g_file_get_contents(path, &text, NULL, NULL));
	} while (!strchr(text, '\n'));
	wice__relay_credentials_cancel(credentials);
	while (is_running(strtol(text, NULL, 10)) || g_main_context_pending(NULL))
		g_main_context_iteration(NULL, FALSE);
	ck_assert(!answer.called);
}
END_TEST

START_TEST(time_limited_ones_are_made_of_a_secret)
{
	static const char *const names[] = { "alice", NULL };
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = write_secret("north\n", -1, 0600);
		WiceRelaySpec spec = { .username = (char *)names[i], .secret_file = path };
		Answer answer = get(&spec);
		ck_assert_msg(answer.error == NULL, "%s", answer.error);
		char *rest;
		int64_t left = strtoll(answer.username, &rest, 10) - wice__realtime_ms() / 1000;
		ck_assert_int_gt(left, 3600);
		ck_assert_int_le(left, 86400);
		ck_assert_str_eq(rest, names[i] ? ":alice" : "");
		/* The same by GLib. */
		GHmac *hmac = g_hmac_new(G_CHECKSUM_SHA1, (const guchar *)"north", 5);
		guint8 digest[20];
		gsize len = sizeof digest;
		g_hmac_update(hmac, (const guchar *)answer.username, -1);
		g_hmac_get_digest(hmac, digest, &len);
		g_hmac_unref(hmac);
		g_autofree char *expected = g_base64_encode(digest, len);
		ck_assert_str_eq(answer.password, expected);
		answer_done(&answer);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("relay credentials");
	TCase *tcase = tcase_create("relay credentials");
	tcase_set_timeout(tcase, SUITE_TIMEOUT_S);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, none_and_those_of_the_text_itself);
	tcase_add_test(tcase, the_first_line_of_a_file_is_read_anew_each_time);
	tcase_add_test(tcase, a_file_that_everybody_can_read_is_warned_of);
	tcase_add_test(tcase, files_that_hold_no_secret_are_refused);
	tcase_add_test(tcase, a_command_is_run_and_what_it_prints_is_taken);
	tcase_add_test(tcase, a_command_that_does_not_end_is_ended);
	tcase_add_test(tcase, cancelled_ones_do_not_call_back);
	tcase_add_test(tcase, what_a_command_has_started_ends_with_it);
	tcase_add_test(tcase, time_limited_ones_are_made_of_a_secret);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
