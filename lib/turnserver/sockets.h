/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TURNSERVER_SOCKETS_H
#define WICE_TURNSERVER_SOCKETS_H

#include <stddef.h>
#include <wice/relay.h>

/* A UDP socket that clients come to. fd stays the server's. */
typedef struct {
	int fd;
	WiceEndpoint local; /* as it is bound; zeros: the wildcard */
} WiceRelaySocket;

/* The index-th; FALSE behind the last. For who makes them share another port. */
gboolean wice__relay_server_socket(const WiceRelayServer *server, size_t index,
				   WiceRelaySocket *ret_socket);

#endif
