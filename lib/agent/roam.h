/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_AGENT_ROAM_H
#define WICE_AGENT_ROAM_H

#include <stdbool.h>
#include <stdint.h>
#include <wice/addr.h>

/*
 * What to do when WireGuard's endpoint is found to be another one than was set: pure.
 *
 * WireGuard sends to where the newest authenticated packet came from. So after a switch a late
 * packet of the former path takes it back there, and two ends that switch at different moments can
 * chase each other from path to path for ever. The essay in roam.c says why they do not.
 */
typedef enum {
	WICE_ROAM_STAY = 0, /* nothing to do: it is where it was set, or the peer decides */
	WICE_ROAM_REASSERT, /* set the selected endpoint once more */
	WICE_ROAM_ADOPT,    /* accept where it is as if it had been set */
	WICE_ROAM_FOREIGN,  /* another hand, or a path that is not known: respect it, report it */
} WiceRoamVerdict;

typedef struct {
	bool controlling;      /* as in ICE: this end decides */
	WiceEndpoint selected; /* what was set last; family NONE: nothing */
	/* internal */
	int64_t selected_at;
	unsigned reassertions;
} WiceRoam;

void wice__roam_init(WiceRoam *roam, bool controlling);
/* The endpoint has just been set, first or anew, to another one or the same. */
void wice__roam_selected(WiceRoam *roam, const WiceEndpoint *endpoint, int64_t now_ms);
/* Nothing is set any more. */
void wice__roam_cleared(WiceRoam *roam);
/*
 * WireGuard's endpoint was seen to be this. known: an address of the peer that belongs to a path of
 * ours, the selected or a former one, or that the peer has signalled.
 */
WiceRoamVerdict wice__roam_seen(WiceRoam *roam, const WiceEndpoint *seen, bool known,
				int64_t now_ms);

#endif
