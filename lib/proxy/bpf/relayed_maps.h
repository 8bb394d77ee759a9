/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#ifndef WICE_PROXY_BPF_RELAYED_MAPS_H
#define WICE_PROXY_BPF_RELAYED_MAPS_H

/*
 * What the programs (relayed.bpf.c) and their process (relayed.c) share; see mux_maps.h. Ports and
 * channels are in network order.
 */
#include "proxy/bpf/mux_maps.h"

/*
 * Key of all three maps: a server's address, and numbers of 16 bits.
 *
 *   "sent"      synthetic port
 *   "received"  server's port, WireGuard's port, channel
 *   "relays"    server's port, WireGuard's port
 */
typedef struct {
	WiceMuxAddress server;
	__u64 numbers;
} WiceRelayedKey;

#define WICE_RELAYED_NUMBERS(first, second, third) \
	((__u64)(first) | (__u64)(second) << 16 | (__u64)(third) << 32)

/* Value of "sent". What cannot be made ChannelData is dropped: nobody else knows the channel. */
typedef struct {
	__be16 wg_port;
	__be16 server_port;
	__be16 channel;
	__u16 in_place;
	__u64 packets, bytes;
	__u64 dropped_gso, dropped_mtu, dropped_fragments, dropped_others;
} WiceRelayedSent;

/* Value of "received". */
typedef struct {
	__be16 synthetic_port;
	__u16 in_place;
	__u32 zero;
	WiceMuxAddress local; /* where its packets came in, once that was found to be this host */
	__u64 packets, bytes;
	__u64 slow; /* given to the TURN client's socket, as it was */
} WiceRelayedReceived;

/* Value of "relays". */
typedef struct {
	__be16 port; /* of the TURN client's socket */
} WiceRelayedClient;

#endif
