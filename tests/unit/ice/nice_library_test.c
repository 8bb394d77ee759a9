/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ice/nice_library.h"
#include "suite.h"

#include "config.h"
#include <string.h>
#include <wice/error.h>

static void check_refused(const char *soname, const char *why)
{
	WiceNiceLibrary library, before;
	g_autoptr(GError) error = NULL;
	memset(&library, 0x5a, sizeof library);
	before = library;
	ck_assert(!wice__nice_library_load(soname, &library, &error));
	ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_UNSUPPORTED));
	ck_assert_msg(strstr(error->message, soname), "%s", error->message);
	ck_assert_msg(strstr(error->message, why), "%s", error->message);
	ck_assert_msg(strstr(error->message, "libnice10"), "%s", error->message);
	ck_assert_mem_eq(&library, &before, sizeof library);
}

START_TEST(a_missing_library_is_named_and_what_to_install)
{
	check_refused("libnice.so.none", "No such file");
}
END_TEST

START_TEST(a_library_without_a_function_is_refused)
{
	check_refused("libglib-2.0.so.0", "undefined symbol: nice_");
}
END_TEST

START_TEST(the_configured_library_has_every_function)
{
	static const WiceNiceLibrary none;
	WiceNiceLibrary library = none;
	g_autoptr(GError) error = NULL;
	ck_assert_msg(wice__nice_library_load(WICE_LIBNICE, &library, &error), "%s",
		      error ? error->message : "");
	gpointer pointers[sizeof library / sizeof(gpointer)];
	memcpy(pointers, &library, sizeof library);
	for (size_t i = 0; i < G_N_ELEMENTS(pointers); i++)
		ck_assert_ptr_nonnull(pointers[i]);
}
END_TEST

static gpointer need(gpointer unused)
{
	return GINT_TO_POINTER(wice__nice_library_need() &&
			       wice__nice_library.interfaces_get_local_ips != NULL);
}

START_TEST(any_thread_may_come_first)
{
	GThread *threads[8];
	ck_assert(!wice__nice_library.agent_new_full);
	for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = g_thread_new("need", need, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
		ck_assert_ptr_nonnull(g_thread_join(threads[i]));
}
END_TEST

SUITE_MAIN("ice nice_library", a_missing_library_is_named_and_what_to_install,
	   a_library_without_a_function_is_refused, the_configured_library_has_every_function,
	   any_thread_may_come_first)
