/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * WireGuard's packets become ChannelData and back, see relayed.h. The programs are built as those
 * of mux.bpf.c are: a quick part that reads two ports, and a slow part that believes nothing.
 *
 * The payload moves, never the headers: checksums are often left to the device (WireGuard in the
 * kernel always does so), which knows where to write them by an offset that no program can change.
 * Where the checksum is left to the device, the field holds the sum of the pseudo header, which has
 * the length in it. So what changes in the packet, and what changes in the pseudo header, are told
 * to bpf_l4_csum_replace() apart: it knows which of the two the field is about.
 *
 * A device may also have given the sum of the whole packet along (CHECKSUM_COMPLETE). Where the
 * size changes, bpf_skb_change_tail() forgets it; else each change is one that the sum does not
 * see, because the UDP checksum makes up for it.
 *
 * Of WireGuard's fragments to a relay only the first is dropped, which alone has the ports: the
 * others mean nothing to anybody without it.
 */
#include "proxy/bpf/channels.bpf.h"
#include "proxy/bpf/segments.bpf.h"

#define DROP TC_ACT_SHOT
#define PACKET_HOST 0     /* as linux/if_packet.h has it */
#define PAYLOAD_MAX 16384 /* what bpf_skb_change_tail() can do at most; a power of two */

/* What a relayed packet begins with. */
typedef struct {
	struct udphdr udp;
	union {
		ChannelHeader channel;
		__le32 type; /* WireGuard's */
	};
	__le32 channel_type; /* WireGuard's, behind the header of the channel */
} Head;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 16384);
	__type(key, WiceRelayedKey);
	__type(value, WiceRelayedSent);
} sent SEC(".maps");

/*
 * What the stack has no room for, and what is put together of parts of words (mux_maps.h says why
 * not on the stack).
 */
typedef struct {
	Head head;
	__u8 pair[32], swapped[32];
	__u8 payload[PAYLOAD_MAX];
} Scratch;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, Scratch);
} scratch SEC(".maps");

/* Bits by port in network order. */
__u8 wg_ports[WICE_MUX_PORTS_SIZE];
__u8 synthetic_ports[WICE_MUX_PORTS_SIZE];
/* CLOCK_MONOTONIC. Nothing is rewritten from then on. */
__u64 alive_until_ns;
/* Of the process's own socket, what WireGuard is to get: network order, SO_COOKIE. */
__u64 inject_port, inject_cookie;

static __always_inline bool is_alive(void)
{
	return bpf_ktime_get_coarse_ns() < alive_until_ns;
}

static __always_inline Scratch *get_scratch(void)
{
	__u32 zero = 0;
	return bpf_map_lookup_elem(&scratch, &zero);
}

static __always_inline int drop(__u64 *counter)
{
	__sync_fetch_and_add(counter, 1);
	return DROP;
}

/* What a sum of 16-bit words grows by when one of them is replaced, RFC 1624. */
static __always_inline __u32 change(__u16 from, __u16 to)
{
	return (__u16)~from + to;
}

static __always_inline int update_checksum(struct __sk_buff *skb, const Packet *packet, __u32 by,
					   __u64 flags)
{
	__u32 at = packet->offset + offsetof(struct udphdr, check);
	return bpf_l4_csum_replace(skb, at, 0, by, flags | BPF_F_MARK_MANGLED_0);
}

/* Of at most PAYLOAD_MAX. The masks are for the verifier, whatever clang has made of the test. */
static __always_inline int move(struct __sk_buff *skb, __u32 from, __u32 to, __u32 len)
{
	Scratch *buffer = get_scratch();
	if (!buffer || len == 0 || len > PAYLOAD_MAX)
		return -1;
	asm volatile("" : "+r"(len));
	len = ((len - 1) & (PAYLOAD_MAX - 1)) + 1;
	if (bpf_skb_load_bytes(skb, from, buffer->payload, len) < 0)
		return -1;
	return bpf_skb_store_bytes(skb, to, buffer->payload, len, 0);
}

/* l3: the offset of the IP header. */
static __always_inline int resize_ip(struct __sk_buff *skb, __u32 l3, __u32 by)
{
	bool ipv4 = skb->protocol == bpf_htons(ETH_P_IP);
	__u32 at = l3 +
		   (ipv4 ? offsetof(struct iphdr, tot_len) : offsetof(struct ipv6hdr, payload_len));
	__be16 old, new;
	if (bpf_skb_load_bytes(skb, at, &old, sizeof old) < 0)
		return -1;
	new = bpf_htons(bpf_ntohs(old) + by);
	if (ipv4 &&
	    bpf_l3_csum_replace(skb, l3 + offsetof(struct iphdr, check), old, new, sizeof new) < 0)
		return -1;
	return bpf_skb_store_bytes(skb, at, &new, sizeof new, 0);
}

/*
 * The packet has become so many bytes longer, as the UDP header says by now: IP's header and the
 * checksums are to say so too. by: what else changes the checksum.
 */
static __always_inline int resize(struct __sk_buff *skb, __u32 l3, const Packet *packet,
				  __u32 grown, __u32 by)
{
	__be16 len = bpf_htons(bpf_ntohs(packet->udp.len) + grown);
	__u32 by_len = change(packet->udp.len, len);
	if (grown == 0)
		return update_checksum(skb, packet, by, 0);
	if (resize_ip(skb, l3, grown) < 0 || update_checksum(skb, packet, by + by_len, 0) < 0)
		return -1;
	return update_checksum(skb, packet, by_len, BPF_F_PSEUDO_HDR);
}

static __always_inline int wrap_in_place(struct __sk_buff *skb, const Packet *packet, Head *head,
					 __u32 len, const WiceRelayedSent *to)
{
	__be16 data_len = bpf_htons(len - HEADER_LEN);
	__u32 by = change(head->udp.dest, to->server_port) +
		   change(head->channel.number, to->channel) + change(head->channel.len, data_len);
	head->udp.dest = to->server_port;
	head->channel.number = to->channel;
	head->channel.len = data_len;
	if (bpf_skb_store_bytes(skb, packet->offset, head, sizeof *head, 0) < 0)
		return -1;
	return update_checksum(skb, packet, by, 0);
}

static __always_inline int wrap_by_moving(struct __sk_buff *skb, __u32 l3, const Packet *packet,
					  Head *head, __u32 len, const WiceRelayedSent *to)
{
	__u32 at = packet->offset + sizeof packet->udp;
	__u32 by = change(head->udp.dest, to->server_port) + to->channel + bpf_htons(len);
	head->udp.dest = to->server_port;
	head->udp.len = bpf_htons(bpf_ntohs(head->udp.len) + HEADER_LEN);
	head->channel_type = head->type;
	head->channel.number = to->channel;
	head->channel.len = bpf_htons(len);
	if (bpf_skb_change_tail(skb, packet->end + HEADER_LEN, 0) < 0 ||
	    move(skb, at, at + HEADER_LEN, len) < 0 ||
	    bpf_skb_store_bytes(skb, packet->offset, head, sizeof *head, 0) < 0)
		return -1;
	return resize(skb, l3, packet, HEADER_LEN, by);
}

static __always_inline int wrap_several(struct __sk_buff *skb, const Packet *packet,
					WiceRelayedSent *to)
{
	__u32 at = packet->offset + sizeof packet->udp;
	int n = to->in_place ? wrap_segments(skb, at, packet->end, to->channel) : -1;
	if (n < 0)
		return drop(&to->dropped_gso);
	replace_port(skb, packet, offsetof(struct udphdr, dest), packet->udp.dest, to->server_port);
	__sync_fetch_and_add(&to->packets, n);
	__sync_fetch_and_add(&to->bytes, packet->end - at);
	return NEXT;
}

/* WireGuard's packet to a relay. */
static __always_inline int wrap(struct __sk_buff *skb, __u32 l3, const Packet *packet,
				WiceRelayedSent *to)
{
	__u32 at = packet->offset + sizeof packet->udp;
	__u32 len = packet->end - at, mtu = 0;
	Scratch *buffer = get_scratch();
	int r;
	if (packet->is_fragment)
		return drop(&to->dropped_fragments);
	if (skb->gso_size)
		return wrap_several(skb, packet, to);
	if (len < DATA_MIN || !buffer ||
	    bpf_skb_load_bytes(skb, packet->offset, &buffer->head, sizeof buffer->head) < 0)
		return drop(&to->dropped_others);
	if (to->in_place && buffer->head.type == DATA)
		r = wrap_in_place(skb, packet, &buffer->head, len, to);
	else if (bpf_check_mtu(skb, 0, &mtu, HEADER_LEN, 0) != 0)
		return drop(&to->dropped_mtu);
	else
		r = wrap_by_moving(skb, l3, packet, &buffer->head, len, to);
	if (r < 0)
		return drop(&to->dropped_others);
	__sync_fetch_and_add(&to->packets, 1);
	__sync_fetch_and_add(&to->bytes, len);
	return NEXT;
}

/* Two things of len bytes that follow each other: len is a constant. */
static __always_inline int swap(struct __sk_buff *skb, Scratch *buffer, __u32 at, __u32 len)
{
	if (bpf_skb_load_bytes(skb, at, buffer->pair, 2 * len) < 0)
		return -1;
	__builtin_memcpy(buffer->swapped, buffer->pair + len, len);
	__builtin_memcpy(buffer->swapped + len, buffer->pair, len);
	return bpf_skb_store_bytes(skb, at, buffer->swapped, 2 * len, 0);
}

/*
 * What the process sends to where WireGuard believes the peer to be comes back from there: in by
 * the device that it would have left by, to the address that it has come from.
 */
static __always_inline int inject(struct __sk_buff *skb, __u32 l3, const Packet *packet,
				  const WiceRelayedSent *to)
{
	Scratch *buffer = get_scratch();
	int r;
	if (!buffer || packet->is_fragment || skb->gso_size ||
	    bpf_get_socket_cookie(skb) != inject_cookie)
		return NEXT;
	if (l3 == ETH_HLEN && swap(skb, buffer, 0, ETH_ALEN) < 0)
		return DROP;
	if (is_ipv4(&packet->source))
		r = swap(skb, buffer, l3 + offsetof(struct iphdr, saddr), sizeof(__be32));
	else
		r = swap(skb, buffer, l3 + offsetof(struct ipv6hdr, saddr), sizeof(WiceMuxAddress));
	buffer->head.udp.source = packet->udp.dest;
	buffer->head.udp.dest = to->wg_port;
	if (r < 0 ||
	    bpf_skb_store_bytes(skb, packet->offset, &buffer->head, 2 * sizeof(__be16), 0) < 0 ||
	    update_checksum(skb, packet, change(packet->udp.source, to->wg_port), 0) < 0)
		return DROP;
	return bpf_redirect(skb->ifindex, BPF_F_INGRESS);
}

static __noinline int send_relayed(struct __sk_buff *skb, __u32 l3)
{
	Packet packet;
	if (is_of_vlan(skb) || !read_packet(skb, l3, true, &packet))
		return NEXT;
	WiceRelayedKey key = { packet.destination, packet.udp.dest };
	WiceRelayedSent *to = bpf_map_lookup_elem(&sent, &key);
	if (!to || !is_alive())
		return NEXT;
	if (to->wg_port == packet.udp.source)
		return wrap(skb, l3, &packet, to);
	if (inject_port == packet.udp.source)
		return inject(skb, l3, &packet, to);
	return NEXT;
}

/*
 * What is behind the data: up to a multiple of four bytes (RFC 8656 section 12.5), which pion does
 * always. *ret_by: what the checksum changes by when it goes.
 */
static __always_inline bool read_padding(struct __sk_buff *skb, const Packet *packet, __u32 padding,
					 __u32 *ret_by)
{
	__be32 word;
	*ret_by = 0;
	if (padding == 0)
		return true;
	if (padding > 3 || ((packet->end - packet->offset) & 3) ||
	    bpf_skb_load_bytes(skb, packet->end - sizeof word, &word, sizeof word) < 0)
		return false;
	__be32 kept = word & bpf_htonl(~0u << 8 * padding);
	*ret_by = change(word, kept) + change(word >> 16, kept >> 16);
	return true;
}

static __always_inline int restore_in_place(struct __sk_buff *skb, __u32 l3, const Packet *packet,
					    Head *head, __u32 padding, __u32 by, __be16 port)
{
	by += change(head->udp.source, port) + change(head->channel.number, (__u16)DATA) +
	      change(head->channel.len, 0);
	head->udp.source = port;
	head->udp.len = bpf_htons(bpf_ntohs(head->udp.len) - padding);
	head->type = DATA;
	if (bpf_skb_store_bytes(skb, packet->offset, head, sizeof *head, 0) < 0 ||
	    (padding && bpf_skb_change_tail(skb, packet->end - padding, 0) < 0))
		return -1;
	return resize(skb, l3, packet, -padding, by);
}

static __always_inline int restore_by_moving(struct __sk_buff *skb, __u32 l3, const Packet *packet,
					     Head *head, __u32 padding, __u32 by, __be16 port)
{
	__u32 at = packet->offset + sizeof packet->udp;
	by += change(head->udp.source, port) + change(head->channel.number, 0) +
	      change(head->channel.len, 0);
	head->udp.source = port;
	head->udp.len = bpf_htons(bpf_ntohs(head->udp.len) - HEADER_LEN - padding);
	if (move(skb, at + HEADER_LEN, at, packet->end - at - HEADER_LEN) < 0 ||
	    bpf_skb_store_bytes(skb, packet->offset, &head->udp, sizeof head->udp, 0) < 0 ||
	    bpf_skb_change_tail(skb, packet->end - HEADER_LEN - padding, 0) < 0)
		return -1;
	return resize(skb, l3, packet, -HEADER_LEN - padding, by);
}

/* Returns how many packets it was, 0: it is none for this, -1: it is damaged. */
static __always_inline int restore_several(struct __sk_buff *skb, const Packet *packet,
					   __be16 channel, WiceRelayedReceived *from)
{
	__u32 at = packet->offset + sizeof packet->udp;
	int n = from->in_place ? count_segments(skb, at, packet->end, channel) : 0;
	if (n <= 0)
		return 0;
	if (restore_segments(skb, at, packet->end) < 0)
		return -1;
	replace_port(skb, packet, offsetof(struct udphdr, source), packet->udp.source,
		     from->synthetic_port);
	__sync_fetch_and_add(&from->bytes, packet->end - at);
	return n;
}

/* Likewise. */
static __always_inline int restore(struct __sk_buff *skb, __u32 l3, const Packet *packet,
				   Head *head, WiceRelayedReceived *from)
{
	__u32 len = bpf_ntohs(head->channel.len);
	__u32 padding = packet->end - packet->offset - sizeof packet->udp - HEADER_LEN - len;
	bool handshake = is_handshake(head->channel_type, len);
	bool in_place = from->in_place && !handshake;
	__u32 by;
	int r;
	if (packet->is_fragment)
		return 0;
	if (skb->gso_size)
		return restore_several(skb, packet, head->channel.number, from);
	if (!read_padding(skb, packet, padding, &by))
		return 0;
	if (in_place)
		len += HEADER_LEN;
	if (!handshake && (len < DATA_MIN || (!in_place && head->channel_type != DATA)))
		return 0;
	if (in_place)
		r = restore_in_place(skb, l3, packet, head, padding, by, from->synthetic_port);
	else
		r = restore_by_moving(skb, l3, packet, head, padding, by, from->synthetic_port);
	if (r < 0)
		return -1;
	__sync_fetch_and_add(&from->bytes, len);
	return 1;
}

static __noinline int receive_relayed(struct __sk_buff *skb, __u32 l3)
{
	Packet packet;
	Scratch *buffer = get_scratch();
	if (!buffer || is_of_vlan(skb) || skb->pkt_type != PACKET_HOST ||
	    !read_packet(skb, l3, true, &packet) || !is_set(wg_ports, packet.udp.dest))
		return NEXT;
	Head *head = &buffer->head;
	if (packet.offset + sizeof *head > packet.end ||
	    bpf_skb_load_bytes(skb, packet.offset, head, sizeof *head) < 0)
		return NEXT;
	WiceRelayedKey key = { packet.source,
			       WICE_RELAYED_NUMBERS(packet.udp.source, packet.udp.dest,
						    head->channel.number) };
	WiceRelayedReceived *from = bpf_map_lookup_elem(&received, &key);
	if (!from || !is_alive())
		return NEXT;
	if (!is_equal(&from->local, &packet.destination)) {
		if (!is_for_this_host(skb, &packet))
			return NEXT;
		from->local = packet.destination;
	}
	int n = restore(skb, l3, &packet, head, from);
	if (n < 0)
		return DROP;
	if (n == 0) {
		__sync_fetch_and_add(&from->slow, 1);
		give_to_client(skb, &packet);
		return NEXT;
	}
	__sync_fetch_and_add(&from->packets, n);
	return NEXT;
}

static __always_inline int egress(struct __sk_buff *skb, __u32 l3)
{
	bool unsure;
	const struct udphdr *udp = glance(skb, l3, true, &unsure);
	if (!unsure &&
	    (!udp || !is_set(wg_ports, udp->source) || !is_set(synthetic_ports, udp->dest)))
		return NEXT;
	return send_relayed(skb, l3);
}

static __always_inline int ingress(struct __sk_buff *skb, __u32 l3)
{
	bool unsure;
	const struct udphdr *udp = glance(skb, l3, true, &unsure);
	if (!unsure &&
	    (!udp || !is_set(wg_ports, udp->dest) || is_wireguard(*(const __le32 *)(udp + 1))))
		return NEXT;
	return receive_relayed(skb, l3);
}

SEC("tc") int wice_egress(struct __sk_buff *skb)
{
	return egress(skb, ETH_HLEN);
}

SEC("tc") int wice_ingress(struct __sk_buff *skb)
{
	return ingress(skb, ETH_HLEN);
}

/* For devices whose packets begin with the IP header. */
SEC("tc") int wice_egress_l3(struct __sk_buff *skb)
{
	return egress(skb, 0);
}

SEC("tc") int wice_ingress_l3(struct __sk_buff *skb)
{
	return ingress(skb, 0);
}

char licence[] SEC("license") = "Dual MIT/GPL";
