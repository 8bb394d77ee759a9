/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_PROXY_RELAY_H
#define WICE_TESTS_PROXY_RELAY_H

/*
 * A relay that is played, with the TURN client that the proxy's user has:
 *
 *   near: client, the TURN client's socket    far: server, the relay's
 *         or a queue, which plays a stream
 */
#include "bed.h"

#define RELAY_CHANNEL 0x4000
#define RELAY_MAX_ODD 64

typedef struct {
	BedInterface *interface;
	bool stream;
	int client, server; /* client -1: a stream */
	WiceEndpoint local, address;
	WiceEndpoint wire; /* what the relay sees the client as */
	GQueue sent;       /* over the stream: GBytes */
	/* What the proxy has handed to the TURN client. */
	unsigned n_odd;
	GBytes *odd[RELAY_MAX_ODD];
	WiceEndpoint odd_source;
	void (*on_odd)(void *user_data); /* may be NULL */
	void *user_data;
} Relay;

/* A peer's way over it. */
typedef struct {
	Relay *relay;
	WiceProxyPath *path;
	uint16_t number;
	bool in_place;
} RelayChannel;

/*
 * One interface with one peer, of a mechanism that receives from the TURN client's socket, or of any
 * with relayed paths; NULL where there is nothing to be tested. And its opposite.
 */
WiceProxyPeer *relay_bed_open(Bed *bed, int i);
WiceProxyPeer *relay_bed_open_any(Bed *bed, int i);
void relay_bed_close(WiceProxyPeer *peer, Bed *bed);
/* A relay with the first channel. False: the mechanism has none over streams. */
bool relay_with_channel(BedInterface *interface, WiceProxyPeer *peer, bool stream, bool in_place,
			Relay *ret_relay, RelayChannel *ret_channel);

void relay_open(BedInterface *interface, bool stream, Relay *ret_relay);
void relay_close(Relay *relay);
/* 0 or what the hook returned. */
int relay_try_channel(Relay *relay, WiceProxyPeer *peer, uint16_t number, bool in_place,
		      RelayChannel *ret_channel);
void relay_channel(Relay *relay, WiceProxyPeer *peer, uint16_t number, bool in_place,
		   RelayChannel *ret_channel);
/* Frees the path. */
void relay_channel_free(RelayChannel *channel);
/* Returns what WireGuard's endpoint must be. */
WiceEndpoint relay_select(const RelayChannel *channel);

/* A packet as it travels. Returns the length. */
size_t relay_wrap(const RelayChannel *channel, const uint8_t *packet, size_t len,
		  uint8_t *ret_message);
/* From the relay: as it is, or wrapped. */
void relay_send_raw(const Relay *relay, const uint8_t *message, size_t len);
void relay_send(const RelayChannel *channel, const uint8_t *packet, size_t len);
/* Into bed->got; false: the relay has got nothing. */
bool relay_take(Relay *relay);
/* That what the relay gets next is this packet. */
void relay_expect(const RelayChannel *channel, const uint8_t *packet, size_t len);
/* One packet each way. */
void relay_carry(const RelayChannel *channel, const WiceEndpoint *endpoint, uint32_t number,
		 size_t len);

#endif
