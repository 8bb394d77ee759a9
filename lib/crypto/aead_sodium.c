/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/aead_provider.h"

#include <sodium.h>

/* Packet by packet: the one that is always there, and what the others are compared with. */

_Static_assert(crypto_aead_chacha20poly1305_ietf_KEYBYTES == WICE_AEAD_KEY_LEN, "as libsodium's");
_Static_assert(crypto_aead_chacha20poly1305_ietf_ABYTES == WICE_AEAD_TAG_LEN, "as libsodium's");

static bool usable(void)
{
	return sodium_init() >= 0;
}

static void seal(const uint8_t key[WICE_AEAD_KEY_LEN], WiceAeadPacket *packets, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t *data = packets[i].data, nonce[WICE_AEAD_NONCE_LEN];
		wice__aead_nonce(packets[i].counter, nonce);
		crypto_aead_chacha20poly1305_ietf_encrypt(data, NULL, data, packets[i].length, NULL,
							  0, NULL, nonce, key);
	}
}

static void open(const uint8_t key[WICE_AEAD_KEY_LEN], WiceAeadPacket *packets, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t *data = packets[i].data, nonce[WICE_AEAD_NONCE_LEN];
		wice__aead_nonce(packets[i].counter, nonce);
		packets[i].ok = crypto_aead_chacha20poly1305_ietf_decrypt(
					data, NULL, NULL, data,
					(uint64_t)packets[i].length + WICE_AEAD_TAG_LEN, NULL, 0,
					nonce, key) == 0;
	}
}

const WiceAeadProvider wice__aead_sodium = {
	.name = "libsodium",
	.usable = usable,
	.seal = seal,
	.open = open,
};
