/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_SHOW_H
#define WICE_WG_SHOW_H

#include "wg/writer.h"

#include <wice/show.h>

/* What the forms share. */

#define WICE_NS_PER_S INT64_C(1000000000)

/* The caller's options; what it has not, because it is older or NULL, is zero. */
WiceShowOptions wice__show_options(const WiceShowOptions *options);

/* A writer for a text that takes about so many bytes for each peer and each allowed IP. */
void wice__show_begin(WiceWriter *writer, const WiceDevice *device, size_t per_peer, size_t per_ip);

/* The peer that the implementation listed as the i-th, and its i-th allowed IP. */
const WiceDevicePeer *wice__show_peer(const WiceDevice *device, size_t i);
const WicePrefix *wice__show_allowed_ip(const WiceDevicePeer *peer, size_t i);

/* "[fe80::1%eth0]:51820", as getnameinfo(3) names the host; not for an endpoint that is none. */
void wice__show_endpoint(WiceWriter *writer, const WiceEndpoint *endpoint,
			 const WiceShowOptions *options);

#endif
