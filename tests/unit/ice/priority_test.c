/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ice/ice.h"
#include "ice/priority.h"
#include "suite.h"

#include <string.h>

START_TEST(priorities_follow_the_formula)
{
	/* (2^24) * type + (2^8) * local + (256 - component), RFC 8445 section 5.1.2.1 */
	ck_assert_uint_eq(wice__ice_priority(WICE_CANDIDATE_HOST, 65535),
			  16777216u * 120 + 256u * 65535 + 255);
	ck_assert_uint_eq(wice__ice_priority(WICE_CANDIDATE_PEER_REFLEXIVE, 0),
			  16777216u * 110 + 255);
	ck_assert_uint_eq(wice__ice_priority(WICE_CANDIDATE_SERVER_REFLEXIVE, 1),
			  16777216u * 100 + 256 + 255);
	ck_assert_uint_eq(wice__ice_priority(WICE_CANDIDATE_RELAYED, 2),
			  16777216u * 30 + 512 + 255);
}
END_TEST

START_TEST(types_are_ordered_whatever_the_local_preference)
{
	static const WiceCandidateType order[] = { WICE_CANDIDATE_RELAYED,
						   WICE_CANDIDATE_SERVER_REFLEXIVE,
						   WICE_CANDIDATE_PEER_REFLEXIVE,
						   WICE_CANDIDATE_HOST };
	for (size_t i = 1; i < sizeof order / sizeof order[0]; i++)
		ck_assert_uint_lt(wice__ice_priority(order[i - 1], 65535),
				  wice__ice_priority(order[i], 0));
	ck_assert_uint_le(wice__ice_priority(WICE_CANDIDATE_HOST, 65535), INT32_MAX);
}
END_TEST

START_TEST(pair_priorities_follow_the_formula)
{
	/* 2^32 * MIN(G,D) + 2 * MAX(G,D) + (G > D ? 1 : 0), section 6.1.2.3 */
	ck_assert_uint_eq(wice__ice_pair_priority(3, 5), 3 * 4294967296u + 10);
	ck_assert_uint_eq(wice__ice_pair_priority(5, 3), 3 * 4294967296u + 11);
	ck_assert_uint_eq(wice__ice_pair_priority(5, 5), 5 * 4294967296u + 10);
	ck_assert_uint_eq(wice__ice_pair_priority(INT32_MAX, INT32_MAX),
			  INT32_MAX * 4294967296u + 2 * (uint64_t)INT32_MAX);
}
END_TEST

static WiceCandidate host(uint16_t local_preference, const char *foundation)
{
	WiceCandidate candidate = { .type = WICE_CANDIDATE_HOST };
	candidate.priority = wice__ice_priority(WICE_CANDIDATE_HOST, local_preference);
	ck_assert(wice_endpoint_parse("192.168.1.2:40000", &candidate.endpoint));
	g_strlcpy(candidate.foundation, foundation, sizeof candidate.foundation);
	return candidate;
}

START_TEST(a_server_reflexive_candidate_has_its_host_as_base)
{
	WiceCandidate base = host(8193, "1"), reflexive;
	WiceEndpoint mapped;
	ck_assert(wice_endpoint_parse("203.0.113.1:1234", &mapped));
	wice__ice_server_reflexive(&base, &mapped, &reflexive);
	ck_assert_int_eq(reflexive.type, WICE_CANDIDATE_SERVER_REFLEXIVE);
	ck_assert_int_eq(wice_endpoint_compare(&reflexive.endpoint, &mapped), 0);
	ck_assert_int_eq(wice_endpoint_compare(&reflexive.related, &base.endpoint), 0);
	ck_assert_uint_eq(reflexive.priority,
			  wice__ice_priority(WICE_CANDIDATE_SERVER_REFLEXIVE, 8193));
	ck_assert_str_ne(reflexive.foundation, base.foundation);
	ck_assert_str_eq(reflexive.foundation, "s1");
	WiceCandidate in_place = base;
	wice__ice_server_reflexive(&in_place, &mapped, &in_place);
	ck_assert_int_eq(wice_endpoint_compare(&in_place.related, &base.endpoint), 0);
}
END_TEST

START_TEST(server_reflexive_candidates_are_ordered_like_their_bases)
{
	WiceCandidate high = host(9000, "1"), low = host(8999, "2"), of_high, of_low;
	WiceEndpoint mapped = { 0 };
	wice__ice_server_reflexive(&high, &mapped, &of_high);
	wice__ice_server_reflexive(&low, &mapped, &of_low);
	ck_assert_uint_gt(of_high.priority, of_low.priority);
	ck_assert_uint_lt(of_high.priority, low.priority);
	ck_assert_str_ne(of_high.foundation, of_low.foundation);
}
END_TEST

START_TEST(the_longest_foundation_fits)
{
	char longest[WICE_FOUNDATION_SIZE];
	memset(longest, 'x', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	WiceCandidate base = host(1, longest), reflexive;
	WiceEndpoint mapped = { 0 };
	wice__ice_server_reflexive(&base, &mapped, &reflexive);
	ck_assert_uint_eq(strlen(reflexive.foundation), 32);
	ck_assert_int_eq(reflexive.foundation[0], 's');
}
END_TEST

/* The agents' own numbers are those of the formula, so ours sort among them. */
START_TEST(libnice_computes_the_same)
{
	static const WiceIceEvents events = { 0 };
	WiceAddress address;
	WiceIceOptions options = { .size = sizeof options,
				   .addresses = &address,
				   .n_addresses = 1 };
	ck_assert(wice_address_parse("127.0.0.1", &address));
	GMainContext *context = g_main_context_new();
	WiceIce *ice;
	WiceIceSocket own;
	WiceCandidate reflexive;
	ck_assert_int_eq(wice__ice_nice.open(context, &options, &events, NULL, &ice), 0);
	ck_assert_uint_eq(ice->ops->sockets(ice, &own, 1), 1);
	uint32_t priority = own.candidate.priority;
	ck_assert_uint_eq(wice__ice_priority(WICE_CANDIDATE_HOST, priority >> 8 & 0xffff),
			  priority);
	wice__ice_server_reflexive(&own.candidate, &own.candidate.endpoint, &reflexive);
	ck_assert_uint_eq(
		wice__ice_priority(WICE_CANDIDATE_SERVER_REFLEXIVE, priority >> 8 & 0xffff),
		reflexive.priority);
	ice->ops->close(ice);
	g_main_context_unref(context);
}
END_TEST

SUITE_MAIN("ice priority", priorities_follow_the_formula,
	   types_are_ordered_whatever_the_local_preference, pair_priorities_follow_the_formula,
	   a_server_reflexive_candidate_has_its_host_as_base,
	   server_reflexive_candidates_are_ordered_like_their_bases, the_longest_foundation_fits,
	   libnice_computes_the_same)
