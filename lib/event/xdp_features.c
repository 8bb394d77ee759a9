/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "event/xdp_features.h"

#include <errno.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdbool.h>

#include "event/rtnetlink.h"

/* As linux/netdev.h has them since Linux 6.3. */
#define FAMILY "netdev"
#define GET_DEVICE 1
#define ATTRIBUTE_IFINDEX 1
#define ATTRIBUTE_FEATURES 3

typedef struct {
	uint64_t features;
	bool known;
} Answer;

static int on_device(struct nl_msg *message, void *user_data)
{
	Answer *answer = user_data;
	struct genlmsghdr *header = genlmsg_hdr(nlmsg_hdr(message));
	struct nlattr *features = nla_find(genlmsg_attrdata(header, 0), genlmsg_attrlen(header, 0),
					   ATTRIBUTE_FEATURES);
	if (features && nla_len(features) >= (int)sizeof answer->features) {
		answer->features = nla_get_u64(features);
		answer->known = true;
	}
	return NL_OK;
}

static int ask(struct nl_sock *socket, unsigned ifindex, Answer *ret)
{
	int family = genl_ctrl_resolve(socket, FAMILY);
	if (family < 0)
		return -EOPNOTSUPP;
	struct nl_msg *message = nlmsg_alloc();
	if (!message)
		return -ENOMEM;
	genlmsg_put(message, NL_AUTO_PORT, NL_AUTO_SEQ, family, 0, 0, GET_DEVICE, 1);
	nla_put_u32(message, ATTRIBUTE_IFINDEX, ifindex);
	nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, on_device, ret);
	int error = nl_send_sync(socket, message); /* frees it */
	if (error < 0)
		return wice__rtnetlink_errno(error);
	return ret->known ? 0 : -EOPNOTSUPP;
}

int wice__xdp_features(unsigned ifindex, uint64_t *ret_features)
{
	Answer answer = { 0 };
	struct nl_sock *socket = nl_socket_alloc();
	if (!socket)
		return -ENOMEM;
	int r = wice__rtnetlink_errno(genl_connect(socket));
	if (r == 0)
		r = ask(socket, ifindex, &answer);
	nl_socket_free(socket);
	if (r == 0)
		*ret_features = answer.features;
	return r;
}
