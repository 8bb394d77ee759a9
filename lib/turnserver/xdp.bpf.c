/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The fast path of the relay, see xdp.h. A packet of a client or of a peer gets new headers and
 * leaves by the device that the routes say; its data stays where it is in memory.
 *
 * Whatever is not entirely ordinary goes up to the sockets, untouched: all that can be in the way
 * is looked at before the first byte is changed, and the one thing that can only be tried, to move
 * the beginning of the frame, comes first. So the relay in userspace, which sees the packet then,
 * is always the one that explains, fragments, asks for neighbours or drops.
 *
 * Routes are looked up as for packets of a socket of this host, which is what the relayed are: as
 * from the loopback device. The kernel answers only if "forwarding" is on there (xdp_forwarding.h).
 * Fragmentation "needed" is an answer, too, so that it also knows what routers have said about the
 * path's MTU. A peer that is an address of this host may be the relayed address of another client.
 * Then it is both ways at once: out of one channel and into another.
 *
 * Frames that are sent here tell the kernel nothing about neighbours, whom it would believe to be
 * where they were forever. So from time to time ("epoch") a packet of each flow goes up, too: what
 * the socket sends makes the kernel ask again.
 *
 * Checksums change by what changes in the packet (RFC 1624). What other machines send has a whole
 * one. From a container or a virtual machine on this host, though, it may hold but the sum of the
 * pseudo header and wait for a device to complete it, of which XDP is told nothing, and neither is
 * who gets the packet next. But one sees it: such packets go up, and with them one of 65,536 whose
 * checksum just happens to be that.
 *
 * A firewall on this host sees what goes up, among it the requests that make a channel, and nothing
 * of what does not.
 *
 * Linux 5.18 or newer, for bpf_xdp_get_buff_len(). Pointers get no variables added, and are
 * neither subtracted nor compared with each other, which takes CAP_PERFMON.
 */
#include "turnserver/xdp_arrival.bpf.h"

#define PACKET_HOST 0 /* as linux/if_packet.h has it */
#define LOOPBACK_IFINDEX 1
/* Shorter frames are padded, and not every driver does that to what XDP sends. */
#define MIN_DATA (ETH_ZLEN - ETH_HLEN - sizeof(struct iphdr) - sizeof(struct udphdr))

/* What becomes of it. */
typedef struct {
	WiceXdpFlow *in, *out;
	__u64 is_between_clients; /* in and out are two */
	const struct bpf_fib_lookup *route;
	__u64 is_ipv4;
	__u64 udp_len;
	__u64 check;
} Departure;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 131072);
	__type(key, WiceXdpKey);
	__type(value, WiceXdpFlow);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, WiceXdpDevice);
} devices SEC(".maps");

/* What is put together of parts of words, which the stack is not for (mux_maps.h). */
typedef struct {
	struct bpf_fib_lookup route;
	__u8 head[HEAD_SIZE(struct ipv6hdr)];
} Scratch;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, Scratch);
} scratch SEC(".maps");

__u32 epoch;
/* CLOCK_MONOTONIC. For TC, of which something may be left behind by the dead. */
__u64 alive_until_ns;

static __always_inline __u16 fold(__u64 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* One's complement: to subtract by adding. */
static __always_inline __u64 minus(__u16 word)
{
	return (__u16)~word;
}

static __always_inline bool is_to_go_up(WiceXdpFlow *flow)
{
	__u32 now = epoch;
	if (flow->epoch == now)
		return false;
	flow->epoch = now;
	return true;
}

/* In its channel; what a peer sends may only look as if it were in one. */
static __always_inline WiceXdpFlow *find_flow(Arrival *arrival)
{
	WiceXdpFlow *flow = NULL;
	if (arrival->channel) {
		arrival->key.numbers |= arrival->channel << 32;
		flow = bpf_map_lookup_elem(&flows, &arrival->key);
		if (flow)
			arrival->len -= sizeof(ChannelHeader);
		else
			arrival->key.numbers &= 0xffffffff;
	}
	if (!flow) {
		arrival->channel = 0;
		flow = bpf_map_lookup_elem(&flows, &arrival->key);
	}
	return flow;
}

/* No checksum is one that only IPv4 knows. */
static __always_inline bool has_whole_checksum(const Arrival *arrival, const WiceXdpFlow *flow)
{
	__u16 partial = fold((__u64)flow->pseudo + bpf_htons(arrival->udp_len));
	return arrival->check != partial;
}

static __always_inline __u64 size_of_udp(const Arrival *arrival, const WiceXdpFlow *out)
{
	return sizeof(struct udphdr) + (out->channel ? sizeof(ChannelHeader) : 0) + arrival->len;
}

/* Where to, and whom to hand it to. BPF_FIB_LKUP_RET_*, or negative. */
static __always_inline int find_route(void *context, const Arrival *arrival, const WiceXdpFlow *out,
				      struct bpf_fib_lookup *route)
{
	bool ipv4 = is_ipv4(&out->remote);
	__u64 len =
		size_of_udp(arrival, out) + (ipv4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr));
	if (len > 0xffff)
		return -1;
	__builtin_memset(route, 0, sizeof *route);
	route->ifindex = LOOPBACK_IFINDEX;
	route->l4_protocol = IPPROTO_UDP;
	route->sport = out->local_port;
	route->dport = out->remote_port;
	route->tot_len = len;
	if (ipv4) {
		route->family = 2; /* AF_INET */
		route->ipv4_src = bpf_htonl((__u32)bpf_be64_to_cpu(out->local.words[1]));
		route->ipv4_dst = bpf_htonl((__u32)bpf_be64_to_cpu(out->remote.words[1]));
	} else {
		route->family = 10; /* AF_INET6 */
		__builtin_memcpy(route->ipv6_src, &out->local, sizeof out->local);
		__builtin_memcpy(route->ipv6_dst, &out->remote, sizeof out->remote);
	}
	return bpf_fib_lookup(context, route, sizeof *route, 0);
}

/* The flow of the other client, if the peer is another's relayed address. */
static __always_inline WiceXdpFlow *find_other(const WiceXdpFlow *flow)
{
	WiceXdpKey key = { flow->local, flow->remote,
			   WICE_XDP_NUMBERS(flow->local_port, flow->remote_port, 0) };
	return bpf_map_lookup_elem(&flows, &key);
}

static __always_inline __be16 change_checksum(const Arrival *arrival, const Departure *departure)
{
	__u64 channel_len = bpf_htons(arrival->len);
	__u64 sum = minus(arrival->check) + departure->in->growth;
	if (departure->is_between_clients)
		sum += departure->out->growth;
	sum += 2 * (minus(bpf_htons(arrival->udp_len)) + bpf_htons(departure->udp_len));
	if (arrival->channel)
		sum += minus(channel_len);
	if (departure->out->channel)
		sum += channel_len;
	__u16 check = ~fold(sum);
	return check ? check : 0xffff;
}

/* All that is to be known before anything is changed. False: it goes up. */
static __always_inline bool plan(void *context, Arrival *arrival, struct bpf_fib_lookup *route,
				 Departure *ret)
{
	WiceXdpFlow *in = find_flow(arrival), *out = in;
	if (!in || arrival->len < MIN_DATA || !has_whole_checksum(arrival, in) || is_to_go_up(in))
		return false;
	int r = find_route(context, arrival, out, route);
	ret->is_between_clients = false;
	if (r == BPF_FIB_LKUP_RET_NOT_FWDED && !in->channel) {
		out = find_other(in);
		if (!out || is_to_go_up(out))
			return false;
		ret->is_between_clients = true;
		r = find_route(context, arrival, out, route);
	}
	if (r != BPF_FIB_LKUP_RET_SUCCESS)
		return false;
	ret->in = in;
	ret->out = out;
	ret->route = route;
	ret->is_ipv4 = is_ipv4(&out->local);
	ret->udp_len = size_of_udp(arrival, out);
	ret->check = 0;
	if (arrival->check)
		ret->check = change_checksum(arrival, ret);
	return ret->check || (arrival->is_ipv4 && ret->is_ipv4);
}

static __always_inline bool takes(__u32 ifindex, __u32 way)
{
	const WiceXdpDevice *device = bpf_map_lookup_elem(&devices, &ifindex);
	return device && (device->ways & way);
}

static __always_inline void write_udp(struct udphdr *udp, const Arrival *arrival,
				      const Departure *departure)
{
	/* Else clang adds a variable, for one write in place of two. */
	asm volatile("" : "+r"(udp));
	ChannelHeader *channel = (void *)(udp + 1);
	udp->source = departure->out->local_port;
	udp->dest = departure->out->remote_port;
	udp->len = bpf_htons(departure->udp_len);
	udp->check = departure->check;
	if (departure->out->channel) {
		channel->number = departure->out->channel;
		channel->len = bpf_htons(arrival->len);
	}
}

static __always_inline void write_ethernet(struct ethhdr *ethernet, const Departure *departure)
{
	__builtin_memcpy(ethernet->h_dest, departure->route->dmac, ETH_ALEN);
	__builtin_memcpy(ethernet->h_source, departure->route->smac, ETH_ALEN);
	ethernet->h_proto = departure->is_ipv4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);
}

/* RFC 7915 section 5.1 for what was IPv6: as nobody on its way would have cut it. */
static __always_inline void write_ipv4(struct iphdr *ip, const Arrival *arrival,
				       const Departure *departure)
{
	const WiceXdpFlow *out = departure->out;
	__be32 from = bpf_htonl((__u32)bpf_be64_to_cpu(out->local.words[1]));
	__be32 to = bpf_htonl((__u32)bpf_be64_to_cpu(out->remote.words[1]));
	__be16 first = bpf_htons(0x4500 | arrival->class);
	__be16 len = bpf_htons(sizeof *ip + departure->udp_len);
	__be16 life = bpf_htons(arrival->hops << 8 | IPPROTO_UDP);
	__u64 sum = (__u64)first + len + arrival->id + arrival->frag + life;
	sum += (from & 0xffff) + (from >> 16) + (to & 0xffff) + (to >> 16);
	*(__be16 *)ip = first;
	ip->tot_len = len;
	ip->id = arrival->id;
	ip->frag_off = arrival->frag;
	*(__be16 *)&ip->ttl = life;
	ip->check = ~fold(sum);
	ip->saddr = from;
	ip->daddr = to;
}

static __always_inline void write_ipv6(struct ipv6hdr *ip, const Arrival *arrival,
				       const Departure *departure)
{
	*(__be32 *)ip = bpf_htonl(6u << 28 | arrival->class << 20 | arrival->label);
	ip->payload_len = bpf_htons(departure->udp_len);
	ip->nexthdr = IPPROTO_UDP;
	ip->hop_limit = arrival->hops;
	__builtin_memcpy(&ip->saddr, &departure->out->local, sizeof ip->saddr);
	__builtin_memcpy(&ip->daddr, &departure->out->remote, sizeof ip->daddr);
}

/* head: with room for what HEAD_SIZE says. */
static __always_inline void write_head(void *head, const Arrival *arrival,
				       const Departure *departure, bool ipv4)
{
	void *ip = head + ETH_HLEN;
	write_ethernet(head, departure);
	if (ipv4) {
		write_ipv4(ip, arrival, departure);
		write_udp(ip + sizeof(struct iphdr), arrival, departure);
	} else {
		write_ipv6(ip, arrival, departure);
		write_udp(ip + sizeof(struct ipv6hdr), arrival, departure);
	}
}

static __always_inline void count(const Arrival *arrival, const Departure *departure)
{
	__sync_fetch_and_add(&departure->in->packets, 1);
	__sync_fetch_and_add(&departure->in->bytes, arrival->len);
	if (!departure->is_between_clients)
		return;
	__sync_fetch_and_add(&departure->out->packets, 1);
	__sync_fetch_and_add(&departure->out->bytes, arrival->len);
}

/* By how many bytes the headers become longer, of IP and of the channel. */
static __always_inline int growth_of_ip(const Arrival *arrival, const Departure *departure)
{
	const int more = sizeof(struct ipv6hdr) - sizeof(struct iphdr);
	return departure->is_ipv4 ? (arrival->is_ipv4 ? 0 : -more) : (arrival->is_ipv4 ? more : 0);
}

static __always_inline int growth_of_channel(const Arrival *arrival, const Departure *departure)
{
	return (departure->out->channel ? (int)sizeof(ChannelHeader) : 0) -
	       (arrival->channel ? (int)sizeof(ChannelHeader) : 0);
}

static __always_inline Scratch *get_scratch(void)
{
	__u32 zero = 0;
	return bpf_map_lookup_elem(&scratch, &zero);
}

/*
 * The frame stays as it was. Some drivers leave hardly any room before it: xdp_devices.c is told.
 */
static __always_inline int give_up(__u32 ifindex)
{
	WiceXdpDevice *device = bpf_map_lookup_elem(&devices, &ifindex);
	if (device)
		__sync_fetch_and_add(&device->without_headroom, 1);
	return XDP_PASS;
}

/* way, a constant: what the device that it leaves by must do. */
static __always_inline int relay_frame(struct xdp_md *xdp, __u32 way)
{
	Arrival arrival;
	Departure departure;
	Scratch *buffer = get_scratch();
	if (!buffer ||
	    !receive_frame((const void *)(long)xdp->data, (const void *)(long)xdp->data_end,
			   bpf_xdp_get_buff_len(xdp), &arrival) ||
	    !plan(xdp, &arrival, &buffer->route, &departure))
		return XDP_PASS;
	__u32 ifindex = buffer->route.ifindex;
	bool returns = ifindex == xdp->ingress_ifindex;
	if (!returns && !takes(ifindex, way))
		return XDP_PASS;
	int growth = growth_of_ip(&arrival, &departure) + growth_of_channel(&arrival, &departure);
	if (growth != 0 && bpf_xdp_adjust_head(xdp, -growth) < 0)
		return give_up(xdp->ingress_ifindex);
	void *data = (void *)(long)xdp->data, *end = (void *)(long)xdp->data_end;
	if (departure.is_ipv4) {
		if (data + HEAD_SIZE(struct iphdr) > end)
			return XDP_ABORTED; /* never: there is enough of data */
		write_head(data, &arrival, &departure, true);
	} else {
		if (data + HEAD_SIZE(struct ipv6hdr) > end)
			return XDP_ABORTED; /* likewise */
		write_head(data, &arrival, &departure, false);
	}
	count(&arrival, &departure);
	return returns ? XDP_TX : bpf_redirect(ifindex, 0);
}

SEC("xdp") int wice_native(struct xdp_md *xdp)
{
	return relay_frame(xdp, WICE_XDP_WAY_NATIVE);
}

SEC("xdp") int wice_generic(struct xdp_md *xdp)
{
	return relay_frame(xdp, WICE_XDP_WAY_FRAMES);
}

/* What is not in the linear area is brought there, if it may matter. */
static __always_inline bool receive_skb(struct __sk_buff *skb, Arrival *arrival)
{
	const bool ipv4 = skb->protocol == bpf_htons(ETH_P_IP);
	const void *end4 = (const void *)(long)skb->data + HEAD_SIZE(struct iphdr);
	const void *end6 = (const void *)(long)skb->data + HEAD_SIZE(struct ipv6hdr);
	/* As in write_udp(). */
	asm volatile("" : "+r"(end4), "+r"(end6));
	const bool linear = (ipv4 ? end4 : end6) <= (const void *)(long)skb->data_end;
	__u32 needed = ipv4 ? HEAD_SIZE(struct iphdr) : HEAD_SIZE(struct ipv6hdr);
	if (!linear && (skb->len < needed || bpf_skb_pull_data(skb, needed) < 0))
		return false;
	return receive_frame((const void *)(long)skb->data, (const void *)(long)skb->data_end,
			     skb->len, arrival);
}

/* Makes or takes away room between Ethernet's header and that of IP, which is written anew. */
static __always_inline int resize(struct __sk_buff *skb, const Arrival *arrival,
				  const Departure *departure)
{
	int channel = growth_of_channel(arrival, departure);
	int r = 0;
	if (arrival->is_ipv4 != departure->is_ipv4)
		r = bpf_skb_change_proto(
			skb, departure->is_ipv4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6), 0);
	if (r == 0 && channel != 0)
		r = bpf_skb_adjust_room(skb, channel, BPF_ADJ_ROOM_MAC, 0);
	return r;
}

/* The checksum of the whole packet that a device may have given along is kept right, too. */
static __always_inline int store_head(struct __sk_buff *skb, void *head, const Departure *departure)
{
	if (departure->is_ipv4)
		return departure->out->channel
			       ? bpf_skb_store_bytes(skb, 0, head, HEAD_SIZE(struct iphdr),
						     BPF_F_RECOMPUTE_CSUM)
			       : bpf_skb_store_bytes(skb, 0, head,
						     HEAD_SIZE(struct iphdr) -
							     sizeof(ChannelHeader),
						     BPF_F_RECOMPUTE_CSUM);
	return departure->out->channel
		       ? bpf_skb_store_bytes(skb, 0, head, HEAD_SIZE(struct ipv6hdr),
					     BPF_F_RECOMPUTE_CSUM)
		       : bpf_skb_store_bytes(skb, 0, head,
					     HEAD_SIZE(struct ipv6hdr) - sizeof(ChannelHeader),
					     BPF_F_RECOMPUTE_CSUM);
}

/*
 * Memory for a packet that is shared may be short in the middle of it: it is lost then, as it would
 * be anywhere else in the kernel.
 */
SEC("tc") int wice_tc(struct __sk_buff *skb)
{
	Arrival arrival;
	Departure departure;
	Scratch *buffer = get_scratch();
	if (!buffer ||
	    (skb->protocol != bpf_htons(ETH_P_IP) && skb->protocol != bpf_htons(ETH_P_IPV6)) ||
	    skb->pkt_type != PACKET_HOST || skb->gso_size || is_of_vlan(skb) ||
	    !receive_skb(skb, &arrival) || bpf_ktime_get_ns() >= alive_until_ns ||
	    !plan(skb, &arrival, &buffer->route, &departure) ||
	    !takes(buffer->route.ifindex, WICE_XDP_WAY_FRAMES))
		return NEXT;
	if (departure.is_ipv4)
		write_head(buffer->head, &arrival, &departure, true);
	else
		write_head(buffer->head, &arrival, &departure, false);
	if (resize(skb, &arrival, &departure) < 0 || store_head(skb, buffer->head, &departure) < 0)
		return TC_ACT_SHOT;
	count(&arrival, &departure);
	return bpf_redirect(buffer->route.ifindex, 0);
}

char licence[] SEC("license") = "Dual MIT/GPL";
