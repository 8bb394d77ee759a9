/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#ifndef WICE_PROXY_BPF_MUX_MAPS_H
#define WICE_PROXY_BPF_MUX_MAPS_H

/*
 * What the programs (mux.bpf.c) and their process (mux.c) share: keys and values of the maps, both
 * compared and hashed as bytes, so that there is no padding in a key. All numbers of packets are in
 * network order.
 *
 * What the programs put together on their stack is made of words of 64 bits: without CAP_PERFMON,
 * kernels like 6.1 refuse a store to a part of such a word once another part is known to hold a
 * number ("attempt to corrupt spilled pointer").
 */
#include <linux/bpf.h>
#include <linux/types.h>

#define WICE_MUX_UFRAG_LEN 8
/* One bit for each port. */
#define WICE_MUX_PORTS_SIZE (65536 / 8)

/* IPv4 as ::ffff:a.b.c.d. */
typedef struct {
	__be64 words[2];
} WiceMuxAddress;

#define WICE_MUX_IPV4_PREFIX 0xffff00000000ULL /* in the last word, in host order */

/* Key of "agents", value of "transactions": a socket of ours, as it is bound. */
typedef struct {
	WiceMuxAddress address;
	__u64 port; /* __be16, extended with zeros */
} WiceMuxSocket;

/* Value of "agents". */
typedef struct {
	__be16 wg_port;
	__u16 zero[3];
	__u64 cookie; /* of the socket, SO_COOKIE; 0: its address and port say enough */
} WiceMuxAgent;

/* Key of "requests". */
typedef struct {
	__u8 ufrag[WICE_MUX_UFRAG_LEN];
	WiceMuxAddress address;
	__u64 wg_port; /* as above */
} WiceMuxRequestKey;

/* Value of "requests". */
typedef struct {
	struct bpf_spin_lock lock;
	__be16 port;
	__be16 source_port; /* of the newest request; 0: there was none */
	WiceMuxAddress source;
} WiceMuxRequest;

/* Key of "servers": WireGuard's port, __be16, and whether over IPv4; values are ports likewise. */
#define WICE_MUX_SERVER_KEY(wg_port, ipv4) ((__u64)(wg_port) | (__u64)(ipv4) << 16)

/* Key of "transactions": RFC 8489's magic cookie and id, or RFC 3489's longer id. */
typedef struct {
	__u32 words[4];
} WiceMuxId;

#endif
