/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_CRYPTO_BASE64_H
#define WICE_CRYPTO_BASE64_H

#include <stdbool.h>
#include <wice/key.h>

#define WICE_KEY_BASE64_LEN ((size_t)WICE_KEY_BASE64_SIZE - 1)

/*
 * wice_key_from_base64() and wice_key_to_base64() for texts without a NUL: exactly
 * WICE_KEY_BASE64_LEN letters. False leaves ret_key untouched.
 */
bool wice__key_from_base64(const char *letters, WiceKey *ret_key);
void wice__key_to_base64(const WiceKey *key, char *ret_letters);

#endif
