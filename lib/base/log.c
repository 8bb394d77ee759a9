/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <glib.h>

static WiceLogHandler log_handler;
static void *log_user_data;
static WiceLogLevel log_max_level;

void wice_log_set_handler(WiceLogLevel max_level, WiceLogHandler handler, void *user_data)
{
	log_max_level = max_level;
	log_handler = handler;
	log_user_data = user_data;
}

bool wice__log_wants(WiceLogLevel level)
{
	return log_handler && level <= log_max_level;
}

void wice__log(WiceLogLevel level, const char *subject, const char *format, ...)
{
	if (!wice__log_wants(level))
		return;

	va_list args;
	va_start(args, format);
	g_autofree char *message = g_strdup_vprintf(format, args);
	va_end(args);
	log_handler(level, subject ? subject : "", message, log_user_data);
}
