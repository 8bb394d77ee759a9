/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_CONTROL_STATUS_CODE_H
#define WICE_CONTROL_STATUS_CODE_H

#include "rpc/rpc.h"

#include <glib.h>
#include <wice/error.h>

/* Between WICE_ERROR and the status codes of gRPC; the sentence travels beside them. */
WiceRpcStatus wice__control_code_from_error(const GError *error);
WiceErrorCode wice__control_code_to_error(WiceRpcStatus status);

#endif
