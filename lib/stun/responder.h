/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_STUN_RESPONDER_H
#define WICE_STUN_RESPONDER_H

#include <stddef.h>
#include <stdint.h>
#include <wice/addr.h>

/* Room for the longest response. */
#define WICE_STUN_RESPONSE_MAX 96

/*
 * The core of a STUN server without authentication (RFC 8489 §12): answers a Binding request, in
 * the form that it has, with the address that it came from, or with error 420 if it must not be
 * understood in part. Returns the length of the response, 0 if the packet deserves none. Responses
 * have no SOFTWARE and no second address, since whoever forges a source would have them sent to his
 * victim.
 */
size_t wice__stun_respond(const uint8_t *packet, size_t len, const WiceEndpoint *source,
			  uint8_t ret_response[WICE_STUN_RESPONSE_MAX]);

#endif
