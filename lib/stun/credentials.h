/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_STUN_CREDENTIALS_H
#define WICE_STUN_CREDENTIALS_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/mac.h"

/*
 * The keys of MESSAGE-INTEGRITY (RFC 8489 §9).
 *
 * Names and passwords should have gone through OpaqueString (RFC 8265 §4.2). For ASCII that changes
 * nothing, so we only refuse what it refuses: nothing at all, control characters, broken UTF-8.
 * Other text is taken as it is, so whoever has passwords beyond ASCII must give them in their
 * prepared form.
 */

/* ICE passwords have up to 256 characters (RFC 8839 §5.4), and nothing else needs more. */
#define WICE_STUN_KEY_MAX 256

typedef struct {
	size_t len;
	uint8_t bytes[WICE_STUN_KEY_MAX];
} WiceStunKey;

/* RFC 8489 §18.5 */
typedef enum {
	WICE_STUN_ALGORITHM_MD5 = 0x0001,
	WICE_STUN_ALGORITHM_SHA256 = 0x0002,
} WiceStunAlgorithm;

/* §9.1.1: the password. -EINVAL if a text is not acceptable, -E2BIG if the password is too long. */
int wice__stun_key_short_term(WiceStunKey *ret_key, WiceSpan password);
/* §9.2.2: a digest of "username:realm:password". -EINVAL also for an unknown algorithm. */
int wice__stun_key_long_term(WiceStunKey *ret_key, uint16_t algorithm, WiceSpan username,
			     WiceSpan realm, WiceSpan password);
void wice__stun_key_clear(WiceStunKey *key);

/* The value of USERHASH (§14.4), which hides the name from those on the way. */
int wice__stun_userhash(WiceSpan username, WiceSpan realm, uint8_t ret_hash[WICE_SHA256_LEN]);

#endif
