/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/attempts.h"

#include <string.h>

static bool is_former(const WiceAttempts *attempts, const WiceAttempt *attempt)
{
	for (unsigned i = 0; i < WICE_ATTEMPTS_FORMER; i++)
		if (attempts->former[i].attempt == attempt)
			return true;
	return false;
}

/* Takes what is in the slot out of it, and frees it if it is in no other. */
static void clear(WiceAttempts *attempts, WiceAttempt **slot)
{
	WiceAttempt *attempt = *slot;
	*slot = NULL;
	if (attempt && attempt != attempts->newest && attempt != attempts->active &&
	    !is_former(attempts, attempt))
		wice__attempt_free(attempt);
}

void wice__attempts_close_newest(WiceAttempts *attempts)
{
	clear(attempts, &attempts->newest);
}

static bool leads_by(const WiceAttempt *attempt, const WiceEndpoint *endpoint)
{
	return attempt && wice__attempt_leads_by(attempt, endpoint);
}

/* The slot that a new former one may take: an empty one, or the oldest that is not in use. */
static unsigned slot_to_take(const WiceAttempts *attempts, const WiceEndpoint *used)
{
	for (unsigned i = 0; i < WICE_ATTEMPTS_FORMER; i++)
		if (!attempts->former[i].attempt)
			return i;
	const unsigned last = WICE_ATTEMPTS_FORMER - 1;
	return leads_by(attempts->former[last].attempt, used) ? last - 1 : last;
}

static void retire_active(WiceAttempts *attempts, const WiceEndpoint *used, int64_t now_ms)
{
	unsigned slot = slot_to_take(attempts, used);
	clear(attempts, &attempts->former[slot].attempt);
	memmove(&attempts->former[1], &attempts->former[0], slot * sizeof attempts->former[0]);
	attempts->former[0].attempt = attempts->active;
	attempts->former[0].since = now_ms;
}

void wice__attempts_activate(WiceAttempts *attempts, const WiceEndpoint *used, int64_t now_ms)
{
	if (attempts->active == attempts->newest)
		return;
	if (attempts->active)
		retire_active(attempts, used, now_ms);
	attempts->active = attempts->newest;
}

void wice__attempts_retire(WiceAttempts *attempts, const WiceEndpoint *used, int64_t now_ms)
{
	if (attempts->active)
		retire_active(attempts, used, now_ms);
	attempts->active = NULL;
}

void wice__attempts_drop(WiceAttempts *attempts)
{
	clear(attempts, &attempts->active);
	for (unsigned i = 0; i < WICE_ATTEMPTS_FORMER; i++)
		clear(attempts, &attempts->former[i].attempt);
}

void wice__attempts_release(WiceAttempts *attempts, const WiceEndpoint *used, int64_t before_ms)
{
	bool active_is_used = leads_by(attempts->active, used);
	for (unsigned i = 0; i < WICE_ATTEMPTS_FORMER; i++) {
		bool is_used = !active_is_used && leads_by(attempts->former[i].attempt, used);
		if (!is_used && attempts->former[i].since < before_ms)
			clear(attempts, &attempts->former[i].attempt);
	}
}

static bool uses(const WiceAttempt *attempt, WiceMechanism mechanism)
{
	return attempt && wice__attempt_mechanism(attempt) == mechanism;
}

bool wice__attempts_use(const WiceAttempts *attempts, WiceMechanism mechanism)
{
	for (unsigned i = 0; i < WICE_ATTEMPTS_FORMER; i++)
		if (uses(attempts->former[i].attempt, mechanism))
			return true;
	return uses(attempts->newest, mechanism) || uses(attempts->active, mechanism);
}

bool wice__attempts_led_by(const WiceAttempts *attempts, const WiceEndpoint *endpoint)
{
	for (unsigned i = 0; i < WICE_ATTEMPTS_FORMER; i++)
		if (leads_by(attempts->former[i].attempt, endpoint))
			return true;
	return false;
}

bool wice__attempts_lead_by(const WiceAttempts *attempts, const WiceEndpoint *endpoint)
{
	return leads_by(attempts->newest, endpoint) || leads_by(attempts->active, endpoint) ||
	       wice__attempts_led_by(attempts, endpoint);
}
