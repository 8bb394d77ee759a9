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

#define KEY_POLICY                                                             \
	{                                                                      \
		.type = NLA_UNSPEC, .minlen = WG_KEY_LEN, .maxlen = WG_KEY_LEN \
	}

/* struct __kernel_timespec */
typedef struct {
	int64_t seconds, nanoseconds;
} KernelTime;

static int read_nested(struct nlattr **attrs, int max, struct nlattr *nest,
		       const struct nla_policy *policy)
{
	return nla_parse_nested(attrs, max, nest, (struct nla_policy *)policy) < 0 ? -EPROTO : 0;
}

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
static int read_group(struct nlattr *entry, const char *group, uint32_t *ret)
{
	static const struct nla_policy policy[CTRL_ATTR_MCAST_GRP_MAX + 1] = {
		[CTRL_ATTR_MCAST_GRP_NAME] = { .type = NLA_STRING },
		[CTRL_ATTR_MCAST_GRP_ID] = { .type = NLA_U32 },
	};
	struct nlattr *attrs[CTRL_ATTR_MCAST_GRP_MAX + 1];
	int r = read_nested(attrs, CTRL_ATTR_MCAST_GRP_MAX, entry, policy);
	if (r < 0)
		return r;
	if (!attrs[CTRL_ATTR_MCAST_GRP_NAME] || !attrs[CTRL_ATTR_MCAST_GRP_ID])
		return -EPROTO;
	bool same = nla_strcmp(attrs[CTRL_ATTR_MCAST_GRP_NAME], group) == 0;
	*ret = same ? nla_get_u32(attrs[CTRL_ATTR_MCAST_GRP_ID]) : 0;
	return 0;
}

int wice__netlink_read_group(struct nlmsghdr *header, const char *group, uint32_t *ret)
{
	static const struct nla_policy policy[CTRL_ATTR_MAX + 1] = {
		[CTRL_ATTR_MCAST_GROUPS] = { .type = NLA_NESTED },
	};
	struct nlattr *attrs[CTRL_ATTR_MAX + 1], *entry;
	uint32_t found = 0;
	if (!genlmsg_valid_hdr(header, 0) ||
	    genlmsg_parse(header, 0, attrs, CTRL_ATTR_MAX, (struct nla_policy *)policy) < 0)
		return -EPROTO;
	if (attrs[CTRL_ATTR_MCAST_GROUPS]) {
		int rest;
		nla_for_each_nested(entry, attrs[CTRL_ATTR_MCAST_GROUPS], rest)
		{
			int r = found ? 0 : read_group(entry, group, &found);
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

static int read_allowed_ip(struct nlattr *nest, WiceDeviceBuilder *builder)
{
	static const struct nla_policy policy[WGALLOWEDIP_A_MAX + 1] = {
		[WGALLOWEDIP_A_FAMILY] = { .type = NLA_U16 },
		[WGALLOWEDIP_A_IPADDR] = { .type = NLA_UNSPEC, .minlen = 4, .maxlen = 16 },
		[WGALLOWEDIP_A_CIDR_MASK] = { .type = NLA_U8 },
	};
	struct nlattr *attrs[WGALLOWEDIP_A_MAX + 1];
	int r = read_nested(attrs, WGALLOWEDIP_A_MAX, nest, policy);
	if (r < 0)
		return r;
	if (!attrs[WGALLOWEDIP_A_FAMILY] || !attrs[WGALLOWEDIP_A_IPADDR] ||
	    !attrs[WGALLOWEDIP_A_CIDR_MASK])
		return -EPROTO;

	uint16_t family = nla_get_u16(attrs[WGALLOWEDIP_A_FAMILY]);
	int len = nla_len(attrs[WGALLOWEDIP_A_IPADDR]);
	WicePrefix prefix = { .length = nla_get_u8(attrs[WGALLOWEDIP_A_CIDR_MASK]) };
	if (family == AF_INET && len == 4)
		prefix.address.family = WICE_FAMILY_IPV4;
	else if (family == AF_INET6 && len == 16)
		prefix.address.family = WICE_FAMILY_IPV6;
	else
		return -EPROTO;
	memcpy(prefix.address.bytes, nla_data(attrs[WGALLOWEDIP_A_IPADDR]), (size_t)len);
	r = wice__device_builder_allowed_ip(builder, &prefix);
	return r == -EINVAL ? -EPROTO : r;
}

static int read_peer_values(struct nlattr **attrs, WiceDevicePeer *peer)
{
	if (attrs[WGPEER_A_PRESHARED_KEY])
		nla_memcpy(&peer->preshared_key, attrs[WGPEER_A_PRESHARED_KEY], WICE_KEY_LEN);
	if (attrs[WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL])
		peer->keepalive_s = nla_get_u16(attrs[WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL]);
	if (attrs[WGPEER_A_RX_BYTES])
		peer->rx_bytes = nla_get_u64(attrs[WGPEER_A_RX_BYTES]);
	if (attrs[WGPEER_A_TX_BYTES])
		peer->tx_bytes = nla_get_u64(attrs[WGPEER_A_TX_BYTES]);
	if (attrs[WGPEER_A_LAST_HANDSHAKE_TIME]) {
		KernelTime time;
		nla_memcpy(&time, attrs[WGPEER_A_LAST_HANDSHAKE_TIME], sizeof time);
		if (!wice__handshake_time(time.seconds, time.nanoseconds, &peer->handshake_ns))
			return -EPROTO;
	}
	if (attrs[WGPEER_A_ENDPOINT]) {
		struct sockaddr_storage address = { 0 };
		int len = nla_memcpy(&address, attrs[WGPEER_A_ENDPOINT], sizeof address);
		if (!wice__endpoint_from_sockaddr((struct sockaddr *)&address, (socklen_t)len,
						  &peer->endpoint))
			return -EPROTO;
	}
	return 0;
}

static int read_peer(struct nlattr *nest, WiceDeviceBuilder *builder)
{
	static const struct nla_policy policy[WGPEER_A_MAX + 1] = {
		[WGPEER_A_PUBLIC_KEY] = KEY_POLICY,
		[WGPEER_A_PRESHARED_KEY] = KEY_POLICY,
		[WGPEER_A_ENDPOINT] = { .type = NLA_UNSPEC, .minlen = sizeof(struct sockaddr_in) },
		[WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL] = { .type = NLA_U16 },
		[WGPEER_A_LAST_HANDSHAKE_TIME] = { .type = NLA_UNSPEC,
						   .minlen = sizeof(KernelTime),
						   .maxlen = sizeof(KernelTime) },
		[WGPEER_A_RX_BYTES] = { .type = NLA_U64 },
		[WGPEER_A_TX_BYTES] = { .type = NLA_U64 },
		[WGPEER_A_ALLOWEDIPS] = { .type = NLA_NESTED },
	};
	struct nlattr *attrs[WGPEER_A_MAX + 1], *entry;
	WiceDevicePeer *peer;
	WiceKey key;
	int rest, r = read_nested(attrs, WGPEER_A_MAX, nest, policy);
	if (r < 0)
		return r;
	if (!attrs[WGPEER_A_PUBLIC_KEY])
		return -EPROTO;

	nla_memcpy(&key, attrs[WGPEER_A_PUBLIC_KEY], WICE_KEY_LEN);
	r = wice__device_builder_peer(builder, &key, &peer);
	if (r == 0)
		r = read_peer_values(attrs, peer);
	if (r < 0 || !attrs[WGPEER_A_ALLOWEDIPS])
		return r;
	nla_for_each_nested(entry, attrs[WGPEER_A_ALLOWEDIPS], rest)
	{
		r = read_allowed_ip(entry, builder);
		if (r < 0)
			return r;
	}
	return 0;
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
	struct nlattr *attrs[WGDEVICE_A_MAX + 1], *entry;
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
	int rest;
	nla_for_each_nested(entry, attrs[WGDEVICE_A_PEERS], rest)
	{
		int r = read_peer(entry, builder);
		if (r < 0)
			return r;
	}
	return 0;
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
