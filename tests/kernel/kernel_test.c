/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control API against the kernel's own WireGuard, in the machine that lab.py boots. Uses the
 * public API only. Each group is a test case of its own: CK_RUN_CASE chooses one.
 */
#include <check.h>
#include <glib.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wice/error.h>
#include <wice/plan.h>
#include <wice/watch.h>
#include <wice/wg.h>

#define NAME "wgk0"
#define PATIENCE_MS 60000u
#define CASE_TIMEOUT_S 200.0
#define NOT_COMPARED                                                                  \
	(unsigned)(WICE_CHANGE_KIND | WICE_CHANGE_IFINDEX | WICE_CHANGE_LISTEN_PORT | \
		   WICE_CHANGE_HANDSHAKE | WICE_CHANGE_TRANSFER)

static void ok(gboolean success, GError **error)
{
	ck_assert_msg(success && !*error, "%s", *error ? (*error)->message : "failed silently");
}

/* Public keys are not checked by the kernel: any number does. */
static WiceKey key_of(unsigned number)
{
	WiceKey key = { { 0xa5 } };
	memcpy(key.bytes + 4, &number, sizeof number);
	return key;
}

static WiceWg *with_device(void)
{
	GError *error = NULL;
	WiceWg *wg = wice_wg_new();
	ok(wice_wg_create(wg, NAME, PATIENCE_MS, &error), &error);
	return wg;
}

static void end(WiceWg *wg)
{
	GError *error = NULL;
	ok(wice_wg_delete(wg, NAME, PATIENCE_MS, &error), &error);
	wice_wg_free(wg);
}

static WiceDevice *get(WiceWg *wg)
{
	GError *error = NULL;
	WiceDevice *device = wice_wg_get(wg, NAME, PATIENCE_MS, &error);
	ok(device != NULL, &error);
	return device;
}

static void apply(WiceWg *wg, const WicePlan *plan)
{
	GError *error = NULL;
	ok(wice_wg_set(wg, NAME, plan, PATIENCE_MS, &error), &error);
}

/* Peers first .. first + n - 1, each with n_ips allowed IPs of its own. */
static WicePlan *plan_peers(unsigned flags, unsigned first, unsigned n, unsigned n_ips)
{
	GError *error = NULL;
	WicePeerChange *peers = g_new0(WicePeerChange, n);
	WiceAllowedIpChange *ips = g_new0(WiceAllowedIpChange, (gsize)n * n_ips);
	for (unsigned i = 0; i < n; i++) {
		unsigned number = first + i;
		peers[i].public_key = key_of(number);
		peers[i].fields = WICE_PEER_HAS_ENDPOINT;
		ck_assert(wice_endpoint_parse("192.0.2.1:51820", &peers[i].endpoint));
		peers[i].endpoint.port = (uint16_t)(1 + number % 60000);
		peers[i].n_allowed_ips = n_ips;
		peers[i].allowed_ips = ips + (gsize)i * n_ips;
		for (unsigned j = 0; j < n_ips; j++) {
			unsigned at = number * n_ips + j;
			WicePrefix *prefix = &ips[(gsize)i * n_ips + j].prefix;
			prefix->address.family = WICE_FAMILY_IPV6;
			prefix->address.bytes[0] = 0xfd;
			memcpy(prefix->address.bytes + 4, &at, sizeof at);
			prefix->length = 128;
		}
	}
	WiceDeviceChange change = {
		.size = sizeof change, .flags = flags, .n_peers = n, .peers = peers
	};
	WicePlan *plan = wice_plan_new(&change, &error);
	ok(plan != NULL, &error);
	g_free(peers);
	g_free(ips);
	return plan;
}

static void assert_is(WiceWg *wg, const WiceDevice *expected)
{
	WiceDevice *device = get(wg);
	unsigned changes = wice_device_diff(expected, device, NULL, NULL) & ~NOT_COMPARED;
	ck_assert_msg(changes == 0, "the device is not as expected: %#x", changes);
	wice_device_unref(device);
}

START_TEST(without_the_module_there_is_nothing)
{
	g_autoptr(GError) list_error = NULL;
	g_autoptr(GError) get_error = NULL;
	g_autoptr(GError) create_error = NULL;
	g_autoptr(WiceWg) wg = wice_wg_new();
	g_auto(GStrv) names = wice_wg_list(wg, NULL, &list_error);
	ck_assert_msg(names && !*names, "%s", list_error ? list_error->message : "devices?");
	ck_assert_ptr_null(wice_wg_get(wg, NAME, PATIENCE_MS, &get_error));
	ck_assert(g_error_matches(get_error, WICE_ERROR, WICE_ERROR_NOT_FOUND));
	ck_assert(!wice_wg_create(wg, NAME, PATIENCE_MS, &create_error));
	ck_assert_msg(g_error_matches(create_error, WICE_ERROR, WICE_ERROR_UNSUPPORTED), "%s",
		      create_error->message);
}
END_TEST

START_TEST(ten_thousand_peers_are_set_and_read)
{
	WiceWg *wg = with_device();
	WicePlan *plan = plan_peers(WICE_DEVICE_CHANGE_REPLACE_PEERS, 0, 10000, 10);
	WiceDevice *expected = wice_plan_result(plan, NULL);
	gint64 start = g_get_monotonic_time();
	apply(wg, plan);
	gint64 set = g_get_monotonic_time();
	printf("figure: kernel_set_10000_peers_ms %.0f (emulated)\n", (double)(set - start) / 1000);
	assert_is(wg, expected);
	printf("figure: kernel_get_10000_peers_ms %.0f (emulated)\n",
	       (double)(g_get_monotonic_time() - set) / 1000);

	/* One changed peer is one peer sent. */
	WicePlan *change = plan_peers(0, 77, 1, 10);
	WicePeerChange peer = wice_plan_change(change)->peers[0];
	peer.endpoint.port = 4;
	WiceDeviceChange one = { .size = sizeof one, .n_peers = 1, .peers = &peer };
	GError *error = NULL;
	WicePlan *changed = wice_plan_new(&one, &error);
	WiceDevice *wanted = wice_plan_result(changed, expected);
	WiceDevice *present = get(wg);
	WicePlan *sync = wice_plan_between(present, wanted, 0);
	ck_assert_uint_eq(wice_plan_change(sync)->n_peers, 1);
	apply(wg, sync);
	assert_is(wg, wanted);
	wice_plan_unref(plan);
	wice_plan_unref(change);
	wice_plan_unref(changed);
	wice_plan_unref(sync);
	wice_device_unref(expected);
	wice_device_unref(wanted);
	wice_device_unref(present);
	end(wg);
}
END_TEST

START_TEST(one_peer_with_very_many_allowed_ips)
{
	WiceWg *wg = with_device();
	WicePlan *plan = plan_peers(WICE_DEVICE_CHANGE_REPLACE_PEERS, 3, 1, 30000);
	WiceDevice *expected = wice_plan_result(plan, NULL);
	apply(wg, plan);
	assert_is(wg, expected);
	/* Again, and nothing is different. */
	apply(wg, plan);
	assert_is(wg, expected);
	wice_plan_unref(plan);
	wice_device_unref(expected);
	end(wg);
}
END_TEST

typedef struct {
	unsigned number;
	unsigned n_errors;
} Writer;

#define N_WRITERS 4
#define ROUNDS 12
#define PEERS_PER_WRITER 200

/* Each writer has its own peers, and leaves them all set. */
static gpointer write_peers(gpointer data)
{
	Writer *writer = data;
	WiceWg *wg = wice_wg_new();
	for (unsigned round = 0; round < ROUNDS; round++) {
		g_autoptr(GError) error = NULL;
		WicePlan *plan =
			plan_peers(0, writer->number * PEERS_PER_WRITER, PEERS_PER_WRITER, 3);
		if (!wice_wg_set(wg, NAME, plan, PATIENCE_MS, &error)) {
			writer->n_errors++;
			printf("%s\n", error->message);
		}
		wice_plan_unref(plan);
	}
	wice_wg_free(wg);
	return NULL;
}

START_TEST(writers_do_not_disturb_one_another)
{
	WiceWg *wg = with_device();
	Writer writers[N_WRITERS] = { { 0 } };
	GThread *threads[N_WRITERS];
	for (unsigned i = 0; i < N_WRITERS; i++) {
		writers[i].number = i;
		threads[i] = g_thread_new("writer", write_peers, &writers[i]);
	}
	/* What is read meanwhile is whole, or an error that says that it changes all the time. */
	for (unsigned i = 0; i < 20; i++) {
		g_autoptr(GError) error = NULL;
		WiceDevice *device = wice_wg_get(wg, NAME, PATIENCE_MS, &error);
		ck_assert_msg(device || g_error_matches(error, WICE_ERROR, WICE_ERROR_BUSY), "%s",
			      error ? error->message : "");
		wice_device_unref(device);
	}
	for (unsigned i = 0; i < N_WRITERS; i++) {
		g_thread_join(threads[i]);
		ck_assert_uint_eq(writers[i].n_errors, 0);
	}
	WicePlan *all = plan_peers(0, 0, N_WRITERS * PEERS_PER_WRITER, 3);
	WiceDevice *expected = wice_plan_result(all, NULL);
	assert_is(wg, expected);
	wice_plan_unref(all);
	wice_device_unref(expected);
	end(wg);
}
END_TEST

typedef struct {
	WiceWatch *watch;
	unsigned seen[WICE_WATCH_TROUBLE + 1];
	gint64 when[WICE_WATCH_TROUBLE + 1];
} Seen;

static void record(const WiceWatchEvent *event, void *user_data)
{
	Seen *seen = user_data;
	if (strcmp(event->name, NAME) != 0)
		return;
	seen->seen[event->type]++;
	seen->when[event->type] = g_get_monotonic_time();
}

/* Without a main loop: poll(2) and dispatch, until the event has come so often. */
static void wait_for(Seen *seen, WiceWatchEventType type, unsigned n)
{
	gint64 until = g_get_monotonic_time() + (gint64)PATIENCE_MS * 1000;
	while (seen->seen[type] < n) {
		struct pollfd pollfd = { .fd = wice_watch_fd(seen->watch), .events = POLLIN };
		ck_assert_msg(g_get_monotonic_time() < until, "event %d did not come", type);
		poll(&pollfd, 1, 100);
		wice_watch_dispatch(seen->watch);
	}
}

static void start_watch(WiceWg *wg, Seen *seen)
{
	GError *error = NULL;
	WiceWatchOptions options = { .size = sizeof options, .transfer = true };
	seen->watch = wice_watch_new(wg, &options, record, seen, NULL, &error);
	ok(seen->watch != NULL, &error);
	wice_watch_dispatch(seen->watch);
}

START_TEST(the_watch_sees_what_another_program_does)
{
	WiceWg *watching = wice_wg_new(), *other;
	Seen seen = { 0 };
	start_watch(watching, &seen);
	gint64 start = g_get_monotonic_time();
	other = with_device();
	wait_for(&seen, WICE_WATCH_DEVICE_ADDED, 1);
	printf("figure: kernel_watch_device_added_ms %.1f (emulated)\n",
	       (double)(seen.when[WICE_WATCH_DEVICE_ADDED] - start) / 1000);

	WicePlan *plan = plan_peers(0, 0, 1, 1);
	wice_watch_hurry(seen.watch, NAME, 10000);
	start = g_get_monotonic_time();
	apply(other, plan);
	wait_for(&seen, WICE_WATCH_PEER_ADDED, 1);
	printf("figure: kernel_watch_peer_added_ms %.1f (emulated)\n",
	       (double)(seen.when[WICE_WATCH_PEER_ADDED] - start) / 1000);

	WicePeerUpdate update = { .size = sizeof update, .public_key = key_of(0) };
	GError *error = NULL;
	update.set_endpoint = true;
	ck_assert(wice_endpoint_parse("198.51.100.1:7", &update.endpoint));
	ok(wice_wg_update_peer(other, NAME, &update, PATIENCE_MS, &error), &error);
	wait_for(&seen, WICE_WATCH_ENDPOINT, 1);

	WicePeerChange remove = { .flags = WICE_PEER_CHANGE_REMOVE, .public_key = key_of(0) };
	WiceDeviceChange change = { .size = sizeof change, .n_peers = 1, .peers = &remove };
	WicePlan *removal = wice_plan_new(&change, &error);
	apply(other, removal);
	wait_for(&seen, WICE_WATCH_PEER_REMOVED, 1);
	end(other);
	wait_for(&seen, WICE_WATCH_DEVICE_REMOVED, 1);
	wice_plan_unref(plan);
	wice_plan_unref(removal);
	wice_watch_free(seen.watch);
	wice_wg_free(watching);
}
END_TEST

/* The events of so many links do not fit into the socket (ENOBUFS). */
START_TEST(the_watch_survives_lost_events)
{
	WiceWg *wg = wice_wg_new();
	Seen seen = { 0 };
	GError *error = NULL;
	start_watch(wg, &seen);
	for (unsigned i = 0; i < 400; i++) {
		ok(wice_wg_create(wg, "wgstorm", PATIENCE_MS, &error), &error);
		ok(wice_wg_delete(wg, "wgstorm", PATIENCE_MS, &error), &error);
	}
	ok(wice_wg_create(wg, NAME, PATIENCE_MS, &error), &error);
	wait_for(&seen, WICE_WATCH_DEVICE_ADDED, 1);
	wice_watch_free(seen.watch);
	end(wg);
}
END_TEST

START_TEST(links_can_be_made_and_changed)
{
	WiceWg *wg = with_device();
	GError *error = NULL;
	WiceInterfaceAddress addresses[2];
	ck_assert(wice_interface_address_parse("10.9.8.7/24", &addresses[0]));
	ck_assert(wice_interface_address_parse("fd00::7/64", &addresses[1]));
	WiceLinkChange change = { .size = sizeof change,
				  .set_up = true,
				  .up = true,
				  .mtu = 1333,
				  .n_add = 2,
				  .add = addresses };
	ok(wice_wg_set_link(wg, NAME, &change, PATIENCE_MS, &error), &error);
	ok(wice_wg_set_link(wg, NAME, &change, PATIENCE_MS, &error), &error); /* again */
	WiceLink *link = wice_wg_get_link(wg, NAME, PATIENCE_MS, &error);
	ok(link != NULL, &error);
	ck_assert(link->up);
	ck_assert_uint_eq(link->mtu, 1333);
	ck_assert_uint_ge(link->n_addresses, 2);
	wice_link_free(link);

	g_autoptr(GError) exists = NULL;
	ck_assert(!wice_wg_create(wg, NAME, PATIENCE_MS, &exists));
	ck_assert(g_error_matches(exists, WICE_ERROR, WICE_ERROR_EXISTS));

	WiceLinkChange rename = { .size = sizeof rename, .set_up = true, .new_name = "wgk1" };
	ok(wice_wg_set_link(wg, NAME, &rename, PATIENCE_MS, &error), &error);
	WiceDevice *device = wice_wg_get(wg, "wgk1", PATIENCE_MS, &error);
	ok(device != NULL, &error);
	wice_device_unref(device);
	rename.new_name = NAME;
	ok(wice_wg_set_link(wg, "wgk1", &rename, PATIENCE_MS, &error), &error);

	/* What is no WireGuard interface is not deleted. */
	g_autoptr(GError) other = NULL;
	ck_assert(!wice_wg_delete(wg, "lo", PATIENCE_MS, &other));
	ck_assert(g_error_matches(other, WICE_ERROR, WICE_ERROR_NOT_FOUND));
	end(wg);
}
END_TEST

START_TEST(without_privileges_it_is_said_so)
{
	WiceWg *wg = with_device();
	ck_assert_int_eq(setgid(65534), 0);
	ck_assert_int_eq(setuid(65534), 0);
	g_autoptr(GError) get_error = NULL;
	g_autoptr(GError) set_error = NULL;
	g_autoptr(GError) create_error = NULL;
	g_autoptr(GError) delete_error = NULL;
	ck_assert_ptr_null(wice_wg_get(wg, NAME, PATIENCE_MS, &get_error));
	ck_assert(g_error_matches(get_error, WICE_ERROR, WICE_ERROR_PERMISSION));
	WicePlan *plan = plan_peers(0, 0, 1, 1);
	ck_assert(!wice_wg_set(wg, NAME, plan, PATIENCE_MS, &set_error));
	ck_assert(g_error_matches(set_error, WICE_ERROR, WICE_ERROR_PERMISSION));
	ck_assert(!wice_wg_create(wg, "wgk2", PATIENCE_MS, &create_error));
	ck_assert(g_error_matches(create_error, WICE_ERROR, WICE_ERROR_PERMISSION));
	ck_assert(!wice_wg_delete(wg, NAME, PATIENCE_MS, &delete_error));
	ck_assert(g_error_matches(delete_error, WICE_ERROR, WICE_ERROR_PERMISSION));
	wice_plan_unref(plan);
	wice_wg_free(wg);
}
END_TEST

static TCase *add_case(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);
	tcase_set_timeout(tcase, CASE_TIMEOUT_S);
	suite_add_tcase(suite, tcase);
	return tcase;
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	Suite *suite = suite_create("kernel");
	tcase_add_test(add_case(suite, "absent"), without_the_module_there_is_nothing);
	TCase *large = add_case(suite, "large");
	tcase_add_test(large, ten_thousand_peers_are_set_and_read);
	tcase_add_test(large, one_peer_with_very_many_allowed_ips);
	tcase_add_test(add_case(suite, "writers"), writers_do_not_disturb_one_another);
	TCase *watch = add_case(suite, "watch");
	tcase_add_test(watch, the_watch_sees_what_another_program_does);
	tcase_add_test(watch, the_watch_survives_lost_events);
	tcase_add_test(add_case(suite, "links"), links_can_be_made_and_changed);
	tcase_add_test(add_case(suite, "unprivileged"), without_privileges_it_is_said_so);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
