/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_NETLINK_H
#define WICE_WG_NETLINK_H

#include "wg/backend.h"
#include "wg/device.h"

#include <netlink/msg.h>
#include <stdbool.h>
#include <stdint.h>

/* The kernel's WireGuard devices. Where the kernel has no WireGuard, there are just none. */
WiceWgBackend *wice__wg_netlink_new(void);

/* Reading one message. The message is whole (nlmsg_ok() said so), its contents are not trusted. */

typedef struct {
	unsigned ifindex;
	char name[16];
	char kind[16]; /* IFLA_INFO_KIND, "" if the link has none */
} WiceNetlinkLink;

/* RTM_NEWLINK or RTM_DELLINK. -EPROTO. */
int wice__netlink_read_link(struct nlmsghdr *header, WiceNetlinkLink *ret);

/* The reply to CTRL_CMD_GETFAMILY: the number of the family. -EPROTO. */
int wice__netlink_read_family(struct nlmsghdr *header, uint16_t *ret);

/* One message of the dump of a device. -EPROTO, -E2BIG. */
int wice__netlink_read_device(struct nlmsghdr *header, WiceDeviceBuilder *builder);

/* Making requests. The caller frees them with nlmsg_free(); NULL if there is no memory. */

struct nl_msg *wice__netlink_write_list_links(const char *kind);
struct nl_msg *wice__netlink_write_get_link(const char *name);
struct nl_msg *wice__netlink_write_get_family(const char *name);
struct nl_msg *wice__netlink_write_get_device(uint16_t family, const char *name);
struct nl_msg *wice__netlink_write_update(uint16_t family, const char *name,
					  const WicePeerUpdate *update);

/*
 * A reply while it comes in. message() is called for each message that belongs to it and is not a
 * control message.
 */
typedef struct {
	uint32_t port, sequence; /* of the request; others' messages are skipped */
	int (*message)(struct nlmsghdr *header, void *user_data); /* -errno ends the reply */
	void *user_data;
	bool interrupted; /* what was dumped changed meanwhile (NLM_F_DUMP_INTR) */
} WiceNetlinkReply;

/* Takes one datagram. 0: there is more to come; 1: that was all; or -errno, also the kernel's. */
int wice__netlink_reply_feed(WiceNetlinkReply *reply, void *datagram, size_t len);

/* The -errno for a negative result of a libnl function, as far as libnl lets one know it. */
int wice__netlink_errno(int libnl_error);

/*
 * How requests reach the kernel. exchange() completes the request (port and sequence, also in
 * reply), sends it and feeds what comes back to reply until that is all: 0 or -errno.
 * protocol: NETLINK_ROUTE or NETLINK_GENERIC.
 */
typedef struct {
	int (*exchange)(void *user_data, int protocol, struct nl_msg *request,
			WiceNetlinkReply *reply, int64_t deadline_ms);
	void *user_data; /* borrowed */
} WiceNetlinkTransport;

/* The same on another transport: a kernel that a test plays. */
WiceWgBackend *wice__wg_netlink_new_with(const WiceNetlinkTransport *transport);

#endif
