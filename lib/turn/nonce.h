/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TURN_NONCE_H
#define WICE_TURN_NONCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/addr.h>

#include "crypto/mac.h"

/*
 * Nonces that prove themselves (RFC 8489 section 9.2), so that nothing need be remembered of
 * somebody who asks for one:
 *
 *   obMatJos2 | features, 3 bytes | expiry, 4 bytes | MAC over expiry and address, 8 bytes
 *
 * behind the cookie in base64. Someone else's nonce, or our own at another address, does not pass.
 */
#define WICE_TURN_NONCE_LEN 29
#define WICE_TURN_NONCE_KEY_LEN 16
/* RFC 8656 section 5 wants a new one at least every hour. */
#define WICE_TURN_NONCE_LIFETIME_S 900

typedef struct {
	uint8_t key[WICE_TURN_NONCE_KEY_LEN];
	bool hidden_names; /* besides password algorithms, which there always are */
} WiceTurnNonces;

void wice__turn_nonce_write(const WiceTurnNonces *nonces, const WiceEndpoint *client,
			    int64_t now_ms, char ret_nonce[WICE_TURN_NONCE_LEN]);
/* It is ours, of this client, and has not expired. */
bool wice__turn_nonce_check(const WiceTurnNonces *nonces, const WiceEndpoint *client,
			    int64_t now_ms, WiceSpan nonce);

#endif
