/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* What a libwice without BPF programs says. */
#include <string.h>
#include <wice/error.h>

#include "suite.h"
#include "turnserver/xdp.h"

START_TEST(says_that_it_was_built_so)
{
	GError *error = NULL;
	ck_assert_ptr_null(wice__xdp_new(NULL, NULL, &error));
	ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_UNSUPPORTED));
	ck_assert_ptr_nonnull(strstr(error->message, "built without"));
	g_error_free(error);
	wice__xdp_free(NULL);
}
END_TEST

SUITE_MAIN("turnserver xdp absent", says_that_it_was_built_so)
