/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_PROXY_SELECT_H
#define WICE_PROXY_SELECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/addr.h>
#include <wice/candidate.h>
#include <wice/status.h>

/*
 * Which mechanism the paths of a peer use, and what WireGuard's endpoint must be once a pair of
 * addresses is selected: pure.
 */

/* What is known of one mechanism. */
typedef struct {
	bool available;
	const char *obstacle; /* why not: a sentence, or NULL if nothing is to be said about it */
} WiceMechanismState;

typedef struct {
	WiceMechanism wanted;                   /* NONE: the best one */
	WiceMechanismState bpf, nft, inprocess; /* user always is */
} WiceMechanismInput;

#define WICE_MECHANISM_REASON_SIZE 512

/*
 * bpf, then inprocess, then nft, then user; if one of these is wanted, it, or the best one after
 * it. ret_reason says why this one and none that comes before it.
 */
WiceMechanism wice__select_mechanism(const WiceMechanismInput *input,
				     char ret_reason[WICE_MECHANISM_REASON_SIZE]);

typedef struct {
	WiceMechanism mechanism; /* of the path that ICE has selected a pair for */
	bool own_kernel;         /* WireGuard's own socket may talk to the peer's */
	bool peer_kernel;        /* the peer announces the same */
	bool peer_no_proxy;      /* the peer's WireGuard has the port of its ICE without a proxy */
	uint16_t own_wg_port, peer_wg_port;  /* 0: not known, or not to be used */
	const WiceCandidate *local, *remote; /* the pair */
	size_t n_peer_candidates;
	const WiceCandidate *peer_candidates; /* as signalled */
} WiceSelectInput;

typedef struct {
	WicePathKind path;
	WiceMechanism mechanism; /* the one of the input, or KERNEL */
	/* KERNEL: what WireGuard's endpoint must be. Else: where the path leads. */
	WiceEndpoint endpoint;
	const char *why; /* one sentence, static */
} WiceSelection;

/*
 * Between addresses of the two hosts themselves no NAT has to know a port. If one of the ends needs
 * its proxy, it is spared that: WireGuard's own sockets talk to each other (KERNEL), provided
 * both ends announce that they may. Both decide by the same rule, whichever side looks: behind a
 * NAT an end is reflexive on one side at least.
 */
void wice__select(const WiceSelectInput *input, WiceSelection *ret_selection);

#endif
