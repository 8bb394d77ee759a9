/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of a TUN device. The first byte says what is done, and with what MTU; then come frames or
 * packets, each as two bytes of length and that many bytes.
 *
 * Splitting: frames begin with a virtio header. Every packet is valid and in its slot, and they
 * have as many bytes as the frame had. Joining: every packet is in one frame, and what frames
 * split into is what was joined.
 */
#include "engine/checksum.h"
#include "engine/offload.h"

#include <glib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MODE_JOIN 1
#define MODE_MEND 2 /* the checksums of packets to be joined are put right */

static const uint32_t mtus[] = { 68, 576, 1420, 8000, 65535 };
#define JOIN_MTU 3 /* a slot for each packet of the longest frame */

/* An arena as if it were new: making one takes longer than all the rest. */
static WicePacketArena *fresh_arena(size_t i)
{
	static WicePacketArena arenas[G_N_ELEMENTS(mtus)];
	WicePacketArena *arena = &arenas[i];
	if (!arena->memory)
		wice__packet_arena_init(arena, mtus[i]);
	wice__packet_arena_empty(arena);
	arena->split_header = arena->split_size = arena->n_plain = 0;
	arena->spilled = arena->spilled_done = 0;
	return arena;
}

/* The next block of the input. */
static bool next_block(const uint8_t **data, size_t *size, const uint8_t **ret, size_t *ret_length)
{
	if (*size < 2)
		return false;
	size_t length = MIN((size_t)wice__get_be16(*data), *size - 2);
	*ret = *data + 2;
	*ret_length = length;
	*data += 2 + length;
	*size -= 2 + length;
	return true;
}

static bool feed(WicePacketArena *arena, const WiceVirtioHeader *virtio, const uint8_t *data,
		 size_t length)
{
	WiceOffloadPiece pieces[WICE_OFFLOAD_SPLIT_PIECES];
	size_t n = wice__offload_split_prepare(arena, pieces), rest = length;
	memcpy(pieces[0].data, virtio, sizeof *virtio);
	for (size_t i = 1; rest; i++) {
		g_assert(i < n);
		size_t part = MIN(rest, pieces[i].length);
		memcpy(pieces[i].data, data, part);
		data += part;
		rest -= part;
	}
	return wice__offload_split_take(arena, pieces, n, length);
}

static size_t check_packets(const WicePacketArena *arena, size_t from)
{
	size_t sum = 0;
	g_assert(arena->n <= arena->n_slots);
	for (size_t i = from; i < arena->n; i++) {
		const WicePacket *packet = &arena->packets[i];
		WiceIpHeader ip;
		g_assert(packet->data == wice__packet_arena_slot(arena, i));
		g_assert(packet->length <= wice__packet_arena_capacity(arena));
		g_assert(wice__ip_header(packet->data, packet->length, &ip));
		g_assert(ip.length == packet->length);
		sum += packet->length;
	}
	return sum;
}

static void split_one(WicePacketArena *arena, const uint8_t *frame, size_t length)
{
	WiceVirtioHeader virtio;
	WiceIpHeader ip;
	if (length < sizeof virtio)
		return;
	memcpy(&virtio, frame, sizeof virtio);
	frame += sizeof virtio;
	length -= sizeof virtio;
	if (!wice__offload_split_room(arena))
		wice__packet_arena_empty(arena);
	size_t before = arena->n;
	if (!feed(arena, &virtio, frame, length)) {
		g_assert(arena->n == before && !wice__offload_split_waits(arena));
		return;
	}
	g_assert(wice__ip_header(frame, length, &ip));
	size_t n = arena->n - before, sum = check_packets(arena, before);
	size_t first = arena->packets[before].length;
	while (wice__offload_split_waits(arena)) {
		wice__packet_arena_empty(arena);
		wice__offload_split_resume(arena);
		n += arena->n;
		sum += check_packets(arena, 0);
	}
	/* Each but the last has the payload that was asked for, and one header is the frame's. */
	g_assert(sum == ip.length + (n - 1) * (first - (n > 1 ? virtio.gso_size : 0)));
}

static void split_all(size_t mtu, const uint8_t *data, size_t size)
{
	WicePacketArena *arena = fresh_arena(mtu);
	const uint8_t *frame;
	size_t length;
	while (next_block(&data, &size, &frame, &length))
		split_one(arena, frame, length);
}

static void mend(const WicePacket *packet)
{
	WiceIpHeader ip;
	uint8_t *data = packet->data;
	wice__ip_header(data, packet->length, &ip);
	bool ipv4 = ip.family == WICE_FAMILY_IPV4;
	size_t transport = ipv4 ? (size_t)(data[0] & 15) * 4 : 40;
	uint8_t protocol = data[ipv4 ? 9 : 6];
	size_t field = transport + (protocol == WICE_PROTOCOL_TCP ? 16 : 6);
	if (ipv4) {
		wice__put_be16(data + 10, 0);
		wice__checksum_put(data + 10, wice__checksum_add(0, data, transport));
	}
	if (field + 2 > packet->length)
		return;
	wice__put_be16(data + field, 0);
	size_t length = packet->length - transport;
	uint64_t sum = wice__checksum_pseudo(&ip, protocol, length);
	wice__checksum_put(data + field, wice__checksum_add(sum, data + transport, length));
}

static void normalise(uint8_t *packet)
{
	/* The identification of what is not fragmented means nothing; -0 is 0. */
	if (packet[0] >> 4 == 4) {
		memset(packet + 4, 0, packet[6] & 0x40 ? 2 : 0);
		memset(packet + 10, 0, 2);
	}
	uint8_t *transport = packet + (packet[0] >> 4 == 4 ? 20 : 40);
	bool tcp = packet[packet[0] >> 4 == 4 ? 9 : 6] == WICE_PROTOCOL_TCP;
	uint8_t *field = transport + (tcp ? WICE_TCP_CHECKSUM : WICE_UDP_CHECKSUM);
	if (wice__get_be16(field) == 0)
		wice__put_be16(field, 0xffff);
}

static void check_split(WicePacketArena *arena, const WiceOffloadJoin *join,
			const WiceOffloadFrame *frame, const uint8_t *written, size_t length)
{
	WiceVirtioHeader virtio;
	memcpy(&virtio, written, sizeof virtio);
	wice__packet_arena_empty(arena);
	g_assert(feed(arena, &virtio, written + sizeof virtio, length - sizeof virtio));
	g_assert(arena->n == frame->n);
	for (size_t k = 0, i = frame->first; k < frame->n; k++, i = join->next[i]) {
		const WicePacket *in = &join->packets[i], *out = &arena->packets[k];
		g_assert(in->length == out->length);
		if (frame->n > 1) {
			normalise(in->data);
			normalise(out->data);
		}
		g_assert(memcmp(in->data, out->data, in->length) == 0);
	}
}

static void join_batch(WicePacketArena *arena, const WicePacket *packets, size_t n)
{
	static WiceOffloadJoin join;
	static uint8_t written[sizeof(WiceVirtioHeader) + WICE_PACKET_MAX];
	size_t n_packets = 0;
	wice__offload_join(&join, packets, n, true, true);
	for (size_t f = 0; f < join.n_frames; f++) {
		uint8_t head[WICE_OFFLOAD_JOIN_HEAD];
		WiceOffloadPiece pieces[WICE_OFFLOAD_JOIN_PIECES];
		size_t length = 0;
		size_t n_pieces = wice__offload_join_pieces(&join, &join.frames[f], head, pieces);
		for (size_t i = 0; i < n_pieces; i++) {
			g_assert(length + pieces[i].length <= sizeof written);
			memcpy(written + length, pieces[i].data, pieces[i].length);
			length += pieces[i].length;
		}
		n_packets += join.frames[f].n;
		check_split(arena, &join, &join.frames[f], written, length);
	}
	g_assert(n_packets == n);
}

static void join_all(bool mended, const uint8_t *data, size_t size)
{
	WicePacket packets[WICE_OFFLOAD_JOIN_MAX];
	const uint8_t *block;
	size_t length, n = 0;
	while (n < WICE_OFFLOAD_JOIN_MAX && next_block(&data, &size, &block, &length)) {
		WiceIpHeader ip;
		if (!wice__ip_header(block, length, &ip))
			continue;
		packets[n] = (WicePacket){ g_memdup2(block, ip.length), ip.length };
		if (mended)
			mend(&packets[n]);
		n++;
	}
	bool fits = true;
	for (size_t i = 0; i < n; i++)
		fits = fits && packets[i].length <= mtus[JOIN_MTU];
	if (fits)
		join_batch(fresh_arena(JOIN_MTU), packets, n);
	for (size_t i = 0; i < n; i++)
		g_free(packets[i].data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	if (data[0] & MODE_JOIN)
		join_all(data[0] & MODE_MEND, data + 1, size - 1);
	else
		split_all((data[0] >> 1) % G_N_ELEMENTS(mtus), data + 1, size - 1);
	return 0;
}
