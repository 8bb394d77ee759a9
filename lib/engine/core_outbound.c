/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* From the TUN to the bind: whose each packet is, then seal those of each peer together. */
#include "engine/core_private.h"

#include "engine/offload.h"

#define IPV6_FRAGMENT 44
#define LOOP_LEN 16 /* of UDP: its header, a message's type and receiver */

WiceCorePeer *wice__core_route(const WiceCore *core, const WicePacket *packet)
{
	WiceIpHeader header;
	if (!wice__ip_header(packet->data, packet->length, &header))
		return NULL;
	return wice__core_owner(core, header.family, header.destination);
}

static bool is_at(const WiceCorePeer *peer, const WiceIpHeader *header)
{
	const WiceAddress *address = &peer->path.remote.address;
	return wice__same_address(header->family, header->destination, address->family,
				  address->bytes);
}

/* The UDP datagram that begins in a packet, or NULL. */
static const uint8_t *find_udp(const WicePacket *packet, const WiceIpHeader *header)
{
	const uint8_t *data = packet->data;
	size_t at = header->family == WICE_FAMILY_IPV4 ? (size_t)(data[0] & 15) * 4 : 40;
	uint8_t protocol = header->family == WICE_FAMILY_IPV4 ? data[9] : data[6];
	bool begins = header->family != WICE_FAMILY_IPV4 || !(wice__get_be16(data + 6) & 0x1fff);
	if (protocol == IPV6_FRAGMENT && header->family == WICE_FAMILY_IPV6 &&
	    at + 8 <= header->length) {
		protocol = data[at];
		begins = !(wice__get_be16(data + at + 2) & 0xfff8);
		at += 8;
	}
	if (protocol != WICE_PROTOCOL_UDP || !begins || at + LOOP_LEN > header->length)
		return NULL;
	return data + at;
}

/*
 * True if it is what we have sent to the peer: somebody has routed its endpoint into the tunnel. Each
 * turn would make a packet larger, until it is cut into two, and so on for ever.
 */
static bool is_own(const WiceCorePeer *peer, const WicePacket *packet, const WiceIpHeader *header)
{
	const uint8_t *udp = find_udp(packet, header);
	return udp && wice__get_be16(udp + 2) == peer->path.remote.port &&
	       wice__get_le32(udp + 8) == WICE_MESSAGE_TRANSPORT && peer->current &&
	       wice__get_le32(udp + 12) == peer->current->remote_index;
}

/* Fills lane->routed with the peer of each packet, or NULL. Equal destinations are looked up once. */
static void route(WiceLane *lane, const WicePacket *packets, size_t n)
{
	WiceIpHeader header, last = { 0 };
	WiceCorePeer **routed, *peer = NULL;
	bool may_loop = false;
	g_array_set_size(lane->routed, (guint)n);
	routed = (WiceCorePeer **)(void *)lane->routed->data;
	for (size_t i = 0; i < n; i++) {
		routed[i] = NULL;
		if (wice__ip_header(packets[i].data, packets[i].length, &header)) {
			if (!wice__same_address(header.family, header.destination, last.family,
						last.destination)) {
				peer = wice__core_owner(lane->core, header.family,
							header.destination);
				may_loop = peer && is_at(peer, &header);
			}
			last = header;
			if (!may_loop || !is_own(peer, &packets[i], &header))
				routed[i] = peer;
		}
		if (!routed[i])
			lane->counters.no_peer++;
	}
}

/* Collects the packets from the first on that are its peer's, and takes them out of routed. */
static void collect(WiceLane *lane, const WicePacket *packets, size_t first, size_t n)
{
	WiceCorePeer **routed = (WiceCorePeer **)(void *)lane->routed->data, *peer = routed[first];
	g_array_set_size(lane->batch, 0);
	for (size_t i = first; i < n; i++) {
		if (routed[i] != peer)
			continue;
		g_array_append_val(lane->batch, packets[i]);
		routed[i] = NULL;
	}
}

/* Seals lane->batch behind what is in lane->sealed, whose memory is large enough. */
static void seal_run(WiceLane *lane, WiceCorePeer *peer, int64_t now_ms)
{
	const WicePacket *packets = (const WicePacket *)(void *)lane->batch->data;
	size_t n = lane->batch->len, first = lane->sealed->len;
	WiceCoreSession *session = peer->current;
	WiceLaneRun run = { .path = peer->path, .n = n, .session = session->entry.index };
	uint64_t bytes = 0;
	g_array_set_size(lane->sealed, (guint)(first + n));
	WiceBindPacket *sealed = &g_array_index(lane->sealed, WiceBindPacket, first);
	for (size_t i = 0; i < n; i += WICE_AEAD_MAX_BATCH)
		wice__session_seal(session, lane->core->aead, lane->core->mtu, packets + i,
				   MIN(n - i, WICE_AEAD_MAX_BATCH), sealed + i);
	for (size_t i = 0; i < n; i++)
		bytes += sealed[i].length;
	atomic_fetch_add_explicit(&peer->tx_bytes, bytes, memory_order_relaxed);
	run.packets = sealed;
	g_array_append_val(lane->runs, run);
	if (wice__peer_sent(peer, now_ms, true))
		wice__lane_tell(lane, WICE_REPORT_LOOK, run.session, NULL);
	if (wice__session_old(session, now_ms) && !atomic_exchange(&session->rekey_told, true))
		wice__lane_tell(lane, WICE_REPORT_REKEY, run.session, NULL);
}

static void send_run(WiceLane *lane, WiceCorePeer *peer, int64_t now_ms)
{
	if (peer->path.remote.address.family == WICE_FAMILY_NONE)
		lane->counters.no_endpoint += lane->batch->len;
	else if (!peer->current || wice__session_spent(peer->current, now_ms))
		g_array_append_vals(lane->staging, lane->batch->data, lane->batch->len);
	else
		seal_run(lane, peer, now_ms);
}

size_t wice__lane_seal(WiceLane *lane, const WicePacket *packets, size_t n, int64_t now_ms,
		       const WiceLaneRun **ret_runs)
{
	g_array_set_size(lane->runs, 0);
	/* So that what runs point to does not move. */
	g_array_set_size(lane->sealed, (guint)n);
	g_array_set_size(lane->sealed, 0);
	g_mutex_lock(&lane->mutex);
	if (lane->core->up) {
		route(lane, packets, n);
		for (size_t i = 0; i < n; i++) {
			WiceCorePeer *peer = g_array_index(lane->routed, WiceCorePeer *, i);
			if (!peer)
				continue;
			collect(lane, packets, i, n);
			send_run(lane, peer, now_ms);
		}
	}
	g_mutex_unlock(&lane->mutex);
	*ret_runs = (const WiceLaneRun *)(void *)lane->runs->data;
	return lane->runs->len;
}

void wice__lane_source_cleared(WiceLane *lane, const WiceLaneRun *run)
{
	wice__lane_tell(lane, WICE_REPORT_CLEARED, run->session, NULL);
}
