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

void wice__key_clamp(WiceKey *private_key)
{
	private_key->bytes[0] &= 248;
	private_key->bytes[31] = (uint8_t)((private_key->bytes[31] & 127) | 64);
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
