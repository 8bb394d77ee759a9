/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_CRYPTO_AEAD_PROVIDER_H
#define WICE_CRYPTO_AEAD_PROVIDER_H

#include "crypto/aead.h"
#include <string.h>

/* What the providers share with one another and with aead.c, which says which are built in. */

#define WICE_AEAD_NONCE_LEN 12

extern const WiceAeadProvider wice__aead_avx512; /* x86-64 only, like the next three */
extern const WiceAeadProvider wice__aead_avx512f;
extern const WiceAeadProvider wice__aead_avx2;
extern const WiceAeadProvider wice__aead_sse2;
extern const WiceAeadProvider wice__aead_ipsec_mb; /* if its headers were there; so the next */
extern const WiceAeadProvider wice__aead_openssl;
extern const WiceAeadProvider wice__aead_sodium;

/* Each in a file of its own, compiled for the processor that it needs. */
typedef void WiceAeadFunction(const uint8_t key[WICE_AEAD_KEY_LEN], WiceAeadPacket *packets,
			      size_t n);
WiceAeadFunction wice__aead_avx512_seal, wice__aead_avx512_open;
WiceAeadFunction wice__aead_avx512f_seal, wice__aead_avx512f_open;
WiceAeadFunction wice__aead_avx2_seal, wice__aead_avx2_open;
WiceAeadFunction wice__aead_sse2_seal, wice__aead_sse2_open;

/* Four zeros and the counter, little endian. */
static inline void wice__aead_nonce(uint64_t counter, uint8_t ret_nonce[WICE_AEAD_NONCE_LEN])
{
	for (int i = 0; i < WICE_AEAD_NONCE_LEN; i++)
		ret_nonce[i] = i < 4 ? 0 : (uint8_t)(counter >> (8 * (i - 4)));
}

/* Whether two tags are the same, in a time that does not tell where they differ. */
static inline bool wice__aead_tags_equal(const uint8_t a[WICE_AEAD_TAG_LEN],
					 const uint8_t b[WICE_AEAD_TAG_LEN])
{
	uint64_t words[4];
	memcpy(words, a, WICE_AEAD_TAG_LEN);
	memcpy(words + 2, b, WICE_AEAD_TAG_LEN);
	return ((words[0] ^ words[2]) | (words[1] ^ words[3])) == 0;
}

#endif
