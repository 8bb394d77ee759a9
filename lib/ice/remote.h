/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_ICE_REMOTE_H
#define WICE_ICE_REMOTE_H

#include "ice/ice.h"

/*
 * What a peer has told about itself, as far as it is acceptable. Pure. A peer is authenticated, not
 * trusted: it must not make us send packets to addresses that are nobody's or this host's own
 * business.
 */
typedef struct {
	bool has_credentials;
	WiceIceCredentials credentials;
	size_t n;
	WiceCandidate candidates[WICE_ICE_MAX_REMOTE]; /* no two with the same endpoint */
} WiceIceRemote;

/* Worth a check, as far as the candidate itself tells. allow_loopback: as below. */
bool wice__ice_remote_accepts(const WiceCandidate *candidate, bool allow_loopback);

/* 0, -EINVAL or -EALREADY, as WiceIceOps.set_remote. */
int wice__ice_remote_set(WiceIceRemote *remote, const WiceIceCredentials *credentials);

/*
 * Appends the candidates that are acceptable and new. Returns how many. Loopback addresses are only
 * acceptable to an agent that has one itself.
 */
size_t wice__ice_remote_add(WiceIceRemote *remote, const WiceCandidate *candidates, size_t n,
			    bool allow_loopback);

/* Wipes the credentials. */
void wice__ice_remote_done(WiceIceRemote *remote);

#endif
