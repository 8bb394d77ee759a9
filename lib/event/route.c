/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "event/route.h"

#include <errno.h>
#include <glib.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "event/addresses.h"
#include "event/rtnetlink.h"
#include "event/sockaddr.h"

/*
 * Connecting a UDP socket sends nothing; the kernel looks for a route and its source address.
 * Returns the socket.
 */
static int connect_to(const WiceEndpoint *remote, uint32_t fwmark)
{
	struct sockaddr_storage address;
	socklen_t len = wice__endpoint_to_sockaddr(remote, &address);
	if (len == 0)
		return -EAFNOSUPPORT;
	int fd = socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int err = 0;
	if (fwmark && setsockopt(fd, SOL_SOCKET, SO_MARK, &fwmark, sizeof fwmark) < 0)
		err = -errno;
	if (!err && connect(fd, (struct sockaddr *)&address, len) < 0)
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

static int source_to(const WiceEndpoint *remote, uint32_t fwmark, WiceAddress *ret_source)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof address;
	WiceEndpoint source;
	int fd = connect_to(remote, fwmark);
	if (fd < 0)
		return fd;
	int err = getsockname(fd, (struct sockaddr *)&address, &len) < 0 ? -errno : 0;
	close(fd);
	if (!err && !wice__endpoint_from_sockaddr((struct sockaddr *)&address, len, &source))
		err = -EAFNOSUPPORT;
	if (!err)
		*ret_source = source.address;
	return err;
}

unsigned wice__route_mtu(const WiceEndpoint *remote, uint32_t fwmark)
{
	bool ipv4 = remote->address.family == WICE_FAMILY_IPV4;
	int mtu = 0, fd = connect_to(remote, fwmark);
	socklen_t len = sizeof mtu;
	if (fd < 0)
		return 0;
	int err = getsockopt(fd, ipv4 ? IPPROTO_IP : IPPROTO_IPV6, ipv4 ? IP_MTU : IPV6_MTU, &mtu,
			     &len);
	close(fd);
	return err < 0 || mtu < 0 ? 0 : (unsigned)mtu;
}

/* Of the device with the address; 0 if there is none. */
static unsigned device_of(const WiceLocalAddress *all, size_t n, const WiceAddress *address)
{
	for (size_t i = 0; i < n; i++)
		if (wice_address_compare(&all[i].address, address) == 0)
			return all[i].ifindex;
	return 0;
}

bool wice__route_leaves_by(const WiceEndpoint *remote, const WiceAddress *local, uint32_t fwmark)
{
	WiceAddress source;
	if (source_to(remote, fwmark, &source) < 0 || wice_address_compare(&source, local) == 0)
		return true;
	g_autofree WiceLocalAddress *all = NULL;
	size_t n = 0;
	if (wice__addresses_list(&all, &n) < 0)
		return true;
	unsigned theirs = device_of(all, n, &source), ours = device_of(all, n, local);
	return theirs == ours || !ours;
}

/* What the kernel says about a route; nothing if there is none. */
typedef struct {
	bool passes_router;
	unsigned char type; /* RTN_* */
} Answer;

static int route_found(struct nl_msg *message, void *user_data)
{
	struct nlmsghdr *header = nlmsg_hdr(message);
	Answer *answer = user_data;
	if (header->nlmsg_type != RTM_NEWROUTE || !nlmsg_valid_hdr(header, sizeof(struct rtmsg)))
		return NL_OK;
	const struct rtmsg *route = nlmsg_data(header);
	answer->type = route->rtm_type;
	answer->passes_router = route->rtm_dst_len == 0 ||
				nlmsg_find_attr(header, sizeof *route, RTA_GATEWAY) ||
				nlmsg_find_attr(header, sizeof *route, RTA_VIA) ||
				nlmsg_find_attr(header, sizeof *route, RTA_MULTIPATH);
	return NL_OK;
}

/* For the route itself (RTM_F_FIB_MATCH), not for what the kernel makes of it for one address. */
static struct nl_msg *question(const WiceEndpoint *remote, uint32_t fwmark)
{
	bool ipv4 = remote->address.family == WICE_FAMILY_IPV4;
	struct rtmsg route = {
		.rtm_family = ipv4 ? AF_INET : AF_INET6,
		.rtm_dst_len = ipv4 ? 32 : 128,
		.rtm_flags = RTM_F_FIB_MATCH,
	};
	struct nl_msg *message = nlmsg_alloc_simple(RTM_GETROUTE, NLM_F_REQUEST);
	if (message && (nlmsg_append(message, &route, sizeof route, NLMSG_ALIGNTO) < 0 ||
			nla_put(message, RTA_DST, ipv4 ? 4 : 16, remote->address.bytes) < 0 ||
			nla_put_u32(message, RTA_MARK, fwmark) < 0 ||
			(remote->scope && nla_put_u32(message, RTA_OIF, remote->scope) < 0))) {
		nlmsg_free(message);
		return NULL;
	}
	return message;
}

/* False: it could not be asked. */
static bool ask(const WiceEndpoint *remote, uint32_t fwmark, Answer *ret_answer)
{
	struct nl_sock *socket;
	if (wice__rtnetlink_open(&socket) < 0)
		return false;
	struct nl_msg *message = question(remote, fwmark);
	nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, route_found, ret_answer);
	bool asked = message && nl_send_auto(socket, message) >= 0;
	if (asked)
		(void)nl_recvmsgs_default(socket);
	nlmsg_free(message);
	nl_socket_free(socket);
	return asked;
}

bool wice__route_passes_router(const WiceEndpoint *remote, uint32_t fwmark)
{
	Answer answer = { 0 };
	return ask(remote, fwmark, &answer) && answer.passes_router;
}

bool wice__route_ends_here(const WiceEndpoint *remote)
{
	Answer answer = { 0 };
	return !ask(remote, 0, &answer) || answer.type == RTN_LOCAL ||
	       answer.type == RTN_BROADCAST || answer.type == RTN_ANYCAST ||
	       answer.type == RTN_MULTICAST;
}
