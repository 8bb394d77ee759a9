/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* How a client comes to its allocation, or why it does not. */
#include <errno.h>
#include <string.h>

#include "client_lab.h"
#include "stun/attributes.h"
#include "suite.h"

static void expect_failure(Lab *lab, WiceTurnFailure failure)
{
	char reason[WICE_TURN_REASON_SIZE];
	ck_assert(lab_wait(lab, WICE_TURN_EVENT_FAILED, 60000));
	ck_assert_int_eq(wice__turn_client_state(lab->client), WICE_TURN_FAILED);
	ck_assert_int_eq(wice__turn_client_failure(lab->client, reason), failure);
	ck_assert_uint_gt(strlen(reason), 10);
	unsigned before = lab->n_sent;
	lab_run(lab, 3600000);
	ck_assert_uint_eq(lab->n_sent, before);
}

START_TEST(data_may_leave_after_two_round_trips)
{
	Lab lab;
	WiceEndpoint seen, mapped = played_peer(WICE_FAMILY_IPV4, 1000), relayed;
	lab_init(&lab);
	lab_start(&lab);
	int64_t start = lab.now;
	uint16_t first = lab_bind(&lab, WICE_FAMILY_IPV4, 7),
		 second = lab_bind(&lab, WICE_FAMILY_IPV4, 8);
	ck_assert_uint_ne(first, second);
	ck_assert_uint_eq(lab_bind(&lab, WICE_FAMILY_IPV4, 7), first);
	ck_assert(!wice__turn_client_relayed(lab.client, WICE_FAMILY_IPV4, &relayed));
	lab_run(&lab, 2 * LAB_RTT_MS);
	ck_assert_int_eq(wice__turn_client_state(lab.client), WICE_TURN_ALLOCATED);
	ck_assert_int_eq(lab.at[WICE_TURN_EVENT_BOUND], start + 2 * LAB_RTT_MS);
	ck_assert_uint_eq(lab.n_events[WICE_TURN_EVENT_BOUND], 2);
	ck_assert(wice__turn_client_is_bound(lab.client, first));
	ck_assert(played_server_relays(&lab.server, second, lab.now));
	ck_assert_uint_eq(lab.n_sent, 4);
	ck_assert_int_eq(wice__turn_client_rtt_ms(lab.client), LAB_RTT_MS);
	ck_assert(wice__turn_client_relayed(lab.client, WICE_FAMILY_IPV4, &relayed));
	ck_assert(!wice__turn_client_relayed(lab.client, WICE_FAMILY_IPV6, &relayed));
	ck_assert(wice__turn_client_reflexive(lab.client, &seen));
	ck_assert_int_eq(wice_endpoint_compare(&seen, &mapped), 0);
	ck_assert_str_eq(wice__turn_client_software(lab.client), "played?");
	lab_done(&lab);
}
END_TEST

START_TEST(server_without_credentials)
{
	Lab lab;
	lab_init(&lab);
	lab.server.open = true;
	lab.options.username = lab.options.password = NULL;
	lab_start(&lab);
	uint16_t channel = lab_bind(&lab, WICE_FAMILY_IPV4, 7);
	lab_run(&lab, 2 * LAB_RTT_MS);
	ck_assert(wice__turn_client_is_bound(lab.client, channel));
	ck_assert_uint_eq(lab.n_sent, 2);
	lab_done(&lab);
}
END_TEST

/* What a server may know of RFC 8489's credentials. */
static const struct {
	size_t n;
	uint16_t list[3];
	bool hides_names;
} kinds[] = {
	{ 0, { 0 }, false },
	{ 0, { 0 }, true },
	{ 1, { WICE_STUN_ALGORITHM_MD5 }, false },
	{ 1, { WICE_STUN_ALGORITHM_SHA256 }, true },
	{ 2, { WICE_STUN_ALGORITHM_MD5, WICE_STUN_ALGORITHM_SHA256 }, true },
	{ 3, { 77, WICE_STUN_ALGORITHM_SHA256, WICE_STUN_ALGORITHM_MD5 }, false },
};

START_TEST(credentials_of_all_kinds)
{
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
		for (int stale = 0; stale < 2; stale++) {
			Lab lab;
			lab_init(&lab);
			lab.server.n_algorithms = kinds[i].n;
			memcpy(lab.server.algorithms, kinds[i].list, sizeof kinds[i].list);
			lab.server.hides_names = kinds[i].hides_names;
			lab_start(&lab);
			uint16_t channel = lab_bind(&lab, WICE_FAMILY_IPV4, 7);
			lab_run(&lab, LAB_RTT_MS);
			lab.server.nonce += (unsigned)stale;
			lab_run(&lab, 2 * LAB_RTT_MS);
			ck_assert(wice__turn_client_is_bound(lab.client, channel));
			ck_assert_uint_eq(lab.n_sent, stale ? 5 : 3);
			lab_done(&lab);
		}
	}
}
END_TEST

START_TEST(challenges_that_make_no_sense)
{
	static const char control[] = "pass\x01word";
	g_autofree char *long_tail = g_strnfill(740, 'x'), *long_name = g_strnfill(500, 'x');
	for (int i = 0; i < 5; i++) {
		Lab lab;
		lab_init(&lab);
		WiceTurnFailure failure = WICE_TURN_PROTOCOL;
		if (i == 0) { /* somebody wants the weaker algorithm: RFC 8489 section 9.2.5 */
			lab.server.n_algorithms = 1;
			lab.server.takes_list_away = true;
		} else if (i == 1) {
			lab.server.n_algorithms = 1;
			lab.server.algorithms[0] = 77;
		} else if (i == 2) {
			lab.server.nonce_tail = long_tail;
			lab.options.username = long_name;
		} else if (i == 3) {
			lab.options.password = control;
			failure = WICE_TURN_REFUSED;
		} else {
			lab.options.username = "";
			failure = WICE_TURN_REFUSED;
		}
		lab_start(&lab);
		expect_failure(&lab, failure);
		ck_assert_uint_eq(lab.n_sent, 1);
		lab_done(&lab);
	}
}
END_TEST

START_TEST(nonce_that_is_always_stale)
{
	Lab lab;
	lab_init(&lab);
	lab.server.error[WICE_STUN_ALLOCATE] = WICE_STUN_ERROR_STALE_NONCE;
	lab_start(&lab);
	for (int i = 0; i < 20; i++) {
		lab.server.nonce++;
		lab_run(&lab, LAB_RTT_MS);
	}
	ck_assert_int_eq(wice__turn_client_failure(lab.client, NULL), WICE_TURN_PROTOCOL);
	ck_assert_uint_le(lab.n_sent, 6);
	lab_done(&lab);
}
END_TEST

START_TEST(wrong_and_missing_credentials)
{
	static const struct {
		const char *username, *password;
		WiceTurnFailure failure;
		unsigned n_sent;
	} cases[] = {
		{ "user", "wrong", WICE_TURN_REFUSED, 2 },
		{ "other", "password", WICE_TURN_REFUSED, 2 },
		{ NULL, NULL, WICE_TURN_NO_CREDENTIALS, 1 },
		{ "user", NULL, WICE_TURN_NO_CREDENTIALS, 1 },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		Lab lab;
		lab_init(&lab);
		lab.options.username = cases[i].username;
		lab.options.password = cases[i].password;
		lab_start(&lab);
		expect_failure(&lab, cases[i].failure);
		ck_assert_uint_eq(lab.n_sent, cases[i].n_sent);
		lab_done(&lab);
	}
}
END_TEST

START_TEST(errors_say_what_to_do)
{
	static const struct {
		uint16_t code;
		WiceTurnFailure failure;
	} cases[] = {
		{ 300, WICE_TURN_PROTOCOL },  { 400, WICE_TURN_PROTOCOL },
		{ 403, WICE_TURN_FORBIDDEN }, { 420, WICE_TURN_PROTOCOL },
		{ 441, WICE_TURN_REFUSED },   { 442, WICE_TURN_PROTOCOL },
		{ 486, WICE_TURN_QUOTA },     { 500, WICE_TURN_CAPACITY },
		{ 508, WICE_TURN_CAPACITY },  { 405, WICE_TURN_PROTOCOL },
		{ 440, WICE_TURN_FAMILY },    { 437, WICE_TURN_MISMATCH },
		{ 699, WICE_TURN_PROTOCOL },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		Lab lab;
		lab_init(&lab);
		lab.server.error[WICE_STUN_ALLOCATE] = cases[i].code;
		lab_start(&lab);
		lab_bind(&lab, WICE_FAMILY_IPV4, 7);
		expect_failure(&lab, cases[i].failure);
		ck_assert_uint_le(lab.n_sent, 16);
		lab_done(&lab);
	}
}
END_TEST

START_TEST(another_server)
{
	Lab lab;
	WiceEndpoint server, expected = played_peer(WICE_FAMILY_IPV4, 99);
	lab_init(&lab);
	lab.server.error[WICE_STUN_ALLOCATE] = WICE_STUN_ERROR_TRY_ALTERNATE;
	lab.server.has_alternate = true;
	lab_start(&lab);
	ck_assert(!wice__turn_client_alternate(lab.client, &server));
	expect_failure(&lab, WICE_TURN_ALTERNATE);
	ck_assert(wice__turn_client_alternate(lab.client, &server));
	ck_assert_int_eq(wice_endpoint_compare(&server, &expected), 0);
	lab_done(&lab);
}
END_TEST

/* Which families there are, and what becomes of the wish for one or both. */
START_TEST(families)
{
	static const struct {
		bool want4, want6, has4, has6;
		bool ignores;
		uint16_t error; /* to ADDITIONAL-ADDRESS-FAMILY */
		bool get4, get6;
		unsigned n_allocates;
	} cases[] = {
		{ 1, 0, 1, 1, 0, 0, 1, 0, 2 },   { 0, 1, 1, 1, 0, 0, 0, 1, 2 },
		{ 1, 1, 1, 1, 0, 0, 1, 1, 2 },   { 1, 1, 1, 0, 0, 0, 1, 0, 2 },
		{ 1, 1, 1, 1, 1, 0, 1, 0, 2 },   { 1, 1, 1, 1, 0, 440, 1, 0, 3 },
		{ 1, 1, 1, 1, 0, 420, 1, 0, 3 }, { 1, 1, 1, 1, 0, 400, 1, 0, 3 },
		{ 1, 1, 0, 1, 0, 0, 0, 1, 4 },   { 1, 1, 0, 0, 0, 0, 0, 0, 4 },
		{ 0, 1, 1, 0, 0, 0, 0, 0, 2 },   { 1, 0, 0, 1, 0, 0, 0, 0, 2 },
		{ 0, 0, 1, 1, 0, 0, 1, 0, 2 },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		Lab lab;
		WiceEndpoint relayed;
		lab_init(&lab);
		lab.options.want_ipv4 = cases[i].want4;
		lab.options.want_ipv6 = cases[i].want6;
		lab.server.ipv4 = cases[i].has4;
		lab.server.ipv6 = cases[i].has6;
		lab.server.ignores_additional = cases[i].ignores;
		lab.server.additional_error = cases[i].error;
		lab_start(&lab);
		lab_run(&lab, 10 * LAB_RTT_MS);
		ck_assert_uint_eq(lab.server.n_requests[WICE_STUN_ALLOCATE], cases[i].n_allocates);
		ck_assert_int_eq(wice__turn_client_relayed(lab.client, WICE_FAMILY_IPV4, &relayed),
				 cases[i].get4);
		ck_assert_int_eq(wice__turn_client_relayed(lab.client, WICE_FAMILY_IPV6, &relayed),
				 cases[i].get6);
		if (!cases[i].get4 && !cases[i].get6)
			ck_assert_int_eq(wice__turn_client_failure(lab.client, NULL),
					 WICE_TURN_FAMILY);
		lab_done(&lab);
	}
}
END_TEST

START_TEST(peers_of_a_family_that_is_not_there)
{
	Lab lab;
	WiceEndpoint peer = played_peer(WICE_FAMILY_IPV6, 7);
	uint16_t channel;
	lab_init(&lab);
	lab.options.want_ipv6 = true;
	lab_start(&lab);
	uint16_t early = lab_bind(&lab, WICE_FAMILY_IPV6, 8);
	lab_run(&lab, 10 * LAB_RTT_MS);
	ck_assert_uint_eq(lab.last[WICE_TURN_EVENT_NOT_BOUND].channel, early);
	ck_assert_uint_eq(lab.last[WICE_TURN_EVENT_NOT_BOUND].code,
			  WICE_STUN_ERROR_FAMILY_MISMATCH);
	ck_assert_int_eq(wice__turn_client_bind(lab.client, &peer, lab.now, &channel),
			 -EAFNOSUPPORT);
	peer.port = 0;
	ck_assert_int_eq(wice__turn_client_bind(lab.client, &peer, lab.now, &channel), -EINVAL);
	lab_done(&lab);
}
END_TEST

/*
 * A client that was killed has left an allocation on our port, with the same peers on other
 * channels: it is given back first, and nobody hears of refused channels.
 */
START_TEST(allocation_of_a_former_client)
{
	Lab lab;
	lab_init(&lab);
	lab_allocate(&lab);
	lab_bind(&lab, WICE_FAMILY_IPV4, 7);
	lab_run(&lab, 10 * LAB_RTT_MS);
	wice__turn_client_free(lab.client);
	memset(lab.n_events, 0, sizeof lab.n_events);
	lab_start(&lab);
	uint16_t channel = lab_bind(&lab, WICE_FAMILY_IPV4, 7);
	/* This one can be bound on the old allocation, which is of no use. */
	uint16_t other = lab_bind(&lab, WICE_FAMILY_IPV4, 8);
	lab_run(&lab, 4 * LAB_RTT_MS);
	ck_assert(wice__turn_client_is_bound(lab.client, channel));
	ck_assert(wice__turn_client_is_bound(lab.client, other));
	ck_assert(played_server_relays(&lab.server, channel, lab.now));
	ck_assert(played_server_relays(&lab.server, other, lab.now));
	ck_assert_uint_eq(lab.server.allocations, 2);
	ck_assert_uint_eq(lab.n_events[WICE_TURN_EVENT_NOT_BOUND], 0);
	lab_done(&lab);
}
END_TEST

/* Of another user: it cannot be given back. */
START_TEST(mismatch_that_lasts)
{
	Lab lab;
	lab_init(&lab);
	lab_allocate(&lab);
	wice__turn_client_free(lab.client);
	lab.server.username = lab.options.username = "somebody";
	memset(lab.n_events, 0, sizeof lab.n_events);
	lab.n_sent = 0;
	lab_start(&lab);
	expect_failure(&lab, WICE_TURN_MISMATCH);
	ck_assert_uint_le(lab.n_sent, 6);
	lab_done(&lab);
}
END_TEST

/* RFC 8489 section 6.2.1: seven packets at these times, and 8 s more. */
START_TEST(silence_on_udp)
{
	static const int64_t times[] = { 0, 500, 1500, 3500, 7500, 15500, 31500 };
	Lab lab;
	lab_init(&lab);
	lab.server.silent = true;
	lab_start(&lab);
	int64_t start = lab.now;
	for (unsigned i = 0; i < G_N_ELEMENTS(times); i++) {
		lab_run(&lab, start + times[i] - lab.now);
		ck_assert_uint_eq(lab.n_sent, i + 1);
	}
	expect_failure(&lab, WICE_TURN_TIMED_OUT);
	ck_assert_int_eq(lab.at[WICE_TURN_EVENT_FAILED], start + 39500);
	ck_assert_int_eq(wice__turn_client_rtt_ms(lab.client), -1);
	lab_done(&lab);
}
END_TEST

/* Nobody can tell which of two equal requests an answer belongs to. */
START_TEST(repeated_requests_tell_no_time)
{
	Lab lab;
	lab_init(&lab);
	lab.server.silent = true;
	lab_start(&lab);
	lab_run(&lab, 100);
	lab.server.silent = false;
	lab_run(&lab, 400 + LAB_RTT_MS);
	ck_assert_uint_eq(lab.n_sent, 3);
	ck_assert_int_eq(wice__turn_client_rtt_ms(lab.client), -1);
	lab_run(&lab, LAB_RTT_MS);
	ck_assert_int_eq(wice__turn_client_rtt_ms(lab.client), LAB_RTT_MS);
	lab_done(&lab);
}
END_TEST

START_TEST(silence_on_a_stream)
{
	Lab lab;
	lab_init(&lab);
	lab.server.silent = true;
	lab.options.stream = true;
	lab_start(&lab);
	int64_t start = lab.now;
	expect_failure(&lab, WICE_TURN_TIMED_OUT);
	ck_assert_int_eq(lab.at[WICE_TURN_EVENT_FAILED], start + 39500);
	ck_assert_uint_eq(lab.n_sent, 1);
	lab_done(&lab);
}
END_TEST

START_TEST(stream_that_ends)
{
	Lab lab;
	lab_init(&lab);
	lab.options.stream = true;
	lab_allocate(&lab);
	wice__turn_client_closed(lab.client);
	expect_failure(&lab, WICE_TURN_CLOSED);
	lab_done(&lab);
}
END_TEST

START_TEST(answers_that_nobody_has_sealed)
{
	for (int i = 0; i < 2; i++) {
		Lab lab;
		lab_init(&lab);
		lab.server.forges = i == 0;
		lab.server.bare_success = i == 1;
		lab_start(&lab);
		lab_bind(&lab, WICE_FAMILY_IPV4, 7);
		expect_failure(&lab, WICE_TURN_PROTOCOL);
		ck_assert_uint_eq(lab.n_events[WICE_TURN_EVENT_ALLOCATED], 0);
		ck_assert_uint_eq(lab.n_events[WICE_TURN_EVENT_BOUND], 0);
		lab_done(&lab);
	}
}
END_TEST

START_TEST(answers_with_unknown_parts)
{
	for (int i = 0; i < 3; i++) {
		Lab lab;
		char reason[WICE_TURN_REASON_SIZE];
		lab_init(&lab);
		lab.server.unknown[WICE_STUN_ALLOCATE] = i == 0 ? 0x7abc : i == 1 ? 0xfabc : 0;
		lab.server.unknown[WICE_STUN_CHANNEL_BIND] = i == 2 ? 0x7abc : 0;
		lab_start(&lab);
		uint16_t channel = lab_bind(&lab, WICE_FAMILY_IPV4, 7);
		lab_run(&lab, 10 * LAB_RTT_MS);
		ck_assert_int_eq(wice__turn_client_failure(lab.client, reason),
				 i == 0 ? WICE_TURN_PROTOCOL : WICE_TURN_OK);
		if (i == 0)
			ck_assert_ptr_nonnull(strstr(reason, "0x7abc"));
		ck_assert_int_eq(wice__turn_client_is_bound(lab.client, channel), i == 1);
		ck_assert_uint_eq(lab.n_events[WICE_TURN_EVENT_NOT_BOUND], i == 2);
		lab_done(&lab);
	}
}
END_TEST

START_TEST(no_relayed_address)
{
	Lab lab;
	lab_init(&lab);
	lab.server.no_relayed = true;
	lab_start(&lab);
	expect_failure(&lab, WICE_TURN_PROTOCOL);
	lab_done(&lab);
}
END_TEST

START_TEST(mobility_that_is_forbidden)
{
	Lab lab;
	lab_init(&lab);
	lab.options.mobility = true;
	lab.server.mobility_error = WICE_STUN_ERROR_MOBILITY_FORBIDDEN;
	lab_allocate(&lab);
	ck_assert(!wice__turn_client_moved(lab.client, lab.now));
	lab_done(&lab);
}
END_TEST

START_TEST(newer_credentials_while_starting)
{
	Lab lab;
	lab_init(&lab);
	lab.options.password = "old";
	lab_start(&lab);
	uint16_t channel = lab_bind(&lab, WICE_FAMILY_IPV4, 7);
	lab_run(&lab, LAB_RTT_MS);
	wice__turn_client_set_credentials(lab.client, "nobody", "nothing");
	wice__turn_client_set_credentials(lab.client, "user", "password");
	lab_run(&lab, 3 * LAB_RTT_MS);
	ck_assert(wice__turn_client_is_bound(lab.client, channel));
	lab_done(&lab);
}
END_TEST

SUITE_MAIN("turn client start", data_may_leave_after_two_round_trips, server_without_credentials,
	   credentials_of_all_kinds, challenges_that_make_no_sense, nonce_that_is_always_stale,
	   wrong_and_missing_credentials, errors_say_what_to_do, another_server, families,
	   peers_of_a_family_that_is_not_there, allocation_of_a_former_client, mismatch_that_lasts,
	   silence_on_udp, repeated_requests_tell_no_time, silence_on_a_stream, stream_that_ends,
	   answers_that_nobody_has_sealed, answers_with_unknown_parts, no_relayed_address,
	   mobility_that_is_forbidden, newer_credentials_while_starting)
