/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each section is read twice: to see which of its lines say what, and to write it. Of several
 * lines of one key, the first that is right stays, or else the last is made right; the others go.
 * Lists of allowed IPs lose single items and get new ones at the end of their last line.
 *
 * A comment belongs to the section below it if it touches the section's first line and there is an
 * empty line, or nothing, above it:
 *
 *	AllowedIPs = 10.0.0.2/32
 *	# of the section above
 *
 *	# Alice's laptop
 *	[Peer]
 */
#include "wg/conf_edit.h"
#include "wg/conf_value.h"

#include <sodium.h>
#include <string.h>

#define INDENT_MAX 16

static void find_style(WiceConfEdit *edit)
{
	const WiceConf *conf = edit->conf;
	const char *newline = memchr(conf->text, '\n', conf->len);
	bool crlf = newline && newline > conf->text && newline[-1] == '\r';
	WiceConfCursor cursor;
	WiceConfLine line;
	edit->style = (WiceConfStyle){ crlf ? "\r\n" : "\n", { "", 0 }, " = " };
	wice__conf_cursor_init(&cursor, conf->text, conf->len, conf->mode);
	while (wice__conf_cursor_next(&cursor, &line)) {
		if (line.kind != WICE_CONF_LINE_KEY)
			continue;
		const char *name_end = line.name.text + line.name.len;
		edit->style.indent.text = line.whole.text;
		edit->style.indent.len =
			MIN((size_t)(line.name.text - line.whole.text), INDENT_MAX);
		if (*name_end == '=')
			edit->style.equals = name_end + 1 == line.value.text ? "=" : "= ";
		return;
	}
}

/* An offset of no line. */
#define NOWHERE SIZE_MAX

static void find_extents(WiceConfEdit *edit)
{
	const WiceConf *conf = edit->conf;
	WiceConfCursor cursor;
	WiceConfLine line;
	size_t comment = NOWHERE; /* where the comment begins that a section may follow */
	bool after_empty = true;
	edit->preamble = conf->len;
	wice__conf_cursor_init(&cursor, conf->text, conf->len, conf->mode);
	while (wice__conf_cursor_next(&cursor, &line)) {
		size_t start = (size_t)(line.whole.text - conf->text);
		bool blank = line.kind == WICE_CONF_LINE_BLANK;
		bool empty = blank && wice__conf_trim(line.whole.text, cursor.at).len == 0;
		if (line.kind == WICE_CONF_LINE_SECTION) {
			WiceConfExtent extent = { line.section, MIN(comment, start), conf->len };
			if (edit->extents->len)
				g_array_index(edit->extents, WiceConfExtent, edit->extents->len - 1)
					.end = extent.start;
			else
				edit->preamble = extent.start;
			g_array_append_val(edit->extents, extent);
		}
		if (!blank || empty)
			comment = NOWHERE;
		else if (after_empty)
			comment = start;
		after_empty = empty;
	}
}

void wice__conf_edit_init(WiceConfEdit *edit, const WiceConf *conf)
{
	*edit = (WiceConfEdit){ .conf = conf };
	edit->extents = g_array_new(FALSE, FALSE, sizeof(WiceConfExtent));
	wice__writer_init(&edit->out, conf->len + 1024);
	find_style(edit);
	find_extents(edit);
}

void wice__conf_edit_done(WiceConfEdit *edit)
{
	g_array_unref(edit->extents);
	g_free(edit->owners);
}

void wice__conf_edit_wish(WiceConfEdit *edit, WiceConfKey key, const char *text)
{
	edit->wishes[key] = (WiceConfWish){ .edited = true, .text = text };
}

void wice__conf_edit_wish_ips(WiceConfEdit *edit, const WiceDevicePeer *peer,
			      const WiceConfPeer *before)
{
	g_free(edit->owners);
	edit->owners = g_new0(uint32_t, peer->n_allowed_ips + 1);
	edit->n_missing = peer->n_allowed_ips;
	edit->last_ips_line = 0;
	edit->peer = peer;
	edit->before = before;
}

static WiceConfCursor cursor_of(const WiceConfEdit *edit, const WiceConfExtent *extent)
{
	WiceConfCursor cursor;
	wice__conf_cursor_init(&cursor, edit->conf->text + extent->start,
			       extent->end - extent->start, edit->conf->mode);
	return cursor;
}

static size_t offset_of(const WiceConfEdit *edit, const WiceConfLine *line)
{
	return (size_t)(line->whole.text - edit->conf->text);
}

/* What a name has been resolved to, or something that is no wish. */
static void format_resolved(const WiceConf *conf, const char *name, char ret[WICE_ENDPOINT_SIZE])
{
	const WiceEndpoint *resolved = g_hash_table_lookup(conf->resolved, name);
	if (!resolved)
		g_strlcpy(ret, "?", WICE_ENDPOINT_SIZE);
	else if (resolved->address.family == WICE_FAMILY_NONE)
		g_snprintf(ret, WICE_ENDPOINT_SIZE, "%u", resolved->port);
	else
		wice_endpoint_format(resolved, ret);
}

static void read_port_text(const WiceConf *conf, WiceConfToken value, bool lenient,
			   char ret[WICE_ENDPOINT_SIZE])
{
	uint16_t port = 0;
	bool service = false;
	(void)wice__conf_read_port(value, lenient, &port, &service);
	if (service) {
		g_autofree char *name = g_strndup(value.text, value.len);
		format_resolved(conf, name, ret);
	} else if (port) {
		g_snprintf(ret, WICE_ENDPOINT_SIZE, "%u", port);
	}
}

static void read_endpoint_text(const WiceConf *conf, WiceConfToken value, bool lenient,
			       char ret[WICE_ENDPOINT_SIZE])
{
	WiceConfEndpoint parts;
	WiceEndpoint endpoint = { 0 };
	uint16_t port = 0;
	bool service;
	if (!wice__conf_split_endpoint(value, &parts) ||
	    !wice__conf_read_port(parts.port, lenient, &port, &service))
		return;
	if (!service && wice__conf_read_host(parts.host, lenient, &endpoint)) {
		endpoint.port = port;
		wice_endpoint_format(&endpoint, ret);
		return;
	}
	g_autofree char *host = g_strndup(parts.host.text, parts.host.len);
	g_autofree char *name =
		service ? g_strdup_printf("%s %.*s", host, (int)parts.port.len, parts.port.text)
			: g_strdup_printf("%s %u", host, port);
	format_resolved(conf, name, ret);
}

/* The value in the form of a wish, so that two spellings of one value are equal; "": nothing. */
static void read_text(const WiceConf *conf, WiceConfKey key, WiceConfToken value,
		      char ret[WICE_ENDPOINT_SIZE])
{
	bool lenient = conf->mode != WICE_CONF_STRICT;
	uint32_t number = 0;
	uint16_t small = 0;
	WiceKey secret;
	ret[0] = 0;
	switch (key) {
	case WICE_CONF_LISTEN_PORT:
		read_port_text(conf, value, lenient, ret);
		return;
	case WICE_CONF_FWMARK:
		(void)wice__conf_read_fwmark(value, lenient, &number);
		break;
	case WICE_CONF_KEEPALIVE:
		(void)wice__conf_read_keepalive(value, lenient, &small);
		number = small;
		break;
	case WICE_CONF_ENDPOINT:
		read_endpoint_text(conf, value, lenient, ret);
		return;
	default:
		if (wice__conf_read_key(value, &secret) && !wice_key_is_zero(&secret))
			wice_key_to_base64(&secret, ret);
		wice_key_clear(&secret);
		return;
	}
	if (number)
		g_snprintf(ret, WICE_ENDPOINT_SIZE, "%u", number);
}

static bool is_right(const WiceConfEdit *edit, const WiceConfLine *line)
{
	const char *wanted = edit->wishes[line->key].text;
	char text[WICE_ENDPOINT_SIZE];
	if (edit->wishes[line->key].exact)
		return false;
	char *copy = g_malloc(line->value.len + 1);
	WiceConfToken value = { copy, wice__conf_compact(line->value, copy) };
	read_text(edit->conf, line->key, value, text);
	sodium_memzero(copy, line->value.len);
	g_free(copy);
	bool right =
		strlen(text) == strlen(wanted) && sodium_memcmp(text, wanted, strlen(wanted)) == 0;
	sodium_memzero(text, sizeof text);
	return right;
}

static bool has_sign(WiceConfToken item)
{
	return item.len && (item.text[0] == '+' || item.text[0] == '-');
}

static int compare_prefixes(const void *a, const void *b)
{
	return wice_prefix_compare(a, b);
}

/* The number of the peer's allowed IP that an item says, or n_allowed_ips. */
static size_t find_ip(const WiceConfEdit *edit, uint32_t item)
{
	const WiceDevicePeer *peer = edit->peer;
	const WicePrefix *found = NULL;
	if (peer->n_allowed_ips)
		found = bsearch(&edit->before->allowed_ips[item].prefix, peer->allowed_ips,
				peer->n_allowed_ips, sizeof *found, compare_prefixes);
	return found ? (size_t)(found - peer->allowed_ips) : peer->n_allowed_ips;
}

static void look_at_ips(WiceConfEdit *edit, const WiceConfLine *line)
{
	WiceConfToken list = line->value;
	edit->last_ips_line = offset_of(edit, line) + 1;
	while (list.text) {
		bool sign = has_sign(wice__conf_next_item(&list));
		size_t ip = find_ip(edit, edit->item++);
		if (sign || ip == edit->peer->n_allowed_ips || edit->owners[ip])
			continue;
		edit->owners[ip] = edit->item;
		edit->n_missing--;
	}
}

void wice__conf_edit_look(WiceConfEdit *edit, const WiceConfExtent *extent)
{
	WiceConfCursor cursor = cursor_of(edit, extent);
	WiceConfLine line;
	edit->item = 0;
	while (wice__conf_cursor_next(&cursor, &line)) {
		WiceConfWish *wish = &edit->wishes[line.key];
		if (line.kind != WICE_CONF_LINE_KEY)
			continue;
		if (line.key == WICE_CONF_ALLOWED_IPS && edit->peer)
			look_at_ips(edit, &line);
		if (!wish->edited || wish->right)
			continue;
		wish->chosen = offset_of(edit, &line);
		wish->found = true;
		wish->right = is_right(edit, &line);
	}
	edit->item = 0;
}

static void write_token(WiceConfEdit *edit, WiceConfToken token)
{
	wice__writer_bytes(&edit->out, token.text, token.len);
}

void wice__conf_edit_copy(WiceConfEdit *edit, size_t start, size_t end)
{
	wice__writer_bytes(&edit->out, edit->conf->text + start, end - start);
}

/* A last line may lack its end. */
static void end_line(WiceConfEdit *edit)
{
	if (edit->out.len && edit->out.data[edit->out.len - 1] != '\n')
		wice__writer_text(&edit->out, edit->style.eol);
}

static void begin_key(WiceConfEdit *edit, WiceConfKey key)
{
	end_line(edit);
	write_token(edit, edit->style.indent);
	wice__writer_text(&edit->out, wice__conf_key_info(key)->name);
	wice__writer_text(&edit->out, edit->style.equals);
}

/* The allowed IPs that no item says, in the order of the device. */
static void write_missing_ips(WiceConfEdit *edit, bool first)
{
	char text[WICE_PREFIX_SIZE];
	for (size_t i = 0; i < edit->peer->n_allowed_ips; i++) {
		uint32_t ip = edit->peer->allowed_ip_order[i];
		if (edit->owners[ip])
			continue;
		if (!first)
			wice__writer_text(&edit->out, ", ");
		first = false;
		wice__writer_text(&edit->out,
				  wice_prefix_format(&edit->peer->allowed_ips[ip], text));
	}
}

/* Everything of a line but its value stays. */
static void begin_value(WiceConfEdit *edit, const WiceConfLine *line)
{
	const char *start = line->whole.text;
	wice__writer_bytes(&edit->out, start, (size_t)(line->value.text - start));
}

static void end_value(WiceConfEdit *edit, const WiceConfLine *line)
{
	const char *end = line->whole.text + line->whole.len;
	const char *value_end = line->value.text + line->value.len;
	wice__writer_bytes(&edit->out, value_end, (size_t)(end - value_end));
}

static bool is_kept(WiceConfEdit *edit, WiceConfToken item)
{
	size_t ip = find_ip(edit, edit->item++);
	return !has_sign(item) && ip < edit->peer->n_allowed_ips && edit->owners[ip] == edit->item;
}

static void write_ips_line(WiceConfEdit *edit, const WiceConfLine *line)
{
	WiceConfToken list = line->value;
	uint32_t first_item = edit->item;
	bool last = edit->last_ips_line == offset_of(edit, line) + 1;
	size_t n = 0, n_kept = 0;
	for (; list.text; n++)
		n_kept += is_kept(edit, wice__conf_next_item(&list));
	bool append = last && edit->n_missing;
	if (n_kept == n && !append) {
		write_token(edit, line->whole);
		return;
	}
	if (n_kept == 0 && !append)
		return;
	edit->item = first_item;
	begin_value(edit, line);
	n_kept = 0;
	for (list = line->value; list.text;) {
		WiceConfToken item = wice__conf_next_item(&list);
		if (!is_kept(edit, item))
			continue;
		if (n_kept++)
			wice__writer_text(&edit->out, ", ");
		write_token(edit, item);
	}
	if (append)
		write_missing_ips(edit, n_kept == 0);
	end_value(edit, line);
}

static void write_line(WiceConfEdit *edit, const WiceConfLine *line)
{
	const WiceConfWish *wish = &edit->wishes[line->key];
	if (line->kind == WICE_CONF_LINE_KEY && line->key == WICE_CONF_ALLOWED_IPS && edit->peer) {
		write_ips_line(edit, line);
	} else if (line->kind != WICE_CONF_LINE_KEY || !wish->edited) {
		write_token(edit, line->whole);
	} else if (wish->chosen != offset_of(edit, line) || (!wish->right && !*wish->text)) {
		return;
	} else if (wish->right) {
		write_token(edit, line->whole);
	} else {
		begin_value(edit, line);
		wice__writer_text(&edit->out, wish->text);
		end_value(edit, line);
	}
}

static void write_missing(WiceConfEdit *edit, WiceConfSection section)
{
	for (WiceConfKey key = WICE_CONF_NO_KEY + 1; key < WICE_CONF_N_KEYS; key++) {
		const WiceConfWish *wish = &edit->wishes[key];
		bool ips = key == WICE_CONF_ALLOWED_IPS && edit->peer && edit->n_missing &&
			   !edit->last_ips_line;
		bool text = wish->edited && !wish->found && *wish->text;
		if (wice__conf_key_info(key)->section != section || !(ips || text))
			continue;
		begin_key(edit, key);
		if (ips)
			write_missing_ips(edit, true);
		else
			wice__writer_text(&edit->out, wish->text);
		wice__writer_text(&edit->out, edit->style.eol);
	}
}

/* Where the last line of a section's keys, or the section's own line, ends. */
static const char *find_last_key(const WiceConfEdit *edit, const WiceConfExtent *extent)
{
	WiceConfCursor cursor = cursor_of(edit, extent);
	WiceConfLine line;
	const char *end = NULL;
	while (wice__conf_cursor_next(&cursor, &line)) {
		if (line.kind != WICE_CONF_LINE_BLANK)
			end = cursor.at;
	}
	return end;
}

void wice__conf_edit_write(WiceConfEdit *edit, const WiceConfExtent *extent, bool complete)
{
	const char *last = find_last_key(edit, extent);
	WiceConfCursor cursor = cursor_of(edit, extent);
	WiceConfLine line;
	while (wice__conf_cursor_next(&cursor, &line)) {
		write_line(edit, &line);
		if (complete && cursor.at == last)
			write_missing(edit, extent->kind);
	}
}

void wice__conf_edit_add(WiceConfEdit *edit, WiceConfSection kind)
{
	const char *eol = edit->style.eol;
	end_line(edit);
	size_t len = edit->out.len;
	bool spaced =
		len == 0 || (len > strlen(eol) && edit->out.data[len - strlen(eol) - 1] == '\n');
	if (!spaced)
		wice__writer_text(&edit->out, eol);
	wice__writer_text(&edit->out, kind == WICE_CONF_PEER ? "[Peer]" : "[Interface]");
	wice__writer_text(&edit->out, eol);
	write_missing(edit, kind);
}
