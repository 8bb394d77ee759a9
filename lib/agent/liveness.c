/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/liveness.h"

/* An empty data message: header and tag of 16 bytes each (WireGuard whitepaper section 5.4.6). */
#define KEEPALIVE_BYTES 32

/*
 * Nobody answers a keepalive, so sending some is not asking. Between two samples there is at most
 * one of WireGuard's own and one of ours.
 */
static bool is_question(uint64_t sent_bytes)
{
	return sent_bytes && sent_bytes != KEEPALIVE_BYTES && sent_bytes != 2 * KEEPALIVE_BYTES;
}

void wice__liveness_reset(WiceLiveness *liveness, int64_t since_ns)
{
	*liveness = (WiceLiveness){ .since_ns = since_ns };
}

WiceLivenessVerdict wice__liveness_sample(WiceLiveness *liveness, uint64_t rx_bytes,
					  uint64_t tx_bytes, int64_t handshake_ns, int64_t now_ms)
{
	/*
	 * The first sample after a reset may hold bytes of the former path, so only a handshake
	 * that is new enough counts in it. Counters that went back mean a peer made anew: it has
	 * heard nothing yet, or what it has received since.
	 */
	uint64_t rx_before = rx_bytes < liveness->rx_bytes ? 0 : liveness->rx_bytes;
	uint64_t tx_before = tx_bytes < liveness->tx_bytes ? 0 : liveness->tx_bytes;
	bool heard = liveness->has_baseline
			     ? rx_bytes > rx_before || handshake_ns > liveness->handshake_ns
			     : handshake_ns > liveness->since_ns;
	bool asked = liveness->has_baseline && is_question(tx_bytes - tx_before);
	liveness->has_baseline = true;
	liveness->rx_bytes = rx_bytes;
	liveness->tx_bytes = tx_bytes;
	liveness->handshake_ns = handshake_ns;

	if (heard) {
		liveness->unanswered_since = 0;
		return WICE_LIVENESS_ALIVE;
	}
	if (asked && !liveness->unanswered_since)
		liveness->unanswered_since = now_ms;
	if (liveness->unanswered_since &&
	    now_ms - liveness->unanswered_since >= WICE_LIVENESS_SILENCE_MS)
		return WICE_LIVENESS_SILENT;
	return WICE_LIVENESS_UNKNOWN;
}
