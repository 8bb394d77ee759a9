/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_SIGNALING_SERVICE_H
#define WICE_SIGNALING_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/key.h>

/*
 * The messages of the signaling service (signaling.proto) but the envelope itself. Pure.
 *
 * Proof of a subscription. Whoever subscribes to a key sees who sends to it and when, and could sit
 * there in the owner's place. So our server wants to see that the subscriber has the private key:
 *
 *   client                                    server
 *     | Subscribe{key, can_prove}               |
 *     |---------------------------------------->|  token = 32 random bytes
 *     |   Envelope{"", key, {seal(token), ""}}  |  seal: crypto_box_seal to key
 *     |<----------------------------------------|
 *     | Prove{key, token}                       |  on the same connection, once, within 30 s
 *     |---------------------------------------->|
 *     |   Empty; on the stream: Envelope{}      |  live
 *     |<----------------------------------------|
 *
 * A server that wants no proof (cunicu's) sends the empty envelope at once; a client that cannot
 * prove is told UNAUTHENTICATED. The proof is not bound to the server: a malicious server to which
 * the same key is subscribed could pass another server's challenge on. It learns nothing but
 * envelopes, which are sealed.
 */
#define WICE_SERVICE_SUBSCRIBE "/cunicu.signaling.Signaling/Subscribe"
#define WICE_SERVICE_PUBLISH "/cunicu.signaling.Signaling/Publish"
#define WICE_SERVICE_PROVE "/cunicu.signaling.Signaling/Prove"
#define WICE_SERVICE_BUILD_INFO "/cunicu.signaling.Signaling/GetBuildInfo"

#define WICE_TOKEN_LEN 32
#define WICE_SEALED_TOKEN_LEN (WICE_TOKEN_LEN + 48) /* crypto_box_SEALBYTES */

typedef struct {
	WiceKey key;
	bool can_prove;
} WiceSubscribeParams;

typedef struct {
	WiceKey key;
	uint8_t token[WICE_TOKEN_LEN];
} WiceProveParams;

/* Room for each of the messages below. */
#define WICE_SERVICE_MESSAGE_SIZE 256

/* They write the serialized form and return its length. */
size_t wice__subscribe_params_write(const WiceSubscribeParams *params,
				    uint8_t ret[WICE_SERVICE_MESSAGE_SIZE]);
size_t wice__prove_params_write(const WiceProveParams *params,
				uint8_t ret[WICE_SERVICE_MESSAGE_SIZE]);
/* The challenge for a token. 0 if nothing can be sealed to the key (it is of low order). */
size_t wice__challenge_write(const WiceKey *key, const uint8_t token[WICE_TOKEN_LEN],
			     uint8_t ret[WICE_SERVICE_MESSAGE_SIZE]);
/* What this build is. */
size_t wice__build_info_write(uint8_t ret[WICE_SERVICE_MESSAGE_SIZE]);

/* They read foreign bytes: false if these are no such message. */
bool wice__subscribe_params_read(const uint8_t *bytes, size_t len, WiceSubscribeParams *ret);
bool wice__prove_params_read(const uint8_t *bytes, size_t len, WiceProveParams *ret);
/* False if it is no challenge for this key. *ret_sealed points into bytes. */
bool wice__challenge_read(const uint8_t *bytes, size_t len, const WiceKey *key,
			  const uint8_t **ret_sealed);
/* True for the envelope without contents that says that a subscription is live. */
bool wice__barrier_read(const uint8_t *bytes, size_t len);
/* False if it was not sealed to these keys. */
bool wice__challenge_open(const uint8_t sealed[WICE_SEALED_TOKEN_LEN], const WiceKey *public_key,
			  const WiceKey *private_key, uint8_t ret_token[WICE_TOKEN_LEN]);

#endif
