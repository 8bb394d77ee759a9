/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_CRYPTO_BLAKE2S_H
#define WICE_CRYPTO_BLAKE2S_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/mac.h"

/* BLAKE2s (RFC 7693), and what WireGuard makes of it. libsodium has BLAKE2b only. */
#define WICE_BLAKE2S_LEN 32

/* The digest of the parts, one after the other. key_len is 0 (no key) to 32, digest_len 1 to 32. */
void wice__blake2s(const void *key, size_t key_len, const WiceSpan *parts, size_t n,
		   uint8_t *ret_digest, size_t digest_len);

/* HMAC (RFC 2104) with BLAKE2s. */
void wice__hmac_blake2s(const void *key, size_t key_len, const WiceSpan *parts, size_t n,
			uint8_t ret_digest[WICE_BLAKE2S_LEN]);

/*
 * HKDF (RFC 5869) as Noise uses it: n outputs, 1 to 3, of 32 bytes each, from a chaining key and some
 * input. ret_outputs may be chain.
 */
void wice__kdf_blake2s(const uint8_t chain[WICE_BLAKE2S_LEN], const void *input, size_t input_len,
		       uint8_t (*ret_outputs)[WICE_BLAKE2S_LEN], size_t n);

#endif
