/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/stun_servers.h"

#include <string.h>
#include <wice/error.h>

#include "base/log.h"
#include "event/resolve.h"
#include "event/source.h"

#define STUN_PORT 3478 /* RFC 8489 section 8.1 */
#define RETRY_MS 15000
#define ADDRESSES_PER_NAME 4

typedef struct {
	WiceStunServers *servers;
	char *url;
	char *host;
	uint16_t port;
	WiceResolve *resolve;
	size_t n;
	WiceEndpoint endpoints[ADDRESSES_PER_NAME];
} Server;

struct WiceStunServers {
	GMainContext *context;
	void (*changed)(void *user_data);
	void *user_data;
	WiceTimer *retry;
	GPtrArray *servers; /* Server */
	GArray *endpoints;  /* WiceEndpoint of all, in the order of the URLs */
};

static bool parse_port(const char *text, uint16_t *ret_port)
{
	guint64 port;
	if (!g_ascii_string_to_unsigned(text, 10, 1, 65535, &port, NULL))
		return false;
	*ret_port = (uint16_t)port;
	return true;
}

static bool is_host_name(const char *host)
{
	return *host && strlen(host) <= 253 &&
	       strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") ==
		       strlen(host);
}

static bool parse_bracketed(const char *text, char **ret_host, uint16_t *ret_port)
{
	const char *end = strchr(text, ']');
	if (!end)
		return false;
	g_autofree char *host = g_strndup(text + 1, (gsize)(end - text - 1));
	WiceAddress address;
	if (!wice_address_parse(host, &address) || address.family != WICE_FAMILY_IPV6)
		return false;
	if (end[1] && (end[1] != ':' || !parse_port(end + 2, ret_port)))
		return false;
	*ret_host = g_steal_pointer(&host);
	return true;
}

bool wice__stun_url_parse(const char *url, char **ret_host, uint16_t *ret_port)
{
	if (g_ascii_strncasecmp(url, "stun:", 5) != 0)
		return false;
	const char *rest = url + 5;
	uint16_t port = STUN_PORT;
	g_autofree char *host = NULL;
	if (*rest == '[') {
		if (!parse_bracketed(rest, &host, &port))
			return false;
	} else {
		const char *colon = strchr(rest, ':');
		host = colon ? g_strndup(rest, (gsize)(colon - rest)) : g_strdup(rest);
		if (!is_host_name(host) || (colon && !parse_port(colon + 1, &port)))
			return false;
	}
	*ret_host = g_steal_pointer(&host);
	*ret_port = port;
	return true;
}

static void rebuild(WiceStunServers *servers)
{
	g_array_set_size(servers->endpoints, 0);
	for (guint i = 0; i < servers->servers->len; i++) {
		Server *server = servers->servers->pdata[i];
		g_array_append_vals(servers->endpoints, server->endpoints, (guint)server->n);
	}
	servers->changed(servers->user_data);
}

/* Member by member: the bytes between them are nobody's. */
static bool same_endpoints(const WiceEndpoint *a, const WiceEndpoint *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (wice_endpoint_compare(&a[i], &b[i]) != 0)
			return false;
	return true;
}

static void on_resolved(const WiceAddress *addresses, size_t n, const GError *error,
			void *user_data)
{
	Server *server = user_data;
	server->resolve = NULL;
	if (n == 0) {
		wice__log(WICE_LOG_WARNING, server->url,
			  "the STUN server's name could not be resolved: %s; trying again",
			  error ? error->message : "it has no address");
		wice__timer_set(server->servers->retry, wice__now_ms() + RETRY_MS);
		return;
	}
	WiceEndpoint endpoints[ADDRESSES_PER_NAME] = { 0 };
	n = MIN(n, ADDRESSES_PER_NAME);
	for (size_t i = 0; i < n; i++) {
		endpoints[i].address = addresses[i];
		endpoints[i].port = server->port;
	}
	if (n == server->n && same_endpoints(endpoints, server->endpoints, n))
		return;
	memcpy(server->endpoints, endpoints, sizeof endpoints);
	server->n = n;
	rebuild(server->servers);
}

static void start(Server *server)
{
	if (!server->resolve)
		server->resolve = wice__resolve_start(server->servers->context, server->host,
						      on_resolved, server);
}

/* A literal address needs no resolver and is known before anything else happens. */
static bool take_literal(Server *server)
{
	WiceAddress address;
	if (!wice_address_parse(server->host, &address))
		return false;
	server->endpoints[0] = (WiceEndpoint){ .address = address, .port = server->port };
	server->n = 1;
	g_array_append_val(server->servers->endpoints, server->endpoints[0]);
	return true;
}

static void on_retry(void *user_data)
{
	WiceStunServers *servers = user_data;
	for (guint i = 0; i < servers->servers->len; i++) {
		Server *server = servers->servers->pdata[i];
		if (server->n == 0)
			start(server);
	}
}

static void free_server(gpointer data)
{
	Server *server = data;
	if (server->resolve)
		wice__resolve_cancel(server->resolve);
	g_free(server->url);
	g_free(server->host);
	g_free(server);
}

WiceStunServers *wice__stun_servers_new(GMainContext *context, const char *const *urls,
					void (*changed)(void *user_data), void *user_data,
					GError **error)
{
	WiceStunServers *servers = g_new0(WiceStunServers, 1);
	servers->context = context;
	servers->changed = changed;
	servers->user_data = user_data;
	servers->retry = wice__timer_new(context, on_retry, servers);
	servers->servers = g_ptr_array_new_with_free_func(free_server);
	servers->endpoints = g_array_new(FALSE, TRUE, sizeof(WiceEndpoint));
	for (size_t i = 0; urls && urls[i]; i++) {
		Server *server = g_new0(Server, 1);
		server->servers = servers;
		server->url = g_strdup(urls[i]);
		g_ptr_array_add(servers->servers, server);
		if (!wice__stun_url_parse(urls[i], &server->host, &server->port)) {
			g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
				    "'%s' is no STUN URL; it must look like stun:HOST or "
				    "stun:HOST:PORT",
				    urls[i]);
			wice__stun_servers_free(servers);
			return NULL;
		}
		if (!take_literal(server))
			start(server);
	}
	return servers;
}

void wice__stun_servers_free(WiceStunServers *servers)
{
	if (!servers)
		return;
	g_ptr_array_unref(servers->servers);
	g_array_unref(servers->endpoints);
	wice__timer_free(servers->retry);
	g_free(servers);
}

void wice__stun_servers_refresh(WiceStunServers *servers)
{
	for (guint i = 0; i < servers->servers->len; i++) {
		Server *server = servers->servers->pdata[i];
		WiceAddress literal;
		if (!wice_address_parse(server->host, &literal))
			start(server);
	}
}

const WiceEndpoint *wice__stun_servers_list(const WiceStunServers *servers, size_t *ret_n)
{
	*ret_n = servers->endpoints->len;
	return (const WiceEndpoint *)(void *)servers->endpoints->data;
}
