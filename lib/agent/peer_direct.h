/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_AGENT_PEER_DIRECT_H
#define WICE_AGENT_PEER_DIRECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/device.h>

#include "agent/preference.h"
#include "proxy/proxy.h"

typedef struct WicePeer WicePeer;
typedef struct WiceDirectProbe WiceDirectProbe;

/*
 * How good the direct path to a peer is, for peers that have a relay to go to: see peer_direct.c.
 */
typedef struct {
	WiceDirectProbe *probe; /* NULL: nothing is measured now */
	WicePreference preference;
	char unanswered[33]; /* the peer's agent that has never answered, or "" */
	char answering[33];  /* the agent of ours that is closed and answered for, or "" */
	uint64_t bytes;      /* that the tunnel had carried at: */
	int64_t bytes_at;
	int64_t busy_until;
} WicePeerDirect;

void wice__peer_direct_init(WicePeerDirect *direct);
/* Of everything but the verdicts. */
void wice__peer_direct_close(WicePeer *peer);
/* The session, the path or the peer's description may have changed. */
void wice__peer_direct_update(WicePeer *peer);
/* WireGuard's counters, from a poll. */
void wice__peer_direct_seen(WicePeer *peer, const WiceDevicePeer *seen);
/*
 * A STUN message with the tag of stun/probe.h has come over a path from source; true if it was a
 * check, or an answer to one of ours.
 */
bool wice__peer_direct_input(WicePeer *peer, WiceProxyPath *path, const WiceEndpoint *source,
			     const uint8_t *packet, size_t len);
/* The newest measurement, for people; false if there is none. */
bool wice__peer_direct_measured(const WicePeer *peer, uint32_t *ret_rtt_us,
				uint32_t *ret_loss_permille);

#endif
