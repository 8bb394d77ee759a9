/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plans as text, for people and for programs. Neither form shows a secret: what is written is
 * public keys in base64, addresses and numbers, so nothing needs escaping.
 */
#include <string.h>
#include <wice/plan.h>

typedef enum { ADD, CHANGE, REMOVE } Action;

/* Without a device to look at, a peer that is not to be updated only is taken for a new one. */
static Action action_of(const WicePeerChange *peer, const WiceDevicePeer *before)
{
	if (peer->flags & WICE_PEER_CHANGE_REMOVE)
		return REMOVE;
	return before || peer->flags & WICE_PEER_CHANGE_UPDATE_ONLY ? CHANGE : ADD;
}

/* The i-th peer of the change as it was; NULL if it is to be a new one. */
static const WiceDevicePeer *find_before(const WiceDeviceChange *change, const WiceDevice *present,
					 size_t i)
{
	if (!present || change->flags & WICE_DEVICE_CHANGE_REPLACE_PEERS)
		return NULL;
	return wice_device_find_peer(present, &change->peers[i].public_key);
}

static const char *set_or_removed(const WiceKey *secret)
{
	return wice_key_is_zero(secret) ? "removed" : "set";
}

/*
 * For people: one line per changed peer, and one for the interface. A line is "~ peer KEY" and
 * parts that say what changes, ": " before the first and ", " before the others.
 */
typedef struct {
	GString *text;
	bool has_parts;
} Line;

static Line begin_line(GString *text, const char *head)
{
	g_string_append(text, head);
	return (Line){ .text = text };
}

static void add_part(Line *line, const char *part)
{
	g_string_append(line->text, line->has_parts ? ", " : ": ");
	g_string_append(line->text, part);
	line->has_parts = true;
}

/* "WHAT FROM -> TO", or "WHAT TO" if from is NULL or no other. */
static void add_change(Line *line, const char *what, const char *from, const char *to)
{
	add_part(line, what);
	if (from && strcmp(from, to) != 0)
		g_string_append_printf(line->text, " %s -> %s", from, to);
	else
		g_string_append_printf(line->text, " %s", to);
}

#define NUMBER_SIZE 16

static const char *format_port(uint16_t port, char ret_text[NUMBER_SIZE])
{
	g_snprintf(ret_text, NUMBER_SIZE, "%u", port);
	return port ? ret_text : "any";
}

static const char *format_fwmark(uint32_t fwmark, char ret_text[NUMBER_SIZE])
{
	g_snprintf(ret_text, NUMBER_SIZE, "0x%x", fwmark);
	return fwmark ? ret_text : "off";
}

static const char *format_keepalive(uint16_t keepalive_s, char ret_text[NUMBER_SIZE])
{
	g_snprintf(ret_text, NUMBER_SIZE, "%u s", keepalive_s);
	return keepalive_s ? ret_text : "off";
}

static void format_interface(GString *text, const WiceDeviceChange *change,
			     const WiceDeviceInfo *before)
{
	char from[NUMBER_SIZE], to[NUMBER_SIZE];
	if (change->fields) {
		Line line = begin_line(text, "~ interface");
		if (before && *before->name)
			g_string_append_printf(text, " %s", before->name);
		if (change->fields & WICE_DEVICE_HAS_LISTEN_PORT)
			add_change(&line, "listen port",
				   before ? format_port(before->listen_port, from) : NULL,
				   format_port(change->listen_port, to));
		if (change->fields & WICE_DEVICE_HAS_FWMARK)
			add_change(&line, "fwmark",
				   before ? format_fwmark(before->fwmark, from) : NULL,
				   format_fwmark(change->fwmark, to));
		if (change->fields & WICE_DEVICE_HAS_PRIVATE_KEY)
			add_change(&line, "private key", NULL,
				   set_or_removed(&change->private_key));
		g_string_append_c(text, '\n');
	}
	if (change->flags & WICE_DEVICE_CHANGE_REPLACE_PEERS)
		g_string_append(text, "- all peers\n");
}

/* A whole list: "allowed ips A B"; changes of one: "allowed ips +A -B". */
static void format_allowed_ips(Line *line, const WicePeerChange *peer, Action action)
{
	char text[WICE_PREFIX_SIZE];
	bool whole = action == ADD || peer->flags & WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS;
	if (peer->n_allowed_ips == 0 && (action == ADD || !whole))
		return;
	add_part(line, "allowed ips");
	for (size_t i = 0; i < peer->n_allowed_ips; i++) {
		const WiceAllowedIpChange *entry = &peer->allowed_ips[i];
		g_string_append_printf(line->text, " %s%s",
				       entry->remove ? "-"
				       : whole       ? ""
						     : "+",
				       wice_prefix_format(&entry->prefix, text));
	}
	if (peer->n_allowed_ips == 0)
		g_string_append(line->text, " (none)");
}

static void format_fields(Line *line, const WicePeerChange *peer, const WiceDevicePeer *before)
{
	char from[WICE_ENDPOINT_SIZE], to[WICE_ENDPOINT_SIZE];
	if (peer->fields & WICE_PEER_HAS_ENDPOINT)
		add_change(line, "endpoint",
			   before ? wice_endpoint_format(&before->endpoint, from) : NULL,
			   wice_endpoint_format(&peer->endpoint, to));
	if (peer->fields & WICE_PEER_HAS_PRESHARED_KEY)
		add_change(line, "preshared key", NULL, set_or_removed(&peer->preshared_key));
	if (peer->fields & WICE_PEER_HAS_KEEPALIVE)
		add_change(line, "persistent keepalive",
			   before ? format_keepalive(before->keepalive_s, from) : NULL,
			   format_keepalive(peer->keepalive_s, to));
}

static void format_peer(GString *text, const WicePeerChange *peer, const WiceDevicePeer *before)
{
	static const char *const heads[] = {
		[ADD] = "+ peer ", [CHANGE] = "~ peer ", [REMOVE] = "- peer "
	};
	char key[WICE_KEY_BASE64_SIZE];
	Action action = action_of(peer, before);
	Line line = begin_line(text, heads[action]);
	wice_key_to_base64(&peer->public_key, key);
	g_string_append(text, key);
	if (action != REMOVE) {
		format_fields(&line, peer, before);
		format_allowed_ips(&line, peer, action);
	}
	g_string_append_c(text, '\n');
}

char *wice_plan_format(const WicePlan *plan, const WiceDevice *present)
{
	const WiceDeviceChange *change = wice_plan_change(plan);
	GString *text = g_string_new(NULL);
	if (wice_plan_is_empty(plan))
		return g_string_free(text, FALSE);
	format_interface(text, change, present ? wice_device_info(present) : NULL);
	for (size_t i = 0; i < change->n_peers; i++)
		format_peer(text, &change->peers[i], find_before(change, present, i));
	return g_string_free(text, FALSE);
}

/* For programs */

/* The name of the next member of the object that is being written. */
static void append_name(GString *json, const char *name)
{
	if (json->str[json->len - 1] != '{')
		g_string_append_c(json, ',');
	g_string_append_printf(json, "\"%s\":", name);
}

static void append_number(GString *json, const char *name, bool present, uint32_t value)
{
	append_name(json, name);
	if (present)
		g_string_append_printf(json, "%u", value);
	else
		g_string_append(json, "null");
}

static void append_text(GString *json, const char *name, const char *value)
{
	append_name(json, name);
	if (value)
		g_string_append_printf(json, "\"%s\"", value);
	else
		g_string_append(json, "null");
}

static void append_bool(GString *json, const char *name, bool value)
{
	append_name(json, name);
	g_string_append(json, value ? "true" : "false");
}

static void append_allowed_ips(GString *json, const char *name, const WicePeerChange *peer,
			       bool removed)
{
	char text[WICE_PREFIX_SIZE];
	const char *comma = "";
	append_name(json, name);
	g_string_append_c(json, '[');
	for (size_t i = 0; i < peer->n_allowed_ips; i++) {
		if (peer->allowed_ips[i].remove != removed)
			continue;
		g_string_append_printf(json, "%s\"%s\"", comma,
				       wice_prefix_format(&peer->allowed_ips[i].prefix, text));
		comma = ",";
	}
	g_string_append_c(json, ']');
}

static void append_interface(GString *json, const WiceDeviceChange *change)
{
	append_name(json, "interface");
	g_string_append_c(json, '{');
	append_number(json, "listen_port", change->fields & WICE_DEVICE_HAS_LISTEN_PORT,
		      change->listen_port);
	append_number(json, "fwmark", change->fields & WICE_DEVICE_HAS_FWMARK, change->fwmark);
	append_text(json, "private_key",
		    change->fields & WICE_DEVICE_HAS_PRIVATE_KEY
			    ? set_or_removed(&change->private_key)
			    : NULL);
	g_string_append_c(json, '}');
}

static void append_peer(GString *json, const WicePeerChange *peer, const WiceDevicePeer *before)
{
	static const char *const actions[] = {
		[ADD] = "add", [CHANGE] = "change", [REMOVE] = "remove"
	};
	char key[WICE_KEY_BASE64_SIZE], endpoint[WICE_ENDPOINT_SIZE];
	wice_key_to_base64(&peer->public_key, key);
	wice_endpoint_format(&peer->endpoint, endpoint);
	g_string_append_c(json, '{');
	append_text(json, "public_key", key);
	append_text(json, "action", actions[action_of(peer, before)]);
	append_text(json, "endpoint", peer->fields & WICE_PEER_HAS_ENDPOINT ? endpoint : NULL);
	append_text(json, "preshared_key",
		    peer->fields & WICE_PEER_HAS_PRESHARED_KEY
			    ? set_or_removed(&peer->preshared_key)
			    : NULL);
	append_number(json, "persistent_keepalive", peer->fields & WICE_PEER_HAS_KEEPALIVE,
		      peer->keepalive_s);
	append_bool(json, "replace_allowed_ips",
		    peer->flags & WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS);
	append_allowed_ips(json, "allowed_ips_added", peer, false);
	append_allowed_ips(json, "allowed_ips_removed", peer, true);
	g_string_append_c(json, '}');
}

char *wice_plan_format_json(const WicePlan *plan, const WiceDevice *present)
{
	const WiceDeviceChange *change = wice_plan_change(plan);
	GString *json = g_string_new("{");
	append_interface(json, change);
	append_bool(json, "replace_peers", change->flags & WICE_DEVICE_CHANGE_REPLACE_PEERS);
	append_name(json, "peers");
	g_string_append_c(json, '[');
	for (size_t i = 0; i < change->n_peers; i++) {
		if (i)
			g_string_append_c(json, ',');
		append_peer(json, &change->peers[i], find_before(change, present, i));
	}
	g_string_append(json, "]}");
	return g_string_free(json, FALSE);
}
