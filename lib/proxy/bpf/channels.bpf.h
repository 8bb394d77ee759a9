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

/* Gives a packet of a relay to the TURN client's socket, if there is one. */
static __always_inline bool give_to_client(struct __sk_buff *skb, const Packet *packet)
{
	WiceRelayedKey key = { packet->source,
			       WICE_RELAYED_NUMBERS(packet->udp.source, packet->udp.dest, 0) };
	const WiceRelayedClient *client = bpf_map_lookup_elem(&relays, &key);
	if (client)
		replace_port(skb, packet, offsetof(struct udphdr, dest), packet->udp.dest,
			     client->port);
	return client;
}

#endif
