/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_PROXY_BPF_RELAYED_H
#define WICE_PROXY_BPF_RELAYED_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <wice/addr.h>

/*
 * Relayed packets that stay in the kernel: TC programs (relayed.bpf.c) on every uplink, attached as
 * long as there is a channel.
 *
 *   WireGuard -> relay:synthetic port   --egress-->   ChannelData -> relay:port
 *   WireGuard <- relay:synthetic port   <--ingress--  ChannelData <- relay:port
 *   the TURN client's socket            <--ingress--  all else from relay:port to WireGuard's port
 *
 * The payload moves by four bytes behind the channel's header, or in place (../relayed.h) nothing
 * moves. What the programs cannot do goes the slow way: GSO packets, fragments, padded ChannelData
 * and what has odd headers, to and from the TURN client's socket.
 */
typedef struct WiceBpfRelayed WiceBpfRelayed;

typedef struct {
	uint64_t tx_packets, tx_bytes; /* of WireGuard's, as it made them */
	uint64_t rx_packets, rx_bytes;
} WiceBpfRelayedCounters;

typedef struct {
	WiceEndpoint server;
	uint16_t wg_port;        /* of WireGuard and of the TURN client on the wire */
	uint16_t socket_port;    /* of the TURN client's socket, before the mux has moved it */
	uint16_t synthetic_port; /* WireGuard's endpoint is the server's address with it */
	uint16_t channel;
	bool in_place;
} WiceBpfChannel;

/* Nothing is loaded before there is a channel. Never fails. */
WiceBpfRelayed *wice__bpf_relayed_new(GMainContext *context);
/* Detaches everything. NULL is fine. */
void wice__bpf_relayed_free(WiceBpfRelayed *relayed);

/*
 * Adds or, if wg_port, server and synthetic_port are known, replaces a channel: between two
 * packets. The first loads and attaches the programs. -errno: -EPERM, -EOPNOTSUPP and so on as in
 * mux.h, -ENOSPC, -EEXIST (the channel is another's).
 */
int wice__bpf_relayed_add(WiceBpfRelayed *relayed, const WiceBpfChannel *channel);
/* What was not added is ignored. With the last the programs are detached. */
void wice__bpf_relayed_remove(WiceBpfRelayed *relayed, const WiceBpfChannel *channel);
/* -ENOENT. */
int wice__bpf_relayed_counters(const WiceBpfRelayed *relayed, const WiceBpfChannel *channel,
			       WiceBpfRelayedCounters *ret_counters);

#endif
