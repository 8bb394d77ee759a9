/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_AGENT_INTERFACE_H
#define WICE_AGENT_INTERFACE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <wice/agent.h>
#include <wice/device.h>
#include <wice/signaling.h>
#include <wice/status.h>
#include <wice/wg.h>

#include "agent/attempt.h"
#include "agent/found.h"
#include "agent/mechanisms.h"
#include "agent/peer.h"
#include "agent/reason.h"
#include "agent/relays.h"
#include "event/context_pool.h"
#include "signaling/sealed.h"

/*
 * One WireGuard interface in the agent's care: keeps the newest snapshot of the device, polls it as
 * often as its peers need, and makes and frees the peers. It is what a peer sees of the rest.
 */

/* For the agent. Errors: BUSY, another process takes care of it. */
WiceInterface *wice__interface_new(WiceAgent *agent, const char *name, GError **error);
/* gone: the interface no longer exists, there is nothing to put back. */
void wice__interface_free(WiceInterface *interface, bool gone);
/* Reads the device now. False if it is not there (any more). */
bool wice__interface_sync(WiceInterface *interface);
/* Hands an event to the session of each peer. */
void wice__interface_event(WiceInterface *interface, WiceSessionEventType type);
/* The key that envelopes to this interface carry, or NULL while it has none. */
const WiceKey *wice__interface_key(const WiceInterface *interface);
void wice__interface_receive(WiceInterface *interface, const WiceEnvelope *envelope);
WicePeer *wice__interface_find_peer(WiceInterface *interface, const WiceKey *key);
size_t wice__interface_n_peers(const WiceInterface *interface);
/* Calls func for each peer. */
void wice__interface_foreach_peer(WiceInterface *interface,
				  void (*func)(WicePeer *peer, void *user_data), void *user_data);
/* Fills status; the array of peers is g_free()d by the caller, texts live until the next call. */
void wice__interface_status(WiceInterface *interface, WiceInterfaceStatus *ret_status,
			    WicePeerStatus **ret_peers);
uint32_t wice__interface_fwmark(const WiceInterface *interface);
/* Other STUN servers are known. */
void wice__interface_stun_changed(WiceInterface *interface);
/* What was made on the old addresses is made anew on the new ones. */
void wice__interface_network_changed(WiceInterface *interface);
/* NONE: the best mechanism there is. Sessions start anew, the paths in use stay meanwhile. */
void wice__interface_want(WiceInterface *interface, WiceMechanism wanted);

/* For its peers. */
const char *wice__interface_name(const WiceInterface *interface);
WiceContextPool *wice__interface_contexts(const WiceInterface *interface);
uint16_t wice__interface_listen_port(const WiceInterface *interface);
WiceSignalingCounters *wice__interface_counters(WiceInterface *interface);
void wice__interface_count(WiceInterface *interface, WiceOpenResult result);
void wice__interface_init_mailbox(WiceInterface *interface, WiceMailbox *mailbox,
				  const WiceKey *peer);
/* How its peers' packets get to the network. */
WiceMechanisms *wice__interface_mechanisms(WiceInterface *interface);
/* What its peers can be reached over besides. */
WiceRelays *wice__interface_relays(WiceInterface *interface);
/* Writes what a peer is told of the relay that the interface is for its peers, if it is one. */
void wice__interface_describe_services(WiceInterface *interface, const WiceKey *peer,
				       WiceDescription *description);
/* A peer uses a path to remote, which adds growth bytes to each packet: see mtu.h. */
void wice__interface_check_mtu(WiceInterface *interface, const WiceEndpoint *remote,
			       unsigned growth);
/* WireGuard is the kernel's: it sends one packet at a time. */
bool wice__interface_is_kernel(const WiceInterface *interface);
/*
 * Everything but the context, the proxy and the role. Pointers live until the next main loop
 * iteration.
 */
void wice__interface_attempt_options(WiceInterface *interface, WiceAttemptOptions *ret_options);
void wice__interface_publish(WiceInterface *interface, const WiceEnvelope *envelope);
gboolean wice__interface_update_peer(WiceInterface *interface, const WicePeerUpdate *update,
				     GError **error);
void wice__interface_poll_soon(WiceInterface *interface);
void wice__interface_emit(WiceInterface *interface, WiceEvent *event);
void wice__interface_signaling_facts(WiceInterface *interface, WiceReasonFacts *facts);
/* Writes down, soon, what all peers were found with. */
void wice__interface_remember(WiceInterface *interface);
/* What a former life has written down; false if nothing. */
bool wice__interface_recall(WiceInterface *interface, const WiceKey *peer, WiceFoundPeer *ret_peer);

#endif
