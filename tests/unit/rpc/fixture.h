/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_RPC_FIXTURE_H
#define WICE_TESTS_RPC_FIXTURE_H

#include <gio/gio.h>

#include "rpc/rpc.h"

/* A server with a few methods, and clients that note what they see. All in one thread. */

typedef struct {
	GMainContext *context;
	WiceRpcServer *server;
	WiceRpcServerOptions options;
	uint16_t port;
	char *unix_path;
	GTlsCertificate *certificate; /* set it before fixture_listen() */
	WiceRpcCall *held;            /* the last call of HOLD that is open */
	unsigned handled;
	unsigned destroyed; /* data of calls */
	unsigned accepted;
	unsigned closed;
	bool refuse;
} Fixture;

#define ECHO "/test.Test/Echo"     /* answers with the message */
#define STREAM "/test.Test/Stream" /* answers with as many messages as the first byte says */
#define HOLD "/test.Test/Hold"     /* does not answer */
#define DENY "/test.Test/Deny"     /* PERMISSION_DENIED, DENY_TEXT */
#define QUIT "/test.Test/Quit"     /* answers and frees the server */
#define DENY_TEXT "100 % sure: n\xc3\xb6"

void fixture_init(Fixture *fixture);
/* Makes the server and listens: on 127.0.0.1, or on a unix socket. The same port again the second time. */
void fixture_listen(Fixture *fixture, bool unix_socket);
void fixture_done(Fixture *fixture);

typedef struct {
	Fixture *fixture;
	WiceRpcClient *client;
	unsigned connected;
	unsigned disconnected;
	char *reason;
	bool reconnect; /* from inside on_disconnected */
	bool free_on_disconnect;
} Client;

void client_init(Client *client, Fixture *fixture, const WiceRpcClientOptions *options);
/* Options for the fixture's server. */
WiceRpcClientOptions client_options(const Fixture *fixture);
void client_done(Client *client);

typedef struct {
	Client *client;
	WiceRpcRequest *request;
	unsigned messages;
	size_t last_len;
	guint32 last_hash;
	unsigned finished;
	WiceRpcStatus status;
	char *text;
	bool cancel_on_message;
	bool free_client_on_message;
} Request;

void request_start(Request *request, Client *client, const char *path, const void *message,
		   size_t len, unsigned timeout_ms);
void request_done(Request *request);
guint32 hash_bytes(const uint8_t *bytes, size_t len);

/* Iterates context until *count >= want; fails the test after a minute. */
void wait_count(GMainContext *context, const unsigned *count, unsigned want);
void wait_true(GMainContext *context, bool (*done)(void *), void *data);
/* Lets everything that is ready happen. */
void settle(GMainContext *context);

#endif
