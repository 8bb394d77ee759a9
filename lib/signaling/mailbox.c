/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One end of one pair of keys: seals what goes out, and decides what to believe of what comes in.
 *
 * The box is crypto_box_easy (X25519, XSalsa20-Poly1305): MAC, then ciphertext. Both ends derive
 * the same secret, so a box proves "one of us two made it" and no more. Everything else follows
 * from what is inside:
 *
 *   the two keys      A box that we made opens for us too. Whoever returns it with sender and
 *                     recipient exchanged is found out, because inside it is still from us.
 *   epoch, counter    A life of the sender, and the number of the message in it. Only what is
 *                     newer than the newest is believed, so a backend may lose, repeat and
 *                     reorder as it likes.
 *   echo              What the sender has last believed of us. It says three things: that the
 *                     sender is alive (it names our present epoch, which nobody could record
 *                     before we chose it), which version and capabilities of ours it knows (a
 *                     mismatch is a downgrade), and whether it remembers a later life of ours
 *                     (then our clock went back, and we move past it).
 *
 * What a replay can do: we keep nothing on disk, so after our start the first genuine message of
 * any age is believed. An attacker who recorded old ones can thus show us a former session of the
 * peer: ICE then probes addresses where the peer once was, with a password that only the peer knew,
 * and nobody there can answer. It ends with the first message of the peer's present life, since
 * that has a higher epoch; until then `confirmed` is false. An attacker who can also withhold that
 * message could withhold all of them.
 */
#include "signaling/mailbox.h"
#include "signaling/description.h"
#include "signaling/sealed.h"

#include <sodium.h>
#include <string.h>

G_STATIC_ASSERT(WICE_NONCE_LEN == crypto_box_NONCEBYTES);
G_STATIC_ASSERT(WICE_CONTENTS_MAX + crypto_box_MACBYTES <= WICE_ENVELOPE_MAX / 2);

#define WINDOW_BITS 64

void wice__mailbox_init(WiceMailbox *mailbox, const WiceKey *own_private,
			const WiceKey *peer_public, uint64_t epoch)
{
	memset(mailbox, 0, sizeof *mailbox);
	mailbox->own_private = *own_private;
	mailbox->peer_public = *peer_public;
	mailbox->epoch = CLAMP(epoch, 1, WICE_EPOCH_LIMIT - 1);
	mailbox->capabilities = WICE_CAPABILITIES_ALL;
	wice_key_public(own_private, &mailbox->own_public);
	/*
	 * With a peer of our own key our own messages would come back as genuine ones of the peer.
	 */
	mailbox->usable =
		sodium_init() >= 0 && !wice_key_is_zero(own_private) &&
		wice_key_compare(&mailbox->own_public, peer_public) != 0 &&
		crypto_box_beforenm(mailbox->shared, peer_public->bytes, own_private->bytes) == 0;
}

void wice__mailbox_done(WiceMailbox *mailbox)
{
	sodium_memzero(mailbox, sizeof *mailbox);
}

bool wice__mailbox_seal_bytes(const WiceMailbox *mailbox, const uint8_t *plain, size_t len,
			      WiceEnvelope *ret_envelope, uint8_t ret_body[WICE_ENVELOPE_MAX])
{
	if (!mailbox->usable || len > WICE_ENVELOPE_MAX / 2)
		return false;
	WiceEnvelope envelope = {
		.sender = mailbox->own_public,
		.recipient = mailbox->peer_public,
		.body = ret_body,
		.body_len = len + crypto_box_MACBYTES,
	};
	/* 24 random bytes never meet again: no state has to survive for the nonce to be fresh. */
	randombytes_buf(envelope.nonce, sizeof envelope.nonce);
	if (crypto_box_easy_afternm(ret_body, plain, len, envelope.nonce, mailbox->shared) != 0)
		return false;
	*ret_envelope = envelope;
	return true;
}

bool wice__mailbox_seal(WiceMailbox *mailbox, const WiceDescription *description,
			int64_t realtime_ms, WiceEnvelope *ret_envelope,
			uint8_t ret_body[WICE_ENVELOPE_MAX])
{
	WiceContents contents = {
		.version = WICE_SEALED_VERSION,
		.minimum = WICE_SEALED_VERSION_MINIMUM,
		.sender = mailbox->own_public,
		.recipient = mailbox->peer_public,
		.epoch = mailbox->epoch,
		.counter = mailbox->counter + 1,
		.realtime_ms = realtime_ms,
		.capabilities = mailbox->capabilities,
		.echo = { mailbox->peer_epoch, mailbox->peer_counter, mailbox->peer_version,
			  mailbox->peer_capabilities },
		.description = *description,
	};
	uint8_t plain[WICE_CONTENTS_MAX];
	size_t len = wice__contents_write(&contents, plain, sizeof plain);
	bool sealed = len && wice__mailbox_seal_bytes(mailbox, plain, len, ret_envelope, ret_body);
	if (sealed)
		mailbox->counter++;
	sodium_memzero(plain, sizeof plain);
	sodium_memzero(&contents, sizeof contents);
	return sealed;
}

/* The rules for a genuine message. */

static WiceOpenResult judge_age(const WiceMailbox *mailbox, const WiceContents *contents)
{
	if (contents->epoch != mailbox->peer_epoch)
		return contents->epoch > mailbox->peer_epoch ? WICE_OPEN_OK : WICE_OPEN_STALE_EPOCH;
	if (contents->counter > mailbox->peer_counter)
		return WICE_OPEN_OK;
	uint64_t age = mailbox->peer_counter - contents->counter;
	return age < WINDOW_BITS && mailbox->window >> age & 1 ? WICE_OPEN_REPLAYED
							       : WICE_OPEN_STALE;
}

/* The peer knows a message of ours that we cannot have sent in this life. */
static bool echoes_later_life(const WiceMailbox *mailbox, const WiceEcho *echo)
{
	return echo->epoch > mailbox->epoch ||
	       (echo->epoch == mailbox->epoch && echo->counter > mailbox->counter);
}

static bool is_downgraded(const WiceMailbox *mailbox, const WiceEcho *echo)
{
	return echo->epoch == mailbox->epoch && !echoes_later_life(mailbox, echo) &&
	       (echo->version != WICE_SEALED_VERSION ||
		echo->capabilities != mailbox->capabilities);
}

static WiceOpenResult judge(const WiceMailbox *mailbox, const WiceContents *contents,
			    WiceContentsResult read)
{
	if (wice_key_compare(&contents->sender, &mailbox->peer_public) != 0 ||
	    wice_key_compare(&contents->recipient, &mailbox->own_public) != 0)
		return WICE_OPEN_MISADDRESSED;
	WiceOpenResult age = judge_age(mailbox, contents);
	if (age != WICE_OPEN_OK)
		return age;
	if (read == WICE_CONTENTS_UNSUPPORTED)
		return WICE_OPEN_UNSUPPORTED;
	return is_downgraded(mailbox, &contents->echo) ? WICE_OPEN_DOWNGRADED : WICE_OPEN_OK;
}

static void believe(WiceMailbox *mailbox, const WiceContents *contents)
{
	uint64_t step = contents->counter - mailbox->peer_counter;
	bool same_life = contents->epoch == mailbox->peer_epoch;
	mailbox->window = (same_life && step < WINDOW_BITS ? mailbox->window << step : 0) | 1;
	mailbox->peer_epoch = contents->epoch;
	mailbox->peer_counter = contents->counter;
	mailbox->peer_version = contents->version;
	mailbox->peer_capabilities = contents->capabilities;

	const WiceEcho *echo = &contents->echo;
	bool later = echoes_later_life(mailbox, echo);
	mailbox->confirmed = echo->epoch == mailbox->epoch && !later;
	if (later) {
		mailbox->epoch = echo->epoch + 1;
		mailbox->counter = 0;
	}
}

static WiceOpenResult open_body(WiceMailbox *mailbox, const WiceEnvelope *envelope,
				uint8_t plain[WICE_ENVELOPE_MAX], WiceContents *contents)
{
	if (!mailbox->usable ||
	    crypto_box_open_easy_afternm(plain, envelope->body, envelope->body_len, envelope->nonce,
					 mailbox->shared) != 0)
		return WICE_OPEN_FORGED;
	WiceContentsResult read =
		wice__contents_read(plain, envelope->body_len - crypto_box_MACBYTES, contents);
	return read == WICE_CONTENTS_MALFORMED ? WICE_OPEN_MALFORMED
					       : judge(mailbox, contents, read);
}

WiceOpenResult wice__mailbox_open(WiceMailbox *mailbox, const WiceEnvelope *envelope,
				  WiceDescription *ret_description)
{
	if (envelope->body_len < crypto_box_MACBYTES || envelope->body_len > WICE_ENVELOPE_MAX)
		return WICE_OPEN_MALFORMED;
	if (wice_key_compare(&envelope->sender, &mailbox->peer_public) != 0 ||
	    wice_key_compare(&envelope->recipient, &mailbox->own_public) != 0)
		return WICE_OPEN_MISADDRESSED;

	uint8_t plain[WICE_ENVELOPE_MAX];
	WiceContents contents;
	WiceOpenResult result = open_body(mailbox, envelope, plain, &contents);
	if (result == WICE_OPEN_OK) {
		believe(mailbox, &contents);
		*ret_description = contents.description;
	}
	sodium_memzero(plain, envelope->body_len);
	sodium_memzero(&contents, sizeof contents);
	return result;
}
