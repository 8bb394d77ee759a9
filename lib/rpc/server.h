/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_RPC_SERVER_H
#define WICE_RPC_SERVER_H

#include "rpc/h2.h"
#include "rpc/metadata.h"
#include "rpc/rpc.h"

/* What the two halves of the server share: server.c has connections, call.c has calls. */

struct WiceRpcServer {
	WiceRpcServerOptions options;
	GMainContext *context;
	GPtrArray *listeners;
	GHashTable *connections;
	GQueue waiting; /* connections that wait for their turn to do the TLS handshake */
	unsigned handshakes;
	unsigned refs; /* the user's, each connection's, and one per event being dispatched */
	bool freed;
};

struct WiceRpcConnection {
	WiceRpcServer *server;
	GIOStream *io;     /* the socket, or what stands in for it */
	WiceRpcH2 *h2;     /* NULL until TLS is up */
	GHashTable *calls; /* that are not over */
	size_t incoming;   /* bytes of requests that are not complete */
	void *data;
	GDestroyNotify destroy;
	bool gone;
	unsigned refs; /* the server's table, one per call's memory, and one per event */

	/* TLS only */
	GTlsCertificate *certificate;
	GCancellable *cancellable;
	GSource *first_byte;
	struct WiceTimer *deadline;
};

extern const WiceRpcH2Events wice__rpc_call_events;

WiceRpcConnection *wice__rpc_connection_ref(WiceRpcConnection *connection);
void wice__rpc_connection_unref(WiceRpcConnection *connection);
/* Ends the calls (their users learn it by the destroy of their data) and the connection. */
void wice__rpc_connection_drop(WiceRpcConnection *connection, const char *reason);
void wice__rpc_call_abandon(WiceRpcCall *call);

/*
 * Serves one client on a stream that is open already; for tests. The server's accept is not asked.
 * NULL if there are too many.
 */
WiceRpcConnection *wice__rpc_server_adopt(WiceRpcServer *server, GIOStream *io);

#endif
