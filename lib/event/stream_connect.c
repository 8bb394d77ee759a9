/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "event/stream_connect.h"

#include <errno.h>
#include <gio/gunixsocketaddress.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <wice/error.h>

#include "base/log.h"
#include "event/source.h"

#define CONNECT_TIMEOUT_MS 20000

/*
 * GSocketClient resolves names on a thread and tries IPv6 and IPv4 in turn (RFC 8305). It cannot be
 * stopped at once, only asked to (GCancellable), and answers later. So an attempt that its user has
 * cancelled stays until the answer is there: func is NULL then.
 */
struct WiceStreamConnect {
	WiceStreamConnectFunc func;
	void *user_data;
	GMainContext *context;
	GCancellable *cancellable;
	WiceTimer *timer;
	char *where; /* for messages */
	GSocketConnectable *address;
	GSocketConnectable *identity; /* of the certificate; NULL: no TLS */
	char *tls_ca_file;
	char *alpn;
	uint32_t fwmark;
	bool timed_out;
	GIOStream *io;
	GError *early; /* found before anything was started */
};

void wice__stream_tune(GSocket *socket)
{
	if (g_socket_get_family(socket) == G_SOCKET_FAMILY_UNIX)
		return;
	g_socket_set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1, NULL);
	/*
	 * Besides what the protocol may have for it: the kernel's own keepalive holds NAT mappings
	 * open and ends connections whose other end has vanished.
	 */
	g_socket_set_keepalive(socket, TRUE);
	g_socket_set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, 30, NULL);
	g_socket_set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, 10, NULL);
	g_socket_set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, 3, NULL);
	g_socket_set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, 60000, NULL);
}

static void connect_free(WiceStreamConnect *connect)
{
	g_clear_object(&connect->cancellable);
	g_clear_pointer(&connect->timer, wice__timer_free);
	g_clear_object(&connect->address);
	g_clear_object(&connect->identity);
	g_clear_object(&connect->io);
	g_clear_error(&connect->early);
	g_free(connect->where);
	g_free(connect->tls_ca_file);
	g_free(connect->alpn);
	g_main_context_unref(connect->context);
	g_free(connect);
}

/* Reports (unless cancelled) and frees. Takes over io. */
static void finish(WiceStreamConnect *connect, GIOStream *io, const GError *error)
{
	WiceStreamConnectFunc func = connect->func;
	g_clear_pointer(&connect->timer, wice__timer_free);
	if (func)
		func(io, error, connect->user_data);
	else
		g_clear_object(&io);
	connect_free(connect);
}

static void fail(WiceStreamConnect *connect, WiceErrorCode code, const char *reason)
{
	g_autoptr(GError) error = NULL;
	if (connect->timed_out)
		error = g_error_new(WICE_ERROR, WICE_ERROR_TIMEOUT, "%s did not answer within %d s",
				    connect->where, CONNECT_TIMEOUT_MS / 1000);
	else
		error = g_error_new(WICE_ERROR, (gint)code, "Connecting to %s failed: %s",
				    connect->where, reason);
	finish(connect, NULL, error);
}

/* GIO says only "Unacceptable TLS certificate". */
static const char *certificate_problem(GTlsConnection *tls)
{
	GTlsCertificateFlags flags = g_tls_connection_get_peer_certificate_errors(tls);
	if (flags & G_TLS_CERTIFICATE_BAD_IDENTITY)
		return "the server's certificate is for another name";
	if (flags & G_TLS_CERTIFICATE_UNKNOWN_CA)
		return "the server's certificate is not signed by an authority that is trusted "
		       "here";
	if (flags & G_TLS_CERTIFICATE_EXPIRED)
		return "the server's certificate has expired";
	if (flags & G_TLS_CERTIFICATE_NOT_ACTIVATED)
		return "the server's certificate is not valid yet; is the clock right?";
	if (flags & G_TLS_CERTIFICATE_REVOKED)
		return "the server's certificate was revoked";
	return flags ? "the server's certificate is not acceptable" : NULL;
}

static void on_handshake(GObject *source, GAsyncResult *result, gpointer user_data)
{
	WiceStreamConnect *connect = user_data;
	GTlsConnection *tls = G_TLS_CONNECTION(source);
	g_autoptr(GError) error = NULL;
	if (!g_tls_connection_handshake_finish(tls, result, &error)) {
		const char *problem = certificate_problem(tls);
		fail(connect, problem ? WICE_ERROR_PERMISSION : WICE_ERROR_UNREACHABLE,
		     problem ? problem : error->message);
		return;
	}
	const char *agreed = g_tls_connection_get_negotiated_protocol(tls);
	if (connect->alpn && g_strcmp0(agreed, connect->alpn) != 0) {
		g_autofree char *reason = g_strdup_printf(
			"the server has TLS but did not agree to the protocol \"%s\" (ALPN)",
			connect->alpn);
		fail(connect, WICE_ERROR_PROTOCOL, reason);
		return;
	}
	finish(connect, g_object_ref(G_IO_STREAM(tls)), NULL);
}

static void start_tls(WiceStreamConnect *connect)
{
	const char *const protocols[] = { connect->alpn, NULL };
	g_autoptr(GError) error = NULL;
	g_autoptr(GIOStream) tls =
		g_tls_client_connection_new(connect->io, connect->identity, &error);
	if (!tls) {
		fail(connect, WICE_ERROR_UNSUPPORTED, error->message);
		return;
	}
	if (connect->tls_ca_file) {
		g_autoptr(GTlsDatabase) database =
			g_tls_file_database_new(connect->tls_ca_file, &error);
		if (!database) {
			g_autofree char *reason =
				g_strdup_printf("the trusted certificates cannot be read from %s: "
						"%s",
						connect->tls_ca_file, error->message);
			fail(connect, WICE_ERROR_INVALID, reason);
			return;
		}
		g_tls_connection_set_database(G_TLS_CONNECTION(tls), database);
	}
	if (connect->alpn)
		g_tls_connection_set_advertised_protocols(G_TLS_CONNECTION(tls), protocols);
	g_main_context_push_thread_default(connect->context);
	g_tls_connection_handshake_async(G_TLS_CONNECTION(tls), G_PRIORITY_DEFAULT,
					 connect->cancellable, on_handshake, connect);
	g_main_context_pop_thread_default(connect->context);
}

static void on_connected(GObject *source, GAsyncResult *result, gpointer user_data)
{
	WiceStreamConnect *connect = user_data;
	g_autoptr(GError) error = NULL;
	g_signal_handlers_disconnect_by_data(source, connect);
	GSocketConnection *connection =
		g_socket_client_connect_finish(G_SOCKET_CLIENT(source), result, &error);
	if (!connection) {
		fail(connect, WICE_ERROR_UNREACHABLE, error->message);
		return;
	}
	connect->io = G_IO_STREAM(connection);
	wice__stream_tune(g_socket_connection_get_socket(connection));
	if (connect->identity)
		start_tls(connect);
	else
		finish(connect, g_steal_pointer(&connect->io), NULL);
}

/* Each attempt has a socket of its own; this comes after its creation and before its connect(2). */
static void on_client_event(GSocketClient *client, GSocketClientEvent event,
			    GSocketConnectable *address, GIOStream *connection, gpointer user_data)
{
	WiceStreamConnect *connect = user_data;
	g_autoptr(GError) error = NULL;
	if (event != G_SOCKET_CLIENT_CONNECTING || connect->fwmark == 0)
		return;
	GSocket *socket = g_socket_connection_get_socket(G_SOCKET_CONNECTION(connection));
	if (g_socket_get_family(socket) != G_SOCKET_FAMILY_UNIX &&
	    !g_socket_set_option(socket, SOL_SOCKET, SO_MARK, (gint)connect->fwmark, &error))
		wice__log(WICE_LOG_WARNING, connect->where,
			  "The packets to this server cannot carry the firewall mark 0x%x (%s) and "
			  "may be routed into a tunnel; CAP_NET_ADMIN is needed for it",
			  connect->fwmark, error->message);
}

static void on_timeout(void *user_data)
{
	WiceStreamConnect *connect = user_data;
	if (connect->early) {
		fail(connect, (WiceErrorCode)connect->early->code, connect->early->message);
		return;
	}
	connect->timed_out = true;
	g_cancellable_cancel(connect->cancellable);
}

/* An address is none that the server may be told as a name (RFC 6066 section 3). */
static GSocketConnectable *identity_of(const char *host, uint16_t port)
{
	GSocketAddress *address = g_inet_socket_address_new_from_string(host, port);
	return address ? G_SOCKET_CONNECTABLE(address) : g_network_address_new(host, port);
}

static bool prepare(WiceStreamConnect *connect, const WiceStreamOptions *options)
{
	if (options->unix_path) {
		size_t room = sizeof((struct sockaddr_un *)NULL)->sun_path;
		connect->where = g_strdup(options->unix_path);
		if (strlen(options->unix_path) >= room) {
			g_set_error(&connect->early, WICE_ERROR, WICE_ERROR_INVALID,
				    "a socket's path may have at most %zu characters", room - 1);
			return false;
		}
		connect->address =
			G_SOCKET_CONNECTABLE(g_unix_socket_address_new(options->unix_path));
		return true;
	}
	connect->where = g_strdup_printf(strchr(options->host, ':') ? "[%s]:%u" : "%s:%u",
					 options->host, options->port);
	connect->address = g_network_address_new(options->host, options->port);
	connect->fwmark = options->fwmark;
	if (!options->tls)
		return true;
	connect->identity =
		identity_of(options->tls_name ? options->tls_name : options->host, options->port);
	connect->tls_ca_file = g_strdup(options->tls_ca_file);
	connect->alpn = g_strdup(options->alpn);
	if (!g_tls_backend_supports_tls(g_tls_backend_get_default())) {
		g_set_error(&connect->early, WICE_ERROR, WICE_ERROR_UNSUPPORTED,
			    "this system's GLib has no TLS; install the package glib-networking");
		return false;
	}
	return true;
}

WiceStreamConnect *wice__stream_connect_start(GMainContext *context,
					      const WiceStreamOptions *options,
					      WiceStreamConnectFunc func, void *user_data)
{
	WiceStreamConnect *connect = g_new0(WiceStreamConnect, 1);
	connect->context = g_main_context_ref(context ? context : g_main_context_default());
	connect->func = func;
	connect->user_data = user_data;
	connect->cancellable = g_cancellable_new();
	connect->timer = wice__timer_new(connect->context, on_timeout, connect);
	if (!prepare(connect, options)) {
		wice__timer_set(connect->timer, 0);
		return connect;
	}
	wice__timer_set(connect->timer, wice__now_ms() + CONNECT_TIMEOUT_MS);

	g_autoptr(GSocketClient) client = g_socket_client_new();
	g_socket_client_set_enable_proxy(client, FALSE);
	g_signal_connect(client, "event", G_CALLBACK(on_client_event), connect);
	g_main_context_push_thread_default(connect->context);
	g_socket_client_connect_async(client, connect->address, connect->cancellable, on_connected,
				      connect);
	g_main_context_pop_thread_default(connect->context);
	return connect;
}

void wice__stream_connect_cancel(WiceStreamConnect *connect)
{
	if (!connect)
		return;
	if (connect->early) {
		connect_free(connect);
		return;
	}
	connect->func = NULL;
	g_clear_pointer(&connect->timer, wice__timer_free);
	g_cancellable_cancel(connect->cancellable);
}

GSocket *wice__stream_socket(GIOStream *io)
{
	g_autoptr(GIOStream) base = NULL;
	if (G_IS_TLS_CONNECTION(io))
		g_object_get(io, "base-io-stream", &base, NULL);
	return g_socket_connection_get_socket(G_SOCKET_CONNECTION(base ? base : io));
}
