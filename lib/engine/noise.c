/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two messages of the handshake, written in the words of its pattern (Noise section 7.5, IKpsk2):
 *
 *   <- s                         the initiator knows the responder's static key
 *   ...
 *   -> e, es, s, ss, timestamp   initiation
 *   <- e, ee, se, psk            response
 *
 * e and s are an ephemeral and a static public key; two letters are the DH of the initiator's key
 * and the responder's. A message is made or read on a copy of the handshake, which replaces the old
 * one only when all went well.
 */
#include "engine/noise.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#define NS_PER_S INT64_C(1000000000)

/* The prologue of every WireGuard (whitepaper section 5.4). */
static const char identifier[] = "WireGuard v1 zx2c4 Jason@zx2c4.com";

/* 1970 in TAI64's count of seconds, with the leap seconds of then. */
#define TAI64_EPOCH (UINT64_C(0x4000000000000000) + 10)
/* The greatest power of two of nanoseconds of which 50, the initiations we take, fit in a second. */
#define TAI64N_COARSE_NS (1u << 24)

static void put_be(uint8_t *p, size_t length, uint64_t value)
{
	for (size_t i = 0; i < length; i++)
		p[i] = (uint8_t)(value >> (8 * (length - 1 - i)));
}

void wice__tai64n(int64_t realtime_ns, uint8_t ret_timestamp[WICE_TAI64N_LEN])
{
	int64_t seconds = realtime_ns / NS_PER_S, rest = realtime_ns % NS_PER_S;
	if (rest < 0) {
		seconds--;
		rest += NS_PER_S;
	}
	put_be(ret_timestamp, 8, TAI64_EPOCH + (uint64_t)seconds);
	put_be(ret_timestamp + 8, 4, (uint64_t)rest & ~(uint64_t)(TAI64N_COARSE_NS - 1));
}

void wice__noise_identity(const WiceKey *private_key, WiceNoiseIdentity *ret_identity)
{
	WiceNoiseIdentity identity = { .private_key = *private_key };
	if (!wice_key_is_zero(private_key))
		wice_key_public(private_key, &identity.public_key);
	*ret_identity = identity;
	sodium_memzero(&identity, sizeof identity);
}

void wice__noise_peer_reset(WiceNoisePeer *peer)
{
	wice_key_clear(&peer->static_static);
	peer->has_static_static = false;
}

static void begin(WiceNoiseSymmetric *symmetric, const WiceKey *responder)
{
	wice__noise_symmetric_init(symmetric, identifier, sizeof identifier - 1);
	wice__noise_mix_hash(symmetric, responder->bytes, WICE_KEY_LEN);
}

/* e: MixKey() because there may be a preshared key (Noise section 9.2). */
static void mix_ephemeral(WiceNoiseSymmetric *symmetric, const uint8_t ephemeral[32])
{
	wice__noise_mix_hash(symmetric, ephemeral, WICE_KEY_LEN);
	wice__noise_mix_key(symmetric, ephemeral);
}

/*
 * Refuses a public key of low order: with it the result would be zero whatever our key is, so that
 * it would prove nothing.
 */
static int mix_dh(WiceNoiseSymmetric *symmetric, const WiceKey *private_key,
		  const uint8_t public_key[32])
{
	uint8_t shared[crypto_scalarmult_BYTES];
	int r = crypto_scalarmult(shared, private_key->bytes, public_key) == 0 ? 0 : -EKEYREJECTED;
	if (r == 0)
		wice__noise_mix_key(symmetric, shared);
	sodium_memzero(shared, sizeof shared);
	return r;
}

static int mix_static_static(WiceNoiseSymmetric *symmetric, WiceNoisePeer *peer,
			     const WiceNoiseIdentity *identity)
{
	if (!peer->has_static_static) {
		WiceKey shared;
		if (crypto_scalarmult(shared.bytes, identity->private_key.bytes,
				      peer->public_key.bytes) != 0)
			return -EKEYREJECTED;
		peer->static_static = shared;
		peer->has_static_static = true;
		wice_key_clear(&shared);
	}
	wice__noise_mix_key(symmetric, peer->static_static.bytes);
	return 0;
}

static int write_initiation(WiceNoiseHandshake *handshake, WiceNoisePeer *peer,
			    const WiceNoiseIdentity *identity, const uint8_t *timestamp,
			    WiceMessageInitiation *message)
{
	WiceNoiseSymmetric *symmetric = &handshake->symmetric;
	message->type[0] = WICE_MESSAGE_INITIATION;
	wice__put_le32(message->sender, handshake->local_index);

	begin(symmetric, &peer->public_key);
	crypto_scalarmult_base(message->ephemeral, handshake->ephemeral.bytes);
	mix_ephemeral(symmetric, message->ephemeral);
	int r = mix_dh(symmetric, &handshake->ephemeral, peer->public_key.bytes);
	if (r != 0)
		return r;
	wice__noise_encrypt_and_hash(symmetric, identity->public_key.bytes, WICE_KEY_LEN,
				     message->encrypted_static);
	r = mix_static_static(symmetric, peer, identity);
	if (r != 0)
		return r;
	wice__noise_encrypt_and_hash(symmetric, timestamp, WICE_TAI64N_LEN,
				     message->encrypted_timestamp);
	return 0;
}

int wice__noise_create_initiation(WiceNoiseHandshake *handshake, WiceNoisePeer *peer,
				  const WiceNoiseIdentity *identity, const uint8_t ephemeral[32],
				  const uint8_t timestamp[WICE_TAI64N_LEN], uint32_t local_index,
				  WiceMessageInitiation *ret_message)
{
	if (wice_key_is_zero(&identity->public_key))
		return -ENOKEY;
	WiceNoiseHandshake next = { .state = WICE_NOISE_INITIATION_SENT,
				    .local_index = local_index };
	WiceMessageInitiation message = { 0 };
	memcpy(next.ephemeral.bytes, ephemeral, WICE_KEY_LEN);
	int r = write_initiation(&next, peer, identity, timestamp, &message);
	if (r == 0) {
		*handshake = next;
		*ret_message = message;
	}
	sodium_memzero(&next, sizeof next);
	return r;
}

int wice__noise_read_initiation(const WiceNoiseIdentity *identity,
				const WiceMessageInitiation *message,
				WiceNoiseInitiation *ret_initiation)
{
	WiceNoiseInitiation read = { .sender = wice__get_le32(message->sender) };
	if (wice_key_is_zero(&identity->public_key))
		return -EBADMSG;
	memcpy(read.ephemeral.bytes, message->ephemeral, WICE_KEY_LEN);
	begin(&read.symmetric, &identity->public_key);
	mix_ephemeral(&read.symmetric, message->ephemeral);
	int r = -EBADMSG;
	if (mix_dh(&read.symmetric, &identity->private_key, message->ephemeral) == 0)
		r = wice__noise_decrypt_and_hash(&read.symmetric, message->encrypted_static,
						 sizeof message->encrypted_static,
						 read.public_key.bytes);
	if (r == 0)
		*ret_initiation = read;
	sodium_memzero(&read, sizeof read);
	return r;
}

int wice__noise_accept_initiation(WiceNoiseHandshake *handshake, WiceNoisePeer *peer,
				  const WiceNoiseIdentity *identity,
				  const WiceNoiseInitiation *initiation,
				  const WiceMessageInitiation *message)
{
	WiceNoiseHandshake next = { .state = WICE_NOISE_INITIATION_READ,
				    .remote_index = initiation->sender,
				    .remote_ephemeral = initiation->ephemeral,
				    .symmetric = initiation->symmetric };
	uint8_t timestamp[WICE_TAI64N_LEN];
	int r = -EBADMSG;
	if (mix_static_static(&next.symmetric, peer, identity) == 0)
		r = wice__noise_decrypt_and_hash(&next.symmetric, message->encrypted_timestamp,
						 sizeof message->encrypted_timestamp, timestamp);
	if (r == 0 && memcmp(timestamp, peer->timestamp, sizeof timestamp) <= 0)
		r = -EALREADY;
	if (r == 0) {
		memcpy(peer->timestamp, timestamp, sizeof timestamp);
		*handshake = next;
	}
	sodium_memzero(&next, sizeof next);
	return r;
}

static int write_response(WiceNoiseHandshake *handshake, const WiceNoisePeer *peer,
			  WiceMessageResponse *message)
{
	WiceNoiseSymmetric *symmetric = &handshake->symmetric;
	message->type[0] = WICE_MESSAGE_RESPONSE;
	wice__put_le32(message->sender, handshake->local_index);
	wice__put_le32(message->receiver, handshake->remote_index);

	crypto_scalarmult_base(message->ephemeral, handshake->ephemeral.bytes);
	mix_ephemeral(symmetric, message->ephemeral);
	int r = mix_dh(symmetric, &handshake->ephemeral, handshake->remote_ephemeral.bytes);
	if (r == 0)
		r = mix_dh(symmetric, &handshake->ephemeral, peer->public_key.bytes);
	if (r != 0)
		return r;
	wice__noise_mix_key_and_hash(symmetric, peer->preshared_key.bytes);
	wice__noise_encrypt_and_hash(symmetric, NULL, 0, message->encrypted_nothing);
	return 0;
}

int wice__noise_create_response(WiceNoiseHandshake *handshake, const WiceNoisePeer *peer,
				const uint8_t ephemeral[32], uint32_t local_index,
				WiceMessageResponse *ret_message)
{
	if (handshake->state != WICE_NOISE_INITIATION_READ)
		return -EPROTO;
	WiceNoiseHandshake next = *handshake;
	WiceMessageResponse message = { 0 };
	next.state = WICE_NOISE_RESPONSE_SENT;
	next.local_index = local_index;
	memcpy(next.ephemeral.bytes, ephemeral, WICE_KEY_LEN);
	int r = write_response(&next, peer, &message);
	if (r == 0) {
		*handshake = next;
		*ret_message = message;
	}
	sodium_memzero(&next, sizeof next);
	return r;
}

static int parse_response(WiceNoiseHandshake *handshake, const WiceNoisePeer *peer,
			  const WiceNoiseIdentity *identity, const WiceMessageResponse *message)
{
	WiceNoiseSymmetric *symmetric = &handshake->symmetric;
	mix_ephemeral(symmetric, message->ephemeral);
	if (mix_dh(symmetric, &handshake->ephemeral, message->ephemeral) != 0 ||
	    mix_dh(symmetric, &identity->private_key, message->ephemeral) != 0)
		return -EBADMSG;
	wice__noise_mix_key_and_hash(symmetric, peer->preshared_key.bytes);
	return wice__noise_decrypt_and_hash(symmetric, message->encrypted_nothing,
					    sizeof message->encrypted_nothing, NULL);
}

int wice__noise_read_response(WiceNoiseHandshake *handshake, const WiceNoisePeer *peer,
			      const WiceNoiseIdentity *identity, const WiceMessageResponse *message)
{
	if (handshake->state != WICE_NOISE_INITIATION_SENT ||
	    handshake->local_index != wice__get_le32(message->receiver))
		return -EBADMSG;
	WiceNoiseHandshake next = *handshake;
	next.state = WICE_NOISE_RESPONSE_READ;
	next.remote_index = wice__get_le32(message->sender);
	memcpy(next.remote_ephemeral.bytes, message->ephemeral, WICE_KEY_LEN);
	int r = parse_response(&next, peer, identity, message);
	if (r == 0)
		*handshake = next;
	sodium_memzero(&next, sizeof next);
	return r;
}

int wice__noise_begin_session(WiceNoiseHandshake *handshake, WiceNoiseKeys *ret_keys)
{
	if (handshake->state != WICE_NOISE_RESPONSE_SENT &&
	    handshake->state != WICE_NOISE_RESPONSE_READ)
		return -EPROTO;
	ret_keys->initiator = handshake->state == WICE_NOISE_RESPONSE_READ;
	ret_keys->local_index = handshake->local_index;
	ret_keys->remote_index = handshake->remote_index;
	if (ret_keys->initiator)
		wice__noise_split(&handshake->symmetric, ret_keys->send, ret_keys->receive);
	else
		wice__noise_split(&handshake->symmetric, ret_keys->receive, ret_keys->send);
	sodium_memzero(handshake, sizeof *handshake);
	return 0;
}
