/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wg/uapi_text.h"

#include "base/address.h"
#include "base/parse.h"
#include "wg/device.h"

#include <sodium.h>

#define ENDPOINT_MAX 128 /* the longest is much shorter; the rest is room for zones */

void wice__uapi_text_done(WiceUapiText *text)
{
	if (text->data)
		sodium_memzero(text->data, text->len);
	g_free(text->data);
	*text = (WiceUapiText){ 0 };
}

bool wice__uapi_read_number(WiceUapiSlice value, uint64_t max, uint64_t *ret)
{
	return wice__parse_number(value.at, value.len, max, ret);
}

bool wice__uapi_read_key(WiceUapiSlice value, WiceKey *ret)
{
	return value.len == WICE_KEY_HEX_LEN && wice__key_from_hex(value.at, ret);
}

/* "[address%name]:port": wice__parse_endpoint() knows numbers only. */
static bool read_named_scope(WiceUapiSlice value, WiceUapiScopeFunc scope, WiceEndpoint *ret)
{
	char text[ENDPOINT_MAX];
	const char *percent = memchr(value.at, '%', value.len), *end = value.at + value.len;
	const char *bracket = percent ? memchr(percent, ']', (size_t)(end - percent)) : NULL;
	if (!bracket || memchr(value.at, 0, value.len))
		return false;
	g_autofree char *name = g_strndup(percent + 1, (gsize)(bracket - percent - 1));
	if (!wice__interface_name_valid(name))
		return false;
	int len = g_snprintf(text, sizeof text, "%.*s%%%u%.*s", (int)(percent - value.at), value.at,
			     scope ? scope(name) : 0, (int)(end - bracket), bracket);
	return len < (int)sizeof text && wice__parse_endpoint(text, (size_t)len, ret);
}

bool wice__uapi_read_endpoint(WiceUapiSlice value, WiceUapiScopeFunc scope, WiceEndpoint *ret)
{
	if (value.len >= ENDPOINT_MAX || (!wice__parse_endpoint(value.at, value.len, ret) &&
					  !read_named_scope(value, scope, ret)))
		return false;
	wice__endpoint_unmap(ret);
	return true;
}
