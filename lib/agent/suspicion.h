/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_AGENT_SUSPICION_H
#define WICE_AGENT_SUSPICION_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Notices from WireGuard's counters, sooner than liveness.h, that a direct path has probably died:
 * for peers that have a relay to go to meanwhile, so that a mistake costs little. Pure.
 *
 * Packets were coming, some per second; now none has for a while, and ours go on leaving. Traffic
 * that is one-way by nature, or that has ended, does not look like that.
 */
#define WICE_SUSPICION_SILENCE_MS 1500
/* Samples should come this often while traffic flows. */
#define WICE_SUSPICION_POLL_MS 250

typedef struct {
	bool has_baseline;
	uint64_t rx_bytes, tx_bytes;
	int64_t since;        /* when the path was applied */
	int64_t heard_at;     /* when rx last grew */
	int64_t steady_since; /* since when it has grown without longer gaps */
	bool quiet;           /* a sample since then had nothing new */
	int64_t asked_at;     /* when tx last grew */
	unsigned asked;       /* how many samples it has grown in, since then */
	int64_t silence_ms;   /* how long is too long: doubles with each suspicion */
	int64_t forgive_at;   /* when it is back at its minimum */
} WiceSuspicion;

/* A path has just been applied: what is older says nothing about it. */
void wice__suspicion_reset(WiceSuspicion *suspicion, int64_t now_ms);
/* True if the path is to be left. Samples come from polls, at whatever moments. */
bool wice__suspicion_sample(WiceSuspicion *suspicion, uint64_t rx_bytes, uint64_t tx_bytes,
			    int64_t now_ms);
/* Traffic flows, or the path is new: the next sample is wanted soon. */
bool wice__suspicion_wants_polls(const WiceSuspicion *suspicion, int64_t now_ms);

#endif
