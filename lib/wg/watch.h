/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_WATCH_H
#define WICE_WG_WATCH_H

#include <wice/watch.h>

/*
 * wice_watch_new() with the UAPI sockets in another folder. NULL: nothing tells of interfaces but
 * wice__watch_hint().
 */
WiceWatch *wice__watch_new_with(WiceWg *wg, const char *folder, const WiceWatchOptions *options,
				WiceWatchFunc func, void *user_data, GDestroyNotify destroy,
				GError **error);

/* What a WicePresence tells; on the thread that dispatches. */
void wice__watch_hint(WiceWatch *watch, const char *name);

#endif
