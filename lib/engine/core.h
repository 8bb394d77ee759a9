/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_ENGINE_CORE_H
#define WICE_ENGINE_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/bind.h>
#include <wice/engine.h>
#include <wice/plan.h>

#include "crypto/aead.h"
#include "engine/packet.h"
#include "wg/device.h"

/*
 * The core of an engine: peers, sessions, timers, routes. It takes bytes, where they came from and
 * the time; it gives bytes, where they go to, and the next deadline. Pure: a simulation of five
 * engines in virtual time runs what two threads of a real one run.
 *
 * Two kinds of functions:
 *
 *   control  configuration, handshakes, timers. One at a time: they take the core's mutex.
 *   lanes    outbound and inbound batches of packets. A lane is what one thread at a time uses;
 *            lanes run beside one another and beside control.
 *
 * What lanes read (routes, sessions, endpoints) changes only while all lanes are held, which control
 * does for as long as it writes. A lane is held once per batch: for packets there is no lock. What
 * lanes have to tell (a session is old, a peer has roamed) is collected during the batch and
 * reported to control after it. What they note for the timers are atomic stamps in the peer; control
 * looks at them when the earliest thing that could be due is due, so that a busy peer costs a
 * look every few seconds and an idle one nothing.
 */
typedef struct WiceCore WiceCore;
typedef struct WiceLane WiceLane;

/* The time: of a monotonic clock that counts while the machine sleeps, and since 1970. */
typedef struct {
	int64_t ms;
	int64_t realtime_ns;
} WiceNow;

/* What a core asks for. Called with the core's mutex held: must not call the core. */
typedef struct {
	/* Packets go out; those of one call to one peer. The path's local may be cleared. */
	void (*send)(WiceBindPath *path, const WiceBindPacket *packets, size_t n, void *user_data);
	/* The path to an endpoint that was configured. */
	void (*route)(const WiceEndpoint *remote, WiceBindPath *ret_path, void *user_data);
	/* The peer has proven that it is at a path that it was not at before. May be NULL. */
	void (*authenticated)(const WiceBindPath *path, const WiceKey *peer, void *user_data);
	/* n random bytes. */
	void (*random)(void *bytes, size_t n, void *user_data);
	/* HANDSHAKE, ENDPOINT. */
	void (*event)(WiceEngineEventType type, const WiceKey *peer, void *user_data);
} WiceCoreHooks;

/* hooks live as long as the core; so does aead. */
WiceCore *wice__core_new(const WiceAeadProvider *aead, const WiceCoreHooks *hooks, void *user_data);
/* Wipes and frees. All lanes must have been freed before. */
void wice__core_free(WiceCore *core);

/* Lanes are made before packets flow, and freed after. */
WiceLane *wice__lane_new(WiceCore *core);
void wice__lane_free(WiceLane *lane);

/* Control. */

/*
 * Applies a change that has been checked (a plan's), but for the listen port and the fwmark, which
 * are the caller's. -E2BIG: too many peers, nothing was changed.
 */
int wice__core_apply(WiceCore *core, const WiceDeviceChange *change);
/* Fills in what there is to tell but for listen port and fwmark. */
void wice__core_read(WiceCore *core, WiceDeviceBuilder *builder);
/* Down: sessions and staged packets are forgotten, nothing is sent or accepted. Begins down. */
void wice__core_set_up(WiceCore *core, bool up);
/* Padding does not make packets longer than this. */
void wice__core_set_mtu(WiceCore *core, uint32_t mtu);
/*
 * An initiation, a response or a cookie came in. under_load: more come than can be answered, so that
 * senders have to prove that they receive at their address.
 */
void wice__core_handshake(WiceCore *core, const uint8_t *data, size_t length,
			  const WiceBindPath *path, bool under_load, WiceNow now);
/* Does what is due, or much of it. Returns the next deadline, INT64_MAX: none. */
int64_t wice__core_timers(WiceCore *core, WiceNow now);
/* The next deadline; may have become earlier by any call but wice__core_timers(). */
int64_t wice__core_deadline(WiceCore *core);
/* The bind has been opened anew: paths are asked for again. */
void wice__core_reroute(WiceCore *core);
/* Without the tun's and the bind's, which are zero. */
void wice__core_counters(WiceCore *core, WiceEngineCounters *ret_counters);

/* Lanes. */

/* Sealed packets to one peer, in order. */
typedef struct {
	WiceBindPath path; /* a copy */
	WiceBindPacket *packets;
	size_t n;
	uint32_t session; /* the local index */
} WiceLaneRun;

/*
 * Seals packets from the TUN in place, in batches per peer. Returns the number of runs; they and
 * what they point to are valid until the next call for the lane. Send them, then call
 * wice__lane_report(). Packets that have to wait for a session are copied and staged.
 */
size_t wice__lane_seal(WiceLane *lane, const WicePacket *packets, size_t n, int64_t now_ms,
		       const WiceLaneRun **ret_runs);
/* The bind has cleared the local address of a run's path. */
void wice__lane_source_cleared(WiceLane *lane, const WiceLaneRun *run);

/*
 * Opens what came from the bind, in place. Returns the number of IP packets for the TUN, in order of
 * each peer's; valid as long as the datagrams. Handshake messages are given to handshake, which must
 * copy them. Then call wice__lane_report(), and hand the packets on after it: what they are answered
 * with must go by the session and the path that they came by.
 */
typedef void (*WiceLaneHandshakeFunc)(const uint8_t *data, size_t length, const WiceBindPath *path,
				      void *user_data);
size_t wice__lane_open(WiceLane *lane, const WiceBindDatagram *datagrams, size_t n, int64_t now_ms,
		       WiceLaneHandshakeFunc handshake, void *user_data, WicePacket **ret_packets);

/*
 * Tells control what came up during the batch. True if control has something to do earlier than it
 * thought: look at wice__core_deadline(), or call wice__core_timers().
 */
bool wice__lane_report(WiceLane *lane, WiceNow now);

#endif
