/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One call of a server. Its user sees it from handle() until finish(), or until it is closed under
 * him: by the client, by its deadline, by the loss of the connection. Then the user's data are
 * destroyed, which is how he learns of it. The memory stays with the HTTP/2 stream until that is
 * closed, because the answer may still be on its way.
 *
 *   begin -> header* -> data* -> end -> handle() -> respond, write* -> trailers -> closed
 *                 \_________\______\____ fail: trailers only
 */
#include <string.h>

#include "event/source.h"
#include "rpc/server.h"

#define INCOMING_MAX (4 * 1024 * 1024) /* per connection, or two messages if that is more */

struct WiceRpcCall {
	WiceRpcStream stream; /* first */
	WiceRpcConnection *connection;
	const WiceRpcMethod *method;
	bool responding; /* the response's fields are out */
	bool over;       /* the user has no say any more */
	bool post;
	bool content_type_ok;
	bool path_known;
	bool timeout_bad;
	int64_t timeout_ms;
	WiceTimer *timer;
	void *data;
	GDestroyNotify destroy;
};

static WiceRpcStream *on_begin(void *user_data)
{
	WiceRpcConnection *connection = user_data;
	WiceRpcCall *call = g_new0(WiceRpcCall, 1);
	call->connection = wice__rpc_connection_ref(connection);
	call->timeout_ms = INT64_MAX;
	g_hash_table_add(connection->calls, call);
	return &call->stream;
}

static void drop_input(WiceRpcCall *call)
{
	call->connection->incoming -= call->stream.in.len;
	wice__rpc_buffer_clear(&call->stream.in);
}

/* The user is out of it from now on. */
static void call_over(WiceRpcCall *call)
{
	call->over = true;
	g_hash_table_remove(call->connection->calls, call);
	g_clear_pointer(&call->timer, wice__timer_free);
	drop_input(call);
	GDestroyNotify destroy = call->destroy;
	call->destroy = NULL;
	if (destroy)
		destroy(g_steal_pointer(&call->data));
}

void wice__rpc_call_abandon(WiceRpcCall *call)
{
	if (!call->over)
		call_over(call);
}

static void end_with(WiceRpcCall *call, const char *http_status, WiceRpcStatus status,
		     const char *message)
{
	char number[12];
	g_snprintf(number, sizeof number, "%d", (int)status);
	g_autofree char *encoded = wice__rpc_message_encode(message ? message : "");
	if (call->responding) {
		call->stream.trailers[0].name = "grpc-status";
		call->stream.trailers[0].value = g_strdup(number);
		if (*encoded) {
			call->stream.trailers[1].name = "grpc-message";
			call->stream.trailers[1].value = g_steal_pointer(&encoded);
		}
		wice__rpc_h2_end(&call->stream);
	} else {
		const nghttp2_nv fields[] = {
			wice__rpc_h2_field(":status", http_status),
			wice__rpc_h2_field("content-type", "application/grpc"),
			wice__rpc_h2_field("grpc-status", number),
			wice__rpc_h2_field("grpc-message", encoded),
		};
		wice__rpc_h2_respond(&call->stream, fields, *encoded ? 4 : 3, true);
	}
}

void wice__rpc_call_finish(WiceRpcCall *call, WiceRpcStatus status, const char *message)
{
	if (call->over)
		return;
	end_with(call, "200", status, message);
	call_over(call);
}

void wice__rpc_call_send(WiceRpcCall *call, const uint8_t *message, size_t len)
{
	if (call->over)
		return;
	if (!call->responding) {
		const nghttp2_nv fields[] = {
			wice__rpc_h2_field(":status", "200"),
			wice__rpc_h2_field("content-type", "application/grpc"),
		};
		call->responding = true;
		wice__rpc_h2_respond(&call->stream, fields, G_N_ELEMENTS(fields), false);
	}
	wice__rpc_h2_write(&call->stream, message, len);
}

static const WiceRpcMethod *find_method(const WiceRpcServer *server, const char *path)
{
	for (size_t i = 0; i < server->options.n_methods; i++)
		if (strcmp(server->options.methods[i].path, path) == 0)
			return &server->options.methods[i];
	return NULL;
}

static void on_header(WiceRpcStream *stream, const char *name, const char *value, void *user_data)
{
	WiceRpcCall *call = (WiceRpcCall *)stream;
	WiceRpcConnection *connection = user_data;
	if (strcmp(name, ":method") == 0)
		call->post = strcmp(value, "POST") == 0;
	else if (strcmp(name, ":path") == 0)
		call->method = find_method(connection->server, value);
	else if (strcmp(name, "content-type") == 0)
		call->content_type_ok = wice__rpc_content_type_ok(value);
	else if (strcmp(name, "grpc-timeout") == 0)
		call->timeout_bad = !wice__rpc_timeout_parse(value, &call->timeout_ms);
}

static void on_deadline(void *user_data)
{
	wice__rpc_call_finish(user_data, WICE_RPC_DEADLINE_EXCEEDED,
			      "The time that the client gave has passed");
}

static void fail(WiceRpcCall *call, const char *http_status, WiceRpcStatus status, const char *text)
{
	end_with(call, http_status, status, text);
	call_over(call);
}

static void on_headers(WiceRpcStream *stream, void *user_data)
{
	WiceRpcCall *call = (WiceRpcCall *)stream;
	WiceRpcConnection *connection = user_data;
	if (call->over || call->path_known)
		return; /* the client's trailers mean nothing */
	call->path_known = true;
	if (!call->post) {
		fail(call, "405", WICE_RPC_UNIMPLEMENTED, "gRPC uses the method POST");
	} else if (!call->content_type_ok) {
		fail(call, "415", WICE_RPC_INVALID_ARGUMENT,
		     "The content-type must be application/grpc");
	} else if (!call->method) {
		fail(call, "200", WICE_RPC_UNIMPLEMENTED, WICE_RPC_NO_SUCH_METHOD);
	} else if (call->timeout_bad) {
		fail(call, "200", WICE_RPC_INVALID_ARGUMENT, "The grpc-timeout is malformed");
	} else if (call->timeout_ms != INT64_MAX) {
		call->timer = wice__timer_new(connection->server->context, on_deadline, call);
		wice__timer_set(call->timer, wice__now_ms() + call->timeout_ms);
	}
}

/* Fails the call if what has come can never become one good message. */
static void check_input(WiceRpcCall *call)
{
	const WiceRpcBuffer *in = &call->stream.in;
	size_t max = call->connection->server->options.max_message;
	const uint8_t *message;
	size_t len;
	WiceRpcFrameResult result =
		wice__rpc_frame_read(wice__rpc_buffer_peek(in), in->len, max, &message, &len);
	if (result == WICE_RPC_FRAME_COMPRESSED) {
		wice__rpc_call_finish(call, WICE_RPC_UNIMPLEMENTED,
				      "This server knows no compression of messages");
	} else if (result == WICE_RPC_FRAME_TOO_LARGE) {
		g_autofree char *text =
			g_strdup_printf("The message is larger than %zu bytes", max);
		wice__rpc_call_finish(call, WICE_RPC_RESOURCE_EXHAUSTED, text);
	} else if (result == WICE_RPC_FRAME_MESSAGE && in->len > WICE_RPC_FRAME_PREFIX + len) {
		wice__rpc_call_finish(call, WICE_RPC_UNIMPLEMENTED,
				      "This method takes one message");
	}
}

static void on_data(WiceRpcStream *stream, const uint8_t *bytes, size_t len, void *user_data)
{
	WiceRpcCall *call = (WiceRpcCall *)stream;
	WiceRpcConnection *connection = user_data;
	if (call->over)
		return;
	size_t max = MAX(INCOMING_MAX, 2 * connection->server->options.max_message);
	if (connection->incoming + len > max) {
		wice__rpc_call_finish(call, WICE_RPC_RESOURCE_EXHAUSTED,
				      "Too many unfinished requests on this connection");
		return;
	}
	wice__rpc_buffer_append(&stream->in, bytes, len);
	connection->incoming += len;
	check_input(call);
}

static void on_end(WiceRpcStream *stream, void *user_data)
{
	WiceRpcCall *call = (WiceRpcCall *)stream;
	WiceRpcConnection *connection = user_data;
	const uint8_t *message;
	size_t len;
	if (call->over)
		return;
	if (wice__rpc_frame_read(wice__rpc_buffer_peek(&stream->in), stream->in.len,
				 connection->server->options.max_message, &message,
				 &len) != WICE_RPC_FRAME_MESSAGE) {
		wice__rpc_call_finish(call, WICE_RPC_INTERNAL,
				      "The request ended without a complete message");
		return;
	}
	/* The handler may free the server; the call's memory is safe until the event is over. */
	WiceRpcBuffer input = stream->in;
	connection->incoming -= input.len;
	stream->in = (WiceRpcBuffer){ 0 };
	call->method->handle(call, message, len, connection->server->options.user_data);
	wice__rpc_buffer_clear(&input);
}

static void on_closed(WiceRpcStream *stream, uint32_t error_code, void *user_data)
{
	wice__rpc_call_abandon((WiceRpcCall *)stream);
}

static void on_free(WiceRpcStream *stream)
{
	WiceRpcCall *call = (WiceRpcCall *)stream;
	wice__rpc_call_abandon(call);
	wice__rpc_connection_unref(call->connection);
	g_free(call);
}

static void on_lost(const GError *error, void *user_data)
{
	wice__rpc_connection_drop(user_data, error->message);
}

const WiceRpcH2Events wice__rpc_call_events = {
	.begin = on_begin,
	.header = on_header,
	.headers = on_headers,
	.data = on_data,
	.end = on_end,
	.closed = on_closed,
	.free = on_free,
	.lost = on_lost,
};

WiceRpcConnection *wice__rpc_call_connection(WiceRpcCall *call)
{
	return call->connection;
}

void wice__rpc_call_set_data(WiceRpcCall *call, void *data, GDestroyNotify destroy)
{
	call->data = data;
	call->destroy = destroy;
}

void *wice__rpc_call_data(const WiceRpcCall *call)
{
	return call->data;
}
