/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The watch while other threads write through the same WiceWg; for ThreadSanitizer, and without. */
#include "unit/wg/watch_bed.h"

#define WRITERS 3
#define ROUNDS 200

typedef struct {
	Bed *bed;
	uint8_t peer;
} Writer;

static gpointer write_often(gpointer data)
{
	Writer *writer = data;
	for (uint16_t i = 1; i <= ROUNDS; i++)
		bed_write(writer->bed, "wg0", writer->peer, i);
	return NULL;
}

/* The last endpoint of each is seen, without any poll. */
START_TEST(writes_on_other_threads_are_told)
{
	Bed bed;
	Writer writers[WRITERS];
	GThread *threads[WRITERS];
	WiceWatchOptions options = { .size = sizeof options, ONLY_HINTS };
	bed_set_up(&bed);
	bed_device(&bed, "wg0", 0, 0, WRITERS);
	bed_start(&bed, NULL, &options);
	bed_expect(&bed, "wg0 added-3");
	for (uint8_t i = 0; i < WRITERS; i++) {
		writers[i] = (Writer){ .bed = &bed, .peer = (uint8_t)(i + 1) };
		threads[i] = g_thread_new("writer", write_often, &writers[i]);
	}
	bed_expect(&bed, "wg0 endpoint-1");
	bed_expect(&bed, "wg0 endpoint-2");
	bed_expect(&bed, "wg0 endpoint-3");
	for (int i = 0; i < WRITERS; i++)
		g_thread_join(threads[i]);
	g_ptr_array_set_size(bed.log, 0);
	bed_write(&bed, "wg0", 1, ROUNDS + 1);
	bed_expect(&bed, "wg0 endpoint-1");
	bed_tear_down(&bed);
}
END_TEST

START_TEST(watches_come_and_go_while_others_write)
{
	Bed bed;
	bed_set_up(&bed);
	bed_device(&bed, "wg0", 0, 0, 1);
	Writer writer = { .bed = &bed, .peer = 1 };
	GThread *thread = g_thread_new("writer", write_often, &writer);
	for (unsigned i = 0; i < 50; i++) {
		g_ptr_array_set_size(bed.log, 0);
		bed.free_at = i % 3;
		bed_start(&bed, NULL, NULL);
		if (i % 3)
			bed_expect(&bed, "wg0 device-added");
		g_clear_pointer(&bed.watch, wice_watch_free);
	}
	g_thread_join(thread);
	ck_assert_uint_eq(bed.n_destroyed, 50);
	bed.n_destroyed = 1;
	bed_tear_down(&bed);
}
END_TEST

SUITE_MAIN("wg watch threads", writes_on_other_threads_are_told,
	   watches_come_and_go_while_others_write)
