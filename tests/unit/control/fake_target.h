/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_FAKE_TARGET_H
#define WICE_TESTS_FAKE_TARGET_H

#include <glib.h>
#include <wice/control.h>

/*
 * A control server on a thread of its own, in front of a target that looks after nothing: it has
 * a fixed status, notes what it is told, and waits for ever.
 */
typedef struct FakeDaemon FakeDaemon;

/* NULL with error if it cannot listen at path. */
FakeDaemon *fake_daemon_new(const char *path, GError **error);
void fake_daemon_free(FakeDaemon *daemon);

/* What it shows from now on; the fixed status at first. */
void fake_daemon_set_status(FakeDaemon *daemon, const WiceStatusInfo *info);
/* Has every event stream get this event. Returns the number of events sent so far. */
void fake_daemon_emit(FakeDaemon *daemon, const WiceEvent *event);
/* The calls since the last time, one per line, for instance "sync wg0\n". Freed with g_free(). */
char *fake_daemon_take_calls(FakeDaemon *daemon);
/* Ends the waiting that was begun last. */
void fake_daemon_fulfil_wait(FakeDaemon *daemon);
/* True if a client has asked it to stop. */
gboolean fake_daemon_is_stopped(FakeDaemon *daemon);

/* What the fake shows: two interfaces with peers of all kinds, and a backend that is not ready. */
WiceStatus *fake_status(void);

#endif
