/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text protocol of userspace WireGuard (https://www.wireguard.com/xplatform/), client side.
 *
 * A request is "get=1" or "set=1", lines of key=value, an empty line. A reply to get is lines of
 * the interface, then of each peer beginning with its public_key, then errno, then an empty line:
 *
 *	private_key=e84b5a...
 *	listen_port=12912
 *	public_key=b85996...
 *	endpoint=[abcd:23::33%2]:51820
 *	allowed_ip=192.168.4.4/32
 *	errno=0
 *
 * Unknown keys are skipped, because every implementation adds some. A known key with a value that
 * is not its own is an error. Lines are read where they were received; nothing is copied but
 * values. The dialects:
 *
 * boringtun   says own_public_key instead of private_key, positive errnos, nothing for what is off,
 *             and last_handshake_time_* as the age of the handshake. The time that is worked out
 *             from it moves by the delay of each reply. It has no update_only: a set that begins
 *             with it fails with EINVAL before anything was changed, which is as well, because
 *             changing an existing peer would make it panic.
 * gotatun     adds daita_* keys, and leaves preshared_key empty if there is none.
 * wireguard-go  leaves the zone of a link-local endpoint out; newer ones name it ("%eth0")
 *             instead of numbering it.
 * amneziawg   adds jc, jmin, s1, h1 and the like.
 */
#include "wg/uapi_parse.h"

#include "base/parse.h"
#include "wg/uapi_text.h"

#include <errno.h>
#include <string.h>

#define ERRNO_MAX 4095 /* as the kernel's MAX_ERRNO */

static bool parse_secret(WiceUapiSlice value, WiceKey *ret)
{
	if (value.len == 0) {
		*ret = (WiceKey){ { 0 } };
		return true;
	}
	return wice__uapi_read_key(value, ret);
}

static bool read_private_key(WiceUapiReply *reply, WiceUapiSlice value)
{
	WiceDeviceInfo *info = wice__device_builder_info(reply->builder);
	if (!parse_secret(value, &info->private_key))
		return false;
	if (!wice_key_is_zero(&info->private_key))
		wice_key_public(&info->private_key, &info->public_key);
	return true;
}

static bool read_own_public_key(WiceUapiReply *reply, WiceUapiSlice value)
{
	reply->ages = true;
	return wice__uapi_read_key(value, &wice__device_builder_info(reply->builder)->public_key);
}

static bool read_listen_port(WiceUapiReply *reply, WiceUapiSlice value)
{
	uint64_t port;
	if (!wice__uapi_read_number(value, UINT16_MAX, &port))
		return false;
	wice__device_builder_info(reply->builder)->listen_port = (uint16_t)port;
	return true;
}

static bool read_fwmark(WiceUapiReply *reply, WiceUapiSlice value)
{
	uint64_t mark;
	if (!wice__uapi_read_number(value, UINT32_MAX, &mark))
		return false;
	wice__device_builder_info(reply->builder)->fwmark = (uint32_t)mark;
	return true;
}

static bool read_preshared_key(WiceUapiReply *reply, WiceUapiSlice value)
{
	return parse_secret(value, &reply->peer->preshared_key);
}

static bool read_endpoint(WiceUapiReply *reply, WiceUapiSlice value)
{
	return wice__uapi_read_endpoint(value, reply->world->scope, &reply->peer->endpoint);
}

static bool read_keepalive(WiceUapiReply *reply, WiceUapiSlice value)
{
	uint64_t seconds;
	if (!wice__uapi_read_number(value, UINT16_MAX, &seconds))
		return false;
	reply->peer->keepalive_s = (uint16_t)seconds;
	return true;
}

/* Both halves come in either order, so each works the sum out anew. */
static bool set_handshake(WiceUapiReply *reply)
{
	int64_t time;
	if (!wice__handshake_time(reply->handshake_s, reply->handshake_ns, &time))
		return false;
	if (reply->ages)
		time = time < reply->world->now_ns ? reply->world->now_ns - time : 1;
	reply->peer->handshake_ns = time;
	return true;
}

static bool read_handshake_s(WiceUapiReply *reply, WiceUapiSlice value)
{
	uint64_t seconds;
	if (!wice__uapi_read_number(value, INT64_MAX, &seconds))
		return false;
	reply->handshake_s = (int64_t)seconds;
	return set_handshake(reply);
}

static bool read_handshake_ns(WiceUapiReply *reply, WiceUapiSlice value)
{
	uint64_t nanoseconds;
	if (!wice__uapi_read_number(value, INT64_MAX, &nanoseconds))
		return false;
	reply->handshake_ns = (int64_t)nanoseconds;
	return set_handshake(reply);
}

static bool read_rx_bytes(WiceUapiReply *reply, WiceUapiSlice value)
{
	return wice__uapi_read_number(value, UINT64_MAX, &reply->peer->rx_bytes);
}

static bool read_tx_bytes(WiceUapiReply *reply, WiceUapiSlice value)
{
	return wice__uapi_read_number(value, UINT64_MAX, &reply->peer->tx_bytes);
}

typedef struct {
	const char *key; /* with its "=" */
	size_t len;
	bool (*read)(WiceUapiReply *reply, WiceUapiSlice value);
} Field;

#define FIELD(name, function)                   \
	{                                       \
		name "=", sizeof name, function \
	}

static const Field device_fields[] = {
	FIELD("private_key", read_private_key),
	FIELD("own_public_key", read_own_public_key),
	FIELD("listen_port", read_listen_port),
	FIELD("fwmark", read_fwmark),
};

/* The most frequent ones first. */
static const Field peer_fields[] = {
	FIELD("preshared_key", read_preshared_key),
	FIELD("endpoint", read_endpoint),
	FIELD("last_handshake_time_sec", read_handshake_s),
	FIELD("last_handshake_time_nsec", read_handshake_ns),
	FIELD("tx_bytes", read_tx_bytes),
	FIELD("rx_bytes", read_rx_bytes),
	FIELD("persistent_keepalive_interval", read_keepalive),
};

static int read_public_key(WiceUapiReply *reply, WiceUapiSlice value)
{
	WiceKey key;
	if (!wice__uapi_read_key(value, &key))
		return -EPROTO;
	reply->handshake_s = 0;
	reply->handshake_ns = 0;
	return wice__device_builder_peer(reply->builder, &key, &reply->peer);
}

static int read_allowed_ip(WiceUapiReply *reply, WiceUapiSlice value)
{
	WicePrefix prefix;
	if (!reply->peer ||
	    !wice__parse_network(value.at, value.len, &prefix.address, &prefix.length))
		return -EPROTO;
	return wice__device_builder_allowed_ip(reply->builder, &prefix);
}

/* Implementations disagree about the sign, and Go's may be any 64-bit number. */
static int read_errno(WiceUapiReply *reply, WiceUapiSlice value)
{
	uint64_t error;
	bool negative = value.len && *value.at == '-';
	if (!wice__uapi_read_number((WiceUapiSlice){ value.at + negative, value.len - negative },
				    INT64_MAX, &error))
		return -EPROTO;
	reply->done = true;
	reply->error = error <= ERRNO_MAX ? -(int)error : -EIO;
	reply->positive = error && !negative;
	return 0;
}

static bool is_pair(WiceUapiSlice line)
{
	const char *equals = memchr(line.at, '=', line.len);
	return equals && equals != line.at;
}

static int read_field(WiceUapiReply *reply, WiceUapiSlice line)
{
	const Field *fields = reply->peer ? peer_fields : device_fields;
	size_t n = reply->peer ? G_N_ELEMENTS(peer_fields) : G_N_ELEMENTS(device_fields);
	WiceUapiSlice value;
	for (size_t i = 0; i < n; i++) {
		if (wice__uapi_cut(line, fields[i].key, fields[i].len, &value))
			return fields[i].read(reply, value) ? 0 : -EPROTO;
	}
	return is_pair(line) ? 0 : -EPROTO;
}

static int read_line(WiceUapiReply *reply, WiceUapiSlice line)
{
	WiceUapiSlice value;
	if (reply->done)
		return -EPROTO;
	if (WICE_UAPI_CUT(line, "errno", &value))
		return read_errno(reply, value);
	if (!reply->builder)
		return is_pair(line) ? 0 : -EPROTO;
	if (WICE_UAPI_CUT(line, "allowed_ip", &value))
		return read_allowed_ip(reply, value);
	if (WICE_UAPI_CUT(line, "public_key", &value))
		return read_public_key(reply, value);
	return read_field(reply, line);
}

int wice__uapi_reply_feed(WiceUapiReply *reply, const char *data, size_t len, size_t *ret_n_read)
{
	const char *at = data, *end = data + len, *newline;
	int r = 0;
	while (r == 0 && (newline = memchr(at, '\n', (size_t)(end - at)))) {
		r = newline == at ? 1
				  : read_line(reply, (WiceUapiSlice){ at, (size_t)(newline - at) });
		at = newline + 1;
	}
	*ret_n_read = (size_t)(at - data);
	return r;
}

int wice__uapi_reply_result(const WiceUapiReply *reply)
{
	return reply->done ? reply->error : -EPROTO;
}
