/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/cookie.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "crypto/blake2s.h"

#define MAC_LEN sizeof(((WiceMessageInitiation *)NULL)->mac1)
#define MACS_LEN (2 * MAC_LEN)
#define SECRET_LEN 32

static const char mac1_label[8] = "mac1----";
static const char cookie_label[8] = "cookie--";

_Static_assert(crypto_aead_xchacha20poly1305_ietf_NPUBBYTES == 24, "as in the message");
_Static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == WICE_BLAKE2S_LEN, "keys are hashes");

static void derive_key(const char label[8], const WiceKey *public_key,
		       uint8_t ret_key[WICE_BLAKE2S_LEN])
{
	WiceSpan parts[] = { { label, 8 }, { public_key->bytes, WICE_KEY_LEN } };
	wice__blake2s(NULL, 0, parts, 2, ret_key, WICE_BLAKE2S_LEN);
}

static void make_mac1(const uint8_t key[WICE_BLAKE2S_LEN], const uint8_t *message, size_t length,
		      uint8_t ret_mac[MAC_LEN])
{
	WiceSpan span = { message, length - MACS_LEN };
	wice__blake2s(key, WICE_BLAKE2S_LEN, &span, 1, ret_mac, MAC_LEN);
}

static void make_mac2(const uint8_t cookie[WICE_COOKIE_LEN], const uint8_t *message, size_t length,
		      uint8_t ret_mac[MAC_LEN])
{
	WiceSpan span = { message, length - MAC_LEN };
	wice__blake2s(cookie, WICE_COOKIE_LEN, &span, 1, ret_mac, MAC_LEN);
}

/* Who is at another port is somebody else: many may share one address behind a NAT. */
static void make_cookie(const uint8_t secret[SECRET_LEN], const WiceEndpoint *source,
			uint8_t ret_cookie[WICE_COOKIE_LEN])
{
	uint8_t port[] = { (uint8_t)(source->port >> 8), (uint8_t)source->port };
	size_t address_len = source->address.family == WICE_FAMILY_IPV4 ? 4 : 16;
	WiceSpan parts[] = { { source->address.bytes, address_len }, { port, sizeof port } };
	wice__blake2s(secret, SECRET_LEN, parts, 2, ret_cookie, WICE_COOKIE_LEN);
}

void wice__cookie_checker_init(WiceCookieChecker *checker, const WiceKey *own_public_key)
{
	memset(checker, 0, sizeof *checker);
	derive_key(mac1_label, own_public_key, checker->mac1_key);
	derive_key(cookie_label, own_public_key, checker->cookie_key);
}

static bool has_fresh_secret(const WiceCookieChecker *checker, int64_t now_ms)
{
	return checker->has_secret && now_ms - checker->secret_ms < WICE_COOKIE_SECRET_MS;
}

static bool mac2_is_right(const WiceCookieChecker *checker, const uint8_t *message, size_t length,
			  const WiceEndpoint *source)
{
	uint8_t cookie[WICE_COOKIE_LEN], mac[MAC_LEN];
	make_cookie(checker->secret, source, cookie);
	make_mac2(cookie, message, length, mac);
	bool right = sodium_memcmp(mac, message + length - MAC_LEN, MAC_LEN) == 0;
	sodium_memzero(cookie, sizeof cookie);
	sodium_memzero(mac, sizeof mac);
	return right;
}

WiceMacState wice__cookie_check(const WiceCookieChecker *checker, const uint8_t *message,
				size_t length, const WiceEndpoint *source, bool under_load,
				int64_t now_ms)
{
	uint8_t mac[MAC_LEN];
	if (length < MACS_LEN)
		return WICE_MAC_INVALID;
	make_mac1(checker->mac1_key, message, length, mac);
	bool right = sodium_memcmp(mac, message + length - MACS_LEN, MAC_LEN) == 0;
	sodium_memzero(mac, sizeof mac);
	if (!right)
		return WICE_MAC_INVALID;
	if (under_load && has_fresh_secret(checker, now_ms) &&
	    mac2_is_right(checker, message, length, source))
		return WICE_MAC_WITH_COOKIE;
	return WICE_MAC_VALID;
}

void wice__cookie_reply(WiceCookieChecker *checker, const uint8_t *message, size_t length,
			const WiceEndpoint *source, const uint8_t nonce[24],
			const uint8_t secret[32], int64_t now_ms, WiceMessageCookie *ret_reply)
{
	uint8_t cookie[WICE_COOKIE_LEN];
	if (!has_fresh_secret(checker, now_ms)) {
		memcpy(checker->secret, secret, SECRET_LEN);
		checker->secret_ms = now_ms;
		checker->has_secret = true;
	}
	make_cookie(checker->secret, source, cookie);
	memset(ret_reply, 0, sizeof *ret_reply);
	ret_reply->type[0] = WICE_MESSAGE_COOKIE;
	/* Initiation and response alike name their sender behind the type. */
	memcpy(ret_reply->receiver, message + sizeof ret_reply->type, sizeof ret_reply->receiver);
	memcpy(ret_reply->nonce, nonce, sizeof ret_reply->nonce);
	crypto_aead_xchacha20poly1305_ietf_encrypt(ret_reply->encrypted_cookie, NULL, cookie,
						   sizeof cookie, message + length - MACS_LEN,
						   MAC_LEN, NULL, nonce, checker->cookie_key);
	sodium_memzero(cookie, sizeof cookie);
}

void wice__cookie_maker_init(WiceCookieMaker *maker, const WiceKey *peer_public_key)
{
	memset(maker, 0, sizeof *maker);
	derive_key(mac1_label, peer_public_key, maker->mac1_key);
	derive_key(cookie_label, peer_public_key, maker->cookie_key);
}

void wice__cookie_add_macs(WiceCookieMaker *maker, uint8_t *message, size_t length, int64_t now_ms)
{
	uint8_t *mac1 = message + length - MACS_LEN, *mac2 = message + length - MAC_LEN;
	make_mac1(maker->mac1_key, message, length, mac1);
	memcpy(maker->last_mac1, mac1, MAC_LEN);
	maker->has_last_mac1 = true;

	if (maker->has_cookie &&
	    now_ms - maker->cookie_ms >= WICE_COOKIE_SECRET_MS - WICE_COOKIE_LATENCY_MS) {
		sodium_memzero(maker->cookie, sizeof maker->cookie);
		maker->has_cookie = false;
	}
	if (maker->has_cookie)
		make_mac2(maker->cookie, message, length, mac2);
	else
		memset(mac2, 0, MAC_LEN);
}

int wice__cookie_read_reply(WiceCookieMaker *maker, const WiceMessageCookie *reply, int64_t now_ms)
{
	uint8_t cookie[WICE_COOKIE_LEN];
	if (!maker->has_last_mac1)
		return -ENOENT;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(
		    cookie, NULL, NULL, reply->encrypted_cookie, sizeof reply->encrypted_cookie,
		    maker->last_mac1, MAC_LEN, reply->nonce, maker->cookie_key) != 0)
		return -EBADMSG;
	memcpy(maker->cookie, cookie, sizeof cookie);
	maker->cookie_ms = now_ms;
	maker->has_cookie = true;
	maker->has_last_mac1 = false;
	sodium_memzero(cookie, sizeof cookie);
	return 0;
}
