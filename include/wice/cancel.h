/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_CANCEL_H
#define WICE_CANCEL_H

#include <glib.h>
#include <stdbool.h>
#include <wice/macros.h>

WICE_BEGIN_DECLS

/*
 * Takes back an asynchronous call. Give it to any number of calls of one GMainContext and cancel it
 * on that context's thread: each call that is still under way completes with WICE_ERROR_CANCELLED
 * from the main loop, never inside wice_cancel_now(). Reference counted; a call keeps its own
 * reference.
 */
typedef struct WiceCancel WiceCancel;

/* A new one with one reference, which the caller owns. */
WICE_API WiceCancel *wice_cancel_new(void);
/* Takes another reference; returns cancel. */
WICE_API WiceCancel *wice_cancel_ref(WiceCancel *cancel);
/* Gives one back. NULL is fine. */
WICE_API void wice_cancel_unref(WiceCancel *cancel);

/* Cancels, once and for good. Cancelling again does nothing. */
WICE_API void wice_cancel_now(WiceCancel *cancel);
WICE_API bool wice_cancel_is_cancelled(const WiceCancel *cancel);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(WiceCancel, wice_cancel_unref)

WICE_END_DECLS

#endif
