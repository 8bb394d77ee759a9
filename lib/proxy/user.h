/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_PROXY_USER_H
#define WICE_PROXY_USER_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/addr.h>

#include "proxy/proxy.h"

/*
 * The userspace proxy: carries packets between WireGuard's UDP socket on the loopback interface and
 * the ports of the ICE agents.
 *
 *   WireGuard 127.0.0.1:51820 <-> 127.128.0.7:P    one socket per interface, one address per peer
 *                                     |
 *   ICE agent's port          <-> path             a second socket on the same port (port_share.h)
 *   TURN client's socket      <-> relayed paths    the same socket (user_relayed.c)
 *
 * A path is made per ICE socket. A peer's entry may have several (the old and the new agent's),
 * receives from all of them and sends over the selected one. Selecting is one assignment between
 * two packets; nothing is re-made.
 *
 * From the network, a path takes WireGuard packets from any source, not only from the selected
 * remote: WireGuard authenticates each, and the peer may switch its path before we do. WireGuard
 * sees all of them come from the entry's address, so it never roams away from the proxy. Towards
 * the network, packets go to the selected remote only.
 *
 * Any object may be freed from within a callback.
 */
typedef struct WiceUserProxy WiceUserProxy; /* one per WireGuard interface */
typedef struct WiceUserEntry WiceUserEntry; /* one per peer */
typedef struct WiceUserPath WiceUserPath;   /* one per ICE socket of the peer */

typedef struct {
	uint64_t rx_packets, rx_bytes; /* from the network to WireGuard */
	uint64_t tx_packets, tx_bytes; /* from WireGuard to the network */
	uint64_t rx_dropped, tx_dropped;
} WiceUserCounters;

/* What concerns no single entry. */
typedef struct {
	uint64_t foreign;       /* on the loopback side, not from WireGuard's port */
	uint64_t unknown;       /* from WireGuard to an address that is no entry's (any more) */
	uint64_t gso_fallbacks; /* the kernel refused to take several packets at once */
	uint64_t gro_disabled;  /* paths that lost a STUN packet to receive offload */
} WiceUserProxyCounters;

/*
 * The mechanism `user`: the functions below as hooks (proxy.h). -errno. wg_port: where WireGuard
 * listens on 127.0.0.1.
 */
int wice__proxy_user_new(GMainContext *context, uint16_t wg_port, WiceProxy **ret_proxy);

/* -errno on failure. wg_port: where WireGuard listens on 127.0.0.1. */
int wice__user_proxy_new(GMainContext *context, uint16_t wg_port, WiceUserProxy **ret_proxy);
/* All entries must have been freed before. */
void wice__user_proxy_free(WiceUserProxy *proxy);
/* WireGuard's listen port has changed. */
void wice__user_proxy_set_wg_port(WiceUserProxy *proxy, uint16_t wg_port);

void wice__user_proxy_counters(const WiceUserProxy *proxy, WiceUserProxyCounters *ret);

/* True for an endpoint that some instance of this proxy may have given out (127.128.0.0/9). */
bool wice__user_is_ours(const WiceEndpoint *endpoint);

/* -ENOSPC when all addresses are taken. */
int wice__user_entry_new(WiceUserProxy *proxy, const WiceProxyEvents *events, void *user_data,
			 WiceUserEntry **ret_entry);
/* Frees its paths as well. */
void wice__user_entry_free(WiceUserEntry *entry);
/* What WireGuard's endpoint for this peer must be. Fixed for the life of the entry. */
const WiceEndpoint *wice__user_entry_endpoint(const WiceUserEntry *entry);
void wice__user_entry_counters(const WiceUserEntry *entry, WiceUserCounters *ret);

/*
 * Adds a path over the port of ice_fd, which is bound to local and stays the caller's. If the
 * kernel cannot share ports, the path sends from ice_fd itself (a duplicate of it), receives
 * nothing by itself, and wice__user_path_shares_port() is false.
 *
 * In both cases feed WireGuard packets that reach the ICE agent to wice__user_path_input(): with a
 * shared port that is rare (before the path was made, or stuck to a STUN packet by receive
 * offload), but not impossible.
 */
int wice__user_path_new(WiceUserEntry *entry, int ice_fd, const WiceEndpoint *local,
			uint32_t fwmark, WiceUserPath **ret_path);
/*
 * Adds a path over a relay. From a socket it receives itself, as all paths over that socket do
 * together; what comes over a stream is to be fed to wice__user_path_input(), which may write to
 * the data and to the four bytes before it. -errno.
 */
int wice__user_path_new_relayed(WiceUserEntry *entry, const WiceProxyChannel *channel,
				WiceUserPath **ret_path);
bool wice__user_path_shares_port(const WiceUserPath *path);
void wice__user_path_free(WiceUserPath *path);
const WiceEndpoint *wice__user_path_local(const WiceUserPath *path);

/*
 * Before the first selection WireGuard's packets go to where the network's last one came from.
 * From the next packet on, WireGuard's packets go over path, one of the entry's, to remote. path
 * NULL: are dropped. Freeing the selected path does the same.
 */
void wice__user_entry_select(WiceUserEntry *entry, WiceUserPath *path, const WiceEndpoint *remote);

/* Sends one packet from the path's port (STUN probes). -errno. */
int wice__user_path_send(WiceUserPath *path, const WiceEndpoint *remote, const uint8_t *packet,
			 size_t len);
/* A packet that reached the ICE agent's own socket instead. Dropped if it is not WireGuard's. */
void wice__user_path_input(WiceUserPath *path, const uint8_t *packet, size_t len);

#endif
