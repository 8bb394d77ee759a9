/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <sodium.h>
#include <string.h>
#include <wice/error.h>

#include "base/options.h"
#include "turnserver/server_private.h"
#include "turnserver/shared.h"

#define ACCOUNT_PERIOD_MS 60000
/* Of relayed ports (RFC 8656 section 7.2: the dynamic range). */
#define MIN_PORT 49152
#define MAX_PORT 65535
#define DEFAULT_REALM "wice"

static const char *const fast_paths[] = { "auto", "native", "generic", "tc", "off", NULL };

void wice_relay_server_options_init(WiceRelayServerOptions *options)
{
	memset(options, 0, sizeof *options);
	options->size = sizeof *options;
}

static gboolean check_options(const WiceRelayServerOptions *options, GError **error)
{
	if (!wice__options_understood(options, options->size, sizeof *options)) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "The relay's options ask for what this version does not know.");
		return FALSE;
	}
	if (options->min_port > options->max_port) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "The relayed ports cannot be from %u to %u.", options->min_port,
			    options->max_port);
		return FALSE;
	}
	if (options->realm && strlen(options->realm) >= WICE_TURN_REALM_SIZE) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "The relay's realm '%s' is longer than %d bytes.", options->realm,
			    WICE_TURN_REALM_SIZE - 1);
		return FALSE;
	}
	if (options->fast_path && !g_strv_contains(fast_paths, options->fast_path)) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "There is no fast path '%s': it must be auto, native, generic, tc or "
			    "off.",
			    options->fast_path);
		return FALSE;
	}
	bool has_users = (options->users && *options->users) || options->password ||
			 (options->secrets && *options->secrets);
	if (!has_users && !options->stun_only) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "The relay has no users: it needs names with passwords or a shared "
			    "secret, or be a STUN server only.");
		return FALSE;
	}
	return TRUE;
}

static void on_expiry(void *user_data)
{
	WiceRelayServer *server = user_data;
	server->expiry_ms = wice__turn_server_expire(server->core, wice__now_ms());
	wice__timer_set(server->expiry, server->expiry_ms);
	if (server->drained && wice__turn_server_n_allocations(server->core) == 0) {
		void (*drained)(void *) = server->drained;
		server->drained = NULL;
		drained(server->drained_data);
	}
}

static void account_one(WiceTurnAllocation *allocation, void *user_data)
{
	wice__tenant_account(wice__tenant_of(allocation), FALSE);
}

static void on_accounts(void *user_data)
{
	WiceRelayServer *server = user_data;
	wice__timer_set(server->accounts, wice__now_ms() + ACCOUNT_PERIOD_MS);
	wice__fast_path_count(server->fast_path);
	wice__turn_server_foreach(server->core, account_one, NULL);
}

static void make_core(WiceRelayServer *server, const WiceRelayServerOptions *options)
{
	WiceTurnServerOptions core = {
		.software = "libwice",
		.secrets = options->secrets,
		.max_allocations = options->max_allocations,
		.max_per_user = options->max_per_user,
		.max_per_address = options->max_per_address,
		.user_bytes_per_s = options->user_bytes_per_s,
		.permit_private = options->permit_private,
		.permit_loopback = options->permit_loopback,
		.stun_only = options->stun_only,
		.fill_random = randombytes_buf,
	};
	g_strlcpy(core.realm, options->realm ? options->realm : DEFAULT_REALM, sizeof core.realm);
	server->events = wice__tenant_events;
	/* Names are only hidden where all of them are known, to be found by their digest. */
	if (options->password)
		server->events.username = NULL;
	server->core = wice__turn_server_new(&core, &server->events, server, wice__now_ms());
}

static gboolean make_poll(WiceRelayServer *server, GError **error)
{
	int err = wice__poll_new(server->context, wice__relaying_rest, server, &server->poll);
	if (!err)
		err = wice__datagrams_new(&server->datagrams);
	if (err)
		g_set_error(error, WICE_ERROR, WICE_ERROR_IO, "The relay cannot be started: %s.",
			    g_strerror(-err));
	return err == 0;
}

static int attend(WiceRelayServer *server, WiceListener *listener)
{
	if (listener->kind != WICE_LISTENER_UDP)
		return wice__connections_listen(
			server->connections, listener,
			listener->kind == WICE_LISTENER_TLS ? server->certificate : NULL);
	listener->udp.polled.ready = wice__relaying_on_listener;
	return wice__poll_add(server->poll, &listener->udp.polled, EPOLLIN);
}

static gboolean listen_at(WiceRelayServer *server, const char *const *texts, GError **error)
{
	static const char *const usual[] = { "udp:*:3478", "tcp:*:3478", NULL };
	for (texts = texts ? texts : usual; *texts; texts++) {
		if (g_str_has_prefix(*texts, "tls:") && !server->certificate) {
			g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
				    "The relay cannot listen at %s without a certificate.", *texts);
			return FALSE;
		}
		if (!wice__listener_open(*texts, server->listeners, error))
			return FALSE;
	}
	for (guint i = 0; i < server->listeners->len; i++) {
		WiceListener *listener = g_ptr_array_index(server->listeners, i);
		int err = attend(server, listener);
		if (err) {
			g_set_error(error, WICE_ERROR, WICE_ERROR_IO,
				    "The relay cannot listen at %s: %s.", listener->text,
				    g_strerror(-err));
			return FALSE;
		}
	}
	return TRUE;
}

int wice__relay_server_share(WiceRelayServer *server, WiceFamily family, uint16_t port)
{
	int err = wice__listener_share(family, port, server->listeners);
	if (err)
		return err;
	WiceListener *listener = g_ptr_array_index(server->listeners, server->listeners->len - 1);
	int fd = listener->udp.polled.fd;
	listener->is_shared = true;
	err = attend(server, listener);
	if (!err)
		return fd;
	g_ptr_array_remove(server->listeners, listener);
	return err;
}

static void forget_way(WiceTurnAllocation *allocation, void *user_data)
{
	wice__tenant_forget_listener(wice__tenant_of(allocation), user_data);
}

void wice__relay_server_unshare(WiceRelayServer *server, WiceFamily family, uint16_t port)
{
	for (guint i = 0; i < server->listeners->len; i++) {
		WiceListener *listener = g_ptr_array_index(server->listeners, i);
		if (!listener->is_shared || listener->local.address.family != family ||
		    listener->local.port != port)
			continue;
		wice__datagrams_send(server->datagrams);
		wice__turn_server_foreach(server->core, forget_way, listener);
		g_ptr_array_steal_index(server->listeners, i);
		wice__poll_remove(server->poll, &listener->udp.polled, wice__listener_free);
		return;
	}
}

static gboolean load_certificate(WiceRelayServer *server, const WiceRelayServerOptions *options,
				 GError **error)
{
	const char *certificate = options->certificate_file;
	const char *key = options->key_file ? options->key_file : certificate;
	g_autoptr(GError) reason = NULL;
	if (!certificate)
		return TRUE;
	if (!g_tls_backend_supports_tls(g_tls_backend_get_default())) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_UNSUPPORTED,
			    "The relay cannot offer TLS: this system's GLib has none; install the "
			    "package glib-networking.");
		return FALSE;
	}
	server->certificate = g_tls_certificate_new_from_files(certificate, key, &reason);
	if (server->certificate)
		return TRUE;
	bool missing = g_error_matches(reason, G_FILE_ERROR, G_FILE_ERROR_NOENT);
	g_set_error(error, WICE_ERROR, missing ? WICE_ERROR_NOT_FOUND : WICE_ERROR_INVALID,
		    "Cannot use the certificate %s with the key %s: %s.", certificate, key,
		    reason->message);
	return FALSE;
}

static void start_timers(WiceRelayServer *server)
{
	server->expiry_ms = INT64_MAX;
	server->expiry = wice__timer_new(server->context, on_expiry, server);
	server->accounts = wice__timer_new(server->context, on_accounts, server);
	if (server->options.account)
		wice__timer_set(server->accounts, wice__now_ms() + ACCOUNT_PERIOD_MS);
}

static gboolean start(WiceRelayServer *server, const WiceRelayServerOptions *options,
		      GError **error)
{
	uint16_t min_port = options->min_port ? options->min_port : MIN_PORT;
	uint16_t max_port = options->max_port ? options->max_port : MAX_PORT;
	const char *realm = options->realm ? options->realm : DEFAULT_REALM;
	server->users = wice__users_new(options->users, realm, error);
	if (!server->users || !load_certificate(server, options, error) ||
	    !make_poll(server, error))
		return FALSE;
	/* Rates are kept here: what does not come by cannot be held back. */
	bool slow = options->user_bytes_per_s || options->stun_only;
	server->fast_path =
		wice__fast_path_new(server->context, slow ? "off" : options->fast_path, error);
	if (!server->fast_path)
		return FALSE;
	start_timers(server);
	make_core(server, options);
	server->outlets =
		wice__outlets_new(server->poll, wice__relaying_on_outlet, min_port, max_port);
	server->connections = wice__connections_new(server->context, server->poll,
						    &wice__relaying_connection_events, server);
	if (!wice__places_set(server, options->relay_addresses, error))
		return FALSE;
	wice__address_watch_new(server->context, wice__places_changed, server, &server->watch);
	return listen_at(server, options->listen, error);
}

WiceRelayServer *wice_relay_server_new(GMainContext *context, const WiceRelayServerOptions *options,
				       GError **error)
{
	if (!check_options(options, error))
		return NULL;
	WiceRelayServer *server = g_new0(WiceRelayServer, 1);
	server->context = g_main_context_ref(context ? context : g_main_context_default());
	server->options = *options;
	server->listeners = g_ptr_array_new_with_free_func(wice__listener_free);
	if (start(server, options, error)) {
		server->options.listen = server->options.relay_addresses = NULL;
		server->options.users = server->options.secrets = NULL;
		server->options.certificate_file = server->options.key_file = NULL;
		server->options.realm = server->options.fast_path = NULL;
		return server;
	}
	wice_relay_server_free(server);
	return NULL;
}

void wice_relay_server_free(WiceRelayServer *server)
{
	if (!server)
		return;
	wice__address_watch_free(server->watch);
	wice__turn_server_free(server->core);
	wice__fast_path_free(server->fast_path);
	wice__outlets_free(server->outlets);
	wice__connections_free(server->connections);
	for (guint i = 0; server->poll && i < server->listeners->len; i++) {
		WiceListener *listener = g_ptr_array_index(server->listeners, i);
		wice__poll_remove(server->poll, &listener->udp.polled, NULL);
	}
	wice__poll_free(server->poll);
	wice__datagrams_free(server->datagrams);
	g_ptr_array_unref(server->listeners);
	g_clear_object(&server->certificate);
	wice__users_free(server->users);
	wice__timer_free(server->expiry);
	wice__timer_free(server->accounts);
	g_main_context_unref(server->context);
	g_free(server);
}

gboolean wice_relay_server_drain(WiceRelayServer *server, const char *alternate,
				 void (*drained)(void *user_data), void *user_data, GError **error)
{
	WiceEndpoint endpoint;
	if (alternate && !wice_endpoint_parse(alternate, &endpoint)) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "Clients cannot be sent to '%s': it must be ADDRESS:PORT.", alternate);
		return FALSE;
	}
	wice__turn_server_drain(server->core, alternate ? &endpoint : NULL);
	server->drained = drained;
	server->drained_data = user_data;
	wice__timer_set(server->expiry, server->expiry_ms = wice__now_ms());
	return TRUE;
}

static void add_traffic(WiceTurnAllocation *allocation, void *user_data)
{
	WiceTurnTraffic *sum = user_data, traffic;
	wice__turn_allocation_traffic(allocation, &traffic);
	sum->rx_packets += traffic.rx_packets;
	sum->rx_bytes += traffic.rx_bytes;
	sum->tx_packets += traffic.tx_packets;
	sum->tx_bytes += traffic.tx_bytes;
	sum->dropped += traffic.dropped;
}

void wice_relay_server_status(WiceRelayServer *server, WiceRelayServerStatus *ret_status)
{
	WiceTurnTraffic sum = server->ended;
	wice__fast_path_count(server->fast_path);
	wice__turn_server_foreach(server->core, add_traffic, &sum);
	*ret_status = (WiceRelayServerStatus){
		.allocations = wice__turn_server_n_allocations(server->core),
		.total = server->total,
		.refused = server->refused,
		.packets = sum.rx_packets + sum.tx_packets,
		.bytes = sum.rx_bytes + sum.tx_bytes,
		.dropped =
			sum.dropped + server->dropped + wice__datagrams_dropped(server->datagrams),
		.unauthenticated = server->unauthenticated,
		.fast_packets = wice__fast_path_packets(server->fast_path),
		.fast_path = wice__fast_path_describe(server->fast_path),
	};
}

const char *wice_relay_server_listening(WiceRelayServer *server, size_t index)
{
	if (index >= server->listeners->len)
		return NULL;
	return ((const WiceListener *)g_ptr_array_index(server->listeners, index))->text;
}
