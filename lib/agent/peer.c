/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/peer.h"

#include <errno.h>
#include <string.h>

#include "agent/attempts.h"
#include "agent/hold.h"
#include "agent/interface.h"
#include "agent/reason.h"
#include "agent/roam.h"
#include "base/log.h"
#include "event/route.h"
#include "event/source.h"
#include "proxy/proxy.h"
#include "proxy/select.h"
#include "proxy/user.h"
#include "signaling/sealed.h"

/*
 * Envelopes in the name of one peer. Anybody can send such, so there are two buckets: a large one
 * for opening, which costs microseconds and shows who made it, and a small one for what is genuine.
 */
#define OPEN_BURST 5000
#define OPEN_INTERVAL_US 200
#define GENUINE_BURST 50
#define GENUINE_INTERVAL_US 50000
/* An answer to a replayed or outdated description, not more often. */
#define STALE_ANSWER_GAP_MS 1000
#define MAX_NESTED_EVENTS 8
/* How long packets of the former path are taken after the new one was proven. */
#define FORMER_KEPT_MS 5000
/* For so long a mechanism is not used with a peer that no handshake got through to by it. */
#define REFUSED_MS 600000
/* Where WireGuard needs no ICE agent once it is connected, the agent is closed after this. */
#define REST_AFTER_MS 10000
/* NATs and firewalls forget a UDP mapping that was not used for 30 s at the earliest, often. */
#define KEEPALIVE_MS 20000

struct WicePeer {
	WiceInterface *interface;
	GMainContext *context; /* a share of one */
	WiceKey key;
	char subject[32]; /* "wg0 Q3x0PwAb…" for the log */
	WiceSession session;
	WicePeerState reported;
	int64_t state_since_ms;
	WiceTimer *timer;
	WiceMailbox mailbox;
	WiceProxyPeer *proxies[WICE_MECHANISMS_N]; /* by mechanism; those in use */
	WiceAttempts attempts;
	int64_t attempt_opened_ns; /* CLOCK_REALTIME */
	bool has_remote;
	WiceDescription remote;
	int not_opened; /* why no attempt could be made: 0 or -errno */
	unsigned nested;
	bool publish_pending;
	int64_t open_tokens_at, genuine_tokens_at; /* in µs */
	int64_t stale_answered_at;
	WiceHold hold;
	WiceSelection selection;     /* how packets get to the path of `active` */
	WiceEndpoint proxy_endpoint; /* what WireGuard's is to be for that path */
	unsigned refused;            /* mechanisms that did not get through, as bits */
	unsigned proven;             /* those that have, in this network */
	int64_t refused_until;
	uint64_t sent_bytes; /* by WireGuard, when something was last sent: */
	int64_t sent_at;
	WiceRoam roam;
	char reason[WICE_REASON_SIZE];
	uint32_t connect_ms;
};

static void run(WicePeer *peer, const WiceSessionEvent *event);

static void log_peer(const WicePeer *peer, WiceLogLevel level, const char *text)
{
	wice__log(level, peer->subject, "%s", text);
}

static WiceMechanisms *mechanisms_of(const WicePeer *peer)
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
	wice__mechanisms_give(mechanisms_of(peer), mechanism);
}

/* After attempts have been freed. */
static void free_unused_proxies(WicePeer *peer)
{
	for (unsigned i = 0; i < WICE_MECHANISMS_N; i++)
		if (!wice__attempts_use(&peer->attempts, i))
			free_proxy(peer, i);
}

static void on_candidates(WiceAttempt *attempt, void *user_data)
{
	WicePeer *peer = user_data;
	if (attempt == peer->attempts.newest)
		run(peer, &(WiceSessionEvent){ .type = WICE_SESSION_LOCAL_CHANGED });
}

static void on_pair(WiceAttempt *attempt, void *user_data)
{
	WicePeer *peer = user_data;
	if (attempt == peer->attempts.newest)
		run(peer, &(WiceSessionEvent){ .type = WICE_SESSION_PAIR_SELECTED });
	else if (attempt == peer->attempts.active)
		wice__attempt_select(attempt, &peer->proxy_endpoint);
}

static void on_check(WiceAttempt *attempt, void *user_data)
{
	WicePeer *peer = user_data;
	WiceEndpoint source;
	if (attempt == peer->attempts.newest && wice__attempt_heard(attempt, &source) == 0)
		run(peer, &(WiceSessionEvent){ .type = WICE_SESSION_HEARD });
}

static void on_failed(WiceAttempt *attempt, void *user_data)
{
	WicePeer *peer = user_data;
	if (attempt == peer->attempts.newest)
		run(peer, &(WiceSessionEvent){ .type = WICE_SESSION_ICE_FAILED });
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
	if (peer->attempts.newest)
		wice__attempt_stun_input(peer->attempts.newest, path, source, packet, len);
}

static const WiceProxyEvents proxy_events = { .on_stun = on_stun };

static int ensure_proxy(WicePeer *peer, WiceMechanism mechanism)
{
	if (peer->proxies[mechanism])
		return 0;
	WiceProxy *proxy = wice__mechanisms_take(mechanisms_of(peer), mechanism);
	if (!proxy)
		return -EIO;
	int err = proxy->ops->peer_new(proxy, &proxy_events, peer, &peer->proxies[mechanism]);
	if (err)
		wice__mechanisms_give(mechanisms_of(peer), mechanism);
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
	int err = ensure_proxy(peer, mechanism);
	if (err)
		return err;
	wice__interface_attempt_options(peer->interface, &options);
	options.context = peer->context;
	options.controlling = peer->session.controlling;
	options.proxy = peer->proxies[mechanism];
	err = wice__attempt_new(&options, &attempt_events, peer, &peer->attempts.newest);
	if (err)
		free_unused_proxies(peer);
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
		WiceMechanism mechanism = wice__mechanisms_best(mechanisms_of(peer), refused);
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
		run(peer, &(WiceSessionEvent){ .type = WICE_SESSION_NOT_OPENED });
		return;
	}
	run(peer, &(WiceSessionEvent){
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

static void publish(WicePeer *peer)
{
	static const WiceDescription empty;
	if (!peer->attempts.newest)
		return;
	WiceDescription description = empty;
	wice__attempt_describe(peer->attempts.newest, &description);
	g_strlcpy(description.remote_ufrag, peer->session.paired_ufrag,
		  sizeof description.remote_ufrag);
	description.wants_reply = peer->session.phase == WICE_PHASE_SIGNALING;
	if (wice__mechanisms_may_use_kernel(mechanisms_of(peer)))
		description.listen_port = wice__interface_listen_port(peer->interface);

	WiceEnvelope envelope;
	uint8_t body[WICE_ENVELOPE_MAX];
	if (wice__mailbox_seal(&peer->mailbox, &description, wice__realtime_ms(), &envelope, body))
		wice__interface_publish(peer->interface, &envelope);
}

static void refuse(WicePeer *peer, WiceMechanism mechanism)
{
	if (mechanism == WICE_MECHANISM_USER || mechanism == WICE_MECHANISM_NONE)
		return;
	peer->refused |= WICE_MECHANISM_BIT(mechanism);
	peer->refused_until = wice__now_ms() + REFUSED_MS;
}

/*
 * A mechanism that has worked is tried once more: the peer may have died between what ICE and what
 * WireGuard had to say, or have been suspended.
 */
static void blame(WicePeer *peer, WiceMechanism mechanism)
{
	if (!(peer->proven & WICE_MECHANISM_BIT(mechanism)))
		refuse(peer, mechanism);
	peer->proven &= ~WICE_MECHANISM_BIT(mechanism);
}

static bool may_use_kernel(const WicePeer *peer)
{
	bool refused = peer->refused & WICE_MECHANISM_BIT(WICE_MECHANISM_KERNEL);
	return wice__mechanisms_may_use_kernel(mechanisms_of(peer)) &&
	       (!refused || wice__now_ms() >= peer->refused_until);
}

static void select_mechanism(WicePeer *peer, bool kernel)
{
	const WiceIcePair *pair = wice__attempt_pair(peer->attempts.active);
	WiceSelectInput input = {
		.mechanism = wice__attempt_mechanism(peer->attempts.active),
		.own_kernel = kernel,
		.peer_kernel = peer->mailbox.peer_capabilities & WICE_CAPABILITY_KERNEL_PATH,
		.peer_no_proxy = peer->remote.no_proxy,
		.own_wg_port = wice__interface_listen_port(peer->interface),
		.peer_wg_port = peer->remote.listen_port,
		.local = &pair->local,
		.remote = &pair->remote,
		.n_peer_candidates = peer->remote.n_candidates,
		.peer_candidates = peer->remote.candidates,
	};
	wice__select(&input, &peer->selection);
}

static const WiceEndpoint *mechanism_endpoint(const WicePeer *peer)
{
	return peer->selection.mechanism == WICE_MECHANISM_KERNEL ? &peer->selection.endpoint
								  : &peer->proxy_endpoint;
}

/*
 * WireGuard's own socket goes where the routes lead, ICE's where it was bound. On a host with several
 * uplinks that may be two ways, of which only ICE's is known to work.
 */
static bool leaves_by_its_uplink(WicePeer *peer)
{
	WiceMechanism mechanism = wice__attempt_mechanism(peer->attempts.newest);
	const WiceIcePair *pair = wice__attempt_pair(peer->attempts.newest);
	if (!pair || (mechanism != WICE_MECHANISM_BPF && mechanism != WICE_MECHANISM_NFT))
		return true;
	return wice__route_leaves_by(&pair->remote.endpoint, &pair->base.address,
				     wice__interface_fwmark(peer->interface));
}

/* A new search with what sends from ICE's own socket. */
static void avoid_routes(WicePeer *peer)
{
	char text[WICE_ENDPOINT_SIZE];
	const WiceIcePair *pair = wice__attempt_pair(peer->attempts.newest);
	wice__log(WICE_LOG_INFO, peer->subject,
		  "WireGuard would send to %s by another uplink than the one that ICE has found to "
		  "work; the port of ICE is used",
		  wice_endpoint_format(&pair->remote.endpoint, text));
	refuse(peer, WICE_MECHANISM_BPF);
	refuse(peer, WICE_MECHANISM_NFT);
	run(peer, &(WiceSessionEvent){ .type = WICE_SESSION_RESTART });
}

/*
 * The proxy goes from the former path to the new one between two packets, also where WireGuard's
 * own socket is to be used: the peer may not be that far yet.
 */
static void apply_path(WicePeer *peer)
{
	if (peer->attempts.newest && !leaves_by_its_uplink(peer)) {
		avoid_routes(peer);
		return;
	}
	int err = peer->attempts.newest
			  ? wice__attempt_select(peer->attempts.newest, &peer->proxy_endpoint)
			  : -ENOENT;
	if (err) {
		wice__log(WICE_LOG_WARNING, peer->subject, "the selected pair cannot be used: %s",
			  g_strerror(-err));
		return;
	}
	wice__attempts_activate(&peer->attempts, &peer->hold.seen.endpoint, wice__now_ms());
	free_unused_proxies(peer);
	select_mechanism(peer, may_use_kernel(peer));
	/* The same endpoint may be reached over another port of ours now, which nobody sees. */
	if (peer->selection.mechanism == WICE_MECHANISM_INPROCESS)
		wice__hold_forget_seen(&peer->hold);
	wice__hold_set_endpoint(&peer->hold, mechanism_endpoint(peer), peer->attempt_opened_ns);
	bool proven = peer->selection.mechanism != WICE_MECHANISM_KERNEL;
	wice__roam_selected(&peer->roam, mechanism_endpoint(peer), proven, wice__now_ms());
	wice__interface_poll_soon(peer->interface);
}

/* Before ICE has a pair: the handshake may begin where a check of the peer came from. */
static void try_path(WicePeer *peer)
{
	WiceEndpoint source;
	if (peer->attempts.newest && wice__attempt_heard(peer->attempts.newest, &source) == 0)
		wice__hold_try(&peer->hold, &source);
}

/* A firewall may let ICE's port pass and not WireGuard's. */
static void fall_back(WicePeer *peer)
{
	if (peer->selection.mechanism != WICE_MECHANISM_KERNEL)
		return;
	wice__log(WICE_LOG_INFO, peer->subject,
		  "WireGuard's own socket does not reach the peer; the port of ICE is used");
	refuse(peer, WICE_MECHANISM_KERNEL);
	apply_path(peer);
}

static void drop_path(WicePeer *peer)
{
	WiceProxyPeer *proxy =
		peer->attempts.active
			? peer->proxies[wice__attempt_mechanism(peer->attempts.active)]
			: NULL;
	if (proxy)
		proxy->proxy->ops->select(proxy, NULL, NULL, &peer->proxy_endpoint);
	wice__hold_release(&peer->hold);
	wice__roam_cleared(&peer->roam);
	memset(&peer->selection, 0, sizeof peer->selection);
	wice__attempts_drop(&peer->attempts);
	free_unused_proxies(peer);
}

static void settle(WicePeer *peer)
{
	wice__hold_settle(&peer->hold);
	peer->proven |= WICE_MECHANISM_BIT(peer->selection.mechanism);
	peer->connect_ms = (uint32_t)(peer->session.connected_at - peer->session.attempt_since);
}

static void perform(WicePeer *peer, unsigned actions, const WiceSessionEvent *event)
{
	if (actions & WICE_SESSION_DO_CLOSE_ICE)
		wice__attempts_close_newest(&peer->attempts);
	if (actions & WICE_SESSION_DO_DROP_PATH)
		drop_path(peer);
	if (actions & WICE_SESSION_DO_OPEN_ICE) {
		open_attempt(peer);
		if (event->type == WICE_SESSION_REMOTE)
			run(peer, event);
	}
	if (actions & WICE_SESSION_DO_SET_REMOTE)
		set_remote(peer);
	if (actions & WICE_SESSION_DO_PUBLISH)
		peer->publish_pending = true;
	if (actions & WICE_SESSION_DO_APPLY_PATH)
		apply_path(peer);
	if (actions & WICE_SESSION_DO_FALL_BACK)
		fall_back(peer);
	if (actions & WICE_SESSION_DO_TRY)
		try_path(peer);
	if (actions & WICE_SESSION_DO_NUDGE)
		wice__hold_nudge(&peer->hold);
	if (actions & WICE_SESSION_DO_SETTLE)
		settle(peer);
}

/* An address of the peer that ICE found or was told. */
static bool is_known(const WicePeer *peer, const WiceEndpoint *endpoint)
{
	for (size_t i = 0; peer->has_remote && i < peer->remote.n_candidates; i++)
		if (wice_endpoint_compare(&peer->remote.candidates[i].endpoint, endpoint) == 0)
			return true;
	return wice__attempts_lead_by(&peer->attempts, endpoint);
}

/*
 * The proxy in userspace shows WireGuard one address per peer, whatever path its packets take; but
 * those of a former path by another mechanism do not come through it.
 */
static bool sees_addresses(const WicePeer *peer)
{
	return peer->selection.mechanism != WICE_MECHANISM_USER ||
	       wice__attempts_led_by(&peer->attempts, &peer->hold.seen.endpoint);
}

/* Somewhere that neither we nor the peer would have sent WireGuard to. */
static bool is_foreign(const WicePeer *peer)
{
	return wice__hold_is_foreign(&peer->hold) &&
	       !(sees_addresses(peer) && is_known(peer, &peer->hold.seen.endpoint));
}

static void collect_facts(const WicePeer *peer, WiceReasonFacts *facts)
{
	memset(facts, 0, sizeof *facts);
	facts->why = peer->session.why;
	facts->phase = peer->session.phase;
	facts->proven = peer->session.proven;
	facts->path = peer->selection.path;
	facts->has_remote = peer->has_remote;
	facts->not_opened = peer->not_opened;
	if (peer->has_remote)
		facts->n_remote = peer->remote.n_candidates;
	for (size_t i = 0; peer->has_remote && i < peer->remote.n_candidates; i++)
		if (peer->remote.candidates[i].type == WICE_CANDIDATE_SERVER_REFLEXIVE)
			facts->remote_has_reflexive = true;
	wice__interface_signaling_facts(peer->interface, facts);
	const WiceAttempt *attempt =
		peer->attempts.newest ? peer->attempts.newest : peer->attempts.active;
	if (attempt) {
		WiceDescription own = { 0 };
		wice__attempt_describe(attempt, &own);
		facts->n_local = own.n_candidates;
		facts->nat = wice__attempt_nat_mapping(attempt);
		facts->stun_failed = wice__attempt_stun_failed(attempt);
		const WiceIcePair *pair = wice__attempt_pair(attempt);
		if (pair) {
			facts->local_type = pair->local.type;
			facts->remote_type = pair->remote.type;
		}
	}
	if (is_foreign(peer))
		facts->foreign_endpoint = peer->hold.seen.endpoint;
}

static void refresh_reason(WicePeer *peer)
{
	/* What is known about an attempt that has failed is worth keeping once it is gone. */
	if (peer->session.phase == WICE_PHASE_FAILED && peer->reported == WICE_STATE_FAILED)
		return;
	WiceReasonFacts facts;
	collect_facts(peer, &facts);
	wice__reason_write(&facts, peer->reason, sizeof peer->reason);
}

static void report_state(WicePeer *peer)
{
	WicePeerState state = wice__session_state(&peer->session);
	WicePeerState before = peer->reported;
	if (state == before)
		return;
	refresh_reason(peer);
	peer->reported = state;
	peer->state_since_ms = wice__realtime_ms();
	wice__log(WICE_LOG_INFO, peer->subject, "%s -> %s: %s", wice_state_name(before),
		  wice_state_name(state), peer->reason);
	WiceEvent event = {
		.type = WICE_EVENT_PEER_STATE,
		.peer = peer->key,
		.state = state,
		.previous_state = before,
		.path = peer->selection.path,
		.mechanism = peer->selection.mechanism,
		.reason = peer->reason,
	};
	wice__interface_emit(peer->interface, &event);
}

/* One event through the session; whatever it leads to happens before the outermost call returns. */
static void run(WicePeer *peer, const WiceSessionEvent *event)
{
	if (peer->nested >= MAX_NESTED_EVENTS)
		return;
	peer->nested++;
	WiceSessionPhase before = peer->session.phase;
	unsigned actions = wice__session_step(&peer->session, event, wice__now_ms());
	if (before == WICE_PHASE_HANDSHAKING && peer->session.phase == WICE_PHASE_FAILED)
		blame(peer, peer->selection.mechanism);
	if (peer->session.phase == WICE_PHASE_FAILED && peer->reported != WICE_STATE_FAILED)
		refresh_reason(peer); /* before the attempt that knows why is closed */
	perform(peer, actions, event);
	peer->nested--;
	if (peer->nested)
		return;
	if (peer->publish_pending) {
		peer->publish_pending = false;
		publish(peer);
	}
	wice__timer_set(peer->timer, peer->session.deadline);
	report_state(peer);
}

void wice__peer_forgive(WicePeer *peer)
{
	peer->refused = 0;
}

void wice__peer_outside_changed(WicePeer *peer, const WiceOutside *outside)
{
	if (peer->attempts.newest)
		wice__attempt_set_outside(peer->attempts.newest, outside);
}

static void on_timer(void *user_data)
{
	run(user_data, &(WiceSessionEvent){ .type = WICE_SESSION_DEADLINE });
}

void wice__peer_event(WicePeer *peer, WiceSessionEventType type)
{
	if (type == WICE_SESSION_NETWORK_CHANGED) {
		wice__peer_forgive(peer);
		peer->proven = 0;
	}
	run(peer, &(WiceSessionEvent){ .type = type });
}

static bool take_token(int64_t *tokens_at, int64_t now_us, int64_t burst, int64_t interval_us)
{
	*tokens_at = MAX(*tokens_at, now_us - burst * interval_us);
	if (*tokens_at + interval_us > now_us)
		return false;
	*tokens_at += interval_us;
	return true;
}

/* The peer's clock went back, or somebody replays: our description tells a genuine peer. */
static void answer_stale(WicePeer *peer, int64_t now)
{
	if (now - peer->stale_answered_at < STALE_ANSWER_GAP_MS)
		return;
	peer->stale_answered_at = now;
	publish(peer);
}

void wice__peer_receive(WicePeer *peer, const WiceEnvelope *envelope)
{
	WiceSignalingCounters *counters = wice__interface_counters(peer->interface);
	int64_t now = wice__now_ms();
	if (!take_token(&peer->open_tokens_at, now * 1000, OPEN_BURST, OPEN_INTERVAL_US)) {
		counters->limited++;
		return;
	}

	WiceDescription description;
	WiceOpenResult result = wice__mailbox_open(&peer->mailbox, envelope, &description);
	wice__interface_count(peer->interface, result);
	if (result == WICE_OPEN_STALE_EPOCH)
		answer_stale(peer, now);
	if (result != WICE_OPEN_OK)
		return;
	if (!take_token(&peer->genuine_tokens_at, now * 1000, GENUINE_BURST, GENUINE_INTERVAL_US)) {
		counters->limited++;
		return;
	}

	peer->remote = description;
	peer->has_remote = true;
	run(peer, &(WiceSessionEvent){
			  .type = WICE_SESSION_REMOTE,
			  .ufrag = description.ufrag,
			  .remote_ufrag = description.remote_ufrag,
			  .wants_reply = description.wants_reply,
		  });
}

/*
 * WireGuard sends to where it last heard the peer, so it may have gone from one of the two ways to
 * this peer, our proxy and WireGuard's own socket, to the other because the peer did.
 */
static bool take_other_way(WicePeer *peer)
{
	WiceSelection before = peer->selection;
	for (int kernel = 0; peer->attempts.active && kernel < 2; kernel++) {
		select_mechanism(peer, kernel);
		if (wice_endpoint_compare(mechanism_endpoint(peer), &peer->hold.seen.endpoint))
			continue;
		wice__hold_adopt(&peer->hold);
		wice__roam_selected(&peer->roam, &peer->hold.applied, false, wice__now_ms());
		return true;
	}
	peer->selection = before;
	return false;
}

static WiceRoamVerdict judge_roam(WicePeer *peer, WiceHoldChange change)
{
	const WiceEndpoint *seen = &peer->hold.seen.endpoint;
	if (sees_addresses(peer))
		return wice__roam_seen(&peer->roam, seen, is_known(peer, seen), wice__now_ms());
	return change == WICE_HOLD_MOVED ? WICE_ROAM_FOREIGN : WICE_ROAM_STAY;
}

/*
 * Another hand, or a path that we do not know, is respected and reported. That WireGuard's own
 * socket gets through was never shown by ICE, so a peer that has fallen back from it is right.
 */
static void follow(WicePeer *peer, WiceHoldChange change)
{
	const WiceEndpoint *seen = &peer->hold.seen.endpoint;
	bool may_fall_back = peer->selection.mechanism == WICE_MECHANISM_KERNEL;
	if (may_fall_back && wice__hold_is_foreign(&peer->hold) && take_other_way(peer))
		return;
	WiceRoamVerdict verdict = judge_roam(peer, change);
	if (verdict == WICE_ROAM_REASSERT)
		wice__hold_reassert(&peer->hold);
	if (verdict == WICE_ROAM_ADOPT)
		wice__hold_adopt(&peer->hold);
	if (verdict != WICE_ROAM_FOREIGN || take_other_way(peer))
		return;
	char text[WICE_ENDPOINT_SIZE];
	wice__log(WICE_LOG_INFO, peer->subject, "the endpoint was changed to %s by another hand",
		  wice_endpoint_format(seen, text));
	if (!wice__user_is_ours(seen))
		peer->hold.found_endpoint = *seen;
}

/*
 * Firewalls forget a path that is not used for some minutes. ICE keeps its own port's path alive,
 * nobody does that for WireGuard's.
 */
static void fall_silent(WicePeer *peer)
{
	if (peer->selection.mechanism == WICE_MECHANISM_KERNEL)
		refuse(peer, WICE_MECHANISM_KERNEL);
	run(peer, &(WiceSessionEvent){ .type = WICE_SESSION_WG_SILENT });
}

/* The peer may still send over a former path: its own switch comes when it comes. */
static void release_former(WicePeer *peer)
{
	int64_t before = wice__now_ms() - FORMER_KEPT_MS;
	if (peer->session.phase != WICE_PHASE_ESTABLISHED || peer->session.phase_since > before)
		return;
	wice__attempts_release(&peer->attempts, &peer->hold.seen.endpoint, before);
	free_unused_proxies(peer);
}

/*
 * Where the paths are WireGuard's own, ICE agents have done their work a while after the peers are
 * connected: they would cost memory, descriptors and keepalives of each. The interface answers for
 * the one port.
 */
static void rest(WicePeer *peer, int64_t now)
{
	WiceSession *session = &peer->session;
	if (peer->attempts.active && session->phase == WICE_PHASE_ESTABLISHED &&
	    now - session->phase_since >= REST_AFTER_MS)
		wice__attempt_rest(peer->attempts.active);
}

/* NATs are, and there may be firewalls behind the link. */
static bool needs_keep_alive(WicePeer *peer)
{
	return peer->selection.path == WICE_PATH_NAT ||
	       wice__route_passes_router(&peer->hold.seen.endpoint,
					 wice__interface_fwmark(peer->interface));
}

/* What the agent's keepalives were: where WireGuard is silent, something else keeps paths open. */
static void keep_alive(WicePeer *peer, const WiceDevicePeer *seen, int64_t now)
{
	if (seen->tx_bytes != peer->sent_bytes) {
		peer->sent_bytes = seen->tx_bytes;
		peer->sent_at = now;
	}
	if (!peer->attempts.active || !wice__attempt_is_resting(peer->attempts.active) ||
	    now - peer->sent_at < KEEPALIVE_MS)
		return;
	peer->sent_at = now;
	if (needs_keep_alive(peer))
		wice__mechanisms_keep_alive(mechanisms_of(peer), &peer->hold.seen.endpoint);
}

void wice__peer_update(WicePeer *peer, const WiceDevicePeer *device_peer)
{
	WiceLivenessVerdict verdict;
	WiceDevicePeer seen = *device_peer;
	/* Where the peer was heard before we had selected a path is not where the user had it. */
	if (!peer->session.path && !peer->session.trying && is_known(peer, &seen.endpoint))
		seen.endpoint = peer->hold.found_endpoint;
	WiceHoldChange change = wice__hold_update(&peer->hold, &seen, &verdict);
	if (!peer->session.path)
		return;
	if (change == WICE_HOLD_LOST) {
		wice__hold_set_again(&peer->hold);
		run(peer, &(WiceSessionEvent){ .type = WICE_SESSION_WG_ANEW });
		return;
	}
	release_former(peer);
	rest(peer, wice__now_ms());
	keep_alive(peer, device_peer, wice__now_ms());
	follow(peer, change);
	if (verdict == WICE_LIVENESS_ALIVE)
		run(peer, &(WiceSessionEvent){ .type = WICE_SESSION_WG_ALIVE });
	else if (verdict == WICE_LIVENESS_SILENT && peer->session.proven)
		fall_silent(peer);
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
	peer->context = wice__context_pool_take(wice__interface_contexts(interface));
	peer->timer = wice__timer_new(peer->context, on_timer, peer);
	wice__hold_init(&peer->hold, interface, peer->subject, found);
	refresh_reason(peer);
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
	wice__attempts_close_newest(&peer->attempts);
	drop_path(peer);
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

bool wice__peer_wants_polls(const WicePeer *peer, int64_t now_ms)
{
	bool handshaking = peer->session.phase == WICE_PHASE_HANDSHAKING &&
			   now_ms - peer->session.phase_since < 3000;
	return handshaking || wice__roam_wants_polls(&peer->roam, now_ms);
}

WicePeerState wice__peer_state(const WicePeer *peer)
{
	return wice__session_state(&peer->session);
}

void wice__peer_found(const WicePeer *peer, WiceFoundPeer *ret_values)
{
	*ret_values = (WiceFoundPeer){
		.endpoint = peer->hold.found_endpoint,
		.keepalive = peer->hold.found_keepalive,
		.applied = peer->hold.applied,
	};
}

void wice__peer_status(WicePeer *peer, WicePeerStatus *ret_status)
{
	refresh_reason(peer);
	*ret_status = (WicePeerStatus){
		.public_key = peer->key,
		.state = wice__session_state(&peer->session),
		.state_since_ms = peer->state_since_ms,
		.path = peer->selection.path,
		.mechanism = peer->selection.mechanism,
		.endpoint = peer->hold.seen.endpoint,
		.handshake_ns = peer->hold.seen.handshake_ns,
		.rx_bytes = peer->hold.seen.rx_bytes,
		.tx_bytes = peer->hold.seen.tx_bytes,
		.restarts = peer->session.restarts,
		.connect_ms = peer->connect_ms,
		.reason = peer->reason,
	};
	const WiceIcePair *pair =
		peer->attempts.active ? wice__attempt_pair(peer->attempts.active) : NULL;
	if (pair) {
		ret_status->local = pair->local;
		ret_status->remote = pair->remote;
	}
}
