/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_RELAY_CHECK_LEG_H
#define WICE_RELAY_CHECK_LEG_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/addr.h>

#include "relay/spec.h"
#include "turn/client.h"

/*
 * A way to one address of a server, and what has come of the questions that were asked over it. It
 * asks nothing by itself, and draws no conclusions: see check_server.h.
 */
typedef struct WiceCheckLeg WiceCheckLeg;

typedef struct {
	bool opened; /* TCP and TLS are through; over UDP that is nothing */
	bool broken; /* the way itself: reason, without a full stop */
	char *reason;
	/* Of Binding requests. */
	bool answered;
	uint32_t rtt_us;
	WiceEndpoint outside; /* none: there was none in the answer */
	WiceEndpoint other;   /* OTHER-ADDRESS (RFC 5780 section 7.4), or none */
	bool strange;         /* what came back is nothing that a server would say */
	/* Of the allocation. */
	bool allocated;
	bool refused; /* it failed: failure */
	WiceTurnFailure failure;
	WiceEndpoint alternate; /* of WICE_TURN_ALTERNATE */
	bool bound, not_bound;  /* the channel */
	WiceEndpoint relayed_ipv4, relayed_ipv6;
	uint16_t code;      /* of the newest error response, 0: none */
	char software[128]; /* "": it did not say */
} WiceCheckFacts;

/* All may free the leg. They come from the main loop, never from within a call. */
typedef struct {
	void (*changed)(void *user_data);
	/* Came over the channel. */
	void (*data)(const uint8_t *data, size_t len, void *user_data);
} WiceCheckLegEvents;

typedef struct {
	GMainContext *context;
	const WiceRelaySpec *spec; /* how to speak to the server */
	WiceEndpoint server;
	uint32_t fwmark;
	const char *username, *password; /* NULL: none */
} WiceCheckLegOptions;

WiceCheckLeg *wice__check_leg_new(const WiceCheckLegOptions *options,
				  const WiceCheckLegEvents *events, void *user_data);
/* Gives the allocation back, without waiting for an answer. NULL is fine. */
void wice__check_leg_free(WiceCheckLeg *leg);
const WiceCheckFacts *wice__check_leg_facts(const WiceCheckLeg *leg);

/* To be called once it is opened: Binding requests, until one is answered; an allocation. */
void wice__check_leg_ask(WiceCheckLeg *leg);
void wice__check_leg_allocate(WiceCheckLeg *leg);
/* Once it is allocated: its only channel; then what is sent over it. */
void wice__check_leg_bind(WiceCheckLeg *leg, const WiceEndpoint *peer);
void wice__check_leg_send(WiceCheckLeg *leg, const uint8_t *data, size_t len);

#endif
