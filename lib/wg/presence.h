/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_PRESENCE_H
#define WICE_WG_PRESENCE_H

#include <glib.h>

/*
 * Watches which WireGuard interfaces exist: RTNLGRP_LINK for the kernel's and for every change of
 * a link, inotify for UAPI sockets. changed is called on context with the interface's name when
 * one appears, disappears, is re-created or changes its link state, and with NULL when events were
 * lost and everything must be listed again; it is a hint to dump, not a description of what
 * happened (that is WiceWatch). changed may free the watch. destroy may be NULL; it frees user_data
 * after the last call, and is not called if this fails. Errors: IO.
 */
typedef struct WicePresence WicePresence;
typedef void (*WicePresenceChanged)(const char *name, void *user_data);
WicePresence *wice__presence_new(GMainContext *context, WicePresenceChanged changed,
				 void *user_data, GDestroyNotify destroy, GError **error);
/* The same with the UAPI sockets in another folder. */
WicePresence *wice__presence_new_in(const char *folder, GMainContext *context,
				    WicePresenceChanged changed, void *user_data,
				    GDestroyNotify destroy, GError **error);
/* Ends it: no call comes afterwards. Fine from within changed(), and for NULL. */
void wice__presence_free(WicePresence *presence);

#endif
