/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <glib.h>
#include <string.h>

#include "agent/session.h"

#define EVENT(...) (&(WiceSessionEvent){ __VA_ARGS__ })
#define REMOTE(u, r) EVENT(.type = WICE_SESSION_REMOTE, .ufrag = (u), .remote_ufrag = (r))

/* How a session is brought somewhere: a list of events one second apart. */
static int64_t bring(WiceSession *session, WiceSessionPhase phase)
{
	static const WiceSessionEvent way[] = {
		[WICE_PHASE_GATHERING] = { .type = WICE_SESSION_START },
		[WICE_PHASE_SIGNALING] = { .type = WICE_SESSION_OPENED, .ufrag = "own1" },
		[WICE_PHASE_CHECKING] = { .type = WICE_SESSION_REMOTE,
					  .ufrag = "peer1",
					  .remote_ufrag = "" },
		[WICE_PHASE_HANDSHAKING] = { .type = WICE_SESSION_PAIR_SELECTED },
		[WICE_PHASE_ESTABLISHED] = { .type = WICE_SESSION_WG_ALIVE },
	};
	int64_t now = 1000000;
	wice__session_init(session, true, 1, now);
	for (int i = WICE_PHASE_GATHERING; i <= (int)phase; i++)
		wice__session_step(session, &way[i], now += 1000);
	ck_assert_int_eq(session->phase, phase);
	return now;
}

START_TEST(the_straight_way_leads_to_connected)
{
	WiceSession session;
	wice__session_init(&session, true, 1, 0);
	ck_assert_int_eq(wice__session_state(&session), WICE_STATE_IDLE);
	ck_assert_uint_eq(wice__session_step(&session, EVENT(WICE_SESSION_START), 1),
			  WICE_SESSION_DO_OPEN_ICE);
	ck_assert_int_eq(wice__session_state(&session), WICE_STATE_GATHERING);
	ck_assert_uint_eq(wice__session_step(
				  &session, EVENT(.type = WICE_SESSION_OPENED, .ufrag = "own1"), 2),
			  WICE_SESSION_DO_PUBLISH);
	ck_assert_int_eq(wice__session_state(&session), WICE_STATE_SIGNALING);
	ck_assert_uint_eq(wice__session_step(&session, REMOTE("peer1", ""), 3),
			  WICE_SESSION_DO_SET_REMOTE | WICE_SESSION_DO_PUBLISH);
	ck_assert_int_eq(wice__session_state(&session), WICE_STATE_CHECKING);
	ck_assert_uint_eq(wice__session_step(&session, EVENT(WICE_SESSION_PAIR_SELECTED), 4),
			  WICE_SESSION_DO_APPLY_PATH | WICE_SESSION_DO_NUDGE);
	ck_assert_int_eq(wice__session_state(&session), WICE_STATE_HANDSHAKING);
	ck_assert_uint_eq(wice__session_step(&session, EVENT(WICE_SESSION_WG_ALIVE), 5),
			  WICE_SESSION_DO_NUDGE | WICE_SESSION_DO_SETTLE);
	ck_assert_int_eq(wice__session_state(&session), WICE_STATE_CONNECTED);
	ck_assert_int_eq(session.deadline, INT64_MAX);
}
END_TEST

/* One row per rule of the essay in session.c. */
typedef struct {
	const char *what;
	WiceSessionPhase from;
	WiceSessionEvent event;
	unsigned actions;
	WiceSessionPhase to;
} Rule;

#define OPEN_NEW (WICE_SESSION_DO_CLOSE_ICE | WICE_SESSION_DO_OPEN_ICE)

static const Rule rules[] = {
	{ "an answer to our agent pairs",
	  WICE_PHASE_SIGNALING,
	  { .type = WICE_SESSION_REMOTE, .ufrag = "p", .remote_ufrag = "own1" },
	  WICE_SESSION_DO_SET_REMOTE | WICE_SESSION_DO_PUBLISH,
	  WICE_PHASE_CHECKING },
	{ "a description for a former agent is answered and does not pair",
	  WICE_PHASE_SIGNALING,
	  { .type = WICE_SESSION_REMOTE, .ufrag = "p", .remote_ufrag = "own0" },
	  WICE_SESSION_DO_PUBLISH,
	  WICE_PHASE_SIGNALING },
	{ "the same agent again only adds candidates",
	  WICE_PHASE_CHECKING,
	  { .type = WICE_SESSION_REMOTE, .ufrag = "peer1", .remote_ufrag = "own1" },
	  WICE_SESSION_DO_SET_REMOTE,
	  WICE_PHASE_CHECKING },
	{ "a peer that has not heard us is answered",
	  WICE_PHASE_ESTABLISHED,
	  { .type = WICE_SESSION_REMOTE,
	    .ufrag = "peer1",
	    .remote_ufrag = "",
	    .wants_reply = true },
	  WICE_SESSION_DO_SET_REMOTE | WICE_SESSION_DO_PUBLISH,
	  WICE_PHASE_ESTABLISHED },
	{ "a new agent of the peer needs a new one of ours",
	  WICE_PHASE_ESTABLISHED,
	  { .type = WICE_SESSION_REMOTE, .ufrag = "peer2", .remote_ufrag = "" },
	  OPEN_NEW,
	  WICE_PHASE_GATHERING },
	{ "also while checking",
	  WICE_PHASE_CHECKING,
	  { .type = WICE_SESSION_REMOTE, .ufrag = "peer2", .remote_ufrag = "" },
	  OPEN_NEW,
	  WICE_PHASE_GATHERING },
	{ "a description means nothing to a session that is not started",
	  WICE_PHASE_IDLE,
	  { .type = WICE_SESSION_REMOTE, .ufrag = "p", .remote_ufrag = "" },
	  0,
	  WICE_PHASE_IDLE },
	{ "a peer that is heard is tried before ICE knows",
	  WICE_PHASE_CHECKING,
	  { .type = WICE_SESSION_HEARD },
	  WICE_SESSION_DO_TRY | WICE_SESSION_DO_NUDGE,
	  WICE_PHASE_CHECKING },
	{ "also before its description is there",
	  WICE_PHASE_SIGNALING,
	  { .type = WICE_SESSION_HEARD },
	  WICE_SESSION_DO_TRY | WICE_SESSION_DO_NUDGE,
	  WICE_PHASE_SIGNALING },
	{ "but not where a path is in use",
	  WICE_PHASE_HANDSHAKING,
	  { .type = WICE_SESSION_HEARD },
	  0,
	  WICE_PHASE_HANDSHAKING },
	{ "a better pair is taken in place",
	  WICE_PHASE_ESTABLISHED,
	  { .type = WICE_SESSION_PAIR_SELECTED },
	  WICE_SESSION_DO_APPLY_PATH | WICE_SESSION_DO_NUDGE,
	  WICE_PHASE_ESTABLISHED },
	{ "a dead pair starts a new search",
	  WICE_PHASE_ESTABLISHED,
	  { .type = WICE_SESSION_ICE_FAILED },
	  OPEN_NEW,
	  WICE_PHASE_GATHERING },
	{ "without a pair the agent's verdict ends the attempt",
	  WICE_PHASE_CHECKING,
	  { .type = WICE_SESSION_ICE_FAILED },
	  WICE_SESSION_DO_CLOSE_ICE,
	  WICE_PHASE_FAILED },
	{ "silence starts a new search",
	  WICE_PHASE_ESTABLISHED,
	  { .type = WICE_SESSION_WG_SILENT },
	  OPEN_NEW,
	  WICE_PHASE_GATHERING },
	{ "a peer that WireGuard has forgotten needs a handshake, not a new path",
	  WICE_PHASE_ESTABLISHED,
	  { .type = WICE_SESSION_WG_ANEW },
	  WICE_SESSION_DO_NUDGE,
	  WICE_PHASE_HANDSHAKING },
	{ "also while the first one is awaited",
	  WICE_PHASE_HANDSHAKING,
	  { .type = WICE_SESSION_WG_ANEW },
	  WICE_SESSION_DO_NUDGE,
	  WICE_PHASE_HANDSHAKING },
	{ "the nudge of a better pair is taken back when it is answered",
	  WICE_PHASE_ESTABLISHED,
	  { .type = WICE_SESSION_WG_ALIVE },
	  WICE_SESSION_DO_SETTLE,
	  WICE_PHASE_ESTABLISHED },
	{ "other addresses start a new search",
	  WICE_PHASE_ESTABLISHED,
	  { .type = WICE_SESSION_NETWORK_CHANGED },
	  OPEN_NEW,
	  WICE_PHASE_GATHERING },
	{ "the user restarts",
	  WICE_PHASE_CHECKING,
	  { .type = WICE_SESSION_RESTART },
	  OPEN_NEW,
	  WICE_PHASE_GATHERING },
	{ "a stop puts back what was found",
	  WICE_PHASE_ESTABLISHED,
	  { .type = WICE_SESSION_STOP },
	  WICE_SESSION_DO_CLOSE_ICE | WICE_SESSION_DO_DROP_PATH,
	  WICE_PHASE_IDLE },
	{ "new candidates are told while they may help",
	  WICE_PHASE_CHECKING,
	  { .type = WICE_SESSION_LOCAL_CHANGED },
	  WICE_SESSION_DO_PUBLISH,
	  WICE_PHASE_CHECKING },
	{ "and not afterwards",
	  WICE_PHASE_ESTABLISHED,
	  { .type = WICE_SESSION_LOCAL_CHANGED },
	  0,
	  WICE_PHASE_ESTABLISHED },
	{ "a backend that comes up is used at once by who waits",
	  WICE_PHASE_SIGNALING,
	  { .type = WICE_SESSION_SIGNALING_READY },
	  WICE_SESSION_DO_PUBLISH,
	  WICE_PHASE_SIGNALING },
	{ "and by nobody else",
	  WICE_PHASE_ESTABLISHED,
	  { .type = WICE_SESSION_SIGNALING_READY },
	  0,
	  WICE_PHASE_ESTABLISHED },
};

START_TEST(all_rules_hold)
{
	for (size_t i = 0; i < G_N_ELEMENTS(rules); i++) {
		const Rule *rule = &rules[i];
		WiceSession session;
		int64_t now = bring(&session, rule->from);
		unsigned actions = wice__session_step(&session, &rule->event, now + 1000);
		ck_assert_msg(actions == rule->actions, "%s: actions %x, not %x", rule->what,
			      actions, rule->actions);
		ck_assert_msg(session.phase == rule->to, "%s: phase %d, not %d", rule->what,
			      session.phase, rule->to);
	}
}
END_TEST

/* Lets time pass to the next deadline. */
static unsigned next(WiceSession *session, int64_t *now)
{
	ck_assert_int_ne(session->deadline, INT64_MAX);
	*now = MAX(*now, session->deadline);
	return wice__session_step(session, EVENT(WICE_SESSION_DEADLINE), *now);
}

START_TEST(waiting_repeats_ever_more_seldom)
{
	WiceSession session;
	int64_t now = bring(&session, WICE_PHASE_SIGNALING);
	int64_t before = now, gap = 0;
	for (int i = 0; i < 20; i++) {
		ck_assert_uint_eq(next(&session, &now), WICE_SESSION_DO_PUBLISH);
		gap = now - before;
		ck_assert_int_ge(gap, 1000);
		ck_assert_int_le(gap, 75000);
		before = now;
	}
	ck_assert_int_ge(gap, 60000);
	ck_assert_int_eq(session.phase, WICE_PHASE_SIGNALING);
}
END_TEST

START_TEST(checking_ends_with_a_reason_within_ten_seconds)
{
	WiceSession session;
	int64_t now = bring(&session, WICE_PHASE_CHECKING), start = now;
	while (session.phase == WICE_PHASE_CHECKING)
		next(&session, &now);
	ck_assert_int_eq(now - start, 10000);
	ck_assert_int_eq(wice__session_state(&session), WICE_STATE_FAILED);
	ck_assert_int_eq(session.why, WICE_WHY_NO_PAIR_ANSWERED);
}
END_TEST

START_TEST(failures_are_repeated_ever_more_seldom)
{
	WiceSession session;
	int64_t now = bring(&session, WICE_PHASE_CHECKING), gap = 0;
	for (int i = 0; i < 12; i++) {
		while (session.phase != WICE_PHASE_FAILED)
			next(&session, &now);
		int64_t failed_at = now;
		ck_assert_uint_eq(next(&session, &now) & WICE_SESSION_DO_OPEN_ICE,
				  WICE_SESSION_DO_OPEN_ICE);
		ck_assert_int_ge(now - failed_at, MIN(gap, 300000));
		ck_assert_int_le(now - failed_at, 375000);
		gap = now - failed_at;
		wice__session_step(&session, EVENT(.type = WICE_SESSION_OPENED, .ufrag = "o"), now);
		wice__session_step(&session, REMOTE("p", ""), now);
	}
	ck_assert_int_ge(gap, 300000);
}
END_TEST

START_TEST(a_path_that_proves_nothing_is_dropped)
{
	WiceSession session;
	int64_t now = bring(&session, WICE_PHASE_HANDSHAKING);
	unsigned actions = 0, nudges = 0;
	while (session.phase == WICE_PHASE_HANDSHAKING) {
		actions = next(&session, &now);
		nudges += (actions & WICE_SESSION_DO_NUDGE) != 0;
	}
	ck_assert_uint_ge(nudges, 3);
	ck_assert_uint_eq(actions, WICE_SESSION_DO_CLOSE_ICE | WICE_SESSION_DO_DROP_PATH);
	ck_assert_int_eq(session.why, WICE_WHY_NO_HANDSHAKE);
	ck_assert(!session.path);
}
END_TEST

START_TEST(what_was_tried_becomes_the_path_or_is_dropped)
{
	WiceSession session;
	int64_t now = bring(&session, WICE_PHASE_CHECKING);
	wice__session_step(&session, EVENT(WICE_SESSION_HEARD), now);
	ck_assert(session.trying && !session.path);
	ck_assert_uint_eq(wice__session_step(&session, EVENT(WICE_SESSION_HEARD), now), 0);
	WiceSession other = session;
	wice__session_step(&session, EVENT(WICE_SESSION_PAIR_SELECTED), now);
	ck_assert(!session.trying && session.path);
	ck_assert_uint_eq(wice__session_step(&other, EVENT(WICE_SESSION_ICE_FAILED), now),
			  WICE_SESSION_DO_CLOSE_ICE | WICE_SESSION_DO_DROP_PATH);
	ck_assert(!other.trying);
}
END_TEST

/* Else an end that has not failed yet would wake the other one again and again. */
START_TEST(a_description_for_the_agent_that_has_failed_does_not_end_the_wait)
{
	WiceSession session;
	int64_t now = bring(&session, WICE_PHASE_CHECKING);
	wice__session_step(&session, EVENT(WICE_SESSION_ICE_FAILED), now);
	ck_assert_uint_eq(wice__session_step(&session, REMOTE("peer1", "own1"), now + 1000), 0);
	ck_assert_int_eq(session.phase, WICE_PHASE_FAILED);
	ck_assert_uint_eq(wice__session_step(&session, REMOTE("peer2", ""), now + 2000),
			  WICE_SESSION_DO_OPEN_ICE);
}
END_TEST

/* Two initiations that cross are lost both. */
START_TEST(only_the_controlling_end_tries)
{
	WiceSession session;
	int64_t now = bring(&session, WICE_PHASE_CHECKING);
	session.controlling = false;
	ck_assert_uint_eq(wice__session_step(&session, EVENT(WICE_SESSION_HEARD), now), 0);
	ck_assert(!session.trying);
}
END_TEST

START_TEST(a_working_path_survives_a_search_that_fails)
{
	WiceSession session;
	int64_t now = bring(&session, WICE_PHASE_ESTABLISHED);
	wice__session_step(&session, EVENT(WICE_SESSION_RESTART), now);
	ck_assert_int_eq(wice__session_state(&session), WICE_STATE_DEGRADED);
	wice__session_step(&session, EVENT(.type = WICE_SESSION_OPENED, .ufrag = "own2"), now);
	wice__session_step(&session, REMOTE("peer2", "own2"), now);
	while (session.phase == WICE_PHASE_CHECKING)
		ck_assert_uint_eq(next(&session, &now) & WICE_SESSION_DO_DROP_PATH, 0);
	ck_assert_int_eq(session.phase, WICE_PHASE_FAILED);
	ck_assert(session.path && session.proven);
	ck_assert_int_eq(wice__session_state(&session), WICE_STATE_DEGRADED);
}
END_TEST

START_TEST(a_peer_cannot_restart_us_without_end)
{
	WiceSession session;
	int64_t now = bring(&session, WICE_PHASE_ESTABLISHED);
	unsigned restarts = 0;
	for (int i = 0; i < 1000; i++) {
		char ufrag[16], own[16];
		g_snprintf(ufrag, sizeof ufrag, "evil%d", i);
		g_snprintf(own, sizeof own, "own%d", i + 2);
		now += 10;
		if (wice__session_step(&session, REMOTE(ufrag, ""), now) &
		    WICE_SESSION_DO_OPEN_ICE) {
			restarts++;
			wice__session_step(&session,
					   EVENT(.type = WICE_SESSION_OPENED, .ufrag = own), now);
			wice__session_step(&session, REMOTE(ufrag, ""), now);
		}
	}
	ck_assert_uint_ge(restarts, 5);
	ck_assert_uint_le(restarts, 5 + 1000 * 10 / 2000);
}
END_TEST

START_TEST(the_two_ends_do_not_begin_a_handshake_at_once)
{
	WiceSession session;
	wice__session_init(&session, false, 1, 0);
	wice__session_step(&session, EVENT(WICE_SESSION_START), 1);
	wice__session_step(&session, EVENT(.type = WICE_SESSION_OPENED, .ufrag = "own1"), 1);
	wice__session_step(&session, REMOTE("peer1", ""), 1);
	ck_assert_uint_eq(wice__session_step(&session, EVENT(WICE_SESSION_PAIR_SELECTED), 1),
			  WICE_SESSION_DO_APPLY_PATH);
	WiceSession silent = session;
	int64_t now = 1;
	while (!(next(&silent, &now) & WICE_SESSION_DO_NUDGE))
		;
	ck_assert_int_eq(now, 1001);
	ck_assert_uint_eq(wice__session_step(&session, EVENT(WICE_SESSION_WG_ALIVE), 2),
			  WICE_SESSION_DO_NUDGE | WICE_SESSION_DO_SETTLE);
}
END_TEST

START_TEST(no_address_is_tried_again)
{
	WiceSession session;
	int64_t now = 5;
	wice__session_init(&session, true, 1, now);
	wice__session_step(&session, EVENT(WICE_SESSION_START), now);
	ck_assert_uint_eq(wice__session_step(&session, EVENT(WICE_SESSION_NOT_OPENED), now), 0);
	ck_assert_int_eq(session.why, WICE_WHY_NO_ADDRESS);
	ck_assert_uint_eq(next(&session, &now), WICE_SESSION_DO_OPEN_ICE);
}
END_TEST

SUITE_MAIN("session", the_straight_way_leads_to_connected, all_rules_hold,
	   waiting_repeats_ever_more_seldom, checking_ends_with_a_reason_within_ten_seconds,
	   failures_are_repeated_ever_more_seldom, a_path_that_proves_nothing_is_dropped,
	   a_description_for_the_agent_that_has_failed_does_not_end_the_wait,
	   what_was_tried_becomes_the_path_or_is_dropped, only_the_controlling_end_tries,
	   a_working_path_survives_a_search_that_fails, a_peer_cannot_restart_us_without_end,
	   the_two_ends_do_not_begin_a_handshake_at_once, no_address_is_tried_again)
