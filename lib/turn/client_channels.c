/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The channels of a client. Each number is in the table from when it is first given to a peer until
 * the server has forgotten it, so that it never means two peers.
 */
#include <errno.h>

#include "stun/attributes.h"
#include "stun/channel_data.h"
#include "turn/client_private.h"

#define BIND_EVERY_MS 240000
#define BIND_SPREAD_MS 20000
/* RFC 8656 section 12: lifetime, then 5 minutes; and as long as a last request may be under way. */
#define NUMBER_KEPT_MS (600000 + 300000 + 10000)

WiceTurnChannel *wice__turn_client_channel(const WiceTurnClient *client, uint16_t number)
{
	return g_hash_table_lookup(client->channels, GUINT_TO_POINTER(number));
}

static void begin_bind(WiceTurnClient *client, WiceTurnChannel *channel, int64_t now)
{
	wice__turn_client_begin(client, channel, WICE_STUN_CHANNEL_BIND, now);
}

/* It is not kept up any longer. */
static void retire(WiceTurnClient *client, WiceTurnChannel *channel, int64_t now)
{
	channel->wanted = channel->bound = channel->doubted = false;
	channel->request.active = false;
	channel->request.stale = 0;
	wice__deadlines_set(&client->deadlines, &channel->deadline, now + NUMBER_KEPT_MS);
}

void wice__turn_client_bind_all(WiceTurnClient *client, int64_t now)
{
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, client->channels);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		WiceTurnChannel *channel = value;
		if (channel->wanted && !channel->request.active &&
		    (!channel->bound || channel->doubted))
			begin_bind(client, channel, now);
	}
}

void wice__turn_client_bind_anew(WiceTurnClient *client, int64_t now)
{
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, client->channels);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		WiceTurnChannel *channel = value;
		channel->bound = channel->doubted = false;
		if (channel->wanted)
			begin_bind(client, channel, now);
	}
}

void wice__turn_client_stop_channels(WiceTurnClient *client)
{
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, client->channels);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		WiceTurnChannel *channel = value;
		channel->request.active = false;
		wice__deadlines_set(&client->deadlines, &channel->deadline, INT64_MAX);
	}
}

void wice__turn_client_wake_channel(WiceTurnClient *client, WiceTurnChannel *channel, int64_t now)
{
	if (channel->wanted) {
		begin_bind(client, channel, now);
		return;
	}
	wice__deadlines_set(&client->deadlines, &channel->deadline, INT64_MAX);
	g_hash_table_remove(client->channels, GUINT_TO_POINTER(channel->number));
}

void wice__turn_client_bind_succeeded(WiceTurnClient *client, WiceTurnChannel *channel, int64_t now)
{
	uint16_t spread;
	client->fill_random(&spread, sizeof spread);
	channel->request.active = channel->doubted = false;
	channel->request.stale = 0;
	wice__deadlines_set(&client->deadlines, &channel->deadline,
			    now + BIND_EVERY_MS - spread % BIND_SPREAD_MS);
	if (!channel->bound)
		wice__turn_client_add_event(client, WICE_TURN_EVENT_BOUND, channel->number, 0);
	channel->bound = true;
}

/* It waits for the answer to the allocation's request; bind_all goes on then. */
static void doubt(WiceTurnClient *client, WiceTurnChannel *channel, int64_t now)
{
	channel->request.active = false;
	wice__deadlines_set(&client->deadlines, &channel->deadline, INT64_MAX);
	if (client->state != WICE_TURN_ALLOCATED)
		return;
	channel->doubted = true;
	if (!client->main.active)
		wice__turn_client_begin_main(client, WICE_STUN_REFRESH, now);
}

/* coturn 4.6 knows no better answer than 400 to who has no allocation. */
static bool is_doubtful(uint16_t code)
{
	return code == 0 || code == WICE_STUN_ERROR_ALLOCATION_MISMATCH ||
	       code == WICE_STUN_ERROR_BAD_REQUEST;
}

void wice__turn_client_bind_refused(WiceTurnClient *client, WiceTurnChannel *channel, uint16_t code,
				    int64_t now)
{
	bool doubtful = is_doubtful(code);
	if (client->state != WICE_TURN_ALLOCATED || (doubtful && !channel->doubted)) {
		doubt(client, channel, now);
		return;
	}
	retire(client, channel, now);
	wice__turn_client_add_event(client, WICE_TURN_EVENT_NOT_BOUND, channel->number, code);
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
		if (!wice__turn_client_channel(client, number))
			return number;
	}
	return 0;
}

static WiceTurnChannel *add_channel(WiceTurnClient *client, const WiceEndpoint *peer)
{
	uint16_t number = take_number(client);
	if (!number)
		return NULL;
	WiceTurnChannel *channel = g_new0(WiceTurnChannel, 1);
	wice__deadline_init(&channel->deadline);
	channel->number = number;
	channel->peer = *peer;
	g_hash_table_insert(client->channels, GUINT_TO_POINTER(number), channel);
	return channel;
}

/* Whether a ChannelBind makes sense: it is pipelined behind an Allocate that may succeed. */
static bool may_bind(const WiceTurnClient *client)
{
	return client->state == WICE_TURN_ALLOCATED ||
	       (client->state == WICE_TURN_STARTING && client->has_nonce);
}

static void want(WiceTurnClient *client, WiceTurnChannel *channel, int64_t now)
{
	channel->wanted = true;
	wice__deadlines_set(&client->deadlines, &channel->deadline, INT64_MAX);
	if (may_bind(client))
		begin_bind(client, channel, now);
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
	if (!channel)
		channel = add_channel(client, peer);
	if (!channel)
		return -ENOSPC;
	if (!channel->wanted)
		want(client, channel, now_ms);
	*ret_channel = channel->number;
	return 0;
}

void wice__turn_client_unbind(WiceTurnClient *client, uint16_t channel, int64_t now_ms)
{
	WiceTurnChannel *found = wice__turn_client_channel(client, channel);
	if (found && found->wanted)
		retire(client, found, now_ms);
}

bool wice__turn_client_is_bound(const WiceTurnClient *client, uint16_t channel)
{
	const WiceTurnChannel *found = wice__turn_client_channel(client, channel);
	return found && found->bound;
}
