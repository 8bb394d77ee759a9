/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "event/addresses.h"

#include "event/rtnetlink.h"
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netlink/cache.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <string.h>

#define DELAY_MS 10

static bool to_address(struct nl_addr *local, WiceAddress *ret)
{
	WiceAddress address = { 0 };
	if (!local)
		return false;
	if (nl_addr_get_family(local) == AF_INET && nl_addr_get_len(local) == 4)
		address.family = WICE_FAMILY_IPV4;
	else if (nl_addr_get_family(local) == AF_INET6 && nl_addr_get_len(local) == 16)
		address.family = WICE_FAMILY_IPV6;
	else
		return false;
	memcpy(address.bytes, nl_addr_get_binary_addr(local), nl_addr_get_len(local));
	*ret = address;
	return true;
}

static bool is_multicast(const WiceAddress *address)
{
	return address->family == WICE_FAMILY_IPV4 ? address->bytes[0] >= 224
						   : address->bytes[0] == 0xff;
}

/*
 * An address on lo would be of no use, even a global one: packets would have to leave through lo
 * for whoever binds to the interface of the address. A link that is up but not running has no
 * carrier.
 */
static bool describe(struct rtnl_addr *source, struct nl_cache *links, WiceLocalAddress *ret)
{
	const unsigned unusable = IFA_F_TENTATIVE | IFA_F_DEPRECATED | IFA_F_DADFAILED;
	WiceLocalAddress result = { .ifindex = (unsigned)rtnl_addr_get_ifindex(source) };
	if ((rtnl_addr_get_flags(source) & unusable) ||
	    !to_address(rtnl_addr_get_local(source), &result.address) ||
	    is_multicast(&result.address) || wice_address_is_loopback(&result.address))
		return false;
	struct rtnl_link *link = rtnl_link_get(links, (int)result.ifindex);
	if (!link)
		return false;
	unsigned flags = rtnl_link_get_flags(link);
	bool usable = (flags & IFF_UP) && (flags & IFF_RUNNING) && !(flags & IFF_LOOPBACK);
	const char *type = rtnl_link_get_type(link);
	result.point_to_point = flags & IFF_POINTOPOINT;
	result.wireguard = type && strcmp(type, "wireguard") == 0;
	g_strlcpy(result.ifname, rtnl_link_get_name(link) ? rtnl_link_get_name(link) : "",
		  sizeof result.ifname);
	rtnl_link_put(link);
	if (usable)
		*ret = result;
	return usable;
}

static int compare(const void *a, const void *b)
{
	const WiceLocalAddress *left = a, *right = b;
	int order = wice_address_compare(&left->address, &right->address);
	return order ? order : (left->ifindex > right->ifindex) - (left->ifindex < right->ifindex);
}

static void collect(struct nl_cache *addresses, struct nl_cache *links,
		    WiceLocalAddress **ret_addresses, size_t *ret_n)
{
	WiceLocalAddress *result = g_new0(WiceLocalAddress, MAX(nl_cache_nitems(addresses), 1));
	size_t n = 0;
	for (struct nl_object *i = nl_cache_get_first(addresses); i; i = nl_cache_get_next(i))
		if (describe((struct rtnl_addr *)i, links, &result[n]))
			n++;
	qsort(result, n, sizeof *result, compare);
	*ret_addresses = result;
	*ret_n = n;
}

int wice__addresses_list(WiceLocalAddress **ret_addresses, size_t *ret_n)
{
	struct nl_sock *socket;
	struct nl_cache *links = NULL, *addresses = NULL;
	int error = wice__rtnetlink_open(&socket);
	if (error)
		return error;
	/* Both repeat a dump that a change has interrupted. */
	error = rtnl_link_alloc_cache(socket, AF_UNSPEC, &links);
	if (!error)
		error = rtnl_addr_alloc_cache(socket, &addresses);
	if (!error)
		collect(addresses, links, ret_addresses, ret_n);
	if (addresses)
		nl_cache_free(addresses);
	if (links)
		nl_cache_free(links);
	nl_socket_free(socket);
	return wice__rtnetlink_errno(error);
}

static bool is_default_route(struct nlmsghdr *header)
{
	if (!nlmsg_valid_hdr(header, sizeof(struct rtmsg)))
		return false;
	const struct rtmsg *route = nlmsg_data(header);
	return route->rtm_dst_len == 0 && route->rtm_table != RT_TABLE_LOCAL &&
	       !(route->rtm_flags & RTM_F_CLONED);
}

static bool matters(struct nlmsghdr *header)
{
	switch (header->nlmsg_type) {
	case RTM_NEWADDR:
	case RTM_DELADDR:
	case RTM_DELLINK:
		return true;
	case RTM_NEWLINK:
		return !wice__rtnetlink_is_wireless_event(header);
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return is_default_route(header);
	default:
		return false;
	}
}

int wice__address_watch_new(GMainContext *context, WiceAddressChanged changed, void *user_data,
			    WiceAddressWatch **ret_watch)
{
	static const int groups[] = { RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
				      RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE };
	const WiceRtnetlinkWatchOptions options = {
		.groups = groups,
		.n_groups = G_N_ELEMENTS(groups),
		.delay_ms = DELAY_MS,
		.matters = matters,
		.changed = changed,
	};
	return wice__rtnetlink_watch_new(context, &options, user_data, ret_watch);
}

void wice__address_watch_free(WiceAddressWatch *watch)
{
	wice__rtnetlink_watch_free(watch);
}
