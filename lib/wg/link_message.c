/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The netlink messages of links, their addresses and routes (include/uapi/linux/if_link.h,
 * if_addr.h, rtnetlink.h), between bytes and the model. No sockets here.
 */
#include "wg/link_message.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <string.h>

int wice__netlink_read_link(struct nlmsghdr *header, WiceNetlinkLink *ret)
{
	static const struct nla_policy policy[IFLA_MAX + 1] = {
		[IFLA_IFNAME] = { .type = NLA_STRING, .maxlen = sizeof ret->name },
		[IFLA_LINKINFO] = { .type = NLA_NESTED },
		[IFLA_MTU] = { .type = NLA_U32 },
	};
	static const struct nla_policy info_policy[IFLA_INFO_MAX + 1] = {
		[IFLA_INFO_KIND] = { .type = NLA_STRING },
	};
	struct nlattr *attrs[IFLA_MAX + 1], *info[IFLA_INFO_MAX + 1];
	WiceNetlinkLink link = { 0 };

	if (!nlmsg_valid_hdr(header, sizeof(struct ifinfomsg)) ||
	    nlmsg_parse(header, sizeof(struct ifinfomsg), attrs, IFLA_MAX,
			(struct nla_policy *)policy) < 0 ||
	    !attrs[IFLA_IFNAME])
		return -EPROTO;
	const struct ifinfomsg *body = nlmsg_data(header);
	link.ifindex = (unsigned)body->ifi_index;
	link.up = body->ifi_flags & IFF_UP;
	if (attrs[IFLA_MTU])
		link.mtu = nla_get_u32(attrs[IFLA_MTU]);
	nla_strlcpy(link.name, attrs[IFLA_IFNAME], sizeof link.name);
	if (attrs[IFLA_LINKINFO]) {
		if (nla_parse_nested(info, IFLA_INFO_MAX, attrs[IFLA_LINKINFO],
				     (struct nla_policy *)info_policy) < 0)
			return -EPROTO;
		if (info[IFLA_INFO_KIND])
			nla_strlcpy(link.kind, info[IFLA_INFO_KIND], sizeof link.kind);
	}
	*ret = link;
	return 0;
}

static bool read_ip(int family, struct nlattr *attr, WiceAddress *ret)
{
	bool v4 = family == AF_INET;
	int len = v4 ? 4 : 16;
	if (nla_len(attr) != len)
		return false;
	*ret = (WiceAddress){ .family = v4 ? WICE_FAMILY_IPV4 : WICE_FAMILY_IPV6 };
	memcpy(ret->bytes, nla_data(attr), (size_t)len);
	return true;
}

int wice__netlink_read_address(struct nlmsghdr *header, WiceNetlinkAddress *ret)
{
	struct nlattr *attrs[IFA_MAX + 1];
	if (!nlmsg_valid_hdr(header, sizeof(struct ifaddrmsg)) ||
	    nlmsg_parse(header, sizeof(struct ifaddrmsg), attrs, IFA_MAX, NULL) < 0)
		return -EPROTO;
	const struct ifaddrmsg *body = nlmsg_data(header);
	WiceNetlinkAddress address = { .ifindex = body->ifa_index };
	if (body->ifa_family == AF_INET || body->ifa_family == AF_INET6) {
		/* Without a peer, IPv6 has only the one, IPv4 both. */
		struct nlattr *peer = attrs[IFA_ADDRESS] ? attrs[IFA_ADDRESS] : attrs[IFA_LOCAL];
		struct nlattr *own = attrs[IFA_LOCAL] ? attrs[IFA_LOCAL] : peer;
		if (!own || body->ifa_prefixlen > (body->ifa_family == AF_INET ? 32 : 128) ||
		    !read_ip(body->ifa_family, own, &address.address.address) ||
		    !read_ip(body->ifa_family, peer, &address.peer))
			return -EPROTO;
		address.address.length = body->ifa_prefixlen;
	}
	*ret = address;
	return 0;
}

/* A request with a fixed header that the attributes follow. */
static struct nl_msg *start_request(int type, int flags, void *body, size_t size)
{
	struct nl_msg *message = nlmsg_alloc_simple(type, flags);
	if (!message)
		return NULL;
	return wice__netlink_whole(message, nlmsg_append(message, body, size, NLMSG_ALIGNTO) == 0);
}

static struct nl_msg *start_get_link(int flags)
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC };
	struct nl_msg *message = start_request(RTM_GETLINK, flags, &body, sizeof body);
	if (!message)
		return NULL;
	return wice__netlink_whole(
		message, nla_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS) == 0);
}

static bool put_kind(struct nl_msg *message, const char *kind)
{
	struct nlattr *info = wice__netlink_start_nest(message, IFLA_LINKINFO);
	return info && nla_put_string(message, IFLA_INFO_KIND, kind) == 0 &&
	       nla_nest_end(message, info) == 0;
}

/*
 * The kernel filters by the kind if it knows it (since 4.6), so whoever reads must filter as well.
 */
struct nl_msg *wice__netlink_write_list_links(const char *kind)
{
	struct nl_msg *message = start_get_link(NLM_F_DUMP);
	return message ? wice__netlink_whole(message, put_kind(message, kind)) : NULL;
}

struct nl_msg *wice__netlink_write_get_link(const char *name)
{
	struct nl_msg *message = start_get_link(0);
	if (!message)
		return NULL;
	return wice__netlink_whole(message, nla_put_string(message, IFLA_IFNAME, name) == 0);
}

struct nl_msg *wice__netlink_write_create_link(const char *name, const char *kind)
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC };
	struct nl_msg *message = start_request(RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
					       &body, sizeof body);
	if (!message)
		return NULL;
	return wice__netlink_whole(message, nla_put_string(message, IFLA_IFNAME, name) == 0 &&
						    put_kind(message, kind));
}

static struct nl_msg *start_link_change(int type, unsigned ifindex)
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex };
	return start_request(type, NLM_F_ACK, &body, sizeof body);
}

struct nl_msg *wice__netlink_write_delete_link(unsigned ifindex)
{
	return start_link_change(RTM_DELLINK, ifindex);
}

struct nl_msg *wice__netlink_write_set_name(unsigned ifindex, const char *name)
{
	struct nl_msg *message = start_link_change(RTM_SETLINK, ifindex);
	if (!message)
		return NULL;
	return wice__netlink_whole(message, nla_put_string(message, IFLA_IFNAME, name) == 0);
}

struct nl_msg *wice__netlink_write_set_mtu(unsigned ifindex, unsigned mtu)
{
	struct nl_msg *message = start_link_change(RTM_SETLINK, ifindex);
	if (!message)
		return NULL;
	return wice__netlink_whole(message, nla_put_u32(message, IFLA_MTU, mtu) == 0);
}

struct nl_msg *wice__netlink_write_set_up(unsigned ifindex, bool up)
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC,
				  .ifi_index = (int)ifindex,
				  .ifi_flags = up ? IFF_UP : 0,
				  .ifi_change = IFF_UP };
	return start_request(RTM_SETLINK, NLM_F_ACK, &body, sizeof body);
}

struct nl_msg *wice__netlink_write_list_addresses(unsigned ifindex)
{
	struct ifaddrmsg body = { .ifa_family = AF_UNSPEC, .ifa_index = ifindex };
	return start_request(RTM_GETADDR, NLM_F_DUMP, &body, sizeof body);
}

static struct nl_msg *write_address(int type, int flags, const WiceNetlinkAddress *address)
{
	const WiceAddress *own = &address->address.address;
	bool v4 = own->family == WICE_FAMILY_IPV4;
	int len = v4 ? 4 : 16;
	struct ifaddrmsg body = {
		.ifa_family = v4 ? AF_INET : AF_INET6,
		.ifa_prefixlen = address->address.length,
		.ifa_scope =
			v4 && wice_address_is_loopback(own) ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE,
		.ifa_index = address->ifindex,
	};
	struct nl_msg *message = start_request(type, NLM_F_ACK | flags, &body, sizeof body);
	if (!message)
		return NULL;
	return wice__netlink_whole(
		message, nla_put(message, IFA_LOCAL, len, own->bytes) == 0 &&
				 nla_put(message, IFA_ADDRESS, len, address->peer.bytes) == 0);
}

struct nl_msg *wice__netlink_write_add_address(const WiceNetlinkAddress *address)
{
	return write_address(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, address);
}

struct nl_msg *wice__netlink_write_remove_address(const WiceNetlinkAddress *address)
{
	return write_address(RTM_DELADDR, 0, address);
}

/* As `ip route add` makes them: what they lead to is on the link (IPv4), or anywhere (IPv6). */
struct nl_msg *wice__netlink_write_add_route(unsigned ifindex, const WicePrefix *network,
					     uint32_t table)
{
	bool v4 = network->address.family == WICE_FAMILY_IPV4;
	struct rtmsg body = {
		.rtm_family = v4 ? AF_INET : AF_INET6,
		.rtm_dst_len = network->length,
		.rtm_protocol = RTPROT_BOOT,
		.rtm_scope = v4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
		.rtm_type = RTN_UNICAST,
	};
	struct nl_msg *message = start_request(RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
					       &body, sizeof body);
	if (!message)
		return NULL;
	return wice__netlink_whole(
		message,
		nla_put(message, RTA_DST, v4 ? 4 : 16, network->address.bytes) == 0 &&
			nla_put_u32(message, RTA_OIF, ifindex) == 0 &&
			nla_put_u32(message, RTA_TABLE, table ? table : RT_TABLE_MAIN) == 0);
}
