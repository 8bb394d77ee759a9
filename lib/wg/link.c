/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network interfaces through rtnetlink. A link is looked up by its name once; whatever follows goes
 * to its index, so that it never hits another link that has taken the name meanwhile.
 */
#include "wg/link.h"

#include "wg/link_message.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

static int request(const WiceNetlinkTransport *transport, struct nl_msg *message,
		   int64_t deadline_ms)
{
	WiceNetlinkReply reply = { 0 };
	return wice__netlink_exchange(transport, NETLINK_ROUTE, message, &reply, deadline_ms);
}

static int link_message(struct nlmsghdr *header, void *user_data)
{
	return wice__netlink_read_link(header, user_data);
}

int wice__link_find(const WiceNetlinkTransport *transport, const char *name, int64_t deadline_ms,
		    WiceNetlinkLink *ret)
{
	WiceNetlinkLink link = { 0 };
	WiceNetlinkReply reply = { .message = link_message, .user_data = &link };
	int r = wice__netlink_exchange(transport, NETLINK_ROUTE, wice__netlink_write_get_link(name),
				       &reply, deadline_ms);
	if (r < 0)
		return r;
	if (link.ifindex == 0)
		return -EPROTO;
	*ret = link;
	return 0;
}

/* The addresses of one link, while they come in. */
typedef struct {
	unsigned ifindex;
	GArray *addresses; /* of WiceNetlinkAddress */
} Addresses;

static int address_message(struct nlmsghdr *header, void *user_data)
{
	Addresses *wanted = user_data;
	WiceNetlinkAddress address;
	int r = wice__netlink_read_address(header, &address);
	if (r < 0)
		return r;
	if (address.ifindex == wanted->ifindex &&
	    address.address.address.family != WICE_FAMILY_NONE)
		g_array_append_val(wanted->addresses, address);
	return 0;
}

/* The caller frees *ret. */
static int list_addresses(const WiceNetlinkTransport *transport, unsigned ifindex,
			  int64_t deadline_ms, GArray **ret)
{
	Addresses wanted = { .ifindex = ifindex,
			     .addresses = g_array_new(FALSE, FALSE, sizeof(WiceNetlinkAddress)) };
	int r = -EBUSY;
	for (int i = 0; i < WICE_NETLINK_DUMP_TRIES; i++) {
		g_array_set_size(wanted.addresses, 0);
		WiceNetlinkReply reply = { .message = address_message, .user_data = &wanted };
		r = wice__netlink_exchange(transport, NETLINK_ROUTE,
					   wice__netlink_write_list_addresses(ifindex), &reply,
					   deadline_ms);
		if (!wice__netlink_is_torn(r, &reply))
			break;
		r = -EBUSY;
	}
	if (r < 0)
		g_array_unref(wanted.addresses);
	else
		*ret = wanted.addresses;
	return r;
}

int wice__link_read(const WiceNetlinkTransport *transport, const WiceNetlinkLink *found,
		    int64_t deadline_ms, WiceLink **ret)
{
	g_autoptr(GArray) addresses = NULL;
	int r = list_addresses(transport, found->ifindex, deadline_ms, &addresses);
	if (r < 0)
		return r;
	WiceLink *link = g_new0(WiceLink, 1);
	g_strlcpy(link->name, found->name, sizeof link->name);
	link->ifindex = found->ifindex;
	link->up = found->up;
	link->mtu = found->mtu;
	link->n_addresses = addresses->len;
	link->addresses = g_new(WiceInterfaceAddress, addresses->len);
	for (guint i = 0; i < addresses->len; i++)
		link->addresses[i] = g_array_index(addresses, WiceNetlinkAddress, i).address;
	*ret = link;
	return 0;
}

static bool same_address(const WiceInterfaceAddress *a, const WiceInterfaceAddress *b)
{
	return a->length == b->length && wice_address_compare(&a->address, &b->address) == 0;
}

/* The kernel must also be told the address at the other end, so it is looked up. */
static int remove_address(const WiceNetlinkTransport *transport, const GArray *present,
			  const WiceInterfaceAddress *address, int64_t deadline_ms)
{
	for (guint i = 0; i < present->len; i++) {
		const WiceNetlinkAddress *found = &g_array_index(present, WiceNetlinkAddress, i);
		if (!same_address(&found->address, address))
			continue;
		int r = request(transport, wice__netlink_write_remove_address(found), deadline_ms);
		if (r < 0 && r != -EADDRNOTAVAIL && r != -ENOENT)
			return r;
	}
	return 0;
}

static int remove_addresses(const WiceNetlinkTransport *transport, unsigned ifindex,
			    const WiceLinkChange *change, int64_t deadline_ms)
{
	g_autoptr(GArray) present = NULL;
	if (change->n_remove == 0)
		return 0;
	int r = list_addresses(transport, ifindex, deadline_ms, &present);
	for (size_t i = 0; i < change->n_remove && r == 0; i++)
		r = remove_address(transport, present, &change->remove[i], deadline_ms);
	return r;
}

/* 0 if the link has exactly this address, else -ENOTUNIQ: it has it with another length. */
static int check_present(const WiceNetlinkTransport *transport, unsigned ifindex,
			 const WiceInterfaceAddress *address, int64_t deadline_ms)
{
	g_autoptr(GArray) present = NULL;
	int r = list_addresses(transport, ifindex, deadline_ms, &present);
	if (r < 0)
		return r;
	for (guint i = 0; i < present->len; i++) {
		if (same_address(&g_array_index(present, WiceNetlinkAddress, i).address, address))
			return 0;
	}
	return -ENOTUNIQ;
}

static int add_addresses(const WiceNetlinkTransport *transport, unsigned ifindex,
			 const WiceLinkChange *change, int64_t deadline_ms)
{
	for (size_t i = 0; i < change->n_add; i++) {
		WiceNetlinkAddress address = { .ifindex = ifindex,
					       .address = change->add[i],
					       .peer = change->add[i].address };
		int r = request(transport, wice__netlink_write_add_address(&address), deadline_ms);
		if (r == -EEXIST)
			r = check_present(transport, ifindex, &change->add[i], deadline_ms);
		if (r == -EACCES || r == -EOPNOTSUPP) /* for the link, for the kernel */
			r = -EAFNOSUPPORT;
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_routes(const WiceNetlinkTransport *transport, unsigned ifindex,
		      const WiceLinkChange *change, int64_t deadline_ms)
{
	for (size_t i = 0; i < change->n_routes; i++) {
		int r = request(transport,
				wice__netlink_write_add_route(ifindex, &change->routes[i],
							      change->route_table),
				deadline_ms);
		if (r < 0)
			return r == -EEXIST ? -EALREADY : r;
	}
	return 0;
}

int wice__link_change(const WiceNetlinkTransport *transport, unsigned ifindex,
		      const WiceLinkChange *change, int64_t deadline_ms)
{
	int r = remove_addresses(transport, ifindex, change, deadline_ms);
	if (r == 0 && change->mtu)
		r = request(transport, wice__netlink_write_set_mtu(ifindex, change->mtu),
			    deadline_ms);
	if (r == 0 && change->set_up && !change->up)
		r = request(transport, wice__netlink_write_set_up(ifindex, false), deadline_ms);
	if (r == 0 && change->new_name)
		r = request(transport, wice__netlink_write_set_name(ifindex, change->new_name),
			    deadline_ms);
	if (r == 0)
		r = add_addresses(transport, ifindex, change, deadline_ms);
	if (r == 0 && change->set_up && change->up)
		r = request(transport, wice__netlink_write_set_up(ifindex, true), deadline_ms);
	return r < 0 ? r : add_routes(transport, ifindex, change, deadline_ms);
}

int wice__link_remove(const WiceNetlinkTransport *transport, unsigned ifindex, int64_t deadline_ms)
{
	return request(transport, wice__netlink_write_delete_link(ifindex), deadline_ms);
}

int wice__link_get(const WiceNetlinkTransport *transport, const char *name, int64_t deadline_ms,
		   WiceLink **ret)
{
	WiceNetlinkLink link;
	int r = wice__link_find(transport, name, deadline_ms, &link);
	return r < 0 ? r : wice__link_read(transport, &link, deadline_ms, ret);
}

int wice__link_set(const WiceNetlinkTransport *transport, const char *name,
		   const WiceLinkChange *change, int64_t deadline_ms)
{
	WiceNetlinkLink link;
	int r = wice__link_find(transport, name, deadline_ms, &link);
	return r < 0 ? r : wice__link_change(transport, link.ifindex, change, deadline_ms);
}

int wice__link_create(const WiceNetlinkTransport *transport, const char *name, const char *kind,
		      int64_t deadline_ms)
{
	return request(transport, wice__netlink_write_create_link(name, kind), deadline_ms);
}

int wice__link_delete(const WiceNetlinkTransport *transport, const char *name, int64_t deadline_ms)
{
	WiceNetlinkLink link;
	int r = wice__link_find(transport, name, deadline_ms, &link);
	return r < 0 ? r : wice__link_remove(transport, link.ifindex, deadline_ms);
}
