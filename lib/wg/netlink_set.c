/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A change of a device as SET requests. One after the other is filled as far as it goes:
 *
 *	1  device, flags, mark, port, private key, peer A, peer B with allowed IPs 1..900
 *	2  device, peer B (key, UPDATE_ONLY) with allowed IPs 901..1200, peer C, ...
 *
 * What replaces something (REPLACE_PEERS, REPLACE_ALLOWEDIPS) is said once, or it would take away
 * what the messages before have brought. Nothing is measured before it is written: a peer or an
 * allowed IP begins only where the largest one would fit.
 */
#include "event/sockaddr.h"
#include "wg/netlink.h"

#include <errno.h>
#include <linux/wireguard.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>

/* Below the limit of nests, whose lengths have 16 bits, and that of a socket's send buffer. */
#define MESSAGE_MAX ((size_t)60 * 1024)

#define ATTRIBUTE_ROOM(size) ((size_t)(NLA_HDRLEN + NLA_ALIGN(size)))
/* The largest peer, with the headers of its nest and of the list of its allowed IPs. */
#define PEER_ROOM                                                                                \
	(ATTRIBUTE_ROOM(0) + 2 * ATTRIBUTE_ROOM(WG_KEY_LEN) + ATTRIBUTE_ROOM(sizeof(uint32_t)) + \
	 ATTRIBUTE_ROOM(sizeof(struct sockaddr_in6)) + ATTRIBUTE_ROOM(sizeof(uint16_t)) +        \
	 ATTRIBUTE_ROOM(0))
#define ALLOWED_IP_ROOM                                                              \
	(ATTRIBUTE_ROOM(0) + ATTRIBUTE_ROOM(sizeof(uint16_t)) +                      \
	 ATTRIBUTE_ROOM(sizeof(struct in6_addr)) + ATTRIBUTE_ROOM(sizeof(uint8_t)) + \
	 ATTRIBUTE_ROOM(sizeof(uint32_t)))

/* Since Linux 6.16: WGALLOWEDIP_A_FLAGS, WGALLOWEDIP_F_REMOVE_ME. */
#define ALLOWED_IP_FLAGS 4
#define ALLOWED_IP_REMOVE UINT32_C(1)

static bool has_room(struct nl_msg *message, size_t size)
{
	return nlmsg_hdr(message)->nlmsg_len + size <= MESSAGE_MAX;
}

static bool put_interface(struct nl_msg *message, const WiceDeviceChange *change)
{
	if ((change->flags & WICE_DEVICE_CHANGE_REPLACE_PEERS) &&
	    nla_put_u32(message, WGDEVICE_A_FLAGS, WGDEVICE_F_REPLACE_PEERS) < 0)
		return false;
	if ((change->fields & WICE_DEVICE_HAS_FWMARK) &&
	    nla_put_u32(message, WGDEVICE_A_FWMARK, change->fwmark) < 0)
		return false;
	if ((change->fields & WICE_DEVICE_HAS_LISTEN_PORT) &&
	    nla_put_u16(message, WGDEVICE_A_LISTEN_PORT, change->listen_port) < 0)
		return false;
	return !(change->fields & WICE_DEVICE_HAS_PRIVATE_KEY) ||
	       nla_put(message, WGDEVICE_A_PRIVATE_KEY, WG_KEY_LEN, &change->private_key) == 0;
}

static bool put_allowed_ip(struct nl_msg *message, const WiceAllowedIpChange *change)
{
	const WiceAddress *address = &change->prefix.address;
	bool v4 = address->family == WICE_FAMILY_IPV4;
	struct nlattr *nest = wice__netlink_start_nest(message, 0);
	return nest && nla_put_u16(message, WGALLOWEDIP_A_FAMILY, v4 ? AF_INET : AF_INET6) == 0 &&
	       nla_put(message, WGALLOWEDIP_A_IPADDR, v4 ? 4 : 16, address->bytes) == 0 &&
	       nla_put_u8(message, WGALLOWEDIP_A_CIDR_MASK, change->prefix.length) == 0 &&
	       (!change->remove ||
		nla_put_u32(message, ALLOWED_IP_FLAGS, ALLOWED_IP_REMOVE) == 0) &&
	       nla_nest_end(message, nest) == 0;
}

static bool put_allowed_ips(WiceNetlinkSet *set, struct nl_msg *message, const WicePeerChange *peer)
{
	if (set->allowed_ip == peer->n_allowed_ips)
		return true;
	struct nlattr *nest = wice__netlink_start_nest(message, WGPEER_A_ALLOWEDIPS);
	if (!nest)
		return false;
	while (set->allowed_ip < peer->n_allowed_ips && has_room(message, ALLOWED_IP_ROOM)) {
		const WiceAllowedIpChange *change = &peer->allowed_ips[set->allowed_ip++];
		if (!put_allowed_ip(message, change))
			return false;
		set->removes |= change->remove;
	}
	return nla_nest_end(message, nest) == 0;
}

static uint32_t peer_flags(const WicePeerChange *peer)
{
	if (peer->flags & WICE_PEER_CHANGE_REMOVE)
		return WGPEER_F_REMOVE_ME;
	return (peer->flags & WICE_PEER_CHANGE_UPDATE_ONLY ? WGPEER_F_UPDATE_ONLY : 0u) |
	       (peer->flags & WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS ? WGPEER_F_REPLACE_ALLOWEDIPS
								   : 0u);
}

static bool put_key(struct nl_msg *message, const WicePeerChange *peer, uint32_t flags)
{
	return nla_put(message, WGPEER_A_PUBLIC_KEY, WG_KEY_LEN, &peer->public_key) == 0 &&
	       (flags == 0 || nla_put_u32(message, WGPEER_A_FLAGS, flags) == 0);
}

static bool put_values(struct nl_msg *message, const WicePeerChange *peer)
{
	if ((peer->fields & WICE_PEER_HAS_PRESHARED_KEY) &&
	    nla_put(message, WGPEER_A_PRESHARED_KEY, WG_KEY_LEN, &peer->preshared_key) < 0)
		return false;
	if (peer->fields & WICE_PEER_HAS_ENDPOINT) {
		struct sockaddr_storage address;
		int len = (int)wice__endpoint_to_sockaddr(&peer->endpoint, &address);
		if (nla_put(message, WGPEER_A_ENDPOINT, len, &address) < 0)
			return false;
	}
	return !(peer->fields & WICE_PEER_HAS_KEEPALIVE) ||
	       nla_put_u16(message, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, peer->keepalive_s) == 0;
}

/* The next peer, or what is missing of it. There is room for its values and one allowed IP. */
static bool put_peer(WiceNetlinkSet *set, struct nl_msg *message)
{
	const WicePeerChange *peer = &set->change->peers[set->peer];
	bool removed = peer->flags & WICE_PEER_CHANGE_REMOVE;
	bool begins = set->allowed_ip == 0;
	struct nlattr *nest = wice__netlink_start_nest(message, 0);
	if (!nest || !put_key(message, peer, begins ? peer_flags(peer) : WGPEER_F_UPDATE_ONLY))
		return false;
	if (!removed &&
	    ((begins && !put_values(message, peer)) || !put_allowed_ips(set, message, peer)))
		return false;
	if (removed || set->allowed_ip == peer->n_allowed_ips) {
		set->peer++;
		set->allowed_ip = 0;
	}
	return nla_nest_end(message, nest) == 0;
}

static bool put_peers(WiceNetlinkSet *set, struct nl_msg *message)
{
	if (set->peer == set->change->n_peers)
		return true;
	struct nlattr *nest = wice__netlink_start_nest(message, WGDEVICE_A_PEERS);
	if (!nest)
		return false;
	while (set->peer < set->change->n_peers && has_room(message, PEER_ROOM + ALLOWED_IP_ROOM)) {
		if (!put_peer(set, message))
			return false;
	}
	return nla_nest_end(message, nest) == 0;
}

bool wice__netlink_set_done(const WiceNetlinkSet *set)
{
	return set->begun && set->peer == set->change->n_peers;
}

struct nl_msg *wice__netlink_write_set(uint16_t family, unsigned ifindex, WiceNetlinkSet *set)
{
	struct nl_msg *message = nlmsg_alloc_size(MESSAGE_MAX);
	if (!message)
		return NULL;
	set->removes = false;
	bool ok = genlmsg_put(message, NL_AUTO_PORT, NL_AUTO_SEQ, family, 0, NLM_F_ACK,
			      WG_CMD_SET_DEVICE, WG_GENL_VERSION) &&
		  nla_put_u32(message, WGDEVICE_A_IFINDEX, ifindex) == 0 &&
		  (set->begun || put_interface(message, set->change)) && put_peers(set, message);
	set->begun = true;
	return wice__netlink_whole(message, ok);
}
