/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_BASE_ADDRESS_H
#define WICE_BASE_ADDRESS_H

#include <stdbool.h>
#include <wice/addr.h>

/* True if prefix is one: a family, and a length that fits it. */
bool wice__prefix_valid(const WicePrefix *prefix);

/* Clears all bits behind the prefix length: two equal prefixes have equal bytes then. */
void wice__prefix_clear_host_bits(WicePrefix *prefix);

/*
 * IPv4 within IPv6 (::ffff:192.0.2.1) is IPv4 everywhere in the library: systems and
 * implementations say one or the other for the same endpoint.
 */
void wice__endpoint_unmap(WiceEndpoint *endpoint);

#endif
