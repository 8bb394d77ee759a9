/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/noise_symmetric.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "crypto/blake2s.h"

static const char protocol_name[] = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s";
static const uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];

_Static_assert(WICE_NOISE_HASH_LEN == WICE_BLAKE2S_LEN, "hashes are BLAKE2s'");
_Static_assert(WICE_NOISE_HASH_LEN == crypto_aead_chacha20poly1305_ietf_KEYBYTES,
	       "keys are hashes");
_Static_assert(WICE_NOISE_TAG_LEN == crypto_aead_chacha20poly1305_ietf_ABYTES, "as libsodium's");

void wice__noise_symmetric_init(WiceNoiseSymmetric *symmetric, const void *prologue, size_t length)
{
	/* A name longer than a hash stands for its hash. */
	WiceSpan name = { protocol_name, sizeof protocol_name - 1 };
	memset(symmetric, 0, sizeof *symmetric);
	wice__blake2s(NULL, 0, &name, 1, symmetric->hash, sizeof symmetric->hash);
	memcpy(symmetric->chain, symmetric->hash, sizeof symmetric->chain);
	wice__noise_mix_hash(symmetric, prologue, length);
}

void wice__noise_mix_hash(WiceNoiseSymmetric *symmetric, const void *data, size_t length)
{
	WiceSpan parts[] = { { symmetric->hash, sizeof symmetric->hash }, { data, length } };
	wice__blake2s(NULL, 0, parts, 2, symmetric->hash, sizeof symmetric->hash);
}

void wice__noise_mix_key(WiceNoiseSymmetric *symmetric, const uint8_t input[32])
{
	uint8_t outputs[2][WICE_BLAKE2S_LEN];
	wice__kdf_blake2s(symmetric->chain, input, 32, outputs, 2);
	memcpy(symmetric->chain, outputs[0], sizeof symmetric->chain);
	memcpy(symmetric->key, outputs[1], sizeof symmetric->key);
	sodium_memzero(outputs, sizeof outputs);
}

void wice__noise_mix_key_and_hash(WiceNoiseSymmetric *symmetric, const uint8_t input[32])
{
	uint8_t outputs[3][WICE_BLAKE2S_LEN];
	wice__kdf_blake2s(symmetric->chain, input, 32, outputs, 3);
	memcpy(symmetric->chain, outputs[0], sizeof symmetric->chain);
	wice__noise_mix_hash(symmetric, outputs[1], sizeof outputs[1]);
	memcpy(symmetric->key, outputs[2], sizeof symmetric->key);
	sodium_memzero(outputs, sizeof outputs);
}

void wice__noise_encrypt_and_hash(WiceNoiseSymmetric *symmetric, const void *plain, size_t length,
				  uint8_t *ret_sealed)
{
	crypto_aead_chacha20poly1305_ietf_encrypt(ret_sealed, NULL, plain, length, symmetric->hash,
						  sizeof symmetric->hash, NULL, nonce,
						  symmetric->key);
	wice__noise_mix_hash(symmetric, ret_sealed, length + WICE_NOISE_TAG_LEN);
}

int wice__noise_decrypt_and_hash(WiceNoiseSymmetric *symmetric, const uint8_t *sealed,
				 size_t length, void *ret_plain)
{
	if (crypto_aead_chacha20poly1305_ietf_decrypt(ret_plain, NULL, NULL, sealed, length,
						      symmetric->hash, sizeof symmetric->hash,
						      nonce, symmetric->key) != 0)
		return -EBADMSG;
	wice__noise_mix_hash(symmetric, sealed, length);
	return 0;
}

void wice__noise_split(const WiceNoiseSymmetric *symmetric, uint8_t ret_initiator[32],
		       uint8_t ret_responder[32])
{
	uint8_t outputs[2][WICE_BLAKE2S_LEN];
	wice__kdf_blake2s(symmetric->chain, NULL, 0, outputs, 2);
	memcpy(ret_initiator, outputs[0], sizeof outputs[0]);
	memcpy(ret_responder, outputs[1], sizeof outputs[1]);
	sodium_memzero(outputs, sizeof outputs);
}
