/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_ENGINE_NOISE_H
#define WICE_ENGINE_NOISE_H

#include <stdbool.h>
#include <stdint.h>
#include <wice/key.h>

#include "engine/message.h"
#include "engine/noise_symmetric.h"

/*
 * The handshake, Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s (whitepaper section 5.4). Pure: randomness,
 * time and indices come from the caller. mac1 and mac2 are cookie.h's: they are left zero when a
 * message is made, and are not looked at when one is read.
 */

/* The interface's own keys. */
typedef struct {
	WiceKey private_key;
	WiceKey public_key;
} WiceNoiseIdentity;

#define WICE_TAI64N_LEN 12
/*
 * The timestamp of an initiation, made of nanoseconds since 1970 (whitepaper section 5.1). Coarsened
 * to 17 ms, so that it tells nobody how fast we are.
 */
void wice__tai64n(int64_t realtime_ns, uint8_t ret_timestamp[WICE_TAI64N_LEN]);

typedef enum {
	WICE_NOISE_NONE = 0,
	WICE_NOISE_INITIATION_SENT, /* waiting for a response */
	WICE_NOISE_INITIATION_READ, /* a response is to be made */
	WICE_NOISE_RESPONSE_SENT,   /* a session can begin */
	WICE_NOISE_RESPONSE_READ,   /* a session can begin */
} WiceNoiseState;

/* What two peers share while they shake hands. It is only needed then. */
typedef struct {
	WiceNoiseState state;
	uint32_t local_index;
	uint32_t remote_index;
	WiceKey ephemeral;        /* our private one */
	WiceKey remote_ephemeral; /* their public one */
	WiceNoiseSymmetric symmetric;
} WiceNoiseHandshake;

/* What is known of a peer for as long as it is one. */
typedef struct {
	WiceKey public_key;
	WiceKey preshared_key; /* zeros: none */
	WiceKey static_static; /* DH of both static keys, computed when first needed */
	bool has_static_static;
	uint8_t timestamp[WICE_TAI64N_LEN]; /* the greatest that it has shown */
} WiceNoisePeer;

/*
 * An initiation whose static key has been decrypted; nothing is proven yet but that they know ours.
 * A secret: wiped by whom it was returned to.
 */
typedef struct {
	WiceKey public_key; /* whose it claims to be */
	WiceKey ephemeral;
	WiceNoiseSymmetric symmetric;
	uint32_t sender;
} WiceNoiseInitiation;

/* What a session begins with; wiped by whom it was returned to. */
typedef struct {
	uint8_t send[32];
	uint8_t receive[32];
	uint32_t local_index;
	uint32_t remote_index;
	bool initiator;
} WiceNoiseKeys;

/* An identity from a private key. Zeros: none, no handshake is made or read with it. */
void wice__noise_identity(const WiceKey *private_key, WiceNoiseIdentity *ret_identity);
/* Forgets static_static: our private key has changed. */
void wice__noise_peer_reset(WiceNoisePeer *peer);

/*
 * Begins a handshake: whatever handshake held is forgotten. ephemeral: 32 random bytes, wiped by the
 * caller. -EKEYREJECTED: the peer's key is of low order; -ENOKEY: we have none. handshake is unchanged
 * then.
 */
int wice__noise_create_initiation(WiceNoiseHandshake *handshake, WiceNoisePeer *peer,
				  const WiceNoiseIdentity *identity, const uint8_t ephemeral[32],
				  const uint8_t timestamp[WICE_TAI64N_LEN], uint32_t local_index,
				  WiceMessageInitiation *ret_message);

/* The first half of reading one: who claims to have sent it. -EBADMSG: not for us, or forged. */
int wice__noise_read_initiation(const WiceNoiseIdentity *identity,
				const WiceMessageInitiation *message,
				WiceNoiseInitiation *ret_initiation);

/*
 * The second half: proves that it is the peer's and not a replay, remembers its timestamp. -EBADMSG:
 * forged, or the peer's key is of low order; -EALREADY: not newer than the newest. handshake and peer
 * are unchanged then (but that static_static may be known).
 */
int wice__noise_accept_initiation(WiceNoiseHandshake *handshake, WiceNoisePeer *peer,
				  const WiceNoiseIdentity *identity,
				  const WiceNoiseInitiation *initiation,
				  const WiceMessageInitiation *message);

/*
 * Answers an initiation that was accepted; ephemeral as above. -EPROTO: none was; -EKEYREJECTED: a key
 * of theirs is of low order. handshake is unchanged then.
 */
int wice__noise_create_response(WiceNoiseHandshake *handshake, const WiceNoisePeer *peer,
				const uint8_t ephemeral[32], uint32_t local_index,
				WiceMessageResponse *ret_message);

/* -EBADMSG: forged, or not to the initiation that was sent; handshake is unchanged then. */
int wice__noise_read_response(WiceNoiseHandshake *handshake, const WiceNoisePeer *peer,
			      const WiceNoiseIdentity *identity,
			      const WiceMessageResponse *message);

/*
 * The keys of a session, after a response was sent or read; the handshake is wiped. -EPROTO: neither
 * was.
 */
int wice__noise_begin_session(WiceNoiseHandshake *handshake, WiceNoiseKeys *ret_keys);

#endif
