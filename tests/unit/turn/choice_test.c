/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <glib.h>

#include "turn/choice.h"

#define MS 1000
#define LATER 600000 /* ms: a calm time has passed */

static WiceRelayChoice choice;

/* Allocations of one end (its letter) at some relays. */
static WiceRelayOffer offer(char end, unsigned relay, uint32_t rtt_ms, uint32_t loss)
{
	return (WiceRelayOffer){
		.server = { { .family = WICE_FAMILY_IPV4, .bytes = { 192, 0, 2, (uint8_t)relay } },
			    3478 },
		.relayed = { { .family = WICE_FAMILY_IPV4, .bytes = { 192, 0, 2, (uint8_t)relay } },
			     (uint16_t)(50000 + end) },
		.rtt_us = rtt_ms * MS,
		.loss_permille = loss,
	};
}

static bool choose(const WiceRelayOffer *ours, size_t n_ours, const WiceRelayOffer *theirs,
		   size_t n_theirs, int64_t now_ms)
{
	return wice__relay_choose(&choice, true, ours, n_ours, theirs, n_theirs, now_ms);
}

static unsigned used(void)
{
	ck_assert(choice.has);
	return choice.ours.server.address.bytes[3] * 10u + choice.theirs.server.address.bytes[3];
}

START_TEST(costs)
{
	static const struct {
		uint32_t rtt_us, loss, cost_us;
	} cases[] = {
		{ 20000, 0, 20000 },       { 20000, 10, 30000 },         { 0, 0, 100000 },
		{ 20000, 1000, 10000000 }, { UINT32_MAX, 999, 5999000 }, { 1, 2000, 10000000 },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		ck_assert_uint_eq(wice__choice_cost_us(cases[i].rtt_us, cases[i].loss),
				  cases[i].cost_us);
}
END_TEST

START_TEST(the_cheapest_pair_is_the_first_one)
{
	WiceRelayOffer ours[] = { offer('a', 1, 50, 0), offer('a', 2, 10, 0) };
	WiceRelayOffer theirs[] = { offer('b', 1, 10, 0), offer('b', 2, 52, 0) };
	wice__relay_choice_init(&choice);
	ck_assert(choose(ours, 2, theirs, 2, 0));
	/* Two relays cost 10 ms more than one. */
	ck_assert_uint_eq(used(), 21);
	ck_assert_uint_eq(choice.cost_us, 30 * MS);
	ck_assert(!choose(ours, 2, theirs, 2, 1));
}
END_TEST

START_TEST(nothing_is_chosen_of_nothing_and_of_other_families)
{
	WiceRelayOffer ours = offer('a', 1, 50, 0), theirs = offer('b', 1, 10, 0);
	wice__relay_choice_init(&choice);
	ck_assert(!choose(&ours, 1, NULL, 0, 0));
	ck_assert(!choice.has);
	theirs.relayed.address.family = WICE_FAMILY_IPV6;
	ck_assert(!choose(&ours, 1, &theirs, 1, 0));
	theirs.relayed.address.family = WICE_FAMILY_IPV4;
	ck_assert(choose(&ours, 1, &theirs, 1, 0));
	ck_assert(choose(&ours, 1, NULL, 0, 0));
	ck_assert(!choice.has);
	ck_assert_int_eq(wice__relay_choice_deadline(&choice), INT64_MAX);
}
END_TEST

START_TEST(both_ends_break_ties_alike)
{
	WiceRelayOffer a[] = { offer('a', 2, 20, 0), offer('a', 1, 20, 0) };
	WiceRelayOffer b[] = { offer('b', 1, 20, 0), offer('b', 2, 20, 0) };
	wice__relay_choice_init(&choice);
	ck_assert(wice__relay_choose(&choice, true, a, 2, b, 2, 0));
	unsigned first = used();
	wice__relay_choice_init(&choice);
	ck_assert(wice__relay_choose(&choice, false, b, 2, a, 2, 0));
	ck_assert_uint_eq(first, 11);
	ck_assert_uint_eq(used(), 11);
}
END_TEST

/* From relay 1, after a calm time, to relay 2: after so many ms, INT64_MAX: never. */
static int64_t leaves_after(uint32_t rtt_ms, uint32_t loss, uint32_t other_rtt_ms)
{
	WiceRelayOffer ours[] = { offer('a', 1, 20, 0), offer('a', 2, other_rtt_ms, 0) };
	WiceRelayOffer theirs[] = { offer('b', 1, 20, 0), offer('b', 2, other_rtt_ms, 0) };
	wice__relay_choice_init(&choice);
	ck_assert(choose(ours, 1, theirs, 1, -LATER));
	ours[0] = offer('a', 1, rtt_ms, loss);
	for (int64_t now = 0; now < 100000; now += 100)
		if (choose(ours, 2, theirs, 2, now)) {
			ck_assert_uint_eq(used() / 10, 2);
			return now;
		}
	return INT64_MAX;
}

START_TEST(what_is_bad_is_left_and_what_is_a_bit_worse_is_not)
{
	static const struct {
		uint32_t rtt_ms, loss, other_rtt_ms;
		int64_t after_ms;
	} cases[] = {
		{ 20, 1000, 80, 0 },        { 220, 0, 60, 1500 },     { 20, 200, 50, 1500 },
		{ 60, 0, 30, 10000 },       { 29, 0, 20, INT64_MAX }, /* less than 10 ms */
		{ 200, 0, 170, INT64_MAX },                           /* less than a fifth */
		{ 20, 9, 20, INT64_MAX },   { 20, 0, 20, INT64_MAX },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		ck_assert_int_eq(
			leaves_after(cases[i].rtt_ms, cases[i].loss, cases[i].other_rtt_ms),
			cases[i].after_ms);
}
END_TEST

START_TEST(a_break_begins_the_wait_anew)
{
	WiceRelayOffer ours[] = { offer('a', 1, 60, 0), offer('a', 2, 60, 0) };
	WiceRelayOffer theirs[] = { offer('b', 1, 20, 0), offer('b', 2, 20, 0) };
	wice__relay_choice_init(&choice);
	choose(ours, 1, theirs, 1, -LATER);
	ours[1].rtt_us = 10 * MS;
	ck_assert(!choose(ours, 2, theirs, 2, 0));
	ck_assert_int_eq(wice__relay_choice_deadline(&choice), 10000);
	ours[1].rtt_us = 60 * MS;
	ck_assert(!choose(ours, 2, theirs, 2, 9000));
	ck_assert_int_eq(wice__relay_choice_deadline(&choice), INT64_MAX);
	ours[1].rtt_us = 10 * MS;
	ck_assert(!choose(ours, 2, theirs, 2, 9100));
	ck_assert(!choose(ours, 2, theirs, 2, 19000));
	ck_assert(choose(ours, 2, theirs, 2, 19100));
}
END_TEST

START_TEST(what_is_a_bit_better_takes_over_once_in_ten_minutes)
{
	WiceRelayOffer ours[] = { offer('a', 1, 60, 0), offer('a', 2, 20, 0) };
	WiceRelayOffer theirs[] = { offer('b', 1, 20, 0), offer('b', 2, 20, 0) };
	wice__relay_choice_init(&choice);
	choose(ours, 1, theirs, 1, -LATER);
	ck_assert(!choose(ours, 2, theirs, 2, 0));
	ck_assert(choose(ours, 2, theirs, 2, 10000));
	ours[1].rtt_us = 100 * MS;
	ck_assert(!choose(ours, 2, theirs, 2, 20000));
	ck_assert_int_eq(wice__relay_choice_deadline(&choice), 610000);
	ck_assert(!choose(ours, 2, theirs, 2, 609999));
	ck_assert(choose(ours, 2, theirs, 2, 610000));
	/* But what is bad is left at any time. */
	ours[0].loss_permille = 1000;
	ck_assert(choose(ours, 2, theirs, 2, 610001));
}
END_TEST

START_TEST(an_offer_that_is_gone_is_left_at_once)
{
	WiceRelayOffer ours[] = { offer('a', 1, 20, 0), offer('a', 2, 90, 0) };
	WiceRelayOffer theirs[] = { offer('b', 1, 20, 0), offer('b', 2, 90, 0) };
	wice__relay_choice_init(&choice);
	ck_assert(choose(ours, 2, theirs, 2, 0));
	ck_assert(choose(ours, 2, &theirs[1], 1, 1));
	ck_assert_uint_eq(used() % 10, 2);
	/* The same relay with another address is another one. */
	theirs[1].relayed.port++;
	ck_assert(choose(ours, 2, &theirs[1], 1, 2));
	ck_assert_uint_eq(choice.theirs.relayed.port, theirs[1].relayed.port);
}
END_TEST

START_TEST(the_second_end_follows_the_first)
{
	WiceRelayOffer ours[] = { offer('b', 1, 20, 0), offer('b', 2, 40, 0) };
	WiceRelayOffer theirs[] = { offer('a', 1, 20, 0), offer('a', 2, 40, 0) };
	WiceEndpoint none = { 0 };
	wice__relay_choice_init(&choice);
	ck_assert(wice__relay_choose(&choice, false, ours, 2, theirs, 2, 0));
	ck_assert_uint_eq(used(), 11);
	wice__relay_choice_follow(&choice, &ours[1].relayed, &theirs[0].relayed);
	ck_assert(wice__relay_choose(&choice, false, ours, 2, theirs, 2, 1));
	ck_assert_uint_eq(used(), 21);
	ck_assert(!wice__relay_choose(&choice, false, ours, 2, theirs, 2, LATER));
	/* Not to where it knows that nothing comes through, and not to what it does not know. */
	ours[1].loss_permille = 1000;
	ck_assert(wice__relay_choose(&choice, false, ours, 2, theirs, 2, LATER + 1));
	ck_assert_uint_eq(used(), 11);
	ours[1].loss_permille = 0;
	wice__relay_choice_follow(&choice, &ours[1].relayed, &none);
	ck_assert(!wice__relay_choose(&choice, false, ours, 2, theirs, 2, LATER + 2));
	/* The first one follows nobody. */
	wice__relay_choice_follow(&choice, &ours[1].relayed, &theirs[1].relayed);
	ck_assert(!wice__relay_choose(&choice, true, ours, 2, theirs, 2, LATER + 3));
}
END_TEST

START_TEST(what_matters_is_told_soon)
{
	static const struct {
		uint32_t rtt_ms, loss, now_rtt_ms, now_loss;
		int64_t after_ms;
	} cases[] = {
		{ 20, 0, 20, 0, INT64_MAX }, { 20, 0, 24, 0, INT64_MAX },  { 20, 0, 26, 0, 5000 },
		{ 80, 0, 95, 0, INT64_MAX }, { 80, 0, 101, 0, 5000 },      { 20, 0, 220, 0, 500 },
		{ 20, 0, 20, 35, 5000 },     { 20, 0, 20, 30, INT64_MAX }, { 20, 0, 20, 90, 500 },
		{ 20, 0, 20, 1000, 0 },      { 20, 1000, 20, 500, 0 },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		WiceRelayOffer told = offer('a', 1, cases[i].rtt_ms, cases[i].loss);
		WiceRelayOffer now = offer('a', 1, cases[i].now_rtt_ms, cases[i].now_loss);
		ck_assert_int_eq(wice__relay_offer_tell_ms(&told, &now), cases[i].after_ms);
	}
}
END_TEST

SUITE_MAIN("choice", costs, the_cheapest_pair_is_the_first_one,
	   nothing_is_chosen_of_nothing_and_of_other_families, both_ends_break_ties_alike,
	   what_is_bad_is_left_and_what_is_a_bit_worse_is_not, a_break_begins_the_wait_anew,
	   what_is_a_bit_better_takes_over_once_in_ten_minutes,
	   an_offer_that_is_gone_is_left_at_once, the_second_end_follows_the_first,
	   what_matters_is_told_soon)
