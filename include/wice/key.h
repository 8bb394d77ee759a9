/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_KEY_H
#define WICE_KEY_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <wice/macros.h>

WICE_BEGIN_DECLS

/* A Curve25519 key, public or private, or a preshared key, as WireGuard uses them. */
#define WICE_KEY_LEN 32
/* Room for the base64 text of a key with its terminating NUL: 44 characters + 1. */
#define WICE_KEY_BASE64_SIZE 45

typedef struct {
	uint8_t bytes[WICE_KEY_LEN];
} WiceKey;

/*
 * Reads the base64 form (RFC 4648 section 4: 43 characters and '=', canonical: unused bits zero).
 * Returns false and leaves ret_key untouched for anything else. Takes the same time for every
 * well-formed text, so private keys may be read with it.
 */
WICE_API bool wice_key_from_base64(const char *text, WiceKey *ret_key) WICE_WARN_UNUSED;

/* Writes the base64 form with its NUL. Takes the same time for every key. */
WICE_API void wice_key_to_base64(const WiceKey *key, char ret_text[WICE_KEY_BASE64_SIZE]);

/* Reads and writes 64 hexadecimal digits, the form of the userspace API (UAPI). */
WICE_API bool wice_key_from_hex(const char *text, WiceKey *ret_key) WICE_WARN_UNUSED;
WICE_API void wice_key_to_hex(const WiceKey *key, char ret_text[2 * WICE_KEY_LEN + 1]);

/* Orders keys as memcmp(3) does: for public keys. Private keys must not be compared with it. */
WICE_API int wice_key_compare(const WiceKey *a, const WiceKey *b);

/* True if all 32 bytes are zero ("no key"), in constant time. */
WICE_API bool wice_key_is_zero(const WiceKey *key);

/* Overwrites the key so that the compiler cannot leave it out. Call it for secrets after use. */
WICE_API void wice_key_clear(WiceKey *key);

/* A new private key from the system's random generator, clamped as Curve25519 wants it. */
WICE_API void wice_key_generate_private(WiceKey *ret_key);

/* The public key that belongs to a private one (RFC 7748). */
WICE_API void wice_key_public(const WiceKey *private_key, WiceKey *ret_public_key);

WICE_END_DECLS

#endif
