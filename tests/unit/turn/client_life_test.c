/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* What keeps an allocation and its channels, and how they end. */
#include <errno.h>
#include <string.h>

#include "client_lab.h"
#include "stun/attributes.h"
#include "stun/channel_data.h"
#include "suite.h"

#define MINUTE_MS 60000
#define HOUR_MS 3600000

static void start(Lab *lab)
{
	lab_init(lab);
	lab_allocate(lab);
}

/* For a day, with few packets: a Refresh each 9 minutes, a ChannelBind each 4 for each channel. */
START_TEST(all_is_kept_for_a_day)
{
	Lab lab;
	uint16_t channels[10];
	start(&lab);
	for (unsigned i = 0; i < G_N_ELEMENTS(channels); i++)
		channels[i] = lab_bind(&lab, WICE_FAMILY_IPV4, i);
	lab_run(&lab, 10 * LAB_RTT_MS);
	for (int64_t end = lab.now + 24 * HOUR_MS; lab.now < end; lab_run(&lab, MINUTE_MS))
		for (unsigned i = 0; i < G_N_ELEMENTS(channels); i++)
			ck_assert(played_server_relays(&lab.server, channels[i], lab.now));
	ck_assert_uint_eq(lab.server.n_lapsed, 0);
	ck_assert_uint_eq(lab.server.allocations, 1);
	ck_assert_uint_eq(lab.n_events[WICE_TURN_EVENT_BOUND], G_N_ELEMENTS(channels));
	ck_assert_uint_le(lab.server.n_requests[WICE_STUN_REFRESH], 24 * 60 / 9 + 1);
	ck_assert_uint_le(lab.server.n_requests[WICE_STUN_CHANNEL_BIND],
			  G_N_ELEMENTS(channels) * 24 * 60 * 60 / 220 + 10);
	lab_done(&lab);
}
END_TEST

START_TEST(lifetimes_of_all_sizes)
{
	static const struct {
		uint32_t lifetime_s;
		unsigned refreshes_per_hour; /* at most */
		bool kept;
	} cases[] = {
		{ 600, 7, true },  { 120, 60, true },       { 30, 180, true },
		{ 1, 180, false }, { UINT32_MAX, 2, true }, { 86400, 2, true },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		Lab lab;
		lab_init(&lab);
		lab.server.lifetime_s = cases[i].lifetime_s;
		lab_allocate(&lab);
		lab_run(&lab, HOUR_MS);
		ck_assert_uint_le(lab.server.n_requests[WICE_STUN_REFRESH],
				  cases[i].refreshes_per_hour);
		ck_assert_int_eq(wice__turn_client_state(lab.client) == WICE_TURN_ALLOCATED,
				 cases[i].kept);
		lab_done(&lab);
	}
}
END_TEST

START_TEST(nonce_that_becomes_stale)
{
	Lab lab;
	start(&lab);
	uint16_t channel = lab_bind(&lab, WICE_FAMILY_IPV4, 7);
	for (int i = 0; i < 60; i++) {
		lab_run(&lab, MINUTE_MS);
		lab.server.nonce++;
		ck_assert(played_server_relays(&lab.server, channel, lab.now));
	}
	ck_assert_uint_eq(lab.server.n_lapsed, 0);
	ck_assert_int_eq(wice__turn_client_state(lab.client), WICE_TURN_ALLOCATED);
	lab_done(&lab);
}
END_TEST

/* A restarted server says so to the first that asks, and that ends it. */
START_TEST(server_that_has_forgotten)
{
	Lab lab;
	start(&lab);
	for (unsigned i = 0; i < 100; i++)
		lab_bind(&lab, WICE_FAMILY_IPV4, i);
	lab_run(&lab, MINUTE_MS);
	played_server_forget(&lab.server);
	ck_assert(lab_wait(&lab, WICE_TURN_EVENT_FAILED, 4 * MINUTE_MS));
	ck_assert_int_eq(wice__turn_client_failure(lab.client, NULL), WICE_TURN_MISMATCH);
	ck_assert_uint_eq(lab.n_events[WICE_TURN_EVENT_NOT_BOUND], 0);
	lab_done(&lab);
}
END_TEST

START_TEST(check_asks_at_once)
{
	Lab lab;
	start(&lab);
	wice__turn_client_check(lab.client, lab.now);
	wice__turn_client_check(lab.client, lab.now);
	lab_run(&lab, 2 * LAB_RTT_MS);
	ck_assert_uint_eq(lab.server.n_requests[WICE_STUN_REFRESH], 1);
	ck_assert_int_eq(wice__turn_client_state(lab.client), WICE_TURN_ALLOCATED);
	played_server_forget(&lab.server);
	wice__turn_client_check(lab.client, lab.now);
	ck_assert(lab_wait(&lab, WICE_TURN_EVENT_FAILED, 3 * LAB_RTT_MS));
	lab_done(&lab);
}
END_TEST

/* A ChannelBind that the server refuses as if there were no allocation, although there is. */
START_TEST(doubts_are_cleared_up)
{
	static const uint16_t codes[] = { WICE_STUN_ERROR_ALLOCATION_MISMATCH,
					  WICE_STUN_ERROR_BAD_REQUEST };
	for (size_t i = 0; i < 2 * G_N_ELEMENTS(codes); i++) {
		unsigned n_errors = 1 + i % 2;
		Lab lab;
		start(&lab);
		lab.server.error[WICE_STUN_CHANNEL_BIND] = codes[i / 2];
		lab.server.n_errors[WICE_STUN_CHANNEL_BIND] = n_errors;
		uint16_t channel = lab_bind(&lab, WICE_FAMILY_IPV4, 7);
		lab_run(&lab, 5 * LAB_RTT_MS);
		ck_assert_int_eq(wice__turn_client_is_bound(lab.client, channel), n_errors == 1);
		ck_assert_uint_eq(lab.n_events[WICE_TURN_EVENT_NOT_BOUND], n_errors == 2);
		ck_assert_uint_eq(lab.server.n_requests[WICE_STUN_REFRESH], 1);
		ck_assert_uint_eq(lab.server.n_requests[WICE_STUN_CHANNEL_BIND], 2);
		lab_done(&lab);
	}
}
END_TEST

/*
 * An outage that takes longer than a request: what is bound stays so if the server is back in time.
 */
START_TEST(outages)
{
	static const struct {
		int64_t ms;
		bool survives;
	} cases[] = { { 30000, true }, { 70000, true }, { 100000, false } };
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		Lab lab;
		start(&lab);
		uint16_t channel = lab_bind(&lab, WICE_FAMILY_IPV4, 7);
		lab_run(&lab, 219 * 1000);
		lab.server.silent = true;
		ck_assert_uint_eq(lab.server.n_requests[WICE_STUN_CHANNEL_BIND], 1);
		while (lab.server.n_requests[WICE_STUN_CHANNEL_BIND] == 1)
			lab_run(&lab, 10);
		lab_run(&lab, cases[i].ms);
		lab.server.silent = false;
		lab_run(&lab, MINUTE_MS);
		ck_assert_int_eq(wice__turn_client_is_bound(lab.client, channel) &&
					 played_server_relays(&lab.server, channel, lab.now),
				 cases[i].survives);
		ck_assert_uint_eq(lab.n_events[WICE_TURN_EVENT_NOT_BOUND], 0);
		ck_assert_uint_eq(lab.n_events[WICE_TURN_EVENT_FAILED], !cases[i].survives);
		lab_done(&lab);
	}
}
END_TEST

START_TEST(peer_that_is_refused)
{
	Lab lab;
	start(&lab);
	WiceEndpoint peer = played_peer(WICE_FAMILY_IPV4, 7);
	uint16_t channel, again;
	lab.server.refused_port = peer.port;
	ck_assert_int_eq(wice__turn_client_bind(lab.client, &peer, lab.now, &channel), 0);
	lab_run(&lab, HOUR_MS / 6);
	ck_assert_uint_eq(lab.n_events[WICE_TURN_EVENT_NOT_BOUND], 1);
	ck_assert_uint_eq(lab.last[WICE_TURN_EVENT_NOT_BOUND].channel, channel);
	ck_assert_uint_eq(lab.last[WICE_TURN_EVENT_NOT_BOUND].code, WICE_STUN_ERROR_FORBIDDEN);
	ck_assert_uint_eq(lab.server.n_requests[WICE_STUN_CHANNEL_BIND], 1);
	lab.server.refused_port = 0;
	ck_assert_int_eq(wice__turn_client_bind(lab.client, &peer, lab.now, &again), 0);
	ck_assert_uint_eq(again, channel);
	lab_run(&lab, 2 * LAB_RTT_MS);
	ck_assert(wice__turn_client_is_bound(lab.client, channel));
	lab_done(&lab);
}
END_TEST

static WiceTurnInput give_data(Lab *lab, uint16_t channel, size_t len)
{
	uint8_t packet[64] = { 0 };
	if (wice__channel_data_write(packet, channel, len) != 0)
		memset(packet, 0x50, WICE_CHANNEL_DATA_HEADER_LEN);
	return lab_input(lab, packet, WICE_CHANNEL_DATA_HEADER_LEN + len);
}

START_TEST(data_comes_by_channels_that_are_wanted)
{
	Lab lab;
	static const uint8_t wireguard[] = { 4, 0, 0, 0, 1, 2, 3, 4 };
	lab_init(&lab);
	lab_start(&lab);
	uint16_t channel = lab_bind(&lab, WICE_FAMILY_IPV4, 7);
	ck_assert_int_eq(give_data(&lab, channel, 8), WICE_TURN_INPUT_DATA);
	ck_assert_int_eq(give_data(&lab, channel, 0), WICE_TURN_INPUT_DATA);
	ck_assert_int_eq(give_data(&lab, channel ^ 1, 8), WICE_TURN_INPUT_NONE);
	ck_assert_int_eq(give_data(&lab, 0x5000, 8), WICE_TURN_INPUT_NONE);
	ck_assert_int_eq(lab_input(&lab, wireguard, sizeof wireguard), WICE_TURN_INPUT_NONE);
	ck_assert_int_eq(lab_input(&lab, "", 0), WICE_TURN_INPUT_NONE);
	ck_assert_int_eq(lab_input(&lab, "\x40", 1), WICE_TURN_INPUT_NONE);
	wice__turn_client_unbind(lab.client, channel, lab.now);
	ck_assert_int_eq(give_data(&lab, channel, 8), WICE_TURN_INPUT_NONE);
	lab_done(&lab);
}
END_TEST

START_TEST(unbound_channel_is_left_alone)
{
	Lab lab;
	start(&lab);
	uint16_t channel = lab_bind(&lab, WICE_FAMILY_IPV4, 7);
	lab_run(&lab, MINUTE_MS);
	wice__turn_client_unbind(lab.client, channel, lab.now);
	wice__turn_client_unbind(lab.client, channel, lab.now);
	wice__turn_client_unbind(lab.client, 0x4fff ^ channel, lab.now);
	ck_assert(!wice__turn_client_is_bound(lab.client, channel));
	lab_run(&lab, 14 * MINUTE_MS);
	ck_assert_uint_eq(lab.server.n_requests[WICE_STUN_CHANNEL_BIND], 1);
	ck_assert_uint_eq(lab_bind(&lab, WICE_FAMILY_IPV4, 7), channel);
	lab_run(&lab, 2 * LAB_RTT_MS);
	ck_assert(wice__turn_client_is_bound(lab.client, channel));
	lab_done(&lab);
}
END_TEST

/* The server aborts if a number comes to mean another peer too soon. */
START_TEST(numbers_rest_before_they_are_used_again)
{
	Lab lab;
	start(&lab);
	WiceEndpoint peer = played_peer(WICE_FAMILY_IPV4, 9999);
	uint16_t channel;
	for (unsigned i = 0; i < WICE_TURN_MAX_CHANNELS; i++)
		lab_bind(&lab, WICE_FAMILY_IPV4, i);
	ck_assert_int_eq(wice__turn_client_bind(lab.client, &peer, lab.now, &channel), -ENOSPC);
	lab_run(&lab, 2000);
	ck_assert_uint_eq(lab.n_events[WICE_TURN_EVENT_BOUND], WICE_TURN_MAX_CHANNELS);
	for (uint16_t i = 0; i < WICE_TURN_MAX_CHANNELS; i++)
		wice__turn_client_unbind(lab.client, WICE_CHANNEL_MIN + i, lab.now);
	lab_run(&lab, 15 * MINUTE_MS);
	ck_assert_int_eq(wice__turn_client_bind(lab.client, &peer, lab.now, &channel), -ENOSPC);
	lab_run(&lab, MINUTE_MS);
	ck_assert_int_eq(wice__turn_client_bind(lab.client, &peer, lab.now, &channel), 0);
	lab_run(&lab, 1000);
	ck_assert(wice__turn_client_is_bound(lab.client, channel));
	lab_done(&lab);
}
END_TEST

START_TEST(release)
{
	Lab lab;
	start(&lab);
	lab_bind(&lab, WICE_FAMILY_IPV4, 7);
	lab_run(&lab, MINUTE_MS);
	wice__turn_client_release(lab.client, lab.now);
	wice__turn_client_release(lab.client, lab.now);
	ck_assert(lab_wait(&lab, WICE_TURN_EVENT_RELEASED, 2 * LAB_RTT_MS));
	ck_assert_int_eq(wice__turn_client_state(lab.client), WICE_TURN_RELEASED);
	ck_assert(!lab.server.allocated);
	unsigned sent = lab.n_sent;
	lab_run(&lab, HOUR_MS);
	ck_assert_uint_eq(lab.n_sent, sent);
	lab_done(&lab);
}
END_TEST

START_TEST(release_whatever_happens)
{
	enum { SILENCE, STALE, FORGOTTEN, WHILE_STARTING, AT_THE_BEGINNING, WHILE_BINDING, N };
	for (int i = 0; i < N; i++) {
		Lab lab;
		lab_init(&lab);
		lab_start(&lab);
		if (i != AT_THE_BEGINNING)
			lab_run(&lab, i == WHILE_STARTING ? LAB_RTT_MS : 3 * LAB_RTT_MS);
		lab.server.silent = i == SILENCE;
		lab.server.nonce += i == STALE;
		if (i == FORGOTTEN)
			played_server_forget(&lab.server);
		for (unsigned n = 0; i == WHILE_BINDING && n < 1000; n++)
			lab_bind(&lab, WICE_FAMILY_IPV4, n);
		if (i == WHILE_BINDING)
			lab_run(&lab, 1);
		int64_t begin = lab.now;
		wice__turn_client_release(lab.client, lab.now);
		lab_run(&lab, HOUR_MS);
		ck_assert_int_eq(wice__turn_client_state(lab.client), WICE_TURN_RELEASED);
		ck_assert_uint_eq(lab.n_events[WICE_TURN_EVENT_RELEASED], 1);
		ck_assert_uint_eq(lab.n_events[WICE_TURN_EVENT_FAILED], 0);
		ck_assert_uint_eq(lab.n_events[WICE_TURN_EVENT_BOUND], 0);
		ck_assert_int_le(lab.at[WICE_TURN_EVENT_RELEASED] - begin, 2000);
		ck_assert_int_eq(lab.server.allocated, i == SILENCE);
		lab_done(&lab);
	}
}
END_TEST

START_TEST(nothing_works_after_the_end)
{
	Lab lab;
	WiceEndpoint peer = played_peer(WICE_FAMILY_IPV4, 7), relayed;
	uint16_t channel;
	start(&lab);
	uint16_t bound = lab_bind(&lab, WICE_FAMILY_IPV4, 8);
	wice__turn_client_closed(lab.client);
	ck_assert_int_eq(wice__turn_client_bind(lab.client, &peer, lab.now, &channel), -EINVAL);
	ck_assert(!wice__turn_client_moved(lab.client, lab.now));
	wice__turn_client_check(lab.client, lab.now);
	wice__turn_client_unbind(lab.client, bound, lab.now);
	wice__turn_client_release(lab.client, lab.now);
	ck_assert(!wice__turn_client_relayed(lab.client, WICE_FAMILY_IPV4, &relayed));
	ck_assert_int_eq(give_data(&lab, bound, 8), WICE_TURN_INPUT_NONE);
	unsigned sent = lab.n_sent;
	lab_run(&lab, HOUR_MS);
	ck_assert_uint_eq(lab.n_sent, sent);
	ck_assert_int_eq(wice__turn_client_state(lab.client), WICE_TURN_FAILED);
	lab_done(&lab);
}
END_TEST

/* RFC 8016: twice, and with a nonce that the server does not know any more. */
START_TEST(allocation_moves_along)
{
	Lab lab;
	lab_init(&lab);
	lab.options.mobility = true;
	lab.server.mobility = true;
	lab_allocate(&lab);
	uint16_t channel = lab_bind(&lab, WICE_FAMILY_IPV4, 7);
	lab_run(&lab, MINUTE_MS);
	for (unsigned i = 1; i <= 2; i++) {
		lab.tuple = i;
		lab.server.nonce++;
		ck_assert(wice__turn_client_moved(lab.client, lab.now));
		lab_run(&lab, 5 * MINUTE_MS);
		ck_assert_uint_eq(lab.server.tuple, i);
		ck_assert(played_server_relays(&lab.server, channel, lab.now));
	}
	ck_assert_uint_eq(lab.server.allocations, 1);
	lab_done(&lab);
}
END_TEST

START_TEST(what_cannot_move_is_lost)
{
	Lab lab;
	start(&lab);
	lab.tuple = 1;
	ck_assert(!wice__turn_client_moved(lab.client, lab.now));
	wice__turn_client_check(lab.client, lab.now);
	ck_assert(lab_wait(&lab, WICE_TURN_EVENT_FAILED, 3 * LAB_RTT_MS));
	ck_assert_int_eq(wice__turn_client_failure(lab.client, NULL), WICE_TURN_MISMATCH);
	lab_done(&lab);
}
END_TEST

/* The password changes first here, then there, or the other way round; nothing is lost. */
START_TEST(password_that_changes)
{
	for (int i = 0; i < 2; i++) {
		Lab lab;
		start(&lab);
		for (unsigned n = 0; n < 50; n++)
			lab_bind(&lab, WICE_FAMILY_IPV4, n);
		lab_run(&lab, 225 * 1000);
		if (i == 0)
			wice__turn_client_set_credentials(lab.client, "user", "new");
		else
			lab.now += 20000; /* all are due at once */
		if (i == 0)
			lab_run(&lab, MINUTE_MS);
		lab.server.password = "new";
		wice__turn_client_set_credentials(lab.client, "user", "new");
		lab_run(&lab, HOUR_MS);
		ck_assert_int_eq(wice__turn_client_state(lab.client), WICE_TURN_ALLOCATED);
		ck_assert_uint_eq(lab.server.n_lapsed, 0);
		ck_assert_uint_eq(lab.n_events[WICE_TURN_EVENT_NOT_BOUND], 0);
		lab_done(&lab);
	}
}
END_TEST

/* An allocation belongs to its name: newer ones are not used for it while the server is content. */
START_TEST(time_limited_names)
{
	Lab lab;
	start(&lab);
	lab_bind(&lab, WICE_FAMILY_IPV4, 7);
	wice__turn_client_set_credentials(lab.client, "later:user", "another");
	lab_run(&lab, HOUR_MS);
	ck_assert_int_eq(wice__turn_client_state(lab.client), WICE_TURN_ALLOCATED);
	lab.server.username = "later:user";
	lab.server.password = "another";
	ck_assert(lab_wait(&lab, WICE_TURN_EVENT_FAILED, HOUR_MS));
	ck_assert_int_eq(wice__turn_client_failure(lab.client, NULL), WICE_TURN_REFUSED);
	lab_done(&lab);
}
END_TEST

SUITE_MAIN("turn client life", all_is_kept_for_a_day, lifetimes_of_all_sizes,
	   nonce_that_becomes_stale, server_that_has_forgotten, check_asks_at_once,
	   doubts_are_cleared_up, outages, peer_that_is_refused,
	   data_comes_by_channels_that_are_wanted, unbound_channel_is_left_alone,
	   numbers_rest_before_they_are_used_again, release, release_whatever_happens,
	   nothing_works_after_the_end, allocation_moves_along, what_cannot_move_is_lost,
	   password_that_changes, time_limited_names)
