/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_AGENT_REFLEXIVE_H
#define WICE_AGENT_REFLEXIVE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/addr.h>
#include <wice/candidate.h>
#include <wice/status.h>

#include "agent/consents.h"
#include "proxy/bpf/mux.h"

/*
 * How the outside sees the one UDP port of an interface whose ICE agents share it (mechanism
 * `bpf`): asks STUN servers from that port, once per address family and not per peer, keeps the
 * NAT's mapping alive by repeating that, and sends the packets that keep idle paths through NATs
 * open.
 *
 * One socket per family, bound to the wildcard: the kernel chooses the address as it does for
 * WireGuard's own socket. What is due when is stun/mapping.h (pure).
 */
typedef struct WiceReflexive WiceReflexive;

typedef struct {
	WiceEndpoint base;   /* the local address that was asked from, with WireGuard's port */
	WiceEndpoint mapped; /* what the servers saw */
	bool forwarded;      /* a router forwards what comes there, whoever sends it */
} WiceReflexiveAddress;

/*
 * changed is called on the context when anything of what can be asked below has changed: a server
 * has answered for the first time, another address was seen, all servers of a family have been
 * given up. Never from within a call of these functions; it may call any of them but free. A family
 * that this host does not know is left out. -errno: -EAFNOSUPPORT if it knows none.
 */
int wice__reflexive_new(GMainContext *context, WiceBpfMux *mux, uint16_t wg_port, uint32_t fwmark,
			void (*changed)(void *user_data), void *user_data,
			WiceReflexive **ret_reflexive);
/* NULL is fine. */
void wice__reflexive_free(WiceReflexive *reflexive);

/* Asks these from now on, at most WICE_STUN_PROBE_MAX_SERVERS per family. */
void wice__reflexive_set_servers(WiceReflexive *reflexive, const WiceEndpoint *servers, size_t n);
/* Addresses or routes have changed, or this host has slept: asks again at once. */
void wice__reflexive_network_changed(WiceReflexive *reflexive);

/*
 * What is known now: at most one per family; valid until changed is called or other servers are
 * set.
 */
const WiceReflexiveAddress *wice__reflexive_list(const WiceReflexive *reflexive, size_t *ret_n);
/* No answer is waited for any more: what is known is all there will be for now. */
bool wice__reflexive_is_settled(const WiceReflexive *reflexive);
/* The worst of the families, as in an attempt. */
WiceNatMapping wice__reflexive_nat(const WiceReflexive *reflexive);
/* Servers were asked, and none has answered. */
bool wice__reflexive_failed(const WiceReflexive *reflexive);

/*
 * Sends a STUN Binding indication (RFC 8445 section 11) from the interface's port, which keeps what
 * NATs and firewalls know of the path to remote. -errno.
 */
int wice__reflexive_keep_alive(WiceReflexive *reflexive, const WiceEndpoint *remote);

/* Any packet from the interface's port, for instance a check of a path in use. -errno. */
int wice__reflexive_send(WiceReflexive *reflexive, const WiceEndpoint *remote,
			 const uint8_t *packet, size_t len);
/* Where STUN messages from remote go, but answers of the servers; heard NULL: nowhere. */
void wice__reflexive_listen(WiceReflexive *reflexive, const WiceEndpoint *remote,
			    WiceConsentHeard heard, void *user_data);
/*
 * Checks of the peer's are answered for an agent of ours that is closed; base is where it had its
 * socket, local and on WireGuard's port. -errno.
 */
int wice__reflexive_answer(WiceReflexive *reflexive, const char *ufrag, const char *pwd,
			   const WiceEndpoint *base);
/* An unknown ufrag is ignored. */
void wice__reflexive_answer_no_more(WiceReflexive *reflexive, const char *ufrag);

#endif
