/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_LOG_H
#define WICE_LOG_H

#include <wice/macros.h>

WICE_BEGIN_DECLS

/* Most severe first. Secrets never reach a log message at any level. */
typedef enum {
	WICE_LOG_ERROR = 0, /* something that the user must act on */
	WICE_LOG_WARNING,   /* something is wrong and will be retried or worked around */
	WICE_LOG_INFO,      /* a change that the user may want to know: state, path, endpoint */
	WICE_LOG_DEBUG,     /* for developers */
} WiceLogLevel;

/*
 * Receives one message: subject names what it is about ("wg0", "wg0 Q3x0Pw…", "grpc://host") or is
 * "" for the library as a whole; message is one line without a newline. Both are valid during
 * the call only. May be called from any thread that uses the library; must not call back into it.
 */
typedef void (*WiceLogHandler)(WiceLogLevel level, const char *subject, const char *message,
			       void *user_data);

/*
 * Sets who receives the library's messages up to and including max_level; handler NULL (the
 * start value) drops them. The library itself never prints. Call it before the first other call:
 * it is not synchronised with messages being written on other threads.
 */
WICE_API void wice_log_set_handler(WiceLogLevel max_level, WiceLogHandler handler, void *user_data);

WICE_END_DECLS

#endif
