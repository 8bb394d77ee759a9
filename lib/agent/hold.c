/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/hold.h"

#include <string.h>

#include "agent/interface.h"
#include "base/log.h"
#include "event/source.h"
#include "proxy/user.h"

/* Any value does: switching keepalive on sends at once, and it is switched off again soon. */
#define NUDGE_KEEPALIVE_S 25

/* A failure is logged here and shows as a missing handshake later. */
static void update_wireguard(WiceHold *hold, WicePeerUpdate update)
{
	g_autoptr(GError) error = NULL;
	update.size = sizeof update;
	update.public_key = hold->key;
	if (!wice__interface_update_peer(hold->interface, &update, &error))
		wice__log(WICE_LOG_WARNING, hold->subject, "%s", error->message);
}

static void write_keepalive(WiceHold *hold, uint16_t seconds)
{
	update_wireguard(hold, (WicePeerUpdate){ .set_keepalive = true, .keepalive_s = seconds });
}

static void write_endpoint(WiceHold *hold, const WiceEndpoint *endpoint)
{
	update_wireguard(hold, (WicePeerUpdate){ .set_endpoint = true, .endpoint = *endpoint });
}

static void see(WiceHold *hold, const WiceDevicePeer *device_peer)
{
	hold->seen = *device_peer;
	hold->seen.allowed_ips = NULL;
	hold->seen.n_allowed_ips = 0;
	wice_key_clear(&hold->seen.preshared_key);
}

static bool same(const WiceEndpoint *a, const WiceEndpoint *b)
{
	return wice_endpoint_compare(a, b) == 0;
}

/*
 * An endpoint that we set is what a former life left that could not clean up: then what it had
 * found counts, and its keepalive is put back with the first occasion.
 */
void wice__hold_init(WiceHold *hold, WiceInterface *interface, const char *subject,
		     const WiceDevicePeer *found)
{
	*hold = (WiceHold){ .interface = interface, .subject = subject, .key = found->public_key };
	see(hold, found);
	WiceFoundPeer former = { 0 };
	bool recalled = wice__interface_recall(interface, &hold->key, &former);
	bool left_over = wice__user_is_ours(&found->endpoint) ||
			 (recalled && found->endpoint.address.family &&
			  same(&found->endpoint, &former.applied));
	hold->found_keepalive = left_over && recalled ? former.keepalive : found->keepalive_s;
	hold->found_endpoint = left_over ? former.endpoint : found->endpoint;
	hold->nudging = hold->found_keepalive != found->keepalive_s;
	if (left_over)
		hold->applied = found->endpoint;
}

void wice__hold_set_endpoint(WiceHold *hold, const WiceEndpoint *endpoint, int64_t since_ns)
{
	bool is_set = same(endpoint, &hold->applied);
	bool first = hold->applied.address.family == WICE_FAMILY_NONE || hold->trying ||
		     (is_set && !hold->heard);
	hold->trying = false;
	wice__liveness_reset(&hold->liveness, first ? since_ns : wice__realtime_ms() * 1000000);
	if (!is_set || !same(endpoint, &hold->seen.endpoint))
		write_endpoint(hold, endpoint);
	if (is_set)
		return;
	hold->applied = *endpoint;
	hold->heard = false;
	hold->seen.endpoint = *endpoint;
	wice__interface_remember(hold->interface);
}

void wice__hold_try(WiceHold *hold, const WiceEndpoint *endpoint)
{
	wice__hold_set_endpoint(hold, endpoint, 0);
	hold->trying = true;
}

void wice__hold_forget_seen(WiceHold *hold)
{
	memset(&hold->seen.endpoint, 0, sizeof hold->seen.endpoint);
}

/* Keepalive from off to on sends at once; if it is on already, it is off for a moment. */
void wice__hold_nudge(WiceHold *hold)
{
	if (hold->found_keepalive || hold->nudging)
		write_keepalive(hold, 0);
	write_keepalive(hold, hold->found_keepalive ? hold->found_keepalive : NUDGE_KEEPALIVE_S);
	hold->nudging = true;
}

void wice__hold_settle(WiceHold *hold)
{
	if (hold->nudging)
		write_keepalive(hold, hold->found_keepalive);
	hold->nudging = false;
}

void wice__hold_release(WiceHold *hold)
{
	if (hold->applied.address.family && hold->found_endpoint.address.family)
		write_endpoint(hold, &hold->found_endpoint);
	wice__hold_settle(hold);
	memset(&hold->applied, 0, sizeof hold->applied);
	hold->trying = false;
}

/* What the user configures, also while we hold the peer. */
static void note_found(WiceHold *hold, const WiceDevicePeer *device_peer)
{
	bool held = hold->applied.address.family != WICE_FAMILY_NONE;
	if (!hold->nudging && hold->found_keepalive != device_peer->keepalive_s) {
		hold->found_keepalive = device_peer->keepalive_s;
		wice__interface_remember(hold->interface);
	}
	if (!held && !wice__user_is_ours(&device_peer->endpoint) &&
	    !same(&hold->found_endpoint, &device_peer->endpoint)) {
		hold->found_endpoint = device_peer->endpoint;
		wice__interface_remember(hold->interface);
	}
}

WiceHoldChange wice__hold_update(WiceHold *hold, const WiceDevicePeer *device_peer,
				 WiceLivenessVerdict *ret_verdict)
{
	bool was_there = same(&hold->seen.endpoint, &hold->applied);
	note_found(hold, device_peer);
	see(hold, device_peer);
	*ret_verdict =
		wice__liveness_sample(&hold->liveness, device_peer->rx_bytes, device_peer->tx_bytes,
				      device_peer->handshake_ns, wice__now_ms());
	hold->heard |= *ret_verdict == WICE_LIVENESS_ALIVE;
	if (!was_there || !wice__hold_is_foreign(hold))
		return WICE_HOLD_KEPT;
	return hold->seen.endpoint.address.family ? WICE_HOLD_MOVED : WICE_HOLD_LOST;
}

void wice__hold_set_again(WiceHold *hold)
{
	memset(&hold->found_endpoint, 0, sizeof hold->found_endpoint);
	hold->found_keepalive = hold->seen.keepalive_s;
	hold->nudging = hold->heard = false;
	hold->seen.endpoint = hold->applied;
	wice__liveness_reset(&hold->liveness, wice__realtime_ms() * 1000000);
	write_endpoint(hold, &hold->applied);
	wice__interface_remember(hold->interface);
}

bool wice__hold_is_foreign(const WiceHold *hold)
{
	return hold->applied.address.family && !same(&hold->applied, &hold->seen.endpoint);
}

void wice__hold_repeat(WiceHold *hold)
{
	bool nudging = hold->nudging;
	wice__hold_nudge(hold);
	if (!nudging)
		wice__hold_settle(hold);
}

void wice__hold_reassert(WiceHold *hold)
{
	write_endpoint(hold, &hold->applied);
	hold->seen.endpoint = hold->applied;
	wice__hold_repeat(hold);
}

void wice__hold_adopt(WiceHold *hold)
{
	hold->applied = hold->seen.endpoint;
	wice__interface_remember(hold->interface);
}
