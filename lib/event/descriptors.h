/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_EVENT_DESCRIPTORS_H
#define WICE_EVENT_DESCRIPTORS_H

#include <stdbool.h>

/*
 * True if this process may open more descriptors without taking the last ones. Peers may be many, but
 * looking at WireGuard, signaling and control need some all the time, and without them nothing
 * would ever change. For what there is one of per peer.
 */
bool wice__descriptors_are_left(void);

#endif
