/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "signaling/multicast_url.h"

#include <string.h>
#include <wice/error.h>

static gboolean refuse(GError **error, const char *url, const char *why)
{
	g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
		    "Cannot use the signaling backend \"%s\": %s. "
		    "Write multicast://[GROUP[:PORT]][?interface=NAME][&loopback=BOOL].",
		    url, why);
	return FALSE;
}

static bool is_multicast(const WiceAddress *address)
{
	return address->family == WICE_FAMILY_IPV4 ? (address->bytes[0] & 0xf0) == 0xe0
						   : address->bytes[0] == 0xff;
}

static bool parse_group(const char *host, WiceMulticastUrl *parsed)
{
	WiceAddress group;
	if (!host || !*host)
		return wice_address_parse(WICE_MULTICAST_GROUP4, &parsed->group4) &&
		       wice_address_parse(WICE_MULTICAST_GROUP6, &parsed->group6);
	if (!wice_address_parse(host, &group) || !is_multicast(&group))
		return false;
	if (group.family == WICE_FAMILY_IPV4)
		parsed->group4 = group;
	else
		parsed->group6 = group;
	return true;
}

static bool parse_bool(const char *text, bool *ret)
{
	bool yes = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
	if (!yes && strcmp(text, "false") != 0 && strcmp(text, "0") != 0)
		return false;
	*ret = yes;
	return true;
}

/* NULL, or what is wrong with it. */
static const char *parse_option(const char *name, const char *value, WiceMulticastUrl *parsed)
{
	if (strcmp(name, "interface") == 0) {
		size_t len = strlen(value);
		if (len == 0 || len >= sizeof parsed->interface || strchr(value, '/'))
			return "an interface has a name of 1 to 15 characters";
		memcpy(parsed->interface, value, len + 1);
		return NULL;
	}
	if (strcmp(name, "loopback") == 0)
		return parse_bool(value, &parsed->loopback) ? NULL
							    : "loopback must be true or false";
	return "the only options are interface and loopback";
}

static const char *parse_query(const char *query, WiceMulticastUrl *parsed)
{
	GUriParamsIter iter;
	char *name, *value;
	g_autoptr(GError) error = NULL;
	const char *why = NULL;
	g_uri_params_iter_init(&iter, query, -1, "&", G_URI_PARAMS_NONE);
	while (!why && g_uri_params_iter_next(&iter, &name, &value, &error)) {
		why = parse_option(name, value, parsed);
		g_free(name);
		g_free(value);
	}
	return error ? "its options are malformed" : why;
}

gboolean wice__multicast_url_parse(const char *url, WiceMulticastUrl *ret_parsed, GError **error)
{
	g_autofree char *user = NULL, *host = NULL, *path = NULL, *query = NULL, *fragment = NULL;
	int port;
	WiceMulticastUrl parsed = { .port = WICE_MULTICAST_PORT, .loopback = true };

	if (!g_uri_split(url, G_URI_FLAGS_ENCODED_QUERY, NULL, &user, &host, &port, &path, &query,
			 &fragment, NULL))
		return refuse(error, url, "it is no URL");
	if (user || fragment || (path && *path && strcmp(path, "/") != 0))
		return refuse(error, url, "it has parts that mean nothing here");
	if (!parse_group(host, &parsed))
		return refuse(error, url,
			      "the group must be a multicast address (224.0.0.0/4 or ff00::/8)");
	if (port == 0 || port > 65535)
		return refuse(error, url, "the port must be from 1 to 65535");
	if (port > 0)
		parsed.port = (uint16_t)port;
	const char *why = query ? parse_query(query, &parsed) : NULL;
	if (why)
		return refuse(error, url, why);
	*ret_parsed = parsed;
	return TRUE;
}
