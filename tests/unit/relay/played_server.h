/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_RELAY_PLAYED_SERVER_H
#define WICE_TESTS_RELAY_PLAYED_SERVER_H

#include <gio/gio.h>
#include <stdbool.h>
#include <stdint.h>
#include <wice/addr.h>

#include "turn/url.h"

/*
 * A TURN server that asks for no password, on a thread of its own: it answers every request, and sends ChannelData
 * back to where it came from. Of a stream it serves one connection after the other.
 */
typedef struct {
	WiceTurnTransport transport;
	GSocket *socket;
	GTlsCertificate *certificate;
	GCancellable *cancellable;
	GThread *thread;
	uint16_t port;
	GMutex lock;
	/* What it is to do, and has seen; under the lock. */
	bool silent;             /* answers nothing */
	bool deaf;               /* and does not read from a stream */
	uint16_t allocate_error; /* instead of an allocation */
	WiceEndpoint alternate;  /* for error 300 */
	bool forgot;             /* Refresh is answered with 437 */
	unsigned stale;          /* so many Refreshes are answered with 438 */
	bool talks_nonsense;     /* answers with what is no STUN */
	unsigned n_bindings, n_allocates, n_binds, n_refreshes, n_releases, n_data;
} PlayedServer;

/* address: "127.0.0.1" or "::1"; port 0: any. certificate: for TLS, else NULL. */
void played_server_start(PlayedServer *server, WiceTurnTransport transport, const char *address,
			 uint16_t port, GTlsCertificate *certificate);
void played_server_stop(PlayedServer *server);

/* Reads or sets one of the members. */
#define PLAYED_GET(server, member) \
	(g_mutex_lock(&(server)->lock), played_unlock((server), (unsigned)(server)->member))
#define PLAYED_SET(server, member, value)        \
	do {                                     \
		g_mutex_lock(&(server)->lock);   \
		(server)->member = (value);      \
		g_mutex_unlock(&(server)->lock); \
	} while (0)
static inline unsigned played_unlock(PlayedServer *server, unsigned value)
{
	g_mutex_unlock(&server->lock);
	return value;
}

#endif
