/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_AGENT_LIVENESS_H
#define WICE_AGENT_LIVENESS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Judges from WireGuard's counters whether a path carries packets: pure. Samples come from polls,
 * at whatever moments; verdicts depend on what has been seen, not on how often was looked.
 */
typedef struct {
	bool has_baseline;
	uint64_t rx_bytes, tx_bytes;
	int64_t handshake_ns;
	int64_t since_ns;         /* CLOCK_REALTIME: handshakes after it prove the path */
	int64_t unanswered_since; /* when tx first grew without rx after that; 0: nothing has */
} WiceLiveness;

typedef enum {
	WICE_LIVENESS_UNKNOWN = 0,
	WICE_LIVENESS_ALIVE,  /* received something since the last sample or reset */
	WICE_LIVENESS_SILENT, /* sends, and has heard nothing for WICE_LIVENESS_SILENCE_MS */
} WiceLivenessVerdict;

/*
 * An idle receiver of data answers at the latest after KEEPALIVE_TIMEOUT (10 s), and a sender that
 * hears nothing for KEEPALIVE_TIMEOUT + REKEY_TIMEOUT (15 s) begins a new handshake by itself
 * (WireGuard whitepaper section 6.5). Silence beyond that is the path's.
 */
#define WICE_LIVENESS_SILENCE_MS 17000

/* A path has just been applied that could be used since then. What is older proves nothing. */
void wice__liveness_reset(WiceLiveness *liveness, int64_t since_ns);
WiceLivenessVerdict wice__liveness_sample(WiceLiveness *liveness, uint64_t rx_bytes,
					  uint64_t tx_bytes, int64_t handshake_ns, int64_t now_ms);

#endif
