/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_ICE_PRIORITY_H
#define WICE_ICE_PRIORITY_H

#include <stdint.h>
#include <wice/candidate.h>

/*
 * What RFC 8445 computes about candidates. Pure.
 *
 * A priority is three fields (section 5.1.2.1). The type preferences are those of libnice, not
 * the RFC's suggestions of 126 and 0, because our candidates are sorted among libnice's:
 *
 *    31            24 23                     8 7             0
 *   +----------------+------------------------+---------------+
 *   | type preference| local preference       | 256 - component
 *   +----------------+------------------------+---------------+
 */
#define WICE_ICE_PREFERENCE_HOST 120
#define WICE_ICE_PREFERENCE_PEER_REFLEXIVE 110
#define WICE_ICE_PREFERENCE_SERVER_REFLEXIVE 100
#define WICE_ICE_PREFERENCE_RELAYED 30

/* Of component 1. */
uint32_t wice__ice_priority(WiceCandidateType type, uint16_t local_preference);

/* Section 6.1.2.3: the same number on both sides, whoever computes it. */
uint64_t wice__ice_pair_priority(uint32_t controlling, uint32_t controlled);

/*
 * The server-reflexive candidate of a host candidate whose packets a server saw coming from mapped.
 * Below every host candidate, in the same order as their bases. ret may be host itself.
 */
void wice__ice_server_reflexive(const WiceCandidate *host, const WiceEndpoint *mapped,
				WiceCandidate *ret);

#endif
