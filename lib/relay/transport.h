/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_RELAY_TRANSPORT_H
#define WICE_RELAY_TRANSPORT_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/addr.h>

#include "event/stream_connect.h"

/* The way to a relay's server: a UDP socket, or a stream over TCP or TLS. */
typedef struct WiceRelayTransport WiceRelayTransport;

/* All may close the transport. They come from the main loop, never from within a call. */
typedef struct {
	/* It can be sent over now. */
	void (*opened)(void *user_data);
	/* A datagram of the server's, or a frame of the stream. It may be written to. */
	void (*input)(uint8_t *packet, size_t len, void *user_data);
	/* It cannot be used (any more), and is to be closed. reason: a sentence. */
	void (*failed)(const char *reason, void *user_data);
} WiceRelayTransportEvents;

/* A UDP socket, bound to the wildcard and not connected. -errno. */
int wice__relay_datagrams_open(GMainContext *context, const WiceEndpoint *server, uint32_t fwmark,
			       const WiceRelayTransportEvents *events, void *user_data,
			       WiceRelayTransport **ret_transport);
/* Connects by itself. options need not outlive the call. */
WiceRelayTransport *wice__relay_stream_open(GMainContext *context, const WiceStreamOptions *options,
					    const WiceRelayTransportEvents *events,
					    void *user_data);
/* Closes it at once; what was not sent yet is lost. NULL is fine. */
void wice__relay_transport_close(WiceRelayTransport *transport);

/*
 * Sends a datagram, or a frame (ChannelData without padding). -errno; -EAGAIN: there is no room, it
 * is dropped (a stream keeps some more room for STUN messages).
 */
int wice__relay_transport_send(WiceRelayTransport *transport, const uint8_t *packet, size_t len);
/*
 * What comes back for what was sent to nowhere (ICMP) makes the transport fail, until this is
 * called: a server that has answered is there, and the word of routers on the way is not proven.
 */
void wice__relay_transport_trust(WiceRelayTransport *transport);
/* Of a UDP socket; a stream is always read. */
void wice__relay_transport_set_reading(WiceRelayTransport *transport, bool reading);

/* Of the server; family NONE: not known yet. */
const WiceEndpoint *wice__relay_transport_server(const WiceRelayTransport *transport);
/* The UDP socket's, and what it is bound to; -1: a stream. */
int wice__relay_transport_fd(const WiceRelayTransport *transport);
const WiceEndpoint *wice__relay_transport_local(const WiceRelayTransport *transport);

/*
 * What the two kinds have in common. references: its owner's, and one while an event is reported,
 * so that it can be closed from there; events is NULL once it is closed.
 */
typedef struct {
	int (*send)(WiceRelayTransport *transport, const uint8_t *packet, size_t len);
	void (*trust)(WiceRelayTransport *transport);                     /* may be NULL */
	void (*set_reading)(WiceRelayTransport *transport, bool reading); /* likewise */
	void (*close)(WiceRelayTransport *transport);
	void (*free)(WiceRelayTransport *transport);
} WiceRelayTransportKind;

struct WiceRelayTransport {
	const WiceRelayTransportKind *kind;
	unsigned references;
	GMainContext *context;
	const WiceRelayTransportEvents *events;
	void *user_data;
	WiceEndpoint server, local;
	int fd;
};

void wice__relay_transport_init(WiceRelayTransport *transport, const WiceRelayTransportKind *kind,
				GMainContext *context, const WiceRelayTransportEvents *events,
				void *user_data);
void wice__relay_transport_ref(WiceRelayTransport *transport);
void wice__relay_transport_unref(WiceRelayTransport *transport);

#endif
