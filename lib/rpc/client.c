/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <wice/error.h>
#include <wice/version.h>

#include "event/source.h"
#include "event/stream_connect.h"
#include "rpc/h2.h"
#include "rpc/metadata.h"
#include "rpc/rpc.h"

/*
 * A client's HTTP/2 session is made when connecting starts, not when it is done: requests made
 * meanwhile are already in it, and all leave together with the preface when the socket is ready.
 *
 * A request is held by two: by its user until it is finished or cancelled, and by the session until
 * HTTP/2 has closed the stream. Whichever is last frees it.
 */
#define KEEPALIVE_MAX_MS 320000 /* grpc-go answers PINGs more often than every 5 min with GOAWAY */

struct WiceRpcClient {
	WiceRpcClientOptions options;
	const WiceRpcClientEvents *events;
	void *user_data;
	GMainContext *context;
	WiceStreamConnect *connect;
	WiceRpcH2 *h2;
	GHashTable *requests; /* those that are not over */
	WiceTimer *doom;      /* finishes the requests of a connection that was replaced */
	unsigned refs;        /* the user's, and one per event being dispatched */
	bool freed;
};

struct WiceRpcRequest {
	WiceRpcStream stream;  /* first */
	WiceRpcClient *client; /* NULL once over */
	const WiceRpcRequestEvents *events;
	void *user_data;
	WiceTimer *timer;
	unsigned refs;
	bool doomed;
	bool answered; /* response fields have come */
	char *http_status;
	char *status;
	char *message;
	bool content_type_ok;
};

static void client_unref(WiceRpcClient *client)
{
	if (--client->refs > 0)
		return;
	g_hash_table_unref(client->requests);
	g_main_context_unref(client->context);
	g_free((char *)client->options.unix_path);
	g_free((char *)client->options.host);
	g_free((char *)client->options.tls_ca_file);
	g_free(client);
}

static void request_unref(WiceRpcRequest *request)
{
	if (--request->refs > 0)
		return;
	g_free(request->http_status);
	g_free(request->status);
	g_free(request->message);
	g_free(request);
}

/* After this no event of the request comes. False if it was over already. */
static bool request_detach(WiceRpcRequest *request)
{
	if (!request->client)
		return false;
	g_hash_table_remove(request->client->requests, request);
	g_clear_pointer(&request->timer, wice__timer_free);
	request->client = NULL;
	return true;
}

static void request_finish(WiceRpcRequest *request, WiceRpcStatus status, const char *text)
{
	if (!request_detach(request))
		return;
	if (request->stream.h2 && !request->doomed)
		wice__rpc_h2_reset(&request->stream, NGHTTP2_CANCEL);
	request->events->on_finished(status, text ? text : "", request->user_data);
	request_unref(request);
}

void wice__rpc_request_cancel(WiceRpcRequest *request)
{
	if (!request_detach(request))
		return;
	if (request->stream.h2 && !request->doomed)
		wice__rpc_h2_reset(&request->stream, NGHTTP2_CANCEL);
	request_unref(request);
}

/* Finishes all requests, or the doomed ones only; stops if the client is freed meanwhile. */
static void finish_requests(WiceRpcClient *client, bool doomed_only, const char *text)
{
	client->refs++;
	GPtrArray *requests = g_ptr_array_new_with_free_func((GDestroyNotify)request_unref);
	GHashTableIter iter;
	gpointer key;
	g_hash_table_iter_init(&iter, client->requests);
	while (g_hash_table_iter_next(&iter, &key, NULL)) {
		WiceRpcRequest *request = key;
		if (doomed_only && !request->doomed)
			continue;
		request->doomed = true;
		request->refs++;
		g_ptr_array_add(requests, request);
	}
	for (guint i = 0; i < requests->len; i++)
		request_finish(requests->pdata[i], WICE_RPC_UNAVAILABLE, text);
	g_ptr_array_unref(requests);
	client_unref(client);
}

static void on_doom(void *user_data)
{
	finish_requests(user_data, true, "The connection was renewed");
}

/* Events of the stream. */

static void on_header(WiceRpcStream *stream, const char *name, const char *value, void *user_data)
{
	WiceRpcRequest *request = (WiceRpcRequest *)stream;
	char **target = NULL;
	if (strcmp(name, ":status") == 0)
		target = &request->http_status;
	else if (strcmp(name, "grpc-status") == 0)
		target = &request->status;
	else if (strcmp(name, "grpc-message") == 0)
		target = &request->message;
	else if (strcmp(name, "content-type") == 0)
		request->content_type_ok = wice__rpc_content_type_ok(value);
	if (!target)
		return;
	g_free(*target);
	*target = g_strdup(value);
}

static void refuse_answer(WiceRpcRequest *request)
{
	if (strcmp(request->http_status, "200") == 0) {
		request_finish(request, WICE_RPC_UNKNOWN,
			       "The server's answer is not gRPC (wrong content-type)");
		return;
	}
	g_autofree char *text =
		g_strdup_printf("The server answered with HTTP status %s", request->http_status);
	request_finish(request, wice__rpc_status_of_http(request->http_status), text);
}

static void on_headers(WiceRpcStream *stream, void *user_data)
{
	WiceRpcRequest *request = (WiceRpcRequest *)stream;
	bool informational = request->http_status && request->http_status[0] == '1';
	if (!request->client || request->answered || informational)
		return;
	request->answered = true;
	/* A status of gRPC's own counts more than HTTP's. */
	if (!request->status &&
	    (g_strcmp0(request->http_status, "200") != 0 || !request->content_type_ok))
		refuse_answer(request);
}

static void on_data(WiceRpcStream *stream, const uint8_t *bytes, size_t len, void *user_data)
{
	WiceRpcRequest *request = (WiceRpcRequest *)stream;
	WiceRpcClient *client = request->client;
	if (!client)
		return;
	client->refs++;
	wice__rpc_buffer_append(&stream->in, bytes, len);
	while (request->client) {
		const uint8_t *message;
		size_t message_len;
		WiceRpcFrameResult result =
			wice__rpc_frame_read(wice__rpc_buffer_peek(&stream->in), stream->in.len,
					     client->options.max_message, &message, &message_len);
		if (result == WICE_RPC_FRAME_MORE)
			break;
		if (result == WICE_RPC_FRAME_COMPRESSED) {
			request_finish(request, WICE_RPC_UNIMPLEMENTED,
				       "The server's answer is compressed, which was not agreed");
		} else if (result == WICE_RPC_FRAME_TOO_LARGE) {
			g_autofree char *text =
				g_strdup_printf("The server's message is larger than %zu bytes",
						client->options.max_message);
			request_finish(request, WICE_RPC_RESOURCE_EXHAUSTED, text);
		} else {
			if (request->events->on_message)
				request->events->on_message(message, message_len,
							    request->user_data);
			wice__rpc_buffer_drop(&stream->in, WICE_RPC_FRAME_PREFIX + message_len);
		}
	}
	client_unref(client);
}

static void on_end(WiceRpcStream *stream, void *user_data)
{
}

static void on_closed(WiceRpcStream *stream, uint32_t error_code, void *user_data)
{
	WiceRpcRequest *request = (WiceRpcRequest *)stream;
	if (!request->client)
		return;
	request->doomed = true; /* there is nothing left to reset */
	if (g_strcmp0(request->status, "0") == 0 && stream->in.len > 0) {
		request_finish(request, WICE_RPC_INTERNAL, "The server's last message is cut off");
		return;
	}
	if (request->status) {
		g_autofree char *text =
			wice__rpc_message_decode(request->message ? request->message : "");
		request_finish(request, wice__rpc_status_parse(request->status), text);
		return;
	}
	g_autofree char *text = g_strdup_printf("The server ended the call without a status (%s)",
						nghttp2_http2_strerror(error_code));
	request_finish(request, wice__rpc_status_of_reset(error_code), text);
}

static void on_free(WiceRpcStream *stream)
{
	request_unref((WiceRpcRequest *)stream);
}

/* Events of the connection. */

static void disconnected(WiceRpcClient *client, const GError *error)
{
	g_autoptr(GError) reason = g_error_copy(error);
	client->refs++;
	/*
	 * From here on no new request is taken; the old ones outlive the session until they are
	 * finished.
	 */
	WiceRpcH2 *h2 = g_steal_pointer(&client->h2);
	finish_requests(client, false, reason->message);
	wice__rpc_h2_close(h2);
	if (!client->freed)
		client->events->on_disconnected(reason, client->user_data);
	client_unref(client);
}

static void on_lost(const GError *error, void *user_data)
{
	WiceRpcClient *client = user_data;
	if (error->code == WICE_ERROR_BUSY && client->options.keepalive_ms)
		client->options.keepalive_ms =
			MIN(client->options.keepalive_ms * 2, KEEPALIVE_MAX_MS);
	disconnected(client, error);
}

static const WiceRpcH2Events h2_events = {
	.header = on_header,
	.headers = on_headers,
	.data = on_data,
	.end = on_end,
	.closed = on_closed,
	.free = on_free,
	.lost = on_lost,
};

static void on_connect(GIOStream *io, const GError *error, void *user_data)
{
	WiceRpcClient *client = user_data;
	client->connect = NULL;
	if (error) {
		disconnected(client, error);
		return;
	}
	/* In this order, what on_connected() asks for leaves with the preface. */
	WiceRpcH2 *h2 = client->h2;
	client->refs++;
	client->events->on_connected(client->user_data);
	if (client->h2 == h2)
		wice__rpc_h2_attach(h2, io);
	g_object_unref(io);
	client_unref(client);
}

/* API. */

WiceRpcClient *wice__rpc_client_new(GMainContext *context, const WiceRpcClientOptions *options,
				    const WiceRpcClientEvents *events, void *user_data)
{
	WiceRpcClient *client = g_new0(WiceRpcClient, 1);
	client->context = g_main_context_ref(context ? context : g_main_context_default());
	client->options = *options;
	client->options.unix_path = g_strdup(options->unix_path);
	client->options.host = g_strdup(options->host);
	client->options.tls_ca_file = g_strdup(options->tls_ca_file);
	client->events = events;
	client->user_data = user_data;
	client->requests = g_hash_table_new(NULL, NULL);
	client->doom = wice__timer_new(client->context, on_doom, client);
	client->refs = 1;
	return client;
}

static void drop_connection(WiceRpcClient *client)
{
	wice__stream_connect_cancel(g_steal_pointer(&client->connect));
	if (client->h2)
		wice__rpc_h2_close(g_steal_pointer(&client->h2));
}

void wice__rpc_client_connect(WiceRpcClient *client)
{
	GHashTableIter iter;
	gpointer request;
	g_hash_table_iter_init(&iter, client->requests);
	while (g_hash_table_iter_next(&iter, &request, NULL)) {
		((WiceRpcRequest *)request)->doomed = true;
		wice__timer_set(client->doom, 0);
	}
	drop_connection(client);
	WiceRpcH2Options options = {
		.max_queued = SIZE_MAX,
		.keepalive_ms = client->options.keepalive_ms,
	};
	client->h2 = wice__rpc_h2_new(client->context, &options, &h2_events, client);
	WiceStreamOptions stream = {
		.unix_path = client->options.unix_path,
		.host = client->options.host,
		.port = client->options.port,
		.tls = client->options.tls,
		.tls_ca_file = client->options.tls_ca_file,
		.alpn = "h2",
		.fwmark = client->options.fwmark,
	};
	client->connect = wice__stream_connect_start(client->context, &stream, on_connect, client);
}

bool wice__rpc_client_is_up(const WiceRpcClient *client)
{
	return client->h2 != NULL;
}

void wice__rpc_client_set_fwmark(WiceRpcClient *client, uint32_t fwmark)
{
	client->options.fwmark = fwmark;
}

void wice__rpc_client_free(WiceRpcClient *client)
{
	if (!client)
		return;
	client->freed = true;
	GHashTableIter iter;
	gpointer key;
	g_hash_table_iter_init(&iter, client->requests);
	while (g_hash_table_iter_next(&iter, &key, NULL)) {
		WiceRpcRequest *request = key;
		g_hash_table_iter_remove(&iter);
		request_detach(request);
		request_unref(request);
	}
	g_clear_pointer(&client->doom, wice__timer_free);
	drop_connection(client);
	client_unref(client);
}

static void on_deadline(void *user_data)
{
	WiceRpcRequest *request = user_data;
	request_finish(request, WICE_RPC_DEADLINE_EXCEEDED,
		       "The server did not answer within the time that was given");
}

static bool submit(WiceRpcClient *client, WiceRpcRequest *request, const char *path,
		   unsigned timeout_ms)
{
	char timeout[WICE_RPC_TIMEOUT_SIZE];
	bool tls = client->options.tls && !client->options.unix_path;
	g_autofree char *authority =
		client->options.unix_path
			? g_strdup("localhost")
			: g_strdup_printf(strchr(client->options.host, ':') ? "[%s]:%u" : "%s:%u",
					  client->options.host, client->options.port);
	nghttp2_nv fields[8] = {
		wice__rpc_h2_field(":method", "POST"),
		wice__rpc_h2_field(":scheme", tls ? "https" : "http"),
		wice__rpc_h2_field(":path", path),
		wice__rpc_h2_field(":authority", authority),
		wice__rpc_h2_field("te", "trailers"),
		wice__rpc_h2_field("content-type", "application/grpc"),
		wice__rpc_h2_field("user-agent", "wice/" WICE_VERSION),
	};
	size_t n = 7;
	if (timeout_ms) {
		wice__rpc_timeout_format(timeout_ms, timeout);
		fields[n++] = wice__rpc_h2_field("grpc-timeout", timeout);
	}
	return wice__rpc_h2_open_stream(client->h2, &request->stream, fields, n);
}

WiceRpcRequest *wice__rpc_client_call(WiceRpcClient *client, const char *path,
				      const uint8_t *message, size_t len, unsigned timeout_ms,
				      const WiceRpcRequestEvents *events, void *user_data)
{
	if (!client->h2)
		return NULL;
	WiceRpcRequest *request = g_new0(WiceRpcRequest, 1);
	request->client = client;
	request->events = events;
	request->user_data = user_data;
	request->refs = 1;
	if (!submit(client, request, path, timeout_ms)) {
		request_unref(request);
		return NULL;
	}
	request->refs++;
	g_hash_table_add(client->requests, request);
	wice__rpc_h2_write(&request->stream, message, len);
	wice__rpc_h2_end(&request->stream);
	if (timeout_ms) {
		request->timer = wice__timer_new(client->context, on_deadline, request);
		wice__timer_set(request->timer, wice__now_ms() + timeout_ms);
	}
	return request;
}
