/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_PROXY_BPF_HEARTBEAT_H
#define WICE_PROXY_BPF_HEARTBEAT_H

#include <glib.h>
#include <linux/types.h>

/*
 * Tells programs that their process is alive: *until_ns, a variable of theirs, is the time (of
 * CLOCK_MONOTONIC) after which they are to rewrite nothing, and lies 20 to 30 s ahead.
 */
typedef struct WiceBpfHeartbeat WiceBpfHeartbeat;

/* Begins before it returns. until_ns stays the caller's and must live longer. */
WiceBpfHeartbeat *wice__bpf_heartbeat_new(GMainContext *context, __u64 *until_ns);
/* NULL is fine. */
void wice__bpf_heartbeat_free(WiceBpfHeartbeat *heartbeat);

#endif
