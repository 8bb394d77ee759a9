/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/uapi_reply.h"

#define NS_PER_S 1000000000

/* The longest forms of what is written. */
#define DEVICE_MAX \
	(WICE_UAPI_KEY_LINE_MAX + (size_t)2 * WICE_UAPI_NUMBER_LINE_MAX + sizeof "errno=0\n\n")
#define PEER_MAX                                                              \
	((size_t)2 * WICE_UAPI_KEY_LINE_MAX + sizeof "protocol_version=1\n" + \
	 WICE_UAPI_ENDPOINT_LINE_MAX + (size_t)5 * WICE_UAPI_NUMBER_LINE_MAX)

static char *write_device(const WiceDeviceInfo *info, char *at)
{
	if (info->fields & WICE_DEVICE_HAS_PRIVATE_KEY)
		at = WICE_UAPI_KEY(at, "private_key", &info->private_key);
	if (info->fields & WICE_DEVICE_HAS_LISTEN_PORT)
		at = WICE_UAPI_NUMBER(at, "listen_port", info->listen_port);
	if (info->fields & WICE_DEVICE_HAS_FWMARK)
		at = WICE_UAPI_NUMBER(at, "fwmark", info->fwmark);
	return at;
}

static char *write_peer(const WiceDevicePeer *peer, char *at)
{
	at = WICE_UAPI_KEY(at, "public_key", &peer->public_key);
	at = WICE_UAPI_KEY(at, "preshared_key", &peer->preshared_key);
	at = WICE_UAPI_LITERAL(at, "protocol_version=1\n");
	if (peer->fields & WICE_PEER_HAS_ENDPOINT)
		at = WICE_UAPI_ENDPOINT(at, "endpoint", &peer->endpoint);
	uint64_t handshake_ns = (uint64_t)peer->handshake_ns;
	at = WICE_UAPI_NUMBER(at, "last_handshake_time_sec", handshake_ns / NS_PER_S);
	at = WICE_UAPI_NUMBER(at, "last_handshake_time_nsec", handshake_ns % NS_PER_S);
	at = WICE_UAPI_NUMBER(at, "tx_bytes", peer->tx_bytes);
	at = WICE_UAPI_NUMBER(at, "rx_bytes", peer->rx_bytes);
	at = WICE_UAPI_NUMBER(at, "persistent_keepalive_interval", peer->keepalive_s);
	for (size_t i = 0; i < peer->n_allowed_ips; i++) {
		at = WICE_UAPI_LITERAL(at, "allowed_ip=");
		at = wice__uapi_end_line(
			wice__format_prefix(at, &peer->allowed_ips[peer->allowed_ip_order[i]]));
	}
	return at;
}

static size_t room_for(const WiceDeviceInfo *info)
{
	size_t n_allowed_ips = 0;
	for (size_t i = 0; i < info->n_peers; i++)
		n_allowed_ips += info->peers[i].n_allowed_ips;
	return DEVICE_MAX + info->n_peers * PEER_MAX +
	       n_allowed_ips * WICE_UAPI_ALLOWED_IP_LINE_MAX;
}

void wice__uapi_reply_device(const WiceDevice *device, WiceUapiText *ret)
{
	const WiceDeviceInfo *info = wice_device_info(device);
	const uint32_t *order = wice_device_order(device);
	WiceUapiText reply = { .room = room_for(info) };
	reply.data = g_malloc(reply.room);
	char *at = write_device(info, reply.data);
	for (size_t i = 0; i < info->n_peers; i++)
		at = write_peer(&info->peers[order[i]], at);
	at = WICE_UAPI_LITERAL(at, "errno=0\n\n");
	reply.len = (size_t)(at - reply.data);
	*ret = reply;
}

void wice__uapi_reply_errno(int error, WiceUapiText *ret)
{
	char *text = g_strdup_printf("errno=%d\n\n", error);
	size_t len = strlen(text);
	*ret = (WiceUapiText){ .data = text, .len = len, .room = len + 1 };
}
