/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_RPC_CONNECT_H
#define WICE_RPC_CONNECT_H

#include "rpc/rpc.h"

/* One attempt to get a byte stream to a server: resolving, TCP (both address families), TLS. */
typedef struct WiceRpcConnect WiceRpcConnect;

/* Called once; exactly one of io (a reference goes to the callee) and error is there. */
typedef void (*WiceRpcConnectFunc)(GIOStream *io, const GError *error, void *user_data);

/*
 * The callback never comes before this returns. options need not outlive the call. After the
 * callback the handle is gone.
 */
WiceRpcConnect *wice__rpc_connect_start(GMainContext *context, const WiceRpcClientOptions *options,
					WiceRpcConnectFunc func, void *user_data);
/* No callback comes afterwards. */
void wice__rpc_connect_cancel(WiceRpcConnect *connect);

/*
 * Sets up a socket of ours, client's or server's: small packets leave at once, dead peers are
 * found.
 */
void wice__rpc_socket_tune(GSocket *socket);

#endif
