/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TURNSERVER_SHARED_H
#define WICE_TURNSERVER_SHARED_H

#include <wice/addr.h>
#include <wice/relay.h>

/*
 * Lets clients come to a UDP port that is not the server's own: WireGuard's. Returns a socket of
 * the server, bound to the wildcard of the family and some port; whoever owns the shared port hands
 * it what is for the server, and lets what it sends leave from the shared port
 * (wice__bpf_mux_add_server()). It is the server's and stays open until unshare or free. -errno.
 */
int wice__relay_server_share(WiceRelayServer *server, WiceFamily family, uint16_t port);
/*
 * Clients no longer come there; their allocations end when they are not refreshed. What is not
 * shared is ignored.
 */
void wice__relay_server_unshare(WiceRelayServer *server, WiceFamily family, uint16_t port);

#endif
