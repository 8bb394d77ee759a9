/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_DIFF_H
#define WICE_WG_DIFF_H

#include <wice/device.h>

/* In constant time: the keys may be secret. */
bool wice__keys_differ(const WiceKey *a, const WiceKey *b);

/* Of two peers of snapshots. */
bool wice__allowed_ips_differ(const WiceDevicePeer *a, const WiceDevicePeer *b);

#endif
