/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../json.h"
#include "watch.h"

/* What has changed, in the words of wg(8). Values of secrets are not told. */
static const struct {
	unsigned change;
	const char *name;
} changes[] = {
	{ WICE_CHANGE_PRIVATE_KEY, "private-key" },
	{ WICE_CHANGE_LISTEN_PORT, "listen-port" },
	{ WICE_CHANGE_FWMARK, "fwmark" },
	{ WICE_CHANGE_IFINDEX, "ifindex" },
	{ WICE_CHANGE_KIND, "kind" },
	{ WICE_CHANGE_PRESHARED_KEY, "preshared-key" },
	{ WICE_CHANGE_KEEPALIVE, "persistent-keepalive" },
	{ WICE_CHANGE_ALLOWED_IPS, "allowed-ips" },
};

static const char *const event_names[] = {
	[WICE_WATCH_DEVICE_ADDED] = "interface-added",
	[WICE_WATCH_DEVICE_REMOVED] = "interface-removed",
	[WICE_WATCH_DEVICE_CHANGED] = "interface-changed",
	[WICE_WATCH_PEER_ADDED] = "peer-added",
	[WICE_WATCH_PEER_REMOVED] = "peer-removed",
	[WICE_WATCH_PEER_CHANGED] = "peer-changed",
	[WICE_WATCH_ENDPOINT] = "endpoint",
	[WICE_WATCH_HANDSHAKE] = "handshake",
	[WICE_WATCH_TRANSFER] = "transfer",
	[WICE_WATCH_TROUBLE] = "trouble",
};

static const WiceDevicePeer *event_peer(const WiceWatchEvent *event)
{
	return event->peer_after ? event->peer_after : event->peer_before;
}

static bool has_changes(const WiceWatchEvent *event)
{
	return event->type == WICE_WATCH_DEVICE_CHANGED || event->type == WICE_WATCH_PEER_CHANGED;
}

/* Text */

static void append_time(GString *out, int64_t time_ms)
{
	g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(time_ms / 1000);
	g_autoptr(GDateTime) local = utc ? g_date_time_to_local(utc) : NULL;
	g_autofree char *text = local ? g_date_time_format(local, "%H:%M:%S") : g_strdup("?");
	g_string_append_printf(out, "%s.%03d", text, (int)(time_ms % 1000));
}

static void append_changes(GString *out, unsigned mask)
{
	const char *separator = " changed: ";
	for (gsize i = 0; i < G_N_ELEMENTS(changes); i++) {
		if (!(mask & changes[i].change))
			continue;
		g_string_append_printf(out, "%s%s", separator, changes[i].name);
		separator = ", ";
	}
}

static void append_words(GString *out, const WiceWatchEvent *event)
{
	const WiceDevicePeer *peer = event_peer(event);
	char endpoint[WICE_ENDPOINT_SIZE], before[WICE_ENDPOINT_SIZE];
	switch (event->type) {
	case WICE_WATCH_DEVICE_ADDED:
	case WICE_WATCH_PEER_ADDED:
		g_string_append(out, " added");
		break;
	case WICE_WATCH_DEVICE_REMOVED:
	case WICE_WATCH_PEER_REMOVED:
		g_string_append(out, " removed");
		break;
	case WICE_WATCH_ENDPOINT:
		g_string_append_printf(
			out, " endpoint: %s -> %s",
			wice_endpoint_format(&event->peer_before->endpoint, before),
			wice_endpoint_format(&event->peer_after->endpoint, endpoint));
		break;
	case WICE_WATCH_HANDSHAKE:
		g_string_append_printf(out, " handshake at %s",
				       wice_endpoint_format(&peer->endpoint, endpoint));
		break;
	case WICE_WATCH_TRANSFER:
		g_string_append_printf(out,
				       " transfer: %" G_GUINT64_FORMAT
				       " B received, %" G_GUINT64_FORMAT " B sent",
				       (guint64)peer->rx_bytes, (guint64)peer->tx_bytes);
		break;
	case WICE_WATCH_TROUBLE:
		g_string_append_printf(out, " cannot be read: %s", event->message);
		break;
	default:
		append_changes(out, event->changes);
	}
}

char *watch_event_text(const WiceWatchEvent *event, int64_t time_ms)
{
	const WiceDevicePeer *peer = event_peer(event);
	char key[WICE_KEY_BASE64_SIZE];
	GString *out = g_string_new(NULL);
	append_time(out, time_ms);
	g_string_append_printf(out, "  %s", event->name);
	if (peer) {
		wice_key_to_base64(&peer->public_key, key);
		g_string_append_printf(out, " peer %s", key);
	}
	append_words(out, event);
	g_string_append_c(out, '\n');
	return g_string_free(out, FALSE);
}

/* JSON */

static void put_endpoint(Json *json, const char *name, const WiceEndpoint *endpoint)
{
	char text[WICE_ENDPOINT_SIZE];
	if (endpoint->address.family == WICE_FAMILY_NONE)
		json_null(json, name);
	else
		json_string(json, name, wice_endpoint_format(endpoint, text));
}

static void put_changes(Json *json, unsigned mask)
{
	json_begin_array(json, "changes");
	for (gsize i = 0; i < G_N_ELEMENTS(changes); i++)
		if (mask & changes[i].change)
			json_string(json, NULL, changes[i].name);
	json_end_array(json);
}

static void put_handshake(Json *json, const WiceDevicePeer *peer)
{
	if (peer->fields & WICE_PEER_HAS_HANDSHAKE)
		json_int(json, "handshake_ms", peer->handshake_ns / 1000000);
	else
		json_null(json, "handshake_ms");
}

static void put_state(Json *json, const WiceDevicePeer *peer)
{
	char text[WICE_PREFIX_SIZE];
	put_endpoint(json, "endpoint", &peer->endpoint);
	json_begin_array(json, "allowed_ips");
	for (size_t i = 0; i < peer->n_allowed_ips; i++)
		json_string(json, NULL, wice_prefix_format(&peer->allowed_ips[i], text));
	json_end_array(json);
	json_uint(json, "persistent_keepalive", peer->keepalive_s);
	put_handshake(json, peer);
}

static void put_details(Json *json, const WiceWatchEvent *event)
{
	const WiceDevicePeer *peer = event_peer(event);
	if (has_changes(event))
		put_changes(json, event->changes);
	if (event->type == WICE_WATCH_PEER_ADDED || event->type == WICE_WATCH_PEER_CHANGED)
		put_state(json, peer);
	if (event->type == WICE_WATCH_ENDPOINT) {
		put_endpoint(json, "endpoint", &event->peer_after->endpoint);
		put_endpoint(json, "previous_endpoint", &event->peer_before->endpoint);
	}
	if (event->type == WICE_WATCH_HANDSHAKE) {
		put_endpoint(json, "endpoint", &peer->endpoint);
		put_handshake(json, peer);
	}
	if (event->type == WICE_WATCH_TRANSFER) {
		json_uint(json, "rx_bytes", peer->rx_bytes);
		json_uint(json, "tx_bytes", peer->tx_bytes);
	}
	if (event->type == WICE_WATCH_TROUBLE)
		json_string(json, "reason", event->message);
}

char *watch_event_json(const WiceWatchEvent *event, int64_t time_ms)
{
	const WiceDevicePeer *peer = event_peer(event);
	char key[WICE_KEY_BASE64_SIZE];
	Json json;
	json_init(&json, false);
	json_begin_object(&json, NULL);
	json_string(&json, "event", event_names[event->type]);
	json_int(&json, "time_ms", time_ms);
	json_string(&json, "interface", event->name);
	if (peer) {
		wice_key_to_base64(&peer->public_key, key);
		json_string(&json, "peer", key);
	}
	put_details(&json, event);
	json_end_object(&json);
	return json_finish(&json);
}
