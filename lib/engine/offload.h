/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_ENGINE_OFFLOAD_H
#define WICE_ENGINE_OFFLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "engine/packet.h"

/*
 * Segmentation offload: one frame of up to 64 KiB stands for many packets of one flow, and costs the
 * system as much as one. Splitting makes packets of such a frame, joining frames of packets. All
 * values are of virtio 1.2, section 5.1.6.
 */
enum {
	WICE_VIRTIO_NEEDS_CSUM = 1, /* flags */
	WICE_VIRTIO_GSO_NONE = 0,   /* gso_type */
	WICE_VIRTIO_GSO_TCPV4 = 1,
	WICE_VIRTIO_GSO_TCPV6 = 4,
	WICE_VIRTIO_GSO_UDP_L4 = 5,
	WICE_VIRTIO_GSO_ECN = 0x80, /* beside a type of TCP */
};

enum {
	WICE_PROTOCOL_TCP = 6,
	WICE_PROTOCOL_UDP = 17,
	WICE_TCP_HEADER_LEN = 20, /* at least */
	WICE_UDP_HEADER_LEN = 8,
	WICE_TCP_CHECKSUM = 16, /* where it is in the header */
	WICE_UDP_CHECKSUM = 6,
};

enum {
	WICE_TCP_FIN = 0x01,
	WICE_TCP_PSH = 0x08,
	WICE_TCP_ACK = 0x10,
	WICE_TCP_CWR = 0x80,
};

/* Numbers on the wire: network order, any alignment. */
static inline uint16_t wice__get_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t wice__get_be32(const uint8_t *p)
{
	return (uint32_t)wice__get_be16(p) << 16 | wice__get_be16(p + 2);
}

static inline void wice__put_be16(uint8_t *p, uint16_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static inline void wice__put_be32(uint8_t *p, uint32_t value)
{
	wice__put_be16(p, (uint16_t)(value >> 16));
	wice__put_be16(p + 2, (uint16_t)value);
}

/* Memory that is read into or written from in one call, with others: a struct iovec. */
typedef struct {
	uint8_t *data;
	size_t length;
} WiceOffloadPiece;

/*
 * Splitting. A frame is read into pieces of an arena that are laid out as the last frame that was
 * several packets, so that its packets are where they belong without a copy:
 *
 *	slot n      | headroom | header, payload |
 *	slot n + 1  | headroom | room    payload |	the header is copied here
 *	...
 *	spill       | what is more than was expected |
 *
 * A frame that is laid out otherwise is gathered in the spill and split with copies. Those of its
 * packets that the arena has no room for wait in the spill.
 */
#define WICE_OFFLOAD_SPLIT_PIECES (128 + 2)

/* Whether another frame can be read: there is room for it as it is expected, and none waits. */
bool wice__offload_split_room(const WicePacketArena *arena);
/*
 * Where to read the next frame: the first piece takes its virtio header (the tun's that has none
 * begins with the second, and zeroes arena->virtio). Returns their number.
 */
size_t wice__offload_split_prepare(WicePacketArena *arena,
				   WiceOffloadPiece pieces[WICE_OFFLOAD_SPLIT_PIECES]);
/*
 * length bytes of a frame were read into the n pieces (without the virtio header): appends its
 * packets, valid and complete with all checksums, each exactly as long as it says. False, and
 * nothing appended: it makes no sense, or its packets are longer than a slot.
 */
bool wice__offload_split_take(WicePacketArena *arena, const WiceOffloadPiece *pieces, size_t n,
			      size_t length);
/* Packets of a frame wait in the spill. */
static inline bool wice__offload_split_waits(const WicePacketArena *arena)
{
	return arena->spilled > 0;
}
/* Appends as many of them as there is room for. */
void wice__offload_split_resume(WicePacketArena *arena);

/*
 * Joining. Packets of a flow become one frame if the receiving system could have split it into
 * exactly these: equal headers but for what counts up, equal lengths but for the last, checksums
 * that are right. None is copied or changed. Those of one flow stay in order.
 */
#define WICE_OFFLOAD_JOIN_MAX 1024 /* packets at a time */
#define WICE_OFFLOAD_JOIN_FLOWS (2 * WICE_OFFLOAD_JOIN_MAX)
#define WICE_OFFLOAD_JOIN_SEGMENTS 64
#define WICE_OFFLOAD_JOIN_PIECES (1 + WICE_OFFLOAD_JOIN_SEGMENTS)
#define WICE_OFFLOAD_JOIN_HEAD (sizeof(WiceVirtioHeader) + 40 + 60)

typedef struct {
	uint16_t first, last; /* packets; what is in between follows by WiceOffloadJoin.next */
	uint16_t n;
	uint8_t transport, header; /* where the transport header and the payload begin */
	uint8_t protocol;
	bool open;       /* more can be joined to it */
	bool verified;   /* the checksum of the first packet is right */
	bool push;       /* the last packet has TCP's PSH */
	uint16_t size;   /* payload of each packet, but for the last */
	uint32_t length; /* of the joined packet */
	uint32_t hash;   /* of the flow */
} WiceOffloadFrame;

typedef struct {
	const WicePacket *packets;
	size_t n_frames, n_ended; /* so many are not added to any more */
	WiceOffloadFrame frames[WICE_OFFLOAD_JOIN_MAX];
	uint16_t next[WICE_OFFLOAD_JOIN_MAX];
	/* By hash, open addressing: the number of the flow's last frame plus 1. */
	uint16_t flows[WICE_OFFLOAD_JOIN_FLOWS];
} WiceOffloadJoin;

/*
 * Joins n packets, at most WICE_OFFLOAD_JOIN_MAX, each valid and as long as it says, to frames; those
 * of TCP and of UDP only if wished. The packets must stay while the frames are looked at.
 */
void wice__offload_join(WiceOffloadJoin *join, const WicePacket *packets, size_t n, bool tcp,
			bool udp);
/*
 * What to write for a frame: the virtio header, in the first piece, then a packet. head holds what
 * does not come from the packets. Returns the number of pieces.
 */
size_t wice__offload_join_pieces(const WiceOffloadJoin *join, const WiceOffloadFrame *frame,
				 uint8_t head[WICE_OFFLOAD_JOIN_HEAD],
				 WiceOffloadPiece pieces[WICE_OFFLOAD_JOIN_PIECES]);

#endif
