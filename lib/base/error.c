/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <wice/error.h>
#include <wice/version.h>

G_DEFINE_QUARK(wice - error - quark, wice_error)

const char *wice_version(void)
{
	return WICE_VERSION;
}
