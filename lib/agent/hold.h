/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_AGENT_HOLD_H
#define WICE_AGENT_HOLD_H

#include <stdbool.h>
#include <stdint.h>
#include <wice/device.h>

#include "agent/liveness.h"

typedef struct WiceInterface WiceInterface;

/*
 * Our hold on one peer of a WireGuard device: what it was found with, what we have set, what it
 * does now. Everything that is written to WireGuard is written here, and put back here.
 */
typedef struct {
	WiceInterface *interface;
	const char *subject; /* for the log */
	WiceKey key;
	WiceEndpoint found_endpoint; /* the user's, or none */
	uint16_t found_keepalive;
	WiceEndpoint applied; /* what we set, or none */
	bool trying;          /* no pair stands behind it yet: see wice__hold_try() */
	bool heard;           /* a sign of life has been seen since it was set */
	bool nudging;         /* the keepalive is ours at the moment */
	WiceDevicePeer seen;  /* the newest snapshot, without what it points to */
	WiceLiveness liveness;
} WiceHold;

/* subject must stay valid. Recalls what a former life had found, if it left its mark. */
void wice__hold_init(WiceHold *hold, WiceInterface *interface, const char *subject,
		     const WiceDevicePeer *found);

/*
 * Points WireGuard there. If we held no path before, or have seen no sign of life over the same
 * endpoint, a handshake newer than since_ns (of CLOCK_REALTIME) proves that packets pass, for the
 * peer may have used the path before we did; else only what is newer than this call does.
 */
void wice__hold_set_endpoint(WiceHold *hold, const WiceEndpoint *endpoint, int64_t since_ns);

/*
 * Points WireGuard at where the peer was heard, before ICE has selected that. What it does there
 * counts for the endpoint that is set next.
 */
void wice__hold_try(WiceHold *hold, const WiceEndpoint *endpoint);

/* What is set next is written even if WireGuard is seen to have it. */
void wice__hold_forget_seen(WiceHold *hold);

/* Makes WireGuard send one packet now, or begin a handshake. */
void wice__hold_nudge(WiceHold *hold);

/* The user's keepalive again. */
void wice__hold_settle(WiceHold *hold);

/* The user's endpoint and keepalive again. WireGuard cannot be told to have no endpoint. */
void wice__hold_release(WiceHold *hold);

typedef enum {
	WICE_HOLD_KEPT = 0,
	WICE_HOLD_MOVED, /* WireGuard has just left the endpoint that we set */
	WICE_HOLD_LOST,  /* the peer was made anew without any endpoint, as `wg setconf` does */
} WiceHoldChange;

/* Takes a newer snapshot of the peer. */
WiceHoldChange wice__hold_update(WiceHold *hold, const WiceDevicePeer *device_peer,
				 WiceLivenessVerdict *ret_verdict);

/* Sets the endpoint once more that was lost. Nothing that was heard before proves it now. */
void wice__hold_set_again(WiceHold *hold);

/* The endpoint is another one than we have set. */
bool wice__hold_is_foreign(const WiceHold *hold);
/*
 * Sets the endpoint once more that WireGuard has left, and makes it send something there at once:
 * an end that only answers is led away again by each question, before it could.
 */
void wice__hold_reassert(WiceHold *hold);
/* Makes it send something where it is, without more. */
void wice__hold_repeat(WiceHold *hold);
/* Accepts where WireGuard is now as if we had set it. */
void wice__hold_adopt(WiceHold *hold);

#endif
