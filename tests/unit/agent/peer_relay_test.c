/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which relayed path a peer has, who begins, and what is kept for how long. Relays, proxies, the
 * session and the clock are played: what is below comes before the library's.
 */
#include <errno.h>

#include "agent/peer_private.h"
#include "event/source.h"
#include "suite.h"

struct WiceRelayLink {
	WiceEndpoint ours;
	bool refused;
};

static struct {
	WicePeer peer;
	int64_t now;
	bool kernel, no_user;
	WiceMechanism best;
	size_t n_ours;
	WiceRelayAddress ours[4];
	bool dead[4]; /* their allocations */
	unsigned n_links, n_opened, n_paths, n_ready, n_lost, n_retries;
	bool begins;
	WiceDescription told;
} world;

static int path_new_relayed(WiceProxyPeer *peer, const WiceProxyChannel *channel,
			    WiceProxyPath **ret_path)
{
	world.n_paths++;
	*ret_path = g_new0(WiceProxyPath, 1);
	return 0;
}

static void path_free(WiceProxyPath *path)
{
	world.n_paths--;
	g_free(path);
}

static const WiceProxyOps relaying = { .path_free = path_free,
				       .path_new_relayed = path_new_relayed };
static const WiceProxyOps not_relaying = { .path_free = path_free };
static WiceProxy able = { .ops = &relaying }, unable = { .ops = &not_relaying };
static WiceProxyPeer able_peer = { .proxy = &able }, unable_peer = { .proxy = &unable };

int64_t wice__now_ms(void)
{
	return world.now;
}

int64_t wice__realtime_ms(void)
{
	return world.now;
}

WiceRelays *wice__interface_relays(WiceInterface *interface)
{
	return NULL;
}

bool wice__interface_is_kernel(const WiceInterface *interface)
{
	return world.kernel;
}

void wice__interface_check_mtu(WiceInterface *interface, const WiceEndpoint *remote,
			       unsigned growth)
{
}

void wice__interface_poll_soon(WiceInterface *interface)
{
}

void wice__attempts_retire(WiceAttempts *attempts, const WiceEndpoint *used, int64_t now_ms)
{
}

void wice__hold_set_endpoint(WiceHold *hold, const WiceEndpoint *endpoint, int64_t since_ns)
{
}

WiceMechanism wice__mechanisms_best(WiceMechanisms *mechanisms, unsigned refused)
{
	return world.best;
}

WiceMechanisms *wice__peer_mechanisms(const WicePeer *peer)
{
	return NULL;
}

int wice__peer_ensure_proxy(WicePeer *peer, WiceMechanism mechanism)
{
	peer->proxies[mechanism] = mechanism == WICE_MECHANISM_NFT ? &unable_peer : &able_peer;
	return mechanism == WICE_MECHANISM_USER && world.no_user ? -EIO : 0;
}

void wice__peer_free_unused_proxies(WicePeer *peer)
{
}

void wice__peer_run(WicePeer *peer, const WiceSessionEvent *event)
{
	if (event->type == WICE_SESSION_RELAY_READY) {
		world.n_ready++;
		world.begins = event->begins;
		peer->session.relay = true;
	} else if (event->type == WICE_SESSION_RELAY_LOST) {
		world.n_lost++;
		peer->session.relay = false;
	} else {
		ck_assert_int_eq(event->type, WICE_SESSION_RELAYS_CHANGED);
		world.told = (WiceDescription){ 0 };
		wice__peer_relay_describe(peer, &world.told);
	}
}

size_t wice__relays_offers(const WiceRelays *relays,
			   WiceRelayAddress ret_offers[WICE_DESCRIPTION_MAX_RELAYS])
{
	size_t n = 0;
	for (size_t i = 0; i < world.n_ours; i++)
		if (!world.dead[i])
			ret_offers[n++] = world.ours[i];
	return n;
}

bool wice__relays_are_there(const WiceRelays *relays)
{
	return world.n_ours > 0;
}

int wice__relay_link_new(WiceRelays *relays, const WiceEndpoint *relayed, const WiceEndpoint *peer,
			 WiceRelayLinkData data, void *user_data, WiceRelayLink **ret_link)
{
	world.n_links++;
	world.n_opened++;
	*ret_link = g_new0(WiceRelayLink, 1);
	(*ret_link)->ours = *relayed;
	return 0;
}

void wice__relay_link_free(WiceRelayLink *link)
{
	world.n_links -= link != NULL;
	g_free(link);
}

bool wice__relay_link_is_alive(const WiceRelayLink *link)
{
	for (size_t i = 0; i < world.n_ours; i++)
		if (wice_endpoint_compare(&world.ours[i].relayed, &link->ours) == 0)
			return !world.dead[i];
	return false;
}

bool wice__relay_link_is_refused(const WiceRelayLink *link)
{
	return link->refused;
}

void wice__relay_link_retry(WiceRelayLink *link)
{
	world.n_retries += link->refused;
	link->refused = false;
}

void wice__relay_link_set_read(WiceRelayLink *link, bool read)
{
}

void wice__relay_link_set_used(WiceRelayLink *link, bool used)
{
}

void wice__relay_link_channel(const WiceRelayLink *link, WiceProxyChannel *ret_channel)
{
	*ret_channel = (WiceProxyChannel){ .fd = 5 };
}

static WiceRelayAddress relay_at(uint8_t host, uint16_t port, uint32_t rtt_us)
{
	WiceEndpoint server = { .address = { WICE_FAMILY_IPV4, { 192, 0, 2, host } } };
	WiceRelayAddress relay = { server, server, rtt_us, 0 };
	relay.server.port = 3478;
	relay.relayed.port = port;
	return relay;
}

/* We have n relays, each worse than the one before; the peer has one. */
static WicePeer *setup_world(size_t n, bool controlling)
{
	memset(&world, 0, sizeof world);
	world.now = 1000;
	world.best = WICE_MECHANISM_USER;
	world.n_ours = n;
	for (size_t i = 0; i < n; i++)
		world.ours[i] = relay_at((uint8_t)(1 + i), 50001, (uint32_t)(20000 * (i + 1)));
	WicePeer *peer = &world.peer;
	peer->session.phase = WICE_PHASE_CHECKING;
	peer->session.controlling = controlling;
	peer->remote.relays[0] = relay_at(1, 60001, 20000);
	peer->remote.n_relays = 1;
	wice__peer_relay_init(&peer->relay);
	return peer;
}

static void close_world(void)
{
	wice__peer_relay_close(&world.peer);
	ck_assert_uint_eq(world.n_links, 0);
	ck_assert_uint_eq(world.n_paths, 0);
}

static bool uses(const WiceRelayedPath *path, unsigned i)
{
	return path->link && wice_endpoint_compare(&path->ours, &world.ours[i].relayed) == 0;
}

/* The peer has its channel to our address i; what it tells is there before we have one, or not. */
START_TEST(one_end_begins)
{
	static const struct {
		bool controlling, first, begins; /* the peer says that it begins */
		bool we_begin;
	} cases[] = {
		{ true, false, false, true }, { false, false, false, false },
		{ true, true, false, true },  { false, true, false, true },
		{ true, false, true, false }, { false, false, true, false },
		{ true, true, true, false },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		WicePeer *peer = setup_world(1, cases[i].controlling);
		wice__peer_relay_update(peer);
		ck_assert_uint_eq(world.n_links, 0);
		peer->has_remote = true;
		if (!cases[i].first) {
			wice__peer_relay_update(peer);
			ck_assert_uint_eq(world.n_ready, 0);
			ck_assert_int_eq(wice_endpoint_compare(&world.told.bound,
							       &peer->remote.relays[0].relayed),
					 0);
		}
		peer->remote.bound = world.ours[0].relayed;
		peer->remote.begins = cases[i].begins;
		wice__peer_relay_update(peer);
		wice__peer_relay_update(peer);
		ck_assert_uint_eq(world.n_ready, 1);
		ck_assert_int_eq(world.begins, cases[i].we_begin);
		ck_assert_int_eq(world.told.begins, cases[i].first && cases[i].we_begin);
		close_world();
	}
}
END_TEST

/* Its handshake over a direct path is on its way when the relay comes into question. */
START_TEST(who_has_begun_says_so_and_waits_for_nobody)
{
	static const struct {
		bool controlling, trying;
		WiceSessionPhase phase;
		bool begins;
	} cases[] = {
		{ true, false, WICE_PHASE_HANDSHAKING, true },
		{ true, true, WICE_PHASE_CHECKING, true },
		{ true, false, WICE_PHASE_CHECKING, false },
		{ false, false, WICE_PHASE_HANDSHAKING, false },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		WicePeer *peer = setup_world(1, cases[i].controlling);
		peer->has_remote = true;
		peer->session.phase = cases[i].phase;
		peer->session.trying = cases[i].trying;
		wice__peer_relay_update(peer);
		ck_assert_uint_eq(world.n_links, 1);
		ck_assert_int_eq(world.told.begins, cases[i].begins);
		ck_assert_int_eq(wice__peer_relay_is_awaited(peer), !cases[i].begins);
		/* What was said first is not taken back by a path that is found later. */
		peer->session.phase = WICE_PHASE_HANDSHAKING;
		wice__peer_relay_describe(peer, &world.told);
		ck_assert_int_eq(world.told.begins, cases[i].begins);
		peer->session.trying = false;
		close_world();
	}
}
END_TEST

/* Each new address takes a channel number for 15 minutes, of which all peers share 4,096. */
START_TEST(a_peer_cannot_use_up_the_channel_numbers)
{
	WicePeer *peer = setup_world(1, true);
	peer->has_remote = true;
	world.now = 1000000;
	for (uint16_t i = 0; i < 100; i++) {
		peer->remote.relays[0].relayed.port = (uint16_t)(60000 + i);
		wice__peer_relay_update(peer);
	}
	unsigned burst = world.n_opened;
	ck_assert_uint_ge(burst,
			  16); /* who has just changed its relay a few times is not kept waiting */
	ck_assert_uint_le(burst, 40);
	ck_assert(!peer->relay.current.link);
	for (unsigned i = 1; i <= 10; i++) {
		int64_t next = wice__peer_relay_deadline(peer);
		ck_assert_int_gt(next, world.now);
		world.now = MIN(next, world.now + 5000);
		peer->remote.relays[0].relayed.port++;
		wice__peer_relay_update(peer);
	}
	ck_assert(peer->relay.current.link);
	ck_assert_uint_le(world.n_opened, burst + 10);
	ck_assert_uint_gt(world.n_opened, burst);
	/* With the addresses goes what there was to wait for. */
	peer->remote.n_relays = 0;
	world.now += 60000;
	wice__peer_relay_update(peer);
	ck_assert_int_gt(wice__peer_relay_deadline(peer), world.now);
	close_world();
}
END_TEST

/* Two relays, of which the first is used; the peer knows it. */
static WicePeer *setup_used(void)
{
	WicePeer *peer = setup_world(2, true);
	peer->has_remote = true;
	peer->remote.bound = world.ours[0].relayed;
	wice__peer_relay_update(peer);
	ck_assert(uses(&peer->relay.current, 0));
	ck_assert_uint_eq(world.n_ready, 1);
	return peer;
}

static void pass(WicePeer *peer, int64_t ms)
{
	for (int64_t end = world.now + ms; world.now < end; world.now += 100)
		wice__peer_relay_update(peer);
}

START_TEST(the_former_path_stays_until_the_peer_is_ready)
{
	WicePeer *peer = setup_used();
	world.ours[0].loss_permille = 1000;
	wice__peer_relay_update(peer);
	ck_assert(uses(&peer->relay.current, 1) && uses(&peer->relay.former, 0));
	ck_assert_int_eq(
		wice_endpoint_compare(&world.told.relays[0].relayed, &world.ours[1].relayed), 0);
	pass(peer, 30000);
	ck_assert(uses(&peer->relay.former, 0));
	ck_assert_uint_eq(world.n_ready, 1);
	peer->remote.bound = world.ours[1].relayed;
	wice__peer_relay_update(peer);
	ck_assert_uint_eq(world.n_ready, 2);
	pass(peer, 6000);
	ck_assert(!peer->relay.former.link);
	ck_assert_uint_eq(world.n_links, 1);
	close_world();
}
END_TEST

START_TEST(a_lost_allocation_is_not_waited_for)
{
	WicePeer *peer = setup_used();
	world.dead[0] = true;
	wice__peer_relay_update(peer);
	ck_assert(uses(&peer->relay.current, 1));
	pass(peer, 6000);
	ck_assert_uint_eq(world.n_links, 1);
	world.dead[1] = true;
	wice__peer_relay_update(peer);
	ck_assert_uint_eq(world.n_lost, 1);
	pass(peer, 6000);
	ck_assert_uint_eq(world.n_links, 0);
	close_world();
}
END_TEST

/* The peer has forgotten its relays for a moment. */
START_TEST(the_former_path_may_become_the_current_one)
{
	WicePeer *peer = setup_used();
	peer->remote.n_relays = 0;
	wice__peer_relay_update(peer);
	ck_assert(!peer->relay.current.link && uses(&peer->relay.former, 0));
	peer->remote.n_relays = 1;
	wice__peer_relay_update(peer);
	ck_assert(uses(&peer->relay.current, 0) && !peer->relay.former.link);
	ck_assert_uint_eq(world.n_ready, 2);
	pass(peer, 6000);
	ck_assert_uint_eq(world.n_links, 1);
	close_world();
}
END_TEST

START_TEST(a_relay_that_refuses_the_peer_is_left_for_a_while)
{
	WicePeer *peer = setup_used();
	peer->relay.current.link->refused = true;
	wice__peer_relay_update(peer);
	ck_assert(uses(&peer->relay.current, 1));
	ck_assert_uint_eq(world.told.n_relays, 2);
	for (size_t i = 0; i < 2; i++)
		ck_assert_uint_eq(world.told.relays[i].loss_permille, i == 0 ? 0 : 1000);
	/* As do all others: the best of them it is. */
	for (int i = 0; i < 4; i++) {
		peer->relay.current.link->refused = true;
		wice__peer_relay_update(peer);
	}
	ck_assert(uses(&peer->relay.current, 0) && peer->relay.current.link->refused);
	pass(peer, 59000);
	ck_assert_uint_eq(world.n_retries, 0);
	ck_assert_int_le(wice__peer_relay_deadline(peer), world.now + 60000);
	pass(peer, 62000);
	ck_assert_uint_eq(world.n_retries, 1);
	close_world();
}
END_TEST

START_TEST(mechanisms_that_can_do_it_are_used)
{
	static const struct {
		WiceMechanism best;
		bool kernel, no_user;
		WiceMechanism used; /* NONE: there is no path */
	} cases[] = {
		{ WICE_MECHANISM_BPF, true, false, WICE_MECHANISM_BPF },
		{ WICE_MECHANISM_BPF, false, false, WICE_MECHANISM_USER },
		{ WICE_MECHANISM_NFT, true, false, WICE_MECHANISM_USER },
		{ WICE_MECHANISM_NFT, true, true, WICE_MECHANISM_NONE },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		WicePeer *peer = setup_world(1, true);
		world.best = cases[i].best;
		world.kernel = cases[i].kernel;
		world.no_user = cases[i].no_user;
		peer->has_remote = true;
		wice__peer_relay_update(peer);
		ck_assert_int_eq(peer->relay.current.mechanism, cases[i].used);
		ck_assert_uint_eq(world.n_links, cases[i].used != WICE_MECHANISM_NONE);
		close_world();
	}
}
END_TEST

SUITE_MAIN("agent peer relay", a_peer_cannot_use_up_the_channel_numbers, one_end_begins,
	   who_has_begun_says_so_and_waits_for_nobody,
	   the_former_path_stays_until_the_peer_is_ready, a_lost_allocation_is_not_waited_for,
	   the_former_path_may_become_the_current_one,
	   a_relay_that_refuses_the_peer_is_left_for_a_while, mechanisms_that_can_do_it_are_used)
