/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/uapi_handler.h"

#include <errno.h>

#include "engine/uapi_reply.h"

static int answer_get(const WiceUapiHandler *handler, WiceUapiText *ret_reply)
{
	g_autoptr(WiceDevice) device = NULL;
	int r = handler->ops->get(handler->user_data, &device);
	if (r == 0)
		wice__uapi_reply_device(device, ret_reply);
	return r;
}

static int answer_set(const WiceUapiHandler *handler, WiceUapiRequest *request)
{
	g_autoptr(WicePlan) plan = NULL;
	int r = wice__uapi_request_plan(request, &plan);
	return r < 0 ? r : handler->ops->set(handler->user_data, plan);
}

void wice__uapi_answer(const WiceUapiHandler *handler, WiceUapiRequest *request, int fed,
		       WiceUapiText *ret_reply)
{
	bool is_get = wice__uapi_request_verb(request) == WICE_UAPI_GET;
	int r = fed < 0    ? fed
		: fed == 0 ? -EPROTO /* there should be more of it */
			   : wice__uapi_request_error(request);
	if (r == 0)
		r = is_get ? answer_get(handler, ret_reply) : answer_set(handler, request);
	if (r < 0 || !is_get)
		wice__uapi_reply_errno(r, ret_reply);
}

void wice__uapi_handle(const WiceUapiHandler *handler, const char *request, size_t len,
		       WiceUapiText *ret_reply)
{
	g_autoptr(WiceUapiRequest) reader = wice__uapi_request_new(handler->ops->scope);
	size_t n_read;
	int r = wice__uapi_request_feed(reader, request, len, &n_read);
	if (r == 1 && n_read < len)
		r = -EPROTO; /* one request, and nothing behind it */
	wice__uapi_answer(handler, reader, r, ret_reply);
}
