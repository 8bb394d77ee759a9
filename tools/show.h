/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TOOLS_SHOW_H
#define WICE_TOOLS_SHOW_H

#include <stdbool.h>
#include <wice/wice.h>

/*
 * A status and an event as text for people and as JSON (docs/json.md). All are freed with
 * g_free().
 */

/* everything: the daemon and its backends, too. */
char *show_status_text(const WiceStatusInfo *info, bool everything, bool colours);
char *show_status_json(const WiceStatusInfo *info);

/* One line each. */
char *show_event_text(const WiceEvent *event, bool colours);
char *show_event_json(const WiceEvent *event);

#endif
