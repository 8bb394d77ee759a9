/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_WG_UAPI_SERVER_H
#define WICE_TESTS_WG_UAPI_SERVER_H

/*
 * Plays userspace WireGuard behind a UAPI socket. It reads requests on its own, line by line, and
 * has the faults of those that it plays.
 */
#include "conformance/wg/server.h"
#include "wg/device.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <wice/plan.h>

typedef enum {
	UAPI_WIREGUARD_GO,
	/* Before 2025: single allowed IPs cannot be taken away. */
	UAPI_WIREGUARD_GO_2022,
	/*
	 * No update_only, no private key in replies, errnos without a minus. What is said of a peer
	 * holds for those behind it too. Changing a peer that exists, or making one without a
	 * private key, kills the thread that answers.
	 */
	UAPI_BORINGTUN,
	/* Reads a request as a whole, and hangs up on one that it does not understand. */
	UAPI_GOTATUN,
} UapiDialect;

typedef struct {
	UapiDialect dialect;
	GMutex mutex;       /* of all below */
	WiceDevice *device; /* NULL before it was told */
	bool dead;
	unsigned n_sets;
	TestServer server;
} UapiServer;

/* Reading a device */

static inline void uapi_put_key(GString *reply, const char *name, const WiceKey *key)
{
	char hex[2 * WICE_KEY_LEN + 1];
	wice_key_to_hex(key, hex);
	g_string_append_printf(reply, "%s=%s\n", name, hex);
}

static inline void uapi_put_peer(GString *reply, UapiDialect dialect, const WiceDevicePeer *peer)
{
	char text[WICE_ENDPOINT_SIZE], ip[WICE_PREFIX_SIZE];
	uapi_put_key(reply, "public_key", &peer->public_key);
	if (dialect != UAPI_BORINGTUN || peer->fields & WICE_PEER_HAS_PRESHARED_KEY)
		uapi_put_key(reply, "preshared_key", &peer->preshared_key);
	if (dialect < UAPI_BORINGTUN)
		g_string_append(reply, "protocol_version=1\n");
	if (peer->fields & WICE_PEER_HAS_ENDPOINT)
		g_string_append_printf(reply, "endpoint=%s\n",
				       wice_endpoint_format(&peer->endpoint, text));
	if (dialect != UAPI_BORINGTUN)
		g_string_append_printf(reply,
				       "last_handshake_time_sec=%" G_GINT64_FORMAT "\n"
				       "last_handshake_time_nsec=%" G_GINT64_FORMAT "\n",
				       peer->handshake_ns / 1000000000,
				       peer->handshake_ns % 1000000000);
	g_string_append_printf(reply,
			       "tx_bytes=%" G_GUINT64_FORMAT "\nrx_bytes=%" G_GUINT64_FORMAT "\n"
			       "persistent_keepalive_interval=%u\n",
			       peer->tx_bytes, peer->rx_bytes, peer->keepalive_s);
	for (size_t i = 0; i < peer->n_allowed_ips; i++)
		g_string_append_printf(reply, "allowed_ip=%s\n",
				       wice_prefix_format(&peer->allowed_ips[i], ip));
}

static inline GString *uapi_get_reply(const UapiServer *server)
{
	const WiceDeviceInfo *info = wice_device_info(server->device);
	GString *reply = g_string_new(NULL);
	if (info->fields & WICE_DEVICE_HAS_PRIVATE_KEY && server->dialect != UAPI_BORINGTUN)
		uapi_put_key(reply, "private_key", &info->private_key);
	if (info->fields & WICE_DEVICE_HAS_PUBLIC_KEY && server->dialect == UAPI_BORINGTUN)
		uapi_put_key(reply, "own_public_key", &info->public_key);
	if (info->listen_port)
		g_string_append_printf(reply, "listen_port=%u\n", info->listen_port);
	if (info->fwmark)
		g_string_append_printf(reply, "fwmark=%u\n", info->fwmark);
	for (size_t i = 0; i < info->n_peers; i++)
		uapi_put_peer(reply, server->dialect, &info->peers[i]);
	g_string_append(reply, "errno=0\n\n");
	return reply;
}

/* Changing it */

typedef struct {
	UapiServer *server;
	WiceDeviceChange device;
	GArray *peers;    /* of WicePeerChange */
	GPtrArray *lists; /* of GArrays of WiceAllowedIpChange, one for each peer */
} UapiSet;

static inline bool uapi_is_true(const char *value)
{
	return strcmp(value, "true") == 0;
}

static inline bool uapi_number(const char *value, guint64 max, guint64 *ret)
{
	return g_ascii_string_to_unsigned(value, 10, 0, max, ret, NULL);
}

static inline bool uapi_device_line(WiceDeviceChange *device, const char *key, const char *value)
{
	guint64 number = 0;
	if (strcmp(key, "private_key") == 0) {
		device->fields |= WICE_DEVICE_HAS_PRIVATE_KEY;
		return wice_key_from_hex(value, &device->private_key);
	}
	if (strcmp(key, "replace_peers") == 0) {
		device->flags |= WICE_DEVICE_CHANGE_REPLACE_PEERS;
		return uapi_is_true(value);
	}
	if (strcmp(key, "listen_port") == 0 && uapi_number(value, 65535, &number)) {
		device->fields |= WICE_DEVICE_HAS_LISTEN_PORT;
		device->listen_port = (uint16_t)number;
		return true;
	}
	if (strcmp(key, "fwmark") == 0 && uapi_number(value, UINT32_MAX, &number)) {
		device->fields |= WICE_DEVICE_HAS_FWMARK;
		device->fwmark = (uint32_t)number;
		return true;
	}
	return false;
}

static inline bool uapi_flag_line(WicePeerChange *peer, UapiDialect dialect, const char *key)
{
	if (strcmp(key, "update_only") == 0 && dialect != UAPI_BORINGTUN)
		peer->flags |= WICE_PEER_CHANGE_UPDATE_ONLY;
	else if (strcmp(key, "remove") == 0)
		peer->flags |= WICE_PEER_CHANGE_REMOVE;
	else if (strcmp(key, "replace_allowed_ips") == 0)
		peer->flags |= WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS;
	else
		return false;
	return true;
}

static inline bool uapi_allowed_ip_line(GArray *list, UapiDialect dialect, const char *value)
{
	WiceAllowedIpChange change = { .remove = *value == '-' };
	if (change.remove && dialect != UAPI_WIREGUARD_GO)
		return false;
	if (!strchr(value, '/') || !wice_prefix_parse(value + change.remove, &change.prefix))
		return false;
	g_array_append_val(list, change);
	return true;
}

static inline bool uapi_peer_line(UapiSet *set, const char *key, const char *value)
{
	WicePeerChange *peer = &g_array_index(set->peers, WicePeerChange, set->peers->len - 1);
	guint64 number = 0;
	if (uapi_is_true(value))
		return uapi_flag_line(peer, set->server->dialect, key);
	if (strcmp(key, "allowed_ip") == 0)
		return uapi_allowed_ip_line(set->lists->pdata[set->lists->len - 1],
					    set->server->dialect, value);
	if (strcmp(key, "preshared_key") == 0) {
		peer->fields |= WICE_PEER_HAS_PRESHARED_KEY;
		return wice_key_from_hex(value, &peer->preshared_key);
	}
	if (strcmp(key, "endpoint") == 0) {
		peer->fields |= WICE_PEER_HAS_ENDPOINT;
		return wice_endpoint_parse(value, &peer->endpoint);
	}
	if (strcmp(key, "persistent_keepalive_interval") == 0 &&
	    uapi_number(value, 65535, &number)) {
		peer->fields |= WICE_PEER_HAS_KEEPALIVE;
		peer->keepalive_s = (uint16_t)number;
		return true;
	}
	return false;
}

static inline bool uapi_public_key_line(UapiSet *set, const char *value)
{
	WicePeerChange peer = { 0 };
	if (set->server->dialect == UAPI_BORINGTUN && set->peers->len)
		peer = g_array_index(set->peers, WicePeerChange, set->peers->len - 1);
	if (!wice_key_from_hex(value, &peer.public_key))
		return false;
	g_array_append_val(set->peers, peer);
	g_ptr_array_add(set->lists, g_array_new(FALSE, FALSE, sizeof(WiceAllowedIpChange)));
	return true;
}

static inline bool uapi_line(UapiSet *set, const char *line)
{
	g_auto(GStrv) pair = g_strsplit(line, "=", 2);
	if (!pair[0] || !pair[1])
		return false;
	if (strcmp(pair[0], "public_key") == 0)
		return uapi_public_key_line(set, pair[1]);
	return set->peers->len ? uapi_peer_line(set, pair[0], pair[1])
			       : uapi_device_line(&set->device, pair[0], pair[1]);
}

static inline void uapi_apply(UapiServer *server, const WiceDeviceChange *change)
{
	WicePlan *plan = wice_plan_new(change, NULL);
	ck_assert_ptr_nonnull(plan);
	WiceDevice *device = wice_plan_result(plan, server->device);
	wice_device_unref(server->device);
	server->device = device;
	wice_plan_unref(plan);
}

/* One peer after the other. False if it has died of it. */
static inline bool uapi_apply_boringtun(UapiServer *server, const WiceDeviceChange *change)
{
	WiceDeviceChange part = *change;
	part.n_peers = 0;
	uapi_apply(server, &part);
	for (size_t i = 0; i < change->n_peers; i++) {
		const WicePeerChange *peer = &change->peers[i];
		const WiceDeviceInfo *info = wice_device_info(server->device);
		if (!(peer->flags & WICE_PEER_CHANGE_REMOVE) &&
		    (!(info->fields & WICE_DEVICE_HAS_PUBLIC_KEY) ||
		     wice_device_find_peer(server->device, &peer->public_key)))
			return false;
		part = (WiceDeviceChange){ .size = sizeof part, .n_peers = 1, .peers = peer };
		uapi_apply(server, &part);
	}
	return true;
}

/* Applies what has been read, up to the line that is refused. Returns the reply, NULL for none. */
static inline char *uapi_finish_set(UapiSet *set, bool refused)
{
	UapiServer *server = set->server;
	for (guint i = 0; i < set->peers->len; i++) {
		WicePeerChange *peer = &g_array_index(set->peers, WicePeerChange, i);
		GArray *list = set->lists->pdata[i];
		peer->n_allowed_ips = list->len;
		peer->allowed_ips = (const WiceAllowedIpChange *)(void *)list->data;
	}
	set->device.peers = (const WicePeerChange *)(void *)set->peers->data;
	set->device.n_peers = set->peers->len;
	if (server->dialect == UAPI_GOTATUN && refused)
		return NULL;
	if (server->dialect == UAPI_BORINGTUN) {
		if (refused && set->device.n_peers)
			set->device.n_peers--;
		server->dead = !uapi_apply_boringtun(server, &set->device);
		return g_strdup(refused ? "errno=22\n\n" : "errno=0\n\n");
	}
	uapi_apply(server, &set->device);
	return g_strdup(refused ? "errno=-22\n\n" : "errno=0\n\n");
}

static inline char *uapi_set_reply(UapiServer *server, char **lines)
{
	UapiSet set = { .server = server, .device = { .size = sizeof set.device } };
	bool good = true;
	set.peers = g_array_new(FALSE, FALSE, sizeof(WicePeerChange));
	set.lists = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
	server->n_sets++;
	for (; good && *lines && **lines; lines++)
		good = uapi_line(&set, *lines);
	char *reply = uapi_finish_set(&set, !good);
	g_ptr_array_unref(set.lists);
	g_array_unref(set.peers);
	return reply;
}

/* With AddressSanitizer, g_strsplit() takes minutes for 10,000 lines (strstr()). */
static inline char **uapi_split(const char *request)
{
	GPtrArray *lines = g_ptr_array_new();
	const char *end;
	for (; (end = strchr(request, '\n')); request = end + 1)
		g_ptr_array_add(lines, g_strndup(request, (gsize)(end - request)));
	g_ptr_array_add(lines, NULL);
	return (char **)g_ptr_array_free(lines, FALSE);
}

static inline char *uapi_reply(UapiServer *server, const char *request)
{
	g_auto(GStrv) lines = uapi_split(request);
	if (g_strcmp0(lines[0], "get=1") == 0)
		return g_string_free(uapi_get_reply(server), FALSE);
	if (g_strcmp0(lines[0], "set=1") == 0)
		return uapi_set_reply(server, lines + 1);
	return NULL;
}

static inline void uapi_serve(int fd, void *user_data)
{
	UapiServer *server = user_data;
	g_autofree char *request = server_receive(fd);
	g_mutex_lock(&server->mutex);
	g_autofree char *reply = server->dead ? NULL : uapi_reply(server, request);
	bool dead = server->dead;
	g_mutex_unlock(&server->mutex);
	if (dead)
		server_wait_for_end(fd);
	else if (reply)
		server_send(fd, reply, strlen(reply));
}

/* What it has from now on. */
static inline void uapi_server_set(UapiServer *server, const WiceDevice *state)
{
	g_mutex_lock(&server->mutex);
	wice_device_unref(server->device);
	server->device = wice__device_builder_finish(wice__device_builder_copy(state));
	g_mutex_unlock(&server->mutex);
}

static inline void uapi_server_start(UapiServer *server, const char *folder, const char *name)
{
	server_start(&server->server, folder, name, uapi_serve, server);
}

static inline void uapi_server_stop(UapiServer *server)
{
	server_stop(&server->server);
}

#endif
