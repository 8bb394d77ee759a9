/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_WG_KERNEL_H
#define WICE_TESTS_WG_KERNEL_H

/*
 * Plays the kernel's side of netlink for one WireGuard interface: a transport for the netlink
 * backend. It cuts dumps where it is told to, refuses what the kernel refuses, and shows what it
 * was sent.
 */
#include "event/sockaddr.h"
#include "wg/device.h"
#include "wg/netlink.h"

#include <check.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/wireguard.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <string.h>

#define KERNEL_FAMILY 33
#define KERNEL_PORT 4711

typedef struct {
	WiceDevice *device;         /* NULL: there is no such link */
	const char *kind;           /* of the link */
	unsigned peers_per_message; /* 0: all */
	unsigned ips_per_message;   /* of one peer, 0: all */
	unsigned n_interrupts;      /* so many dumps are torn first */
	int no_family;              /* the module is missing */
	int error;                  /* what WireGuard's commands fail with, negative */
	unsigned n_dumps, n_sets, n_families;
	WicePeerUpdate last_set;
	unsigned sequence;
} TestKernel;

static inline int kernel_feed(struct nl_msg *message, WiceNetlinkReply *reply)
{
	struct nlmsghdr *header = nlmsg_hdr(message);
	int r = wice__netlink_reply_feed(reply, header, header->nlmsg_len);
	nlmsg_free(message);
	return r;
}

static inline struct nl_msg *kernel_message(const WiceNetlinkReply *reply, int type, int flags)
{
	struct nl_msg *message = nlmsg_alloc_size(60000);
	nlmsg_put(message, reply->port, reply->sequence, type, 0, flags);
	return message;
}

static inline int kernel_status(WiceNetlinkReply *reply, int type, int flags, int error)
{
	struct nl_msg *message = kernel_message(reply, type, flags);
	struct nlmsgerr body = { .error = error };
	nlmsg_append(message, &body, sizeof body, 4);
	return kernel_feed(message, reply);
}

/* 1, the end of a reply, is success; 0 is a reply that never ended. */
static inline int kernel_result(int r)
{
	ck_assert_int_ne(r, 0);
	return r < 0 ? r : 0;
}

static inline struct nl_msg *kernel_generic(const WiceNetlinkReply *reply, int type, int flags)
{
	struct nl_msg *message = nlmsg_alloc_size(60000);
	genlmsg_put(message, reply->port, reply->sequence, type, 0, flags, WG_CMD_GET_DEVICE, 1);
	return message;
}

static inline void kernel_put_ip(struct nl_msg *message, const WicePrefix *prefix)
{
	bool v4 = prefix->address.family == WICE_FAMILY_IPV4;
	struct nlattr *nest = nla_nest_start(message, 0 | NLA_F_NESTED);
	nla_put_u16(message, WGALLOWEDIP_A_FAMILY, v4 ? AF_INET : AF_INET6);
	nla_put(message, WGALLOWEDIP_A_IPADDR, v4 ? 4 : 16, prefix->address.bytes);
	nla_put_u8(message, WGALLOWEDIP_A_CIDR_MASK, prefix->length);
	nla_nest_end(message, nest);
}

/* Like the kernel: all values in a peer's first part, only its key in the others. */
static inline void kernel_put_peer(struct nl_msg *message, const WiceDevicePeer *peer, size_t from,
				   size_t to)
{
	struct nlattr *nest = nla_nest_start(message, 0 | NLA_F_NESTED), *ips;
	nla_put(message, WGPEER_A_PUBLIC_KEY, WICE_KEY_LEN, &peer->public_key);
	if (from == 0) {
		struct sockaddr_storage address;
		int len = (int)wice__endpoint_to_sockaddr(&peer->endpoint, &address);
		int64_t time[2] = { peer->handshake_ns / 1000000000,
				    peer->handshake_ns % 1000000000 };
		nla_put(message, WGPEER_A_PRESHARED_KEY, WICE_KEY_LEN, &peer->preshared_key);
		nla_put_u16(message, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, peer->keepalive_s);
		nla_put(message, WGPEER_A_LAST_HANDSHAKE_TIME, sizeof time, time);
		nla_put_u64(message, WGPEER_A_RX_BYTES, peer->rx_bytes);
		nla_put_u64(message, WGPEER_A_TX_BYTES, peer->tx_bytes);
		nla_put_u32(message, WGPEER_A_PROTOCOL_VERSION, 1);
		if (len)
			nla_put(message, WGPEER_A_ENDPOINT, len, &address);
	}
	ips = nla_nest_start(message, WGPEER_A_ALLOWEDIPS | NLA_F_NESTED);
	for (size_t i = from; i < to; i++)
		kernel_put_ip(message, &peer->allowed_ips[i]);
	nla_nest_end_keep_empty(message, ips);
	nla_nest_end(message, nest);
}

static inline void kernel_put_interface(struct nl_msg *message, const WiceDeviceInfo *info)
{
	nla_put_u32(message, WGDEVICE_A_IFINDEX, 77);
	nla_put_string(message, WGDEVICE_A_IFNAME, info->name);
	nla_put_u16(message, WGDEVICE_A_LISTEN_PORT, info->listen_port);
	nla_put_u32(message, WGDEVICE_A_FWMARK, info->fwmark);
	if (info->fields & WICE_DEVICE_HAS_PRIVATE_KEY) {
		nla_put(message, WGDEVICE_A_PRIVATE_KEY, WICE_KEY_LEN, &info->private_key);
		nla_put(message, WGDEVICE_A_PUBLIC_KEY, WICE_KEY_LEN, &info->public_key);
	}
}

/* Where a dump goes on. */
typedef struct {
	size_t peer, ip;
} KernelCursor;

/* One message; true if it was the last one. */
static inline bool kernel_dump_part(const TestKernel *kernel, struct nl_msg *message,
				    KernelCursor *cursor)
{
	const WiceDeviceInfo *info = wice_device_info(kernel->device);
	if (cursor->peer == 0 && cursor->ip == 0)
		kernel_put_interface(message, info);
	struct nlattr *peers = nla_nest_start(message, WGDEVICE_A_PEERS | NLA_F_NESTED);
	size_t per_message = kernel->peers_per_message ? kernel->peers_per_message : 100;
	for (size_t n = 0; n < per_message && cursor->peer < info->n_peers; n++) {
		const WiceDevicePeer *peer = &info->peers[cursor->peer];
		size_t most = kernel->ips_per_message ? kernel->ips_per_message : SIZE_MAX / 2;
		size_t to = MIN(peer->n_allowed_ips, cursor->ip + most);
		kernel_put_peer(message, peer, cursor->ip, to);
		cursor->ip = to;
		if (to < peer->n_allowed_ips)
			break;
		cursor->ip = 0;
		cursor->peer++;
	}
	nla_nest_end_keep_empty(message, peers);
	return cursor->peer == info->n_peers;
}

static inline int kernel_dump(TestKernel *kernel, WiceNetlinkReply *reply)
{
	KernelCursor cursor = { 0, 0 };
	int flags = NLM_F_MULTI | (kernel->n_dumps++ < kernel->n_interrupts ? NLM_F_DUMP_INTR : 0);
	for (bool last = false; !last;) {
		struct nl_msg *message = kernel_generic(reply, KERNEL_FAMILY, flags);
		last = kernel_dump_part(kernel, message, &cursor);
		int r = kernel_feed(message, reply);
		if (r != 0)
			return kernel_result(r);
	}
	return kernel_result(kernel_status(reply, NLMSG_DONE, flags, 0));
}

static inline int kernel_apply(TestKernel *kernel, struct nlattr **attrs)
{
	WicePeerUpdate *set = &kernel->last_set;
	*set = (WicePeerUpdate){ .size = sizeof *set };
	ck_assert_ptr_nonnull(attrs[WGPEER_A_PUBLIC_KEY]);
	ck_assert_uint_eq(nla_get_u32(attrs[WGPEER_A_FLAGS]), WGPEER_F_UPDATE_ONLY);
	ck_assert_ptr_null(attrs[WGPEER_A_PRESHARED_KEY]);
	ck_assert_ptr_null(attrs[WGPEER_A_ALLOWEDIPS]);
	nla_memcpy(&set->public_key, attrs[WGPEER_A_PUBLIC_KEY], WICE_KEY_LEN);
	const WiceDevicePeer *found = wice_device_find_peer(kernel->device, &set->public_key);
	WiceDevicePeer changed = found ? *found : (WiceDevicePeer){ 0 }, *peer;
	if (attrs[WGPEER_A_ENDPOINT]) {
		set->set_endpoint = wice__endpoint_from_sockaddr(
			nla_data(attrs[WGPEER_A_ENDPOINT]),
			(socklen_t)nla_len(attrs[WGPEER_A_ENDPOINT]), &set->endpoint);
		changed.endpoint = set->endpoint;
	}
	if (attrs[WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL]) {
		set->set_keepalive = true;
		set->keepalive_s = nla_get_u16(attrs[WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL]);
		changed.keepalive_s = set->keepalive_s;
	}
	if (!found)
		return 0;
	WiceDeviceBuilder *builder = wice__device_builder_copy(kernel->device);
	wice__device_builder_remove(builder, &set->public_key);
	ck_assert_int_eq(wice__device_builder_peer(builder, &set->public_key, &peer), 0);
	*peer = changed;
	for (size_t i = 0; i < found->n_allowed_ips; i++)
		ck_assert_int_eq(wice__device_builder_allowed_ip(builder, &found->allowed_ips[i]),
				 0);
	wice_device_unref(kernel->device);
	kernel->device = wice__device_builder_finish(builder);
	return 0;
}

/* As the kernel since 5.2, wants nests to say that they are nests. */
static inline struct nlattr *kernel_nest(struct nlattr *attr)
{
	ck_assert_ptr_nonnull(attr);
	ck_assert(nla_is_nested(attr));
	return attr;
}

static inline int kernel_set(TestKernel *kernel, struct nlattr **attrs)
{
	struct nlattr *values[WGPEER_A_MAX + 1], *peer;
	int rest;
	kernel->n_sets++;
	ck_assert_ptr_null(attrs[WGDEVICE_A_PRIVATE_KEY]);
	ck_assert_ptr_null(attrs[WGDEVICE_A_FLAGS]);
	ck_assert_ptr_null(attrs[WGDEVICE_A_LISTEN_PORT]);
	ck_assert_ptr_null(attrs[WGDEVICE_A_FWMARK]);
	nla_for_each_nested(peer, kernel_nest(attrs[WGDEVICE_A_PEERS]), rest)
	{
		ck_assert_int_eq(nla_parse_nested(values, WGPEER_A_MAX, kernel_nest(peer), NULL),
				 0);
		kernel_apply(kernel, values);
	}
	return 0;
}

static inline int kernel_wireguard(TestKernel *kernel, struct nlmsghdr *request,
				   WiceNetlinkReply *reply)
{
	struct nlattr *attrs[WGDEVICE_A_MAX + 1];
	ck_assert_int_eq(genlmsg_parse(request, 0, attrs, WGDEVICE_A_MAX, NULL), 0);
	int error = kernel->error;
	if (error == 0 && (!kernel->device || strcmp(nla_get_string(attrs[WGDEVICE_A_IFNAME]),
						     wice_device_info(kernel->device)->name) != 0))
		error = -ENODEV;
	if (error == 0 && genlmsg_hdr(request)->cmd == WG_CMD_GET_DEVICE) {
		ck_assert_uint_eq(request->nlmsg_flags & NLM_F_DUMP, NLM_F_DUMP);
		return kernel_dump(kernel, reply);
	}
	if (error == 0)
		error = kernel_set(kernel, attrs);
	return kernel_result(kernel_status(reply, NLMSG_ERROR, 0, error));
}

static inline int kernel_family(TestKernel *kernel, WiceNetlinkReply *reply)
{
	kernel->n_families++;
	if (kernel->no_family)
		return kernel_result(kernel_status(reply, NLMSG_ERROR, 0, -ENOENT));
	struct nl_msg *message = kernel_generic(reply, GENL_ID_CTRL, 0);
	nla_put_u16(message, CTRL_ATTR_FAMILY_ID, KERNEL_FAMILY);
	ck_assert_int_eq(kernel_feed(message, reply), 0);
	return kernel_result(kernel_status(reply, NLMSG_ERROR, 0, 0));
}

static inline int kernel_put_link(const char *name, const char *kind, unsigned index,
				  WiceNetlinkReply *reply)
{
	struct nl_msg *message = kernel_message(reply, RTM_NEWLINK, NLM_F_MULTI);
	struct ifinfomsg body = { .ifi_index = (int)index };
	nlmsg_append(message, &body, sizeof body, 4);
	nla_put_string(message, IFLA_IFNAME, name);
	if (kind) {
		struct nlattr *info = nla_nest_start(message, IFLA_LINKINFO);
		nla_put_string(message, IFLA_INFO_KIND, kind);
		nla_nest_end(message, info);
	}
	return kernel_feed(message, reply);
}

/* There is always lo. Like a kernel without the module, it does not filter by the kind. */
static inline int kernel_links(TestKernel *kernel, struct nlmsghdr *request,
			       WiceNetlinkReply *reply)
{
	const char *name = kernel->device ? wice_device_info(kernel->device)->name : NULL;
	if (request->nlmsg_flags & NLM_F_DUMP) {
		ck_assert_int_eq(kernel_put_link("lo", NULL, 1, reply), 0);
		if (name)
			ck_assert_int_eq(kernel_put_link(name, kernel->kind, 77, reply), 0);
		return kernel_result(kernel_status(reply, NLMSG_DONE, NLM_F_MULTI, 0));
	}
	struct nlattr *wanted = nlmsg_find_attr(request, sizeof(struct ifinfomsg), IFLA_IFNAME);
	ck_assert_ptr_nonnull(wanted);
	bool found = name && nla_strcmp(wanted, name) == 0;
	if (found)
		ck_assert_int_eq(kernel_put_link(name, kernel->kind, 77, reply), 0);
	return kernel_result(kernel_status(reply, NLMSG_ERROR, 0, found ? 0 : -ENODEV));
}

static inline int kernel_exchange(void *user_data, int protocol, struct nl_msg *request,
				  WiceNetlinkReply *reply, int64_t deadline_ms)
{
	TestKernel *kernel = user_data;
	struct nlmsghdr *header = nlmsg_hdr(request);
	reply->port = KERNEL_PORT;
	reply->sequence = ++kernel->sequence;
	if (protocol == NETLINK_ROUTE)
		return kernel_links(kernel, header, reply);
	if (header->nlmsg_type == GENL_ID_CTRL)
		return kernel_family(kernel, reply);
	ck_assert_uint_eq(header->nlmsg_type, KERNEL_FAMILY);
	return kernel_wireguard(kernel, header, reply);
}

static inline WiceWgBackend *kernel_backend(TestKernel *kernel)
{
	WiceNetlinkTransport transport = { .exchange = kernel_exchange, .user_data = kernel };
	return wice__wg_netlink_new_with(&transport);
}

#endif
