/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TURNSERVER_XDP_DEVICES_H
#define WICE_TURNSERVER_XDP_DEVICES_H

#include <glib.h>

#include "turnserver/xdp.h"

/* Programs of the fast path on devices: in which way on each, and what may leave by it. */
typedef struct WiceXdpDevices WiceXdpDevices;

/* Descriptors are the caller's and must stay open. */
typedef struct {
	int programs[WICE_XDP_TC + 1]; /* by mode */
	int map;                       /* "devices", see xdp_maps.h */
	WiceXdpMode mode;              /* the only one to be tried; BEST: all, the fastest first */
	const char *const *names;      /* as in WiceXdpOptions; copied */
} WiceXdpDevicesOptions;

/* -errno, if there are devices and none of them takes a program. */
int wice__xdp_devices_new(GMainContext *context, const WiceXdpDevicesOptions *options,
			  WiceXdpDevices **ret_devices);
/* Detaches everything. NULL is fine. */
void wice__xdp_devices_free(WiceXdpDevices *devices);
/* To be called now and then: some things about devices change without a word. */
void wice__xdp_devices_check(WiceXdpDevices *devices);

/* As wice__xdp_mode() and wice__xdp_describe(). */
const char *wice__xdp_devices_mode(const WiceXdpDevices *devices, unsigned ifindex);
void wice__xdp_devices_describe(const WiceXdpDevices *devices, GString *to);

#endif
