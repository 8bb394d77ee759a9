/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_AGENT_FOUND_H
#define WICE_AGENT_FOUND_H

#include <stdbool.h>
#include <stdint.h>
#include <wice/addr.h>
#include <wice/key.h>

/*
 * What was found on an interface before it was touched: its MTU, endpoint and keepalive of each
 * peer. Kept in a file as well, so that it can be put back after the process was killed.
 */
typedef struct WiceFound WiceFound;

/* Reads what a former life left in folder; folder NULL: nothing is kept in a file. */
WiceFound *wice__found_new(const char *folder, const char *interface);
/* Removes the file too: everything has been put back. */
void wice__found_free(WiceFound *found);

typedef struct {
	WiceEndpoint endpoint; /* that was found, or none */
	uint16_t keepalive;    /* that was found */
	WiceEndpoint applied;  /* what was set instead: tells our own traces from the user's hand */
} WiceFoundPeer;

/* False, and the output untouched, if nothing is known of the peer. */
bool wice__found_get(const WiceFound *found, const WiceKey *peer, WiceFoundPeer *ret_peer);
void wice__found_set(WiceFound *found, const WiceKey *peer, const WiceFoundPeer *values);
void wice__found_remove(WiceFound *found, const WiceKey *peer);
/* applied: what the MTU was set to instead. False, and the outputs untouched: it was not. */
bool wice__found_get_mtu(const WiceFound *found, unsigned *ret_mtu, unsigned *ret_applied);
void wice__found_set_mtu(WiceFound *found, unsigned mtu, unsigned applied);
/* Writes the file if something has changed since. Returns 0 or -errno. */
int wice__found_save(WiceFound *found);

#endif
