/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TURNSERVER_CONNECTION_H
#define WICE_TURNSERVER_CONNECTION_H

#include <gio/gio.h>
#include <stdbool.h>
#include <sys/uio.h>

#include "turnserver/listener.h"

/*
 * Clients over TCP and TLS. Whoever has not proven to be a user within half a minute is hung up on,
 * and the first of those when there are too many: saying nothing costs others nothing.
 */
typedef struct WiceConnections WiceConnections;
typedef struct WiceConnection WiceConnection;

typedef struct {
	/* A STUN message or ChannelData with its padding; valid until sent_all or the next one. */
	void (*frame)(WiceConnection *connection, const uint8_t *frame, size_t len,
		      void *user_data);
	/* What the frames were is about to be overwritten. */
	void (*overwrite)(void *user_data);
	/* It is no longer there. */
	void (*closed)(uint64_t number, void *user_data);
} WiceConnectionEvents;

/* poll and events must stay. */
WiceConnections *wice__connections_new(GMainContext *context, WicePoll *poll,
				       const WiceConnectionEvents *events, void *user_data);
/* Closes all; calls nothing. NULL is fine. */
void wice__connections_free(WiceConnections *connections);

/* Takes clients at a listener of TCP or TLS; certificate: for TLS. -errno. */
int wice__connections_listen(WiceConnections *connections, WiceListener *listener,
			     GTlsCertificate *certificate);

/* NULL: there is none of that number. */
WiceConnection *wice__connections_find(WiceConnections *connections, uint64_t number);
/* Writes what waits. */
void wice__connections_flush(WiceConnections *connections);

uint64_t wice__connection_number(const WiceConnection *connection); /* never 0 */
const WiceEndpoint *wice__connection_client(const WiceConnection *connection);
const WiceEndpoint *wice__connection_local(const WiceConnection *connection);
/* All or, if too much waits already, nothing: false. Copies. */
bool wice__connection_send(WiceConnection *connection, const struct iovec *parts, size_t n);
/*
 * Its client has just proven to be a user: it may stay for as long as an allocation can last; or
 * its allocation has ended: it must make another one soon.
 */
void wice__connection_settle(WiceConnection *connection, bool user);

#endif
