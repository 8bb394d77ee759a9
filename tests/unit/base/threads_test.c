/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* What headers allow to be used on several threads; with ThreadSanitizer this proves more than that nothing crashes. */
#include "base/log.h"
#include "conformance/wg/state.h"
#include "suite.h"

#include <wice/error.h>
#include <wice/signaling.h>

#define THREADS 4
#define ROUNDS 2000

static void run_on_threads(GThreadFunc func, void *data)
{
	GThread *threads[THREADS];
	for (size_t i = 0; i < THREADS; i++)
		threads[i] = g_thread_new("user", func, data);
	for (size_t i = 0; i < THREADS; i++)
		g_thread_join(threads[i]);
}

static gpointer use_device(gpointer data)
{
	WiceDevice *device = data;
	WiceKey key = state_key(1003);
	for (unsigned i = 0; i < ROUNDS; i++) {
		wice_device_ref(device);
		ck_assert_ptr_nonnull(wice_device_find_peer(device, &key));
		wice_device_unref(device);
	}
	wice_device_unref(device);
	return NULL;
}

START_TEST(a_snapshot_may_be_shared_and_dies_with_its_last_user)
{
	WiceDevice *device = state_new("wg0", 10, 1);
	for (size_t i = 0; i < THREADS; i++)
		wice_device_ref(device);
	wice_device_unref(device);
	run_on_threads(use_device, device);
}
END_TEST

static gpointer look_for_backends(gpointer data)
{
	for (unsigned i = 0; i < ROUNDS / 10; i++) {
		g_autoptr(GError) error = NULL;
		ck_assert_ptr_nonnull(wice_signaling_find("multicast://", NULL));
		ck_assert_ptr_null(wice_signaling_find("pigeon://", &error));
		ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_UNSUPPORTED));
	}
	return NULL;
}

START_TEST(errors_are_made_on_any_thread)
{
	run_on_threads(look_for_backends, NULL);
	ck_assert_str_eq(g_quark_to_string(WICE_ERROR), "wice-error-quark");
}
END_TEST

static void count_message(WiceLogLevel level, const char *subject, const char *message,
			  void *user_data)
{
	ck_assert_str_eq(subject, "wg0");
	ck_assert_str_eq(message, "one of 3");
	g_atomic_int_inc((gint *)user_data);
}

static gpointer write_messages(gpointer data)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		wice__log(WICE_LOG_INFO, "wg0", "one of %d", 3);
		wice__log(WICE_LOG_DEBUG, "wg0", "not wanted");
	}
	return NULL;
}

START_TEST(log_messages_come_whole_from_any_thread)
{
	gint n_messages = 0;
	wice_log_set_handler(WICE_LOG_INFO, count_message, &n_messages);
	run_on_threads(write_messages, NULL);
	ck_assert_int_eq(n_messages, THREADS * ROUNDS);
}
END_TEST

SUITE_MAIN("threads", a_snapshot_may_be_shared_and_dies_with_its_last_user,
	   errors_are_made_on_any_thread, log_messages_come_whole_from_any_thread)
