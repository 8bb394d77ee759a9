/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/suspicion.h"

#include <glib.h>

/* Packets that come further apart are not a flow whose end says something. */
#define GAP_MS 1250
/* For how long there must have been a flow. */
#define STEADY_MS 1000
/* An end that sends goes on sending: not longer ago than this, and in several samples. */
#define STILL_ASKING_MS 1250
#define ASKED_MIN 2
#define SILENCE_MAX_MS 16000
#define FORGIVE_MS 300000
/* The system is looked at often for so long after a packet. */
#define POLLS_MS 3000

void wice__suspicion_reset(WiceSuspicion *suspicion, int64_t now_ms)
{
	int64_t silence = suspicion->silence_ms, forgive_at = suspicion->forgive_at;
	*suspicion =
		(WiceSuspicion){ .since = now_ms, .silence_ms = silence, .forgive_at = forgive_at };
}

/* A busy host may look seldom: only samples with nothing in between show that it was no flow. */
static void hear(WiceSuspicion *suspicion, int64_t now)
{
	bool gap = suspicion->quiet && now - suspicion->heard_at > GAP_MS;
	if (!suspicion->heard_at || gap)
		suspicion->steady_since = now;
	suspicion->heard_at = now;
	suspicion->quiet = false;
	suspicion->asked = 0;
}

static bool was_steady(const WiceSuspicion *suspicion)
{
	return suspicion->heard_at && suspicion->heard_at - suspicion->steady_since >= STEADY_MS;
}

static void remember_mistake(WiceSuspicion *suspicion, int64_t now)
{
	suspicion->silence_ms = MIN(suspicion->silence_ms * 2, SILENCE_MAX_MS);
	suspicion->forgive_at = now + FORGIVE_MS;
	wice__suspicion_reset(suspicion, now);
}

bool wice__suspicion_sample(WiceSuspicion *suspicion, uint64_t rx_bytes, uint64_t tx_bytes,
			    int64_t now_ms)
{
	bool heard = suspicion->has_baseline && rx_bytes > suspicion->rx_bytes;
	bool asked = suspicion->has_baseline && tx_bytes > suspicion->tx_bytes;
	suspicion->has_baseline = true;
	suspicion->rx_bytes = rx_bytes;
	suspicion->tx_bytes = tx_bytes;
	if (!suspicion->silence_ms || now_ms >= suspicion->forgive_at)
		suspicion->silence_ms = WICE_SUSPICION_SILENCE_MS;
	if (heard) {
		hear(suspicion, now_ms);
		return false;
	}
	suspicion->quiet = true;
	if (asked) {
		suspicion->asked++;
		suspicion->asked_at = now_ms;
	}
	bool silent = now_ms - suspicion->heard_at >= suspicion->silence_ms;
	bool asking =
		suspicion->asked >= ASKED_MIN && now_ms - suspicion->asked_at <= STILL_ASKING_MS;
	if (!was_steady(suspicion) || !silent || !asking)
		return false;
	remember_mistake(suspicion, now_ms);
	return true;
}

bool wice__suspicion_wants_polls(const WiceSuspicion *suspicion, int64_t now_ms)
{
	int64_t newest = suspicion->heard_at ? suspicion->heard_at : suspicion->since;
	return now_ms - newest < POLLS_MS;
}
