/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_AGENT_ATTEMPT_H
#define WICE_AGENT_ATTEMPT_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/addr.h>
#include <wice/candidate.h>
#include <wice/status.h>

#include "ice/ice.h"
#include "proxy/inprocess.h"
#include "proxy/user.h"
#include "signaling/sealed.h"

/*
 * One attempt to reach a peer: an ICE agent, the paths for WireGuard that share its ports (the
 * engine's or the proxy's), and the search for server-reflexive addresses from those ports. A session has one that it works on and may have
 * another that still carries packets.
 */
typedef struct WiceAttempt WiceAttempt;

typedef struct {
	void (*on_candidates)(WiceAttempt *attempt,
			      void *user_data); /* new ones, or all are known */
	void (*on_pair)(WiceAttempt *attempt, void *user_data);
	void (*on_failed)(WiceAttempt *attempt, void *user_data);
} WiceAttemptEvents;

typedef struct {
	GMainContext *context;
	const WiceIceOps *ice;
	WiceInprocess *inprocess; /* the interface's engine, or NULL: */
	WiceUserEntry *entry;     /* the peer's entry of the userspace proxy */
	bool controlling;
	uint32_t fwmark;
	const WiceAddress *addresses;
	size_t n_addresses;
	const WiceEndpoint *stun_servers;
	size_t n_stun_servers;
} WiceAttemptOptions;

/*
 * -EADDRNOTAVAIL if there is no address, -ENOTSUP if inprocess cannot have the ports, -EMFILE if what is left of the process's descriptors is
 * needed for other things; -errno. No callback before this has returned. */
int wice__attempt_new(const WiceAttemptOptions *options, const WiceAttemptEvents *events,
		      void *user_data, WiceAttempt **ret_attempt);
void wice__attempt_free(WiceAttempt *attempt);

const WiceIceCredentials *wice__attempt_credentials(const WiceAttempt *attempt);
/* Writes our part of a description: credentials, candidates, gathering_done. */
void wice__attempt_describe(const WiceAttempt *attempt, WiceDescription *description);
/* Our candidate with this endpoint, or NULL. */
const WiceCandidate *wice__attempt_find_candidate(const WiceAttempt *attempt,
						  const WiceEndpoint *endpoint);
/* Gives a description of the peer to the agent; may be repeated. -errno. */
int wice__attempt_set_remote(WiceAttempt *attempt, const WiceDescription *description);

/* A STUN packet from the entry's on_stun: ignored unless path is one of this attempt's. */
void wice__attempt_stun_input(WiceAttempt *attempt, WiceUserPath *path, const WiceEndpoint *source,
			      const uint8_t *packet, size_t len);

/* The selected pair; NULL while there is none. */
const WiceIcePair *wice__attempt_pair(const WiceAttempt *attempt);
/* The paths are the engine's own. */
bool wice__attempt_is_inprocess(const WiceAttempt *attempt);
/*
 * Packets go to the selected pair: points the proxy's entry at it, or has the engine's packets to the
 * remote endpoint go over it. -ENOENT if there is none.
 */
int wice__attempt_select(WiceAttempt *attempt);

/* What server-reflexive discovery has shown. */
WiceNatMapping wice__attempt_nat_mapping(const WiceAttempt *attempt);
/* A server was asked and none has answered. */
bool wice__attempt_stun_failed(const WiceAttempt *attempt);

#endif
