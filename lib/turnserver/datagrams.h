/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TURNSERVER_DATAGRAMS_H
#define WICE_TURNSERVER_DATAGRAMS_H

#include <netinet/in.h>
#include <stdbool.h>

#include "event/udp.h"
#include "turn/server.h"
#include "turnserver/poll.h"

/*
 * Packets from UDP sockets to UDP sockets, a batch at a time: what is received stays where it is,
 * packets that refer to it wait at the sockets that they leave from, and all leave together.
 */
typedef struct WiceDatagrams WiceDatagrams;

typedef struct WiceDatagram WiceDatagram;

/* A UDP socket of ours, with the packets that wait to leave from it. */
typedef struct WiceUdpPort WiceUdpPort;
struct WiceUdpPort {
	WicePolled polled;
	WiceUdpSender sender;
	WiceDatagram *first, *last;
	WiceUdpPort *next_waiting;
};

/* An address in the form that the system wants. */
typedef union {
	struct sockaddr any;
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;
} WiceUdpName;

socklen_t wice__udp_name(WiceUdpName *ret_name, const WiceEndpoint *endpoint);

/* -errno. */
int wice__datagrams_new(WiceDatagrams **ret_datagrams);
/* NULL is fine. */
void wice__datagrams_free(WiceDatagrams *datagrams);

/*
 * Receives what there is at the socket, up to a batch, and calls take for each packet; data is
 * valid until wice__datagrams_rest(). local: where it was sent to, if the socket tells.
 */
typedef void (*WiceDatagramFunc)(WiceUdpPort *port, const WiceUdpReceived *received,
				 const uint8_t *data, size_t len, void *user_data);
void wice__datagrams_receive(WiceDatagrams *datagrams, WiceUdpPort *port, WiceDatagramFunc take,
			     void *user_data);

/* Queues the verdict's data to its peer (TO_PEER). */
void wice__datagrams_to_peer(WiceDatagrams *datagrams, WiceUdpPort *port,
			     const WiceTurnVerdict *verdict);
/*
 * Queues the verdict's header, data and padding (TO_CLIENT). route must stay until
 * wice__datagrams_send() or _rest().
 */
void wice__datagrams_to_client(WiceDatagrams *datagrams, WiceUdpPort *port, WiceUdpRoute *route,
			       const WiceTurnVerdict *verdict);
/* Sends all that waits: before a socket or a route goes away. */
void wice__datagrams_send(WiceDatagrams *datagrams);
/* The same, and what was received is no longer needed. */
void wice__datagrams_rest(WiceDatagrams *datagrams);
/* How many packets the system did not take. */
uint64_t wice__datagrams_dropped(const WiceDatagrams *datagrams);

#endif
