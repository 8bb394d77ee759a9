/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel is asked which way a packet would take, instead of looking for a default route in what
 * it lists: that honours rules for fwmarks (where a WireGuard interface has taken the default
 * route, packets with its mark still go to the router), metrics and several tables, names the
 * source address too, and costs the same on a host with a million routes.
 */
#include "portmap/gateway.h"

#include "event/rtnetlink.h"
#include <errno.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <netlink/socket.h>
#include <string.h>
#include <sys/socket.h>

/*
 * PCP's anycast addresses (RFC 7723): on the Internet, and on no one's own network. Nothing is
 * sent there.
 */
static const uint8_t internet_ipv4[4] = { 192, 0, 0, 9 };
static const uint8_t internet_ipv6[16] = { 0x20, 0x01, 0x00, 0x01, [15] = 1 };

static int put_request(struct nl_msg *message, WiceFamily family, uint32_t fwmark)
{
	bool ipv4 = family == WICE_FAMILY_IPV4;
	struct rtmsg route = {
		.rtm_family = ipv4 ? AF_INET : AF_INET6,
		.rtm_dst_len = ipv4 ? 32 : 128,
	};
	if (nlmsg_append(message, &route, sizeof route, NLMSG_ALIGNTO) < 0 ||
	    nla_put(message, RTA_DST, ipv4 ? 4 : 16, ipv4 ? internet_ipv4 : internet_ipv6) < 0 ||
	    (fwmark && nla_put_u32(message, RTA_MARK, fwmark) < 0))
		return -ENOMEM;
	return 0;
}

static bool to_address(struct nl_addr *from, WiceFamily family, WiceAddress *ret)
{
	size_t len = family == WICE_FAMILY_IPV4 ? 4 : 16;
	WiceAddress address = { .family = (uint8_t)family };
	if (!from || nl_addr_get_len(from) != len)
		return false;
	memcpy(address.bytes, nl_addr_get_binary_addr(from), len);
	*ret = address;
	return true;
}

typedef struct {
	WiceFamily family;
	bool found;
	WiceGateway gateway;
} Search;

static int answered(struct nl_msg *message, void *user_data)
{
	Search *search = user_data;
	struct rtnl_route *route = NULL;
	if (rtnl_route_parse(nlmsg_hdr(message), &route) < 0)
		return NL_SKIP;
	struct rtnl_nexthop *hop = rtnl_route_nexthop_n(route, 0);
	search->found =
		hop &&
		to_address(rtnl_route_nh_get_gateway(hop), search->family,
			   &search->gateway.address) &&
		to_address(rtnl_route_get_pref_src(route), search->family, &search->gateway.local);
	if (search->found)
		search->gateway.ifindex = (uint32_t)rtnl_route_nh_get_ifindex(hop);
	rtnl_route_put(route);
	return NL_OK;
}

/* That there is no route is an error of the request, too. */
static int ask(struct nl_sock *socket, struct nl_msg *message, Search *search)
{
	nl_socket_disable_auto_ack(socket);
	nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, answered, search);
	int sent = nl_send_auto(socket, message);
	if (sent < 0)
		return wice__rtnetlink_errno(sent);
	return nl_recvmsgs_default(socket) < 0 || !search->found ? -ENETUNREACH : 0;
}

int wice__gateway_find(WiceFamily family, uint32_t fwmark, WiceGateway *ret_gateway)
{
	Search search = { .family = family };
	struct nl_sock *socket;
	int error = wice__rtnetlink_open(&socket);
	if (error)
		return error;
	struct nl_msg *message = nlmsg_alloc_simple(RTM_GETROUTE, NLM_F_REQUEST);
	error = message ? put_request(message, family, fwmark) : -ENOMEM;
	if (!error)
		error = ask(socket, message, &search);
	nlmsg_free(message);
	nl_socket_free(socket);
	if (!error)
		*ret_gateway = search.gateway;
	return error;
}
