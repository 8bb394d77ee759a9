/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "played_server.h"

#include <check.h>
#include <string.h>

#include "event/sockaddr.h"
#include "stun/attributes.h"
#include "stun/channel_data.h"
#include "stun/message.h"
#include "turn/stream.h"

#define PACKET_MAX 70000

static WiceEndpoint to_endpoint(GSocketAddress *address)
{
	struct sockaddr_storage storage;
	WiceEndpoint endpoint = { 0 };
	gssize len = g_socket_address_get_native_size(address);
	ck_assert(g_socket_address_to_native(address, &storage, sizeof storage, NULL));
	ck_assert(wice__endpoint_from_sockaddr((struct sockaddr *)&storage, (socklen_t)len,
					       &endpoint));
	return endpoint;
}

static uint16_t error_for(PlayedServer *server, uint16_t method)
{
	if (method == WICE_STUN_REFRESH && server->stale && server->stale--)
		return WICE_STUN_ERROR_STALE_NONCE;
	if (method == WICE_STUN_ALLOCATE)
		return server->allocate_error;
	return method == WICE_STUN_REFRESH && server->forgot ? WICE_STUN_ERROR_ALLOCATION_MISMATCH
							     : 0;
}

static void count(PlayedServer *server, const WiceStunMessage *message)
{
	WiceStunAttribute lifetime;
	switch (message->method) {
	case WICE_STUN_BINDING:
		server->n_bindings++;
		break;
	case WICE_STUN_ALLOCATE:
		server->n_allocates++;
		break;
	case WICE_STUN_CHANNEL_BIND:
		server->n_binds++;
		break;
	case WICE_STUN_REFRESH:
		server->n_refreshes++;
		if (wice__stun_message_find(message, WICE_STUN_LIFETIME, &lifetime) &&
		    wice__stun_get_u32(lifetime.value) == 0)
			server->n_releases++;
		break;
	}
}

/* Returns the length of the answer, 0: none. */
static size_t answer_stun(PlayedServer *server, const uint8_t *packet, size_t len,
			  const WiceEndpoint *client, uint8_t *ret_answer)
{
	static const WiceEndpoint relayed = { .address = { WICE_FAMILY_IPV4, { 192, 0, 2, 7 } },
					      .port = 50000 };
	WiceStunMessage message;
	WiceStunWriter writer;
	size_t answer_len;
	if (wice__stun_message_read(&message, packet, len) ||
	    message.message_class != WICE_STUN_REQUEST)
		return 0;
	count(server, &message);
	uint16_t error = error_for(server, message.method);
	wice__stun_writer_init_reply(&writer, ret_answer, 512,
				     error ? WICE_STUN_ERROR : WICE_STUN_SUCCESS, &message);
	if (error)
		wice__stun_write_error(&writer, error, "played");
	if (error == WICE_STUN_ERROR_STALE_NONCE) {
		wice__stun_write_bytes(&writer, WICE_STUN_REALM, "played", 6);
		wice__stun_write_bytes(&writer, WICE_STUN_NONCE, "new", 3);
	}
	if (error == WICE_STUN_ERROR_TRY_ALTERNATE)
		wice__stun_write_address(&writer, WICE_STUN_ALTERNATE_SERVER, &server->alternate);
	if (!error && message.method == WICE_STUN_ALLOCATE)
		wice__stun_write_address(&writer, WICE_STUN_XOR_RELAYED_ADDRESS, &relayed);
	if (!error && (message.method == WICE_STUN_ALLOCATE || message.method == WICE_STUN_REFRESH))
		wice__stun_write_u32(&writer, WICE_STUN_LIFETIME, 600);
	if (!error && message.method != WICE_STUN_CHANNEL_BIND)
		wice__stun_write_address(&writer, WICE_STUN_XOR_MAPPED_ADDRESS, client);
	ck_assert_int_eq(wice__stun_writer_finish(&writer, &answer_len), 0);
	return answer_len;
}

static size_t answer(PlayedServer *server, const uint8_t *packet, size_t len,
		     const WiceEndpoint *client, uint8_t *ret_answer)
{
	size_t answer_len = len;
	g_mutex_lock(&server->lock);
	if (server->talks_nonsense) {
		memset(ret_answer, 0xff, len);
	} else if (len >= 4 && (packet[0] & 0xc0) == 0x40) {
		server->n_data++;
		memcpy(ret_answer, packet, len);
	} else {
		answer_len = answer_stun(server, packet, len, client, ret_answer);
	}
	if (server->silent)
		answer_len = 0;
	g_mutex_unlock(&server->lock);
	return answer_len;
}

static void serve_datagrams(PlayedServer *server)
{
	g_autofree uint8_t *packet = g_malloc(PACKET_MAX), *reply = g_malloc(PACKET_MAX);
	for (;;) {
		g_autoptr(GSocketAddress) from = NULL;
		gssize len = g_socket_receive_from(server->socket, &from, (char *)packet,
						   PACKET_MAX, server->cancellable, NULL);
		if (g_cancellable_is_cancelled(server->cancellable))
			return;
		if (len <= 0)
			continue;
		WiceEndpoint client = to_endpoint(from);
		size_t reply_len = answer(server, packet, (size_t)len, &client, reply);
		if (reply_len)
			g_socket_send_to(server->socket, from, (char *)reply, reply_len,
					 server->cancellable, NULL);
	}
}

static void serve_stream(PlayedServer *server, GIOStream *io, const WiceEndpoint *client)
{
	GInputStream *in = g_io_stream_get_input_stream(io);
	GOutputStream *out = g_io_stream_get_output_stream(io);
	g_autofree uint8_t *reply = g_malloc(PACKET_MAX);
	WiceTurnStream stream;
	gssize n = 1;
	wice__turn_stream_init(&stream, 4096);
	while (n > 0) {
		size_t len;
		uint8_t *frame = wice__turn_stream_room(&stream, &len);
		while (PLAYED_GET(server, deaf) && !g_cancellable_is_cancelled(server->cancellable))
			g_usleep(1000);
		n = g_input_stream_read(in, frame, len, server->cancellable, NULL);
		wice__turn_stream_added(&stream, n > 0 ? (size_t)n : 0);
		while (n > 0 && wice__turn_stream_next(&stream, &frame, &len) == 0) {
			size_t reply_len = answer(server, frame, len, client, reply);
			if (!g_output_stream_write_all(out, reply, reply_len, NULL,
						       server->cancellable, NULL))
				n = 0;
		}
	}
	wice__turn_stream_done(&stream);
}

static void serve_streams(PlayedServer *server)
{
	while (!g_cancellable_is_cancelled(server->cancellable)) {
		g_autoptr(GSocket) socket =
			g_socket_accept(server->socket, server->cancellable, NULL);
		if (!socket)
			continue;
		g_autoptr(GSocketAddress) remote = g_socket_get_remote_address(socket, NULL);
		g_autoptr(GIOStream) io =
			G_IO_STREAM(g_socket_connection_factory_create_connection(socket));
		g_autoptr(GIOStream) tls = NULL;
		if (server->certificate)
			tls = g_tls_server_connection_new(io, server->certificate, NULL);
		if (!remote || (tls && !g_tls_connection_handshake(G_TLS_CONNECTION(tls),
								   server->cancellable, NULL)))
			continue;
		WiceEndpoint client = to_endpoint(remote);
		serve_stream(server, tls ? tls : io, &client);
		g_socket_close(socket, NULL);
	}
}

static gpointer run(gpointer data)
{
	PlayedServer *server = data;
	if (server->transport == WICE_TURN_UDP)
		serve_datagrams(server);
	else
		serve_streams(server);
	return NULL;
}

void played_server_start(PlayedServer *server, WiceTurnTransport transport, const char *address,
			 uint16_t port, GTlsCertificate *certificate)
{
	g_autoptr(GError) error = NULL;
	bool udp = transport == WICE_TURN_UDP;
	g_autoptr(GSocketAddress) local = g_inet_socket_address_new_from_string(address, port);
	*server = (PlayedServer){ .transport = transport, .certificate = certificate };
	g_mutex_init(&server->lock);
	server->cancellable = g_cancellable_new();
	server->socket = g_socket_new(g_socket_address_get_family(local),
				      udp ? G_SOCKET_TYPE_DATAGRAM : G_SOCKET_TYPE_STREAM,
				      G_SOCKET_PROTOCOL_DEFAULT, &error);
	ck_assert_msg(server->socket != NULL, "%s", error ? error->message : "");
	ck_assert_msg(g_socket_bind(server->socket, local, TRUE, &error) &&
			      (udp || g_socket_listen(server->socket, &error)),
		      "%s", error ? error->message : "");
	g_autoptr(GSocketAddress) bound = g_socket_get_local_address(server->socket, NULL);
	server->port = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(bound));
	server->thread = g_thread_new("played server", run, server);
}

void played_server_stop(PlayedServer *server)
{
	g_cancellable_cancel(server->cancellable);
	g_thread_join(server->thread);
	g_object_unref(server->socket);
	g_object_unref(server->cancellable);
	g_mutex_clear(&server->lock);
}
