/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Networks that lose, copy and swap packets, servers that are nasty, and very many channels. */
#include "client_lab.h"
#include "stun/attributes.h"
#include "suite.h"

#define HOUR_MS 3600000
#define BURST_MAX 66 /* ChannelBinds, and the allocation's request */
#define SEEDS 60

static void check_end(Lab *lab, unsigned *n_up)
{
	char reason[WICE_TURN_REASON_SIZE];
	WiceTurnState state = wice__turn_client_state(lab->client);
	ck_assert(state == WICE_TURN_ALLOCATED || state == WICE_TURN_FAILED);
	*n_up += state == WICE_TURN_ALLOCATED;
	if (state == WICE_TURN_FAILED)
		ck_assert_int_ne(wice__turn_client_failure(lab->client, reason), WICE_TURN_OK);
}

/* Each request takes 13 % of its chances at a loss of a half both ways: 0.75^7. */
START_TEST(networks_that_are_bad)
{
	static const struct {
		unsigned loss, copies;
		int delay_max;
		unsigned up_min; /* of SEEDS */
	} cases[] = {
		{ 0, 0, 10, SEEDS }, { 0, 300, 900, SEEDS }, { 100, 100, 200, SEEDS },
		{ 300, 0, 100, 50 }, { 500, 0, 100, 30 },    { 500, 300, 1500, 30 },
		{ 1000, 0, 10, 0 },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		unsigned n_up = 0;
		for (guint32 seed = 1; seed <= SEEDS; seed++) {
			Lab lab;
			lab_init(&lab);
			g_rand_set_seed(lab.rand, seed);
			lab.loss_permille = cases[i].loss;
			lab.copies_permille = cases[i].copies;
			lab.delay_max_ms = cases[i].delay_max;
			lab_start(&lab);
			for (unsigned n = 0; n < 5; n++)
				lab_bind(&lab, WICE_FAMILY_IPV4, n);
			lab_run(&lab, 4 * 60 * 1000);
			check_end(&lab, &n_up);
			ck_assert_uint_le(lab.n_sent, (5 + 7) * 2 * 7);
			lab_done(&lab);
		}
		ck_assert_uint_ge(n_up, cases[i].up_min);
		ck_assert(cases[i].loss < 1000 || n_up == 0);
	}
}
END_TEST

/* With a tenth lost, nothing lapses in a day. */
START_TEST(a_lossy_day)
{
	Lab lab;
	lab_init(&lab);
	lab.loss_permille = 100;
	lab.copies_permille = 50;
	lab.delay_max_ms = 300;
	lab_allocate(&lab);
	for (unsigned n = 0; n < 20; n++)
		lab_bind(&lab, WICE_FAMILY_IPV4, n);
	lab_run(&lab, 24 * HOUR_MS);
	ck_assert_int_eq(wice__turn_client_state(lab.client), WICE_TURN_ALLOCATED);
	ck_assert_uint_eq(lab.server.n_lapsed, 0);
	ck_assert_uint_eq(lab.server.allocations, 1);
	ck_assert_uint_eq(lab.n_events[WICE_TURN_EVENT_NOT_BOUND], 0);
	lab_done(&lab);
}
END_TEST

/* All channels that there are: bound within a second, kept for hours, never in a burst. */
START_TEST(thousands_of_channels)
{
	Lab lab;
	lab_init(&lab);
	lab_start(&lab);
	for (unsigned n = 0; n < WICE_TURN_MAX_CHANNELS; n++)
		lab_bind(&lab, WICE_FAMILY_IPV4, n);
	lab_run(&lab, 1000);
	ck_assert_uint_eq(lab.n_events[WICE_TURN_EVENT_BOUND], WICE_TURN_MAX_CHANNELS);
	lab_run(&lab, HOUR_MS);
	ck_assert_uint_eq(lab.server.n_lapsed, 0);
	ck_assert_uint_le(lab.burst_max, BURST_MAX);
	ck_assert_uint_le(lab.n_sent, (HOUR_MS / 220000 + 2) * WICE_TURN_MAX_CHANNELS);
	unsigned before = lab.n_sent;
	played_server_forget(&lab.server);
	ck_assert(lab_wait(&lab, WICE_TURN_EVENT_FAILED, HOUR_MS));
	ck_assert_uint_le(lab.n_sent - before, 1000);
	lab_done(&lab);
}
END_TEST

/* A bad network, and a stale nonce, for all of them at once. */
START_TEST(thousands_of_channels_lossy)
{
	Lab lab;
	lab_init(&lab);
	lab_allocate(&lab);
	lab.loss_permille = 100;
	for (unsigned n = 0; n < 2000; n++)
		lab_bind(&lab, WICE_FAMILY_IPV4, n);
	lab_run(&lab, 100);
	lab.server.nonce++;
	lab_run(&lab, 60000);
	ck_assert_uint_eq(lab.n_events[WICE_TURN_EVENT_BOUND], 2000);
	ck_assert_uint_le(lab.burst_max, BURST_MAX);
	ck_assert_uint_le(lab.n_sent, 2 * 2000 * 2);
	lab_done(&lab);
}
END_TEST

/* Whatever a server answers, always, to a method: an hour of it costs few packets. */
START_TEST(no_answer_makes_a_storm)
{
	static const uint16_t codes[] = { 300, 400, 401, 403, 405, 420, 437, 438,
					  440, 441, 442, 443, 486, 500, 508, 699 };
	static const uint16_t methods[] = { WICE_STUN_ALLOCATE, WICE_STUN_REFRESH,
					    WICE_STUN_CHANNEL_BIND };
	for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
		for (size_t m = 0; m < G_N_ELEMENTS(methods); m++) {
			Lab lab;
			lab_init(&lab);
			lab.options.want_ipv6 = lab.options.mobility = true;
			lab.server.error[methods[m]] = codes[i];
			lab_start(&lab);
			for (unsigned n = 0; n < 10; n++)
				lab_bind(&lab, WICE_FAMILY_IPV4, n);
			lab_run(&lab, HOUR_MS);
			/* 10 channels are kept with 17 each, the allocation with 7 */
			ck_assert_uint_le(lab.n_sent, 10 * 18 + 7 + 10);
			if (methods[m] == WICE_STUN_ALLOCATE)
				ck_assert_int_eq(wice__turn_client_state(lab.client),
						 WICE_TURN_FAILED);
			lab_done(&lab);
		}
	}
}
END_TEST

/* After a suspend of a day everything is due at once. */
START_TEST(suspend)
{
	Lab lab;
	lab_init(&lab);
	lab_allocate(&lab);
	for (unsigned n = 0; n < 1000; n++)
		lab_bind(&lab, WICE_FAMILY_IPV4, n);
	lab_run(&lab, 60000);
	unsigned before = lab.n_sent;
	lab.now += 24 * HOUR_MS;
	ck_assert(lab_wait(&lab, WICE_TURN_EVENT_FAILED, 10 * LAB_RTT_MS));
	ck_assert_int_eq(wice__turn_client_failure(lab.client, NULL), WICE_TURN_MISMATCH);
	ck_assert_uint_le(lab.n_sent - before, 1000);
	lab_done(&lab);
}
END_TEST

SUITE_MAIN("turn client loss", networks_that_are_bad, a_lossy_day, thousands_of_channels,
	   thousands_of_channels_lossy, no_answer_makes_a_storm, suspend)
