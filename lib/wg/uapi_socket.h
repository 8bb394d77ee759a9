/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_UAPI_SOCKET_H
#define WICE_WG_UAPI_SOCKET_H

#include "wg/uapi_parse.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Sends a request to the socket of name in folder and reads the reply. 0 or what the device
 * reports, as -errno; -ENODEV: there is nobody; -ENODATA: it hung up without a word; -EPROTO,
 * -E2BIG: its reply is malformed or too large; -ETIMEDOUT: it kept us waiting, see uapi_socket.c.
 */
int wice__uapi_exchange(const char *folder, const char *name, const char *request, size_t len,
			int64_t deadline_ms, WiceUapiReply *reply);

/*
 * Whether somebody listens there, without waiting: 0 or a -errno of connect(2), -ENOLINK if it is a
 * symbolic link to nothing, -ENOTSOCK if it is no socket, -ENAMETOOLONG.
 */
int wice__uapi_socket_check(const char *folder, const char *name);

/* The file of that socket; the caller frees it. */
char *wice__uapi_socket_path(const char *folder, const char *name);

#endif
