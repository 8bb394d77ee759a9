/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_UAPI_WRITE_H
#define WICE_WG_UAPI_WRITE_H

#include <wice/plan.h>

#include "wg/uapi_text.h"

/*
 * The "set=1" that makes this change, in its order, with its empty line. The caller gives it back
 * with wice__uapi_text_done().
 */
void wice__uapi_write_set(const WiceDeviceChange *change, WiceUapiText *ret);

#endif
