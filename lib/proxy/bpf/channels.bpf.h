/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#ifndef WICE_PROXY_BPF_CHANNELS_BPF_H
#define WICE_PROXY_BPF_CHANNELS_BPF_H

/*
 * Maps that the programs of the mux and those for relayed packets share, so that it makes no
 * difference which of them see a packet first: the mux's process makes them.
 */
#include "proxy/bpf/packet.bpf.h"
#include "proxy/bpf/relayed_maps.h"

/* The channels that relayed.bpf.c makes WireGuard's packets of. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 16384);
	__type(key, WiceRelayedKey);
	__type(value, WiceRelayedReceived);
} received SEC(".maps");

/* Relays and WireGuard's ports, and whose socket gets what is neither WireGuard's nor an answer. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1024);
	__type(key, WiceRelayedKey);
	__type(value, WiceRelayedClient);
} relays SEC(".maps");

/* One for each processor: a question is put together of parts of words, see mux_maps.h. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bpf_fib_lookup);
} routes SEC(".maps");

/*
 * A host that this one forwards for may have the same ports and channels at the same relay. What is
 * not forwarded is for this host.
 */
static __always_inline bool is_for_this_host(struct __sk_buff *skb, const Packet *packet)
{
	__u32 zero = 0;
	struct bpf_fib_lookup *route = bpf_map_lookup_elem(&routes, &zero);
	if (!route)
		return false;
	__builtin_memset(route, 0, sizeof *route);
	route->ifindex = skb->ifindex;
	if (is_ipv4(&packet->destination)) {
		route->family = 2; /* AF_INET */
		route->ipv4_src = bpf_htonl((__u32)bpf_be64_to_cpu(packet->source.words[1]));
		route->ipv4_dst = bpf_htonl((__u32)bpf_be64_to_cpu(packet->destination.words[1]));
	} else {
		route->family = 10; /* AF_INET6 */
		__builtin_memcpy(route->ipv6_src, &packet->source, sizeof packet->source);
		__builtin_memcpy(route->ipv6_dst, &packet->destination, sizeof packet->destination);
	}
	int r = bpf_fib_lookup(skb, route, sizeof *route, 0);
	return r == BPF_FIB_LKUP_RET_NOT_FWDED || r == BPF_FIB_LKUP_RET_FWD_DISABLED;
}

/* Gives a packet of a relay to the TURN client's socket, if there is one. */
static __always_inline bool give_to_client(struct __sk_buff *skb, const Packet *packet)
{
	WiceRelayedKey key = { packet->source,
			       WICE_RELAYED_NUMBERS(packet->udp.source, packet->udp.dest, 0) };
	const WiceRelayedClient *client = bpf_map_lookup_elem(&relays, &key);
	if (client && is_for_this_host(skb, packet))
		replace_port(skb, packet, offsetof(struct udphdr, dest), packet->udp.dest,
			     client->port);
	return client;
}

#endif
