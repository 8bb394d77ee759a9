/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ice/guess.h"
#include "ice/priority.h"
#include "ice/remote.h"
#include "suite.h"

#include <glib.h>
#include <string.h>

#define ROOM 8

/* "host 192.0.2.1:5, srflx 198.51.100.1:7". Foundations and priorities are those of real ones. */
static size_t parse(const char *text, WiceCandidate *ret)
{
	char **parts = g_strsplit(text, ", ", -1);
	size_t n = 0;
	for (; parts[n] && *parts[n]; n++) {
		char **words = g_strsplit(parts[n], " ", 2);
		ret[n] = (WiceCandidate){ .type = WICE_CANDIDATE_HOST };
		while (strcmp(words[0], wice_candidate_type_name(ret[n].type)) != 0)
			ret[n].type++;
		ret[n].priority = wice__ice_priority(ret[n].type, (uint16_t)(1000 - n));
		ck_assert_msg(wice_endpoint_parse(words[1], &ret[n].endpoint), "%s", words[1]);
		g_snprintf(ret[n].foundation, sizeof ret[n].foundation, "%zu", n + 1);
		g_strfreev(words);
	}
	g_strfreev(parts);
	return n;
}

static char *format(const WiceCandidate *candidates, size_t n)
{
	GString *text = g_string_new(NULL);
	for (size_t i = 0; i < n; i++) {
		char one[WICE_ENDPOINT_SIZE];
		ck_assert_int_eq(candidates[i].type, WICE_CANDIDATE_SERVER_REFLEXIVE);
		ck_assert_int_eq(candidates[i].related.address.family, WICE_FAMILY_NONE);
		g_string_append_printf(text, "%s%s", i ? " " : "",
				       wice_endpoint_format(&candidates[i].endpoint, one));
	}
	return g_string_free(text, FALSE);
}

/* What every list of guesses must be, whatever it was made from. */
static void check(const WiceCandidate *candidates, size_t n, const WiceCandidate *guesses,
		  size_t n_g)
{
	uint32_t above = INT32_MAX;
	for (size_t i = 0; i < n; i++)
		above = MIN(above, candidates[i].priority);
	for (size_t i = 0; i < n_g; i++) {
		ck_assert(wice__ice_remote_accepts(&guesses[i], true));
		ck_assert_uint_ge(guesses[i].priority, 1);
		ck_assert(guesses[i].priority < above || guesses[i].priority == 1);
		above = guesses[i].priority;
		for (size_t k = 0; k < n; k++) {
			ck_assert_str_ne(guesses[i].foundation, candidates[k].foundation);
			ck_assert_int_ne(wice_endpoint_compare(&guesses[i].endpoint,
							       &candidates[k].endpoint),
					 0);
		}
		for (size_t k = 0; k < i; k++) {
			ck_assert_str_ne(guesses[i].foundation, guesses[k].foundation);
			ck_assert_int_ne(
				wice_endpoint_compare(&guesses[i].endpoint, &guesses[k].endpoint),
				0);
		}
	}
}

static const struct {
	const char *candidates;
	const char *before;
	const char *guesses;
} cases[] = {
	{ "", NULL, "" },
	{ "", "192.0.2.1:5", "192.0.2.1:5" },
	{ "", "[2001:db8::1]:5", "[2001:db8::1]:5" },
	{ "host 10.0.0.1:5", NULL, "" },
	{ "srflx 192.0.2.1:7", NULL, "" },
	{ "host 10.0.0.1:5, srflx 192.0.2.1:7", NULL, "192.0.2.1:5" },
	{ "srflx 192.0.2.1:7, host 10.0.0.1:5", NULL, "192.0.2.1:5" },
	{ "host 10.0.0.1:5, srflx 192.0.2.1:7", "198.51.100.1:9", "192.0.2.1:5 198.51.100.1:9" },
	/* What is known already. */
	{ "host 10.0.0.1:5, srflx 192.0.2.1:5", "10.0.0.1:5", "" },
	{ "host 10.0.0.1:5, srflx 192.0.2.1:7", "192.0.2.1:5", "192.0.2.1:5" },
	{ "host 10.0.0.1:5, host 10.0.1.1:5, srflx 192.0.2.1:7", NULL, "192.0.2.1:5" },
	{ "host 10.0.0.1:5, host 10.0.1.1:6, srflx 192.0.2.1:5", NULL, "192.0.2.1:6" },
	/* Each with each, of one family. */
	{ "host 10.0.0.1:5, host 10.0.1.1:6, srflx 192.0.2.1:7, srflx 192.0.2.2:8", NULL,
	  "192.0.2.1:5 192.0.2.1:6 192.0.2.2:5 192.0.2.2:6" },
	{ "host [fd00::1]:5, srflx 192.0.2.1:7", NULL, "" },
	{ "host [fd00::1]:5, host 10.0.0.1:6, srflx 192.0.2.1:7, srflx [2001:db8::1]:8", NULL,
	  "192.0.2.1:6 [2001:db8::1]:5" },
	/* Relays and what is learned from checks have ports of their own. */
	{ "host 10.0.0.1:5, relay 192.0.2.1:7", NULL, "" },
	{ "relay 10.0.0.1:5, srflx 192.0.2.1:7", NULL, "" },
	{ "host 10.0.0.1:5, prflx 192.0.2.1:7", NULL, "" },
	/* What nobody can be reached at. */
	{ "host 10.0.0.1:0, srflx 192.0.2.1:7", "192.0.2.1:0", "" },
	{ "host 10.0.0.1:5, srflx 224.0.0.1:7", "239.0.0.1:9", "" },
	{ "host 10.0.0.1:5, srflx 255.255.255.255:7", "0.0.0.0:9", "" },
	{ "host [fe80::1]:5, srflx [fe80::2]:7", "[fe80::3%4]:9", "" },
	{ "host [fd00::1]:5, srflx [ff02::1]:7", "[::]:9", "" },
	/* A scope makes no other address. */
	{ "host [2001:db8::1]:9", "[2001:db8::1]:9", "" },
};

START_TEST(guesses_are_made_from_what_is_known)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		WiceCandidate candidates[ROOM], guesses[ROOM];
		WiceEndpoint before = { .port = 0 };
		size_t n = parse(cases[i].candidates, candidates);
		ck_assert(!cases[i].before || wice_endpoint_parse(cases[i].before, &before));
		size_t n_guesses = wice__ice_guess(candidates, n, &before, guesses, ROOM);
		char *text = format(guesses, n_guesses);
		ck_assert_msg(strcmp(text, cases[i].guesses) == 0, "%s + %s: %s",
			      cases[i].candidates, cases[i].before, text);
		g_free(text);
		check(candidates, n, guesses, n_guesses);
	}
}
END_TEST

START_TEST(an_endpoint_need_not_have_been)
{
	WiceCandidate candidates[ROOM], guesses[ROOM];
	size_t n = parse("host 10.0.0.1:5, srflx 192.0.2.1:7", candidates);
	ck_assert_uint_eq(wice__ice_guess(candidates, n, NULL, guesses, ROOM), 1);
}
END_TEST

START_TEST(there_are_at_most_max_and_room_for_the_endpoint_before)
{
	WiceCandidate candidates[ROOM], guesses[ROOM];
	WiceEndpoint before;
	ck_assert(wice_endpoint_parse("203.0.113.1:9", &before));
	size_t n = parse("host 10.0.0.1:1, host 10.0.0.1:2, host 10.0.0.1:3, "
			 "srflx 192.0.2.1:7, srflx 192.0.2.2:7, srflx 192.0.2.3:7",
			 candidates);
	for (size_t max = 0; max <= ROOM; max++) {
		memset(guesses, 0xee, sizeof guesses);
		ck_assert_uint_eq(wice__ice_guess(candidates, n, &before, guesses, max), max);
		check(candidates, n, guesses, max);
		if (max > 0)
			ck_assert_int_eq(wice_endpoint_compare(&guesses[max - 1].endpoint, &before),
					 0);
		for (size_t i = max; i < ROOM; i++)
			ck_assert_uint_eq(guesses[i].priority, 0xeeeeeeee);
	}
}
END_TEST

START_TEST(priorities_stay_in_their_range)
{
	static const uint32_t hostile[] = { 0, 1, 2, 3, INT32_MAX, UINT32_MAX };
	for (size_t i = 0; i < G_N_ELEMENTS(hostile); i++) {
		WiceCandidate candidates[ROOM], guesses[ROOM];
		size_t n = parse("host 10.0.0.1:1, host 10.0.0.1:2, host 10.0.0.1:3, "
				 "srflx 192.0.2.1:7",
				 candidates);
		for (size_t k = 0; k < n; k++)
			candidates[k].priority = hostile[i];
		size_t n_guesses = wice__ice_guess(candidates, n, NULL, guesses, ROOM);
		ck_assert_uint_eq(n_guesses, 3);
		check(candidates, n, guesses, n_guesses);
	}
}
END_TEST

START_TEST(foundations_are_not_those_of_the_peer)
{
	WiceCandidate candidates[ROOM], guesses[ROOM];
	size_t n = parse("host 10.0.0.1:1, host 10.0.0.1:2, srflx 192.0.2.1:7", candidates);
	g_strlcpy(candidates[0].foundation, "guess1", WICE_FOUNDATION_SIZE);
	g_strlcpy(candidates[2].foundation, "guess2", WICE_FOUNDATION_SIZE);
	/* One that does not end. */
	memset(candidates[1].foundation, 'g', WICE_FOUNDATION_SIZE);
	ck_assert_uint_eq(wice__ice_guess(candidates, n, NULL, guesses, ROOM), 2);
	candidates[1].foundation[WICE_FOUNDATION_SIZE - 1] = '\0';
	check(candidates, n, guesses, 2);
}
END_TEST

SUITE_MAIN("ice guess", guesses_are_made_from_what_is_known, an_endpoint_need_not_have_been,
	   there_are_at_most_max_and_room_for_the_endpoint_before, priorities_stay_in_their_range,
	   foundations_are_not_those_of_the_peer)
