/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_LINK_MESSAGE_H
#define WICE_WG_LINK_MESSAGE_H

#include "wg/netlink.h"

/* Messages about links, their addresses and routes; as in wg/netlink.h, where reading links is. */

typedef struct {
	unsigned ifindex;
	WiceInterfaceAddress address; /* of no family if it is neither IPv4 nor IPv6 */
	WiceAddress peer;             /* the address at the other end, or once more the own one */
} WiceNetlinkAddress;

/* RTM_NEWADDR or RTM_DELADDR. -EPROTO. */
int wice__netlink_read_address(struct nlmsghdr *header, WiceNetlinkAddress *ret);

/* The kernel tells only those of the link if it can, so whoever reads must filter as well. */
struct nl_msg *wice__netlink_write_list_addresses(unsigned ifindex);
/* One that is there already, in whatever form, is left alone: -EEXIST. */
struct nl_msg *wice__netlink_write_add_address(const WiceNetlinkAddress *address);
struct nl_msg *wice__netlink_write_remove_address(const WiceNetlinkAddress *address);

/* A route into a link that is up. table 0: the main one. */
struct nl_msg *wice__netlink_write_add_route(unsigned ifindex, const WicePrefix *network,
					     uint32_t table);

struct nl_msg *wice__netlink_write_create_link(const char *name, const char *kind);
struct nl_msg *wice__netlink_write_delete_link(unsigned ifindex);
struct nl_msg *wice__netlink_write_set_name(unsigned ifindex, const char *name);
struct nl_msg *wice__netlink_write_set_mtu(unsigned ifindex, unsigned mtu);
struct nl_msg *wice__netlink_write_set_up(unsigned ifindex, bool up);

#endif
