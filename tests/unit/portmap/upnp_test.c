/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "portmap/upnp.h"
#include "portmap/upnp_library.h"
#include "suite.h"
#include "unit/event/namespace.h"

#include "config.h"
#include <glib.h>

START_TEST(a_library_that_is_missing_or_lacks_a_function_is_refused)
{
	static const char *const others[] = { "libminiupnpc.so.none", "libglib-2.0.so.0" };
	for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
		WiceUpnpLibrary library, before;
		memset(&library, 0x5a, sizeof library);
		before = library;
		ck_assert(!wice__upnp_library_load(others[i], &library));
		ck_assert_mem_eq(&library, &before, sizeof library);
	}
}
END_TEST

START_TEST(the_configured_library_has_every_function)
{
	WiceUpnpLibrary library = { 0 };
	if (!wice__upnp_library_load(WICE_LIBMINIUPNPC, &library)) {
		printf("Skipped: %s is not installed\n", WICE_LIBMINIUPNPC);
		return;
	}
	gpointer pointers[sizeof library / sizeof(gpointer)];
	memcpy(pointers, &library, sizeof library);
	for (size_t i = 0; i < G_N_ELEMENTS(pointers); i++)
		ck_assert_ptr_nonnull(pointers[i]);
}
END_TEST

SUITE_MAIN("portmap upnp", a_library_that_is_missing_or_lacks_a_function_is_refused,
	   the_configured_library_has_every_function)
