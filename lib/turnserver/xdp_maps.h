/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#ifndef WICE_TURNSERVER_XDP_MAPS_H
#define WICE_TURNSERVER_XDP_MAPS_H

/*
 * What the programs (xdp.bpf.c) and their process (xdp.c) share; proxy/bpf/mux_maps.h says why keys
 * are made of words of 64 bits. Ports and channels are in network order.
 */
#include "proxy/bpf/mux_maps.h"

/*
 * Key of "flows": packets that come in, from a client in a channel or from a peer. One five-tuple
 * may have many channels, and a host many addresses: nothing less than all of it says which.
 */
typedef struct {
	WiceMuxAddress remote, local;
	__u64 numbers;
} WiceXdpKey;

/* channel: 0 from a peer. */
#define WICE_XDP_NUMBERS(remote_port, local_port, channel) \
	((__u64)(remote_port) | (__u64)(local_port) << 16 | (__u64)(channel) << 32)

/*
 * Value of "flows": what becomes of them. Sums are of 16-bit words as they lie in memory (RFC
 * 1071), folded.
 */
typedef struct {
	WiceMuxAddress local, remote; /* from, to */
	__be16 local_port, remote_port;
	__be16 channel; /* 0: to a peer */
	__u16 growth;   /* of the sum of addresses, ports and channel */
	__u16 pseudo;   /* sum of the pseudo header of what comes in, without the length */
	__u16 zero;
	__u32 epoch; /* in which one has last gone up */
	__u64 packets, bytes;
} WiceXdpFlow;

/* Value of "devices", by ifindex: those that packets may leave by. */
typedef struct {
	__u32 ways; /* WICE_XDP_WAY_* */
	__u32 zero;
	__u64 without_headroom; /* that came in there and could not grow */
} WiceXdpDevice;

#define WICE_XDP_WAY_NATIVE 1 /* takes the frames of other drivers */
#define WICE_XDP_WAY_FRAMES 2 /* takes Ethernet frames, as every device of that type does */

#endif
