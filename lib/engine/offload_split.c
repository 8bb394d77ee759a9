/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Of a frame's virtio header only the type, the size of the segments and, for a single packet, the
 * place of the checksum are used, after the frame has proven to be what they say; hdr_len is known
 * to be wrong for packets that were forwarded.
 */
#include "engine/offload.h"

#include <glib.h>

#include "engine/checksum.h"

G_STATIC_ASSERT(sizeof(WiceVirtioHeader) == 10);

#define SPILL_SIZE ((size_t)WICE_PACKET_MAX + 1)
/* So many single packets in a row, and it is they that are expected: fewer pieces are cheaper. */
#define PLAIN_RUN 16

#define IPV4_FRAGMENT 0x3fff /* offset and "more fragments" */
#define IPV6_HOP_BY_HOP 0
#define IPV6_DESTINATION 60

/* How a frame becomes packets. */
typedef struct {
	WiceIpHeader ip;
	uint8_t protocol;
	size_t transport; /* where the transport header begins */
	size_t header;    /* where the payload begins */
	size_t payload;   /* of all packets */
	size_t size;      /* of each packet's payload, but for the last */
	size_t n;         /* packets */
} Layout;

static size_t division_up(size_t a, size_t b)
{
	return (a + b - 1) / b;
}

/* Where the transport header begins, 0: not at a place that can be known. */
static size_t ipv6_transport(const uint8_t *frame, size_t available, uint8_t *ret_protocol)
{
	uint8_t next = frame[6];
	size_t at = 40;
	while (next == IPV6_HOP_BY_HOP || next == IPV6_DESTINATION) {
		if (at + 8 > available)
			return 0;
		next = frame[at];
		at += ((size_t)frame[at + 1] + 1) * 8;
	}
	*ret_protocol = next;
	return at;
}

static size_t find_transport(const uint8_t *frame, size_t available, WiceFamily family,
			     uint8_t *ret_protocol)
{
	if (family == WICE_FAMILY_IPV6)
		return ipv6_transport(frame, available, ret_protocol);
	if (wice__get_be16(frame + 6) & IPV4_FRAGMENT)
		return 0;
	*ret_protocol = frame[9];
	return (size_t)(frame[0] & 15) * 4;
}

static bool type_fits(uint8_t type, WiceFamily family, uint8_t protocol)
{
	switch (type & ~WICE_VIRTIO_GSO_ECN) {
	case WICE_VIRTIO_GSO_TCPV4:
		return protocol == WICE_PROTOCOL_TCP && family == WICE_FAMILY_IPV4;
	case WICE_VIRTIO_GSO_TCPV6:
		return protocol == WICE_PROTOCOL_TCP && family == WICE_FAMILY_IPV6;
	case WICE_VIRTIO_GSO_UDP_L4:
		return protocol == WICE_PROTOCOL_UDP;
	default:
		return false;
	}
}

/* 0: it is cut short. */
static size_t transport_header(const uint8_t *transport, size_t available, uint8_t protocol)
{
	if (protocol == WICE_PROTOCOL_UDP)
		return available >= WICE_UDP_HEADER_LEN ? WICE_UDP_HEADER_LEN : 0;
	if (available < WICE_TCP_HEADER_LEN)
		return 0;
	size_t length = (size_t)(transport[12] >> 4) * 4;
	return length >= WICE_TCP_HEADER_LEN && length <= available ? length : 0;
}

/* frame: the first available bytes of length. False: it makes no sense, or too few are available. */
static bool find_layout(const WiceVirtioHeader *virtio, const uint8_t *frame, size_t available,
			size_t length, Layout *ret)
{
	Layout l = { .size = virtio->gso_size };
	if (available < MIN(length, 40) || !wice__ip_header(frame, length, &l.ip))
		return false;
	available = MIN(available, l.ip.length);
	l.transport = find_transport(frame, available, l.ip.family, &l.protocol);
	if (!l.size || !l.transport || l.transport > available ||
	    !type_fits(virtio->gso_type, l.ip.family, l.protocol))
		return false;
	size_t header = transport_header(frame + l.transport, available - l.transport, l.protocol);
	if (!header)
		return false;
	l.header = l.transport + header;
	l.payload = l.ip.length - l.header;
	l.n = MAX(division_up(l.payload, l.size), 1);
	*ret = l;
	return true;
}

static void complete_ip(const Layout *l, size_t i, const WicePacket *packet)
{
	uint8_t *ip = packet->data;
	if (l->ip.family == WICE_FAMILY_IPV6) {
		wice__put_be16(ip + 4, (uint16_t)(packet->length - 40));
		return;
	}
	wice__put_be16(ip + 2, (uint16_t)packet->length);
	wice__put_be16(ip + 4, (uint16_t)(wice__get_be16(ip + 4) + i));
	wice__put_be16(ip + 10, 0);
	uint64_t sum = wice__checksum_add(0, ip, (size_t)(ip[0] & 15) * 4);
	wice__checksum_put_sum(ip + 10, (uint16_t)~wice__checksum_fold(sum));
}

/* Returns where the checksum is. */
static uint8_t *complete_tcp(const Layout *l, size_t i, uint8_t *tcp)
{
	wice__put_be32(tcp + 4, (uint32_t)(wice__get_be32(tcp + 4) + i * l->size));
	if (i > 0)
		tcp[13] &= (uint8_t)~WICE_TCP_CWR;
	if (i < l->n - 1)
		tcp[13] &= (uint8_t) ~(WICE_TCP_FIN | WICE_TCP_PSH);
	return tcp + WICE_TCP_CHECKSUM;
}

/*
 * Makes a packet of the i-th part of a frame. Its payload is where it belongs already; header is
 * the frame's.
 */
static void complete(const Layout *l, const uint8_t *header, size_t i, WicePacket *packet)
{
	uint8_t *transport = packet->data + l->transport, *checksum;
	size_t payload = i < l->n - 1 ? l->size : l->payload - i * l->size;
	packet->length = (uint32_t)(l->header + payload);
	size_t length = packet->length - l->transport;

	if (packet->data != header)
		memcpy(packet->data, header, l->header);
	complete_ip(l, i, packet);
	if (l->protocol == WICE_PROTOCOL_TCP) {
		checksum = complete_tcp(l, i, transport);
	} else {
		wice__put_be16(transport + 4, (uint16_t)length);
		checksum = transport + WICE_UDP_CHECKSUM;
	}
	wice__put_be16(checksum, 0);
	uint64_t sum = wice__checksum_pseudo(&l->ip, l->protocol, length);
	wice__checksum_put(checksum, wice__checksum_add(sum, transport, length));
}

static size_t frame_slots(size_t header, size_t size)
{
	return division_up(WICE_PACKET_MAX - header, size);
}

static bool expects_split(const WicePacketArena *arena)
{
	return arena->split_size && arena->n_plain < PLAIN_RUN;
}

static size_t expected_slots(const WicePacketArena *arena)
{
	return expects_split(arena) ? frame_slots(arena->split_header, arena->split_size) : 1;
}

bool wice__offload_split_room(const WicePacketArena *arena)
{
	return !arena->spilled && arena->n_slots - arena->n >= expected_slots(arena);
}

size_t wice__offload_split_prepare(WicePacketArena *arena,
				   WiceOffloadPiece pieces[WICE_OFFLOAD_SPLIT_PIECES])
{
	size_t n = 0, read = 0, n_slots = expected_slots(arena);
	bool split = expects_split(arena);
	pieces[n++] = (WiceOffloadPiece){ (uint8_t *)&arena->virtio, sizeof arena->virtio };
	for (size_t i = 0; i < n_slots; i++) {
		uint8_t *slot = wice__packet_arena_slot(arena, arena->n + i);
		WiceOffloadPiece piece = { slot, wice__packet_arena_capacity(arena) };
		if (split && i == 0)
			piece.length = (size_t)arena->split_header + arena->split_size;
		else if (split)
			piece = (WiceOffloadPiece){ slot + arena->split_header, arena->split_size };
		read += piece.length;
		pieces[n++] = piece;
	}
	/* At the place that it would have there if all of the frame were in the spill. */
	if (read < SPILL_SIZE)
		pieces[n++] = (WiceOffloadPiece){ arena->spill + read, SPILL_SIZE - read };
	return n;
}

/* Puts what was read into one place, unless it is there. */
static void gather(uint8_t *to, const WiceOffloadPiece *pieces, size_t n, size_t length)
{
	for (size_t i = 0; i < n && length; i++) {
		size_t part = MIN(length, pieces[i].length);
		if (pieces[i].data != to)
			memcpy(to, pieces[i].data, part);
		to += part;
		length -= part;
	}
}

/* The system has left the checksum of what begins at csum_start to us. */
static bool finish_checksum(const WiceVirtioHeader *virtio, uint8_t *packet, const WiceIpHeader *ip)
{
	size_t start = virtio->csum_start, field = start + virtio->csum_offset;
	if (start < (ip->family == WICE_FAMILY_IPV4 ? 20 : 40) || field + 2 > ip->length)
		return false;
	wice__checksum_put(packet + field,
			   wice__checksum_add(0, packet + start, ip->length - start));
	return true;
}

static bool take_plain(WicePacketArena *arena, const WiceOffloadPiece *pieces, size_t n,
		       size_t length)
{
	uint8_t *packet = wice__packet_arena_slot(arena, arena->n);
	WiceIpHeader ip;
	if (length > wice__packet_arena_capacity(arena))
		return false;
	gather(packet, pieces, n, length);
	if (!wice__ip_header(packet, length, &ip))
		return false;
	if ((arena->virtio.flags & WICE_VIRTIO_NEEDS_CSUM) &&
	    !finish_checksum(&arena->virtio, packet, &ip))
		return false;
	arena->packets[arena->n++] = (WicePacket){ packet, ip.length };
	if (arena->n_plain < PLAIN_RUN)
		arena->n_plain++;
	return true;
}

/* The last packet first: the first one's header is what the others' are copied from. */
static void take_in_place(WicePacketArena *arena, const Layout *l, const uint8_t *header)
{
	for (size_t i = l->n; i-- > 0;) {
		WicePacket *packet = &arena->packets[arena->n + i];
		packet->data = wice__packet_arena_slot(arena, arena->n + i);
		complete(l, header, i, packet);
	}
	arena->n += l->n;
}

static void expect(WicePacketArena *arena, const Layout *l)
{
	bool fits = frame_slots(l->header, l->size) <= arena->n_slots &&
		    l->header + l->size <= wice__packet_arena_capacity(arena);
	arena->split_header = fits ? (uint16_t)l->header : 0;
	arena->split_size = fits ? (uint16_t)l->size : 0;
}

static bool take_gathered(WicePacketArena *arena, const WiceOffloadPiece *pieces, size_t n,
			  size_t length)
{
	Layout l;
	gather(arena->spill, pieces, n, length);
	if (!find_layout(&arena->virtio, arena->spill, length, length, &l) ||
	    l.header + MIN(l.size, l.payload) > wice__packet_arena_capacity(arena))
		return false;
	expect(arena, &l);
	arena->spilled = length;
	arena->spilled_done = 0;
	wice__offload_split_resume(arena);
	return true;
}

bool wice__offload_split_take(WicePacketArena *arena, const WiceOffloadPiece *pieces, size_t n,
			      size_t length)
{
	Layout l;
	pieces++, n--;
	if (arena->virtio.gso_type == WICE_VIRTIO_GSO_NONE)
		return take_plain(arena, pieces, n, length);
	bool expected = expects_split(arena) &&
			find_layout(&arena->virtio, pieces[0].data, MIN(length, pieces[0].length),
				    length, &l) &&
			l.header == arena->split_header && l.size == arena->split_size;
	arena->n_plain = 0;
	if (!expected)
		return take_gathered(arena, pieces, n, length);
	take_in_place(arena, &l, pieces[0].data);
	return true;
}

void wice__offload_split_resume(WicePacketArena *arena)
{
	Layout l;
	size_t free_slots = arena->n_slots - arena->n;
	if (!arena->spilled ||
	    !find_layout(&arena->virtio, arena->spill, arena->spilled, arena->spilled, &l))
		return;
	size_t end = MIN(l.n, arena->spilled_done + free_slots);
	for (size_t i = arena->spilled_done; i < end; i++) {
		WicePacket *packet = &arena->packets[arena->n];
		packet->data = wice__packet_arena_slot(arena, arena->n++);
		memcpy(packet->data + l.header, arena->spill + l.header + i * l.size,
		       MIN(l.size, l.payload - i * l.size));
		complete(&l, arena->spill, i, packet);
	}
	arena->spilled_done = end;
	if (end == l.n)
		arena->spilled = 0;
}
