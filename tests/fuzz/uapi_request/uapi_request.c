/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to userspace WireGuard. It makes no difference in which pieces one comes; what was
 * understood is understood again when it is written by our client; and whatever comes, the reply is
 * one that our client reads.
 */
#include "engine/uapi_handler.h"
#include "wg/uapi_parse.h"
#include "wg/uapi_write.h"

#include <errno.h>
#include <glib.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned scope_of(const char *name)
{
	return (unsigned char)name[0] - 'a';
}

/* Pieces of one size; each is a heap block of its own, so that AddressSanitizer sees its end. */
static int feed(WiceUapiRequest *request, const char *text, size_t len, size_t piece)
{
	size_t shown = 0, read = 0, n_read;
	int r = 0;
	while (r == 0 && shown < len) {
		shown += MIN(piece, len - shown);
		g_autofree char *copy = g_memdup2(text + read, shown - read);
		r = wice__uapi_request_feed(request, copy, shown - read, &n_read);
		g_assert(n_read <= shown - read);
		read += n_read;
	}
	return r;
}

/* What a set asks for, as our client writes it; the error of anything else. */
static int read_set(const char *text, size_t len, size_t piece, WiceUapiText *ret)
{
	WicePlan *plan = NULL;
	WiceUapiRequest *request = wice__uapi_request_new(scope_of);
	int r = feed(request, text, len, piece);
	g_assert(r == 0 || r == 1 || r == -EPROTO || r == -EIO);
	if (r == 1)
		r = wice__uapi_request_error(request);
	else if (r == 0)
		r = -EAGAIN;
	if (r == 0 && wice__uapi_request_verb(request) == WICE_UAPI_GET)
		r = -ENODATA;
	if (r == 0)
		r = wice__uapi_request_plan(request, &plan);
	wice__uapi_request_free(request);
	if (r == 0)
		wice__uapi_write_set(wice_plan_change(plan), ret);
	wice_plan_unref(plan);
	return r;
}

static void check_set(const char *text, size_t len)
{
	g_auto(WiceUapiText) written = { 0 }, pieces = { 0 }, again = { 0 };
	int r = read_set(text, len, len, &written);
	g_assert(read_set(text, len, 1 + len % 97, &pieces) == r);
	if (r < 0)
		return;
	g_assert(read_set(written.data, written.len, written.len, &again) == 0);
	g_assert(written.len == again.len && memcmp(written.data, again.data, again.len) == 0);
	g_assert(written.len == pieces.len && memcmp(written.data, pieces.data, again.len) == 0);
}

static int get(void *user_data, WiceDevice **ret)
{
	WiceDevice **device = user_data;
	*ret = wice_device_ref(*device);
	return 0;
}

static int set(void *user_data, const WicePlan *plan)
{
	WiceDevice **device = user_data;
	WiceDevice *changed = wice_plan_result(plan, *device);
	wice_device_unref(*device);
	*device = changed;
	return 0;
}

/* Reads a reply; the device of one to get is the same as before. */
static int check_reply(const WiceUapiText *text, const WiceDevice *device)
{
	static const WiceUapiWorld world = { 0 };
	WiceDeviceBuilder *builder = wice__device_builder_new("wg0", WICE_DEVICE_FAKE);
	WiceUapiReply reply = { .world = &world, .builder = builder };
	size_t n_read;
	g_assert(wice__uapi_reply_feed(&reply, text->data, text->len, &n_read) == 1);
	g_assert(n_read == text->len);
	WiceDevice *read = wice__device_builder_finish(builder);
	if (device)
		g_assert(wice_device_diff(device, read, NULL, NULL) == 0);
	wice_device_unref(read);
	return wice__uapi_reply_result(&reply);
}

static void check_handle(const char *text, size_t len)
{
	static const WiceUapiHandlerOps ops = { .get = get, .set = set, .scope = scope_of };
	WiceDevice *device =
		wice__device_builder_finish(wice__device_builder_new("wg0", WICE_DEVICE_FAKE));
	WiceUapiHandler handler = { &ops, &device };
	g_auto(WiceUapiText) reply = { 0 }, state = { 0 };
	wice__uapi_handle(&handler, text, len, &reply);
	int r = check_reply(&reply, NULL);
	g_assert(r == 0 || r == -EPROTO || r == -EINVAL || r == -EIO);
	wice__uapi_handle(&handler, "get=1\n\n", 7, &state);
	g_assert(check_reply(&state, device) == 0);
	wice_device_unref(device);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_set((const char *)data, size);
	check_handle((const char *)data, size);
	return 0;
}
