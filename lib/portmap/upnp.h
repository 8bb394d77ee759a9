/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_PORTMAP_UPNP_H
#define WICE_PORTMAP_UPNP_H

#include <glib.h>
#include <stdint.h>
#include <wice/addr.h>

/* Maps a UDP port by UPnP-IGD, on a thread of its own: miniupnpc blocks, for seconds if it must. */
typedef struct WiceUpnp WiceUpnp;

/* external: where the port was mapped to, for lease_s; NULL if it was not. May free the object. */
typedef void (*WiceUpnpDone)(const WiceEndpoint *external, uint32_t lease_s, void *user_data);

/*
 * Nothing is done yet. router: only the device at this address is asked, whoever else in the
 * network offers to map ports. internal: the local address and port that it shall forward to. NULL
 * if this build knows no UPnP, or its library is not installed.
 */
WiceUpnp *wice__upnp_new(GMainContext *context, const WiceAddress *router,
			 const WiceEndpoint *internal, WiceUpnpDone done, void *user_data);
/*
 * Begins to map, or renew: external_port if it can be had, for lease_s if the router can do that.
 * done is called on the context. Not to be called again before that.
 */
void wice__upnp_map(WiceUpnp *upnp, uint16_t external_port, uint32_t lease_s);
/*
 * Removes what is mapped. Waits for that, and for a thread that is still at work, for a moment; if
 * it takes longer, it is finished with nobody waiting. NULL is fine.
 */
void wice__upnp_free(WiceUpnp *upnp);

#endif
