/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_RPC_METADATA_H
#define WICE_RPC_METADATA_H

#include "rpc/rpc.h"

/* The values of gRPC's header fields (PROTOCOL-HTTP2.md, "Requests" and "Responses"). Pure. */

/* "application/grpc", or with "+proto" or parameters behind it; any case. */
bool wice__rpc_content_type_ok(const char *value);

/* grpc-timeout: at most 8 digits and a unit of H M S m u n. */
#define WICE_RPC_TIMEOUT_SIZE 10
void wice__rpc_timeout_format(unsigned timeout_ms, char ret[WICE_RPC_TIMEOUT_SIZE]);
/* Rounds up to milliseconds; false for a malformed value. */
bool wice__rpc_timeout_parse(const char *value, int64_t *ret_ms);

/* grpc-message: UTF-8, everything but printable ASCII (and '%' itself) as %XX. */
char *wice__rpc_message_encode(const char *text);
/* Never fails: what is malformed stays as it is, what is not UTF-8 is replaced, length is cut. */
char *wice__rpc_message_decode(const char *value);

/* grpc-status; numbers that gRPC does not know become UNKNOWN, as its specification says. */
WiceRpcStatus wice__rpc_status_parse(const char *value);
/* What an answer without grpc-status means: gRPC's http-grpc-status-mapping.md. */
WiceRpcStatus wice__rpc_status_of_http(const char *http_status);
/* The same for a stream that was reset with an HTTP/2 error code. */
WiceRpcStatus wice__rpc_status_of_reset(uint32_t error_code);

#endif
