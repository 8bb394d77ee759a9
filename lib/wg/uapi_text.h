/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_UAPI_TEXT_H
#define WICE_WG_UAPI_TEXT_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <wice/addr.h>
#include <wice/key.h>

#include "base/format.h"
#include "crypto/hex.h"

/*
 * How values are written in the text protocol of userspace WireGuard, for both ends of it: clients
 * and servers, requests and replies. Pure.
 */

/* A request or a reply. It may hold keys. */
typedef struct {
	char *data;
	size_t len, room;
} WiceUapiText;

/* Wipes and frees. */
void wice__uapi_text_done(WiceUapiText *text);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(WiceUapiText, wice__uapi_text_done)

/* Reading: a line without its newline, or the value behind its "=". */
typedef struct {
	const char *at;
	size_t len;
} WiceUapiSlice;

/* If line begins with key, which has len bytes and ends in "=", the rest is its value. */
static inline bool wice__uapi_cut(WiceUapiSlice line, const char *key, size_t len,
				  WiceUapiSlice *ret_value)
{
	if (line.len < len || line.at[0] != key[0] || line.at[len - 1] != '=' ||
	    memcmp(line.at, key, len) != 0)
		return false;
	*ret_value = (WiceUapiSlice){ line.at + len, line.len - len };
	return true;
}

/* The same with a literal, without its "=". */
#define WICE_UAPI_CUT(line, key, ret_value) \
	wice__uapi_cut(line, key "=", sizeof key "=" - 1, ret_value)

/* The index of the interface of that name, 0 if there is none: if_nametoindex(3). */
typedef unsigned (*WiceUapiScopeFunc)(const char *name);

/* Decimal digits, at most max; 64 hexadecimal ones. False leaves ret untouched. */
bool wice__uapi_read_number(WiceUapiSlice value, uint64_t max, uint64_t *ret);
bool wice__uapi_read_key(WiceUapiSlice value, WiceKey *ret);
/*
 * "192.0.2.1:7", "[2001:db8::1]:7", "[fe80::1%3]:7", "[fe80::1%eth0]:7"; the scope is 0 if there is
 * no such interface. IPv4 within IPv6 becomes IPv4. False leaves ret untouched.
 */
bool wice__uapi_read_endpoint(WiceUapiSlice value, WiceUapiScopeFunc scope, WiceEndpoint *ret);

/*
 * Writing: there is one allocation, of what can be needed at most, and no check of room behind it.
 * No copy of a key is left behind by growing. The longest forms, with newlines:
 */
#define WICE_UAPI_KEY_LINE_MAX (sizeof "preshared_key=\n" + WICE_KEY_HEX_LEN)
#define WICE_UAPI_NUMBER_LINE_MAX (sizeof "persistent_keepalive_interval=\n" + WICE_DECIMAL_MAX)
#define WICE_UAPI_ENDPOINT_LINE_MAX (sizeof "endpoint=\n" + WICE_ENDPOINT_SIZE)
#define WICE_UAPI_ALLOWED_IP_LINE_MAX (sizeof "allowed_ip=-\n" + WICE_PREFIX_SIZE)

/* All of these write to at, and return what is behind that. */
#define WICE_UAPI_LITERAL(at, text) ((char *)memcpy(at, text, sizeof text - 1) + sizeof text - 1)

static inline char *wice__uapi_end_line(char *at)
{
	*at++ = '\n';
	return at;
}

static inline char *wice__uapi_end_key(char *at, const WiceKey *key)
{
	wice__key_to_hex(key, at);
	return wice__uapi_end_line(at + WICE_KEY_HEX_LEN);
}

static inline char *wice__uapi_end_number(char *at, uint64_t number)
{
	return wice__uapi_end_line(wice__format_decimal(at, number));
}

static inline char *wice__uapi_end_endpoint(char *at, const WiceEndpoint *endpoint)
{
	return wice__uapi_end_line(wice__format_endpoint(at, endpoint));
}

/* Whole lines; name is a literal. */
#define WICE_UAPI_KEY(at, name, key) wice__uapi_end_key(WICE_UAPI_LITERAL(at, name "="), key)
#define WICE_UAPI_NUMBER(at, name, number) \
	wice__uapi_end_number(WICE_UAPI_LITERAL(at, name "="), number)
#define WICE_UAPI_ENDPOINT(at, name, endpoint) \
	wice__uapi_end_endpoint(WICE_UAPI_LITERAL(at, name "="), endpoint)

#endif
