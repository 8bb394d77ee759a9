/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_CANDIDATE_H
#define WICE_CANDIDATE_H

#include <stdint.h>
#include <wice/addr.h>
#include <wice/macros.h>

WICE_BEGIN_DECLS

/* Types of candidates, RFC 8445 section 5.1.1. */
typedef enum {
	WICE_CANDIDATE_HOST = 1,
	WICE_CANDIDATE_SERVER_REFLEXIVE = 2,
	WICE_CANDIDATE_PEER_REFLEXIVE = 3,
	WICE_CANDIDATE_RELAYED = 4,
} WiceCandidateType;

/* Room for a foundation (RFC 8445 section 5.1.1.3: 1 to 32 characters) with its NUL. */
#define WICE_FOUNDATION_SIZE 33

/* An address that a peer may be reached at: always UDP, always component 1. */
typedef struct {
	WiceCandidateType type;
	uint32_t priority; /* RFC 8445 section 5.1.2 */
	WiceEndpoint endpoint;
	WiceEndpoint related; /* the base of a reflexive candidate, or none */
	char foundation[WICE_FOUNDATION_SIZE];
} WiceCandidate;

/* "host", "srflx", "prflx", "relay" (the words of RFC 8839), "none" for 0. Static text. */
WICE_API const char *wice_candidate_type_name(WiceCandidateType type);

WICE_END_DECLS

#endif
