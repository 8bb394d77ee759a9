/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who begins. Until both ends have asked their relays for the channel to the other, what one sends
 * is dropped by the other's relay; a handshake message that is lost so is repeated by WireGuard
 * only 5 s later, and two that cross are both lost. So exactly one end begins, and not before it
 * knows that the other has its channel, which descriptions tell ("bound"). The end that learns this
 * together with the peer's addresses begins at once, and says so ("begins"): the other one has
 * nothing to wait for. If both learn it afterwards, at about the same moment, the controlling end
 * begins.
 */
#include "agent/peer_private.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"

#define FORMER_KEPT_MS 5000
/* A relay that refuses the peer is not used with it for so long, if there is another one. */
#define REFUSED_MS 60000
#define REFUSED_MAX 64
/*
 * A peer may tell this many new addresses at once, then one per interval. Each takes a channel
 * number, which stays taken for 15 minutes (RFC 8656 section 12), and there are 4,096 for all peers.
 */
#define PATHS_BURST 32
#define PATH_INTERVAL_MS 5000
#define HEADER_LEN 4 /* of ChannelData */

static bool same(const WiceEndpoint *a, const WiceEndpoint *b)
{
	return wice_endpoint_compare(a, b) == 0;
}

void wice__peer_relay_init(WicePeerRelay *relay)
{
	*relay = (WicePeerRelay){ .former_until = INT64_MAX,
				  .refused_until = INT64_MAX,
				  .path_tokens_at = INT64_MIN,
				  .next_path_at = INT64_MAX };
	wice__relay_choice_init(&relay->choice);
}

static void free_path(WicePeer *peer, WiceRelayedPath *path)
{
	if (path->path)
		peer->proxies[path->mechanism]->proxy->ops->path_free(path->path);
	wice__relay_link_free(path->link);
	*path = (WiceRelayedPath){ 0 };
}

static void free_former(WicePeer *peer)
{
	free_path(peer, &peer->relay.former);
	peer->relay.former_until = INT64_MAX;
}

void wice__peer_relay_close(WicePeer *peer)
{
	free_former(peer);
	free_path(peer, &peer->relay.current);
	g_clear_pointer(&peer->relay.refused, g_array_unref);
	wice__peer_relay_init(&peer->relay);
}

static void retire_current(WicePeer *peer)
{
	WicePeerRelay *relay = &peer->relay;
	free_former(peer);
	relay->former = relay->current;
	relay->former_until = wice__now_ms() + FORMER_KEPT_MS;
	relay->current = (WiceRelayedPath){ 0 };
	relay->told_bound = relay->begins = relay->announced = false;
}

/* What has come over a channel to the TURN client's socket and not to WireGuard by itself. */
static void on_data(WiceRelayLink *link, uint8_t *data, size_t len, void *user_data)
{
	WicePeer *peer = user_data;
	const WicePeerRelay *relay = &peer->relay;
	const WiceRelayedPath *path = link == relay->former.link ? &relay->former : &relay->current;
	if (!path->path)
		return;
	const WiceProxyOps *ops = peer->proxies[path->mechanism]->proxy->ops;
	if (ops->path_input)
		ops->path_input(path->path, data, len);
}

/* As the direct paths, unless that cannot be had for relayed ones. */
static WiceMechanism best_mechanism(WicePeer *peer, bool in_place)
{
	WiceMechanism best = wice__mechanisms_best(wice__peer_mechanisms(peer), peer->refused);
	/* Super-packets of a WireGuard in userspace can only be changed in place. */
	bool too_large = best == WICE_MECHANISM_BPF && !in_place &&
			 !wice__interface_is_kernel(peer->interface);
	return too_large ? WICE_MECHANISM_USER : best;
}

static int make_path_by(WicePeer *peer, WiceMechanism mechanism, const WiceProxyChannel *channel,
			WiceRelayedPath *path)
{
	int err = wice__peer_ensure_proxy(peer, mechanism);
	if (err)
		return err;
	WiceProxyPeer *proxy = peer->proxies[mechanism];
	if (!proxy->proxy->ops->path_new_relayed)
		return -ENOTSUP;
	err = proxy->proxy->ops->path_new_relayed(proxy, channel, &path->path);
	if (err)
		return err;
	path->mechanism = mechanism;
	if (proxy->proxy->ops->path_heard_at)
		proxy->proxy->ops->path_heard_at(path->path, &path->endpoint);
	wice__relay_link_set_read(path->link, proxy->proxy->ops->reads_relayed && channel->fd >= 0);
	return 0;
}

static int make_path(WicePeer *peer, WiceRelayedPath *path)
{
	WiceProxyChannel channel;
	wice__relay_link_channel(path->link, &channel);
	channel.in_place = (peer->mailbox.peer_capabilities & peer->mailbox.capabilities) &
			   WICE_CAPABILITY_IN_PLACE;
	path->server = channel.server;
	path->in_place = channel.in_place;
	WiceMechanism mechanism = best_mechanism(peer, channel.in_place);
	int err = make_path_by(peer, mechanism, &channel, path);
	if (err && mechanism != WICE_MECHANISM_USER)
		err = make_path_by(peer, WICE_MECHANISM_USER, &channel, path);
	return err;
}

static bool is_current(const WiceRelayedPath *path, const WiceRelayChoice *choice)
{
	return path->link && choice->has && wice__relay_link_is_alive(path->link) &&
	       same(&path->ours, &choice->ours.relayed) &&
	       same(&path->theirs, &choice->theirs.relayed);
}

/* Takes one token from the bucket; false if the peer has changed its address too often. */
static bool may_open_path(WicePeerRelay *relay)
{
	int64_t now = wice__now_ms(), oldest = now - (int64_t)PATHS_BURST * PATH_INTERVAL_MS;
	relay->path_tokens_at = MAX(relay->path_tokens_at, oldest);
	int64_t next = relay->path_tokens_at + PATH_INTERVAL_MS;
	relay->next_path_at = next > now ? next : INT64_MAX;
	if (next > now)
		return false;
	relay->path_tokens_at = next;
	return true;
}

static void open_path(WicePeer *peer, const WiceRelayChoice *choice)
{
	WicePeerRelay *relay = &peer->relay;
	if (is_current(&relay->former, choice)) {
		relay->current = relay->former;
		relay->former = (WiceRelayedPath){ 0 };
		relay->former_until = INT64_MAX;
		return;
	}
	if (!may_open_path(relay))
		return;
	WiceRelayedPath path = {
		.ours = choice->ours.relayed,
		.theirs = choice->theirs.relayed,
		.opened_ns = wice__realtime_ms() * 1000000,
	};
	int err = wice__relay_link_new(wice__interface_relays(peer->interface), &path.ours,
				       &path.theirs, on_data, peer, &path.link);
	if (!err)
		err = make_path(peer, &path);
	if (err) {
		wice__log(WICE_LOG_WARNING, peer->subject, "no path over the relay can be made: %s",
			  g_strerror(-err));
		wice__relay_link_free(path.link);
		return;
	}
	relay->current = path;
}

/* Both are there for each other, as far as one can know here. */
static bool is_ready(const WicePeer *peer)
{
	const WiceRelayedPath *current = &peer->relay.current;
	return current->link && peer->has_remote && same(&peer->remote.bound, &current->ours);
}

bool wice__peer_relay_is_awaited(const WicePeer *peer)
{
	const WicePeerRelay *relay = &peer->relay;
	return relay->current.link && relay->told_bound && !relay->begins && !is_ready(peer);
}

/* A direct path has been found or tried before: the peer is not to begin over the relay as well. */
static bool has_begun(const WicePeer *peer)
{
	const WiceSession *session = &peer->session;
	return session->controlling &&
	       (session->trying || session->phase == WICE_PHASE_HANDSHAKING);
}

static void tell_session(WicePeer *peer)
{
	WicePeerRelay *relay = &peer->relay;
	if (!relay->current.link && peer->session.relay)
		wice__peer_run(peer, &(WiceSessionEvent){ .type = WICE_SESSION_RELAY_LOST });
	if (relay->announced || !is_ready(peer))
		return;
	relay->announced = true;
	relay->begins = !peer->remote.begins && (peer->session.controlling || !relay->told_bound);
	wice__peer_run(peer, &(WiceSessionEvent){ .type = WICE_SESSION_RELAY_READY,
						  .begins = relay->begins });
}

static bool is_usable(const WicePeer *peer)
{
	return peer->has_remote && peer->session.phase != WICE_PHASE_IDLE;
}

/* The peer's own address of the pair that it uses is the first one that it tells. */
static void hear_choice(WicePeer *peer)
{
	static const WiceEndpoint none;
	bool has = is_usable(peer) && peer->remote.n_relays && peer->remote.bound.address.family;
	wice__relay_choice_follow(&peer->relay.choice, has ? &peer->remote.bound : &none,
				  has ? &peer->remote.relays[0].relayed : &none);
}

static bool is_refused(const WicePeerRelay *relay, const WiceEndpoint *relayed)
{
	for (guint i = 0; relay->refused && i < relay->refused->len; i++)
		if (same(&g_array_index(relay->refused, WiceEndpoint, i), relayed))
			return true;
	return false;
}

/* To this peer, a relay that refuses it is as good as dead. */
static size_t own_offers(const WicePeer *peer,
			 WiceRelayAddress ret_offers[WICE_DESCRIPTION_MAX_RELAYS])
{
	size_t n = wice__relays_offers(wice__interface_relays(peer->interface), ret_offers);
	for (size_t i = 0; i < n; i++)
		if (is_refused(&peer->relay, &ret_offers[i].relayed))
			ret_offers[i].loss_permille = 1000;
	return n;
}

static void note_refusal(WicePeerRelay *relay)
{
	const WiceRelayedPath *current = &relay->current;
	if (!current->link || !wice__relay_link_is_refused(current->link) ||
	    is_refused(relay, &current->ours))
		return;
	if (!relay->refused)
		relay->refused = g_array_new(FALSE, FALSE, sizeof(WiceEndpoint));
	if (relay->refused->len < REFUSED_MAX)
		g_array_append_val(relay->refused, current->ours);
	relay->refused_until = wice__now_ms() + REFUSED_MS;
}

static void forgive_refusals(WicePeerRelay *relay)
{
	if (wice__now_ms() < relay->refused_until)
		return;
	relay->refused_until = INT64_MAX;
	g_clear_pointer(&relay->refused, g_array_unref);
	if (relay->current.link)
		wice__relay_link_retry(relay->current.link);
}

static void choose(WicePeer *peer)
{
	WiceRelayAddress own[WICE_DESCRIPTION_MAX_RELAYS];
	WiceRelayOffer ours[WICE_DESCRIPTION_MAX_RELAYS], theirs[WICE_DESCRIPTION_MAX_RELAYS];
	size_t n_ours = own_offers(peer, own);
	size_t n_theirs = is_usable(peer) ? peer->remote.n_relays : 0;
	for (size_t i = 0; i < n_ours; i++)
		ours[i] = (WiceRelayOffer){ own[i].server, own[i].relayed, own[i].rtt_us,
					    own[i].loss_permille };
	for (size_t i = 0; i < n_theirs; i++) {
		const WiceRelayAddress *their = &peer->remote.relays[i];
		theirs[i] = (WiceRelayOffer){ their->server, their->relayed, their->rtt_us,
					      their->loss_permille };
	}
	hear_choice(peer);
	wice__relay_choose(&peer->relay.choice, peer->session.controlling, ours, n_ours, theirs,
			   n_theirs, wice__now_ms());
}

/* The former one carries packets until the peer is ready for the current one. */
static void release_former(WicePeer *peer)
{
	WicePeerRelay *relay = &peer->relay;
	int64_t now = wice__now_ms();
	if (now < relay->former_until)
		return;
	bool used = relay->current.link && !relay->announced &&
		    wice__relay_link_is_alive(relay->former.link);
	if (used)
		relay->former_until = now + FORMER_KEPT_MS;
	else
		free_former(peer);
}

void wice__peer_relay_update(WicePeer *peer)
{
	WicePeerRelay *relay = &peer->relay;
	release_former(peer);
	if (wice__now_ms() >= relay->next_path_at)
		relay->next_path_at = INT64_MAX;
	if (!relay->current.link &&
	    !wice__relays_are_there(wice__interface_relays(peer->interface)))
		return;
	note_refusal(relay);
	forgive_refusals(relay);
	choose(peer);
	bool anew = !is_current(&relay->current, &relay->choice);
	if (anew && relay->current.link)
		retire_current(peer);
	if (anew && relay->choice.has)
		open_path(peer, &relay->choice);
	tell_session(peer);
	if (relay->current.link)
		wice__relay_link_set_used(relay->current.link, peer->session.relayed);
	wice__peer_free_unused_proxies(peer);
	if (relay->current.link && !relay->told_bound)
		wice__peer_run(peer, &(WiceSessionEvent){ .type = WICE_SESSION_RELAYS_CHANGED,
							  .anew = true });
}

int64_t wice__peer_relay_deadline(const WicePeer *peer)
{
	int64_t until = MIN(peer->relay.former_until, peer->relay.refused_until);
	until = MIN(until, peer->relay.next_path_at);
	return MIN(until, wice__relay_choice_deadline(&peer->relay.choice));
}

static void put_first(WiceDescription *description, const WiceEndpoint *relayed)
{
	for (size_t i = 1; i < description->n_relays; i++) {
		WiceRelayAddress used = description->relays[i];
		if (!same(&used.relayed, relayed))
			continue;
		memmove(&description->relays[1], &description->relays[0], i * sizeof used);
		description->relays[0] = used;
	}
}

void wice__peer_relay_describe(WicePeer *peer, WiceDescription *description)
{
	WicePeerRelay *relay = &peer->relay;
	description->n_relays = own_offers(peer, description->relays);
	description->relayed = peer->session.relayed;
	description->avoids_direct = peer->session.avoids && peer->session.controlling;
	if (!relay->current.link)
		return;
	put_first(description, &relay->current.ours);
	description->bound = relay->current.theirs;
	if (!relay->told_bound && has_begun(peer))
		relay->begins = true;
	description->begins = relay->begins;
	relay->told_bound = true;
}

void wice__peer_apply_relay(WicePeer *peer)
{
	WiceRelayedPath *path = &peer->relay.current;
	if (!path->path)
		return;
	WiceProxyPeer *proxy = peer->proxies[path->mechanism];
	int err =
		proxy->proxy->ops->select(proxy, path->path, &path->theirs, &peer->proxy_endpoint);
	if (err) {
		wice__log(WICE_LOG_WARNING, peer->subject, "the relay cannot be used: %s",
			  g_strerror(-err));
		return;
	}
	path->endpoint = peer->proxy_endpoint;
	peer->relay_applied_at = wice__now_ms();
	peer->selection = (WiceSelection){
		.path = WICE_PATH_RELAY,
		.mechanism = path->mechanism,
		.endpoint = path->theirs,
		.why = peer->session.avoids ? "the relay is better than the direct path"
					    : "a relay is the first path, and the one that is left",
	};
	wice__hold_set_endpoint(&peer->hold, &path->endpoint, path->opened_ns);
	wice__interface_check_mtu(peer->interface, &path->server, path->in_place ? 0 : HEADER_LEN);
	wice__roam_selected(&peer->roam, &path->endpoint, true, wice__now_ms());
	wice__suspicion_reset(&peer->suspicion, wice__now_ms());
	wice__interface_poll_soon(peer->interface);
}

static bool leads_by(const WiceRelayedPath *path, const WiceEndpoint *endpoint)
{
	return path->link && path->endpoint.address.family && same(&path->endpoint, endpoint);
}

bool wice__peer_relay_leads_by(const WicePeer *peer, const WiceEndpoint *endpoint)
{
	return leads_by(&peer->relay.current, endpoint) || leads_by(&peer->relay.former, endpoint);
}

bool wice__peer_relay_uses(const WicePeer *peer, WiceMechanism mechanism)
{
	const WicePeerRelay *relay = &peer->relay;
	return (relay->current.path && relay->current.mechanism == mechanism) ||
	       (relay->former.path && relay->former.mechanism == mechanism);
}
