/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/preference.h"

#include <glib.h>

/* The relay is better by so much, and by half of its own cost; or by much. */
#define WORSE_US 30000
#define MUCH_WORSE_US 100000
#define WORSE_MS 10000
#define MUCH_WORSE_MS 1500
#define MUCH_WORSE_AGAIN_MS 3000
/* The direct path may be so much worse, and by a quarter, when it is taken again. */
#define NEARLY_US 15000
#define RETURN_MIN_MS 30000
#define RETURN_MAX_MS 960000
/* A direct path that is not left for so long after it was taken again has recovered. */
#define STAY_MS 600000

void wice__preference_init(WicePreference *preference)
{
	*preference = (WicePreference){ .return_ms = RETURN_MIN_MS };
}

static bool is_recent(const WicePreference *preference, int64_t now)
{
	return preference->changed_ms && now - preference->changed_ms < STAY_MS;
}

/* For how long the relay must look better; 0: it does not. */
static int64_t leave_after_ms(const WicePreference *preference, uint32_t direct, uint32_t relay,
			      int64_t now)
{
	uint64_t margin = MAX(WORSE_US, relay / 2);
	bool recent = is_recent(preference, now);
	if (direct > relay + margin + MUCH_WORSE_US)
		return recent ? MUCH_WORSE_AGAIN_MS : MUCH_WORSE_MS;
	if (direct > relay + margin && !recent)
		return WORSE_MS;
	return 0;
}

static int64_t return_after_ms(const WicePreference *preference, uint32_t direct, uint32_t relay)
{
	uint64_t margin = MAX(NEARLY_US, relay / 4);
	return direct <= relay + margin ? preference->return_ms : 0;
}

static void change(WicePreference *preference, int64_t now)
{
	if (!preference->relay && is_recent(preference, now))
		preference->return_ms = MIN(preference->return_ms * 2, RETURN_MAX_MS);
	else if (!preference->relay)
		preference->return_ms = RETURN_MIN_MS;
	preference->relay = !preference->relay;
	preference->changed_ms = now;
	preference->since_ms = 0;
}

bool wice__preference_update(WicePreference *preference, uint32_t direct_us, uint32_t relay_us,
			     int64_t now_ms)
{
	int64_t after = preference->relay ? return_after_ms(preference, direct_us, relay_us)
					  : leave_after_ms(preference, direct_us, relay_us, now_ms);
	if (!after) {
		preference->since_ms = 0;
		return false;
	}
	if (!preference->since_ms)
		preference->since_ms = now_ms;
	if (now_ms - preference->since_ms < after)
		return false;
	change(preference, now_ms);
	return true;
}

void wice__preference_overrule(WicePreference *preference, int64_t now_ms)
{
	if (preference->relay)
		change(preference, now_ms);
}
