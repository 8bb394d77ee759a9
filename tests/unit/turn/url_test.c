/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "suite.h"
#include "turn/url.h"

START_TEST(urls_of_rfc_7064_and_7065_are_read)
{
	static const struct {
		const char *text;
		WiceTurnUrl url;
		const char *canonical; /* NULL: as text */
	} cases[] = {
		{ "stun:example.org", { false, WICE_TURN_UDP, "example.org", 3478 }, NULL },
		{ "stuns:example.org", { false, WICE_TURN_TLS, "example.org", 5349 }, NULL },
		{ "stun:example.org:8000", { false, WICE_TURN_UDP, "example.org", 8000 }, NULL },
		{ "turn:example.org", { true, WICE_TURN_UDP, "example.org", 3478 }, NULL },
		{ "turns:example.org", { true, WICE_TURN_TLS, "example.org", 5349 }, NULL },
		{ "turns:example.org:443", { true, WICE_TURN_TLS, "example.org", 443 }, NULL },
		{ "turn:example.org:8000?transport=tcp",
		  { true, WICE_TURN_TCP, "example.org", 8000 },
		  NULL },
		{ "turn:example.org?transport=udp",
		  { true, WICE_TURN_UDP, "example.org", 3478 },
		  "turn:example.org" },
		{ "turns:example.org:5349?transport=tcp",
		  { true, WICE_TURN_TLS, "example.org", 5349 },
		  "turns:example.org" },
		{ "TURN:Example.ORG:3478?Transport=TCP",
		  { true, WICE_TURN_TCP, "example.org", 3478 },
		  "turn:example.org?transport=tcp" },
		{ "turn:192.0.2.1:65535", { true, WICE_TURN_UDP, "192.0.2.1", 65535 }, NULL },
		{ "stun:s", { false, WICE_TURN_UDP, "s", 3478 }, NULL },
		{ "stuns:s", { false, WICE_TURN_TLS, "s", 5349 }, NULL },
		{ "turn:[2001:DB8:0::1]",
		  { true, WICE_TURN_UDP, "2001:db8::1", 3478 },
		  "turn:[2001:db8::1]" },
		{ "turns:[::1]:1?transport=tcp",
		  { true, WICE_TURN_TLS, "::1", 1 },
		  "turns:[::1]:1" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		WiceTurnUrl url, again;
		char text[WICE_TURN_URL_SIZE];
		ck_assert_msg(wice__turn_url_parse(cases[i].text, &url) == 0, "%s", cases[i].text);
		ck_assert_int_eq(url.relays, cases[i].url.relays);
		ck_assert_int_eq(url.transport, cases[i].url.transport);
		ck_assert_str_eq(url.host, cases[i].url.host);
		ck_assert_uint_eq(url.port, cases[i].url.port);
		ck_assert_str_eq(wice__turn_url_format(&url, text),
				 cases[i].canonical ? cases[i].canonical : cases[i].text);
		ck_assert_int_eq(wice__turn_url_parse(text, &again), 0);
		ck_assert_str_eq(again.host, url.host);
	}
}
END_TEST

START_TEST(malformed_urls_are_refused)
{
	static const char *const texts[] = {
		"",
		"turn",
		"turn:",
		"turns:",
		"http:example.org",
		"turn://example.org",
		"turn:user@example.org",
		"turn:exa mple",
		"turn:ex\xc3\xa4mple",
		"turn::3478",
		"turn:example.org:",
		"turn:example.org:0",
		"turn:example.org:65536",
		"turn:example.org:000080",
		"turn:example.org:80x",
		"turn:example.org:+80",
		"turn:2001:db8::1",
		"turn:[192.0.2.1]",
		"turn:[::1",
		"turn:[::1]x",
		"turn:[]",
		"turn:[fe80::1%2]",
		"turn:example.org?",
		"turn:example.org?transport",
		"turn:example.org?transport=",
		"turn:example.org?transport=tcp&x=y",
		"turn:example.org?transport=tcp?transport=udp",
		"turn:example.org?ttl=1",
		"turn:example.org/path",
		"stun:example.org?transport=udp",
	};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		WiceTurnUrl url = { .port = 1 };
		ck_assert_msg(wice__turn_url_parse(texts[i], &url) == -EINVAL, "%s", texts[i]);
		ck_assert_uint_eq(url.port, 1);
	}
}
END_TEST

START_TEST(transports_that_are_not_spoken_are_told_from_errors)
{
	static const char *const texts[] = {
		"turns:example.org?transport=udp",
		"turn:example.org?transport=sctp",
		"turn:example.org?transport=tcpx",
		"turn:example.org?transport=tls",
	};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		WiceTurnUrl url;
		ck_assert_msg(wice__turn_url_parse(texts[i], &url) == -EPROTONOSUPPORT, "%s",
			      texts[i]);
	}
}
END_TEST

START_TEST(the_longest_name_fits_and_no_longer_one)
{
	char text[400], formatted[WICE_TURN_URL_SIZE];
	WiceTurnUrl url;
	memset(text, 'a', sizeof text);
	memcpy(text, "turn:", 5);
	strcpy(text + 5 + WICE_TURN_HOST_SIZE - 1, ":60000?transport=tcp");
	ck_assert_int_eq(wice__turn_url_parse(text, &url), 0);
	ck_assert_str_eq(wice__turn_url_format(&url, formatted), text);
	strcpy(text + 5 + WICE_TURN_HOST_SIZE - 1, "a");
	ck_assert_int_eq(wice__turn_url_parse(text, &url), -EINVAL);
}
END_TEST

SUITE_MAIN("turn url", urls_of_rfc_7064_and_7065_are_read, malformed_urls_are_refused,
	   transports_that_are_not_spoken_are_told_from_errors,
	   the_longest_name_fits_and_no_longer_one)
