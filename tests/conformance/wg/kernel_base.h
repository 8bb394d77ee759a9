/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_WG_KERNEL_BASE_H
#define WICE_TESTS_WG_KERNEL_BASE_H

/* What the parts of the played kernel (kernel.h) share: its state, and how it answers. */
#include "wg/backend.h"
#include "wg/device.h"
#include "wg/netlink.h"

#include <check.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/rtnetlink.h>
#include <linux/wireguard.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <string.h>

#define KERNEL_FAMILY 33
#define KERNEL_PORT 4711
#define KERNEL_IFINDEX 77
#define KERNEL_PEERS_GROUP 12
#define KERNEL_ADDRESSES_MAX 8

/* ck_assert() for what is checked a million times: that one writes to a file each time. */
#define KERNEL_REQUIRE(holds)                         \
	do {                                          \
		if (!(holds))                         \
			ck_abort_msg("not: " #holds); \
	} while (0)

typedef struct {
	GMutex mutex;       /* guards all during an exchange */
	WiceDevice *device; /* NULL: there is no such link */
	const char *kind;   /* of the link */
	bool up;
	unsigned mtu;
	unsigned n_addresses;
	WiceInterfaceAddress addresses[KERNEL_ADDRESSES_MAX];

	unsigned peers_per_message; /* 0: 100 */
	unsigned ips_per_message;   /* of one peer, 0: all */
	unsigned n_interrupts;      /* so many dumps are torn first */
	unsigned n_overruns;        /* so many dumps do not fit into the socket first */
	bool no_family;             /* the module is missing */
	bool has_group;             /* the family has a group "peers" */
	bool no_removal;            /* single allowed IPs cannot be taken away, as before 6.16 */
	uint16_t taken_port;        /* by somebody else */
	int error;                  /* what WireGuard's commands fail with, negative */
	int link_error;             /* what changes of links fail with, negative */

	unsigned n_dumps, n_sets, n_families;
	GPtrArray *sets; /* of KernelSet, all that were taken; NULL: nobody wants to know */
	GString *log;    /* changes of the link, as words; NULL: nobody wants to know */
	unsigned sequence;
} TestKernel;

static inline int kernel_feed(struct nl_msg *message, WiceNetlinkReply *reply)
{
	struct nlmsghdr *header = nlmsg_hdr(message);
	int r = wice__netlink_reply_feed(reply, header, header->nlmsg_len);
	nlmsg_free(message);
	return r;
}

static inline struct nl_msg *kernel_message(const WiceNetlinkReply *reply, int type, int flags)
{
	struct nl_msg *message = nlmsg_alloc_size(60000);
	nlmsg_put(message, reply->port, reply->sequence, type, 0, flags);
	return message;
}

static inline int kernel_status(WiceNetlinkReply *reply, int type, int flags, int error)
{
	struct nl_msg *message = kernel_message(reply, type, flags);
	struct nlmsgerr body = { .error = error };
	nlmsg_append(message, &body, sizeof body, 4);
	return kernel_feed(message, reply);
}

/* 1, the end of a reply, is success; 0 is a reply that never ended. */
static inline int kernel_result(int r)
{
	ck_assert_int_ne(r, 0);
	return r < 0 ? r : 0;
}

/* An answer that is nothing but a status. */
static inline int kernel_answer(WiceNetlinkReply *reply, int error)
{
	return kernel_result(kernel_status(reply, NLMSG_ERROR, 0, error));
}

#endif
