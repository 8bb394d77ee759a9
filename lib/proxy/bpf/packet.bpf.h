/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#ifndef WICE_PROXY_BPF_PACKET_BPF_H
#define WICE_PROXY_BPF_PACKET_BPF_H

/* What the programs on uplinks see of a UDP packet: mux.bpf.c says how they go about it. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/stddef.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>
#include <stddef.h>

#include "proxy/bpf/mux_maps.h"

#define NEXT TC_ACT_UNSPEC
#define IP_MF 0x2000 /* RFC 791 section 3.1: "more fragments" */
#define IP_OFFSET 0x1fff
#define IPV6_FRAGMENT_OFFSET 0xfff8 /* RFC 8200 section 4.5 */
#define VLAN_VID 0x0fff
#define MAX_EXTENSION_HEADERS 8

typedef struct {
	WiceMuxAddress source, destination;
	struct udphdr udp;
	__u64 offset; /* of the UDP header */
	__u64 end;    /* of what it says that it holds */
	__u64 is_fragment;
} Packet;

/* Eight bytes and the length, or with the offset of a fragment. */
typedef struct {
	__u8 next;
	__u8 len; /* in eight bytes, without the first eight */
	__be16 fragment_offset;
} ExtensionHeader;

static __always_inline bool is_set(const __u8 *ports, __be16 port)
{
	return ports[port >> 3] & (1 << (port & 7));
}

/* The VLAN's device gets these packets before (sent) or after (received) this one. */
static __always_inline bool is_of_vlan(const struct __sk_buff *skb)
{
	return skb->vlan_present && (skb->vlan_tci & VLAN_VID);
}

static __always_inline void set_ipv4(WiceMuxAddress *ret, __be32 address)
{
	ret->words[0] = 0;
	ret->words[1] = bpf_cpu_to_be64(WICE_MUX_IPV4_PREFIX | bpf_ntohl(address));
}

static __always_inline void set_ipv6(WiceMuxAddress *ret, const struct in6_addr *address)
{
	__builtin_memcpy(ret, address, sizeof *ret);
}

static __always_inline bool is_ipv4(const WiceMuxAddress *address)
{
	return address->words[0] == 0 &&
	       (bpf_be64_to_cpu(address->words[1]) >> 32) == WICE_MUX_IPV4_PREFIX >> 32;
}

static __always_inline bool is_equal(const WiceMuxAddress *a, const WiceMuxAddress *b)
{
	return a->words[0] == b->words[0] && a->words[1] == b->words[1];
}

static __always_inline bool read_ipv4(struct __sk_buff *skb, __u32 offset, Packet *packet)
{
	struct iphdr ip;
	if (bpf_skb_load_bytes(skb, offset, &ip, sizeof ip) < 0 || ip.version != 4 || ip.ihl < 5 ||
	    ip.protocol != IPPROTO_UDP || (ip.frag_off & bpf_htons(IP_OFFSET)))
		return false;
	packet->is_fragment = ip.frag_off & bpf_htons(IP_MF);
	set_ipv4(&packet->source, ip.saddr);
	set_ipv4(&packet->destination, ip.daddr);
	packet->offset = offset + ip.ihl * 4;
	return true;
}

/*
 * RFC 8200 section 4. Only options are walked over and, on request, what says that this is a first
 * fragment. A routing header makes the destination mean something else, and what is authenticated
 * (AH) must not be changed.
 */
static __always_inline bool read_ipv6(struct __sk_buff *skb, __u32 offset, bool fragments,
				      Packet *packet)
{
	struct ipv6hdr ip;
	ExtensionHeader header;
	if (bpf_skb_load_bytes(skb, offset, &ip, sizeof ip) < 0 || ip.version != 6)
		return false;
	set_ipv6(&packet->source, &ip.saddr);
	set_ipv6(&packet->destination, &ip.daddr);
	packet->is_fragment = 0;
	offset += sizeof ip;
	__u8 next = ip.nexthdr;
#pragma unroll
	for (int i = 0; i < MAX_EXTENSION_HEADERS; i++) {
		if (next != IPPROTO_HOPOPTS && next != IPPROTO_DSTOPTS)
			break;
		if (bpf_skb_load_bytes(skb, offset, &header, sizeof header) < 0)
			return false;
		offset += 8 + header.len * 8;
		next = header.next;
	}
	if (fragments && next == IPPROTO_FRAGMENT) {
		if (bpf_skb_load_bytes(skb, offset, &header, sizeof header) < 0 ||
		    (header.fragment_offset & bpf_htons(IPV6_FRAGMENT_OFFSET)))
			return false;
		packet->is_fragment = 1;
		offset += 8;
		next = header.next;
	}
	packet->offset = offset;
	return next == IPPROTO_UDP;
}

/*
 * False for all that is not a whole UDP packet. fragments, a constant: nor the first fragment of
 * one, of which the end may be beyond what is here.
 */
static __always_inline bool read_packet(struct __sk_buff *skb, __u32 offset, bool fragments,
					Packet *packet)
{
	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		if (!read_ipv4(skb, offset, packet))
			return false;
	} else if (skb->protocol != bpf_htons(ETH_P_IPV6) ||
		   !read_ipv6(skb, offset, fragments, packet)) {
		return false;
	}
	if (bpf_skb_load_bytes(skb, packet->offset, &packet->udp, sizeof packet->udp) < 0)
		return false;
	__u32 len = bpf_ntohs(packet->udp.len);
	packet->end = packet->offset + len;
	if (packet->is_fragment)
		return fragments && len >= sizeof packet->udp;
	return len >= sizeof packet->udp && packet->end <= skb->len;
}

/* The types of WireGuard's messages: 1 to 4 as a little-endian word. */
static __always_inline bool is_wireguard(__le32 first_word)
{
	return bpf_ntohl(__builtin_bswap32(first_word)) - 1 <= 3;
}

/*
 * field: of struct udphdr. A checksum of zero, which says that there is none, stays. Of several
 * segments (gso_size) the checksum is the sum of the pseudo header, in which there are no ports:
 * since Linux 6.11 that is so on devices without checksum offload, too, where
 * bpf_l4_csum_replace() takes it for a whole one.
 */
static __always_inline void replace_port(struct __sk_buff *skb, const Packet *packet, __u32 field,
					 __be16 old, __be16 new)
{
	__u32 checksum = packet->offset + offsetof(struct udphdr, check);
	if (skb->gso_size ||
	    bpf_l4_csum_replace(skb, checksum, old, new, BPF_F_MARK_MANGLED_0 | sizeof new) == 0)
		bpf_skb_store_bytes(skb, packet->offset + field, &new, sizeof new, 0);
}

/*
 * Where the UDP header is if there is nothing out of the ordinary, with four bytes behind it. NULL:
 * this is not UDP. *ret_unsure: one cannot say so; fragments, a constant: nor of a fragment.
 */
static __always_inline const struct udphdr *glance(const struct __sk_buff *skb, __u32 offset,
						   bool fragments, bool *ret_unsure)
{
	const void *ip = (const void *)(long)skb->data + offset;
	const void *end = (const void *)(long)skb->data_end;
	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		const struct iphdr *ipv4 = ip;
		const struct udphdr *udp = (const void *)(ipv4 + 1);
		*ret_unsure = (const void *)(udp + 1) + 4 > end || *(const __u8 *)ip != 0x45;
		return !*ret_unsure && ipv4->protocol == IPPROTO_UDP ? udp : NULL;
	}
	if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
		const struct ipv6hdr *ipv6 = ip;
		const struct udphdr *udp = (const void *)(ipv6 + 1);
		*ret_unsure = (const void *)(udp + 1) + 4 > end ||
			      ipv6->nexthdr == IPPROTO_HOPOPTS ||
			      ipv6->nexthdr == IPPROTO_DSTOPTS ||
			      (fragments && ipv6->nexthdr == IPPROTO_FRAGMENT);
		return !*ret_unsure && ipv6->nexthdr == IPPROTO_UDP ? udp : NULL;
	}
	*ret_unsure = false;
	return NULL;
}

#endif
