/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "event/addresses.h"

#include "event/source.h"
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netlink/cache.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/socket.h>
#include <string.h>

#define DEBOUNCE_MS 10
#define MAX_DATAGRAMS 64 /* read at a time; the rest waits for the next turn of the loop */
#define RECEIVE_BUFFER (256 * 1024)

/* libnl has numbers of its own and keeps the kernel's only roughly. */
static int to_errno(int nl_error)
{
	switch (-nl_error) {
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	case NLE_AF_NOSUPPORT:
	case NLE_PROTO_MISMATCH:
		return -EAFNOSUPPORT;
	case NLE_NODEV:
		return -ENODEV;
	case NLE_BUSY:
		return -EBUSY;
	case NLE_DUMP_INTR:
		return -EAGAIN;
	default:
		return -EIO;
	}
}

static int open_socket(struct nl_sock **ret_socket)
{
	struct nl_sock *socket = nl_socket_alloc();
	if (!socket)
		return -ENOMEM;
	int error = nl_connect(socket, NETLINK_ROUTE);
	if (error) {
		nl_socket_free(socket);
		return to_errno(error);
	}
	*ret_socket = socket;
	return 0;
}

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
	int error = open_socket(&socket);
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
	return error ? to_errno(error) : 0;
}

struct WiceAddressWatch {
	struct nl_sock *socket;
	WiceFdWatch *readable;
	WiceTimer *timer;
	bool pending; /* the timer runs */
	WiceAddressChanged changed;
	void *user_data;
};

static void note_change(WiceAddressWatch *watch)
{
	if (watch->pending)
		return;
	watch->pending = true;
	wice__timer_set(watch->timer, wice__now_ms() + DEBOUNCE_MS);
}

static void report(void *user_data)
{
	WiceAddressWatch *watch = user_data;
	watch->pending = false;
	watch->changed(watch->user_data);
}

static bool is_default_route(struct nlmsghdr *header)
{
	if (!nlmsg_valid_hdr(header, sizeof(struct rtmsg)))
		return false;
	const struct rtmsg *route = nlmsg_data(header);
	return route->rtm_dst_len == 0 && route->rtm_table != RT_TABLE_LOCAL &&
	       !(route->rtm_flags & RTM_F_CLONED);
}

/* Drivers of wireless links report scans and the like in this way. */
static bool is_wireless_event(struct nlmsghdr *header)
{
	return nlmsg_valid_hdr(header, sizeof(struct ifinfomsg)) &&
	       nlmsg_find_attr(header, sizeof(struct ifinfomsg), IFLA_WIRELESS) != NULL;
}

static int message_received(struct nl_msg *message, void *user_data)
{
	WiceAddressWatch *watch = user_data;
	struct nlmsghdr *header = nlmsg_hdr(message);
	switch (header->nlmsg_type) {
	case RTM_NEWADDR:
	case RTM_DELADDR:
	case RTM_DELLINK:
		note_change(watch);
		break;
	case RTM_NEWLINK:
		if (!is_wireless_event(header))
			note_change(watch);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		if (is_default_route(header))
			note_change(watch);
		break;
	}
	return NL_OK;
}

static void readable(int fd, GIOCondition condition, void *user_data)
{
	WiceAddressWatch *watch = user_data;
	for (unsigned i = 0; i < MAX_DATAGRAMS; i++) {
		int error = nl_recvmsgs_default(watch->socket);
		if (error == -NLE_AGAIN)
			return;
		if (error < 0) { /* ENOBUFS, mostly: something was lost, so something has changed */
			note_change(watch);
			return;
		}
	}
}

static int subscribe(struct nl_sock *socket, WiceAddressWatch *watch)
{
	nl_socket_disable_seq_check(socket);
	nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, message_received, watch);
	nl_socket_set_buffer_size(socket, RECEIVE_BUFFER, 0);
	int error = nl_socket_set_nonblocking(socket);
	if (!error)
		error = nl_socket_add_memberships(socket, RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR,
						  RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
						  RTNLGRP_IPV6_ROUTE, 0);
	return error ? to_errno(error) : 0;
}

int wice__address_watch_new(GMainContext *context, WiceAddressChanged changed, void *user_data,
			    WiceAddressWatch **ret_watch)
{
	struct nl_sock *socket;
	int error = open_socket(&socket);
	if (error)
		return error;
	WiceAddressWatch *watch = g_new0(WiceAddressWatch, 1);
	error = subscribe(socket, watch);
	if (error) {
		nl_socket_free(socket);
		g_free(watch);
		return error;
	}
	watch->socket = socket;
	watch->changed = changed;
	watch->user_data = user_data;
	watch->timer = wice__timer_new(context, report, watch);
	watch->readable =
		wice__fd_watch_new(context, nl_socket_get_fd(socket), G_IO_IN, readable, watch);
	*ret_watch = watch;
	return 0;
}

void wice__address_watch_free(WiceAddressWatch *watch)
{
	if (!watch)
		return;
	wice__fd_watch_free(watch->readable);
	wice__timer_free(watch->timer);
	nl_socket_free(watch->socket);
	g_free(watch);
}
