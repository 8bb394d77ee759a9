/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "bed.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>

#include "suite.h"
#include "unit/event/namespace.h"

/* Peers behind relays, in UDP binds: many over one socket, their lives, and what goes wrong. */

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

static const BedKind *const standard = &bed_kinds[5], *const in_place = &bed_kinds[6];

#define FIRST 0x4000
#define LEN 100 /* of a message of the relay */

typedef struct {
	unsigned n;
	uint32_t channel;
	size_t length;
} Foreign;

static void on_foreign(uint32_t channel, const WiceEndpoint *source, const uint8_t *data,
		       size_t length, void *user_data)
{
	Foreign *foreign = user_data;
	foreign->n++;
	foreign->channel = channel;
	foreign->length = length;
}

/* One end, and a socket that plays its relay. */
typedef struct {
	BedEnd end;
	int relay;
	WiceEndpoint server;
	Foreign foreign;
} Client;

static bool client_init(Client *client)
{
	*client = (Client){ .end = bed_end_new(NULL) };
	if (!namespace_enter())
		return false;
	client->relay = bed_socket("127.0.0.1", &client->server);
	client->end.fd = bed_socket("127.0.0.1", &client->end.address);
	ck_assert_int_eq(
		wice_bind_udp_add_channel(client->end.bind, client->end.fd, &client->end.carrier),
		0);
	wice_bind_udp_set_foreign(client->end.bind, on_foreign, &client->foreign);
	ck_assert_int_eq(client->end.bind->ops->open(client->end.bind, 0, 0, 1, &client->end.port,
						     &client->end.n_queues),
			 0);
	return true;
}

static void client_done(Client *client)
{
	bed_end_done(&client->end);
	close(client->relay);
}

static WiceBindRelayed options_of(const Client *client, uint16_t number, bool is_in_place)
{
	WiceBindRelayed relayed = { .size = sizeof relayed,
				    .carrier = client->end.carrier,
				    .server = client->server,
				    .number = number,
				    .in_place = is_in_place,
				    .remote = client->server };
	relayed.remote.port = (uint16_t)(20000 + number);
	return relayed;
}

static uint32_t add(Client *client, uint16_t number, bool is_in_place)
{
	uint32_t channel = 0;
	WiceBindRelayed relayed = options_of(client, number, is_in_place);
	ck_assert_int_eq(wice_bind_udp_add_relayed(client->end.bind, &relayed, &channel), 0);
	ck_assert_uint_ne(channel, 0);
	return channel;
}

/* ChannelData of LEN bytes: a data message in place. */
static void make(uint8_t message[LEN], uint16_t number, uint32_t tag)
{
	const uint8_t header[4] = { (uint8_t)(number >> 8), (uint8_t)number, 0, LEN - 4 };
	memset(message, 0x5a, LEN);
	memcpy(message, header, sizeof header);
	memcpy(message + 4, &tag, sizeof tag);
}

static void send_run(const Client *client, const uint8_t *messages, size_t n)
{
	int segment = LEN, none = 0;
	ck_assert_int_eq(setsockopt(client->relay, SOL_UDP, UDP_SEGMENT, &segment, sizeof segment),
			 0);
	bed_send_to(client->relay, &client->end.address, messages, n * LEN);
	ck_assert_int_eq(setsockopt(client->relay, SOL_UDP, UDP_SEGMENT, &none, sizeof none), 0);
}

static void send_one(const Client *client, uint16_t number, uint32_t tag)
{
	uint8_t message[LEN];
	make(message, number, tag);
	bed_send_to(client->relay, &client->end.address, message, LEN);
}

/* The next datagram, one at a time, and only when the descriptor says so. False: there is none. */
static bool receive(const Client *client, WiceBindDatagram *ret_datagram)
{
	WiceBind *bind = client->end.bind;
	while (bed_wait(bind->ops->poll_fd(bind, 0), 0)) {
		int r = bind->ops->receive(bind, 0, ret_datagram, 1);
		if (r == 1)
			return true;
		ck_assert_int_eq(r, -EAGAIN);
	}
	return false;
}

static void expect_one(const Client *client, uint32_t channel, uint16_t number, uint32_t tag)
{
	static const uint8_t data_type[4] = { 4 };
	WiceBindDatagram datagram;
	ck_assert(receive(client, &datagram));
	ck_assert_uint_eq(datagram.length, LEN);
	ck_assert_uint_eq(datagram.segment, 0);
	ck_assert_mem_eq(datagram.data, data_type, 4);
	ck_assert_mem_eq(datagram.data + 4, &tag, sizeof tag);
	ck_assert_uint_eq(datagram.path.channel, channel);
	ck_assert_int_eq(
		wice_address_compare(&datagram.path.remote.address, &client->server.address), 0);
	ck_assert_uint_eq(datagram.path.remote.port, (uint16_t)(20000 + number));
}

static void expect_nothing(const Client *client)
{
	WiceBindDatagram datagram;
	ck_assert(!receive(client, &datagram));
}

START_TEST(what_cannot_be_is_refused)
{
	Client client;
	WiceBind *a, *b;
	uint32_t channel = 99;
	if (!client_init(&client))
		return;
	WiceBindRelayed relayed = options_of(&client, FIRST, true);
	uint32_t relayed_channel = add(&client, FIRST, true);
	const uint32_t carriers[] = { 0, UINT32_MAX, client.end.carrier + 10, relayed_channel };
	for (size_t i = 0; i < G_N_ELEMENTS(carriers); i++) {
		relayed.carrier = carriers[i];
		ck_assert_int_eq(wice_bind_udp_add_relayed(client.end.bind, &relayed, &channel),
				 -ENOENT);
	}
	const uint16_t numbers[] = { 0, 0x3fff, 0x5000, 0xffff };
	relayed.carrier = client.end.carrier;
	for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
		relayed.number = numbers[i];
		ck_assert_int_eq(wice_bind_udp_add_relayed(client.end.bind, &relayed, &channel),
				 -EINVAL);
	}
	relayed.number = 0x4fff;
	wice_bind_pair_new(&a, &b);
	ck_assert_int_eq(wice_bind_udp_add_relayed(a, &relayed, &channel), -EOPNOTSUPP);
	ck_assert_uint_eq(channel, 99);
	ck_assert_int_eq(wice_bind_udp_add_relayed(client.end.bind, &relayed, &channel), 0);
	wice_bind_free(a);
	wice_bind_free(b);
	client_done(&client);
}
END_TEST

/* Batches are as cheap as without a relay. */
START_TEST(segments_are_used)
{
	const BedKind *const kinds[] = { standard, in_place };
	Bed bed;
	if (!bed_init(&bed, kinds[_i]))
		return;
	WiceBindPath path = bed_route(&bed.a, &bed.b);
	BedPackets packets = bed_equal_packets(1, 40, 1420);
	BedReceived received;
	bed_received_init(&received);
	bed_send(&bed.a, &path, &packets);
	ck_assert(bed_receive(&bed.b, 0, &received, 40));
	ck_assert_uint_eq(received.n_datagrams, 1);
	ck_assert_uint_eq(bed_counters(&bed.a).tx_calls, 1);
	ck_assert_uint_eq(bed_counters(&bed.b).rx_packets, 40);
	bed_received_done(&received);
	bed_packets_free(&packets);
	bed_done(&bed);
}
END_TEST

/* Handshake messages travel behind a header where data messages do not. */
START_TEST(messages_of_all_types_may_be_mixed)
{
	static const struct {
		uint8_t type;
		uint32_t len;
	} types[] = {
		{ 1, 148 }, { 2, 92 }, { 3, 64 }, { 4, 148 }, { 4, 92 }, { 4, 64 }, { 4, 32 }
	};
	const BedKind *const kinds[] = { standard, in_place };
	enum { N = 200 };
	Bed bed;
	uint32_t lengths[N], seed = 1;
	if (!bed_init(&bed, kinds[_i]))
		return;
	for (size_t i = 0; i < N; i++) {
		seed = seed * 1103515245 + 12345;
		lengths[i] = types[(seed >> 16) % G_N_ELEMENTS(types)].len;
	}
	WiceBindPath path = bed_route(&bed.a, &bed.b);
	BedPackets packets = bed_packets(0x10000, N, lengths);
	for (size_t i = 0; i < N; i++) {
		seed = seed * 1103515245 + 12345;
		if ((seed >> 16) % 2)
			packets.packets[i].data[0] = lengths[i] == 148  ? 1
						     : lengths[i] == 92 ? 2
						     : lengths[i] == 64 ? 3
									: 4;
	}
	bed_send(&bed.a, &path, &packets);
	bed_expect(&bed.b, &packets, NULL);
	bed_packets_free(&packets);
	bed_done(&bed);
}
END_TEST

/* The system joins what comes from the relay: more peers than the caller takes at a time. */
START_TEST(many_peers_over_one_socket_do_not_mix)
{
	enum { PEERS = 20, N = 60 };
	Client client;
	uint8_t messages[N * LEN];
	uint32_t channels[PEERS];
	if (!client_init(&client))
		return;
	for (uint16_t i = 0; i < PEERS; i++)
		channels[i] = add(&client, FIRST + i, true);
	for (unsigned round = 1; round < 5; round++) {
		for (uint32_t i = 0; i < N; i++)
			make(messages + (size_t)i * LEN, (uint16_t)(FIRST + i * round % PEERS), i);
		send_run(&client, messages, N);
		for (uint32_t i = 0; i < N; i++)
			expect_one(&client, channels[i * round % PEERS],
				   (uint16_t)(FIRST + i * round % PEERS), i);
		expect_nothing(&client);
	}
	ck_assert_uint_eq(client.foreign.n, 0);
	ck_assert_uint_eq(bed_counters(&client.end).rx_packets, 4 * N);
	client_done(&client);
}
END_TEST

START_TEST(what_nobody_has_goes_to_the_function)
{
	Client client;
	WiceEndpoint own;
	uint8_t message[LEN];
	if (!client_init(&client))
		return;
	uint32_t channel = add(&client, FIRST, true);
	send_one(&client, FIRST + 1, 1);
	expect_nothing(&client);
	ck_assert_uint_eq(client.foreign.n, 1);
	ck_assert_uint_eq(client.foreign.channel, client.end.carrier);
	ck_assert_uint_eq(client.foreign.length, LEN);
	/* From elsewhere. */
	int stranger = bed_socket("127.0.0.1", &own);
	make(message, FIRST, 2);
	bed_send_to(stranger, &client.end.address, message, LEN);
	expect_nothing(&client);
	ck_assert_uint_eq(client.foreign.n, 2);
	/* In a channel, but not WireGuard's: nobody's at all. */
	const uint8_t empty[4] = { FIRST >> 8, 0, 0, 0 };
	bed_send_to(client.relay, &client.end.address, empty, sizeof empty);
	expect_nothing(&client);
	ck_assert_uint_eq(client.foreign.n, 2);
	/* The socket is a channel as before. */
	WiceBindDatagram datagram;
	make(message, 0x0400, 3);
	message[3] = 0;
	bed_send_to(stranger, &client.end.address, message, LEN);
	ck_assert(receive(&client, &datagram));
	ck_assert_uint_eq(datagram.path.channel, client.end.carrier);
	ck_assert_int_eq(wice_endpoint_compare(&datagram.path.remote, &own), 0);
	send_one(&client, FIRST, 4);
	expect_one(&client, channel, FIRST, 4);
	close(stranger);
	client_done(&client);
}
END_TEST

START_TEST(the_newest_receives)
{
	Client client;
	if (!client_init(&client))
		return;
	uint32_t first = add(&client, FIRST, true), second = add(&client, FIRST, true),
		 third = add(&client, FIRST, true);
	send_one(&client, FIRST, 1);
	expect_one(&client, third, FIRST, 1);
	wice_bind_udp_remove_channel(client.end.bind, second);
	send_one(&client, FIRST, 2);
	expect_one(&client, third, FIRST, 2);
	wice_bind_udp_remove_channel(client.end.bind, third);
	send_one(&client, FIRST, 3);
	expect_one(&client, first, FIRST, 3);
	wice_bind_udp_remove_channel(client.end.bind, first);
	send_one(&client, FIRST, 4);
	expect_nothing(&client);
	ck_assert_uint_eq(client.foreign.n, 1);
	first = add(&client, FIRST, true);
	send_one(&client, FIRST, 5);
	expect_one(&client, first, FIRST, 5);
	client_done(&client);
}
END_TEST

START_TEST(it_ends_with_its_carrier)
{
	Client client;
	if (!client_init(&client))
		return;
	WiceBind *bind = client.end.bind;
	uint32_t channels[] = { add(&client, FIRST, true), add(&client, FIRST, false),
				add(&client, FIRST + 1, true) };
	WiceEndpoint remote = options_of(&client, FIRST, true).remote;
	WiceBindPath path;
	BedPackets packets = bed_equal_packets(1, 3, 148);
	wice_bind_udp_set_route(bind, &remote, channels[0]);
	bind->ops->route(bind, &remote, &path);
	ck_assert_uint_eq(path.channel, channels[0]);
	ck_assert_int_eq(bind->ops->send(bind, &path, packets.packets, 3), 3);
	wice_bind_udp_remove_channel(bind, client.end.carrier);
	for (size_t i = 0; i < G_N_ELEMENTS(channels); i++) {
		path.channel = channels[i];
		ck_assert_int_eq(bind->ops->send(bind, &path, packets.packets, 3), -ENOTCONN);
		wice_bind_udp_remove_channel(bind, channels[i]);
	}
	bind->ops->route(bind, &remote, &path);
	ck_assert_uint_eq(path.channel, 0);
	send_one(&client, FIRST, 1);
	expect_nothing(&client);
	ck_assert(bed_wait(client.end.fd, 60000));
	bed_packets_free(&packets);
	client_done(&client);
}
END_TEST

/* Part of a message is handed on when the channel ends: the rest of it with it. */
START_TEST(a_rest_ends_with_its_channel)
{
	enum { N = 40 };
	Client client;
	uint8_t messages[N * LEN];
	if (!client_init(&client))
		return;
	for (unsigned what = 0; what < 3; what++) {
		uint32_t channels[] = { add(&client, FIRST, true), add(&client, FIRST + 1, true) };
		for (uint32_t i = 0; i < N; i++)
			make(messages + (size_t)i * LEN, (uint16_t)(FIRST + i % 2), i);
		send_run(&client, messages, N);
		expect_one(&client, channels[0], FIRST, 0);
		expect_one(&client, channels[1], FIRST + 1, 1);
		if (what == 1) {
			/* Of one that was carried: that part goes to the function. */
			wice_bind_udp_remove_channel(client.end.bind, channels[0]);
			wice_bind_udp_remove_channel(client.end.bind, channels[1]);
			expect_nothing(&client);
			ck_assert_uint_eq(client.foreign.n, N - 2);
			continue;
		}
		client.end.bind->ops->close(client.end.bind);
		if (what == 0) {
			ck_assert_int_eq(client.end.bind->ops->open(client.end.bind, 0, 0, 1,
								    &client.end.port,
								    &client.end.n_queues),
					 0);
			expect_nothing(&client);
			wice_bind_udp_remove_channel(client.end.bind, channels[0]);
			wice_bind_udp_remove_channel(client.end.bind, channels[1]);
		}
	}
	client_done(&client);
}
END_TEST

START_TEST(a_rest_ends_with_its_carrier)
{
	enum { N = 40 };
	Client client;
	uint8_t messages[N * LEN];
	if (!client_init(&client))
		return;
	uint32_t channel = add(&client, FIRST, true);
	add(&client, FIRST + 1, true);
	for (uint32_t i = 0; i < N; i++)
		make(messages + (size_t)i * LEN, (uint16_t)(FIRST + i % 2), i);
	send_run(&client, messages, N);
	expect_one(&client, channel, FIRST, 0);
	wice_bind_udp_remove_channel(client.end.bind, client.end.carrier);
	expect_nothing(&client);
	ck_assert_uint_eq(client.foreign.n, 0);
	client_done(&client);
}
END_TEST

typedef struct {
	Bed bed;
	gint stop;
} Churn;

static void *send_always(void *user_data)
{
	Churn *churn = user_data;
	BedPackets packets = bed_equal_packets(1, 4, 148);
	while (!g_atomic_int_get(&churn->stop)) {
		WiceBindPath path;
		WiceBind *bind = churn->bed.a.bind;
		bind->ops->route(bind, &churn->bed.b.address, &path);
		bind->ops->send(bind, &path, packets.packets, packets.n);
	}
	bed_packets_free(&packets);
	return NULL;
}

static void *receive_always(void *user_data)
{
	Churn *churn = user_data;
	BedReceived received;
	bed_received_init(&received);
	while (!g_atomic_int_get(&churn->stop)) {
		if (bed_wait(churn->bed.b.bind->ops->poll_fd(churn->bed.b.bind, 0), 1))
			bed_receive_rest(&churn->bed.b, 0, &received);
		g_ptr_array_set_size(received.packets, 0);
	}
	bed_received_done(&received);
	return NULL;
}

static void renew(BedEnd *end, const BedEnd *other, bool with_carrier)
{
	WiceBindRelayed relayed = { .size = sizeof relayed,
				    .server = other->address,
				    .number = 0x4abc,
				    .in_place = true,
				    .remote = other->address };
	uint32_t former = end->channel;
	if (with_carrier) {
		wice_bind_udp_remove_channel(end->bind, end->carrier);
		ck_assert_int_eq(wice_bind_udp_add_channel(end->bind, end->fd, &end->carrier), 0);
	}
	relayed.carrier = end->carrier;
	ck_assert_int_eq(wice_bind_udp_add_relayed(end->bind, &relayed, &end->channel), 0);
	wice_bind_udp_set_route(end->bind, &other->address, end->channel);
	wice_bind_udp_remove_channel(end->bind, former);
}

/* They and their carriers come and go while packets flow. */
START_TEST(they_may_change_at_any_time)
{
	Churn churn = { .stop = 0 };
	if (!bed_init(&churn.bed, in_place))
		return;
	BedEnd *a = &churn.bed.a, *b = &churn.bed.b;
	GThread *sender = g_thread_new("sender", send_always, &churn),
		*receiver = g_thread_new("receiver", receive_always, &churn);
	for (int i = 0; i < 300; i++) {
		renew(a, b, i % 3 == 0);
		renew(b, a, i % 4 == 0);
		ck_assert_int_eq(a->bind->ops->set_fwmark(a->bind, (uint32_t)i % 2), 0);
	}
	g_atomic_int_set(&churn.stop, 1);
	g_thread_join(sender);
	g_thread_join(receiver);
	BedReceived received;
	bed_received_init(&received);
	bed_receive_rest(b, 0, &received);
	bed_received_done(&received);
	bed_ping(a, b, 148);
	bed_done(&churn.bed);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		what_cannot_be_is_refused,
		many_peers_over_one_socket_do_not_mix,
		what_nobody_has_goes_to_the_function,
		the_newest_receives,
		it_ends_with_its_carrier,
		a_rest_ends_with_its_channel,
		a_rest_ends_with_its_carrier,
		they_may_change_at_any_time,
	};
	const TTest *const of_kinds[] = {
		segments_are_used,
		messages_of_all_types_may_be_mixed,
	};
	int failed = bed_run("bind relayed", tests, G_N_ELEMENTS(tests), 1);
	return failed | bed_run("bind relayed kinds", of_kinds, G_N_ELEMENTS(of_kinds), 2);
}
