/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "relay.h"

#include <string.h>
#include <unistd.h>

WiceProxyPeer *relay_bed_open(Bed *bed, int i)
{
	if (!bed_subjects[i / 2].reads_relayed || !bed_open(bed, i))
		return NULL;
	ck_assert(bed->interfaces[0].proxy->ops->reads_relayed);
	return bed_peer(&bed->interfaces[0], NULL, NULL);
}

WiceProxyPeer *relay_bed_open_any(Bed *bed, int i)
{
	if (!bed_subjects[i / 2].share_port)
		return relay_bed_open(bed, i);
	return bed_open(bed, i) ? bed_peer(&bed->interfaces[0], NULL, NULL) : NULL;
}

static bool shares_port(const Relay *relay)
{
	return relay->interface->bed->subject->share_port && !relay->stream;
}

static void share_port(const Relay *relay, bool share)
{
	WiceEndpoint bound = { .address.family = relay->local.address.family,
			       .port = relay->local.port };
	if (shares_port(relay))
		relay->interface->bed->subject->share_port(relay->interface, relay->client, &bound,
							   &relay->address, share);
}

void relay_bed_close(WiceProxyPeer *peer, Bed *bed)
{
	peer->proxy->ops->peer_free(peer);
	bed_close(bed);
}

bool relay_with_channel(BedInterface *interface, WiceProxyPeer *peer, bool stream, bool in_place,
			Relay *ret_relay, RelayChannel *ret_channel)
{
	relay_open(interface, stream, ret_relay);
	int r = relay_try_channel(ret_relay, peer, RELAY_CHANNEL, in_place, ret_channel);
	if (r == 0)
		return true;
	ck_assert(stream);
	ck_assert_int_eq(r, -ENOTSUP);
	relay_close(ret_relay);
	return false;
}

static int send_over_stream(void *user_data, const uint8_t *message, size_t len)
{
	Relay *relay = user_data;
	ck_assert(relay->stream);
	g_queue_push_tail(&relay->sent, g_bytes_new(message, len));
	return 0;
}

static void take_odd(void *user_data, const WiceEndpoint *source, uint8_t *packet, size_t len)
{
	Relay *relay = user_data;
	ck_assert_uint_lt(relay->n_odd, RELAY_MAX_ODD);
	relay->odd[relay->n_odd++] = g_bytes_new(packet, len);
	relay->odd_source = *source;
	memset(packet, 0xee, len);
	if (relay->on_odd)
		relay->on_odd(relay->user_data);
}

void relay_open(BedInterface *interface, bool stream, Relay *ret_relay)
{
	*ret_relay = (Relay){ .interface = interface, .stream = stream, .client = -1 };
	g_queue_init(&ret_relay->sent);
	ret_relay->server = bed_socket(interface->bed, BED_FAR, false, &ret_relay->address);
	if (!stream)
		ret_relay->client = bed_socket(interface->bed, BED_NEAR, true, &ret_relay->local);
	ret_relay->wire = ret_relay->local;
	if (shares_port(ret_relay))
		ret_relay->wire.port = interface->port;
	share_port(ret_relay, true);
}

void relay_close(Relay *relay)
{
	for (unsigned i = 0; i < relay->n_odd; i++)
		g_bytes_unref(relay->odd[i]);
	g_queue_clear_full(&relay->sent, (GDestroyNotify)g_bytes_unref);
	share_port(relay, false);
	if (relay->client >= 0)
		close(relay->client);
	close(relay->server);
}

int relay_try_channel(Relay *relay, WiceProxyPeer *peer, uint16_t number, bool in_place,
		      RelayChannel *ret_channel)
{
	WiceProxyChannel channel = { .server = relay->address,
				     .fd = relay->client,
				     .port = relay->local.port,
				     .wg_port = shares_port(relay) ? relay->wire.port : 0,
				     .channel = number,
				     .in_place = in_place,
				     .send = send_over_stream,
				     .stun = take_odd,
				     .user_data = relay };
	*ret_channel = (RelayChannel){ .relay = relay, .number = number, .in_place = in_place };
	int r = peer->proxy->ops->path_new_relayed(peer, &channel, &ret_channel->path);
	memset(&channel, 0xff, sizeof channel); /* only valid during the call */
	if (r == 0)
		ck_assert_ptr_eq(ret_channel->path->peer, peer);
	return r;
}

void relay_channel(Relay *relay, WiceProxyPeer *peer, uint16_t number, bool in_place,
		   RelayChannel *ret_channel)
{
	ck_assert_int_eq(relay_try_channel(relay, peer, number, in_place, ret_channel), 0);
}

void relay_channel_free(RelayChannel *channel)
{
	channel->relay->interface->proxy->ops->path_free(channel->path);
	channel->path = NULL;
}

WiceEndpoint relay_select(const RelayChannel *channel)
{
	WiceProxyPeer *peer = channel->path->peer;
	WiceEndpoint endpoint = { 0 };
	ck_assert_int_eq(peer->proxy->ops->select(peer, channel->path, NULL, &endpoint), 0);
	ck_assert_uint_ne(endpoint.port, 0);
	return endpoint;
}

size_t relay_wrap(const RelayChannel *channel, const uint8_t *packet, size_t len,
		  uint8_t *ret_message)
{
	static const uint8_t data_type[4] = { 4 };
	bool in_place = channel->in_place && memcmp(packet, data_type, 4) == 0;
	size_t skip = in_place ? 4 : 0, n = len - skip;
	const uint8_t header[4] = { (uint8_t)(channel->number >> 8), (uint8_t)channel->number,
				    (uint8_t)(n >> 8), (uint8_t)n };
	memcpy(ret_message, header, sizeof header);
	memcpy(ret_message + 4, packet + skip, n);
	return 4 + n;
}

void relay_send_raw(const Relay *relay, const uint8_t *message, size_t len)
{
	bed_send(relay->server, &relay->wire, message, len);
}

void relay_send(const RelayChannel *channel, const uint8_t *packet, size_t len)
{
	uint8_t message[BED_PACKET_MAX];
	size_t message_len = relay_wrap(channel, packet, len, message);
	const WiceProxyOps *ops = channel->path->peer->proxy->ops;
	if (channel->relay->stream)
		ops->path_input(channel->path, message + 4, message_len - 4);
	else
		relay_send_raw(channel->relay, message, message_len);
}

bool relay_take(Relay *relay)
{
	Bed *bed = relay->interface->bed;
	if (!relay->stream)
		return bed_take(bed, relay->server);
	GBytes *bytes = g_queue_pop_head(&relay->sent);
	if (!bytes)
		return false;
	bed->got.len = g_bytes_get_size(bytes);
	memcpy(bed->got.bytes, g_bytes_get_data(bytes, NULL), bed->got.len);
	g_bytes_unref(bytes);
	return true;
}

void relay_expect(const RelayChannel *channel, const uint8_t *packet, size_t len)
{
	uint8_t message[BED_PACKET_MAX];
	Relay *relay = channel->relay;
	Bed *bed = relay->interface->bed;
	size_t message_len = relay_wrap(channel, packet, len, message);
	BED_UNTIL(bed, relay_take(relay));
	ck_assert_uint_eq(bed->got.len, message_len);
	ck_assert_mem_eq(bed->got.bytes, message, message_len);
	if (!relay->stream)
		ck_assert_int_eq(wice_endpoint_compare(&bed->got.source, &relay->wire), 0);
}

void relay_carry(const RelayChannel *channel, const WiceEndpoint *endpoint, uint32_t number,
		 size_t len)
{
	uint8_t packet[BED_PACKET_MAX];
	BedInterface *interface = channel->relay->interface;
	bed_data(packet, len, number);
	bed_wg_send(interface, endpoint, packet, len);
	relay_expect(channel, packet, len);
	bed_data(packet, len, ~number);
	relay_send(channel, packet, len);
	bed_wg_expect(interface, packet, len, endpoint);
}
