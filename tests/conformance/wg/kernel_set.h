/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_WG_KERNEL_SET_H
#define WICE_TESTS_WG_KERNEL_SET_H

/*
 * The played kernel takes SET requests: reads them as strictly as the kernel does, and refuses what
 * the library is not to send.
 */
#include "conformance/wg/kernel_base.h"
#include "event/sockaddr.h"

#define KERNEL_ALLOWED_IP_FLAGS 4
#define KERNEL_MESSAGE_MAX (60u * 1024)

/* One request. */
typedef struct {
	WiceDeviceChange change;
	GArray *peers; /* of WicePeerChange */
	GArray *ips;   /* of WiceAllowedIpChange, of all peers */
	size_t size;   /* of the message */
} KernelSet;

/* What the kernel's policy says of an attribute; it knows no other ones. */
typedef struct {
	int min, max;
	bool nested;
} KernelPolicy;

static const KernelPolicy kernel_device_policy[] = {
	[WGDEVICE_A_IFINDEX] = { 4, 4, false },     [WGDEVICE_A_PRIVATE_KEY] = { 32, 32, false },
	[WGDEVICE_A_FLAGS] = { 4, 4, false },       [WGDEVICE_A_FWMARK] = { 4, 4, false },
	[WGDEVICE_A_LISTEN_PORT] = { 2, 2, false }, [WGDEVICE_A_PEERS] = { 0, 65535, true },
};

static const KernelPolicy kernel_peer_policy[] = {
	[WGPEER_A_PUBLIC_KEY] = { 32, 32, false },
	[WGPEER_A_PRESHARED_KEY] = { 32, 32, false },
	[WGPEER_A_FLAGS] = { 4, 4, false },
	[WGPEER_A_ENDPOINT] = { 16, 28, false },
	[WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL] = { 2, 2, false },
	[WGPEER_A_ALLOWEDIPS] = { 0, 65535, true },
};

static const KernelPolicy kernel_ip_policy[] = {
	[WGALLOWEDIP_A_FAMILY] = { 2, 2, false },
	[WGALLOWEDIP_A_IPADDR] = { 4, 16, false },
	[WGALLOWEDIP_A_CIDR_MASK] = { 1, 1, false },
	[KERNEL_ALLOWED_IP_FLAGS] = { 4, 4, false },
};

/* Sorts attributes by their type; what the library never sends twice must not come twice. */
static inline void kernel_sort(struct nlattr *first, int len, const KernelPolicy *policy, size_t n,
			       struct nlattr **ret)
{
	struct nlattr *attr;
	int rest;
	memset(ret, 0, n * sizeof *ret);
	nla_for_each_attr(attr, first, len, rest)
	{
		size_t type = (size_t)nla_type(attr);
		KERNEL_REQUIRE(type < n);
		KERNEL_REQUIRE(policy[type].max > 0);
		KERNEL_REQUIRE(!ret[type]);
		KERNEL_REQUIRE(nla_len(attr) >= policy[type].min);
		KERNEL_REQUIRE(nla_len(attr) <= policy[type].max);
		KERNEL_REQUIRE(!!nla_is_nested(attr) == policy[type].nested);
		ret[type] = attr;
	}
	KERNEL_REQUIRE(rest == 0);
}

static inline int kernel_take_ip(const TestKernel *kernel, struct nlattr *nest, KernelSet *set)
{
	struct nlattr *attrs[G_N_ELEMENTS(kernel_ip_policy)];
	WiceAllowedIpChange change = { 0 };
	KERNEL_REQUIRE(nla_is_nested(nest));
	kernel_sort(nla_data(nest), nla_len(nest), kernel_ip_policy, G_N_ELEMENTS(attrs), attrs);
	if (attrs[KERNEL_ALLOWED_IP_FLAGS]) {
		if (kernel->no_removal)
			return -EINVAL;
		KERNEL_REQUIRE(nla_get_u32(attrs[KERNEL_ALLOWED_IP_FLAGS]) == 1);
		change.remove = true;
	}
	KERNEL_REQUIRE(attrs[WGALLOWEDIP_A_FAMILY]);
	KERNEL_REQUIRE(attrs[WGALLOWEDIP_A_IPADDR]);
	KERNEL_REQUIRE(attrs[WGALLOWEDIP_A_CIDR_MASK]);
	bool v4 = nla_get_u16(attrs[WGALLOWEDIP_A_FAMILY]) == AF_INET;
	KERNEL_REQUIRE(nla_len(attrs[WGALLOWEDIP_A_IPADDR]) == (v4 ? 4 : 16));
	change.prefix.address.family = v4 ? WICE_FAMILY_IPV4 : WICE_FAMILY_IPV6;
	memcpy(change.prefix.address.bytes, nla_data(attrs[WGALLOWEDIP_A_IPADDR]), v4 ? 4 : 16);
	change.prefix.length = nla_get_u8(attrs[WGALLOWEDIP_A_CIDR_MASK]);
	if (change.prefix.length > (v4 ? 32 : 128))
		return -EINVAL;
	g_array_append_val(set->ips, change);
	return 0;
}

static inline int kernel_take_ips(const TestKernel *kernel, struct nlattr *list, KernelSet *set,
				  WicePeerChange *peer)
{
	struct nlattr *nest;
	int rest, r = 0;
	if (!list)
		return 0;
	nla_for_each_nested(nest, list, rest)
	{
		r = kernel_take_ip(kernel, nest, set);
		if (r < 0)
			return r;
		peer->n_allowed_ips++;
	}
	return 0;
}

static inline void kernel_take_values(struct nlattr **attrs, WicePeerChange *peer)
{
	if (attrs[WGPEER_A_PRESHARED_KEY]) {
		peer->fields |= WICE_PEER_HAS_PRESHARED_KEY;
		nla_memcpy(&peer->preshared_key, attrs[WGPEER_A_PRESHARED_KEY], WICE_KEY_LEN);
	}
	if (attrs[WGPEER_A_ENDPOINT]) {
		struct sockaddr_storage address = { 0 };
		int len = nla_memcpy(&address, attrs[WGPEER_A_ENDPOINT], sizeof address);
		peer->fields |= WICE_PEER_HAS_ENDPOINT;
		KERNEL_REQUIRE(wice__endpoint_from_sockaddr((struct sockaddr *)&address,
							    (socklen_t)len, &peer->endpoint));
	}
	if (attrs[WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL]) {
		peer->fields |= WICE_PEER_HAS_KEEPALIVE;
		peer->keepalive_s = nla_get_u16(attrs[WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL]);
	}
}

static inline unsigned kernel_peer_flags(uint32_t flags)
{
	KERNEL_REQUIRE((flags & ~(uint32_t)__WGPEER_F_ALL) == 0);
	return (flags & WGPEER_F_REMOVE_ME ? WICE_PEER_CHANGE_REMOVE : 0u) |
	       (flags & WGPEER_F_UPDATE_ONLY ? WICE_PEER_CHANGE_UPDATE_ONLY : 0u) |
	       (flags & WGPEER_F_REPLACE_ALLOWEDIPS ? WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS : 0u);
}

static inline int kernel_take_peer(const TestKernel *kernel, struct nlattr *nest, KernelSet *set)
{
	struct nlattr *attrs[G_N_ELEMENTS(kernel_peer_policy)];
	WicePeerChange peer = { 0 };
	KERNEL_REQUIRE(nla_is_nested(nest));
	kernel_sort(nla_data(nest), nla_len(nest), kernel_peer_policy, G_N_ELEMENTS(attrs), attrs);
	KERNEL_REQUIRE(attrs[WGPEER_A_PUBLIC_KEY]);
	nla_memcpy(&peer.public_key, attrs[WGPEER_A_PUBLIC_KEY], WICE_KEY_LEN);
	if (attrs[WGPEER_A_FLAGS])
		peer.flags = kernel_peer_flags(nla_get_u32(attrs[WGPEER_A_FLAGS]));
	kernel_take_values(attrs, &peer);
	int r = kernel_take_ips(kernel, attrs[WGPEER_A_ALLOWEDIPS], set, &peer);
	if (peer.flags & WICE_PEER_CHANGE_REMOVE)
		KERNEL_REQUIRE(peer.fields == 0 && peer.n_allowed_ips == 0);
	g_array_append_val(set->peers, peer);
	return r;
}

static inline void kernel_take_interface(struct nlattr **attrs, WiceDeviceChange *change)
{
	KERNEL_REQUIRE(attrs[WGDEVICE_A_IFINDEX]);
	if (attrs[WGDEVICE_A_FLAGS]) {
		KERNEL_REQUIRE(nla_get_u32(attrs[WGDEVICE_A_FLAGS]) == WGDEVICE_F_REPLACE_PEERS);
		change->flags = WICE_DEVICE_CHANGE_REPLACE_PEERS;
	}
	if (attrs[WGDEVICE_A_PRIVATE_KEY]) {
		change->fields |= WICE_DEVICE_HAS_PRIVATE_KEY;
		nla_memcpy(&change->private_key, attrs[WGDEVICE_A_PRIVATE_KEY], WICE_KEY_LEN);
	}
	if (attrs[WGDEVICE_A_LISTEN_PORT]) {
		change->fields |= WICE_DEVICE_HAS_LISTEN_PORT;
		change->listen_port = nla_get_u16(attrs[WGDEVICE_A_LISTEN_PORT]);
	}
	if (attrs[WGDEVICE_A_FWMARK]) {
		change->fields |= WICE_DEVICE_HAS_FWMARK;
		change->fwmark = nla_get_u32(attrs[WGDEVICE_A_FWMARK]);
	}
}

/* The lists have stopped growing: the change may point into them. */
static inline void kernel_set_finish(KernelSet *set)
{
	const WiceAllowedIpChange *ip = (const void *)set->ips->data;
	WicePeerChange *peers = (void *)set->peers->data;
	for (guint i = 0; i < set->peers->len; i++) {
		peers[i].allowed_ips = ip;
		ip += peers[i].n_allowed_ips;
	}
	set->change.peers = peers;
	set->change.n_peers = set->peers->len;
}

static inline void kernel_set_free(gpointer data)
{
	KernelSet *set = data;
	g_array_unref(set->peers);
	g_array_unref(set->ips);
	g_free(set);
}

/* Reads one request. 0 or what the kernel refuses it with. The caller frees *ret in any case. */
static inline int kernel_set_read(const TestKernel *kernel, struct nlmsghdr *request,
				  KernelSet **ret)
{
	struct nlattr *attrs[G_N_ELEMENTS(kernel_device_policy)], *nest;
	KernelSet *set = g_new0(KernelSet, 1);
	int rest, r = 0;
	set->change.size = sizeof set->change;
	set->peers = g_array_new(FALSE, FALSE, sizeof(WicePeerChange));
	set->ips = g_array_new(FALSE, FALSE, sizeof(WiceAllowedIpChange));
	set->size = request->nlmsg_len;
	*ret = set;
	KERNEL_REQUIRE(set->size <= KERNEL_MESSAGE_MAX);
	KERNEL_REQUIRE(request->nlmsg_flags & NLM_F_ACK);
	kernel_sort(genlmsg_attrdata(genlmsg_hdr(request), 0),
		    genlmsg_attrlen(genlmsg_hdr(request), 0), kernel_device_policy,
		    G_N_ELEMENTS(attrs), attrs);
	kernel_take_interface(attrs, &set->change);
	if (nla_get_u32(attrs[WGDEVICE_A_IFINDEX]) != KERNEL_IFINDEX)
		return -ENODEV;
	if (attrs[WGDEVICE_A_PEERS]) {
		nla_for_each_nested(nest, attrs[WGDEVICE_A_PEERS], rest)
		{
			r = kernel_take_peer(kernel, nest, set);
			if (r < 0)
				return r;
		}
	}
	kernel_set_finish(set);
	return 0;
}

static inline void kernel_apply(TestKernel *kernel, const WiceDeviceChange *change)
{
	GError *error = NULL;
	WicePlan *plan = wice_plan_new(change, &error);
	ck_assert_msg(plan != NULL, "%s", error ? error->message : "");
	WiceDevice *after = wice_plan_result(plan, kernel->device);
	wice_device_unref(kernel->device);
	kernel->device = after;
	wice_plan_unref(plan);
}

static inline int kernel_set(TestKernel *kernel, struct nlmsghdr *request)
{
	KernelSet *set;
	kernel->n_sets++;
	int r = kernel_set_read(kernel, request, &set);
	if (r == 0 && kernel->taken_port && set->change.listen_port == kernel->taken_port)
		r = -EADDRINUSE;
	if (r == 0)
		kernel_apply(kernel, &set->change);
	if (r == 0 && kernel->sets)
		g_ptr_array_add(kernel->sets, set);
	else
		kernel_set_free(set);
	return r;
}

#endif
