/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_PROXY_USER_H
#define WICE_PROXY_USER_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/addr.h>

/*
 * The userspace proxy: carries packets between WireGuard's UDP socket on the loopback interface and the ports
 * of the ICE agents.
 *
 *   WireGuard 127.0.0.1:51820 <-> 127.128.0.7:P one socket per interface, one address per peer
 *                                     |
 *   ICE agent's port  <-> path: a second socket on the same port (SO_REUSEPORT); a socket filter gives
 *                         WireGuard packets and our STUN probes to it, everything else to the agent
 *
 * A path is made per ICE socket; a peer's entry may have several (the old and the new agent's), receives from all of them and
 * sends over the selected one. Selecting is one assignment between two packets; nothing is re-made.
 */
typedef struct WiceUserProxy WiceUserProxy; /* one per WireGuard interface */
typedef struct WiceUserEntry WiceUserEntry; /* one per peer */
typedef struct WiceUserPath WiceUserPath;   /* one per ICE socket of the peer */

typedef struct {
	/* A STUN packet with our probe's tag came in on a path. Valid during the call. */
	void (*on_stun)(WiceUserPath *path, const WiceEndpoint *source, const uint8_t *packet,
			size_t len, void *user_data);
} WiceUserEvents;

typedef struct {
	uint64_t rx_packets, rx_bytes; /* from the network to WireGuard */
	uint64_t tx_packets, tx_bytes; /* from WireGuard to the network */
	uint64_t rx_dropped, tx_dropped;
} WiceUserCounters;

/* -errno on failure. wg_port: where WireGuard listens on 127.0.0.1. */
int wice__user_proxy_new(GMainContext *context, uint16_t wg_port, WiceUserProxy **ret_proxy);
/* All entries must have been freed before. */
void wice__user_proxy_free(WiceUserProxy *proxy);
/* WireGuard's listen port has changed. */
void wice__user_proxy_set_wg_port(WiceUserProxy *proxy, uint16_t wg_port);

/* True for an endpoint that some instance of this proxy may have given out (127.128.0.0/9). */
bool wice__user_is_ours(const WiceEndpoint *endpoint);

/* -ENOSPC when all addresses are taken. */
int wice__user_entry_new(WiceUserProxy *proxy, const WiceUserEvents *events, void *user_data,
			 WiceUserEntry **ret_entry);
/* Frees its paths as well. */
void wice__user_entry_free(WiceUserEntry *entry);
/* What WireGuard's endpoint for this peer must be. Fixed for the life of the entry. */
const WiceEndpoint *wice__user_entry_endpoint(const WiceUserEntry *entry);
void wice__user_entry_counters(const WiceUserEntry *entry, WiceUserCounters *ret);

/*
 * Adds a path that shares the port of ice_fd, which is bound to local. -errno on failure; -ENOTSUP when the
 * kernel cannot share ports: then feed packets with wice__user_path_input().
 */
int wice__user_path_new(WiceUserEntry *entry, int ice_fd, const WiceEndpoint *local,
			uint32_t fwmark, WiceUserPath **ret_path);
void wice__user_path_free(WiceUserPath *path);
const WiceEndpoint *wice__user_path_local(const WiceUserPath *path);

/* From the next packet on, WireGuard's packets go over path to remote. path NULL: are dropped. */
void wice__user_entry_select(WiceUserEntry *entry, WiceUserPath *path, const WiceEndpoint *remote);

/* Sends one packet from the path's port (STUN probes). -errno. */
int wice__user_path_send(WiceUserPath *path, const WiceEndpoint *remote, const uint8_t *packet,
			 size_t len);
/* A WireGuard packet that reached the ICE agent's own socket instead. */
void wice__user_path_input(WiceUserPath *path, const uint8_t *packet, size_t len);

#endif
