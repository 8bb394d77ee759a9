/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_PROXY_BPF_RELAYED_H
#define WICE_PROXY_BPF_RELAYED_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/addr.h>

#include "proxy/bpf/attach.h"

/*
 * Relayed packets that stay in the kernel: TC programs (relayed.bpf.c) on every uplink, attached as
 * long as there is a channel or may be one any time.
 *
 *   WireGuard -> relay:synthetic port   --egress-->   ChannelData -> relay:port
 *   WireGuard <- relay:synthetic port   <--ingress--  ChannelData <- relay:port
 *
 * The payload moves by four bytes behind the channel's header, or in place (stun/relayed.h) nothing
 * moves. ChannelData of a channel that the programs cannot do goes to the TURN client's socket, as
 * all that the relay sends does by the mux: fragments, what is odd, and without in place what GRO
 * has joined. Its way from there is wice__bpf_relayed_inject(). There is no such way for what
 * WireGuard sends, so that is dropped and counted: fragments, what has become too large for the
 * device, and without in place UDP GSO.
 *
 * Linux 5.12 is needed (bpf_check_mtu()). The mux leaves channels that are known here alone, so it
 * makes no difference which of the two comes first on a device.
 */
typedef struct WiceBpfRelayed WiceBpfRelayed;

typedef struct {
	uint64_t tx_packets, tx_bytes; /* of WireGuard's, as it made them */
	uint64_t rx_packets, rx_bytes;
	uint64_t rx_slow;           /* given to the TURN client's socket */
	uint64_t dropped_gso;       /* calls of sendmsg() with several packets, not in place */
	uint64_t dropped_mtu;       /* four bytes more than the device can send */
	uint64_t dropped_fragments; /* WireGuard's packets that were larger than the path's MTU */
	uint64_t dropped_others;    /* no memory, or less than WireGuard's messages have */
} WiceBpfRelayedCounters;

typedef struct {
	WiceBpfAttach attach;
	int received, relays; /* maps of the mux (channels.bpf.h), its own */
} WiceBpfRelayedOptions;

typedef struct {
	WiceEndpoint server;
	uint16_t wg_port;        /* of WireGuard and of the TURN client on the wire */
	uint16_t synthetic_port; /* WireGuard's endpoint is the server's address with it */
	uint16_t channel;
	bool in_place;
} WiceBpfChannel;

/* Nothing is loaded before there is a channel. Never fails. */
WiceBpfRelayed *wice__bpf_relayed_new(GMainContext *context, const WiceBpfRelayedOptions *options);
/* Detaches everything. NULL is fine. */
void wice__bpf_relayed_free(WiceBpfRelayed *relayed);

/*
 * A relay is there, at which channels may be bound any time (expect), or has gone. While one is, the
 * programs are attached, though there is no channel: soon, from the context, and not when the first
 * packet is to leave, because it takes tens of milliseconds (attaching waits for a grace period of
 * RCU each time).
 */
void wice__bpf_relayed_expect(WiceBpfRelayed *relayed, bool expect);
/*
 * Adds or, if wg_port, server and synthetic_port are known, replaces a channel: between two
 * packets, and its counters go on. If others have the same number, what comes in over it is this
 * one's for as long as it is there. The first loads and attaches the programs. -errno: -EPERM,
 * -EOPNOTSUPP and so on as in mux.h, -ENOSPC, -EEXIST (the synthetic port is another wg_port's),
 * -EINVAL.
 */
int wice__bpf_relayed_add(WiceBpfRelayed *relayed, const WiceBpfChannel *channel);
/* What was not added is ignored. With the last the programs are detached, unless more is expected. */
void wice__bpf_relayed_remove(WiceBpfRelayed *relayed, const WiceBpfChannel *channel);
/*
 * Shows WireGuard a packet as if it had come over the channel, from the synthetic port. fwmark: of
 * packets to the server. -errno: -ENOENT, or it could not be sent.
 */
int wice__bpf_relayed_inject(WiceBpfRelayed *relayed, const WiceBpfChannel *channel,
			     uint32_t fwmark, const uint8_t *packet, size_t len);
/* The number of devices that the programs are attached to. */
size_t wice__bpf_relayed_n_uplinks(const WiceBpfRelayed *relayed);
/* -ENOENT. */
int wice__bpf_relayed_counters(const WiceBpfRelayed *relayed, const WiceBpfChannel *channel,
			       WiceBpfRelayedCounters *ret_counters);

#endif
