/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_EVENT_NESTED_CONTEXT_H
#define WICE_EVENT_NESTED_CONTEXT_H

#include <glib.h>

/*
 * A GMainContext that another one runs. To the outer context it is one source with one descriptor,
 * whatever is attached to it; whatever is attached to it runs while the outer context does, on its
 * thread, at default priority. Nobody else may run it.
 *
 * Sources may be attached, changed and destroyed from anywhere at any time, as with any context;
 * descriptors may be closed before or after the sources that wait for them are destroyed. One
 * iteration of the outer context is at most two of the inner: nobody starves. A callback may run
 * the outer context itself. The thread-default context is left as it is.
 */
typedef struct WiceNestedContext WiceNestedContext;

/* -EMFILE, -ENFILE, -ENOMEM. Takes two descriptors. */
int wice__nested_context_new(GMainContext *outer, WiceNestedContext **ret_nested);
/* Borrowed. Who takes a reference may keep it for longer: it is never run again then. */
GMainContext *wice__nested_context_inner(WiceNestedContext *nested);
/*
 * May be called from a callback of the inner context. Then what this very iteration has found ready
 * is still dispatched, unless it is destroyed.
 */
void wice__nested_context_free(WiceNestedContext *nested);

#endif
