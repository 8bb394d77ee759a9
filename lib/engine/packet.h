/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_ENGINE_PACKET_H
#define WICE_ENGINE_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/addr.h>

#include "engine/message.h"

/*
 * An IP packet on its way through the engine. It never moves: the header and the tag are written
 * around it, and whatever carries the result writes its own header before that.
 *
 *	| 32 bind's headroom | 16 header | data ... length | 15 padding, 16 tag |
 */
typedef struct {
	uint8_t *data;
	uint32_t length;
} WicePacket;

#define WICE_PACKET_BIND_HEADROOM 32
#define WICE_PACKET_HEADROOM (WICE_PACKET_BIND_HEADROOM + WICE_MESSAGE_HEADER_LEN)
#define WICE_PACKET_PADDING \
	16 /* plaintexts are padded to a multiple of this, but not above the MTU */
#define WICE_PACKET_TAILROOM (WICE_PACKET_PADDING - 1 + WICE_MESSAGE_TAG_LEN)
#define WICE_PACKET_MAX 65535

/*
 * What a system says of a frame that it hands over or takes: struct virtio_net_hdr (virtio 1.2,
 * section 5.1.6), in the machine's byte order.
 */
typedef struct {
	uint8_t flags, gso_type;
	uint16_t hdr_len, gso_size, csum_start, csum_offset;
} WiceVirtioHeader;

/*
 * Memory for a batch of packets: slots of equal size, each with head- and tailroom. One per thread
 * that sends.
 */
typedef struct {
	uint8_t *memory;
	size_t n_slots;
	size_t slot_size; /* a multiple of 64 */
	size_t n;         /* packets, in the first n slots */
	WicePacket *packets;
	/* What the tun remembers from one read to the next; see engine/offload.h. */
	WiceVirtioHeader virtio;
	uint16_t split_header, split_size;
	uint16_t n_plain;
	uint8_t *spill; /* room for a whole frame */
	size_t spilled, spilled_done;
} WicePacketArena;

/*
 * Room for a frame of 64 KiB, split into packets of mtu bytes, and some more, but for no more than
 * 128 packets; about 1 MiB at most. mtu: 68 to 65,535, others are taken as the nearest of them.
 */
void wice__packet_arena_init(WicePacketArena *arena, uint32_t mtu);
void wice__packet_arena_done(WicePacketArena *arena);
/* Forgets the packets, so that others can be read. */
void wice__packet_arena_empty(WicePacketArena *arena);
/* Where the packet of a slot begins. */
uint8_t *wice__packet_arena_slot(const WicePacketArena *arena, size_t slot);
/* The length of the longest packet that a slot can hold: the MTU or some more. */
size_t wice__packet_arena_capacity(const WicePacketArena *arena);

/* What the engine must know of an IP packet. */
typedef struct {
	WiceFamily family;
	uint32_t length; /* as its header says; what comes behind it is padding */
	const uint8_t *source;
	const uint8_t *destination;
} WiceIpHeader;

/*
 * False if it is no IPv4 or IPv6 packet, or longer than available. Looks at no more than the first
 * 40 bytes.
 */
bool wice__ip_header(const uint8_t *data, size_t available, WiceIpHeader *ret_header);

#endif
