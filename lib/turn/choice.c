/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both ends know both lists, not quite of the same moment, and what one has chosen before depends
 * on when it heard of what: so they might differ for ever. Therefore one end is the first, and says
 * what it uses; the other one chooses by itself only until it has heard of that, and if that is
 * dead.
 *
 * The cost of a pair is that of both ways to the relays, and if they are two, of what lies between
 * them, which nobody has measured: it is taken to be a bit more than what a single relay would add.
 *
 * Hysteresis. Another pair takes over if it is better by a fifth and by 10 ms, for 10 s without a
 * break, and not within ten minutes after a change; for 1.5 s if it is better by 100 ms, which may
 * be a tenth of all packets, and for 3 s within ten minutes after a change; at once if the present
 * one is dead or no longer offered. In the beginning, while things are measured for the first time,
 * changes do not count.
 */
#include "turn/choice.h"

#define UNKNOWN_RTT_US 100000
#define BETWEEN_US 10000
/* Each permille of loss costs as much as this: one of a hundred packets, 10 ms. */
#define LOSS_US 1000
#define DEAD_US 10000000
#define MARGIN_US 10000
#define BETTER_MS 10000
#define BEGINNING_MS 60000
#define STAY_MS 600000 /* after a change */
#define MUCH_BETTER_MS 1500
#define MUCH_BETTER_AGAIN_MS 3000
#define MUCH_BETTER_US 100000
/* What the peer was told is told anew: */
#define TELL_STEP_US 5000 /* by so much, and a quarter */
#define TELL_STEP_PERMILLE 30
#define TELL_MS 5000
#define TELL_SOON_US 40000 /* of cost, by so much */
#define TELL_SOON_MS 500
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

static uint32_t distance(uint32_t a, uint32_t b)
{
	return a > b ? a - b : b - a;
}

int64_t wice__relay_offer_tell_ms(const WiceRelayOffer *told, const WiceRelayOffer *now)
{
	uint32_t step = told->rtt_us / 4 > TELL_STEP_US ? told->rtt_us / 4 : TELL_STEP_US;
	if ((told->loss_permille >= 1000) != (now->loss_permille >= 1000))
		return 0;
	if (distance(wice__choice_cost_us(told->rtt_us, told->loss_permille),
		     wice__choice_cost_us(now->rtt_us, now->loss_permille)) > TELL_SOON_US)
		return TELL_SOON_MS;
	if (distance(told->rtt_us, now->rtt_us) > step ||
	    distance(told->loss_permille, now->loss_permille) > TELL_STEP_PERMILLE)
		return TELL_MS;
	return NEVER;
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
	if (!choice->has)
		choice->began_ms = now;
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
	bool much = best->cost_us + MUCH_BETTER_US <= present->cost_us;
	return much ? MUCH_BETTER_MS : BETTER_MS;
}

void wice__relay_choice_init(WiceRelayChoice *choice)
{
	*choice = (WiceRelayChoice){ .challenged_since_ms = NEVER, .due_ms = NEVER };
}

void wice__relay_choice_follow(WiceRelayChoice *choice, const WiceEndpoint *ours,
			       const WiceEndpoint *theirs)
{
	choice->follow_ours = *ours;
	choice->follow_theirs = *theirs;
}

static const WiceRelayOffer *find_relayed(const WiceRelayOffer *offers, size_t n,
					  const WiceEndpoint *relayed)
{
	for (size_t i = 0; i < n; i++)
		if (same(&offers[i].relayed, relayed))
			return &offers[i];
	return NULL;
}

/* What the first end uses, unless this end knows that it cannot. */
static bool find_followed(const WiceRelayChoice *choice, const WiceRelayOffer *ours, size_t n_ours,
			  const WiceRelayOffer *theirs, size_t n_theirs, Pair *ret_pair)
{
	Pair pair = { .ours = find_relayed(ours, n_ours, &choice->follow_ours),
		      .theirs = find_relayed(theirs, n_theirs, &choice->follow_theirs) };
	if (!pair.ours || !pair.theirs || !fits(pair.ours, pair.theirs))
		return false;
	pair.cost_us = pair_cost(pair.ours, pair.theirs);
	if (pair.cost_us >= DEAD_US)
		return false;
	*ret_pair = pair;
	return true;
}

static Pair find_present(const WiceRelayChoice *choice, const WiceRelayOffer *ours, size_t n_ours,
			 const WiceRelayOffer *theirs, size_t n_theirs)
{
	Pair present = { 0 };
	if (!choice->has)
		return present;
	present.ours = find_offer(ours, n_ours, &choice->ours);
	present.theirs = find_offer(theirs, n_theirs, &choice->theirs);
	if (!present.ours || !present.theirs)
		return (Pair){ 0 };
	present.cost_us = pair_cost(present.ours, present.theirs);
	return present;
}

/* As it was before, but for what was measured of it. */
static void keep(WiceRelayChoice *choice, const Pair *present)
{
	choice->ours = *present->ours;
	choice->theirs = *present->theirs;
	choice->cost_us = present->cost_us;
}

static void forget(WiceRelayChoice *choice)
{
	choice->has = false;
	choice->challenged_since_ms = choice->due_ms = NEVER;
}

/* True if the best has been better for long enough. */
static bool has_won(WiceRelayChoice *choice, const Pair *present, const Pair *best, int64_t now)
{
	int64_t wait = patience(present, best);
	if (wait == NEVER) {
		choice->challenged_since_ms = NEVER;
		return false;
	}
	if (choice->challenged_since_ms == NEVER)
		choice->challenged_since_ms = now;
	bool beginning = now - choice->began_ms < BEGINNING_MS;
	bool again = choice->since_ms - choice->began_ms >= BEGINNING_MS &&
		     now - choice->since_ms < STAY_MS;
	if (wait == MUCH_BETTER_MS && again)
		wait = MUCH_BETTER_AGAIN_MS;
	int64_t due = choice->challenged_since_ms + wait;
	if (wait == BETTER_MS && !beginning && due < choice->since_ms + STAY_MS)
		due = choice->since_ms + STAY_MS;
	if (now >= due)
		return true;
	choice->due_ms = due;
	return false;
}

bool wice__relay_choose(WiceRelayChoice *choice, bool first, const WiceRelayOffer *ours,
			size_t n_ours, const WiceRelayOffer *theirs, size_t n_theirs,
			int64_t now_ms)
{
	Pair best = find_best(first, ours, n_ours, theirs, n_theirs);
	choice->due_ms = NEVER;
	if (!best.ours) {
		bool had = choice->has;
		forget(choice);
		return had;
	}
	Pair present = find_present(choice, ours, n_ours, theirs, n_theirs);
	bool follows = !first && find_followed(choice, ours, n_ours, theirs, n_theirs, &best);
	bool is_best = present.ours == best.ours && present.theirs == best.theirs;
	if (present.ours && is_best)
		choice->challenged_since_ms = NEVER;
	else if (!present.ours || follows || has_won(choice, &present, &best, now_ms)) {
		set(choice, &best, now_ms);
		return true;
	}
	keep(choice, &present);
	return false;
}

int64_t wice__relay_choice_deadline(const WiceRelayChoice *choice)
{
	return choice->due_ms;
}
