/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_AGENT_PEER_H
#define WICE_AGENT_PEER_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <wice/device.h>
#include <wice/key.h>
#include <wice/signaling.h>
#include <wice/status.h>

#include "agent/attempt.h"
#include "agent/found.h"
#include "agent/session.h"

/*
 * One peer of an interface: carries out what its session decides, with ICE attempts, the proxy,
 * signaling and WireGuard. It owns all of them; freeing it takes everything down and puts back what
 * was found.
 */
typedef struct WicePeer WicePeer;
typedef struct WiceInterface WiceInterface;

WicePeer *wice__peer_new(WiceInterface *interface, const WiceDevicePeer *found);
/* gone: the peer is no longer in WireGuard, there is nothing to put back. */
void wice__peer_free(WicePeer *peer, bool gone);

const WiceKey *wice__peer_key(const WicePeer *peer);
typedef enum {
	WICE_POLL_SLOW = 0,
	WICE_POLL_BRISK, /* traffic flows over a path that there is a spare one for */
	WICE_POLL_FAST,  /* the session waits for WireGuard, or has just switched */
} WicePollRate;
/* How soon WireGuard is to be looked at again. */
WicePollRate wice__peer_wants_polls(const WicePeer *peer, int64_t now_ms);
WicePeerState wice__peer_state(const WicePeer *peer);

/* START, STOP, RESTART, NETWORK_CHANGED, SIGNALING_READY. */
void wice__peer_event(WicePeer *peer, WiceSessionEventType type);
/* Mechanisms that did not get through to the peer may be tried again. */
void wice__peer_forgive(WicePeer *peer);
/* The interface has learned more of its one port. */
void wice__peer_outside_changed(WicePeer *peer, const WiceOutside *outside);
/* The interface's relays have; anew: their addresses. */
void wice__peer_relays_changed(WicePeer *peer, bool anew);
/* The peer has told of an address of its own, or of its relays', with these bytes. */
bool wice__peer_has_signalled(const WicePeer *peer, const WiceAddress *address);
/* A newer snapshot of the device has this for the peer. */
void wice__peer_update(WicePeer *peer, const WiceDevicePeer *device_peer);
/* An envelope from this peer to our key. Counts in the interface's counters. */
void wice__peer_receive(WicePeer *peer, const WiceEnvelope *envelope);
/* What was found before anything was set, and what was set: to be remembered. */
void wice__peer_found(const WicePeer *peer, WiceFoundPeer *ret_values);
/* Fills status; texts in it live until the next call for this peer. */
void wice__peer_status(WicePeer *peer, WicePeerStatus *ret_status);

#endif
