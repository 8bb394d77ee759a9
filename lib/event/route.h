/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_EVENT_ROUTE_H
#define WICE_EVENT_ROUTE_H

#include <stdbool.h>
#include <stdint.h>
#include <wice/addr.h>

/*
 * True if a socket that is bound to no address, as WireGuard's is, would send to remote by the
 * device that has the address local: what was found to work from local works from there as well.
 * Also true if that cannot be found out. fwmark: of the socket, 0 none.
 */
bool wice__route_leaves_by(const WiceEndpoint *remote, const WiceAddress *local, uint32_t fwmark);

/*
 * True if what is sent to remote is handed to a router, or leaves by a default route without one
 * (ppp): there may be firewalls on the way. False also if that cannot be found out.
 */
bool wice__route_passes_router(const WiceEndpoint *remote, uint32_t fwmark);

/*
 * True if what is sent to remote stays on this host or goes to more than one: it is an address of
 * ours of any kind (also one of the loopback device, a deprecated one, or the anycast address of
 * the routers of a network), or one of broadcast or multicast. True also if that cannot be found
 * out, but not where there is no route at all.
 */
bool wice__route_ends_here(const WiceEndpoint *remote);

/*
 * The size of the largest IP packet that goes to remote unfragmented, as far as this host knows: of
 * the device, of the route, or what routers have told. 0 if that cannot be found out.
 */
unsigned wice__route_mtu(const WiceEndpoint *remote, uint32_t fwmark);

#endif
