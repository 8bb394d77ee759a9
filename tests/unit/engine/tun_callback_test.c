/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/tun.h"

#include <errno.h>
#include <poll.h>

#include "suite.h"
#include "unit/engine/frame.h"

#define WAITING_MAX 1024

typedef struct {
	WiceTun *tun;
	WicePacketArena arena;
	size_t n_written, bytes_written;
} Bed;

static void written(const uint8_t *packet, size_t length, void *user_data)
{
	Bed *bed = user_data;
	bed->n_written++;
	bed->bytes_written += length;
}

static void start(Bed *bed)
{
	*bed = (Bed){ 0 };
	bed->tun = wice__tun_callback_new(written, bed);
	ck_assert_ptr_nonnull(bed->tun);
	ck_assert_uint_eq(bed->tun->n_queues, 1);
	wice__packet_arena_init(&bed->arena, 1420);
}

static void stop(Bed *bed)
{
	bed->tun->ops->free(bed->tun);
	wice__packet_arena_done(&bed->arena);
}

static int inject(Bed *bed, size_t payload)
{
	static _Thread_local uint8_t data[WICE_PACKET_MAX + 10];
	Frame frame = { .payload = payload, .fill = (uint8_t)payload };
	return wice__tun_callback_inject(bed->tun, data, frame_make(&frame, data));
}

static int read_one(Bed *bed)
{
	return bed->tun->ops->read(bed->tun, 0, &bed->arena);
}

static bool is_readable(Bed *bed)
{
	struct pollfd fd = { bed->tun->ops->poll_fd(bed->tun, 0), POLLIN, 0 };
	return poll(&fd, 1, 0) == 1;
}

static WiceTunCounters counters_of(Bed *bed)
{
	WiceTunCounters counters;
	bed->tun->ops->counters(bed->tun, &counters);
	return counters;
}

START_TEST(what_is_injected_is_read_in_order)
{
	Bed bed;
	start(&bed);
	ck_assert(!is_readable(&bed));
	ck_assert_int_eq(read_one(&bed), -EAGAIN);
	for (size_t i = 0; i < 50; i++)
		ck_assert_int_eq(inject(&bed, i), 0);
	for (size_t i = 0; i < 50; i++) {
		ck_assert(is_readable(&bed));
		ck_assert_int_eq(read_one(&bed), 0);
		ck_assert_uint_eq(bed.arena.n, i + 1);
		const WicePacket *packet = &bed.arena.packets[i];
		ck_assert_ptr_eq(packet->data, wice__packet_arena_slot(&bed.arena, i));
		ck_assert_uint_eq(packet->length, 40 + i);
		ck_assert(frame_is_valid(packet->data, packet->length));
	}
	ck_assert(!is_readable(&bed));
	ck_assert_int_eq(read_one(&bed), -EAGAIN);
	ck_assert_uint_eq(counters_of(&bed).rx_packets, 50);
	stop(&bed);
}
END_TEST

START_TEST(a_full_arena_is_told)
{
	Bed bed;
	start(&bed);
	for (size_t i = 0; i <= bed.arena.n_slots; i++)
		ck_assert_int_eq(inject(&bed, 10), 0);
	for (size_t i = 0; i < bed.arena.n_slots; i++)
		ck_assert_int_eq(read_one(&bed), 0);
	ck_assert_int_eq(read_one(&bed), -ENOBUFS);
	wice__packet_arena_empty(&bed.arena);
	ck_assert_int_eq(read_one(&bed), 0);
	ck_assert_int_eq(read_one(&bed), -EAGAIN);
	stop(&bed);
}
END_TEST

START_TEST(the_queue_is_bounded)
{
	Bed bed;
	start(&bed);
	for (size_t i = 0; i < WAITING_MAX; i++)
		ck_assert_int_eq(inject(&bed, 10), 0);
	ck_assert_int_eq(inject(&bed, 10), -ENOBUFS);
	ck_assert_int_eq(read_one(&bed), 0);
	ck_assert_int_eq(inject(&bed, 10), 0);
	ck_assert_int_eq(inject(&bed, 10), -ENOBUFS);
	stop(&bed);
}
END_TEST

START_TEST(what_is_no_packet_is_refused)
{
	static uint8_t data[WICE_PACKET_MAX + 1];
	Bed bed;
	start(&bed);
	ck_assert_int_eq(wice__tun_callback_inject(bed.tun, data, 0), -EINVAL);
	ck_assert_int_eq(wice__tun_callback_inject(bed.tun, data, 40), -EINVAL);
	ck_assert_int_eq(wice__tun_callback_inject(bed.tun, data, sizeof data), -EMSGSIZE);
	ck_assert(!is_readable(&bed));
	stop(&bed);
}
END_TEST

START_TEST(what_is_behind_a_packet_is_cut_off)
{
	Frame frame = { .payload = 10 };
	uint8_t data[100];
	Bed bed;
	start(&bed);
	size_t length = frame_make(&frame, data);
	ck_assert_int_eq(wice__tun_callback_inject(bed.tun, data, length + 6), 0);
	ck_assert_int_eq(read_one(&bed), 0);
	ck_assert_uint_eq(bed.arena.packets[0].length, length);
	stop(&bed);
}
END_TEST

START_TEST(packets_longer_than_a_slot_are_dropped)
{
	Bed bed;
	start(&bed);
	ck_assert_int_eq(inject(&bed, 9000), 0);
	ck_assert_int_eq(inject(&bed, 100), 0);
	ck_assert_int_eq(read_one(&bed), 0);
	ck_assert_uint_eq(bed.arena.n, 0);
	ck_assert_int_eq(read_one(&bed), 0);
	ck_assert_uint_eq(bed.arena.n, 1);
	ck_assert_uint_eq(counters_of(&bed).rx_malformed, 1);
	ck_assert_uint_eq(counters_of(&bed).rx_packets, 1);
	stop(&bed);
}
END_TEST

START_TEST(what_is_written_goes_to_the_function)
{
	Bed bed;
	start(&bed);
	ck_assert_int_eq(inject(&bed, 100), 0);
	ck_assert_int_eq(inject(&bed, 200), 0);
	ck_assert_int_eq(read_one(&bed), 0);
	ck_assert_int_eq(read_one(&bed), 0);
	bed.tun->ops->write(bed.tun, 0, bed.arena.packets, bed.arena.n);
	ck_assert_uint_eq(bed.n_written, 2);
	ck_assert_uint_eq(bed.bytes_written, 380);
	ck_assert_uint_eq(counters_of(&bed).tx_packets, 2);
	stop(&bed);
}
END_TEST

#define N_THREADS 4
#define N_EACH 5000

static void *inject_many(void *user_data)
{
	for (size_t i = 0; i < N_EACH;)
		if (inject(user_data, 10) == 0)
			i++;
		else
			g_thread_yield();
	return NULL;
}

START_TEST(threads_may_inject)
{
	GThread *threads[N_THREADS];
	Bed bed;
	start(&bed);
	for (size_t i = 0; i < N_THREADS; i++)
		threads[i] = g_thread_new("inject", inject_many, &bed);
	for (size_t n = 0; n < N_THREADS * N_EACH;) {
		struct pollfd fd = { bed.tun->ops->poll_fd(bed.tun, 0), POLLIN, 0 };
		ck_assert_int_eq(poll(&fd, 1, 60000), 1);
		while (read_one(&bed) == 0) {
			n++;
			wice__packet_arena_empty(&bed.arena);
		}
	}
	for (size_t i = 0; i < N_THREADS; i++)
		g_thread_join(threads[i]);
	ck_assert(!is_readable(&bed));
	stop(&bed);
}
END_TEST

SUITE_MAIN("engine tun callback", what_is_injected_is_read_in_order, a_full_arena_is_told,
	   the_queue_is_bounded, what_is_no_packet_is_refused, what_is_behind_a_packet_is_cut_off,
	   packets_longer_than_a_slot_are_dropped, what_is_written_goes_to_the_function,
	   threads_may_inject)
