/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "event/sockaddr.h"
#include "relay/transport.h"
#include "stun/channel_data.h"
#include "turn/stream.h"

#define READ_SIZE 16384
#define READS_PER_TURN 16
/*
 * What waits while the server does not read: some round trips of a good line, not seconds of it.
 * WireGuard resends what was dropped no more than what has come too late.
 */
#define QUEUE_MAX (256 * 1024)
#define QUEUE_FOR_STUN (16 * 1024)

typedef struct {
	WiceRelayTransport base;
	WiceStreamConnect *connect;
	GIOStream *io; /* NULL: not connected */
	GPollableInputStream *in;
	GPollableOutputStream *out;
	GSource *readable, *writable;
	WiceTurnStream frames;
	GByteArray *queue; /* written up to: */
	guint written;
	char *trouble; /* writing has failed, so reading will */
} Stream;

static void source_clear(GSource **source)
{
	if (!*source)
		return;
	g_source_destroy(*source);
	g_clear_pointer(source, g_source_unref);
}

static void await_writable(Stream *stream);

/* Writes what the stream takes now. */
static void flush(Stream *stream)
{
	while (!stream->writable && !stream->trouble && stream->written < stream->queue->len) {
		g_autoptr(GError) error = NULL;
		gssize n = g_pollable_output_stream_write_nonblocking(
			stream->out, stream->queue->data + stream->written,
			stream->queue->len - stream->written, NULL, &error);
		if (n > 0)
			stream->written += (guint)n;
		else if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
			await_writable(stream);
		else
			stream->trouble = g_strdup(error ? error->message : "it takes no more");
	}
	if (stream->written < stream->queue->len && stream->written < READ_SIZE)
		return;
	g_byte_array_remove_range(stream->queue, 0, stream->written);
	stream->written = 0;
}

static void fail(Stream *stream, const char *reason)
{
	if (stream->base.events)
		stream->base.events->failed(reason, stream->base.user_data);
}

static void fail_broken(Stream *stream, const char *why)
{
	char server[WICE_ENDPOINT_SIZE];
	g_autofree char *reason =
		g_strdup_printf("The connection to %s broke: %s",
				wice_endpoint_format(&stream->base.server, server), why);
	fail(stream, reason);
}

static gboolean on_writable(GObject *object, gpointer user_data)
{
	Stream *stream = user_data;
	source_clear(&stream->writable);
	flush(stream);
	if (stream->trouble)
		fail_broken(stream, stream->trouble);
	return G_SOURCE_REMOVE;
}

static void await_writable(Stream *stream)
{
	stream->writable = g_pollable_output_stream_create_source(stream->out, NULL);
	g_source_set_callback(stream->writable, G_SOURCE_FUNC(on_writable), stream, NULL);
	g_source_attach(stream->writable, stream->base.context);
}

static int stream_send(WiceRelayTransport *base, const uint8_t *packet, size_t len)
{
	static const uint8_t zeros[4];
	Stream *stream = (Stream *)base;
	bool is_stun = len > 0 && !(packet[0] & 0xc0);
	size_t max = is_stun ? QUEUE_MAX + QUEUE_FOR_STUN : QUEUE_MAX;
	if (!stream->io || stream->trouble)
		return -ENOTCONN;
	if (len > max || stream->queue->len - stream->written > max - len)
		return -EAGAIN;
	g_byte_array_append(stream->queue, packet, (guint)len);
	g_byte_array_append(stream->queue, zeros, (guint)wice__channel_data_padding(len));
	flush(stream);
	return stream->trouble ? -EPIPE : 0;
}

/* Gives all whole frames. False if the stream is not to be read any more. */
static bool give(Stream *stream)
{
	WiceRelayTransport *base = &stream->base;
	uint8_t *frame;
	size_t len;
	int err = 0;
	while (base->events && (err = wice__turn_stream_next(&stream->frames, &frame, &len)) == 0)
		base->events->input(frame, len, base->user_data);
	if (base->events && err == -EBADMSG)
		fail_broken(stream, "the server sent what is not TURN");
	return base->events && err == -EAGAIN;
}

/* False if there is nothing (more) to read. */
static bool read_once(Stream *stream)
{
	g_autoptr(GError) error = NULL;
	size_t room;
	uint8_t *to = wice__turn_stream_room(&stream->frames, &room);
	gssize n = g_pollable_input_stream_read_nonblocking(stream->in, to, room, NULL, &error);
	if (n > 0) {
		wice__turn_stream_added(&stream->frames, (size_t)n);
		return give(stream);
	}
	if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
		fail_broken(stream, error ? error->message : "the server has closed it");
	return false;
}

static gboolean on_readable(GObject *object, gpointer user_data)
{
	Stream *stream = user_data;
	wice__relay_transport_ref(&stream->base);
	for (int i = 0; i < READS_PER_TURN && read_once(stream); i++)
		;
	bool goes_on = stream->base.events;
	wice__relay_transport_unref(&stream->base);
	return goes_on ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void learn_server(Stream *stream)
{
	struct sockaddr_storage address;
	GSocket *socket = wice__stream_socket(stream->io);
	g_autoptr(GSocketAddress) remote = g_socket_get_remote_address(socket, NULL);
	gssize len = remote ? g_socket_address_get_native_size(remote) : 0;
	if (len > 0 && g_socket_address_to_native(remote, &address, sizeof address, NULL))
		(void)wice__endpoint_from_sockaddr((const struct sockaddr *)&address,
						   (socklen_t)len, &stream->base.server);
}

static void on_connected(GIOStream *io, const GError *error, void *user_data)
{
	Stream *stream = user_data;
	stream->connect = NULL;
	if (!io) {
		fail(stream, error->message);
		return;
	}
	stream->io = io;
	stream->in = G_POLLABLE_INPUT_STREAM(g_io_stream_get_input_stream(io));
	stream->out = G_POLLABLE_OUTPUT_STREAM(g_io_stream_get_output_stream(io));
	learn_server(stream);
	stream->readable = g_pollable_input_stream_create_source(stream->in, NULL);
	g_source_set_callback(stream->readable, G_SOURCE_FUNC(on_readable), stream, NULL);
	g_source_attach(stream->readable, stream->base.context);
	stream->base.events->opened(stream->base.user_data);
}

/* A stream's end gives back all that was allocated over it. */
static void stream_close(WiceRelayTransport *base)
{
	Stream *stream = (Stream *)base;
	wice__stream_connect_cancel(g_steal_pointer(&stream->connect));
	source_clear(&stream->readable);
	source_clear(&stream->writable);
	if (stream->io)
		g_socket_close(wice__stream_socket(stream->io), NULL);
}

static void stream_free(WiceRelayTransport *base)
{
	Stream *stream = (Stream *)base;
	g_clear_object(&stream->io);
	wice__turn_stream_done(&stream->frames);
	g_byte_array_unref(stream->queue);
	g_free(stream->trouble);
	g_free(stream);
}

static const WiceRelayTransportKind stream_kind = {
	.send = stream_send,
	.close = stream_close,
	.free = stream_free,
};

WiceRelayTransport *wice__relay_stream_open(GMainContext *context, const WiceStreamOptions *options,
					    const WiceRelayTransportEvents *events, void *user_data)
{
	Stream *stream = g_new0(Stream, 1);
	wice__relay_transport_init(&stream->base, &stream_kind, context, events, user_data);
	wice__turn_stream_init(&stream->frames, READ_SIZE);
	stream->queue = g_byte_array_new();
	stream->connect = wice__stream_connect_start(context, options, on_connected, stream);
	return &stream->base;
}
