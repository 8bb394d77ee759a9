/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Packets that wait for a session. Bounded per peer and in all; the oldest give way. */
#include "engine/core_private.h"

#include <sodium.h>
#include <string.h>

static size_t size_of(uint32_t length)
{
	return sizeof(WiceStaged) + WICE_PACKET_HEADROOM + length + WICE_PACKET_TAILROOM;
}

static WiceStaged *pop(WiceCore *core, WiceCorePeer *peer)
{
	WiceStaged *staged = g_queue_pop_head(&peer->staged);
	if (staged)
		core->staged_bytes -= size_of(staged->length);
	return staged;
}

static void push(WiceCore *core, WiceCorePeer *peer, const uint8_t *data, uint32_t length)
{
	WiceStaged *staged = g_malloc(size_of(length));
	staged->length = length;
	if (length)
		memcpy(staged->bytes + WICE_PACKET_HEADROOM, data, length);
	core->staged_bytes += size_of(length);
	g_queue_push_tail(&peer->staged, staged);
}

void wice__core_stage(WiceCore *core, WiceCorePeer *peer, const WicePacket *packet)
{
	size_t size = size_of(packet->length);
	while (peer->staged.length >= MAX_STAGED ||
	       (peer->staged.length && core->staged_bytes + size > MAX_STAGED_BYTES)) {
		g_free(pop(core, peer));
		core->counters.staged_dropped++;
	}
	if (core->staged_bytes + size > MAX_STAGED_BYTES) {
		core->counters.staged_dropped++;
		return;
	}
	push(core, peer, packet->data, packet->length);
}

void wice__core_drop_staged(WiceCore *core, WiceCorePeer *peer)
{
	core->counters.staged_dropped += peer->staged.length;
	while (peer->staged.length)
		g_free(pop(core, peer));
}

/* Seals and sends up to a batch of what waits. */
static void send_some(WiceCore *core, WiceCorePeer *peer, WiceNow now)
{
	WiceStaged *staged[WICE_AEAD_MAX_BATCH];
	WicePacket packets[WICE_AEAD_MAX_BATCH];
	WiceBindPacket sealed[WICE_AEAD_MAX_BATCH];
	bool data = false;
	size_t n = 0;
	for (; n < WICE_AEAD_MAX_BATCH && peer->staged.length; n++) {
		staged[n] = pop(core, peer);
		packets[n].data = staged[n]->bytes + WICE_PACKET_HEADROOM;
		packets[n].length = staged[n]->length;
		data = data || staged[n]->length > 0;
	}
	wice__session_seal(peer->current, core->aead, core->mtu, packets, n, sealed);
	wice__core_send(core, peer, sealed, n, data, now);
	for (size_t i = 0; i < n; i++)
		g_free(staged[i]);
}

void wice__core_flush(WiceCore *core, WiceCorePeer *peer, WiceNow now)
{
	if (!peer->staged.length && !peer->wants_keepalive)
		return;
	if (!peer->current || wice__session_spent(peer->current, now.ms)) {
		peer->wants_handshake = true;
		return;
	}
	if (!peer->staged.length)
		push(core, peer, NULL, 0);
	peer->wants_keepalive = false;
	while (peer->staged.length)
		send_some(core, peer, now);
	if (wice__session_old(peer->current, now.ms))
		peer->wants_handshake = true;
}
