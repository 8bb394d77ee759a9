/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_BASE_PARSE_H
#define WICE_BASE_PARSE_H

#include <stddef.h>
#include <wice/addr.h>

/*
 * What wice_address_parse() and its relatives do, for texts of len bytes that need no NUL: parts
 * of a line, by the ten thousand. False leaves ret untouched.
 */
bool wice__parse_address(const char *text, size_t len, WiceAddress *ret);
bool wice__parse_endpoint(const char *text, size_t len, WiceEndpoint *ret);
bool wice__parse_prefix(const char *text, size_t len, WicePrefix *ret);
/* The same without clearing the host bits. */
bool wice__parse_network(const char *text, size_t len, WiceAddress *ret_address,
			 uint8_t *ret_length);

/*
 * Reads a network at the front of a text, with its host bits and no zeros before its length.
 * Returns what follows, whatever that is, or NULL; then *ret may hold anything.
 */
const char *wice__parse_front_network(const char *text, const char *end, WicePrefix *ret);

/* Decimal digits only, at most max; no sign, no space. */
bool wice__parse_number(const char *text, size_t len, uint64_t max, uint64_t *ret);

#endif
