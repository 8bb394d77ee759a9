/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "turn/nonce.h"

#include <sodium.h>
#include <string.h>

#define COOKIE "obMatJos2"
#define COOKIE_LEN 9
/* RFC 8489 section 18.1: bit 0, the leftmost one, is password algorithms, bit 1 hidden names. */
#define FEATURES_PLAIN "gAAA"
#define FEATURES_HIDDEN "wAAA"
#define FEATURES_LEN 4
#define PROOF_LEN 12
#define PROOF_TEXT_LEN 16
#define MAC_LEN 8

_Static_assert(COOKIE_LEN + FEATURES_LEN + PROOF_TEXT_LEN == WICE_TURN_NONCE_LEN, "its parts");
_Static_assert(crypto_shorthash_siphash24_BYTES == MAC_LEN, "of 64 bits");
_Static_assert(crypto_shorthash_siphash24_KEYBYTES == WICE_TURN_NONCE_KEY_LEN, "of 128 bits");

static uint32_t seconds(int64_t now_ms)
{
	return (uint32_t)(now_ms / 1000);
}

static void put_u32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint32_t get_u32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* 64 bits of a MAC are enough: whoever guesses has one try per packet, and wins a nonce. */
static void prove(const WiceTurnNonces *nonces, const WiceEndpoint *client, uint32_t expiry,
		  uint8_t ret_proof[PROOF_LEN])
{
	uint8_t covered[4 + 1 + 2 + 4 + 16];
	put_u32(covered, expiry);
	covered[4] = client->address.family;
	covered[5] = (uint8_t)(client->port >> 8);
	covered[6] = (uint8_t)client->port;
	put_u32(covered + 7, client->scope);
	memcpy(covered + 11, client->address.bytes, 16);
	put_u32(ret_proof, expiry);
	crypto_shorthash_siphash24(ret_proof + 4, covered, sizeof covered, nonces->key);
}

static const char *features(const WiceTurnNonces *nonces)
{
	return nonces->hidden_names ? COOKIE FEATURES_HIDDEN : COOKIE FEATURES_PLAIN;
}

void wice__turn_nonce_write(const WiceTurnNonces *nonces, const WiceEndpoint *client,
			    int64_t now_ms, char ret_nonce[WICE_TURN_NONCE_LEN])
{
	uint8_t proof[PROOF_LEN];
	char text[PROOF_TEXT_LEN + 1];
	prove(nonces, client, seconds(now_ms) + WICE_TURN_NONCE_LIFETIME_S, proof);
	sodium_bin2base64(text, sizeof text, proof, sizeof proof,
			  sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
	memcpy(ret_nonce, features(nonces), COOKIE_LEN + FEATURES_LEN);
	memcpy(ret_nonce + COOKIE_LEN + FEATURES_LEN, text, PROOF_TEXT_LEN);
}

bool wice__turn_nonce_check(const WiceTurnNonces *nonces, const WiceEndpoint *client,
			    int64_t now_ms, WiceSpan nonce)
{
	const char *text = nonce.data;
	uint8_t proof[PROOF_LEN], expected[PROOF_LEN];
	size_t len;
	if (nonce.len != WICE_TURN_NONCE_LEN ||
	    memcmp(text, features(nonces), COOKIE_LEN + FEATURES_LEN) != 0 ||
	    sodium_base642bin(proof, sizeof proof, text + COOKIE_LEN + FEATURES_LEN, PROOF_TEXT_LEN,
			      NULL, &len, NULL, sodium_base64_VARIANT_ORIGINAL_NO_PADDING) != 0 ||
	    len != sizeof proof)
		return false;
	uint32_t expiry = get_u32(proof);
	prove(nonces, client, expiry, expected);
	/* Also right when the seconds wrap around. */
	uint32_t left = expiry - seconds(now_ms);
	return sodium_memcmp(proof, expected, sizeof proof) == 0 && left > 0 &&
	       left <= WICE_TURN_NONCE_LIFETIME_S;
}
