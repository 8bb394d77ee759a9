/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_EVENT_CANCEL_H
#define WICE_EVENT_CANCEL_H

#include <wice/cancel.h>

/*
 * Calls func from wice_cancel_now(), until _unwatch(); one object may be watched by many. func may
 * end its own watch.
 */
typedef struct WiceCancelWatch WiceCancelWatch;
WiceCancelWatch *wice__cancel_watch(WiceCancel *cancel, void (*func)(void *user_data),
				    void *user_data);
/* NULL is fine. */
void wice__cancel_unwatch(WiceCancelWatch *watch);

#endif
