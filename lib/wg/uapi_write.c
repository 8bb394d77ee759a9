/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests of the text protocol (see uapi_parse.c for its replies). What a change can need at most
 * is known before the first byte is written, so there is one allocation and no check of room behind
 * it, and no copy of a key is left behind by growing.
 */
#include "wg/uapi_write.h"

#include "base/format.h"
#include "crypto/hex.h"

#include <sodium.h>
#include <string.h>

/* The longest forms of what is written, with newlines. */
#define KEY_LINE_MAX (sizeof "preshared_key=\n" + WICE_KEY_HEX_LEN)
#define NUMBER_LINE_MAX (sizeof "persistent_keepalive_interval=4294967295\n")
#define DEVICE_MAX                                                                             \
	(sizeof "set=1\nreplace_peers=true\n\n" + KEY_LINE_MAX + (size_t)2 * NUMBER_LINE_MAX + \
	 WICE_DECIMAL_MAX)
#define PEER_MAX                                                                                 \
	(sizeof "update_only=true\nreplace_allowed_ips=true\nendpoint=\n" + WICE_ENDPOINT_SIZE + \
	 (size_t)2 * KEY_LINE_MAX + NUMBER_LINE_MAX)
#define ALLOWED_IP_MAX (sizeof "allowed_ip=-\n" + WICE_PREFIX_SIZE)

/* All of these write to at and return what is behind that. */

#define LITERAL(at, text) ((char *)memcpy(at, text, sizeof text - 1) + sizeof text - 1)

static char *end_line(char *at)
{
	*at++ = '\n';
	return at;
}

static char *write_key(const WiceKey *key, char *at)
{
	wice__key_to_hex(key, at);
	return end_line(at + WICE_KEY_HEX_LEN);
}

static char *write_number(uint32_t number, char *at)
{
	return end_line(wice__format_decimal(at, number));
}

static char *write_device(const WiceDeviceChange *change, char *at)
{
	if (change->fields & WICE_DEVICE_HAS_PRIVATE_KEY)
		at = write_key(&change->private_key, LITERAL(at, "private_key="));
	if (change->fields & WICE_DEVICE_HAS_LISTEN_PORT)
		at = write_number(change->listen_port, LITERAL(at, "listen_port="));
	if (change->fields & WICE_DEVICE_HAS_FWMARK)
		at = write_number(change->fwmark, LITERAL(at, "fwmark="));
	if (change->flags & WICE_DEVICE_CHANGE_REPLACE_PEERS)
		at = LITERAL(at, "replace_peers=true\n");
	return at;
}

static char *write_allowed_ips(const WicePeerChange *peer, char *at)
{
	for (size_t i = 0; i < peer->n_allowed_ips; i++) {
		at = LITERAL(at, "allowed_ip=");
		if (peer->allowed_ips[i].remove)
			*at++ = '-';
		at = end_line(wice__format_prefix(at, &peer->allowed_ips[i].prefix));
	}
	return at;
}

/* What makes or removes a peer follows its key at once: lines in between would be for nothing. */
static char *write_peer(const WicePeerChange *peer, char *at)
{
	at = write_key(&peer->public_key, LITERAL(at, "public_key="));
	if (peer->flags & WICE_PEER_CHANGE_REMOVE)
		return LITERAL(at, "remove=true\n");
	if (peer->flags & WICE_PEER_CHANGE_UPDATE_ONLY)
		at = LITERAL(at, "update_only=true\n");
	if (peer->flags & WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS)
		at = LITERAL(at, "replace_allowed_ips=true\n");
	if (peer->fields & WICE_PEER_HAS_PRESHARED_KEY)
		at = write_key(&peer->preshared_key, LITERAL(at, "preshared_key="));
	if (peer->fields & WICE_PEER_HAS_ENDPOINT)
		at = end_line(wice__format_endpoint(LITERAL(at, "endpoint="), &peer->endpoint));
	if (peer->fields & WICE_PEER_HAS_KEEPALIVE)
		at = write_number(peer->keepalive_s, LITERAL(at, "persistent_keepalive_interval="));
	return write_allowed_ips(peer, at);
}

static size_t room_for(const WiceDeviceChange *change)
{
	size_t n_allowed_ips = 0;
	for (size_t i = 0; i < change->n_peers; i++)
		n_allowed_ips += change->peers[i].n_allowed_ips;
	return DEVICE_MAX + change->n_peers * PEER_MAX + n_allowed_ips * ALLOWED_IP_MAX;
}

void wice__uapi_write_set(const WiceDeviceChange *change, WiceUapiRequest *ret)
{
	WiceUapiRequest request = { .room = room_for(change) };
	request.data = g_malloc(request.room);
	char *at = write_device(change, LITERAL(request.data, "set=1\n"));
	for (size_t i = 0; i < change->n_peers; i++)
		at = write_peer(&change->peers[i], at);
	at = end_line(at);
	request.len = (size_t)(at - request.data);
	*ret = request;
}

void wice__uapi_request_done(WiceUapiRequest *request)
{
	if (request->data)
		sodium_memzero(request->data, request->len);
	g_free(request->data);
	*request = (WiceUapiRequest){ 0 };
}
