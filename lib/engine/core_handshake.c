/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handshakes: those that we begin, and what comes in. A handshake that we have begun is kept beside
 * the ones that the peer begins: when both begin at the same moment, both come to a session, where
 * giving up ours for theirs on each side would leave neither.
 */
#include "engine/core_private.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

static void random_bytes(WiceCore *core, void *bytes, size_t n)
{
	core->hooks->random(bytes, n, core->user_data);
}

/* A timestamp that is later than any before, whatever the clock does. */
static void timestamp(WiceCore *core, WiceNow now, uint8_t ret_timestamp[WICE_TAI64N_LEN])
{
	const int64_t granularity = INT64_C(1) << 24;
	core->timestamp_ns = MAX(now.realtime_ns, core->timestamp_ns + granularity);
	wice__tai64n(core->timestamp_ns, ret_timestamp);
}

void wice__core_end_handshake(WiceCore *core, WiceCorePeer *peer)
{
	if (!peer->handshake)
		return;
	wice__core_unregister(core, &peer->handshake_entry);
	sodium_memzero(peer->handshake, sizeof *peer->handshake);
	g_clear_pointer(&peer->handshake, g_free);
}

static void end_handshake_held(WiceCore *core, WiceCorePeer *peer)
{
	wice__core_hold_lanes(core);
	wice__core_end_handshake(core, peer);
	wice__core_release_lanes(core);
}

/* Sends a handshake message to the peer, with its macs. */
static void send_message(WiceCore *core, WiceCorePeer *peer, uint8_t *message, size_t length,
			 WiceNow now)
{
	uint8_t buffer[WICE_PACKET_BIND_HEADROOM + WICE_MESSAGE_MAX_HANDSHAKE];
	uint8_t *data = buffer + WICE_PACKET_BIND_HEADROOM;
	WiceBindPacket packet = { data, (uint32_t)length };
	wice__cookie_add_macs(&peer->cookie, message, length, now.ms);
	memcpy(data, message, length);
	peer->shaken_ms = now.ms;
	wice__core_send(core, peer, &packet, 1, false, now);
}

static int make_initiation(WiceCore *core, WiceCorePeer *peer, WiceNow now,
			   WiceMessageInitiation *ret_message)
{
	uint8_t ephemeral[32], time[WICE_TAI64N_LEN];
	end_handshake_held(core, peer);
	peer->handshake = g_new0(WiceNoiseHandshake, 1);
	wice__core_register(core, &peer->handshake_entry);
	random_bytes(core, ephemeral, sizeof ephemeral);
	timestamp(core, now, time);
	int r = wice__noise_create_initiation(peer->handshake, &peer->noise, &core->identity,
					      ephemeral, time, peer->handshake_entry.index,
					      ret_message);
	sodium_memzero(ephemeral, sizeof ephemeral);
	if (r < 0)
		end_handshake_held(core, peer);
	return r;
}

void wice__core_initiate(WiceCore *core, WiceCorePeer *peer, WiceNow now)
{
	WiceMessageInitiation message;
	uint32_t jitter;
	if (peer->shaken_ms != INT64_MIN && now.ms - peer->shaken_ms < REKEY_TIMEOUT)
		return;
	peer->wants_handshake = false;
	random_bytes(core, &jitter, sizeof jitter);
	peer->jitter_ms = jitter % (MAX_JITTER + 1);
	if (make_initiation(core, peer, now, &message) < 0) {
		/* The peer's key is of low order: there will never be a session. */
		wice__core_drop_staged(core, peer);
		peer->wants_keepalive = false;
		/* To try is work: not all the time. */
		peer->shaken_ms = now.ms;
		peer->sent_ms = now.ms;
		return;
	}
	peer->retry_ms = now.ms + REKEY_TIMEOUT + peer->jitter_ms;
	send_message(core, peer, (uint8_t *)&message, sizeof message, now);
}

/* The peer has authenticated itself with a handshake message from path. */
static void heard_from(WiceCore *core, WiceCorePeer *peer, const WiceBindPath *path, size_t length,
		       WiceNow now)
{
	wice__core_heard_on(core, peer, path);
	peer->rx_bytes += length;
	wice__peer_received(peer, now.ms, false);
}

static int respond(WiceCore *core, WiceCorePeer *peer, WiceNoiseHandshake *handshake, WiceNow now)
{
	WiceMessageResponse message;
	WiceNoiseKeys keys;
	uint8_t ephemeral[32];
	random_bytes(core, ephemeral, sizeof ephemeral);
	int r = wice__noise_create_response(handshake, &peer->noise, ephemeral,
					    wice__core_new_index(core), &message);
	sodium_memzero(ephemeral, sizeof ephemeral);
	if (r == 0)
		r = wice__noise_begin_session(handshake, &keys);
	if (r < 0)
		return r;
	wice__core_begin_session(core, peer, &keys, now);
	sodium_memzero(&keys, sizeof keys);
	send_message(core, peer, (uint8_t *)&message, sizeof message, now);
	return 0;
}

static int read_initiation(WiceCore *core, const WiceMessageInitiation *message,
			   const WiceBindPath *path, WiceNow now)
{
	WiceNoiseInitiation initiation;
	WiceNoiseHandshake handshake = { 0 };
	int r = wice__noise_read_initiation(&core->identity, message, &initiation);
	if (r < 0)
		return r;
	WiceCorePeer *peer = wice__core_find_peer(core, &initiation.public_key);
	if (!peer)
		return -ENOENT;
	if (peer->answered_ms != INT64_MIN && now.ms - peer->answered_ms < INITIATION_INTERVAL)
		return -EBUSY;
	r = wice__noise_accept_initiation(&handshake, &peer->noise, &core->identity, &initiation,
					  message);
	if (r == 0) {
		peer->answered_ms = now.ms;
		heard_from(core, peer, path, sizeof *message, now);
		r = respond(core, peer, &handshake, now);
		wice__core_look(core, peer, now);
	}
	sodium_memzero(&handshake, sizeof handshake);
	sodium_memzero(&initiation, sizeof initiation);
	return r;
}

static int read_response(WiceCore *core, const WiceMessageResponse *message,
			 const WiceBindPath *path, WiceNow now)
{
	uint32_t index = wice__get_le32(message->receiver);
	WiceIndexEntry *entry = g_hash_table_lookup(core->indices, GUINT_TO_POINTER(index));
	WiceNoiseKeys keys;
	if (!entry || entry->session || !entry->peer->handshake)
		return -ENOENT;
	WiceCorePeer *peer = entry->peer;
	int r = wice__noise_read_response(peer->handshake, &peer->noise, &core->identity, message);
	if (r == 0)
		r = wice__noise_begin_session(peer->handshake, &keys);
	if (r < 0)
		return r;
	heard_from(core, peer, path, sizeof *message, now);
	peer->handshake_entry.index = 0; /* it is the session's now */
	wice__core_begin_session(core, peer, &keys, now);
	sodium_memzero(&keys, sizeof keys);
	wice__core_handshake_complete(core, peer, now);
	/* The peer must not use the session before it has heard from us in it. */
	peer->wants_keepalive = true;
	wice__core_look(core, peer, now);
	return 0;
}

static int read_cookie(WiceCore *core, const WiceMessageCookie *message, WiceNow now)
{
	uint32_t index = wice__get_le32(message->receiver);
	WiceIndexEntry *entry = g_hash_table_lookup(core->indices, GUINT_TO_POINTER(index));
	if (!entry)
		return -ENOENT;
	return wice__cookie_read_reply(&entry->peer->cookie, message, now.ms);
}

static void send_cookie(WiceCore *core, const uint8_t *data, size_t length,
			const WiceBindPath *path, WiceNow now)
{
	uint8_t buffer[WICE_PACKET_BIND_HEADROOM + sizeof(WiceMessageCookie)];
	uint8_t nonce[24], secret[32];
	WiceMessageCookie reply;
	WiceBindPacket packet = { buffer + WICE_PACKET_BIND_HEADROOM, sizeof reply };
	WiceBindPath back = *path;
	random_bytes(core, nonce, sizeof nonce);
	random_bytes(core, secret, sizeof secret);
	wice__cookie_reply(&core->checker, data, length, &path->remote, nonce, secret, now.ms,
			   &reply);
	sodium_memzero(secret, sizeof secret);
	memcpy(packet.data, &reply, sizeof reply);
	core->hooks->send(&back, &packet, 1, core->user_data);
	core->counters.cookies_sent++;
}

/* True if an initiation or response is worth the work that it asks for. */
static bool admit(WiceCore *core, const uint8_t *data, size_t length, const WiceBindPath *path,
		  bool under_load, WiceNow now)
{
	WiceMacState state =
		wice__cookie_check(&core->checker, data, length, &path->remote, under_load, now.ms);
	if (state == WICE_MAC_INVALID) {
		core->counters.bad_handshake++;
		return false;
	}
	if (!under_load)
		return true;
	if (state != WICE_MAC_WITH_COOKIE) {
		send_cookie(core, data, length, path, now);
		return false;
	}
	core->limit_ms = MIN(core->limit_ms, now.ms + 1000);
	if (wice__rate_limit_allow(core->limit, &path->remote.address, now.ms))
		return true;
	core->counters.rate_limited++;
	return false;
}

static int read_message(WiceCore *core, const uint8_t *data, size_t length,
			const WiceBindPath *path, WiceNow now)
{
	switch (wice__message_type(data, length)) {
	case WICE_MESSAGE_INITIATION:
		return read_initiation(core, (const WiceMessageInitiation *)data, path, now);
	case WICE_MESSAGE_RESPONSE:
		return read_response(core, (const WiceMessageResponse *)data, path, now);
	default:
		return -EINVAL;
	}
}

void wice__core_handshake(WiceCore *core, const uint8_t *data, size_t length,
			  const WiceBindPath *path, bool under_load, WiceNow now)
{
	int r = 0;
	g_mutex_lock(&core->mutex);
	if (core->up && core->has_identity) {
		if (wice__message_type(data, length) == WICE_MESSAGE_COOKIE)
			r = read_cookie(core, (const WiceMessageCookie *)data, now);
		else if (admit(core, data, length, path, under_load, now))
			r = read_message(core, data, length, path, now);
		core->counters.bad_handshake += r < 0;
	}
	g_mutex_unlock(&core->mutex);
}
