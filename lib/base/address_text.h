/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_BASE_ADDRESS_TEXT_H
#define WICE_BASE_ADDRESS_TEXT_H

#include <stddef.h>
#include <wice/addr.h>

/*
 * What wice_address_parse() and its relatives do, for texts of len bytes that need no NUL: parts
 * of a line, by the ten thousand. False leaves ret untouched.
 */
bool wice__address_parse(const char *text, size_t len, WiceAddress *ret);
bool wice__endpoint_parse(const char *text, size_t len, WiceEndpoint *ret);
bool wice__prefix_parse(const char *text, size_t len, WicePrefix *ret);
/* The same without clearing the host bits. */
bool wice__network_parse(const char *text, size_t len, WiceAddress *ret_address,
			 uint8_t *ret_length);

/* Decimal digits only, at most max; no sign, no space. */
bool wice__number_parse(const char *text, size_t len, uint64_t max, uint64_t *ret);

/* The other way. Each returns where the NUL is that it wrote behind the text. */
char *wice__number_format(uint64_t number, char *ret_text);
char *wice__address_format(const WiceAddress *address, char ret_text[WICE_ADDRESS_SIZE]);
char *wice__endpoint_format(const WiceEndpoint *endpoint, char ret_text[WICE_ENDPOINT_SIZE]);
char *wice__prefix_format(const WicePrefix *prefix, char ret_text[WICE_PREFIX_SIZE]);

#endif
