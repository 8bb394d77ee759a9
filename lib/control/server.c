/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server.h"

#include "base/log.h"
#include "control/convert.h"
#include "control/request.h"
#include "control/socket.h"
#include "control/status_code.h"
#include "event/source.h"
#include "rpc/rpc.h"

#include <sys/socket.h>
#include <unistd.h>
#include <wice/error.h>

#define LOG_SUBJECT "control"
#define MAX_CONNECTIONS 64
#define MAX_CALLS 64
/* How long a client that asked to stop may keep its connection open to read the answer. */
#define STOP_GRACE_MS 1000

struct WiceControlServer {
	const WiceControlTargetOps *ops;
	void *target;
	GMainContext *context;
	WiceControlSocket *socket;
	WiceRpcServer *rpc;
	GHashTable *streams; /* the calls that events are sent to */
	WiceStopFunc on_stop;
	void *user_data;
	WiceTimer *stop_timer;
	WiceRpcConnection *stopping; /* who asked to stop and may not have the answer yet */
	bool stop_requested;
};

static void finish_with_error(WiceRpcCall *call, const GError *error)
{
	wice__rpc_call_finish(call, wice__control_code_from_error(error), error->message);
}

static void finish_with(WiceRpcCall *call, GBytes *answer)
{
	gsize len;
	const uint8_t *bytes = g_bytes_get_data(answer, &len);
	wice__rpc_call_send(call, bytes ? bytes : (const uint8_t *)"", len);
	wice__rpc_call_finish(call, WICE_RPC_OK, NULL);
}

/* The answers of commands have no fields, so they have no bytes. */
static void finish_done(WiceRpcCall *call)
{
	wice__rpc_call_send(call, (const uint8_t *)"", 0);
	wice__rpc_call_finish(call, WICE_RPC_OK, NULL);
}

/*
 * Each call: its request is read, then run() answers. run() either finishes the call, now or
 * later, or fails with an error that becomes the answer.
 */
typedef gboolean (*Run)(WiceControlServer *self, WiceRpcCall *call,
			const WiceControlRequest *request, GError **error);

static void handle(WiceControlMethod method, Run run, WiceRpcCall *call, const uint8_t *message,
		   size_t len, void *user_data)
{
	g_autoptr(GError) error = NULL;
	WiceControlRequest request;
	WiceArena arena;
	wice__arena_init(&arena, WICE_CONTROL_REQUEST_MEMORY);
	if (!wice__control_request_decode(method, message, len, &arena, &request, &error) ||
	    !run(user_data, call, &request, &error))
		finish_with_error(call, error);
	wice__arena_done(&arena);
}

static gboolean run_get_status(WiceControlServer *self, WiceRpcCall *call,
			       const WiceControlRequest *request, GError **error)
{
	g_autoptr(WiceStatus) status = self->ops->status(self->target);
	g_autoptr(GBytes) answer = wice__control_status_encode(wice_status_info(status),
							       request->interface, request->peer);
	if (answer && g_bytes_get_size(answer) > WICE_CONTROL_ANSWER_MAX) {
		wice__rpc_call_finish(call, WICE_RPC_RESOURCE_EXHAUSTED,
				      "The status is too large for one answer; ask for one "
				      "interface or one peer.");
		return TRUE;
	}
	if (answer) {
		finish_with(call, answer);
		return TRUE;
	}
	if (request->peer) {
		char key[WICE_KEY_BASE64_SIZE];
		wice_key_to_base64(request->peer, key);
		g_set_error(error, WICE_ERROR, WICE_ERROR_NOT_FOUND,
			    "wiced looks after no peer %s of an interface %s.", key,
			    request->interface);
	} else {
		g_set_error(error, WICE_ERROR, WICE_ERROR_NOT_FOUND,
			    "wiced looks after no interface %s.", request->interface);
	}
	return FALSE;
}

static gboolean run_restart_peer(WiceControlServer *self, WiceRpcCall *call,
				 const WiceControlRequest *request, GError **error)
{
	if (!self->ops->restart_peer(self->target, request->interface, request->peer, error))
		return FALSE;
	finish_done(call);
	return TRUE;
}

static gboolean run_set_mechanism(WiceControlServer *self, WiceRpcCall *call,
				  const WiceControlRequest *request, GError **error)
{
	if (!self->ops->set_mechanism(self->target, request->interface, request->mechanism, error))
		return FALSE;
	finish_done(call);
	return TRUE;
}

static gboolean run_sync(WiceControlServer *self, WiceRpcCall *call,
			 const WiceControlRequest *request, GError **error)
{
	if (!self->ops->sync(self->target, request->interface, error))
		return FALSE;
	finish_done(call);
	return TRUE;
}

static gboolean run_add_interface(WiceControlServer *self, WiceRpcCall *call,
				  const WiceControlRequest *request, GError **error)
{
	if (!self->ops->add_interface(self->target, request->interface, error))
		return FALSE;
	finish_done(call);
	return TRUE;
}

static gboolean run_remove_interface(WiceControlServer *self, WiceRpcCall *call,
				     const WiceControlRequest *request, GError **error)
{
	if (!self->ops->remove_interface(self->target, request->interface, error))
		return FALSE;
	finish_done(call);
	return TRUE;
}

static gboolean run_create_interface(WiceControlServer *self, WiceRpcCall *call,
				     const WiceControlRequest *request, GError **error)
{
	if (!self->ops->create_interface(self->target, request->interface, error))
		return FALSE;
	finish_done(call);
	return TRUE;
}

static gboolean run_delete_interface(WiceControlServer *self, WiceRpcCall *call,
				     const WiceControlRequest *request, GError **error)
{
	if (!self->ops->delete_interface(self->target, request->interface, error))
		return FALSE;
	finish_done(call);
	return TRUE;
}

/* Event streams. */

typedef struct {
	WiceControlServer *server;
	WiceRpcCall *call;
} Stream;

static void stream_over(gpointer data)
{
	Stream *stream = data;
	g_hash_table_remove(stream->server->streams, stream->call);
	g_free(stream);
}

static gboolean run_stream_events(WiceControlServer *self, WiceRpcCall *call,
				  const WiceControlRequest *request, GError **error)
{
	Stream *stream = g_new0(Stream, 1);
	stream->server = self;
	stream->call = call;
	g_hash_table_add(self->streams, call);
	wice__rpc_call_set_data(call, stream, stream_over);
	return TRUE;
}

static void on_event(const WiceEvent *event, void *user_data)
{
	WiceControlServer *self = user_data;
	if (g_hash_table_size(self->streams) == 0)
		return;
	g_autoptr(GBytes) message = wice__control_event_encode(event);
	gsize len;
	const uint8_t *bytes = g_bytes_get_data(message, &len);
	/*
	 * Sending may drop a slow client and with it any number of streams: ask again before
	 * each.
	 */
	guint n;
	g_autofree gpointer *calls = g_hash_table_get_keys_as_array(self->streams, &n);
	for (guint i = 0; i < n; i++)
		if (g_hash_table_contains(self->streams, calls[i]))
			wice__rpc_call_send(calls[i], bytes, len);
}

/*
 * Waiting is shared by two that end in either order: the call, whose client may go away, and the
 * target, which answers once.
 */
typedef struct {
	int refs;
	WiceRpcCall *call; /* NULL when it is over */
	WiceCancel *cancel;
} Waiting;

static void waiting_unref(gpointer data)
{
	Waiting *waiting = data;
	if (--waiting->refs > 0)
		return;
	wice_cancel_unref(waiting->cancel);
	g_free(waiting);
}

static void waiting_call_over(gpointer data)
{
	Waiting *waiting = data;
	waiting->call = NULL;
	wice_cancel_now(waiting->cancel);
	waiting_unref(waiting);
}

static void on_waited(const GError *error, void *user_data)
{
	Waiting *waiting = user_data;
	WiceRpcCall *call = waiting->call;
	if (!call)
		return;
	if (error)
		finish_with_error(call, error);
	else
		finish_done(call);
}

static gboolean run_wait(WiceControlServer *self, WiceRpcCall *call,
			 const WiceControlRequest *request, GError **error)
{
	Waiting *waiting = g_new0(Waiting, 1);
	waiting->refs = 2;
	waiting->call = call;
	waiting->cancel = wice_cancel_new();
	wice__rpc_call_set_data(call, waiting, waiting_call_over);
	self->ops->wait(self->target, request->interface, request->peer, request->state,
			request->timeout_ms, waiting->cancel, on_waited, waiting, waiting_unref);
	return TRUE;
}

/*
 * Stop: the answer is queued, and on_stop() waits until the client has hung up, which it does
 * when it has the answer, or for a moment if it does not.
 */
static void on_stop_due(void *user_data)
{
	WiceControlServer *self = user_data;
	self->stopping = NULL;
	if (self->on_stop)
		self->on_stop(self->user_data);
}

static gboolean run_stop(WiceControlServer *self, WiceRpcCall *call,
			 const WiceControlRequest *request, GError **error)
{
	WiceRpcConnection *connection = wice__rpc_call_connection(call);
	finish_done(call);
	if (self->stop_requested)
		return TRUE;
	self->stop_requested = true;
	self->stopping = connection;
	wice__timer_set(self->stop_timer, wice__now_ms() + STOP_GRACE_MS);
	wice__log(WICE_LOG_INFO, LOG_SUBJECT, "A client asked to stop.");
	return TRUE;
}

static void on_closed(WiceRpcConnection *connection, void *user_data)
{
	WiceControlServer *self = user_data;
	if (connection == self->stopping)
		wice__timer_set(self->stop_timer, wice__now_ms());
}

static bool on_accept(WiceRpcConnection *connection, GSocket *socket, void *user_data)
{
	WiceControlServer *self = user_data;
	struct ucred peer;
	if (wice__control_socket_admits(self->socket, g_socket_get_fd(socket), &peer))
		return true;
	wice__log(WICE_LOG_WARNING, LOG_SUBJECT,
		  "Refused a connection of pid %d, user %d: it is neither root nor our user nor in "
		  "the group of the socket.",
		  (int)peer.pid, (int)peer.uid);
	return false;
}

#define DEFINE_HANDLER(name, method)                                                     \
	static void handle_##name(WiceRpcCall *call, const uint8_t *message, size_t len, \
				  void *user_data)                                       \
	{                                                                                \
		handle(method, run_##name, call, message, len, user_data);               \
	}
DEFINE_HANDLER(get_status, WICE_CONTROL_GET_STATUS)
DEFINE_HANDLER(stream_events, WICE_CONTROL_STREAM_EVENTS)
DEFINE_HANDLER(restart_peer, WICE_CONTROL_RESTART_PEER)
DEFINE_HANDLER(set_mechanism, WICE_CONTROL_SET_MECHANISM)
DEFINE_HANDLER(sync, WICE_CONTROL_SYNC)
DEFINE_HANDLER(add_interface, WICE_CONTROL_ADD_INTERFACE)
DEFINE_HANDLER(remove_interface, WICE_CONTROL_REMOVE_INTERFACE)
DEFINE_HANDLER(create_interface, WICE_CONTROL_CREATE_INTERFACE)
DEFINE_HANDLER(delete_interface, WICE_CONTROL_DELETE_INTERFACE)
DEFINE_HANDLER(wait, WICE_CONTROL_WAIT)
DEFINE_HANDLER(stop, WICE_CONTROL_STOP)

static const WiceRpcMethod methods[] = {
	{ WICE_CONTROL_SERVICE "GetStatus", handle_get_status },
	{ WICE_CONTROL_SERVICE "StreamEvents", handle_stream_events },
	{ WICE_CONTROL_SERVICE "RestartPeer", handle_restart_peer },
	{ WICE_CONTROL_SERVICE "SetMechanism", handle_set_mechanism },
	{ WICE_CONTROL_SERVICE "Sync", handle_sync },
	{ WICE_CONTROL_SERVICE "AddInterface", handle_add_interface },
	{ WICE_CONTROL_SERVICE "RemoveInterface", handle_remove_interface },
	{ WICE_CONTROL_SERVICE "CreateInterface", handle_create_interface },
	{ WICE_CONTROL_SERVICE "DeleteInterface", handle_delete_interface },
	{ WICE_CONTROL_SERVICE "Wait", handle_wait },
	{ WICE_CONTROL_SERVICE "Stop", handle_stop },
};
G_STATIC_ASSERT(G_N_ELEMENTS(methods) == WICE_CONTROL_N_METHODS);

static gboolean start_rpc(WiceControlServer *self, GError **error)
{
	const WiceRpcServerOptions options = {
		.size = sizeof options,
		.methods = methods,
		.n_methods = G_N_ELEMENTS(methods),
		.user_data = self,
		.max_message = WICE_CONTROL_REQUEST_MAX,
		.max_connections = MAX_CONNECTIONS,
		.max_calls = MAX_CALLS,
		.max_queued = WICE_CONTROL_QUEUE_MAX,
		.accept = on_accept,
		.closed = on_closed,
	};
	int fd = wice__control_socket_steal_fd(self->socket);
	GSocket *socket = g_socket_new_from_fd(fd, error);
	if (!socket) {
		close(fd);
		return FALSE;
	}
	self->rpc = wice__rpc_server_new(self->context, &options);
	if (wice__rpc_server_listen(self->rpc, socket, NULL, error))
		return TRUE;
	g_object_unref(socket);
	return FALSE;
}

WiceControlServer *wice__control_server_new(GMainContext *context, const WiceControlTargetOps *ops,
					    void *target, const char *path, WiceStopFunc on_stop,
					    void *user_data, GError **error)
{
	WiceControlSocket *socket = wice__control_socket_open(path, error);
	if (!socket)
		return NULL;
	WiceControlServer *self = g_new0(WiceControlServer, 1);
	self->ops = ops;
	self->target = target;
	self->context = context;
	self->socket = socket;
	self->streams = g_hash_table_new(NULL, NULL);
	self->on_stop = on_stop;
	self->user_data = user_data;
	self->stop_timer = wice__timer_new(context, on_stop_due, self);
	if (!start_rpc(self, error)) {
		g_prefix_error(error, "Cannot listen on %s: ", path);
		wice_control_server_free(self);
		return NULL;
	}
	ops->set_event_handler(target, on_event, self);
	return self;
}

void wice_control_server_free(WiceControlServer *self)
{
	if (!self)
		return;
	self->ops->set_event_handler(self->target, NULL, NULL);
	wice__rpc_server_free(self->rpc);
	wice__control_socket_close(self->socket);
	wice__timer_free(self->stop_timer);
	g_hash_table_unref(self->streams);
	g_free(self);
}
