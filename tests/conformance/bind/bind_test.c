/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "bed.h"

#include <errno.h>
#include <string.h>

/* What every bind promises. Each case runs with _i over all kinds (bed.c). */

START_TEST(a_packet_arrives_and_its_path_leads_back)
{
	Bed bed;
	if (!bed_init(&bed, &bed_kinds[_i]))
		return;
	WiceBindPath path = bed_route(&bed.a, &bed.b), back;
	BedPackets there = bed_equal_packets(1, 1, 148), answer = bed_equal_packets(2, 1, 92);
	bed_send(&bed.a, &path, &there);
	bed_expect(&bed.b, &there, &back);
	ck_assert_int_eq(wice_endpoint_compare(&back.remote, &bed.a.address), 0);
	ck_assert_uint_eq(back.channel, bed.b.channel);
	bed_send(&bed.b, &back, &answer);
	bed_expect(&bed.a, &answer, &path);
	ck_assert_int_eq(wice_endpoint_compare(&path.remote, &bed.b.address), 0);
	bed_packets_free(&there);
	bed_packets_free(&answer);
	bed_done(&bed);
}
END_TEST

START_TEST(nothing_comes_out_of_nothing)
{
	Bed bed;
	WiceBindDatagram datagram;
	if (!bed_init(&bed, &bed_kinds[_i]))
		return;
	const WiceBindOps *ops = bed.a.bind->ops;
	ck_assert_uint_le(ops->headroom, 32);
	ck_assert_ptr_nonnull(ops->name);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(ops->receive(bed.a.bind, 0, &datagram, 1), -EAGAIN);
		ck_assert(!bed_wait(ops->poll_fd(bed.a.bind, 0), 0));
	}
	WiceBindPath path = bed_route(&bed.a, &bed.b);
	ck_assert_int_eq(ops->send(bed.a.bind, &path, NULL, 0), 0);
	ck_assert(!bed_wait(ops->poll_fd(bed.b.bind, 0), 0));
	bed_done(&bed);
}
END_TEST

START_TEST(the_descriptor_is_readable_until_all_is_taken)
{
	Bed bed;
	if (!bed_init(&bed, &bed_kinds[_i]))
		return;
	const WiceBindOps *ops = bed.b.bind->ops;
	WiceBindPath path = bed_route(&bed.a, &bed.b);
	for (uint32_t i = 0; i < 3; i++) {
		BedPackets packets = bed_equal_packets(i, 1, 100 + i);
		bed_send(&bed.a, &path, &packets);
		bed_packets_free(&packets);
	}
	for (uint32_t taken = 0; taken < 3;) {
		WiceBindDatagram datagram;
		ck_assert(bed_wait(ops->poll_fd(bed.b.bind, 0), 60000));
		int r = ops->receive(bed.b.bind, 0, &datagram, 1);
		if (r == -EAGAIN)
			continue;
		ck_assert_int_eq(r, 1);
		ck_assert_uint_eq(datagram.length, 100 + taken++);
	}
	ck_assert(!bed_wait(ops->poll_fd(bed.b.bind, 0), 0));
	bed_done(&bed);
}
END_TEST

/* What packets of one send() arrive as, whatever they were joined to on the way. */
START_TEST(batches_arrive_whole_and_in_order)
{
	const struct {
		size_t n;
		uint32_t length, last; /* of all but the last, of the last */
	} cases[] = {
		{ 64, 1452, 1452 },  { 64, 1452, 100 },   { 64, 100, 1452 },   { 65, 1452, 1452 },
		{ 64, 32, 32 },      { 300, 64, 64 },     { 300, 1452, 40 },   { 128, 1280, 1280 },
		{ 129, 1280, 1280 }, { 2, 40000, 40000 }, { 3, 32753, 32753 }, { 3, 32753, 32 },
		{ 2, 65507, 65507 }, { 2, 65507, 32 },    { 2, 65475, 32 },    { 2, 65475, 33 },
		{ 500, 1420, 1420 },
	};
	Bed bed;
	if (!bed_init(&bed, &bed_kinds[_i]))
		return;
	WiceBindPath path = bed_route(&bed.a, &bed.b);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		uint32_t lengths[500];
		for (size_t j = 0; j < cases[i].n; j++)
			lengths[j] = j + 1 < cases[i].n ? cases[i].length : cases[i].last;
		BedPackets packets = bed_packets((uint32_t)i << 16, cases[i].n, lengths);
		bed_send(&bed.a, &path, &packets);
		bed_expect(&bed.b, &packets, NULL);
		bed_packets_free(&packets);
	}
	bed_done(&bed);
}
END_TEST

START_TEST(sizes_may_be_mixed)
{
	Bed bed;
	if (!bed_init(&bed, &bed_kinds[_i]))
		return;
	WiceBindPath path = bed_route(&bed.a, &bed.b);
	GRand *random = g_rand_new_with_seed(4711);
	for (uint32_t round = 0; round < 100; round++) {
		uint32_t lengths[90], length = 32;
		for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
			if (g_rand_int_range(random, 0, 4) == 0)
				length = (uint32_t)g_rand_int_range(random, 32, 1500);
			lengths[i] = length;
		}
		BedPackets packets = bed_packets(round << 16, G_N_ELEMENTS(lengths), lengths);
		bed_send(&bed.a, &path, &packets);
		bed_expect(&bed.b, &packets, NULL);
		bed_packets_free(&packets);
	}
	g_rand_free(random);
	bed_done(&bed);
}
END_TEST

START_TEST(the_smallest_and_the_largest_arrive)
{
	Bed bed;
	if (!bed_init(&bed, &bed_kinds[_i]))
		return;
	const uint32_t min = bed.kind->min, max = bed.kind->max;
	const uint32_t lengths[] = { max, min, min, max, max, min + 1, min + 1, min, min + 1, max };
	WiceBindPath path = bed_route(&bed.a, &bed.b);
	BedPackets packets = bed_packets(9, G_N_ELEMENTS(lengths), lengths);
	bed_send(&bed.a, &path, &packets);
	bed_expect(&bed.b, &packets, NULL);
	bed_packets_free(&packets);
	bed_done(&bed);
}
END_TEST

START_TEST(what_is_too_large_is_dropped_alone)
{
	const uint32_t lengths[] = { 100, 65528, 101, 65528, 70000, 102 };
	Bed bed;
	if (!bed_init(&bed, &bed_kinds[_i]))
		return;
	WiceBindPath path = bed_route(&bed.a, &bed.b);
	BedPackets packets = bed_packets(9, G_N_ELEMENTS(lengths), lengths);
	ck_assert_int_eq(bed.a.bind->ops->send(bed.a.bind, &path, packets.packets, packets.n), 3);
	ck_assert_int_eq(bed.a.bind->ops->send(bed.a.bind, &path, packets.packets + 1, 1),
			 -EMSGSIZE);
	ck_assert_uint_eq(bed_counters(&bed.a).tx_dropped, 4);
	BedReceived received;
	bed_received_init(&received);
	ck_assert(bed_receive(&bed.b, 0, &received, 3));
	for (unsigned i = 0; i < 3; i++)
		ck_assert_uint_eq(g_bytes_get_size(received.packets->pdata[i]), 100 + i);
	bed_received_done(&received);
	bed_packets_free(&packets);
	bed_done(&bed);
}
END_TEST

START_TEST(packets_are_not_changed_by_sending)
{
	const uint32_t lengths[] = { 148, 148, 92, 1452, 1452, 1452, 64 };
	Bed bed;
	if (!bed_init(&bed, &bed_kinds[_i]))
		return;
	WiceBindPath path = bed_route(&bed.a, &bed.b);
	BedPackets packets = bed_packets(5, G_N_ELEMENTS(lengths), lengths),
		   copy = bed_packets(5, G_N_ELEMENTS(lengths), lengths);
	for (int i = 0; i < 2; i++) {
		bed_send(&bed.a, &path, &packets);
		bed_expect(&bed.b, &copy, NULL);
	}
	bed_packets_free(&packets);
	bed_packets_free(&copy);
	bed_done(&bed);
}
END_TEST

START_TEST(it_opens_again)
{
	Bed bed;
	WiceBindDatagram datagram;
	uint16_t port;
	unsigned n_queues;
	if (!bed_init(&bed, &bed_kinds[_i]))
		return;
	const WiceBindOps *ops = bed.b.bind->ops;
	for (int i = 0; i < 20; i++) {
		uint16_t before = bed.b.port;
		ck_assert_int_eq(ops->open(bed.b.bind, 0, 0, 1, &port, &n_queues), -EALREADY);
		bed_ping(&bed.a, &bed.b, 148);
		ops->close(bed.b.bind);
		ops->close(bed.b.bind);
		ck_assert_int_eq(ops->receive(bed.b.bind, 0, &datagram, 1), -ENOTCONN);
		ck_assert_int_eq(ops->poll_fd(bed.b.bind, 0), -1);
		WiceBindPath path = { .remote = bed.a.address };
		BedPackets packets = bed_equal_packets(1, 1, 148);
		ck_assert_int_eq(ops->send(bed.b.bind, &path, packets.packets, 1), -ENOTCONN);
		bed_packets_free(&packets);
		ck_assert_int_eq(bed_open(bed.kind, &bed.b, i % 2 ? before : 0), 0);
		ck_assert_uint_ne(bed.b.port, 0);
		ck_assert(i % 2 == 0 || bed.b.port == before);
		bed_ping(&bed.a, &bed.b, 148);
		bed_ping(&bed.b, &bed.a, 148);
	}
	bed_done(&bed);
}
END_TEST

START_TEST(what_came_before_it_was_closed_is_forgotten)
{
	Bed bed;
	if (!bed_init(&bed, &bed_kinds[_i]))
		return;
	/* A channel's socket is not the bind's. */
	if (!bed.kind->has_channel) {
		WiceBindPath path = bed_route(&bed.a, &bed.b);
		BedPackets packets = bed_equal_packets(1, 10, 148);
		bed_send(&bed.a, &path, &packets);
		bed.b.bind->ops->close(bed.b.bind);
		ck_assert_int_eq(bed_open(bed.kind, &bed.b, bed.b.port), 0);
		bed_ping(&bed.a, &bed.b, 99);
		bed_packets_free(&packets);
	}
	bed_done(&bed);
}
END_TEST

START_TEST(sending_to_nobody_harms_nobody)
{
	Bed bed;
	if (!bed_init(&bed, &bed_kinds[_i]))
		return;
	if (bed.kind->relayed) {
		/* All of a path goes to the relay, whatever the remote. */
		bed_done(&bed);
		return;
	}
	const WiceBindOps *ops = bed.a.bind->ops;
	WiceBindPath path = bed_route(&bed.a, &bed.b), lost;
	WiceEndpoint nobody = bed.b.address;
	nobody.port = 9;
	BedPackets packets = bed_equal_packets(1, 70, 148);
	for (int i = 0; i < 20; i++) {
		ops->route(bed.a.bind, &nobody, &lost);
		lost.channel = path.channel;
		ops->send(bed.a.bind, &lost, packets.packets, packets.n);
		bed_send(&bed.a, &path, &packets);
		bed_expect(&bed.b, &packets, NULL);
		bed_send(&bed.a, &path, &packets);
		bed_expect(&bed.b, &packets, &lost);
		bed_ping(&bed.b, &bed.a, 148);
	}
	bed_packets_free(&packets);
	bed_done(&bed);
}
END_TEST

START_TEST(a_flood_is_bounded)
{
	Bed bed;
	if (!bed_init(&bed, &bed_kinds[_i]))
		return;
	WiceBindPath path = bed_route(&bed.a, &bed.b);
	BedPackets packets = bed_equal_packets(1, 100, 1400);
	uint64_t sent = 0;
	for (int i = 0; i < 200; i++) {
		int r = bed.a.bind->ops->send(bed.a.bind, &path, packets.packets, packets.n);
		ck_assert(r > 0 || r == -ENOBUFS || r == -EAGAIN);
		sent += r > 0 ? (uint64_t)r : 0;
	}
	WiceBindCounters counters = bed_counters(&bed.a);
	ck_assert_uint_eq(counters.tx_packets, sent);
	ck_assert_uint_eq(counters.tx_packets + counters.tx_dropped, 20000);
	BedReceived received;
	bed_received_init(&received);
	ck_assert(bed_receive(&bed.b, 0, &received, 500));
	bed_receive_rest(&bed.b, 0, &received);
	ck_assert_uint_lt(received.packets->len, 20000);
	ck_assert_uint_eq(bed_counters(&bed.b).rx_packets, received.packets->len);
	bed_received_done(&received);
	bed_ping(&bed.a, &bed.b, 148);
	bed_packets_free(&packets);
	bed_done(&bed);
}
END_TEST

START_TEST(counters_count)
{
	Bed bed;
	if (!bed_init(&bed, &bed_kinds[_i]))
		return;
	WiceBindPath path = bed_route(&bed.a, &bed.b);
	BedPackets packets = bed_equal_packets(1, 40, 1000);
	bed_send(&bed.a, &path, &packets);
	bed_expect(&bed.b, &packets, NULL);
	WiceBindCounters a = bed_counters(&bed.a), b = bed_counters(&bed.b);
	ck_assert_uint_eq(a.tx_packets, 40);
	ck_assert_uint_eq(b.rx_packets, 40);
	ck_assert_uint_eq(a.tx_calls, 1);
	ck_assert_uint_ge(b.rx_calls, 1);
	ck_assert_uint_eq(a.rx_packets + a.tx_dropped + a.rx_truncated + a.gso_fallbacks +
				  a.source_cleared,
			  0);
	ck_assert_uint_eq(b.tx_packets + b.tx_calls + b.tx_dropped + b.rx_truncated, 0);
	bed.a.bind->ops->close(bed.a.bind);
	ck_assert_uint_eq(bed_counters(&bed.a).tx_packets, 40);
	bed_packets_free(&packets);
	bed_done(&bed);
}
END_TEST

typedef struct {
	const BedEnd *from, *to;
	uint32_t first;
} Sender;

#define PER_SENDER 400

static void *send_many(void *user_data)
{
	const Sender *sender = user_data;
	WiceBindPath path = bed_route(sender->from, sender->to);
	for (uint32_t i = 0; i < PER_SENDER; i += 8) {
		BedPackets packets = bed_equal_packets(sender->first + i, 8, 200);
		bed_send(sender->from, &path, &packets);
		bed_packets_free(&packets);
	}
	return NULL;
}

static uint32_t number_of(GBytes *packet)
{
	const uint8_t *data = g_bytes_get_data(packet, NULL);
	return (uint32_t)data[4] << 24 | (uint32_t)data[5] << 16 | (uint32_t)data[6] << 8 | data[7];
}

/* Two threads send from a while b receives, and one sends back meanwhile. */
START_TEST(threads_send_while_others_receive)
{
	Bed bed;
	if (!bed_init(&bed, &bed_kinds[_i]))
		return;
	Sender senders[] = { { &bed.a, &bed.b, 0 },
			     { &bed.a, &bed.b, 0x10000 },
			     { &bed.b, &bed.a, 0x20000 } };
	GThread *threads[G_N_ELEMENTS(senders)];
	uint32_t next[2] = { 0, 0x10000 };
	BedReceived received;
	bed_received_init(&received);
	for (size_t i = 0; i < G_N_ELEMENTS(senders); i++)
		threads[i] = g_thread_new("sender", send_many, &senders[i]);
	ck_assert(bed_receive(&bed.b, 0, &received, (size_t)2 * PER_SENDER));
	for (size_t i = 0; i < G_N_ELEMENTS(senders); i++)
		g_thread_join(threads[i]);
	/* Of each sender in order. */
	for (unsigned i = 0; i < received.packets->len; i++) {
		uint32_t number = number_of(received.packets->pdata[i]);
		ck_assert_uint_eq(number, next[number >> 16]++);
	}
	ck_assert_uint_eq(received.packets->len, 2 * PER_SENDER);
	bed_received_done(&received);
	bed_done(&bed);
}
END_TEST

START_TEST(marks_may_be_set_at_any_time)
{
	Bed bed;
	if (!bed_init(&bed, &bed_kinds[_i]))
		return;
	for (uint32_t mark = 0; mark < 4; mark++) {
		int r = bed.a.bind->ops->set_fwmark(bed.a.bind, mark % 3);
		ck_assert(r == 0 || r == -EPERM);
		bed_ping(&bed.a, &bed.b, 148);
	}
	bed_done(&bed);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_packet_arrives_and_its_path_leads_back,
		nothing_comes_out_of_nothing,
		the_descriptor_is_readable_until_all_is_taken,
		batches_arrive_whole_and_in_order,
		sizes_may_be_mixed,
		the_smallest_and_the_largest_arrive,
		what_is_too_large_is_dropped_alone,
		packets_are_not_changed_by_sending,
		it_opens_again,
		what_came_before_it_was_closed_is_forgotten,
		sending_to_nobody_harms_nobody,
		a_flood_is_bounded,
		counters_count,
		threads_send_while_others_receive,
		marks_may_be_set_at_any_time,
	};
	return bed_run("bind", tests, G_N_ELEMENTS(tests), BED_KINDS);
}
