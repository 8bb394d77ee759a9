/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_AGENT_MECHANISMS_H
#define WICE_AGENT_MECHANISMS_H

#include <stdbool.h>
#include <stdint.h>
#include <wice/agent.h>
#include <wice/status.h>

#include "agent/attempt.h"
#include "proxy/proxy.h"

/*
 * The mechanisms of one interface: which one its new paths use and why, the proxies that are in
 * use, and for the mechanism with one port, where that is reached from outside. A mechanism is
 * tried when it is wanted first; what cannot be had is not asked for again until something
 * changes.
 */
typedef struct WiceMechanisms WiceMechanisms;

/* As a bit of a set. */
#define WICE_MECHANISM_BIT(mechanism) (1u << (mechanism))
#define WICE_MECHANISMS_N (WICE_MECHANISM_NFT + 1)

/* changed: it is known better where the port is reached from outside. May call all but free. */
WiceMechanisms *wice__mechanisms_new(WiceAgent *agent, const char *ifname,
				     void (*changed)(void *user_data), void *user_data);
/* All proxies must have been given back. */
void wice__mechanisms_free(WiceMechanisms *mechanisms);

/* NONE: the best there is. What could not be had is tried again. */
void wice__mechanisms_want(WiceMechanisms *mechanisms, WiceMechanism wanted);
/*
 * WireGuard's listen port and mark; port 0: the interface cannot be used. True if paths that there
 * are are worth nothing any more.
 */
bool wice__mechanisms_set_port(WiceMechanisms *mechanisms, uint16_t port, uint32_t fwmark);
/* Other STUN servers are known. */
void wice__mechanisms_stun_changed(WiceMechanisms *mechanisms);
/* Addresses or routes have changed, or this host has slept. */
void wice__mechanisms_network_changed(WiceMechanisms *mechanisms);

/* What a new path is to use; refused: a set of mechanisms that it is not to. USER always can be. */
WiceMechanism wice__mechanisms_best(WiceMechanisms *mechanisms, unsigned refused);
/* WireGuard's own socket may be used where it spares a proxy. */
bool wice__mechanisms_may_use_kernel(const WiceMechanisms *mechanisms);
/* All new paths have WireGuard's port: the interface finds out how that looks from outside. */
bool wice__mechanisms_has_one_port(const WiceMechanisms *mechanisms);
/* The proxy of a mechanism, to be given back; NULL if it cannot be made. */
WiceProxy *wice__mechanisms_take(WiceMechanisms *mechanisms, WiceMechanism mechanism);
void wice__mechanisms_give(WiceMechanisms *mechanisms, WiceMechanism mechanism);

/* Valid until the next main loop iteration: calls before that give the same. */
void wice__mechanisms_outside(WiceMechanisms *mechanisms, WiceOutside *ret_outside);
/* Where the one port is asked about, NULL if there is none; until the next call of another one. */
WiceReflexive *wice__mechanisms_reflexive(const WiceMechanisms *mechanisms);
/* One packet from the one port that keeps NATs open. */
void wice__mechanisms_keep_alive(WiceMechanisms *mechanisms, const WiceEndpoint *remote);
/* Fills what concerns them; texts and arrays live until the next call. */
void wice__mechanisms_status(WiceMechanisms *mechanisms, WiceInterfaceStatus *status);

#endif
