/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What came in a channel. The system joins packets of one sender whatever they are, so that one
 * message may have WireGuard's packets, those of several peers behind a relay, and foreign ones.
 * Each is looked at by itself; neighbours of one path become one datagram again, of packets of
 * equal size but for the last. These move together where something was between them: the header of
 * ChannelData, or a packet of another path. In place, nothing moves.
 */
#include <string.h>

#include "engine/bind_udp.h"
#include "engine/message.h"
#include "stun/channel_data.h"
#include "stun/relayed.h"

typedef struct {
	WiceBindUdp *bind;
	WiceBindUdpChannel *channel;
	const WiceEndpoint *source;
	WiceBindUdpChannel *relayed; /* the one that was found last, a reference */
} Sorter;

typedef enum { FOREIGN, DROPPED, TAKEN } Verdict;

/* The relayed channel that a message is for, or NULL. */
static const WiceBindUdpChannel *find_relayed(Sorter *sorter, const uint8_t *packet, size_t len,
					      WiceSpan *ret_data)
{
	uint16_t number;
	if (wice__channel_data_read(packet, len, &number, ret_data) < 0)
		return NULL;
	if (!sorter->relayed || sorter->relayed->relay_channel != number) {
		if (sorter->relayed)
			wice__bind_udp_channel_unref(sorter->relayed);
		sorter->relayed = wice__bind_udp_relayed_get(sorter->bind, sorter->channel, number);
	}
	if (!sorter->relayed ||
	    wice_endpoint_compare(&sorter->relayed->server, sorter->source) != 0)
		return NULL;
	return sorter->relayed;
}

/* Makes a datagram of one packet, if it is WireGuard's. */
static Verdict look_at(Sorter *sorter, uint8_t *packet, size_t len, WiceBindDatagram *ret_datagram)
{
	WiceSpan data;
	if (wice__message_type(packet, len) != WICE_MESSAGE_INVALID) {
		*ret_datagram = (WiceBindDatagram){
			.data = packet,
			.length = (uint32_t)len,
			.path = { .remote = *sorter->source, .channel = sorter->channel->number },
		};
		return TAKEN;
	}
	const WiceBindUdpChannel *relayed = find_relayed(sorter, packet, len, &data);
	if (!relayed)
		return FOREIGN;
	packet = wice__relayed_restore((uint8_t *)data.data, data.len, relayed->in_place, &len);
	if (!packet)
		return DROPPED;
	*ret_datagram = (WiceBindDatagram){
		.data = packet,
		.length = (uint32_t)len,
		.path = { .remote = relayed->remote, .channel = relayed->number },
	};
	return TAKEN;
}

static void tell_foreign(Sorter *sorter, const uint8_t *data, size_t len)
{
	WiceBindUdp *bind = sorter->bind;
	g_mutex_lock(&bind->foreign_lock);
	if (bind->foreign)
		bind->foreign(sorter->channel->number, sorter->source, data, len,
			      bind->foreign_data);
	g_mutex_unlock(&bind->foreign_lock);
}

static bool append(WiceBindDatagram *last, const WiceBindDatagram *packet)
{
	uint32_t segment = last->segment ? last->segment : last->length;
	if (last->path.channel != packet->path.channel || last->length % segment != 0 ||
	    packet->length > segment)
		return false;
	if (packet->data != last->data + last->length)
		memmove(last->data + last->length, packet->data, packet->length);
	last->length += packet->length;
	last->segment = segment;
	return true;
}

size_t wice__bind_udp_sort(WiceBindUdp *bind, WiceBindUdpChannel *channel,
			   const WiceBindDatagram *message, size_t *at, WiceBindDatagram *datagrams,
			   size_t n)
{
	Sorter sorter = { .bind = bind, .channel = channel, .source = &message->path.remote };
	size_t segment = message->segment ? message->segment : message->length, count = 0;
	for (; *at < message->length; *at += segment) {
		uint8_t *packet = message->data + *at, head[WICE_RELAYED_HEADER_LEN];
		size_t len = MIN(segment, message->length - *at);
		WiceBindDatagram datagram;
		memcpy(head, packet, MIN(len, sizeof head));
		Verdict verdict = look_at(&sorter, packet, len, &datagram);
		if (verdict == FOREIGN)
			tell_foreign(&sorter, packet, len);
		if (verdict != TAKEN || (count > 0 && append(&datagrams[count - 1], &datagram)))
			continue;
		if (count == n) {
			/* It is looked at again. */
			memcpy(packet, head, MIN(len, sizeof head));
			break;
		}
		datagrams[count++] = datagram;
	}
	if (sorter.relayed)
		wice__bind_udp_channel_unref(sorter.relayed);
	return count;
}
