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

#include "agent/reflexive.h"
#include "ice/ice.h"
#include "proxy/proxy.h"
#include "signaling/sealed.h"

/*
 * One attempt to reach a peer: an ICE agent, the paths for WireGuard that share its ports, and the
 * search for server-reflexive addresses from those ports. A peer may have several: attempts.h.
 */
typedef struct WiceAttempt WiceAttempt;

typedef struct {
	/* There are new ones, or all are known. */
	void (*on_candidates)(WiceAttempt *attempt, void *user_data);
	/* As of WiceIceEvents. */
	void (*on_check)(WiceAttempt *attempt, void *user_data);
	void (*on_pair)(WiceAttempt *attempt, void *user_data);
	void (*on_failed)(WiceAttempt *attempt, void *user_data);
} WiceAttemptEvents;

/* What the interface knows of its one port, for mechanisms that have one. */
typedef struct {
	size_t n;
	const WiceReflexiveAddress *addresses;
	bool settled; /* nothing more is waited for */
	bool failed;  /* servers were asked, and none has answered */
	WiceNatMapping nat;
} WiceOutside;

typedef struct {
	GMainContext *context;
	const WiceIceOps *ice;
	WiceProxyPeer *proxy; /* of the peer; lives longer than the attempt */
	bool controlling;
	uint32_t fwmark;
	const WiceAddress *addresses;
	size_t n_addresses;
	/* What is asked for addresses where each path has a port of its own. */
	const WiceEndpoint *stun_servers;
	size_t n_stun_servers;
	WiceOutside outside; /* where all paths have one port */
} WiceAttemptOptions;

/*
 * -EADDRNOTAVAIL if there is no address, -ENOTSUP if the proxy cannot have the ports, -EMFILE if
 * what is left of the process's descriptors is needed for other things; -errno. No callback before
 * this has returned.
 */
int wice__attempt_new(const WiceAttemptOptions *options, const WiceAttemptEvents *events,
		      void *user_data, WiceAttempt **ret_attempt);
void wice__attempt_free(WiceAttempt *attempt);

const WiceIceCredentials *wice__attempt_credentials(const WiceAttempt *attempt);
WiceMechanism wice__attempt_mechanism(const WiceAttempt *attempt);
/* Writes our part of a description: credentials, candidates, gathering_done, no_proxy. */
void wice__attempt_describe(const WiceAttempt *attempt, WiceDescription *description);
/*
 * Gives a description of the peer to the agent, and what can be guessed from it; before: the
 * endpoint that WireGuard had, or none. May be repeated. -errno.
 */
int wice__attempt_set_remote(WiceAttempt *attempt, const WiceDescription *description,
			     const WiceEndpoint *before);
/* The interface has learned more of its one port. Ignored where each path has a port of its own. */
void wice__attempt_set_outside(WiceAttempt *attempt, const WiceOutside *outside);

/* From the proxy's on_stun: ignored unless path is one of this attempt's. */
void wice__attempt_stun_input(WiceAttempt *attempt, WiceProxyPath *path, const WiceEndpoint *source,
			      const uint8_t *packet, size_t len);

/* Where a check came from, as of WiceProxyOps.path_heard; -ENOENT: none did, or nobody can tell. */
int wice__attempt_heard(const WiceAttempt *attempt, WiceEndpoint *ret_source);
/* The selected pair; NULL while there is none. */
const WiceIcePair *wice__attempt_pair(const WiceAttempt *attempt);
/*
 * Packets go to the selected pair, or where they went when the attempt was put to rest, once
 * WireGuard's endpoint is *ret_endpoint. -ENOENT if there is none.
 */
int wice__attempt_select(WiceAttempt *attempt, WiceEndpoint *ret_endpoint);

/*
 * Sends one packet of ours from the port of the selected pair to its other end. -ENOTSUP where all
 * paths have one port: the interface can (reflexive.h). -ENOENT if no pair is selected; -errno.
 */
int wice__attempt_send(WiceAttempt *attempt, const uint8_t *packet, size_t len);

/*
 * WireGuard with this endpoint sends over the attempt's path, or could: it is the remote one, or
 * what selecting has given.
 */
bool wice__attempt_leads_by(const WiceAttempt *attempt, const WiceEndpoint *endpoint);

/*
 * Closes the ICE agent and the paths, if packets do without them (mechanism `bpf`): what is left
 * is what is known. No pair is selected any more, no check is answered.
 */
void wice__attempt_rest(WiceAttempt *attempt);
bool wice__attempt_is_resting(const WiceAttempt *attempt);

/* What server-reflexive discovery has shown. */
WiceNatMapping wice__attempt_nat_mapping(const WiceAttempt *attempt);
/* A server was asked and none has answered. */
bool wice__attempt_stun_failed(const WiceAttempt *attempt);

#endif
