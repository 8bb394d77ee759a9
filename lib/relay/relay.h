/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_RELAY_RELAY_H
#define WICE_RELAY_RELAY_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/addr.h>

#include "relay/spec.h"
#include "turn/client.h"
#include "turn/measure.h"

/*
 * One relay of one interface: resolves its name, opens a socket or a stream to it, keeps one
 * allocation there (turn/client.h) and measures the way to it (turn/measure.h). What fails is tried
 * again with backoff, and never waited for.
 *
 * Where the interface has one port on the wire, its owner makes the socket share it
 * (socket_opened).
 */
typedef struct WiceRelay WiceRelay;

typedef enum {
	WICE_RELAY_CONNECTING = 0, /* resolving, connecting, allocating */
	WICE_RELAY_READY,
	WICE_RELAY_FAILED, /* will be tried again; see the reason */
} WiceRelayState;

typedef struct {
	/*
	 * State, relayed addresses, a channel, or what was measured has changed. Never from within
	 * a call of the functions below; any of them may be called, free included.
	 */
	void (*changed)(WiceRelay *relay, void *user_data);
	/*
	 * ChannelData of a channel came in. Valid during the call; may be written to. May be NULL.
	 */
	void (*data)(WiceRelay *relay, uint16_t channel, uint8_t *data, size_t len,
		     void *user_data);
	/*
	 * The relay refuses a channel, which is gone: code as in WiceTurnEvent. Must not free the
	 * relay. May be NULL.
	 */
	void (*refused)(WiceRelay *relay, uint16_t channel, uint16_t code, void *user_data);
	/*
	 * A UDP socket was opened (bound to the wildcard of the server's family) that will send to
	 * server, or is about to be closed. May be NULL.
	 */
	void (*socket_opened)(WiceRelay *relay, int fd, const WiceEndpoint *local,
			      const WiceEndpoint *server, void *user_data);
	void (*socket_closing)(WiceRelay *relay, int fd, const WiceEndpoint *local,
			       const WiceEndpoint *server, void *user_data);
} WiceRelayEvents;

typedef struct {
	GMainContext *context;
	const WiceRelaySpec *spec; /* copied */
	uint32_t fwmark;
} WiceRelayOptions;

/* It starts by itself. events must stay valid. */
WiceRelay *wice__relay_new(const WiceRelayOptions *options, const WiceRelayEvents *events,
			   void *user_data);
/*
 * Before wice__relay_free(): sends the packet that gives the allocation back, or what its answer
 * demands, and may be called again when wice__relay_input() was given one. True: the answer is
 * worth waiting for, since a server that wants a newer nonce first (438) keeps the allocation.
 */
bool wice__relay_give_back(WiceRelay *relay);
/* For all of them at once, with those answers; blocks for 100 ms at most. */
void wice__relay_give_back_all(WiceRelay *const *relays, size_t n);
/*
 * Gives the allocation back and forgets it: the packet for that is sent, its answer not waited for.
 * socket_closing is called. NULL is fine.
 */
void wice__relay_free(WiceRelay *relay);

WiceRelayState wice__relay_state(const WiceRelay *relay);
/* Why it is not READY, one sentence without a full stop; "" if it is. */
const char *wice__relay_reason(const WiceRelay *relay);
/* Its URL, canonical. */
const char *wice__relay_url(const WiceRelay *relay);
/* The address that is spoken to; family NONE while it is not known. */
const WiceEndpoint *wice__relay_server(const WiceRelay *relay);
bool wice__relay_relayed(const WiceRelay *relay, WiceFamily family, WiceEndpoint *ret_relayed);
const WiceMeasure *wice__relay_measure(const WiceRelay *relay);
/* The UDP socket, bound, not connected; -1: over a stream, or not open now. */
int wice__relay_fd(const WiceRelay *relay);

/*
 * As in turn/client.h, and the request has left already; -ENOTCONN while nothing is open. The number
 * is of the allocation: when that is lost (the relay is not READY any more), so is the channel.
 */
int wice__relay_bind(WiceRelay *relay, const WiceEndpoint *peer, uint16_t *ret_channel);
void wice__relay_unbind(WiceRelay *relay, uint16_t channel);
bool wice__relay_is_bound(const WiceRelay *relay, uint16_t channel);

/*
 * Sends what is a whole ChannelData message (len with the header, without padding): for streams,
 * and where nothing faster can be had. Drops what does not fit into the stream's queue (bounded).
 * -errno.
 */
int wice__relay_send(WiceRelay *relay, const uint8_t *channel_data, size_t len);
/*
 * Whether to receive from the socket: somebody else may (a proxy that has its fd), who then hands
 * over what is for us by wice__relay_input(). For the present socket; a new one is received from.
 */
void wice__relay_set_reading(WiceRelay *relay, bool reading);
/* Something of the server arrived by another way than the socket (a bind that shares it). */
void wice__relay_input(WiceRelay *relay, const WiceEndpoint *source, uint8_t *packet, size_t len);

/* Addresses or routes have changed, or this host has slept. */
void wice__relay_network_changed(WiceRelay *relay);
/* Packets of peers go over it (or not any more): it is measured every second. */
void wice__relay_set_used(WiceRelay *relay, bool used);
/*
 * The path of a peer over it has gone silent: measures quickly, and asks whether the allocation is
 * still there. Without an answer within some seconds it is no longer READY.
 */
void wice__relay_hurry(WiceRelay *relay);

#endif
