/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_EVENT_RTNETLINK_H
#define WICE_EVENT_RTNETLINK_H

#include <glib.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdbool.h>
#include <stddef.h>

/* What listing and watching the links, addresses and routes of this namespace have in common. */

/* libnl has numbers of its own and keeps the kernel's only roughly. 0 stays 0. */
int wice__rtnetlink_errno(int nl_error);
/* A connected socket, to be freed with nl_socket_free(). -errno. */
int wice__rtnetlink_open(struct nl_sock **ret_socket);
/* Scans and the like, which drivers of wireless links report as changes of the link. */
bool wice__rtnetlink_is_wireless_event(struct nlmsghdr *link);

typedef struct {
	const int *groups; /* RTNLGRP_*, n_groups of them */
	size_t n_groups;
	unsigned delay_ms;
	bool (*matters)(struct nlmsghdr *header); /* is asked about every message */
	void (*changed)(void *user_data);
} WiceRtnetlinkWatchOptions;

/*
 * Calls changed on the context delay_ms after the first message that matters, once for all that
 * came by then; also if messages were lost. The options are copied, the groups not kept. -errno.
 */
typedef struct WiceRtnetlinkWatch WiceRtnetlinkWatch;
int wice__rtnetlink_watch_new(GMainContext *context, const WiceRtnetlinkWatchOptions *options,
			      void *user_data, WiceRtnetlinkWatch **ret_watch);
/* NULL is fine; also from within changed. */
void wice__rtnetlink_watch_free(WiceRtnetlinkWatch *watch);

#endif
