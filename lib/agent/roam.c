/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both ends of a tunnel are to switch from path 1 to path 2. WireGuard has no word for that: each
 * end's endpoint is a variable that its owner may write and that every packet which arrives writes
 * as well. Under load an end that writes "2" sends one packet there, then the other end's next
 * packet over path 1 undoes it. Seen from outside, the two ends and what is in flight between them
 * are a ring of packets, each with a 1 or a 2 on it, and each end copies what arrives to what it
 * sends. Nothing in the ring prefers one path, so a mixture goes round and round, for minutes if
 * packets are many and delays long, and may end as all 1 (tests/sim/roam_sim.c shows that).
 *
 * So somebody has to keep adding 2s, and nobody may add 1s: one end insists, the other follows.
 *
 *   controlling end   writes the selected endpoint again at every poll that sees another known one.
 *                     Each write turns at least the packets up to the next arrival into 2s, which
 *                     come back as 2s, so the 1s die out: the faster, the fewer packets there are
 *                     per poll and the shorter the round trip. One packet must be sent at once: at
 *                     an end that hardly sends and hears much, nothing else would say 2.
 *   controlled end    writes when its own ICE selects a path, and never again. If that was another
 *                     path than the controlling end's, it is led to that one by its packets. Both
 *                     ends insisting would be no faster, and without end if they disagree.
 *
 * The controlling end insists without delay after its own switch: its own 1s and those of a peer
 * that switches later are expected then. At any other time a deviation means that the peer has
 * switched first, of which our ICE may hear soon, or that our path has died on the peer's side
 * only, or that a user did it. Where we hear the peer we reach it, so it is left there for a while
 * before.
 *
 * Insisting on a dead path loses packets, until the peer's next one undoes it. A sign that ours is
 * alive is the selected endpoint after another one that we have let be: a packet came that way.
 * Until there is a sign, every other deviation is let be, and without any for some seconds the peer
 * has its way. Who insists in vain, or again and again, leaves it in peace: what is heard works, and
 * the user's hand is to prevail over ours.
 *
 * An address that nobody has told us of is a peer that moved, or a user's; both know better.
 *
 * A libwice that knows nothing of all this writes three times at most and adopts what it sees then,
 * so it follows an end that insists longer, like the controlled end here.
 */
#include "agent/roam.h"

#include <string.h>

/* The worst case of 10,000 (500 packets/s both ways, an RTT of 1 s) took 18 s. */
#define INSIST_MS 30000
/* For so long without a sign of life. Deviations further apart have nothing to do with each other. */
#define DOUBT_MS 5000
/* Long after a switch: how long the peer is followed before, and how often we insist. */
#define FOLLOW_MS 3000
#define MAX_INSISTENCES 3
/* Polls are fast for so long after a switch, and after a deviation that is not to be. */
#define FAST_POLLS_MS 2000
#define NEVER (INT64_MIN / 2)

static bool same(const WiceEndpoint *a, const WiceEndpoint *b)
{
	return wice_endpoint_compare(a, b) == 0;
}

void wice__roam_init(WiceRoam *roam, bool controlling)
{
	*roam = (WiceRoam){ .controlling = controlling, .deviated_at = NEVER };
}

static void insist_from(WiceRoam *roam, int64_t from)
{
	roam->insist_from = from;
	roam->insist_until = from + INSIST_MS;
	roam->confirmed = roam->let_be = false;
}

void wice__roam_selected(WiceRoam *roam, const WiceEndpoint *endpoint, int64_t now_ms)
{
	wice__roam_init(roam, roam->controlling);
	roam->selected = *endpoint;
	if (!roam->controlling)
		return;
	insist_from(roam, now_ms);
	roam->polls_until = now_ms + FAST_POLLS_MS;
}

void wice__roam_cleared(WiceRoam *roam)
{
	wice__roam_init(roam, roam->controlling);
}

/* And whatever comes after it, until the next switch. */
static WiceRoamVerdict adopt(WiceRoam *roam, const WiceEndpoint *seen)
{
	roam->selected = *seen;
	roam->insist_until = NEVER;
	roam->insistences = MAX_INSISTENCES;
	return WICE_ROAM_ADOPT;
}

static WiceRoamVerdict see_selected(WiceRoam *roam)
{
	roam->confirmed |= roam->let_be;
	roam->let_be = false;
	return WICE_ROAM_STAY;
}

static WiceRoamVerdict see_unknown(WiceRoam *roam, const WiceEndpoint *seen)
{
	bool reported = same(seen, &roam->foreign);
	roam->foreign = *seen;
	return reported ? WICE_ROAM_STAY : WICE_ROAM_FOREIGN;
}

static WiceRoamVerdict let_be(WiceRoam *roam)
{
	roam->let_be = true;
	return WICE_ROAM_STAY;
}

static WiceRoamVerdict insist(WiceRoam *roam, int64_t now)
{
	roam->polls_until = now + FAST_POLLS_MS;
	if (!roam->confirmed && !roam->let_be)
		return let_be(roam);
	roam->let_be = false;
	return WICE_ROAM_REASSERT;
}

/* At the controlling end: another path of the peer's. */
static WiceRoamVerdict see_other(WiceRoam *roam, const WiceEndpoint *seen, int64_t now)
{
	bool anew = now - roam->deviated_at >= DOUBT_MS;
	roam->deviated_at = now;
	if (now >= roam->insist_until) {
		if (!anew || roam->insistences >= MAX_INSISTENCES)
			return adopt(roam, seen);
		roam->insistences++;
		insist_from(roam, now + FOLLOW_MS);
	}
	if (anew)
		roam->doubted_since = now > roam->insist_from ? now : roam->insist_from;
	if (now < roam->insist_from)
		return let_be(roam);
	if (!roam->confirmed && now - roam->doubted_since >= DOUBT_MS)
		return adopt(roam, seen);
	return insist(roam, now);
}

WiceRoamVerdict wice__roam_seen(WiceRoam *roam, const WiceEndpoint *seen, bool known,
				int64_t now_ms)
{
	if (!roam->selected.address.family || !seen->address.family)
		return WICE_ROAM_STAY;
	if (same(seen, &roam->selected))
		return see_selected(roam);
	if (!known)
		return see_unknown(roam, seen);
	return roam->controlling ? see_other(roam, seen, now_ms) : adopt(roam, seen);
}

bool wice__roam_wants_polls(const WiceRoam *roam, int64_t now_ms)
{
	return now_ms < roam->polls_until;
}
