/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_SIGNALING_MULTICAST_URL_H
#define WICE_SIGNALING_MULTICAST_URL_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <wice/addr.h>

/* RFC 2365: the IPv4 local scope, 239.255.0.0/16; RFC 4291: link-local. 0x57, 0x43 are "WC". */
#define WICE_MULTICAST_GROUP4 "239.255.87.67"
#define WICE_MULTICAST_GROUP6 "ff02::5743"
#define WICE_MULTICAST_PORT 9967

/* multicast://[GROUP[:PORT]][?interface=NAME][&loopback=true|false] */
typedef struct {
	WiceAddress group4; /* none: this family is not used */
	WiceAddress group6;
	uint16_t port;
	char interface[16]; /* only this one; "": all that can */
	bool loopback;      /* other programs of this host receive it too */
} WiceMulticastUrl;

/* INVALID: the message says what is wrong with the URL. ret_parsed is untouched then. */
gboolean wice__multicast_url_parse(const char *url, WiceMulticastUrl *ret_parsed, GError **error);

#endif
