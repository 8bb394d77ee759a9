/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_ICE_GUESS_H
#define WICE_ICE_GUESS_H

#include <stddef.h>
#include <stdint.h>
#include <wice/candidate.h>

/*
 * Candidates of a peer that nobody has signalled and that cost nothing but a check: pure.
 *
 *  - Each of its reflexive addresses with the port of each of its host candidates: a NAT that
 *    forwards a port by hand, or keeps port numbers for a host but not for this one mapping, is
 *    reached there.
 *  - The endpoint that WireGuard had before: what a user has configured, or where the peer was
 *    last.
 *
 * Written to ret, at most max, none of which is in candidates; returns how many. Below the
 * candidates of the peer in priority, and in the order above; the latter is not crowded out by many
 * of the former. Each has a foundation of its own, so that none waits for another to fail.
 * before: NULL or none if there was no endpoint.
 */
size_t wice__ice_guess(const WiceCandidate *candidates, size_t n, const WiceEndpoint *before,
		       WiceCandidate *ret, size_t max);

#endif
