/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_STUN_CONSENT_H
#define WICE_STUN_CONSENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/addr.h>

#include "stun/credentials.h"
#include "stun/message.h"

/*
 * Checks of a path that ICE has selected, between the ports that it uses, with the credentials of
 * the two agents (RFC 7675 section 5.1): they have the form of ICE's own checks (RFC 8445 section
 * 7.1), so that an agent answers them, and so does who only knows its credentials. Pure.
 */
#define WICE_CONSENT_ID_LEN 12 /* the transaction id without the cookie */
#define WICE_CONSENT_MAX 144   /* room for a request or an answer */
#define WICE_CONSENT_UFRAG_SIZE 33

/*
 * A request of the controlling end. key: of the other agent's password. Returns the length, 0 if
 * the ufrags are too long.
 */
size_t wice__consent_ask(const uint8_t id[WICE_CONSENT_ID_LEN], const char *own_ufrag,
			 const char *remote_ufrag, const WiceStunKey *key,
			 uint8_t ret_request[WICE_CONSENT_MAX]);
/* Whether that is a genuine answer to such a request, and to which one. */
bool wice__consent_is_answer(const uint8_t *packet, size_t len, const WiceStunKey *key,
			     uint8_t ret_id[WICE_CONSENT_ID_LEN]);
/*
 * The ufrag of ours that a check is for; false if it is none. Nothing is believed yet: see
 * wice__consent_answer().
 */
bool wice__consent_is_asked(const uint8_t *packet, size_t len, WiceSpan *ret_own_ufrag);
/*
 * The answer to a check that came from source. key: of the own agent's password. Returns its
 * length; 0 if the check is not genuine: strangers get no answer.
 */
size_t wice__consent_answer(const uint8_t *packet, size_t len, const WiceStunKey *key,
			    const WiceEndpoint *source, uint8_t ret_answer[WICE_CONSENT_MAX]);

#endif
