/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_ENGINE_COOKIE_H
#define WICE_ENGINE_COOKIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/addr.h>
#include <wice/key.h>

#include "engine/message.h"

/*
 * mac1, mac2 and cookies (whitepaper sections 5.4.4 and 5.4.7). Pure; now_ms is monotonic.
 * message is a whole initiation or response: the macs are its last 32 bytes.
 */
#define WICE_COOKIE_LEN 16
#define WICE_COOKIE_SECRET_MS 120000
#define WICE_COOKIE_LATENCY_MS 5000 /* a cookie is not used any more so long before it expires */

/* The receiver of handshakes: one per interface. */
typedef struct {
	uint8_t mac1_key[32];
	uint8_t cookie_key[32]; /* encrypts cookies */
	uint8_t secret[32];
	int64_t secret_ms; /* since when */
	bool has_secret;
} WiceCookieChecker;

typedef enum {
	WICE_MAC_INVALID,     /* mac1 is wrong: garbage */
	WICE_MAC_VALID,       /* mac1 is right */
	WICE_MAC_WITH_COOKIE, /* mac2 too: the sender receives at its address */
} WiceMacState;

/* Made anew, and without a secret, when our key changes. */
void wice__cookie_checker_init(WiceCookieChecker *checker, const WiceKey *own_public_key);
/* under_load false: mac2 is not looked at. Cookies older than the secret's lifetime do not count. */
WiceMacState wice__cookie_check(const WiceCookieChecker *checker, const uint8_t *message,
				size_t length, const WiceEndpoint *source, bool under_load,
				int64_t now_ms);
/*
 * A cookie for the sender of message, at source. nonce: 24 random bytes; secret: 32 more, that become
 * the checker's if it has none or only one that is too old, and are not used otherwise.
 */
void wice__cookie_reply(WiceCookieChecker *checker, const uint8_t *message, size_t length,
			const WiceEndpoint *source, const uint8_t nonce[24],
			const uint8_t secret[32], int64_t now_ms, WiceMessageCookie *ret_reply);

/* The sender of handshakes: one per peer. */
typedef struct {
	uint8_t mac1_key[32];
	uint8_t cookie_key[32]; /* decrypts cookies */
	uint8_t cookie[WICE_COOKIE_LEN];
	uint8_t last_mac1[16];
	int64_t cookie_ms; /* since when */
	bool has_cookie;
	bool has_last_mac1;
} WiceCookieMaker;

/* Knows no cookie yet. */
void wice__cookie_maker_init(WiceCookieMaker *maker, const WiceKey *peer_public_key);
/* Writes the macs of a message that is about to be sent. */
void wice__cookie_add_macs(WiceCookieMaker *maker, uint8_t *message, size_t length, int64_t now_ms);
/*
 * A cookie came for the last message; it goes into those that follow. -EBADMSG: forged, or not for it;
 * -ENOENT: none was sent, or it was answered already. maker is unchanged then.
 */
int wice__cookie_read_reply(WiceCookieMaker *maker, const WiceMessageCookie *reply, int64_t now_ms);

#endif
