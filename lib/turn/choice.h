/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TURN_CHOICE_H
#define WICE_TURN_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/addr.h>

/*
 * Which relays two peers use, from what both have measured: pure, and the same at both ends, as
 * soon as each has heard of the other.
 *
 * Each end has one allocation per relay. A packet goes from one end to its relay, from there to the
 * other end's relayed address, and to the other end; both may be of one server.
 */
/* One allocation of an end, as it is signalled. */
typedef struct {
	WiceEndpoint server;  /* of the relay; equal ones are one relay */
	WiceEndpoint relayed; /* where the peer's data is to be sent */
	uint32_t rtt_us;      /* between this end and the server; 0: not known */
	uint32_t loss_permille;
} WiceRelayOffer;

/*
 * What a path costs: the expected round trip, with loss weighed in as the time that it takes a
 * stream to recover. 100 ms for an unknown way.
 */
uint32_t wice__choice_cost_us(uint32_t rtt_us, uint32_t loss_permille);

/*
 * When the peer is to be told how good an allocation is, which it was told otherwise: so many ms
 * after it was told last. INT64_MAX: not because of that. (Both are of the same server.)
 */
int64_t wice__relay_offer_tell_ms(const WiceRelayOffer *told, const WiceRelayOffer *now);

typedef struct {
	bool has;
	WiceRelayOffer ours, theirs;
	uint32_t cost_us;
	/* internal */
	WiceEndpoint follow_ours, follow_theirs;
	int64_t began_ms, since_ms;
	int64_t challenged_since_ms; /* since when another one has been better by enough */
	int64_t due_ms;
} WiceRelayChoice;

void wice__relay_choice_init(WiceRelayChoice *choice);
/*
 * The peer, if it is the first, says that it uses the pair of these two relayed addresses. Family
 * NONE: none (any more).
 */
void wice__relay_choice_follow(WiceRelayChoice *choice, const WiceEndpoint *ours,
			       const WiceEndpoint *theirs);
/*
 * Chooses anew; true if the pair is another one (or the address of one has changed). first: whether
 * this end is the one that the other follows (controlling). Leaves at once what is no longer
 * offered or dead (loss of 1000), within seconds what has become bad, and what is a bit worse not
 * at all: another must be better by a margin for a while. Only families that both ends have fit:
 * ours.relayed and theirs.relayed are of one.
 */
bool wice__relay_choose(WiceRelayChoice *choice, bool first, const WiceRelayOffer *ours,
			size_t n_ours, const WiceRelayOffer *theirs, size_t n_theirs,
			int64_t now_ms);
/* When to choose again although nothing was heard; INT64_MAX: never. */
int64_t wice__relay_choice_deadline(const WiceRelayChoice *choice);

#endif
