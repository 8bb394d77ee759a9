/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <glib.h>
#include <string.h>

#include "proxy/relayed.h"
#include "suite.h"

#define FIRST 16384
#define N (65536 - FIRST)

static WiceEndpoint endpoint(const char *text)
{
	WiceEndpoint result = { 0 };
	ck_assert(wice_endpoint_parse(text, &result));
	return result;
}

START_TEST(ports_differ_until_none_is_left)
{
	WiceEndpoint server = endpoint("192.0.2.1:3478"), inside = endpoint("192.0.2.2:20000");
	const WiceEndpoint *servers[] = { &server, &inside };
	for (size_t s = 0; s < G_N_ELEMENTS(servers); s++) {
		size_t room = N - (servers[s]->port >= FIRST);
		g_autofree bool *seen = g_new0(bool, 65536);
		for (size_t i = 0; i < room; i++) {
			uint16_t port = wice__relayed_port_take(servers[s]);
			ck_assert_uint_ge(port, FIRST);
			ck_assert_uint_ne(port, servers[s]->port);
			ck_assert(!seen[port]);
			seen[port] = true;
		}
		ck_assert_uint_eq(wice__relayed_port_take(servers[s]), 0);
		wice__relayed_port_give(servers[s], 33333);
		ck_assert_uint_eq(wice__relayed_port_take(servers[s]), 33333);
		for (uint32_t port = 0; port < 65536; port++)
			wice__relayed_port_give(servers[s], (uint16_t)port);
	}
}
END_TEST

/* Each address has its own; two servers at one address share them. */
START_TEST(they_are_of_an_address)
{
	WiceEndpoint a = endpoint("[2001:db8::1]:3478"), tls = endpoint("[2001:db8::1]:5349"),
		     b = endpoint("[2001:db8::2]:3478");
	for (size_t i = 0; i < N; i++)
		ck_assert_uint_ne(wice__relayed_port_take(&a), 0);
	ck_assert_uint_eq(wice__relayed_port_take(&tls), 0);
	ck_assert_uint_ne(wice__relayed_port_take(&b), 0);
	wice__relayed_port_give(&tls, 40000);
	ck_assert_uint_eq(wice__relayed_port_take(&a), 40000);
}
END_TEST

/* Packets to the former owner of a port may be under way. */
START_TEST(one_that_was_given_back_is_not_the_next)
{
	WiceEndpoint server = endpoint("192.0.2.1:3478");
	wice__relayed_port_give(&server, 20000);
	uint16_t first = wice__relayed_port_take(&server);
	for (unsigned i = 0; i < 1000; i++) {
		uint16_t port = wice__relayed_port_take(&server);
		ck_assert_uint_ne(port, first);
		wice__relayed_port_give(&server, port);
		if (i == 0)
			wice__relayed_port_give(&server, first);
	}
}
END_TEST

static void *take_some(void *data)
{
	uint16_t *ports = data;
	WiceEndpoint server = endpoint("192.0.2.1:3478");
	for (size_t i = 0; i < 1000; i++)
		ports[i] = wice__relayed_port_take(&server);
	return NULL;
}

START_TEST(threads_do_not_get_the_same)
{
	static uint16_t ports[4][1000];
	GThread *threads[4];
	g_autofree bool *seen = g_new0(bool, 65536);
	for (size_t t = 0; t < 4; t++)
		threads[t] = g_thread_new("ports", take_some, ports[t]);
	for (size_t t = 0; t < 4; t++) {
		g_thread_join(threads[t]);
		for (size_t i = 0; i < 1000; i++) {
			ck_assert(!seen[ports[t][i]]);
			seen[ports[t][i]] = true;
		}
	}
}
END_TEST

SUITE_MAIN("proxy relayed port", ports_differ_until_none_is_left, they_are_of_an_address,
	   one_that_was_given_back_is_not_the_next, threads_do_not_get_the_same)
