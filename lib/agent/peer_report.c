/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* What users are told of a peer: its state, and why. */
#include "agent/peer_private.h"

#include <string.h>

#include "base/log.h"

static void collect_facts(WicePeer *peer, WiceReasonFacts *facts)
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
		peer->tried.n_local = facts->n_local;
		peer->tried.nat = facts->nat;
		peer->tried.stun_failed = facts->stun_failed;
		const WiceIcePair *pair = wice__attempt_pair(attempt);
		if (pair) {
			facts->local_type = pair->local.type;
			facts->remote_type = pair->remote.type;
		}
	} else if (peer->session.phase == WICE_PHASE_FAILED) {
		facts->n_local = peer->tried.n_local;
		facts->nat = peer->tried.nat;
		facts->stun_failed = peer->tried.stun_failed;
	}
	WiceRelays *relays = wice__interface_relays(peer->interface);
	facts->has_relays = wice__relays_are_there(relays);
	facts->relay_trouble = wice__relays_trouble(relays);
	facts->remote_has_relays = peer->has_remote && peer->remote.n_relays > 0;
	if (peer->session.relayed && peer->relay.current.link) {
		facts->relay = wice__relay_link_url(peer->relay.current.link);
		facts->relay_refuses = wice__relay_link_is_refused(peer->relay.current.link);
		facts->relay_rtt_us = wice__relay_link_rtt_us(peer->relay.current.link);
		facts->avoids_direct = peer->session.avoids;
		(void)wice__peer_direct_measured(peer, &facts->direct_rtt_us,
						 &facts->direct_loss_permille);
	}
	if (wice__peer_is_foreign(peer))
		facts->foreign_endpoint = peer->hold.seen.endpoint;
}

void wice__peer_refresh_reason(WicePeer *peer)
{
	WiceReasonFacts facts;
	collect_facts(peer, &facts);
	wice__reason_write(&facts, peer->reason, sizeof peer->reason);
}

void wice__peer_report_state(WicePeer *peer)
{
	WicePeerState state = wice__session_state(&peer->session);
	WicePeerState before = peer->reported;
	if (state == before && peer->selection.path == peer->reported_path)
		return;
	/* Of what has failed, all that was known was noted before it was closed. */
	if (state != WICE_STATE_FAILED)
		wice__peer_refresh_reason(peer);
	peer->reported = state;
	peer->reported_path = peer->selection.path;
	if (state != before)
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

static WiceCandidate relayed_candidate(const WiceEndpoint *endpoint)
{
	return (WiceCandidate){ .type = WICE_CANDIDATE_RELAYED, .endpoint = *endpoint };
}

void wice__peer_status(WicePeer *peer, WicePeerStatus *ret_status)
{
	wice__peer_refresh_reason(peer);
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
	if (peer->session.relayed) {
		ret_status->local = relayed_candidate(&peer->relay.current.ours);
		ret_status->remote = relayed_candidate(&peer->relay.current.theirs);
		return;
	}
	const WiceIcePair *pair =
		peer->attempts.active ? wice__attempt_pair(peer->attempts.active) : NULL;
	if (pair) {
		ret_status->local = pair->local;
		ret_status->remote = pair->remote;
	}
}
