/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TURNSERVER_LISTENER_H
#define WICE_TURNSERVER_LISTENER_H

#include <glib.h>
#include <stdbool.h>

#include "turnserver/datagrams.h"

/* A socket that clients come to. */
typedef enum { WICE_LISTENER_UDP, WICE_LISTENER_TCP, WICE_LISTENER_TLS } WiceListenerKind;

typedef struct {
	WiceUdpPort udp; /* of TCP and TLS only polled */
	WiceListenerKind kind;
	WiceEndpoint local; /* on the wire */
	bool is_wildcard;   /* local has no address: all of that family */
	char *text;         /* "udp:192.0.2.1:3478" */
	bool is_shared;
	void *owner;
} WiceListener;

/*
 * Opens what text ("udp:192.0.2.1:3478", "tls:*:5349") says and adds it to listeners (of
 * WiceListener): "*" is one socket for each family that there is. Errors name the text: INVALID,
 * BUSY, PERMISSION, NOT_FOUND (no such address), IO.
 */
gboolean wice__listener_open(const char *text, GPtrArray *listeners, GError **error);
/*
 * A UDP socket of its own whose packets come from and go to this port of the host in another way
 * (proxy/bpf/mux.h). -errno.
 */
int wice__listener_share(WiceFamily family, uint16_t port, GPtrArray *listeners);
/* Closes it; it is in no poll. */
void wice__listener_free(void *listener);
/* The UDP listener that packets from this endpoint of ours leave by, or NULL. */
WiceListener *wice__listener_find(const GPtrArray *listeners, const WiceEndpoint *local);

#endif
