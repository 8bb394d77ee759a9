/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "event/resolve.h"
#include "suite.h"

#include <string.h>

typedef struct {
	unsigned n_calls;
	size_t n;
	WiceAddress first;
	bool has_error;
} Answer;

static void record(const WiceAddress *addresses, size_t n, const GError *error, void *user_data)
{
	Answer *answer = user_data;
	answer->n_calls++;
	answer->n = n;
	answer->has_error = error != NULL;
	ck_assert_int_eq(n == 0, error != NULL);
	if (n)
		answer->first = addresses[0];
}

static gboolean tick(gpointer user_data)
{
	return G_SOURCE_CONTINUE;
}

static void run(GMainContext *context, const Answer *answer, unsigned ms)
{
	gint64 end = g_get_monotonic_time() + (gint64)ms * 1000;
	GSource *wake = g_timeout_source_new(10);
	g_source_set_callback(wake, tick, NULL, NULL);
	g_source_attach(wake, context);
	while (g_get_monotonic_time() < end && !(answer && answer->n_calls))
		g_main_context_iteration(context, TRUE);
	g_source_destroy(wake);
	g_source_unref(wake);
}

static Answer resolve(const char *host)
{
	Answer answer = { 0 };
	GMainContext *context = g_main_context_new();
	WiceResolve *handle = wice__resolve_start(context, host, record, &answer);
	ck_assert_ptr_nonnull(handle);
	ck_assert_uint_eq(answer.n_calls, 0);
	run(context, &answer, 60000);
	ck_assert_uint_eq(answer.n_calls, 1);
	g_main_context_unref(context);
	return answer;
}

START_TEST(a_literal_address_needs_no_resolver)
{
	static const char *const texts[] = { "192.0.2.7", "2001:db8::7" };
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		WiceAddress expected;
		Answer answer = resolve(texts[i]);
		ck_assert(wice_address_parse(texts[i], &expected));
		ck_assert_uint_eq(answer.n, 1);
		ck_assert_int_eq(wice_address_compare(&answer.first, &expected), 0);
	}
}
END_TEST

START_TEST(localhost_is_loopback)
{
	Answer answer = resolve("localhost");
	ck_assert_uint_ge(answer.n, 1);
	ck_assert(wice_address_is_loopback(&answer.first));
}
END_TEST

START_TEST(what_is_no_name_is_an_error)
{
	char longer[400];
	memset(longer, 'a', sizeof longer);
	longer[sizeof longer - 1] = '\0';
	ck_assert(resolve("").has_error);
	ck_assert(resolve(longer).has_error);
	ck_assert(resolve("no such name").has_error);
}
END_TEST

START_TEST(a_cancelled_request_is_silent)
{
	static const char *const hosts[] = { "192.0.2.7", "localhost", "" };
	for (size_t i = 0; i < G_N_ELEMENTS(hosts); i++) {
		for (unsigned iterations = 0; iterations < 3; iterations++) {
			Answer answer = { 0 };
			GMainContext *context = g_main_context_new();
			WiceResolve *handle =
				wice__resolve_start(context, hosts[i], record, &answer);
			for (unsigned k = 0; k < iterations && !answer.n_calls; k++)
				g_main_context_iteration(context, FALSE);
			unsigned before = answer.n_calls;
			if (!before)
				wice__resolve_cancel(handle);
			run(context, NULL, 100);
			ck_assert_uint_eq(answer.n_calls, before);
			g_main_context_unref(context);
		}
	}
	wice__resolve_cancel(NULL);
}
END_TEST

static void cancel_other(const WiceAddress *addresses, size_t n, const GError *error,
			 void *user_data)
{
	WiceResolve **other = user_data;
	wice__resolve_cancel(*other);
	*other = NULL;
}

START_TEST(a_callback_may_cancel_another_request)
{
	Answer answer = { 0 };
	GMainContext *context = g_main_context_new();
	WiceResolve *second = NULL;
	wice__resolve_start(context, "192.0.2.1", cancel_other, &second);
	second = wice__resolve_start(context, "192.0.2.2", record, &answer);
	run(context, NULL, 50);
	ck_assert_ptr_null(second);
	ck_assert_uint_eq(answer.n_calls, 0);
	g_main_context_unref(context);
}
END_TEST

SUITE_MAIN("event resolve", a_literal_address_needs_no_resolver, localhost_is_loopback,
	   what_is_no_name_is_an_error, a_cancelled_request_is_silent,
	   a_callback_may_cancel_another_request)
