/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_ENGINE_UAPI_SERVER_H
#define WICE_ENGINE_UAPI_SERVER_H

#include <stdint.h>

#include "engine/uapi_handler.h"
#include "engine/uapi_listener.h"

/*
 * Answers the text protocol of userspace WireGuard on a socket, so that wg(8), wg-quick(8) and
 * other programs can use a device: one request after the other, on as many connections as
 * clients_max. What a client may cost is bounded: see uapi_server.c.
 */
typedef struct WiceUapiServer WiceUapiServer;

#define WICE_UAPI_CLIENTS_MAX 32
#define WICE_UAPI_PATIENCE_MS 30000

typedef struct {
	WiceUapiHandler handler; /* called on context; must not stop the server */
	/*
	 * Somebody has removed the socket, which is how wireguard-go is told to end. Called once at
	 * most, on context; may stop the server. NULL is fine.
	 */
	WiceUapiGoneFunc on_gone;
	void *user_data;      /* of on_gone */
	unsigned clients_max; /* 0: WICE_UAPI_CLIENTS_MAX */
	int64_t patience_ms;  /* how long a request may take; 0: WICE_UAPI_PATIENCE_MS */
} WiceUapiServerOptions;

/*
 * Serves on fd, which comes from wice__uapi_listen() or from a parent process (WG_UAPI_FD) and is
 * the server's from then on. Errors as of wice__uapi_listener_new(); fd stays the caller's then.
 */
int wice__uapi_server_start(GMainContext *context, int fd, const WiceUapiServerOptions *options,
			    WiceUapiServer **ret);

/* Drops all clients and removes the socket. NULL is fine. */
void wice__uapi_server_stop(WiceUapiServer *server);

#endif
