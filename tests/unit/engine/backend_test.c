/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Engines as devices of a WiceWg. What all devices have in common is in tests/conformance/wg. */
#include "suite.h"

#include <string.h>
#include <wice/engine.h>
#include <wice/error.h>
#include <wice/watch.h>

#include "wg/backend.h"
#include "wg/fake.h"
#include "wg/watch.h"

#define PATIENCE_S 60
#define TIMEOUT_MS 60000

static void drop_packet(const uint8_t *packet, size_t length, void *user_data)
{
}

static WiceEngine *make_engine(const char *name, WiceBind *bind)
{
	const WiceEngineOptions options = {
		.size = sizeof options, .name = name, .output = drop_packet, .bind = bind
	};
	g_autoptr(GError) error = NULL;
	WiceEngine *engine = wice_engine_new(NULL, &options, &error);
	ck_assert_msg(engine != NULL, "%s", error ? error->message : "");
	return engine;
}

static void attach(WiceEngine *engine, WiceWg *wg)
{
	g_autoptr(GError) error = NULL;
	ck_assert_msg(wice_engine_attach(engine, wg, &error), "%s", error ? error->message : "");
}

static bool is_listed(WiceWg *wg, const char *name)
{
	g_auto(GStrv) names = wice_wg_list(wg, NULL, NULL);
	return names && g_strv_contains((const char *const *)names, name);
}

static WiceDeviceKind kind_of(WiceWg *wg, const char *name)
{
	g_autoptr(WiceDevice) device = wice_wg_get(wg, name, TIMEOUT_MS, NULL);
	return device ? wice_device_info(device)->kind : 0;
}

START_TEST(an_engine_is_a_device_until_it_is_freed)
{
	g_autoptr(WiceWg) wg = wice__wg_new_with(NULL, 0);
	WiceEngine *engine = make_engine("wga", NULL);
	ck_assert(!is_listed(wg, "wga"));
	attach(engine, wg);
	ck_assert(is_listed(wg, "wga"));
	ck_assert_int_eq(kind_of(wg, "wga"), WICE_DEVICE_ENGINE);
	ck_assert_str_eq(wice_device_kind_name(kind_of(wg, "wga")), "engine");
	wice_engine_free(engine);
	ck_assert(!is_listed(wg, "wga"));
	ck_assert_int_eq(kind_of(wg, "wga"), 0);
}
END_TEST

START_TEST(the_wg_may_be_freed_first)
{
	WiceWg *wg = wice__wg_new_with(NULL, 0);
	g_autoptr(WiceEngine) engine = make_engine("wga", NULL);
	attach(engine, wg);
	wice_wg_free(wg);
	g_autoptr(WiceDevice) device = wice_engine_get(engine);
	ck_assert_str_eq(wice_device_info(device)->name, "wga");
}
END_TEST

START_TEST(it_comes_before_other_devices_of_its_name)
{
	WiceWgFake *fake = wice__wg_fake_new();
	WiceWgBackend *backend = wice__wg_fake_backend(fake);
	g_autoptr(WiceWg) wg = wice__wg_new_with(&backend, 1);
	wice__wg_fake_set_device(fake, &(WiceDeviceInfo){ .name = "wga" });
	WiceEngine *engine = make_engine("wga", NULL);
	attach(engine, wg);
	ck_assert_int_eq(kind_of(wg, "wga"), WICE_DEVICE_ENGINE);
	g_auto(GStrv) names = wice_wg_list(wg, NULL, NULL);
	ck_assert_uint_eq(g_strv_length(names), 1);
	wice_engine_free(engine);
	ck_assert_int_eq(kind_of(wg, "wga"), WICE_DEVICE_FAKE);
	wice__wg_fake_free(fake);
}
END_TEST

START_TEST(names_are_needed_and_are_taken_once)
{
	g_autoptr(WiceWg) wg = wice__wg_new_with(NULL, 0);
	g_autoptr(WiceWg) other = wice__wg_new_with(NULL, 0);
	g_autoptr(WiceEngine) nameless = make_engine(NULL, NULL);
	g_autoptr(WiceEngine) first = make_engine("wga", NULL);
	g_autoptr(WiceEngine) second = make_engine("wga", NULL);
	g_autoptr(GError) invalid = NULL, exists = NULL, twice = NULL;
	ck_assert(!wice_engine_attach(nameless, wg, &invalid));
	ck_assert(g_error_matches(invalid, WICE_ERROR, WICE_ERROR_INVALID));
	attach(first, wg);
	ck_assert(!wice_engine_attach(second, wg, &exists));
	ck_assert(g_error_matches(exists, WICE_ERROR, WICE_ERROR_EXISTS));
	ck_assert(!wice_engine_attach(first, wg, &twice));
	ck_assert(g_error_matches(twice, WICE_ERROR, WICE_ERROR_EXISTS));
	attach(first, other);
	ck_assert_int_eq(kind_of(other, "wga"), WICE_DEVICE_ENGINE);
}
END_TEST

START_TEST(links_of_that_name_are_not_the_engines)
{
	g_autoptr(WiceWg) wg = wice__wg_new_with(NULL, 0);
	g_autoptr(WiceEngine) engine = make_engine("lo", NULL); /* on callbacks: it has none */
	g_autoptr(GError) get = NULL, set = NULL, removal = NULL;
	WiceLinkChange change = { .size = sizeof change, .mtu = 65536 - 1 };
	attach(engine, wg);
	ck_assert_ptr_null(wice_wg_get_link(wg, "lo", TIMEOUT_MS, &get));
	ck_assert(!wice_wg_set_link(wg, "lo", &change, TIMEOUT_MS, &set));
	ck_assert(!wice_wg_delete(wg, "lo", TIMEOUT_MS, &removal));
	ck_assert(g_error_matches(get, WICE_ERROR, WICE_ERROR_NOT_FOUND));
	ck_assert(g_error_matches(set, WICE_ERROR, WICE_ERROR_NOT_FOUND));
	ck_assert(g_error_matches(removal, WICE_ERROR, WICE_ERROR_NOT_FOUND));
}
END_TEST

START_TEST(what_the_engine_refuses_is_an_error_of_the_device)
{
	g_autoptr(WiceWg) wg = wice__wg_new_with(NULL, 0);
	g_autoptr(WiceEngine) first = make_engine("wga", NULL);
	g_autoptr(WiceEngine) second = make_engine("wgb", NULL);
	g_autoptr(GError) error = NULL;
	attach(first, wg);
	attach(second, wg);
	g_autoptr(WiceDevice) device = wice_wg_get(wg, "wga", TIMEOUT_MS, NULL);
	WiceDeviceChange change = { .size = sizeof change,
				    .fields = WICE_DEVICE_HAS_LISTEN_PORT,
				    .listen_port = wice_device_info(device)->listen_port };
	g_autoptr(WicePlan) plan = wice_plan_new(&change, NULL);
	ck_assert_uint_ne(change.listen_port, 0);
	ck_assert(!wice_wg_set(wg, "wgb", plan, TIMEOUT_MS, &error));
	ck_assert_msg(g_error_matches(error, WICE_ERROR, WICE_ERROR_BUSY), "%s", error->message);
}
END_TEST

/* A watch that polls next to never: what it is told is all that it knows. */

typedef struct {
	WiceWatch *watch;
	GString *log;
} Bed;

static void on_watch(const WiceWatchEvent *event, void *user_data)
{
	static const char *const names[] = {
		[WICE_WATCH_DEVICE_ADDED] = "added",
		[WICE_WATCH_DEVICE_REMOVED] = "removed",
		[WICE_WATCH_DEVICE_CHANGED] = "changed",
		[WICE_WATCH_PEER_ADDED] = "peer-added",
		[WICE_WATCH_PEER_REMOVED] = "peer-removed",
		[WICE_WATCH_PEER_CHANGED] = "peer-changed",
		[WICE_WATCH_ENDPOINT] = "endpoint",
		[WICE_WATCH_HANDSHAKE] = "handshake",
		[WICE_WATCH_TRANSFER] = "transfer",
		[WICE_WATCH_TROUBLE] = "trouble",
	};
	Bed *bed = user_data;
	g_string_append_printf(bed->log, "%s %s;", event->name, names[event->type]);
}

static void wait_for(Bed *bed, const char *text)
{
	int64_t deadline = g_get_monotonic_time() + PATIENCE_S * G_USEC_PER_SEC;
	while (!strstr(bed->log->str, text) && g_get_monotonic_time() < deadline) {
		g_main_context_iteration(NULL, FALSE);
		wice_watch_dispatch(bed->watch);
		g_usleep(1000);
	}
	ck_assert_msg(strstr(bed->log->str, text), "«%s» has no «%s»", bed->log->str, text);
}

static void start_watch(Bed *bed, WiceWg *wg)
{
	const WiceWatchOptions options = { .size = sizeof options,
					   .fast_ms = 1000 * PATIENCE_S * 60,
					   .slow_ms = UINT_MAX };
	bed->log = g_string_new(NULL);
	bed->watch = wice__watch_new_with(wg, NULL, &options, on_watch, bed, NULL, NULL);
	ck_assert_ptr_nonnull(bed->watch);
}

static void stop_watch(Bed *bed)
{
	wice_watch_free(bed->watch);
	g_string_free(bed->log, TRUE);
}

/* With a peer that it is to talk to at once. */
static void configure(WiceEngine *engine, const WiceKey *private_key, const WiceKey *peer_key,
		      uint16_t port)
{
	WicePeerChange peer = {
		.public_key = *peer_key,
		.fields = WICE_PEER_HAS_KEEPALIVE | (port ? WICE_PEER_HAS_ENDPOINT : 0u),
		.keepalive_s = port ? 25 : 0,
		.endpoint = { { WICE_FAMILY_IPV4, { 127, 0, 0, 1 } }, port, 0 },
	};
	WiceDeviceChange change = { .size = sizeof change,
				    .fields = WICE_DEVICE_HAS_PRIVATE_KEY,
				    .private_key = *private_key,
				    .n_peers = 1,
				    .peers = &peer };
	g_autoptr(WicePlan) plan = wice_plan_new(&change, NULL);
	ck_assert(wice_engine_set(engine, plan, NULL));
}

START_TEST(a_watch_is_told_of_everything)
{
	WiceKey keys[2], public_keys[2];
	WiceBind *binds[2];
	Bed bed;
	g_autoptr(WiceWg) wg = wice__wg_new_with(NULL, 0);
	start_watch(&bed, wg);
	wice_bind_pair_new(&binds[0], &binds[1]);
	for (int i = 0; i < 2; i++) {
		wice_key_generate_private(&keys[i]);
		wice_key_public(&keys[i], &public_keys[i]);
	}
	WiceEngine *a = make_engine("wga", binds[0]), *b = make_engine("wgb", binds[1]);
	attach(a, wg);
	wait_for(&bed, "wga added;");
	attach(b, wg);
	wait_for(&bed, "wgb added;");
	/* Behind the back of the WiceWg. */
	configure(b, &keys[1], &public_keys[0], 0);
	wait_for(&bed, "wgb changed;wgb peer-added;");
	g_autoptr(WiceDevice) device = wice_engine_get(b);
	configure(a, &keys[0], &public_keys[1], 0);
	wait_for(&bed, "wga peer-added;");
	/* Only now can they speak, so that the handshake is not news together with the peer. */
	configure(a, &keys[0], &public_keys[1], wice_device_info(device)->listen_port);
	wait_for(&bed, "wga handshake;");
	wait_for(&bed, "wgb endpoint;");
	wait_for(&bed, "wgb handshake;");
	wice_engine_free(a);
	wait_for(&bed, "wga peer-removed;wga removed;");
	wice_engine_free(b);
	wait_for(&bed, "wgb removed;");
	stop_watch(&bed);
}
END_TEST

/* Engines come and go while others look; for the sanitizers. */

typedef struct {
	WiceWg *wg;
	gint stop;
} Looking;

static gpointer look(gpointer user_data)
{
	Looking *looking = user_data;
	while (!g_atomic_int_get(&looking->stop)) {
		WicePeerUpdate update = { .size = sizeof update,
					  .public_key = { { 1 } },
					  .set_keepalive = true,
					  .keepalive_s = 7 };
		(void)is_listed(looking->wg, "wga");
		(void)kind_of(looking->wg, "wga");
		(void)wice_wg_update_peer(looking->wg, "wga", &update, TIMEOUT_MS, NULL);
	}
	return NULL;
}

START_TEST(engines_come_and_go_while_others_look)
{
	Looking looking = { .wg = wice__wg_new_with(NULL, 0) };
	GThread *threads[2];
	Bed bed;
	start_watch(&bed, looking.wg);
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = g_thread_new("look", look, &looking);
	for (int i = 0; i < 100; i++) {
		WiceEngine *engine = make_engine("wga", NULL);
		attach(engine, looking.wg);
		wice_watch_dispatch(bed.watch);
		wice_engine_free(engine);
	}
	g_atomic_int_set(&looking.stop, 1);
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		g_thread_join(threads[i]);
	stop_watch(&bed);
	wice_wg_free(looking.wg);
}
END_TEST

SUITE_MAIN("engines as devices", an_engine_is_a_device_until_it_is_freed, the_wg_may_be_freed_first,
	   it_comes_before_other_devices_of_its_name, names_are_needed_and_are_taken_once,
	   links_of_that_name_are_not_the_engines,
	   what_the_engine_refuses_is_an_error_of_the_device, a_watch_is_told_of_everything,
	   engines_come_and_go_while_others_look)
