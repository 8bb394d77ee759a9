/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_EVENT_DESCRIPTORS_H
#define WICE_EVENT_DESCRIPTORS_H

#include <stdbool.h>

/*
 * False if what there may be many of (agents of peers, their contexts) must take no more file
 * descriptors: looking at WireGuard, signaling and control need some all the time, and without them
 * nothing would ever change.
 */
bool wice__descriptors_left(void);

#endif
