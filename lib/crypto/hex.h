/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_CRYPTO_HEX_H
#define WICE_CRYPTO_HEX_H

#include <stdbool.h>
#include <wice/key.h>

#define WICE_KEY_HEX_LEN ((size_t)2 * WICE_KEY_LEN)

/*
 * wice_key_from_hex() and wice_key_to_hex() for texts without a NUL: exactly WICE_KEY_HEX_LEN
 * digits. False leaves ret_key untouched.
 */
bool wice__key_from_hex(const char *digits, WiceKey *ret_key);
void wice__key_to_hex(const WiceKey *key, char *ret_digits);

#endif
