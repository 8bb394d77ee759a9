/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measures a direct path that is in use, to leave it for a relay that is better.
 *
 * Checks (stun/consent.h) go from the port that the path uses to the one at its other end, as ICE's
 * own do, so NATs and firewalls treat them as the path. They cost nothing where they are of no use:
 * only the controlling end sends them, the round trip being that of both ends; only to peers that a
 * relay would reach, too; only after a handshake; and only while the tunnel carries packets, or
 * avoids the direct path.
 *
 * The peer's agent answers them. Where agents are closed once their peers are connected (mechanism
 * `bpf`), the interface answers in their names (consents.h); where a proxy takes what has our tag
 * before the agent reads it, we do. A peer that does neither, an older
 * one, is asked once for each of its agents. What dies is not judged here: the peer's wiced may
 * just be gone, and WireGuard's own silence says more (suspicion.h).
 */
#include "agent/peer_private.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "base/log.h"
#include "stun/consent.h"
#include "stun/probe.h"
#include "turn/measure.h"

/* Payload, not keepalives and handshakes: so much each second, over this span at least. */
#define BUSY_BYTES_PER_S 100
#define BUSY_SPAN_MS 3000
/* Traffic that pauses for less goes on. */
#define BUSY_MS 15000

struct WiceDirectProbe {
	WicePeer *peer;
	WiceTimer *timer;
	WiceMeasure measure;
	bool by_reflexive; /* else the path's own port sends and hears */
	WiceEndpoint remote;
	char own_ufrag[WICE_CONSENT_UFRAG_SIZE], remote_ufrag[WICE_CONSENT_UFRAG_SIZE];
	WiceStunKey key;
};

void wice__peer_direct_init(WicePeerDirect *direct)
{
	*direct = (WicePeerDirect){ 0 };
	wice__preference_init(&direct->preference);
}

static WiceReflexive *reflexive_of(const WicePeer *peer)
{
	return wice__mechanisms_reflexive(wice__interface_mechanisms(peer->interface));
}

static void tagged_random(void *buffer, size_t len)
{
	randombytes_buf(buffer, len);
	wice__stun_put_u32(buffer, WICE_STUN_PROBE_TAG);
}

static void send_check(WiceDirectProbe *probe, const uint8_t id[WICE_CONSENT_ID_LEN])
{
	uint8_t request[WICE_CONSENT_MAX];
	size_t len =
		wice__consent_ask(id, probe->own_ufrag, probe->remote_ufrag, &probe->key, request);
	WiceReflexive *reflexive = reflexive_of(probe->peer);
	if (!probe->by_reflexive)
		(void)wice__attempt_send(probe->peer->attempts.active, request, len);
	else if (reflexive)
		(void)wice__reflexive_send(reflexive, &probe->remote, request, len);
}

static void stop_probe(WicePeer *peer)
{
	WiceDirectProbe *probe = peer->direct.probe;
	WiceReflexive *reflexive = reflexive_of(peer);
	peer->direct.probe = NULL;
	if (!probe)
		return;
	if (probe->by_reflexive && reflexive)
		wice__reflexive_listen(reflexive, &probe->remote, NULL, NULL);
	wice__timer_free(probe->timer);
	wice__stun_key_clear(&probe->key);
	g_free(probe);
}

/* Both relays have been measured, too: an unknown one is no reason to leave what works. */
static bool is_relay_known(const WicePeer *peer)
{
	const WiceRelayChoice *choice = &peer->relay.choice;
	return choice->has && peer->relay.current.link && choice->ours.rtt_us &&
	       choice->theirs.rtt_us;
}

static void judge(WicePeer *peer)
{
	WicePeerDirect *direct = &peer->direct;
	const WiceMeasure *measure = &direct->probe->measure;
	if (!measure->has_rtt && wice__measure_is_dead(measure))
		g_strlcpy(direct->unanswered, direct->probe->remote_ufrag,
			  sizeof direct->unanswered);
	if (!measure->has_rtt || wice__measure_is_dead(measure) || !is_relay_known(peer))
		return;
	bool began = !direct->preference.since_ms;
	bool changed = wice__preference_update(
		&direct->preference, wice__choice_cost_us(measure->rtt_us, measure->loss_permille),
		peer->relay.choice.cost_us, wice__now_ms());
	if (began && direct->preference.since_ms)
		wice__relay_link_hurry(peer->relay.current.link);
	if (!changed)
		return;
	bool relay = direct->preference.relay;
	wice__log(WICE_LOG_INFO, peer->subject,
		  "the direct path takes %.1f ms and loses %.1f %%, the relay is %s: %s is used",
		  measure->rtt_us / 1000.0, measure->loss_permille / 10.0,
		  relay ? "better" : "not better", relay ? "it" : "the direct path");
	wice__peer_run(peer, &(WiceSessionEvent){ .type = relay ? WICE_SESSION_DIRECT_WORSE
								: WICE_SESSION_DIRECT_BETTER });
}

static void run(WiceDirectProbe *probe)
{
	uint8_t id[WICE_CONSENT_ID_LEN];
	int64_t now_us = g_get_monotonic_time();
	while (wice__measure_due(&probe->measure, now_us, tagged_random, id))
		send_check(probe, id);
	wice__timer_set(probe->timer, wice__measure_deadline_us(&probe->measure) / 1000 + 1);
	judge(probe->peer); /* the probe may be gone afterwards */
}

static void on_timer(void *user_data)
{
	run(user_data);
}

static bool take_answer(WiceDirectProbe *probe, const uint8_t *packet, size_t len)
{
	uint8_t id[WICE_CONSENT_ID_LEN];
	if (!wice__consent_is_answer(packet, len, &probe->key, id))
		return false;
	if (wice__measure_answered(&probe->measure, id, g_get_monotonic_time()))
		wice__timer_set(probe->timer, wice__now_ms());
	return true;
}

static void on_heard(const uint8_t *packet, size_t len, void *user_data)
{
	(void)take_answer(user_data, packet, len);
}

/* The agent's own reading of the socket does not see what has the tag. */
static void answer_check(const WiceAttempt *attempt, WiceProxyPath *path,
			 const WiceEndpoint *source, const uint8_t *packet, size_t len)
{
	uint8_t answer[WICE_CONSENT_MAX];
	WiceStunKey key;
	const char *pwd = wice__attempt_credentials(attempt)->pwd;
	if (wice__stun_key_short_term(&key, (WiceSpan){ pwd, strlen(pwd) }) != 0)
		return;
	size_t answer_len = wice__consent_answer(packet, len, &key, source, answer);
	wice__stun_key_clear(&key);
	if (answer_len)
		(void)path->peer->proxy->ops->path_send(path, source, answer, answer_len);
}

static bool is_of(const WiceAttempt *attempt, WiceSpan ufrag)
{
	if (!attempt)
		return false;
	const char *own = wice__attempt_credentials(attempt)->ufrag;
	return strlen(own) == ufrag.len && memcmp(own, ufrag.data, ufrag.len) == 0;
}

bool wice__peer_direct_input(WicePeer *peer, WiceProxyPath *path, const WiceEndpoint *source,
			     const uint8_t *packet, size_t len)
{
	WiceSpan ufrag;
	if (wice__consent_is_asked(packet, len, &ufrag)) {
		if (is_of(peer->attempts.active, ufrag))
			answer_check(peer->attempts.active, path, source, packet, len);
		return true;
	}
	return peer->direct.probe && take_answer(peer->direct.probe, packet, len);
}

static const WiceEndpoint *direct_remote(const WicePeer *peer)
{
	const WiceIcePair *pair =
		peer->attempts.active ? wice__attempt_pair(peer->attempts.active) : NULL;
	return pair ? &pair->remote.endpoint : NULL;
}

/* The newest attempt is the one in use, and the newest description is of the agent it goes to. */
static bool is_settled(const WicePeer *peer)
{
	const WiceSession *session = &peer->session;
	return session->phase == WICE_PHASE_ESTABLISHED && direct_remote(peer) &&
	       peer->has_remote && strcmp(peer->remote.ufrag, session->paired_ufrag) == 0;
}

static bool is_wanted(const WicePeer *peer)
{
	const WiceSession *session = &peer->session;
	bool useful = session->avoids || wice__now_ms() < peer->direct.busy_until;
	return session->controlling && session->relay && is_settled(peer) && useful &&
	       strcmp(peer->direct.unanswered, peer->remote.ufrag) != 0;
}

static bool is_current(const WicePeer *peer)
{
	const WiceDirectProbe *probe = peer->direct.probe;
	return probe && wice_endpoint_compare(&probe->remote, direct_remote(peer)) == 0 &&
	       strcmp(probe->own_ufrag, peer->session.own_ufrag) == 0 &&
	       strcmp(probe->remote_ufrag, peer->session.paired_ufrag) == 0;
}

static void start_probe(WicePeer *peer)
{
	WiceDirectProbe *probe = g_new0(WiceDirectProbe, 1);
	const char *pwd = peer->remote.pwd;
	probe->peer = peer;
	probe->remote = *direct_remote(peer);
	g_strlcpy(probe->own_ufrag, peer->session.own_ufrag, sizeof probe->own_ufrag);
	g_strlcpy(probe->remote_ufrag, peer->session.paired_ufrag, sizeof probe->remote_ufrag);
	(void)wice__stun_key_short_term(&probe->key, (WiceSpan){ pwd, strlen(pwd) });
	WiceReflexive *reflexive = reflexive_of(peer);
	probe->by_reflexive = wice__attempt_mechanism(peer->attempts.active) == WICE_MECHANISM_BPF;
	if (probe->by_reflexive && reflexive)
		wice__reflexive_listen(reflexive, &probe->remote, on_heard, probe);
	probe->timer = wice__timer_new(peer->context, on_timer, probe);
	wice__measure_init(&probe->measure, g_get_monotonic_time());
	wice__timer_set(probe->timer, wice__now_ms());
	peer->direct.probe = probe;
}

static void measure(WicePeer *peer)
{
	WicePeerDirect *direct = &peer->direct;
	bool wanted = is_wanted(peer);
	if (direct->probe && (!wanted || !is_current(peer)))
		stop_probe(peer);
	if (wanted && !direct->probe)
		start_probe(peer);
	if (direct->probe)
		wice__measure_set_used(&direct->probe->measure, wice__now_ms() < direct->busy_until,
				       g_get_monotonic_time());
}

static const char *agent_to_answer_for(const WicePeer *peer)
{
	const WiceSession *session = &peer->session;
	const WiceAttempt *active = peer->attempts.active;
	bool wanted = !session->controlling && session->relay && active &&
		      wice__attempt_is_resting(active) && reflexive_of(peer);
	return wanted ? wice__attempt_credentials(active)->ufrag : "";
}

/* What the peer asks an agent of ours that is closed. */
static void answer(WicePeer *peer)
{
	WicePeerDirect *direct = &peer->direct;
	WiceReflexive *reflexive = reflexive_of(peer);
	const char *ufrag = agent_to_answer_for(peer);
	if (strcmp(direct->answering, ufrag) == 0)
		return;
	if (direct->answering[0] && reflexive)
		wice__reflexive_answer_no_more(reflexive, direct->answering);
	g_strlcpy(direct->answering, ufrag, sizeof direct->answering);
	if (!ufrag[0])
		return;
	const WiceIceCredentials *own = wice__attempt_credentials(peer->attempts.active);
	int err = wice__reflexive_answer(reflexive, own->ufrag, own->pwd,
					 &wice__attempt_pair(peer->attempts.active)->base);
	if (err)
		wice__log(WICE_LOG_DEBUG, peer->subject, "the peer cannot measure the path: %s",
			  g_strerror(-err));
}

void wice__peer_direct_close(WicePeer *peer)
{
	WiceReflexive *reflexive = reflexive_of(peer);
	stop_probe(peer);
	if (peer->direct.answering[0] && reflexive)
		wice__reflexive_answer_no_more(reflexive, peer->direct.answering);
	peer->direct.answering[0] = 0;
}

void wice__peer_direct_update(WicePeer *peer)
{
	WicePreference *preference = &peer->direct.preference;
	if (preference->relay && !peer->session.avoids)
		wice__preference_overrule(preference, wice__now_ms());
	answer(peer);
	measure(peer);
}

void wice__peer_direct_seen(WicePeer *peer, const WiceDevicePeer *seen)
{
	WicePeerDirect *direct = &peer->direct;
	uint64_t bytes = seen->rx_bytes + seen->tx_bytes;
	int64_t now = wice__now_ms(), span = now - direct->bytes_at;
	if (direct->bytes_at && span < BUSY_SPAN_MS)
		return;
	uint64_t least = (uint64_t)span * BUSY_BYTES_PER_S / 1000;
	if (direct->bytes_at && bytes > direct->bytes && bytes - direct->bytes >= least)
		direct->busy_until = now + BUSY_MS;
	direct->bytes = bytes;
	direct->bytes_at = now;
	measure(peer);
}

bool wice__peer_direct_measured(const WicePeer *peer, uint32_t *ret_rtt_us,
				uint32_t *ret_loss_permille)
{
	const WiceDirectProbe *probe = peer->direct.probe;
	if (!probe || !probe->measure.has_rtt)
		return false;
	*ret_rtt_us = probe->measure.rtt_us;
	*ret_loss_permille = probe->measure.loss_permille;
	return true;
}
