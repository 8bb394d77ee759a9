/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Instead of upnp.c, in builds without miniupnpc. */
#include "portmap/upnp.h"

WiceUpnp *wice__upnp_new(GMainContext *context, const WiceAddress *router,
			 const WiceEndpoint *internal, WiceUpnpDone done, void *user_data)
{
	return NULL;
}

void wice__upnp_map(WiceUpnp *upnp, uint16_t external_port, uint32_t lease_s)
{
}

void wice__upnp_free(WiceUpnp *upnp)
{
}
