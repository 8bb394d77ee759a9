/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_WG_KERNEL_H
#define WICE_TESTS_WG_KERNEL_H

/*
 * Plays the kernel's side of netlink for one WireGuard interface: a transport for the netlink
 * backend. It cuts dumps where it is told to, refuses what the kernel refuses, and shows what it
 * was sent.
 */
#include "conformance/wg/kernel_base.h"
#include "conformance/wg/kernel_link.h"
#include "conformance/wg/kernel_set.h"
#include "event/sockaddr.h"

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
	nla_put_u32(message, WGDEVICE_A_IFINDEX, KERNEL_IFINDEX);
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
	if (kernel->n_dumps < kernel->n_overruns) {
		kernel->n_dumps++;
		return kernel_result(kernel_feed(kernel_message(reply, NLMSG_OVERRUN, 0), reply));
	}
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

/* The group is the second one. */
static inline void kernel_put_groups(struct nl_msg *message)
{
	static const char *const names[] = { "others", "peers" };
	struct nlattr *groups = nla_nest_start(message, CTRL_ATTR_MCAST_GROUPS);
	for (int i = 0; i < 2; i++) {
		struct nlattr *group = nla_nest_start(message, i + 1);
		nla_put_string(message, CTRL_ATTR_MCAST_GRP_NAME, names[i]);
		nla_put_u32(message, CTRL_ATTR_MCAST_GRP_ID, KERNEL_PEERS_GROUP - 1 + (uint32_t)i);
		nla_nest_end(message, group);
	}
	nla_nest_end(message, groups);
}

static inline int kernel_get(TestKernel *kernel, struct nlmsghdr *request, WiceNetlinkReply *reply)
{
	struct nlattr *name = nlmsg_find_attr(request, GENL_HDRLEN, WGDEVICE_A_IFNAME);
	ck_assert_uint_eq(request->nlmsg_flags & NLM_F_DUMP, NLM_F_DUMP);
	ck_assert_ptr_nonnull(name);
	if (nla_strcmp(name, wice_device_info(kernel->device)->name) != 0)
		return kernel_answer(reply, -ENODEV);
	return kernel_dump(kernel, reply);
}

static inline int kernel_wireguard(TestKernel *kernel, struct nlmsghdr *request,
				   WiceNetlinkReply *reply)
{
	if (kernel->error)
		return kernel_answer(reply, kernel->error);
	if (!kernel->device)
		return kernel_answer(reply, -ENODEV);
	if (genlmsg_hdr(request)->cmd == WG_CMD_GET_DEVICE)
		return kernel_get(kernel, request, reply);
	ck_assert_uint_eq(genlmsg_hdr(request)->cmd, WG_CMD_SET_DEVICE);
	return kernel_answer(reply, kernel_set(kernel, request));
}

static inline struct nl_msg *kernel_family_message(const TestKernel *kernel,
						   const WiceNetlinkReply *reply)
{
	struct nl_msg *message = kernel_generic(reply, GENL_ID_CTRL, 0);
	nla_put_u16(message, CTRL_ATTR_FAMILY_ID, KERNEL_FAMILY);
	if (kernel->has_group)
		kernel_put_groups(message);
	return message;
}

static inline int kernel_family(TestKernel *kernel, WiceNetlinkReply *reply)
{
	kernel->n_families++;
	if (kernel->no_family)
		return kernel_answer(reply, -ENOENT);
	ck_assert_int_eq(kernel_feed(kernel_family_message(kernel, reply), reply), 0);
	return kernel_answer(reply, 0);
}

static inline int kernel_dispatch(TestKernel *kernel, int protocol, struct nlmsghdr *header,
				  WiceNetlinkReply *reply)
{
	if (protocol == NETLINK_ROUTE)
		return kernel_links(kernel, header, reply);
	if (header->nlmsg_type == GENL_ID_CTRL)
		return kernel_family(kernel, reply);
	ck_assert_uint_eq(header->nlmsg_type, KERNEL_FAMILY);
	return kernel_wireguard(kernel, header, reply);
}

static inline int kernel_exchange(void *user_data, int protocol, struct nl_msg *request,
				  WiceNetlinkReply *reply, int64_t deadline_ms)
{
	TestKernel *kernel = user_data;
	g_mutex_lock(&kernel->mutex);
	reply->port = KERNEL_PORT;
	reply->sequence = ++kernel->sequence;
	int r = kernel_dispatch(kernel, protocol, nlmsg_hdr(request), reply);
	g_mutex_unlock(&kernel->mutex);
	return r;
}

static inline WiceWgBackend *kernel_backend(TestKernel *kernel)
{
	WiceNetlinkTransport transport = { .exchange = kernel_exchange, .user_data = kernel };
	return wice__wg_netlink_new_with(&transport);
}

#endif
