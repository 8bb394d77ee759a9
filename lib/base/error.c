/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <wice/error.h>
#include <wice/version.h>

/* Not by G_DEFINE_QUARK: its cache is written without any lock, and errors are made on several threads. */
GQuark wice_error_quark(void)
{
	return g_quark_from_static_string("wice-error-quark");
}

const char *wice_version(void)
{
	return WICE_VERSION;
}
