/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_CRYPTO_CRC32_H
#define WICE_CRYPTO_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32 of ITU V.42, as in Ethernet and zlib. Begin with 0; feed the result back in to go on. */
uint32_t wice__crc32(uint32_t crc, const void *data, size_t len);

#endif
