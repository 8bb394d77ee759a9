/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_PROXY_NFT_TABLE_H
#define WICE_PROXY_NFT_TABLE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <wice/addr.h>

/*
 * One interface's table in the kernel, and what ought to be in it. Changes are transactions, which
 * the kernel has carried out, or not at all, when a function returns. -errno of what follows:
 * -ENOSPC (too many elements), -EPERM (another process has taken the table), -ETIMEDOUT, or what
 * else the kernel says.
 */
typedef struct WiceNftTable WiceNftTable;

/* owned: false for what kernels without owners get. Errors as in nft.h. */
WiceNftTable *wice__nft_table_new(GMainContext *context, const char *ifname, uint16_t wg_port,
				  bool owned, GError **error);
/* Removes it from the kernel. NULL is fine. */
void wice__nft_table_free(WiceNftTable *table);

/* 0: WireGuard has no port, nothing is rewritten. */
int wice__nft_table_set_wg_port(WiceNftTable *table, uint16_t wg_port);

/* WireGuard gets its packets that come in for local. One and the same may be added repeatedly. */
int wice__nft_table_add_port(WiceNftTable *table, const WiceEndpoint *local);
/* The last removal of as many as there were additions counts. */
void wice__nft_table_remove_port(WiceNftTable *table, const WiceEndpoint *local);

/* WireGuard's packets to remote leave from port, and at once not from another one any more. */
int wice__nft_table_route(WiceNftTable *table, const WiceEndpoint *remote, uint16_t port,
			  const void *owner);
/* Somebody has routed them. */
bool wice__nft_table_is_routed(const WiceNftTable *table, const WiceEndpoint *remote);
/* There is room for routes that nobody has selected: half of it is kept free. */
bool wice__nft_table_has_room(const WiceNftTable *table);
/* They do so no more, unless somebody else than owner was the last to route them. */
void wice__nft_table_unroute(WiceNftTable *table, const WiceEndpoint *remote, const void *owner);

#endif
