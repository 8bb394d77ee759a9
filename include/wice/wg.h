/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_H
#define WICE_WG_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/addr.h>
#include <wice/cancel.h>
#include <wice/device.h>
#include <wice/key.h>
#include <wice/macros.h>
#include <wice/plan.h>

WICE_BEGIN_DECLS

/*
 * Control of WireGuard interfaces: the kernel's (generic netlink) and those of userspace
 * implementations (UAPI sockets under /var/run/wireguard) as one. Needs no main loop.
 *
 * The calls without _async wait, for no longer than timeout_ms: as long as a userspace device that
 * hangs, so choose it well (wireguard-go takes some 30 ms to report 10,000 peers and a second to
 * make them). wice_wg_list() waits for no device. A WiceWg may be used by several threads at once.
 * All calls see the network namespace of the calling thread.
 *
 * Reading and writing WireGuard devices needs CAP_NET_ADMIN in the interface's user namespace,
 * UAPI sockets need read and write permission on the socket: else WICE_ERROR_PERMISSION.
 */
typedef struct WiceWg WiceWg;

/* Never fails: what is not there is found out when it is asked for. */
WICE_API WiceWg *wice_wg_new(void);
/*
 * NULL is fine. Asynchronous calls that are under way complete all the same.
 */
WICE_API void wice_wg_free(WiceWg *wg);

/* Reading */

/*
 * The names of all WireGuard interfaces of this network namespace, sorted, NULL-terminated; free
 * with g_strfreev(). UAPI sockets whose interface is not in this network namespace are left out.
 * An empty list is no error. What is wrong with what could not be listed (a socket that nobody
 * listens on, that one may not use, that is no socket, a folder of sockets that one may not see)
 * goes to *ret_problems, if that is not NULL: one sentence each, NULL-terminated, free with
 * g_strfreev(). Errors: PERMISSION (nothing may be listed), TIMEOUT (the system is stuck), IO.
 */
WICE_API char **wice_wg_list(WiceWg *wg, char ***ret_problems, GError **error) WICE_WARN_UNUSED;

/*
 * A snapshot of one interface. timeout_ms bounds the whole call. If a userspace device and a
 * kernel device have the same name, it is the userspace one, as with wg(8). Errors: INVALID (no
 * interface can have that name), NOT_FOUND (no such interface, or it is not WireGuard),
 * PERMISSION, TIMEOUT (a userspace device does not answer), PROTOCOL (its answer is malformed),
 * BUSY (it changed during each of several attempts), IO.
 */
WICE_API WiceDevice *wice_wg_get(WiceWg *wg, const char *name, unsigned timeout_ms,
				 GError **error) WICE_WARN_UNUSED;

/* Changing WireGuard's side */

/*
 * Applies a plan, sent in as few and as large messages as the implementation takes; private keys
 * only if the plan sets them. An empty plan sends nothing. Implementations that cannot take single
 * allowed IPs away (kernels and wireguard-go before 2025, boringtun) are given the whole new list
 * of such a peer instead, which needs the device to be read first. WireGuard applies changes one
 * after the other, so after an error some may have been made; since plans are idempotent the whole
 * plan may be sent again, or a new one be made. Errors: as wice_wg_get(), and INVALID (the
 * implementation refuses a value), UNSUPPORTED (it cannot do it at all: boringtun cannot change
 * existing peers), BUSY (the port is in use).
 */
WICE_API gboolean wice_wg_set(WiceWg *wg, const char *name, const WicePlan *plan,
			      unsigned timeout_ms, GError **error);

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
 * Changes one existing peer: wice_wg_set() with a plan of one UPDATE_ONLY (a peer that has been
 * removed meanwhile is not created again, and that is no error). Sends nothing but what is set. If
 * nothing is set, nothing happens. Errors: as wice_wg_set().
 */
WICE_API gboolean wice_wg_update_peer(WiceWg *wg, const char *name, const WicePeerUpdate *update,
				      unsigned timeout_ms, GError **error);

/* The interface itself, which is the system's */

/* Makes a WireGuard interface of the kernel, down, without keys. Errors: INVALID, EXISTS, PERMISSION,
 * UNSUPPORTED (this kernel has no WireGuard), TIMEOUT, IO.
 */
WICE_API gboolean wice_wg_create(WiceWg *wg, const char *name, unsigned timeout_ms, GError **error);

/*
 * Deletes a WireGuard interface, and nothing that is none; a userspace implementation ends with
 * its interface. Errors: as wice_wg_get().
 */
WICE_API gboolean wice_wg_delete(WiceWg *wg, const char *name, unsigned timeout_ms, GError **error);

/* The state of the network interface. */
typedef struct {
	char name[16];
	unsigned ifindex;
	bool up; /* administratively */
	unsigned mtu;
	size_t n_addresses;
	WiceInterfaceAddress *addresses; /* in the order of the system, owned */
} WiceLink;

/* Errors: as wice_wg_get(), and NOT_FOUND for a userspace device without a network interface. */
WICE_API WiceLink *wice_wg_get_link(WiceWg *wg, const char *name, unsigned timeout_ms,
				    GError **error) WICE_WARN_UNUSED;
/* NULL is fine. */
WICE_API void wice_link_free(WiceLink *link);

/* What to change of the network interface. */
typedef struct {
	size_t size;          /* sizeof(WiceLinkChange) */
	const char *new_name; /* NULL: stays */
	bool set_up;
	bool up;
	unsigned mtu; /* 0: stays */
	size_t n_add; /* addresses to add; those that are there already are no error */
	const WiceInterfaceAddress *add;
	size_t n_remove; /* addresses to remove; those that are not there are no error */
	const WiceInterfaceAddress *remove;
	size_t n_routes; /* networks to route into the interface; no route to them may be there */
	const WicePrefix *routes;
	uint32_t route_table; /* that they go to; 0: the main one */
} WiceLinkChange;

/*
 * Changes the network interface of a WireGuard device, in this order: addresses removed, MTU, down,
 * name, addresses added, up, routes (which need it to be up). What was done before an error stays done. Errors: as wice_wg_get(),
 * and INVALID (an impossible name, MTU or address), EXISTS (another interface has the new name, or
 * this one an address to add with another length, or there is a route to add), BUSY (the listen port is in use when it is set
 * up; some kernels rename interfaces only while they are down), UNSUPPORTED (IPv6 is switched off; a
 * userspace device cannot be renamed: its socket would keep the old name).
 */
WICE_API gboolean wice_wg_set_link(WiceWg *wg, const char *name, const WiceLinkChange *change,
				   unsigned timeout_ms, GError **error);

/*
 * Asynchronous calls
 *
 * The same without waiting, for programs with a main loop. done is called exactly once, from
 * context, never before the call has returned; then destroy (may be NULL) frees user_data. Errors
 * are those of the call that waits, and CANCELLED: then what was asked for may happen all the
 * same. cancel may be NULL. The work is done on a thread that nobody sees, in the network
 * namespace of the caller. All arguments are copied. Keep a reference to context until the call has
 * completed: the last one must not be given back by that thread.
 */

/* names and problems as wice_wg_list() gives them, valid during the call; NULL on error. */
typedef void (*WiceWgListed)(char **names, char **problems, const GError *error, void *user_data);
WICE_API void wice_wg_list_async(WiceWg *wg, GMainContext *context, WiceCancel *cancel,
				 WiceWgListed done, void *user_data, GDestroyNotify destroy);

/* device is valid during the call (take a reference to keep it); NULL on error. */
typedef void (*WiceWgGot)(WiceDevice *device, const GError *error, void *user_data);
WICE_API void wice_wg_get_async(WiceWg *wg, const char *name, unsigned timeout_ms,
				GMainContext *context, WiceCancel *cancel, WiceWgGot done,
				void *user_data, GDestroyNotify destroy);

/* error is NULL on success. */
typedef void (*WiceWgDone)(const GError *error, void *user_data);
/* Asynchronous wice_wg_set(). */
WICE_API void wice_wg_set_async(WiceWg *wg, const char *name, WicePlan *plan, unsigned timeout_ms,
				GMainContext *context, WiceCancel *cancel, WiceWgDone done,
				void *user_data, GDestroyNotify destroy);
/* Asynchronous wice_wg_create(). */
WICE_API void wice_wg_create_async(WiceWg *wg, const char *name, unsigned timeout_ms,
				   GMainContext *context, WiceCancel *cancel, WiceWgDone done,
				   void *user_data, GDestroyNotify destroy);
/* Asynchronous wice_wg_delete(). */
WICE_API void wice_wg_delete_async(WiceWg *wg, const char *name, unsigned timeout_ms,
				   GMainContext *context, WiceCancel *cancel, WiceWgDone done,
				   void *user_data, GDestroyNotify destroy);
/* Asynchronous wice_wg_get_link(). link is valid during the call; NULL on error. */
typedef void (*WiceWgGotLink)(const WiceLink *link, const GError *error, void *user_data);
WICE_API void wice_wg_get_link_async(WiceWg *wg, const char *name, unsigned timeout_ms,
				     GMainContext *context, WiceCancel *cancel, WiceWgGotLink done,
				     void *user_data, GDestroyNotify destroy);
/* Asynchronous wice_wg_set_link(). */
WICE_API void wice_wg_set_link_async(WiceWg *wg, const char *name, const WiceLinkChange *change,
				     unsigned timeout_ms, GMainContext *context, WiceCancel *cancel,
				     WiceWgDone done, void *user_data, GDestroyNotify destroy);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(WiceWg, wice_wg_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WiceLink, wice_link_free)

WICE_END_DECLS

#endif
