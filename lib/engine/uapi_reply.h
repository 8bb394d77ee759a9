/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_ENGINE_UAPI_REPLY_H
#define WICE_ENGINE_UAPI_REPLY_H

#include <wice/device.h>

#include "wg/uapi_text.h"

/*
 * Replies of the text protocol of userspace WireGuard, with the empty line that ends them. Pure.
 * The caller gives them back with wice__uapi_text_done().
 */

/* To "get": the device as it is, peers and allowed IPs in its own order. */
void wice__uapi_reply_device(const WiceDevice *device, WiceUapiText *ret);

/* To "set", or to what failed: 0 or -errno. */
void wice__uapi_reply_errno(int error, WiceUapiText *ret);

#endif
