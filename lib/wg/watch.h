/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_WATCH_H
#define WICE_WG_WATCH_H

#include <wice/wg.h>

/* wice_wg_watch_new() with the UAPI sockets in another folder. */
WiceWgWatch *wice__wg_watch_new_in(const char *folder, GMainContext *context, WiceWgChanged changed,
				   void *user_data, GDestroyNotify destroy, GError **error);

#endif
