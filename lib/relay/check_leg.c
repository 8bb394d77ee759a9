/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "relay/check_leg.h"

#include <sodium.h>
#include <string.h>

#include "event/source.h"
#include "relay/transport.h"
#include "stun/attributes.h"
#include "stun/channel_data.h"
#include "stun/message.h"

#define ASKED_MAX 8
#define ASK_FIRST_MS 500 /* and twice as long each time (RFC 8489 section 6.2.1) */
#define DATA_MAX 64

struct WiceCheckLeg {
	const WiceCheckLegEvents *events;
	void *user_data;
	bool stream;
	char *username, *password;
	WiceRelayTransport *transport; /* NULL: it could not be opened */
	WiceTurnClient *client;        /* NULL: no allocation was asked for */
	WiceTimer *timer;
	bool news;
	WiceCheckFacts facts;
	uint16_t channel;
	/* Each request has an id of its own, so that it is known which one was answered. */
	bool asking;
	int64_t ask_at;
	unsigned n_asked;
	struct {
		uint8_t transaction[WICE_STUN_TRANSACTION_LEN];
		int64_t sent_us;
	} asked[ASKED_MAX];
};

static void kick(WiceCheckLeg *leg)
{
	wice__timer_set(leg->timer, 0);
}

static void tell(WiceCheckLeg *leg)
{
	leg->news = true;
	kick(leg);
}

static void break_down(WiceCheckLeg *leg, const char *reason)
{
	if (leg->facts.broken)
		return;
	size_t len = strlen(reason);
	while (len && reason[len - 1] == '.')
		len--;
	leg->facts.broken = true;
	leg->facts.reason = g_strndup(reason, len);
	tell(leg);
}

/* Input. */

static void take_software(WiceCheckLeg *leg, const WiceStunMessage *message)
{
	WiceSpan text;
	char *to = leg->facts.software;
	if (*to || wice__stun_read_bytes(message, WICE_STUN_SOFTWARE, &text) != 0)
		return;
	size_t len = MIN(text.len, sizeof leg->facts.software - 1);
	for (size_t i = 0; i < len; i++) {
		char c = ((const char *)text.data)[i];
		to[i] = g_ascii_isprint(c) ? c : '?';
	}
}

static void take_binding(WiceCheckLeg *leg, const WiceStunMessage *message, int64_t sent_us)
{
	WiceCheckFacts *facts = &leg->facts;
	leg->asking = false;
	facts->answered = true;
	facts->rtt_us = (uint32_t)MAX(1, g_get_monotonic_time() - sent_us);
	take_software(leg, message);
	if (message->message_class == WICE_STUN_ERROR) {
		(void)wice__stun_read_error(message, &facts->code, NULL);
	} else {
		if (wice__stun_read_address(message, WICE_STUN_XOR_MAPPED_ADDRESS,
					    &facts->outside) != 0)
			(void)wice__stun_read_address(message, WICE_STUN_MAPPED_ADDRESS,
						      &facts->outside);
		(void)wice__stun_read_address(message, WICE_STUN_OTHER_ADDRESS, &facts->other);
	}
	wice__relay_transport_trust(leg->transport);
	tell(leg);
}

static bool is_answer(const WiceStunMessage *message)
{
	return message->message_class == WICE_STUN_SUCCESS ||
	       message->message_class == WICE_STUN_ERROR;
}

/* True if it was one to a Binding request of ours. */
static bool is_binding(WiceCheckLeg *leg, const WiceStunMessage *message)
{
	const uint8_t *transaction = wice__stun_message_transaction(message);
	if (!is_answer(message) || message->method != WICE_STUN_BINDING)
		return false;
	for (unsigned i = 0; i < leg->n_asked; i++) {
		if (memcmp(leg->asked[i].transaction, transaction, WICE_STUN_TRANSACTION_LEN) != 0)
			continue;
		if (leg->asking)
			take_binding(leg, message, leg->asked[i].sent_us);
		return true;
	}
	return false;
}

static void give_to_client(WiceCheckLeg *leg, const uint8_t *packet, size_t len)
{
	uint16_t channel;
	WiceSpan data;
	switch (wice__turn_client_input(leg->client, packet, len, wice__now_ms(), &channel,
					&data)) {
	case WICE_TURN_INPUT_NONE:
		break;
	case WICE_TURN_INPUT_STUN:
		tell(leg);
		break;
	case WICE_TURN_INPUT_DATA:
		leg->events->data(data.data, data.len, leg->user_data);
		break;
	}
}

static void on_input(uint8_t *packet, size_t len, void *user_data)
{
	WiceCheckLeg *leg = user_data;
	WiceStunMessage message;
	bool is_stun = len >= WICE_STUN_HEADER_LEN && !(packet[0] & 0xc0) &&
		       wice__stun_message_read(&message, packet, len) == 0;
	if (is_stun && is_binding(leg, &message))
		return;
	if (leg->asking && (!is_stun || !is_answer(&message))) {
		leg->facts.strange = true;
		tell(leg);
	}
	if (!leg->client)
		return;
	if (is_stun && message.message_class == WICE_STUN_ERROR)
		(void)wice__stun_read_error(&message, &leg->facts.code, NULL);
	give_to_client(leg, packet, len);
}

/* Output. */

static void send(WiceCheckLeg *leg, const uint8_t *packet, size_t len)
{
	int err = wice__relay_transport_send(leg->transport, packet, len);
	if (!err || err == -EAGAIN)
		return;
	g_autofree char *reason =
		g_strdup_printf("This host cannot send there: %s", g_strerror(-err));
	break_down(leg, reason);
}

static void ask(WiceCheckLeg *leg, int64_t now_ms)
{
	uint8_t packet[64];
	WiceStunWriter writer;
	size_t len;
	uint8_t *transaction = leg->asked[leg->n_asked].transaction;
	wice__stun_put_u32(transaction, WICE_STUN_COOKIE);
	randombytes_buf(transaction + 4, WICE_STUN_TRANSACTION_LEN - 4);
	wice__stun_writer_init(&writer, packet, sizeof packet, WICE_STUN_REQUEST, WICE_STUN_BINDING,
			       transaction);
	if (wice__stun_writer_finish(&writer, &len) != 0)
		return;
	leg->asked[leg->n_asked].sent_us = g_get_monotonic_time();
	leg->ask_at = leg->stream ? INT64_MAX : now_ms + (ASK_FIRST_MS << leg->n_asked);
	leg->n_asked++;
	send(leg, packet, len);
}

static void send_due(WiceCheckLeg *leg, int64_t now_ms)
{
	uint8_t packet[WICE_TURN_MAX_PACKET];
	size_t len;
	if (leg->asking && now_ms >= leg->ask_at && leg->n_asked < ASKED_MAX)
		ask(leg, now_ms);
	while (leg->client && wice__turn_client_output(leg->client, now_ms, packet, &len))
		send(leg, packet, len);
}

/* What the client has found out. */

static void take_event(WiceCheckLeg *leg, const WiceTurnEvent *event)
{
	WiceCheckFacts *facts = &leg->facts;
	switch (event->type) {
	case WICE_TURN_EVENT_ALLOCATED:
		facts->allocated = true;
		facts->code = 0;
		(void)wice__turn_client_relayed(leg->client, WICE_FAMILY_IPV4,
						&facts->relayed_ipv4);
		(void)wice__turn_client_relayed(leg->client, WICE_FAMILY_IPV6,
						&facts->relayed_ipv6);
		break;
	case WICE_TURN_EVENT_FAILED:
		facts->refused = true;
		g_free(facts->reason);
		facts->reason = g_malloc(WICE_TURN_REASON_SIZE);
		facts->failure = wice__turn_client_failure(leg->client, facts->reason);
		(void)wice__turn_client_alternate(leg->client, &facts->alternate);
		break;
	case WICE_TURN_EVENT_BOUND:
		facts->bound = true;
		break;
	case WICE_TURN_EVENT_NOT_BOUND:
		facts->not_bound = true;
		facts->code = event->code;
		break;
	default:
		break;
	}
}

static void take_events(WiceCheckLeg *leg)
{
	WiceTurnEvent event;
	while (leg->client && wice__turn_client_event(leg->client, &event)) {
		take_event(leg, &event);
		leg->news = true;
	}
	if (leg->client && !leg->facts.software[0])
		g_strlcpy(leg->facts.software, wice__turn_client_software(leg->client),
			  sizeof leg->facts.software);
}

static void on_timer(void *user_data)
{
	WiceCheckLeg *leg = user_data;
	if (!leg->facts.broken)
		send_due(leg, wice__now_ms());
	take_events(leg);
	int64_t at = leg->asking && leg->n_asked < ASKED_MAX ? leg->ask_at : INT64_MAX;
	if (leg->client)
		at = MIN(at, wice__turn_client_deadline(leg->client));
	wice__timer_set(leg->timer, leg->facts.broken ? INT64_MAX : at);
	if (!leg->news)
		return;
	leg->news = false;
	leg->events->changed(leg->user_data);
}

/* Of the transport. */

static void on_opened(void *user_data)
{
	WiceCheckLeg *leg = user_data;
	leg->facts.opened = true;
	tell(leg);
}

static void on_failed(const char *reason, void *user_data)
{
	break_down(user_data, reason);
}

static const WiceRelayTransportEvents transport_events = {
	.opened = on_opened,
	.input = on_input,
	.failed = on_failed,
};

static void open_transport(WiceCheckLeg *leg, const WiceCheckLegOptions *options)
{
	const WiceTurnUrl *url = &options->spec->url;
	char host[WICE_ADDRESS_SIZE];
	WiceStreamOptions stream = {
		.host = wice_address_format(&options->server.address, host),
		.port = options->server.port,
		.tls = url->transport == WICE_TURN_TLS,
		.tls_name = url->host,
		.tls_ca_file = options->spec->ca_file,
		.fwmark = options->fwmark,
	};
	if (leg->stream) {
		leg->transport =
			wice__relay_stream_open(options->context, &stream, &transport_events, leg);
		return;
	}
	int err = wice__relay_datagrams_open(options->context, &options->server, options->fwmark,
					     &transport_events, leg, &leg->transport);
	g_autofree char *reason =
		g_strdup_printf("This host has no socket for that: %s", g_strerror(-err));
	if (err)
		break_down(leg, reason);
}

/* API. */

WiceCheckLeg *wice__check_leg_new(const WiceCheckLegOptions *options,
				  const WiceCheckLegEvents *events, void *user_data)
{
	WiceCheckLeg *leg = g_new0(WiceCheckLeg, 1);
	leg->events = events;
	leg->user_data = user_data;
	leg->stream = options->spec->url.transport != WICE_TURN_UDP;
	leg->username = g_strdup(options->username);
	leg->password = g_strdup(options->password);
	leg->timer = wice__timer_new(options->context, on_timer, leg);
	open_transport(leg, options);
	return leg;
}

static void release(WiceCheckLeg *leg)
{
	uint8_t packet[WICE_TURN_MAX_PACKET];
	size_t len;
	int64_t now_ms = wice__now_ms();
	wice__turn_client_release(leg->client, now_ms);
	while (wice__turn_client_output(leg->client, now_ms, packet, &len))
		(void)wice__relay_transport_send(leg->transport, packet, len);
	wice__turn_client_free(leg->client);
}

void wice__check_leg_free(WiceCheckLeg *leg)
{
	if (!leg)
		return;
	if (leg->client)
		release(leg);
	wice__relay_transport_close(leg->transport);
	wice__timer_free(leg->timer);
	g_free(leg->username);
	if (leg->password)
		sodium_memzero(leg->password, strlen(leg->password));
	g_free(leg->password);
	g_free(leg->facts.reason);
	g_free(leg);
}

const WiceCheckFacts *wice__check_leg_facts(const WiceCheckLeg *leg)
{
	return &leg->facts;
}

void wice__check_leg_ask(WiceCheckLeg *leg)
{
	leg->asking = true;
	leg->ask_at = 0;
	kick(leg);
}

void wice__check_leg_allocate(WiceCheckLeg *leg)
{
	WiceTurnClientOptions options = {
		.stream = leg->stream,
		.username = leg->username,
		.password = leg->password,
		.want_ipv4 = true,
		.want_ipv6 = true,
		.fill_random = randombytes_buf,
	};
	leg->client = wice__turn_client_new(&options, wice__now_ms());
	kick(leg);
}

void wice__check_leg_bind(WiceCheckLeg *leg, const WiceEndpoint *peer)
{
	if (wice__turn_client_bind(leg->client, peer, wice__now_ms(), &leg->channel) != 0) {
		leg->facts.not_bound = true;
		tell(leg);
	}
	kick(leg);
}

void wice__check_leg_send(WiceCheckLeg *leg, const uint8_t *data, size_t len)
{
	uint8_t packet[WICE_CHANNEL_DATA_HEADER_LEN + DATA_MAX];
	if (len > DATA_MAX || wice__channel_data_write(packet, leg->channel, len) != 0)
		return;
	memcpy(packet + WICE_CHANNEL_DATA_HEADER_LEN, data, len);
	send(leg, packet, WICE_CHANNEL_DATA_HEADER_LEN + len);
}
