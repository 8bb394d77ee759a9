/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* What comes and goes over relays, of mechanisms that receive from the TURN client's socket. */
#include <string.h>

#include "relay.h"

static Bed bed;

static void carry_all_sizes(const RelayChannel *channel)
{
	static const struct {
		uint8_t type;
		size_t len;
	} handshakes[] = { { 1, 148 }, { 2, 92 }, { 3, 64 } };
	uint8_t packet[256];
	BedInterface *interface = channel->relay->interface;
	WiceEndpoint endpoint = relay_select(channel);
	for (size_t i = 0; i < G_N_ELEMENTS(handshakes); i++) {
		bed_data(packet, handshakes[i].len, 7);
		packet[0] = handshakes[i].type;
		bed_wg_send(interface, &endpoint, packet, handshakes[i].len);
		relay_expect(channel, packet, handshakes[i].len);
		relay_send(channel, packet, handshakes[i].len);
		bed_wg_expect(interface, packet, handshakes[i].len, &endpoint);
	}
	for (size_t len = 32; len < 1420; len += 4)
		relay_carry(channel, &endpoint, (uint32_t)len, len);
	for (size_t len = 96; len < 100; len++)
		relay_carry(channel, &endpoint, (uint32_t)len, len);
	/* Larger than a frame, for who does not share one with the headers. */
	if (!channel->path->peer->proxy->ops->reads_relayed)
		return;
	relay_carry(channel, &endpoint, 1472, 1472);
	relay_carry(channel, &endpoint, 9000, 9000);
}

START_TEST(packets_arrive_as_they_were_sent)
{
	Relay relay;
	RelayChannel channel;
	WiceProxyPeer *peer = relay_bed_open_any(&bed, _i);
	if (!peer)
		return;
	for (unsigned i = 0; i < 4; i++) {
		if (!relay_with_channel(&bed.interfaces[0], peer, i / 2, i % 2, &relay, &channel))
			continue;
		carry_all_sizes(&channel);
		relay_channel_free(&channel);
		relay_close(&relay);
	}
	relay_bed_close(peer, &bed);
}
END_TEST

/* Runs of packets, as they leave and arrive with offload: in a frame, headers included. */
typedef struct {
	size_t len, n;
	const char *types; /* of the first ones; the rest are data */
	size_t last;
} Run;

static const Run runs[] = {
	{ 1448, 40, "", 1448 },     { 1448, 40, "", 100 },
	{ 100, 60, "", 100 },       { 148, 10, "44144", 148 },
	{ 148, 5, "1", 148 },       { 148, 6, "111111", 148 },
	{ 148, 7, "4444442", 92 },  { 1000, 10, "4444444441", 148 },
	{ 64, 9, "434343434", 64 }, { 92, 3, "242", 92 },
	{ 1000, 2, "41", 148 },     { 148, 2, "14", 32 },
	{ 32, 64, "", 32 },
};

/* Returns the length of all. */
static size_t make_run(const Run *run, uint32_t number, uint8_t *ret_packets)
{
	size_t types = strlen(run->types);
	for (size_t i = 0; i < run->n; i++) {
		uint8_t *packet = ret_packets + i * run->len;
		bed_data(packet, i == run->n - 1 ? run->last : run->len, number + (uint32_t)i);
		if (i < types)
			packet[0] = (uint8_t)(run->types[i] - '0');
	}
	return (run->n - 1) * run->len + run->last;
}

static size_t len_of(const Run *run, size_t i)
{
	return i == run->n - 1 ? run->last : run->len;
}

/* The relay hands on as few as it can at once: those of equal size. */
static void relay_send_run(const RelayChannel *channel, const Run *run, const uint8_t *packets)
{
	uint8_t messages[BED_PACKET_MAX];
	size_t total = 0, segment = 0;
	for (size_t i = 0; i < run->n; i++) {
		uint8_t message[BED_PACKET_MAX];
		size_t len = relay_wrap(channel, packets + i * run->len, len_of(run, i), message);
		if (total > 0 && len > segment) {
			bed_send_run(channel->relay->server, &channel->relay->local, messages,
				     total, segment);
			total = 0;
		}
		segment = total > 0 ? segment : len;
		memcpy(messages + total, message, len);
		total += len;
		if (len == segment && i < run->n - 1)
			continue;
		bed_send_run(channel->relay->server, &channel->relay->local, messages, total,
			     segment);
		total = 0;
	}
}

static void carry_run(const RelayChannel *channel, const Run *run, uint32_t number)
{
	uint8_t packets[BED_PACKET_MAX];
	BedInterface *interface = channel->relay->interface;
	WiceEndpoint endpoint = relay_select(channel);
	size_t total = make_run(run, number, packets);
	bed_wg_send_run(interface, &endpoint, packets, total, run->len);
	for (size_t i = 0; i < run->n; i++)
		relay_expect(channel, packets + i * run->len, len_of(run, i));
	if (channel->relay->stream)
		return;
	relay_send_run(channel, run, packets);
	for (size_t i = 0; i < run->n; i++)
		bed_wg_expect(interface, packets + i * run->len, len_of(run, i), &endpoint);
}

START_TEST(runs_of_packets_arrive_as_they_were_sent)
{
	Relay relay;
	RelayChannel channel;
	WiceProxyPeer *peer = relay_bed_open(&bed, _i);
	if (!peer)
		return;
	for (unsigned i = 0; i < 4; i++) {
		if (!relay_with_channel(&bed.interfaces[0], peer, i / 2, i % 2, &relay, &channel))
			continue;
		for (size_t j = 0; j < G_N_ELEMENTS(runs); j++)
			carry_run(&channel, &runs[j], (uint32_t)(j * 100));
		relay_channel_free(&channel);
		relay_close(&relay);
	}
	relay_bed_close(peer, &bed);
}
END_TEST

/* Several peers in what arrives at once: 'a' and 'b', 's' STUN, 'u' a channel that nobody has. */
static void receive_mixed(RelayChannel channels[2], const WiceEndpoint endpoints[2],
			  const char *what)
{
	enum { LEN = 100 };
	uint8_t messages[64 * LEN], packet[LEN + 4];
	Relay *relay = channels[0].relay;
	RelayChannel unknown = { .number = 0x4fff };
	size_t n = strlen(what), odd = relay->n_odd;
	for (size_t i = 0; i < n; i++) {
		const RelayChannel *channel = what[i] == 'a'   ? &channels[0]
					      : what[i] == 'b' ? &channels[1]
							       : &unknown;
		bed_data(packet, channel->in_place ? LEN : LEN - 4, (uint32_t)i);
		relay_wrap(channel, packet, channel->in_place ? LEN : LEN - 4, messages + i * LEN);
		if (what[i] == 's')
			memset(messages + i * LEN, 0, 4);
	}
	bed_send_run(relay->server, &relay->local, messages, n * LEN, LEN);
	for (size_t i = 0; i < n; i++) {
		bool is_peer = what[i] == 'a' || what[i] == 'b';
		const RelayChannel *channel = &channels[what[i] == 'b'];
		size_t len = channel->in_place ? LEN : LEN - 4;
		if (!is_peer) {
			BED_UNTIL(&bed, relay->n_odd > odd);
			ck_assert_uint_eq(g_bytes_get_size(relay->odd[odd]), LEN);
			ck_assert_mem_eq(g_bytes_get_data(relay->odd[odd], NULL),
					 messages + i * LEN, LEN);
			odd++;
			continue;
		}
		bed_data(packet, len, (uint32_t)i);
		bed_wg_expect(relay->interface, packet, len, &endpoints[what[i] == 'b']);
	}
	ck_assert_uint_eq(relay->n_odd, odd);
}

START_TEST(peers_behind_one_relay_do_not_mix)
{
	static const char *const mixes[] = {
		"a",
		"ab",
		"aabb",
		"abababababababababababababababababababab",
		"aasbb",
		"s",
		"us",
		"asasasb",
		"aaaaaaaauaaaaaaaa",
		"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbba",
		"sssa",
	};
	Relay relay;
	RelayChannel channels[2];
	WiceEndpoint endpoints[2];
	WiceProxyPeer *peer = relay_bed_open(&bed, _i);
	if (!peer)
		return;
	WiceProxyPeer *other = bed_peer(&bed.interfaces[0], NULL, NULL);
	for (unsigned i = 0; i < 4; i++) {
		relay_open(&bed.interfaces[0], false, &relay);
		relay_channel(&relay, peer, RELAY_CHANNEL, i / 2, &channels[0]);
		relay_channel(&relay, other, RELAY_CHANNEL + 1, i % 2, &channels[1]);
		for (size_t j = 0; j < 2; j++)
			endpoints[j] = relay_select(&channels[j]);
		ck_assert_int_ne(wice_endpoint_compare(&endpoints[0], &endpoints[1]), 0);
		for (size_t j = 0; j < G_N_ELEMENTS(mixes); j++)
			receive_mixed(channels, endpoints, mixes[j]);
		for (size_t j = 0; j < 2; j++) {
			uint8_t packet[100];
			relay_carry(&channels[j], &endpoints[j], 1, 1000);
			bed_data(packet, sizeof packet, 5);
			bed_wg_reply(&bed.interfaces[0], packet, sizeof packet);
			relay_expect(&channels[j], packet, sizeof packet);
		}
		relay_channel_free(&channels[0]);
		relay_carry(&channels[1], &endpoints[1], 2, 1000);
		relay_channel_free(&channels[1]);
		relay_close(&relay);
	}
	other->proxy->ops->peer_free(other);
	relay_bed_close(peer, &bed);
}
END_TEST

START_TEST(what_is_not_of_its_channels_goes_to_the_turn_client)
{
	static const struct {
		uint8_t head[4];
		size_t len;
	} cases[] = {
		{ { 0x01, 0x01, 0, 0 }, 20 },
		{ { 0x00, 0x01, 0, 80 }, 100 },
		{ { 0x40, 0x01, 0, 96 }, 100 },
		{ { 0x4f, 0xff, 0, 0 }, 4 },
		{ { 0x40, 0x00, 0, 97 }, 100 },
		{ { 0x40, 0x00, 0, 92 }, 100 },
		{ { 0x40, 0x00, 0xff, 0xff }, 100 },
		{ { 0x40, 0x00, 0, 0 }, 3 },
		{ { 0x40 }, 1 },
		{ { 0, 0, 0, 4 }, 100 },
		{ { 0xff, 0xff, 0, 96 }, 1200 },
	};
	uint8_t message[1200], packet[100];
	Relay relay, stranger;
	RelayChannel channel;
	WiceProxyPeer *peer = relay_bed_open(&bed, _i);
	if (!peer)
		return;
	relay_with_channel(&bed.interfaces[0], peer, false, _i & 1, &relay, &channel);
	relay_open(&bed.interfaces[0], false, &stranger);
	WiceEndpoint endpoint = relay_select(&channel);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		memset(message, (int)i, sizeof message);
		memcpy(message, cases[i].head, MIN(cases[i].len, 4));
		relay_send_raw(&relay, message, cases[i].len);
		BED_UNTIL(&bed, relay.n_odd == i + 1);
		ck_assert_uint_eq(g_bytes_get_size(relay.odd[i]), cases[i].len);
		ck_assert_mem_eq(g_bytes_get_data(relay.odd[i], NULL), message, cases[i].len);
		ck_assert_int_eq(wice_endpoint_compare(&relay.odd_source, &relay.address), 0);
		relay_carry(&channel, &endpoint, (uint32_t)i, 100);
	}
	/* ChannelData of somebody else. */
	bed_data(packet, sizeof packet, 1);
	size_t len = relay_wrap(&channel, packet, sizeof packet, message);
	bed_send(stranger.server, &relay.local, message, len);
	BED_UNTIL(&bed, relay.n_odd == G_N_ELEMENTS(cases) + 1);
	ck_assert_int_eq(wice_endpoint_compare(&relay.odd_source, &stranger.address), 0);
	relay_carry(&channel, &endpoint, 7, 100);
	relay_channel_free(&channel);
	relay_close(&stranger);
	relay_close(&relay);
	relay_bed_close(peer, &bed);
}
END_TEST

/* A server may pad (RFC 8656 section 12.5). */
START_TEST(padding_is_no_part_of_a_packet)
{
	uint8_t message[120] = { 0 }, packet[103];
	Relay relay;
	RelayChannel channel;
	WiceProxyPeer *peer = relay_bed_open_any(&bed, _i);
	if (!peer)
		return;
	for (unsigned in_place = 0; in_place < 2; in_place++) {
		relay_with_channel(&bed.interfaces[0], peer, false, in_place, &relay, &channel);
		WiceEndpoint endpoint = relay_select(&channel);
		for (size_t padding = 1; padding < 4; padding++) {
			size_t len = 104 - padding;
			bed_data(packet, len, 1);
			size_t total = relay_wrap(&channel, packet, len, message);
			relay_send_raw(&relay, message, total + padding);
			bed_wg_expect(relay.interface, packet, len, &endpoint);
		}
		relay_channel_free(&channel);
		relay_close(&relay);
	}
	relay_bed_close(peer, &bed);
}
END_TEST

/* What comes in ChannelData, but is not WireGuard's. */
START_TEST(hostile_packets_do_no_harm)
{
	static const uint8_t starts[][4] = { { 4 }, { 1 },          { 2 },
					     { 0 }, { 0xff, 0xff }, { 0, 1, 0xff, 0xff } };
	static const size_t sizes[] = { 0, 1, 2, 3, 4, 8, 19, 20, 27, 31, 1472, 9000, 65483 };
	static uint8_t message[65487];
	uint8_t last[100];
	Relay relay;
	RelayChannel channel;
	WiceProxyPeer *peer = relay_bed_open(&bed, _i);
	if (!peer)
		return;
	for (unsigned in_place = 0; in_place < 2; in_place++) {
		relay_with_channel(&bed.interfaces[0], peer, false, in_place, &relay, &channel);
		for (size_t i = 0; i < G_N_ELEMENTS(starts); i++) {
			for (size_t j = 0; j < G_N_ELEMENTS(sizes); j++) {
				const uint8_t header[4] = { 0x40, 0, (uint8_t)(sizes[j] >> 8),
							    (uint8_t)sizes[j] };
				memset(message, 0x5a, sizeof message);
				memcpy(message, header, sizeof header);
				memcpy(message + 4, starts[i], sizeof starts[i]);
				relay_send_raw(&relay, message, 4 + sizes[j]);
			}
		}
		WiceEndpoint endpoint = relay_select(&channel);
		bed_data(last, sizeof last, 1);
		relay_send(&channel, last, sizeof last);
		BED_UNTIL(&bed, bed_wg_take(relay.interface) && bed.got.len == sizeof last &&
					memcmp(bed.got.bytes, last, sizeof last) == 0);
		relay_carry(&channel, &endpoint, 2, 100);
		ck_assert_uint_eq(relay.n_odd, 0);
		relay_channel_free(&channel);
		relay_close(&relay);
	}
	relay_bed_close(peer, &bed);
}
END_TEST

/* The peer begins before we have selected anything: the answer goes where the question came from. */
START_TEST(answers_leave_before_anything_is_selected)
{
	uint8_t packet[148];
	Relay relay;
	RelayChannel channel;
	WiceProxyPeer *peer = relay_bed_open_any(&bed, _i);
	if (!peer)
		return;
	for (unsigned i = 0; i < 4; i++) {
		if (!relay_with_channel(&bed.interfaces[0], peer, i / 2, i % 2, &relay, &channel))
			continue;
		bed_data(packet, 148, i);
		packet[0] = 1;
		relay_send(&channel, packet, 148);
		BED_UNTIL(&bed, bed_wg_take(relay.interface));
		ck_assert_mem_eq(bed.got.bytes, packet, 148);
		bed_data(packet, 92, i);
		packet[0] = 2;
		bed_wg_reply(relay.interface, packet, 92);
		relay_expect(&channel, packet, 92);
		relay_channel_free(&channel);
		relay_close(&relay);
	}
	relay_bed_close(peer, &bed);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		packets_arrive_as_they_were_sent,
		runs_of_packets_arrive_as_they_were_sent,
		peers_behind_one_relay_do_not_mix,
		what_is_not_of_its_channels_goes_to_the_turn_client,
		padding_is_no_part_of_a_packet,
		hostile_packets_do_no_harm,
		answers_leave_before_anything_is_selected,
	};
	return bed_run_suite("proxy relayed", tests, G_N_ELEMENTS(tests));
}
