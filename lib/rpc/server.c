/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/server.h"

#include <errno.h>

#include <wice/error.h>

#include "base/log.h"
#include "event/source.h"
#include "event/stream_connect.h"

#define ACCEPTS_PER_TURN 16
#define ACCEPT_PAUSE_MS 200 /* after running out of file descriptors */
#define BACKLOG 1024        /* all clients come back at once after a restart */
#define HANDSHAKE_MS 10000  /* for TLS, and again for the HTTP/2 preface */
/*
 * GIO does each handshake on a thread of a pool that the whole process shares (names are resolved
 * on it, too). Strangers may occupy this many of them.
 */
#define HANDSHAKES_MAX 8
#define KEEPALIVE_MS 40000

typedef struct {
	WiceRpcServer *server;
	GSocket *socket;
	GTlsCertificate *certificate;
	GSource *source;
	WiceTimer *pause;
} Listener;

/* Connections. */

WiceRpcConnection *wice__rpc_connection_ref(WiceRpcConnection *connection)
{
	connection->refs++;
	return connection;
}

static void server_unref(WiceRpcServer *server)
{
	if (--server->refs > 0)
		return;
	g_hash_table_unref(server->connections);
	g_ptr_array_unref(server->listeners);
	g_main_context_unref(server->context);
	g_free(server);
}

void wice__rpc_connection_unref(WiceRpcConnection *connection)
{
	if (--connection->refs > 0)
		return;
	g_hash_table_unref(connection->calls);
	g_clear_object(&connection->io);
	g_clear_object(&connection->certificate);
	g_clear_object(&connection->cancellable);
	server_unref(connection->server);
	g_free(connection);
}

static void stop_waiting(WiceRpcConnection *connection)
{
	g_clear_pointer(&connection->deadline, wice__timer_free);
	if (connection->first_byte) {
		g_source_destroy(connection->first_byte);
		g_clear_pointer(&connection->first_byte, g_source_unref);
	}
	g_queue_remove(&connection->server->waiting, connection);
	if (connection->cancellable)
		g_cancellable_cancel(connection->cancellable);
}

void wice__rpc_connection_drop(WiceRpcConnection *connection, const char *reason)
{
	WiceRpcServer *server = connection->server;
	if (connection->gone)
		return;
	connection->gone = true;
	wice__log(WICE_LOG_DEBUG, "", "A client of the gRPC server has gone: %s", reason);
	wice__rpc_connection_ref(connection);
	if (g_hash_table_remove(server->connections, connection))
		wice__rpc_connection_unref(connection);
	stop_waiting(connection);

	g_autofree gpointer *calls = g_hash_table_get_keys_as_array(connection->calls, NULL);
	for (gpointer *call = calls; *call; call++)
		if (g_hash_table_contains(connection->calls, *call))
			wice__rpc_call_abandon(*call);
	if (connection->h2)
		wice__rpc_h2_close(g_steal_pointer(&connection->h2));
	else if (!connection->cancellable) /* the thread of a handshake closes by letting go */
		g_io_stream_close(connection->io, NULL, NULL);
	if (server->options.closed)
		server->options.closed(connection, server->options.user_data);
	GDestroyNotify destroy = connection->destroy;
	connection->destroy = NULL;
	if (destroy)
		destroy(g_steal_pointer(&connection->data));
	wice__rpc_connection_unref(connection);
}

static void start_h2(WiceRpcConnection *connection, GIOStream *io)
{
	const WiceRpcServerOptions *options = &connection->server->options;
	WiceRpcH2Options h2_options = {
		.server = true,
		.max_streams = options->max_calls,
		.max_queued = options->max_queued,
		.keepalive_ms = KEEPALIVE_MS,
		.preface_ms = HANDSHAKE_MS,
	};
	connection->h2 = wice__rpc_h2_new(connection->server->context, &h2_options,
					  &wice__rpc_call_events, connection);
	wice__rpc_h2_attach(connection->h2, io);
}

static WiceRpcConnection *connection_new(WiceRpcServer *server, GIOStream *io)
{
	WiceRpcConnection *connection = g_new0(WiceRpcConnection, 1);
	connection->server = server;
	server->refs++;
	connection->io = g_object_ref(io);
	connection->calls = g_hash_table_new(NULL, NULL);
	connection->refs = 1;
	g_hash_table_add(server->connections, connection);
	return connection;
}

WiceRpcConnection *wice__rpc_server_adopt(WiceRpcServer *server, GIOStream *io)
{
	if (g_hash_table_size(server->connections) >= server->options.max_connections)
		return NULL;
	WiceRpcConnection *connection = connection_new(server, io);
	start_h2(connection, io);
	return connection;
}

/* TLS. */

static void start_handshakes(WiceRpcServer *server);

static void on_handshake(GObject *source, GAsyncResult *result, gpointer user_data)
{
	WiceRpcConnection *connection = user_data;
	WiceRpcServer *server = connection->server;
	g_autoptr(GError) error = NULL;
	bool ok = g_tls_connection_handshake_finish(G_TLS_CONNECTION(source), result, &error);
	server->refs++;
	server->handshakes--;
	if (!connection->gone) {
		g_clear_pointer(&connection->deadline, wice__timer_free);
		if (ok)
			start_h2(connection, G_IO_STREAM(source));
		else
			wice__rpc_connection_drop(connection, error->message);
	}
	start_handshakes(server);
	wice__rpc_connection_unref(connection);
	server_unref(server);
}

static void handshake(WiceRpcConnection *connection)
{
	static const char *const protocols[] = { "h2", NULL };
	g_autoptr(GError) error = NULL;
	g_autoptr(GIOStream) tls =
		g_tls_server_connection_new(connection->io, connection->certificate, &error);
	if (!tls) {
		wice__rpc_connection_drop(connection, error->message);
		return;
	}
	g_tls_connection_set_advertised_protocols(G_TLS_CONNECTION(tls), protocols);
	connection->cancellable = g_cancellable_new();
	connection->server->handshakes++;
	wice__rpc_connection_ref(connection);
	g_main_context_push_thread_default(connection->server->context);
	g_tls_connection_handshake_async(G_TLS_CONNECTION(tls), G_PRIORITY_DEFAULT,
					 connection->cancellable, on_handshake, connection);
	g_main_context_pop_thread_default(connection->server->context);
}

static void start_handshakes(WiceRpcServer *server)
{
	while (server->handshakes < HANDSHAKES_MAX && !g_queue_is_empty(&server->waiting))
		handshake(g_queue_pop_head(&server->waiting));
}

/* Only who has said something may occupy a thread. */
static gboolean on_first_byte(GSocket *socket, GIOCondition condition, gpointer user_data)
{
	WiceRpcConnection *connection = user_data;
	g_clear_pointer(&connection->first_byte, g_source_unref);
	g_queue_push_tail(&connection->server->waiting, connection);
	start_handshakes(connection->server);
	return G_SOURCE_REMOVE;
}

static void on_handshake_deadline(void *user_data)
{
	wice__rpc_connection_drop(user_data, "It did not complete the TLS handshake in time");
}

static void start_tls(WiceRpcConnection *connection, GSocket *socket, GTlsCertificate *certificate)
{
	GMainContext *context = connection->server->context;
	connection->certificate = g_object_ref(certificate);
	connection->deadline = wice__timer_new(context, on_handshake_deadline, connection);
	wice__timer_set(connection->deadline, wice__now_ms() + HANDSHAKE_MS);
	connection->first_byte = g_socket_create_source(socket, G_IO_IN, NULL);
	g_source_set_callback(connection->first_byte, G_SOURCE_FUNC(on_first_byte), connection,
			      NULL);
	g_source_attach(connection->first_byte, context);
}

/* Listening. */

static void take_client(Listener *listener, GSocket *socket)
{
	WiceRpcServer *server = listener->server;
	GTlsCertificate *certificate = listener->certificate;
	if (g_hash_table_size(server->connections) >= server->options.max_connections) {
		wice__log(WICE_LOG_DEBUG, "",
			  "A client of the gRPC server was refused: there are "
			  "%u already",
			  server->options.max_connections);
		return;
	}
	wice__stream_tune(socket);
	g_autoptr(GSocketConnection) stream = g_socket_connection_factory_create_connection(socket);
	WiceRpcConnection *connection = connection_new(server, G_IO_STREAM(stream));
	wice__rpc_connection_ref(connection);
	bool wanted = !server->options.accept ||
		      server->options.accept(connection, socket, server->options.user_data);
	if (connection->gone) {
		/* accept has freed the server */
	} else if (!wanted) {
		connection->gone = true;
		g_hash_table_remove(server->connections, connection);
		wice__rpc_connection_unref(connection);
		if (connection->destroy)
			connection->destroy(connection->data);
	} else if (certificate) {
		start_tls(connection, socket, certificate);
	} else {
		start_h2(connection, G_IO_STREAM(stream));
	}
	wice__rpc_connection_unref(connection);
}

static void listener_watch(Listener *listener);

static gboolean on_incoming(GSocket *socket, GIOCondition condition, gpointer user_data)
{
	Listener *listener = user_data;
	WiceRpcServer *server = listener->server;
	server->refs++;
	for (unsigned i = 0; i < ACCEPTS_PER_TURN && !server->freed; i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(GSocket) client = g_socket_accept(socket, NULL, &error);
		if (client) {
			take_client(listener, client);
			continue;
		}
		if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
			break;
		if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED))
			continue;
		wice__log(WICE_LOG_WARNING, "",
			  "The gRPC server could not accept a client and pauses for %d ms: %s",
			  ACCEPT_PAUSE_MS, error->message);
		g_source_destroy(listener->source);
		g_clear_pointer(&listener->source, g_source_unref);
		wice__timer_set(listener->pause, wice__now_ms() + ACCEPT_PAUSE_MS);
		break;
	}
	bool freed = server->freed;
	bool paused = !freed && !listener->source;
	server_unref(server);
	return freed || paused ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
}

static void listener_watch(Listener *listener)
{
	listener->source = g_socket_create_source(listener->socket, G_IO_IN, NULL);
	g_source_set_callback(listener->source, G_SOURCE_FUNC(on_incoming), listener, NULL);
	g_source_attach(listener->source, listener->server->context);
}

static void on_pause_over(void *user_data)
{
	listener_watch(user_data);
}

static void listener_free(gpointer data)
{
	Listener *listener = data;
	if (listener->source) {
		g_source_destroy(listener->source);
		g_source_unref(listener->source);
	}
	wice__timer_free(listener->pause);
	g_socket_close(listener->socket, NULL);
	g_object_unref(listener->socket);
	g_clear_object(&listener->certificate);
	g_free(listener);
}

/* API. */

WiceRpcServer *wice__rpc_server_new(GMainContext *context, const WiceRpcServerOptions *options)
{
	WiceRpcServer *server = g_new0(WiceRpcServer, 1);
	server->context = g_main_context_ref(context ? context : g_main_context_default());
	server->options = *options;
	server->listeners = g_ptr_array_new_with_free_func(listener_free);
	server->connections = g_hash_table_new(NULL, NULL);
	g_queue_init(&server->waiting);
	server->refs = 1;
	return server;
}

gboolean wice__rpc_server_listen(WiceRpcServer *server, GSocket *socket,
				 GTlsCertificate *certificate, GError **error)
{
	if (certificate && !g_tls_backend_supports_tls(g_tls_backend_get_default())) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_UNSUPPORTED,
			    "The server cannot offer TLS: this system's GLib has none; install the "
			    "package glib-networking");
		return FALSE;
	}
	g_autoptr(GError) reason = NULL;
	g_socket_set_listen_backlog(socket, BACKLOG);
	if (!g_socket_listen(socket, &reason)) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_IO, "The server cannot listen: %s",
			    reason->message);
		return FALSE;
	}
	g_socket_set_blocking(socket, FALSE);
	Listener *listener = g_new0(Listener, 1);
	listener->server = server;
	listener->socket = socket;
	listener->certificate = certificate ? g_object_ref(certificate) : NULL;
	listener->pause = wice__timer_new(server->context, on_pause_over, listener);
	g_ptr_array_add(server->listeners, listener);
	listener_watch(listener);
	return TRUE;
}

void wice__rpc_server_free(WiceRpcServer *server)
{
	if (!server)
		return;
	server->freed = true;
	g_ptr_array_set_size(server->listeners, 0);
	g_autofree gpointer *connections =
		g_hash_table_get_keys_as_array(server->connections, NULL);
	for (gpointer *connection = connections; *connection; connection++)
		if (g_hash_table_contains(server->connections, *connection))
			wice__rpc_connection_drop(*connection, "The server stops");
	server_unref(server);
}

void wice__rpc_connection_set_data(WiceRpcConnection *connection, void *data,
				   GDestroyNotify destroy)
{
	connection->data = data;
	connection->destroy = destroy;
}

void *wice__rpc_connection_data(const WiceRpcConnection *connection)
{
	return connection->data;
}

size_t wice__rpc_connection_queued(const WiceRpcConnection *connection)
{
	return connection->h2 ? wice__rpc_h2_queued(connection->h2) : 0;
}
