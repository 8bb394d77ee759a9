/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TURN_PEER_POLICY_H
#define WICE_TURN_PEER_POLICY_H

#include <stdbool.h>
#include <wice/addr.h>

/*
 * Whom a relay must not be a way to, wherever it stands (RFC 8656 section 21.1.5, RFC 6890): what
 * is the host itself, the link that it is on, or nobody at all, and unless that is permitted the
 * private networks behind it. An IPv6 address that holds an IPv4 address is denied if that is.
 */
typedef struct {
	bool permit_private; /* private, shared, unique-local, and those of benchmarks */
	bool permit_loopback;
} WicePeerPolicy;

bool wice__peer_is_denied(const WicePeerPolicy *policy, const WiceAddress *peer);

#endif
