/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_PROXY_USER_HOOKS_H
#define WICE_PROXY_USER_HOOKS_H

#include "proxy/proxy.h"

/* The userspace proxy as a mechanism among others. */
extern const WiceProxyOps wice__user_hooks;

#endif
