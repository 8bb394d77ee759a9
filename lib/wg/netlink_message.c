/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The netlink messages of WireGuard (include/uapi/linux/wireguard.h) between bytes and the model,
 * but for those that change a device (netlink_set.c). No sockets here.
 *
 * A device is dumped in as many messages as it needs. The attributes of the interface are in the
 * first one; the following ones hold nothing but peers, in spite of what the kernel's header says.
 * A peer whose allowed IPs did not fit goes on in the next message with its key and further
 * allowed IPs.
 */
#include "wg/netlink.h"

#include "event/sockaddr.h"
#include "wg/netlink_attribute.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <netlink/attr.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <sodium.h>
#include <string.h>

/* WG_CMD_CHANGED_PEER of the patches of 2021 and 2022, which no released kernel has. */
#define CHANGED_PEER 2

#define KEY_BOUNDS                                   \
	{                                            \
		.min = WG_KEY_LEN, .max = WG_KEY_LEN \
	}
#define KEY_POLICY                                                             \
	{                                                                      \
		.type = NLA_UNSPEC, .minlen = WG_KEY_LEN, .maxlen = WG_KEY_LEN \
	}

/* struct __kernel_timespec */
typedef struct {
	int64_t seconds, nanoseconds;
} KernelTime;

int wice__netlink_read_family(struct nlmsghdr *header, uint16_t *ret)
{
	static const struct nla_policy policy[CTRL_ATTR_MAX + 1] = {
		[CTRL_ATTR_FAMILY_ID] = { .type = NLA_U16 },
	};
	struct nlattr *attrs[CTRL_ATTR_MAX + 1];
	if (!genlmsg_valid_hdr(header, 0) ||
	    genlmsg_parse(header, 0, attrs, CTRL_ATTR_MAX, (struct nla_policy *)policy) < 0 ||
	    !attrs[CTRL_ATTR_FAMILY_ID])
		return -EPROTO;
	*ret = nla_get_u16(attrs[CTRL_ATTR_FAMILY_ID]);
	return 0;
}

/* One entry of the list of groups: its number if it has that name, else 0. */
static int read_group(const struct nlattr *entry, const char *group, uint32_t *ret)
{
	static const WiceNetlinkBounds bounds[] = {
		[CTRL_ATTR_MCAST_GRP_NAME] = { .min = 1, .max = GENL_NAMSIZ },
		[CTRL_ATTR_MCAST_GRP_ID] = { .min = 4, .max = 4 },
	};
	const struct nlattr *attrs[G_N_ELEMENTS(bounds)];
	int r = wice__nest_sort(entry, bounds, G_N_ELEMENTS(bounds), attrs);
	if (r < 0)
		return r;
	if (!attrs[CTRL_ATTR_MCAST_GRP_NAME] || !attrs[CTRL_ATTR_MCAST_GRP_ID])
		return -EPROTO;
	bool same = nla_strcmp(attrs[CTRL_ATTR_MCAST_GRP_NAME], group) == 0;
	*ret = same ? wice__attribute_u32(attrs[CTRL_ATTR_MCAST_GRP_ID]) : 0;
	return 0;
}

int wice__netlink_read_group(struct nlmsghdr *header, const char *group, uint32_t *ret)
{
	static const struct nla_policy policy[CTRL_ATTR_MAX + 1] = {
		[CTRL_ATTR_MCAST_GROUPS] = { .type = NLA_NESTED },
	};
	struct nlattr *attrs[CTRL_ATTR_MAX + 1];
	uint32_t found = 0;
	if (!genlmsg_valid_hdr(header, 0) ||
	    genlmsg_parse(header, 0, attrs, CTRL_ATTR_MAX, (struct nla_policy *)policy) < 0)
		return -EPROTO;
	if (attrs[CTRL_ATTR_MCAST_GROUPS]) {
		WiceNetlinkNest groups = wice__nest_open(attrs[CTRL_ATTR_MCAST_GROUPS]);
		const struct nlattr *entry;
		while (found == 0 && (entry = wice__nest_next(&groups))) {
			int r = read_group(entry, group, &found);
			if (r < 0)
				return r;
		}
	}
	*ret = found;
	return 0;
}

int wice__netlink_read_notification(struct nlmsghdr *header, char ret_name[16],
				    unsigned *ret_ifindex)
{
	static const struct nla_policy policy[WGDEVICE_A_MAX + 1] = {
		[WGDEVICE_A_IFINDEX] = { .type = NLA_U32 },
		[WGDEVICE_A_IFNAME] = { .type = NLA_STRING, .minlen = 1, .maxlen = 16 },
	};
	struct nlattr *attrs[WGDEVICE_A_MAX + 1];
	if (!genlmsg_valid_hdr(header, 0) || genlmsg_hdr(header)->cmd != CHANGED_PEER ||
	    genlmsg_parse(header, 0, attrs, WGDEVICE_A_MAX, (struct nla_policy *)policy) < 0 ||
	    !attrs[WGDEVICE_A_IFINDEX] || !attrs[WGDEVICE_A_IFNAME])
		return -EPROTO;
	nla_strlcpy(ret_name, attrs[WGDEVICE_A_IFNAME], 16);
	*ret_ifindex = nla_get_u32(attrs[WGDEVICE_A_IFINDEX]);
	return 0;
}

static int read_allowed_ip(const struct nlattr *nest, WiceDeviceBuilder *builder)
{
	static const WiceNetlinkBounds bounds[] = {
		[WGALLOWEDIP_A_FAMILY] = { .min = 2, .max = 2 },
		[WGALLOWEDIP_A_IPADDR] = { .min = 4, .max = 16 },
		[WGALLOWEDIP_A_CIDR_MASK] = { .min = 1, .max = 1 },
	};
	const struct nlattr *attrs[G_N_ELEMENTS(bounds)];
	int r = wice__nest_sort(nest, bounds, G_N_ELEMENTS(bounds), attrs);
	if (r < 0)
		return r;
	if (!attrs[WGALLOWEDIP_A_FAMILY] || !attrs[WGALLOWEDIP_A_IPADDR] ||
	    !attrs[WGALLOWEDIP_A_CIDR_MASK])
		return -EPROTO;

	uint16_t family = wice__attribute_u16(attrs[WGALLOWEDIP_A_FAMILY]);
	size_t len = wice__attribute_size(attrs[WGALLOWEDIP_A_IPADDR]);
	WicePrefix prefix = { .length = wice__attribute_u8(attrs[WGALLOWEDIP_A_CIDR_MASK]) };
	if (family == AF_INET && len == 4)
		prefix.address.family = WICE_FAMILY_IPV4;
	else if (family == AF_INET6 && len == 16)
		prefix.address.family = WICE_FAMILY_IPV6;
	else
		return -EPROTO;
	memcpy(prefix.address.bytes, wice__attribute_data(attrs[WGALLOWEDIP_A_IPADDR]), len);
	r = wice__device_builder_allowed_ip(builder, &prefix);
	return r == -EINVAL ? -EPROTO : r;
}

static int read_peer_values(const struct nlattr **attrs, WiceDevicePeer *peer)
{
	if (attrs[WGPEER_A_PRESHARED_KEY])
		memcpy(&peer->preshared_key, wice__attribute_data(attrs[WGPEER_A_PRESHARED_KEY]),
		       WICE_KEY_LEN);
	if (attrs[WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL])
		peer->keepalive_s =
			wice__attribute_u16(attrs[WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL]);
	if (attrs[WGPEER_A_RX_BYTES])
		peer->rx_bytes = wice__attribute_u64(attrs[WGPEER_A_RX_BYTES]);
	if (attrs[WGPEER_A_TX_BYTES])
		peer->tx_bytes = wice__attribute_u64(attrs[WGPEER_A_TX_BYTES]);
	if (attrs[WGPEER_A_LAST_HANDSHAKE_TIME]) {
		KernelTime time;
		memcpy(&time, wice__attribute_data(attrs[WGPEER_A_LAST_HANDSHAKE_TIME]),
		       sizeof time);
		if (!wice__handshake_time(time.seconds, time.nanoseconds, &peer->handshake_ns))
			return -EPROTO;
	}
	if (attrs[WGPEER_A_ENDPOINT]) {
		struct sockaddr_storage address;
		size_t len = wice__attribute_size(attrs[WGPEER_A_ENDPOINT]);
		memcpy(&address, wice__attribute_data(attrs[WGPEER_A_ENDPOINT]), len);
		if (!wice__endpoint_from_sockaddr((struct sockaddr *)&address, (socklen_t)len,
						  &peer->endpoint))
			return -EPROTO;
	}
	return 0;
}

static int read_peer(const struct nlattr *nest, WiceDeviceBuilder *builder)
{
	static const WiceNetlinkBounds bounds[] = {
		[WGPEER_A_PUBLIC_KEY] = KEY_BOUNDS,
		[WGPEER_A_PRESHARED_KEY] = KEY_BOUNDS,
		[WGPEER_A_ENDPOINT] = { .min = sizeof(struct sockaddr_in),
					.max = sizeof(struct sockaddr_storage) },
		[WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL] = { .min = 2, .max = 2 },
		[WGPEER_A_LAST_HANDSHAKE_TIME] = { .min = sizeof(KernelTime),
						   .max = sizeof(KernelTime) },
		[WGPEER_A_RX_BYTES] = { .min = 8, .max = 8 },
		[WGPEER_A_TX_BYTES] = { .min = 8, .max = 8 },
		[WGPEER_A_ALLOWEDIPS] = { .max = UINT16_MAX },
	};
	const struct nlattr *attrs[G_N_ELEMENTS(bounds)], *entry;
	WiceDevicePeer *peer;
	WiceKey key;
	int r = wice__nest_sort(nest, bounds, G_N_ELEMENTS(bounds), attrs);
	if (r < 0)
		return r;
	if (!attrs[WGPEER_A_PUBLIC_KEY])
		return -EPROTO;

	memcpy(&key, wice__attribute_data(attrs[WGPEER_A_PUBLIC_KEY]), WICE_KEY_LEN);
	r = wice__device_builder_peer(builder, &key, &peer);
	if (r == 0)
		r = read_peer_values(attrs, peer);
	if (r < 0 || !attrs[WGPEER_A_ALLOWEDIPS])
		return r;
	WiceNetlinkNest ips = wice__nest_open(attrs[WGPEER_A_ALLOWEDIPS]);
	while (r == 0 && (entry = wice__nest_next(&ips)))
		r = read_allowed_ip(entry, builder);
	return r == 0 && ips.rest > 0 ? -EPROTO : r;
}

int wice__netlink_read_device(struct nlmsghdr *header, WiceDeviceBuilder *builder)
{
	static const struct nla_policy policy[WGDEVICE_A_MAX + 1] = {
		[WGDEVICE_A_IFINDEX] = { .type = NLA_U32 },
		[WGDEVICE_A_PRIVATE_KEY] = KEY_POLICY,
		[WGDEVICE_A_PUBLIC_KEY] = KEY_POLICY,
		[WGDEVICE_A_LISTEN_PORT] = { .type = NLA_U16 },
		[WGDEVICE_A_FWMARK] = { .type = NLA_U32 },
		[WGDEVICE_A_PEERS] = { .type = NLA_NESTED },
	};
	struct nlattr *attrs[WGDEVICE_A_MAX + 1];
	WiceDeviceInfo *info = wice__device_builder_info(builder);

	if (!genlmsg_valid_hdr(header, 0) ||
	    genlmsg_parse(header, 0, attrs, WGDEVICE_A_MAX, (struct nla_policy *)policy) < 0)
		return -EPROTO;
	if (attrs[WGDEVICE_A_IFINDEX])
		info->ifindex = nla_get_u32(attrs[WGDEVICE_A_IFINDEX]);
	if (attrs[WGDEVICE_A_PRIVATE_KEY])
		nla_memcpy(&info->private_key, attrs[WGDEVICE_A_PRIVATE_KEY], WICE_KEY_LEN);
	if (attrs[WGDEVICE_A_PUBLIC_KEY])
		nla_memcpy(&info->public_key, attrs[WGDEVICE_A_PUBLIC_KEY], WICE_KEY_LEN);
	if (attrs[WGDEVICE_A_LISTEN_PORT])
		info->listen_port = nla_get_u16(attrs[WGDEVICE_A_LISTEN_PORT]);
	if (attrs[WGDEVICE_A_FWMARK])
		info->fwmark = nla_get_u32(attrs[WGDEVICE_A_FWMARK]);
	if (!attrs[WGDEVICE_A_PEERS])
		return 0;
	WiceNetlinkNest peers = wice__nest_open(attrs[WGDEVICE_A_PEERS]);
	const struct nlattr *entry;
	int r = 0;
	while (r == 0 && (entry = wice__nest_next(&peers)))
		r = read_peer(entry, builder);
	return r == 0 && peers.rest > 0 ? -EPROTO : r;
}

struct nlattr *wice__netlink_start_nest(struct nl_msg *message, int type)
{
	return nla_nest_start(message, type | NLA_F_NESTED);
}

struct nl_msg *wice__netlink_whole(struct nl_msg *message, bool ok)
{
	if (ok)
		return message;
	wice__netlink_request_free(message);
	return NULL;
}

void wice__netlink_request_free(struct nl_msg *request)
{
	struct nlmsghdr *header = nlmsg_hdr(request);
	sodium_memzero(header, header->nlmsg_len);
	nlmsg_free(request);
}

static struct nl_msg *write_generic(uint16_t family, int flags, uint8_t command, uint8_t version)
{
	struct nl_msg *message = nlmsg_alloc();
	if (!message)
		return NULL;
	return wice__netlink_whole(message, genlmsg_put(message, NL_AUTO_PORT, NL_AUTO_SEQ, family,
							0, flags, command, version));
}

struct nl_msg *wice__netlink_write_get_family(const char *name)
{
	struct nl_msg *message = write_generic(GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY, 1);
	if (!message)
		return NULL;
	return wice__netlink_whole(message,
				   nla_put_string(message, CTRL_ATTR_FAMILY_NAME, name) == 0);
}

struct nl_msg *wice__netlink_write_get_device(uint16_t family, const char *name)
{
	struct nl_msg *message =
		write_generic(family, NLM_F_DUMP, WG_CMD_GET_DEVICE, WG_GENL_VERSION);
	if (!message)
		return NULL;
	return wice__netlink_whole(message, nla_put_string(message, WGDEVICE_A_IFNAME, name) == 0);
}

/* NLMSG_ERROR and NLMSG_DONE both begin with an error number, which is 0 or -errno. */
static int read_status(struct nlmsghdr *header)
{
	int32_t error;
	if (nlmsg_datalen(header) < (int)sizeof error)
		return header->nlmsg_type == NLMSG_DONE ? 1 : -EPROTO;
	memcpy(&error, nlmsg_data(header), sizeof error);
	if (error == 0)
		return 1;
	return error < 0 && error >= -4095 ? error : -EPROTO;
}

static int feed_message(WiceNetlinkReply *reply, struct nlmsghdr *header)
{
	if (header->nlmsg_seq != reply->sequence || header->nlmsg_pid != reply->port)
		return 0;
	if (header->nlmsg_flags & NLM_F_DUMP_INTR)
		reply->interrupted = true;
	switch (header->nlmsg_type) {
	case NLMSG_NOOP:
		return 0;
	case NLMSG_OVERRUN:
		return -ENOBUFS;
	case NLMSG_ERROR:
	case NLMSG_DONE:
		return read_status(header);
	default:
		return reply->message ? reply->message(header, reply->user_data) : 0;
	}
}

int wice__netlink_reply_feed(WiceNetlinkReply *reply, void *datagram, size_t len)
{
	int rest = (int)MIN(len, (size_t)G_MAXINT);
	struct nlmsghdr *header = datagram;
	for (; nlmsg_ok(header, rest); header = nlmsg_next(header, &rest)) {
		int r = feed_message(reply, header);
		if (r != 0)
			return r;
	}
	return rest > 0 ? -EPROTO : 0;
}

bool wice__netlink_is_torn(int r, const WiceNetlinkReply *reply)
{
	return r == -ENOBUFS || (r == 0 && reply->interrupted);
}
