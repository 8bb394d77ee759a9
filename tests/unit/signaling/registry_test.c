/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "signaling/fake.h"
#include "suite.h"

#include <string.h>
#include <wice/error.h>

START_TEST(built_in_backends_are_found_by_scheme)
{
	static const char *const urls[] = { "inprocess:", "inprocess:room", "INPROCESS:x",
					    "multicast://", "Multicast://239.1.2.3:4" };
	for (size_t i = 0; i < G_N_ELEMENTS(urls); i++) {
		const WiceSignalingOps *ops = wice_signaling_find(urls[i], NULL);
		ck_assert_msg(ops != NULL, "%s", urls[i]);
		ck_assert_int_eq(g_ascii_strncasecmp(urls[i], ops->scheme, strlen(ops->scheme)), 0);
	}
}
END_TEST

START_TEST(unknown_schemes_are_told_with_the_known_ones)
{
	static const char *const urls[] = { "",   "multicast", "carrier-pigeon://x",
					    ":x", "inproces:", "inprocesss:" };
	for (size_t i = 0; i < G_N_ELEMENTS(urls); i++) {
		g_autoptr(GError) error = NULL;
		ck_assert_ptr_null(wice_signaling_find(urls[i], &error));
		ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_UNSUPPORTED));
		ck_assert_ptr_nonnull(strstr(error->message, "inprocess, multicast"));
		ck_assert_ptr_nonnull(strstr(error->message, urls[i]));
	}
}
END_TEST

static void ck_assert_refused(const WiceSignalingOps *ops, int code)
{
	g_autoptr(GError) error = NULL;
	ck_assert(!wice_signaling_register(ops, &error));
	ck_assert_msg(g_error_matches(error, WICE_ERROR, code), "%s", error->message);
}

START_TEST(a_registered_backend_is_found)
{
	g_autoptr(GError) error = NULL;
	ck_assert_ptr_null(wice_signaling_find("fake:x", NULL));
	ck_assert(wice_signaling_register(&wice__signaling_fake, &error));
	ck_assert_ptr_eq(wice_signaling_find("fake:x", NULL), &wice__signaling_fake);
	ck_assert_refused(&wice__signaling_fake, WICE_ERROR_EXISTS);
	wice__fake_register();
}
END_TEST

START_TEST(incomplete_backends_are_refused)
{
	WiceSignalingOps cases[12];
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		cases[i] = wice__signaling_fake;
	cases[0].size = 0;
	cases[1].scheme = NULL;
	cases[2].scheme = "";
	cases[3].scheme = "Upper";
	cases[4].scheme = "with space";
	cases[5].open = NULL;
	cases[6].subscribe = NULL;
	cases[7].unsubscribe = NULL;
	cases[8].publish = NULL;
	cases[9].network_changed = NULL;
	cases[10].close = NULL;
	cases[11].scheme = "9p";
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		ck_assert_refused(&cases[i], WICE_ERROR_INVALID);
	cases[0] = wice__signaling_fake;
	cases[0].scheme = "multicast";
	ck_assert_refused(&cases[0], WICE_ERROR_EXISTS);
}
END_TEST

START_TEST(the_number_of_backends_is_limited)
{
	static WiceSignalingOps many[40];
	static char schemes[40][8];
	unsigned registered = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(many); i++) {
		many[i] = wice__signaling_fake;
		g_snprintf(schemes[i], sizeof schemes[i], "x%zu", i);
		many[i].scheme = schemes[i];
		registered += (unsigned)wice_signaling_register(&many[i], NULL);
	}
	ck_assert_uint_eq(registered, 32);
}
END_TEST

SUITE_MAIN("registry", built_in_backends_are_found_by_scheme,
	   unknown_schemes_are_told_with_the_known_ones, a_registered_backend_is_found,
	   incomplete_backends_are_refused, the_number_of_backends_is_limited)
