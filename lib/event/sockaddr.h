/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_EVENT_SOCKADDR_H
#define WICE_EVENT_SOCKADDR_H

#include <stdbool.h>
#include <sys/socket.h>
#include <wice/addr.h>

/* The seam between WiceEndpoint and the socket API. */

/* Writes a sockaddr_in or sockaddr_in6 and returns its length; 0 for "none". */
socklen_t wice__endpoint_to_sockaddr(const WiceEndpoint *endpoint, struct sockaddr_storage *ret);

/* False for other families or a short length. IPv4-mapped IPv6 addresses become IPv4. */
bool wice__endpoint_from_sockaddr(const struct sockaddr *address, socklen_t len, WiceEndpoint *ret);

#endif
