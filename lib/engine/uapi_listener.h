/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_ENGINE_UAPI_LISTENER_H
#define WICE_ENGINE_UAPI_LISTENER_H

#include <glib.h>

/*
 * Listens on NAME.sock in folder, which is made if it is missing (WICE_UAPI_FOLDER). Only our user
 * can connect (0600). Returns the descriptor, which is the caller's, or -errno: -EADDRINUSE:
 * somebody listens there; -EEXIST: something else is in the way; -EINVAL: no interface has such a
 * name; -ENAMETOOLONG. A socket that nobody listens on any more is replaced.
 */
int wice__uapi_listen(const char *folder, const char *name);

/* A listening socket and the file by which clients find it. */
typedef struct WiceUapiListener WiceUapiListener;

typedef void (*WiceUapiGoneFunc)(void *user_data);

/*
 * Watches the file of fd, a listening unix socket, which is the listener's from then on. on_gone is
 * called once, on context, when somebody has removed or replaced the file; it may free the
 * listener. Sockets without a file are fine. -EINVAL, -ENOTSOCK: it is no such socket; -ENOENT: the
 * file is gone; -errno of inotify(7). fd stays the caller's then.
 */
int wice__uapi_listener_new(GMainContext *context, int fd, WiceUapiGoneFunc on_gone,
			    void *user_data, WiceUapiListener **ret);
/* Removes the file if it is still the same, and closes. NULL is fine. */
void wice__uapi_listener_free(WiceUapiListener *listener);

#endif
