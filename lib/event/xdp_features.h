/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_EVENT_XDP_FEATURES_H
#define WICE_EVENT_XDP_FEATURES_H

#include <stdint.h>

/* What a device's driver can do for XDP programs (linux/netdev.h: NETDEV_XDP_ACT_*). */
#define WICE_XDP_FEATURE_BASIC (1U << 0)    /* runs them, and sends back what they say */
#define WICE_XDP_FEATURE_REDIRECT (1U << 1) /* gives frames to other devices */
#define WICE_XDP_FEATURE_TAKES (1U << 2)    /* takes frames of other devices */

/*
 * Of a device of this network namespace, as it is now: many drivers can do more while they have a
 * program, and veth while its other end has one. -EOPNOTSUPP: the kernel does not know (before
 * Linux 6.3); -ENODEV.
 */
int wice__xdp_features(unsigned ifindex, uint64_t *ret_features);

#endif
