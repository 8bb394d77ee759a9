/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The forms of "wg show" that programs read, and that of "wg showconf".
 *
 * A field is a column: of the interface, or of each of its peers. The dump is all columns side by
 * side, first those of the interface in one line, then those of each peer in a line of its own:
 *
 *	private-key public-key listen-port fwmark
 *	key preshared-key endpoint allowed-ips latest-handshake rx tx keepalive
 */
#include "wg/show.h"

#include <string.h>

#define PEER_LEN 300 /* the longest line of a peer without its allowed IPs; also for a file */
#define PREFIX_LEN WICE_PREFIX_SIZE

typedef struct {
	WiceWriter writer;
	WiceShowOptions options;
	const char *name; /* begins each line; NULL: nothing does */
	char separator;   /* of allowed IPs */
} Table;

WiceShowOptions wice__show_options(const WiceShowOptions *options)
{
	WiceShowOptions known = { 0 };
	if (options)
		memcpy(&known, options, MIN(options->size, sizeof known));
	return known;
}

void wice__show_begin(WiceWriter *writer, const WiceDevice *device, size_t per_peer, size_t per_ip)
{
	const WiceDeviceInfo *info = wice_device_info(device);
	size_t expected = per_peer * (info->n_peers + 1);
	for (size_t i = 0; i < info->n_peers; i++)
		expected += per_ip * info->peers[i].n_allowed_ips;
	wice__writer_init(writer, expected);
}

const WiceDevicePeer *wice__show_peer(const WiceDevice *device, size_t i)
{
	return &wice_device_info(device)->peers[wice_device_order(device)[i]];
}

const WicePrefix *wice__show_allowed_ip(const WiceDevicePeer *peer, size_t i)
{
	return &peer->allowed_ips[peer->allowed_ip_order[i]];
}

/* Only the scopes of these have names, whatever other addresses have. */
static bool is_link_local(const uint8_t *bytes)
{
	return (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80) ||
	       (bytes[0] == 0xff && (bytes[1] & 0x0f) == 0x02);
}

static void put_scope(WiceWriter *writer, const WiceEndpoint *endpoint,
		      const WiceShowOptions *options)
{
	char name[16];
	wice__writer_char(writer, '%');
	if (options->scope_name && is_link_local(endpoint->address.bytes) &&
	    options->scope_name(endpoint->scope, name))
		wice__writer_bytes(writer, name, strnlen(name, sizeof name));
	else
		wice__writer_decimal(writer, endpoint->scope);
}

void wice__show_endpoint(WiceWriter *writer, const WiceEndpoint *endpoint,
			 const WiceShowOptions *options)
{
	if (endpoint->address.family == WICE_FAMILY_IPV6) {
		wice__writer_char(writer, '[');
		wice__writer_address(writer, &endpoint->address);
		if (endpoint->scope)
			put_scope(writer, endpoint, options);
		wice__writer_char(writer, ']');
	} else {
		wice__writer_address(writer, &endpoint->address);
	}
	wice__writer_char(writer, ':');
	wice__writer_decimal(writer, endpoint->port);
}

static void put_key(WiceWriter *writer, const WiceKey *key, bool present)
{
	if (present)
		wice__writer_key(writer, key);
	else
		wice__writer_text(writer, "(none)");
}

static void put_private_key(Table *table, const WiceDeviceInfo *info)
{
	put_key(&table->writer, &info->private_key, info->fields & WICE_DEVICE_HAS_PRIVATE_KEY);
}

static void put_public_key(Table *table, const WiceDeviceInfo *info)
{
	put_key(&table->writer, &info->public_key, info->fields & WICE_DEVICE_HAS_PUBLIC_KEY);
}

static void put_listen_port(Table *table, const WiceDeviceInfo *info)
{
	wice__writer_decimal(&table->writer, info->listen_port);
}

static void put_fwmark(Table *table, const WiceDeviceInfo *info)
{
	if (info->fwmark)
		wice__writer_hex(&table->writer, info->fwmark);
	else
		wice__writer_text(&table->writer, "off");
}

static void put_preshared_key(Table *table, const WiceDevicePeer *peer)
{
	put_key(&table->writer, &peer->preshared_key, peer->fields & WICE_PEER_HAS_PRESHARED_KEY);
}

static void put_endpoint(Table *table, const WiceDevicePeer *peer)
{
	if (peer->fields & WICE_PEER_HAS_ENDPOINT)
		wice__show_endpoint(&table->writer, &peer->endpoint, &table->options);
	else
		wice__writer_text(&table->writer, "(none)");
}

static void put_prefix(WiceWriter *writer, const WicePrefix *prefix)
{
	wice__writer_address(writer, &prefix->address);
	wice__writer_char(writer, '/');
	wice__writer_decimal(writer, prefix->length);
}

static void put_allowed_ips(Table *table, const WiceDevicePeer *peer)
{
	for (size_t i = 0; i < peer->n_allowed_ips; i++) {
		if (i)
			wice__writer_char(&table->writer, table->separator);
		put_prefix(&table->writer, wice__show_allowed_ip(peer, i));
	}
	if (peer->n_allowed_ips == 0)
		wice__writer_text(&table->writer, "(none)");
}

static void put_handshake(Table *table, const WiceDevicePeer *peer)
{
	wice__writer_decimal(&table->writer, (uint64_t)(peer->handshake_ns / WICE_NS_PER_S));
}

static void put_transfer(Table *table, const WiceDevicePeer *peer)
{
	wice__writer_decimal(&table->writer, peer->rx_bytes);
	wice__writer_char(&table->writer, '\t');
	wice__writer_decimal(&table->writer, peer->tx_bytes);
}

static void put_keepalive(Table *table, const WiceDevicePeer *peer)
{
	if (peer->keepalive_s)
		wice__writer_decimal(&table->writer, peer->keepalive_s);
	else
		wice__writer_text(&table->writer, "off");
}

typedef struct {
	const char *word;
	/* One of them, but for the peers' own keys, which begin their lines anyway. */
	void (*put_device)(Table *table, const WiceDeviceInfo *info);
	void (*put_peer)(Table *table, const WiceDevicePeer *peer);
} Column;

static const Column columns[] = {
	[WICE_SHOW_PUBLIC_KEY] = { "public-key", .put_device = put_public_key },
	[WICE_SHOW_PRIVATE_KEY] = { "private-key", .put_device = put_private_key },
	[WICE_SHOW_LISTEN_PORT] = { "listen-port", .put_device = put_listen_port },
	[WICE_SHOW_FWMARK] = { "fwmark", .put_device = put_fwmark },
	[WICE_SHOW_PEERS] = { "peers" },
	[WICE_SHOW_PRESHARED_KEYS] = { "preshared-keys", .put_peer = put_preshared_key },
	[WICE_SHOW_ENDPOINTS] = { "endpoints", .put_peer = put_endpoint },
	[WICE_SHOW_ALLOWED_IPS] = { "allowed-ips", .put_peer = put_allowed_ips },
	[WICE_SHOW_LATEST_HANDSHAKES] = { "latest-handshakes", .put_peer = put_handshake },
	[WICE_SHOW_TRANSFER] = { "transfer", .put_peer = put_transfer },
	[WICE_SHOW_PERSISTENT_KEEPALIVE] = { "persistent-keepalive", .put_peer = put_keepalive },
};

static void begin_table(Table *table, const WiceDevice *device, bool with_name,
			const WiceShowOptions *options, char separator)
{
	*table = (Table){
		.options = wice__show_options(options),
		.name = with_name ? wice_device_info(device)->name : NULL,
		.separator = separator,
	};
	wice__show_begin(&table->writer, device, PEER_LEN, PREFIX_LEN);
}

static void begin_line(Table *table)
{
	if (!table->name)
		return;
	wice__writer_text(&table->writer, table->name);
	wice__writer_char(&table->writer, '\t');
}

static void put_device_line(Table *table, const WiceDeviceInfo *info, const Column *shown, size_t n)
{
	begin_line(table);
	for (size_t i = 0; i < n; i++) {
		if (i)
			wice__writer_char(&table->writer, '\t');
		shown[i].put_device(table, info);
	}
	wice__writer_char(&table->writer, '\n');
}

static void put_peer_lines(Table *table, const WiceDevice *device, const Column *shown, size_t n)
{
	size_t n_peers = wice_device_info(device)->n_peers;
	for (size_t i = 0; i < n_peers; i++) {
		const WiceDevicePeer *peer = wice__show_peer(device, i);
		begin_line(table);
		wice__writer_key(&table->writer, &peer->public_key);
		for (size_t j = 0; j < n; j++) {
			wice__writer_char(&table->writer, '\t');
			shown[j].put_peer(table, peer);
		}
		wice__writer_char(&table->writer, '\n');
	}
}

char *wice_show_dump(const WiceDevice *device, bool with_name, const WiceShowOptions *options)
{
	static const Column of_device[] = {
		{ .put_device = put_private_key },
		{ .put_device = put_public_key },
		{ .put_device = put_listen_port },
		{ .put_device = put_fwmark },
	};
	Table table;
	begin_table(&table, device, with_name, options, ',');
	put_device_line(&table, wice_device_info(device), of_device, G_N_ELEMENTS(of_device));
	put_peer_lines(&table, device, &columns[WICE_SHOW_PRESHARED_KEYS],
		       G_N_ELEMENTS(columns) - WICE_SHOW_PRESHARED_KEYS);
	return wice__writer_finish(&table.writer);
}

const char *wice_show_field_name(WiceShowField field)
{
	return (unsigned)field < G_N_ELEMENTS(columns) ? columns[field].word : NULL;
}

bool wice_show_field_parse(const char *word, WiceShowField *ret)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(columns); i++) {
		if (strcmp(word, columns[i].word) == 0) {
			*ret = (WiceShowField)i;
			return true;
		}
	}
	return false;
}

char *wice_show_field(const WiceDevice *device, WiceShowField field, bool with_name,
		      const WiceShowOptions *options)
{
	g_return_val_if_fail((unsigned)field < G_N_ELEMENTS(columns), NULL);
	const Column *column = &columns[field];
	Table table;
	begin_table(&table, device, with_name, options, ' ');
	if (column->put_device)
		put_device_line(&table, wice_device_info(device), column, 1);
	else
		put_peer_lines(&table, device, column, column->put_peer ? 1 : 0);
	return wice__writer_finish(&table.writer);
}

static void put_conf_interface(WiceWriter *writer, const WiceDeviceInfo *info)
{
	wice__writer_text(writer, "[Interface]\n");
	if (info->listen_port) {
		wice__writer_text(writer, "ListenPort = ");
		wice__writer_decimal(writer, info->listen_port);
		wice__writer_char(writer, '\n');
	}
	if (info->fwmark) {
		wice__writer_text(writer, "FwMark = ");
		wice__writer_hex(writer, info->fwmark);
		wice__writer_char(writer, '\n');
	}
	if (info->fields & WICE_DEVICE_HAS_PRIVATE_KEY) {
		wice__writer_text(writer, "PrivateKey = ");
		wice__writer_key(writer, &info->private_key);
		wice__writer_char(writer, '\n');
	}
}

static void put_conf_peer(WiceWriter *writer, const WiceDevicePeer *peer,
			  const WiceShowOptions *options)
{
	wice__writer_text(writer, "\n[Peer]\nPublicKey = ");
	wice__writer_key(writer, &peer->public_key);
	if (peer->fields & WICE_PEER_HAS_PRESHARED_KEY) {
		wice__writer_text(writer, "\nPresharedKey = ");
		wice__writer_key(writer, &peer->preshared_key);
	}
	for (size_t i = 0; i < peer->n_allowed_ips; i++) {
		wice__writer_text(writer, i ? ", " : "\nAllowedIPs = ");
		put_prefix(writer, wice__show_allowed_ip(peer, i));
	}
	if (peer->fields & WICE_PEER_HAS_ENDPOINT) {
		wice__writer_text(writer, "\nEndpoint = ");
		wice__show_endpoint(writer, &peer->endpoint, options);
	}
	if (peer->keepalive_s) {
		wice__writer_text(writer, "\nPersistentKeepalive = ");
		wice__writer_decimal(writer, peer->keepalive_s);
	}
	wice__writer_char(writer, '\n');
}

char *wice_show_conf(const WiceDevice *device, const WiceShowOptions *options)
{
	const WiceDeviceInfo *info = wice_device_info(device);
	WiceShowOptions known = wice__show_options(options);
	WiceWriter writer;
	wice__show_begin(&writer, device, PEER_LEN, PREFIX_LEN);
	put_conf_interface(&writer, info);
	if (info->n_peers == 0)
		wice__writer_char(&writer, '\n');
	for (size_t i = 0; i < info->n_peers; i++)
		put_conf_peer(&writer, wice__show_peer(device, i), &known);
	return wice__writer_finish(&writer);
}
