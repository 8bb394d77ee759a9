/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#ifndef WICE_TURNSERVER_XDP_ARRIVAL_BPF_H
#define WICE_TURNSERVER_XDP_ARRIVAL_BPF_H

/* A frame that comes in, as far as the fast path needs it: xdp.bpf.c. */
#include "proxy/bpf/packet.bpf.h"
#include "turnserver/xdp_maps.h"

#define IP_DF 0x4000          /* RFC 791 section 3.1: "don't fragment" */
#define IPV6_LABEL 0x0fffffff /* with the traffic class */
#define CHANNEL_MASK 0xc000
#define CHANNEL_BITS 0x4000
#define HEAD_SIZE(ip) (ETH_HLEN + sizeof(ip) + sizeof(struct udphdr) + sizeof(ChannelHeader))

/* RFC 8656 section 12.4. */
typedef struct {
	__be16 number;
	__be16 len;
} ChannelHeader;

/* What came in. Words of 64 bits, see mux_maps.h. */
typedef struct {
	WiceXdpKey key;
	__u64 is_ipv4;
	__u64 udp_len;
	__u64 len;      /* of the data */
	__u64 channel;  /* that it came in, else 0 */
	__u64 check;    /* of UDP; __be16, as the next */
	__u64 class;    /* traffic class, type of service */
	__u64 hops;     /* that are left, for who gets it */
	__u64 label;    /* IPv6: of the flow */
	__u64 id, frag; /* IPv4: identification, flags */
} Arrival;

/* Bits by port in network order: the server's and relayed ones. */
__u8 ports[WICE_MUX_PORTS_SIZE];

/* With four bytes behind the UDP header, which the caller has seen to be there. */
static __always_inline bool receive_udp(const struct udphdr *udp, Arrival *arrival)
{
	const ChannelHeader *channel = (const void *)(udp + 1);
	__u32 len = bpf_ntohs(udp->len);
	arrival->udp_len = len;
	arrival->check = udp->check;
	arrival->len = len - sizeof *udp;
	arrival->channel = 0;
	if ((channel->number & bpf_htons(CHANNEL_MASK)) == bpf_htons(CHANNEL_BITS) &&
	    bpf_ntohs(channel->len) + sizeof *udp + sizeof *channel == len)
		arrival->channel = channel->number;
	arrival->key.numbers = WICE_XDP_NUMBERS(udp->source, udp->dest, 0);
	return len >= sizeof *udp + sizeof *channel;
}

static __always_inline bool receive_ipv4(const struct iphdr *ip, const void *end, Arrival *arrival)
{
	const struct udphdr *udp = (const void *)(ip + 1);
	if ((const void *)(udp + 1) + sizeof(ChannelHeader) > end || *(const __u8 *)ip != 0x45 ||
	    ip->protocol != IPPROTO_UDP || !is_set(ports, udp->dest) ||
	    (ip->frag_off & bpf_htons(IP_MF | IP_OFFSET)) || ip->ttl <= 1 ||
	    bpf_ntohs(ip->tot_len) != bpf_ntohs(udp->len) + sizeof *ip)
		return false;
	set_ipv4(&arrival->key.remote, ip->saddr);
	set_ipv4(&arrival->key.local, ip->daddr);
	arrival->is_ipv4 = true;
	arrival->class = ip->tos;
	arrival->hops = ip->ttl - 1;
	arrival->label = 0;
	arrival->id = ip->id;
	arrival->frag = ip->frag_off;
	return receive_udp(udp, arrival);
}

static __always_inline bool receive_ipv6(const struct ipv6hdr *ip, const void *end,
					 Arrival *arrival)
{
	const struct udphdr *udp = (const void *)(ip + 1);
	if ((const void *)(udp + 1) + sizeof(ChannelHeader) > end || ip->version != 6 ||
	    ip->nexthdr != IPPROTO_UDP || !is_set(ports, udp->dest) || ip->hop_limit <= 1 ||
	    ip->payload_len != udp->len || !udp->check)
		return false;
	set_ipv6(&arrival->key.remote, &ip->saddr);
	set_ipv6(&arrival->key.local, &ip->daddr);
	__u32 first = bpf_ntohl(*(const __be32 *)ip) & IPV6_LABEL;
	arrival->is_ipv4 = false;
	arrival->class = first >> 20;
	arrival->hops = ip->hop_limit - 1;
	arrival->label = first & 0xfffff;
	arrival->id = 0;
	arrival->frag = bpf_htons(IP_DF);
	return receive_udp(udp, arrival);
}

/* len: of the frame. Frames to many, or with something behind the packet, are not for us. */
static __always_inline bool receive_frame(const void *data, const void *end, __u64 len,
					  Arrival *arrival)
{
	const struct ethhdr *ethernet = data;
	if ((const void *)(ethernet + 1) > end || (ethernet->h_dest[0] & 1))
		return false;
	if (ethernet->h_proto == bpf_htons(ETH_P_IP))
		return receive_ipv4(data + ETH_HLEN, end, arrival) &&
		       len == ETH_HLEN + sizeof(struct iphdr) + arrival->udp_len;
	if (ethernet->h_proto == bpf_htons(ETH_P_IPV6))
		return receive_ipv6(data + ETH_HLEN, end, arrival) &&
		       len == ETH_HLEN + sizeof(struct ipv6hdr) + arrival->udp_len;
	return false;
}

#endif
