/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_WG_PRIVATE_H
#define WICE_WG_WG_PRIVATE_H

#include "wg/backend.h"
#include "wg/thread_pool.h"

/* What the files of the facade share: wg.c, wg_link.c, wg_error.c, async.c and watch.c. */
struct WiceWg {
	gatomicrefcount refs;
	/*
	 * Asked in this order, from number `first` on: 1, or 0 once the place that is kept for the
	 * engines of this process is taken.
	 */
	WiceWgBackend **backends;
	gint first;
	size_t n_backends;
	GMutex inprocess_mutex; /* held while that place is taken */
	GMutex observers_mutex; /* guards observers, also while they are called */
	GArray *observers;
	WiceThreadPool *threads; /* of the asynchronous calls */
};

/* Where to begin to ask. Any thread. */
static inline size_t wice__wg_first(WiceWg *wg)
{
	return (size_t)g_atomic_int_get(&wg->first);
}

/* What was tried. */
typedef enum {
	WICE_WG_LIST,
	WICE_WG_GET,
	WICE_WG_SET,
	WICE_WG_CREATE,
	WICE_WG_DELETE,
	WICE_WG_GET_LINK,
	WICE_WG_SET_LINK,
} WiceWgAction;

/* Makes an error of a backend's -errno. name: of the interface, "" for none. Returns FALSE. */
gboolean wice__wg_fail(GError **error, int r, WiceWgAction action, const char *name);

/* Fails with INVALID. */
gboolean wice__wg_check_name(const char *name, GError **error);
/* The same for a name that an interface shall get. */
gboolean wice__wg_check_new_name(const char *name, GError **error);
/* The same for a change; ret_whole is what it asks for, also if it is an older program's. Borrows. */
gboolean wice__wg_check_link_change(const WiceLinkChange *change, WiceLinkChange *ret_whole,
				    GError **error);

#endif
