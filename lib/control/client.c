/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The synchronous client: an asynchronous one on a GMainContext that nobody else has, iterated
 * until the call is over.
 */
#include <wice/control.h>

#include "config.h"
#include "control/convert.h"
#include "control/request.h"
#include "control/status_code.h"
#include "event/source.h"
#include "rpc/rpc.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <wice/error.h>

#define ANSWER_TIMEOUT_MS 5000

struct WiceControl {
	GMainContext *context;
	WiceRpcClient *client;
	char *path;
	bool connected;
	GError *lost; /* why there is no connection (any more) */
};

const char *wice_control_default_path(void)
{
	return WICE_RUNDIR "/wiced.sock";
}

/* Connecting. */

static void on_connected(void *user_data)
{
	WiceControl *self = user_data;
	self->connected = true;
}

static void on_disconnected(const GError *error, void *user_data)
{
	WiceControl *self = user_data;
	self->connected = false;
	if (!self->lost)
		self->lost = error ? g_error_copy(error)
				   : g_error_new_literal(WICE_ERROR, WICE_ERROR_UNREACHABLE,
							 "the connection was closed");
}

static const WiceRpcClientEvents client_events = {
	.on_connected = on_connected,
	.on_disconnected = on_disconnected,
};

/* What connect(2) says about path: GIO's error is for people only. 0 if it works by now. */
static int ask_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof address.sun_path)
		return ENAMETOOLONG;
	g_strlcpy(address.sun_path, path, sizeof address.sun_path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return errno;
	int code = connect(fd, (const struct sockaddr *)&address, sizeof address) < 0 ? errno : 0;
	close(fd);
	return code;
}

static void set_connect_error(const WiceControl *self, GError **error)
{
	switch (ask_connect(self->path)) {
	case ENOENT:
	case ENOTDIR:
		g_set_error(error, WICE_ERROR, WICE_ERROR_NOT_FOUND,
			    "wiced does not seem to run (no socket at %s). Start it with "
			    "`systemctl start wiced` or run `wiced` as root; if it uses another "
			    "socket, name that with --socket.",
			    self->path);
		break;
	case ECONNREFUSED:
		g_set_error(error, WICE_ERROR, WICE_ERROR_NOT_FOUND,
			    "wiced does not seem to run (nobody listens at %s). Start it with "
			    "`systemctl start wiced` or run `wiced` as root.",
			    self->path);
		break;
	case EACCES:
		g_set_error(error, WICE_ERROR, WICE_ERROR_PERMISSION,
			    "Not allowed to talk to wiced at %s. Run as root or as a member of the "
			    "group that the socket belongs to.",
			    self->path);
		break;
	default:
		g_set_error(error, WICE_ERROR, WICE_ERROR_IO, "Cannot connect to wiced: %s.",
			    self->lost->message);
	}
}

static void on_deadline(void *user_data)
{
	*(bool *)user_data = true;
}

static gboolean connect_client(WiceControl *self, GError **error)
{
	bool late = false;
	WiceTimer *timer = wice__timer_new(self->context, on_deadline, &late);
	wice__timer_set(timer, wice__now_ms() + ANSWER_TIMEOUT_MS);
	g_clear_error(&self->lost);
	wice__rpc_client_connect(self->client);
	while (!self->connected && !self->lost && !late)
		g_main_context_iteration(self->context, TRUE);
	wice__timer_free(timer);
	if (self->lost)
		set_connect_error(self, error);
	else if (!self->connected)
		g_set_error(error, WICE_ERROR, WICE_ERROR_TIMEOUT,
			    "wiced at %s did not answer within %d s. Is it stopped or very busy?",
			    self->path, ANSWER_TIMEOUT_MS / 1000);
	return self->connected;
}

WiceControl *wice_control_connect(const char *path, GError **error)
{
	WiceControl *self = g_new0(WiceControl, 1);
	self->context = g_main_context_new();
	self->path = g_strdup(path ? path : wice_control_default_path());
	const WiceRpcClientOptions options = {
		.size = sizeof options,
		.unix_path = self->path,
		.max_message = WICE_CONTROL_RESPONSE_MAX,
	};
	self->client = wice__rpc_client_new(self->context, &options, &client_events, self);
	if (connect_client(self, error))
		return self;
	wice_control_free(self);
	return NULL;
}

void wice_control_free(WiceControl *self)
{
	if (!self)
		return;
	wice__rpc_client_free(self->client);
	/* What is on its way to closing (GIO does it in the background) is let through. */
	while (g_main_context_iteration(self->context, FALSE))
		;
	g_main_context_unref(self->context);
	g_clear_error(&self->lost);
	g_free(self->path);
	g_free(self);
}

/* A call, on the stack of whoever waits for it. */
typedef struct {
	bool done;
	WiceRpcStatus status;
	char *text;
	GBytes *answer; /* the newest message */
	/* Streams only: */
	WiceControlEventFunc handler;
	void *user_data;
	bool enough; /* handler has returned FALSE */
	GError *error;
} Call;

static void on_finished(WiceRpcStatus status, const char *text, void *user_data)
{
	Call *call = user_data;
	call->done = true;
	call->status = status;
	call->text = g_strdup(text);
}

static void on_answer(const uint8_t *message, size_t len, void *user_data)
{
	Call *call = user_data;
	g_clear_pointer(&call->answer, g_bytes_unref);
	call->answer = g_bytes_new(message, len);
}

static void on_event(const uint8_t *message, size_t len, void *user_data)
{
	Call *call = user_data;
	WiceEvent event;
	WiceArena arena;
	if (call->enough || call->error)
		return;
	wice__arena_init(&arena, WICE_CONTROL_RESPONSE_MEMORY);
	if (wice__control_event_decode(message, len, &arena, &event, &call->error))
		call->enough = !call->handler(&event, call->user_data);
	wice__arena_done(&arena);
}

static const WiceRpcRequestEvents unary_events = { .on_message = on_answer,
						   .on_finished = on_finished };
static const WiceRpcRequestEvents stream_events = { .on_message = on_event,
						    .on_finished = on_finished };

static void set_lost_error(const WiceControl *self, const char *text, GError **error)
{
	g_set_error(error, WICE_ERROR, WICE_ERROR_UNREACHABLE,
		    "The connection to wiced at %s was lost: %s. It may have been stopped, or it "
		    "does not let this user in.",
		    self->path, text && *text ? text : "it hung up");
}

/* Runs a call to its end, or until the handler of a stream has enough. */
static gboolean run(WiceControl *self, WiceControlMethod method, const WiceControlRequest *fields,
		    unsigned timeout_ms, const WiceRpcRequestEvents *events, Call *call,
		    GError **error)
{
	g_autoptr(GBytes) bytes = wice__control_request_encode(method, fields);
	gsize len;
	const uint8_t *message = g_bytes_get_data(bytes, &len);
	/* Between calls nobody iterates: the connection may have been lost long ago. */
	while (g_main_context_iteration(self->context, FALSE))
		;
	if (!self->connected && !connect_client(self, error))
		return FALSE;
	WiceRpcRequest *request = wice__rpc_client_call(
		self->client, wice__control_method_path(method),
		message ? message : (const uint8_t *)"", len, timeout_ms, events, call);
	if (!request) {
		set_lost_error(self, self->lost ? self->lost->message : NULL, error);
		return FALSE;
	}
	while (!call->done && !call->enough && !call->error)
		g_main_context_iteration(self->context, TRUE);
	if (!call->done)
		wice__rpc_request_cancel(request);
	return TRUE;
}

static void set_call_error(const WiceControl *self, const Call *call, GError **error)
{
	WiceErrorCode code = wice__control_code_to_error(call->status);
	if (code == WICE_ERROR_UNREACHABLE)
		set_lost_error(self, call->text, error);
	else if (strcmp(call->text, WICE_RPC_NO_SUCH_METHOD) == 0)
		g_set_error(error, WICE_ERROR, (int)code,
			    "wiced at %s does not know how to do that: it is older than this "
			    "program. Restart it, or install its newer version.",
			    self->path);
	else if (*call->text)
		g_set_error_literal(error, WICE_ERROR, (int)code, call->text);
	else
		g_set_error(error, WICE_ERROR, (int)code,
			    "wiced at %s refused without saying why (gRPC status %d).", self->path,
			    (int)call->status);
}

/* A call with one answer; NULL on failure. */
static GBytes *ask(WiceControl *self, WiceControlMethod method, const WiceControlRequest *request,
		   unsigned timeout_ms, GError **error)
{
	Call call = { 0 };
	GBytes *answer = NULL;
	if (!run(self, method, request, timeout_ms, &unary_events, &call, error))
		return NULL;
	if (call.status == WICE_RPC_OK && call.answer)
		answer = g_steal_pointer(&call.answer);
	else if (call.status == WICE_RPC_OK)
		g_set_error(error, WICE_ERROR, WICE_ERROR_PROTOCOL,
			    "wiced at %s sent no answer to %s.", self->path,
			    wice__control_method_path(method));
	else
		set_call_error(self, &call, error);
	g_clear_pointer(&call.answer, g_bytes_unref);
	g_free(call.text);
	return answer;
}

static gboolean command(WiceControl *self, WiceControlMethod method,
			const WiceControlRequest *request, GError **error)
{
	g_autoptr(GBytes) answer = ask(self, method, request, ANSWER_TIMEOUT_MS, error);
	return answer != NULL;
}

WiceStatus *wice_control_status(WiceControl *self, const char *interface, const WiceKey *peer,
				GError **error)
{
	const WiceControlRequest request = { .interface = interface, .peer = peer };
	g_autoptr(GBytes) answer =
		ask(self, WICE_CONTROL_GET_STATUS, &request, ANSWER_TIMEOUT_MS, error);
	if (!answer)
		return NULL;
	gsize len;
	const uint8_t *bytes = g_bytes_get_data(answer, &len);
	return wice__control_status_decode(bytes, len, error);
}

gboolean wice_control_restart_peer(WiceControl *self, const char *interface, const WiceKey *peer,
				   GError **error)
{
	const WiceControlRequest request = { .interface = interface, .peer = peer };
	return command(self, WICE_CONTROL_RESTART_PEER, &request, error);
}

gboolean wice_control_set_mechanism(WiceControl *self, const char *interface,
				    WiceMechanism mechanism, GError **error)
{
	const WiceControlRequest request = { .interface = interface, .mechanism = mechanism };
	return command(self, WICE_CONTROL_SET_MECHANISM, &request, error);
}

gboolean wice_control_sync(WiceControl *self, const char *interface, GError **error)
{
	const WiceControlRequest request = { .interface = interface };
	return command(self, WICE_CONTROL_SYNC, &request, error);
}

gboolean wice_control_add_interface(WiceControl *self, const char *pattern, GError **error)
{
	const WiceControlRequest request = { .interface = pattern };
	return command(self, WICE_CONTROL_ADD_INTERFACE, &request, error);
}

gboolean wice_control_remove_interface(WiceControl *self, const char *pattern, GError **error)
{
	const WiceControlRequest request = { .interface = pattern };
	return command(self, WICE_CONTROL_REMOVE_INTERFACE, &request, error);
}

gboolean wice_control_create_interface(WiceControl *self, const char *name, GError **error)
{
	const WiceControlRequest request = { .interface = name };
	return command(self, WICE_CONTROL_CREATE_INTERFACE, &request, error);
}

gboolean wice_control_delete_interface(WiceControl *self, const char *name, GError **error)
{
	const WiceControlRequest request = { .interface = name };
	return command(self, WICE_CONTROL_DELETE_INTERFACE, &request, error);
}

gboolean wice_control_stop(WiceControl *self, GError **error)
{
	const WiceControlRequest request = { 0 };
	return command(self, WICE_CONTROL_STOP, &request, error);
}

gboolean wice_control_stream_events(WiceControl *self, WiceControlEventFunc handler,
				    void *user_data, unsigned timeout_ms, GError **error)
{
	const WiceControlRequest request = { 0 };
	Call call = { .handler = handler, .user_data = user_data };
	if (!run(self, WICE_CONTROL_STREAM_EVENTS, &request, timeout_ms, &stream_events, &call,
		 error))
		return FALSE;
	if (call.error)
		g_propagate_error(error, g_steal_pointer(&call.error));
	else if (!call.enough && call.status == WICE_RPC_DEADLINE_EXCEEDED)
		g_set_error(error, WICE_ERROR, WICE_ERROR_TIMEOUT,
			    "Nothing that was waited for happened within %u ms.", timeout_ms);
	else if (!call.enough && call.status == WICE_RPC_OK)
		set_lost_error(self, "it ended the stream", error);
	else if (!call.enough)
		set_call_error(self, &call, error);
	g_free(call.text);
	return call.enough;
}

gboolean wice_control_wait(WiceControl *self, const char *interface, const WiceKey *peer,
			   WicePeerState state, unsigned timeout_ms, GError **error)
{
	const WiceControlRequest request = {
		.interface = interface, .peer = peer, .state = state, .timeout_ms = timeout_ms
	};
	/* The daemon watches the time; ours only catches a daemon that does not answer. */
	unsigned patience_ms =
		timeout_ms ? (unsigned)MIN((uint64_t)timeout_ms + ANSWER_TIMEOUT_MS, UINT_MAX) : 0;
	g_autoptr(GBytes) answer = ask(self, WICE_CONTROL_WAIT, &request, patience_ms, error);
	return answer != NULL;
}
