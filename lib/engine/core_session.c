/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions of a peer and their rotation. The one that we seal with is the current one. A session
 * that the peer has begun waits as the next one until the peer has used it: only then is it known
 * that our response has arrived. The previous one still opens what was on the way.
 *
 * When both ends begin at once, two sessions come of it. Each end seals with its own at first, and with
 * the other's once that was used, so that they could go on swapping, or renew both for ever. So one of
 * them is preferred: the one that was begun by the end with the smaller key. An end that has the other
 * one as its current session changes over when something comes in the preferred one, which proves
 * that the peer has it.
 */
#include "engine/core_private.h"

#include <sodium.h>
#include <string.h>

/* 21 12 a4 42 where STUN has its magic cookie would make our data look like STUN (RFC 8489). */
#define STUN_COOKIE 0x42a41221u

uint32_t wice__core_new_index(WiceCore *core)
{
	uint32_t index;
	do
		core->hooks->random(&index, sizeof index, core->user_data);
	while (index == 0 || index == STUN_COOKIE ||
	       g_hash_table_contains(core->indices, GUINT_TO_POINTER(index)));
	return index;
}

void wice__core_register(WiceCore *core, WiceIndexEntry *entry)
{
	entry->index = wice__core_new_index(core);
	wice__core_hold_lanes(core);
	g_hash_table_insert(core->indices, GUINT_TO_POINTER(entry->index), entry);
	wice__core_release_lanes(core);
}

void wice__core_unregister(WiceCore *core, WiceIndexEntry *entry)
{
	if (entry->index)
		g_hash_table_remove(core->indices, GUINT_TO_POINTER(entry->index));
	entry->index = 0;
}

void wice__core_end_session(WiceCore *core, WiceCoreSession **session)
{
	if (!*session)
		return;
	wice__core_unregister(core, &(*session)->entry);
	g_mutex_clear(&(*session)->replay_lock);
	sodium_memzero(*session, sizeof(**session));
	g_free(*session);
	*session = NULL;
}

static WiceCoreSession *make_session(WiceCore *core, WiceCorePeer *peer, const WiceNoiseKeys *keys,
				     WiceNow now)
{
	WiceCoreSession *session = g_new0(WiceCoreSession, 1);
	session->entry = (WiceIndexEntry){ keys->local_index, peer, session };
	session->remote_index = keys->remote_index;
	session->initiator = keys->initiator;
	session->preferred = keys->initiator == (wice_key_compare(&core->identity.public_key,
								  &peer->noise.public_key) < 0);
	session->born_ms = now.ms;
	memcpy(session->send_key, keys->send, sizeof session->send_key);
	memcpy(session->receive_key, keys->receive, sizeof session->receive_key);
	g_mutex_init(&session->replay_lock);
	/* Of an initiation of ours: the index was the handshake's and is the session's now. */
	g_hash_table_insert(core->indices, GUINT_TO_POINTER(keys->local_index), &session->entry);
	return session;
}

/* Of two that were begun at once: within that time no end begins a handshake after another. */
static bool are_siblings(const WiceCoreSession *a, const WiceCoreSession *b)
{
	return ABS(a->born_ms - b->born_ms) < REKEY_TIMEOUT;
}

/*
 * We began it and the peer has answered: it can be used at once. A session that the peer began at the
 * same time it may yet use; what is older it has given up.
 */
static void install_initiated(WiceCore *core, WiceCorePeer *peer, WiceCoreSession *session)
{
	if (peer->next && !are_siblings(peer->next, session))
		wice__core_end_session(core, &peer->next);
	wice__core_end_session(core, &peer->previous);
	peer->previous = peer->current;
	peer->current = session;
}

static void install_answered(WiceCore *core, WiceCorePeer *peer, WiceCoreSession *session)
{
	wice__core_end_session(core, &peer->next);
	peer->next = session;
}

bool wice__session_takes_over(const WiceCorePeer *peer, const WiceCoreSession *session)
{
	if (session == peer->next)
		return true;
	return session == peer->previous && session->preferred && peer->current &&
	       !peer->current->preferred && are_siblings(session, peer->current);
}

void wice__core_begin_session(WiceCore *core, WiceCorePeer *peer, const WiceNoiseKeys *keys,
			      WiceNow now)
{
	wice__core_hold_lanes(core);
	WiceCoreSession *session = make_session(core, peer, keys, now);
	if (keys->initiator)
		install_initiated(core, peer, session);
	else
		install_answered(core, peer, session);
	wice__core_release_lanes(core);
	peer->forget_ms = now.ms + FORGET_AFTER_TIME;
}

void wice__core_confirm_session(WiceCore *core, WiceCorePeer *peer, WiceCoreSession *session,
				WiceNow now)
{
	if (!wice__session_takes_over(peer, session))
		return;
	bool is_new = session == peer->next;
	wice__core_hold_lanes(core);
	if (is_new) {
		wice__core_end_session(core, &peer->previous);
		peer->next = NULL;
	}
	peer->previous = peer->current;
	peer->current = session;
	wice__core_release_lanes(core);
	if (is_new)
		wice__core_handshake_complete(core, peer, now);
}

/* No batch is large enough to come from below this to a counter that must not be used. */
#define LAST_COUNTER (WICE_REJECT_AFTER_MESSAGES - 65536)

bool wice__session_spent(const WiceCoreSession *session, int64_t now_ms)
{
	return now_ms - session->born_ms >= REJECT_AFTER_TIME ||
	       atomic_load_explicit(&session->counter, memory_order_relaxed) >= LAST_COUNTER;
}

bool wice__session_old(const WiceCoreSession *session, int64_t now_ms)
{
	return (session->initiator && now_ms - session->born_ms >= REKEY_AFTER_TIME) ||
	       atomic_load_explicit(&session->counter, memory_order_relaxed) > REKEY_AFTER_MESSAGES;
}

/* Bytes to add so that lengths tell less; an MTU's worth of bytes is never exceeded for it. */
static uint32_t padding(uint32_t length, uint32_t mtu)
{
	uint32_t padded = (length + WICE_PACKET_PADDING - 1) & ~(WICE_PACKET_PADDING - 1u);
	if (length <= mtu && padded > mtu)
		padded = mtu;
	return padded - length;
}

void wice__session_seal(WiceCoreSession *session, const WiceAeadProvider *aead, uint32_t mtu,
			const WicePacket *packets, size_t n, WiceBindPacket *ret_sealed)
{
	uint64_t counter = atomic_fetch_add_explicit(&session->counter, n, memory_order_relaxed);
	WiceAeadPacket batch[WICE_AEAD_MAX_BATCH];
	for (size_t i = 0; i < n; i++) {
		uint8_t *data = packets[i].data, *header = data - WICE_MESSAGE_HEADER_LEN;
		uint32_t pad = padding(packets[i].length, mtu), length = packets[i].length + pad;
		memset(data + packets[i].length, 0, pad);
		wice__put_le32(header, WICE_MESSAGE_TRANSPORT);
		wice__put_le32(header + 4, session->remote_index);
		wice__put_le64(header + 8, counter + i);
		batch[i] = (WiceAeadPacket){ data, length, false, counter + i };
		ret_sealed[i] = (WiceBindPacket){ header, length + WICE_MESSAGE_MIN_TRANSPORT };
	}
	aead->seal(session->send_key, batch, n);
}
