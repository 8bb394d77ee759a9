/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <wice/error.h>

#include "relay/spec.h"
#include "suite.h"

START_TEST(specs_are_read)
{
	g_autoptr(GError) error = NULL;
	WiceRelaySpec *spec = wice__relay_spec_parse(
		"  turn:relay.example.org?transport=tcp \t username=alice  password=p=w ", false,
		&error);
	ck_assert_msg(spec != NULL, "%s", error ? error->message : "");
	ck_assert_str_eq(spec->url.host, "relay.example.org");
	ck_assert_int_eq(spec->url.transport, WICE_TURN_TCP);
	ck_assert_str_eq(spec->username, "alice");
	ck_assert_str_eq(spec->password, "p=w");
	ck_assert_ptr_null(spec->password_file);

	WiceRelaySpec *copy = wice__relay_spec_copy(spec);
	wice__relay_spec_free(spec);
	ck_assert_str_eq(copy->password, "p=w");
	wice__relay_spec_free(copy);

	spec = wice__relay_spec_parse("turns:r ca-file=/a username=u "
				      "password-command=sh -c 'echo username=x' ",
				      true, &error);
	ck_assert_msg(spec != NULL, "%s", error ? error->message : "");
	ck_assert_str_eq(spec->password_command, "sh -c 'echo username=x'");
	ck_assert_str_eq(spec->ca_file, "/a");
	wice__relay_spec_free(spec);

	static const char *const others[] = {
		"turn:r",
		"turn:r secret-file=/s",
		"turn:r username=n secret-file=/s",
		"turn:r password-file=/f username=u",
	};
	for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
		spec = wice__relay_spec_parse(others[i], true, &error);
		ck_assert_msg(spec != NULL, "%s", others[i]);
		wice__relay_spec_free(spec);
	}
}
END_TEST

START_TEST(what_is_wrong_is_said_without_the_password)
{
	static const struct {
		const char *text, *why;
		bool visible;
	} cases[] = {
		{ "", "no URL", false },
		{ "example.org", "no URL", false },
		{ "stun:example.org", "STUN server", false },
		{ "turns:r?transport=udp", "not spoken here", false },
		{ "turn:r username=", "nothing behind username=", false },
		{ "turn:r username=a username=b password=HUNTER2", "twice", false },
		{ "turn:r username=a password=HUNTER2", "password-file=", true },
		{ "turn:r username=a password=HUNTER2 password-file=/x", "may be one", false },
		{ "turn:r username=a password=my HUNTER2", "something else", false },
		{ "turn:r username=a secret=HUNTER2", "something else", false },
		{ "turn:r username=a", "no password", false },
		{ "turn:r password=HUNTER2", "no username", false },
		{ "turn:r ca-file=/x", "turns:", false },
		{ "turn:r username=a password-command='HUNTER2", "no command", false },
		{ "turn:r username=a password-command= ", "nothing behind", false },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		ck_assert_ptr_null(wice__relay_spec_parse(cases[i].text, cases[i].visible, &error));
		ck_assert_msg(g_error_matches(error, WICE_ERROR, WICE_ERROR_INVALID), "%s",
			      cases[i].text);
		ck_assert_msg(strstr(error->message, cases[i].why) != NULL, "\"%s\": %s",
			      cases[i].text, error->message);
		ck_assert_msg(!strstr(error->message, "HUNTER2"), "%s", error->message);
	}
}
END_TEST

SUITE_MAIN("relay spec", specs_are_read, what_is_wrong_is_said_without_the_password)
