/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_PLAN_H
#define WICE_WG_PLAN_H

#include <wice/plan.h>

/* A plan of changes that are known to be good. They are copied. */
WicePlan *wice__plan_copy(const WiceDeviceChange *change);

/* True if it takes single allowed IPs away, which not every implementation can. */
bool wice__takes_away(const WicePeerChange *peer);

#endif
