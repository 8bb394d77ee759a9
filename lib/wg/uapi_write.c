/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of the text protocol (see uapi_parse.c for its replies). */
#include "wg/uapi_write.h"

/* The longest forms of what is written. */
#define DEVICE_MAX                                                         \
	(sizeof "set=1\nreplace_peers=true\n\n" + WICE_UAPI_KEY_LINE_MAX + \
	 (size_t)2 * WICE_UAPI_NUMBER_LINE_MAX)
#define PEER_MAX                                                            \
	(sizeof "update_only=true\nreplace_allowed_ips=true\n" +            \
	 (size_t)2 * WICE_UAPI_KEY_LINE_MAX + WICE_UAPI_ENDPOINT_LINE_MAX + \
	 WICE_UAPI_NUMBER_LINE_MAX)

static char *write_device(const WiceDeviceChange *change, char *at)
{
	if (change->fields & WICE_DEVICE_HAS_PRIVATE_KEY)
		at = WICE_UAPI_KEY(at, "private_key", &change->private_key);
	if (change->fields & WICE_DEVICE_HAS_LISTEN_PORT)
		at = WICE_UAPI_NUMBER(at, "listen_port", change->listen_port);
	if (change->fields & WICE_DEVICE_HAS_FWMARK)
		at = WICE_UAPI_NUMBER(at, "fwmark", change->fwmark);
	if (change->flags & WICE_DEVICE_CHANGE_REPLACE_PEERS)
		at = WICE_UAPI_LITERAL(at, "replace_peers=true\n");
	return at;
}

static char *write_allowed_ips(const WicePeerChange *peer, char *at)
{
	for (size_t i = 0; i < peer->n_allowed_ips; i++) {
		at = WICE_UAPI_LITERAL(at, "allowed_ip=");
		if (peer->allowed_ips[i].remove)
			*at++ = '-';
		at = wice__uapi_end_line(wice__format_prefix(at, &peer->allowed_ips[i].prefix));
	}
	return at;
}

/* What makes or removes a peer follows its key at once: lines in between would be for nothing. */
static char *write_peer(const WicePeerChange *peer, char *at)
{
	at = WICE_UAPI_KEY(at, "public_key", &peer->public_key);
	if (peer->flags & WICE_PEER_CHANGE_REMOVE)
		return WICE_UAPI_LITERAL(at, "remove=true\n");
	if (peer->flags & WICE_PEER_CHANGE_UPDATE_ONLY)
		at = WICE_UAPI_LITERAL(at, "update_only=true\n");
	if (peer->flags & WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS)
		at = WICE_UAPI_LITERAL(at, "replace_allowed_ips=true\n");
	if (peer->fields & WICE_PEER_HAS_PRESHARED_KEY)
		at = WICE_UAPI_KEY(at, "preshared_key", &peer->preshared_key);
	if (peer->fields & WICE_PEER_HAS_ENDPOINT)
		at = WICE_UAPI_ENDPOINT(at, "endpoint", &peer->endpoint);
	if (peer->fields & WICE_PEER_HAS_KEEPALIVE)
		at = WICE_UAPI_NUMBER(at, "persistent_keepalive_interval", peer->keepalive_s);
	return write_allowed_ips(peer, at);
}

static size_t room_for(const WiceDeviceChange *change)
{
	size_t n_allowed_ips = 0;
	for (size_t i = 0; i < change->n_peers; i++)
		n_allowed_ips += change->peers[i].n_allowed_ips;
	return DEVICE_MAX + change->n_peers * PEER_MAX +
	       n_allowed_ips * WICE_UAPI_ALLOWED_IP_LINE_MAX;
}

void wice__uapi_write_set(const WiceDeviceChange *change, WiceUapiText *ret)
{
	WiceUapiText request = { .room = room_for(change) };
	request.data = g_malloc(request.room);
	char *at = write_device(change, WICE_UAPI_LITERAL(request.data, "set=1\n"));
	for (size_t i = 0; i < change->n_peers; i++)
		at = write_peer(&change->peers[i], at);
	at = wice__uapi_end_line(at);
	request.len = (size_t)(at - request.data);
	*ret = request;
}
