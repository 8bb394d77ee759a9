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
 * Bytes that may wait for one client: whoever reads events too slowly is disconnected beyond it.
 * An answer waits there as a whole, so it has to fit, and with it what else is on its way. 4 MiB
 * are the status of some 12,000 peers.
 */
#define WICE_CONTROL_QUEUE_MAX ((size_t)4 * 1024 * 1024)
#define WICE_CONTROL_ANSWER_MAX (WICE_CONTROL_QUEUE_MAX - (size_t)256 * 1024)

#endif
