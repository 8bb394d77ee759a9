/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_PROXY_NFT_NFT_H
#define WICE_PROXY_NFT_NFT_H

#include <glib.h>
#include <stdint.h>

#include "proxy/proxy.h"

/*
 * The mechanism `nft`: rules that rewrite ports, in one table "wice-<ifname>" per interface. A
 * path is an element of a set (its port is ICE's), a selected pair is an element of a map (packets
 * of WireGuard to that remote endpoint leave from that port); rules never change.
 *
 * The table belongs to the netlink socket that made it (NFT_TABLE_F_OWNER): nobody else can change
 * it, `nft flush ruleset` spares it, and it vanishes with the process, however that ends. Kernels
 * that do not know owners (before 5.12): a table that a former life left is replaced, and one that
 * somebody deletes is made again.
 *
 * Errors, as sentences for users: PERMISSION (CAP_NET_ADMIN is needed), UNSUPPORTED (no
 * nf_tables in this kernel), BUSY (another process owns a table of that name), IO.
 */
WiceProxy *wice__proxy_nft_new(GMainContext *context, const char *ifname, uint16_t wg_port,
			       GError **error);

/* The same as on a kernel that does not know owners: for tests. */
WiceProxy *wice__proxy_nft_new_ownerless(GMainContext *context, const char *ifname,
					 uint16_t wg_port, GError **error);

#endif
