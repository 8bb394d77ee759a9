/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TOOLS_SELECT_H
#define WICE_TOOLS_SELECT_H

#include <wice/wice.h>

/*
 * Which peer of the interface is meant by text: a public key (of a peer that need not be there),
 * the beginning of exactly one peer's key, or an address or network that is within its allowed
 * IPs (longest match).
 */
gboolean select_peer(const WiceStatusInfo *info, const char *interface, const char *text,
		     WiceKey *ret_key, GError **error);

/* The same with a daemon, which is asked only if text is no whole key. */
gboolean select_peer_of(WiceControl *control, const char *interface, const char *text,
			WiceKey *ret_key, GError **error);

#endif
