/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "relay/attempt.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "event/source.h"
#include "stun/channel_data.h"
#include "stun/message.h"

/*
 * A server that is asked whether it is still there has this long: some requests, each sent again.
 */
#define SUSPICION_MS 4000

struct WiceRelayAttempt {
	const WiceRelayAttemptEvents *events;
	void *user_data;
	WiceEndpoint server; /* over UDP; a stream's is known by the transport later */
	char *username, *password;
	int64_t patience_ms;
	WiceRelayTransport *transport; /* NULL: it could not be opened, see error */
	WiceTurnClient *client;        /* NULL: the transport is not opened yet */
	WiceMeasure measure;
	WiceTimer *timer;
	bool answered; /* the server has, anything */
	bool used;
	bool has_news;        /* for events->changed */
	bool was_dead;        /* what the measure said */
	int error;            /* of sending, or of opening the transport */
	int64_t patience_at;  /* when it fails unless there was an answer */
	int64_t suspicion_at; /* likewise, INT64_MAX: not suspected */
};

static void kick(WiceRelayAttempt *attempt)
{
	wice__timer_set(attempt->timer, 0);
}

/* Input. */

static void heard(WiceRelayAttempt *attempt)
{
	if (!attempt->answered)
		wice__relay_transport_trust(attempt->transport);
	attempt->answered = true;
	attempt->suspicion_at = INT64_MAX;
	kick(attempt);
}

/* Answers to Binding requests are the measure's. */
static bool is_measured(WiceRelayAttempt *attempt, const uint8_t *packet, size_t len)
{
	WiceStunMessage message;
	if (len < WICE_STUN_HEADER_LEN || (packet[0] & 0xc0) ||
	    wice__stun_message_read(&message, packet, len) || message.method != WICE_STUN_BINDING)
		return false;
	const uint8_t *id = wice__stun_message_transaction(&message) + 4;
	if ((message.message_class == WICE_STUN_SUCCESS ||
	     message.message_class == WICE_STUN_ERROR) &&
	    wice__measure_answered(&attempt->measure, id, g_get_monotonic_time())) {
		attempt->has_news = true;
		heard(attempt);
	}
	return true;
}

void wice__relay_attempt_input(WiceRelayAttempt *attempt, uint8_t *packet, size_t len)
{
	uint16_t channel;
	WiceSpan data;
	if (!attempt->client || is_measured(attempt, packet, len))
		return;
	switch (wice__turn_client_input(attempt->client, packet, len, wice__now_ms(), &channel,
					&data)) {
	case WICE_TURN_INPUT_NONE:
		break;
	case WICE_TURN_INPUT_STUN:
		heard(attempt);
		break;
	case WICE_TURN_INPUT_DATA:
		attempt->events->data(channel, packet + ((const uint8_t *)data.data - packet),
				      data.len, attempt->user_data);
		break;
	}
}

/* Output. */

static void send(WiceRelayAttempt *attempt, const uint8_t *packet, size_t len)
{
	int err = wice__relay_transport_send(attempt->transport, packet, len);
	/* Later on, a way that is gone for a moment may come back. */
	if (err && err != -EAGAIN && !attempt->answered)
		attempt->error = err;
}

static void send_requests(WiceRelayAttempt *attempt, int64_t now_ms)
{
	uint8_t packet[WICE_TURN_MAX_PACKET];
	size_t len;
	while (wice__turn_client_output(attempt->client, now_ms, packet, &len))
		send(attempt, packet, len);
}

static void send_probe(WiceRelayAttempt *attempt, const uint8_t id[12])
{
	uint8_t transaction[WICE_STUN_TRANSACTION_LEN], packet[64];
	WiceStunWriter writer;
	size_t len;
	wice__stun_put_u32(transaction, WICE_STUN_COOKIE);
	memcpy(transaction + 4, id, 12);
	wice__stun_writer_init(&writer, packet, sizeof packet, WICE_STUN_REQUEST, WICE_STUN_BINDING,
			       transaction);
	if (wice__stun_writer_finish(&writer, &len) == 0)
		send(attempt, packet, len);
}

static void measure(WiceRelayAttempt *attempt)
{
	int64_t now_us = g_get_monotonic_time();
	uint32_t loss = attempt->measure.loss_permille;
	uint8_t id[12];
	wice__measure_expire(&attempt->measure, now_us);
	while (wice__measure_due(&attempt->measure, now_us, randombytes_buf, id))
		send_probe(attempt, id);
	attempt->has_news |= attempt->measure.loss_permille != loss;
}

/* Events. */

static const char *server_text(const WiceRelayAttempt *attempt, char ret_text[WICE_ENDPOINT_SIZE])
{
	return wice_endpoint_format(attempt->transport
					    ? wice__relay_transport_server(attempt->transport)
					    : &attempt->server,
				    ret_text);
}

static bool fail(WiceRelayAttempt *attempt, WiceTurnFailure failure, const char *reason)
{
	attempt->events->failed(failure, attempt->answered, reason, attempt->user_data);
	return false;
}

/* These return false if the attempt has failed: it is gone then. */

static bool check_errors(WiceRelayAttempt *attempt)
{
	char server[WICE_ENDPOINT_SIZE];
	if (!attempt->error)
		return true;
	g_autofree char *reason =
		g_strdup_printf("This host cannot send to %s: %s", server_text(attempt, server),
				g_strerror(-attempt->error));
	return fail(attempt, WICE_TURN_TIMED_OUT, reason);
}

static bool check_deadlines(WiceRelayAttempt *attempt, int64_t now_ms)
{
	char server[WICE_ENDPOINT_SIZE];
	bool impatient = !attempt->answered && now_ms >= attempt->patience_at;
	if (!impatient && now_ms < attempt->suspicion_at)
		return true;
	g_autofree char *reason = g_strdup_printf(
		impatient ? "%s does not answer; it is not running, or a firewall is in the way"
			  : "%s does not answer any more",
		server_text(attempt, server));
	return fail(attempt, WICE_TURN_TIMED_OUT, reason);
}

static bool take_events(WiceRelayAttempt *attempt)
{
	char reason[WICE_TURN_REASON_SIZE];
	WiceTurnEvent event;
	while (wice__turn_client_event(attempt->client, &event)) {
		attempt->has_news = true;
		if (event.type == WICE_TURN_EVENT_FAILED) {
			WiceTurnFailure failure =
				wice__turn_client_failure(attempt->client, reason);
			return fail(attempt, failure, reason);
		}
		if (event.type == WICE_TURN_EVENT_NOT_BOUND)
			attempt->events->refused(event.channel, event.code, attempt->user_data);
	}
	return true;
}

/* Being back, a server may have forgotten what was allocated. */
static void watch_life(WiceRelayAttempt *attempt)
{
	bool dead = wice__measure_is_dead(&attempt->measure);
	if (dead == attempt->was_dead || !attempt->answered)
		return;
	attempt->was_dead = dead;
	attempt->has_news = true;
	wice__relay_attempt_suspect(attempt, false);
}

static void set_timer(WiceRelayAttempt *attempt)
{
	int64_t measure_us = wice__measure_deadline_us(&attempt->measure);
	int64_t at = wice__turn_client_deadline(attempt->client);
	if (measure_us != INT64_MAX)
		at = MIN(at, (measure_us + 999) / 1000);
	at = MIN(at, attempt->suspicion_at);
	if (!attempt->answered)
		at = MIN(at, attempt->patience_at);
	wice__timer_set(attempt->timer, at);
}

static void on_timer(void *user_data)
{
	WiceRelayAttempt *attempt = user_data;
	int64_t now_ms = wice__now_ms();
	if (attempt->client) {
		send_requests(attempt, now_ms);
		measure(attempt);
	}
	if (!check_errors(attempt) || !attempt->client || !take_events(attempt) ||
	    !check_deadlines(attempt, now_ms))
		return;
	set_timer(attempt);
	watch_life(attempt);
	if (!attempt->has_news)
		return;
	attempt->has_news = false;
	attempt->events->changed(attempt->user_data);
}

/* Of the transport. */

static void on_opened(void *user_data)
{
	WiceRelayAttempt *attempt = user_data;
	int64_t now_ms = wice__now_ms();
	WiceTurnClientOptions options = {
		.stream = wice__relay_transport_fd(attempt->transport) < 0,
		.username = attempt->username,
		.password = attempt->password,
		.want_ipv4 = true,
		.want_ipv6 = true,
		.mobility = true,
		.fill_random = randombytes_buf,
	};
	attempt->client = wice__turn_client_new(&options, now_ms);
	attempt->patience_at = now_ms + attempt->patience_ms;
	wice__measure_init(&attempt->measure, g_get_monotonic_time());
	wice__measure_set_used(&attempt->measure, attempt->used, g_get_monotonic_time());
	kick(attempt);
}

static void on_input(uint8_t *packet, size_t len, void *user_data)
{
	wice__relay_attempt_input(user_data, packet, len);
}

static void on_failed(const char *reason, void *user_data)
{
	WiceRelayAttempt *attempt = user_data;
	fail(attempt, WICE_TURN_CLOSED, reason);
}

static const WiceRelayTransportEvents transport_events = {
	.opened = on_opened,
	.input = on_input,
	.failed = on_failed,
};

/* API. */

static void open_transport(WiceRelayAttempt *attempt, const WiceRelayAttemptOptions *options)
{
	if (options->stream) {
		attempt->transport = wice__relay_stream_open(options->context, options->stream,
							     &transport_events, attempt);
		return;
	}
	attempt->server = *options->datagrams;
	attempt->error =
		wice__relay_datagrams_open(options->context, options->datagrams, options->fwmark,
					   &transport_events, attempt, &attempt->transport);
}

static void tell_socket(WiceRelayAttempt *attempt,
			void (*func)(int fd, const WiceEndpoint *local, const WiceEndpoint *server,
				     void *user_data))
{
	WiceRelayTransport *transport = attempt->transport;
	if (transport && wice__relay_transport_fd(transport) >= 0)
		func(wice__relay_transport_fd(transport), wice__relay_transport_local(transport),
		     wice__relay_transport_server(transport), attempt->user_data);
}

WiceRelayAttempt *wice__relay_attempt_new(const WiceRelayAttemptOptions *options,
					  const WiceRelayAttemptEvents *events, void *user_data)
{
	WiceRelayAttempt *attempt = g_new0(WiceRelayAttempt, 1);
	attempt->events = events;
	attempt->user_data = user_data;
	attempt->username = g_strdup(options->username);
	attempt->password = g_strdup(options->password);
	attempt->patience_ms = options->patience_ms;
	attempt->patience_at = attempt->suspicion_at = INT64_MAX;
	attempt->timer = wice__timer_new(options->context, on_timer, attempt);
	open_transport(attempt, options);
	tell_socket(attempt, events->socket_opened);
	if (attempt->error)
		kick(attempt);
	return attempt;
}

bool wice__relay_attempt_give_back(WiceRelayAttempt *attempt)
{
	int64_t now_ms = wice__now_ms();
	if (!attempt->client)
		return false;
	wice__turn_client_release(attempt->client, now_ms);
	send_requests(attempt, now_ms);
	return wice__turn_client_state(attempt->client) == WICE_TURN_RELEASING &&
	       !attempt->was_dead;
}

void wice__relay_attempt_free(WiceRelayAttempt *attempt)
{
	if (!attempt)
		return;
	(void)wice__relay_attempt_give_back(attempt);
	wice__turn_client_free(attempt->client);
	tell_socket(attempt, attempt->events->socket_closing);
	wice__relay_transport_close(attempt->transport);
	wice__timer_free(attempt->timer);
	g_free(attempt->username);
	if (attempt->password)
		sodium_memzero(attempt->password, strlen(attempt->password));
	g_free(attempt->password);
	g_free(attempt);
}

WiceTurnClient *wice__relay_attempt_client(WiceRelayAttempt *attempt)
{
	return attempt->client;
}

const WiceMeasure *wice__relay_attempt_measure(const WiceRelayAttempt *attempt)
{
	return &attempt->measure;
}

WiceRelayTransport *wice__relay_attempt_transport(WiceRelayAttempt *attempt)
{
	return attempt->transport;
}

void wice__relay_attempt_flush(WiceRelayAttempt *attempt)
{
	if (attempt->client)
		send_requests(attempt, wice__now_ms());
	kick(attempt);
}

void wice__relay_attempt_set_used(WiceRelayAttempt *attempt, bool used)
{
	attempt->used = used;
	if (!attempt->client)
		return;
	wice__measure_set_used(&attempt->measure, used, g_get_monotonic_time());
	kick(attempt);
}

void wice__relay_attempt_suspect(WiceRelayAttempt *attempt, bool moved)
{
	int64_t now_ms = wice__now_ms();
	if (!attempt->client || wice__turn_client_state(attempt->client) != WICE_TURN_ALLOCATED)
		return;
	if (!moved || !wice__turn_client_moved(attempt->client, now_ms))
		wice__turn_client_check(attempt->client, now_ms);
	attempt->suspicion_at = MIN(attempt->suspicion_at, now_ms + SUSPICION_MS);
	wice__measure_hurry(&attempt->measure, g_get_monotonic_time());
	kick(attempt);
}
