/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* What the session does with a relayed path beside direct ones. */
#include "suite.h"

#include <glib.h>
#include <string.h>

#include "agent/session.h"

#define EVENT(...) (&(WiceSessionEvent){ __VA_ARGS__ })
#define REMOTE(u, r) EVENT(.type = WICE_SESSION_REMOTE, .ufrag = (u), .remote_ufrag = (r))
#define READY EVENT(.type = WICE_SESSION_RELAY_READY, .begins = true)
#define OPEN_NEW (WICE_SESSION_DO_CLOSE_ICE | WICE_SESSION_DO_OPEN_ICE)

static WiceSession session;
static int64_t now;

static unsigned step(const WiceSessionEvent *event)
{
	now += 10;
	return wice__session_step(&session, event, now);
}

static unsigned next(void)
{
	ck_assert_int_ne(session.deadline, INT64_MAX);
	now = MAX(now, session.deadline);
	return wice__session_step(&session, EVENT(WICE_SESSION_DEADLINE), now);
}

static void assert_state(WicePeerState state)
{
	ck_assert_str_eq(wice_state_name(wice__session_state(&session)), wice_state_name(state));
}

/* Both know each other's description, nothing has answered yet. */
static void check(bool controlling)
{
	now = 1000000;
	wice__session_init(&session, controlling, 1, now);
	step(EVENT(WICE_SESSION_START));
	step(EVENT(.type = WICE_SESSION_OPENED, .ufrag = "own1"));
	step(REMOTE("peer1", ""));
}

/* The relay is used and has carried something. */
static void relay(void)
{
	check(true);
	step(READY);
	step(EVENT(WICE_SESSION_WG_ALIVE));
	assert_state(WICE_STATE_CONNECTED);
}

/* A direct path has replaced the relay, and has carried something. */
static void direct(void)
{
	relay();
	step(EVENT(WICE_SESSION_PAIR_SELECTED));
	step(EVENT(WICE_SESSION_WG_ALIVE));
	ck_assert_int_eq(session.phase, WICE_PHASE_ESTABLISHED);
	ck_assert(!session.relayed);
}

START_TEST(the_relay_is_the_first_path)
{
	check(true);
	ck_assert_uint_eq(step(READY), WICE_SESSION_DO_APPLY_RELAY | WICE_SESSION_DO_NUDGE);
	assert_state(WICE_STATE_HANDSHAKING);
	ck_assert_uint_eq(step(EVENT(WICE_SESSION_WG_ALIVE)),
			  WICE_SESSION_DO_NUDGE | WICE_SESSION_DO_SETTLE);
	assert_state(WICE_STATE_CONNECTED);
	ck_assert_int_eq(session.phase, WICE_PHASE_CHECKING);
	ck_assert_int_eq(session.connected_at, now);
}
END_TEST

START_TEST(one_end_begins_and_the_other_helps_later)
{
	check(false);
	ck_assert_uint_eq(step(EVENT(WICE_SESSION_RELAY_READY)), WICE_SESSION_DO_APPLY_RELAY);
	int64_t start = now;
	while (!(next() & WICE_SESSION_DO_NUDGE))
		;
	ck_assert_int_ge(now - start, 1000);
	ck_assert_int_le(now - start, 2000);
}
END_TEST

/* Two handshakes that cross are lost both. */
START_TEST(a_direct_path_does_not_begin_what_the_peer_begins)
{
	check(true);
	ck_assert_uint_eq(step(EVENT(.type = WICE_SESSION_HEARD, .awaited = true)), 0);
	ck_assert_uint_eq(step(EVENT(.type = WICE_SESSION_PAIR_SELECTED, .awaited = true)),
			  WICE_SESSION_DO_APPLY_PATH);
	int64_t start = now;
	while (!(next() & WICE_SESSION_DO_NUDGE))
		;
	ck_assert_int_gt(now - start, 1000 + 500); /* the peer's time is 1000 */
	ck_assert_int_le(now - start, 2000);
	relay();
	ck_assert_uint_eq(step(EVENT(.type = WICE_SESSION_PAIR_SELECTED, .awaited = true)),
			  WICE_SESSION_DO_APPLY_PATH | WICE_SESSION_DO_NUDGE);
}
END_TEST

/* It may learn that the relay could be used when a direct path is already to be proven. */
START_TEST(who_is_to_begin_does_so_over_a_direct_path_as_well)
{
	check(false);
	ck_assert_uint_eq(step(EVENT(WICE_SESSION_PAIR_SELECTED)), WICE_SESSION_DO_APPLY_PATH);
	ck_assert_uint_eq(step(EVENT(WICE_SESSION_RELAY_READY)), 0);
	ck_assert_uint_eq(step(READY), WICE_SESSION_DO_NUDGE);
	ck_assert(!session.relayed);
}
END_TEST

START_TEST(a_direct_path_replaces_it_without_a_break)
{
	relay();
	ck_assert_uint_eq(step(EVENT(WICE_SESSION_PAIR_SELECTED)),
			  WICE_SESSION_DO_APPLY_PATH | WICE_SESSION_DO_NUDGE);
	assert_state(WICE_STATE_CONNECTED);
	ck_assert_uint_eq(step(EVENT(WICE_SESSION_WG_ALIVE)),
			  WICE_SESSION_DO_NUDGE | WICE_SESSION_DO_SETTLE);
	assert_state(WICE_STATE_CONNECTED);
	ck_assert_int_eq(session.phase, WICE_PHASE_ESTABLISHED);
}
END_TEST

START_TEST(a_direct_path_that_carries_nothing_gives_it_back)
{
	relay();
	step(EVENT(WICE_SESSION_PAIR_SELECTED));
	int64_t start = now;
	unsigned actions = 0;
	while (session.phase == WICE_PHASE_HANDSHAKING)
		actions = next();
	ck_assert_int_le(now - start, 5000);
	ck_assert(actions & WICE_SESSION_DO_APPLY_RELAY);
	ck_assert(!(actions & WICE_SESSION_DO_DROP_PATH));
	ck_assert(session.relayed);
	step(EVENT(WICE_SESSION_WG_ALIVE));
	assert_state(WICE_STATE_CONNECTED);
}
END_TEST

START_TEST(a_search_that_fails_leaves_it)
{
	relay();
	ck_assert_uint_eq(step(EVENT(WICE_SESSION_ICE_FAILED)), WICE_SESSION_DO_CLOSE_ICE);
	ck_assert_int_eq(session.phase, WICE_PHASE_FAILED);
	assert_state(WICE_STATE_CONNECTED);
	/* And is repeated. */
	while (session.phase == WICE_PHASE_FAILED)
		next();
	ck_assert_int_eq(session.phase, WICE_PHASE_GATHERING);
	assert_state(WICE_STATE_CONNECTED);
}
END_TEST

START_TEST(a_search_that_fails_before_it_is_proven_leaves_it_too)
{
	check(true);
	step(READY);
	step(EVENT(WICE_SESSION_ICE_FAILED));
	assert_state(WICE_STATE_FAILED);
	ck_assert(session.relayed);
	unsigned actions = 0;
	while (!actions)
		actions = next();
	ck_assert_uint_eq(actions, WICE_SESSION_DO_NUDGE);
	step(EVENT(WICE_SESSION_WG_ALIVE));
	assert_state(WICE_STATE_CONNECTED);
}
END_TEST

START_TEST(silence_leads_to_the_relay_and_a_new_search)
{
	direct();
	ck_assert_uint_eq(step(EVENT(WICE_SESSION_WG_SILENT)),
			  OPEN_NEW | WICE_SESSION_DO_APPLY_RELAY | WICE_SESSION_DO_NUDGE);
	assert_state(WICE_STATE_DEGRADED);
	step(EVENT(.type = WICE_SESSION_OPENED, .ufrag = "own2"));
	step(EVENT(WICE_SESSION_WG_ALIVE));
	assert_state(WICE_STATE_CONNECTED);
	ck_assert_int_eq(session.phase, WICE_PHASE_SIGNALING);
}
END_TEST

START_TEST(a_peer_that_has_left_the_direct_path_is_followed)
{
	direct();
	unsigned actions = step(EVENT(.type = WICE_SESSION_REMOTE, .ufrag = "peer2",
				      .remote_ufrag = "", .relayed = true));
	ck_assert_uint_eq(actions, OPEN_NEW | WICE_SESSION_DO_APPLY_RELAY | WICE_SESSION_DO_NUDGE);
	direct();
	actions = step(REMOTE("peer2", ""));
	ck_assert_uint_eq(actions, OPEN_NEW);
	ck_assert(!session.relayed);
}
END_TEST

START_TEST(a_proven_direct_path_is_not_left_for_a_relay)
{
	direct();
	ck_assert_uint_eq(step(READY), 0);
	step(EVENT(WICE_SESSION_NETWORK_CHANGED));
	ck_assert_uint_eq(step(READY), 0);
	ck_assert(!session.relayed && session.path);
}
END_TEST

START_TEST(what_is_being_proven_is_not_left_either)
{
	check(true);
	step(EVENT(WICE_SESSION_PAIR_SELECTED));
	ck_assert_uint_eq(step(READY) & ~(unsigned)WICE_SESSION_DO_NUDGE, 0);
	ck_assert(session.relay && !session.relayed);
}
END_TEST

START_TEST(another_relay_is_taken_in_place)
{
	relay();
	ck_assert_uint_eq(step(EVENT(WICE_SESSION_RELAY_READY)),
			  WICE_SESSION_DO_APPLY_RELAY | WICE_SESSION_DO_NUDGE);
	assert_state(WICE_STATE_CONNECTED);
	ck_assert_uint_eq(step(EVENT(WICE_SESSION_WG_ALIVE)), WICE_SESSION_DO_SETTLE);
}
END_TEST

START_TEST(a_lost_relay_puts_back_what_was_found)
{
	relay();
	ck_assert_uint_eq(step(EVENT(WICE_SESSION_RELAY_LOST)), WICE_SESSION_DO_DROP_PATH);
	ck_assert(!session.path);
	direct();
	ck_assert_uint_eq(step(EVENT(WICE_SESSION_RELAY_LOST)), 0);
	assert_state(WICE_STATE_CONNECTED);
}
END_TEST

START_TEST(a_stop_ends_it)
{
	relay();
	ck_assert_uint_eq(step(EVENT(WICE_SESSION_STOP)),
			  WICE_SESSION_DO_CLOSE_ICE | WICE_SESSION_DO_DROP_PATH);
	ck_assert(!session.relay && !session.relayed);
	ck_assert_uint_eq(step(READY), 0);
}
END_TEST

START_TEST(news_of_relays_are_told_where_they_matter)
{
	static const WiceSessionEvent measured = { .type = WICE_SESSION_RELAYS_CHANGED };
	static const WiceSessionEvent anew = { .type = WICE_SESSION_RELAYS_CHANGED, .anew = true };
	relay();
	ck_assert_uint_eq(step(&measured), WICE_SESSION_DO_PUBLISH);
	ck_assert_uint_eq(step(&anew), WICE_SESSION_DO_PUBLISH);
	direct();
	ck_assert_uint_eq(step(&measured), 0);
	ck_assert_uint_eq(step(&anew), WICE_SESSION_DO_PUBLISH);
	relay();
	step(EVENT(WICE_SESSION_ICE_FAILED));
	ck_assert_uint_eq(step(&measured), 0);
	ck_assert_uint_eq(step(&anew), WICE_SESSION_DO_OPEN_ICE);
}
END_TEST

/* A direct path is there, and is avoided for a relay that has carried something. */
static void avoid(void)
{
	direct();
	ck_assert_uint_eq(step(EVENT(WICE_SESSION_DIRECT_WORSE)),
			  WICE_SESSION_DO_PUBLISH | WICE_SESSION_DO_APPLY_RELAY |
				  WICE_SESSION_DO_NUDGE);
	ck_assert(session.relayed && session.avoids);
	assert_state(WICE_STATE_CONNECTED);
	step(EVENT(WICE_SESSION_WG_ALIVE));
	ck_assert_int_eq(session.phase, WICE_PHASE_ESTABLISHED);
	assert_state(WICE_STATE_CONNECTED);
}

START_TEST(a_bad_direct_path_is_avoided_and_taken_again_without_a_search)
{
	avoid();
	ck_assert_int_eq(session.deadline, INT64_MAX);
	ck_assert_uint_eq(step(EVENT(WICE_SESSION_PAIR_SELECTED)), 0);
	ck_assert_uint_eq(step(EVENT(WICE_SESSION_DIRECT_BETTER)),
			  WICE_SESSION_DO_PUBLISH | WICE_SESSION_DO_APPLY_PATH |
				  WICE_SESSION_DO_NUDGE);
	ck_assert(!session.relayed && !session.avoids);
	assert_state(WICE_STATE_CONNECTED);
	step(EVENT(WICE_SESSION_WG_ALIVE));
	ck_assert_int_eq(session.phase, WICE_PHASE_ESTABLISHED);
	ck_assert_uint_eq(step(EVENT(WICE_SESSION_DIRECT_BETTER)), 0);
}
END_TEST

START_TEST(it_is_avoided_only_if_there_is_a_relay_and_a_proven_path)
{
	relay();
	ck_assert_uint_eq(step(EVENT(WICE_SESSION_DIRECT_WORSE)), 0);
	step(EVENT(WICE_SESSION_PAIR_SELECTED));
	ck_assert_uint_eq(step(EVENT(WICE_SESSION_DIRECT_WORSE)), 0);
	direct();
	step(EVENT(WICE_SESSION_RELAY_LOST));
	ck_assert_uint_eq(step(EVENT(WICE_SESSION_DIRECT_WORSE)), 0);
}
END_TEST

START_TEST(a_relay_that_carries_nothing_gives_the_direct_path_back)
{
	direct();
	step(EVENT(WICE_SESSION_DIRECT_WORSE));
	int64_t start = now;
	unsigned actions = 0;
	while (session.avoids)
		actions = next();
	ck_assert_int_le(now - start, 5000);
	ck_assert(actions & WICE_SESSION_DO_APPLY_PATH);
	assert_state(WICE_STATE_CONNECTED);
}
END_TEST

START_TEST(a_relay_that_is_lost_gives_the_direct_path_back)
{
	avoid();
	ck_assert(step(EVENT(WICE_SESSION_RELAY_LOST)) & WICE_SESSION_DO_APPLY_PATH);
	ck_assert(!session.relayed && session.path);
}
END_TEST

START_TEST(the_controlled_end_does_what_the_other_says)
{
	static const WiceSessionEvent avoids = { .type = WICE_SESSION_REMOTE,
						 .ufrag = "peer1",
						 .remote_ufrag = "own1",
						 .relayed = true,
						 .avoids = true };
	check(false);
	step(EVENT(WICE_SESSION_RELAY_READY));
	step(EVENT(WICE_SESSION_PAIR_SELECTED));
	step(EVENT(WICE_SESSION_WG_ALIVE));
	ck_assert_uint_eq(step(&avoids), WICE_SESSION_DO_SET_REMOTE | WICE_SESSION_DO_APPLY_RELAY |
						 WICE_SESSION_DO_NUDGE);
	ck_assert(session.relayed && session.avoids);
	ck_assert_uint_eq(step(&avoids), WICE_SESSION_DO_SET_REMOTE);
	ck_assert_uint_eq(step(REMOTE("peer1", "own1")),
			  WICE_SESSION_DO_SET_REMOTE | WICE_SESSION_DO_APPLY_PATH);
	ck_assert(!session.relayed && !session.avoids);
}
END_TEST

START_TEST(the_controlling_end_is_not_told)
{
	direct();
	step(EVENT(.type = WICE_SESSION_REMOTE, .ufrag = "peer1", .remote_ufrag = "own1",
		   .avoids = true));
	ck_assert(!session.avoids);
}
END_TEST

START_TEST(a_new_search_ends_it)
{
	avoid();
	step(EVENT(WICE_SESSION_NETWORK_CHANGED));
	ck_assert(session.relayed && !session.avoids);
	step(EVENT(.type = WICE_SESSION_OPENED, .ufrag = "own2"));
	step(REMOTE("peer2", ""));
	ck_assert(step(EVENT(WICE_SESSION_PAIR_SELECTED)) & WICE_SESSION_DO_APPLY_PATH);
	avoid();
	step(EVENT(WICE_SESSION_STOP));
	ck_assert(!session.avoids);
}
END_TEST

SUITE_MAIN("session relay", the_relay_is_the_first_path, one_end_begins_and_the_other_helps_later,
	   a_direct_path_does_not_begin_what_the_peer_begins,
	   who_is_to_begin_does_so_over_a_direct_path_as_well,
	   a_direct_path_replaces_it_without_a_break,
	   a_direct_path_that_carries_nothing_gives_it_back, a_search_that_fails_leaves_it,
	   a_search_that_fails_before_it_is_proven_leaves_it_too,
	   silence_leads_to_the_relay_and_a_new_search,
	   a_peer_that_has_left_the_direct_path_is_followed,
	   a_proven_direct_path_is_not_left_for_a_relay, what_is_being_proven_is_not_left_either,
	   another_relay_is_taken_in_place, a_lost_relay_puts_back_what_was_found, a_stop_ends_it,
	   news_of_relays_are_told_where_they_matter,
	   a_bad_direct_path_is_avoided_and_taken_again_without_a_search,
	   it_is_avoided_only_if_there_is_a_relay_and_a_proven_path,
	   a_relay_that_carries_nothing_gives_the_direct_path_back,
	   a_relay_that_is_lost_gives_the_direct_path_back,
	   the_controlled_end_does_what_the_other_says, the_controlling_end_is_not_told,
	   a_new_search_ends_it)
