/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* What the answers to a client's requests lead to. */
#include <errno.h>
#include <string.h>

#include "stun/attributes.h"
#include "turn/client_private.h"

#define STALE_MAX 4 /* nonces in a row that were stale at once */
#define MISMATCHES_MAX 2
#define MISMATCH_WAIT_MS 500
#define LIFETIME_MIN_S 30
#define LIFETIME_MAX_S 3600

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
	wice__turn_client_add_event(client, WICE_TURN_EVENT_REFLEXIVE, 0, 0);
}

/* What a former client had left behind for our port is gone, and its channels with it. */
static void allocate_anew(WiceTurnClient *client, int64_t now)
{
	wice__turn_client_begin_main(client, WICE_STUN_ALLOCATE, now);
	if (client->has_nonce)
		wice__turn_client_bind_anew(client, now);
}

static void main_succeeded(WiceTurnClient *client, const WiceStunMessage *message, int64_t now)
{
	uint32_t lifetime;
	if (wice__turn_client_take_allocation(client, message, &lifetime) != 0) {
		wice__turn_client_fail(client, WICE_TURN_PROTOCOL,
				       "The server gives no usable relayed address.");
		return;
	}
	take_reflexive(client, message);
	finish_main(client, lifetime, now);
	if (client->state == WICE_TURN_STARTING) {
		client->state = WICE_TURN_ALLOCATED;
		wice__turn_client_add_event(client, WICE_TURN_EVENT_ALLOCATED, 0, 0);
	}
	wice__turn_client_bind_all(client, now);
}

/* Whether it was there or not. */
static void release_finished(WiceTurnClient *client, int64_t now)
{
	if (client->state == WICE_TURN_RELEASING)
		wice__turn_client_fail(client, WICE_TURN_OK, "");
	else
		allocate_anew(client, now);
}

static void repeat(WiceTurnClient *client, WiceTurnChannel *channel, int64_t now)
{
	wice__turn_client_begin(client, channel, wice__turn_client_request(client, channel)->method,
				now);
}

/* All that is under way once more, with other credentials. */
static void repeat_all(WiceTurnClient *client, int64_t now)
{
	GHashTableIter iter;
	gpointer value;
	if (client->main.active)
		repeat(client, NULL, now);
	g_hash_table_iter_init(&iter, client->channels);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		if (((WiceTurnChannel *)value)->request.active)
			repeat(client, value, now);
}

static bool adopt_credentials(WiceTurnClient *client)
{
	if (!client->next_username)
		return false;
	wice__turn_client_wipe(&client->username);
	wice__turn_client_wipe(&client->password);
	client->username = g_steal_pointer(&client->next_username);
	client->password = g_steal_pointer(&client->next_password);
	return true;
}

/* The last chance: false, and the client has failed, if there is nothing new to try. */
static bool take_challenge(WiceTurnClient *client, WiceTurnRequest *request,
			   const WiceStunMessage *message)
{
	int err = ++request->stale > STALE_MAX ? -EBADMSG
					       : wice__turn_client_take_challenge(client, message);
	if (err == -EINVAL)
		wice__turn_client_fail(
			client, WICE_TURN_REFUSED,
			"The user name or the password is empty or has control characters.");
	else if (err)
		wice__turn_client_fail(
			client, WICE_TURN_PROTOCOL,
			"The server asks for credentials in a way that makes no sense.");
	return err == 0;
}

/* 401 and 438 (RFC 8489 section 9.2.5). */
static void challenged(WiceTurnClient *client, WiceTurnChannel *channel,
		       const WiceStunMessage *message, uint16_t code, int64_t now)
{
	WiceTurnRequest *request = wice__turn_client_request(client, channel);
	bool first = !client->has_nonce;
	bool refused = code == WICE_STUN_ERROR_UNAUTHENTICATED && request->authenticated;
	bool others = (first || refused) && adopt_credentials(client);
	if (!client->username || !client->password) {
		wice__turn_client_fail(client, WICE_TURN_NO_CREDENTIALS,
				       "The server wants a user name and a password.");
		return;
	}
	if (refused && !others) {
		wice__turn_client_fail(client, WICE_TURN_REFUSED,
				       "The server refuses the user name or the password.");
		return;
	}
	if (!take_challenge(client, request, message))
		return;
	if (others)
		repeat_all(client, now);
	else
		repeat(client, channel, now);
	if (first && client->state == WICE_TURN_STARTING)
		wice__turn_client_bind_all(client, now);
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
	wice__turn_client_begin_main(client, WICE_STUN_REFRESH,
				     now + MISMATCH_WAIT_MS * (client->mismatches - 1));
	client->main.release = true;
	return true;
}

static void fail_by_code(WiceTurnClient *client, uint16_t code)
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
			wice__turn_client_fail(client, known[i].failure, known[i].reason);
			return;
		}
	}
	const char *phrase = wice__stun_error_phrase(code);
	g_autofree char *reason = g_strdup_printf("The server answers with error %u (%s).", code,
						  phrase[0] ? phrase : "not known");
	wice__turn_client_fail(client, WICE_TURN_PROTOCOL, reason);
}

static void follow_alternate(WiceTurnClient *client, const WiceStunMessage *message)
{
	if (wice__stun_read_address(message, WICE_STUN_ALTERNATE_SERVER, &client->alternate) == 0)
		wice__turn_client_fail(client, WICE_TURN_ALTERNATE,
				       "The server sends us to another one.");
	else
		wice__turn_client_fail(
			client, WICE_TURN_PROTOCOL,
			"The server sends us to another one and does not say which.");
}

/* Whether the server may give an allocation if less is asked for: it is asked again. */
static bool is_content_with_less(WiceTurnClient *client, uint16_t code, int64_t now)
{
	bool both = client->ask == WICE_TURN_ASK_BOTH;
	switch (code) {
	case WICE_STUN_ERROR_MOBILITY_FORBIDDEN:
		if (!client->mobility)
			return false;
		client->mobility = false;
		break;
	case WICE_STUN_ERROR_BAD_REQUEST:
	case WICE_STUN_ERROR_UNKNOWN_ATTRIBUTE:
		if (!both || !ask_less(client))
			return false;
		break;
	case WICE_STUN_ERROR_FAMILY_NOT_SUPPORTED:
		if (!ask_less(client))
			return false;
		break;
	default:
		return false;
	}
	repeat(client, NULL, now);
	return true;
}

static void allocate_refused(WiceTurnClient *client, const WiceStunMessage *message, uint16_t code,
			     int64_t now)
{
	if (code == WICE_STUN_ERROR_TRY_ALTERNATE)
		follow_alternate(client, message);
	else if (is_content_with_less(client, code, now))
		return;
	else if (code != WICE_STUN_ERROR_ALLOCATION_MISMATCH || !clear_mismatch(client, now))
		fail_by_code(client, code);
}

/*
 * An answer may say what we do not know and must (RFC 8489 section 6.3.3 and 6.3.4): the request
 * has failed then.
 */
static void not_understood(WiceTurnClient *client, WiceTurnChannel *channel,
			   const WiceStunMessage *message, int64_t now)
{
	if (channel) {
		wice__turn_client_bind_refused(client, channel, WICE_STUN_ERROR_UNKNOWN_ATTRIBUTE,
					       now);
		return;
	}
	g_autofree char *reason = g_strdup_printf(
		"The server's answer has an attribute (0x%04x) that must be understood and is not.",
		message->unknown[0]);
	wice__turn_client_fail(client, WICE_TURN_PROTOCOL, reason);
}

static void take_success(WiceTurnClient *client, WiceTurnChannel *channel,
			 const WiceStunMessage *message, int64_t now)
{
	if (channel)
		wice__turn_client_bind_succeeded(client, channel, now);
	else if (client->main.release)
		release_finished(client, now);
	else
		main_succeeded(client, message, now);
}

static void take_error(WiceTurnClient *client, WiceTurnChannel *channel,
		       const WiceStunMessage *message, int64_t now)
{
	uint16_t code = WICE_STUN_ERROR_SERVER_ERROR;
	(void)wice__stun_read_error(message, &code, NULL);
	if (code == WICE_STUN_ERROR_UNAUTHENTICATED || code == WICE_STUN_ERROR_STALE_NONCE)
		challenged(client, channel, message, code, now);
	else if (channel)
		wice__turn_client_bind_refused(client, channel, code, now);
	else if (client->main.release)
		release_finished(client, now);
	else if (client->main.method == WICE_STUN_ALLOCATE)
		allocate_refused(client, message, code, now);
	else
		fail_by_code(client, code);
}

static void take_answer(WiceTurnClient *client, WiceTurnChannel *channel,
			const WiceStunMessage *message, int64_t now)
{
	const WiceTurnRequest *request = wice__turn_client_request(client, channel);
	if (request->sent == 1)
		client->rtt_ms = now - request->sent_at;
	wice__turn_client_take_software(client, message);
	if (message->n_unknown)
		not_understood(client, channel, message, now);
	else if (message->message_class == WICE_STUN_SUCCESS)
		take_success(client, channel, message, now);
	else
		take_error(client, channel, message, now);
}

WiceTurnInput wice__turn_client_input_stun(WiceTurnClient *client, const uint8_t *packet,
					   size_t len, int64_t now)
{
	WiceStunMessage message;
	if (wice__stun_message_read(&message, packet, len) != 0 || !message.has_cookie ||
	    (message.message_class != WICE_STUN_SUCCESS &&
	     message.message_class != WICE_STUN_ERROR))
		return WICE_TURN_INPUT_NONE;
	const uint8_t *transaction = wice__stun_message_transaction(&message);
	uint16_t number = wice__stun_get_u16(transaction + WICE_TURN_NUMBER_AT);
	WiceTurnChannel *channel = number ? wice__turn_client_channel(client, number) : NULL;
	WiceTurnRequest *request = wice__turn_client_request(client, channel);
	if (!request->active || !request->sent || message.method != request->method ||
	    memcmp(transaction, request->transaction, sizeof request->transaction) != 0)
		return WICE_TURN_INPUT_NONE;
	if (wice__turn_client_verify(client, request, &message) != 0) {
		request->forged = true;
		return WICE_TURN_INPUT_NONE;
	}
	take_answer(client, channel, &message, now);
	return WICE_TURN_INPUT_STUN;
}
