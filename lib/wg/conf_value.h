/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_CONF_VALUE_H
#define WICE_WG_CONF_VALUE_H

#include "wg/conf_line.h"

#include <stdint.h>

/*
 * What the values of a configuration file mean. Tokens come without white space around them. All of
 * these are false for a value that wg(8) refuses, and leave ret untouched, but for addresses: there
 * it may hold anything then (none for a host). lenient takes what wg(8) takes beyond what people mean.
 */

/* Decimal digits. lenient: with zeros in front. */
bool wice__conf_read_number(WiceConfToken token, bool lenient, uint64_t max, uint64_t *ret);

/* "off" is 0. */
bool wice__conf_read_fwmark(WiceConfToken token, bool lenient, uint32_t *ret);
bool wice__conf_read_keepalive(WiceConfToken token, bool lenient, uint16_t *ret);

bool wice__conf_read_key(WiceConfToken token, WiceKey *ret);

bool wice__conf_read_address(WiceConfToken token, WiceAddress *ret);

/* Without a prefix length it is the full one. Host bits are kept. */
bool wice__conf_read_network(WiceConfToken token, bool lenient, WiceAddress *ret_address,
			     uint8_t *ret_length);

/* Clears the bits behind the prefix; false if there were none to clear. */
bool wice__conf_clear_host_bits(WicePrefix *prefix);

/*
 * lenient: as getaddrinfo(3) of glibc reads it, modulo 65536; what is no number is a service's
 * name, for which *ret_service is set.
 */
bool wice__conf_read_port(WiceConfToken token, bool lenient, uint16_t *ret, bool *ret_service);

typedef struct {
	WiceConfToken host; /* without brackets */
	WiceConfToken port;
	bool bracketed;
} WiceConfEndpoint;

/* Cuts an endpoint in two. */
bool wice__conf_split_endpoint(WiceConfToken token, WiceConfEndpoint *ret);

/*
 * The host, if it is an address. lenient: also as inet_aton(3) reads it ("127.1"). An IPv6 address
 * may have a scope: a number here, as names are not for pure code.
 */
bool wice__conf_read_host(WiceConfToken token, bool lenient, WiceEndpoint *ret);

/* A host name that can be one (RFC 1123 section 2.1, and underscores). */
bool wice__conf_is_host_name(WiceConfToken token);

#endif
