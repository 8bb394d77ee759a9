/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_EVENT_RESOLVE_H
#define WICE_EVENT_RESOLVE_H

#include <glib.h>
#include <stddef.h>
#include <wice/addr.h>

typedef struct WiceResolve WiceResolve;

/*
 * Called once; on failure n is 0 and error says why: NOT_FOUND if asking again is of no use,
 * UNREACHABLE if it may help. All pointers are valid during the call.
 */
typedef void (*WiceResolveFunc)(const WiceAddress *addresses, size_t n, const GError *error,
				void *user_data);

/*
 * Resolves a host name (or a literal address) to its addresses without blocking. The callback comes
 * from context, never before this returns; wice__resolve_cancel() before it frees the request
 * without a call, afterwards the handle is gone.
 */
WiceResolve *wice__resolve_start(GMainContext *context, const char *host, WiceResolveFunc func,
				 void *user_data);
void wice__resolve_cancel(WiceResolve *resolve);

#endif
