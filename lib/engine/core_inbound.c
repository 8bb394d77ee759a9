/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the bind to the TUN: messages are sorted by session, those of a session are opened together,
 * and what comes out must be an IP packet from an address that is the peer's.
 */
#include "engine/core_private.h"

static void add_received(WiceLane *lane, uint8_t *data, size_t length, const WiceBindPath *path)
{
	WiceReceived received = { data, (uint32_t)length, wice__get_le32(data + 4), false, path };
	g_array_append_val(lane->received, received);
}

/* Takes a datagram apart: transport messages into lane->received, the rest to handshake. */
static void sort_out(WiceLane *lane, const WiceBindDatagram *datagram,
		     WiceLaneHandshakeFunc handshake, void *user_data)
{
	size_t step = datagram->segment ? datagram->segment : datagram->length;
	for (size_t at = 0; at < datagram->length; at += step) {
		uint8_t *data = datagram->data + at;
		size_t length = MIN(step, datagram->length - at);
		switch (wice__message_type(data, length)) {
		case WICE_MESSAGE_TRANSPORT:
			add_received(lane, data, length, &datagram->path);
			break;
		case WICE_MESSAGE_INVALID:
			lane->counters.invalid++;
			break;
		default:
			handshake(data, length, &datagram->path, user_data);
		}
	}
}

/* The packets of a session that are opened in one go. */
typedef struct {
	WiceAeadPacket packets[WICE_AEAD_MAX_BATCH];
	const WiceReceived *received[WICE_AEAD_MAX_BATCH];
	size_t n;
} Batch;

/* Collects up to a batch of messages with the index of the first, from there on. */
static void collect(WiceLane *lane, size_t first, Batch *ret_batch)
{
	uint32_t index = g_array_index(lane->received, WiceReceived, first).index;
	ret_batch->n = 0;
	for (size_t i = first; i < lane->received->len && ret_batch->n < WICE_AEAD_MAX_BATCH; i++) {
		WiceReceived *received = &g_array_index(lane->received, WiceReceived, i);
		if (received->taken || received->index != index)
			continue;
		received->taken = true;
		ret_batch->received[ret_batch->n++] = received;
	}
}

/* Opens them and keeps those that are authentic and new. */
static void open_batch(WiceLane *lane, WiceCoreSession *session, Batch *batch)
{
	size_t kept = 0;
	for (size_t i = 0; i < batch->n; i++) {
		const WiceReceived *received = batch->received[i];
		batch->packets[i] = (WiceAeadPacket){
			.data = received->data + WICE_MESSAGE_HEADER_LEN,
			.length = received->length - (uint32_t)WICE_MESSAGE_MIN_TRANSPORT,
			.counter = wice__get_le64(received->data + 8),
		};
	}
	lane->core->aead->open(session->receive_key, batch->packets, batch->n);
	g_mutex_lock(&session->replay_lock);
	for (size_t i = 0; i < batch->n; i++) {
		if (!batch->packets[i].ok) {
			lane->counters.forged++;
			continue;
		}
		if (!wice__replay_accept(&session->replay, batch->packets[i].counter)) {
			lane->counters.replayed++;
			continue;
		}
		batch->packets[kept] = batch->packets[i];
		batch->received[kept++] = batch->received[i];
	}
	g_mutex_unlock(&session->replay_lock);
	batch->n = kept;
}

/* Hands the IP packets on. True if there was any data. */
static bool deliver(WiceLane *lane, const WiceCorePeer *peer, const Batch *batch)
{
	WiceIpHeader header, last = { 0 };
	bool data = false;
	for (size_t i = 0; i < batch->n; i++) {
		WicePacket packet = { batch->packets[i].data, batch->packets[i].length };
		if (packet.length == 0)
			continue; /* a keepalive */
		data = true;
		if (!wice__ip_header(packet.data, packet.length, &header)) {
			lane->counters.not_ip++;
			continue;
		}
		if (!wice__same_address(header.family, header.source, last.family, last.source)) {
			if (wice__core_owner(lane->core, header.family, header.source) != peer) {
				lane->counters.spoofed++;
				continue;
			}
			last = header;
		}
		packet.length = header.length;
		g_array_append_val(lane->opened, packet);
	}
	return data;
}

/* Authentic packets of the session have come: what follows for the peer. */
static void note(WiceLane *lane, WiceCoreSession *session, const Batch *batch, bool data,
		 int64_t now_ms)
{
	WiceCorePeer *peer = session->entry.peer;
	const WiceBindPath *path = batch->received[batch->n - 1]->path;
	uint32_t index = session->entry.index;
	uint64_t bytes = 0;
	for (size_t i = 0; i < batch->n; i++)
		bytes += batch->received[i]->length;
	atomic_fetch_add_explicit(&peer->rx_bytes, bytes, memory_order_relaxed);
	if (!wice__same_path(path, &peer->path))
		wice__lane_tell(lane, WICE_REPORT_ROAMED, index, path);
	if (wice__session_takes_over(peer, session))
		wice__lane_tell(lane, WICE_REPORT_CONFIRMED, index, NULL);
	if (wice__peer_received(peer, now_ms, data))
		wice__lane_tell(lane, WICE_REPORT_LOOK, index, NULL);
	if (session->initiator && now_ms - session->born_ms >= LAST_MINUTE &&
	    !atomic_exchange(&session->last_minute_told, true))
		wice__lane_tell(lane, WICE_REPORT_REKEY, index, NULL);
}

/* Opens the first message, and with it others of its session. */
static void open_some(WiceLane *lane, size_t first, int64_t now_ms)
{
	uint32_t index = g_array_index(lane->received, WiceReceived, first).index;
	WiceIndexEntry *entry = g_hash_table_lookup(lane->core->indices, GUINT_TO_POINTER(index));
	Batch batch;
	if (!entry || !entry->session) {
		lane->counters.unknown_index++;
		return;
	}
	if (now_ms - entry->session->born_ms >= REJECT_AFTER_TIME) {
		lane->counters.expired++;
		return;
	}
	collect(lane, first, &batch);
	open_batch(lane, entry->session, &batch);
	if (batch.n)
		note(lane, entry->session, &batch, deliver(lane, entry->peer, &batch), now_ms);
}

size_t wice__lane_open(WiceLane *lane, const WiceBindDatagram *datagrams, size_t n, int64_t now_ms,
		       WiceLaneHandshakeFunc handshake, void *user_data, WicePacket **ret_packets)
{
	g_array_set_size(lane->received, 0);
	g_array_set_size(lane->opened, 0);
	for (size_t i = 0; i < n; i++)
		sort_out(lane, &datagrams[i], handshake, user_data);
	g_mutex_lock(&lane->mutex);
	for (size_t i = 0; lane->core->up && i < lane->received->len; i++)
		if (!g_array_index(lane->received, WiceReceived, i).taken)
			open_some(lane, i, now_ms);
	g_mutex_unlock(&lane->mutex);
	*ret_packets = (WicePacket *)(void *)lane->opened->data;
	return lane->opened->len;
}
