/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_UAPI_H
#define WICE_WG_UAPI_H

#include "wg/netlink.h"

#include <stdbool.h>

/* Where userspace implementations put their sockets, NAME.sock. */
#define WICE_UAPI_FOLDER "/var/run/wireguard"

/* A client of the UAPI sockets in folder, which need not exist. */
WiceWgBackend *wice__wg_uapi_new(const char *folder);
/* The same with network interfaces reached in another way: a kernel that a test plays. */
WiceWgBackend *wice__wg_uapi_new_with(const char *folder, const WiceNetlinkTransport *transport);

/* The interface that a file of the folder belongs to: cuts ".sock" off. False if it is none. */
bool wice__uapi_socket_interface(const char *file, char ret_name[16]);

#endif
