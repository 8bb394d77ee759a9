/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_BASE_LOG_H
#define WICE_BASE_LOG_H

#include <stdbool.h>
#include <wice/log.h>

/* True if a message of this level would reach somebody; ask before building an expensive one. */
bool wice__log_wants(WiceLogLevel level);

/* Writes one message; subject as in WiceLogHandler. */
void wice__log(WiceLogLevel level, const char *subject, const char *format, ...) WICE_PRINTF(3, 4);

#endif
