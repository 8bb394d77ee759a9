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
 * is not its own is an error. The dialects:
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

#include <errno.h>
#include <sodium.h>
#include <string.h>

#define VALUE_SIZE 128 /* the longest known value is a key, 64 digits; the rest is room for zones */
#define ERRNO_MAX 4095 /* as the kernel's MAX_ERRNO */

typedef struct {
	const WiceUapiWorld *world;
	WiceDeviceBuilder *builder;
	WiceDevicePeer *peer; /* the one that is being read, NULL before the first */
	bool ages;            /* handshake times are ages */
	int64_t handshake_s, handshake_ns;
	bool done; /* errno has been read */
	int error; /* the device's, negative */
} Reader;

static bool parse_u64(const char *text, uint64_t max, uint64_t *ret)
{
	guint64 value;
	if (!g_ascii_string_to_unsigned(text, 10, 0, max, &value, NULL))
		return false;
	*ret = value;
	return true;
}

static bool parse_secret(const char *text, WiceKey *ret)
{
	if (*text == 0) {
		*ret = (WiceKey){ { 0 } };
		return true;
	}
	return wice_key_from_hex(text, ret);
}

static bool read_private_key(Reader *reader, const char *value)
{
	WiceDeviceInfo *info = wice__device_builder_info(reader->builder);
	if (!parse_secret(value, &info->private_key))
		return false;
	if (!wice_key_is_zero(&info->private_key))
		wice_key_public(&info->private_key, &info->public_key);
	return true;
}

static bool read_own_public_key(Reader *reader, const char *value)
{
	reader->ages = true;
	return wice_key_from_hex(value, &wice__device_builder_info(reader->builder)->public_key);
}

static bool read_listen_port(Reader *reader, const char *value)
{
	uint64_t port;
	if (!parse_u64(value, UINT16_MAX, &port))
		return false;
	wice__device_builder_info(reader->builder)->listen_port = (uint16_t)port;
	return true;
}

static bool read_fwmark(Reader *reader, const char *value)
{
	uint64_t mark;
	if (!parse_u64(value, UINT32_MAX, &mark))
		return false;
	wice__device_builder_info(reader->builder)->fwmark = (uint32_t)mark;
	return true;
}

static bool read_preshared_key(Reader *reader, const char *value)
{
	return parse_secret(value, &reader->peer->preshared_key);
}

/* "[address%name]:port": wice_endpoint_parse() knows numbers only. */
static bool parse_named_scope(const Reader *reader, const char *value, WiceEndpoint *ret)
{
	char text[VALUE_SIZE];
	const char *percent = strchr(value, '%');
	const char *bracket = percent ? strchr(percent, ']') : NULL;
	if (!bracket)
		return false;
	g_autofree char *name = g_strndup(percent + 1, (gsize)(bracket - percent - 1));
	if (!wice__interface_name_valid(name))
		return false;
	unsigned scope = reader->world->scope ? reader->world->scope(name) : 0;
	int len = g_snprintf(text, sizeof text, "%.*s%%%u%s", (int)(percent - value), value, scope,
			     bracket);
	return len < (int)sizeof text && wice_endpoint_parse(text, ret);
}

static bool read_endpoint(Reader *reader, const char *value)
{
	WiceEndpoint *endpoint = &reader->peer->endpoint;
	return wice_endpoint_parse(value, endpoint) || parse_named_scope(reader, value, endpoint);
}

static bool read_keepalive(Reader *reader, const char *value)
{
	uint64_t seconds;
	if (!parse_u64(value, UINT16_MAX, &seconds))
		return false;
	reader->peer->keepalive_s = (uint16_t)seconds;
	return true;
}

/* Both halves come in either order, so each works the sum out anew. */
static bool set_handshake(Reader *reader)
{
	int64_t time;
	if (!wice__handshake_time(reader->handshake_s, reader->handshake_ns, &time))
		return false;
	if (reader->ages)
		time = time < reader->world->now_ns ? reader->world->now_ns - time : 1;
	reader->peer->handshake_ns = time;
	return true;
}

static bool read_handshake_s(Reader *reader, const char *value)
{
	uint64_t seconds;
	if (!parse_u64(value, INT64_MAX, &seconds))
		return false;
	reader->handshake_s = (int64_t)seconds;
	return set_handshake(reader);
}

static bool read_handshake_ns(Reader *reader, const char *value)
{
	uint64_t nanoseconds;
	if (!parse_u64(value, INT64_MAX, &nanoseconds))
		return false;
	reader->handshake_ns = (int64_t)nanoseconds;
	return set_handshake(reader);
}

static bool read_rx_bytes(Reader *reader, const char *value)
{
	return parse_u64(value, UINT64_MAX, &reader->peer->rx_bytes);
}

static bool read_tx_bytes(Reader *reader, const char *value)
{
	return parse_u64(value, UINT64_MAX, &reader->peer->tx_bytes);
}

typedef struct {
	const char *key;
	bool (*read)(Reader *reader, const char *value);
} Field;

static const Field device_fields[] = {
	{ "private_key", read_private_key },
	{ "own_public_key", read_own_public_key },
	{ "listen_port", read_listen_port },
	{ "fwmark", read_fwmark },
};

static const Field peer_fields[] = {
	{ "preshared_key", read_preshared_key },
	{ "endpoint", read_endpoint },
	{ "persistent_keepalive_interval", read_keepalive },
	{ "last_handshake_time_sec", read_handshake_s },
	{ "last_handshake_time_nsec", read_handshake_ns },
	{ "rx_bytes", read_rx_bytes },
	{ "tx_bytes", read_tx_bytes },
};

static const Field *find_field(const Field *fields, size_t n, const char *key, size_t len)
{
	for (size_t i = 0; i < n; i++) {
		if (strlen(fields[i].key) == len && memcmp(fields[i].key, key, len) == 0)
			return &fields[i];
	}
	return NULL;
}

static bool key_is(const char *key, size_t len, const char *name)
{
	return strlen(name) == len && memcmp(key, name, len) == 0;
}

static int read_public_key(Reader *reader, const char *value)
{
	WiceKey key;
	if (!wice_key_from_hex(value, &key))
		return -EPROTO;
	reader->handshake_s = 0;
	reader->handshake_ns = 0;
	return wice__device_builder_peer(reader->builder, &key, &reader->peer);
}

static int read_allowed_ip(Reader *reader, const char *value)
{
	WicePrefix prefix;
	if (!reader->peer || !wice_prefix_parse(value, &prefix))
		return -EPROTO;
	return wice__device_builder_allowed_ip(reader->builder, &prefix);
}

/* Implementations disagree about the sign, and Go's may be any 64-bit number. */
static int read_errno(Reader *reader, const char *value)
{
	uint64_t error;
	if (!parse_u64(*value == '-' ? value + 1 : value, INT64_MAX, &error))
		return -EPROTO;
	reader->done = true;
	reader->error = error <= ERRNO_MAX ? -(int)error : -EIO;
	return 0;
}

static int read_value(Reader *reader, const char *key, size_t key_len, const char *value)
{
	if (key_is(key, key_len, "errno"))
		return read_errno(reader, value);
	if (!reader->builder)
		return 0;
	if (key_is(key, key_len, "public_key"))
		return read_public_key(reader, value);
	if (key_is(key, key_len, "allowed_ip"))
		return read_allowed_ip(reader, value);
	const Field *field =
		reader->peer ? find_field(peer_fields, G_N_ELEMENTS(peer_fields), key, key_len)
			     : find_field(device_fields, G_N_ELEMENTS(device_fields), key, key_len);
	return !field || field->read(reader, value) ? 0 : -EPROTO;
}

static bool is_known(const char *key, size_t len)
{
	return key_is(key, len, "errno") || key_is(key, len, "public_key") ||
	       key_is(key, len, "allowed_ip") ||
	       find_field(peer_fields, G_N_ELEMENTS(peer_fields), key, len) ||
	       find_field(device_fields, G_N_ELEMENTS(device_fields), key, len);
}

static int read_line(Reader *reader, const char *line, size_t len)
{
	char value[VALUE_SIZE];
	const char *equals = memchr(line, '=', len);
	if (!equals || equals == line || reader->done)
		return -EPROTO;
	size_t key_len = (size_t)(equals - line);
	if (!is_known(line, key_len))
		return 0;
	size_t value_len = len - key_len - 1;
	if (value_len >= sizeof value || memchr(equals + 1, 0, value_len))
		return -EPROTO;
	memcpy(value, equals + 1, value_len);
	value[value_len] = 0;
	int r = read_value(reader, line, key_len, value);
	sodium_memzero(value, sizeof value);
	return r;
}

/* Up to the empty line or, since some close instead of sending one, the end after errno. */
static int read_reply(Reader *reader, const char *reply, size_t len)
{
	const char *end = reply + len;
	while (reply < end && *reply != '\n') {
		const char *newline = memchr(reply, '\n', (size_t)(end - reply));
		if (!newline)
			return -EPROTO;
		int r = read_line(reader, reply, (size_t)(newline - reply));
		if (r < 0)
			return r;
		reply = newline + 1;
	}
	return reader->done ? reader->error : -EPROTO;
}

int wice__uapi_parse_get(const char *reply, size_t len, const WiceUapiWorld *world,
			 WiceDeviceBuilder *builder)
{
	Reader reader = { .world = world, .builder = builder };
	return read_reply(&reader, reply, len);
}

int wice__uapi_parse_set(const char *reply, size_t len)
{
	Reader reader = { 0 };
	return read_reply(&reader, reply, len);
}

bool wice__uapi_reply_complete(const char *reply, size_t len, size_t n_searched)
{
	/* The end may have been cut between its two newlines. */
	size_t from = n_searched ? n_searched - 1 : 0;
	return (len && reply[0] == '\n') || memmem(reply + from, len - from, "\n\n", 2);
}

size_t wice__uapi_write_update(const WicePeerUpdate *update, char ret[WICE_UAPI_UPDATE_SIZE])
{
	char key[2 * WICE_KEY_LEN + 1], endpoint[WICE_ENDPOINT_SIZE];
	size_t len;
	wice_key_to_hex(&update->public_key, key);
	/* update_only must follow the key at once: a peer is made, or not, by these two lines. */
	len = (size_t)g_snprintf(ret, WICE_UAPI_UPDATE_SIZE,
				 "set=1\npublic_key=%s\nupdate_only=true\n", key);
	if (update->set_endpoint)
		len += (size_t)g_snprintf(ret + len, WICE_UAPI_UPDATE_SIZE - len, "endpoint=%s\n",
					  wice_endpoint_format(&update->endpoint, endpoint));
	if (update->set_keepalive)
		len += (size_t)g_snprintf(ret + len, WICE_UAPI_UPDATE_SIZE - len,
					  "persistent_keepalive_interval=%u\n",
					  update->keepalive_s);
	len += (size_t)g_snprintf(ret + len, WICE_UAPI_UPDATE_SIZE - len, "\n");
	return len;
}
