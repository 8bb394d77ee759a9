/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server's bytes into a connection of the client, over a stream in memory. Two calls are open: a subscription
 * (stream 1) and a publication (stream 3), and what they are sent is read as the signaling backend reads it. The
 * first byte says what the application does meanwhile, whether SETTINGS are put before the rest, and whether the
 * bytes trickle.
 *
 * The functions of event/stream_connect.c are replaced: nothing is resolved or connected here.
 */
#include <gio/gio.h>
#include <stdlib.h>

#include "../paced.h"
#include "event/stream_connect.h"
#include "rpc/rpc.h"
#include "signaling/sealed.h"
#include "signaling/service.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SETTINGS "\0\0\0\4\0\0\0\0\0"
#define ITERATIONS_MAX 10000
#define CALLS_MAX 4

enum {
	WITH_SETTINGS = 1,
	CANCELS_ON_MESSAGE = 2,
	FREES_ON_MESSAGE = 4,
	FREES_ON_FINISH = 8,
	CALLS_ON_FINISH = 16,
	RECONNECTS_ON_FINISH = 32,
	HAS_DEADLINES = 64,
	SLOWLY = 128,
};

static GMainContext *context;
static WiceRpcClient *client;
static WiceRpcRequest *requests[CALLS_MAX];
static size_t n_requests;
static unsigned actions;
static bool disconnected;
static struct {
	WiceStreamConnectFunc func;
	void *user_data;
} connecting;

static void require(bool holds)
{
	if (!holds)
		abort();
}

WiceStreamConnect *wice__stream_connect_start(GMainContext *in, const WiceStreamOptions *options,
					      WiceStreamConnectFunc func, void *user_data)
{
	connecting.func = func;
	connecting.user_data = user_data;
	return NULL;
}

void wice__stream_connect_cancel(WiceStreamConnect *connect)
{
	connecting.func = NULL;
}

void wice__stream_tune(GSocket *socket)
{
}

static void free_client(void)
{
	for (size_t i = 0; i < n_requests; i++)
		requests[i] = NULL;
	wice__rpc_client_free(g_steal_pointer(&client));
}

static void on_message(const uint8_t *message, size_t len, void *user_data)
{
	WiceRpcRequest **request = user_data;
	WiceKey key = { { 1 } };
	WiceEnvelope envelope;
	const uint8_t *sealed;
	require(client && *request && len <= WICE_ENVELOPE_MAX);
	wice__barrier_read(message, len);
	if (wice__challenge_read(message, len, &key, &sealed))
		require(sealed >= message && sealed + WICE_SEALED_TOKEN_LEN <= message + len);
	if (wice__envelope_read(message, len, &envelope))
		require(envelope.body_len <= len);
	if (actions & FREES_ON_MESSAGE)
		free_client();
	else if (actions & CANCELS_ON_MESSAGE)
		wice__rpc_request_cancel(g_steal_pointer(request));
}

static void call(const char *path);

static void on_finished(WiceRpcStatus status, const char *text, void *user_data)
{
	WiceRpcRequest **request = user_data;
	require(client && *request && status <= WICE_RPC_UNAUTHENTICATED);
	require(text && g_utf8_validate(text, -1, NULL));
	*request = NULL;
	if (actions & FREES_ON_FINISH)
		free_client();
	else if (actions & RECONNECTS_ON_FINISH)
		wice__rpc_client_connect(client);
	else if (actions & CALLS_ON_FINISH)
		call(WICE_SERVICE_PROVE);
}

static void call(const char *path)
{
	static const WiceRpcRequestEvents events = { on_message, on_finished };
	static const uint8_t message[] = { 10, 1, 7 };
	if (n_requests == CALLS_MAX)
		return;
	WiceRpcRequest **request = &requests[n_requests];
	*request = wice__rpc_client_call(client, path, message, sizeof message,
					 actions & HAS_DEADLINES ? 60000 : 0, &events, request);
	if (*request)
		n_requests++;
}

static void on_connected(void *user_data)
{
	call(WICE_SERVICE_SUBSCRIBE);
	call(WICE_SERVICE_PUBLISH);
}

static void on_disconnected(const GError *error, void *user_data)
{
	require(client && error && g_utf8_validate(error->message, -1, NULL));
	for (size_t i = 0; i < n_requests; i++)
		require(!requests[i]);
	disconnected = true;
}

static void start(void)
{
	static const WiceRpcClientEvents events = { on_connected, on_disconnected };
	const WiceRpcClientOptions options = {
		.size = sizeof options,
		.unix_path = "/nowhere",
		.max_message = WICE_ENVELOPE_MAX,
	};
	disconnected = false;
	n_requests = 0;
	client = wice__rpc_client_new(context, &options, &events, NULL);
	wice__rpc_client_connect(client);
}

static void drain(void)
{
	for (unsigned i = 0; g_main_context_iteration(context, FALSE); i++)
		require(i < ITERATIONS_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (!context)
		context = g_main_context_new();
	actions = data[0];
	GIOStream *io =
		paced_stream_new(SETTINGS, actions & WITH_SETTINGS ? sizeof SETTINGS - 1 : 0,
				 data + 1, size - 1, actions & SLOWLY);
	start();
	WiceStreamConnectFunc func = connecting.func;
	connecting.func = NULL;
	func(io, NULL, connecting.user_data);
	/* The end of the input ends the connection, unless the application has done so. */
	for (unsigned i = 0; client && !disconnected && !connecting.func; i++) {
		require(i < ITERATIONS_MAX);
		g_main_context_iteration(context, FALSE);
	}
	/* What a new connection leaves behind: requests of the old one. */
	drain();
	for (size_t i = 0; i < n_requests; i++)
		require(!requests[i]);
	free_client();
	drain();
	return 0;
}
