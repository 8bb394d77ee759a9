/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_PEER_GROUP_H
#define WICE_WG_PEER_GROUP_H

#include <glib.h>
#include <stdint.h>

/*
 * The kernel's own word on changed peers: a multicast group of its WireGuard family, as in the
 * patches of 2021 and 2022. No released kernel has it.
 */
typedef struct WicePeerGroup WicePeerGroup;

/*
 * A socket that hears this group of this generic netlink family ("wireguard", "peers"): the
 * caller's. Asking for a family makes the kernel look for its module. -ENOENT: there is none.
 */
int wice__peer_group_open(const char *family, const char *group, int64_t deadline_ms);

/*
 * Called on context with the name of a device of which a peer changed, and with NULL when such
 * words were lost. Must not free the group.
 */
typedef void (*WicePeerGroupChanged)(const char *name, void *user_data);

/* Takes ownership of the socket. */
WicePeerGroup *wice__peer_group_new(int fd, GMainContext *context, WicePeerGroupChanged changed,
				    void *user_data);
/* NULL is fine. */
void wice__peer_group_free(WicePeerGroup *group);

#endif
