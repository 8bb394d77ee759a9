/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_AGENT_PEER_PRIVATE_H
#define WICE_AGENT_PEER_PRIVATE_H

#include "agent/attempts.h"
#include "agent/hold.h"
#include "agent/interface.h"
#include "agent/mechanisms.h"
#include "agent/peer.h"
#include "agent/peer_direct.h"
#include "agent/peer_relay.h"
#include "agent/reason.h"
#include "agent/roam.h"
#include "agent/session.h"
#include "agent/suspicion.h"
#include "event/source.h"
#include "proxy/proxy.h"
#include "proxy/select.h"
#include "signaling/sealed.h"

/* A peer as its own files see it. */
struct WicePeer {
	WiceInterface *interface;
	GMainContext *context; /* a share of one */
	WiceKey key;
	char subject[32]; /* "wg0 Q3x0PwAb…" for the log */
	WiceSession session;
	WicePeerState reported;
	WicePathKind reported_path;
	int64_t state_since_ms;
	WiceTimer *timer;
	WiceMailbox mailbox;
	WiceProxyPeer *proxies[WICE_MECHANISMS_N]; /* by mechanism; those in use */
	WiceAttempts attempts;
	int64_t attempt_opened_ns; /* CLOCK_REALTIME */
	bool has_remote;
	WiceDescription remote;
	int not_opened; /* why no attempt could be made: 0 or -errno */
	unsigned nested;
	bool publish_pending;
	int64_t open_tokens_at, genuine_tokens_at; /* in µs */
	int64_t stale_answered_at;
	WiceHold hold;
	WiceSelection selection;     /* how packets get to the path of `active` */
	WiceEndpoint proxy_endpoint; /* what WireGuard's is to be for that path */
	unsigned refused;            /* mechanisms that did not get through, as bits */
	unsigned shown;              /* mechanisms that did, since the network changed */
	int64_t refused_until;
	uint64_t sent_bytes; /* by WireGuard, when something was last sent: */
	int64_t sent_at;
	WiceRoam roam;
	WicePeerRelay relay;
	int64_t relay_applied_at;
	WiceSuspicion suspicion; /* of a direct path */
	WicePeerDirect direct;
	struct {
		size_t n_local;
		WiceNatMapping nat;
		bool stun_failed;
	} tried; /* what was known of the newest attempt: worth keeping once that has failed */
	char reason[WICE_REASON_SIZE];
	uint32_t connect_ms;
};

/* peer.c */
/* One event through the session; all that it leads to happens before the outermost call returns. */
void wice__peer_run(WicePeer *peer, const WiceSessionEvent *event);
WiceMechanisms *wice__peer_mechanisms(const WicePeer *peer);
/* The peer at the proxy of a mechanism, in peer->proxies from then on. -errno. */
int wice__peer_ensure_proxy(WicePeer *peer, WiceMechanism mechanism);
/* After attempts or relayed paths have been freed. */
void wice__peer_free_unused_proxies(WicePeer *peer);

/* peer_signaling.c */
/* Sends a description of the newest attempt, if there is one. */
void wice__peer_publish(WicePeer *peer);

/* peer_path.c */
/* Not this mechanism for a while. */
void wice__peer_refuse(WicePeer *peer, WiceMechanism mechanism);
/*
 * No handshake got through. A mechanism that has worked is tried once more: the peer may have died
 * between what ICE and what WireGuard had to say, or have been suspended.
 */
void wice__peer_doubt(WicePeer *peer);
/* DO_APPLY_PATH, DO_TRY, DO_FALL_BACK and DO_DROP_PATH of the session. */
void wice__peer_apply_path(WicePeer *peer);
void wice__peer_try_path(WicePeer *peer);
void wice__peer_fall_back(WicePeer *peer);
void wice__peer_drop_path(WicePeer *peer);
/* The attempt in use has another pair, while a newer one is worked on: the path goes there. */
void wice__peer_move_path(WicePeer *peer);
/* WireGuard is set to somewhere that neither we nor the peer would have sent it to. */
bool wice__peer_is_foreign(const WicePeer *peer);

/* peer_report.c */
void wice__peer_refresh_reason(WicePeer *peer);
/* Tells users and the log if the state is another one. */
void wice__peer_report_state(WicePeer *peer);

#endif
