/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "turn/url.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <wice/addr.h>

#include "base/parse.h"

#define PORT 3478
#define TLS_PORT 5349

/* What is left of the text. */
typedef struct {
	const char *at;
	size_t len;
} Rest;

static bool skip(Rest *rest, const char *prefix)
{
	size_t len = strlen(prefix);
	if (rest->len < len || g_ascii_strncasecmp(rest->at, prefix, len) != 0)
		return false;
	rest->at += len;
	rest->len -= len;
	return true;
}

/* The front of it, up to one of the ends or all. */
static Rest take_until(Rest *rest, const char *ends)
{
	Rest front = *rest;
	front.len = 0;
	while (front.len < rest->len && !strchr(ends, front.at[front.len]))
		front.len++;
	rest->at += front.len;
	rest->len -= front.len;
	return front;
}

static bool parse_scheme(Rest *rest, WiceTurnUrl *url)
{
	url->relays = skip(rest, "turn");
	if (!url->relays && !skip(rest, "stun"))
		return false;
	url->transport = skip(rest, "s") ? WICE_TURN_TLS : WICE_TURN_UDP;
	url->port = url->transport == WICE_TURN_TLS ? TLS_PORT : PORT;
	return skip(rest, ":");
}

/* An IPv6 address becomes its shortest form, so that equal ones look equal. */
static bool parse_ipv6(Rest *rest, WiceTurnUrl *url)
{
	WiceAddress address;
	Rest text = take_until(rest, "]");
	if (!wice__parse_address(text.at, text.len, &address) ||
	    address.family != WICE_FAMILY_IPV6 || !skip(rest, "]"))
		return false;
	wice_address_format(&address, url->host);
	return true;
}

static bool is_host_letter(char letter)
{
	return g_ascii_isalnum(letter) || strchr("-._", letter);
}

static bool parse_host(Rest *rest, WiceTurnUrl *url)
{
	if (skip(rest, "["))
		return parse_ipv6(rest, url);
	Rest host = take_until(rest, ":?");
	if (host.len == 0 || host.len >= sizeof url->host)
		return false;
	for (size_t i = 0; i < host.len; i++) {
		if (!is_host_letter(host.at[i]))
			return false;
		url->host[i] = g_ascii_tolower(host.at[i]);
	}
	return true;
}

static bool parse_port(Rest *rest, WiceTurnUrl *url)
{
	uint64_t port;
	if (!skip(rest, ":"))
		return true;
	Rest digits = take_until(rest, "?");
	if (digits.len > 5 || !wice__parse_number(digits.at, digits.len, UINT16_MAX, &port) ||
	    port == 0)
		return false;
	url->port = (uint16_t)port;
	return true;
}

/* RFC 7065 section 3.1. RFC 7064 has no such thing for STUN. */
static int parse_transport(Rest *rest, WiceTurnUrl *url)
{
	if (rest->len == 0)
		return 0;
	if (!url->relays || !skip(rest, "?transport=") || rest->len == 0)
		return -EINVAL;
	bool tls = url->transport == WICE_TURN_TLS;
	Rest name = take_until(rest, "&?");
	if (rest->len > 0)
		return -EINVAL;
	if (name.len != 3)
		return -EPROTONOSUPPORT;
	if (skip(&name, "tcp"))
		url->transport = tls ? WICE_TURN_TLS : WICE_TURN_TCP;
	else if (tls || !skip(&name, "udp"))
		return -EPROTONOSUPPORT;
	return 0;
}

int wice__turn_url_parse(const char *text, WiceTurnUrl *ret_url)
{
	WiceTurnUrl url = { 0 };
	Rest rest = { text, strlen(text) };
	if (!parse_scheme(&rest, &url) || !parse_host(&rest, &url) || !parse_port(&rest, &url))
		return -EINVAL;
	int err = parse_transport(&rest, &url);
	if (err)
		return err;
	*ret_url = url;
	return 0;
}

const char *wice__turn_url_format(const WiceTurnUrl *url, char ret_text[WICE_TURN_URL_SIZE])
{
	bool tls = url->transport == WICE_TURN_TLS;
	bool ipv6 = strchr(url->host, ':');
	char port[sizeof ":65535"] = "";
	if (url->port != (tls ? TLS_PORT : PORT))
		g_snprintf(port, sizeof port, ":%u", url->port);
	g_snprintf(ret_text, WICE_TURN_URL_SIZE, "%s%s:%s%s%s%s%s", url->relays ? "turn" : "stun",
		   tls ? "s" : "", ipv6 ? "[" : "", url->host, ipv6 ? "]" : "", port,
		   url->transport == WICE_TURN_TCP ? "?transport=tcp" : "");
	return ret_text;
}

const char *wice__turn_transport_name(WiceTurnTransport transport)
{
	static const char *const names[] = {
		[WICE_TURN_UDP] = "udp",
		[WICE_TURN_TCP] = "tcp",
		[WICE_TURN_TLS] = "tls",
	};
	return names[transport];
}
