/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_ENGINE_UAPI_HANDLER_H
#define WICE_ENGINE_UAPI_HANDLER_H

#include <wice/device.h>
#include <wice/plan.h>

#include "engine/uapi_request.h"
#include "wg/uapi_text.h"

/* Whoever has a device that requests of the text protocol are about. */
typedef struct {
	/* The device as it is. The caller owns the reference in *ret. Returns 0 or -errno. */
	int (*get)(void *user_data, WiceDevice **ret);
	/* Makes the changes, all or none of them. Returns 0 or -errno. */
	int (*set)(void *user_data, const WicePlan *plan);
	/* The index of an interface that an endpoint names, 0 if there is none. */
	WiceUapiScopeFunc scope;
} WiceUapiHandlerOps;

typedef struct {
	const WiceUapiHandlerOps *ops;
	void *user_data;
} WiceUapiHandler;

/*
 * Does what a request asks for. fed: what wice__uapi_request_feed() has returned last. The caller
 * gives the reply back with wice__uapi_text_done().
 */
void wice__uapi_answer(const WiceUapiHandler *handler, WiceUapiRequest *request, int fed,
		       WiceUapiText *ret_reply);

/*
 * The text protocol as a function call: one request, up to and with its empty line, and its reply
 * ("errno=-71" if the request ends early, or is none).
 */
void wice__uapi_handle(const WiceUapiHandler *handler, const char *request, size_t len,
		       WiceUapiText *ret_reply);

#endif
