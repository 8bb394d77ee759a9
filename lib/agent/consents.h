/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_AGENT_CONSENTS_H
#define WICE_AGENT_CONSENTS_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/addr.h>

#include "stun/consent.h"

/*
 * Checks of paths in use (stun/consent.h) at the one port of an interface: who is to get the
 * answers, and what is answered for agents of ours that are closed. Peers' own entries only, so as
 * many as there are peers.
 */
typedef struct WiceConsents WiceConsents;

/* packet is a STUN message from the endpoint that was listened to; nothing is believed yet. */
typedef void (*WiceConsentHeard)(const uint8_t *packet, size_t len, void *user_data);

WiceConsents *wice__consents_new(void);
void wice__consents_free(WiceConsents *consents);

/* What comes from remote is for this one from now on. */
void wice__consents_listen(WiceConsents *consents, const WiceEndpoint *remote,
			   WiceConsentHeard heard, void *user_data);
/* What was not listened to is ignored. */
void wice__consents_unlisten(WiceConsents *consents, const WiceEndpoint *remote);

/* Checks for this agent are answered from now on; base is where it had its socket. */
void wice__consents_add(WiceConsents *consents, const char *ufrag, const char *pwd,
			const WiceEndpoint *base);
/* False if there is none. */
bool wice__consents_remove(WiceConsents *consents, const char *ufrag, WiceEndpoint *ret_base);
/* The ufrag of any of these agents; false if there is none. */
bool wice__consents_any(const WiceConsents *consents, char ret_ufrag[WICE_CONSENT_UFRAG_SIZE]);

/*
 * A packet that came from source. Returns the length of what is to be sent back there, usually 0.
 * The callback may not listen or unlisten.
 */
size_t wice__consents_input(WiceConsents *consents, const WiceEndpoint *source,
			    const uint8_t *packet, size_t len,
			    uint8_t ret_answer[WICE_CONSENT_MAX]);

#endif
