/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TURNSERVER_SERVER_PRIVATE_H
#define WICE_TURNSERVER_SERVER_PRIVATE_H

#include <wice/relay.h>

#include "event/addresses.h"
#include "event/source.h"
#include "turn/server.h"
#include "turnserver/connection.h"
#include "turnserver/datagrams.h"
#include "turnserver/fast_path.h"
#include "turnserver/listener.h"
#include "turnserver/outlet.h"
#include "turnserver/poll.h"
#include "turnserver/users.h"

/*
 * The server with its sockets, and the seams between its files:
 *
 *   server.c      the library object: options, what it is made of, accounts, status, drain
 *   places.c      the addresses that relayed ports are opened on
 *   tenant.c      what the core asks for: ports, and who uses them
 *   relaying.c    packets: from a socket to the core, and where its verdict says
 *   users.c  listener.c  connection.c  outlet.c  poll.c  datagrams.c  fast_path.c
 *                 parts, each on its own
 */
struct WiceRelayServer {
	GMainContext *context;
	WiceRelayServerOptions options; /* the callbacks and numbers; texts are not kept */
	WiceUsers *users;
	WicePoll *poll;
	WiceDatagrams *datagrams;
	WiceOutlets *outlets;
	GPtrArray *listeners; /* WiceListener */
	WiceConnections *connections;
	GTlsCertificate *certificate; /* NULL: no TLS */
	WiceFastPath *fast_path;
	WiceTurnServer *core;
	WiceTurnServerEvents events;
	int64_t now_ms; /* of the batch of packets that is being looked at */
	WiceTimer *expiry;
	int64_t expiry_ms; /* when the core is to be asked again */
	WiceTimer *accounts;
	void (*drained)(void *user_data);
	void *drained_data;
	WiceTurnTraffic ended; /* of allocations that there are no more */
	uint64_t total, refused, unauthenticated, dropped;
	WiceAddressWatch *watch;
	bool follows; /* opens ports at the addresses that the host has */
};

/* An allocation, as the sockets see it: hangs at the core's. */
typedef struct {
	WiceRelayServer *server;
	WiceTurnAllocation *allocation;
	WiceOutlet *outlets[2];  /* IPv4, IPv6 */
	WiceEndpoint relayed[2]; /* also when they have been closed */
	/* The way to a client of UDP; made anew when it has moved. */
	WiceTurnTuple tuple;
	WiceListener *listener; /* NULL: there is no way */
	WiceUdpRoute route;
	WiceUdpName name;
} WiceTenant;

/* relaying.c */
void wice__relaying_on_listener(WicePolled *polled, uint32_t events, void *server);
void wice__relaying_on_outlet(WicePolled *polled, uint32_t events, void *server);
extern const WiceConnectionEvents wice__relaying_connection_events;
/* All that were ready have been looked at. */
void wice__relaying_rest(void *server);

/* tenant.c */
extern const WiceTurnServerEvents wice__tenant_events;
WiceTenant *wice__tenant_of(const WiceTurnAllocation *allocation);
/* The way to its client over UDP; NULL if there is none, or it is a stream. */
WiceUdpRoute *wice__tenant_route(WiceTenant *tenant);
/* This one goes away. */
void wice__tenant_forget_listener(WiceTenant *tenant, const WiceListener *listener);
void wice__tenant_account(WiceTenant *tenant, gboolean ended);

/*
 * places.c: opens ports on these ("INNER", "OUTER/INNER"), or on what the host has (texts NULL).
 * INVALID, NOT_FOUND.
 */
gboolean wice__places_set(WiceRelayServer *server, const char *const *texts, GError **error);
/* The host's addresses may have changed. */
void wice__places_changed(void *server);

#endif
