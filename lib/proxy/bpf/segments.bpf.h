/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#ifndef WICE_PROXY_BPF_SEGMENTS_BPF_H
#define WICE_PROXY_BPF_SEGMENTS_BPF_H

/*
 * Packets with several in them, segments of one size and perhaps a shorter last one: UDP GSO from a
 * userspace WireGuard, and what GRO has joined. They keep their sizes, so in place is the only way
 * for them. Their checksums are always left to who will divide them.
 *
 * The functions are not static, so that they are verified once and not with what each caller knows.
 */
#include "proxy/bpf/channels.bpf.h"

#define DATA bpf_htonl(0x04000000)
#define DATA_MIN 32 /* of WireGuard's data messages */
#define HEADER_LEN sizeof(ChannelHeader)
#define MAX_SEGMENTS 128 /* of Linux 6.9, before that 64 */

/* RFC 8656 section 12.4. */
typedef struct {
	__be16 number;
	__be16 len;
} ChannelHeader;

/* stun/relayed.h: what is a handshake message, though the channel is one for in place. */
static __always_inline bool is_handshake(__le32 type, __u32 len)
{
	return (type == bpf_htonl(0x01000000) && len == 148) ||
	       (type == bpf_htonl(0x02000000) && len == 92) ||
	       (type == bpf_htonl(0x03000000) && len == 64);
}

static __always_inline __u32 min(__u32 a, __u32 b)
{
	return a < b ? a : b;
}

/* Returns -1 if it is not data. */
__noinline int wrap_segment(struct __sk_buff *skb, __u32 at, __u32 len, __u32 channel)
{
	ChannelHeader header = { .number = channel, .len = bpf_htons(len - HEADER_LEN) };
	__le32 type;
	if (len < DATA_MIN || bpf_skb_load_bytes(skb, at, &type, sizeof type) < 0 || type != DATA)
		return -1;
	return bpf_skb_store_bytes(skb, at, &header, sizeof header, 0);
}

/* Returns how many there were, -1: not all of them are data. */
__noinline int wrap_segments(struct __sk_buff *skb, __u32 at, __u32 end, __u32 channel)
{
	__u32 size = skb->gso_size;
#pragma unroll
	for (int n = 0; n < MAX_SEGMENTS; n++) {
		if (at >= end)
			return n;
		if (wrap_segment(skb, at, min(size, end - at), channel) < 0)
			return -1;
		at += size;
	}
	return at >= end ? MAX_SEGMENTS : -1;
}

__noinline int is_segment_in_place(struct __sk_buff *skb, __u32 at, __u32 len, __u32 channel)
{
	struct {
		ChannelHeader channel;
		__le32 type;
	} head;
	return len >= DATA_MIN && bpf_skb_load_bytes(skb, at, &head, sizeof head) == 0 &&
	       head.channel.number == (__be16)channel &&
	       head.channel.len == bpf_htons(len - HEADER_LEN) &&
	       !is_handshake(head.type, len - HEADER_LEN);
}

/* Returns how many there are, -1: GRO has put other packets among them. */
__noinline int count_segments(struct __sk_buff *skb, __u32 at, __u32 end, __u32 channel)
{
	__u32 size = skb->gso_size;
#pragma unroll
	for (int n = 0; n < MAX_SEGMENTS; n++) {
		if (at >= end)
			return n;
		if (!is_segment_in_place(skb, at, min(size, end - at), channel))
			return -1;
		at += size;
	}
	return at >= end ? MAX_SEGMENTS : -1;
}

__noinline int restore_segment(struct __sk_buff *skb, __u32 at)
{
	__le32 type = DATA;
	return bpf_skb_store_bytes(skb, at, &type, sizeof type, 0);
}

__noinline int restore_segments(struct __sk_buff *skb, __u32 at, __u32 end)
{
	__u32 size = skb->gso_size;
#pragma unroll
	for (int n = 0; n < MAX_SEGMENTS; n++) {
		if (at >= end)
			return n;
		if (restore_segment(skb, at) < 0)
			return -1;
		at += size;
	}
	return MAX_SEGMENTS;
}

#endif
