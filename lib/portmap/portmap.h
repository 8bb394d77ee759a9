/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_PORTMAP_PORTMAP_H
#define WICE_PORTMAP_PORTMAP_H

#include <glib.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/addr.h>

/*
 * Asks the router to forward one UDP port: PCP (RFC 6887), NAT-PMP (RFC 6886), UPnP-IGD (by
 * miniupnpc, if libwice was built with it and it is installed). All are asked at once; PCP is
 * preferred to NAT-PMP to UPnP. The mapping is renewed at half of its life, made again when the
 * router restarts (its epoch, RFC 6887 section 8.5) or the network changes, and removed at the
 * end.
 */
typedef struct WicePortmap WicePortmap;

typedef enum {
	WICE_PORTMAP_PCP = 1,
	WICE_PORTMAP_NAT_PMP,
	WICE_PORTMAP_UPNP,
} WicePortmapProtocol;

typedef struct {
	WicePortmapProtocol protocol;
	WiceEndpoint internal; /* the address that the router forwards to, and the port */
	WiceEndpoint external; /* where the port can be reached from outside */
} WicePortMapping;

/* "pcp", "nat-pmp", "upnp". */
const char *wice__portmap_protocol_name(WicePortmapProtocol protocol);

/*
 * Starts to ask the default gateways of this namespace for port. fwmark: SO_MARK of what is sent,
 * 0: none. changed is called on the context when the list of mappings has changed; it may free the
 * object. -errno.
 */
int wice__portmap_new(GMainContext *context, uint16_t port, uint32_t fwmark,
		      void (*changed)(void *user_data), void *user_data, WicePortmap **ret_portmap);
/*
 * Removes the mappings: the requests are sent and not waited for. NULL is fine.
 */
void wice__portmap_free(WicePortmap *portmap);
/* Addresses or routes have changed: asks again. */
void wice__portmap_network_changed(WicePortmap *portmap);
/* What is mapped now, at most one per address family; valid until changed is called. */
const WicePortMapping *wice__portmap_list(const WicePortmap *portmap, size_t *ret_n);

#endif
