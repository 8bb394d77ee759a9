/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One round after the other, until one has an allocation, and again when that is lost:
 *
 *   resolve -> credentials -> an attempt at each address -+-> READY
 *      ^         (a stream resolves by itself)            |
 *      +------------- 1 s .. 60 s <--- all have failed ---+
 *
 * Addresses are tried one at a time: two sockets at once could not both share WireGuard's port. One
 * that does not answer gives way to the next within a second, and the one that has worked is the
 * first one of the next round.
 *
 * Names that are limited in time are not renewed while an allocation lives: a server refuses any
 * other name than that which it was made with (RFC 8656 section 5). Servers that look at the time
 * of old allocations too refuse at some time; then there is a new round at once, with a new name.
 */
#include "relay/relay.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "event/resolve.h"
#include "event/source.h"
#include "relay/attempt.h"

#define SERVERS_MAX 32
#define HOPS_MAX 3 /* of ALTERNATE-SERVER */
#define RETRY_MIN_MS 1000
#define RETRY_MAX_MS 60000
#define PATIENCE_MS 1000 /* while there are other addresses */
#define LAST_PATIENCE_MS 10000
/* An allocation that was lost after this long was a good one. */
#define GOOD_MS 10000

struct WiceRelay {
	GMainContext *context;
	WiceRelaySpec *spec;
	uint32_t fwmark;
	bool used;
	const WiceRelayEvents *events;
	void *user_data;
	char url[WICE_TURN_URL_SIZE];

	WiceRelayState state;
	char *reason;
	WiceEndpoint server;
	int64_t ready_since;
	WiceTimer *news; /* calls changed */

	/* The round, and what of it is under way. */
	WiceResolve *resolve;
	WiceEndpoint servers[SERVERS_MAX];
	size_t n_servers, at;
	unsigned hops;
	WiceRelayCredentials *credentials;
	char *username, *password;
	WiceRelayAttempt *attempt;

	unsigned failures; /* rounds in a row */
	WiceTimer *retry;
};

static void set_state(WiceRelay *relay, WiceRelayState state, const char *reason)
{
	/* First: the old one may be (part of) the new one. */
	char *copy = g_strdup(reason);
	if (g_str_has_suffix(copy, "."))
		copy[strlen(copy) - 1] = '\0';
	g_free(relay->reason);
	relay->reason = copy;
	relay->state = state;
	wice__timer_set(relay->news, 0);
}

static void wipe(char **secret)
{
	if (*secret)
		sodium_memzero(*secret, strlen(*secret));
	g_clear_pointer(secret, g_free);
}

static void end_round(WiceRelay *relay)
{
	wice__resolve_cancel(g_steal_pointer(&relay->resolve));
	wice__relay_credentials_cancel(g_steal_pointer(&relay->credentials));
	g_clear_pointer(&relay->attempt, wice__relay_attempt_free);
	g_clear_pointer(&relay->username, g_free);
	wipe(&relay->password);
	wice__timer_set(relay->retry, INT64_MAX);
}

static int64_t retry_delay(const WiceRelay *relay)
{
	int64_t delay = RETRY_MIN_MS << MIN(relay->failures, 6);
	delay = MIN(delay, RETRY_MAX_MS);
	return delay * 3 / 4 + g_random_int_range(0, (gint32)(delay / 4) + 1);
}

/* The reason is copied first: it may belong to what is ended. */
static void round_failed(WiceRelay *relay, const char *why)
{
	g_autofree char *reason = g_strdup(why);
	int64_t now_ms = wice__now_ms();
	bool was_good = relay->state == WICE_RELAY_READY && now_ms - relay->ready_since >= GOOD_MS;
	int64_t delay = was_good ? 0 : retry_delay(relay);
	relay->failures = was_good ? 0 : relay->failures + 1;
	end_round(relay);
	set_state(relay, was_good ? WICE_RELAY_CONNECTING : WICE_RELAY_FAILED, reason);
	wice__timer_set(relay->retry, now_ms + delay);
}

/* Attempts. */

static void try_server(WiceRelay *relay, const WiceEndpoint *server);
static void try_next(WiceRelay *relay);

static void learn_server(WiceRelay *relay)
{
	relay->server =
		*wice__relay_transport_server(wice__relay_attempt_transport(relay->attempt));
}

static void on_attempt_changed(void *user_data)
{
	WiceRelay *relay = user_data;
	const WiceTurnClient *client = wice__relay_attempt_client(relay->attempt);
	learn_server(relay);
	if (relay->state == WICE_RELAY_READY ||
	    wice__turn_client_state(client) != WICE_TURN_ALLOCATED) {
		wice__timer_set(relay->news, 0);
		return;
	}
	relay->ready_since = wice__now_ms();
	set_state(relay, WICE_RELAY_READY, "");
}

/*
 * Somebody on the way may have made the 300: it is not authenticated (RFC 8489 section 10). So it
 * must not send us to services of this very host.
 */
static bool may_go_to(const WiceRelay *relay, const WiceEndpoint *alternate)
{
	static const uint8_t zeros[16];
	const WiceAddress *address = &alternate->address;
	bool multicast = address->family == WICE_FAMILY_IPV4 ? address->bytes[0] >= 224
							     : address->bytes[0] == 0xff;
	if (relay->hops >= HOPS_MAX || alternate->port == 0 || multicast ||
	    memcmp(address->bytes, zeros, sizeof zeros) == 0)
		return false;
	return !wice_address_is_loopback(address) ||
	       wice_address_is_loopback(&relay->server.address);
}

static void follow_alternate(WiceRelay *relay)
{
	WiceEndpoint alternate;
	char text[WICE_ENDPOINT_SIZE];
	learn_server(relay);
	if (wice__turn_client_alternate(wice__relay_attempt_client(relay->attempt), &alternate) &&
	    may_go_to(relay, &alternate)) {
		relay->hops++;
		try_server(relay, &alternate);
		return;
	}
	g_autofree char *reason =
		g_strdup_printf("The server sends us to %s, where it is not looked for",
				wice_endpoint_format(&alternate, text));
	round_failed(relay, reason);
}

/* Servers that share a name share their users, but not their room. */
static bool may_differ_elsewhere(WiceTurnFailure failure, bool answered)
{
	return !answered || failure == WICE_TURN_CAPACITY || failure == WICE_TURN_TIMED_OUT;
}

static void on_attempt_failed(WiceTurnFailure failure, bool answered, const char *reason,
			      void *user_data)
{
	WiceRelay *relay = user_data;
	bool was_ready = relay->state == WICE_RELAY_READY;
	if (!was_ready && failure == WICE_TURN_ALTERNATE)
		follow_alternate(relay);
	else if (!was_ready && may_differ_elsewhere(failure, answered) &&
		 ++relay->at < relay->n_servers)
		try_next(relay);
	else
		round_failed(relay, reason);
}

static void on_attempt_data(uint16_t channel, uint8_t *data, size_t len, void *user_data)
{
	WiceRelay *relay = user_data;
	if (relay->events->data)
		relay->events->data(relay, channel, data, len, relay->user_data);
}

static void on_attempt_refused(uint16_t channel, uint16_t code, void *user_data)
{
	WiceRelay *relay = user_data;
	if (relay->events->refused)
		relay->events->refused(relay, channel, code, relay->user_data);
}

static void on_socket_opened(int fd, const WiceEndpoint *local, const WiceEndpoint *server,
			     void *user_data)
{
	WiceRelay *relay = user_data;
	if (relay->events->socket_opened)
		relay->events->socket_opened(relay, fd, local, server, relay->user_data);
}

static void on_socket_closing(int fd, const WiceEndpoint *local, const WiceEndpoint *server,
			      void *user_data)
{
	WiceRelay *relay = user_data;
	if (relay->events->socket_closing)
		relay->events->socket_closing(relay, fd, local, server, relay->user_data);
}

static const WiceRelayAttemptEvents attempt_events = {
	.changed = on_attempt_changed,
	.failed = on_attempt_failed,
	.data = on_attempt_data,
	.refused = on_attempt_refused,
	.socket_opened = on_socket_opened,
	.socket_closing = on_socket_closing,
};

/* server NULL: the one of the URL, which a stream resolves by itself. */
static void try_server(WiceRelay *relay, const WiceEndpoint *server)
{
	const WiceTurnUrl *url = &relay->spec->url;
	char address[WICE_ADDRESS_SIZE];
	WiceStreamOptions stream = {
		.host = server ? wice_address_format(&server->address, address) : url->host,
		.port = server ? server->port : url->port,
		.tls = url->transport == WICE_TURN_TLS,
		.tls_name = url->host,
		.tls_ca_file = relay->spec->ca_file,
		.fwmark = relay->fwmark,
	};
	WiceRelayAttemptOptions options = {
		.context = relay->context,
		.datagrams = server,
		.stream = url->transport == WICE_TURN_UDP ? NULL : &stream,
		.fwmark = relay->fwmark,
		.username = relay->username,
		.password = relay->password,
		.patience_ms = relay->at + 1 < relay->n_servers ? PATIENCE_MS : LAST_PATIENCE_MS,
	};
	g_clear_pointer(&relay->attempt, wice__relay_attempt_free);
	relay->attempt = wice__relay_attempt_new(&options, &attempt_events, relay);
	wice__relay_attempt_set_used(relay->attempt, relay->used);
}

static void try_next(WiceRelay *relay)
{
	bool stream = relay->spec->url.transport != WICE_TURN_UDP;
	try_server(relay, stream ? NULL : &relay->servers[relay->at]);
}

/* Rounds. */

static void on_credentials(const char *username, const char *password, const GError *error,
			   void *user_data)
{
	WiceRelay *relay = user_data;
	relay->credentials = NULL;
	if (error) {
		round_failed(relay, error->message);
		return;
	}
	relay->username = g_strdup(username);
	relay->password = g_strdup(password);
	try_next(relay);
}

static void get_credentials(WiceRelay *relay)
{
	relay->credentials =
		wice__relay_credentials_get(relay->context, relay->spec, on_credentials, relay);
}

static bool add_server(WiceRelay *relay, const WiceAddress *address)
{
	WiceEndpoint server = { .address = *address, .port = relay->spec->url.port };
	for (size_t i = 0; i < relay->n_servers; i++)
		if (wice_endpoint_compare(&relay->servers[i], &server) == 0)
			return false;
	if (relay->n_servers < SERVERS_MAX)
		relay->servers[relay->n_servers++] = server;
	return true;
}

/* The next one of the family, or of any other. */
static const WiceAddress *next_of(const WiceAddress *addresses, size_t n, size_t *at,
				  uint8_t family)
{
	while (*at < n && addresses[*at].family != family)
		++*at;
	return *at < n ? &addresses[(*at)++] : NULL;
}

/* What has worked last, then the families in turn, beginning with what the system likes best. */
static void take_servers(WiceRelay *relay, const WiceAddress *addresses, size_t n)
{
	uint8_t first = addresses[0].family;
	uint8_t second = first == WICE_FAMILY_IPV6 ? WICE_FAMILY_IPV4 : WICE_FAMILY_IPV6;
	const WiceAddress *a, *b;
	size_t at_first = 0, at_second = 0;
	relay->n_servers = relay->at = 0;
	for (size_t i = 0; i < n; i++)
		if (wice_address_compare(&addresses[i], &relay->server.address) == 0)
			add_server(relay, &addresses[i]);
	do {
		a = next_of(addresses, n, &at_first, first);
		b = next_of(addresses, n, &at_second, second);
		if (a)
			add_server(relay, a);
		if (b)
			add_server(relay, b);
	} while (a || b);
}

static void on_resolved(const WiceAddress *addresses, size_t n, const GError *error,
			void *user_data)
{
	WiceRelay *relay = user_data;
	relay->resolve = NULL;
	if (n == 0) {
		g_autofree char *reason = g_strdup_printf("The name %s cannot be resolved: %s",
							  relay->spec->url.host, error->message);
		round_failed(relay, reason);
		return;
	}
	take_servers(relay, addresses, n);
	get_credentials(relay);
}

static void begin_round(void *user_data)
{
	WiceRelay *relay = user_data;
	relay->hops = 0;
	relay->n_servers = relay->at = 0;
	if (relay->spec->url.transport == WICE_TURN_UDP)
		relay->resolve = wice__resolve_start(relay->context, relay->spec->url.host,
						     on_resolved, relay);
	else
		get_credentials(relay);
}

/* API. */

static void on_news(void *user_data)
{
	WiceRelay *relay = user_data;
	relay->events->changed(relay, relay->user_data);
}

WiceRelay *wice__relay_new(const WiceRelayOptions *options, const WiceRelayEvents *events,
			   void *user_data)
{
	WiceRelay *relay = g_new0(WiceRelay, 1);
	relay->context =
		g_main_context_ref(options->context ? options->context : g_main_context_default());
	relay->spec = wice__relay_spec_copy(options->spec);
	relay->fwmark = options->fwmark;
	relay->events = events;
	relay->user_data = user_data;
	relay->reason = g_strdup("It is being connected to");
	wice__turn_url_format(&relay->spec->url, relay->url);
	relay->news = wice__timer_new(relay->context, on_news, relay);
	relay->retry = wice__timer_new(relay->context, begin_round, relay);
	wice__timer_set(relay->retry, 0);
	return relay;
}

bool wice__relay_give_back(WiceRelay *relay)
{
	return relay->attempt && wice__relay_attempt_give_back(relay->attempt);
}

void wice__relay_free(WiceRelay *relay)
{
	if (!relay)
		return;
	end_round(relay);
	wice__timer_free(relay->retry);
	wice__timer_free(relay->news);
	wice__relay_spec_free(relay->spec);
	g_main_context_unref(relay->context);
	g_free(relay->reason);
	g_free(relay);
}

WiceRelayState wice__relay_state(const WiceRelay *relay)
{
	return relay->state;
}

const char *wice__relay_reason(const WiceRelay *relay)
{
	return relay->reason;
}

const char *wice__relay_url(const WiceRelay *relay)
{
	return relay->url;
}

const WiceEndpoint *wice__relay_server(const WiceRelay *relay)
{
	return &relay->server;
}

/* NULL: there is none now. */
static WiceTurnClient *client_of(const WiceRelay *relay)
{
	return relay->attempt ? wice__relay_attempt_client(relay->attempt) : NULL;
}

bool wice__relay_relayed(const WiceRelay *relay, WiceFamily family, WiceEndpoint *ret_relayed)
{
	const WiceTurnClient *client = client_of(relay);
	return client && wice__turn_client_relayed(client, family, ret_relayed);
}

const WiceMeasure *wice__relay_measure(const WiceRelay *relay)
{
	static const WiceMeasure nothing;
	return relay->attempt ? wice__relay_attempt_measure(relay->attempt) : &nothing;
}

int wice__relay_fd(const WiceRelay *relay)
{
	if (!client_of(relay))
		return -1;
	return wice__relay_transport_fd(wice__relay_attempt_transport(relay->attempt));
}

void wice__relay_set_reading(WiceRelay *relay, bool reading)
{
	if (client_of(relay))
		wice__relay_transport_set_reading(wice__relay_attempt_transport(relay->attempt),
						  reading);
}

int wice__relay_bind(WiceRelay *relay, const WiceEndpoint *peer, uint16_t *ret_channel)
{
	WiceTurnClient *client = client_of(relay);
	if (!client)
		return -ENOTCONN;
	int err = wice__turn_client_bind(client, peer, wice__now_ms(), ret_channel);
	wice__relay_attempt_flush(relay->attempt);
	return err;
}

void wice__relay_unbind(WiceRelay *relay, uint16_t channel)
{
	WiceTurnClient *client = client_of(relay);
	if (client)
		wice__turn_client_unbind(client, channel, wice__now_ms());
}

bool wice__relay_is_bound(const WiceRelay *relay, uint16_t channel)
{
	const WiceTurnClient *client = client_of(relay);
	return client && wice__turn_client_is_bound(client, channel);
}

int wice__relay_send(WiceRelay *relay, const uint8_t *channel_data, size_t len)
{
	if (relay->state != WICE_RELAY_READY)
		return -ENOTCONN;
	return wice__relay_transport_send(wice__relay_attempt_transport(relay->attempt),
					  channel_data, len);
}

void wice__relay_input(WiceRelay *relay, const WiceEndpoint *source, uint8_t *packet, size_t len)
{
	if (client_of(relay) && wice_endpoint_compare(source, &relay->server) == 0)
		wice__relay_attempt_input(relay->attempt, packet, len);
}

void wice__relay_network_changed(WiceRelay *relay)
{
	if (relay->state == WICE_RELAY_READY) {
		wice__relay_attempt_suspect(relay->attempt, true);
	} else if (relay->state == WICE_RELAY_FAILED && !relay->attempt && !relay->credentials &&
		   !relay->resolve) {
		relay->failures = 0;
		wice__timer_set(relay->retry, 0);
	}
}

void wice__relay_set_used(WiceRelay *relay, bool used)
{
	relay->used = used;
	if (relay->attempt)
		wice__relay_attempt_set_used(relay->attempt, used);
}

void wice__relay_hurry(WiceRelay *relay)
{
	if (relay->state == WICE_RELAY_READY)
		wice__relay_attempt_suspect(relay->attempt, false);
}
