/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <glib.h>

#include "agent/stun_servers.h"

START_TEST(urls_of_rfc_7064_are_read)
{
	static const struct {
		const char *url, *host;
		uint16_t port;
	} cases[] = {
		{ "stun:example.org", "example.org", 3478 },
		{ "stun:example.org:5349", "example.org", 5349 },
		{ "STUN:192.0.2.1:1", "192.0.2.1", 1 },
		{ "stun:[2001:db8::1]", "2001:db8::1", 3478 },
		{ "stun:[2001:db8::1]:65535", "2001:db8::1", 65535 },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *host = NULL;
		uint16_t port = 0;
		ck_assert_msg(wice__stun_url_parse(cases[i].url, &host, &port), "%s", cases[i].url);
		ck_assert_str_eq(host, cases[i].host);
		ck_assert_uint_eq(port, cases[i].port);
	}
}
END_TEST

START_TEST(malformed_urls_are_refused)
{
	static const char *const urls[] = { "",
					    "stun",
					    "stun:",
					    "stun://example.org",
					    "turn:example.org",
					    "stun:example.org:",
					    "stun:example.org:0",
					    "stun:example.org:65536",
					    "stun:example.org:80x",
					    "stun:exa mple",
					    "stun:[192.0.2.1]",
					    "stun:[::1",
					    "stun:[::1]x",
					    "stun:2001:db8::1",
					    "stun:user@host" };
	for (size_t i = 0; i < G_N_ELEMENTS(urls); i++) {
		char *host = NULL;
		uint16_t port = 0;
		ck_assert_msg(!wice__stun_url_parse(urls[i], &host, &port), "%s", urls[i]);
		ck_assert_ptr_null(host);
	}
}
END_TEST

SUITE_MAIN("stun url", urls_of_rfc_7064_are_read, malformed_urls_are_refused)
