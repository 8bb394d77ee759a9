/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The netlink messages of WireGuard and of links (include/uapi/linux/wireguard.h, if_link.h),
 * between bytes and the model. No sockets here.
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
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/wireguard.h>
#include <netlink/attr.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <sodium.h>
#include <string.h>

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

int wice__netlink_read_link(struct nlmsghdr *header, WiceNetlinkLink *ret)
{
	static const struct nla_policy policy[IFLA_MAX + 1] = {
		[IFLA_IFNAME] = { .type = NLA_STRING, .maxlen = sizeof ret->name },
		[IFLA_LINKINFO] = { .type = NLA_NESTED },
	};
	static const struct nla_policy info_policy[IFLA_INFO_MAX + 1] = {
		[IFLA_INFO_KIND] = { .type = NLA_STRING },
	};
	struct nlattr *attrs[IFLA_MAX + 1], *info[IFLA_INFO_MAX + 1];
	WiceNetlinkLink link = { 0 };

	if (!nlmsg_valid_hdr(header, sizeof(struct ifinfomsg)) ||
	    nlmsg_parse(header, sizeof(struct ifinfomsg), attrs, IFLA_MAX,
			(struct nla_policy *)policy) < 0 ||
	    !attrs[IFLA_IFNAME])
		return -EPROTO;
	const struct ifinfomsg *body = nlmsg_data(header);
	link.ifindex = (unsigned)body->ifi_index;
	nla_strlcpy(link.name, attrs[IFLA_IFNAME], sizeof link.name);
	if (attrs[IFLA_LINKINFO]) {
		int r = read_nested(info, IFLA_INFO_MAX, attrs[IFLA_LINKINFO], info_policy);
		if (r < 0)
			return r;
		if (info[IFLA_INFO_KIND])
			nla_strlcpy(link.kind, info[IFLA_INFO_KIND], sizeof link.kind);
	}
	*ret = link;
	return 0;
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

/* Since 5.2 the kernel wants the flag on every nest; not every libnl sets it by itself. */
static struct nlattr *start_nest(struct nl_msg *message, int type)
{
	return nla_nest_start(message, type | NLA_F_NESTED);
}

/* Either the message is whole or there is none. */
static struct nl_msg *check(struct nl_msg *message, bool failed)
{
	if (!failed)
		return message;
	nlmsg_free(message);
	return NULL;
}

static struct nl_msg *write_link_request(int flags)
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC };
	struct nl_msg *message = nlmsg_alloc_simple(RTM_GETLINK, flags);
	if (!message)
		return NULL;
	return check(message,
		     nlmsg_append(message, &body, sizeof body, NLMSG_ALIGNTO) < 0 ||
			     nla_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS) < 0);
}

/*
 * The kernel filters by the kind if it knows it (since 4.6), so whoever reads must filter as well.
 */
struct nl_msg *wice__netlink_write_list_links(const char *kind)
{
	struct nl_msg *message = write_link_request(NLM_F_DUMP);
	if (!message)
		return NULL;
	struct nlattr *info = start_nest(message, IFLA_LINKINFO);
	return check(message, !info || nla_put_string(message, IFLA_INFO_KIND, kind) < 0 ||
				      nla_nest_end(message, info) < 0);
}

struct nl_msg *wice__netlink_write_get_link(const char *name)
{
	struct nl_msg *message = write_link_request(0);
	if (!message)
		return NULL;
	return check(message, nla_put_string(message, IFLA_IFNAME, name) < 0);
}

static struct nl_msg *write_generic(uint16_t family, int flags, uint8_t command, uint8_t version)
{
	struct nl_msg *message = nlmsg_alloc();
	if (!message)
		return NULL;
	return check(message, !genlmsg_put(message, NL_AUTO_PORT, NL_AUTO_SEQ, family, 0, flags,
					   command, version));
}

struct nl_msg *wice__netlink_write_get_family(const char *name)
{
	struct nl_msg *message = write_generic(GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY, 1);
	if (!message)
		return NULL;
	return check(message, nla_put_string(message, CTRL_ATTR_FAMILY_NAME, name) < 0);
}

struct nl_msg *wice__netlink_write_get_device(uint16_t family, const char *name)
{
	struct nl_msg *message =
		write_generic(family, NLM_F_DUMP, WG_CMD_GET_DEVICE, WG_GENL_VERSION);
	if (!message)
		return NULL;
	return check(message, nla_put_string(message, WGDEVICE_A_IFNAME, name) < 0);
}

static bool put_peer(struct nl_msg *message, const WicePeerUpdate *update)
{
	if (nla_put(message, WGPEER_A_PUBLIC_KEY, WICE_KEY_LEN, &update->public_key) < 0 ||
	    nla_put_u32(message, WGPEER_A_FLAGS, WGPEER_F_UPDATE_ONLY) < 0)
		return false;
	if (update->set_endpoint) {
		struct sockaddr_storage address;
		int len = (int)wice__endpoint_to_sockaddr(&update->endpoint, &address);
		if (nla_put(message, WGPEER_A_ENDPOINT, len, &address) < 0)
			return false;
	}
	return !update->set_keepalive ||
	       nla_put_u16(message, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, update->keepalive_s) ==
		       0;
}

struct nl_msg *wice__netlink_write_update(uint16_t family, const char *name,
					  const WicePeerUpdate *update)
{
	struct nl_msg *message =
		write_generic(family, NLM_F_ACK, WG_CMD_SET_DEVICE, WG_GENL_VERSION);
	if (!message)
		return NULL;
	struct nlattr *peers = NULL, *peer = NULL;
	bool ok = nla_put_string(message, WGDEVICE_A_IFNAME, name) == 0 &&
		  (peers = start_nest(message, WGDEVICE_A_PEERS)) != NULL &&
		  (peer = start_nest(message, 0)) != NULL && put_peer(message, update) &&
		  nla_nest_end(message, peer) == 0 && nla_nest_end(message, peers) == 0;
	return check(message, !ok);
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
