/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From lines to values. One reader per key; the table of keys in conf_line.c says what a key is,
 * the one here how its value is read.
 *
 * wg(8) takes white space out of words. Here values are first read as they are, and again without
 * white space if that fails and the mode is a compatible one: nearly all files have none.
 */
#include "base/parse.h"
#include "wg/conf.h"
#include "wg/conf_value.h"
#include "wg/device.h"

#include <sodium.h>
#include <string.h>

#define MTU_MIN 68 /* RFC 791 section 3.2 */
#define MTU_MAX 65535
#define SECTION_MIN 61 /* [Peer] and a PublicKey: a text has no more peers than fit in */

typedef struct {
	WiceConf *conf;
	WiceConfFindings *findings;
	bool lenient;
	WiceConfPeerEntry *peer; /* the one that is being read */
	bool peer_has_key;
	bool peer_has_signs, peer_lacks_signs; /* allowed IPs with a '+' or '-' in front */
	unsigned seen;                         /* 1 << key: keys of this section */
	char *scratch;                         /* for values without their white space */
	size_t scratch_size;
} Parser;

typedef enum {
	READ_OK = 0,
	READ_WRONG, /* it is not what the key expects */
	READ_TOLD,  /* the same, and the reader has said what it is instead */
} Outcome;

/* Room for a copy of the token; what was there before is gone. */
static char *get_scratch(Parser *parser, size_t size)
{
	if (parser->scratch_size < size) {
		if (parser->scratch)
			sodium_memzero(parser->scratch, parser->scratch_size);
		g_free(parser->scratch);
		parser->scratch = g_malloc(size);
		parser->scratch_size = size;
	}
	return parser->scratch;
}

/* Takes white space out, where that is what wg(8) does. False if there is nothing to be taken. */
static bool take_spaces_out(Parser *parser, WiceConfToken *token)
{
	if (!parser->lenient || !wice__conf_has_space(*token))
		return false;
	char *copy = get_scratch(parser, token->len);
	*token = (WiceConfToken){ copy, wice__conf_compact(*token, copy) };
	return true;
}

static Outcome read_private_key(Parser *parser, WiceConfToken value)
{
	if (!wice__conf_read_key(value, &parser->conf->interface.private_key))
		return READ_WRONG;
	parser->conf->interface.fields |= WICE_DEVICE_HAS_PRIVATE_KEY;
	return READ_OK;
}

static Outcome read_listen_port(Parser *parser, WiceConfToken value)
{
	WiceConfInterface *interface = &parser->conf->interface;
	uint16_t port = 0;
	bool service;
	if (!wice__conf_read_port(value, parser->lenient, &port, &service) ||
	    (service && wice__conf_has_space(value)))
		return READ_WRONG;
	interface->listen_port = service ? 0 : port;
	interface->listen_port_service =
		service ? g_string_chunk_insert_len(parser->conf->hosts, value.text,
						    (gssize)value.len)
			: NULL;
	interface->fields |= WICE_DEVICE_HAS_LISTEN_PORT;
	return READ_OK;
}

static Outcome read_fwmark(Parser *parser, WiceConfToken value)
{
	if (!wice__conf_read_fwmark(value, parser->lenient, &parser->conf->interface.fwmark))
		return READ_WRONG;
	parser->conf->interface.fields |= WICE_DEVICE_HAS_FWMARK;
	return READ_OK;
}

static Outcome read_public_key(Parser *parser, WiceConfToken value)
{
	if (!wice__conf_read_key(value, &parser->peer->values.public_key))
		return READ_WRONG;
	parser->peer_has_key = true;
	return READ_OK;
}

static Outcome read_preshared_key(Parser *parser, WiceConfToken value)
{
	if (!wice__conf_read_key(value, &parser->peer->values.preshared_key))
		return READ_WRONG;
	parser->peer->values.fields |= WICE_PEER_HAS_PRESHARED_KEY;
	return READ_OK;
}

static Outcome read_keepalive(Parser *parser, WiceConfToken value)
{
	if (!wice__conf_read_keepalive(value, parser->lenient, &parser->peer->values.keepalive_s))
		return READ_WRONG;
	parser->peer->values.fields |= WICE_PEER_HAS_KEEPALIVE;
	return READ_OK;
}

/* The error of one item of a list. */
static Outcome tell_item(Parser *parser, WiceConfKey key, WiceConfToken item)
{
	char quoted[WICE_CONF_QUOTE_SIZE];
	const WiceConfKeyInfo *info = wice__conf_key_info(key);
	wice__conf_quote(item, quoted);
	wice__conf_error(parser->findings, item.text, "%s has %s; expected %s", info->name,
			 item.len == 0 ? "nothing between two commas or behind the last"
			 : *quoted     ? quoted
				       : "something else",
			 info->expected);
	return READ_TOLD;
}

static Outcome tell_host_bits(Parser *parser, WiceConfToken item, const WicePrefix *prefix)
{
	char text[WICE_PREFIX_SIZE], quoted[WICE_CONF_QUOTE_SIZE];
	wice_prefix_format(prefix, text);
	wice__conf_quote(item, quoted);
	if (parser->conf->mode != WICE_CONF_STRICT) {
		wice__conf_warning(parser->findings, item.text,
				   "AllowedIPs has %s, which is taken as %s", quoted, text);
		return READ_OK;
	}
	wice__conf_error(parser->findings, item.text,
			 "AllowedIPs has %s, an address inside of a network; expected the network "
			 "%s, or the address without a prefix length",
			 quoted, text);
	return READ_TOLD;
}

static bool read_prefix(Parser *parser, WiceConfToken token, WicePrefix *ret)
{
	bool lenient = parser->lenient;
	return wice__conf_read_network(token, lenient, &ret->address, &ret->length) ||
	       (take_spaces_out(parser, &token) &&
		wice__conf_read_network(token, lenient, &ret->address, &ret->length));
}

/* A '+' or '-' in front adds or removes instead of replacing the list (wireguard-tools of 2025). */
static bool read_sign(Parser *parser, WiceConfToken *item, bool *ret_remove)
{
	bool has_sign = item->len && (item->text[0] == '+' || item->text[0] == '-');
	*ret_remove = has_sign && item->text[0] == '-';
	parser->peer_has_signs |= has_sign;
	parser->peer_lacks_signs |= !has_sign;
	parser->peer->values.increments |= has_sign;
	item->text += has_sign;
	item->len -= has_sign;
	return parser->lenient || !(parser->peer_has_signs && parser->peer_lacks_signs);
}

/* Room for one more. */
static WiceAllowedIpChange *next_allowed_ip(WiceConf *conf)
{
	if (conf->n_allowed_ips == conf->allowed_ips_room) {
		conf->allowed_ips_room = MAX(2 * conf->allowed_ips_room, 16);
		conf->allowed_ips =
			g_renew(WiceAllowedIpChange, conf->allowed_ips, conf->allowed_ips_room);
		conf->ip_offsets = g_renew(uint32_t, conf->ip_offsets, conf->allowed_ips_room);
	}
	return &conf->allowed_ips[conf->n_allowed_ips];
}

/* Takes the next item; true if it is a network and nothing more, which has been read then. */
static bool next_plain_item(WiceConfToken *list, WiceConfToken *ret_item, WicePrefix *ret)
{
	const char *start = list->text, *end = start + list->len;
	const char *at = wice__parse_front_network(start, end, ret);
	if (!at || (at < end && *at != ',')) {
		*ret_item = wice__conf_next_item(list);
		return false;
	}
	*ret_item = (WiceConfToken){ start, (size_t)(at - start) };
	if (at == end)
		*list = (WiceConfToken){ NULL, 0 };
	else
		*list = wice__conf_trim(at + 1, end);
	return true;
}

/* An item that is something more, or wrong. */
static Outcome read_signed_item(Parser *parser, WiceConfToken item, WiceAllowedIpChange *change)
{
	WiceConfToken rest = item;
	if (!read_sign(parser, &rest, &change->remove)) {
		wice__conf_error(parser->findings, item.text,
				 "AllowedIPs with and without \"+\" or \"-\" in one section; "
				 "expected the same for all");
		return READ_TOLD;
	}
	if (!read_prefix(parser, rest, &change->prefix))
		return tell_item(parser, WICE_CONF_ALLOWED_IPS, item);
	return READ_OK;
}

static Outcome read_allowed_ip(Parser *parser, WiceConfToken *list)
{
	WiceConf *conf = parser->conf;
	WiceAllowedIpChange *change = next_allowed_ip(conf);
	WiceConfToken item;
	if (next_plain_item(list, &item, &change->prefix) && !parser->peer_has_signs) {
		parser->peer_lacks_signs = true;
		change->remove = false;
	} else if (read_signed_item(parser, item, change) != READ_OK) {
		return READ_TOLD;
	}
	if (conf->n_allowed_ips == WICE_DEVICE_ALLOWED_IPS_MAX) {
		wice__conf_error(parser->findings, item.text,
				 "one more allowed IP; expected no more than %zu in all",
				 WICE_DEVICE_ALLOWED_IPS_MAX);
		return READ_TOLD;
	}
	if (wice__conf_clear_host_bits(&change->prefix) &&
	    tell_host_bits(parser, item, &change->prefix) != READ_OK)
		return READ_TOLD;
	conf->ip_offsets[conf->n_allowed_ips++] = (uint32_t)(item.text - conf->text);
	parser->peer->values.n_allowed_ips++;
	return READ_OK;
}

/* As wg(8) has it, the last line alone says whether the list is replaced. */
static Outcome read_allowed_ips(Parser *parser, WiceConfToken value)
{
	parser->peer->values.has_allowed_ips = true;
	parser->peer->values.increments = false;
	while (value.text) {
		Outcome outcome = read_allowed_ip(parser, &value);
		if (outcome != READ_OK)
			return outcome;
	}
	return READ_OK;
}

static Outcome tell_endpoint(Parser *parser, WiceConfToken at, const char *found)
{
	wice__conf_error(parser->findings, at.text, "Endpoint has %s; expected %s", found,
			 wice__conf_key_info(WICE_CONF_ENDPOINT)->expected);
	return READ_TOLD;
}

/* True for "fe80::1%eth0": the number of the interface is for wice_conf_resolve() to find. */
static bool has_named_scope(WiceConfToken host)
{
	WiceAddress address;
	const char *percent = memchr(host.text, '%', host.len);
	WiceConfToken before = { host.text, percent ? (size_t)(percent - host.text) : 0 };
	return percent && before.len + 1 < host.len && wice__conf_read_address(before, &address) &&
	       address.family == WICE_FAMILY_IPV6 && wice_address_is_link_local(&address);
}

static Outcome check_endpoint(Parser *parser, const WiceConfEndpoint *parts,
			      const WiceAddress *address)
{
	if (parts->bracketed && address->family != WICE_FAMILY_IPV6 &&
	    !has_named_scope(parts->host))
		return tell_endpoint(parser, parts->host, "no IPv6 address in its brackets");
	if (!parts->bracketed && memchr(parts->host.text, ':', parts->host.len))
		return tell_endpoint(parser, parts->host, "an IPv6 address without brackets");
	if (address->family == WICE_FAMILY_NONE && !parts->bracketed &&
	    !wice__conf_is_host_name(parts->host))
		return tell_endpoint(parser, parts->host, "neither an IP address nor a host name");
	return READ_OK;
}

static Outcome read_endpoint(Parser *parser, WiceConfToken value)
{
	WiceConfPeer *peer = &parser->peer->values;
	GStringChunk *hosts = parser->conf->hosts;
	WiceConfEndpoint parts;
	uint16_t port = 0;
	bool service;
	if (parser->lenient && wice__conf_has_space(value))
		return READ_WRONG;
	if (!wice__conf_split_endpoint(value, &parts))
		return READ_WRONG;
	if (!wice__conf_read_port(parts.port, parser->lenient, &port, &service))
		return parser->lenient ? READ_WRONG
				       : tell_endpoint(parser, parts.port, "another port");
	bool numeric = wice__conf_read_host(parts.host, parser->lenient, &peer->endpoint);
	if (!parser->lenient && check_endpoint(parser, &parts, &peer->endpoint.address) != READ_OK)
		return READ_TOLD;
	peer->fields |= WICE_PEER_HAS_ENDPOINT;
	peer->endpoint_host =
		g_string_chunk_insert_len(hosts, parts.host.text, (gssize)parts.host.len);
	peer->endpoint_service =
		service ? g_string_chunk_insert_len(hosts, parts.port.text, (gssize)parts.port.len)
			: NULL;
	peer->endpoint_port = service ? 0 : port;
	if (numeric && !service)
		peer->endpoint.port = port;
	else
		peer->endpoint = (WiceEndpoint){ 0 };
	return READ_OK;
}

static Outcome read_mtu(Parser *parser, WiceConfToken value)
{
	uint64_t mtu;
	if (value.len == 0)
		return READ_OK;
	if (!wice__conf_read_number(value, parser->lenient, MTU_MAX, &mtu) || mtu < MTU_MIN)
		return READ_WRONG;
	parser->conf->mtu = (unsigned)mtu;
	return READ_OK;
}

/* wg-quick(8) separates with white space as well as with commas, and minds no empty items. */
static bool next_word(const Parser *parser, WiceConfToken *list, WiceConfToken *ret)
{
	if (!parser->lenient) {
		if (!list->text)
			return false;
		*ret = wice__conf_next_item(list);
		return true;
	}
	const char *at = list->text, *end = at + list->len;
	while (at < end && (*at == ',' || wice__conf_is_space(*at)))
		at++;
	ret->text = at;
	while (at < end && *at != ',' && !wice__conf_is_space(*at))
		at++;
	ret->len = (size_t)(at - ret->text);
	*list = (WiceConfToken){ at, (size_t)(end - at) };
	return ret->len > 0;
}

static Outcome read_addresses(Parser *parser, WiceConfToken value)
{
	WiceConfToken item;
	while (next_word(parser, &value, &item)) {
		WiceInterfaceAddress address;
		if (!wice__conf_read_network(item, parser->lenient, &address.address,
					     &address.length))
			return tell_item(parser, WICE_CONF_ADDRESS, item);
		g_array_append_val(parser->conf->addresses, address);
	}
	return READ_OK;
}

static Outcome read_dns(Parser *parser, WiceConfToken value)
{
	WiceConfToken item;
	while (next_word(parser, &value, &item)) {
		if (item.len == 0 || wice__conf_has_space(item))
			return tell_item(parser, WICE_CONF_DNS, item);
	}
	return READ_OK;
}

static Outcome read_table(Parser *parser, WiceConfToken value)
{
	for (size_t i = 0; i < value.len; i++) {
		if (!g_ascii_isalnum(value.text[i]) && !strchr("_.-", value.text[i]))
			return READ_WRONG;
	}
	return READ_OK;
}

static bool is_word(WiceConfToken value, const char *word)
{
	return value.len == strlen(word) && g_ascii_strncasecmp(value.text, word, value.len) == 0;
}

static Outcome read_save_config(Parser *parser, WiceConfToken value)
{
	return is_word(value, "true") || is_word(value, "false") ? READ_OK : READ_WRONG;
}

static Outcome read_command(Parser *parser, WiceConfToken value)
{
	return READ_OK;
}

typedef Outcome (*Reader)(Parser *parser, WiceConfToken value);

static const Reader readers[WICE_CONF_N_KEYS] = {
	[WICE_CONF_PRIVATE_KEY] = read_private_key,
	[WICE_CONF_LISTEN_PORT] = read_listen_port,
	[WICE_CONF_FWMARK] = read_fwmark,
	[WICE_CONF_ADDRESS] = read_addresses,
	[WICE_CONF_DNS] = read_dns,
	[WICE_CONF_MTU] = read_mtu,
	[WICE_CONF_TABLE] = read_table,
	[WICE_CONF_PRE_UP] = read_command,
	[WICE_CONF_POST_UP] = read_command,
	[WICE_CONF_PRE_DOWN] = read_command,
	[WICE_CONF_POST_DOWN] = read_command,
	[WICE_CONF_SAVE_CONFIG] = read_save_config,
	[WICE_CONF_PUBLIC_KEY] = read_public_key,
	[WICE_CONF_PRESHARED_KEY] = read_preshared_key,
	[WICE_CONF_ALLOWED_IPS] = read_allowed_ips,
	[WICE_CONF_ENDPOINT] = read_endpoint,
	[WICE_CONF_KEEPALIVE] = read_keepalive,
};

static void tell_value(Parser *parser, const WiceConfLine *line)
{
	char quoted[WICE_CONF_QUOTE_SIZE];
	const WiceConfKeyInfo *info = wice__conf_key_info(line->key);
	wice__conf_quote(line->value, quoted);
	if (info->secret && line->value.len == WICE_KEY_BASE64_SIZE - 1)
		wice__conf_error(parser->findings, line->value.text,
				 "%s is no base64 of 32 bytes; expected %s", info->name,
				 info->expected);
	else if (info->secret)
		wice__conf_error(parser->findings, line->value.text,
				 "%s is %zu characters long; expected %s", info->name,
				 line->value.len, info->expected);
	else
		wice__conf_error(parser->findings, line->value.text, "%s is %s; expected %s",
				 info->name, *quoted ? quoted : "something else", info->expected);
}

static Outcome read_without_spaces(Parser *parser, const WiceConfLine *line)
{
	WiceConfToken value = line->value;
	return take_spaces_out(parser, &value) ? readers[line->key](parser, value) : READ_WRONG;
}

static void read_key_line(Parser *parser, const WiceConfLine *line)
{
	const WiceConfKeyInfo *info = wice__conf_key_info(line->key);
	if (!parser->lenient && !info->list && parser->seen & 1u << line->key) {
		wice__conf_error(parser->findings, line->name.text,
				 "%s a second time in this section; expected it once", info->name);
		return;
	}
	parser->seen |= 1u << line->key;
	Outcome outcome = readers[line->key](parser, line->value);
	if (outcome == READ_WRONG && !info->quick)
		outcome = read_without_spaces(parser, line);
	if (outcome == READ_WRONG)
		tell_value(parser, line);
	if (outcome != READ_OK || !info->quick)
		return;
	WiceConfQuick quick = { line->key, g_strndup(line->value.text, line->value.len) };
	g_array_append_val(parser->conf->quick, quick);
}

/* Grows by hand: realloc(3) would leave preshared keys behind. */
static void make_room(WiceConf *conf)
{
	size_t room = conf->peers_room ? conf->peers_room * 2 : conf->len / SECTION_MIN + 1;
	WiceConfPeerEntry *peers = g_new(WiceConfPeerEntry, room);
	if (conf->n_peers) {
		memcpy(peers, conf->peers, conf->n_peers * sizeof *peers);
		sodium_memzero(conf->peers, conf->n_peers * sizeof *peers);
	}
	g_free(conf->peers);
	conf->peers = peers;
	conf->peers_room = room;
}

static void finish_peer(Parser *parser)
{
	if (parser->peer && !parser->peer_has_key && !(parser->seen & 1u << WICE_CONF_PUBLIC_KEY))
		wice__conf_error(parser->findings, parser->conf->text + parser->peer->offset,
				 "a [Peer] without a PublicKey; expected one");
}

static void begin_peer(Parser *parser, const WiceConfLine *line)
{
	WiceConf *conf = parser->conf;
	if (conf->n_peers == WICE_DEVICE_PEERS_MAX) {
		wice__conf_error(parser->findings, line->content.text,
				 "one more [Peer]; expected no more than %zu",
				 WICE_DEVICE_PEERS_MAX);
		conf->n_peers--; /* what follows has to go somewhere */
	}
	if (conf->n_peers == conf->peers_room)
		make_room(conf);
	parser->peer = &conf->peers[conf->n_peers++];
	*parser->peer = (WiceConfPeerEntry){
		.offset = (size_t)(line->content.text - conf->text),
		.first_ip = conf->n_allowed_ips,
	};
	parser->peer_has_key = false;
	parser->peer_has_signs = parser->peer_lacks_signs = false;
}

static void read_section_line(Parser *parser, const WiceConfLine *line)
{
	finish_peer(parser);
	parser->peer = NULL;
	parser->seen = 0;
	if (line->section == WICE_CONF_PEER) {
		begin_peer(parser, line);
		return;
	}
	if (parser->conf->has_interface && !parser->lenient)
		wice__conf_error(parser->findings, line->content.text,
				 "a second [Interface]; expected one");
	parser->conf->has_interface = true;
}

static void read_line(Parser *parser, const WiceConfLine *line, bool has_nul)
{
	const char *nul =
		has_nul && !parser->lenient ? memchr(line->whole.text, 0, line->whole.len) : NULL;
	if (nul) {
		wice__conf_error(parser->findings, nul, "a NUL byte; expected text");
		if (line->kind != WICE_CONF_LINE_SECTION)
			return;
	}
	switch (line->kind) {
	case WICE_CONF_LINE_SECTION:
		read_section_line(parser, line);
		break;
	case WICE_CONF_LINE_KEY:
		read_key_line(parser, line);
		break;
	case WICE_CONF_LINE_WRONG:
		wice__conf_explain(parser->findings, line);
		break;
	case WICE_CONF_LINE_BLANK:
		break;
	}
}

/* The array of allowed IPs does not move any more. */
static void point_at_allowed_ips(WiceConf *conf)
{
	for (size_t i = 0; i < conf->n_peers; i++) {
		WiceConfPeerEntry *entry = &conf->peers[i];
		if (entry->values.n_allowed_ips)
			entry->values.allowed_ips = conf->allowed_ips + entry->first_ip;
	}
}

void wice__conf_read_text(WiceConf *conf, WiceConfFindings *findings)
{
	Parser parser = {
		.conf = conf,
		.findings = findings,
		.lenient = conf->mode != WICE_CONF_STRICT,
	};
	WiceConfCursor cursor;
	WiceConfLine line;
	wice__conf_cursor_init(&cursor, conf->text, conf->len, conf->mode);
	while (!wice__conf_failed(findings) && wice__conf_cursor_next(&cursor, &line))
		read_line(&parser, &line, cursor.has_nul);
	finish_peer(&parser);
	if (parser.scratch)
		sodium_memzero(parser.scratch, parser.scratch_size);
	g_free(parser.scratch);
	point_at_allowed_ips(conf);
	if (!wice__conf_failed(findings))
		wice__conf_check(findings);
}
