/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "signaling/backends.h"

#include <string.h>
#include <wice/error.h>

static const WiceSignalingOps *const built_in[] = {
	&wice__signaling_inprocess,
	&wice__signaling_multicast,
	&wice__signaling_grpc,
	&wice__signaling_grpcs,
};

/* Guards what applications register: more is a mistake in the application. */
#define REGISTERED_MAX 32

static const WiceSignalingOps *registered[REGISTERED_MAX];
static size_t n_registered;

/* The i-th known backend, built-in ones first, or NULL. */
static const WiceSignalingOps *nth(size_t i)
{
	if (i < G_N_ELEMENTS(built_in))
		return built_in[i];
	i -= G_N_ELEMENTS(built_in);
	return i < n_registered ? registered[i] : NULL;
}

/* Schemes are compared without case (RFC 3986 section 3.1). */
static const WiceSignalingOps *find_scheme(const char *scheme, size_t len)
{
	const WiceSignalingOps *ops;
	for (size_t i = 0; (ops = nth(i)); i++)
		if (strlen(ops->scheme) == len &&
		    g_ascii_strncasecmp(ops->scheme, scheme, len) == 0)
			return ops;
	return NULL;
}

static char *list_schemes(void)
{
	GString *list = g_string_new(NULL);
	const WiceSignalingOps *ops;
	for (size_t i = 0; (ops = nth(i)); i++)
		g_string_append_printf(list, "%s%s", i ? ", " : "", ops->scheme);
	return g_string_free(list, FALSE);
}

/* RFC 3986 section 3.1, in lower case. */
static bool is_scheme(const char *scheme)
{
	if (!scheme || !g_ascii_islower(*scheme))
		return false;
	for (const char *c = scheme; *c; c++)
		if (!g_ascii_islower(*c) && !g_ascii_isdigit(*c) && !strchr("+-.", *c))
			return false;
	return true;
}

static bool has_all_hooks(const WiceSignalingOps *ops)
{
	return ops->size >= sizeof *ops && ops->open && ops->subscribe && ops->unsubscribe &&
	       ops->publish && ops->network_changed && ops->close;
}

gboolean wice_signaling_register(const WiceSignalingOps *ops, GError **error)
{
	if (!has_all_hooks(ops) || !is_scheme(ops->scheme)) {
		g_set_error(
			error, WICE_ERROR, WICE_ERROR_INVALID,
			"Cannot register a signaling backend: its size or scheme is wrong, or a "
			"hook other than set_fwmark is missing.");
		return FALSE;
	}
	if (find_scheme(ops->scheme, strlen(ops->scheme))) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_EXISTS,
			    "Cannot register the signaling backend \"%s\": the scheme is taken. "
			    "Choose another one.",
			    ops->scheme);
		return FALSE;
	}
	if (n_registered == REGISTERED_MAX) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_FAILED,
			    "Cannot register the signaling backend \"%s\": there are %d already, "
			    "and that is the limit.",
			    ops->scheme, REGISTERED_MAX);
		return FALSE;
	}
	registered[n_registered++] = ops;
	return TRUE;
}

const WiceSignalingOps *wice_signaling_find(const char *url, GError **error)
{
	const char *colon = strchr(url, ':');
	const WiceSignalingOps *ops = colon ? find_scheme(url, (size_t)(colon - url)) : NULL;
	if (!ops) {
		g_autofree char *schemes = list_schemes();
		g_set_error(error, WICE_ERROR, WICE_ERROR_UNSUPPORTED,
			    "Cannot use the signaling backend \"%s\": its scheme is not known. "
			    "Known are: %s.",
			    url, schemes);
	}
	return ops;
}
