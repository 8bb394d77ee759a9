/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_EVENT_ADDRESSES_H
#define WICE_EVENT_ADDRESSES_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <wice/addr.h>

/* The addresses of this host (network namespace), and when they change: rtnetlink. */

typedef struct {
	WiceAddress address;
	unsigned ifindex;
	char ifname[16];
	bool point_to_point; /* tun, ppp, WireGuard: the interface has no link layer */
	bool wireguard;      /* of link kind "wireguard" */
} WiceLocalAddress;

typedef struct WiceRtnetlinkWatch WiceAddressWatch;

/*
 * Called on context after addresses, link states or default routes have changed. Bursts are
 * reported once, at the latest 10 ms after the first event: a hint to list again and compare.
 */
typedef void (*WiceAddressChanged)(void *user_data);

/* -errno on failure. */
int wice__address_watch_new(GMainContext *context, WiceAddressChanged changed, void *user_data,
			    WiceAddressWatch **ret_watch);
void wice__address_watch_free(WiceAddressWatch *watch);

/*
 * Lists usable unicast addresses of interfaces that are up, sorted by address: not loopback, not
 * tentative, deprecated or duplicate ones, not multicast. Free with g_free(). -errno on failure.
 */
int wice__addresses_list(WiceLocalAddress **ret_addresses, size_t *ret_n);

#endif
