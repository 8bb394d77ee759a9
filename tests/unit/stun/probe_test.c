/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The probe in virtual time, against servers that are lossy, slow, old, strict or hostile. */
#include "suite.h"

#include <glib.h>
#include <string.h>

#include "stun/attributes.h"
#include "stun/integrity.h"
#include "stun/message.h"
#include "stun/probe.h"
#include "stun/responder.h"

#define TRIES 6
#define GIVES_UP_AT 6000

static const int64_t due_ms[TRIES] = { 0, 250, 500, 1000, 2000, 4000 };
static const bool is_classic[TRIES] = { false, false, true, false, true, false };

static GRand *randomness;

static void fill_random(void *buffer, size_t len)
{
	if (!randomness)
		randomness = g_rand_new_with_seed(42);
	for (size_t i = 0; i < len; i++)
		((uint8_t *)buffer)[i] = (uint8_t)g_rand_int(randomness);
}

static WiceEndpoint endpoint_of(const char *text)
{
	WiceEndpoint endpoint;
	ck_assert(wice_endpoint_parse(text, &endpoint));
	return endpoint;
}

static void assert_endpoint(const WiceEndpoint *endpoint, const char *expected)
{
	char text[WICE_ENDPOINT_SIZE];
	ck_assert_str_eq(wice_endpoint_format(endpoint, text), expected);
}

typedef enum {
	BOTH_FORMS,
	ONLY_MODERN,
	ONLY_CLASSIC,
	SILENT,
	SAYS_ERROR,
	SAYS_ERROR_TO_CLASSIC
} Kind;

static bool has_cookie(const uint8_t *request)
{
	return wice__stun_get_u32(request + 4) == WICE_STUN_COOKIE;
}

static size_t say_error(const uint8_t *request, uint8_t *answer)
{
	WiceStunWriter writer;
	size_t len;
	wice__stun_writer_init(&writer, answer, WICE_STUN_RESPONSE_MAX, WICE_STUN_ERROR,
			       WICE_STUN_BINDING, request + 4);
	wice__stun_write_error(&writer, 400, NULL);
	ck_assert_int_eq(wice__stun_writer_finish(&writer, &len), 0);
	return len;
}

/* What a server of some kind answers, 0 if nothing. */
static size_t serve(Kind kind, const uint8_t *request, const char *client, uint8_t *answer)
{
	WiceEndpoint source = endpoint_of(client);
	bool modern = has_cookie(request);
	if (kind == SILENT || (kind == ONLY_MODERN && !modern) || (kind == ONLY_CLASSIC && modern))
		return 0;
	if (kind == SAYS_ERROR || (kind == SAYS_ERROR_TO_CLASSIC && !modern))
		return say_error(request, answer);
	return wice__stun_respond(request, WICE_STUN_PROBE_REQUEST_LEN, &source, answer);
}

#define CLIENT "198.51.100.9:51820"
#define SERVER "192.0.2.1:3478"
#define OTHER_SERVER "192.0.2.2:3478"

static WiceStunProbe probe_of(const char *server)
{
	WiceStunProbe probe;
	WiceEndpoint endpoint = endpoint_of(server);
	wice__stun_probe_init(&probe, &endpoint, 1, fill_random, 0);
	return probe;
}

/* The first request of a fresh probe. */
static WiceStunProbe probe_once(const char *server, uint8_t *request)
{
	WiceStunProbe probe = probe_of(server);
	WiceEndpoint to;
	ck_assert(wice__stun_probe_output(&probe, 0, &to, request));
	return probe;
}

START_TEST(requests_follow_the_schedule_and_alternate_their_form)
{
	WiceStunProbe probe = probe_of(SERVER);
	uint8_t request[WICE_STUN_PROBE_REQUEST_LEN], first[WICE_STUN_PROBE_REQUEST_LEN] = { 0 };
	WiceEndpoint to;
	for (unsigned n = 0; n < TRIES; n++) {
		ck_assert_int_eq(wice__stun_probe_deadline(&probe), due_ms[n]);
		ck_assert(!wice__stun_probe_output(&probe, due_ms[n] - 1, &to, request));
		ck_assert(wice__stun_probe_output(&probe, due_ms[n], &to, request));
		ck_assert(!wice__stun_probe_output(&probe, due_ms[n], &to, request));
		assert_endpoint(&to, SERVER);
		ck_assert_uint_eq(wice__stun_get_u32(request), 0x00010000);
		ck_assert_uint_eq(has_cookie(request), !is_classic[n]);
		ck_assert_uint_eq(wice__stun_get_u32(request + 8), WICE_STUN_PROBE_TAG);
		if (n == 0)
			memcpy(first, request, sizeof first);
		ck_assert_mem_eq(request + 8, first + 8, 12);
		ck_assert(!wice__stun_probe_is_over(&probe));
	}
	ck_assert_int_eq(wice__stun_probe_deadline(&probe), GIVES_UP_AT);
	ck_assert(!wice__stun_probe_output(&probe, GIVES_UP_AT, &to, request));
	ck_assert_int_eq(probe.servers[0].state, WICE_STUN_PROBE_FAILED);
	ck_assert(wice__stun_probe_is_over(&probe));
	ck_assert_int_eq(wice__stun_probe_deadline(&probe), INT64_MAX);
}
END_TEST

/* Runs until it is over, and says when. Answers to tries in the mask are lost, others take rtt. */
static int64_t run(WiceStunProbe *probe, Kind kind, unsigned lost, int64_t rtt)
{
	struct {
		int64_t at;
		size_t len;
		uint8_t data[WICE_STUN_RESPONSE_MAX];
	} answers[TRIES];
	size_t n = 0, next = 0;
	WiceEndpoint source = endpoint_of(SERVER);
	for (unsigned step = 0; step < 100; step++) {
		uint8_t request[WICE_STUN_PROBE_REQUEST_LEN];
		WiceEndpoint to;
		int64_t now = wice__stun_probe_deadline(probe);
		if (next < n && answers[next].at < now) {
			now = answers[next].at;
			if (answers[next].len)
				wice__stun_probe_input(probe, answers[next].data, answers[next].len,
						       &source, now);
			next++;
		} else {
			while (wice__stun_probe_output(probe, now, &to, request)) {
				answers[n].at = now + rtt;
				answers[n].len = serve(kind, request, CLIENT, answers[n].data);
				if (lost & 1u << n)
					answers[n].len = 0;
				n++;
			}
		}
		if (wice__stun_probe_is_over(probe))
			return now;
	}
	ck_abort_msg("the probe does not end");
}

START_TEST(any_subset_of_answers_may_be_lost)
{
	static const Kind kinds[] = { BOTH_FORMS, ONLY_MODERN, ONLY_CLASSIC };
	const int64_t rtt = 40;
	for (size_t k = 0; k < G_N_ELEMENTS(kinds); k++)
		for (unsigned lost = 0; lost < 1u << TRIES; lost++) {
			WiceStunProbe probe = probe_of(SERVER);
			const WiceStunProbeServer *server = &probe.servers[0];
			int64_t expected = GIVES_UP_AT, over = run(&probe, kinds[k], lost, rtt);
			for (unsigned n = TRIES; n-- > 0;) {
				bool served = kinds[k] == BOTH_FORMS ||
					      (kinds[k] == ONLY_CLASSIC) == is_classic[n];
				if (served && !(lost & 1u << n))
					expected = due_ms[n] + rtt;
			}
			ck_assert_int_eq(over, expected);
			if (expected == GIVES_UP_AT) {
				ck_assert_int_eq(server->state, WICE_STUN_PROBE_FAILED);
				continue;
			}
			ck_assert_int_eq(server->state, WICE_STUN_PROBE_ANSWERED);
			assert_endpoint(&server->mapped, CLIENT);
		}
}
END_TEST

START_TEST(slow_servers_are_waited_for_and_their_rtt_is_not_guessed)
{
	static const struct {
		Kind kind;
		int64_t rtt, over;
		uint32_t rtt_ms;
	} cases[] = {
		{ BOTH_FORMS, 0, 0, 1 },         { BOTH_FORMS, 249, 249, 249 },
		{ BOTH_FORMS, 300, 300, 0 },     { ONLY_MODERN, 1900, 1900, 0 },
		{ ONLY_CLASSIC, 100, 600, 100 }, { ONLY_CLASSIC, 700, 1200, 0 },
		{ ONLY_CLASSIC, 400, 900, 400 }, { ONLY_MODERN, 5999, 5999, 0 },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		WiceStunProbe probe = probe_of(SERVER);
		ck_assert_int_eq(run(&probe, cases[i].kind, 0, MAX(cases[i].rtt, 0)),
				 cases[i].over);
		ck_assert_int_eq(probe.servers[0].state, WICE_STUN_PROBE_ANSWERED);
		ck_assert_uint_eq(probe.servers[0].rtt_ms, cases[i].rtt_ms);
	}
}
END_TEST

START_TEST(an_error_ends_the_probe_unless_it_answers_the_old_form)
{
	WiceStunProbe probe = probe_of(SERVER);
	ck_assert_int_eq(run(&probe, SAYS_ERROR, 0, 40), 40);
	ck_assert_int_eq(probe.servers[0].state, WICE_STUN_PROBE_FAILED);
	probe = probe_of(SERVER);
	ck_assert_int_eq(run(&probe, SAYS_ERROR_TO_CLASSIC, 0x3, 40), 1040);
	ck_assert_int_eq(probe.servers[0].state, WICE_STUN_PROBE_ANSWERED);
}
END_TEST

START_TEST(answers_from_elsewhere_or_to_others_are_ignored)
{
	static const char *const spoofed[] = { "192.0.2.1:3479", "192.0.2.3:3478",
					       "[2001:db8::1]:3478" };
	uint8_t request[WICE_STUN_PROBE_REQUEST_LEN], answer[WICE_STUN_RESPONSE_MAX];
	WiceStunProbe probe = probe_once(SERVER, request);
	size_t len = serve(BOTH_FORMS, request, CLIENT, answer);
	WiceEndpoint source;
	for (size_t i = 0; i < G_N_ELEMENTS(spoofed); i++) {
		source = endpoint_of(spoofed[i]);
		ck_assert(!wice__stun_probe_input(&probe, answer, len, &source, 10));
	}
	source = endpoint_of(SERVER);
	for (size_t bit = 8 * 4; bit < 8 * 20; bit++) {
		answer[bit / 8] ^= (uint8_t)(1u << bit % 8);
		ck_assert(!wice__stun_probe_input(&probe, answer, len, &source, 10));
		answer[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	ck_assert_int_eq(probe.servers[0].state, WICE_STUN_PROBE_RUNNING);
	ck_assert(wice__stun_probe_input(&probe, answer, len, &source, 10));
	ck_assert_int_eq(probe.servers[0].state, WICE_STUN_PROBE_ANSWERED);
	ck_assert(!wice__stun_probe_input(&probe, answer, len, &source, 11));
}
END_TEST

/* An answer to a request with any class and method, to be given attributes. */
static WiceStunWriter start_answer(uint8_t *answer, const uint8_t *request,
				   WiceStunClass message_class, uint16_t method)
{
	WiceStunWriter writer;
	wice__stun_writer_init(&writer, answer, WICE_STUN_RESPONSE_MAX, message_class, method,
			       request + 4);
	return writer;
}

static bool input(WiceStunProbe *probe, const WiceStunWriter *writer, const char *from)
{
	WiceEndpoint source = endpoint_of(from);
	size_t len;
	ck_assert_int_eq(wice__stun_writer_finish(writer, &len), 0);
	return wice__stun_probe_input(probe, writer->data, len, &source, 10);
}

START_TEST(answers_that_are_none_are_ignored)
{
	uint8_t request[WICE_STUN_PROBE_REQUEST_LEN], answer[WICE_STUN_RESPONSE_MAX];
	WiceStunProbe probe = probe_once(SERVER, request);
	WiceEndpoint mapped = endpoint_of(CLIENT);
	WiceStunWriter writer;

	writer = start_answer(answer, request, WICE_STUN_REQUEST, WICE_STUN_BINDING);
	wice__stun_write_address(&writer, WICE_STUN_XOR_MAPPED_ADDRESS, &mapped);
	ck_assert(!input(&probe, &writer, SERVER));
	writer = start_answer(answer, request, WICE_STUN_INDICATION, WICE_STUN_BINDING);
	ck_assert(!input(&probe, &writer, SERVER));
	writer = start_answer(answer, request, WICE_STUN_SUCCESS, WICE_STUN_ALLOCATE);
	wice__stun_write_address(&writer, WICE_STUN_XOR_MAPPED_ADDRESS, &mapped);
	ck_assert(!input(&probe, &writer, SERVER));
	writer = start_answer(answer, request, WICE_STUN_SUCCESS, WICE_STUN_BINDING);
	ck_assert(!input(&probe, &writer, SERVER));
	writer = start_answer(answer, request, WICE_STUN_ERROR, WICE_STUN_BINDING);
	ck_assert(!input(&probe, &writer, SERVER));
	writer = start_answer(answer, request, WICE_STUN_SUCCESS, WICE_STUN_BINDING);
	wice__stun_write_address(&writer, WICE_STUN_XOR_MAPPED_ADDRESS, &mapped);
	wice__stun_writer_add(&writer, 0x7fff, 0);
	ck_assert(!input(&probe, &writer, SERVER));
	writer = start_answer(answer, request, WICE_STUN_SUCCESS, WICE_STUN_BINDING);
	wice__stun_write_address(&writer, WICE_STUN_XOR_MAPPED_ADDRESS, &mapped);
	wice__stun_write_u32(&writer, WICE_STUN_FINGERPRINT, 1);
	ck_assert(!input(&probe, &writer, SERVER));
	ck_assert_int_eq(probe.servers[0].state, WICE_STUN_PROBE_RUNNING);

	writer = start_answer(answer, request, WICE_STUN_SUCCESS, WICE_STUN_BINDING);
	wice__stun_write_address(&writer, WICE_STUN_XOR_MAPPED_ADDRESS, &mapped);
	wice__stun_write_fingerprint(&writer);
	ck_assert(input(&probe, &writer, SERVER));
}
END_TEST

START_TEST(addresses_that_no_peer_should_send_to_are_not_believed)
{
	static const struct {
		const char *server, *mapped;
		bool believed;
	} cases[] = {
		{ SERVER, "198.51.100.9:1", true },
		{ SERVER, "10.0.0.1:1", true },
		{ SERVER, "[2001:db8::9]:1", true },
		{ SERVER, "198.51.100.9:0", false },
		{ SERVER, "0.0.0.0:1", false },
		{ SERVER, "0.1.2.3:1", false },
		{ SERVER, "224.0.0.1:1", false },
		{ SERVER, "240.0.0.1:1", false },
		{ SERVER, "255.255.255.255:1", false },
		{ SERVER, "127.0.0.1:1", false },
		{ SERVER, "169.254.1.1:1", false },
		{ SERVER, "[::]:1", false },
		{ SERVER, "[::1]:1", false },
		{ SERVER, "[ff02::1]:1", false },
		{ SERVER, "[fe80::1]:1", false },
		{ SERVER, "[::ffff:192.0.2.1]:1", false },
		{ "127.0.0.1:3478", "127.0.0.1:1", true },
		{ "[::1]:3478", "[::1]:1", true },
		{ "169.254.1.1:3478", "169.254.1.2:1", true },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		uint8_t request[WICE_STUN_PROBE_REQUEST_LEN], answer[WICE_STUN_RESPONSE_MAX];
		WiceStunProbe probe = probe_once(cases[i].server, request);
		WiceEndpoint mapped = endpoint_of(cases[i].mapped);
		WiceStunWriter writer =
			start_answer(answer, request, WICE_STUN_SUCCESS, WICE_STUN_BINDING);
		wice__stun_write_address(&writer, WICE_STUN_XOR_MAPPED_ADDRESS, &mapped);
		ck_assert_msg(input(&probe, &writer, cases[i].server) == cases[i].believed,
			      "%s from %s", cases[i].mapped, cases[i].server);
		if (cases[i].believed)
			assert_endpoint(&probe.servers[0].mapped, cases[i].mapped);
	}
}
END_TEST

START_TEST(a_link_local_server_gives_its_scope_to_the_answer)
{
	uint8_t request[WICE_STUN_PROBE_REQUEST_LEN], answer[WICE_STUN_RESPONSE_MAX];
	WiceStunProbe probe = probe_once("[fe80::1%3]:3478", request);
	WiceEndpoint mapped = endpoint_of("[fe80::2]:5");
	WiceStunWriter writer = start_answer(answer, request, WICE_STUN_SUCCESS, WICE_STUN_BINDING);
	wice__stun_write_address(&writer, WICE_STUN_XOR_MAPPED_ADDRESS, &mapped);
	ck_assert(!input(&probe, &writer, "[fe80::1%4]:3478"));
	ck_assert(input(&probe, &writer, "[fe80::1%3]:3478"));
	assert_endpoint(&probe.servers[0].mapped, "[fe80::2%3]:5");
}
END_TEST

START_TEST(the_xored_address_is_preferred)
{
	uint8_t request[WICE_STUN_PROBE_REQUEST_LEN], answer[WICE_STUN_RESPONSE_MAX];
	WiceEndpoint right = endpoint_of(CLIENT), meddled = endpoint_of("10.9.9.9:9");
	for (int order = 0; order < 2; order++) {
		WiceStunProbe probe = probe_once(SERVER, request);
		WiceStunWriter writer =
			start_answer(answer, request, WICE_STUN_SUCCESS, WICE_STUN_BINDING);
		if (order)
			wice__stun_write_address(&writer, WICE_STUN_MAPPED_ADDRESS, &meddled);
		wice__stun_write_address(&writer, WICE_STUN_XOR_MAPPED_ADDRESS, &right);
		if (!order)
			wice__stun_write_address(&writer, WICE_STUN_MAPPED_ADDRESS, &meddled);
		ck_assert(input(&probe, &writer, SERVER));
		assert_endpoint(&probe.servers[0].mapped, CLIENT);
	}
}
END_TEST

START_TEST(old_servers_may_add_what_was_usual_then)
{
	uint8_t request[WICE_STUN_PROBE_REQUEST_LEN], answer[WICE_STUN_RESPONSE_MAX];
	WiceStunProbe probe = probe_once(SERVER, request);
	WiceEndpoint to, mapped = endpoint_of(CLIENT), server = endpoint_of(SERVER);
	for (unsigned n = 1; n <= 2; n++)
		ck_assert(wice__stun_probe_output(&probe, due_ms[n], &to, request));
	ck_assert(!has_cookie(request));
	WiceStunWriter writer = start_answer(answer, request, WICE_STUN_SUCCESS, WICE_STUN_BINDING);
	wice__stun_write_address(&writer, WICE_STUN_MAPPED_ADDRESS, &mapped);
	wice__stun_write_address(&writer, WICE_STUN_SOURCE_ADDRESS, &server);
	wice__stun_write_address(&writer, WICE_STUN_CHANGED_ADDRESS, &server);
	wice__stun_write_bytes(&writer, WICE_STUN_XOR_MAPPED_ADDRESS, "\0\1abcdef", 8);
	ck_assert(input(&probe, &writer, SERVER));
	assert_endpoint(&probe.servers[0].mapped, CLIENT);
}
END_TEST

START_TEST(several_servers_are_asked_side_by_side)
{
	static const Kind kinds[WICE_STUN_PROBE_MAX_SERVERS] = {
		BOTH_FORMS, SILENT,      ONLY_CLASSIC,          SAYS_ERROR,
		SILENT,     ONLY_MODERN, SAYS_ERROR_TO_CLASSIC, BOTH_FORMS,
	};
	WiceEndpoint servers[WICE_STUN_PROBE_MAX_SERVERS + 2];
	WiceStunProbe probe;
	for (size_t i = 0; i < G_N_ELEMENTS(servers); i++) {
		servers[i] = endpoint_of(SERVER);
		servers[i].address.bytes[3] = (uint8_t)(10 + i / 2); /* pairs share an address */
		servers[i].port = (uint16_t)(3478 + i);
	}
	wice__stun_probe_init(&probe, servers, G_N_ELEMENTS(servers), fill_random, 5000);
	ck_assert_uint_eq(probe.n_servers, WICE_STUN_PROBE_MAX_SERVERS);
	while (!wice__stun_probe_is_over(&probe)) {
		uint8_t request[WICE_STUN_PROBE_REQUEST_LEN], answer[WICE_STUN_RESPONSE_MAX];
		WiceEndpoint to;
		int64_t now = wice__stun_probe_deadline(&probe);
		while (wice__stun_probe_output(&probe, now, &to, request)) {
			size_t index = to.port - 3478u, len;
			char client[32];
			g_snprintf(client, sizeof client, "198.51.100.9:%zu", 1000 + index);
			len = serve(kinds[index], request, client, answer);
			if (len)
				wice__stun_probe_input(&probe, answer, len, &to, now);
		}
	}
	for (size_t i = 0; i < probe.n_servers; i++) {
		bool fails = kinds[i] == SILENT || kinds[i] == SAYS_ERROR;
		ck_assert_int_eq(probe.servers[i].state,
				 fails ? WICE_STUN_PROBE_FAILED : WICE_STUN_PROBE_ANSWERED);
		if (!fails)
			ck_assert_uint_eq(probe.servers[i].mapped.port, 1000 + i);
	}
}
END_TEST

START_TEST(one_server_cannot_answer_for_another)
{
	uint8_t requests[2][WICE_STUN_PROBE_REQUEST_LEN], answer[WICE_STUN_RESPONSE_MAX];
	WiceEndpoint servers[2] = { endpoint_of(SERVER), endpoint_of(OTHER_SERVER) }, to;
	WiceStunProbe probe;
	wice__stun_probe_init(&probe, servers, 2, fill_random, 0);
	for (size_t i = 0; i < 2; i++)
		ck_assert(wice__stun_probe_output(&probe, 0, &to, requests[i]));
	size_t len = serve(BOTH_FORMS, requests[0], CLIENT, answer);
	ck_assert(!wice__stun_probe_input(&probe, answer, len, &servers[1], 5));
	ck_assert(wice__stun_probe_input(&probe, answer, len, &servers[0], 5));
	ck_assert_int_eq(probe.servers[1].state, WICE_STUN_PROBE_RUNNING);
}
END_TEST

START_TEST(servers_without_an_address_fail_at_once)
{
	WiceEndpoint servers[2] = { { .port = 3478 }, endpoint_of("192.0.2.1:0") };
	WiceStunProbe probe;
	wice__stun_probe_init(&probe, servers, 2, fill_random, 0);
	ck_assert(wice__stun_probe_is_over(&probe));
	ck_assert_int_eq(probe.servers[0].state, WICE_STUN_PROBE_FAILED);
	wice__stun_probe_init(&probe, servers, 0, fill_random, 0);
	ck_assert(wice__stun_probe_is_over(&probe));
}
END_TEST

START_TEST(a_sleeping_machine_goes_on_where_it_was)
{
	WiceStunProbe probe = probe_of(SERVER);
	uint8_t request[WICE_STUN_PROBE_REQUEST_LEN];
	WiceEndpoint to;
	const int64_t woke = 3600 * 1000;
	unsigned sent = 1;
	ck_assert(wice__stun_probe_output(&probe, 0, &to, request));
	ck_assert(wice__stun_probe_output(&probe, woke, &to, request));
	ck_assert(!wice__stun_probe_output(&probe, woke, &to, request));
	for (sent = 2; !wice__stun_probe_is_over(&probe);)
		sent += wice__stun_probe_output(&probe, wice__stun_probe_deadline(&probe), &to,
						request);
	ck_assert_uint_eq(sent, TRIES);
}
END_TEST

static void fill_with_cookies(void *buffer, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)buffer)[i] = (uint8_t)(WICE_STUN_COOKIE >> (24 - 8 * (i % 4)));
}

START_TEST(the_old_form_never_looks_like_the_new_one)
{
	WiceStunProbe probe;
	WiceEndpoint server = endpoint_of(SERVER), to;
	uint8_t request[WICE_STUN_PROBE_REQUEST_LEN];
	wice__stun_probe_init(&probe, &server, 1, fill_with_cookies, 0);
	for (unsigned n = 0; n < TRIES; n++) {
		ck_assert(wice__stun_probe_output(&probe, due_ms[n], &to, request));
		ck_assert_uint_eq(has_cookie(request), !is_classic[n]);
	}
}
END_TEST

SUITE_MAIN("stun probe", requests_follow_the_schedule_and_alternate_their_form,
	   any_subset_of_answers_may_be_lost,
	   slow_servers_are_waited_for_and_their_rtt_is_not_guessed,
	   an_error_ends_the_probe_unless_it_answers_the_old_form,
	   answers_from_elsewhere_or_to_others_are_ignored, answers_that_are_none_are_ignored,
	   addresses_that_no_peer_should_send_to_are_not_believed,
	   a_link_local_server_gives_its_scope_to_the_answer, the_xored_address_is_preferred,
	   old_servers_may_add_what_was_usual_then, several_servers_are_asked_side_by_side,
	   one_server_cannot_answer_for_another, servers_without_an_address_fail_at_once,
	   a_sleeping_machine_goes_on_where_it_was, the_old_form_never_looks_like_the_new_one)
