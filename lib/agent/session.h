/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_AGENT_SESSION_H
#define WICE_AGENT_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <wice/status.h>

/*
 * The state machine of one peer: pure. It is told what happened and what time it is; it says what
 * to do and when it wants to be called again. See the essay in session.c.
 */

#define WICE_SESSION_UFRAG_SIZE 33

/*
 * Where the search for a path stands. What users see (WicePeerState) follows from this and `path`.
 */
typedef enum {
	WICE_PHASE_IDLE = 0,
	WICE_PHASE_GATHERING,   /* no ICE agent could be opened yet */
	WICE_PHASE_SIGNALING,   /* there is one, not paired with an agent of the peer */
	WICE_PHASE_CHECKING,    /* paired */
	WICE_PHASE_HANDSHAKING, /* a pair is applied, WireGuard has not proven it */
	WICE_PHASE_ESTABLISHED, /* proven */
	WICE_PHASE_FAILED,      /* waiting for the next attempt */
} WiceSessionPhase;

/* Why the session is where it is; the shell turns it into a sentence with the facts it knows. */
typedef enum {
	WICE_WHY_NONE = 0,
	WICE_WHY_NOT_STARTED,
	WICE_WHY_NO_ADDRESS,
	WICE_WHY_WAITING_FOR_PEER,
	WICE_WHY_CHECKING,
	WICE_WHY_WAITING_FOR_HANDSHAKE,
	WICE_WHY_PROVEN,
	WICE_WHY_NO_PAIR_ANSWERED,
	WICE_WHY_NO_HANDSHAKE,
	WICE_WHY_PATH_SILENT,
	WICE_WHY_PATH_LOST,
	WICE_WHY_ADDRESSES_CHANGED,
	WICE_WHY_ASKED, /* the user asked for a restart */
	WICE_WHY_PEER_RESTARTED,
} WiceSessionWhy;

typedef enum {
	WICE_SESSION_START = 1,       /* the interface can be used */
	WICE_SESSION_STOP,            /* the interface cannot be used, or the peer is going */
	WICE_SESSION_RESTART,         /* the user asks for a new search */
	WICE_SESSION_NETWORK_CHANGED, /* the set of local addresses has changed */
	WICE_SESSION_OPENED,          /* answer to OPEN_ICE: ufrag holds the new agent's */
	WICE_SESSION_NOT_OPENED,      /* answer to OPEN_ICE: there is no address to open it on */
	WICE_SESSION_LOCAL_CHANGED,   /* there are new local candidates, or all are known now */
	WICE_SESSION_STUN_CHANGED,    /* other STUN servers are known than when gathering began */
	WICE_SESSION_SIGNALING_READY, /* a backend can carry messages (again) */
	WICE_SESSION_REMOTE,          /* a description: ufrag, remote_ufrag, wants_reply */
	WICE_SESSION_HEARD, /* a check of the peer came in from where WireGuard could send to */
	WICE_SESSION_PAIR_SELECTED,  /* the agent has selected a pair */
	WICE_SESSION_ICE_FAILED,     /* the agent has given up, or its selected pair is dead */
	WICE_SESSION_WG_ALIVE,       /* WireGuard has received something over the applied path */
	WICE_SESSION_WG_SILENT,      /* WireGuard sends and has heard nothing for too long */
	WICE_SESSION_WG_ANEW,        /* WireGuard has forgotten the peer's keys, not the path */
	WICE_SESSION_RELAY_READY,    /* the peer can be reached over a relay: anew, begins */
	WICE_SESSION_RELAY_LOST,     /* not any more */
	WICE_SESSION_RELAYS_CHANGED, /* there is more to tell about our relays: anew */
	WICE_SESSION_DIRECT_WORSE,   /* the direct path works, and the relay is better */
	WICE_SESSION_DIRECT_BETTER,  /* not any more */
	WICE_SESSION_DEADLINE,       /* the deadline has passed */
} WiceSessionEventType;

typedef struct {
	WiceSessionEventType type;
	const char *ufrag;        /* OPENED, REMOTE */
	const char *remote_ufrag; /* REMOTE: the agent of ours that it is paired with, or "" */
	bool wants_reply;         /* REMOTE */
	bool relayed;             /* REMOTE: the peer's packets go over the relay */
	bool avoids;              /* REMOTE: although there is a direct path */
	bool anew;                /* RELAYS_CHANGED: an address has */
	bool begins;              /* RELAY_READY: the peer waits for our handshake over it */
	bool awaited; /* HEARD, PAIR_SELECTED: the peer's handshake is to come over the relay */
} WiceSessionEvent;

/* What to do, in the order of the bits. */
typedef enum {
	WICE_SESSION_DO_CLOSE_ICE = 1u << 0,   /* the newest agent; not the path in use */
	WICE_SESSION_DO_DROP_PATH = 1u << 1,   /* put back the endpoint that was found */
	WICE_SESSION_DO_OPEN_ICE = 1u << 2,    /* answer with OPENED or NOT_OPENED */
	WICE_SESSION_DO_SET_REMOTE = 1u << 3,  /* give the description of this event to the agent */
	WICE_SESSION_DO_PUBLISH = 1u << 4,     /* send our description */
	WICE_SESSION_DO_APPLY_PATH = 1u << 5,  /* point WireGuard at the selected pair */
	WICE_SESSION_DO_APPLY_RELAY = 1u << 6, /* point WireGuard at the relayed path */
	WICE_SESSION_DO_FALL_BACK = 1u << 7,   /* nothing came over it: use the surest mechanism */
	WICE_SESSION_DO_TRY = 1u << 8,         /* point WireGuard at where the peer was heard */
	WICE_SESSION_DO_NUDGE = 1u << 9,       /* make WireGuard send something */
	WICE_SESSION_DO_SETTLE = 1u << 10,     /* proven: put the user's keepalive back */
} WiceSessionActions;

typedef struct {
	WiceSessionPhase phase;
	WiceSessionWhy why;
	bool controlling; /* as in ICE: the end with the smaller public key */
	bool trying;      /* WireGuard was pointed at a peer that was heard; no pair is selected */
	bool path;        /* a path is applied to WireGuard */
	bool relayed;     /* it is the relayed one */
	bool relay;       /* there is a relayed one, used or not */
	bool avoids;      /* there is a direct one, too, which is kept and not used */
	bool proven;      /* WireGuard has received over it, and has not been found silent since */
	char own_ufrag[WICE_SESSION_UFRAG_SIZE]; /* of our newest agent, "" if there is none */
	char paired_ufrag
		[WICE_SESSION_UFRAG_SIZE]; /* the peer's agent that it is paired with, or "" */
	uint32_t restarts;
	uint32_t failures; /* in a row, for the backoff */
	int64_t phase_since;
	int64_t attempt_since; /* when the newest search began */
	int64_t connected_at;  /* when it last ended in ESTABLISHED, 0 never */
	int64_t deadline;      /* when to send DEADLINE */
	/* internal */
	int64_t give_up_at;
	int64_t publish_at;
	int64_t publish_interval;
	int64_t published_at;
	int64_t nudge_at;
	int64_t nudge_interval;
	int64_t restart_tokens_at; /* bucket against being restarted all the time by the peer */
	uint64_t jitter;
} WiceSession;

/* jitter_seed spreads the timers of many peers; any value. */
void wice__session_init(WiceSession *session, bool controlling, uint64_t jitter_seed,
			int64_t now_ms);

/* One step. Returns WiceSessionActions; afterwards session->deadline is valid. */
unsigned wice__session_step(WiceSession *session, const WiceSessionEvent *event, int64_t now_ms);

/* What users see. */
WicePeerState wice__session_state(const WiceSession *session);

#endif
