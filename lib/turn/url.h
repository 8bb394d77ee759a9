/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TURN_URL_H
#define WICE_TURN_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* URLs of STUN and TURN servers (RFC 7064, RFC 7065): pure. */

#define WICE_TURN_HOST_SIZE 254 /* a domain name, or an address, and NUL */
#define WICE_TURN_URL_SIZE 320

/* What a client speaks to a server over (RFC 8656 section 3.1). Relayed data is UDP always. */
typedef enum {
	WICE_TURN_UDP = 0,
	WICE_TURN_TCP,
	WICE_TURN_TLS,
} WiceTurnTransport;

typedef struct {
	bool relays; /* "turn:" or "turns:", else "stun:" or "stuns:" */
	WiceTurnTransport transport;
	char host[WICE_TURN_HOST_SIZE]; /* without the brackets of an IPv6 address */
	uint16_t port;                  /* 3478, 5349 over TLS, unless the URL says otherwise */
} WiceTurnUrl;

/*
 * "turn:host[:port][?transport=udp|tcp]" and so on, schemes and "transport" in any case. -EINVAL if
 * it is malformed, -EPROTONOSUPPORT for what is well-formed and not spoken here (DTLS: turns: with
 * transport=udp).
 */
int wice__turn_url_parse(const char *text, WiceTurnUrl *ret_url);
/* The canonical text: what two equal URLs have in common. Returns ret_text. */
const char *wice__turn_url_format(const WiceTurnUrl *url, char ret_text[WICE_TURN_URL_SIZE]);
/* "udp", "tcp", "tls". Static text. */
const char *wice__turn_transport_name(WiceTurnTransport transport);

#endif
