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

/* How packets should get from WireGuard to the pair that ICE has selected. Pure. */
typedef struct {
	bool inprocess;   /* WireGuard is in this process and has ICE's port */
	bool own_kernel;  /* we may let WireGuard's socket talk to the peer, and announce it */
	bool peer_kernel; /* the peer announces the same */
	uint16_t own_wg_port, peer_wg_port;  /* 0: not known */
	const WiceCandidate *local, *remote; /* the pair */
	size_t n_peer_candidates;
	const WiceCandidate *peer_candidates; /* as signalled */
} WiceSelectInput;

typedef struct {
	WicePathKind path;
	WiceMechanism mechanism;
	/* KERNEL, INPROCESS: what WireGuard's endpoint must be. USER: where the proxy sends. */
	WiceEndpoint endpoint;
	const char *why; /* one sentence, static */
} WiceSelection;

/*
 * WireGuard's own socket sends from another port than ICE did. No NAT has a mapping for it, and
 * only between addresses of the two hosts themselves does that not matter. The peer decides by the
 * same rule on the other end of the pair: behind a NAT its end is reflexive on one side at least,
 * whichever side looks.
 */
void wice__select(const WiceSelectInput *input, WiceSelection *ret_selection);

#endif
