/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_AGENT_PEER_RELAY_H
#define WICE_AGENT_PEER_RELAY_H

#include "agent/relays.h"
#include "proxy/proxy.h"
#include "turn/choice.h"

typedef struct WicePeer WicePeer;

/* One way to the peer over relays: a channel from an allocation of ours to one of the peer's. */
typedef struct {
	WiceRelayLink *link; /* NULL: there is none, all else is void */
	WiceProxyPath *path;
	WiceMechanism mechanism;
	WiceEndpoint ours, theirs; /* relayed addresses */
	WiceEndpoint endpoint;     /* what WireGuard is to be set to for it, or none */
	WiceEndpoint server;       /* our relay */
	bool in_place;             /* as of WiceProxyChannel */
	int64_t opened_ns;         /* CLOCK_REALTIME */
} WiceRelayedPath;

/*
 * The relayed path of a peer: which one follows from what both ends offer and have measured
 * (turn/choice.h). It is kept ready while a direct one is used. The former one lives on for some
 * seconds after a change, since the peer does not change at the same moment.
 */
typedef struct {
	WiceRelayChoice choice;
	WiceRelayedPath current, former;
	int64_t former_until;
	GArray *refused; /* WiceEndpoint: our addresses at relays that refuse the peer, or NULL */
	int64_t refused_until;
	int64_t path_tokens_at; /* a bucket: a peer may not change its address all the time */
	int64_t next_path_at;   /* when it has a token again, if one is wanted */
	bool told_bound;        /* the peer has been told of the channel */
	bool begins;            /* our WireGuard is to begin the handshake over it */
	bool announced;         /* the session has been told that the current one can be used */
} WicePeerRelay;

void wice__peer_relay_init(WicePeerRelay *relay);
/*
 * Something has changed, or the deadline has passed: chooses, makes and frees paths, and tells the
 * session.
 */
void wice__peer_relay_update(WicePeer *peer);
/* Frees everything; the session is told nothing. */
void wice__peer_relay_close(WicePeer *peer);
/* When to call wice__peer_relay_update(). */
int64_t wice__peer_relay_deadline(const WicePeer *peer);
/* Writes our part of a description; the caller then sends it. */
void wice__peer_relay_describe(WicePeer *peer, WiceDescription *description);
/* The peer knows of our channel and, as far as we know, has just got its own: it begins. */
bool wice__peer_relay_is_awaited(const WicePeer *peer);
/* Points WireGuard at it. */
void wice__peer_apply_relay(WicePeer *peer);
/* WireGuard with this endpoint sends over it, or over the former one. */
bool wice__peer_relay_leads_by(const WicePeer *peer, const WiceEndpoint *endpoint);
bool wice__peer_relay_uses(const WicePeer *peer, WiceMechanism mechanism);

#endif
