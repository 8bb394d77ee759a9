/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/wg/threads.h"
#include "unit/wg/watch_bed.h"

#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>
#include <wice/error.h>

static const WiceWatchOptions only_hints = { .size = sizeof only_hints, ONLY_HINTS };

/* A few dispatches, and then none. */
static void expect_sleep(Bed *bed)
{
	unsigned n = 0;
	while (bed_wait(bed, 500))
		ck_assert_uint_le(++n, 20);
}

START_TEST(what_is_there_is_added)
{
	Bed bed;
	bed_set_up(&bed);
	bed_device(&bed, "wg1", 0, 0, 0);
	bed_device(&bed, "wg0", 0, 0, 2);
	bed_start(&bed, NULL, &only_hints);
	ck_assert_uint_eq(bed.log->len, 0); /* not before it is dispatched */
	bed_expect(&bed, "wg1 device-added");
	bed_check(&bed, "wg0 device-added, wg0 added-1, wg0 added-2, wg1 device-added");
	bed_tear_down(&bed);
}
END_TEST

START_TEST(devices_come_and_go)
{
	Bed bed;
	bed_set_up(&bed);
	bed_start(&bed, NULL, &only_hints);
	bed_device(&bed, "wg0", 1, 0, 1);
	wice__watch_hint(bed.watch, "wg0");
	bed_expect(&bed, "wg0 added-1");
	bed_device(&bed, "wg0", 1, 7, 1);
	wice__watch_hint(bed.watch, "wg0");
	bed_expect(&bed, "wg0 device-changed");
	wice__wg_fake_remove_device(bed.fake, "wg0");
	wice__watch_hint(bed.watch, "wg0");
	bed_expect(&bed, "wg0 device-removed");
	bed_check(&bed, "wg0 device-added, wg0 added-1, wg0 device-changed, wg0 removed-1, "
			"wg0 device-removed");
	bed_tear_down(&bed);
}
END_TEST

START_TEST(a_device_that_was_made_again_is_another_one)
{
	Bed bed;
	bed_set_up(&bed);
	bed_device(&bed, "wg0", 1, 0, 1);
	bed_start(&bed, NULL, &only_hints);
	bed_expect(&bed, "wg0 added-1");
	bed_check(&bed, "wg0 device-added, wg0 added-1");
	bed_device(&bed, "wg0", 2, 0, 1);
	wice__watch_hint(bed.watch, "wg0");
	bed_expect(&bed, "wg0 added-1");
	bed_check(&bed, "wg0 removed-1, wg0 device-removed, wg0 device-added, wg0 added-1");
	bed_tear_down(&bed);
}
END_TEST

START_TEST(hints_without_a_change_are_no_events)
{
	Bed bed;
	bed_set_up(&bed);
	bed_device(&bed, "wg0", 0, 0, 0);
	bed_device(&bed, "wg1", 0, 0, 0);
	bed_start(&bed, NULL, &only_hints);
	bed_expect(&bed, "wg1 device-added");
	wice__watch_hint(bed.watch, "wg0");
	wice__watch_hint(bed.watch, "none");
	wice__wg_fake_remove_device(bed.fake, "wg1");
	wice__watch_hint(bed.watch, "wg1");
	bed_expect(&bed, "wg1 device-removed");
	bed_check(&bed, "wg0 device-added, wg1 device-added, wg1 device-removed");
	bed_tear_down(&bed);
}
END_TEST

START_TEST(lost_hints_are_made_up_for)
{
	Bed bed;
	bed_set_up(&bed);
	bed_device(&bed, "gone", 0, 0, 1);
	bed_device(&bed, "stays", 0, 0, 0);
	bed_start(&bed, NULL, &only_hints);
	bed_expect(&bed, "stays device-added");
	wice__wg_fake_remove_device(bed.fake, "gone");
	bed_device(&bed, "new", 0, 0, 1);
	bed_peer(&bed, "stays", 1, 0);
	wice__watch_hint(bed.watch, NULL);
	bed_expect(&bed, "gone device-removed");
	bed_expect(&bed, "stays added-1");
	bed_expect(&bed, "new added-1");
	bed_tear_down(&bed);
}
END_TEST

START_TEST(silent_changes_are_found_by_polling)
{
	Bed bed;
	WiceWatchOptions options = { .size = sizeof options, .fast_ms = 1, .slow_ms = 1 };
	bed_set_up(&bed);
	bed_device(&bed, "wg0", 0, 0, 0);
	bed_start(&bed, NULL, &options);
	bed_expect(&bed, "wg0 device-added");
	bed_peer(&bed, "wg0", 1, 0);
	bed_expect(&bed, "wg0 added-1");
	bed_peer(&bed, "wg0", 1, 5);
	bed_expect(&bed, "wg0 handshake-1");
	wice__wg_fake_remove_device(bed.fake, "wg0"); /* and nobody told */
	bed_expect(&bed, "wg0 device-removed");
	bed_check(&bed, "wg0 device-added, wg0 added-1, wg0 handshake-1, wg0 removed-1, "
			"wg0 device-removed");
	bed_tear_down(&bed);
}
END_TEST

START_TEST(what_connects_is_polled_fast)
{
	Bed bed;
	WiceWatchOptions options = { .size = sizeof options, .fast_ms = 1, .slow_ms = UINT_MAX };
	bed_set_up(&bed);
	bed_device(&bed, "wg0", 0, 0, 0);
	bed_start(&bed, NULL, &options);
	bed_expect(&bed, "wg0 device-added");
	bed_peer(&bed, "wg0", 1, 0);
	wice__watch_hint(bed.watch, "wg0");
	bed_expect(&bed, "wg0 added-1");
	bed_peer(&bed, "wg0", 2, 0);
	bed_expect(&bed, "wg0 added-2");
	bed_peer(&bed, "wg0", 1, 5);
	bed_peer(&bed, "wg0", 2, 5);
	bed_expect(&bed, "wg0 handshake-2");
	bed_tear_down(&bed);
}
END_TEST

START_TEST(who_is_in_a_hurry_is_polled_fast)
{
	Bed bed;
	WiceWatchOptions options = { .size = sizeof options, .fast_ms = 1, .slow_ms = UINT_MAX };
	bed_set_up(&bed);
	bed_device(&bed, "wg0", 0, 0, 0);
	bed_start(&bed, NULL, &options);
	bed_expect(&bed, "wg0 device-added");
	wice_watch_hurry(bed.watch, "wg0", 2 * DEADLINE_MS);
	wice_watch_hurry(bed.watch, "no/name", 2 * DEADLINE_MS);
	bed_peer(&bed, "wg0", 1, 5);
	bed_expect(&bed, "wg0 added-1");
	bed_peer(&bed, "wg0", 2, 5);
	bed_expect(&bed, "wg0 added-2");
	bed_tear_down(&bed);
}
END_TEST

START_TEST(own_writes_are_told)
{
	Bed bed;
	bed_set_up(&bed);
	bed_device(&bed, "wg0", 0, 0, 1);
	bed_start(&bed, NULL, &only_hints);
	bed_expect(&bed, "wg0 added-1");
	bed_write(&bed, "wg0", 1, 7);
	bed_expect(&bed, "wg0 endpoint-1");
	bed_check(&bed, "wg0 device-added, wg0 added-1, wg0 endpoint-1");
	bed_tear_down(&bed);
}
END_TEST

START_TEST(others_may_be_left_out)
{
	Bed bed;
	WiceWatchOptions options = { .size = sizeof options, .name = "wg1", ONLY_HINTS };
	bed_set_up(&bed);
	bed_device(&bed, "wg0", 0, 0, 1);
	bed_start(&bed, NULL, &options);
	wice__watch_hint(bed.watch, "wg0");
	wice_watch_hurry(bed.watch, "wg0", 1);
	bed_write(&bed, "wg0", 1, 7);
	expect_sleep(&bed);
	bed_device(&bed, "wg1", 0, 0, 1);
	wice__watch_hint(bed.watch, "wg1");
	bed_expect(&bed, "wg1 added-1");
	wice__wg_fake_remove_device(bed.fake, "wg1");
	wice__watch_hint(bed.watch, NULL);
	bed_expect(&bed, "wg1 device-removed");
	bed_check(&bed, "wg1 device-added, wg1 added-1, wg1 removed-1, wg1 device-removed");
	bed_tear_down(&bed);
}
END_TEST

/* The port is what is waited for. */
static void move_counters(Bed *bed)
{
	WiceDevicePeer peer = { .public_key = { { 1 } }, .rx_bytes = 1 };
	WiceDeviceInfo info = { .name = "wg0", .listen_port = 9, .n_peers = 1, .peers = &peer };
	wice__wg_fake_set_device(bed->fake, &info);
	wice__watch_hint(bed->watch, "wg0");
	bed_expect(bed, "wg0 device-changed");
}

START_TEST(counters_are_told_if_asked_for)
{
	for (int transfer = 0; transfer < 2; transfer++) {
		Bed bed;
		WiceWatchOptions options = { .size = sizeof options,
					     .transfer = transfer == 1,
					     ONLY_HINTS };
		bed_set_up(&bed);
		bed_device(&bed, "wg0", 0, 0, 1);
		bed_start(&bed, NULL, &options);
		bed_expect(&bed, "wg0 added-1");
		move_counters(&bed);
		ck_assert_int_eq(bed_has(&bed, "wg0 transfer-1"), transfer);
		bed_tear_down(&bed);
	}
}
END_TEST

START_TEST(trouble_is_told_once_and_what_was_known_stays)
{
	Bed bed;
	bed_set_up(&bed);
	bed_device(&bed, "wg0", 0, 0, 1);
	bed_start(&bed, NULL, &only_hints);
	bed_expect(&bed, "wg0 added-1");
	wice__wg_fake_fail(bed.fake, -EPERM);
	bed_peer(&bed, "wg0", 2, 0);
	wice__watch_hint(bed.watch, "wg0");
	bed_expect(&bed, "wg0 trouble");
	size_t n_reads = wice__wg_fake_n_reads(bed.fake);
	wice__watch_hint(bed.watch, "wg0");
	while (wice__wg_fake_n_reads(bed.fake) == n_reads)
		bed_wait(&bed, 100);
	wice__wg_fake_fail(bed.fake, 0);
	bed_expect(&bed, "wg0 added-2"); /* without a hint: it is tried again */
	wice__wg_fake_fail(bed.fake, -EPERM);
	wice__watch_hint(bed.watch, "wg0");
	bed_check(&bed, "wg0 device-added, wg0 added-1, wg0 trouble, wg0 added-2");
	bed_expect(&bed, "wg0 trouble");
	bed_tear_down(&bed);
}
END_TEST

START_TEST(a_list_that_fails_is_trouble_and_tried_again)
{
	Bed bed;
	bed_set_up(&bed);
	bed_device(&bed, "wg0", 0, 0, 0);
	wice__wg_fake_fail(bed.fake, -EIO);
	bed_start(&bed, NULL, &only_hints);
	bed_expect(&bed, " trouble");
	wice__wg_fake_fail(bed.fake, 0);
	bed_expect(&bed, "wg0 device-added");
	bed_check(&bed, " trouble, wg0 device-added");
	bed_tear_down(&bed);
}
END_TEST

START_TEST(idle_means_asleep)
{
	Bed bed;
	WiceWatchOptions options = { .size = sizeof options, .slow_ms = 3600000 };
	bed_set_up(&bed);
	bed_start(&bed, NULL, &options);
	expect_sleep(&bed);
	bed_device(&bed, "wg0", 0, 0, 1);
	wice__watch_hint(bed.watch, NULL); /* of a listed device the peers may be old */
	bed_expect(&bed, "wg0 added-1");
	expect_sleep(&bed);
	bed_tear_down(&bed);
}
END_TEST

START_TEST(it_may_be_freed_from_within_any_event)
{
	for (unsigned at = 1; at <= 4; at++) {
		Bed bed;
		bed_set_up(&bed);
		bed_device(&bed, "wg0", 0, 0, 2);
		bed_device(&bed, "wg1", 0, 0, 0);
		bed.free_at = at;
		bed_start(&bed, NULL, NULL);
		while (bed.watch)
			bed_wait(&bed, 1000);
		ck_assert_uint_eq(bed.log->len, at);
		ck_assert_uint_eq(bed.n_destroyed, 1);
		bed_tear_down(&bed);
	}
}
END_TEST

START_TEST(a_main_loop_may_run_it)
{
	GMainContext *context = g_main_context_new();
	for (unsigned at = 0; at <= 3; at++) {
		Bed bed;
		bed_set_up(&bed);
		bed_device(&bed, "wg0", 0, 0, 2);
		bed_start(&bed, NULL, NULL);
		bed.free_at = at;
		wice_watch_attach(bed.watch, NULL);
		wice_watch_attach(bed.watch, context);
		while (bed.watch && !bed_has(&bed, "wg0 added-2"))
			g_main_context_iteration(context, TRUE);
		if (at == 0)
			bed_write(&bed, "wg0", 1, 7);
		while (bed.watch && !bed_has(&bed, "wg0 endpoint-1"))
			g_main_context_iteration(context, TRUE);
		ck_assert_uint_eq(bed.log->len, at ? at : 4);
		bed_tear_down(&bed);
		ck_assert(!g_main_context_pending(context));
	}
	g_main_context_unref(context);
}
END_TEST

static void dispatch_again(const WiceWatchEvent *event, void *user_data)
{
	Bed *bed = user_data;
	guint n = bed->log->len;
	wice_watch_dispatch(bed->watch);
	wice_watch_hurry(bed->watch, NULL, 1);
	ck_assert_uint_eq(bed->log->len, n);
	bed_event(event, user_data);
}

START_TEST(dispatching_from_within_an_event_does_nothing)
{
	Bed bed;
	bed_set_up(&bed);
	bed_device(&bed, "wg0", 0, 0, 2);
	bed.watch =
		wice__watch_new_with(bed.wg, NULL, NULL, dispatch_again, &bed, bed_destroyed, NULL);
	bed_expect(&bed, "wg0 added-2");
	bed_check(&bed, "wg0 device-added, wg0 added-1, wg0 added-2");
	bed_tear_down(&bed);
}
END_TEST

START_TEST(the_wg_may_be_freed_first)
{
	Bed bed;
	bed_set_up(&bed);
	bed_device(&bed, "wg0", 0, 0, 1);
	bed_start(&bed, NULL, NULL);
	g_clear_pointer(&bed.wg, wice_wg_free);
	bed_expect(&bed, "wg0 added-1");
	bed_tear_down(&bed);
}
END_TEST

START_TEST(impossible_names_are_refused)
{
	Bed bed;
	g_autoptr(GError) error = NULL;
	WiceWatchOptions options = { .size = sizeof options, .name = "a/b" };
	bed_set_up(&bed);
	bed.watch = wice_watch_new(bed.wg, &options, bed_event, &bed, bed_destroyed, &error);
	ck_assert_ptr_null(bed.watch);
	ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_INVALID));
	ck_assert_uint_eq(bed.n_destroyed, 0);
	bed.n_destroyed = 1;
	bed_tear_down(&bed);
}
END_TEST

static void assert_refused(Bed *bed, const GError *error)
{
	ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_IO));
	ck_assert_uint_eq(bed->n_destroyed, 0);
}

/* However many descriptors it gets of those that it takes, it gives them back. */
START_TEST(without_descriptors_there_is_no_watch)
{
	Bed bed;
	struct rlimit limit;
	unsigned n_refused = 0;
	bed_set_up(&bed);
	int first = dup(0);
	close(first);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	for (limit.rlim_cur = (rlim_t)first; !bed.watch; limit.rlim_cur++) {
		g_autoptr(GError) error = NULL;
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
		bed.watch = wice_watch_new(bed.wg, NULL, bed_event, &bed, bed_destroyed, &error);
		if (bed.watch)
			break;
		assert_refused(&bed, error);
		n_refused++;
		if (limit.rlim_cur == (rlim_t)first)
			continue;
		ck_assert_int_eq(dup(0), first);
		close(first);
	}
	ck_assert_uint_ge(n_refused, 3);
	limit.rlim_cur = limit.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	bed_tear_down(&bed);
}
END_TEST

START_TEST(without_threads_there_is_no_watch)
{
	Bed bed;
	g_autoptr(GError) error = NULL;
	bed_set_up(&bed);
	threads_forbid();
	bed.watch = wice_watch_new(bed.wg, NULL, bed_event, &bed, bed_destroyed, &error);
	ck_assert_ptr_null(bed.watch);
	assert_refused(&bed, error);
	bed.n_destroyed = 1;
	bed_tear_down(&bed);
}
END_TEST

/* 200 devices come and go at random, with few hints lost; what was told adds up to what there is. */
typedef struct {
	WiceDevice *devices[200];
	unsigned n_events;
} World;

static void live(const WiceWatchEvent *event, void *user_data)
{
	World *world = user_data;
	WiceDevice **device = &world->devices[atoi(event->name + 2)];
	world->n_events++;
	if (event->type == WICE_WATCH_DEVICE_ADDED) {
		ck_assert_ptr_null(*device);
		*device = wice_device_ref(event->after);
		return;
	}
	ck_assert_ptr_nonnull(*device);
	if (event->after && *device != event->after) {
		ck_assert_uint_eq(wice_device_diff(*device, event->before, NULL, NULL), 0);
		wice_device_unref(*device);
		*device = wice_device_ref(event->after);
	} else if (event->type == WICE_WATCH_DEVICE_REMOVED) {
		g_clear_pointer(device, wice_device_unref);
	}
}

static bool world_is(const World *world, WiceWgFake *fake)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(world->devices); i++) {
		g_autofree char *name = g_strdup_printf("wg%u", i);
		g_autoptr(WiceDevice) device = wice__wg_fake_get_device(fake, name);
		if (wice_device_diff(device, world->devices[i], NULL, NULL) ||
		    (device == NULL) != (world->devices[i] == NULL))
			return false;
	}
	return true;
}

static void change_world(Bed *bed, GRand *random)
{
	static unsigned ifindex;
	g_autofree char *name = g_strdup_printf("wg%d", g_rand_int_range(random, 0, 200));
	g_autoptr(WiceDevice) device = wice__wg_fake_get_device(bed->fake, name);
	uint8_t peer = (uint8_t)g_rand_int_range(random, 0, 4);
	if (!device || g_rand_int_range(random, 0, 8) == 0)
		bed_device(bed, name, ++ifindex, 0, peer);
	else if (g_rand_int_range(random, 0, 4) == 0)
		wice__wg_fake_remove_device(bed->fake, name);
	else
		bed_peer(bed, name, (uint8_t)(peer + 1), g_rand_int_range(random, 1, 9));
	wice__watch_hint(bed->watch, g_rand_int_range(random, 0, 50) ? name : NULL);
}

START_TEST(many_devices_may_come_and_go)
{
	Bed bed;
	World world = { 0 };
	GRand *random = g_rand_new_with_seed(7);
	bed_set_up(&bed);
	bed.watch = wice__watch_new_with(bed.wg, NULL, &only_hints, live, &world, NULL, NULL);
	for (int i = 0; i < 3000; i++) {
		change_world(&bed, random);
		if (i % 3 == 0)
			bed_wait(&bed, 1);
	}
	int64_t deadline = wice__now_ms() + DEADLINE_MS;
	while (!world_is(&world, bed.fake) && wice__now_ms() < deadline)
		bed_wait(&bed, 1000);
	ck_assert(world_is(&world, bed.fake));
	ck_assert_uint_gt(world.n_events, 200);
	for (size_t i = 0; i < G_N_ELEMENTS(world.devices); i++)
		wice_device_unref(world.devices[i]);
	g_rand_free(random);
	bed.n_destroyed = 1;
	bed_tear_down(&bed);
}
END_TEST

SUITE_MAIN("wg watch", what_is_there_is_added, devices_come_and_go,
	   a_device_that_was_made_again_is_another_one, hints_without_a_change_are_no_events,
	   lost_hints_are_made_up_for, silent_changes_are_found_by_polling,
	   what_connects_is_polled_fast, who_is_in_a_hurry_is_polled_fast, own_writes_are_told,
	   others_may_be_left_out, counters_are_told_if_asked_for,
	   trouble_is_told_once_and_what_was_known_stays,
	   a_list_that_fails_is_trouble_and_tried_again, idle_means_asleep,
	   it_may_be_freed_from_within_any_event, a_main_loop_may_run_it,
	   dispatching_from_within_an_event_does_nothing, the_wg_may_be_freed_first,
	   impossible_names_are_refused, without_descriptors_there_is_no_watch,
	   without_threads_there_is_no_watch, many_devices_may_come_and_go)
