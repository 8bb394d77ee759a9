/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_WHOLE_LISTS_H
#define WICE_WG_WHOLE_LISTS_H

#include <wice/device.h>
#include <wice/plan.h>

/*
 * A plan in other words, for implementations that cannot take single allowed IPs away: the peers
 * that lose some are given their whole list instead.
 */
typedef struct WiceWholeLists WiceWholeLists;

/* device is the state that the plan will be applied to. */
WiceWholeLists *wice__whole_lists_new(const WicePlan *plan, const WiceDevice *device);
/* Has the result of the plan; valid until _free(), and only as long as the plan is. */
const WiceDeviceChange *wice__whole_lists_change(const WiceWholeLists *lists);
/* Wipes and frees. NULL is fine. */
void wice__whole_lists_free(WiceWholeLists *lists);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(WiceWholeLists, wice__whole_lists_free)

#endif
