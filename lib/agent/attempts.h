/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_AGENT_ATTEMPTS_H
#define WICE_AGENT_ATTEMPTS_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/attempt.h"

/*
 * The attempts of one peer. Paths are made before they are broken, and the two ends do neither at
 * the same moment: besides the one that is worked on and the one that carries packets there are
 * former ones, over which the peer may still send.
 */
#define WICE_ATTEMPTS_FORMER 8

typedef struct {
	WiceAttempt *newest; /* is worked on; may be the active one; NULL: none is */
	WiceAttempt *active; /* carries packets, or NULL */
	struct {
		WiceAttempt *attempt;
		int64_t since;          /* when it ceased to be the active one, ms */
	} former[WICE_ATTEMPTS_FORMER]; /* the latest first */
} WiceAttempts;

/* Nothing is worked on any more; the active one stays. */
void wice__attempts_close_newest(WiceAttempts *attempts);
/*
 * The newest one carries packets from now on. If there are too many former ones, the oldest goes,
 * but not one that WireGuard with this endpoint still sends over: late packets of a former path
 * take it back there, and a load may keep it there over several changes.
 */
void wice__attempts_activate(WiceAttempts *attempts, const WiceEndpoint *used, int64_t now_ms);
/* The active one carries packets no more, something else does: it becomes a former one. */
void wice__attempts_retire(WiceAttempts *attempts, const WiceEndpoint *used, int64_t now_ms);
/* Nothing carries packets any more. */
void wice__attempts_drop(WiceAttempts *attempts);
/*
 * Frees former ones that have been so since before that moment, but those that WireGuard with this
 * endpoint sends over: where the peer decides otherwise than we, they are the ones in use.
 */
void wice__attempts_release(WiceAttempts *attempts, const WiceEndpoint *used, int64_t before_ms);

/* One of them has paths of this mechanism. */
bool wice__attempts_use(const WiceAttempts *attempts, WiceMechanism mechanism);
/* As wice__attempt_leads_by(), for any of them and for the former ones. */
bool wice__attempts_lead_by(const WiceAttempts *attempts, const WiceEndpoint *endpoint);
bool wice__attempts_led_by(const WiceAttempts *attempts, const WiceEndpoint *endpoint);

#endif
