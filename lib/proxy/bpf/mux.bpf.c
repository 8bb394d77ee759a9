/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The programs of the mux, see mux.h. Each has two parts.
 *
 * The quick one sees every packet of the uplink. It reads a port at a fixed place, tests a bit, for
 * an arriving packet to WireGuard's port also looks at the message type, and is done, without a
 * call. It may be wrong about what it reads (of a fragment, say) as long as it only leaves packets
 * alone; what it cannot read (IP options, headers outside the linear area) goes to the slow part.
 *
 * The slow part sees agents' packets and whatever else may be one. It believes nothing of the quick
 * one and reads by helper calls only: without CAP_PERFMON the kernel refuses to add a variable to a
 * packet pointer. They also reach into packets in pieces.
 *
 * Loops are unrolled: to who has no CAP_PERFMON, kernels like 6.1 follow a counted loop beyond its
 * end, where a processor might speculate, and give up ("too complex").
 *
 * TCX_NEXT, which is TC_ACT_UNSPEC, is all that is ever returned: others on the uplink see every
 * packet too.
 */
#include "proxy/bpf/channels.bpf.h"

/* RFC 8489 sections 5 and 14. */
#define STUN_CLASS 0x0110
#define STUN_CLASS_REQUEST 0x0000
#define STUN_CLASS_INDICATION 0x0010
#define STUN_CLASS_RESPONSE 0x0100 /* this bit: success or error */
#define STUN_USERNAME 0x0006
#define MAX_STUN_ATTRIBUTES 16

typedef struct {
	__be16 type;
	__be16 length; /* of what follows */
	WiceMuxId id;
} StunHeader;

typedef struct {
	__be16 type;
	__be16 length;
} StunAttribute;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 16384);
	__type(key, WiceMuxSocket);
	__type(value, WiceMuxAgent);
} agents SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 16384);
	__type(key, WiceMuxRequestKey);
	__type(value, WiceMuxRequest);
} requests SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, WiceMuxId);
	__type(value, WiceMuxSocket);
} transactions SEC(".maps");

/* Ports of the sockets of TURN servers, by WICE_MUX_SERVER_KEY. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 256);
	__type(key, __u64);
	__type(value, __u64);
} servers SEC(".maps");

/* Bits by port in network order: those of agents, and WireGuard's. */
__u8 agent_ports[WICE_MUX_PORTS_SIZE];
__u8 wg_ports[WICE_MUX_PORTS_SIZE];
/* CLOCK_MONOTONIC. Nothing is rewritten from then on. */
__u64 alive_until_ns;
/* As WiceBpfMuxCounters. */
__u64 n_moved, n_responses, n_requests, n_unattributed;

static __always_inline bool is_alive(void)
{
	return bpf_ktime_get_ns() < alive_until_ns;
}

static __always_inline void set_wildcard(WiceMuxAddress *address)
{
	address->words[1] = is_ipv4(address) ? bpf_cpu_to_be64(WICE_MUX_IPV4_PREFIX) : 0;
	address->words[0] = 0;
}

static __always_inline bool is_wildcard(const WiceMuxAddress *address)
{
	return address->words[0] == 0 &&
	       (address->words[1] == 0 ||
		address->words[1] == bpf_cpu_to_be64(WICE_MUX_IPV4_PREFIX));
}

/* RFC 8489 section 5. No look at the magic cookie: RFC 3489 does not know it. */
static __always_inline bool read_stun(struct __sk_buff *skb, const Packet *packet, StunHeader *stun)
{
	__u32 offset = packet->offset + sizeof packet->udp;
	__le32 first_word;
	if (offset + sizeof *stun > packet->end ||
	    bpf_skb_load_bytes(skb, offset, stun, sizeof *stun) < 0)
		return false;
	__builtin_memcpy(&first_word, stun, sizeof first_word);
	return !is_wireguard(first_word) && !(stun->type & bpf_htons(0xc000)) &&
	       !(stun->length & bpf_htons(3)) &&
	       offset + sizeof *stun + bpf_ntohs(stun->length) <= packet->end;
}

static __always_inline bool is_request(const StunHeader *stun)
{
	return (stun->type & bpf_htons(STUN_CLASS)) == bpf_htons(STUN_CLASS_REQUEST);
}

static __always_inline bool is_indication(const StunHeader *stun)
{
	return (stun->type & bpf_htons(STUN_CLASS)) == bpf_htons(STUN_CLASS_INDICATION);
}

static __always_inline bool is_response(const StunHeader *stun)
{
	return stun->type & bpf_htons(STUN_CLASS_RESPONSE);
}

/* The socket itself, or the one that is bound to its port on all addresses. */
static __always_inline WiceMuxAgent *find_agent(WiceMuxSocket *key)
{
	WiceMuxAgent *agent = bpf_map_lookup_elem(&agents, key);
	if (agent)
		return agent;
	set_wildcard(&key->address);
	return bpf_map_lookup_elem(&agents, key);
}

/* A container whose device is on top of this one has ports of its own, which may be ours. */
static __always_inline bool is_of_socket(struct __sk_buff *skb, const WiceMuxAgent *agent)
{
	return !agent->cookie || agent->cookie == bpf_get_socket_cookie(skb);
}

static __noinline int move_sent(struct __sk_buff *skb, __u32 offset)
{
	Packet packet;
	StunHeader stun;
	/* What this host only forwards has no socket. */
	if (is_of_vlan(skb) || !skb->sk || !read_packet(skb, offset, false, &packet))
		return NEXT;
	WiceMuxSocket key = { .address = packet.source, .port = packet.udp.source };
	WiceMuxAgent *agent = find_agent(&key);
	if (!agent || !is_of_socket(skb, agent) || !is_alive())
		return NEXT;
	if (read_stun(skb, &packet, &stun) && is_request(&stun))
		bpf_map_update_elem(&transactions, &stun.id, &key, BPF_ANY);
	replace_port(skb, &packet, offsetof(struct udphdr, source), packet.udp.source,
		     agent->wg_port);
	__sync_fetch_and_add(&n_moved, 1);
	return NEXT;
}

/* Returns the port of the socket that has asked, 0: none of ours. */
static __always_inline __be16 port_of_response(const Packet *packet, const StunHeader *stun)
{
	const WiceMuxSocket *known = bpf_map_lookup_elem(&transactions, &stun->id);
	if (!known)
		return 0;
	WiceMuxSocket key = *known;
	const WiceMuxAgent *agent = bpf_map_lookup_elem(&agents, &key);
	if (!agent || agent->wg_port != packet->udp.dest)
		return 0;
	if (!is_wildcard(&key.address) && !is_equal(&key.address, &packet->destination))
		return 0;
	return key.port;
}

/*
 * RFC 8445 section 7.2.2: "ours:theirs", as ufrags. There may be attributes before it: libnice puts
 * USE-CANDIDATE first.
 */
static __always_inline bool read_ufrag(struct __sk_buff *skb, const Packet *packet,
				       const StunHeader *stun, __u8 *ret)
{
	__u32 offset = packet->offset + sizeof packet->udp + sizeof *stun;
	__u32 end = offset + bpf_ntohs(stun->length);
#pragma unroll
	for (int i = 0; i < MAX_STUN_ATTRIBUTES; i++) {
		StunAttribute attribute;
		__u8 colon;
		if (offset + sizeof attribute > end ||
		    bpf_skb_load_bytes(skb, offset, &attribute, sizeof attribute) < 0)
			return false;
		offset += sizeof attribute;
		__u32 len = bpf_ntohs(attribute.length);
		if (attribute.type == bpf_htons(STUN_USERNAME))
			return len > WICE_MUX_UFRAG_LEN && offset + len <= end &&
			       bpf_skb_load_bytes(skb, offset, ret, WICE_MUX_UFRAG_LEN) == 0 &&
			       bpf_skb_load_bytes(skb, offset + WICE_MUX_UFRAG_LEN, &colon, 1) ==
				       0 &&
			       colon == ':';
		offset += (len + 3) & ~3u;
	}
	return false;
}

/* Returns the port of the agent's socket and remembers who has asked. 0: no agent of ours. */
static __always_inline __be16 port_of_request(struct __sk_buff *skb, const Packet *packet,
					      const StunHeader *stun)
{
	WiceMuxRequestKey key = { .address = packet->destination, .wg_port = packet->udp.dest };
	if (!read_ufrag(skb, packet, stun, key.ufrag))
		return 0;
	WiceMuxRequest *request = bpf_map_lookup_elem(&requests, &key);
	if (!request)
		return 0;
	bpf_spin_lock(&request->lock);
	request->source = packet->source;
	request->source_port = packet->udp.source;
	bpf_spin_unlock(&request->lock);
	return request->port;
}

/* The port of the TURN server's socket that shares WireGuard's; 0: there is none. */
static __always_inline __be16 port_of_server(const Packet *packet)
{
	__u64 key = WICE_MUX_SERVER_KEY(packet->udp.dest, is_ipv4(&packet->destination));
	const __u64 *port = bpf_map_lookup_elem(&servers, &key);
	return port ? *port : 0;
}

static __always_inline void give_to_server(struct __sk_buff *skb, const Packet *packet)
{
	__be16 port = port_of_server(packet);
	if (port)
		replace_port(skb, packet, offsetof(struct udphdr, dest), packet->udp.dest, port);
}

/*
 * What a relay sends to the TURN client unasked: ChannelData (RFC 8656 section 12.4) and
 * indications. Channels that other programs know (relayed.bpf.c), before or after this one, are
 * theirs.
 */
static __noinline int move_relayed(struct __sk_buff *skb, __u32 offset)
{
	Packet packet;
	union {
		__be16 channel;
		__le32 word;
	} first;
	if (!read_packet(skb, offset, false, &packet) || !is_set(wg_ports, packet.udp.dest) ||
	    packet.offset + sizeof packet.udp + sizeof first > packet.end ||
	    bpf_skb_load_bytes(skb, packet.offset + sizeof packet.udp, &first, sizeof first) < 0 ||
	    is_wireguard(first.word))
		return NEXT;
	WiceRelayedKey channel = { packet.source,
				   WICE_RELAYED_NUMBERS(packet.udp.source, packet.udp.dest,
							first.channel) };
	if (!bpf_map_lookup_elem(&received, &channel) && !give_to_client(skb, &packet))
		give_to_server(skb, &packet);
	return NEXT;
}

static __noinline int move_received(struct __sk_buff *skb, __u32 offset)
{
	Packet packet;
	StunHeader stun;
	__be16 port = 0;
	if (is_of_vlan(skb) || !read_packet(skb, offset, false, &packet) ||
	    !is_set(wg_ports, packet.udp.dest) || !is_alive())
		return NEXT;
	if (!read_stun(skb, &packet, &stun) || is_indication(&stun))
		return move_relayed(skb, offset);
	bool response = is_response(&stun);
	if (response)
		port = port_of_response(&packet, &stun);
	else if (is_request(&stun))
		port = port_of_request(skb, &packet, &stun);
	if (!port && !response)
		port = port_of_server(&packet);
	if (!port) {
		__sync_fetch_and_add(&n_unattributed, 1);
		return NEXT;
	}
	replace_port(skb, &packet, offsetof(struct udphdr, dest), packet.udp.dest, port);
	__sync_fetch_and_add(response ? &n_responses : &n_requests, 1);
	return NEXT;
}

static __always_inline int egress(struct __sk_buff *skb, __u32 offset)
{
	bool unsure;
	const struct udphdr *udp = glance(skb, offset, false, &unsure);
	if (!unsure && (!udp || !is_set(agent_ports, udp->source)))
		return NEXT;
	return move_sent(skb, offset);
}

static __always_inline int ingress(struct __sk_buff *skb, __u32 offset)
{
	bool unsure;
	const struct udphdr *udp = glance(skb, offset, false, &unsure);
	if (!unsure &&
	    (!udp || !is_set(wg_ports, udp->dest) || is_wireguard(*(const __le32 *)(udp + 1))))
		return NEXT;
	return move_received(skb, offset);
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
