/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_WG_KERNEL_LINK_H
#define WICE_TESTS_WG_KERNEL_LINK_H

/*
 * The played kernel's links: the one with the device, and lo. Like an old kernel, it filters
 * neither links by their kind nor addresses by their link.
 */
#include "conformance/wg/kernel_base.h"
#include "wg/link_message.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <net/if.h>

static inline const char *kernel_name(const TestKernel *kernel)
{
	return kernel->device ? wice_device_info(kernel->device)->name : NULL;
}

static inline void kernel_log(TestKernel *kernel, const char *format, ...) G_GNUC_PRINTF(2, 3);
static inline void kernel_log(TestKernel *kernel, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	if (kernel->log)
		g_string_append_vprintf(kernel->log, format, arguments);
	va_end(arguments);
}

static inline int kernel_put_link(const TestKernel *kernel, bool own, WiceNetlinkReply *reply)
{
	struct nl_msg *message = kernel_message(reply, RTM_NEWLINK, NLM_F_MULTI);
	struct ifinfomsg body = { .ifi_index = own ? KERNEL_IFINDEX : 1,
				  .ifi_flags = IFF_RUNNING | (!own || kernel->up ? IFF_UP : 0) };
	nlmsg_append(message, &body, sizeof body, 4);
	nla_put_string(message, IFLA_IFNAME, own ? kernel_name(kernel) : "lo");
	nla_put_u32(message, IFLA_MTU, own ? kernel->mtu : 65536);
	if (own && kernel->kind) {
		struct nlattr *info = nla_nest_start(message, IFLA_LINKINFO);
		nla_put_string(message, IFLA_INFO_KIND, kernel->kind);
		nla_nest_end(message, info);
	}
	return kernel_feed(message, reply);
}

static inline int kernel_get_link(const TestKernel *kernel, struct nlmsghdr *request,
				  WiceNetlinkReply *reply)
{
	const char *name = kernel_name(kernel);
	if (request->nlmsg_flags & NLM_F_DUMP) {
		ck_assert_int_eq(kernel_put_link(kernel, false, reply), 0);
		if (name)
			ck_assert_int_eq(kernel_put_link(kernel, true, reply), 0);
		return kernel_result(kernel_status(reply, NLMSG_DONE, NLM_F_MULTI, 0));
	}
	struct nlattr *wanted = nlmsg_find_attr(request, sizeof(struct ifinfomsg), IFLA_IFNAME);
	ck_assert_ptr_nonnull(wanted);
	bool found = name && nla_strcmp(wanted, name) == 0;
	if (found)
		ck_assert_int_eq(kernel_put_link(kernel, true, reply), 0);
	return kernel_answer(reply, found ? 0 : -ENODEV);
}

static inline WiceDevice *kernel_named_copy(const WiceDevice *device, const char *name)
{
	WiceDeviceBuilder *builder = device ? wice__device_builder_copy(device)
					    : wice__device_builder_new(name, WICE_DEVICE_KERNEL);
	g_strlcpy(wice__device_builder_info(builder)->name, name,
		  sizeof wice__device_builder_info(builder)->name);
	return wice__device_builder_finish(builder);
}

static inline int kernel_new_link(TestKernel *kernel, struct nlmsghdr *request)
{
	struct nlattr *attrs[IFLA_MAX + 1], *info[IFLA_INFO_MAX + 1];
	ck_assert_uint_eq(request->nlmsg_flags & (NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK),
			  NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK);
	ck_assert_int_eq(nlmsg_parse(request, sizeof(struct ifinfomsg), attrs, IFLA_MAX, NULL), 0);
	ck_assert_int_eq(nla_parse_nested(info, IFLA_INFO_MAX, attrs[IFLA_LINKINFO], NULL), 0);
	const char *name = nla_get_string(attrs[IFLA_IFNAME]);
	if (strcmp(name, "lo") == 0 || g_strcmp0(name, kernel_name(kernel)) == 0)
		return -EEXIST;
	if (kernel->no_family || nla_strcmp(info[IFLA_INFO_KIND], "wireguard") != 0)
		return -EOPNOTSUPP;
	ck_assert_ptr_null(kernel->device); /* there is room for one */
	kernel->device = kernel_named_copy(NULL, name);
	kernel->mtu = 1420;
	kernel->up = false;
	kernel->n_addresses = 0;
	kernel_log(kernel, "new;");
	return 0;
}

static inline int kernel_rename(TestKernel *kernel, const char *name)
{
	if (strcmp(name, "lo") == 0)
		return -EEXIST;
	WiceDevice *renamed = kernel_named_copy(kernel->device, name);
	wice_device_unref(kernel->device);
	kernel->device = renamed;
	kernel_log(kernel, "name %s;", name);
	return 0;
}

static inline int kernel_set_link(TestKernel *kernel, struct nlmsghdr *request)
{
	const struct ifinfomsg *body = nlmsg_data(request);
	struct nlattr *attrs[IFLA_MAX + 1];
	ck_assert_int_eq(nlmsg_parse(request, sizeof *body, attrs, IFLA_MAX, NULL), 0);
	if (attrs[IFLA_MTU]) {
		kernel->mtu = nla_get_u32(attrs[IFLA_MTU]);
		kernel_log(kernel, "mtu %u;", kernel->mtu);
		if (kernel->mtu < 68)
			return -EINVAL;
	}
	if (body->ifi_change) {
		ck_assert_uint_eq(body->ifi_change, IFF_UP);
		kernel->up = body->ifi_flags & IFF_UP;
		kernel_log(kernel, kernel->up ? "up;" : "down;");
	}
	return attrs[IFLA_IFNAME] ? kernel_rename(kernel, nla_get_string(attrs[IFLA_IFNAME])) : 0;
}

static inline int kernel_change_link(TestKernel *kernel, struct nlmsghdr *request)
{
	const struct ifinfomsg *body = nlmsg_data(request);
	ck_assert_uint_eq(request->nlmsg_flags & NLM_F_ACK, NLM_F_ACK);
	if (!kernel->device || body->ifi_index != KERNEL_IFINDEX)
		return -ENODEV;
	if (request->nlmsg_type == RTM_SETLINK)
		return kernel_set_link(kernel, request);
	g_clear_pointer(&kernel->device, wice_device_unref);
	kernel_log(kernel, "delete;");
	return 0;
}

static inline int kernel_put_address(const WiceInterfaceAddress *address, unsigned ifindex,
				     int flags, WiceNetlinkReply *reply)
{
	bool v4 = address->address.family == WICE_FAMILY_IPV4;
	struct nl_msg *message = kernel_message(reply, RTM_NEWADDR, flags);
	struct ifaddrmsg body = { .ifa_family = v4 ? AF_INET : AF_INET6,
				  .ifa_prefixlen = address->length,
				  .ifa_index = ifindex };
	nlmsg_append(message, &body, sizeof body, 4);
	nla_put(message, IFA_ADDRESS, v4 ? 4 : 16, address->address.bytes);
	if (v4)
		nla_put(message, IFA_LOCAL, 4, address->address.bytes);
	return kernel_feed(message, reply);
}

static inline int kernel_get_addresses(TestKernel *kernel, WiceNetlinkReply *reply)
{
	WiceInterfaceAddress lo = { { WICE_FAMILY_IPV4, { 127, 0, 0, 1 } }, 8 };
	int flags = NLM_F_MULTI | (kernel->n_dumps++ < kernel->n_interrupts ? NLM_F_DUMP_INTR : 0);
	ck_assert_int_eq(kernel_put_address(&lo, 1, flags, reply), 0);
	for (unsigned i = 0; i < kernel->n_addresses; i++)
		ck_assert_int_eq(
			kernel_put_address(&kernel->addresses[i], KERNEL_IFINDEX, flags, reply), 0);
	return kernel_result(kernel_status(reply, NLMSG_DONE, flags, 0));
}

/* The number of the link's address with these bytes, or how many it has. */
static inline unsigned kernel_find_address(const TestKernel *kernel, const WiceAddress *address)
{
	unsigned i = 0;
	while (i < kernel->n_addresses &&
	       wice_address_compare(&kernel->addresses[i].address, address) != 0)
		i++;
	return i;
}

static inline int kernel_change_address(TestKernel *kernel, struct nlmsghdr *request)
{
	char text[WICE_PREFIX_SIZE];
	bool added = request->nlmsg_type == RTM_NEWADDR;
	WiceNetlinkAddress wanted;
	ck_assert_int_eq(wice__netlink_read_address(request, &wanted), 0);
	ck_assert_ptr_nonnull(nlmsg_find_attr(request, sizeof(struct ifaddrmsg), IFA_LOCAL));
	ck_assert_ptr_nonnull(nlmsg_find_attr(request, sizeof(struct ifaddrmsg), IFA_ADDRESS));
	kernel_log(kernel, "%c%s;", added ? '+' : '-',
		   wice_interface_address_format(&wanted.address, text));
	unsigned i = kernel_find_address(kernel, &wanted.address.address);
	if (added && i < kernel->n_addresses)
		return -EEXIST;
	if (added) {
		ck_assert_uint_lt(i, KERNEL_ADDRESSES_MAX);
		kernel->addresses[kernel->n_addresses++] = wanted.address;
		return 0;
	}
	if (i == kernel->n_addresses || kernel->addresses[i].length != wanted.address.length)
		return -EADDRNOTAVAIL;
	kernel->addresses[i] = kernel->addresses[--kernel->n_addresses];
	return 0;
}

static inline int kernel_new_route(TestKernel *kernel, struct nlmsghdr *request)
{
	const struct rtmsg *body = nlmsg_data(request);
	struct nlattr *attrs[RTA_MAX + 1];
	char text[WICE_PREFIX_SIZE];
	WicePrefix network = { .length = body->rtm_dst_len };
	bool v4 = body->rtm_family == AF_INET;
	ck_assert_uint_eq(request->nlmsg_flags & (NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK),
			  NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK);
	ck_assert_int_eq(nlmsg_parse(request, sizeof *body, attrs, RTA_MAX, NULL), 0);
	ck_assert_int_eq(nla_len(attrs[RTA_DST]), v4 ? 4 : 16);
	ck_assert_uint_eq(nla_get_u32(attrs[RTA_OIF]), KERNEL_IFINDEX);
	network.address.family = v4 ? WICE_FAMILY_IPV4 : WICE_FAMILY_IPV6;
	memcpy(network.address.bytes, nla_data(attrs[RTA_DST]), v4 ? 4 : 16);
	if (!kernel->up)
		return -ENETDOWN;
	if (strstr(kernel->log->str, wice_prefix_format(&network, text)))
		return -EEXIST;
	kernel_log(kernel, "%s table %u;", text, nla_get_u32(attrs[RTA_TABLE]));
	return 0;
}

static inline int kernel_links(TestKernel *kernel, struct nlmsghdr *request,
			       WiceNetlinkReply *reply)
{
	switch (request->nlmsg_type) {
	case RTM_GETLINK:
		return kernel_get_link(kernel, request, reply);
	case RTM_GETADDR:
		return kernel_get_addresses(kernel, reply);
	default:
		break;
	}
	if (kernel->link_error)
		return kernel_answer(reply, kernel->link_error);
	switch (request->nlmsg_type) {
	case RTM_NEWROUTE:
		return kernel_answer(reply, kernel_new_route(kernel, request));
	case RTM_NEWLINK:
		return kernel_answer(reply, kernel_new_link(kernel, request));
	case RTM_SETLINK:
	case RTM_DELLINK:
		return kernel_answer(reply, kernel_change_link(kernel, request));
	default:
		return kernel_answer(reply, kernel_change_address(kernel, request));
	}
}

#endif
