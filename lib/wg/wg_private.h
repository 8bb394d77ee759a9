/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_WG_PRIVATE_H
#define WICE_WG_WG_PRIVATE_H

#include "wg/backend.h"
#include "wg/thread_pool.h"

/* What the files of the facade share: wg.c, wg_link.c, wg_error.c, async.c and watch.c. */
struct WiceWg {
	gatomicrefcount refs;
	WiceWgBackend **backends; /* asked in this order */
	size_t n_backends;
	GMutex observers_mutex; /* guards observers, also while they are called */
	GArray *observers;
	WiceThreadPool *threads; /* of the asynchronous calls */
};

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
gboolean wice__wg_check_link_change(const WiceLinkChange *change, GError **error);

#endif
