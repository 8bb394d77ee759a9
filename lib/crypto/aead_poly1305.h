/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_CRYPTO_AEAD_POLY1305_H
#define WICE_CRYPTO_AEAD_POLY1305_H

#include <stdint.h>

#include "crypto/aead.h"

/*
 * The tag of one packet's ciphertext (RFC 8439 section 2.8, without additional data) under its one-time
 * key of 32 bytes, a block at a time: for packets that are too few to fill the lanes of a vector. For
 * little-endian processors of 64 bits.
 */
void wice__poly1305_tag(const uint8_t key[32], const uint8_t *data, uint32_t length,
			uint8_t ret_tag[WICE_AEAD_TAG_LEN]);

#endif
