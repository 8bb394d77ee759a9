/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_PROXY_INPROCESS_H
#define WICE_PROXY_INPROCESS_H

#include <glib.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/bind.h>

/*
 * Paths for WireGuard that is in this process: what the userspace proxy (user.h) does over the
 * loopback interface, without any step between.
 *
 *   engine's UDP bind  --channel--  second socket on the port of the ICE agent (port_share.h)
 *
 * A path is made per ICE socket. WireGuard packets that come in there are the engine's, which answers
 * where they came from, as WireGuard does everywhere; what is configured as a peer's endpoint goes
 * over the path that was selected for it. Packets pass on the engine's threads and never here.
 *
 * All functions are called on the thread of the context.
 */
typedef struct WiceInprocess WiceInprocess;         /* one per engine */
typedef struct WiceInprocessPath WiceInprocessPath; /* one per ICE socket */

/*
 * A STUN packet with our probe's tag came in on a path. From the context; valid during the call,
 * which may free the path.
 */
typedef void (*WiceInprocessStunFunc)(WiceInprocessPath *path, const WiceEndpoint *source,
				      const uint8_t *packet, size_t len, void *user_data);

/* bind: a UDP bind (wice_bind_udp_new()), which must live longer. Takes its foreign packets. */
WiceInprocess *wice__inprocess_new(GMainContext *context, WiceBind *bind);
/* All paths must have been freed before. NULL is fine. */
void wice__inprocess_free(WiceInprocess *inprocess);

/*
 * Adds a path over the port of ice_fd, which stays the caller's. -ENOTSUP: the kernel cannot share
 * ports; -EPERM: fwmark (0: none) may not be set.
 */
int wice__inprocess_path_new(WiceInprocess *inprocess, int ice_fd, uint32_t fwmark,
			     WiceInprocessStunFunc on_stun, void *user_data,
			     WiceInprocessPath **ret_path);
/* The engine's packets to where it leads are dropped from now on. NULL is fine. */
void wice__inprocess_path_free(WiceInprocessPath *path);

/* From now on, who gets remote as its endpoint is sent to over this path. */
void wice__inprocess_path_select(WiceInprocessPath *path, const WiceEndpoint *remote);

/* Sends one packet from the path's port (STUN probes). -errno. */
int wice__inprocess_path_send(WiceInprocessPath *path, const WiceEndpoint *remote,
			      const uint8_t *packet, size_t len);

#endif
