/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_H
#define WICE_WG_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/addr.h>
#include <wice/device.h>
#include <wice/key.h>
#include <wice/macros.h>

WICE_BEGIN_DECLS

/*
 * Control of WireGuard interfaces: the kernel's (generic netlink) and those of userspace
 * implementations (UAPI sockets under /var/run/wireguard) as one. Needs no main loop. A WiceWg may
 * be used by one thread at a time. All calls are synchronous; none takes longer than the deadline
 * it is given, and a userspace device that does not answer costs at most 250 ms of it.
 *
 * Reading and writing WireGuard devices needs CAP_NET_ADMIN in the interface's user namespace,
 * UAPI sockets need read and write permission on the socket: else WICE_ERROR_PERMISSION.
 */
typedef struct WiceWg WiceWg;

/* Never fails: what is not there is found out when it is asked for. */
WICE_API WiceWg *wice_wg_new(void);
/* NULL is fine. */
WICE_API void wice_wg_free(WiceWg *wg);

/*
 * The names of all WireGuard interfaces of this network namespace, sorted, NULL-terminated; free
 * with g_strfreev(). UAPI sockets whose interface is not in this network namespace are left out,
 * stale ones are skipped. An empty list is no error. Errors: PERMISSION (there are UAPI sockets
 * but one may not see which), TIMEOUT (the system is stuck), IO.
 */
WICE_API char **wice_wg_list(WiceWg *wg, GError **error) WICE_WARN_UNUSED;

/*
 * A snapshot of one interface. timeout_ms bounds the whole call. If a userspace device and a
 * kernel device have the same name, it is the userspace one, as with wg(8). Errors: INVALID (no
 * interface can have that name), NOT_FOUND (no such interface, or it is not WireGuard),
 * PERMISSION, TIMEOUT (a userspace device does not answer), PROTOCOL (its answer is malformed),
 * IO.
 */
WICE_API WiceDevice *wice_wg_get(WiceWg *wg, const char *name, unsigned timeout_ms,
				 GError **error) WICE_WARN_UNUSED;

/* What to change of one peer; unset fields stay as they are. */
typedef struct {
	size_t size; /* sizeof(WicePeerUpdate) */
	WiceKey public_key;
	bool set_endpoint;
	WiceEndpoint endpoint; /* must be an address: WireGuard cannot unset an endpoint */
	bool set_keepalive;
	uint16_t keepalive_s;
} WicePeerUpdate;

/*
 * Changes one existing peer (UPDATE_ONLY: a peer that has been removed meanwhile is not created
 * again, and that is no error). Sends nothing but what is set; never a private key. If nothing is
 * set, nothing happens. Errors: as wice_wg_get(), and UNSUPPORTED (a userspace implementation that
 * cannot change existing peers, such as boringtun).
 */
WICE_API gboolean wice_wg_update_peer(WiceWg *wg, const char *name, const WicePeerUpdate *update,
				      unsigned timeout_ms, GError **error);

/*
 * Watches which WireGuard interfaces exist: RTNLGRP_LINK for the kernel's and for every change of
 * a link, inotify for UAPI sockets. changed is called on context with the interface's name when
 * one appears, disappears, is re-created or changes its link state, and with NULL when events were
 * lost and everything must be listed again; it is a hint to dump, not a description of what
 * happened. Peers change without notice, so who needs to see them must poll (see WiceAgent, which
 * does). changed may free the watch. destroy may be NULL; it frees user_data after the last call,
 * and is not called if this fails. Errors: IO.
 */
typedef struct WiceWgWatch WiceWgWatch;
typedef void (*WiceWgChanged)(const char *name, void *user_data);
WICE_API WiceWgWatch *wice_wg_watch_new(GMainContext *context, WiceWgChanged changed,
					void *user_data, GDestroyNotify destroy,
					GError **error) WICE_WARN_UNUSED;
/* Ends it: no call comes afterwards. Fine from within changed(), and for NULL. */
WICE_API void wice_wg_watch_free(WiceWgWatch *watch);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(WiceWg, wice_wg_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WiceWgWatch, wice_wg_watch_free)

WICE_END_DECLS

#endif
