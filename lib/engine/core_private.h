/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_ENGINE_CORE_PRIVATE_H
#define WICE_ENGINE_CORE_PRIVATE_H

#include <glib.h>
#include <stdatomic.h>
#include <string.h>

#include "base/deadlines.h"
#include "engine/allowed_ips.h"
#include "engine/cookie.h"
#include "engine/core.h"
#include "engine/noise.h"
#include "engine/rate_limit.h"
#include "engine/replay.h"

/* Whitepaper section 6.1, in milliseconds and messages. */
#define REKEY_AFTER_MESSAGES (UINT64_C(1) << 60)
#define REKEY_AFTER_TIME 120000
#define REJECT_AFTER_TIME 180000
#define REKEY_TIMEOUT 5000
#define REKEY_ATTEMPTS 18 /* 90 s */
#define KEEPALIVE_TIMEOUT 10000
#define NEW_HANDSHAKE_TIMEOUT (KEEPALIVE_TIMEOUT + REKEY_TIMEOUT)
#define FORGET_AFTER_TIME (3 * REJECT_AFTER_TIME)
#define LAST_MINUTE (REJECT_AFTER_TIME - KEEPALIVE_TIMEOUT - REKEY_TIMEOUT)
#define MAX_JITTER 333
#define INITIATION_INTERVAL 20 /* a peer's initiations are answered no more often */

#define MAX_PEERS (1u << 20)
#define MAX_STAGED 128                      /* packets of a peer */
#define MAX_STAGED_BYTES ((size_t)16 << 20) /* of all */

typedef struct WiceCorePeer WiceCorePeer;
typedef struct WiceCoreSession WiceCoreSession;

/* What a local index stands for: a session, or the peer's handshake. */
typedef struct {
	uint32_t index; /* 0: none */
	WiceCorePeer *peer;
	WiceCoreSession *session; /* NULL: the handshake */
} WiceIndexEntry;

/* The keys of some minutes. */
struct WiceCoreSession {
	WiceIndexEntry entry;
	uint32_t remote_index;
	bool initiator;
	bool preferred; /* to one that was begun by the other end at the same time */
	int64_t born_ms;
	uint8_t send_key[WICE_AEAD_KEY_LEN];
	uint8_t receive_key[WICE_AEAD_KEY_LEN];
	_Atomic uint64_t counter;                  /* of the next packet to be sent */
	_Atomic bool rekey_told, last_minute_told; /* control knows that it is old */
	GMutex replay_lock;                        /* once per batch: several lanes may receive */
	WiceReplay replay;
};

/* A packet that waits for a session. */
typedef struct {
	uint32_t length;
	uint8_t bytes[]; /* headroom, packet, tailroom */
} WiceStaged;

struct WiceCorePeer {
	/* Control's. */
	WiceNoisePeer noise;
	WiceNoiseHandshake *handshake; /* that we have begun; NULL: none is under way */
	WiceIndexEntry handshake_entry;
	WiceCookieMaker cookie;
	WiceDeadline deadline;
	GList link;    /* in the core's peers */
	GQueue staged; /* WiceStaged, oldest first */
	uint16_t keepalive_s;
	bool wants_handshake; /* as soon as one may begin */
	bool wants_keepalive;
	unsigned attempts;
	int64_t retry_ms;    /* INT64_MAX: no initiation waits for its response */
	int64_t shaken_ms;   /* when we last sent an initiation or a response; INT64_MIN: never */
	int64_t answered_ms; /* when we last answered an initiation */
	int64_t forget_ms;   /* when all keys are to be wiped */
	int64_t jitter_ms;
	int64_t handshake_ns; /* when the last session began, since 1970 */

	/* Lanes read these; control writes them while it holds the lanes. */
	WiceCoreSession *current, *previous, *next;
	WiceBindPath path;
	WiceAllowedIpsList allowed_ips;

	/* Lanes and control write these. Times in ms, 0: none. */
	_Atomic uint64_t rx_bytes, tx_bytes;
	_Atomic int64_t sent_ms, received_ms; /* the last authenticated packet */
	_Atomic int64_t unanswered_ms;        /* the first data since something was received */
	_Atomic int64_t unacknowledged_ms;    /* the first data since something was sent */
	_Atomic bool more_unacknowledged;     /* and it was not the last */
	_Atomic int64_t look_ms;              /* when control will look at these */
};

/* What a lane has to tell control. */
typedef enum {
	WICE_REPORT_LOOK,      /* something is due earlier than control thinks */
	WICE_REPORT_REKEY,     /* the session is old: a new one should follow it */
	WICE_REPORT_CONFIRMED, /* something came in a session that takes over */
	WICE_REPORT_ROAMED,    /* the peer is at path now */
	WICE_REPORT_CLEARED,   /* the local address of the peer's path is no more */
} WiceReportType;

typedef struct {
	WiceReportType type;
	uint32_t index; /* of the session */
	WiceBindPath path;
} WiceReport;

/* The counters of WiceEngineCounters that lanes count. */
typedef struct {
	_Atomic uint64_t no_peer, no_endpoint, invalid, unknown_index, forged, replayed, expired,
		not_ip, spoofed;
} WiceLaneCounters;

/* A transport message that came in. */
typedef struct {
	uint8_t *data;
	uint32_t length;
	uint32_t index;
	bool taken; /* into a batch */
	const WiceBindPath *path;
} WiceReceived;

/* All arrays keep their memory from batch to batch. */
struct WiceLane {
	WiceCore *core;
	GMutex mutex;    /* held during a batch */
	GArray *reports; /* WiceReport */
	GArray *staging; /* WicePacket: those without a session */
	/* Of outbound batches. */
	GArray *routed; /* WiceCorePeer *, of each packet */
	GArray *batch;  /* WicePacket: those of one peer */
	GArray *sealed; /* WiceBindPacket */
	GArray *runs;   /* WiceLaneRun */
	/* Of inbound batches. */
	GArray *received; /* WiceReceived */
	GArray *opened;   /* WicePacket */
	WiceLaneCounters counters;
};

struct WiceCore {
	const WiceAeadProvider *aead;
	const WiceCoreHooks *hooks;
	void *user_data;
	GMutex mutex;     /* control */
	GPtrArray *lanes; /* borrowed */

	WiceNoiseIdentity identity;
	bool has_identity;
	bool up;
	WiceCookieChecker checker;
	WiceRateLimit *limit;
	int64_t limit_ms;     /* when to forget addresses; INT64_MAX: knows none */
	int64_t timestamp_ns; /* of the last initiation */
	GHashTable *peers;    /* &noise.public_key -> WiceCorePeer, owned */
	GQueue peer_order;    /* by their link */
	WiceDeadlines deadlines;
	size_t staged_bytes;
	WiceEngineCounters counters;

	/* Lanes read these, see WiceCorePeer. */
	GHashTable *indices; /* index -> WiceIndexEntry, borrowed */
	WiceAllowedIps *routes;
	_Atomic uint32_t mtu;
};

/* core.c: for the lane's thread. path: where the peer is if it has ROAMED, or NULL. */
void wice__lane_tell(WiceLane *lane, WiceReportType type, uint32_t index, const WiceBindPath *path);

/* Whose an address of an IP packet is, or NULL. Lanes may call it too. */
static inline WiceCorePeer *wice__core_owner(const WiceCore *core, WiceFamily family,
					     const uint8_t *address)
{
	return family == WICE_FAMILY_IPV4 ? wice__allowed_ips_find4(core->routes, address)
					  : wice__allowed_ips_find6(core->routes, address);
}

/* Whether two addresses of IP packets are the same. b may be none: NONE, NULL. */
static inline bool wice__same_address(WiceFamily a_family, const uint8_t *a, WiceFamily b_family,
				      const uint8_t *b)
{
	return a_family == b_family && memcmp(a, b, a_family == WICE_FAMILY_IPV4 ? 4 : 16) == 0;
}

/* Control, with its mutex held. */

/* core.c: between these two no lane is in a batch. */
void wice__core_hold_lanes(WiceCore *core);
void wice__core_release_lanes(WiceCore *core);

/* core_peer.c */
WiceCorePeer *wice__core_find_peer(WiceCore *core, const WiceKey *key);
WiceCorePeer *wice__core_add_peer(WiceCore *core, const WiceKey *key);
/* The lanes are held by the caller, in this and the next. */
void wice__core_remove_peer(WiceCore *core, WiceCorePeer *peer);
/* Wipes sessions and handshake, and drops what is staged. */
void wice__core_forget(WiceCore *core, WiceCorePeer *peer);
bool wice__same_path(const WiceBindPath *a, const WiceBindPath *b);
/* The peer is at the other end of path; holds the lanes if that is news. */
void wice__core_set_path(WiceCore *core, WiceCorePeer *peer, const WiceBindPath *path);
/* The same, and it has proven it. */
void wice__core_heard_on(WiceCore *core, WiceCorePeer *peer, const WiceBindPath *path);
/* Packets to it go out from whichever address the system chooses; holds the lanes. */
void wice__core_clear_source(WiceCore *core, WiceCorePeer *peer);
/* Sends what was sealed for it, with data or without, or a handshake message. */
void wice__core_send(WiceCore *core, WiceCorePeer *peer, const WiceBindPacket *packets, size_t n,
		     bool data, WiceNow now);
/* Whose the destination of a packet is, or NULL. Lanes may call it too. */
WiceCorePeer *wice__core_route(const WiceCore *core, const WicePacket *packet);

/* core_session.c */
/* An index that nothing has. */
uint32_t wice__core_new_index(WiceCore *core);
/* Gives an entry a new index; holds the lanes. */
void wice__core_register(WiceCore *core, WiceIndexEntry *entry);
/* Takes it back. Lanes are held by the caller. */
void wice__core_unregister(WiceCore *core, WiceIndexEntry *entry);
/* Makes the session that a handshake has come to. Holds the lanes. */
void wice__core_begin_session(WiceCore *core, WiceCorePeer *peer, const WiceNoiseKeys *keys,
			      WiceNow now);
/*
 * True if something that came in the session makes it the current one: the peer has begun it, or prefers
 * it to the current one. Lanes may call it too.
 */
bool wice__session_takes_over(const WiceCorePeer *peer, const WiceCoreSession *session);
/* Something came in the session: if it takes over, it is the current one now. Holds the lanes. */
void wice__core_confirm_session(WiceCore *core, WiceCorePeer *peer, WiceCoreSession *session,
				WiceNow now);
/* Takes it out of the peer. Lanes are held by the caller. */
void wice__core_end_session(WiceCore *core, WiceCoreSession **session);
/* Nothing may be sealed or opened with it any more. */
bool wice__session_spent(const WiceCoreSession *session, int64_t now_ms);
/* A new one should follow it. */
bool wice__session_old(const WiceCoreSession *session, int64_t now_ms);
/* Pads and seals up to WICE_AEAD_MAX_BATCH packets around where they are. Any thread. */
void wice__session_seal(WiceCoreSession *session, const WiceAeadProvider *aead, uint32_t mtu,
			const WicePacket *packets, size_t n, WiceBindPacket *ret_sealed);

/* core_staged.c */
/* Copies a packet to the end of those that wait. */
void wice__core_stage(WiceCore *core, WiceCorePeer *peer, const WicePacket *packet);
void wice__core_drop_staged(WiceCore *core, WiceCorePeer *peer);
/*
 * Sends what is staged, or else a keepalive if one is wanted; without a session to do it with, a
 * handshake is wanted.
 */
void wice__core_flush(WiceCore *core, WiceCorePeer *peer, WiceNow now);

/* core_handshake.c */
/* Begins a handshake, unless the last one is too young: then one is wanted. */
void wice__core_initiate(WiceCore *core, WiceCorePeer *peer, WiceNow now);
/* Forgets the handshake that we have begun. Lanes are held by the caller. */
void wice__core_end_handshake(WiceCore *core, WiceCorePeer *peer);

/* core_timers.c */
/* Does what is due for the peer and sets its deadline. */
void wice__core_look(WiceCore *core, WiceCorePeer *peer, WiceNow now);
/* When the first peer is due, INT64_MAX: never. */
int64_t wice__core_next(const WiceCore *core);
/* Control will look at it as soon as it can. */
void wice__core_look_soon(WiceCore *core, WiceCorePeer *peer);
/*
 * Stamps: an authenticated packet was sent, or received, with data or without. True if control does
 * not look early enough. Any thread.
 */
bool wice__peer_sent(WiceCorePeer *peer, int64_t now_ms, bool data);
bool wice__peer_received(WiceCorePeer *peer, int64_t now_ms, bool data);
/* Somebody needs a new session: one is tried to be had for 90 s from now. */
void wice__core_want_handshake(WiceCorePeer *peer);
/* A session is known to both sides: nothing is to be repeated any more. */
void wice__core_handshake_complete(WiceCore *core, WiceCorePeer *peer, WiceNow now);
/* No timer of the peer runs. */
void wice__core_stop_timers(WiceCore *core, WiceCorePeer *peer);

#endif
