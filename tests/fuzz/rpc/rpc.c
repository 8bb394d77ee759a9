/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client's bytes into a connection of the server, over a stream in memory, with methods that read the signaling
 * service's messages. The first byte says whether a good preface and SETTINGS are put before the rest, and whether the bytes
 * trickle.
 */
#include <gio/gio.h>
#include <stdlib.h>

#include "../paced.h"
#include "rpc/server.h"
#include "signaling/sealed.h"
#include "signaling/service.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OPENING "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
#define ITERATIONS_MAX 10000
#define WITH_OPENING 1
#define SLOWLY 2

static WiceRpcServer *server;
static GMainContext *context;

static void read_messages(const uint8_t *message, size_t len)
{
	WiceSubscribeParams subscribe;
	WiceProveParams prove;
	WiceEnvelope envelope;
	WiceKey key = { { 1 } };
	const uint8_t *sealed;
	wice__subscribe_params_read(message, len, &subscribe);
	wice__prove_params_read(message, len, &prove);
	wice__barrier_read(message, len);
	wice__challenge_read(message, len, &key, &sealed);
	if (wice__envelope_read(message, len, &envelope) && envelope.body_len > len)
		abort();
}

static void publish(WiceRpcCall *call, const uint8_t *message, size_t len, void *user_data)
{
	read_messages(message, len);
	wice__rpc_call_send(call, message, len);
	wice__rpc_call_finish(call, WICE_RPC_OK, len > 200 ? "Done, at 100 %." : NULL);
}

/* Open until the connection ends. */
static void subscribe(WiceRpcCall *call, const uint8_t *message, size_t len, void *user_data)
{
	read_messages(message, len);
	wice__rpc_call_set_data(call, g_malloc(1), g_free);
	wice__rpc_call_send(call, message, len);
}

/* Frees the server under its own connection. */
static void quit(WiceRpcCall *call, const uint8_t *message, size_t len, void *user_data)
{
	wice__rpc_call_finish(call, WICE_RPC_UNAVAILABLE, "quit");
	wice__rpc_server_free(g_steal_pointer(&server));
}

static void on_closed(WiceRpcConnection *connection, void *user_data)
{
	*(bool *)user_data = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const WiceRpcMethod methods[] = {
		{ WICE_SERVICE_PUBLISH, publish },
		{ WICE_SERVICE_SUBSCRIBE, subscribe },
		{ "/q/Q", quit },
	};
	bool closed = false;
	WiceRpcServerOptions options = {
		.size = sizeof options,
		.methods = methods,
		.n_methods = G_N_ELEMENTS(methods),
		.user_data = &closed,
		.max_message = WICE_ENVELOPE_MAX,
		.max_connections = 1,
		.max_calls = 8,
		.max_queued = 1 << 20,
		.closed = on_closed,
	};
	if (size == 0)
		return 0;
	read_messages(data, size);
	if (!context)
		context = g_main_context_new();
	g_autoptr(GIOStream) io =
		paced_stream_new(OPENING, data[0] & WITH_OPENING ? sizeof OPENING - 1 : 0, data + 1,
				 size - 1, data[0] & SLOWLY);
	server = wice__rpc_server_new(context, &options);
	wice__rpc_server_adopt(server, io);
	unsigned iterations = 0;
	while (!closed && iterations++ < ITERATIONS_MAX)
		g_main_context_iteration(context, FALSE);
	if (!closed)
		abort(); /* the end of the input must end the connection */
	wice__rpc_server_free(g_steal_pointer(&server));
	while (g_main_context_iteration(context, FALSE))
		;
	return 0;
}
