/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The shell of a session: carries out what it decides, and tells it what happens. */
#include "agent/peer_private.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"

#define MAX_NESTED_EVENTS 8

static void log_peer(const WicePeer *peer, WiceLogLevel level, const char *text)
{
	wice__log(level, peer->subject, "%s", text);
}

WiceMechanisms *wice__peer_mechanisms(const WicePeer *peer)
{
	return wice__interface_mechanisms(peer->interface);
}

static void free_proxy(WicePeer *peer, WiceMechanism mechanism)
{
	WiceProxyPeer *proxy = peer->proxies[mechanism];
	peer->proxies[mechanism] = NULL;
	if (!proxy)
		return;
	proxy->proxy->ops->peer_free(proxy);
	wice__mechanisms_give(wice__peer_mechanisms(peer), mechanism);
}

void wice__peer_free_unused_proxies(WicePeer *peer)
{
	for (unsigned i = 0; i < WICE_MECHANISMS_N; i++)
		if (!wice__attempts_use(&peer->attempts, i) && !wice__peer_relay_uses(peer, i))
			free_proxy(peer, i);
}

static void on_candidates(WiceAttempt *attempt, void *user_data)
{
	WicePeer *peer = user_data;
	if (attempt == peer->attempts.newest)
		wice__peer_run(peer, &(WiceSessionEvent){ .type = WICE_SESSION_LOCAL_CHANGED });
}

static void on_pair(WiceAttempt *attempt, void *user_data)
{
	WicePeer *peer = user_data;
	if (attempt == peer->attempts.newest)
		wice__peer_run(peer, &(WiceSessionEvent){
					     .type = WICE_SESSION_PAIR_SELECTED,
					     .awaited = wice__peer_relay_is_awaited(peer),
				     });
	else if (attempt == peer->attempts.active)
		wice__peer_move_path(peer);
}

static void on_check(WiceAttempt *attempt, void *user_data)
{
	WicePeer *peer = user_data;
	WiceEndpoint source;
	if (attempt == peer->attempts.newest && wice__attempt_heard(attempt, &source) == 0)
		wice__peer_run(peer, &(WiceSessionEvent){
					     .type = WICE_SESSION_HEARD,
					     .awaited = wice__peer_relay_is_awaited(peer),
				     });
}

static void on_failed(WiceAttempt *attempt, void *user_data)
{
	WicePeer *peer = user_data;
	if (attempt == peer->attempts.newest)
		wice__peer_run(peer, &(WiceSessionEvent){ .type = WICE_SESSION_ICE_FAILED });
}

static const WiceAttemptEvents attempt_events = {
	.on_candidates = on_candidates,
	.on_check = on_check,
	.on_pair = on_pair,
	.on_failed = on_failed,
};

static void on_stun(WiceProxyPath *path, const WiceEndpoint *source, const uint8_t *packet,
		    size_t len, void *user_data)
{
	WicePeer *peer = user_data;
	if (wice__peer_direct_input(peer, path, source, packet, len))
		return;
	if (peer->attempts.newest)
		wice__attempt_stun_input(peer->attempts.newest, path, source, packet, len);
}

static const WiceProxyEvents proxy_events = { .on_stun = on_stun };

int wice__peer_ensure_proxy(WicePeer *peer, WiceMechanism mechanism)
{
	if (peer->proxies[mechanism])
		return 0;
	WiceProxy *proxy = wice__mechanisms_take(wice__peer_mechanisms(peer), mechanism);
	if (!proxy)
		return -EIO;
	int err = proxy->ops->peer_new(proxy, &proxy_events, peer, &peer->proxies[mechanism]);
	if (err)
		wice__mechanisms_give(wice__peer_mechanisms(peer), mechanism);
	return err;
}

/* The reason tells these, and they may last: nothing for the log each time. */
static bool has_reason(int err)
{
	return err == 0 || err == -EADDRNOTAVAIL || err == -EMFILE || err == -ENFILE ||
	       err == -ELIBACC;
}

static int make_attempt_by(WicePeer *peer, WiceMechanism mechanism)
{
	WiceAttemptOptions options = { 0 };
	int err = wice__peer_ensure_proxy(peer, mechanism);
	if (err)
		return err;
	wice__interface_attempt_options(peer->interface, &options);
	options.context = peer->context;
	options.controlling = peer->session.controlling;
	options.proxy = peer->proxies[mechanism];
	err = wice__attempt_new(&options, &attempt_events, peer, &peer->attempts.newest);
	if (err)
		wice__peer_free_unused_proxies(peer);
	return err;
}

/* The best mechanism, or the next one where the kernel lacks something for it. */
static int make_attempt(WicePeer *peer)
{
	if (wice__now_ms() >= peer->refused_until)
		peer->refused = 0;
	unsigned refused = peer->refused;
	int err = -ENOTSUP;
	while (err == -ENOTSUP && !(refused & WICE_MECHANISM_BIT(WICE_MECHANISM_USER))) {
		WiceMechanism mechanism =
			wice__mechanisms_best(wice__peer_mechanisms(peer), refused);
		err = make_attempt_by(peer, mechanism);
		refused |= WICE_MECHANISM_BIT(mechanism);
	}
	return err;
}

static void open_attempt(WicePeer *peer)
{
	peer->attempt_opened_ns = wice__realtime_ms() * 1000000;
	int err = make_attempt(peer);
	peer->not_opened = err;
	if (!has_reason(err))
		wice__log(WICE_LOG_WARNING, peer->subject, "no ICE agent could be started: %s",
			  g_strerror(-err));
	if (err) {
		wice__peer_run(peer, &(WiceSessionEvent){ .type = WICE_SESSION_NOT_OPENED });
		return;
	}
	wice__peer_run(peer,
		       &(WiceSessionEvent){
			       .type = WICE_SESSION_OPENED,
			       .ufrag = wice__attempt_credentials(peer->attempts.newest)->ufrag,
		       });
}

static void set_remote(WicePeer *peer)
{
	int err = peer->attempts.newest
			  ? wice__attempt_set_remote(peer->attempts.newest, &peer->remote,
						     &peer->hold.found_endpoint)
			  : 0;
	if (err)
		wice__log(WICE_LOG_WARNING, peer->subject,
			  "the peer's description was refused by the ICE agent: %s",
			  g_strerror(-err));
}

static void settle(WicePeer *peer)
{
	peer->shown |= WICE_MECHANISM_BIT(peer->selection.mechanism);
	wice__hold_settle(&peer->hold);
	if (peer->session.connected_at >= peer->session.attempt_since)
		peer->connect_ms =
			(uint32_t)(peer->session.connected_at - peer->session.attempt_since);
}

static void perform(WicePeer *peer, unsigned actions, const WiceSessionEvent *event)
{
	if (actions & WICE_SESSION_DO_CLOSE_ICE)
		wice__attempts_close_newest(&peer->attempts);
	if (actions & WICE_SESSION_DO_DROP_PATH)
		wice__peer_drop_path(peer);
	if (actions & WICE_SESSION_DO_OPEN_ICE) {
		open_attempt(peer);
		if (event->type == WICE_SESSION_REMOTE)
			wice__peer_run(peer, event);
	}
	if (actions & WICE_SESSION_DO_SET_REMOTE)
		set_remote(peer);
	if (actions & WICE_SESSION_DO_PUBLISH)
		peer->publish_pending = true;
	if (actions & WICE_SESSION_DO_APPLY_PATH)
		wice__peer_apply_path(peer);
	if (actions & WICE_SESSION_DO_APPLY_RELAY)
		wice__peer_apply_relay(peer);
	if (actions & WICE_SESSION_DO_FALL_BACK)
		wice__peer_fall_back(peer);
	if (actions & WICE_SESSION_DO_TRY)
		wice__peer_try_path(peer);
	if (actions & WICE_SESSION_DO_NUDGE)
		wice__hold_nudge(&peer->hold);
	if (actions & WICE_SESSION_DO_SETTLE)
		settle(peer);
}

void wice__peer_run(WicePeer *peer, const WiceSessionEvent *event)
{
	if (peer->nested >= MAX_NESTED_EVENTS)
		return;
	peer->nested++;
	WiceSessionPhase before = peer->session.phase;
	unsigned actions = wice__session_step(&peer->session, event, wice__now_ms());
	if (before == WICE_PHASE_HANDSHAKING && peer->session.phase == WICE_PHASE_FAILED)
		wice__peer_doubt(peer);
	if (peer->session.phase == WICE_PHASE_FAILED && peer->reported != WICE_STATE_FAILED)
		wice__peer_refresh_reason(peer); /* before the attempt that knows why is closed */
	perform(peer, actions, event);
	/* A direct path that is not even kept is a former one. */
	if (peer->session.relayed && !peer->session.avoids)
		wice__attempts_retire(&peer->attempts, &peer->hold.seen.endpoint, wice__now_ms());
	if (peer->nested == 1) {
		wice__peer_relay_update(peer);
		wice__peer_direct_update(peer);
	}
	peer->nested--;
	if (peer->nested)
		return;
	if (peer->publish_pending) {
		peer->publish_pending = false;
		wice__peer_publish(peer);
	}
	wice__timer_set(peer->timer, MIN(peer->session.deadline, wice__peer_relay_deadline(peer)));
	wice__peer_report_state(peer);
}

void wice__peer_outside_changed(WicePeer *peer, const WiceOutside *outside)
{
	if (peer->attempts.newest)
		wice__attempt_set_outside(peer->attempts.newest, outside);
}

void wice__peer_relays_changed(WicePeer *peer, bool anew)
{
	wice__peer_run(peer,
		       &(WiceSessionEvent){ .type = WICE_SESSION_RELAYS_CHANGED, .anew = anew });
}

static void on_timer(void *user_data)
{
	wice__peer_run(user_data, &(WiceSessionEvent){ .type = WICE_SESSION_DEADLINE });
}

void wice__peer_event(WicePeer *peer, WiceSessionEventType type)
{
	if (type == WICE_SESSION_NETWORK_CHANGED)
		wice__peer_forgive(peer);
	wice__peer_run(peer, &(WiceSessionEvent){ .type = type });
}

static void name_subject(WicePeer *peer)
{
	char key[WICE_KEY_BASE64_SIZE];
	wice_key_to_base64(&peer->key, key);
	g_snprintf(peer->subject, sizeof peer->subject, "%s %.8s…",
		   wice__interface_name(peer->interface), key);
}

WicePeer *wice__peer_new(WiceInterface *interface, const WiceDevicePeer *found)
{
	WicePeer *peer = g_new0(WicePeer, 1);
	peer->interface = interface;
	peer->key = found->public_key;
	peer->open_tokens_at = peer->genuine_tokens_at = INT64_MIN / 2;
	peer->stale_answered_at = INT64_MIN / 2;
	peer->state_since_ms = wice__realtime_ms();
	name_subject(peer);
	wice__interface_init_mailbox(interface, &peer->mailbox, &peer->key);
	uint64_t seed;
	memcpy(&seed, peer->key.bytes, sizeof seed);
	bool controlling = wice_key_compare(&peer->mailbox.own_public, &peer->key) < 0;
	wice__session_init(&peer->session, controlling, seed ^ (uint64_t)g_get_real_time(),
			   wice__now_ms());
	wice__roam_init(&peer->roam, controlling);
	wice__peer_relay_init(&peer->relay);
	wice__peer_direct_init(&peer->direct);
	peer->context = wice__context_pool_take(wice__interface_contexts(interface));
	peer->timer = wice__timer_new(peer->context, on_timer, peer);
	wice__hold_init(&peer->hold, interface, peer->subject, found);
	wice__peer_refresh_reason(peer);
	log_peer(peer, WICE_LOG_DEBUG, "peer added");
	return peer;
}

void wice__peer_free(WicePeer *peer, bool gone)
{
	if (!peer)
		return;
	peer->nested = MAX_NESTED_EVENTS; /* nothing is reported or sent from here on */
	if (gone) {
		memset(&peer->hold.applied, 0, sizeof peer->hold.applied);
		peer->hold.nudging = false;
	}
	wice__peer_direct_close(peer);
	wice__attempts_close_newest(&peer->attempts);
	wice__peer_drop_path(peer);
	wice__peer_relay_close(peer);
	wice__relays_set_services(wice__interface_relays(peer->interface), &peer->key, NULL, 0);
	for (unsigned i = 0; i < WICE_MECHANISMS_N; i++)
		free_proxy(peer, i);
	wice__timer_free(peer->timer);
	wice__context_pool_give(wice__interface_contexts(peer->interface), peer->context);
	wice__mailbox_done(&peer->mailbox);
	log_peer(peer, WICE_LOG_DEBUG, "peer removed");
	g_free(peer);
}

const WiceKey *wice__peer_key(const WicePeer *peer)
{
	return &peer->key;
}

WicePollRate wice__peer_wants_polls(const WicePeer *peer, int64_t now_ms)
{
	const WiceSession *session = &peer->session;
	bool proving =
		session->phase == WICE_PHASE_HANDSHAKING || (session->relayed && !session->proven);
	bool recent = now_ms - MAX(session->phase_since, peer->relay_applied_at) < 3000;
	if ((proving && recent) || wice__roam_wants_polls(&peer->roam, now_ms))
		return WICE_POLL_FAST;
	bool watched = session->relay && session->path &&
		       wice__suspicion_wants_polls(&peer->suspicion, now_ms);
	return watched ? WICE_POLL_BRISK : WICE_POLL_SLOW;
}
