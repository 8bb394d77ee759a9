/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_ENGINE_UAPI_REQUEST_H
#define WICE_ENGINE_UAPI_REQUEST_H

#include <wice/plan.h>

#include "wg/uapi_text.h"

/* A request of the text protocol of userspace WireGuard while it comes in. Pure. */
typedef struct WiceUapiRequest WiceUapiRequest;

typedef enum {
	WICE_UAPI_NONE = 0, /* nothing has come */
	WICE_UAPI_GET,
	WICE_UAPI_SET,
} WiceUapiVerb;

/* No line is longer, and no request. */
#define WICE_UAPI_LINE_MAX ((size_t)512)
#define WICE_UAPI_REQUEST_MAX ((size_t)64 * 1024 * 1024)

/* scope: where names of interfaces in endpoints are looked up. */
WiceUapiRequest *wice__uapi_request_new(WiceUapiScopeFunc scope);
/* Wipes and frees. NULL is fine. */
void wice__uapi_request_free(WiceUapiRequest *request);

/*
 * Reads the whole lines of data and sets *ret_n_read to how many bytes they are: the caller shows
 * the rest again, with more behind it. 0: there is more to come; 1: that was the empty line which
 * ends the request. Else nobody knows where the next request begins: -EPROTO: it is none; -EIO: it
 * is too long.
 */
int wice__uapi_request_feed(WiceUapiRequest *request, const char *data, size_t len,
			    size_t *ret_n_read);

WiceUapiVerb wice__uapi_request_verb(const WiceUapiRequest *request);

/*
 * What is wrong with a request that has ended: 0; -EPROTO: a line is no key=value; -EINVAL: a key
 * is not known, or does not belong there, or its value is none of its own.
 */
int wice__uapi_request_error(const WiceUapiRequest *request);

/*
 * What a "set" without errors asks for, peers in their order, as often as they come in it. -EINVAL:
 * it has more of them than a device can have. The caller owns the reference in *ret.
 */
int wice__uapi_request_plan(WiceUapiRequest *request, WicePlan **ret);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(WiceUapiRequest, wice__uapi_request_free)

#endif
