/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames are written in the order in which they began, and each flow has one frame, its last, that
 * is added to: so the packets of a flow stay in order. That is why a packet that cannot be joined
 * takes its flow's place in the table, and one whose flow is not known (a fragment, anything but
 * TCP and UDP) ends all frames. Flows are told apart by a hash alone: where two have the same, they
 * end each other's frames, no more.
 */
#include "engine/offload.h"

#include <glib.h>

#include "engine/checksum.h"

#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define IPV4_FRAGMENT 0x3fff /* offset and "more fragments" */
#define IPV4_DONT_FRAGMENT 0x40

/* A packet of TCP or UDP right behind an IP header without options. */
typedef struct {
	const uint8_t *data;
	uint8_t transport, header, protocol;
	bool joinable;
	uint32_t length;
	uint32_t hash;
} Candidate;

static bool is_ipv4(const uint8_t *packet)
{
	return packet[0] >> 4 == 4;
}

static uint32_t hash_flow(const Candidate *c)
{
	/* Both addresses and both ports: 12 bytes, or 36, up to the end of the ports. */
	const uint8_t *at = c->data + (c->transport == IPV4_HEADER ? 12 : 8);
	uint64_t hash = c->protocol;
	for (; at < c->data + c->transport + 4; at += 4) {
		uint32_t word;
		memcpy(&word, at, sizeof word);
		hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 32;
	}
	return (uint32_t)hash;
}

/* False: its flow is not known. */
static bool find_transport(Candidate *c)
{
	if (is_ipv4(c->data)) {
		c->transport = IPV4_HEADER;
		c->protocol = c->data[9];
		return c->data[0] == 0x45 && !(wice__get_be16(c->data + 6) & IPV4_FRAGMENT);
	}
	c->transport = IPV6_HEADER;
	c->protocol = c->data[6];
	return true;
}

/* Only ACK, or ACK and PSH, and data: what else TCP has to say is said alone. */
static bool examine_tcp(Candidate *c)
{
	const uint8_t *tcp = c->data + c->transport;
	if (c->length < c->transport + (uint32_t)WICE_TCP_HEADER_LEN)
		return false;
	unsigned header = (unsigned)(tcp[12] >> 4) * 4;
	c->header = (uint8_t)(c->transport + header);
	c->joinable = header >= WICE_TCP_HEADER_LEN && c->length > c->header &&
		      (tcp[13] & ~WICE_TCP_PSH) == WICE_TCP_ACK;
	return true;
}

/* A packet without a checksum would get one, so it is left alone. */
static bool examine_udp(Candidate *c)
{
	const uint8_t *udp = c->data + c->transport;
	c->header = (uint8_t)(c->transport + WICE_UDP_HEADER_LEN);
	if (c->length < c->header)
		return false;
	c->joinable = c->length > c->header && wice__get_be16(udp + WICE_UDP_CHECKSUM) != 0 &&
		      wice__get_be16(udp + 4) == c->length - c->transport;
	return true;
}

static bool examine(const WicePacket *packet, Candidate *ret)
{
	Candidate c = { .data = packet->data, .length = packet->length };
	bool known = find_transport(&c) && ((c.protocol == WICE_PROTOCOL_TCP && examine_tcp(&c)) ||
					    (c.protocol == WICE_PROTOCOL_UDP && examine_udp(&c)));
	if (!known)
		return false;
	c.hash = hash_flow(&c);
	*ret = c;
	return true;
}

/* Equal but for the length, the identification and the checksum. */
static bool ip_continues(const WiceOffloadFrame *frame, const uint8_t *first, const uint8_t *packet)
{
	if (!is_ipv4(first))
		return memcmp(first, packet, 4) == 0 && memcmp(first + 6, packet + 6, 34) == 0;
	uint16_t id = (uint16_t)(wice__get_be16(first + 4) + frame->n);
	/* The identification of what is not fragmented means nothing (RFC 6864). */
	return memcmp(first, packet, 2) == 0 && memcmp(first + 6, packet + 6, 4) == 0 &&
	       memcmp(first + 12, packet + 12, 8) == 0 &&
	       ((first[6] & IPV4_DONT_FRAGMENT) || wice__get_be16(packet + 4) == id);
}

/* Equal but for the sequence number, PSH and the checksum. */
static bool tcp_continues(const WiceOffloadFrame *frame, const uint8_t *first,
			  const uint8_t *packet)
{
	const uint8_t *a = first + frame->transport, *b = packet + frame->transport;
	uint32_t sequence = wice__get_be32(a + 4) + (uint32_t)frame->n * frame->size;
	return wice__get_be32(b + 4) == sequence && memcmp(a, b, 4) == 0 &&
	       memcmp(a + 8, b + 8, 5) == 0 && memcmp(a + 14, b + 14, 2) == 0 &&
	       memcmp(a + 18, b + 18, (size_t)(frame->header - frame->transport) - 18) == 0;
}

static bool continues(const WiceOffloadFrame *frame, const uint8_t *first, const Candidate *c)
{
	uint32_t payload = c->length - c->header;
	if (!frame->open || frame->header != c->header || payload > frame->size ||
	    frame->length + payload > WICE_PACKET_MAX || !ip_continues(frame, first, c->data))
		return false;
	if (frame->protocol == WICE_PROTOCOL_TCP)
		return tcp_continues(frame, first, c->data);
	return memcmp(first + frame->transport, c->data + frame->transport, 4) == 0;
}

static bool is_right(const uint8_t *packet, size_t length, size_t transport, uint8_t protocol)
{
	WiceIpHeader ip;
	if (!wice__ip_header(packet, length, &ip) ||
	    (is_ipv4(packet) &&
	     wice__checksum_fold(wice__checksum_add(0, packet, IPV4_HEADER)) != 0xffff))
		return false;
	uint64_t sum = wice__checksum_pseudo(&ip, protocol, length - transport);
	sum = wice__checksum_add(sum, packet + transport, length - transport);
	return wice__checksum_fold(sum) == 0xffff;
}

static bool has_push(const Candidate *c)
{
	return c->protocol == WICE_PROTOCOL_TCP && (c->data[c->transport + 13] & WICE_TCP_PSH);
}

static WiceOffloadFrame *begin(WiceOffloadJoin *join, size_t i)
{
	WiceOffloadFrame *frame = &join->frames[join->n_frames++];
	*frame = (WiceOffloadFrame){ .first = (uint16_t)i, .last = (uint16_t)i, .n = 1 };
	return frame;
}

static void begin_flow(WiceOffloadJoin *join, size_t i, const Candidate *c)
{
	WiceOffloadFrame *frame = begin(join, i);
	frame->transport = c->transport;
	frame->header = c->header;
	frame->protocol = c->protocol;
	frame->open = c->joinable && !has_push(c);
	frame->size = (uint16_t)(c->length - c->header);
	frame->length = c->length;
	frame->hash = c->hash;
}

static void append(WiceOffloadJoin *join, WiceOffloadFrame *frame, size_t i, const Candidate *c)
{
	uint32_t payload = c->length - c->header;
	join->next[frame->last] = (uint16_t)i;
	frame->last = (uint16_t)i;
	frame->n++;
	frame->length += payload;
	frame->push = has_push(c);
	frame->open =
		payload == frame->size && !frame->push && frame->n < WICE_OFFLOAD_JOIN_SEGMENTS;
}

/* The place of a flow in the table, which is never more than half full. */
static uint16_t *find_flow(WiceOffloadJoin *join, uint32_t hash)
{
	size_t i = hash % WICE_OFFLOAD_JOIN_FLOWS;
	while (join->flows[i] && join->frames[join->flows[i] - 1].hash != hash)
		i = (i + 1) % WICE_OFFLOAD_JOIN_FLOWS;
	return &join->flows[i];
}

/* Joins the packet to its flow's frame, the number of which is given. False: it cannot be. */
static bool try_join(WiceOffloadJoin *join, size_t number, size_t i, const Candidate *c)
{
	if (number <= join->n_ended || !c->joinable)
		return false;
	WiceOffloadFrame *frame = &join->frames[number - 1];
	const WicePacket *first = &join->packets[frame->first];
	if (!continues(frame, first->data, c))
		return false;
	/* The system will not look at the checksums of what comes as one frame. */
	if (!frame->verified && !is_right(first->data, first->length, c->transport, c->protocol))
		return false;
	frame->verified = true;
	if (!is_right(c->data, c->length, c->transport, c->protocol))
		return false;
	append(join, frame, i, c);
	return true;
}

void wice__offload_join(WiceOffloadJoin *join, const WicePacket *packets, size_t n, bool tcp,
			bool udp)
{
	join->packets = packets;
	join->n_frames = join->n_ended = 0;
	memset(join->flows, 0, sizeof join->flows);
	for (size_t i = 0; i < n; i++) {
		Candidate c;
		if (!examine(&packets[i], &c)) {
			begin(join, i);
			join->n_ended = join->n_frames;
			continue;
		}
		c.joinable = c.joinable && (c.protocol == WICE_PROTOCOL_TCP ? tcp : udp);
		uint16_t *flow = find_flow(join, c.hash);
		if (!try_join(join, *flow, i, &c)) {
			begin_flow(join, i, &c);
			*flow = (uint16_t)join->n_frames;
		}
	}
}

static void describe(const WiceOffloadFrame *frame, bool ipv4, WiceVirtioHeader *ret)
{
	bool tcp = frame->protocol == WICE_PROTOCOL_TCP;
	uint8_t tcp_type = ipv4 ? WICE_VIRTIO_GSO_TCPV4 : WICE_VIRTIO_GSO_TCPV6;
	*ret = (WiceVirtioHeader){
		.flags = WICE_VIRTIO_NEEDS_CSUM,
		.gso_type = tcp ? tcp_type : WICE_VIRTIO_GSO_UDP_L4,
		.hdr_len = frame->header,
		.gso_size = frame->size,
		.csum_start = frame->transport,
		.csum_offset = tcp ? WICE_TCP_CHECKSUM : WICE_UDP_CHECKSUM,
	};
}

/* Makes the headers of the first packet those of all. */
static void widen_headers(const WiceOffloadFrame *frame, uint8_t *packet)
{
	uint8_t *transport = packet + frame->transport, *checksum = transport + WICE_TCP_CHECKSUM;
	uint32_t length = frame->length - frame->transport;
	WiceIpHeader ip = { .family = WICE_FAMILY_IPV6, 0, packet + 8, packet + 24 };
	if (is_ipv4(packet)) {
		ip = (WiceIpHeader){ .family = WICE_FAMILY_IPV4, 0, packet + 12, packet + 16 };
		wice__put_be16(packet + 2, (uint16_t)frame->length);
		wice__put_be16(packet + 10, 0);
		uint64_t sum = wice__checksum_add(0, packet, IPV4_HEADER);
		wice__checksum_put_sum(packet + 10, (uint16_t)~wice__checksum_fold(sum));
	} else {
		wice__put_be16(packet + 4, (uint16_t)(frame->length - IPV6_HEADER));
	}
	if (frame->protocol == WICE_PROTOCOL_UDP) {
		wice__put_be16(transport + 4, (uint16_t)length);
		checksum = transport + WICE_UDP_CHECKSUM;
	} else if (frame->push) {
		transport[13] |= WICE_TCP_PSH;
	}
	/* What it is a checksum of begins with this; the system does the rest. */
	wice__checksum_put_sum(checksum, wice__checksum_pseudo(&ip, frame->protocol, length));
}

size_t wice__offload_join_pieces(const WiceOffloadJoin *join, const WiceOffloadFrame *frame,
				 uint8_t head[WICE_OFFLOAD_JOIN_HEAD],
				 WiceOffloadPiece pieces[WICE_OFFLOAD_JOIN_PIECES])
{
	const WicePacket *packet = &join->packets[frame->first];
	WiceVirtioHeader virtio = { 0 };
	size_t skip = 0, i = frame->first;
	if (frame->n > 1) {
		skip = frame->header;
		describe(frame, is_ipv4(packet->data), &virtio);
		memcpy(head + sizeof virtio, packet->data, skip);
		widen_headers(frame, head + sizeof virtio);
	}
	memcpy(head, &virtio, sizeof virtio);
	pieces[0] = (WiceOffloadPiece){ head, sizeof virtio + skip };
	for (size_t k = 1; k <= frame->n; k++, i = join->next[i]) {
		packet = &join->packets[i];
		pieces[k] = (WiceOffloadPiece){ packet->data + skip, packet->length - skip };
	}
	return 1 + (size_t)frame->n;
}
