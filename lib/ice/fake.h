/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_ICE_FAKE_H
#define WICE_ICE_FAKE_H

#include "ice/ice.h"

/*
 * ICE without checks, for tests. The sockets are real (packets can be sent and shared ports work),
 * but which pairs "answer" is decided by a wire: all fakes of a process that were opened while it
 * was in use find one another by their credentials, and the pair with the highest priority among
 * those that answer is selected on both sides.
 */
typedef struct WiceIceWire WiceIceWire;

/* Makes a wire and puts it into use: fakes opened from now on are on it. */
WiceIceWire *wice__ice_wire_new(void);
/* All fakes on it must have been closed. */
void wice__ice_wire_free(WiceIceWire *wire);

/*
 * Milliseconds until a pair is selected (default 1), and until an agent without one fails (2000).
 */
void wice__ice_wire_set_delays(WiceIceWire *wire, unsigned connect_ms, unsigned fail_ms);

/*
 * Whether packets pass from one socket to another and back; endpoints are those of the sockets.
 * NULL: always. Setting it has the agents look again: one whose pair does not answer any more
 * selects another one, or fails after fail_ms.
 */
typedef bool (*WiceIceWireAnswers)(const WiceEndpoint *a, const WiceEndpoint *b, void *user_data);
void wice__ice_wire_set_answers(WiceIceWire *wire, WiceIceWireAnswers answers, void *user_data);

/* A NAT: a candidate with the endpoint mapped reaches the socket that is bound to base. */
void wice__ice_wire_map(WiceIceWire *wire, const WiceEndpoint *mapped, const WiceEndpoint *base);

/* The n-th fake that is open on the wire, NULL if there are fewer. */
WiceIce *wice__ice_wire_agent(WiceIceWire *wire, size_t n);

/* Has an agent fail, whatever it has selected. */
void wice__ice_wire_fail(WiceIce *ice);

extern const WiceIceOps wice__ice_fake;

#endif
