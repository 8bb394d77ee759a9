/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_EVENT_UPLINKS_H
#define WICE_EVENT_UPLINKS_H

#include <glib.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * The devices of this network namespace that packets of the host itself leave and enter by: those
 * that are up and have an address (other than link-local) or carry a route out, and the loopback
 * device. Ports of bridges and bonds are none (packets are seen at the master), nor are WireGuard's
 * devices, in the kernel or in userspace: no agent sends through these.
 */
typedef struct {
	unsigned ifindex;
	char name[IF_NAMESIZE];
	bool ethernet; /* frames have an Ethernet header; else packets begin with that of IP */
} WiceUplink;

/* Sorted by ifindex. The caller frees *ret_uplinks with g_free(). -errno. */
int wice__uplinks_list(WiceUplink **ret_uplinks, size_t *ret_n);

/*
 * Calls changed on the context when the list may be another one: links, addresses or routes have
 * changed, or a queueing discipline or filter has been deleted (RTNLGRP_TC, for who has attached
 * something to an uplink). Within 100 ms of the event; a storm of events is one call per 20 ms,
 * not one per event. -errno.
 */
typedef struct WiceRtnetlinkWatch WiceUplinkWatch;
int wice__uplink_watch_new(GMainContext *context, void (*changed)(void *user_data), void *user_data,
			   WiceUplinkWatch **ret_watch);
/* NULL is fine; also from within changed. */
void wice__uplink_watch_free(WiceUplinkWatch *watch);

#endif
