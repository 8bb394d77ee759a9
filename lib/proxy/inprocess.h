/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_PROXY_INPROCESS_H
#define WICE_PROXY_INPROCESS_H

#include <glib.h>
#include <wice/bind.h>

#include "proxy/proxy.h"

/*
 * The mechanism `inprocess`, for WireGuard that is in this process: what the userspace proxy
 * (user.h) does over the loopback interface, without any step between.
 *
 *   engine's UDP bind  --channel--  second socket on the port of the ICE agent (port_share.h)
 *
 * WireGuard packets that come in there are the engine's, which answers where they came from, as
 * WireGuard does everywhere; what is configured as a peer's endpoint goes over the path that was
 * selected for it. A path over a relay is a channel of its own on the TURN client's socket (not on
 * a stream, for which there is the userspace proxy). Packets pass on the engine's threads and never
 * here.
 *
 * bind: a UDP bind (wice_bind_udp_new()), which must live longer. Takes its foreign packets.
 */
WiceProxy *wice__proxy_inprocess_new(GMainContext *context, WiceBind *bind);

#endif
