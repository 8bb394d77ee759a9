/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netinet/in.h>
#include <sodium.h>
#include <string.h>
#include <wice/addr.h>
#include <wice/error.h>
#include <wice/signaling.h>

#include "event/sockaddr.h"
#include "event/source.h"
#include "rpc/rpc.h"
#include "signaling/sealed.h"
#include "signaling/server_topics.h"
#include "signaling/service.h"

#define PROOF_MS 30000
/* A challenge costs two scalar multiplications, as much as relaying about this many envelopes. */
#define SUBSCRIBE_COST 10
#define SUBSCRIPTIONS_PER_CONNECTION_SLOT 16 /* in total: this times max_connections */
#define QUEUED_MAX (2 * WICE_TOPIC_QUEUED_MAX)
/* Calls at once on a connection besides its subscriptions. */
#define UNARY_CALLS_MAX 64
/* One source may have this part of all connections, so that it cannot lock the others out. */
#define SOURCE_SHARE 8

struct WiceSignalingServer {
	WiceSignalingServerOptions options;
	WiceRpcServer *rpc;
	WiceTopics *topics;
	GTree *sources; /* WiceAddress → number of connections; strangers choose the keys */
	GMainContext *context;
	uint16_t port;
};

/* One connection. */
typedef struct {
	WiceSignalingServer *server;
	WiceAddress source;
	GPtrArray *subscriptions;
	int64_t full_us; /* when the token bucket is full again: its whole state (GCRA) */
} Client;

/* One Subscribe call. */
typedef struct {
	Client *client;
	WiceRpcCall *call;
	WiceSubscriber *subscriber;
	WiceKey key;
	bool pending;
	uint8_t token[WICE_TOKEN_LEN];
	WiceTimer *deadline;
} Subscription;

/* Connections. */

/* Where it comes from; of IPv6 the network, since a host may use all addresses of it. */
static WiceAddress source_of(GSocket *socket)
{
	struct sockaddr_storage storage;
	socklen_t len = sizeof storage;
	WiceEndpoint endpoint = { 0 };
	if (getpeername(g_socket_get_fd(socket), (struct sockaddr *)&storage, &len) == 0)
		(void)wice__endpoint_from_sockaddr((struct sockaddr *)&storage, len, &endpoint);
	/* This host: perhaps a reverse proxy, which speaks for many. */
	if (wice_address_is_loopback(&endpoint.address))
		return (WiceAddress){ 0 };
	if (endpoint.address.family == WICE_FAMILY_IPV6)
		memset(endpoint.address.bytes + 8, 0, 8);
	return endpoint.address;
}

static int compare_sources(gconstpointer a, gconstpointer b, gpointer user_data)
{
	return wice_address_compare(a, b);
}

static unsigned count_source(WiceSignalingServer *server, const WiceAddress *source, int change)
{
	unsigned n = GPOINTER_TO_UINT(g_tree_lookup(server->sources, source)) + (unsigned)change;
	if (n)
		g_tree_insert(server->sources, g_memdup2(source, sizeof *source),
			      GUINT_TO_POINTER(n));
	else
		g_tree_remove(server->sources, source);
	return n;
}

static void client_free(gpointer data)
{
	Client *client = data;
	count_source(client->server, &client->source, -1);
	g_ptr_array_unref(client->subscriptions);
	g_free(client);
}

static bool on_accept(WiceRpcConnection *connection, GSocket *socket, void *user_data)
{
	WiceSignalingServer *server = user_data;
	Client *client = g_new0(Client, 1);
	client->server = server;
	client->source = source_of(socket);
	client->subscriptions = g_ptr_array_new();
	wice__rpc_connection_set_data(connection, client, client_free);
	unsigned n = count_source(server, &client->source, 1);
	return client->source.family == WICE_FAMILY_NONE ||
	       n <= MAX(server->options.max_connections / SOURCE_SHARE, 1);
}

/* Takes cost envelopes' worth out of the connection's bucket; answers the call if it is empty. */
static bool charge(Client *client, WiceRpcCall *call, unsigned cost)
{
	const WiceSignalingServerOptions *options = &client->server->options;
	int64_t now_us = g_get_monotonic_time();
	int64_t each_us = G_USEC_PER_SEC / options->rate;
	int64_t full_us = MAX(client->full_us, now_us) + each_us * cost;
	if (full_us - now_us > each_us * options->burst) {
		wice__rpc_call_finish(
			call, WICE_RPC_RESOURCE_EXHAUSTED,
			"Too many envelopes on this connection; send fewer per second");
		return false;
	}
	client->full_us = full_us;
	return true;
}

static Client *client_of(WiceRpcCall *call)
{
	return wice__rpc_connection_data(wice__rpc_call_connection(call));
}

/* Subscribe and Prove. */

static void subscription_free(gpointer data)
{
	Subscription *subscription = data;
	g_ptr_array_remove_fast(subscription->client->subscriptions, subscription);
	if (subscription->subscriber)
		wice__subscriber_leave(subscription->subscriber);
	wice__timer_free(subscription->deadline);
	sodium_memzero(subscription->token, sizeof subscription->token);
	g_free(subscription);
}

static void on_proof_deadline(void *user_data)
{
	Subscription *subscription = user_data;
	wice__rpc_call_finish(subscription->call, WICE_RPC_UNAUTHENTICATED,
			      "The proof that the key is yours did not come in time");
}

static void go_live(Subscription *subscription, bool proven)
{
	subscription->pending = false;
	g_clear_pointer(&subscription->deadline, wice__timer_free);
	sodium_memzero(subscription->token, sizeof subscription->token);
	if (!wice__subscriber_go_live(subscription->subscriber, proven))
		wice__rpc_call_finish(subscription->call, WICE_RPC_RESOURCE_EXHAUSTED,
				      "This key has too many subscribers");
}

static void challenge(Subscription *subscription)
{
	uint8_t message[WICE_SERVICE_MESSAGE_SIZE];
	randombytes_buf(subscription->token, sizeof subscription->token);
	size_t len = wice__challenge_write(&subscription->key, subscription->token, message);
	if (len == 0) {
		wice__rpc_call_finish(subscription->call, WICE_RPC_INVALID_ARGUMENT,
				      "This is no public key");
		return;
	}
	subscription->pending = true;
	subscription->deadline = wice__timer_new(subscription->client->server->context,
						 on_proof_deadline, subscription);
	wice__timer_set(subscription->deadline, wice__now_ms() + PROOF_MS);
	wice__rpc_call_send(subscription->call, message, len);
}

static void on_subscribe(WiceRpcCall *call, const uint8_t *message, size_t len, void *user_data)
{
	WiceSignalingServer *server = user_data;
	Client *client = client_of(call);
	WiceSubscribeParams params;
	if (!charge(client, call, SUBSCRIBE_COST))
		return;
	if (!wice__subscribe_params_read(message, len, &params)) {
		wice__rpc_call_finish(call, WICE_RPC_INVALID_ARGUMENT,
				      "The message is no SubscribeParams with a key of 32 bytes");
		return;
	}
	if (!params.can_prove && !server->options.allow_unproven) {
		wice__rpc_call_finish(call, WICE_RPC_UNAUTHENTICATED,
				      "This server wants proof that the key is yours, which your "
				      "client cannot give (field can_prove)");
		return;
	}
	WiceSubscriber *subscriber = NULL;
	if (client->subscriptions->len < server->options.max_subscriptions)
		subscriber = wice__topics_join(server->topics, &params.key, call);
	if (!subscriber) {
		wice__rpc_call_finish(call, WICE_RPC_RESOURCE_EXHAUSTED, "Too many subscriptions");
		return;
	}
	Subscription *subscription = g_new0(Subscription, 1);
	subscription->client = client;
	subscription->call = call;
	subscription->key = params.key;
	subscription->subscriber = subscriber;
	g_ptr_array_add(client->subscriptions, subscription);
	wice__rpc_call_set_data(call, subscription, subscription_free);
	if (params.can_prove)
		challenge(subscription);
	else
		go_live(subscription, false);
}

static Subscription *find_pending(const Client *client, const WiceProveParams *params)
{
	for (guint i = 0; i < client->subscriptions->len; i++) {
		Subscription *subscription = client->subscriptions->pdata[i];
		if (subscription->pending &&
		    wice_key_compare(&subscription->key, &params->key) == 0 &&
		    sodium_memcmp(subscription->token, params->token, WICE_TOKEN_LEN) == 0)
			return subscription;
	}
	return NULL;
}

static void on_prove(WiceRpcCall *call, const uint8_t *message, size_t len, void *user_data)
{
	Client *client = client_of(call);
	WiceProveParams params;
	if (!charge(client, call, 1))
		return;
	if (!wice__prove_params_read(message, len, &params)) {
		wice__rpc_call_finish(call, WICE_RPC_INVALID_ARGUMENT,
				      "The message is no ProveParams with a key and a token of 32 "
				      "bytes each");
		return;
	}
	Subscription *subscription = find_pending(client, &params);
	if (!subscription) {
		wice__rpc_call_finish(call, WICE_RPC_PERMISSION_DENIED,
				      "The token is wrong, used or expired, or it belongs to "
				      "another key or connection");
		return;
	}
	go_live(subscription, true);
	wice__rpc_call_send(call, NULL, 0);
	wice__rpc_call_finish(call, WICE_RPC_OK, NULL);
}

/* Publish and GetBuildInfo. */

/*
 * Only whole envelopes are passed on: the empty one and the challenge mean something to a
 * subscriber when they come from us. The sender's name on it is anybody's claim; the recipient will
 * see.
 */
static void on_publish(WiceRpcCall *call, const uint8_t *message, size_t len, void *user_data)
{
	WiceSignalingServer *server = user_data;
	WiceEnvelope envelope;
	if (!charge(client_of(call), call, 1))
		return;
	if (!wice__envelope_read(message, len, &envelope)) {
		wice__rpc_call_finish(call, WICE_RPC_INVALID_ARGUMENT,
				      "The message is no complete Envelope");
		return;
	}
	wice__topics_publish(server->topics, &envelope.recipient, message, len);
	wice__rpc_call_send(call, NULL, 0);
	wice__rpc_call_finish(call, WICE_RPC_OK, NULL);
}

static void on_build_info(WiceRpcCall *call, const uint8_t *message, size_t len, void *user_data)
{
	uint8_t info[WICE_SERVICE_MESSAGE_SIZE];
	if (!charge(client_of(call), call, 1))
		return;
	wice__rpc_call_send(call, info, wice__build_info_write(info));
	wice__rpc_call_finish(call, WICE_RPC_OK, NULL);
}

static const WiceRpcMethod methods[] = {
	{ WICE_SERVICE_PUBLISH, on_publish },
	{ WICE_SERVICE_SUBSCRIBE, on_subscribe },
	{ WICE_SERVICE_PROVE, on_prove },
	{ WICE_SERVICE_BUILD_INFO, on_build_info },
};

/* Listening. */

static gboolean parse_listen(const char *text, WiceEndpoint *ret, GError **error)
{
	g_autofree char *any = *text == ':' ? g_strconcat("[::]", text, NULL) : NULL;
	if (wice_endpoint_parse(any ? any : text, ret))
		return TRUE;
	g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
		    "Cannot listen on \"%s\": write ADDR:PORT, [ADDR]:PORT, or :PORT for all "
		    "addresses, with numeric addresses.",
		    text);
	return FALSE;
}

static GSocket *bind_to(const WiceEndpoint *endpoint, GError **error)
{
	struct sockaddr_storage native;
	socklen_t len = wice__endpoint_to_sockaddr(endpoint, &native);
	g_autoptr(GSocketAddress) address = g_socket_address_new_from_native(&native, len);
	g_autoptr(GSocket) socket =
		g_socket_new(g_socket_address_get_family(address), G_SOCKET_TYPE_STREAM,
			     G_SOCKET_PROTOCOL_TCP, error);
	if (!socket)
		return NULL;
	/* [::] takes IPv4 as well. */
	if (endpoint->address.family == WICE_FAMILY_IPV6)
		g_socket_set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, 0, NULL);
	return g_socket_bind(socket, address, TRUE, error) ? g_steal_pointer(&socket) : NULL;
}

static WiceErrorCode code_of(const GError *error)
{
	if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE))
		return WICE_ERROR_BUSY;
	if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
		return WICE_ERROR_PERMISSION;
	return WICE_ERROR_IO;
}

static GSocket *open_socket(const char *listen, GError **error)
{
	WiceEndpoint endpoint;
	g_autoptr(GError) reason = NULL;
	if (!parse_listen(listen, &endpoint, error))
		return NULL;
	GSocket *socket = bind_to(&endpoint, &reason);
	if (!socket && *listen == ':') {
		/* A system without IPv6. If IPv4 cannot be used either, IPv6's reason is told. */
		WiceEndpoint any = { .address.family = WICE_FAMILY_IPV4, .port = endpoint.port };
		socket = bind_to(&any, NULL);
	}
	if (!socket)
		g_set_error(error, WICE_ERROR, (gint)code_of(reason),
			    "Cannot listen on \"%s\": %s.", listen, reason->message);
	return socket;
}

static gboolean load_certificate(const WiceSignalingServerOptions *options, GTlsCertificate **ret,
				 GError **error)
{
	g_autoptr(GError) reason = NULL;
	if (!options->tls_cert && !options->tls_key)
		return TRUE;
	if (!options->tls_cert || !options->tls_key) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "Cannot offer TLS with a %s alone: name the file of the %s, too.",
			    options->tls_cert ? "certificate" : "key",
			    options->tls_cert ? "key" : "certificate");
		return FALSE;
	}
	if (!g_tls_backend_supports_tls(g_tls_backend_get_default())) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_UNSUPPORTED,
			    "Cannot offer TLS: this system's GLib has none. Install the package "
			    "glib-networking.");
		return FALSE;
	}
	*ret = g_tls_certificate_new_from_files(options->tls_cert, options->tls_key, &reason);
	if (!*ret)
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "Cannot use the certificate %s with the key %s: %s.", options->tls_cert,
			    options->tls_key, reason->message);
	return *ret != NULL;
}

/* API. */

void wice_signaling_server_options_init(WiceSignalingServerOptions *options)
{
	*options = (WiceSignalingServerOptions){
		.size = sizeof *options,
		.listen = ":8080",
		.max_connections = 4096,
		.max_subscriptions = 64,
		.rate = 200,
		.burst = 1000,
	};
}

static gboolean read_options(const WiceSignalingServerOptions *options,
			     WiceSignalingServerOptions *ret, GError **error)
{
	wice_signaling_server_options_init(ret);
	memcpy(ret, options, MIN(options->size, sizeof *ret));
	if (ret->rate == 0 || ret->rate > G_USEC_PER_SEC || ret->max_connections == 0 ||
	    ret->max_subscriptions == 0 || ret->max_subscriptions > 65536 ||
	    ret->burst < SUBSCRIBE_COST || !ret->listen) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "Cannot start the signaling server: a limit is out of range (rate "
			    "1..1000000, burst at least %d, the others at least 1).",
			    SUBSCRIBE_COST);
		return FALSE;
	}
	return TRUE;
}

static gboolean start(WiceSignalingServer *server, GError **error)
{
	const WiceSignalingServerOptions *options = &server->options;
	WiceRpcServerOptions rpc_options = {
		.size = sizeof rpc_options,
		.methods = methods,
		.n_methods = G_N_ELEMENTS(methods),
		.user_data = server,
		.max_message = WICE_ENVELOPE_MAX,
		.max_connections = options->max_connections,
		.max_calls = options->max_subscriptions + UNARY_CALLS_MAX,
		.max_queued = QUEUED_MAX,
		.accept = on_accept,
	};
	g_autoptr(GTlsCertificate) certificate = NULL;
	if (!load_certificate(options, &certificate, error))
		return FALSE;
	g_autoptr(GSocket) socket = open_socket(options->listen, error);
	if (!socket)
		return FALSE;
	server->rpc = wice__rpc_server_new(server->context, &rpc_options);
	if (!wice__rpc_server_listen(server->rpc, socket, certificate, error))
		return FALSE;
	g_autoptr(GSocketAddress) bound = g_socket_get_local_address(socket, NULL);
	server->port = bound ? g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(bound)) : 0;
	server->options.listen = server->options.tls_cert = server->options.tls_key = NULL;
	(void)g_steal_pointer(&socket); /* the RPC server's now */
	return TRUE;
}

WiceSignalingServer *wice_signaling_server_new(GMainContext *context,
					       const WiceSignalingServerOptions *options,
					       GError **error)
{
	WiceSignalingServerOptions checked;
	if (!read_options(options, &checked, error))
		return NULL;
	WiceSignalingServer *server = g_new0(WiceSignalingServer, 1);
	server->options = checked;
	server->context = g_main_context_ref(context ? context : g_main_context_default());
	uint64_t total = (uint64_t)checked.max_connections * SUBSCRIPTIONS_PER_CONNECTION_SLOT;
	server->topics = wice__topics_new((unsigned)MIN(total, UINT_MAX));
	server->sources = g_tree_new_full(compare_sources, NULL, g_free, NULL);
	if (sodium_init() < 0 || !start(server, error)) {
		wice_signaling_server_free(server);
		return NULL;
	}
	return server;
}

uint16_t wice_signaling_server_port(const WiceSignalingServer *server)
{
	return server->port;
}

void wice_signaling_server_free(WiceSignalingServer *server)
{
	if (!server)
		return;
	wice__rpc_server_free(server->rpc);
	wice__topics_free(server->topics);
	g_tree_unref(server->sources);
	g_main_context_unref(server->context);
	g_free(server);
}
