/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ice/fake.h"
#include "ice/priority.h"
#include "suite.h"

/* The fake's own script; what it shares with real agents is in tests/conformance/ice. */

typedef struct {
	WiceIce *ice;
	WiceIceCredentials credentials;
	WiceIceSocket sockets[2];
	WiceIcePair pair;
	unsigned n_pairs, n_failed;
} Side;

typedef struct {
	GMainContext *context;
	WiceIceWire *wire;
	Side a, b;
} Pair;

static void on_pair(const WiceIcePair *pair, void *user_data)
{
	Side *side = user_data;
	side->pair = *pair;
	side->n_pairs++;
}

static void on_failed(void *user_data)
{
	Side *side = user_data;
	side->n_failed++;
}

static const WiceIceEvents events = { .on_pair = on_pair, .on_failed = on_failed };

static void open_side(Pair *pair, Side *side, bool controlling)
{
	WiceAddress addresses[2];
	WiceIceOptions options = { .size = sizeof options,
				   .controlling = controlling,
				   .addresses = addresses,
				   .n_addresses = 2 };
	ck_assert(wice_address_parse("127.0.0.1", &addresses[0]));
	ck_assert(wice_address_parse("127.0.0.2", &addresses[1]));
	ck_assert_int_eq(wice__ice_fake.open(pair->context, &options, &events, side, &side->ice),
			 0);
	wice__ice_fake.credentials(side->ice, &side->credentials);
	ck_assert_uint_eq(wice__ice_fake.sockets(side->ice, side->sockets, 2), 2);
}

static void setup(Pair *pair)
{
	*pair = (Pair){ .context = g_main_context_new(), .wire = wice__ice_wire_new() };
	wice__ice_wire_set_delays(pair->wire, 1, 50);
	open_side(pair, &pair->a, true);
	open_side(pair, &pair->b, false);
}

static void teardown(Pair *pair)
{
	wice__ice_fake.close(pair->a.ice);
	wice__ice_fake.close(pair->b.ice);
	wice__ice_wire_free(pair->wire);
	g_main_context_unref(pair->context);
}

static void tell(Side *side, const Side *other)
{
	WiceCandidate candidates[] = { other->sockets[0].candidate, other->sockets[1].candidate };
	ck_assert_int_eq(wice__ice_fake.set_remote(side->ice, &other->credentials), 0);
	ck_assert_int_eq(wice__ice_fake.add_candidates(side->ice, candidates, 2), 0);
}

static void introduce(Pair *pair)
{
	tell(&pair->a, &pair->b);
	tell(&pair->b, &pair->a);
}

static gboolean tick(gpointer user_data)
{
	return G_SOURCE_CONTINUE;
}

/* Until a has had so many pairs and failures. */
static void run(Pair *pair, unsigned n_pairs, unsigned n_failed)
{
	gint64 end = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
	GSource *wake = g_timeout_source_new(5);
	g_source_set_callback(wake, tick, NULL, NULL);
	g_source_attach(wake, pair->context);
	while ((pair->a.n_pairs < n_pairs || pair->a.n_failed < n_failed) &&
	       g_get_monotonic_time() < end)
		g_main_context_iteration(pair->context, TRUE);
	g_source_destroy(wake);
	g_source_unref(wake);
	ck_assert_uint_eq(pair->a.n_pairs, n_pairs);
	ck_assert_uint_eq(pair->a.n_failed, n_failed);
}

static bool only_second(const WiceEndpoint *a, const WiceEndpoint *b, void *user_data)
{
	return a->address.bytes[3] == 2 && b->address.bytes[3] == 2;
}

static bool nothing(const WiceEndpoint *a, const WiceEndpoint *b, void *user_data)
{
	return false;
}

START_TEST(the_best_pair_is_selected)
{
	Pair pair;
	setup(&pair);
	introduce(&pair);
	run(&pair, 1, 0);
	ck_assert_int_eq(
		wice_endpoint_compare(&pair.a.pair.base, &pair.a.sockets[0].candidate.endpoint), 0);
	teardown(&pair);
}
END_TEST

START_TEST(the_wire_decides_which_pairs_answer)
{
	Pair pair;
	setup(&pair);
	wice__ice_wire_set_answers(pair.wire, only_second, NULL);
	introduce(&pair);
	run(&pair, 1, 0);
	ck_assert_int_eq(
		wice_endpoint_compare(&pair.a.pair.base, &pair.a.sockets[1].candidate.endpoint), 0);
	wice__ice_wire_set_answers(pair.wire, NULL, NULL);
	run(&pair, 2, 0);
	wice__ice_wire_set_answers(pair.wire, only_second, NULL);
	run(&pair, 3, 0);
	wice__ice_wire_set_answers(pair.wire, nothing, NULL);
	run(&pair, 3, 1);
	teardown(&pair);
}
END_TEST

START_TEST(a_mapped_candidate_reaches_its_base)
{
	Pair pair;
	WiceEndpoint mapped;
	WiceCandidate reflexive;
	setup(&pair);
	ck_assert(wice_endpoint_parse("203.0.113.1:999", &mapped));
	wice__ice_server_reflexive(&pair.b.sockets[1].candidate, &mapped, &reflexive);
	wice__ice_wire_map(pair.wire, &mapped, &pair.b.sockets[1].candidate.endpoint);
	wice__ice_fake.set_remote(pair.a.ice, &pair.b.credentials);
	wice__ice_fake.set_remote(pair.b.ice, &pair.a.credentials);
	wice__ice_fake.add_candidates(pair.a.ice, &reflexive, 1);
	run(&pair, 1, 0);
	ck_assert_int_eq(pair.a.pair.remote.type, WICE_CANDIDATE_SERVER_REFLEXIVE);
	ck_assert_int_eq(wice_endpoint_compare(&pair.a.pair.remote.endpoint, &mapped), 0);
	ck_assert_int_eq(
		wice_endpoint_compare(&pair.b.pair.base, &pair.b.sockets[1].candidate.endpoint), 0);
	ck_assert_int_eq(pair.b.pair.remote.type, WICE_CANDIDATE_PEER_REFLEXIVE);
	teardown(&pair);
}
END_TEST

START_TEST(an_agent_can_be_made_to_fail)
{
	Pair pair;
	setup(&pair);
	introduce(&pair);
	run(&pair, 1, 0);
	ck_assert_ptr_eq(wice__ice_wire_agent(pair.wire, 0), pair.a.ice);
	ck_assert_ptr_eq(wice__ice_wire_agent(pair.wire, 1), pair.b.ice);
	ck_assert_ptr_null(wice__ice_wire_agent(pair.wire, 2));
	wice__ice_wire_fail(pair.a.ice);
	wice__ice_wire_fail(pair.a.ice);
	run(&pair, 1, 1);
	teardown(&pair);
}
END_TEST

SUITE_MAIN("ice fake", the_best_pair_is_selected, the_wire_decides_which_pairs_answer,
	   a_mapped_candidate_reaches_its_base, an_agent_can_be_made_to_fail)
