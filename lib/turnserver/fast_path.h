/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TURNSERVER_FAST_PATH_H
#define WICE_TURNSERVER_FAST_PATH_H

#include <glib.h>

#include "turn/server.h"
#include "turnserver/xdp.h"

/*
 * Which channels the kernel relays past the server (xdp.h). What it has relayed is told to the
 * core each second.
 */
typedef struct WiceFastPath WiceFastPath;

/*
 * mode: "auto" (or NULL), "native", "generic", "tc" or "off". Where it cannot be had, "auto" is the
 * same as "off", and wice__fast_path_describe() says why; else as wice__xdp_new().
 */
WiceFastPath *wice__fast_path_new(GMainContext *context, const char *mode, GError **error);
/* All channels must have been removed. NULL is fine. */
void wice__fast_path_free(WiceFastPath *path);

/* Data may pass from now on, between these endpoints. Again is fine. */
void wice__fast_path_add(WiceFastPath *path, WiceTurnAllocation *allocation,
			 const WiceXdpChannel *channel);
/* Not any longer. What was not added is ignored. */
void wice__fast_path_remove(WiceFastPath *path, WiceTurnAllocation *allocation, uint16_t channel);
/* Tells the core of the allocations what has passed up to now. */
void wice__fast_path_count(WiceFastPath *path);

/* Packets that the kernel has relayed, ever. */
uint64_t wice__fast_path_packets(const WiceFastPath *path);
/* "eth0 (native)", or why there is none. Valid until the next call. */
const char *wice__fast_path_describe(WiceFastPath *path);

#endif
