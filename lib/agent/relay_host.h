/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_AGENT_RELAY_HOST_H
#define WICE_AGENT_RELAY_HOST_H

#include <stdbool.h>
#include <stdint.h>
#include <wice/agent.h>
#include <wice/key.h>

#include "agent/attempt.h"
#include "signaling/sealed.h"

typedef struct WiceInterface WiceInterface;

/*
 * The relay that an interface is for its peers: a TURN server on WireGuard's port (where that can
 * be shared: mechanism `bpf`; else on one of its own), of which descriptions tell. A peer's name
 * and password are made of its public key and a secret of this process, so there is nothing to
 * configure, and it relays only to where peers can be: to what they have signalled, and to each
 * other's allocations here.
 */
typedef struct WiceRelayHost WiceRelayHost;

/* one_port: it is to share wg_port. NULL, after a warning in the log, if it cannot be had. */
WiceRelayHost *wice__relay_host_new(WiceAgent *agent, WiceInterface *interface, uint16_t wg_port,
				    bool one_port);
/* NULL is fine. */
void wice__relay_host_free(WiceRelayHost *service);
/*
 * Writes what the peer is told of it. outside: how WireGuard's port is seen; addresses: of this
 * host.
 */
void wice__relay_host_describe(const WiceRelayHost *service, const WiceKey *peer,
			       const WiceOutside *outside, const WiceAddress *addresses,
			       size_t n_addresses, WiceDescription *description);

#endif
