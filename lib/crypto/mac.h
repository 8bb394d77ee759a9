/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_CRYPTO_MAC_H
#define WICE_CRYPTO_MAC_H

#include <stddef.h>
#include <stdint.h>

/*
 * The digests that STUN and TURN ask for, over a list of parts so that a header can be patched
 * without copying the message. Where the bytes come from tells which library computes them: SHA-256
 * is libsodium's, whose state lives on the stack and is wiped; MD5 and SHA-1, which libsodium
 * refuses to have, are GLib's.
 */
typedef struct {
	const void *data;
	size_t len;
} WiceSpan;

#define WICE_MD5_LEN 16
#define WICE_SHA1_LEN 20
#define WICE_SHA256_LEN 32

void wice__md5(const WiceSpan *parts, size_t n, uint8_t ret_digest[WICE_MD5_LEN]);
void wice__sha256(const WiceSpan *parts, size_t n, uint8_t ret_digest[WICE_SHA256_LEN]);
void wice__hmac_sha1(WiceSpan key, const WiceSpan *parts, size_t n,
		     uint8_t ret_digest[WICE_SHA1_LEN]);
void wice__hmac_sha256(WiceSpan key, const WiceSpan *parts, size_t n,
		       uint8_t ret_digest[WICE_SHA256_LEN]);

#endif
