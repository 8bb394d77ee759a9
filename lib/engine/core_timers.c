/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The timers of a peer (whitepaper section 6). None of them is a timer: each is what follows from
 * the stamps of the peer and the time. Looking at a peer does what is due and finds the next
 * deadline; a stamp that was renewed meanwhile only makes for a look in vain.
 */
#include "engine/core_private.h"

static int64_t earlier(int64_t deadline, int64_t since, int64_t after)
{
	return MIN(deadline, since + after);
}

bool wice__peer_sent(WiceCorePeer *peer, int64_t now_ms, bool data)
{
	int64_t never = 0;
	atomic_store_explicit(&peer->sent_ms, now_ms, memory_order_relaxed);
	atomic_store_explicit(&peer->unacknowledged_ms, 0, memory_order_relaxed);
	if (!data || atomic_load_explicit(&peer->unanswered_ms, memory_order_relaxed))
		return false;
	atomic_compare_exchange_strong(&peer->unanswered_ms, &never, now_ms);
	return now_ms + NEW_HANDSHAKE_TIMEOUT + MAX_JITTER < peer->look_ms;
}

bool wice__peer_received(WiceCorePeer *peer, int64_t now_ms, bool data)
{
	int64_t never = 0;
	atomic_store_explicit(&peer->received_ms, now_ms, memory_order_relaxed);
	atomic_store_explicit(&peer->unanswered_ms, 0, memory_order_relaxed);
	if (!data)
		return false;
	if (!atomic_compare_exchange_strong(&peer->unacknowledged_ms, &never, now_ms)) {
		atomic_store_explicit(&peer->more_unacknowledged, true, memory_order_relaxed);
		return false;
	}
	return now_ms + KEEPALIVE_TIMEOUT < peer->look_ms;
}

int64_t wice__core_next(const WiceCore *core)
{
	const WiceDeadline *first = wice__deadlines_first(&core->deadlines);
	return first ? MIN(first->ms, core->limit_ms) : core->limit_ms;
}

static void set_deadline(WiceCore *core, WiceCorePeer *peer, int64_t ms)
{
	wice__deadlines_set(&core->deadlines, &peer->deadline, ms);
	peer->look_ms = ms;
}

void wice__core_look_soon(WiceCore *core, WiceCorePeer *peer)
{
	set_deadline(core, peer, 0);
}

void wice__core_stop_timers(WiceCore *core, WiceCorePeer *peer)
{
	peer->retry_ms = peer->forget_ms = INT64_MAX;
	peer->attempts = 0;
	peer->wants_handshake = peer->wants_keepalive = false;
	peer->unanswered_ms = 0;
	peer->unacknowledged_ms = 0;
	peer->more_unacknowledged = false;
	set_deadline(core, peer, INT64_MAX);
}

void wice__core_handshake_complete(WiceCore *core, WiceCorePeer *peer, WiceNow now)
{
	peer->retry_ms = INT64_MAX;
	peer->attempts = 0;
	peer->wants_handshake = false;
	peer->handshake_ns = now.realtime_ns;
	wice__core_hold_lanes(core);
	wice__core_end_handshake(core, peer);
	wice__core_release_lanes(core);
	core->hooks->event(WICE_ENGINE_PEER_HANDSHAKE, &peer->noise.public_key, core->user_data);
}

void wice__core_want_handshake(WiceCorePeer *peer)
{
	peer->wants_handshake = true;
	peer->attempts = 0;
}

/* No response has come to our initiation. */
static void retry(WiceCore *core, WiceCorePeer *peer, WiceNow now)
{
	peer->retry_ms = INT64_MAX;
	if (peer->attempts >= REKEY_ATTEMPTS) {
		peer->attempts = 0;
		peer->wants_keepalive = peer->wants_handshake = false;
		peer->unacknowledged_ms = 0;
		wice__core_drop_staged(core, peer);
		if (peer->forget_ms == INT64_MAX)
			peer->forget_ms = now.ms + FORGET_AFTER_TIME;
		return;
	}
	peer->attempts++;
	peer->wants_handshake = true;
	wice__core_clear_source(core, peer);
}

static void forget(WiceCore *core, WiceCorePeer *peer)
{
	peer->forget_ms = INT64_MAX;
	wice__core_hold_lanes(core);
	wice__core_forget(core, peer);
	wice__core_release_lanes(core);
}

/* What was sent has not been answered: the session, or the path, may be dead. */
static void doubt(WiceCore *core, WiceCorePeer *peer)
{
	peer->unanswered_ms = 0;
	wice__core_want_handshake(peer);
	wice__core_clear_source(core, peer);
}

static int64_t last_traffic(const WiceCorePeer *peer)
{
	return MAX(peer->sent_ms, peer->received_ms);
}

static void do_what_is_due(WiceCore *core, WiceCorePeer *peer, WiceNow now)
{
	int64_t unanswered = peer->unanswered_ms, unacknowledged = peer->unacknowledged_ms,
		none = 0;
	/* What was received must be acknowledged, or the peer will doubt. */
	bool acknowledge = unacknowledged && unacknowledged + KEEPALIVE_TIMEOUT <= now.ms;

	if (peer->retry_ms <= now.ms)
		retry(core, peer, now);
	if (unanswered && unanswered + NEW_HANDSHAKE_TIMEOUT + peer->jitter_ms <= now.ms)
		doubt(core, peer);
	if (peer->keepalive_s && last_traffic(peer) + peer->keepalive_s * 1000 <= now.ms)
		peer->wants_keepalive = true;
	if (acknowledge) {
		peer->wants_keepalive = true;
		peer->unacknowledged_ms = 0;
	}
	wice__core_flush(core, peer, now);
	if (acknowledge && atomic_exchange(&peer->more_unacknowledged, false))
		atomic_compare_exchange_strong(&peer->unacknowledged_ms, &none, now.ms);
	if (peer->wants_handshake && peer->retry_ms == INT64_MAX)
		wice__core_initiate(core, peer, now);
}

/* True if packets can go to it at all; if not, nothing is due but to forget its keys. */
static bool can_talk(const WiceCore *core, const WiceCorePeer *peer)
{
	return core->up && core->has_identity &&
	       peer->path.remote.address.family != WICE_FAMILY_NONE;
}

static int64_t next_deadline(const WiceCore *core, const WiceCorePeer *peer)
{
	int64_t next = MIN(peer->retry_ms, peer->forget_ms);
	int64_t unanswered = peer->unanswered_ms, unacknowledged = peer->unacknowledged_ms;
	if (!can_talk(core, peer))
		return peer->forget_ms;
	if (unanswered)
		next = earlier(next, unanswered, NEW_HANDSHAKE_TIMEOUT + peer->jitter_ms);
	if (unacknowledged)
		next = earlier(next, unacknowledged, KEEPALIVE_TIMEOUT);
	/* While a keepalive waits for a session there is nothing to do about it. */
	if (peer->keepalive_s && !peer->wants_keepalive)
		next = earlier(next, last_traffic(peer), peer->keepalive_s * 1000);
	if (peer->wants_handshake && peer->retry_ms == INT64_MAX)
		next = earlier(next, peer->shaken_ms, REKEY_TIMEOUT);
	return next;
}

void wice__core_look(WiceCore *core, WiceCorePeer *peer, WiceNow now)
{
	int64_t next;
	if (peer->forget_ms <= now.ms)
		forget(core, peer);
	if (can_talk(core, peer))
		do_what_is_due(core, peer, now);
	/* Again if a lane has stamped the peer meanwhile: it has seen the old deadline. */
	do {
		next = next_deadline(core, peer);
		set_deadline(core, peer, next);
	} while (next_deadline(core, peer) < next);
}

#define LOOKS_PER_CALL 32 /* handshakes that have come in must not wait for all */

int64_t wice__core_timers(WiceCore *core, WiceNow now)
{
	g_mutex_lock(&core->mutex);
	for (int i = 0; i < LOOKS_PER_CALL; i++) {
		WiceDeadline *first = wice__deadlines_first(&core->deadlines);
		if (!first || first->ms > now.ms)
			break;
		wice__core_look(
			core,
			G_STRUCT_MEMBER_P(first, -(glong)G_STRUCT_OFFSET(WiceCorePeer, deadline)),
			now);
	}
	if (core->limit_ms <= now.ms)
		core->limit_ms =
			wice__rate_limit_expire(core->limit, now.ms) ? now.ms + 1000 : INT64_MAX;
	int64_t next = wice__core_next(core);
	g_mutex_unlock(&core->mutex);
	return next;
}

int64_t wice__core_deadline(WiceCore *core)
{
	g_mutex_lock(&core->mutex);
	int64_t next = wice__core_next(core);
	g_mutex_unlock(&core->mutex);
	return next;
}
