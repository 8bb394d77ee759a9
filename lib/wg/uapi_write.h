/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_UAPI_WRITE_H
#define WICE_WG_UAPI_WRITE_H

#include <stddef.h>
#include <wice/plan.h>

/* The text of a request. It may hold keys. */
typedef struct {
	char *data;
	size_t len, room;
} WiceUapiRequest;

/*
 * The "set=1" that makes this change, in its order, with its empty line. The caller gives it back
 * with wice__uapi_request_done().
 */
void wice__uapi_write_set(const WiceDeviceChange *change, WiceUapiRequest *ret);

/* Wipes and frees. */
void wice__uapi_request_done(WiceUapiRequest *request);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(WiceUapiRequest, wice__uapi_request_done)

#endif
