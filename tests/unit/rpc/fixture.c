/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <check.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static Fixture *fixture_of(WiceRpcCall *call)
{
	return wice__rpc_connection_data(wice__rpc_call_connection(call));
}

static void note_destroyed(gpointer data)
{
	Fixture *fixture = data;
	fixture->destroyed++;
	fixture->held = NULL;
}

static void note_call(WiceRpcCall *call, Fixture *fixture)
{
	ck_assert_ptr_eq(fixture_of(call), fixture);
	fixture->handled++;
	wice__rpc_call_set_data(call, fixture, note_destroyed);
}

static void echo(WiceRpcCall *call, const uint8_t *message, size_t len, void *user_data)
{
	note_call(call, user_data);
	wice__rpc_call_send(call, message, len);
	wice__rpc_call_finish(call, WICE_RPC_OK, NULL);
}

static void stream(WiceRpcCall *call, const uint8_t *message, size_t len, void *user_data)
{
	note_call(call, user_data);
	for (unsigned i = 0; len > 0 && i < message[0]; i++)
		wice__rpc_call_send(call, message, len);
	wice__rpc_call_finish(call, WICE_RPC_OK, NULL);
}

static void hold(WiceRpcCall *call, const uint8_t *message, size_t len, void *user_data)
{
	Fixture *fixture = user_data;
	note_call(call, fixture);
	fixture->held = call;
}

static void deny(WiceRpcCall *call, const uint8_t *message, size_t len, void *user_data)
{
	note_call(call, user_data);
	wice__rpc_call_finish(call, WICE_RPC_PERMISSION_DENIED, DENY_TEXT);
}

static void quit(WiceRpcCall *call, const uint8_t *message, size_t len, void *user_data)
{
	Fixture *fixture = user_data;
	note_call(call, fixture);
	wice__rpc_call_send(call, message, len);
	wice__rpc_call_finish(call, WICE_RPC_OK, NULL);
	wice__rpc_server_free(g_steal_pointer(&fixture->server));
}

static const WiceRpcMethod methods[] = {
	{ ECHO, echo }, { STREAM, stream }, { HOLD, hold }, { DENY, deny }, { QUIT, quit },
};

static bool on_accept(WiceRpcConnection *connection, GSocket *socket, void *user_data)
{
	Fixture *fixture = user_data;
	fixture->accepted++;
	wice__rpc_connection_set_data(connection, fixture, NULL);
	return !fixture->refuse;
}

static void on_closed(WiceRpcConnection *connection, void *user_data)
{
	Fixture *fixture = user_data;
	ck_assert_ptr_eq(wice__rpc_connection_data(connection), fixture);
	ck_assert_ptr_null(fixture->held);
	fixture->closed++;
}

void fixture_init(Fixture *fixture)
{
	*fixture = (Fixture){
		.context = g_main_context_new(),
		.options = { .size = sizeof(WiceRpcServerOptions),
			     .methods = methods,
			     .n_methods = G_N_ELEMENTS(methods),
			     .max_message = 8 << 20,
			     .max_connections = 16,
			     .max_calls = 100,
			     .max_queued = 64 << 20,
			     .accept = on_accept,
			     .closed = on_closed },
	};
}

void fixture_listen(Fixture *fixture, bool unix_socket)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GSocketAddress) address = NULL;
	if (unix_socket) {
		g_autofree char *folder = g_dir_make_tmp("wice-rpc-XXXXXX", NULL);
		fixture->unix_path = g_build_filename(folder, "socket", NULL);
		address = g_unix_socket_address_new(fixture->unix_path);
	} else {
		address = g_inet_socket_address_new_from_string("127.0.0.1", fixture->port);
	}
	GSocket *socket = g_socket_new(g_socket_address_get_family(address), G_SOCKET_TYPE_STREAM,
				       G_SOCKET_PROTOCOL_DEFAULT, NULL);
	ck_assert(g_socket_bind(socket, address, TRUE, &error));
	fixture->options.user_data = fixture;
	fixture->server = wice__rpc_server_new(fixture->context, &fixture->options);
	ck_assert(wice__rpc_server_listen(fixture->server, socket, fixture->certificate, &error));
	if (!unix_socket) {
		g_autoptr(GSocketAddress) bound = g_socket_get_local_address(socket, NULL);
		fixture->port = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(bound));
	}
}

void fixture_done(Fixture *fixture)
{
	wice__rpc_server_free(fixture->server);
	settle(fixture->context);
	ck_assert_uint_eq(fixture->destroyed, fixture->handled);
	if (!fixture->refuse)
		ck_assert_uint_eq(fixture->closed, fixture->accepted);
	if (fixture->unix_path) {
		g_autofree char *folder = g_path_get_dirname(fixture->unix_path);
		g_unlink(fixture->unix_path);
		g_rmdir(folder);
		g_free(fixture->unix_path);
	}
	g_clear_object(&fixture->certificate);
	g_main_context_unref(fixture->context);
}

static void on_connected(void *user_data)
{
	Client *client = user_data;
	client->connected++;
}

static void on_disconnected(const GError *error, void *user_data)
{
	Client *client = user_data;
	client->disconnected++;
	g_free(client->reason);
	client->reason = g_strdup(error->message);
	if (client->free_on_disconnect)
		wice__rpc_client_free(g_steal_pointer(&client->client));
	else if (client->reconnect)
		wice__rpc_client_connect(client->client);
}

static const WiceRpcClientEvents client_events = { on_connected, on_disconnected };

WiceRpcClientOptions client_options(const Fixture *fixture)
{
	return (WiceRpcClientOptions){
		.size = sizeof(WiceRpcClientOptions),
		.unix_path = fixture->unix_path,
		.host = "127.0.0.1",
		.port = fixture->port,
		.max_message = 8 << 20,
	};
}

void client_init(Client *client, Fixture *fixture, const WiceRpcClientOptions *options)
{
	WiceRpcClientOptions defaults = client_options(fixture);
	*client = (Client){ .fixture = fixture };
	client->client = wice__rpc_client_new(fixture->context, options ? options : &defaults,
					      &client_events, client);
}

void client_done(Client *client)
{
	wice__rpc_client_free(client->client);
	settle(client->fixture->context);
	g_free(client->reason);
}

guint32 hash_bytes(const uint8_t *bytes, size_t len)
{
	guint32 hash = 2166136261u;
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * 16777619u;
	return hash;
}

static void on_message(const uint8_t *message, size_t len, void *user_data)
{
	Request *request = user_data;
	request->messages++;
	request->last_len = len;
	request->last_hash = hash_bytes(message, len);
	if (request->cancel_on_message)
		wice__rpc_request_cancel(g_steal_pointer(&request->request));
	if (request->free_client_on_message)
		wice__rpc_client_free(g_steal_pointer(&request->client->client));
}

static void on_finished(WiceRpcStatus status, const char *text, void *user_data)
{
	Request *request = user_data;
	ck_assert_ptr_nonnull(request->request); /* never from inside the starting call */
	request->request = NULL;
	request->finished++;
	request->status = status;
	request->text = g_strdup(text);
}

void request_start(Request *request, Client *client, const char *path, const void *message,
		   size_t len, unsigned timeout_ms)
{
	static const WiceRpcRequestEvents events = { on_message, on_finished };
	*request = (Request){ .client = client };
	request->request = wice__rpc_client_call(client->client, path, message, len, timeout_ms,
						 &events, request);
}

void request_done(Request *request)
{
	g_free(request->text);
}

static gboolean keep_ticking(gpointer data)
{
	return G_SOURCE_CONTINUE;
}

void wait_true(GMainContext *context, bool (*done)(void *), void *data)
{
	gint64 deadline = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
	GSource *tick = g_timeout_source_new(50);
	g_source_set_callback(tick, keep_ticking, NULL, NULL);
	g_source_attach(tick, context);
	while (!done(data)) {
		ck_assert_msg(g_get_monotonic_time() < deadline, "waited for a minute in vain");
		g_main_context_iteration(context, TRUE);
	}
	g_source_destroy(tick);
	g_source_unref(tick);
}

typedef struct {
	const unsigned *count;
	unsigned want;
} Count;

static bool count_reached(void *data)
{
	const Count *count = data;
	return *count->count >= count->want;
}

void wait_count(GMainContext *context, const unsigned *count, unsigned want)
{
	wait_true(context, count_reached, &(Count){ count, want });
}

void settle(GMainContext *context)
{
	while (g_main_context_iteration(context, FALSE))
		;
}
