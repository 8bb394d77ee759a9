/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "event/resolve.h"

#include "event/source.h"
#include <gio/gio.h>
#include <string.h>

#define MAX_ADDRESSES 32
#define MAX_HOST_LEN 253 /* RFC 1035 section 2.3.4, as text */

/*
 * The answer owns it from start to callback; once cancelled, func is NULL and the answer only
 * frees.
 */
struct WiceResolve {
	WiceResolveFunc func;
	void *user_data;
	GCancellable *cancellable;
	WiceAddress literal; /* what is answered without asking anybody */
	bool is_literal;
};

static void resolve_free(void *data)
{
	WiceResolve *resolve = data;
	g_object_unref(resolve->cancellable);
	g_free(resolve);
}

static void report(WiceResolve *resolve, const WiceAddress *addresses, size_t n,
		   const GError *error)
{
	if (resolve->func)
		resolve->func(addresses, n, error, resolve->user_data);
}

static void answer_at_once(void *user_data)
{
	WiceResolve *resolve = user_data;
	if (resolve->is_literal) {
		report(resolve, &resolve->literal, 1, NULL);
		return;
	}
	GError *error = g_error_new_literal(G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND,
					    "it is empty or longer than 253 characters");
	report(resolve, NULL, 0, error);
	g_error_free(error);
}

static bool from_inet_address(GInetAddress *inet, WiceAddress *ret)
{
	WiceAddress address = { 0 };
	switch (g_inet_address_get_family(inet)) {
	case G_SOCKET_FAMILY_IPV4:
		address.family = WICE_FAMILY_IPV4;
		break;
	case G_SOCKET_FAMILY_IPV6:
		address.family = WICE_FAMILY_IPV6;
		break;
	default:
		return false;
	}
	memcpy(address.bytes, g_inet_address_to_bytes(inet), g_inet_address_get_native_size(inet));
	*ret = address;
	return true;
}

static void looked_up(GObject *resolver, GAsyncResult *result, gpointer user_data)
{
	WiceResolve *resolve = user_data;
	WiceAddress addresses[MAX_ADDRESSES];
	size_t n = 0;
	GError *error = NULL;
	GList *found = g_resolver_lookup_by_name_finish(G_RESOLVER(resolver), result, &error);
	for (GList *i = found; i && n < MAX_ADDRESSES; i = i->next)
		if (from_inet_address(i->data, &addresses[n]))
			n++;
	g_resolver_free_addresses(found);
	if (!error && n == 0)
		error = g_error_new_literal(G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND,
					    "the name has no address");
	report(resolve, addresses, n, error);
	g_clear_error(&error);
	resolve_free(resolve);
}

WiceResolve *wice__resolve_start(GMainContext *context, const char *host, WiceResolveFunc func,
				 void *user_data)
{
	WiceResolve *resolve = g_new0(WiceResolve, 1);
	resolve->func = func;
	resolve->user_data = user_data;
	resolve->cancellable = g_cancellable_new();
	resolve->is_literal = wice_address_parse(host, &resolve->literal);
	size_t len = strlen(host);
	if (resolve->is_literal || len == 0 || len > MAX_HOST_LEN) {
		wice__idle_call(context, answer_at_once, resolve, resolve_free);
		return resolve;
	}
	/* GIO answers on the context that is the thread's default when it is asked. */
	g_main_context_push_thread_default(context);
	GResolver *resolver = g_resolver_get_default();
	g_resolver_lookup_by_name_async(resolver, host, resolve->cancellable, looked_up, resolve);
	g_object_unref(resolver);
	g_main_context_pop_thread_default(context);
	return resolve;
}

void wice__resolve_cancel(WiceResolve *resolve)
{
	if (!resolve)
		return;
	resolve->func = NULL;
	g_cancellable_cancel(resolve->cancellable);
}
