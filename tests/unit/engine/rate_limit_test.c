/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <glib.h>
#include <string.h>

#include "engine/rate_limit.h"

static const uint8_t hash_key[16] = "a hash's own key";
#define COST_MS (1000 / WICE_RATE_LIMIT_PER_SECOND)
#define FULL_MS (COST_MS * WICE_RATE_LIMIT_BURST)

static WiceAddress ipv4(uint32_t number)
{
	return (WiceAddress){ WICE_FAMILY_IPV4,
			      { (uint8_t)(number >> 24), (uint8_t)(number >> 16),
				(uint8_t)(number >> 8), (uint8_t)number } };
}

/* network: the first 64 bits; host: the last byte. */
static WiceAddress ipv6(uint64_t network, uint8_t host)
{
	WiceAddress address = { .family = WICE_FAMILY_IPV6 };
	for (int i = 0; i < 8; i++)
		address.bytes[i] = (uint8_t)(network >> (8 * (7 - i)));
	address.bytes[15] = host;
	return address;
}

static bool allow(WiceRateLimit *limit, WiceAddress address, int64_t now_ms)
{
	return wice__rate_limit_allow(limit, &address, now_ms);
}

/* What the kernel and FreeBSD check their own with; here the time is ours. */
static const struct {
	bool allowed;
	int wait_ms;
} course[] = {
	{ true, 0 },           { true, 0 },  { true, 0 },       { true, 0 },
	{ true, 0 },           { false, 0 }, { true, COST_MS }, { false, 0 },
	{ true, 2 * COST_MS }, { true, 0 },  { false, 0 },
};

START_TEST(an_address_gets_its_burst_and_then_its_rate)
{
	WiceRateLimit *limit = wice__rate_limit_new(hash_key);
	int64_t now_ms = 1000;
	for (uint32_t i = 0; i < G_N_ELEMENTS(course); i++) {
		now_ms += course[i].wait_ms;
		ck_assert_int_eq(allow(limit, ipv4(8182), now_ms), course[i].allowed);
		ck_assert(allow(limit, ipv4(8182 + i + 1), now_ms)); /* others do not suffer */
		/* one network is one address, whatever its hosts are called */
		ck_assert_int_eq(allow(limit, ipv6(1212, (uint8_t)i), now_ms), course[i].allowed);
		ck_assert(allow(limit, ipv6(1212 + i + 1, 0), now_ms));
	}
	wice__rate_limit_free(limit);
}
END_TEST

START_TEST(a_token_comes_not_a_millisecond_too_early)
{
	WiceRateLimit *limit = wice__rate_limit_new(hash_key);
	for (int i = 0; i < WICE_RATE_LIMIT_BURST; i++)
		ck_assert(allow(limit, ipv4(1), 0));
	for (int64_t now_ms = 0; now_ms < COST_MS; now_ms++)
		ck_assert(!allow(limit, ipv4(1), now_ms));
	ck_assert(allow(limit, ipv4(1), COST_MS));
	/* and what is saved is never more than the burst */
	for (int i = 0; i < WICE_RATE_LIMIT_BURST; i++)
		ck_assert(allow(limit, ipv4(1), INT64_C(1) << 50));
	ck_assert(!allow(limit, ipv4(1), INT64_C(1) << 50));
	wice__rate_limit_free(limit);
}
END_TEST

START_TEST(families_are_not_mixed_up)
{
	WiceRateLimit *limit = wice__rate_limit_new(hash_key);
	for (int i = 0; i < WICE_RATE_LIMIT_BURST; i++)
		ck_assert(allow(limit, ipv4(0x01020304), 0));
	ck_assert(!allow(limit, ipv4(0x01020304), 0));
	ck_assert(allow(limit, ipv6(UINT64_C(0x0102030400000000), 0), 0));
	wice__rate_limit_free(limit);
}
END_TEST

START_TEST(the_table_is_bounded)
{
	WiceRateLimit *limit = wice__rate_limit_new(hash_key);
	for (uint32_t i = 0; i < WICE_RATE_LIMIT_CAPACITY; i++)
		ck_assert(allow(limit, ipv4(i), 0));
	ck_assert(!allow(limit, ipv4(WICE_RATE_LIMIT_CAPACITY), 0));
	ck_assert(!allow(limit, ipv6(1, 1), 0));
	ck_assert(allow(limit, ipv4(5), 0)); /* who is in the table is served */
	/* without anybody's help there is room again after a second */
	ck_assert(allow(limit, ipv6(1, 1), 1000));
	ck_assert_uint_eq(wice__rate_limit_expire(limit, 1000), 1);
	wice__rate_limit_free(limit);
}
END_TEST

START_TEST(a_full_table_of_busy_addresses_stays_closed)
{
	WiceRateLimit *limit = wice__rate_limit_new(hash_key);
	for (int64_t now_ms = 0; now_ms < 5000; now_ms += COST_MS) {
		for (uint32_t i = 0; i < WICE_RATE_LIMIT_CAPACITY; i++)
			ck_assert(allow(limit, ipv4(i), now_ms));
		ck_assert(!allow(limit, ipv4(WICE_RATE_LIMIT_CAPACITY), now_ms));
	}
	wice__rate_limit_free(limit);
}
END_TEST

START_TEST(addresses_with_their_whole_burst_are_forgotten)
{
	WiceRateLimit *limit = wice__rate_limit_new(hash_key);
	ck_assert_uint_eq(wice__rate_limit_expire(limit, 0), 0);
	for (uint32_t i = 0; i < WICE_RATE_LIMIT_CAPACITY / 2; i++)
		ck_assert(allow(limit, ipv4(i), 0));
	for (int i = 1; i < WICE_RATE_LIMIT_BURST; i++)
		ck_assert(allow(limit, ipv4(7), 0));
	ck_assert_uint_eq(wice__rate_limit_expire(limit, COST_MS - 1),
			  WICE_RATE_LIMIT_CAPACITY / 2);
	ck_assert_uint_eq(wice__rate_limit_expire(limit, COST_MS), 1);
	ck_assert(allow(limit, ipv4(7), COST_MS));
	ck_assert(!allow(limit, ipv4(7), COST_MS)); /* it was not forgotten */
	ck_assert_uint_eq(wice__rate_limit_expire(limit, COST_MS + FULL_MS - 1), 1);
	ck_assert_uint_eq(wice__rate_limit_expire(limit, COST_MS + FULL_MS), 0);
	wice__rate_limit_free(limit);
}
END_TEST

START_TEST(a_clock_that_goes_back_gives_nothing_away)
{
	WiceRateLimit *limit = wice__rate_limit_new(hash_key);
	for (int i = 0; i < WICE_RATE_LIMIT_BURST; i++)
		ck_assert(allow(limit, ipv4(1), 10000));
	ck_assert(!allow(limit, ipv4(1), 9000));
	ck_assert(!allow(limit, ipv4(1), 9000 + COST_MS - 1));
	ck_assert(allow(limit, ipv4(1), 9000 + COST_MS));
	wice__rate_limit_free(limit);
}
END_TEST

/* Against buckets that are never moved, in a plain array. */
START_TEST(whatever_happens_the_answer_is_that_of_a_simple_array)
{
	enum { ADDRESSES = 300 };
	int64_t tokens[ADDRESSES], since[ADDRESSES] = { 0 }, now_ms = 0;
	WiceRateLimit *limit = wice__rate_limit_new(hash_key);
	g_autoptr(GRand) rand = g_rand_new_with_seed(4);
	for (int i = 0; i < ADDRESSES; i++)
		tokens[i] = FULL_MS;
	for (int step = 0; step < 200000; step++) {
		/* crowds and quiet times, so that the table grows and shrinks */
		int crowd = step / 10000 % 2 ? 5 : ADDRESSES;
		int i = g_rand_int_range(rand, 0, crowd);
		now_ms += g_rand_int_range(rand, 0, 100) == 0 ? g_rand_int_range(rand, 0, 100) : 0;
		if (g_rand_int_range(rand, 0, 1000) == 0)
			wice__rate_limit_expire(limit, now_ms);
		tokens[i] = MIN(tokens[i] + now_ms - since[i], FULL_MS);
		since[i] = now_ms;
		bool expected = tokens[i] >= COST_MS;
		tokens[i] -= expected ? COST_MS : 0;
		WiceAddress address = i % 2 ? ipv4((uint32_t)i) : ipv6((uint64_t)i, (uint8_t)step);
		ck_assert_int_eq(allow(limit, address, now_ms), expected);
	}
	wice__rate_limit_free(limit);
}
END_TEST

SUITE_MAIN("rate limit", an_address_gets_its_burst_and_then_its_rate,
	   a_token_comes_not_a_millisecond_too_early, families_are_not_mixed_up,
	   the_table_is_bounded, a_full_table_of_busy_addresses_stays_closed,
	   addresses_with_their_whole_burst_are_forgotten,
	   a_clock_that_goes_back_gives_nothing_away,
	   whatever_happens_the_answer_is_that_of_a_simple_array)
