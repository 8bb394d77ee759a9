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
	WICE_ROAM_STAY = 0, /* nothing to do: it is where it was set, or may be where it is */
	WICE_ROAM_REASSERT, /* set the selected endpoint once more, and send something there */
	WICE_ROAM_REPEAT,   /* it is where it was set: send something there once more */
	WICE_ROAM_ADOPT, /* accept where it is as if it had been set; `selected` says so already */
	WICE_ROAM_FOREIGN, /* another hand, or a path that is not known: report it (said once) */
} WiceRoamVerdict;

typedef struct {
	bool controlling;      /* as in ICE: this end decides */
	WiceEndpoint selected; /* what was set or adopted last; family NONE: nothing */
	/* internal */
	int64_t insist_from, insist_until;
	int64_t polls_until;
	int64_t repeat_until;
	unsigned insistences;
	WiceEndpoint foreign; /* reported already */
} WiceRoam;

/* Nothing is set yet. */
void wice__roam_init(WiceRoam *roam, bool controlling);
/*
 * A path was selected and WireGuard's endpoint set for it, to another one or the same. Not for what
 * REASSERT has asked for. proven: ICE has shown that packets pass, between the very ports that
 * WireGuard's will have. The controlling end should make WireGuard send something now.
 */
void wice__roam_selected(WiceRoam *roam, const WiceEndpoint *endpoint, bool proven, int64_t now_ms);
/* Nothing is set any more. */
void wice__roam_cleared(WiceRoam *roam);
/*
 * WireGuard's endpoint was seen to be this; to be called after every poll, also if it is where it
 * was set. known: an address of the peer that belongs to a path of ours, the selected or a former
 * one, or that the peer has signalled.
 */
WiceRoamVerdict wice__roam_seen(WiceRoam *roam, const WiceEndpoint *seen, bool known,
				int64_t now_ms);
/*
 * WireGuard should be polled fast (20 ms; the rates in roam.c are for that) for a while: just after
 * a switch and as long as the endpoint is being led back. Without that it converges too, later.
 */
bool wice__roam_wants_polls(const WiceRoam *roam, int64_t now_ms);

#endif
