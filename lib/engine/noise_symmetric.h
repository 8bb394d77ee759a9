/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_ENGINE_NOISE_SYMMETRIC_H
#define WICE_ENGINE_NOISE_SYMMETRIC_H

#include <stddef.h>
#include <stdint.h>

/*
 * What both sides of a handshake compute alike: the SymmetricState of the Noise Protocol Framework,
 * revision 34, section 5.2, of Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s. In this pattern a key encrypts
 * one thing only and so its nonce is always zero. Pure; the struct is a secret, wiped by its owner.
 */
#define WICE_NOISE_HASH_LEN 32
#define WICE_NOISE_TAG_LEN 16

typedef struct {
	uint8_t hash[WICE_NOISE_HASH_LEN];  /* of all that was said */
	uint8_t chain[WICE_NOISE_HASH_LEN]; /* of all keys that were agreed */
	uint8_t key[WICE_NOISE_HASH_LEN];   /* of the next thing that is encrypted */
} WiceNoiseSymmetric;

/* Initialize(), and MixHash() of the prologue: what both must know beforehand. */
void wice__noise_symmetric_init(WiceNoiseSymmetric *symmetric, const void *prologue, size_t length);

/* MixHash(): both must have seen data. */
void wice__noise_mix_hash(WiceNoiseSymmetric *symmetric, const void *data, size_t length);
/* MixKey(): both must know input, 32 bytes; a new key comes of it. */
void wice__noise_mix_key(WiceNoiseSymmetric *symmetric, const uint8_t input[32]);
/* MixKeyAndHash(): the same for a preshared key. */
void wice__noise_mix_key_and_hash(WiceNoiseSymmetric *symmetric, const uint8_t input[32]);

/* EncryptAndHash(): length bytes, and WICE_NOISE_TAG_LEN more, into ret_sealed. Not in place. */
void wice__noise_encrypt_and_hash(WiceNoiseSymmetric *symmetric, const void *plain, size_t length,
				  uint8_t *ret_sealed);
/*
 * DecryptAndHash(): length bytes, at least WICE_NOISE_TAG_LEN, of which the tag is not written to
 * ret_plain. Not in place. -EBADMSG: not what was encrypted; symmetric is unchanged then.
 */
int wice__noise_decrypt_and_hash(WiceNoiseSymmetric *symmetric, const uint8_t *sealed,
				 size_t length, void *ret_plain);

/* Split(): the keys of what the initiator and what the responder sends. */
void wice__noise_split(const WiceNoiseSymmetric *symmetric, uint8_t ret_initiator[32],
		       uint8_t ret_responder[32]);

#endif
