/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The session with one peer.
 *
 *                 START            OPENED              REMOTE that fits
 *        IDLE ----------> GATHERING -----> SIGNALING ------------------> CHECKING
 *                             ^                ^                            | PAIR_SELECTED
 *                             |                | a new agent                v
 *        FAILED --(backoff)---+----------------+---------------------- HANDSHAKING
 *          ^                                   |                            | WG_ALIVE
 *          +-- nothing answered in time        +---- restart, silence ---- ESTABLISHED
 *
 * Pairing. An ICE agent is known by its ufrag and is used with one agent of the peer only. A
 * description (u, r) says: "my agent is u, it is paired with your agent r", r empty if not yet.
 *
 *   we are paired with u      the same again: perhaps new candidates
 *   we are paired with else   the peer has a new agent: we open a new one too, then as below
 *   we are not paired:
 *     r is "" or our ufrag    pair: give u to our agent
 *     r is something else     the peer speaks to a former agent of ours and has not heard of this
 *                             one yet: tell it, and wait
 *
 * Whoever is not paired repeats its description, so losses heal; two ends that restart at the same
 * moment see r = "" from each other and pair at once.
 *
 * Trying. A check of the peer that arrives shows that packets pass from there to here, and since it
 * answers what we have sent, or its NAT has just opened for us, from here to there. ICE knows a
 * round trip later. Where WireGuard shares ICE's port the controlling end uses that time for the
 * handshake.
 *
 * Relay. Where both ends have allocations at relays, that path is there as soon as descriptions are
 * exchanged, and is the first one. The search goes on beside it: a pair that ICE selects replaces
 * it without a new handshake, and when a direct path falls silent the relay is taken at once and
 * the search begins anew. While a path is direct and proven, a relay is only kept ready.
 *
 *   RELAY_READY      used, unless a direct path is proven or being proven
 *   PAIR_SELECTED    the pair is used; if nothing comes over it in 5 s, the relay again
 *   WG_SILENT        the relay is used, and a new search begins
 *   REMOTE, relayed  a new agent of a peer that has left the direct path: so do we
 *   RELAY_LOST       if it is used, what was found is put back
 *
 * Avoiding. A direct path that works may still be worse than the relay. The controlling end
 * measures that (peer_direct.c), the other one follows what it says. The direct path is kept, so
 * going back needs no search; that ends with the next search, whose path is taken on trust again.
 *
 *   DIRECT_WORSE     the relay is used; if nothing comes over it in 5 s, the direct path again
 *   DIRECT_BETTER    the direct path is used, as after PAIR_SELECTED
 *   REMOTE, avoids   from the controlling end: as DIRECT_WORSE, and without it as DIRECT_BETTER
 *
 * Make before break. A restart opens a new agent while `path` stays applied to WireGuard; the
 * shell keeps the former agent alive until some time after SETTLE. Users see DEGRADED meanwhile.
 *
 * Timers, all in one deadline:
 *   publish   repeats the description: while waiting for the peer 1 s doubling to 60 s, while
 *             checking 0.5 s doubling to 4 s
 *   nudge     makes WireGuard send: the controlling end at once, the other after 1 s, then
 *             doubling to 4 s. Never both at once: two initiations that cross are lost both, since
 *             each end forgets its own when it answers the other's, and WireGuard repeats only
 *             after 5 s (REKEY_TIMEOUT). Each end answers the first sign of life once more, since
 *             WireGuard does not answer a keepalive. From the second repetition (3 s) on, the shell
 *             falls back to the mechanism that needs no more than what ICE has shown to work.
 *             Over a relay the other end may be the one that begins (peer_relay.c): then a pair
 *             that is selected meanwhile is no reason to begin, too, but for that other end
 *   give up   checking 10 s, handshaking 15 s, or 5 s if there is a relay to go back to
 *   backoff   after a failure 5 s doubling to 5 min
 */
#include "agent/session.h"

#include <glib.h>
#include <string.h>

#define PUBLISH_WAITING_MIN_MS 1000
#define PUBLISH_WAITING_MAX_MS 60000
#define PUBLISH_CHECKING_MIN_MS 500
#define PUBLISH_CHECKING_MAX_MS 4000
#define PUBLISH_ANSWER_GAP_MS 100 /* an answer to a description that does not fit, not more often */
#define NUDGE_MIN_MS 1000
#define NUDGE_MAX_MS 4000
#define NUDGE_APART_MS 700 /* of two ends that both wait for the other to begin */
#define CHECKING_TIMEOUT_MS 10000
#define HANDSHAKING_TIMEOUT_MS 15000
#define HANDSHAKING_WITH_RELAY_MS 5000
#define BACKOFF_MIN_MS 5000
#define BACKOFF_MAX_MS 300000
#define GATHERING_RETRY_MS 5000
/* A peer may restart us this often at once, then once per interval. */
#define REMOTE_RESTARTS_BURST 5
#define REMOTE_RESTART_INTERVAL_MS 2000

/* splitmix64, to spread timers by up to a quarter of their length. */
static int64_t with_jitter(WiceSession *session, int64_t interval)
{
	uint64_t z = (session->jitter += 0x9e3779b97f4a7c15u);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	z ^= z >> 31;
	return interval + (int64_t)(z % (uint64_t)(interval / 4 + 1));
}

static void set_phase(WiceSession *session, WiceSessionPhase phase, WiceSessionWhy why, int64_t now)
{
	if (session->phase != phase)
		session->phase_since = now;
	session->phase = phase;
	session->why = why;
}

static void stop_timers(WiceSession *session)
{
	session->give_up_at = INT64_MAX;
	session->publish_at = INT64_MAX;
	session->nudge_at = INT64_MAX;
}

static void update_deadline(WiceSession *session)
{
	session->deadline = MIN(session->give_up_at, MIN(session->publish_at, session->nudge_at));
}

void wice__session_init(WiceSession *session, bool controlling, uint64_t jitter_seed,
			int64_t now_ms)
{
	memset(session, 0, sizeof *session);
	session->controlling = controlling;
	session->jitter = jitter_seed;
	session->why = WICE_WHY_NOT_STARTED;
	session->phase_since = now_ms;
	session->published_at = INT64_MIN / 2;
	session->restart_tokens_at = INT64_MIN / 2;
	stop_timers(session);
	update_deadline(session);
}

/* Publishes now and repeats after interval, which doubles up to max. */
static unsigned publish_now(WiceSession *session, int64_t interval, int64_t now)
{
	session->published_at = now;
	session->publish_interval = interval;
	session->publish_at = now + with_jitter(session, interval);
	return WICE_SESSION_DO_PUBLISH;
}

/* An extra publication that leaves the repetition as it is. */
static unsigned publish_extra(WiceSession *session, int64_t now)
{
	session->published_at = now;
	return WICE_SESSION_DO_PUBLISH;
}

static unsigned publish_again(WiceSession *session, int64_t now)
{
	int64_t max = session->phase == WICE_PHASE_SIGNALING ? PUBLISH_WAITING_MAX_MS
							     : PUBLISH_CHECKING_MAX_MS;
	return publish_now(session, MIN(session->publish_interval * 2, max), now);
}

static void nudge_later(WiceSession *session, int64_t now)
{
	session->nudge_interval = NUDGE_MIN_MS;
	session->nudge_at = now + session->nudge_interval;
}

/* Throws the newest agent away and asks for another; the path in use stays. */
static unsigned open_agent(WiceSession *session, WiceSessionWhy why, int64_t now)
{
	unsigned actions = session->own_ufrag[0] ? WICE_SESSION_DO_CLOSE_ICE : 0;
	stop_timers(session);
	session->own_ufrag[0] = 0;
	session->paired_ufrag[0] = 0;
	session->avoids = false;
	session->attempt_since = now;
	if (session->relayed && !session->proven)
		nudge_later(session, now);
	set_phase(session, WICE_PHASE_GATHERING, why, now);
	return actions | WICE_SESSION_DO_OPEN_ICE;
}

/*
 * Points WireGuard at the relayed path. If there are keys, any end may speak, else the one that is
 * to begin the handshake: see the timers.
 */
static unsigned use_relay(WiceSession *session, bool begins, int64_t now)
{
	session->path = session->relayed = true;
	session->proven = session->trying = false;
	nudge_later(session, now);
	if (!begins && !session->controlling)
		session->nudge_at += NUDGE_APART_MS;
	bool speaks = begins || session->connected_at;
	return WICE_SESSION_DO_APPLY_RELAY | (speaks ? WICE_SESSION_DO_NUDGE : 0);
}

static unsigned restart(WiceSession *session, WiceSessionWhy why, int64_t now)
{
	session->restarts++;
	return open_agent(session, why, now);
}

/*
 * The search has failed. A path that still works is kept (then only the search for a better one
 * failed); else the relay is used, or what was found is put back.
 */
static unsigned fail(WiceSession *session, WiceSessionWhy why, int64_t now)
{
	unsigned actions = session->own_ufrag[0] ? WICE_SESSION_DO_CLOSE_ICE : 0;
	stop_timers(session);
	session->own_ufrag[0] = 0;
	session->paired_ufrag[0] = 0;
	bool useless = session->trying || session->phase == WICE_PHASE_HANDSHAKING ||
		       (session->path && !session->proven);
	if (session->relayed && !session->proven)
		nudge_later(session, now);
	else if (useless && session->relay && !session->relayed)
		actions |= use_relay(session, false, now);
	else if (useless && !session->relayed) {
		session->path = session->trying = session->proven = false;
		actions |= WICE_SESSION_DO_DROP_PATH;
	}
	int64_t backoff = BACKOFF_MIN_MS << MIN(session->failures, 8u);
	session->failures++;
	session->give_up_at = now + with_jitter(session, MIN(backoff, BACKOFF_MAX_MS));
	set_phase(session, WICE_PHASE_FAILED, why, now);
	return actions;
}

static unsigned stop(WiceSession *session, int64_t now)
{
	unsigned actions = session->own_ufrag[0] ? WICE_SESSION_DO_CLOSE_ICE : 0;
	if (session->path || session->trying)
		actions |= WICE_SESSION_DO_DROP_PATH;
	stop_timers(session);
	session->own_ufrag[0] = 0;
	session->paired_ufrag[0] = 0;
	session->path = session->proven = session->trying = false;
	session->relay = session->relayed = session->avoids = false;
	session->failures = 0;
	set_phase(session, WICE_PHASE_IDLE, WICE_WHY_NOT_STARTED, now);
	return actions;
}

static unsigned opened(WiceSession *session, const char *ufrag, int64_t now)
{
	if (session->phase != WICE_PHASE_GATHERING)
		return 0;
	g_strlcpy(session->own_ufrag, ufrag, sizeof session->own_ufrag);
	session->give_up_at = INT64_MAX;
	set_phase(session, WICE_PHASE_SIGNALING, WICE_WHY_WAITING_FOR_PEER, now);
	return publish_now(session, PUBLISH_WAITING_MIN_MS, now);
}

static unsigned not_opened(WiceSession *session, int64_t now)
{
	if (session->phase != WICE_PHASE_GATHERING)
		return 0;
	session->why = WICE_WHY_NO_ADDRESS;
	session->give_up_at = now + with_jitter(session, GATHERING_RETRY_MS);
	return 0;
}

/* Takes one token from the bucket; false if the peer restarts us too often. */
static bool may_restart_for_peer(WiceSession *session, int64_t now)
{
	int64_t oldest = now - (int64_t)REMOTE_RESTARTS_BURST * REMOTE_RESTART_INTERVAL_MS;
	session->restart_tokens_at = MAX(session->restart_tokens_at, oldest);
	if (session->restart_tokens_at + REMOTE_RESTART_INTERVAL_MS > now)
		return false;
	session->restart_tokens_at += REMOTE_RESTART_INTERVAL_MS;
	return true;
}

static void await_handshake(WiceSession *session, int64_t now)
{
	session->give_up_at =
		now + (session->relay ? HANDSHAKING_WITH_RELAY_MS : HANDSHAKING_TIMEOUT_MS);
	nudge_later(session, now);
	set_phase(session, WICE_PHASE_HANDSHAKING, WICE_WHY_WAITING_FOR_HANDSHAKE, now);
}

/* The peer is told, so that it does the same. */
static unsigned tell_if_controlling(WiceSession *session, int64_t now)
{
	return session->controlling ? publish_extra(session, now) : 0;
}

static unsigned avoid_direct(WiceSession *session, int64_t now)
{
	bool is_direct = session->path && !session->relayed && session->proven;
	if (session->phase != WICE_PHASE_ESTABLISHED || !session->relay || !is_direct)
		return 0;
	unsigned actions = use_relay(session, true, now);
	session->avoids = true;
	session->give_up_at = now + HANDSHAKING_WITH_RELAY_MS;
	return actions | tell_if_controlling(session, now);
}

/* What has proven the relay, that the ends have keys, holds for the direct path too. */
static unsigned use_direct_again(WiceSession *session, int64_t now)
{
	if (!session->avoids)
		return 0;
	session->avoids = session->relayed = false;
	session->proven = true;
	await_handshake(session, now);
	return WICE_SESSION_DO_APPLY_PATH | (session->controlling ? WICE_SESSION_DO_NUDGE : 0) |
	       tell_if_controlling(session, now);
}

static unsigned follow(WiceSession *session, const WiceSessionEvent *event, int64_t now)
{
	if (session->controlling || event->avoids == session->avoids)
		return 0;
	return event->avoids ? avoid_direct(session, now) : use_direct_again(session, now);
}

static unsigned remote_repeated(WiceSession *session, const WiceSessionEvent *event, int64_t now)
{
	unsigned actions = WICE_SESSION_DO_SET_REMOTE | follow(session, event, now);
	if (event->wants_reply && now - session->published_at >= PUBLISH_ANSWER_GAP_MS)
		actions |= publish_extra(session, now);
	return actions;
}

/* Our agent is not paired: does the description speak to it? */
static unsigned pair_or_answer(WiceSession *session, const WiceSessionEvent *event, int64_t now)
{
	bool fits = !event->remote_ufrag[0] || strcmp(event->remote_ufrag, session->own_ufrag) == 0;
	if (!fits) {
		if (now - session->published_at < PUBLISH_ANSWER_GAP_MS)
			return 0;
		return publish_extra(session, now);
	}
	g_strlcpy(session->paired_ufrag, event->ufrag, sizeof session->paired_ufrag);
	session->give_up_at = now + CHECKING_TIMEOUT_MS;
	set_phase(session, WICE_PHASE_CHECKING, WICE_WHY_CHECKING, now);
	return WICE_SESSION_DO_SET_REMOTE | publish_now(session, PUBLISH_CHECKING_MIN_MS, now);
}

/*
 * A description of an agent that ours is not paired with. If ours is used up, a new one is opened;
 * the shell repeats the event after it has answered with OPENED.
 */
static unsigned remote_is_new(WiceSession *session, const WiceSessionEvent *event, int64_t now)
{
	if (session->phase == WICE_PHASE_SIGNALING)
		return pair_or_answer(session, event, now);
	/* It still speaks to the agent that has failed: it will find out itself. */
	if (session->phase == WICE_PHASE_FAILED && event->remote_ufrag[0])
		return 0;
	if (session->phase == WICE_PHASE_GATHERING || !may_restart_for_peer(session, now))
		return 0;
	unsigned actions = restart(session, WICE_WHY_PEER_RESTARTED, now);
	if (event->relayed && session->relay && session->path && !session->relayed)
		actions |= use_relay(session, false, now);
	return actions;
}

static unsigned remote(WiceSession *session, const WiceSessionEvent *event, int64_t now)
{
	if (session->phase == WICE_PHASE_IDLE || !event->ufrag[0])
		return 0;
	if (session->paired_ufrag[0] && strcmp(session->paired_ufrag, event->ufrag) == 0)
		return remote_repeated(session, event, now);
	return remote_is_new(session, event, now);
}

static unsigned heard(WiceSession *session, const WiceSessionEvent *event)
{
	if (event->awaited)
		return 0;
	if (session->phase != WICE_PHASE_SIGNALING && session->phase != WICE_PHASE_CHECKING)
		return 0;
	if (!session->controlling || session->path || session->trying)
		return 0;
	session->trying = true;
	return WICE_SESSION_DO_TRY | WICE_SESSION_DO_NUDGE;
}

static unsigned pair_selected(WiceSession *session, const WiceSessionEvent *event, int64_t now)
{
	bool begins = session->controlling && (!event->awaited || session->connected_at);
	if (session->phase != WICE_PHASE_CHECKING && session->phase != WICE_PHASE_HANDSHAKING &&
	    session->phase != WICE_PHASE_ESTABLISHED)
		return 0;
	if (session->avoids)
		return 0;
	/*
	 * What the relay has proven, that the ends have keys, holds for the pair that has answered.
	 */
	if (!session->relayed && session->phase == WICE_PHASE_CHECKING)
		session->proven = false;
	if (session->phase == WICE_PHASE_CHECKING) {
		await_handshake(session, now);
		if (session->controlling && !begins)
			session->nudge_at += NUDGE_APART_MS;
	}
	session->path = true;
	session->trying = session->relayed = false;
	return WICE_SESSION_DO_APPLY_PATH | (begins ? WICE_SESSION_DO_NUDGE : 0);
}

static unsigned relay_alive(WiceSession *session, int64_t now)
{
	if (session->proven)
		return WICE_SESSION_DO_SETTLE;
	session->proven = true;
	session->nudge_at = INT64_MAX;
	if (session->avoids) {
		session->give_up_at = INT64_MAX;
		return WICE_SESSION_DO_SETTLE;
	}
	session->connected_at = now;
	return WICE_SESSION_DO_NUDGE | WICE_SESSION_DO_SETTLE;
}

static unsigned wg_alive(WiceSession *session, int64_t now)
{
	if (!session->path)
		return 0;
	if (session->relayed)
		return relay_alive(session, now);
	session->proven = true;
	if (session->phase == WICE_PHASE_ESTABLISHED) /* a better pair was nudged, too */
		return WICE_SESSION_DO_SETTLE;
	if (session->phase != WICE_PHASE_HANDSHAKING)
		return 0;
	stop_timers(session);
	session->failures = 0;
	session->connected_at = now;
	set_phase(session, WICE_PHASE_ESTABLISHED, WICE_WHY_PROVEN, now);
	return WICE_SESSION_DO_NUDGE | WICE_SESSION_DO_SETTLE;
}

/*
 * WireGuard hears nothing. If there is no relay, the path stays applied, it may come back, but it
 * proves nothing.
 */
static unsigned wg_silent(WiceSession *session, int64_t now)
{
	unsigned actions = 0;
	session->proven = false;
	bool idle = session->relayed && session->phase == WICE_PHASE_FAILED;
	if (session->phase == WICE_PHASE_ESTABLISHED || idle)
		actions = restart(session, WICE_WHY_PATH_SILENT, now);
	if (session->relay && !session->relayed && session->path)
		actions |= use_relay(session, true, now);
	return actions;
}

static unsigned relay_ready(WiceSession *session, const WiceSessionEvent *event, int64_t now)
{
	bool waits = !session->relayed && (session->proven || session->trying ||
					   session->phase == WICE_PHASE_HANDSHAKING);
	if (session->phase == WICE_PHASE_IDLE)
		return 0;
	session->relay = true;
	if (waits) {
		bool begins = event->begins && session->phase == WICE_PHASE_HANDSHAKING;
		return begins ? WICE_SESSION_DO_NUDGE : 0;
	}
	if (!session->relayed)
		return use_relay(session, event->begins, now);
	bool speaks = event->begins || session->connected_at;
	return WICE_SESSION_DO_APPLY_RELAY | (speaks ? WICE_SESSION_DO_NUDGE : 0);
}

static unsigned relay_lost(WiceSession *session, int64_t now)
{
	session->relay = false;
	if (session->avoids)
		return use_direct_again(session, now);
	if (!session->relayed)
		return 0;
	session->path = session->relayed = session->proven = false;
	session->nudge_at = INT64_MAX;
	return WICE_SESSION_DO_DROP_PATH;
}

/*
 * With no agent open there is nothing that could be described; a new address is worth opening one.
 */
static unsigned relays_changed(WiceSession *session, const WiceSessionEvent *event, int64_t now)
{
	bool spare = session->phase == WICE_PHASE_ESTABLISHED && !session->relayed && !event->anew;
	if (session->own_ufrag[0])
		return spare ? 0 : publish_extra(session, now);
	if (session->phase == WICE_PHASE_FAILED && event->anew)
		return open_agent(session, session->why, now);
	return 0;
}

/* The path is as good as before, but only a new handshake can prove it. */
static unsigned wg_anew(WiceSession *session, int64_t now)
{
	session->proven = false;
	if (session->relayed) {
		nudge_later(session, now);
		return WICE_SESSION_DO_NUDGE;
	}
	if (session->phase == WICE_PHASE_ESTABLISHED) {
		session->attempt_since = now;
		await_handshake(session, now);
	}
	return session->phase == WICE_PHASE_HANDSHAKING ? WICE_SESSION_DO_NUDGE : 0;
}

/*
 * The agent's verdict is final. After a pair was selected a working WireGuard is stronger evidence
 * than lost ICE keepalives (the peer's daemon may just be gone), so the path is kept meanwhile.
 */
static unsigned ice_failed(WiceSession *session, int64_t now)
{
	if (session->phase == WICE_PHASE_CHECKING)
		return fail(session, WICE_WHY_NO_PAIR_ANSWERED, now);
	if (session->phase != WICE_PHASE_HANDSHAKING && session->phase != WICE_PHASE_ESTABLISHED)
		return 0;
	return restart(session, WICE_WHY_PATH_LOST, now);
}

static unsigned gave_up(WiceSession *session, int64_t now)
{
	switch (session->phase) {
	case WICE_PHASE_GATHERING:
		return open_agent(session, WICE_WHY_NO_ADDRESS, now);
	case WICE_PHASE_CHECKING:
		return fail(session, WICE_WHY_NO_PAIR_ANSWERED, now);
	case WICE_PHASE_HANDSHAKING:
		return fail(session, WICE_WHY_NO_HANDSHAKE, now);
	case WICE_PHASE_FAILED:
		return restart(session, session->why, now);
	case WICE_PHASE_ESTABLISHED:
		return use_direct_again(session, now);
	case WICE_PHASE_IDLE:
	case WICE_PHASE_SIGNALING:
		break;
	}
	session->give_up_at = INT64_MAX;
	return 0;
}

static unsigned deadline_passed(WiceSession *session, int64_t now)
{
	if (session->give_up_at <= now)
		return gave_up(session, now);

	unsigned actions = 0;
	if (session->publish_at <= now)
		actions |= publish_again(session, now);
	if (session->nudge_at <= now) {
		session->nudge_interval = MIN(session->nudge_interval * 2, NUDGE_MAX_MS);
		session->nudge_at = now + session->nudge_interval;
		actions |= WICE_SESSION_DO_NUDGE;
		if (session->nudge_interval > 2 * NUDGE_MIN_MS && !session->relayed)
			actions |= WICE_SESSION_DO_FALL_BACK;
	}
	return actions;
}

static unsigned local_changed(WiceSession *session, int64_t now)
{
	switch (session->phase) {
	case WICE_PHASE_SIGNALING:
	case WICE_PHASE_CHECKING:
	case WICE_PHASE_HANDSHAKING:
		return publish_extra(session, now);
	case WICE_PHASE_IDLE:
	case WICE_PHASE_GATHERING:
	case WICE_PHASE_ESTABLISHED:
	case WICE_PHASE_FAILED:
		break;
	}
	return 0;
}

/* Worth a new agent only while there is nothing better. */
static unsigned stun_changed(WiceSession *session, int64_t now)
{
	if (session->phase != WICE_PHASE_SIGNALING && session->phase != WICE_PHASE_CHECKING &&
	    session->phase != WICE_PHASE_FAILED)
		return 0;
	return open_agent(session, session->why, now);
}

/* While we wait for an answer, a new way to ask is used at once. */
static unsigned signaling_ready(WiceSession *session, int64_t now)
{
	if (session->phase == WICE_PHASE_SIGNALING)
		return publish_now(session, PUBLISH_WAITING_MIN_MS, now);
	if (session->phase == WICE_PHASE_CHECKING)
		return publish_now(session, PUBLISH_CHECKING_MIN_MS, now);
	return 0;
}

static unsigned dispatch(WiceSession *session, const WiceSessionEvent *event, int64_t now)
{
	switch (event->type) {
	case WICE_SESSION_START:
		return session->phase == WICE_PHASE_IDLE ? open_agent(session, WICE_WHY_NONE, now)
							 : 0;
	case WICE_SESSION_STOP:
		return stop(session, now);
	case WICE_SESSION_RESTART:
		return session->phase == WICE_PHASE_IDLE ? 0
							 : restart(session, WICE_WHY_ASKED, now);
	case WICE_SESSION_NETWORK_CHANGED:
		session->failures = 0;
		return session->phase == WICE_PHASE_IDLE
			       ? 0
			       : restart(session, WICE_WHY_ADDRESSES_CHANGED, now);
	case WICE_SESSION_OPENED:
		return opened(session, event->ufrag, now);
	case WICE_SESSION_NOT_OPENED:
		return not_opened(session, now);
	case WICE_SESSION_STUN_CHANGED:
		return stun_changed(session, now);
	case WICE_SESSION_LOCAL_CHANGED:
		return local_changed(session, now);
	case WICE_SESSION_SIGNALING_READY:
		return signaling_ready(session, now);
	case WICE_SESSION_REMOTE:
		return remote(session, event, now);
	case WICE_SESSION_HEARD:
		return heard(session, event);
	case WICE_SESSION_PAIR_SELECTED:
		return pair_selected(session, event, now);
	case WICE_SESSION_ICE_FAILED:
		return ice_failed(session, now);
	case WICE_SESSION_WG_ALIVE:
		return wg_alive(session, now);
	case WICE_SESSION_WG_SILENT:
		return wg_silent(session, now);
	case WICE_SESSION_WG_ANEW:
		return wg_anew(session, now);
	case WICE_SESSION_RELAY_READY:
		return relay_ready(session, event, now);
	case WICE_SESSION_RELAY_LOST:
		return relay_lost(session, now);
	case WICE_SESSION_DIRECT_WORSE:
		return avoid_direct(session, now);
	case WICE_SESSION_DIRECT_BETTER:
		return use_direct_again(session, now);
	case WICE_SESSION_RELAYS_CHANGED:
		return relays_changed(session, event, now);
	case WICE_SESSION_DEADLINE:
		return deadline_passed(session, now);
	}
	return 0;
}

unsigned wice__session_step(WiceSession *session, const WiceSessionEvent *event, int64_t now_ms)
{
	unsigned actions = dispatch(session, event, now_ms);
	update_deadline(session);
	return actions;
}

static WicePeerState relayed_state(const WiceSession *session)
{
	if (session->proven || session->avoids)
		return WICE_STATE_CONNECTED;
	if (session->connected_at)
		return WICE_STATE_DEGRADED;
	return session->phase == WICE_PHASE_FAILED ? WICE_STATE_FAILED : WICE_STATE_HANDSHAKING;
}

WicePeerState wice__session_state(const WiceSession *session)
{
	if (session->relayed)
		return relayed_state(session);
	if (session->phase == WICE_PHASE_HANDSHAKING && session->proven)
		return WICE_STATE_CONNECTED;
	bool searching =
		session->phase != WICE_PHASE_IDLE && session->phase != WICE_PHASE_ESTABLISHED;
	if (searching && session->path && session->connected_at)
		return WICE_STATE_DEGRADED;

	switch (session->phase) {
	case WICE_PHASE_IDLE:
		return WICE_STATE_IDLE;
	case WICE_PHASE_GATHERING:
		return WICE_STATE_GATHERING;
	case WICE_PHASE_SIGNALING:
		return WICE_STATE_SIGNALING;
	case WICE_PHASE_CHECKING:
		return WICE_STATE_CHECKING;
	case WICE_PHASE_HANDSHAKING:
		return WICE_STATE_HANDSHAKING;
	case WICE_PHASE_ESTABLISHED:
		return session->proven ? WICE_STATE_CONNECTED : WICE_STATE_DEGRADED;
	case WICE_PHASE_FAILED:
		return WICE_STATE_FAILED;
	}
	return WICE_STATE_IDLE;
}
