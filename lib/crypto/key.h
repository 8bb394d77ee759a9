/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_CRYPTO_KEY_H
#define WICE_CRYPTO_KEY_H

#include <wice/key.h>

/* Makes 32 random bytes the private key that they stand for (RFC 7748 section 5). */
void wice__key_clamp(WiceKey *key);

/*
 * For a GHashTable of public keys. Strangers choose keys, so the hash has a secret of its own in each
 * process.
 */
guint wice__key_hash(gconstpointer key);
gboolean wice__key_equal(gconstpointer a, gconstpointer b);

#endif
