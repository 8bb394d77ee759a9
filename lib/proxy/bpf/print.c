/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/bpf/print.h"

#include <glib.h>

#include "base/log.h"

G_GNUC_PRINTF(2, 0)
static int print(enum libbpf_print_level level, const char *format, va_list arguments)
{
	if (level == LIBBPF_DEBUG || !wice__log_wants(WICE_LOG_DEBUG))
		return 0;
	char *text = g_strdup_vprintf(format, arguments);
	wice__log(WICE_LOG_DEBUG, "bpf", "%s", g_strchomp(text));
	g_free(text);
	return 0;
}

libbpf_print_fn_t wice__bpf_print_to_log(void)
{
	return libbpf_set_print(print);
}
