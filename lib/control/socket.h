/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_CONTROL_SOCKET_H
#define WICE_CONTROL_SOCKET_H

#include <glib.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <wice/macros.h>

/* The place where a daemon listens: a unix socket and the lock that makes it the only one there. */
typedef struct WiceControlSocket WiceControlSocket;

/*
 * Listens on path with mode 0660. Its folder is made if it is missing. Errors: BUSY (somebody
 * listens there), EXISTS (something that is no socket is in the way; it is left alone), INVALID
 * (path too long), PERMISSION, IO.
 */
WiceControlSocket *wice__control_socket_open(const char *path, GError **error) WICE_WARN_UNUSED;

/*
 * Removes the socket if it is still this one, then lets go of the lock. Does not close the
 * listening fd.
 */
void wice__control_socket_close(WiceControlSocket *control_socket);

/* The listening descriptor, once: the caller owns it from then on. */
int wice__control_socket_steal_fd(WiceControlSocket *control_socket);

/*
 * True if the process at the other end of a connected socket may control the daemon: it is root,
 * it is the user that we are, or the socket's group is among its groups. ret_peer is -1, -1, pid
 * 0 if it cannot be told who it is.
 */
bool wice__control_socket_admits(const WiceControlSocket *control_socket, int connected_fd,
				 struct ucred *ret_peer);

#endif
