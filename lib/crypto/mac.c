/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mac.h"

#include <glib.h>
#include <sodium.h>

void wice__md5(const WiceSpan *parts, size_t n, uint8_t ret_digest[WICE_MD5_LEN])
{
	GChecksum *state = g_checksum_new(G_CHECKSUM_MD5);
	gsize len = WICE_MD5_LEN;
	for (size_t i = 0; i < n; i++)
		g_checksum_update(state, parts[i].data, (gssize)parts[i].len);
	g_checksum_get_digest(state, ret_digest, &len);
	g_checksum_free(state);
}

void wice__sha256(const WiceSpan *parts, size_t n, uint8_t ret_digest[WICE_SHA256_LEN])
{
	crypto_hash_sha256_state state;
	crypto_hash_sha256_init(&state);
	for (size_t i = 0; i < n; i++)
		crypto_hash_sha256_update(&state, parts[i].data, parts[i].len);
	crypto_hash_sha256_final(&state, ret_digest);
	sodium_memzero(&state, sizeof state);
}

void wice__hmac_sha1(WiceSpan key, const WiceSpan *parts, size_t n,
		     uint8_t ret_digest[WICE_SHA1_LEN])
{
	GHmac *state = g_hmac_new(G_CHECKSUM_SHA1, key.data, key.len);
	gsize len = WICE_SHA1_LEN;
	for (size_t i = 0; i < n; i++)
		g_hmac_update(state, parts[i].data, (gssize)parts[i].len);
	g_hmac_get_digest(state, ret_digest, &len);
	g_hmac_unref(state);
}

void wice__hmac_sha256(WiceSpan key, const WiceSpan *parts, size_t n,
		       uint8_t ret_digest[WICE_SHA256_LEN])
{
	crypto_auth_hmacsha256_state state;
	crypto_auth_hmacsha256_init(&state, key.data, key.len);
	for (size_t i = 0; i < n; i++)
		crypto_auth_hmacsha256_update(&state, parts[i].data, parts[i].len);
	crypto_auth_hmacsha256_final(&state, ret_digest);
	sodium_memzero(&state, sizeof state);
}
