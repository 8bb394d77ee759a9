/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "control/status_code.h"

/*
 * The first row that matches counts, in both directions: IO and PROTOCOL share a status, so
 * PROTOCOL arrives as IO.
 */
static const struct {
	WiceErrorCode error;
	WiceRpcStatus status;
} codes[] = {
	{ WICE_ERROR_INVALID, WICE_RPC_INVALID_ARGUMENT },
	{ WICE_ERROR_NOT_FOUND, WICE_RPC_NOT_FOUND },
	{ WICE_ERROR_EXISTS, WICE_RPC_ALREADY_EXISTS },
	{ WICE_ERROR_BUSY, WICE_RPC_FAILED_PRECONDITION },
	{ WICE_ERROR_PERMISSION, WICE_RPC_PERMISSION_DENIED },
	{ WICE_ERROR_PERMISSION, WICE_RPC_UNAUTHENTICATED },
	{ WICE_ERROR_UNSUPPORTED, WICE_RPC_UNIMPLEMENTED },
	{ WICE_ERROR_TIMEOUT, WICE_RPC_DEADLINE_EXCEEDED },
	{ WICE_ERROR_CANCELLED, WICE_RPC_CANCELLED },
	{ WICE_ERROR_UNREACHABLE, WICE_RPC_UNAVAILABLE },
	{ WICE_ERROR_IO, WICE_RPC_INTERNAL },
	{ WICE_ERROR_PROTOCOL, WICE_RPC_INTERNAL },
	{ WICE_ERROR_PROTOCOL, WICE_RPC_RESOURCE_EXHAUSTED },
	{ WICE_ERROR_FAILED, WICE_RPC_UNKNOWN },
};

WiceRpcStatus wice__control_code_from_error(const GError *error)
{
	for (gsize i = 0; i < G_N_ELEMENTS(codes); i++)
		if (error->domain == WICE_ERROR && error->code == (int)codes[i].error)
			return codes[i].status;
	return WICE_RPC_UNKNOWN;
}

WiceErrorCode wice__control_code_to_error(WiceRpcStatus status)
{
	for (gsize i = 0; i < G_N_ELEMENTS(codes); i++)
		if (status == codes[i].status)
			return codes[i].error;
	return WICE_ERROR_FAILED;
}
