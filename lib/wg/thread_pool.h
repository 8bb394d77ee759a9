/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_THREAD_POOL_H
#define WICE_WG_THREAD_POOL_H

#include <glib.h>

/*
 * Threads for calls that wait. A call runs in the network namespace of the thread that asked for
 * it. At most 32 threads run in each namespace, further calls wait for one of them to be free. They
 * end when there is nothing to do, and take no signals.
 */
typedef struct WiceThreadPool WiceThreadPool;

WiceThreadPool *wice__thread_pool_new(void);
/* What was asked for is done all the same. */
void wice__thread_pool_free(WiceThreadPool *pool);

/* Calls func on another thread. 0, or -EAGAIN if there can be no thread. */
int wice__thread_pool_run(WiceThreadPool *pool, void (*func)(void *data), void *data);

/*
 * Starts a thread that takes no signals: the program's are handled by the program's threads.
 * -EAGAIN if there can be no thread.
 */
int wice__thread_start(const char *name, GThreadFunc func, void *data);

#endif
