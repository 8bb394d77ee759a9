/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/liveness.h"

void wice__liveness_reset(WiceLiveness *liveness, int64_t since_ns)
{
	*liveness = (WiceLiveness){ .since_ns = since_ns };
}

WiceLivenessVerdict wice__liveness_sample(WiceLiveness *liveness, uint64_t rx_bytes,
					  uint64_t tx_bytes, int64_t handshake_ns, int64_t now_ms)
{
	/*
	 * The first sample after a reset may hold bytes of the former path, so only a handshake that
	 * is new enough counts in it. Counters that went back mean a peer made anew.
	 */
	bool heard = liveness->has_baseline ? rx_bytes != liveness->rx_bytes ||
						      handshake_ns > liveness->handshake_ns
					    : handshake_ns > liveness->since_ns;
	bool sent = liveness->has_baseline && tx_bytes != liveness->tx_bytes;
	liveness->has_baseline = true;
	liveness->rx_bytes = rx_bytes;
	liveness->tx_bytes = tx_bytes;
	liveness->handshake_ns = handshake_ns;

	if (heard) {
		liveness->unanswered_since = 0;
		return WICE_LIVENESS_ALIVE;
	}
	if (sent && !liveness->unanswered_since)
		liveness->unanswered_since = now_ms;
	if (liveness->unanswered_since &&
	    now_ms - liveness->unanswered_since >= WICE_LIVENESS_SILENCE_MS)
		return WICE_LIVENESS_SILENT;
	return WICE_LIVENESS_UNKNOWN;
}
