/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_CRYPTO_KEY_H
#define WICE_CRYPTO_KEY_H

#include <wice/key.h>

/* Makes 32 random bytes the private key that they stand for (RFC 7748 section 5). */
void wice__key_clamp(WiceKey *key);

#endif
