/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* What a peer and we tell each other through signaling. */
#include "agent/peer_private.h"

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

void wice__peer_publish(WicePeer *peer)
{
	static const WiceDescription empty;
	if (!peer->attempts.newest)
		return;
	WiceDescription description = empty;
	wice__attempt_describe(peer->attempts.newest, &description);
	g_strlcpy(description.remote_ufrag, peer->session.paired_ufrag,
		  sizeof description.remote_ufrag);
	description.wants_reply = peer->session.phase == WICE_PHASE_SIGNALING;
	if (wice__mechanisms_may_use_kernel(wice__peer_mechanisms(peer)))
		description.listen_port = wice__interface_listen_port(peer->interface);

	wice__peer_relay_describe(peer, &description);
	wice__interface_describe_services(peer->interface, &peer->key, &description);

	WiceEnvelope envelope;
	uint8_t body[WICE_ENVELOPE_MAX];
	if (wice__mailbox_seal(&peer->mailbox, &description, wice__realtime_ms(), &envelope, body))
		wice__interface_publish(peer->interface, &envelope);
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
	wice__peer_publish(peer);
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
	wice__relays_set_services(wice__interface_relays(peer->interface), &peer->key,
				  description.services, description.n_services);
	wice__peer_run(peer, &(WiceSessionEvent){
				     .type = WICE_SESSION_REMOTE,
				     .ufrag = description.ufrag,
				     .remote_ufrag = description.remote_ufrag,
				     .wants_reply = description.wants_reply,
				     .relayed = description.relayed,
				     .avoids = description.avoids_direct,
			     });
}

bool wice__peer_has_signalled(const WicePeer *peer, const WiceAddress *address)
{
	const WiceDescription *remote = &peer->remote;
	for (size_t i = 0; peer->has_remote && i < remote->n_candidates; i++)
		if (wice_address_compare(&remote->candidates[i].endpoint.address, address) == 0)
			return true;
	for (size_t i = 0; peer->has_remote && i < remote->n_relays; i++)
		if (wice_address_compare(&remote->relays[i].relayed.address, address) == 0)
			return true;
	return false;
}
