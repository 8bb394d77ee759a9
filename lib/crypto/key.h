/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_CRYPTO_KEY_H
#define WICE_CRYPTO_KEY_H

#include <wice/key.h>

/* wice_key_from_base64() of 44 characters in a longer text. */
bool wice__key_decode(const char text[WICE_KEY_BASE64_SIZE - 1], WiceKey *ret_key);

#endif
