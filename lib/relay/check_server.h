/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_RELAY_CHECK_SERVER_H
#define WICE_RELAY_CHECK_SERVER_H

#include <wice/check.h>

#include "relay/check_leg.h"

/* The check of one address of a server: from connecting to a packet that was relayed. */
typedef struct WiceCheckServer WiceCheckServer;

typedef struct {
	GMainContext *context;
	const WiceRelaySpec *spec; /* must stay valid */
	const char *url;           /* likewise; canonical */
	WiceEndpoint server;
	uint32_t fwmark, timeout_ms, resolve_ms;
	const char *username, *password; /* NULL: none */
} WiceCheckServerOptions;

/*
 * done is called once, from the main loop. It may free the check, whose result is valid until then.
 */
WiceCheckServer *wice__check_server_new(const WiceCheckServerOptions *options,
					void (*done)(void *user_data), void *user_data);
/* NULL is fine. */
void wice__check_server_free(WiceCheckServer *check);
/* What has been found out. nat is not set. */
const WiceCheckResult *wice__check_server_result(const WiceCheckServer *check);
/* OTHER-ADDRESS of the server, or none. */
const WiceEndpoint *wice__check_server_other(const WiceCheckServer *check);

#endif
