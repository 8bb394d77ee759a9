/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/h2.h"

#include <string.h>
#include <wice/error.h>

#include "event/source.h"

/* Received per turn of the main loop, so that one busy connection does not starve the others. */
#define READ_CHUNK 65536
#define READS_PER_TURN 4
/* Gathered before a write: the first flight and small answers leave in one packet each. */
#define WRITE_CHUNK 65536
#define CONNECTION_WINDOW (1 << 20)
#define STREAM_WINDOW (1 << 18)
#define HEADER_BYTES_MAX 16384 /* RFC 9113 section 6.5.2, SETTINGS_MAX_HEADER_LIST_SIZE */
/*
 * Bytes that may come without completing anything: a header block may be spread over CONTINUATION
 * frames without end, and nghttp2 1.52 does not count them (CVE-2024-28182).
 */
#define INCOMPLETE_BYTES_MAX (4 * HEADER_BYTES_MAX)
/*
 * Resets, received or provoked: whoever opens streams only to have them reset makes us work for
 * free (CVE-2023-44487 "rapid reset", CVE-2025-8671 "made you reset").
 */
#define RESETS_BURST 1000
#define RESETS_PER_S 33

struct WiceRpcH2 {
	WiceRpcH2Options options;
	const WiceRpcH2Events *events;
	void *user_data;
	GMainContext *context;
	nghttp2_session *session;
	GHashTable *streams; /* id -> WiceRpcStream */

	GIOStream *io;
	GPollableInputStream *in;
	GPollableOutputStream *out;
	GSource *readable;
	GSource *writable; /* while the socket takes no more */
	WiceTimer *kick;
	WiceTimer *timer;
	WiceRpcBuffer tx;
	size_t queued; /* sum of the streams' out */

	unsigned depth; /* of events being dispatched */
	bool closed;    /* by the user */
	bool lost;      /* and the user knows */
	GError *error;  /* to be reported as the loss */

	size_t incomplete;   /* bytes since the last complete frame */
	size_t header_bytes; /* of the block being received */
	int64_t resets;      /* tokens left, in 1/1000 */
	int64_t resets_ms;
	int64_t received_ms;
	int64_t ping_ms; /* when the unanswered PING went out; 0: none */
	int64_t preface_deadline_ms;
	bool preface_seen;
};

static void fail(WiceRpcH2 *h2, WiceErrorCode code, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Notes the loss; it is reported when the present dispatch ends. The first reason counts. */
static void fail(WiceRpcH2 *h2, WiceErrorCode code, const char *format, ...)
{
	if (h2->error || h2->closed)
		return;
	va_list args;
	va_start(args, format);
	h2->error = g_error_new_valist(WICE_ERROR, (gint)code, format, args);
	va_end(args);
}

static bool dead(const WiceRpcH2 *h2)
{
	return h2->closed || h2->lost || h2->error;
}

static void source_clear(GSource **source)
{
	if (!*source)
		return;
	g_source_destroy(*source);
	g_clear_pointer(source, g_source_unref);
}

static void stop(WiceRpcH2 *h2)
{
	source_clear(&h2->readable);
	source_clear(&h2->writable);
	g_clear_pointer(&h2->kick, wice__timer_free);
	g_clear_pointer(&h2->timer, wice__timer_free);
}

/*
 * The socket is closed under TLS: a proper close_notify would wait for a peer that does not read.
 * GOAWAY has said goodbye already.
 */
static void close_io(WiceRpcH2 *h2)
{
	if (!h2->io)
		return;
	GIOStream *base = g_object_ref(h2->io);
	while (G_IS_TLS_CONNECTION(base)) {
		GIOStream *below;
		g_object_get(base, "base-io-stream", &below, NULL);
		g_object_unref(base);
		base = below;
	}
	g_io_stream_close(base, NULL, NULL);
	g_object_unref(base);
	g_clear_object(&h2->io);
}

static bool flush(WiceRpcH2 *h2);

static void free_stream(gpointer data)
{
	WiceRpcStream *stream = data;
	stream->h2->queued -= stream->out.len;
	wice__rpc_buffer_clear(&stream->in);
	wice__rpc_buffer_clear(&stream->out);
	g_free(stream->trailers[0].value);
	g_free(stream->trailers[1].value);
	WiceRpcH2 *h2 = stream->h2;
	stream->h2 = NULL;
	h2->events->free(stream);
}

static void destroy(WiceRpcH2 *h2)
{
	/* In two steps: nghttp2 would put GOAWAY before the data that are queued. */
	if (h2->io && flush(h2)) {
		nghttp2_submit_goaway(h2->session, NGHTTP2_FLAG_NONE,
				      nghttp2_session_get_last_proc_stream_id(h2->session),
				      NGHTTP2_NO_ERROR, NULL, 0);
		flush(h2);
	}
	stop(h2);
	close_io(h2);
	nghttp2_session_del(h2->session);
	g_hash_table_unref(h2->streams);
	wice__rpc_buffer_clear(&h2->tx);
	g_clear_error(&h2->error);
	g_main_context_unref(h2->context);
	g_free(h2);
}

static void enter(WiceRpcH2 *h2)
{
	h2->depth++;
}

/* Returns false if h2 is gone. */
static bool leave(WiceRpcH2 *h2)
{
	if (h2->depth == 1 && h2->error && !h2->closed && !h2->lost) {
		stop(h2);
		h2->lost = true;
		h2->events->lost(h2->error, h2->user_data);
	}
	if (--h2->depth > 0 || !h2->closed)
		return true;
	destroy(h2);
	return false;
}

/* Sending. */

static gboolean on_writable(GObject *stream, gpointer user_data);

static void await_writable(WiceRpcH2 *h2)
{
	if (h2->writable || h2->closed)
		return;
	h2->writable = g_pollable_output_stream_create_source(h2->out, NULL);
	g_source_set_callback(h2->writable, G_SOURCE_FUNC(on_writable), h2, NULL);
	g_source_attach(h2->writable, h2->context);
}

static bool fill_tx(WiceRpcH2 *h2)
{
	while (h2->tx.len < WRITE_CHUNK) {
		const uint8_t *bytes;
		ssize_t n = nghttp2_session_mem_send(h2->session, &bytes);
		if (n < 0) {
			fail(h2, WICE_ERROR_PROTOCOL, "HTTP/2 could not go on: %s",
			     nghttp2_strerror((int)n));
			return false;
		}
		if (n == 0)
			break;
		wice__rpc_buffer_append(&h2->tx, bytes, (size_t)n);
	}
	return true;
}

/* Writes until all is written or the socket takes no more. False if the connection failed. */
static bool flush(WiceRpcH2 *h2)
{
	bool blocked = h2->writable;
	if (h2->lost || h2->error)
		return false;
	while (h2->io && !blocked && fill_tx(h2) && h2->tx.len > 0) {
		g_autoptr(GError) error = NULL;
		gssize n = g_pollable_output_stream_write_nonblocking(
			h2->out, wice__rpc_buffer_peek(&h2->tx), h2->tx.len, NULL, &error);
		if (n > 0) {
			wice__rpc_buffer_drop(&h2->tx, (size_t)n);
		} else if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)) {
			await_writable(h2);
			blocked = true;
		} else {
			fail(h2, WICE_ERROR_UNREACHABLE, "The connection broke: %s",
			     error ? error->message : "nothing could be written");
			return false;
		}
	}
	if (h2->error)
		return false;
	if (wice__rpc_h2_queued(h2) > h2->options.max_queued) {
		fail(h2, WICE_ERROR_UNREACHABLE,
		     "The other side does not read: %zu bytes are waiting for it",
		     wice__rpc_h2_queued(h2));
		return false;
	}
	/* Both directions are finished after GOAWAY or a protocol error. */
	if (h2->io && h2->tx.len == 0 && !nghttp2_session_want_read(h2->session) &&
	    !nghttp2_session_want_write(h2->session)) {
		fail(h2, WICE_ERROR_PROTOCOL,
		     h2->options.server ? "It has ended the connection"
					: "The connection was ended by an HTTP/2 error");
		return false;
	}
	return true;
}

static gboolean on_writable(GObject *stream, gpointer user_data)
{
	WiceRpcH2 *h2 = user_data;
	enter(h2);
	source_clear(&h2->writable);
	flush(h2);
	leave(h2);
	return G_SOURCE_REMOVE;
}

static void on_kick(void *user_data)
{
	WiceRpcH2 *h2 = user_data;
	enter(h2);
	flush(h2);
	leave(h2);
}

/*
 * Something is to be sent, or to be reported: from the main loop, if no event is being dispatched.
 */
static void kick(WiceRpcH2 *h2)
{
	if (h2->kick && h2->io)
		wice__timer_set(h2->kick, 0);
}

static ssize_t on_read_out(nghttp2_session *session, int32_t id, uint8_t *bytes, size_t len,
			   uint32_t *flags, nghttp2_data_source *source, void *user_data)
{
	WiceRpcH2 *h2 = user_data;
	WiceRpcStream *stream = g_hash_table_lookup(h2->streams, GINT_TO_POINTER(id));
	if (!stream)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	size_t n = MIN(len, stream->out.len);
	if (n == 0 && !stream->ended)
		return NGHTTP2_ERR_DEFERRED;
	if (n > 0) {
		memcpy(bytes, wice__rpc_buffer_peek(&stream->out), n);
		wice__rpc_buffer_drop(&stream->out, n);
		h2->queued -= n;
	}
	if (stream->out.len > 0 || !stream->ended)
		return (ssize_t)n;
	*flags |= NGHTTP2_DATA_FLAG_EOF;
	if (stream->trailers[0].name) {
		nghttp2_nv fields[G_N_ELEMENTS(stream->trailers)];
		size_t n_fields = 0;
		for (size_t i = 0; i < G_N_ELEMENTS(fields) && stream->trailers[i].name; i++)
			fields[n_fields++] = wice__rpc_h2_field(stream->trailers[i].name,
								stream->trailers[i].value);
		*flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
		nghttp2_submit_trailer(session, id, fields, n_fields);
	}
	return (ssize_t)n;
}

/* Receiving. */

static void spend_reset(WiceRpcH2 *h2)
{
	int64_t now_ms = wice__now_ms();
	h2->resets = MIN(h2->resets + (now_ms - h2->resets_ms) * RESETS_PER_S,
			 (int64_t)RESETS_BURST * 1000);
	h2->resets_ms = now_ms;
	h2->resets -= 1000;
	if (h2->resets < 0)
		fail(h2, WICE_ERROR_PROTOCOL, "The other side has too many streams reset");
}

static WiceRpcStream *find_stream(WiceRpcH2 *h2, int32_t id)
{
	return dead(h2) ? NULL : g_hash_table_lookup(h2->streams, GINT_TO_POINTER(id));
}

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *hd, void *user_data)
{
	WiceRpcH2 *h2 = user_data;
	if (hd->type != NGHTTP2_CONTINUATION)
		h2->incomplete = 0;
	return 0;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
	WiceRpcH2 *h2 = user_data;
	h2->header_bytes = 0;
	if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	if (dead(h2) || g_hash_table_size(h2->streams) >= h2->options.max_streams)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	WiceRpcStream *stream = h2->events->begin(h2->user_data);
	if (!stream)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	stream->h2 = h2;
	stream->id = frame->hd.stream_id;
	g_hash_table_insert(h2->streams, GINT_TO_POINTER(stream->id), stream);
	return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
		     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
		     void *user_data)
{
	WiceRpcH2 *h2 = user_data;
	h2->header_bytes += name_len + value_len + 32; /* RFC 9113 section 10.5.1 */
	if (h2->header_bytes > HEADER_BYTES_MAX)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	WiceRpcStream *stream = find_stream(h2, frame->hd.stream_id);
	if (stream)
		h2->events->header(stream, (const char *)name, (const char *)value, h2->user_data);
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
		   size_t len, void *user_data)
{
	WiceRpcH2 *h2 = user_data;
	WiceRpcStream *stream = find_stream(h2, id);
	if (stream)
		h2->events->data(stream, bytes, len, h2->user_data);
	return 0;
}

static void on_goaway(WiceRpcH2 *h2, const nghttp2_goaway *frame)
{
	g_autofree char *text =
		g_strndup((const char *)frame->opaque_data, MIN(frame->opaque_data_len, 128));
	g_autofree char *valid = g_utf8_make_valid(text ? text : "", -1);
	for (char *c = valid; *c; c++)
		if (g_ascii_iscntrl(*c))
			*c = ' ';
	if (frame->error_code == NGHTTP2_ENHANCE_YOUR_CALM)
		fail(h2, WICE_ERROR_BUSY, "The other side ended the connection: %s",
		     *valid ? valid : "it asks for less traffic");
	else if (frame->error_code == NGHTTP2_NO_ERROR)
		fail(h2, WICE_ERROR_UNREACHABLE, "The other side is shutting down");
	else
		fail(h2, WICE_ERROR_PROTOCOL, "The other side ended the connection: %s%s%s",
		     nghttp2_http2_strerror(frame->error_code), *valid ? ", " : "", valid);
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
	WiceRpcH2 *h2 = user_data;
	h2->incomplete = 0;
	h2->preface_seen = true;
	if (frame->hd.type == NGHTTP2_GOAWAY && !h2->options.server)
		on_goaway(h2, &frame->goaway);
	if (frame->hd.type == NGHTTP2_RST_STREAM)
		spend_reset(h2);
	if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
		return 0;
	WiceRpcStream *stream = find_stream(h2, frame->hd.stream_id);
	if (stream && frame->hd.type == NGHTTP2_HEADERS)
		h2->events->headers(stream, h2->user_data);
	stream = find_stream(h2, frame->hd.stream_id);
	if (stream && frame->hd.flags & NGHTTP2_FLAG_END_STREAM) {
		stream->remote_ended = true;
		h2->events->end(stream, h2->user_data);
	}
	return 0;
}

static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
	WiceRpcH2 *h2 = user_data;
	if (frame->hd.type == NGHTTP2_RST_STREAM)
		spend_reset(h2);
	if (!h2->options.server || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
		return 0;
	/*
	 * The answer came before the end of the request: the rest of it is not wanted (section
	 * 8.1).
	 */
	WiceRpcStream *stream =
		g_hash_table_lookup(h2->streams, GINT_TO_POINTER(frame->hd.stream_id));
	if (stream && !stream->remote_ended)
		nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_NO_ERROR);
	return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error_code,
			   void *user_data)
{
	WiceRpcH2 *h2 = user_data;
	WiceRpcStream *stream = find_stream(h2, id);
	if (stream)
		h2->events->closed(stream, error_code, h2->user_data);
	g_hash_table_remove(h2->streams, GINT_TO_POINTER(id));
	return 0;
}

/* One read. False when there is nothing more to do. */
static bool receive(WiceRpcH2 *h2)
{
	uint8_t bytes[READ_CHUNK];
	g_autoptr(GError) error = NULL;
	gssize n =
		g_pollable_input_stream_read_nonblocking(h2->in, bytes, sizeof bytes, NULL, &error);
	if (n < 0 && g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
		return false;
	if (n <= 0) {
		fail(h2, WICE_ERROR_UNREACHABLE, "The connection %s%s",
		     n == 0 ? "was closed by the other side" : "broke: ",
		     n == 0 ? "" : error->message);
		return false;
	}
	h2->received_ms = wice__now_ms();
	h2->ping_ms = 0;
	h2->incomplete += (size_t)n;
	ssize_t used = nghttp2_session_mem_recv(h2->session, bytes, (size_t)n);
	if (used < 0)
		fail(h2, WICE_ERROR_PROTOCOL,
		     "The other side does not speak HTTP/2 as it should: %s",
		     nghttp2_strerror((int)used));
	else if (h2->incomplete > READ_CHUNK + INCOMPLETE_BYTES_MAX)
		fail(h2, WICE_ERROR_PROTOCOL, "The other side sends a frame without an end");
	return !dead(h2);
}

static gboolean on_readable(GObject *stream, gpointer user_data)
{
	WiceRpcH2 *h2 = user_data;
	enter(h2);
	for (unsigned i = 0; i < READS_PER_TURN && receive(h2); i++)
		;
	if (!dead(h2))
		flush(h2);
	return leave(h2) && h2->readable ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

/* Deadlines. */

static void arm(WiceRpcH2 *h2)
{
	int64_t next_ms = INT64_MAX;
	if (h2->options.keepalive_ms)
		next_ms = (h2->ping_ms ? h2->ping_ms : h2->received_ms) + h2->options.keepalive_ms;
	if (h2->options.preface_ms && !h2->preface_seen)
		next_ms = MIN(next_ms, h2->preface_deadline_ms);
	wice__timer_set(h2->timer, next_ms);
}

static void on_timer(void *user_data)
{
	WiceRpcH2 *h2 = user_data;
	int64_t now_ms = wice__now_ms();
	int64_t keepalive_ms = h2->options.keepalive_ms;
	enter(h2);
	if (h2->options.preface_ms && !h2->preface_seen && now_ms >= h2->preface_deadline_ms) {
		fail(h2, WICE_ERROR_TIMEOUT, "The other side has said nothing for %u ms",
		     h2->options.preface_ms);
	} else if (keepalive_ms && h2->ping_ms && now_ms >= h2->ping_ms + keepalive_ms) {
		fail(h2, WICE_ERROR_TIMEOUT,
		     "The other side has not answered for %" G_GINT64_FORMAT " ms",
		     now_ms - h2->received_ms);
	} else if (keepalive_ms && !h2->ping_ms && now_ms >= h2->received_ms + keepalive_ms) {
		h2->ping_ms = now_ms;
		nghttp2_submit_ping(h2->session, NGHTTP2_FLAG_NONE, NULL);
		flush(h2);
	}
	if (!dead(h2))
		arm(h2);
	leave(h2);
}

/* Lifetime. */

static nghttp2_session *session_new(WiceRpcH2 *h2)
{
	nghttp2_session_callbacks *callbacks;
	nghttp2_session_callbacks_new(&callbacks);
	nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
	nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
	nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
	nghttp2_session *session;
	if (h2->options.server)
		nghttp2_session_server_new(&session, callbacks, h2);
	else
		nghttp2_session_client_new(&session, callbacks, h2);
	nghttp2_session_callbacks_del(callbacks);

	nghttp2_settings_entry settings[] = {
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW },
		{ NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HEADER_BYTES_MAX },
		{ NGHTTP2_SETTINGS_ENABLE_PUSH, 0 },
	};
	if (h2->options.server)
		settings[2] = (nghttp2_settings_entry){ NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
							h2->options.max_streams };
	nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, G_N_ELEMENTS(settings));
	nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, CONNECTION_WINDOW);
	return session;
}

WiceRpcH2 *wice__rpc_h2_new(GMainContext *context, const WiceRpcH2Options *options,
			    const WiceRpcH2Events *events, void *user_data)
{
	WiceRpcH2 *h2 = g_new0(WiceRpcH2, 1);
	h2->context = context ? g_main_context_ref(context)
			      : g_main_context_ref(g_main_context_default());
	h2->options = *options;
	h2->events = events;
	h2->user_data = user_data;
	h2->streams = g_hash_table_new_full(NULL, NULL, NULL, free_stream);
	h2->resets = (int64_t)RESETS_BURST * 1000;
	h2->resets_ms = wice__now_ms();
	h2->session = session_new(h2);
	h2->kick = wice__timer_new(h2->context, on_kick, h2);
	h2->timer = wice__timer_new(h2->context, on_timer, h2);
	return h2;
}

void wice__rpc_h2_attach(WiceRpcH2 *h2, GIOStream *io)
{
	h2->io = g_object_ref(io);
	h2->in = G_POLLABLE_INPUT_STREAM(g_io_stream_get_input_stream(io));
	h2->out = G_POLLABLE_OUTPUT_STREAM(g_io_stream_get_output_stream(io));
	h2->received_ms = wice__now_ms();
	h2->preface_deadline_ms = h2->received_ms + h2->options.preface_ms;
	h2->readable = g_pollable_input_stream_create_source(h2->in, NULL);
	g_source_set_callback(h2->readable, G_SOURCE_FUNC(on_readable), h2, NULL);
	g_source_attach(h2->readable, h2->context);
	arm(h2);
	/* A failure is reported from the main loop. */
	h2->depth++;
	if (!flush(h2))
		kick(h2);
	h2->depth--;
}

void wice__rpc_h2_close(WiceRpcH2 *h2)
{
	h2->closed = true;
	if (h2->depth == 0)
		destroy(h2);
}

size_t wice__rpc_h2_queued(const WiceRpcH2 *h2)
{
	return h2->queued + h2->tx.len;
}

/* Streams. */

nghttp2_nv wice__rpc_h2_field(const char *name, const char *value)
{
	return (nghttp2_nv){ .name = (uint8_t *)name,
			     .value = (uint8_t *)value,
			     .namelen = strlen(name),
			     .valuelen = strlen(value) };
}

bool wice__rpc_h2_open_stream(WiceRpcH2 *h2, WiceRpcStream *stream, const nghttp2_nv *fields,
			      size_t n)
{
	nghttp2_data_provider provider = { .read_callback = on_read_out };
	int32_t id = nghttp2_submit_request(h2->session, NULL, fields, n, &provider, NULL);
	if (id < 0)
		return false;
	stream->h2 = h2;
	stream->id = id;
	g_hash_table_insert(h2->streams, GINT_TO_POINTER(id), stream);
	kick(h2);
	return true;
}

void wice__rpc_h2_respond(WiceRpcStream *stream, const nghttp2_nv *fields, size_t n, bool last)
{
	nghttp2_data_provider provider = { .read_callback = on_read_out };
	nghttp2_submit_response(stream->h2->session, stream->id, fields, n,
				last ? NULL : &provider);
	kick(stream->h2);
}

void wice__rpc_h2_write(WiceRpcStream *stream, const uint8_t *message, size_t len)
{
	WiceRpcH2 *h2 = stream->h2;
	/*
	 * flush() judges by max_queued after it has sent what it can; this bounds what one turn may
	 * add.
	 */
	if (h2->queued / 2 > h2->options.max_queued) {
		fail(h2, WICE_ERROR_UNREACHABLE,
		     "The other side does not read: %zu bytes are waiting for it",
		     wice__rpc_h2_queued(h2));
		kick(h2);
		return;
	}
	size_t before = stream->out.len;
	wice__rpc_frame_append(&stream->out, message, len);
	h2->queued += stream->out.len - before;
	nghttp2_session_resume_data(h2->session, stream->id);
	kick(h2);
}

void wice__rpc_h2_end(WiceRpcStream *stream)
{
	stream->ended = true;
	nghttp2_session_resume_data(stream->h2->session, stream->id);
	kick(stream->h2);
}

void wice__rpc_h2_reset(WiceRpcStream *stream, uint32_t error_code)
{
	nghttp2_submit_rst_stream(stream->h2->session, NGHTTP2_FLAG_NONE, stream->id, error_code);
	kick(stream->h2);
}
