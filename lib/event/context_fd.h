/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_EVENT_CONTEXT_FD_H
#define WICE_EVENT_CONTEXT_FD_H

#include <glib.h>

/*
 * A GMainContext as one descriptor that is readable when the context has something to do, timers
 * included: for programs with a loop of their own, or with none. Nobody else may run the context.
 */
typedef struct WiceContextFd WiceContextFd;

/* -EMFILE, -ENFILE, -ENOMEM. Takes four descriptors. */
int wice__context_fd_new(WiceContextFd **ret_context);
/* Fine from a callback of the context, and for NULL. */
void wice__context_fd_free(WiceContextFd *context);

/* Borrowed, as nested contexts are. */
GMainContext *wice__context_fd_inner(WiceContextFd *context);
/* The same all the time. */
int wice__context_fd_get(const WiceContextFd *context);
/* Runs what is ready and never waits. From a callback of the context it does nothing. */
void wice__context_fd_run(WiceContextFd *context);

#endif
