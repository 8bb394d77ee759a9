/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two kinds of requests are under way: one for the allocation (Allocate, then Refresh), and one for
 * each channel (ChannelBind). Each repeats itself (RFC 8489 section 6.2.1) and has a deadline in
 * one heap, whose first member is what output looks at.
 *
 *   STARTING   Allocate without credentials --401--> Allocate with them, and all ChannelBinds
 *   ALLOCATED  Refresh when a part of the lifetime has passed; ChannelBind every 4 minutes, which
 *              keeps the channel (10 minutes) and the permission (5 minutes) alike
 *   RELEASING  Refresh with lifetime 0, 2 s at most
 *
 * A ChannelBind that is refused while there is no allocation yet (it has overtaken its Allocate, or
 * met the allocation of a former client) is sent again once there is. One that is answered with 437
 * (or 400) later on, or not at all, raises doubts about everything: a Refresh asks whether the allocation is
 * still there. If so the channel has one more try.
 *
 * The last two bytes of a transaction id tell which request it is of: the channel's number, or 0.
 * The other 10 are random.
 *
 *   client.c           the timers, and what the owner asks for
 *   client_answers.c   what answers lead to
 *   client_channels.c  the channels
 *   client_messages.c  what the messages consist of
 */
#include "turn/client.h"

#include <sodium.h>
#include <string.h>

#include "stun/channel_data.h"
#include "turn/client_private.h"

#define RTO_MS 500
#define TRIES 7      /* Rc */
#define LAST_WAIT 16 /* Rm */
#define STREAM_TIMEOUT_MS 39500
#define RELEASE_MS 2000
/* Thousands of ChannelBinds at once would be lost in the queues on their way. */
#define PACE_MS 10
#define PACE_PACKETS 64

void wice__turn_client_add_event(WiceTurnClient *client, WiceTurnEventType type, uint16_t channel,
				 uint16_t code)
{
	WiceTurnEvent *event = g_new(WiceTurnEvent, 1);
	*event = (WiceTurnEvent){ .type = type, .channel = channel, .code = code };
	g_queue_push_tail(&client->events, event);
}

static void stop_all(WiceTurnClient *client)
{
	client->main.active = false;
	wice__deadlines_set(&client->deadlines, &client->main_deadline, INT64_MAX);
	wice__turn_client_stop_channels(client);
}

static void released(WiceTurnClient *client)
{
	stop_all(client);
	client->state = WICE_TURN_RELEASED;
	wice__turn_client_add_event(client, WICE_TURN_EVENT_RELEASED, 0, 0);
}

void wice__turn_client_fail(WiceTurnClient *client, WiceTurnFailure failure, const char *reason)
{
	if (client->state >= WICE_TURN_RELEASED)
		return;
	if (client->state == WICE_TURN_RELEASING) {
		released(client);
		return;
	}
	stop_all(client);
	client->state = WICE_TURN_FAILED;
	client->failure = failure;
	g_strlcpy(client->reason, reason, sizeof client->reason);
	wice__turn_client_add_event(client, WICE_TURN_EVENT_FAILED, 0, 0);
}

void wice__turn_client_begin(WiceTurnClient *client, WiceTurnChannel *channel, unsigned method,
			     int64_t at)
{
	WiceTurnRequest *request = wice__turn_client_request(client, channel);
	request->active = true;
	request->method = method;
	request->authenticated = client->has_nonce;
	request->sent = 0;
	request->forged = false;
	client->fill_random(request->transaction, sizeof request->transaction);
	wice__stun_put_u32(request->transaction, WICE_STUN_COOKIE);
	wice__stun_put_u16(request->transaction + WICE_TURN_NUMBER_AT,
			   channel ? channel->number : 0);
	wice__deadlines_set(&client->deadlines,
			    channel ? &channel->deadline : &client->main_deadline, at);
}

void wice__turn_client_begin_main(WiceTurnClient *client, unsigned method, int64_t at)
{
	client->main.release = client->main.moves = false;
	wice__turn_client_begin(client, NULL, method, at);
}

WiceTurnClient *wice__turn_client_new(const WiceTurnClientOptions *options, int64_t now_ms)
{
	WiceTurnClient *client = g_new0(WiceTurnClient, 1);
	client->stream = options->stream;
	client->want_ipv4 = options->want_ipv4 || !options->want_ipv6;
	client->want_ipv6 = options->want_ipv6;
	client->mobility = options->mobility;
	client->rto_ms = options->rto_ms ? options->rto_ms : RTO_MS;
	client->fill_random = options->fill_random;
	client->username = g_strdup(options->username);
	client->password = g_strdup(options->password);
	client->ask = !client->want_ipv6   ? WICE_TURN_ASK_IPV4
		      : !client->want_ipv4 ? WICE_TURN_ASK_IPV6
					   : WICE_TURN_ASK_BOTH;
	client->rtt_ms = -1;
	client->channels = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	uint16_t start;
	client->fill_random(&start, sizeof start);
	client->next_number = WICE_CHANNEL_MIN + start % WICE_TURN_MAX_CHANNELS;
	wice__deadlines_init(&client->deadlines);
	wice__deadline_init(&client->main_deadline);
	g_queue_init(&client->events);
	wice__turn_client_begin_main(client, WICE_STUN_ALLOCATE, now_ms);
	return client;
}

void wice__turn_client_wipe(char **text)
{
	if (*text)
		sodium_memzero(*text, strlen(*text));
	g_clear_pointer(text, g_free);
}

void wice__turn_client_free(WiceTurnClient *client)
{
	if (!client)
		return;
	g_queue_clear_full(&client->events, g_free);
	wice__deadlines_done(&client->deadlines);
	g_hash_table_unref(client->channels);
	wice__turn_client_wipe(&client->username);
	wice__turn_client_wipe(&client->password);
	wice__turn_client_wipe(&client->next_username);
	wice__turn_client_wipe(&client->next_password);
	wice__stun_key_clear(&client->key);
	g_free(client);
}

/* The request has been sent the last time and nothing has come. */
static void give_up(WiceTurnClient *client, WiceTurnChannel *channel, int64_t now)
{
	if (channel)
		wice__turn_client_bind_refused(client, channel, 0, now);
	else if (client->main.forged)
		wice__turn_client_fail(client, WICE_TURN_PROTOCOL,
				       "The server's answers are not made with our password.");
	else
		wice__turn_client_fail(client, WICE_TURN_TIMED_OUT, "The server does not answer.");
}

/* What is due is not to repeat a request. */
static void wake(WiceTurnClient *client, WiceTurnChannel *channel, int64_t now)
{
	bool allocated = client->state == WICE_TURN_ALLOCATED;
	if (channel)
		wice__turn_client_wake_channel(client, channel, now);
	else
		wice__turn_client_begin_main(
			client, allocated ? WICE_STUN_REFRESH : WICE_STUN_ALLOCATE, now);
}

static int64_t wait_after(const WiceTurnClient *client, unsigned sent)
{
	if (client->stream)
		return STREAM_TIMEOUT_MS;
	return sent == TRIES ? LAST_WAIT * client->rto_ms : client->rto_ms << (sent - 1);
}

/* Whether no more ChannelBinds may leave in this burst. */
static bool is_paced(WiceTurnClient *client, int64_t now)
{
	if (now >= client->paced_since + PACE_MS) {
		client->paced_since = now;
		client->paced = 0;
	}
	return client->paced >= PACE_PACKETS;
}

/* What is due first. All else waits for the allocation's request. */
static WiceDeadline *find_due(WiceTurnClient *client, int64_t now)
{
	if (client->main_deadline.ms <= now)
		return &client->main_deadline;
	WiceDeadline *first = wice__deadlines_first(&client->deadlines);
	return first && first->ms <= now && !is_paced(client, now) ? first : NULL;
}

static bool send(WiceTurnClient *client, WiceTurnChannel *channel, int64_t now,
		 uint8_t ret_packet[WICE_TURN_MAX_PACKET], size_t *ret_len)
{
	WiceTurnRequest *request = wice__turn_client_request(client, channel);
	size_t len = wice__turn_client_write(client, request, channel, ret_packet);
	if (!len) {
		wice__turn_client_fail(client, WICE_TURN_PROTOCOL,
				       "The server's nonce and realm, or our name, are too long.");
		return false;
	}
	request->sent_at = now;
	request->sent++;
	client->paced += channel != NULL;
	wice__deadlines_set(&client->deadlines,
			    channel ? &channel->deadline : &client->main_deadline,
			    now + wait_after(client, request->sent));
	*ret_len = len;
	return true;
}

bool wice__turn_client_output(WiceTurnClient *client, int64_t now_ms,
			      uint8_t ret_packet[WICE_TURN_MAX_PACKET], size_t *ret_len)
{
	WiceDeadline *due;
	if (client->state == WICE_TURN_RELEASING && now_ms >= client->released_by)
		released(client);
	while ((due = find_due(client, now_ms))) {
		WiceTurnChannel *channel =
			due == &client->main_deadline ? NULL : (WiceTurnChannel *)due;
		const WiceTurnRequest *request = wice__turn_client_request(client, channel);
		if (!request->active)
			wake(client, channel, now_ms);
		else if (request->sent == (client->stream ? 1 : TRIES))
			give_up(client, channel, now_ms);
		else if (send(client, channel, now_ms, ret_packet, ret_len))
			return true;
	}
	return false;
}

int64_t wice__turn_client_deadline(const WiceTurnClient *client)
{
	const WiceDeadline *first = wice__deadlines_first(&client->deadlines);
	int64_t at = first ? first->ms : INT64_MAX;
	if (client->paced >= PACE_PACKETS)
		at = MAX(at, client->paced_since + PACE_MS);
	at = MIN(at, client->main_deadline.ms);
	return client->state == WICE_TURN_RELEASING ? MIN(at, client->released_by) : at;
}

bool wice__turn_client_event(WiceTurnClient *client, WiceTurnEvent *ret_event)
{
	WiceTurnEvent *event = g_queue_pop_head(&client->events);
	if (!event)
		return false;
	*ret_event = *event;
	g_free(event);
	return true;
}

WiceTurnInput wice__turn_client_input(WiceTurnClient *client, const uint8_t *packet, size_t len,
				      int64_t now_ms, uint16_t *ret_channel, WiceSpan *ret_data)
{
	uint16_t number;
	WiceSpan data;
	if (len < WICE_CHANNEL_DATA_HEADER_LEN || client->state >= WICE_TURN_RELEASED)
		return WICE_TURN_INPUT_NONE;
	if ((packet[0] & 0xc0) == 0)
		return wice__turn_client_input_stun(client, packet, len, now_ms);
	if (wice__channel_data_read(packet, len, &number, &data) != 0)
		return WICE_TURN_INPUT_NONE;
	const WiceTurnChannel *channel = wice__turn_client_channel(client, number);
	if (!channel || !channel->wanted)
		return WICE_TURN_INPUT_NONE;
	*ret_channel = number;
	*ret_data = data;
	return WICE_TURN_INPUT_DATA;
}

void wice__turn_client_set_credentials(WiceTurnClient *client, const char *username,
				       const char *password)
{
	wice__turn_client_wipe(&client->next_username);
	wice__turn_client_wipe(&client->next_password);
	if (!username || !password)
		return;
	client->next_username = g_strdup(username);
	client->next_password = g_strdup(password);
}

bool wice__turn_client_moved(WiceTurnClient *client, int64_t now_ms)
{
	if (client->state != WICE_TURN_ALLOCATED || !client->ticket_len)
		return false;
	wice__turn_client_begin_main(client, WICE_STUN_REFRESH, now_ms);
	client->main.moves = true;
	return true;
}

void wice__turn_client_check(WiceTurnClient *client, int64_t now_ms)
{
	if (client->state == WICE_TURN_ALLOCATED && !client->main.active)
		wice__turn_client_begin_main(client, WICE_STUN_REFRESH, now_ms);
}

void wice__turn_client_release(WiceTurnClient *client, int64_t now_ms)
{
	if (client->state > WICE_TURN_ALLOCATED)
		return;
	bool nothing = !client->has_nonce && client->state == WICE_TURN_STARTING;
	stop_all(client);
	client->state = WICE_TURN_RELEASING;
	client->released_by = now_ms + RELEASE_MS;
	if (nothing) {
		released(client);
		return;
	}
	wice__turn_client_begin_main(client, WICE_STUN_REFRESH, now_ms);
	client->main.release = true;
}

void wice__turn_client_closed(WiceTurnClient *client)
{
	wice__turn_client_fail(client, WICE_TURN_CLOSED, "The server has closed the connection.");
}

WiceTurnState wice__turn_client_state(const WiceTurnClient *client)
{
	return client->state;
}

WiceTurnFailure wice__turn_client_failure(const WiceTurnClient *client,
					  char ret_reason[WICE_TURN_REASON_SIZE])
{
	if (ret_reason)
		g_strlcpy(ret_reason, client->reason, WICE_TURN_REASON_SIZE);
	return client->failure;
}

bool wice__turn_client_relayed(const WiceTurnClient *client, WiceFamily family,
			       WiceEndpoint *ret_relayed)
{
	const WiceEndpoint *relayed = &client->relayed[family == WICE_FAMILY_IPV6];
	if (client->state != WICE_TURN_ALLOCATED || relayed->address.family != family)
		return false;
	*ret_relayed = *relayed;
	return true;
}

bool wice__turn_client_reflexive(const WiceTurnClient *client, WiceEndpoint *ret_reflexive)
{
	if (!client->reflexive.address.family)
		return false;
	*ret_reflexive = client->reflexive;
	return true;
}

bool wice__turn_client_alternate(const WiceTurnClient *client, WiceEndpoint *ret_server)
{
	if (client->failure != WICE_TURN_ALTERNATE)
		return false;
	*ret_server = client->alternate;
	return true;
}

const char *wice__turn_client_software(const WiceTurnClient *client)
{
	return client->software;
}

int64_t wice__turn_client_rtt_ms(const WiceTurnClient *client)
{
	return client->rtt_ms;
}
