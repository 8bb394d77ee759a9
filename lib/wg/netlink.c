/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's WireGuard through netlink: which requests an operation takes, and what their errors
 * mean. Messages are made and read in netlink_message.c and netlink_set.c, links are link.c's.
 */
#include "wg/netlink.h"

#include "wg/link.h"

#include <errno.h>
#include <linux/wireguard.h>
#include <string.h>

typedef struct {
	WiceWgBackend base;
	WiceNetlinkTransport transport;
} NetlinkBackend;

/* -ENODEV also for links that are not WireGuard's. */
static int find_link(const WiceNetlinkTransport *transport, const char *name, int64_t deadline_ms,
		     WiceNetlinkLink *ret)
{
	WiceNetlinkLink link;
	int r = wice__link_find(transport, name, deadline_ms, &link);
	if (r < 0)
		return r;
	if (strcmp(link.kind, WG_GENL_NAME) != 0)
		return -ENODEV;
	*ret = link;
	return 0;
}

static int family_message(struct nlmsghdr *header, void *user_data)
{
	return wice__netlink_read_family(header, user_data);
}

/*
 * A link that is WireGuard's, and the number of the WireGuard family. Asking for the family makes
 * the kernel look for a module of that name, so the link is looked at first. -ENODEV.
 */
static int find_device(const WiceNetlinkTransport *transport, const char *name, int64_t deadline_ms,
		       WiceNetlinkLink *ret_link, uint16_t *ret_family)
{
	WiceNetlinkLink link;
	int r = find_link(transport, name, deadline_ms, &link);
	if (r < 0)
		return r;
	uint16_t family = 0;
	WiceNetlinkReply reply = { .message = family_message, .user_data = &family };
	r = wice__netlink_exchange(transport, NETLINK_GENERIC,
				   wice__netlink_write_get_family(WG_GENL_NAME), &reply,
				   deadline_ms);
	if (r < 0)
		return r == -ENOENT ? -ENODEV : r;
	if (family == 0)
		return -EPROTO;
	*ret_link = link;
	*ret_family = family;
	return 0;
}

static int list_message(struct nlmsghdr *header, void *user_data)
{
	GPtrArray *names = user_data;
	WiceNetlinkLink link;
	int r = wice__netlink_read_link(header, &link);
	if (r == 0 && strcmp(link.kind, WG_GENL_NAME) == 0 && wice__interface_name_valid(link.name))
		g_ptr_array_add(names, g_strdup(link.name));
	return r;
}

static int netlink_list(WiceWgBackend *base, GPtrArray *names, GPtrArray *problems,
			int64_t deadline_ms)
{
	const WiceNetlinkTransport *transport = &((NetlinkBackend *)base)->transport;
	guint before = names->len;
	for (int i = 0; i < WICE_NETLINK_DUMP_TRIES; i++) {
		g_ptr_array_set_size(names, (gint)before);
		WiceNetlinkReply reply = { .message = list_message, .user_data = names };
		int r = wice__netlink_exchange(transport, NETLINK_ROUTE,
					       wice__netlink_write_list_links(WG_GENL_NAME), &reply,
					       deadline_ms);
		if (!wice__netlink_is_torn(r, &reply))
			return r;
	}
	return -EBUSY;
}

static int device_message(struct nlmsghdr *header, void *user_data)
{
	return wice__netlink_read_device(header, user_data);
}

/* -EOPNOTSUPP: an interface of another kind has taken the name since the link was looked at. */
static int device_error(int r)
{
	return r == -EOPNOTSUPP ? -ENODEV : r;
}

static int netlink_get(WiceWgBackend *base, const char *name, int64_t deadline_ms, WiceDevice **ret)
{
	const WiceNetlinkTransport *transport = &((NetlinkBackend *)base)->transport;
	WiceNetlinkLink link;
	uint16_t family;
	int r = find_device(transport, name, deadline_ms, &link, &family);
	if (r < 0)
		return r;
	for (int i = 0; i < WICE_NETLINK_DUMP_TRIES; i++) {
		WiceDeviceBuilder *builder = wice__device_builder_new(name, WICE_DEVICE_KERNEL);
		WiceNetlinkReply reply = { .message = device_message, .user_data = builder };
		r = wice__netlink_exchange(transport, NETLINK_GENERIC,
					   wice__netlink_write_get_device(family, name), &reply,
					   deadline_ms);
		if (r == 0 && !reply.interrupted) {
			*ret = wice__device_builder_finish(builder);
			return 0;
		}
		wice__device_builder_free(builder);
		if (!wice__netlink_is_torn(r, &reply))
			return device_error(r);
	}
	return -EBUSY;
}

/* A kernel from before the flag that takes an allowed IP away refuses the whole message. */
static int set_error(int r, const WiceNetlinkSet *set)
{
	if (set->removes && (r == -EINVAL || r == -EOPNOTSUPP || r == -ERANGE))
		return -ENOPROTOOPT;
	return device_error(r);
}

static int netlink_set(WiceWgBackend *base, const char *name, const WiceDeviceChange *change,
		       int64_t deadline_ms)
{
	const WiceNetlinkTransport *transport = &((NetlinkBackend *)base)->transport;
	WiceNetlinkLink link;
	uint16_t family;
	int r = find_device(transport, name, deadline_ms, &link, &family);
	WiceNetlinkSet set = { .change = change };
	while (r == 0 && !wice__netlink_set_done(&set)) {
		WiceNetlinkReply reply = { 0 };
		r = wice__netlink_exchange(transport, NETLINK_GENERIC,
					   wice__netlink_write_set(family, link.ifindex, &set),
					   &reply, deadline_ms);
	}
	return set_error(r, &set);
}

static int netlink_create(WiceWgBackend *base, const char *name, int64_t deadline_ms)
{
	const WiceNetlinkTransport *transport = &((NetlinkBackend *)base)->transport;
	return wice__link_create(transport, name, WG_GENL_NAME, deadline_ms);
}

static int netlink_remove(WiceWgBackend *base, const char *name, int64_t deadline_ms)
{
	const WiceNetlinkTransport *transport = &((NetlinkBackend *)base)->transport;
	WiceNetlinkLink link;
	int r = find_link(transport, name, deadline_ms, &link);
	return r < 0 ? r : wice__link_remove(transport, link.ifindex, deadline_ms);
}

static int netlink_get_link(WiceWgBackend *base, const char *name, int64_t deadline_ms,
			    WiceLink **ret)
{
	const WiceNetlinkTransport *transport = &((NetlinkBackend *)base)->transport;
	WiceNetlinkLink link;
	int r = find_link(transport, name, deadline_ms, &link);
	return r < 0 ? r : wice__link_read(transport, &link, deadline_ms, ret);
}

static int netlink_set_link(WiceWgBackend *base, const char *name, const WiceLinkChange *change,
			    int64_t deadline_ms)
{
	const WiceNetlinkTransport *transport = &((NetlinkBackend *)base)->transport;
	WiceNetlinkLink link;
	int r = find_link(transport, name, deadline_ms, &link);
	return r < 0 ? r : wice__link_change(transport, link.ifindex, change, deadline_ms);
}

static void netlink_free(WiceWgBackend *base)
{
	g_free(base);
}

WiceWgBackend *wice__wg_netlink_new_with(const WiceNetlinkTransport *transport)
{
	static const WiceWgBackendOps ops = {
		.name = "netlink",
		.kind = WICE_DEVICE_KERNEL,
		.list = netlink_list,
		.get = netlink_get,
		.set = netlink_set,
		.create = netlink_create,
		.remove = netlink_remove,
		.get_link = netlink_get_link,
		.set_link = netlink_set_link,
		.free = netlink_free,
	};
	NetlinkBackend *backend = g_new0(NetlinkBackend, 1);
	backend->base.ops = &ops;
	backend->transport = *transport;
	return &backend->base;
}

WiceWgBackend *wice__wg_netlink_new(void)
{
	return wice__wg_netlink_new_with(&wice__netlink_kernel);
}
