/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_AGENT_HOSTED_H
#define WICE_AGENT_HOSTED_H

#include <glib.h>
#include <stdbool.h>
#include <wice/agent.h>

/* The interfaces that an agent has made itself: engines that it owns. */

/* Where an agent keeps them. */
GPtrArray *wice__hosted_new(void);
/* True if the interface is one of them. */
bool wice__hosted_has(const WiceAgent *agent, const char *name);

#endif
