/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc:// and grpcs://: the client of a signaling server.
 *
 * One connection carries a Subscribe stream per own key and a unary Publish per envelope.
 *
 *                 +------- lost, refused, network changed -------+
 *                 v                                              |
 *   WAITING --(backoff)--> CONNECTING --> CONNECTED (subscribing, live)
 *
 * A subscription goes ASKED -> (challenge) PROVING -> LIVE. If it ends while the connection stays,
 * it is asked for again after the same backoff. The backend is ready when it is connected and all
 * are live. Envelopes need not wait for that: they leave in the connection's first packets, and
 * those that were not acknowledged when it is lost are sent again on the next one, unless a newer
 * one for the same pair of keys has come.
 */
#include "signaling/grpc.h"

#include <sodium.h>
#include <string.h>
#include <wice/error.h>

#include "base/log.h"
#include "event/source.h"
#include "rpc/rpc.h"
#include "signaling/backends.h"
#include "signaling/grpc_url.h"
#include "signaling/outbox.h"
#include "signaling/sealed.h"
#include "signaling/service.h"

#define KEEPALIVE_MS 20000
#define PUBLISH_TIMEOUT_MS 15000
#define LIVE_TIMEOUT_MS 15000 /* from Subscribe to live */
#define STABLE_MS 10000       /* the backoff starts anew after the backend was ready for so long */
/* Larger than an envelope may be: one that is too large is dropped without ending the stream. */
#define MESSAGE_MAX (4 * WICE_ENVELOPE_MAX)
/* Unacknowledged at once; further ones wait in the outbox. */
#define FLIGHT_MAX 4096

typedef enum { WAITING, CONNECTING, CONNECTED } State;

typedef struct {
	WiceSignalingBackend backend; /* first */
	char *url;
	GMainContext *context;
	WiceRpcClient *client;
	State state;
	WiceTimer *retry; /* the next attempt to connect, or to subscribe what is not */
	unsigned wait_ms;
	int64_t ready_ms; /* since when, 0 if not */
	bool told;        /* the user knows about ready or reason */
	char *reason;
	GPtrArray *subscriptions;
	WiceOutbox *outbox;
	GQueue flights; /* oldest first */
} Grpc;

typedef enum { IDLE, ASKED, PROVING, LIVE } Progress;

typedef struct {
	Grpc *grpc;
	WiceKey public_key;
	WiceKey private_key;
	Progress progress;
	bool new; /* asked for while the backend was ready */
	WiceRpcRequest *stream;
	WiceRpcRequest *proof;
	WiceTimer *deadline;
} Subscription;

/* One Publish that is under way. */
typedef struct {
	Grpc *grpc;
	WiceEnvelope *envelope;
	WiceRpcRequest *request; /* NULL: it was lost with its connection */
	GList *link;
} Flight;

unsigned wice__grpc_backoff(unsigned previous_ms)
{
	unsigned next_ms = previous_ms / 5 * 8;
	return CLAMP(next_ms, WICE_GRPC_BACKOFF_MIN_MS, WICE_GRPC_BACKOFF_MAX_MS);
}

unsigned wice__grpc_jitter(unsigned wait_ms, uint32_t random)
{
	return wait_ms - wait_ms / 5 + (unsigned)((uint64_t)random * (wait_ms / 5 * 2) >> 32);
}

/*
 * --- State and retries. The user may close the backend in each of its events: nothing follows
 * them. ---
 */

static bool all_live(const Grpc *grpc)
{
	for (guint i = 0; i < grpc->subscriptions->len; i++)
		if (((Subscription *)grpc->subscriptions->pdata[i])->progress != LIVE)
			return false;
	return grpc->state == CONNECTED;
}

static void update_ready(Grpc *grpc)
{
	if (!all_live(grpc) || (grpc->ready_ms && grpc->told))
		return;
	if (!grpc->ready_ms)
		grpc->ready_ms = wice__now_ms();
	grpc->told = true;
	g_clear_pointer(&grpc->reason, g_free);
	grpc->backend.events->on_state(true, "", grpc->backend.user_data);
}

static void retry_later(Grpc *grpc)
{
	if (grpc->ready_ms && wice__now_ms() - grpc->ready_ms >= STABLE_MS)
		grpc->wait_ms = 0;
	grpc->wait_ms = wice__grpc_backoff(grpc->wait_ms);
	unsigned wait_ms = wice__grpc_jitter(grpc->wait_ms, randombytes_random());
	wice__timer_set(grpc->retry, wice__now_ms() + wait_ms);
}

/*
 * Says why it does not work, once per reason, and tries again later. grpc may be closed afterwards.
 */
static void lose(Grpc *grpc, const char *what, const char *why)
{
	bool full_stop = g_str_has_suffix(why, ".");
	g_autofree char *reason = g_strdup_printf("%s %s: %s%s It is tried again.", what, grpc->url,
						  why, full_stop ? "" : ".");
	retry_later(grpc);
	bool news = grpc->ready_ms || g_strcmp0(grpc->reason, reason) != 0;
	grpc->ready_ms = 0;
	grpc->told = true;
	g_free(grpc->reason);
	grpc->reason = g_strdup(reason);
	if (news)
		grpc->backend.events->on_state(false, reason, grpc->backend.user_data);
}

/* Publishing. */

static void flight_free(Flight *flight)
{
	g_queue_delete_link(&flight->grpc->flights, flight->link);
	g_free(flight->envelope);
	g_free(flight);
}

static void send_envelope(const WiceEnvelope *envelope, void *user_data);

static void on_published(WiceRpcStatus status, const char *text, void *user_data)
{
	Flight *flight = user_data;
	Grpc *grpc = flight->grpc;
	flight->request = NULL;
	if (!wice__rpc_client_is_up(grpc->client))
		return; /* kept for the next connection, see on_disconnected() */
	if (status != WICE_RPC_OK)
		wice__log(WICE_LOG_DEBUG, grpc->url, "The server did not take an envelope: %s",
			  *text ? text : wice__rpc_status_name(status));
	flight_free(flight);
	if (grpc->state == CONNECTED && grpc->flights.length < FLIGHT_MAX / 2)
		wice__outbox_flush(grpc->outbox, send_envelope, grpc);
}

static const WiceRpcRequestEvents publish_events = { .on_finished = on_published };

static void send_envelope(const WiceEnvelope *envelope, void *user_data)
{
	Grpc *grpc = user_data;
	uint8_t message[WICE_ENVELOPE_MAX];
	size_t len = wice__envelope_write(envelope, message, sizeof message);
	if (grpc->flights.length >= FLIGHT_MAX) {
		wice__outbox_put(grpc->outbox, envelope);
		return;
	}
	Flight *flight = g_new0(Flight, 1);
	flight->grpc = grpc;
	flight->request = wice__rpc_client_call(grpc->client, WICE_SERVICE_PUBLISH, message, len,
						PUBLISH_TIMEOUT_MS, &publish_events, flight);
	if (!flight->request) {
		wice__outbox_put(grpc->outbox, envelope);
		g_free(flight);
		return;
	}
	flight->envelope = wice__envelope_dup(envelope);
	g_queue_push_tail(&grpc->flights, flight);
	flight->link = grpc->flights.tail;
}

static void put_again(const WiceEnvelope *envelope, void *user_data)
{
	wice__outbox_put(user_data, envelope);
}

/*
 * What was not acknowledged goes back into the outbox, before what is there: the newest of a pair
 * wins.
 */
static void keep_flights(Grpc *grpc)
{
	WiceOutbox *newer = grpc->outbox;
	grpc->outbox = wice__outbox_new();
	while (!g_queue_is_empty(&grpc->flights)) {
		Flight *flight = grpc->flights.head->data;
		wice__outbox_put(grpc->outbox, flight->envelope);
		if (flight->request)
			wice__rpc_request_cancel(flight->request);
		flight_free(flight);
	}
	wice__outbox_flush(newer, put_again, grpc->outbox);
	wice__outbox_free(newer);
}

/* Subscriptions. */

static void subscription_reset(Subscription *subscription)
{
	if (subscription->stream)
		wice__rpc_request_cancel(g_steal_pointer(&subscription->stream));
	if (subscription->proof)
		wice__rpc_request_cancel(g_steal_pointer(&subscription->proof));
	wice__timer_set(subscription->deadline, INT64_MAX);
	subscription->progress = IDLE;
}

static void subscription_free(gpointer data)
{
	Subscription *subscription = data;
	subscription_reset(subscription);
	wice__timer_free(subscription->deadline);
	wice_key_clear(&subscription->private_key);
	g_free(subscription);
}

static void subscription_failed(Subscription *subscription, const char *why)
{
	subscription_reset(subscription);
	lose(subscription->grpc, "Cannot subscribe at", why);
}

static void on_live_deadline(void *user_data)
{
	subscription_failed(user_data, "the server did not say that the subscription is live");
}

static void on_proof_finished(WiceRpcStatus status, const char *text, void *user_data)
{
	Subscription *subscription = user_data;
	subscription->proof = NULL;
	/* The loss of the connection is reported as that. */
	if (status != WICE_RPC_OK && wice__rpc_client_is_up(subscription->grpc->client))
		subscription_failed(subscription, *text ? text : wice__rpc_status_name(status));
}

static void prove(Subscription *subscription, const uint8_t *sealed)
{
	static const WiceRpcRequestEvents events = { .on_finished = on_proof_finished };
	uint8_t message[WICE_SERVICE_MESSAGE_SIZE];
	WiceProveParams params = { .key = subscription->public_key };
	if (!wice__challenge_open(sealed, &subscription->public_key, &subscription->private_key,
				  params.token)) {
		subscription_failed(subscription, "the server's challenge is not for our key");
		return;
	}
	size_t len = wice__prove_params_write(&params, message);
	subscription->progress = PROVING;
	subscription->proof =
		wice__rpc_client_call(subscription->grpc->client, WICE_SERVICE_PROVE, message, len,
				      LIVE_TIMEOUT_MS, &events, subscription);
	sodium_memzero(&params, sizeof params);
	sodium_memzero(message, sizeof message);
}

static void become_live(Subscription *subscription)
{
	Grpc *grpc = subscription->grpc;
	wice__timer_set(subscription->deadline, INT64_MAX);
	subscription->progress = LIVE;
	/* A user that was told ready already learns that the key he has added since works, too. */
	if (subscription->new)
		grpc->told = false;
	subscription->new = false;
	update_ready(grpc);
}

static void on_stream_message(const uint8_t *message, size_t len, void *user_data)
{
	Subscription *subscription = user_data;
	Grpc *grpc = subscription->grpc;
	WiceEnvelope envelope;
	const uint8_t *sealed;
	if (wice__barrier_read(message, len)) {
		if (subscription->progress != LIVE)
			become_live(subscription);
	} else if (subscription->progress == ASKED &&
		   wice__challenge_read(message, len, &subscription->public_key, &sealed)) {
		prove(subscription, sealed);
	} else if (wice__envelope_read(message, len, &envelope) &&
		   wice_key_compare(&envelope.recipient, &subscription->public_key) == 0) {
		grpc->backend.events->on_envelope(&envelope, grpc->backend.user_data);
	} else {
		grpc->backend.events->on_garbage(len > WICE_ENVELOPE_MAX, grpc->backend.user_data);
	}
}

static void on_stream_finished(WiceRpcStatus status, const char *text, void *user_data)
{
	Subscription *subscription = user_data;
	subscription->stream = NULL;
	subscription_reset(subscription);
	if (!wice__rpc_client_is_up(subscription->grpc->client))
		return; /* reported as the loss of the connection */
	if (status == WICE_RPC_OK)
		text = "the server ended it";
	lose(subscription->grpc, "Cannot subscribe at",
	     *text ? text : wice__rpc_status_name(status));
}

static const WiceRpcRequestEvents stream_events = { on_stream_message, on_stream_finished };

static void subscription_ask(Subscription *subscription)
{
	uint8_t message[WICE_SERVICE_MESSAGE_SIZE];
	WiceSubscribeParams params = { .key = subscription->public_key, .can_prove = true };
	size_t len = wice__subscribe_params_write(&params, message);
	subscription->stream =
		wice__rpc_client_call(subscription->grpc->client, WICE_SERVICE_SUBSCRIBE, message,
				      len, 0, &stream_events, subscription);
	if (!subscription->stream)
		return;
	subscription->progress = ASKED;
	wice__timer_set(subscription->deadline, wice__now_ms() + LIVE_TIMEOUT_MS);
}

static void ask_all(Grpc *grpc)
{
	for (guint i = 0; i < grpc->subscriptions->len; i++) {
		Subscription *subscription = grpc->subscriptions->pdata[i];
		if (subscription->progress == IDLE)
			subscription_ask(subscription);
	}
}

static Subscription *find_subscription(const Grpc *grpc, const WiceKey *key, guint *ret_index)
{
	for (guint i = 0; i < grpc->subscriptions->len; i++) {
		Subscription *subscription = grpc->subscriptions->pdata[i];
		if (wice_key_compare(&subscription->public_key, key) == 0) {
			*ret_index = i;
			return subscription;
		}
	}
	return NULL;
}

/* The connection. */

static void on_connected(void *user_data)
{
	Grpc *grpc = user_data;
	grpc->state = CONNECTED;
	ask_all(grpc);
	wice__outbox_flush(grpc->outbox, send_envelope, grpc);
	update_ready(grpc);
}

/* After a loss, or before a connection is made anew. */
static void forget_connection(Grpc *grpc)
{
	grpc->state = WAITING;
	for (guint i = 0; i < grpc->subscriptions->len; i++)
		subscription_reset(grpc->subscriptions->pdata[i]);
	keep_flights(grpc);
}

static void on_disconnected(const GError *error, void *user_data)
{
	Grpc *grpc = user_data;
	bool was_connected = grpc->state == CONNECTED;
	forget_connection(grpc);
	lose(grpc,
	     was_connected ? "Lost the signaling server" : "Cannot reach the signaling server",
	     error->message);
}

static const WiceRpcClientEvents client_events = { on_connected, on_disconnected };

static void on_retry(void *user_data)
{
	Grpc *grpc = user_data;
	if (grpc->state == CONNECTED) {
		ask_all(grpc);
		update_ready(grpc);
	} else if (grpc->state == WAITING) {
		grpc->state = CONNECTING;
		wice__rpc_client_connect(grpc->client);
	}
}

/* Hooks. */

static WiceSignalingBackend *open_with(const WiceSignalingOps *ops, GMainContext *context,
				       const char *url, const WiceSignalingEvents *events,
				       void *user_data, GError **error)
{
	WiceGrpcUrl parsed;
	if (!wice__grpc_url_parse(url, &parsed, error))
		return NULL;
	Grpc *grpc = g_new0(Grpc, 1);
	grpc->backend = (WiceSignalingBackend){ ops, events, user_data };
	grpc->url = g_strdup(url);
	grpc->context = g_main_context_ref(context ? context : g_main_context_default());
	grpc->subscriptions = g_ptr_array_new_with_free_func(subscription_free);
	grpc->outbox = wice__outbox_new();
	g_queue_init(&grpc->flights);
	WiceRpcClientOptions options = {
		.size = sizeof options,
		.host = parsed.host,
		.port = parsed.port,
		.tls = parsed.tls,
		.tls_ca_file = parsed.ca_file,
		.max_message = MESSAGE_MAX,
		.keepalive_ms = KEEPALIVE_MS,
	};
	grpc->client = wice__rpc_client_new(grpc->context, &options, &client_events, grpc);
	wice__grpc_url_clear(&parsed);
	/*
	 * Not before the main loop runs: the firewall mark and the first keys may come meanwhile.
	 */
	grpc->retry = wice__timer_new(grpc->context, on_retry, grpc);
	wice__timer_set(grpc->retry, 0);
	return &grpc->backend;
}

static WiceSignalingBackend *grpc_open(GMainContext *context, const char *url,
				       const WiceSignalingEvents *events, void *user_data,
				       GError **error)
{
	return open_with(&wice__signaling_grpc, context, url, events, user_data, error);
}

static WiceSignalingBackend *grpcs_open(GMainContext *context, const char *url,
					const WiceSignalingEvents *events, void *user_data,
					GError **error)
{
	return open_with(&wice__signaling_grpcs, context, url, events, user_data, error);
}

static void grpc_subscribe(WiceSignalingBackend *backend, const WiceKey *public_key,
			   const WiceKey *private_key)
{
	Grpc *grpc = (Grpc *)backend;
	guint index;
	if (find_subscription(grpc, public_key, &index))
		return;
	Subscription *subscription = g_new0(Subscription, 1);
	subscription->grpc = grpc;
	subscription->public_key = *public_key;
	subscription->private_key = *private_key;
	subscription->new = grpc->ready_ms != 0;
	subscription->deadline = wice__timer_new(grpc->context, on_live_deadline, subscription);
	g_ptr_array_add(grpc->subscriptions, subscription);
	if (grpc->state == CONNECTED)
		subscription_ask(subscription);
}

static void grpc_unsubscribe(WiceSignalingBackend *backend, const WiceKey *public_key)
{
	Grpc *grpc = (Grpc *)backend;
	guint index;
	if (!find_subscription(grpc, public_key, &index))
		return;
	g_ptr_array_remove_index(grpc->subscriptions, index);
	/* It may have been the one that kept the backend from being ready. */
	if (grpc->state == CONNECTED)
		wice__timer_set(grpc->retry, 0);
}

static void grpc_publish(WiceSignalingBackend *backend, const WiceEnvelope *envelope)
{
	Grpc *grpc = (Grpc *)backend;
	if (wice__envelope_size(envelope) == 0)
		wice__log(WICE_LOG_WARNING, grpc->url,
			  "An envelope of %zu bytes was not sent: the limit is %d.",
			  envelope->body_len, WICE_ENVELOPE_MAX);
	else if (grpc->state == CONNECTED)
		send_envelope(envelope, grpc);
	else
		wice__outbox_put(grpc->outbox, envelope);
}

static void grpc_network_changed(WiceSignalingBackend *backend)
{
	Grpc *grpc = (Grpc *)backend;
	forget_connection(grpc);
	grpc->wait_ms = 0;
	grpc->told = false; /* what was sent to us meanwhile is lost */
	grpc->state = CONNECTING;
	wice__timer_set(grpc->retry, INT64_MAX);
	wice__rpc_client_connect(grpc->client);
}

static void grpc_set_fwmark(WiceSignalingBackend *backend, uint32_t fwmark)
{
	wice__rpc_client_set_fwmark(((Grpc *)backend)->client, fwmark);
}

static void grpc_close(WiceSignalingBackend *backend)
{
	Grpc *grpc = (Grpc *)backend;
	wice__timer_free(grpc->retry);
	g_ptr_array_unref(grpc->subscriptions);
	while (!g_queue_is_empty(&grpc->flights))
		flight_free(grpc->flights.head->data);
	wice__rpc_client_free(grpc->client);
	wice__outbox_free(grpc->outbox);
	g_main_context_unref(grpc->context);
	g_free(grpc->reason);
	g_free(grpc->url);
	g_free(grpc);
}

const WiceSignalingOps wice__signaling_grpc = {
	.size = sizeof(WiceSignalingOps),
	.scheme = "grpc",
	.open = grpc_open,
	.subscribe = grpc_subscribe,
	.unsubscribe = grpc_unsubscribe,
	.publish = grpc_publish,
	.network_changed = grpc_network_changed,
	.set_fwmark = grpc_set_fwmark,
	.close = grpc_close,
};

const WiceSignalingOps wice__signaling_grpcs = {
	.size = sizeof(WiceSignalingOps),
	.scheme = "grpcs",
	.open = grpcs_open,
	.subscribe = grpc_subscribe,
	.unsubscribe = grpc_unsubscribe,
	.publish = grpc_publish,
	.network_changed = grpc_network_changed,
	.set_fwmark = grpc_set_fwmark,
	.close = grpc_close,
};
