/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ice/priority.h"

#include <string.h>

#define TYPE_SHIFT 24
#define LOCAL_SHIFT 8
#define BELOW_TYPE ((1u << TYPE_SHIFT) - 1)
#define COMPONENT 1

static uint32_t type_preference(WiceCandidateType type)
{
	switch (type) {
	case WICE_CANDIDATE_HOST:
		return WICE_ICE_PREFERENCE_HOST;
	case WICE_CANDIDATE_PEER_REFLEXIVE:
		return WICE_ICE_PREFERENCE_PEER_REFLEXIVE;
	case WICE_CANDIDATE_SERVER_REFLEXIVE:
		return WICE_ICE_PREFERENCE_SERVER_REFLEXIVE;
	case WICE_CANDIDATE_RELAYED:
		return WICE_ICE_PREFERENCE_RELAYED;
	}
	return 0;
}

uint32_t wice__ice_priority(WiceCandidateType type, uint16_t local_preference)
{
	return type_preference(type) << TYPE_SHIFT | (uint32_t)local_preference << LOCAL_SHIFT |
	       (256 - COMPONENT);
}

uint64_t wice__ice_pair_priority(uint32_t controlling, uint32_t controlled)
{
	uint64_t low = controlling < controlled ? controlling : controlled;
	uint64_t high = controlling < controlled ? controlled : controlling;
	return (low << 32) + 2 * high + (controlling > controlled);
}

/*
 * Section 5.1.1.3: candidates share a foundation if type, base address and server are the same. The
 * host's foundation stands for the base address; it is a number where libnice made it, so that a
 * letter in front keeps the two apart.
 */
static void make_foundation(const char *host, char ret[WICE_FOUNDATION_SIZE])
{
	char foundation[WICE_FOUNDATION_SIZE] = { 's' };
	size_t len = strnlen(host, WICE_FOUNDATION_SIZE - 2);
	memcpy(foundation + 1, host, len);
	memcpy(ret, foundation, sizeof foundation);
}

void wice__ice_server_reflexive(const WiceCandidate *host, const WiceEndpoint *mapped,
				WiceCandidate *ret)
{
	WiceCandidate candidate = {
		.type = WICE_CANDIDATE_SERVER_REFLEXIVE,
		/* The local preference is that of the base (section 5.1.2.1). */
		.priority = WICE_ICE_PREFERENCE_SERVER_REFLEXIVE << TYPE_SHIFT |
			    (host->priority & BELOW_TYPE),
		.endpoint = *mapped,
		.related = host->endpoint,
	};
	make_foundation(host->foundation, candidate.foundation);
	*ret = candidate;
}
