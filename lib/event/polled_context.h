/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_EVENT_POLLED_CONTEXT_H
#define WICE_EVENT_POLLED_CONTEXT_H

#include <glib.h>
#include <stdbool.h>

/*
 * A GMainContext that somebody else polls: as one descriptor, whatever is attached to it, and a
 * timeout. What nested_context.h and context_fd.h have in common.
 *
 * Sources may be attached, changed and destroyed from anywhere at any time, as with any context;
 * descriptors may be closed before or after the sources that wait for them are destroyed.
 */
typedef struct WicePolledContext WicePolledContext;

/* -EMFILE, -ENFILE, -ENOMEM. Takes two descriptors. */
int wice__polled_context_new(WicePolledContext **ret_polled);
/* Not while it runs. NULL is fine. */
void wice__polled_context_free(WicePolledContext *polled);

/* Borrowed. Who takes a reference may keep it for longer: it is never run again then. */
GMainContext *wice__polled_context_inner(WicePolledContext *polled);
/* Readable when a descriptor of the context is ready. -1 while there is none left to be had. */
int wice__polled_context_fd(const WicePolledContext *polled);
/* Another number than before: the descriptor is another one, even if it has the same number. */
unsigned wice__polled_context_generation(const WicePolledContext *polled);

/*
 * Runs what is ready, in at most two turns, and never waits. told: the descriptor was readable.
 * Returns after how many milliseconds it is to be run again although the descriptor is not
 * readable; -1: never.
 */
int wice__polled_context_run(WicePolledContext *polled, bool told);
/* True during a callback: what it changes is not known yet. It may be run again from there. */
bool wice__polled_context_is_unarmed(const WicePolledContext *polled);
/* Before it is freed, from a callback: no turn follows. */
void wice__polled_context_stop(WicePolledContext *polled);

#endif
