/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/metadata.h"

#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX 1024

bool wice__rpc_content_type_ok(const char *value)
{
	static const char type[] = "application/grpc";
	if (g_ascii_strncasecmp(value, type, sizeof type - 1) != 0)
		return false;
	char next = value[sizeof type - 1];
	return next == '\0' || next == '+' || next == ';';
}

void wice__rpc_timeout_format(unsigned timeout_ms, char ret[WICE_RPC_TIMEOUT_SIZE])
{
	if (timeout_ms <= 99999999)
		g_snprintf(ret, WICE_RPC_TIMEOUT_SIZE, "%um", timeout_ms);
	else
		g_snprintf(ret, WICE_RPC_TIMEOUT_SIZE, "%uS", timeout_ms / 1000);
}

bool wice__rpc_timeout_parse(const char *value, int64_t *ret_ms)
{
	size_t digits = strspn(value, "0123456789");
	if (digits == 0 || digits > 8 || strlen(value) != digits + 1)
		return false;
	int64_t number = g_ascii_strtoll(value, NULL, 10);
	switch (value[digits]) {
	case 'H':
		*ret_ms = number * 3600 * 1000;
		return true;
	case 'M':
		*ret_ms = number * 60 * 1000;
		return true;
	case 'S':
		*ret_ms = number * 1000;
		return true;
	case 'm':
		*ret_ms = number;
		return true;
	case 'u':
		*ret_ms = (number + 999) / 1000;
		return true;
	case 'n':
		*ret_ms = (number + 999999) / 1000000;
		return true;
	default:
		return false;
	}
}

char *wice__rpc_message_encode(const char *text)
{
	GString *value = g_string_sized_new(strlen(text) + 16);
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (*c < 0x20 || *c > 0x7e || *c == '%')
			g_string_append_printf(value, "%%%02X", *c);
		else
			g_string_append_c(value, (char)*c);
	}
	return g_string_free(value, FALSE);
}

char *wice__rpc_message_decode(const char *value)
{
	g_autofree char *cut = g_strndup(value, MESSAGE_MAX);
	GString *text = g_string_sized_new(strlen(cut));
	for (const char *c = cut; *c; c++) {
		bool escaped = *c == '%' && g_ascii_isxdigit(c[1]) && g_ascii_isxdigit(c[2]);
		int byte = escaped ? g_ascii_xdigit_value(c[1]) << 4 | g_ascii_xdigit_value(c[2])
				   : (unsigned char)*c;
		/* This ends up in logs and on terminals: one line, no control characters. */
		if (byte < 0x20 || byte == 0x7f)
			byte = ' ';
		g_string_append_c(text, (char)byte);
		if (escaped)
			c += 2;
	}
	char *valid = g_utf8_make_valid(text->str, (gssize)text->len);
	g_string_free(text, TRUE);
	return valid;
}

WiceRpcStatus wice__rpc_status_parse(const char *value)
{
	size_t digits = strspn(value, "0123456789");
	if (digits == 0 || digits > 2 || value[digits])
		return WICE_RPC_UNKNOWN;
	guint64 number = g_ascii_strtoull(value, NULL, 10);
	return number <= WICE_RPC_UNAUTHENTICATED ? (WiceRpcStatus)number : WICE_RPC_UNKNOWN;
}

WiceRpcStatus wice__rpc_status_of_http(const char *http_status)
{
	switch (atoi(http_status)) {
	case 400:
		return WICE_RPC_INTERNAL;
	case 401:
		return WICE_RPC_UNAUTHENTICATED;
	case 403:
		return WICE_RPC_PERMISSION_DENIED;
	case 404:
		return WICE_RPC_UNIMPLEMENTED;
	case 429:
	case 502:
	case 503:
	case 504:
		return WICE_RPC_UNAVAILABLE;
	default:
		return WICE_RPC_UNKNOWN;
	}
}

WiceRpcStatus wice__rpc_status_of_reset(uint32_t error_code)
{
	switch (error_code) {
	case NGHTTP2_REFUSED_STREAM:
		return WICE_RPC_UNAVAILABLE;
	case NGHTTP2_CANCEL:
		return WICE_RPC_CANCELLED;
	case NGHTTP2_ENHANCE_YOUR_CALM:
		return WICE_RPC_RESOURCE_EXHAUSTED;
	case NGHTTP2_INADEQUATE_SECURITY:
		return WICE_RPC_PERMISSION_DENIED;
	default:
		return WICE_RPC_INTERNAL;
	}
}

const char *wice__rpc_status_name(WiceRpcStatus status)
{
	static const char *const names[] = {
		"OK",
		"CANCELLED",
		"UNKNOWN",
		"INVALID_ARGUMENT",
		"DEADLINE_EXCEEDED",
		"NOT_FOUND",
		"ALREADY_EXISTS",
		"PERMISSION_DENIED",
		"RESOURCE_EXHAUSTED",
		"FAILED_PRECONDITION",
		"ABORTED",
		"OUT_OF_RANGE",
		"UNIMPLEMENTED",
		"INTERNAL",
		"UNAVAILABLE",
		"DATA_LOSS",
		"UNAUTHENTICATED",
	};
	return (unsigned)status < G_N_ELEMENTS(names) ? names[status] : "UNKNOWN";
}
