/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device is an uplink in three steps: links say which could be one, addresses settle most of
 * them, and routes are only read if a device is left that has no address, such as a ppp link that
 * borrows one from elsewhere. Routers may have a million routes: they are looked at as they come
 * and not kept.
 */
#include "event/uplinks.h"

#include "event/rtnetlink.h"
#include <errno.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netlink/cache.h>
#include <netlink/errno.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where userspace implementations of WireGuard have a socket for each of their TUN devices. */
#define WIREGUARD_SOCKET "/var/run/wireguard/%s.sock"
#define DELAY_MS 20
#define MAX_DUMPS 5 /* of routes, while other changes interrupt them */

/* A device that could be one. */
typedef struct {
	WiceUplink uplink;
	bool carries; /* the host's own packets */
} Candidate;

typedef struct {
	Candidate *devices; /* sorted by ifindex */
	size_t n;
} Candidates;

/* False: packets of this type have another header, or none that we know. */
static bool has_known_header(unsigned arptype, bool *ret_ethernet)
{
	switch (arptype) {
	case ARPHRD_ETHER:
	case ARPHRD_LOOPBACK:
		*ret_ethernet = true;
		return true;
	case ARPHRD_NONE:
	case ARPHRD_PPP:
	case ARPHRD_RAWIP:
	case ARPHRD_TUNNEL:
	case ARPHRD_TUNNEL6:
	case ARPHRD_SIT:
		*ret_ethernet = false;
		return true;
	default:
		return false;
	}
}

static bool is_kind(struct rtnl_link *link, const char *kind)
{
	const char *type = rtnl_link_get_type(link);
	return type && strcmp(type, kind) == 0;
}

static bool is_wireguard(struct rtnl_link *link)
{
	const char *name = rtnl_link_get_name(link);
	if (is_kind(link, "wireguard"))
		return true;
	if (!is_kind(link, "tun") || !name)
		return false;
	g_autofree char *path = g_strdup_printf(WIREGUARD_SOCKET, name);
	return access(path, F_OK) == 0;
}

/* Of a bridge, a bond and the like. A VRF only groups devices: packets are seen at them. */
static bool is_port(struct rtnl_link *link, struct nl_cache *links)
{
	int index = rtnl_link_get_master(link);
	if (index <= 0)
		return false;
	struct rtnl_link *master = rtnl_link_get(links, index);
	bool vrf = master && is_kind(master, "vrf");
	rtnl_link_put(master);
	return !vrf;
}

static bool describe(struct rtnl_link *link, struct nl_cache *links, Candidate *ret)
{
	Candidate result = { .uplink.ifindex = (unsigned)rtnl_link_get_ifindex(link) };
	unsigned flags = rtnl_link_get_flags(link);
	if (!(flags & IFF_UP) ||
	    !has_known_header(rtnl_link_get_arptype(link), &result.uplink.ethernet) ||
	    is_wireguard(link) || is_port(link, links))
		return false;
	const char *name = rtnl_link_get_name(link);
	g_strlcpy(result.uplink.name, name ? name : "", sizeof result.uplink.name);
	result.carries = flags & IFF_LOOPBACK;
	*ret = result;
	return true;
}

static int compare(const void *a, const void *b)
{
	const Candidate *left = a, *right = b;
	return (left->uplink.ifindex > right->uplink.ifindex) -
	       (left->uplink.ifindex < right->uplink.ifindex);
}

static int list_candidates(struct nl_sock *socket, Candidates *ret)
{
	struct nl_cache *links;
	int error = rtnl_link_alloc_cache(socket, AF_UNSPEC, &links);
	if (error)
		return error;
	ret->devices = g_new0(Candidate, MAX(nl_cache_nitems(links), 1));
	for (struct nl_object *i = nl_cache_get_first(links); i; i = nl_cache_get_next(i))
		if (describe((struct rtnl_link *)i, links, &ret->devices[ret->n]))
			ret->n++;
	qsort(ret->devices, ret->n, sizeof *ret->devices, compare);
	nl_cache_free(links);
	return 0;
}

static void note_carries(const Candidates *candidates, int ifindex)
{
	Candidate key = { .uplink.ifindex = (unsigned)ifindex };
	Candidate *found = candidates->n ? bsearch(&key, candidates->devices, candidates->n,
						   sizeof key, compare)
					 : NULL;
	if (found)
		found->carries = true;
}

/* Of an address, or of a whole prefix: fe80::/10, 169.254.0.0/16 or a part of them. */
static bool is_link_local(const struct nl_addr *address)
{
	const uint8_t *bytes = nl_addr_get_binary_addr(address);
	unsigned len = nl_addr_get_len(address), prefix = nl_addr_get_prefixlen(address);
	if (nl_addr_get_family(address) == AF_INET)
		return len == 4 && prefix >= 16 && bytes[0] == 169 && bytes[1] == 254;
	return len == 16 && prefix >= 10 && bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
}

static bool is_multicast(const struct nl_addr *address)
{
	const uint8_t *bytes = nl_addr_get_binary_addr(address);
	unsigned prefix = nl_addr_get_prefixlen(address);
	if (nl_addr_get_len(address) == 4)
		return prefix >= 4 && bytes[0] >= 224;
	return prefix >= 8 && bytes[0] == 0xff;
}

static int read_addresses(struct nl_sock *socket, const Candidates *candidates)
{
	struct nl_cache *addresses;
	int error = rtnl_addr_alloc_cache(socket, &addresses);
	if (error)
		return error;
	for (struct nl_object *i = nl_cache_get_first(addresses); i; i = nl_cache_get_next(i)) {
		struct rtnl_addr *address = (struct rtnl_addr *)i;
		struct nl_addr *local = rtnl_addr_get_local(address);
		if (local && !is_link_local(local))
			note_carries(candidates, rtnl_addr_get_ifindex(address));
	}
	nl_cache_free(addresses);
	return 0;
}

/* Could lead out. Tells routes to others from those that addresses bring with them. */
static bool is_unicast_route(struct nlmsghdr *header)
{
	if (!nlmsg_valid_hdr(header, sizeof(struct rtmsg)))
		return false;
	const struct rtmsg *route = nlmsg_data(header);
	return (route->rtm_family == AF_INET || route->rtm_family == AF_INET6) &&
	       route->rtm_type == RTN_UNICAST && route->rtm_table != RT_TABLE_LOCAL &&
	       !(route->rtm_flags & RTM_F_CLONED);
}

static void note_nexthop(struct rtnl_nexthop *nexthop, void *user_data)
{
	note_carries(user_data, rtnl_route_nh_get_ifindex(nexthop));
}

static int route_received(struct nl_msg *message, void *user_data)
{
	struct rtnl_route *route;
	struct nlmsghdr *header = nlmsg_hdr(message);
	if (header->nlmsg_type != RTM_NEWROUTE || !is_unicast_route(header) ||
	    rtnl_route_parse(header, &route) < 0)
		return NL_OK;
	struct nl_addr *to = rtnl_route_get_dst(route);
	if (!to || (!is_link_local(to) && !is_multicast(to)))
		rtnl_route_foreach_nexthop(route, note_nexthop, user_data);
	rtnl_route_put(route);
	return NL_OK;
}

static int read_routes(struct nl_sock *socket, Candidates *candidates)
{
	int error = -NLE_DUMP_INTR;
	nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, route_received, candidates);
	for (unsigned i = 0; i < MAX_DUMPS && error == -NLE_DUMP_INTR; i++) {
		struct rtmsg all = { .rtm_family = AF_UNSPEC };
		error = nl_send_simple(socket, RTM_GETROUTE, NLM_F_DUMP, &all, sizeof all);
		if (error >= 0)
			error = nl_recvmsgs_default(socket);
	}
	/* What an interrupted dump has shown is true all the same; the watch says what it missed.
	 */
	return error == -NLE_DUMP_INTR || error > 0 ? 0 : error;
}

static bool all_carry(const Candidates *candidates)
{
	for (size_t i = 0; i < candidates->n; i++)
		if (!candidates->devices[i].carries)
			return false;
	return true;
}

static void collect(const Candidates *candidates, WiceUplink **ret_uplinks, size_t *ret_n)
{
	WiceUplink *result = g_new0(WiceUplink, MAX(candidates->n, 1));
	size_t n = 0;
	for (size_t i = 0; i < candidates->n; i++)
		if (candidates->devices[i].carries)
			result[n++] = candidates->devices[i].uplink;
	*ret_uplinks = result;
	*ret_n = n;
}

int wice__uplinks_list(WiceUplink **ret_uplinks, size_t *ret_n)
{
	struct nl_sock *socket;
	Candidates candidates = { 0 };
	int error = wice__rtnetlink_open(&socket);
	if (error)
		return error;
	error = list_candidates(socket, &candidates);
	if (!error)
		error = read_addresses(socket, &candidates);
	if (!error && !all_carry(&candidates))
		error = read_routes(socket, &candidates);
	if (!error)
		collect(&candidates, ret_uplinks, ret_n);
	g_free(candidates.devices);
	nl_socket_free(socket);
	return wice__rtnetlink_errno(error);
}

static bool matters(struct nlmsghdr *header)
{
	switch (header->nlmsg_type) {
	case RTM_NEWLINK:
		return !wice__rtnetlink_is_wireless_event(header);
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return is_unicast_route(header);
	case RTM_DELLINK:
	case RTM_NEWADDR:
	case RTM_DELADDR:
	case RTM_DELQDISC:
	case RTM_DELTFILTER:
		return true;
	default:
		return false;
	}
}

int wice__uplink_watch_new(GMainContext *context, void (*changed)(void *user_data), void *user_data,
			   WiceUplinkWatch **ret_watch)
{
	static const int groups[] = { RTNLGRP_LINK,       RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
				      RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,  RTNLGRP_TC };
	const WiceRtnetlinkWatchOptions options = {
		.groups = groups,
		.n_groups = G_N_ELEMENTS(groups),
		.delay_ms = DELAY_MS,
		.matters = matters,
		.changed = changed,
	};
	return wice__rtnetlink_watch_new(context, &options, user_data, ret_watch);
}

void wice__uplink_watch_free(WiceUplinkWatch *watch)
{
	wice__rtnetlink_watch_free(watch);
}
