/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_PORTMAP_CLIENT_H
#define WICE_PORTMAP_CLIENT_H

#include <glib.h>
#include <stdint.h>

#include "portmap/gateway.h"
#include "portmap/message.h"
#include "portmap/portmap.h"

/* Has a port mapped by one router: mapper.h with sockets, timers and UPnP. */
typedef struct WicePortmapClient WicePortmapClient;

/*
 * Starts to ask. nonce: see WicePortmapMapperOptions. fwmark and changed as in portmap.h. -errno.
 */
int wice__portmap_client_new(GMainContext *context, const WiceGateway *gateway, uint16_t port,
			     const uint8_t nonce[WICE_PCP_NONCE_LEN], uint32_t fwmark,
			     void (*changed)(void *user_data), void *user_data,
			     WicePortmapClient **ret_client);
/* Has the mapping removed; waits at most a moment. NULL is fine. */
void wice__portmap_client_free(WicePortmapClient *client);
const WiceGateway *wice__portmap_client_gateway(const WicePortmapClient *client);
/* Asks again. */
void wice__portmap_client_refresh(WicePortmapClient *client);
/* NULL: nothing is mapped. Valid until changed is called. */
const WicePortMapping *wice__portmap_client_mapping(const WicePortmapClient *client);

#endif
