/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_CONF_LINE_H
#define WICE_WG_CONF_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <wice/conf.h>

/*
 * The lines of a configuration file and what kind each one is. The parser, the editor and
 * wice_conf_strip() all read files through this, so that they agree.
 */

typedef enum {
	WICE_CONF_OUTSIDE = 0, /* before the first section */
	WICE_CONF_INTERFACE,
	WICE_CONF_PEER,
} WiceConfSection;

typedef enum {
	WICE_CONF_NO_KEY = 0,
	WICE_CONF_PRIVATE_KEY,
	WICE_CONF_LISTEN_PORT,
	WICE_CONF_FWMARK,
	WICE_CONF_ADDRESS, /* from here to SAVE_CONFIG: wg-quick's */
	WICE_CONF_DNS,
	WICE_CONF_MTU,
	WICE_CONF_TABLE,
	WICE_CONF_PRE_UP,
	WICE_CONF_POST_UP,
	WICE_CONF_PRE_DOWN,
	WICE_CONF_POST_DOWN,
	WICE_CONF_SAVE_CONFIG,
	WICE_CONF_PUBLIC_KEY, /* from here on: of [Peer] */
	WICE_CONF_PRESHARED_KEY,
	WICE_CONF_ALLOWED_IPS,
	WICE_CONF_ENDPOINT,
	WICE_CONF_KEEPALIVE,
	WICE_CONF_N_KEYS,
} WiceConfKey;

typedef struct {
	const char *name; /* as wg(8) writes it */
	size_t len;       /* of name */
	WiceConfSection section;
	bool quick;           /* a key of wg-quick(8) */
	bool list;            /* it may come more than once */
	bool secret;          /* its value must not be shown */
	bool shell;           /* its value is a command: '#' belongs to it */
	const char *expected; /* for messages: what its value is */
} WiceConfKeyInfo;

const WiceConfKeyInfo *wice__conf_key_info(WiceConfKey key);

/* Part of a text. */
typedef struct {
	const char *text;
	size_t len;
} WiceConfToken;

typedef enum {
	WICE_CONF_LINE_BLANK = 0, /* nothing but white space and comments */
	WICE_CONF_LINE_SECTION,
	WICE_CONF_LINE_KEY,
	WICE_CONF_LINE_WRONG, /* anything else */
} WiceConfLineKind;

typedef struct {
	WiceConfLineKind kind;
	WiceConfSection section; /* that it is in, or begins */
	WiceConfToken whole;     /* with its line end */
	WiceConfToken content;   /* without comment, and white space around it */
	/* KEY; WRONG has those parts of it that it has */
	WiceConfKey key;
	WiceConfToken name;
	WiceConfToken value;
} WiceConfLine;

/* Where the reading of a text is. */
typedef struct {
	const char *at;
	const char *end;
	WiceConfMode mode;
	WiceConfSection section;
	bool quick;          /* wg-quick(8) would see the section as [Interface] */
	const char *comment; /* the first '#' that is not before at, or end */
	bool has_nul;
} WiceConfCursor;

void wice__conf_cursor_init(WiceConfCursor *cursor, const char *text, size_t len,
			    WiceConfMode mode);
/* Reads the next line; false at the end. */
bool wice__conf_cursor_next(WiceConfCursor *cursor, WiceConfLine *ret);

/* White space as wg(8) sees it: that of the C locale. */
static inline bool wice__conf_is_space(char c)
{
	return (unsigned char)c <= ' ' && (c == ' ' || (c >= '\t' && c <= '\r'));
}

/* Without the white space around it. */
static inline WiceConfToken wice__conf_trim(const char *text, const char *end)
{
	while (text < end && wice__conf_is_space(*text))
		text++;
	while (end > text && wice__conf_is_space(end[-1]))
		end--;
	return (WiceConfToken){ text, (size_t)(end - text) };
}

/* Copies the token without any white space to ret, which has room for all of it. */
size_t wice__conf_compact(WiceConfToken token, char *ret);
bool wice__conf_has_space(WiceConfToken token);

/* The part before the next comma; *list becomes what follows it, or has a NULL text at the end. */
WiceConfToken wice__conf_next_item(WiceConfToken *list);

/* The key of this name, in any case, or NO_KEY. */
WiceConfKey wice__conf_find_key(WiceConfSection section, WiceConfToken name);

#endif
