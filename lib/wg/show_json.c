/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A snapshot as JSON. The schema is documented in docs/json.md and promised: members may be added,
 * never changed or removed.
 */
#include "wg/show.h"

#define PEER_LEN 500
#define PREFIX_LEN (WICE_PREFIX_SIZE + 4)
#define NS_PER_MS 1000000

static void put_quoted(WiceWriter *writer, const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	wice__writer_char(writer, '"');
	for (const char *c = valid; *c; c++) {
		char escape[8];
		if (g_ascii_iscntrl(*c)) {
			g_snprintf(escape, sizeof escape, "\\u%04x", (unsigned)*c);
			wice__writer_text(writer, escape);
			continue;
		}
		if (*c == '"' || *c == '\\')
			wice__writer_char(writer, '\\');
		wice__writer_char(writer, *c);
	}
	wice__writer_char(writer, '"');
}

/* The word as it comes between two members: quoted, after a comma, before a colon. */
static void put_name(WiceWriter *writer, const char *name)
{
	wice__writer_text(writer, ", \"");
	wice__writer_text(writer, name);
	wice__writer_text(writer, "\": ");
}

static void put_null(WiceWriter *writer)
{
	wice__writer_text(writer, "null");
}

static void put_number(WiceWriter *writer, const char *name, uint64_t value)
{
	put_name(writer, name);
	wice__writer_decimal(writer, value);
}

static void put_bool(WiceWriter *writer, const char *name, bool value)
{
	put_name(writer, name);
	wice__writer_text(writer, value ? "true" : "false");
}

static void put_key_value(WiceWriter *writer, const WiceKey *key)
{
	wice__writer_char(writer, '"');
	wice__writer_key(writer, key);
	wice__writer_char(writer, '"');
}

static void put_key(WiceWriter *writer, const char *name, const WiceKey *key, bool present)
{
	put_name(writer, name);
	if (present)
		put_key_value(writer, key);
	else
		put_null(writer);
}

static void put_endpoint(WiceWriter *writer, const WiceDevicePeer *peer)
{
	static const WiceShowOptions numbers = { 0 };
	put_name(writer, "endpoint");
	if (!(peer->fields & WICE_PEER_HAS_ENDPOINT)) {
		put_null(writer);
		return;
	}
	wice__writer_char(writer, '"');
	wice__show_endpoint(writer, &peer->endpoint, &numbers);
	wice__writer_char(writer, '"');
}

static void put_allowed_ips(WiceWriter *writer, const WiceDevicePeer *peer)
{
	put_name(writer, "allowed_ips");
	wice__writer_char(writer, '[');
	for (size_t i = 0; i < peer->n_allowed_ips; i++) {
		const WicePrefix *prefix = &peer->allowed_ips[i];
		wice__writer_text(writer, i ? ", \"" : "\"");
		wice__writer_address(writer, &prefix->address);
		wice__writer_char(writer, '/');
		wice__writer_decimal(writer, prefix->length);
		wice__writer_char(writer, '"');
	}
	wice__writer_char(writer, ']');
}

static void put_peer(WiceWriter *writer, const WiceDevicePeer *peer, const WiceShowOptions *options)
{
	bool has_preshared_key = peer->fields & WICE_PEER_HAS_PRESHARED_KEY;
	wice__writer_text(writer, "{\"public_key\": ");
	put_key_value(writer, &peer->public_key);
	put_bool(writer, "has_preshared_key", has_preshared_key);
	if (options->show_secrets)
		put_key(writer, "preshared_key", &peer->preshared_key, has_preshared_key);
	put_endpoint(writer, peer);
	put_allowed_ips(writer, peer);
	if (peer->fields & WICE_PEER_HAS_HANDSHAKE) {
		/* Nanoseconds since 1970 are beyond what a double holds exactly. */
		put_number(writer, "handshake_ms", (uint64_t)(peer->handshake_ns / NS_PER_MS));
	} else {
		put_name(writer, "handshake_ms");
		put_null(writer);
	}
	put_number(writer, "rx_bytes", peer->rx_bytes);
	put_number(writer, "tx_bytes", peer->tx_bytes);
	put_number(writer, "persistent_keepalive", peer->keepalive_s);
	wice__writer_char(writer, '}');
}

static void put_interface(WiceWriter *writer, const WiceDeviceInfo *info,
			  const WiceShowOptions *options)
{
	bool has_private_key = info->fields & WICE_DEVICE_HAS_PRIVATE_KEY;
	wice__writer_text(writer, "\"name\": ");
	put_quoted(writer, info->name);
	put_name(writer, "kind");
	put_quoted(writer, wice_device_kind_name(info->kind));
	put_number(writer, "ifindex", info->ifindex);
	put_key(writer, "public_key", &info->public_key, info->fields & WICE_DEVICE_HAS_PUBLIC_KEY);
	put_bool(writer, "has_private_key", has_private_key);
	if (options->show_secrets)
		put_key(writer, "private_key", &info->private_key, has_private_key);
	put_number(writer, "listen_port", info->listen_port);
	put_number(writer, "fwmark", info->fwmark);
}

char *wice_show_json(const WiceDevice *device, const WiceShowOptions *options)
{
	const WiceDeviceInfo *info = wice_device_info(device);
	WiceShowOptions known = wice__show_options(options);
	WiceWriter writer;
	wice__show_begin(&writer, device, PEER_LEN, PREFIX_LEN);
	wice__writer_char(&writer, '{');
	put_interface(&writer, info, &known);
	put_name(&writer, "peers");
	wice__writer_char(&writer, '[');
	for (size_t i = 0; i < info->n_peers; i++) {
		if (i)
			wice__writer_text(&writer, ", ");
		put_peer(&writer, &info->peers[i], &known);
	}
	wice__writer_text(&writer, "]}");
	return wice__writer_finish(&writer);
}
