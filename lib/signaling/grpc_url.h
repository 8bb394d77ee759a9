/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_SIGNALING_GRPC_URL_H
#define WICE_SIGNALING_GRPC_URL_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* grpc://HOST[:PORT] and grpcs://HOST[:PORT][?ca=FILE]. Pure. */
#define WICE_GRPC_PORT 8080
#define WICE_GRPCS_PORT 443

typedef struct {
	bool tls;
	char *host; /* a name or an address, without brackets */
	uint16_t port;
	char *ca_file; /* or NULL */
} WiceGrpcUrl;

/* INVALID with what is wrong. */
gboolean wice__grpc_url_parse(const char *url, WiceGrpcUrl *ret_parsed, GError **error);
void wice__grpc_url_clear(WiceGrpcUrl *parsed);

#endif
