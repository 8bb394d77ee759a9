/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <string.h>
#include <wice/error.h>

#include "relay/check_advice.h"

static WiceRelaySpec spec_of(const char *url)
{
	WiceRelaySpec spec = { 0 };
	ck_assert_int_eq(wice__turn_url_parse(url, &spec.url), 0);
	return spec;
}

static void check_advice(const char *url, const char *username, WiceCheckStep step,
			 const WiceCheckFacts *facts, bool second, const char *expected)
{
	WiceRelaySpec spec = spec_of(url);
	g_autofree char *advice = wice__check_advise(&spec, username, step, facts, second, 10);
	if (!strstr(advice, expected))
		ck_abort_msg("\"%s\" is not in \"%s\"", expected, advice);
	ck_assert_msg(g_str_has_suffix(advice, ".") || g_str_has_suffix(advice, "?"),
		      "no sentence: %s", advice);
}

START_TEST(an_allocation_that_fails)
{
	static const struct {
		WiceTurnFailure failure;
		uint16_t code;
		bool second;
		const char *username, *expected;
	} cases[] = {
		{ WICE_TURN_REFUSED, 401, false, "bob", "the user name \"bob\" or the password" },
		{ WICE_TURN_REFUSED, 401, false, "1500000000:bob", "which expired" },
		{ WICE_TURN_REFUSED, 401, false, "1500000000", "which expired" },
		{ WICE_TURN_REFUSED, 401, false, "9500000000:bob", "or the password (401)" },
		{ WICE_TURN_REFUSED, 401, false, "1500000000bob", "or the password (401)" },
		{ WICE_TURN_NO_CREDENTIALS, 401, false, NULL, "add username=" },
		{ WICE_TURN_FORBIDDEN, 403, false, "bob", "(403)" },
		{ WICE_TURN_MISMATCH, 437, false, "bob", "(437)" },
		{ WICE_TURN_FAMILY, 440, false, "bob", "neither IPv4 nor IPv6 for us (440)" },
		{ WICE_TURN_PROTOCOL, 442, false, "bob", "does not relay UDP (442)" },
		{ WICE_TURN_PROTOCOL, 400, false, "bob", "is it a STUN server only?" },
		{ WICE_TURN_PROTOCOL, 0, false, "bob", "What the client says." },
		{ WICE_TURN_QUOTA, 486, false, "bob", "allows (486)." },
		{ WICE_TURN_QUOTA, 486, true, "bob", "two are needed" },
		{ WICE_TURN_CAPACITY, 508, false, "bob", "no room for more allocations (508)" },
		{ WICE_TURN_ALTERNATE, 300, false, "bob", "without end (300)" },
		{ WICE_TURN_TIMED_OUT, 0, false, "bob", "is it a STUN server only?" },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		WiceCheckFacts facts = {
			.refused = true,
			.failure = cases[i].failure,
			.code = cases[i].code,
			.reason = (char *)(uintptr_t) "What the client says.",
		};
		check_advice("turn:relay.test", cases[i].username, WICE_CHECK_ALLOCATE, &facts,
			     cases[i].second, cases[i].expected);
	}
}
END_TEST

START_TEST(no_answer)
{
	static const WiceCheckFacts nothing, strange = { .strange = true },
					     error = { .answered = true, .code = 403 };
	check_advice("turn:relay.test", NULL, WICE_CHECK_BINDING, &nothing, false,
		     "?transport=tcp would tell");
	check_advice("turn:relay.test?transport=tcp", NULL, WICE_CHECK_CONNECT, &nothing, false,
		     "No connection over TCP within 10 s");
	check_advice("turns:relay.test:443", NULL, WICE_CHECK_CONNECT, &nothing, false, "port 443");
	check_advice("turns:relay.test", NULL, WICE_CHECK_BINDING, &nothing, false,
		     "does not answer within 10 s");
	check_advice("stun:relay.test:7", NULL, WICE_CHECK_BINDING, &strange, false,
		     "is 7 its port?");
	check_advice("stun:relay.test", NULL, WICE_CHECK_BINDING, &error, false,
		     "error 403 (Forbidden)");
	check_advice("turn:relay.test", NULL, WICE_CHECK_ALLOCATE, &nothing, false,
		     "not to Allocate");
}
END_TEST

START_TEST(a_way_that_breaks)
{
	static const struct {
		const char *url;
		bool opened;
		const char *reason, *expected;
	} cases[] = {
		{ "turn:relay.test", true, "Nothing listens at X (UDP)", "is 3478 its port?" },
		{ "turn:relay.test?transport=tcp", false, "X: Connection refused",
		  "is the server running" },
		{ "turns:relay.test", false, "X: Peer failed to perform TLS handshake: Y",
		  "does the server speak TLS at port 5349?" },
		{ "turn:relay.test?transport=tcp", true, "The server sent what is not TURN",
		  "is it a TURN server?" },
		{ "turns:relay.test", false, "the certificate has expired", "expired." },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		WiceCheckFacts facts = {
			.opened = cases[i].opened,
			.broken = true,
			.reason = (char *)(uintptr_t)cases[i].reason,
		};
		check_advice(cases[i].url, NULL, WICE_CHECK_CONNECT, &facts, false,
			     cases[i].expected);
	}
}
END_TEST

START_TEST(packets_that_are_not_relayed)
{
	WiceCheckFacts facts = { .not_bound = true, .code = 403 };
	ck_assert(wice_endpoint_parse("192.0.2.1:50000", &facts.relayed_ipv4));
	check_advice("turn:relay.test", "bob", WICE_CHECK_RELAY, &facts, false,
		     "relay to its own addresses, as 192.0.2.1:50000 (403)");
	facts.code = 400;
	check_advice("turn:relay.test", "bob", WICE_CHECK_RELAY, &facts, false, "(400)");
	facts.not_bound = false;
	check_advice("turn:relay.test", "bob", WICE_CHECK_RELAY, &facts, false,
		     "Nothing that is sent to 192.0.2.1:50000 comes through");
}
END_TEST

START_TEST(names)
{
	WiceRelaySpec spec = spec_of("turn:relay.test");
	g_autoptr(GError) unknown = g_error_new(WICE_ERROR, WICE_ERROR_NOT_FOUND, "not known");
	g_autoptr(GError) silent = g_error_new(WICE_ERROR, WICE_ERROR_UNREACHABLE, "no answer");
	g_autofree char *a = wice__check_advise_name(&spec.url, unknown);
	g_autofree char *b = wice__check_advise_name(&spec.url, silent);
	ck_assert_ptr_nonnull(strstr(a, "There is no such name as relay.test (not known)"));
	ck_assert_ptr_nonnull(strstr(b, "No name server tells the address of relay.test"));
}
END_TEST

SUITE_MAIN("check advice", an_allocation_that_fails, no_answer, a_way_that_breaks,
	   packets_that_are_not_relayed, names)
