/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_CONTROL_SERVER_H
#define WICE_CONTROL_SERVER_H

#include "control/target.h"

#include <wice/control.h>

/* wice_control_server_new() for any target. path must not be NULL. */
WiceControlServer *wice__control_server_new(GMainContext *context, const WiceControlTargetOps *ops,
					    void *target, const char *path, WiceStopFunc on_stop,
					    void *user_data, GError **error) WICE_WARN_UNUSED;

/*
 * Bytes that may wait for one client. A client that reads events too slowly has its connection dropped beyond
 * it; no answer can be larger.
 */
#define WICE_CONTROL_QUEUE_MAX ((size_t)16 * 1024 * 1024)

#endif
