/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_AGENT_RELAYS_H
#define WICE_AGENT_RELAYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/agent.h>

#include "proxy/proxy.h"
#include "relay/relay.h"
#include "signaling/sealed.h"

/*
 * The relays of one interface: one allocation at each, for all peers, kept from the start on, so
 * that a relayed path is there before it is needed; and the links, each a channel to one peer.
 */
typedef struct WiceRelays WiceRelays;
typedef struct WiceRelayLink WiceRelayLink;

/*
 * changed is called when a relay has become ready or was lost (anew), and when it has been measured
 * to be another one than before by more than noise; never from within a call of these functions. It
 * may call all but free.
 */
WiceRelays *wice__relays_new(WiceAgent *agent, const char *ifname,
			     void (*changed)(bool anew, void *user_data), void *user_data);
/* All links must have been closed. */
void wice__relays_free(WiceRelays *relays);

/*
 * WireGuard's port and mark, and whether packets of the relays are to share the port; port 0: the
 * interface cannot be used. If anything is another than before, allocations are made anew (links
 * are dead then, to be closed by their owners). True if so.
 */
bool wice__relays_set_port(WiceRelays *relays, uint16_t wg_port, uint32_t fwmark, bool one_port);
/*
 * A peer is a relay itself (n 0: is no more, or the peer is gone): used as those that are
 * configured, up to a few.
 */
void wice__relays_set_services(WiceRelays *relays, const WiceKey *peer,
			       const WiceRelayService *services, size_t n);
/* Addresses or routes have changed, or this host has slept. */
void wice__relays_network_changed(WiceRelays *relays);

/* What a description tells of them: those that are ready. Returns how many. */
size_t wice__relays_offers(const WiceRelays *relays,
			   WiceRelayAddress ret_offers[WICE_DESCRIPTION_MAX_RELAYS]);
/* Some are configured. */
bool wice__relays_are_there(const WiceRelays *relays);
/*
 * For people: why there is none that is ready, or NULL. Valid until the next main loop iteration.
 */
const char *wice__relays_trouble(const WiceRelays *relays);
/* Fills what concerns them; arrays live until the next call. */
void wice__relays_status(WiceRelays *relays, WiceInterfaceStatus *status);

typedef void (*WiceRelayLinkData)(WiceRelayLink *link, uint8_t *data, size_t len, void *user_data);
/*
 * A channel from the allocation with this relayed address to the peer's. data is called with what
 * comes over it (behind the channel's header, as it came), as far as nothing in the kernel takes
 * it. -ENOENT: no relay is ready with that address; -errno of wice__relay_bind().
 */
int wice__relay_link_new(WiceRelays *relays, const WiceEndpoint *relayed, const WiceEndpoint *peer,
			 WiceRelayLinkData data, void *user_data, WiceRelayLink **ret_link);
/* NULL is fine. */
void wice__relay_link_free(WiceRelayLink *link);
/* The relay still has the allocation that the link was made with. */
bool wice__relay_link_is_alive(const WiceRelayLink *link);
/* The relay has refused the channel: nothing it is given comes out. `changed` was called then. */
bool wice__relay_link_is_refused(const WiceRelayLink *link);
/* Asks again for the channel, if it was refused; it is the same one. */
void wice__relay_link_retry(WiceRelayLink *link);
/*
 * A proxy receives from the relay's socket (WiceProxyOps.reads_relayed), or does no more. As long
 * as one does for any link, the TURN client itself does not.
 */
void wice__relay_link_set_read(WiceRelayLink *link, bool read);
/* Packets go over it, or do no more: the way to the relay is measured more often while they do. */
void wice__relay_link_set_used(WiceRelayLink *link, bool used);
/* What a proxy needs to know of it, but in_place. */
void wice__relay_link_channel(const WiceRelayLink *link, WiceProxyChannel *ret_channel);
const char *wice__relay_link_url(const WiceRelayLink *link);
/* As measured, between here and the relay; 0: not known. */
uint32_t wice__relay_link_rtt_us(const WiceRelayLink *link);
/* The path over it has gone silent: the relay is measured quickly. */
void wice__relay_link_hurry(WiceRelayLink *link);

#endif
