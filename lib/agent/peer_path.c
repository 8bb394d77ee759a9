/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What WireGuard is set to for a peer, and what is done about what it does with that: it follows
 * the packets that it gets (roam.h), it may fall silent, and users have hands.
 */
#include "agent/peer_private.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "event/route.h"
#include "proxy/user.h"

/* How long packets of the former path are taken after the new one was proven. */
#define FORMER_KEPT_MS 5000
/* For so long a mechanism is not used with a peer that no handshake got through to by it. */
#define REFUSED_MS 600000
/* Where WireGuard needs no ICE agent once it is connected, the agent is closed after this. */
#define REST_AFTER_MS 10000
/* NATs and firewalls forget a UDP mapping that was not used for 30 s at the earliest, often. */
#define KEEPALIVE_MS 20000

void wice__peer_refuse(WicePeer *peer, WiceMechanism mechanism)
{
	if (mechanism == WICE_MECHANISM_USER || mechanism == WICE_MECHANISM_NONE)
		return;
	peer->refused |= WICE_MECHANISM_BIT(mechanism);
	peer->refused_until = wice__now_ms() + REFUSED_MS;
}

void wice__peer_doubt(WicePeer *peer)
{
	unsigned bit = WICE_MECHANISM_BIT(peer->selection.mechanism);
	if (!(peer->shown & bit))
		wice__peer_refuse(peer, peer->selection.mechanism);
	peer->shown &= ~bit;
}

static bool may_use_kernel(const WicePeer *peer)
{
	bool refused = peer->refused & WICE_MECHANISM_BIT(WICE_MECHANISM_KERNEL);
	return wice__mechanisms_may_use_kernel(wice__peer_mechanisms(peer)) &&
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
 * WireGuard's own socket goes where the routes lead, ICE's where it was bound. On a host with
 * several uplinks that may be two ways, of which only ICE's is known to work.
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
	wice__peer_refuse(peer, WICE_MECHANISM_BPF);
	wice__peer_refuse(peer, WICE_MECHANISM_NFT);
	wice__peer_run(peer, &(WiceSessionEvent){ .type = WICE_SESSION_RESTART });
}

static void point_wireguard(WicePeer *peer)
{
	select_mechanism(peer, may_use_kernel(peer));
	/* The same endpoint may be reached over another port of ours now, which nobody sees. */
	if (peer->selection.mechanism == WICE_MECHANISM_INPROCESS)
		wice__hold_forget_seen(&peer->hold);
	wice__hold_set_endpoint(&peer->hold, mechanism_endpoint(peer), peer->attempt_opened_ns);
	bool proven = peer->selection.mechanism != WICE_MECHANISM_KERNEL;
	wice__roam_selected(&peer->roam, mechanism_endpoint(peer), proven, wice__now_ms());
	wice__suspicion_reset(&peer->suspicion, wice__now_ms());
	wice__interface_poll_soon(peer->interface);
}

/*
 * The proxy goes from the former path to the new one between two packets, also where WireGuard's
 * own socket is to be used: the peer may not be that far yet.
 */
void wice__peer_apply_path(WicePeer *peer)
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
	wice__peer_free_unused_proxies(peer);
	point_wireguard(peer);
	wice__interface_check_mtu(peer->interface,
				  &wice__attempt_pair(peer->attempts.active)->remote.endpoint, 0);
}

void wice__peer_move_path(WicePeer *peer)
{
	WiceEndpoint before = peer->proxy_endpoint;
	if (wice__attempt_select(peer->attempts.active, &peer->proxy_endpoint) == 0 &&
	    wice_endpoint_compare(&before, &peer->proxy_endpoint) != 0)
		point_wireguard(peer);
}

/* Before ICE has a pair: the handshake may begin where a check of the peer came from. */
void wice__peer_try_path(WicePeer *peer)
{
	WiceEndpoint source;
	if (peer->attempts.newest && wice__attempt_heard(peer->attempts.newest, &source) == 0)
		wice__hold_try(&peer->hold, &source);
}

/* A firewall may let ICE's port pass and not WireGuard's. */
void wice__peer_fall_back(WicePeer *peer)
{
	if (peer->selection.mechanism != WICE_MECHANISM_KERNEL)
		return;
	wice__log(WICE_LOG_INFO, peer->subject,
		  "WireGuard's own socket does not reach the peer; the port of ICE is used");
	wice__peer_refuse(peer, WICE_MECHANISM_KERNEL);
	wice__peer_apply_path(peer);
}

void wice__peer_drop_path(WicePeer *peer)
{
	WiceProxyPeer *proxy =
		peer->attempts.active
			? peer->proxies[wice__attempt_mechanism(peer->attempts.active)]
			: NULL;
	if (peer->selection.path == WICE_PATH_RELAY)
		proxy = peer->proxies[peer->selection.mechanism];
	if (proxy)
		proxy->proxy->ops->select(proxy, NULL, NULL, &peer->proxy_endpoint);
	wice__hold_release(&peer->hold);
	wice__roam_cleared(&peer->roam);
	memset(&peer->selection, 0, sizeof peer->selection);
	wice__attempts_drop(&peer->attempts);
	wice__peer_free_unused_proxies(peer);
}

/* An address of the peer that ICE found or was told. */
static bool is_known(const WicePeer *peer, const WiceEndpoint *endpoint)
{
	for (size_t i = 0; peer->has_remote && i < peer->remote.n_candidates; i++)
		if (wice_endpoint_compare(&peer->remote.candidates[i].endpoint, endpoint) == 0)
			return true;
	return wice__attempts_lead_by(&peer->attempts, endpoint) ||
	       wice__peer_relay_leads_by(peer, endpoint);
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
bool wice__peer_is_foreign(const WicePeer *peer)
{
	return wice__hold_is_foreign(&peer->hold) &&
	       !(sees_addresses(peer) && is_known(peer, &peer->hold.seen.endpoint));
}

void wice__peer_forgive(WicePeer *peer)
{
	peer->refused = peer->shown = 0;
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
	char text[WICE_ENDPOINT_SIZE];
	const WiceEndpoint *seen = &peer->hold.seen.endpoint;
	bool may_fall_back = peer->selection.mechanism == WICE_MECHANISM_KERNEL;
	if (may_fall_back && wice__hold_is_foreign(&peer->hold) && take_other_way(peer))
		return;
	WiceRoamVerdict verdict = judge_roam(peer, change);
	if (verdict == WICE_ROAM_REASSERT || verdict == WICE_ROAM_ADOPT)
		wice__log(WICE_LOG_DEBUG, peer->subject, "WireGuard has gone to %s, which is %s",
			  wice_endpoint_format(seen, text),
			  verdict == WICE_ROAM_ADOPT ? "accepted" : "undone");
	if (verdict == WICE_ROAM_REASSERT)
		wice__hold_reassert(&peer->hold);
	if (verdict == WICE_ROAM_REPEAT)
		wice__hold_repeat(&peer->hold);
	if (verdict == WICE_ROAM_ADOPT)
		wice__hold_adopt(&peer->hold);
	if (verdict != WICE_ROAM_FOREIGN || take_other_way(peer))
		return;
	wice__log(WICE_LOG_INFO, peer->subject, "the endpoint was changed to %s by another hand",
		  wice_endpoint_format(seen, text));
	if (!wice__user_is_ours(seen))
		peer->hold.found_endpoint = *seen;
}

static void ask_relay(WicePeer *peer)
{
	if (peer->relay.current.link)
		wice__relay_link_hurry(peer->relay.current.link);
}

/*
 * Firewalls forget a path that is not used for some minutes. ICE keeps its own port's path alive,
 * nobody does that for WireGuard's.
 */
static void fall_silent(WicePeer *peer)
{
	if (peer->session.relayed)
		ask_relay(peer);
	if (peer->selection.mechanism == WICE_MECHANISM_KERNEL)
		wice__peer_refuse(peer, WICE_MECHANISM_KERNEL);
	wice__peer_run(peer, &(WiceSessionEvent){ .type = WICE_SESSION_WG_SILENT });
}

/* The peer may still send over a former path: its own switch comes when it comes. */
static void release_former(WicePeer *peer)
{
	int64_t before = wice__now_ms() - FORMER_KEPT_MS;
	if (peer->session.phase != WICE_PHASE_ESTABLISHED || peer->session.phase_since > before)
		return;
	wice__attempts_release(&peer->attempts, &peer->hold.seen.endpoint, before);
	wice__peer_free_unused_proxies(peer);
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
	if (!peer->attempts.active || peer->session.relayed ||
	    !wice__attempt_is_resting(peer->attempts.active) || now - peer->sent_at < KEEPALIVE_MS)
		return;
	peer->sent_at = now;
	if (needs_keep_alive(peer))
		wice__mechanisms_keep_alive(wice__peer_mechanisms(peer), &peer->hold.seen.endpoint);
}

/*
 * Where there is a relay to go to, a direct path is left sooner than WireGuard itself would know.
 * And a relay is asked sooner whether it still has the allocation: one that was started anew
 * answers all probes and passes nothing on.
 */
static bool is_suspicious(WicePeer *peer, const WiceDevicePeer *seen)
{
	const WiceSession *session = &peer->session;
	return session->relay && session->proven &&
	       (session->relayed || session->phase == WICE_PHASE_ESTABLISHED) &&
	       wice__suspicion_sample(&peer->suspicion, seen->rx_bytes, seen->tx_bytes,
				      wice__now_ms());
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
		wice__peer_run(peer, &(WiceSessionEvent){ .type = WICE_SESSION_WG_ANEW });
		return;
	}
	release_former(peer);
	rest(peer, wice__now_ms());
	keep_alive(peer, device_peer, wice__now_ms());
	wice__peer_direct_seen(peer, device_peer);
	follow(peer, change);
	if (verdict == WICE_LIVENESS_ALIVE)
		wice__peer_run(peer, &(WiceSessionEvent){ .type = WICE_SESSION_WG_ALIVE });
	else if (verdict == WICE_LIVENESS_SILENT && peer->session.proven)
		fall_silent(peer);
	if (!is_suspicious(peer, device_peer))
		return;
	if (peer->session.relayed)
		ask_relay(peer);
	else
		fall_silent(peer);
}
