/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each request asks the system's resolver on a thread of its own, which inherits the network
 * namespace of who asks; nothing can interrupt getaddrinfo(3), so a cancelled request just loses
 * its callback. (GIO's resolver does the same on shared threads, but would bring all of GIO into
 * programs that only want to control WireGuard.)
 */
#include "event/resolve.h"

#include "event/sockaddr.h"
#include "event/source.h"

#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <wice/error.h>

#define MAX_ADDRESSES 32
#define MAX_HOST_LEN 253 /* RFC 1035 section 2.3.4, as text */

/*
 * The answer owns it from start to callback; once cancelled, func is NULL and the answer only
 * frees. func and user_data are the context's; the thread writes the rest and then hands it over.
 */
struct WiceResolve {
	WiceResolveFunc func;
	void *user_data;
	GMainContext *context;
	char *host; /* as the DNS spells it, ASCII; NULL: it cannot be a name */
	WiceAddress addresses[MAX_ADDRESSES];
	size_t n;
	const char *reason; /* why there are none, static */
	bool for_good;      /* asking again is of no use */
};

static void resolve_free(void *data)
{
	WiceResolve *resolve = data;
	if (resolve->context)
		g_main_context_unref(resolve->context);
	g_free(resolve->host);
	g_free(resolve);
}

static void answer(void *user_data)
{
	WiceResolve *resolve = user_data;
	if (!resolve->func)
		return;
	g_autoptr(GError) error = NULL;
	if (resolve->n == 0)
		error = g_error_new_literal(WICE_ERROR,
					    resolve->for_good ? WICE_ERROR_NOT_FOUND
							      : WICE_ERROR_UNREACHABLE,
					    resolve->reason);
	resolve->func(resolve->addresses, resolve->n, error, resolve->user_data);
}

static bool has(const WiceResolve *resolve, const WiceAddress *address)
{
	for (size_t i = 0; i < resolve->n; i++)
		if (wice_address_compare(&resolve->addresses[i], address) == 0)
			return true;
	return false;
}

static void take(WiceResolve *resolve, const struct addrinfo *found)
{
	for (; found && resolve->n < MAX_ADDRESSES; found = found->ai_next) {
		WiceEndpoint endpoint;
		if (wice__endpoint_from_sockaddr(found->ai_addr, found->ai_addrlen, &endpoint) &&
		    !has(resolve, &endpoint.address))
			resolve->addresses[resolve->n++] = endpoint.address;
	}
}

/*
 * The answer is the context's from here on. If nobody runs the context any more and this was the
 * last reference, the answer goes with it.
 */
static void hand_over(WiceResolve *resolve)
{
	GMainContext *context = g_steal_pointer(&resolve->context);
	wice__idle_call(context, answer, resolve, resolve_free);
	g_main_context_unref(context);
}

static gpointer look_up(gpointer data)
{
	static const struct addrinfo hints = { .ai_family = AF_UNSPEC,
					       .ai_socktype = SOCK_DGRAM,
					       .ai_flags = AI_ADDRCONFIG };
	WiceResolve *resolve = data;
	struct addrinfo *found = NULL;
	int error = getaddrinfo(resolve->host, NULL, &hints, &found);
	if (error == 0) {
		take(resolve, found);
		freeaddrinfo(found);
	}
	resolve->reason = error ? gai_strerror(error) : "the name has no address";
	resolve->for_good = error == EAI_NONAME || error == EAI_NODATA || error == EAI_FAIL;
	hand_over(resolve);
	return NULL;
}

static void start_look_up(WiceResolve *resolve)
{
	GThread *thread = g_thread_try_new("wice-resolve", look_up, resolve, NULL);
	if (thread) {
		g_thread_unref(thread);
		return;
	}
	resolve->reason = "the system has no more threads";
	hand_over(resolve);
}

WiceResolve *wice__resolve_start(GMainContext *context, const char *host, WiceResolveFunc func,
				 void *user_data)
{
	WiceResolve *resolve = g_new0(WiceResolve, 1);
	resolve->func = func;
	resolve->user_data = user_data;
	resolve->context = g_main_context_ref(context ? context : g_main_context_default());
	size_t len = strlen(host);
	if (wice_address_parse(host, &resolve->addresses[0]))
		resolve->n = 1;
	else if (len && len <= MAX_HOST_LEN)
		resolve->host = g_hostname_to_ascii(host);
	if (resolve->host) {
		start_look_up(resolve);
		return resolve;
	}
	resolve->reason = "it is empty, longer than 253 characters or no name at all";
	resolve->for_good = true;
	hand_over(resolve);
	return resolve;
}

void wice__resolve_cancel(WiceResolve *resolve)
{
	if (resolve)
		resolve->func = NULL;
}
