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
 * A ChannelBind that overtakes its Allocate is answered with 437, and is sent again once there is
 * the allocation. An error that comes later and says so (437) means that the server has forgotten
 * everything: a Refresh asks whether it really has.
 *
 * The last two bytes of a transaction id tell which request it is of: the channel's number, or 0.
 * The other 10 are random.
 */
#include "turn/client.h"

#include <errno.h>
#include <string.h>

#include "stun/attributes.h"
#include "stun/channel_data.h"
#include "turn/client_private.h"

#define RTO_MS 500
#define TRIES 7      /* Rc */
#define LAST_WAIT 16 /* Rm */
#define STREAM_TIMEOUT_MS 39500
#define STALE_MAX 4 /* nonces in a row that were stale at once */
#define MISMATCHES_MAX 2
#define MISMATCH_WAIT_MS 500
#define RELEASE_MS 2000
#define BIND_EVERY_MS 240000
#define BIND_SPREAD_MS 20000
#define NUMBER_KEPT_MS (600000 + 300000) /* RFC 8656 section 12: lifetime, then 5 minutes */
#define LIFETIME_MIN_S 30
#define LIFETIME_MAX_S 3600
#define NUMBER_AT 14 /* in a transaction id */

static void add_event(WiceTurnClient *client, WiceTurnEventType type, uint16_t channel,
		      uint16_t code)
{
	WiceTurnEvent *event = g_new(WiceTurnEvent, 1);
	*event = (WiceTurnEvent){ .type = type, .channel = channel, .code = code };
	g_queue_push_tail(&client->events, event);
}

static void stop_all(WiceTurnClient *client)
{
	GHashTableIter iter;
	gpointer channel;
	client->main.active = false;
	wice__deadlines_set(&client->deadlines, &client->main_deadline, INT64_MAX);
	g_hash_table_iter_init(&iter, client->channels);
	while (g_hash_table_iter_next(&iter, NULL, &channel))
		wice__deadlines_set(&client->deadlines, channel, INT64_MAX);
}

static void fail(WiceTurnClient *client, WiceTurnFailure failure, const char *reason)
{
	if (client->state == WICE_TURN_FAILED || client->state == WICE_TURN_RELEASED)
		return;
	stop_all(client);
	g_strlcpy(client->reason, reason, sizeof client->reason);
	bool releasing = client->state == WICE_TURN_RELEASING;
	client->state = releasing ? WICE_TURN_RELEASED : WICE_TURN_FAILED;
	client->failure = failure;
	add_event(client, releasing ? WICE_TURN_EVENT_RELEASED : WICE_TURN_EVENT_FAILED, 0, 0);
}

static void begin(WiceTurnClient *client, WiceTurnRequest *request, unsigned method,
		  uint16_t number)
{
	request->active = true;
	request->method = method;
	request->authenticated = client->has_nonce;
	request->sent = 0;
	client->fill_random(request->transaction, sizeof request->transaction);
	wice__stun_put_u32(request->transaction, WICE_STUN_COOKIE);
	wice__stun_put_u16(request->transaction + NUMBER_AT, number);
}

static void begin_main(WiceTurnClient *client, unsigned method, int64_t now)
{
	begin(client, &client->main, method, 0);
	client->main.release = client->main.moves = false;
	wice__deadlines_set(&client->deadlines, &client->main_deadline, now);
}

static void begin_bind(WiceTurnClient *client, WiceTurnChannel *channel, int64_t now)
{
	begin(client, &channel->request, WICE_STUN_CHANNEL_BIND, channel->number);
	wice__deadlines_set(&client->deadlines, &channel->deadline, now);
}

/* Whether a ChannelBind makes sense: it is pipelined behind an Allocate that may succeed. */
static bool may_bind(const WiceTurnClient *client)
{
	return client->state == WICE_TURN_ALLOCATED ||
	       (client->state == WICE_TURN_STARTING && client->has_nonce);
}

static void bind_all(WiceTurnClient *client, int64_t now)
{
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, client->channels);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		WiceTurnChannel *channel = value;
		if (channel->wanted && !channel->bound && !channel->request.active)
			begin_bind(client, channel, now);
	}
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
	begin_main(client, WICE_STUN_ALLOCATE, now_ms);
	return client;
}

static void wipe(char *text)
{
	if (text)
		memset(text, 0, strlen(text));
	g_free(text);
}

void wice__turn_client_free(WiceTurnClient *client)
{
	if (!client)
		return;
	g_queue_clear_full(&client->events, g_free);
	wice__deadlines_done(&client->deadlines);
	g_hash_table_unref(client->channels);
	wipe(client->username);
	wipe(client->password);
	wice__stun_key_clear(&client->key);
	g_free(client);
}

/* The request has been sent the last time and nothing has come. */
static void give_up(WiceTurnClient *client, WiceTurnChannel *channel, int64_t now)
{
	if (!channel) {
		fail(client, WICE_TURN_TIMED_OUT, "The server does not answer.");
		return;
	}
	channel->request.active = false;
	channel->wanted = channel->bound = false;
	wice__deadlines_set(&client->deadlines, &channel->deadline, now + NUMBER_KEPT_MS);
	add_event(client, WICE_TURN_EVENT_NOT_BOUND, channel->number, 0);
}

/* The deadline of what is not under way: something is to begin, or to be forgotten. */
static void wake(WiceTurnClient *client, WiceTurnChannel *channel, int64_t now)
{
	if (!channel) {
		bool allocated = client->state == WICE_TURN_ALLOCATED;
		begin_main(client, allocated ? WICE_STUN_REFRESH : WICE_STUN_ALLOCATE, now);
	} else if (channel->wanted) {
		begin_bind(client, channel, now);
	} else {
		wice__deadlines_set(&client->deadlines, &channel->deadline, INT64_MAX);
		g_hash_table_remove(client->channels, GUINT_TO_POINTER(channel->number));
	}
}

static int64_t wait_after(const WiceTurnClient *client, unsigned sent)
{
	if (client->stream)
		return STREAM_TIMEOUT_MS;
	return sent == TRIES ? LAST_WAIT * client->rto_ms : client->rto_ms << (sent - 1);
}

bool wice__turn_client_output(WiceTurnClient *client, int64_t now_ms,
			      uint8_t ret_packet[WICE_TURN_MAX_PACKET], size_t *ret_len)
{
	if (client->state == WICE_TURN_RELEASING && now_ms >= client->released_by)
		fail(client, WICE_TURN_OK, "");
	for (;;) {
		WiceDeadline *first = wice__deadlines_first(&client->deadlines);
		if (!first || first->ms > now_ms)
			return false;
		WiceTurnChannel *channel =
			first == &client->main_deadline ? NULL : (WiceTurnChannel *)first;
		WiceTurnRequest *request = channel ? &channel->request : &client->main;
		if (!request->active) {
			wake(client, channel, now_ms);
			continue;
		}
		if (request->sent == (client->stream ? 1 : TRIES)) {
			give_up(client, channel, now_ms);
			continue;
		}
		size_t len = wice__turn_client_write(client, request, channel, ret_packet);
		if (!len) {
			fail(client, WICE_TURN_PROTOCOL,
			     "The server's nonce or realm is too long.");
			return false;
		}
		request->sent_at = now_ms;
		request->sent++;
		wice__deadlines_set(&client->deadlines, first,
				    now_ms + wait_after(client, request->sent));
		*ret_len = len;
		return true;
	}
}

int64_t wice__turn_client_deadline(const WiceTurnClient *client)
{
	const WiceDeadline *first = wice__deadlines_first(&client->deadlines);
	int64_t at = first ? first->ms : INT64_MAX;
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

static void finish_main(WiceTurnClient *client, uint32_t lifetime_s, int64_t now)
{
	int64_t lifetime = CLAMP(lifetime_s, LIFETIME_MIN_S, LIFETIME_MAX_S);
	client->main.active = false;
	client->main.stale = 0;
	/* With a minute, or a third of what there is, for a Refresh that gets lost. */
	int64_t margin = MIN(60, lifetime / 3);
	wice__deadlines_set(&client->deadlines, &client->main_deadline,
			    now + (lifetime - margin) * 1000);
}

static void take_reflexive(WiceTurnClient *client, const WiceStunMessage *message)
{
	WiceEndpoint seen;
	if (wice__stun_read_address(message, WICE_STUN_XOR_MAPPED_ADDRESS, &seen) != 0 ||
	    wice_endpoint_compare(&seen, &client->reflexive) == 0)
		return;
	client->reflexive = seen;
	add_event(client, WICE_TURN_EVENT_REFLEXIVE, 0, 0);
}

static void main_succeeded(WiceTurnClient *client, const WiceStunMessage *message, int64_t now)
{
	uint32_t lifetime;
	if (client->main.release && client->state == WICE_TURN_RELEASING) {
		fail(client, WICE_TURN_OK, "");
		return;
	}
	if (client->main.release) { /* what a former client had left behind */
		begin_main(client, WICE_STUN_ALLOCATE, now);
		return;
	}
	if (wice__turn_client_take_allocation(client, message, &lifetime) != 0) {
		fail(client, WICE_TURN_PROTOCOL, "The server gives no usable relayed address.");
		return;
	}
	take_reflexive(client, message);
	bool anew = client->state == WICE_TURN_STARTING;
	if (client->state != WICE_TURN_RELEASING)
		client->state = WICE_TURN_ALLOCATED;
	finish_main(client, lifetime, now);
	if (!anew)
		return;
	add_event(client, WICE_TURN_EVENT_ALLOCATED, 0, 0);
	bind_all(client, now);
}

static void bind_succeeded(WiceTurnClient *client, WiceTurnChannel *channel, int64_t now)
{
	uint16_t spread;
	bool anew = !channel->bound;
	client->fill_random(&spread, sizeof spread);
	channel->request.active = false;
	channel->request.stale = 0;
	channel->bound = channel->wanted;
	int64_t next = channel->wanted ? BIND_EVERY_MS - spread % BIND_SPREAD_MS : NUMBER_KEPT_MS;
	wice__deadlines_set(&client->deadlines, &channel->deadline, now + next);
	if (anew && channel->wanted)
		add_event(client, WICE_TURN_EVENT_BOUND, channel->number, 0);
}

/* The same once more, with what the server has just told. */
static void repeat(WiceTurnClient *client, WiceTurnChannel *channel, int64_t now)
{
	if (channel) {
		begin_bind(client, channel, now);
		return;
	}
	bool release = client->main.release, moves = client->main.moves;
	begin_main(client, client->main.method, now);
	client->main.release = release;
	client->main.moves = moves;
}

/* 401 and 438 (RFC 8489 section 9.2.5). */
static void challenged(WiceTurnClient *client, WiceTurnChannel *channel,
		       const WiceStunMessage *message, uint16_t code, int64_t now)
{
	WiceTurnRequest *request = channel ? &channel->request : &client->main;
	bool first = !client->has_nonce;
	if (!client->username || !client->password) {
		fail(client, WICE_TURN_NO_CREDENTIALS,
		     "The server wants a user name and a password.");
		return;
	}
	if (code == WICE_STUN_ERROR_UNAUTHENTICATED && request->authenticated) {
		fail(client, WICE_TURN_REFUSED,
		     "The server refuses the user name or the password.");
		return;
	}
	if (++request->stale > STALE_MAX ||
	    wice__turn_client_take_challenge(client, message) != 0) {
		fail(client, WICE_TURN_PROTOCOL,
		     "The server asks for credentials in a way that makes no sense.");
		return;
	}
	repeat(client, channel, now);
	if (first)
		bind_all(client, now);
}

/* One family less, or another one; false if there is none left. */
static bool ask_less(WiceTurnClient *client)
{
	if (client->ask == WICE_TURN_ASK_BOTH)
		client->ask = WICE_TURN_ASK_IPV4;
	else if (client->ask == WICE_TURN_ASK_IPV4 && client->want_ipv6)
		client->ask = WICE_TURN_ASK_IPV6;
	else
		return false;
	return true;
}

/* There is an allocation already for our port: of a former client, or our answer was lost. */
static bool clear_mismatch(WiceTurnClient *client, int64_t now)
{
	if (++client->mismatches > MISMATCHES_MAX)
		return false;
	begin_main(client, WICE_STUN_REFRESH, now + MISMATCH_WAIT_MS * (client->mismatches - 1));
	client->main.release = true;
	return true;
}

static void fail_by_code(WiceTurnClient *client, const WiceStunMessage *message, uint16_t code)
{
	static const struct {
		uint16_t code;
		WiceTurnFailure failure;
		const char *reason;
	} known[] = {
		{ WICE_STUN_ERROR_FORBIDDEN, WICE_TURN_FORBIDDEN,
		  "The server forbids this user or host to use it." },
		{ WICE_STUN_ERROR_WRONG_CREDENTIALS, WICE_TURN_REFUSED,
		  "The server refuses the user name or the password." },
		{ WICE_STUN_ERROR_FAMILY_NOT_SUPPORTED, WICE_TURN_FAMILY,
		  "The server has no relayed addresses of the family that is asked for." },
		{ WICE_STUN_ERROR_UNSUPPORTED_TRANSPORT, WICE_TURN_PROTOCOL,
		  "The server does not relay UDP." },
		{ WICE_STUN_ERROR_ALLOCATION_MISMATCH, WICE_TURN_MISMATCH,
		  "The server does not know our allocation, or knows another one." },
		{ WICE_STUN_ERROR_QUOTA_REACHED, WICE_TURN_QUOTA,
		  "This user has as many allocations as the server allows." },
		{ WICE_STUN_ERROR_INSUFFICIENT_CAPACITY, WICE_TURN_CAPACITY,
		  "The server has no room for more allocations." },
		{ WICE_STUN_ERROR_SERVER_ERROR, WICE_TURN_CAPACITY,
		  "The server has a trouble of its own." },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
		if (known[i].code == code) {
			fail(client, known[i].failure, known[i].reason);
			return;
		}
	}
	g_autofree char *reason = g_strdup_printf(
		"The server answers with error %u (%s).", code,
		wice__stun_error_phrase(code)[0] ? wice__stun_error_phrase(code) : "not known");
	fail(client, WICE_TURN_PROTOCOL, reason);
}

static void main_refused(WiceTurnClient *client, const WiceStunMessage *message, uint16_t code,
			 int64_t now)
{
	bool allocates = client->main.method == WICE_STUN_ALLOCATE;
	if (client->main.release) { /* there was nothing to release */
		main_succeeded(client, message, now);
		return;
	}
	if (code == WICE_STUN_ERROR_TRY_ALTERNATE && allocates) {
		if (wice__stun_read_address(message, WICE_STUN_ALTERNATE_SERVER,
					    &client->alternate) == 0)
			fail(client, WICE_TURN_ALTERNATE, "The server sends us to another one.");
		else
			fail(client, WICE_TURN_PROTOCOL,
			     "The server sends us to another one and does not say which.");
		return;
	}
	bool family =
		code == WICE_STUN_ERROR_FAMILY_NOT_SUPPORTED ||
		(client->ask == WICE_TURN_ASK_BOTH && (code == WICE_STUN_ERROR_BAD_REQUEST ||
						       code == WICE_STUN_ERROR_UNKNOWN_ATTRIBUTE));
	if (allocates && client->mobility && code == WICE_STUN_ERROR_MOBILITY_FORBIDDEN) {
		client->mobility = false;
		repeat(client, NULL, now);
	} else if (allocates && family && ask_less(client)) {
		repeat(client, NULL, now);
	} else if (!(allocates && code == WICE_STUN_ERROR_ALLOCATION_MISMATCH &&
		     clear_mismatch(client, now))) {
		fail_by_code(client, message, code);
	}
}

static void bind_refused(WiceTurnClient *client, WiceTurnChannel *channel, uint16_t code,
			 int64_t now)
{
	channel->request.active = false;
	if (code == WICE_STUN_ERROR_ALLOCATION_MISMATCH) {
		/* Not yet, or not any more. */
		channel->bound = false;
		wice__deadlines_set(&client->deadlines, &channel->deadline, INT64_MAX);
		if (client->state == WICE_TURN_ALLOCATED && !client->main.active)
			begin_main(client, WICE_STUN_REFRESH, now);
		return;
	}
	channel->wanted = channel->bound = false;
	wice__deadlines_set(&client->deadlines, &channel->deadline, now + NUMBER_KEPT_MS);
	add_event(client, WICE_TURN_EVENT_NOT_BOUND, channel->number, code);
}

static void take_answer(WiceTurnClient *client, WiceTurnChannel *channel,
			const WiceStunMessage *message, int64_t now)
{
	WiceTurnRequest *request = channel ? &channel->request : &client->main;
	uint16_t code = 0;
	if (request->sent == 1)
		client->rtt_ms = now - request->sent_at;
	wice__turn_client_take_software(client, message);
	if (message->message_class == WICE_STUN_SUCCESS) {
		if (channel)
			bind_succeeded(client, channel, now);
		else
			main_succeeded(client, message, now);
		return;
	}
	(void)wice__stun_read_error(message, &code, NULL);
	if (code == WICE_STUN_ERROR_UNAUTHENTICATED || code == WICE_STUN_ERROR_STALE_NONCE)
		challenged(client, channel, message, code, now);
	else if (channel)
		bind_refused(client, channel, code, now);
	else
		main_refused(client, message, code, now);
}

static WiceTurnChannel *find_channel(const WiceTurnClient *client, uint16_t number)
{
	return g_hash_table_lookup(client->channels, GUINT_TO_POINTER(number));
}

static WiceTurnInput input_stun(WiceTurnClient *client, const uint8_t *packet, size_t len,
				int64_t now)
{
	WiceStunMessage message;
	if (wice__stun_message_read(&message, packet, len) != 0 || !message.has_cookie ||
	    (message.message_class != WICE_STUN_SUCCESS &&
	     message.message_class != WICE_STUN_ERROR))
		return WICE_TURN_INPUT_NONE;
	const uint8_t *transaction = wice__stun_message_transaction(&message);
	uint16_t number = wice__stun_get_u16(transaction + NUMBER_AT);
	WiceTurnChannel *channel = number ? find_channel(client, number) : NULL;
	WiceTurnRequest *request = channel ? &channel->request : &client->main;
	if (!request->active || !request->sent || message.method != request->method ||
	    memcmp(transaction, request->transaction, sizeof request->transaction) != 0 ||
	    message.n_unknown || wice__turn_client_verify(client, request, &message) != 0)
		return WICE_TURN_INPUT_NONE;
	take_answer(client, channel, &message, now);
	return WICE_TURN_INPUT_STUN;
}

WiceTurnInput wice__turn_client_input(WiceTurnClient *client, const uint8_t *packet, size_t len,
				      int64_t now_ms, uint16_t *ret_channel, WiceSpan *ret_data)
{
	uint16_t number;
	WiceSpan data;
	if (len < WICE_CHANNEL_DATA_HEADER_LEN)
		return WICE_TURN_INPUT_NONE;
	if ((packet[0] & 0xc0) == 0)
		return input_stun(client, packet, len, now_ms);
	if (wice__channel_data_read(packet, len, &number, &data) != 0)
		return WICE_TURN_INPUT_NONE;
	const WiceTurnChannel *channel = find_channel(client, number);
	if (!channel || !channel->wanted)
		return WICE_TURN_INPUT_NONE;
	*ret_channel = number;
	*ret_data = data;
	return WICE_TURN_INPUT_DATA;
}

static WiceTurnChannel *find_peer(const WiceTurnClient *client, const WiceEndpoint *peer)
{
	GHashTableIter iter;
	gpointer channel;
	g_hash_table_iter_init(&iter, client->channels);
	while (g_hash_table_iter_next(&iter, NULL, &channel))
		if (wice_endpoint_compare(&((WiceTurnChannel *)channel)->peer, peer) == 0)
			return channel;
	return NULL;
}

static uint16_t take_number(WiceTurnClient *client)
{
	for (unsigned i = 0; i < WICE_TURN_MAX_CHANNELS; i++) {
		uint16_t number = client->next_number++;
		if (client->next_number >= WICE_CHANNEL_MIN + WICE_TURN_MAX_CHANNELS)
			client->next_number = WICE_CHANNEL_MIN;
		if (!find_channel(client, number))
			return number;
	}
	return 0;
}

int wice__turn_client_bind(WiceTurnClient *client, const WiceEndpoint *peer, int64_t now_ms,
			   uint16_t *ret_channel)
{
	WiceEndpoint relayed;
	if (!peer->port || !peer->address.family || client->state > WICE_TURN_ALLOCATED)
		return -EINVAL;
	if (client->state == WICE_TURN_ALLOCATED &&
	    !wice__turn_client_relayed(client, peer->address.family, &relayed))
		return -EAFNOSUPPORT;
	WiceTurnChannel *channel = find_peer(client, peer);
	if (!channel) {
		uint16_t number = take_number(client);
		if (!number)
			return -ENOSPC;
		channel = g_new0(WiceTurnChannel, 1);
		wice__deadline_init(&channel->deadline);
		channel->number = number;
		channel->peer = *peer;
		g_hash_table_insert(client->channels, GUINT_TO_POINTER(number), channel);
	}
	bool anew = !channel->wanted;
	channel->wanted = true;
	if (anew && may_bind(client))
		begin_bind(client, channel, now_ms);
	*ret_channel = channel->number;
	return 0;
}

void wice__turn_client_unbind(WiceTurnClient *client, uint16_t channel, int64_t now_ms)
{
	WiceTurnChannel *found = find_channel(client, channel);
	if (!found || !found->wanted)
		return;
	found->wanted = found->bound = false;
	found->request.active = false;
	wice__deadlines_set(&client->deadlines, &found->deadline, now_ms + NUMBER_KEPT_MS);
}

bool wice__turn_client_is_bound(const WiceTurnClient *client, uint16_t channel)
{
	const WiceTurnChannel *found = find_channel(client, channel);
	return found && found->bound;
}

void wice__turn_client_set_credentials(WiceTurnClient *client, const char *username,
				       const char *password)
{
	wipe(client->username);
	wipe(client->password);
	client->username = g_strdup(username);
	client->password = g_strdup(password);
	/* The next request asks for a challenge, and makes the key of it. */
	client->has_nonce = false;
}

bool wice__turn_client_moved(WiceTurnClient *client, int64_t now_ms)
{
	if (client->state != WICE_TURN_ALLOCATED || !client->ticket_len)
		return false;
	begin_main(client, WICE_STUN_REFRESH, now_ms);
	client->main.moves = true;
	return true;
}

void wice__turn_client_check(WiceTurnClient *client, int64_t now_ms)
{
	if (client->state == WICE_TURN_ALLOCATED && !client->main.active)
		begin_main(client, WICE_STUN_REFRESH, now_ms);
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
		fail(client, WICE_TURN_OK, "");
		return;
	}
	begin_main(client, WICE_STUN_REFRESH, now_ms);
	client->main.release = true;
}

void wice__turn_client_closed(WiceTurnClient *client)
{
	fail(client, WICE_TURN_CLOSED, "The server has closed the connection.");
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
