/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_AGENT_PREFERENCE_H
#define WICE_AGENT_PREFERENCE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Whether a direct path that works, but badly, is to be left for a relay, and when to go back:
 * pure. Costs are those of turn/choice.h. A relay is others' machine and network, so it must be
 * better by a good deal, and the direct path need only be nearly as good to be taken again.
 */
typedef struct {
	bool relay; /* the verdict: the relay is the better one */
	/* internal */
	int64_t since_ms;   /* since when the other one has looked better, 0: it does not */
	int64_t changed_ms; /* when the verdict changed last, 0: never */
	int64_t return_ms;  /* for how long the direct path must be good: grows with each leave */
} WicePreference;

void wice__preference_init(WicePreference *preference);
/* What has been measured anew; true if the verdict has changed. */
bool wice__preference_update(WicePreference *preference, uint32_t direct_us, uint32_t relay_us,
			     int64_t now_ms);
/*
 * The direct path is used again whatever the verdict was, the relay having failed: it is not soon
 * left again.
 */
void wice__preference_overrule(WicePreference *preference, int64_t now_ms);

#endif
