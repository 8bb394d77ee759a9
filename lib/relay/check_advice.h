/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_RELAY_CHECK_ADVICE_H
#define WICE_RELAY_CHECK_ADVICE_H

#include <glib.h>
#include <wice/check.h>

#include "relay/check_leg.h"

/* What is wrong with a server and what to do about it: sentences. All return new text. */

/* The name could not be resolved. */
char *wice__check_advise_name(const WiceTurnUrl *url, const GError *error);
/*
 * Nothing has come of a step of one address. facts: those of the leg that it failed at; seconds:
 * how long it took, if it did not end by itself.
 */
char *wice__check_advise(const WiceRelaySpec *spec, const char *username, WiceCheckStep step,
			 const WiceCheckFacts *facts, bool second, double seconds);

#endif
