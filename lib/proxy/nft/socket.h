/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_PROXY_NFT_SOCKET_H
#define WICE_PROXY_NFT_SOCKET_H

#include <stdint.h>

#include "proxy/nft/message.h"

/* A netlink socket for transactions: the owner of the tables that were made with it. */
typedef struct WiceNftSocket WiceNftSocket;

/* -EOPNOTSUPP: this kernel has no netfilter; or another -errno. */
int wice__nft_socket_open(WiceNftSocket **ret_socket);
/* Tables that it owns vanish. NULL is fine. */
void wice__nft_socket_close(WiceNftSocket *socket);
/* Its address, by which the kernel names who has changed something. */
uint32_t wice__nft_socket_port(const WiceNftSocket *socket);

/*
 * 0: there is such a table, *ret_owner is the port of its owner or 0; -ENOENT; -EOPNOTSUPP: this
 * kernel has no nf_tables; -EPERM: this process may not even ask.
 */
int wice__nft_find_table(WiceNftSocket *socket, const char *name, uint32_t *ret_owner);

/* A transaction for a table (borrowed): begin, what is to be done (message.h), commit. */
void wice__nft_begin(WiceNftSocket *socket, WiceNftBatch *batch, const char *table);
/* All of it is done, or nothing (-errno, mostly the kernel's). The batch is done with. */
int wice__nft_commit(WiceNftSocket *socket, WiceNftBatch *batch);

#endif
