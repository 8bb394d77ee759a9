/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peers behind relays: channels without a socket of their own. What is sent to them goes over their
 * carrier's (bind_udp_send.c), what comes in there is sorted by the relay's channels
 * (bind_udp_sort.c). A carrier's table has, for each of the relay's channels, the newest one; those
 * from before it are chained behind it.
 */
#include <errno.h>
#include <string.h>

#include "engine/bind_udp.h"
#include "stun/channel_data.h"

WiceBindUdpChannel *wice__bind_udp_relayed_get(WiceBindUdp *bind, const WiceBindUdpChannel *carrier,
					       uint16_t relay_channel)
{
	WiceBindUdpChannel *channel = NULL;
	g_mutex_lock(&bind->lock);
	if (carrier->relayed)
		channel = g_hash_table_lookup(carrier->relayed, GUINT_TO_POINTER(relay_channel));
	if (channel)
		g_atomic_ref_count_inc(&channel->refs);
	g_mutex_unlock(&bind->lock);
	return channel;
}

/* Under the lock. */
static void join(WiceBindUdpChannel *channel)
{
	gpointer key = GUINT_TO_POINTER(channel->relay_channel);
	WiceBindUdpChannel *carrier = channel->carrier;
	if (!carrier->relayed)
		carrier->relayed = g_hash_table_new(NULL, NULL);
	channel->former = g_hash_table_lookup(carrier->relayed, key);
	g_hash_table_insert(carrier->relayed, key, channel);
}

void wice__bind_udp_relayed_leave(const WiceBindUdpChannel *channel)
{
	gpointer key = GUINT_TO_POINTER(channel->relay_channel);
	GHashTable *table = channel->carrier->relayed;
	WiceBindUdpChannel *newest = g_hash_table_lookup(table, key);
	if (newest == channel && channel->former) {
		g_hash_table_insert(table, key, channel->former);
	} else if (newest == channel) {
		g_hash_table_remove(table, key);
	} else {
		while (newest->former != channel)
			newest = newest->former;
		newest->former = channel->former;
	}
}

/* Takes the reference on the carrier over. */
static WiceBindUdpChannel *relayed_new(const WiceBindRelayed *options, WiceBindUdpChannel *carrier)
{
	WiceBindUdpChannel *channel = g_new0(WiceBindUdpChannel, 1);
	g_atomic_ref_count_init(&channel->refs);
	channel->carrier = carrier;
	channel->server = options->server;
	channel->remote = options->remote;
	channel->relay_channel = options->number;
	channel->in_place = options->in_place;
	return channel;
}

/* Under the lock. */
static int enter(WiceBindUdp *bind, WiceBindUdpChannel *channel)
{
	gpointer number = GUINT_TO_POINTER(channel->carrier->number);
	/* It may have been removed since it was found. */
	if (g_hash_table_lookup(bind->channels, number) != channel->carrier)
		return -ENOENT;
	int r = wice__bind_udp_channel_enter(bind, channel);
	if (r == 0)
		join(channel);
	return r;
}

static int add(WiceBindUdp *bind, const WiceBindRelayed *options, WiceBindUdpChannel *carrier,
	       uint32_t *ret_channel)
{
	WiceBindUdpChannel *channel = relayed_new(options, carrier);
	g_mutex_lock(&bind->lock);
	int r = enter(bind, channel);
	uint32_t number = channel->number;
	g_mutex_unlock(&bind->lock);
	if (r < 0)
		wice__bind_udp_channel_unref(channel);
	else
		*ret_channel = number;
	return r;
}

int wice_bind_udp_add_relayed(WiceBind *base, const WiceBindRelayed *relayed, uint32_t *ret_channel)
{
	WiceBindUdp *bind = wice__bind_udp(base);
	WiceBindRelayed options = { 0 };
	if (!bind)
		return -EOPNOTSUPP;
	memcpy(&options, relayed, MIN(relayed->size, sizeof options));
	if (options.number < WICE_CHANNEL_MIN || options.number > WICE_CHANNEL_MAX)
		return -EINVAL;
	WiceBindUdpChannel *carrier = wice__bind_udp_channel_get(bind, options.carrier);
	if (carrier && !carrier->carrier)
		return add(bind, &options, carrier, ret_channel);
	if (carrier)
		wice__bind_udp_channel_unref(carrier);
	return -ENOENT;
}
