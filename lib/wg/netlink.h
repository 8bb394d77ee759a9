/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_NETLINK_H
#define WICE_WG_NETLINK_H

#include "wg/backend.h"
#include "wg/device.h"

#include <netlink/msg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The kernel's WireGuard devices. Where the kernel has no WireGuard, there are just none. */
WiceWgBackend *wice__wg_netlink_new(void);

/* Reading one message. The message is whole (nlmsg_ok() said so), its contents are not trusted. */

typedef struct {
	unsigned ifindex;
	char name[16];
	char kind[16]; /* IFLA_INFO_KIND, "" if the link has none */
	bool up;       /* administratively */
	unsigned mtu;
} WiceNetlinkLink;

/* RTM_NEWLINK or RTM_DELLINK. -EPROTO. */
int wice__netlink_read_link(struct nlmsghdr *header, WiceNetlinkLink *ret);

/* The reply to CTRL_CMD_GETFAMILY: the number of the family. -EPROTO. */
int wice__netlink_read_family(struct nlmsghdr *header, uint16_t *ret);

/* The same reply: the number of the family's multicast group of that name, 0 if none. -EPROTO. */
int wice__netlink_read_group(struct nlmsghdr *header, const char *group, uint32_t *ret);

/*
 * What the group "peers" tells, in kernels that have it: something about a peer of this device
 * changed. -EPROTO, also for messages that are something else.
 */
int wice__netlink_read_notification(struct nlmsghdr *header, char ret_name[16],
				    unsigned *ret_ifindex);

/* One message of the dump of a device. -EPROTO, -E2BIG. */
int wice__netlink_read_device(struct nlmsghdr *header, WiceDeviceBuilder *builder);

/*
 * Making requests. NULL if there is no memory. Whoever does not hand them on frees them with
 * wice__netlink_request_free().
 */

struct nl_msg *wice__netlink_write_list_links(const char *kind);
struct nl_msg *wice__netlink_write_get_link(const char *name);
struct nl_msg *wice__netlink_write_get_family(const char *name);
struct nl_msg *wice__netlink_write_get_device(uint16_t family, const char *name);

/* A change on its way into messages. At first all but the change is zero. */
typedef struct {
	const WiceDeviceChange *change;
	bool begun;
	size_t peer;       /* the one that is next */
	size_t allowed_ip; /* of that one; 0: it has not begun */
	bool removes;      /* the last message takes single allowed IPs away */
} WiceNetlinkSet;

/* True when all of it is written. */
bool wice__netlink_set_done(const WiceNetlinkSet *set);
/* The next message, of at most 60 KiB. */
struct nl_msg *wice__netlink_write_set(uint16_t family, unsigned ifindex, WiceNetlinkSet *set);

/* Since 5.2 the kernel wants the flag on every nest; not every libnl sets it by itself. */
struct nlattr *wice__netlink_start_nest(struct nl_msg *message, int type);

/* Either the message is whole (ok) and returned, or it is freed and there is none. */
struct nl_msg *wice__netlink_whole(struct nl_msg *message, bool ok);

/* Wipes and frees. */
void wice__netlink_request_free(struct nl_msg *request);

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

/* How often a dump is taken that is torn by changes each time, before it is -EBUSY. */
#define WICE_NETLINK_DUMP_TRIES 8

/* True if a dump is to be taken again: it was torn, or the socket could not hold it. */
bool wice__netlink_is_torn(int r, const WiceNetlinkReply *reply);

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

/* The transport that is the kernel. */
extern const WiceNetlinkTransport wice__netlink_kernel;

/*
 * One datagram, without waiting: its length, 0 if it is not from the kernel, -EMSGSIZE if it is
 * larger than the buffer, -EAGAIN if there is none, or what else recvmsg(2) says.
 */
ssize_t wice__netlink_receive(int fd, void *buffer, size_t size);

/*
 * One request and its answer: sends (and frees) request, which may be NULL for want of memory. 0 or
 * -errno, also the kernel's. The request is wiped.
 */
int wice__netlink_exchange(const WiceNetlinkTransport *transport, int protocol,
			   struct nl_msg *request, WiceNetlinkReply *reply, int64_t deadline_ms);

/* The backend on another transport: a kernel that a test plays. */
WiceWgBackend *wice__wg_netlink_new_with(const WiceNetlinkTransport *transport);

#endif
