/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WICE_H
#define WICE_WICE_H

/* The whole API. Each header also stands alone. */
#include <wice/addr.h>
#include <wice/agent.h>
#include <wice/bind.h>
#include <wice/cancel.h>
#include <wice/candidate.h>
#include <wice/check.h>
#include <wice/conf.h>
#include <wice/control.h>
#include <wice/daemon.h>
#include <wice/device.h>
#include <wice/engine.h>
#include <wice/error.h>
#include <wice/key.h>
#include <wice/log.h>
#include <wice/macros.h>
#include <wice/plan.h>
#include <wice/relay.h>
#include <wice/show.h>
#include <wice/signaling.h>
#include <wice/status.h>
#include <wice/version.h>
#include <wice/watch.h>
#include <wice/wg.h>

#endif
