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
 *                     an end that hardly sends and hears much, nothing else would say 2. And
 *                     some more after it: an end that only answers has answered with a 1 before
 *                     it could write, and if path 1 is the slower one, that 1 comes after the
 *                     2, each time.
 *   controlled end    writes when its own ICE selects a path, and never again. If that was another
 *                     path than the controlling end's, it is led to that one by its packets. Both
 *                     ends insisting would be no faster, and without end if they disagree.
 *
 * The controlling end insists without delay after its own switch: its own 1s and those of a peer
 * that switches later are expected then. At any other time a deviation means that the peer has
 * switched first, of which our ICE may hear soon, or that our path has died on the peer's side
 * only, or that a user did it. Where we hear the peer we reach it, so it is left there for a while,
 * then led back, then left in peace: our path may be the dead one, and the user's hand is to
 * prevail over ours.
 *
 * An address that nobody has told us of is a peer that moved, or a user's; both know better.
 *
 * A libwice that knows nothing of all this writes three times at most and adopts what it sees then,
 * so it follows an end that insists longer, like the controlled end here.
 */
#include "agent/roam.h"

#include <string.h>

/*
 * After a switch. The worst case of 10,000 (500 packets/s both ways, an RTT of 1 s) took 18 s. A
 * path that may not work at all is not worth so much: what is sent there until the peer's next
 * packet undoes it would be lost.
 */
#define INSIST_PROVEN_MS 30000
#define INSIST_MS 5000
/* Long after a switch: how long the peer is followed before, and how often we insist. */
#define FOLLOW_MS 3000
#define MAX_INSISTENCES 3
/* What was said when insisting is said at each poll for so long. */
#define REPEAT_MS 400
/* Polls are fast for so long after a switch, and after a deviation that was answered. */
#define FAST_POLLS_MS 2000

static bool same(const WiceEndpoint *a, const WiceEndpoint *b)
{
	return wice_endpoint_compare(a, b) == 0;
}

void wice__roam_init(WiceRoam *roam, bool controlling)
{
	memset(roam, 0, sizeof *roam);
	roam->controlling = controlling;
}

void wice__roam_selected(WiceRoam *roam, const WiceEndpoint *endpoint, bool proven, int64_t now_ms)
{
	wice__roam_init(roam, roam->controlling);
	roam->selected = *endpoint;
	if (!roam->controlling)
		return;
	roam->insist_from = now_ms;
	roam->insist_until = now_ms + (proven ? INSIST_PROVEN_MS : INSIST_MS);
	roam->polls_until = now_ms + FAST_POLLS_MS;
}

void wice__roam_cleared(WiceRoam *roam)
{
	wice__roam_init(roam, roam->controlling);
}

static WiceRoamVerdict adopt(WiceRoam *roam, const WiceEndpoint *seen)
{
	roam->selected = *seen;
	return WICE_ROAM_ADOPT;
}

static WiceRoamVerdict insist(WiceRoam *roam, int64_t now)
{
	roam->polls_until = now + FAST_POLLS_MS;
	roam->repeat_until = now + REPEAT_MS;
	return WICE_ROAM_REASSERT;
}

WiceRoamVerdict wice__roam_seen(WiceRoam *roam, const WiceEndpoint *seen, bool known,
				int64_t now_ms)
{
	if (!roam->selected.address.family || !seen->address.family)
		return WICE_ROAM_STAY;
	if (same(seen, &roam->selected))
		return now_ms < roam->repeat_until ? WICE_ROAM_REPEAT : WICE_ROAM_STAY;
	if (!known) {
		bool reported = same(seen, &roam->foreign);
		roam->foreign = *seen;
		return reported ? WICE_ROAM_STAY : WICE_ROAM_FOREIGN;
	}
	if (!roam->controlling)
		return adopt(roam, seen);
	if (now_ms < roam->insist_until)
		return now_ms < roam->insist_from ? WICE_ROAM_STAY : insist(roam, now_ms);
	bool in_vain = roam->polls_until > roam->insist_until;
	if (in_vain || roam->insistences++ == MAX_INSISTENCES)
		return adopt(roam, seen);
	roam->insist_from = now_ms + FOLLOW_MS;
	roam->insist_until = roam->insist_from + INSIST_MS;
	return WICE_ROAM_STAY;
}

bool wice__roam_wants_polls(const WiceRoam *roam, int64_t now_ms)
{
	return now_ms < roam->polls_until;
}
