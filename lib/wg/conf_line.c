/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line is "[Section]", "Key = value" or nothing, and may end with a comment. wg(8) takes all
 * white space out of a line before it looks at it, so "[ Pe er ]" is a section; in the modes that
 * are compatible with it so it is here. wg-quick(8) looks at lines first and takes its own keys
 * away, but only where it sees them: without white space inside, and in a section written
 * "[Interface]".
 */
#include "wg/conf_line.h"

#include <string.h>

#define KEY_LEN_MAX 19 /* PersistentKeepalive */

#define NAME(word) .name = word, .len = sizeof(word) - 1

static const WiceConfKeyInfo keys[WICE_CONF_N_KEYS] = {
	[WICE_CONF_PRIVATE_KEY] = {
		NAME("PrivateKey"), .section = WICE_CONF_INTERFACE, .secret = true,
		.expected = "a key as \"wg genkey\" prints it: 44 characters of base64",
	},
	[WICE_CONF_LISTEN_PORT] = {
		NAME("ListenPort"), .section = WICE_CONF_INTERFACE,
		.expected = "a port from 0 (any) to 65535",
	},
	[WICE_CONF_FWMARK] = {
		NAME("FwMark"), .section = WICE_CONF_INTERFACE,
		.expected = "\"off\", or a number of 32 bits, in decimal or with 0x in hexadecimal",
	},
	[WICE_CONF_ADDRESS] = {
		NAME("Address"), .section = WICE_CONF_INTERFACE, .quick = true, .list = true,
		.expected = "IP addresses with prefix lengths, separated by commas",
	},
	[WICE_CONF_DNS] = {
		NAME("DNS"), .section = WICE_CONF_INTERFACE, .quick = true, .list = true,
		.expected = "IP addresses and search domains, separated by commas",
	},
	[WICE_CONF_MTU] = {
		NAME("MTU"), .section = WICE_CONF_INTERFACE, .quick = true,
		.expected = "a number of bytes from 68 to 65535",
	},
	[WICE_CONF_TABLE] = {
		NAME("Table"), .section = WICE_CONF_INTERFACE, .quick = true,
		.expected = "\"off\", \"auto\", or the number or name of a routing table",
	},
	[WICE_CONF_PRE_UP] = {
		NAME("PreUp"), .section = WICE_CONF_INTERFACE, .quick = true, .list = true,
		.secret = true, .shell = true, .expected = "a command",
	},
	[WICE_CONF_POST_UP] = {
		NAME("PostUp"), .section = WICE_CONF_INTERFACE, .quick = true, .list = true,
		.secret = true, .shell = true, .expected = "a command",
	},
	[WICE_CONF_PRE_DOWN] = {
		NAME("PreDown"), .section = WICE_CONF_INTERFACE, .quick = true, .list = true,
		.secret = true, .shell = true, .expected = "a command",
	},
	[WICE_CONF_POST_DOWN] = {
		NAME("PostDown"), .section = WICE_CONF_INTERFACE, .quick = true, .list = true,
		.secret = true, .shell = true, .expected = "a command",
	},
	[WICE_CONF_SAVE_CONFIG] = {
		NAME("SaveConfig"), .section = WICE_CONF_INTERFACE, .quick = true,
		.expected = "\"true\" or \"false\"",
	},
	[WICE_CONF_PUBLIC_KEY] = {
		NAME("PublicKey"), .section = WICE_CONF_PEER, .secret = true,
		.expected = "a key as \"wg pubkey\" prints it: 44 characters of base64",
	},
	[WICE_CONF_PRESHARED_KEY] = {
		NAME("PresharedKey"), .section = WICE_CONF_PEER, .secret = true,
		.expected = "a key as \"wg genpsk\" prints it: 44 characters of base64",
	},
	[WICE_CONF_ALLOWED_IPS] = {
		NAME("AllowedIPs"), .section = WICE_CONF_PEER, .list = true,
		.expected = "IP addresses with prefix lengths, separated by commas",
	},
	[WICE_CONF_ENDPOINT] = {
		NAME("Endpoint"), .section = WICE_CONF_PEER,
		.expected = "HOST:PORT or [IPv6 ADDRESS]:PORT",
	},
	[WICE_CONF_KEEPALIVE] = {
		NAME("PersistentKeepalive"), .section = WICE_CONF_PEER,
		.expected = "\"off\" or a number of seconds up to 65535",
	},
};

const WiceConfKeyInfo *wice__conf_key_info(WiceConfKey key)
{
	return &keys[key];
}

/*
 * name is a word of ASCII letters, as long as the token: for letters, and only for them, setting
 * bit 5 ignores the case.
 */
static bool is_word(WiceConfToken token, const char *name)
{
	if (memcmp(token.text, name, token.len) == 0)
		return true;
	for (size_t i = 0; i < token.len; i++) {
		if ((token.text[i] | 0x20) != (name[i] | 0x20))
			return false;
	}
	return true;
}

WiceConfKey wice__conf_find_key(WiceConfSection section, WiceConfToken name)
{
	if (section == WICE_CONF_OUTSIDE || name.len == 0 || name.len > KEY_LEN_MAX)
		return WICE_CONF_NO_KEY;
	unsigned first = section == WICE_CONF_PEER ? WICE_CONF_PUBLIC_KEY : WICE_CONF_PRIVATE_KEY;
	unsigned end = section == WICE_CONF_PEER ? WICE_CONF_N_KEYS : WICE_CONF_PUBLIC_KEY;
	for (unsigned key = first; key < end; key++) {
		if (keys[key].len == name.len && is_word(name, keys[key].name))
			return (WiceConfKey)key;
	}
	return WICE_CONF_NO_KEY;
}

bool wice__conf_has_space(WiceConfToken token)
{
	for (size_t i = 0; i < token.len; i++) {
		if (wice__conf_is_space(token.text[i]))
			return true;
	}
	return false;
}

size_t wice__conf_compact(WiceConfToken token, char *ret)
{
	size_t len = 0;
	for (size_t i = 0; i < token.len; i++) {
		if (!wice__conf_is_space(token.text[i]))
			ret[len++] = token.text[i];
	}
	return len;
}

WiceConfToken wice__conf_next_item(WiceConfToken *list)
{
	const char *end = list->text + list->len;
	const char *comma = memchr(list->text, ',', list->len);
	WiceConfToken item = wice__conf_trim(list->text, comma ? comma : end);
	if (comma)
		*list = (WiceConfToken){ comma + 1, (size_t)(end - comma - 1) };
	else
		*list = (WiceConfToken){ NULL, 0 };
	return item;
}

/*
 * Without white space, if it is short enough to be a key or a section then. Returns the token
 * itself in strict mode.
 */
static WiceConfToken compact_word(const WiceConfCursor *cursor, WiceConfToken token,
				  char buffer[KEY_LEN_MAX])
{
	size_t len = 0;
	if (cursor->mode == WICE_CONF_STRICT)
		return token;
	for (size_t i = 0; i < token.len; i++) {
		if (wice__conf_is_space(token.text[i]))
			continue;
		if (len == KEY_LEN_MAX)
			return token;
		buffer[len++] = token.text[i];
	}
	return (WiceConfToken){ buffer, len };
}

static WiceConfSection find_section(WiceConfToken content)
{
	WiceConfToken word = { content.text + 1, content.len - 2 };
	if (content.len < 2 || content.text[0] != '[' || content.text[content.len - 1] != ']')
		return WICE_CONF_OUTSIDE;
	if (word.len == strlen("Interface") && is_word(word, "Interface"))
		return WICE_CONF_INTERFACE;
	return word.len == strlen("Peer") && is_word(word, "Peer") ? WICE_CONF_PEER
								   : WICE_CONF_OUTSIDE;
}

static void read_section(WiceConfCursor *cursor, WiceConfLine *line)
{
	char buffer[KEY_LEN_MAX];
	WiceConfSection section = find_section(line->content);
	cursor->quick = section == WICE_CONF_INTERFACE;
	if (section == WICE_CONF_OUTSIDE)
		section = find_section(compact_word(cursor, line->content, buffer));
	if (section == WICE_CONF_OUTSIDE)
		return;
	line->kind = WICE_CONF_LINE_SECTION;
	line->section = cursor->section = section;
}

/* wg-quick takes its keys before wg sees the line, and takes them with an empty value. */
static bool is_allowed(const WiceConfCursor *cursor, const WiceConfLine *line, WiceConfKey key)
{
	if (key == WICE_CONF_NO_KEY)
		return false;
	if (!keys[key].quick)
		return line->value.len > 0;
	switch (cursor->mode) {
	case WICE_CONF_STRICT:
		return line->value.len > 0;
	case WICE_CONF_COMPAT_QUICK:
		return cursor->quick;
	default:
		return false;
	}
}

static void read_key(const WiceConfCursor *cursor, WiceConfLine *line, const char *line_end)
{
	char buffer[KEY_LEN_MAX];
	const char *end = line->content.text + line->content.len;
	const char *equals = memchr(line->content.text, '=', line->content.len);
	line->name = wice__conf_trim(line->content.text, equals ? equals : end);
	if (!equals)
		return;
	line->value = wice__conf_trim(equals + 1, end);
	WiceConfKey key = wice__conf_find_key(cursor->section, line->name);
	if (key == WICE_CONF_NO_KEY) {
		key = wice__conf_find_key(cursor->section,
					  compact_word(cursor, line->name, buffer));
		if (keys[key].quick)
			return;
	}
	if (keys[key].shell)
		line->value = wice__conf_trim(equals + 1, line_end);
	if (!is_allowed(cursor, line, key))
		return;
	line->kind = WICE_CONF_LINE_KEY;
	line->key = key;
}

static const char *find_comment(const char *at, const char *end)
{
	const char *comment = at < end ? memchr(at, '#', (size_t)(end - at)) : NULL;
	return comment ? comment : end;
}

void wice__conf_cursor_init(WiceConfCursor *cursor, const char *text, size_t len, WiceConfMode mode)
{
	*cursor = (WiceConfCursor){ .at = text, .end = text + len, .mode = mode };
	cursor->has_nul = len && memchr(text, 0, len);
	cursor->comment = find_comment(text, text + len);
}

/* Where what counts ends: for wg(8), which reads strings, at a NUL. */
static const char *find_end(const WiceConfCursor *cursor, const char *start, const char *end)
{
	const char *nul = NULL;
	if (cursor->has_nul && cursor->mode != WICE_CONF_STRICT)
		nul = memchr(start, 0, (size_t)(end - start));
	return nul ? nul : end;
}

/*
 * The key that the line begins with if it does so as wg(8) writes it; *ret_len is the length of
 * "Key = " then. Only for keys that every peer may have: large files are made of them.
 */
static WiceConfKey find_plain_key(const char *start, const char *end, size_t *ret_len)
{
#define BEGINS_WITH(words)                                     \
	((size_t)(end - start) > (*ret_len = strlen(words)) && \
	 memcmp(start, words, strlen(words)) == 0)
	if (BEGINS_WITH("PublicKey = "))
		return WICE_CONF_PUBLIC_KEY;
	if (BEGINS_WITH("AllowedIPs = "))
		return WICE_CONF_ALLOWED_IPS;
	if (BEGINS_WITH("Endpoint = "))
		return WICE_CONF_ENDPOINT;
	if (BEGINS_WITH("PresharedKey = "))
		return WICE_CONF_PRESHARED_KEY;
	return BEGINS_WITH("PersistentKeepalive = ") ? WICE_CONF_KEEPALIVE : WICE_CONF_NO_KEY;
#undef BEGINS_WITH
}

/*
 * A short cut for "Key = value" as wg(8) writes it: says of such a line what read_key() would, and
 * is false for all others.
 */
static bool read_plain_key(WiceConfLine *line, const char *start, const char *end)
{
	size_t len;
	if (line->section != WICE_CONF_PEER)
		return false;
	WiceConfKey key = find_plain_key(start, end, &len);
	if (key == WICE_CONF_NO_KEY)
		return false;
	WiceConfToken value = wice__conf_trim(start + len, end);
	if (value.len == 0)
		return false;
	line->kind = WICE_CONF_LINE_KEY;
	line->content = (WiceConfToken){ start, (size_t)(value.text + value.len - start) };
	line->key = key;
	line->name = (WiceConfToken){ start, keys[key].len };
	line->value = value;
	return true;
}

static const char *find_next_line(const char *start, const char *end)
{
	if (*start == '\n') /* many are empty */
		return start + 1;
	const char *newline = memchr(start, '\n', (size_t)(end - start));
	return newline ? newline + 1 : end;
}

bool wice__conf_cursor_next(WiceConfCursor *cursor, WiceConfLine *ret)
{
	const char *start = cursor->at;
	if (start == cursor->end)
		return false;
	cursor->at = find_next_line(start, cursor->end);
	const char *end = find_end(cursor, start, cursor->at);
	if (cursor->comment < start)
		cursor->comment = find_comment(start, cursor->end);
	const char *content_end = MIN(cursor->comment, end);
	*ret = (WiceConfLine){
		.section = cursor->section,
		.whole = { start, (size_t)(cursor->at - start) },
	};
	if (read_plain_key(ret, start, content_end))
		return true;
	ret->content = wice__conf_trim(start, content_end);
	if (ret->content.len == 0)
		return true;
	ret->kind = WICE_CONF_LINE_WRONG;
	if (ret->content.text[0] == '[')
		read_section(cursor, ret);
	else
		read_key(cursor, ret, end);
	return true;
}
