/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_RPC_RPC_H
#define WICE_RPC_RPC_H

#include <gio/gio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * gRPC over HTTP/2 (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md) on nghttp2:
 * unary and server-streaming calls, over TCP, TLS and unix sockets. One GMainContext, one thread.
 * Messages are opaque bytes here; who uses this packs and unpacks protobuf.
 */

/* The status codes of gRPC; a client may receive any of 0..16. */
typedef enum {
	WICE_RPC_OK = 0,
	WICE_RPC_CANCELLED = 1,
	WICE_RPC_UNKNOWN = 2,
	WICE_RPC_INVALID_ARGUMENT = 3,
	WICE_RPC_DEADLINE_EXCEEDED = 4,
	WICE_RPC_NOT_FOUND = 5,
	WICE_RPC_ALREADY_EXISTS = 6,
	WICE_RPC_PERMISSION_DENIED = 7,
	WICE_RPC_RESOURCE_EXHAUSTED = 8,
	WICE_RPC_FAILED_PRECONDITION = 9,
	WICE_RPC_UNIMPLEMENTED = 12,
	WICE_RPC_INTERNAL = 13,
	WICE_RPC_UNAVAILABLE = 14,
	WICE_RPC_UNAUTHENTICATED = 16,
} WiceRpcStatus;

/* What our servers say to a method that they do not have; the status is UNIMPLEMENTED. */
#define WICE_RPC_NO_SUCH_METHOD "This server has no such method"

/* "UNAVAILABLE" */
const char *wice__rpc_status_name(WiceRpcStatus status);

/*
 * --- Server ------------------------------------------------------------------------------------
 */

typedef struct WiceRpcServer WiceRpcServer;
typedef struct WiceRpcConnection WiceRpcConnection; /* one client, server side */
typedef struct WiceRpcCall WiceRpcCall;             /* one call, server side */

typedef struct {
	const char *path; /* "/package.Service/Method" */
	/*
	 * The request message has arrived completely; message is valid during the call. The handler
	 * answers now or later with wice__rpc_call_send() and ends with wice__rpc_call_finish(),
	 * unless the call is closed before (by the client, its deadline, or the loss of the
	 * connection): then the call's data are destroyed and the handle must not be used any more.
	 * So who answers later sets data.
	 */
	void (*handle)(WiceRpcCall *call, const uint8_t *message, size_t len, void *user_data);
} WiceRpcMethod;

typedef struct {
	size_t size;
	const WiceRpcMethod *methods; /* must stay valid */
	size_t n_methods;
	void *user_data;
	size_t max_message;       /* bytes of one request; more is RESOURCE_EXHAUSTED */
	unsigned max_connections; /* more are closed at once */
	unsigned max_calls;       /* concurrent per connection */
	size_t max_queued;        /* bytes waiting for one client; beyond it, it is dropped */
	/*
	 * A client has connected: return false to close it. A unix socket's peer is told by
	 * g_socket_get_credentials(). May be NULL.
	 */
	bool (*accept)(WiceRpcConnection *connection, GSocket *socket, void *user_data);
	/* The connection has gone; all its calls have been closed before. May be NULL. */
	void (*closed)(WiceRpcConnection *connection, void *user_data);
} WiceRpcServerOptions;

/*
 * Every callback may free the server. Silent connections (no TLS handshake or no HTTP/2 preface
 * within 10 s) and vanished clients (no answer to PING) are closed.
 */
WiceRpcServer *wice__rpc_server_new(GMainContext *context, const WiceRpcServerOptions *options);
/*
 * Takes over a stream socket (the reference, too, unless it fails) that the caller has bound; it
 * may be called for several. certificate (may be NULL) makes the connections TLS with ALPN "h2".
 */
gboolean wice__rpc_server_listen(WiceRpcServer *server, GSocket *socket,
				 GTlsCertificate *certificate, GError **error);
/* Closes all calls and connections; no handler is called afterwards except close notifications. */
void wice__rpc_server_free(WiceRpcServer *server);

/* Data of the user on a connection; destroy is called when it closes. */
void wice__rpc_connection_set_data(WiceRpcConnection *connection, void *data,
				   GDestroyNotify destroy);
void *wice__rpc_connection_data(const WiceRpcConnection *connection);

/* Bytes that wait to be sent to this client, on all calls; beyond max_queued it is dropped. */
size_t wice__rpc_connection_queued(const WiceRpcConnection *connection);

WiceRpcConnection *wice__rpc_call_connection(WiceRpcCall *call);
/* Data of the user on a call; destroy is called once when the call is over, however it ended. */
void wice__rpc_call_set_data(WiceRpcCall *call, void *data, GDestroyNotify destroy);
void *wice__rpc_call_data(const WiceRpcCall *call);
/* Queues one response message. */
void wice__rpc_call_send(WiceRpcCall *call, const uint8_t *message, size_t len);
/* Ends the call; message may be NULL. The handle must not be used afterwards. */
void wice__rpc_call_finish(WiceRpcCall *call, WiceRpcStatus status, const char *message);

/*
 * --- Client ------------------------------------------------------------------------------------
 */

typedef struct WiceRpcClient WiceRpcClient; /* one connection, re-made by reconnect() */
typedef struct WiceRpcRequest WiceRpcRequest;

typedef struct {
	size_t size;
	const char *unix_path; /* either this */
	const char *host;      /* or these: a name or a literal address, resolved asynchronously */
	uint16_t port;
	bool tls;
	const char *tls_ca_file; /* PEM; NULL: the system's trust store */
	uint32_t fwmark;         /* SO_MARK of the socket; 0: none */
	size_t max_message;      /* bytes of one response message; more ends the call */
	/*
	 * HTTP/2 PING after this long without receiving, and lost after it again without an answer;
	 * 0: never. Doubled for a server that complains about too many of them.
	 */
	unsigned keepalive_ms;
} WiceRpcClientOptions;

typedef struct {
	/* The connection can be used. Requests made in here still share its first packets. */
	void (*on_connected)(void *user_data);
	/*
	 * Connecting failed or the connection was lost; all requests have been finished with
	 * UNAVAILABLE before. error (of WICE_ERROR) says why. The client stays unconnected until
	 * wice__rpc_client_connect() is called again, for instance from here.
	 */
	void (*on_disconnected)(const GError *error, void *user_data);
} WiceRpcClientEvents;

/* Copies options. Does not connect yet. */
WiceRpcClient *wice__rpc_client_new(GMainContext *context, const WiceRpcClientOptions *options,
				    const WiceRpcClientEvents *events, void *user_data);
/*
 * Starts connecting; drops a connection that there is (without on_disconnected; its requests are
 * finished with UNAVAILABLE from the main loop).
 */
void wice__rpc_client_connect(WiceRpcClient *client);
/*
 * Connecting or connected: requests are taken. False already while those of a lost connection are
 * finished.
 */
bool wice__rpc_client_is_up(const WiceRpcClient *client);
/* For connections made from now on. */
void wice__rpc_client_set_fwmark(WiceRpcClient *client, uint32_t fwmark);
/* No callback comes afterwards. */
void wice__rpc_client_free(WiceRpcClient *client);

typedef struct {
	/* A response message; valid during the call. May be NULL. */
	void (*on_message)(const uint8_t *message, size_t len, void *user_data);
	/* The call is over; exactly once, and the request handle is gone. text is never NULL. */
	void (*on_finished)(WiceRpcStatus status, const char *text, void *user_data);
} WiceRpcRequestEvents;

/*
 * Starts a call. Requests made before on_connected are sent with the connection's first flight
 * (they cost no round trip). timeout_ms 0: none. Callbacks come from the main loop, never from
 * inside this function. NULL if the client is neither connecting nor connected.
 */
WiceRpcRequest *wice__rpc_client_call(WiceRpcClient *client, const char *path,
				      const uint8_t *message, size_t len, unsigned timeout_ms,
				      const WiceRpcRequestEvents *events, void *user_data);
/* Cancels without on_finished. */
void wice__rpc_request_cancel(WiceRpcRequest *request);

#endif
