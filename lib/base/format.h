/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_BASE_FORMAT_H
#define WICE_BASE_FORMAT_H

#include <stdint.h>
#include <wice/addr.h>

/*
 * Numbers and addresses as text where there are hundreds of thousands of them. Each function writes
 * to `to`, without a NUL, and returns where it stopped.
 */

/* There must be room for so many bytes, all of which may be written to: 2^64 - 1. */
#define WICE_DECIMAL_MAX 20
char *wice__format_decimal(char *to, uint64_t value);

/* "0x1f", lower case: at most so many bytes. */
#define WICE_HEX_MAX 10
char *wice__format_hex(char *to, uint32_t value);

/* As inet_ntop(3): at most WICE_ADDRESS_SIZE - 1 bytes. Nothing for an address that is none. */
char *wice__format_address(char *to, const WiceAddress *address);

/*
 * As wice_endpoint_format() and wice_prefix_format(), and nothing for none: at most
 * WICE_ENDPOINT_SIZE - 1 and WICE_PREFIX_SIZE - 1 bytes.
 */
char *wice__format_endpoint(char *to, const WiceEndpoint *endpoint);
char *wice__format_prefix(char *to, const WicePrefix *prefix);

#endif
