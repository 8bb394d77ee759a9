/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Relayed paths as they come and go, of mechanisms that receive from the TURN client's socket. */
#include <string.h>

#include "relay.h"

#define IN_FLIGHT 20

static Bed bed;

typedef struct {
	unsigned n_out, n_in;
	bool out[3 * 100], in[2 * 100]; /* by number */
} Ledger;

static void note(bool *seen, size_t n, uint32_t number, unsigned *ret_count)
{
	ck_assert_uint_lt(number, n);
	ck_assert(!seen[number]);
	seen[number] = true;
	(*ret_count)++;
}

static bool has_all(Ledger *ledger, const BedPath *direct, Relay *relay)
{
	uint32_t number;
	while (bed_take(&bed, direct->remote))
		note(ledger->out, G_N_ELEMENTS(ledger->out), bed_number(&bed), &ledger->n_out);
	while (relay_take(relay)) {
		/* In place: the number is behind the header, else behind header and type. */
		memcpy(&number, bed.got.bytes + (bed.got.len == 200 ? 4 : 8), sizeof number);
		note(ledger->out, G_N_ELEMENTS(ledger->out), number, &ledger->n_out);
	}
	while (bed_wg_take(relay->interface))
		note(ledger->in, G_N_ELEMENTS(ledger->in), bed_number(&bed), &ledger->n_in);
	return ledger->n_out == G_N_ELEMENTS(ledger->out) &&
	       ledger->n_in == G_N_ELEMENTS(ledger->in);
}

static bool has_most(Ledger *ledger, const BedPath *direct, Relay *relay, uint32_t n_sent)
{
	return has_all(ledger, direct, relay) || ledger->n_out + ledger->n_in + IN_FLIGHT >= n_sent;
}

static void send_numbered(const WiceEndpoint *endpoint, uint32_t number)
{
	uint8_t packet[200];
	bed_data(packet, sizeof packet, number);
	bed_wg_send(&bed.interfaces[0], endpoint, packet, sizeof packet);
}

/* WireGuard learns of its new endpoint a little later than the proxy of the path. */
static void switch_under_load(const BedPath *direct, const RelayChannel *channel)
{
	Ledger ledger = { 0 };
	uint8_t packet[200];
	Relay *relay = channel->relay;
	WiceEndpoint endpoint = bed_select(direct);
	for (uint32_t i = 0; i < 100; i++) {
		send_numbered(&endpoint, 3 * i);
		WiceEndpoint selected = i % 2 ? bed_select(direct) : relay_select(channel);
		send_numbered(&endpoint, 3 * i + 1);
		endpoint = selected;
		send_numbered(&endpoint, 3 * i + 2);
		bed_data(packet, sizeof packet, 2 * i);
		relay_send(channel, packet, sizeof packet);
		bed_data(packet, sizeof packet, 2 * i + 1);
		bed_send(direct->remote, &direct->wire, packet, sizeof packet);
		BED_UNTIL(&bed, has_most(&ledger, direct, relay, 5 * (i + 1)));
	}
	BED_UNTIL(&bed, has_all(&ledger, direct, relay));
}

START_TEST(nothing_is_lost_between_a_relayed_and_a_direct_path)
{
	Relay relay;
	RelayChannel channel;
	BedPath direct;
	WiceProxyPeer *peer = relay_bed_open_any(&bed, _i);
	if (!peer)
		return;
	bed_path(&bed.interfaces[0], peer, &direct);
	for (unsigned i = 0; i < 4; i++) {
		if (!relay_with_channel(&bed.interfaces[0], peer, i / 2, i % 2, &relay, &channel))
			continue;
		switch_under_load(&direct, &channel);
		WiceEndpoint endpoint = bed_select(&direct);
		bed_carry(&direct, &endpoint, 1, 100);
		relay_channel_free(&channel);
		bed_carry(&direct, &endpoint, 2, 100);
		relay_close(&relay);
	}
	bed_remove(&direct);
	relay_bed_close(peer, &bed);
}
END_TEST

/* As when both ends have agreed on something else: the new path is there before the old goes. */
START_TEST(a_path_takes_over_the_channel_of_another)
{
	Relay relay;
	RelayChannel former, next;
	uint8_t packet[100];
	WiceProxyPeer *peer = relay_bed_open_any(&bed, _i);
	if (!peer)
		return;
	relay_with_channel(&bed.interfaces[0], peer, false, false, &relay, &former);
	for (uint32_t i = 0; i < 6; i++) {
		WiceEndpoint endpoint = relay_select(&former);
		relay_carry(&former, &endpoint, i, 100);
		relay_channel(&relay, peer, RELAY_CHANNEL, !former.in_place, &next);
		endpoint = relay_select(&next);
		relay_carry(&next, &endpoint, i, 100);
		/* What waits is not lost when the former goes. */
		bed_data(packet, sizeof packet, i);
		relay_send(&next, packet, sizeof packet);
		relay_channel_free(&former);
		bed_wg_expect(relay.interface, packet, sizeof packet, &endpoint);
		relay_carry(&next, &endpoint, i, 100);
		former = next;
	}
	/* The other way round. */
	relay_channel(&relay, peer, RELAY_CHANNEL, !former.in_place, &next);
	relay_channel_free(&next);
	WiceEndpoint endpoint = relay_select(&former);
	relay_carry(&former, &endpoint, 9, 100);
	relay_channel_free(&former);
	relay_close(&relay);
	relay_bed_close(peer, &bed);
}
END_TEST

/* Its owner receives one packet at a time, without offload. */
START_TEST(the_socket_is_its_owners_again)
{
	enum { N = 10, LEN = 100 };
	uint8_t packets[N * LEN];
	Relay relay;
	RelayChannel channel;
	WiceProxyPeer *peer = relay_bed_open(&bed, _i);
	if (!peer)
		return;
	relay_open(&bed.interfaces[0], false, &relay);
	for (unsigned round = 0; round < 3; round++) {
		relay_channel(&relay, peer, RELAY_CHANNEL, true, &channel);
		WiceEndpoint endpoint = relay_select(&channel);
		relay_carry(&channel, &endpoint, 1, 1000);
		for (uint32_t i = 0; i < N; i++)
			bed_data(packets + (size_t)i * LEN, LEN, i);
		bed_send_run(relay.server, &relay.local, packets, sizeof packets, LEN);
		relay_channel_free(&channel);
		bed_send_run(relay.server, &relay.local, packets, sizeof packets, LEN);
		for (uint32_t i = 0; i < N; i++)
			bed_expect(&bed, relay.client, packets + (size_t)i * LEN, LEN,
				   &relay.address);
		ck_assert_uint_eq(relay.n_odd, 0);
	}
	relay_close(&relay);
	relay_bed_close(peer, &bed);
}
END_TEST

typedef struct {
	RelayChannel *channels;
	size_t n;
	WiceProxyPeer *peer;
	WiceProxy *proxy;
} Doomed;

static void free_doomed(void *user_data)
{
	Doomed *doomed = user_data;
	for (size_t i = 0; i < doomed->n; i++)
		relay_channel_free(&doomed->channels[i]);
	doomed->n = 0;
	if (doomed->peer)
		doomed->peer->proxy->ops->peer_free(doomed->peer);
	doomed->peer = NULL;
	if (doomed->proxy)
		doomed->proxy->ops->free(doomed->proxy);
	doomed->proxy = NULL;
}

START_TEST(everything_may_be_freed_from_within_a_callback)
{
	enum { N = 20, LEN = 100 };
	uint8_t packets[N * LEN];
	for (unsigned what = 0; what < 3; what++) {
		Relay relay;
		RelayChannel channels[2];
		WiceProxyPeer *peer = relay_bed_open(&bed, _i);
		if (!peer)
			return;
		relay_open(&bed.interfaces[0], false, &relay);
		relay_channel(&relay, peer, RELAY_CHANNEL, true, &channels[0]);
		relay_channel(&relay, peer, RELAY_CHANNEL + 1, true, &channels[1]);
		WiceEndpoint endpoint = relay_select(&channels[0]);
		relay_carry(&channels[0], &endpoint, 1, 100);
		Doomed doomed = { channels, 2, what > 0 ? peer : NULL,
				  what > 1 ? peer->proxy : NULL };
		relay.on_odd = free_doomed;
		relay.user_data = &doomed;
		memset(packets, 0, sizeof packets);
		bed_send_run(relay.server, &relay.local, packets, sizeof packets, LEN);
		BED_UNTIL(&bed, doomed.n == 0);
		while (bed_turn(&bed))
			;
		if (what > 1)
			bed.interfaces[0].proxy = NULL;
		relay_close(&relay);
		if (what == 0)
			peer->proxy->ops->peer_free(peer);
		bed_close(&bed);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		nothing_is_lost_between_a_relayed_and_a_direct_path,
		a_path_takes_over_the_channel_of_another,
		the_socket_is_its_owners_again,
		everything_may_be_freed_from_within_a_callback,
	};
	return bed_run_suite("proxy relayed lifetime", tests, G_N_ELEMENTS(tests));
}
