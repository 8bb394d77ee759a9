/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Keys. Their text forms are in base64.c and hex.c. */
#include "crypto/key.h"

#include "crypto/base64.h"
#include "crypto/hex.h"

#include <sodium.h>
#include <string.h>

bool wice_key_from_base64(const char *text, WiceKey *ret_key)
{
	return strlen(text) == WICE_KEY_BASE64_LEN && wice__key_from_base64(text, ret_key);
}

void wice_key_to_base64(const WiceKey *key, char ret_text[WICE_KEY_BASE64_SIZE])
{
	wice__key_to_base64(key, ret_text);
	ret_text[WICE_KEY_BASE64_LEN] = 0;
}

bool wice_key_from_hex(const char *text, WiceKey *ret_key)
{
	return strlen(text) == WICE_KEY_HEX_LEN && wice__key_from_hex(text, ret_key);
}

void wice_key_to_hex(const WiceKey *key, char ret_text[2 * WICE_KEY_LEN + 1])
{
	wice__key_to_hex(key, ret_text);
	ret_text[WICE_KEY_HEX_LEN] = 0;
}

int wice_key_compare(const WiceKey *a, const WiceKey *b)
{
	return memcmp(a->bytes, b->bytes, WICE_KEY_LEN);
}

static gpointer new_seed(gpointer data)
{
	static unsigned char seed[crypto_shorthash_KEYBYTES];
	randombytes_buf(seed, sizeof seed);
	return seed;
}

guint wice__key_hash(gconstpointer key)
{
	static GOnce seed = G_ONCE_INIT;
	unsigned char hash[crypto_shorthash_BYTES];
	guint result;
	crypto_shorthash(hash, key, WICE_KEY_LEN, g_once(&seed, new_seed, NULL));
	memcpy(&result, hash, sizeof result);
	return result;
}

gboolean wice__key_equal(gconstpointer a, gconstpointer b)
{
	return wice_key_compare(a, b) == 0;
}

bool wice_key_is_zero(const WiceKey *key)
{
	uint64_t words[WICE_KEY_LEN / 8];
	memcpy(words, key->bytes, sizeof words);
	return (words[0] | words[1] | words[2] | words[3]) == 0;
}

void wice_key_clear(WiceKey *key)
{
	sodium_memzero(key, sizeof *key);
}

void wice__key_clamp(WiceKey *key)
{
	key->bytes[0] &= 248;
	key->bytes[31] = (uint8_t)((key->bytes[31] & 127) | 64);
}

void wice_key_generate_private(WiceKey *ret_key)
{
	randombytes_buf(ret_key->bytes, WICE_KEY_LEN);
	wice__key_clamp(ret_key);
}

void wice_key_public(const WiceKey *private_key, WiceKey *ret_public_key)
{
	crypto_scalarmult_base(ret_public_key->bytes, private_key->bytes);
}
