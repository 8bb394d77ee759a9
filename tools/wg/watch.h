/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TOOLS_WG_WATCH_H
#define WICE_TOOLS_WG_WATCH_H

#include <glib.h>
#include <stdint.h>
#include <wice/watch.h>

/* An event as one line, with its newline: for people, and as JSON (docs/json.md). No secrets. */
char *watch_event_text(const WiceWatchEvent *event, int64_t time_ms);
char *watch_event_json(const WiceWatchEvent *event, int64_t time_ms);

#endif
