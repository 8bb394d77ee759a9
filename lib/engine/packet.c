/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/packet.h"

#include <glib.h>

#define ALIGNMENT ((size_t)64) /* a cache line */
#define MEMORY_MAX ((size_t)1024 * 1024)
/* More would only travel through the caches once more. */
#define SLOTS_MAX ((size_t)128)
#define MTU_MIN 68 /* RFC 791 */

#define IPV4_HEADER 20
#define IPV6_HEADER 40

void wice__packet_arena_init(WicePacketArena *arena, uint32_t mtu)
{
	size_t size =
		WICE_PACKET_HEADROOM + CLAMP(mtu, MTU_MIN, WICE_PACKET_MAX) + WICE_PACKET_TAILROOM;
	*arena = (WicePacketArena){ .slot_size = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1) };
	arena->n_slots = MIN(MEMORY_MAX / arena->slot_size + 1, SLOTS_MAX);
	arena->memory = g_aligned_alloc(arena->n_slots, arena->slot_size, ALIGNMENT);
	arena->packets = g_new(WicePacket, arena->n_slots);
	arena->spill = g_aligned_alloc(1, WICE_PACKET_MAX + 1, ALIGNMENT);
}

void wice__packet_arena_done(WicePacketArena *arena)
{
	g_aligned_free(arena->memory);
	g_aligned_free(arena->spill);
	g_free(arena->packets);
	*arena = (WicePacketArena){ 0 };
}

void wice__packet_arena_empty(WicePacketArena *arena)
{
	arena->n = 0;
}

uint8_t *wice__packet_arena_slot(const WicePacketArena *arena, size_t slot)
{
	return arena->memory + slot * arena->slot_size + WICE_PACKET_HEADROOM;
}

size_t wice__packet_arena_capacity(const WicePacketArena *arena)
{
	size_t capacity = arena->slot_size - WICE_PACKET_HEADROOM - WICE_PACKET_TAILROOM;
	return MIN(capacity, WICE_PACKET_MAX);
}

static bool ipv4_header(const uint8_t *data, size_t available, WiceIpHeader *ret_header)
{
	size_t header = (size_t)(data[0] & 15) * 4;
	size_t length = (size_t)data[2] << 8 | data[3];
	if (header < IPV4_HEADER || length < header || length > available)
		return false;
	*ret_header = (WiceIpHeader){
		.family = WICE_FAMILY_IPV4,
		.length = (uint32_t)length,
		.source = data + 12,
		.destination = data + 16,
	};
	return true;
}

static bool ipv6_header(const uint8_t *data, size_t available, WiceIpHeader *ret_header)
{
	if (available < IPV6_HEADER)
		return false;
	size_t length = IPV6_HEADER + ((size_t)data[4] << 8 | data[5]);
	if (length > available || length > WICE_PACKET_MAX)
		return false;
	*ret_header = (WiceIpHeader){
		.family = WICE_FAMILY_IPV6,
		.length = (uint32_t)length,
		.source = data + 8,
		.destination = data + 24,
	};
	return true;
}

bool wice__ip_header(const uint8_t *data, size_t available, WiceIpHeader *ret_header)
{
	if (available < IPV4_HEADER)
		return false;
	if (data[0] >> 4 == 4)
		return ipv4_header(data, available, ret_header);
	return data[0] >> 4 == 6 && ipv6_header(data, available, ret_header);
}
