/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "signaling/grpc_url.h"

#include <string.h>
#include <wice/addr.h>
#include <wice/error.h>

#define HOST_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._"

/*
 * RFC 1123, and underscores, which occur; or an address. A scope may follow an IPv6 one:
 * "fe80::1%eth0".
 */
static bool is_host(const char *host)
{
	WiceAddress address;
	g_autofree char *unscoped = g_strndup(host, strcspn(host, "%"));
	if (strchr(host, ':'))
		return wice_address_parse(unscoped, &address);
	return *host && strlen(host) <= 253 && strspn(host, HOST_CHARACTERS) == strlen(host);
}

/* NULL, or what is wrong with it. */
static const char *parse_query(const char *query, WiceGrpcUrl *parsed)
{
	GUriParamsIter iter;
	char *name, *value;
	g_autoptr(GError) error = NULL;
	const char *why = NULL;
	g_uri_params_iter_init(&iter, query, -1, "&", G_URI_PARAMS_NONE);
	while (!why && g_uri_params_iter_next(&iter, &name, &value, &error)) {
		if (strcmp(name, "ca") != 0)
			why = "the only option is ca";
		else if (!parsed->tls)
			why = "certificates are of no use without TLS; write grpcs:";
		else if (parsed->ca_file || !*value)
			why = "ca must name one file";
		else
			parsed->ca_file = g_strdup(value);
		g_free(name);
		g_free(value);
	}
	return error ? "its options are malformed" : why;
}

static const char *parse(const char *url, WiceGrpcUrl *parsed)
{
	g_autofree char *scheme = NULL, *user = NULL, *path = NULL, *query = NULL, *fragment = NULL;
	int port;
	if (!g_uri_split(url, G_URI_FLAGS_ENCODED_QUERY, &scheme, &user, &parsed->host, &port,
			 &path, &query, &fragment, NULL))
		return "it is no URL (an IPv6 address needs brackets)";
	parsed->tls = g_ascii_strcasecmp(scheme ? scheme : "", "grpcs") == 0;
	if (!parsed->tls && g_ascii_strcasecmp(scheme ? scheme : "", "grpc") != 0)
		return "its scheme is neither grpc nor grpcs";
	if (user || fragment || (path && *path && strcmp(path, "/") != 0))
		return "it has parts that mean nothing here";
	if (!parsed->host || !*parsed->host)
		return "it names no host";
	if (!is_host(parsed->host))
		return "the host is neither a name nor an address";
	if (port == 0 || port > 65535)
		return "the port must be from 1 to 65535";
	parsed->port = port > 0 ? (uint16_t)port : parsed->tls ? WICE_GRPCS_PORT : WICE_GRPC_PORT;
	return query ? parse_query(query, parsed) : NULL;
}

gboolean wice__grpc_url_parse(const char *url, WiceGrpcUrl *ret_parsed, GError **error)
{
	WiceGrpcUrl parsed = { 0 };
	const char *why = parse(url, &parsed);
	if (!why) {
		*ret_parsed = parsed;
		return TRUE;
	}
	wice__grpc_url_clear(&parsed);
	g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
		    "Cannot use the signaling backend \"%s\": %s. "
		    "Write grpc://HOST[:PORT] or grpcs://HOST[:PORT][?ca=FILE].",
		    url, why);
	return FALSE;
}

void wice__grpc_url_clear(WiceGrpcUrl *parsed)
{
	g_free(parsed->host);
	g_free(parsed->ca_file);
	*parsed = (WiceGrpcUrl){ 0 };
}
