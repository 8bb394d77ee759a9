/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_TURN_CLIENT_LAB_H
#define WICE_TESTS_TURN_CLIENT_LAB_H

#include "played_server.h"
#include "turn/client.h"

/*
 * A client, a played server, and a network between them that is as bad as one likes; all in virtual
 * time and from a random seed, so that each run is the same.
 */
#define LAB_RTT_MS 20
#define LAB_BURST_MS 10
#define LAB_EVENTS 7

typedef struct {
	PlayedServer server;
	WiceTurnClientOptions options;
	WiceTurnClient *client;
	int64_t now;
	unsigned tuple; /* which address the client has */
	GRand *rand;
	/* The network: one way takes delay_min..delay_max. */
	unsigned loss_permille, copies_permille;
	int delay_min_ms, delay_max_ms;
	GPtrArray *flying; /* LabPacket */
	/* What has happened. */
	unsigned n_sent, n_burst, burst_max; /* packets of the client; within LAB_BURST_MS */
	int64_t burst_since;
	unsigned n_events[LAB_EVENTS]; /* by type */
	WiceTurnEvent last[LAB_EVENTS];
	int64_t at[LAB_EVENTS]; /* when the last of a type came */
} Lab;

/* UDP, IPv4, the server's credentials, a perfect network of LAB_RTT_MS. */
void lab_init(Lab *lab);
/* After the options are set. */
void lab_start(Lab *lab);
void lab_done(Lab *lab);
/* Lets time pass. */
void lab_run(Lab *lab, int64_t ms);
/* Until an event of this type, after now; false if there is none within that time. */
bool lab_wait(Lab *lab, WiceTurnEventType type, int64_t ms);
/* Runs until there is an allocation. */
void lab_allocate(Lab *lab);
/* A channel to played_peer(), bound or to be. */
uint16_t lab_bind(Lab *lab, WiceFamily family, unsigned n);
/* A packet from the server that nobody asked for. */
WiceTurnInput lab_input(Lab *lab, const void *packet, size_t len);

#endif
