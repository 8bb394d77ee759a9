/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_EVENT_CONTEXT_POOL_H
#define WICE_EVENT_CONTEXT_POOL_H

#include <glib.h>

/*
 * Spreads many users of one GMainContext over nested contexts (nested_context.h), a few to each, so that a
 * wake-up for one of them costs what a few cost and not what all do. All run on the thread of the one context,
 * while it is run.
 */
typedef struct WiceContextPool WiceContextPool;

#define WICE_CONTEXT_POOL_SHARE 16 /* users of one nested context */

WiceContextPool *wice__context_pool_new(GMainContext *outer);
/* All users must have given back theirs. */
void wice__context_pool_free(WiceContextPool *pool);

/*
 * A context for one more user, who refers to it for longer if he wants but attaches nothing more once he has
 * given it back. Where few descriptors are left (descriptors.h) it is the outer context.
 */
GMainContext *wice__context_pool_take(WiceContextPool *pool);
/* From anywhere, a callback on that very context included. NULL is fine. */
void wice__context_pool_give(WiceContextPool *pool, GMainContext *context);

#endif
