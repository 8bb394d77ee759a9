/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TURNSERVER_OUTLET_H
#define WICE_TURNSERVER_OUTLET_H

#include <stdbool.h>

#include "turnserver/datagrams.h"

/*
 * Relayed ports, one UDP socket each: at random numbers of a range, on the addresses that relayed
 * ports are opened on.
 */
typedef struct WiceOutlets WiceOutlets;

/* Of somebody, or kept for somebody. */
typedef struct {
	WiceUdpPort udp;
	void *owner;        /* NULL: is kept */
	WiceEndpoint inner; /* what the socket is bound to */
	WiceEndpoint outer; /* what others are told: the same, or a NAT's that forwards */
} WiceOutlet;

/* Receives from them with ready. 1 <= min_port <= max_port. poll must stay. */
WiceOutlets *wice__outlets_new(WicePoll *poll,
			       void (*ready)(WicePolled *outlet, uint32_t events, void *user_data),
			       uint16_t min_port, uint16_t max_port);
/* Closes all. NULL is fine. */
void wice__outlets_free(WiceOutlets *outlets);

/* A further address; outer is what it is seen as. Again is fine. */
void wice__outlets_add_address(WiceOutlets *outlets, const WiceAddress *inner,
			       const WiceAddress *outer);
/* Opens no more anywhere, until addresses are added; what is open stays. */
void wice__outlets_remove_addresses(WiceOutlets *outlets);
bool wice__outlets_has_family(const WiceOutlets *outlets, WiceFamily family);

/*
 * Opens one, at the preferred address (inner or outer) if there is such and at the first else; the
 * caller sets its owner. RESERVED: takes the kept one at kept. PAIR: the next number is kept.
 * -EAFNOSUPPORT: no address of that family; -EADDRINUSE: the range is full; -ENOENT: it is not
 * kept; -errno.
 */
int wice__outlet_open(WiceOutlets *outlets, WiceFamily family, WiceTurnPort kind,
		      const WiceAddress *preferred, const WiceEndpoint *kept,
		      WiceOutlet **ret_outlet);
/* Nothing must wait to leave from it. */
void wice__outlet_close(WiceOutlets *outlets, WiceOutlet *outlet);
/* That is told to others as this, or NULL. */
WiceOutlet *wice__outlet_find(const WiceOutlets *outlets, const WiceEndpoint *outer);

#endif
