/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both ends know both lists, perhaps not of the same moment, and so may differ for a while: the
 * path that each has asked its relay for is told in descriptions, so that no packet is sent where
 * nobody listens (agent/peer_relay.c).
 *
 * The cost of a pair is that of both ways to the relays, and if they are two, of what lies between
 * them, which nobody has measured: it is taken to be a bit more than what a single relay would add.
 *
 * Hysteresis. Another pair takes over if it is better by a fifth and by 10 ms, for 10 s without a
 * break; or if it is twice as good, or the present one loses a tenth of its packets more, for 2 s;
 * at once if the present one is dead or no longer offered.
 */
#include "turn/choice.h"

#define UNKNOWN_RTT_US 100000
#define BETWEEN_US 10000
/* Each permille of loss costs as much as this: one of a hundred packets, 10 ms. */
#define LOSS_US 1000
#define DEAD_US 10000000
#define MARGIN_US 10000
#define BETTER_MS 10000
#define MUCH_BETTER_MS 2000
#define BAD_LOSS_PERMILLE 100
#define NEVER INT64_MAX

uint32_t wice__choice_cost_us(uint32_t rtt_us, uint32_t loss_permille)
{
	if (loss_permille >= 1000)
		return DEAD_US;
	uint32_t rtt = rtt_us ? rtt_us : UNKNOWN_RTT_US;
	if (rtt > DEAD_US / 2)
		rtt = DEAD_US / 2;
	return rtt + loss_permille * LOSS_US;
}

static bool same(const WiceEndpoint *a, const WiceEndpoint *b)
{
	return wice_endpoint_compare(a, b) == 0;
}

static uint32_t pair_cost(const WiceRelayOffer *ours, const WiceRelayOffer *theirs)
{
	uint32_t cost = wice__choice_cost_us(ours->rtt_us, ours->loss_permille) +
			wice__choice_cost_us(theirs->rtt_us, theirs->loss_permille);
	return same(&ours->server, &theirs->server) ? cost : cost + BETWEEN_US;
}

static bool fits(const WiceRelayOffer *ours, const WiceRelayOffer *theirs)
{
	return ours->relayed.address.family &&
	       ours->relayed.address.family == theirs->relayed.address.family;
}

/* Ties are broken alike at both ends: by the addresses of the first one, then of the other. */
static int compare_pairs(bool first, const WiceRelayOffer *a_ours, const WiceRelayOffer *a_theirs,
			 const WiceRelayOffer *b_ours, const WiceRelayOffer *b_theirs)
{
	const WiceRelayOffer *a1 = first ? a_ours : a_theirs, *a2 = first ? a_theirs : a_ours;
	const WiceRelayOffer *b1 = first ? b_ours : b_theirs, *b2 = first ? b_theirs : b_ours;
	int order = wice_endpoint_compare(&a1->relayed, &b1->relayed);
	return order ? order : wice_endpoint_compare(&a2->relayed, &b2->relayed);
}

typedef struct {
	const WiceRelayOffer *ours, *theirs; /* NULL: there is none */
	uint32_t cost_us;
} Pair;

static Pair find_best(bool first, const WiceRelayOffer *ours, size_t n_ours,
		      const WiceRelayOffer *theirs, size_t n_theirs)
{
	Pair best = { 0 };
	for (size_t i = 0; i < n_ours; i++) {
		for (size_t k = 0; k < n_theirs; k++) {
			if (!fits(&ours[i], &theirs[k]))
				continue;
			uint32_t cost = pair_cost(&ours[i], &theirs[k]);
			if (!best.ours || cost < best.cost_us ||
			    (cost == best.cost_us && compare_pairs(first, &ours[i], &theirs[k],
								   best.ours, best.theirs) < 0))
				best = (Pair){ &ours[i], &theirs[k], cost };
		}
	}
	return best;
}

static const WiceRelayOffer *find_offer(const WiceRelayOffer *offers, size_t n,
					const WiceRelayOffer *known)
{
	for (size_t i = 0; i < n; i++)
		if (same(&offers[i].relayed, &known->relayed) &&
		    same(&offers[i].server, &known->server))
			return &offers[i];
	return NULL;
}

static void set(WiceRelayChoice *choice, const Pair *pair, int64_t now)
{
	choice->has = true;
	choice->ours = *pair->ours;
	choice->theirs = *pair->theirs;
	choice->cost_us = pair->cost_us;
	choice->since_ms = now;
	choice->challenged_since_ms = NEVER;
}

/* For how long the best must have been better than the present; NEVER: it is not, by enough. */
static int64_t patience(const Pair *present, const Pair *best)
{
	if (present->cost_us >= DEAD_US)
		return best->cost_us < present->cost_us ? 0 : NEVER;
	if (best->cost_us + MARGIN_US > present->cost_us ||
	    best->cost_us > present->cost_us - present->cost_us / 5)
		return NEVER;
	bool lossy =
		present->ours->loss_permille >= best->ours->loss_permille + BAD_LOSS_PERMILLE ||
		present->theirs->loss_permille >= best->theirs->loss_permille + BAD_LOSS_PERMILLE;
	return lossy || best->cost_us <= present->cost_us / 2 ? MUCH_BETTER_MS : BETTER_MS;
}

void wice__relay_choice_init(WiceRelayChoice *choice)
{
	*choice = (WiceRelayChoice){ .challenged_since_ms = NEVER, .due_ms = NEVER };
}

bool wice__relay_choose(WiceRelayChoice *choice, bool first, const WiceRelayOffer *ours,
			size_t n_ours, const WiceRelayOffer *theirs, size_t n_theirs,
			int64_t now_ms)
{
	Pair best = find_best(first, ours, n_ours, theirs, n_theirs);
	choice->due_ms = NEVER;
	if (!best.ours) {
		bool had = choice->has;
		wice__relay_choice_init(choice);
		return had;
	}
	Pair present = { 0 };
	if (choice->has) {
		present.ours = find_offer(ours, n_ours, &choice->ours);
		present.theirs = find_offer(theirs, n_theirs, &choice->theirs);
	}
	if (!present.ours || !present.theirs) {
		set(choice, &best, now_ms);
		return true;
	}
	present.cost_us = pair_cost(present.ours, present.theirs);
	choice->ours = *present.ours;
	choice->theirs = *present.theirs;
	choice->cost_us = present.cost_us;
	int64_t wait = best.ours == present.ours && best.theirs == present.theirs
			       ? NEVER
			       : patience(&present, &best);
	if (wait == NEVER) {
		choice->challenged_since_ms = NEVER;
		return false;
	}
	if (choice->challenged_since_ms == NEVER)
		choice->challenged_since_ms = now_ms;
	if (now_ms - choice->challenged_since_ms >= wait) {
		set(choice, &best, now_ms);
		return true;
	}
	choice->due_ms = choice->challenged_since_ms + wait;
	return false;
}

int64_t wice__relay_choice_deadline(const WiceRelayChoice *choice)
{
	return choice->due_ms;
}
