/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_CRYPTO_KEY_H
#define WICE_CRYPTO_KEY_H

#include <wice/key.h>

/* Sets the bits of a private key that Curve25519 takes for granted, as devices do. */
void wice__key_clamp(WiceKey *private_key);

#endif
