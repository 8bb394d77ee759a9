/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds out what the names of a document mean.
 *
 * What the system knows without asking anybody comes first: names of services, and of interfaces
 * behind link-local addresses. The host names are looked up in rounds, a few at a time and each
 * once per round. After a round either all are known, or some never will be, or there is a pause
 * and another round for those that are missing. One timer ends the pauses and everything.
 *
 * The document is written to at the very end, when nothing is missing.
 */
#include "event/cancel.h"
#include "event/resolve.h"
#include "event/source.h"
#include "wg/conf.h"
#include "wg/conf_value.h"

#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <wice/error.h>

#define RUNNING_MAX 16
#define PAUSE_FIRST_MS 1000
#define PAUSE_MAX_MS 20000
#define REASONS_MAX 10 /* in an error's text */
#define SERVICE_BUFFER 4096

typedef struct Resolution Resolution;

/* A host name that is looked up. */
typedef struct {
	Resolution *resolution;
	const char *host; /* the document's */
	WiceResolve *request;
	WiceAddress address; /* none: not yet known */
} Lookup;

/* What an endpoint says: an entry of the document's table of names to be. */
typedef struct {
	WiceEndpoint endpoint;
	Lookup *lookup; /* where the address comes from; NULL if it is there */
} Target;

struct Resolution {
	WiceConf *conf;
	GMainContext *context;
	WiceTimer *timer;
	int64_t deadline_ms;
	int64_t pause_ms;
	WiceCancel *cancel;
	WiceCancelWatch *watch;
	WiceConfResolved done;
	WiceConfRetried retried;
	void *user_data;
	GDestroyNotify destroy;

	GHashTable *targets; /* by wice__conf_peer_name(), or service */
	GHashTable *by_host; /* Lookup, by host */
	GPtrArray *lookups;
	guint next; /* the first that this round has not come to */
	guint n_running;
	bool started;
	unsigned attempt; /* counts the rounds, from 1 */
	bool hopeless;    /* some name will never be known */
	GString *reasons; /* what is missing, and why, of this round */
	unsigned n_reasons;
};

static void add_reason(Resolution *resolution, const char *name, const char *reason)
{
	if (resolution->n_reasons++ >= REASONS_MAX)
		return;
	g_string_append_printf(resolution->reasons, "%s%s (%s)",
			       resolution->reasons->len ? ", " : "", name, reason);
}

static void stop_lookups(Resolution *resolution)
{
	for (guint i = 0; i < resolution->lookups->len; i++) {
		Lookup *lookup = resolution->lookups->pdata[i];
		wice__resolve_cancel(lookup->request);
		lookup->request = NULL;
	}
	resolution->n_running = 0;
}

static void resolution_free(Resolution *resolution)
{
	stop_lookups(resolution);
	wice__cancel_unwatch(resolution->watch);
	wice_cancel_unref(resolution->cancel);
	wice__timer_free(resolution->timer);
	g_hash_table_unref(resolution->targets);
	g_hash_table_unref(resolution->by_host);
	g_ptr_array_unref(resolution->lookups);
	g_string_free(resolution->reasons, TRUE);
	g_main_context_unref(resolution->context);
	if (resolution->destroy)
		resolution->destroy(resolution->user_data);
	g_free(resolution);
}

static void finish(Resolution *resolution, GError *error)
{
	stop_lookups(resolution);
	wice__cancel_unwatch(resolution->watch);
	resolution->watch = NULL;
	resolution->done(error, resolution->user_data);
	g_clear_error(&error);
	resolution_free(resolution);
}

/* All that can be told of a failure is known: more names would only take more time. */
static bool has_failed(const Resolution *resolution)
{
	return resolution->hopeless && resolution->n_reasons >= REASONS_MAX;
}

static void fail(Resolution *resolution)
{
	unsigned more =
		resolution->n_reasons > REASONS_MAX ? resolution->n_reasons - REASONS_MAX : 0;
	if (has_failed(resolution) && resolution->next < resolution->lookups->len)
		g_string_append(resolution->reasons, " and more");
	else if (more)
		g_string_append_printf(resolution->reasons, " and %u more", more);
	finish(resolution, g_error_new(WICE_ERROR, WICE_ERROR_UNREACHABLE,
				       "Cannot resolve all names of %s: %s.",
				       resolution->conf->name, resolution->reasons->str));
}

static void succeed(Resolution *resolution)
{
	GHashTableIter iter;
	gpointer name, value;
	g_hash_table_iter_init(&iter, resolution->targets);
	while (g_hash_table_iter_next(&iter, &name, &value)) {
		Target *target = value;
		if (target->lookup)
			target->endpoint.address = target->lookup->address;
		g_hash_table_replace(resolution->conf->resolved, g_strdup(name),
				     g_memdup2(&target->endpoint, sizeof target->endpoint));
	}
	wice__conf_apply_resolved(resolution->conf);
	finish(resolution, NULL);
}

/* The time is up: what has not been answered is missing, too. */
static void time_out(Resolution *resolution)
{
	for (guint i = 0; i < resolution->lookups->len; i++) {
		const Lookup *lookup = resolution->lookups->pdata[i];
		bool asked = lookup->request || i >= resolution->next;
		if (lookup->address.family == WICE_FAMILY_NONE && asked)
			add_reason(resolution, lookup->host, "no answer in time");
	}
	fail(resolution);
}

static void end_round(Resolution *resolution)
{
	int64_t again_ms = wice__now_ms() + resolution->pause_ms;
	if (resolution->n_reasons == 0) {
		succeed(resolution);
		return;
	}
	if (resolution->hopeless || again_ms >= resolution->deadline_ms) {
		fail(resolution);
		return;
	}
	wice__timer_set(resolution->timer, again_ms);
	resolution->pause_ms = MIN(resolution->pause_ms * 2, PAUSE_MAX_MS);
}

static void run_lookups(Resolution *resolution);

static void answered(const WiceAddress *addresses, size_t n, const GError *error, void *user_data)
{
	Lookup *lookup = user_data;
	Resolution *resolution = lookup->resolution;
	lookup->request = NULL;
	resolution->n_running--;
	if (n > 0) {
		lookup->address = addresses[0];
	} else {
		bool for_good = g_error_matches(error, WICE_ERROR, WICE_ERROR_NOT_FOUND);
		resolution->hopeless |= for_good;
		add_reason(resolution, lookup->host, error->message);
		if (resolution->retried && !for_good &&
		    !resolution->retried(lookup->host, error->message, resolution->attempt,
					 (unsigned)resolution->pause_ms, resolution->user_data))
			resolution->hopeless = true;
	}
	run_lookups(resolution);
}

/* Starts what may run. The last answer ends the round. */
static void run_lookups(Resolution *resolution)
{
	const GPtrArray *lookups = resolution->lookups;
	while (resolution->next < lookups->len && resolution->n_running < RUNNING_MAX &&
	       !has_failed(resolution)) {
		Lookup *lookup = lookups->pdata[resolution->next++];
		if (lookup->address.family != WICE_FAMILY_NONE)
			continue;
		resolution->n_running++;
		lookup->request =
			wice__resolve_start(resolution->context, lookup->host, answered, lookup);
	}
	if (resolution->n_running == 0)
		end_round(resolution);
}

static void begin_round(Resolution *resolution)
{
	resolution->next = 0;
	resolution->attempt++;
	resolution->n_reasons = 0;
	g_string_truncate(resolution->reasons, 0);
	wice__timer_set(resolution->timer, resolution->deadline_ms);
	run_lookups(resolution);
}

static bool find_service(const char *name, uint16_t *ret_port)
{
	struct servent entry, *found = NULL;
	char buffer[SERVICE_BUFFER];
	if (getservbyname_r(name, "udp", &entry, buffer, sizeof buffer, &found) != 0 || !found)
		return false;
	*ret_port = ntohs((uint16_t)found->s_port);
	return true;
}

/* "fe80::1%eth0". Sets *ret if it is an address with a scope; false if there is no such scope. */
static bool find_scope(const char *host, WiceEndpoint *ret)
{
	WiceEndpoint endpoint = { 0 };
	const char *percent = strchr(host, '%');
	if (!percent ||
	    !wice__conf_read_address((WiceConfToken){ host, (size_t)(percent - host) },
				     &endpoint.address) ||
	    endpoint.address.family != WICE_FAMILY_IPV6)
		return true;
	endpoint.scope =
		wice_address_is_link_local(&endpoint.address) ? if_nametoindex(percent + 1) : 0;
	if (endpoint.scope == 0)
		return false;
	*ret = endpoint;
	return true;
}

static Lookup *get_lookup(Resolution *resolution, const char *host)
{
	Lookup *lookup = g_hash_table_lookup(resolution->by_host, host);
	if (lookup)
		return lookup;
	lookup = g_new0(Lookup, 1);
	lookup->resolution = resolution;
	lookup->host = host;
	g_hash_table_insert(resolution->by_host, (gpointer)host, lookup);
	g_ptr_array_add(resolution->lookups, lookup);
	return lookup;
}

/* Takes over name. */
static void add_target(Resolution *resolution, char *name, const char *host, uint16_t port,
		       const char *service)
{
	Target *target = g_new0(Target, 1);
	WiceConfToken token = { host, host ? strlen(host) : 0 };
	bool lenient = resolution->conf->mode != WICE_CONF_STRICT;
	g_hash_table_insert(resolution->targets, name, target);
	if (host && !wice__conf_read_host(token, lenient, &target->endpoint)) {
		if (!find_scope(host, &target->endpoint)) {
			add_reason(resolution, host, "there is no such network interface");
			return;
		}
		if (target->endpoint.address.family == WICE_FAMILY_NONE)
			target->lookup = get_lookup(resolution, host);
	}
	target->endpoint.port = port;
	if (service && !find_service(service, &target->endpoint.port))
		add_reason(resolution, service, "there is no such service of UDP");
}

static void start(Resolution *resolution)
{
	const WiceConf *conf = resolution->conf;
	const char *service = conf->interface.listen_port_service;
	if (service)
		add_target(resolution, g_strdup(service), NULL, 0, service);
	for (size_t i = 0; i < conf->n_peers; i++) {
		const WiceConfPeer *peer = &conf->peers[i].values;
		char *name = wice__conf_peer_name(peer);
		if (name && !g_hash_table_contains(resolution->targets, name))
			add_target(resolution, name, peer->endpoint_host, peer->endpoint_port,
				   peer->endpoint_service);
		else
			g_free(name);
	}
	if (resolution->n_reasons)
		fail(resolution);
	else
		begin_round(resolution);
}

static void on_time(void *user_data)
{
	Resolution *resolution = user_data;
	if (resolution->cancel && wice_cancel_is_cancelled(resolution->cancel)) {
		finish(resolution, g_error_new(WICE_ERROR, WICE_ERROR_CANCELLED,
					       "Resolving the names of %s was cancelled.",
					       resolution->conf->name));
	} else if (!resolution->started) {
		resolution->started = true;
		start(resolution);
	} else if (wice__now_ms() >= resolution->deadline_ms) {
		time_out(resolution);
	} else {
		begin_round(resolution);
	}
}

/* Nothing is called from within wice_cancel_now(): the timer does it. */
static void on_cancel(void *user_data)
{
	Resolution *resolution = user_data;
	stop_lookups(resolution);
	wice__timer_set(resolution->timer, wice__now_ms());
}

static Resolution *resolution_new(WiceConf *conf, GMainContext *context, unsigned timeout_ms,
				  WiceCancel *cancel)
{
	Resolution *resolution = g_new0(Resolution, 1);
	int64_t now_ms = wice__now_ms();
	resolution->conf = conf;
	resolution->context = g_main_context_ref(context ? context : g_main_context_default());
	resolution->deadline_ms = timeout_ms == UINT_MAX ? INT64_MAX : now_ms + timeout_ms;
	resolution->pause_ms = PAUSE_FIRST_MS;
	resolution->targets = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	resolution->by_host = g_hash_table_new(g_str_hash, g_str_equal);
	resolution->lookups = g_ptr_array_new_with_free_func(g_free);
	resolution->reasons = g_string_new(NULL);
	resolution->timer = wice__timer_new(resolution->context, on_time, resolution);
	wice__timer_set(resolution->timer, now_ms);
	if (cancel) {
		resolution->cancel = wice_cancel_ref(cancel);
		resolution->watch = wice__cancel_watch(cancel, on_cancel, resolution);
	}
	return resolution;
}

void wice_conf_resolve_async(WiceConf *conf, GMainContext *context, unsigned timeout_ms,
			     WiceCancel *cancel, WiceConfResolved done, void *user_data,
			     GDestroyNotify destroy)
{
	Resolution *resolution = resolution_new(conf, context, timeout_ms, cancel);
	resolution->done = done;
	resolution->user_data = user_data;
	resolution->destroy = destroy;
}

/* A call that waits. */
typedef struct {
	bool done;
	GError *error;
	WiceConfRetried retried;
	void *user_data;
} Wait;

static void wait_done(const GError *error, void *user_data)
{
	Wait *wait = user_data;
	wait->done = true;
	wait->error = error ? g_error_copy(error) : NULL;
}

static bool wait_retried(const char *name, const char *reason, unsigned attempt, unsigned pause_ms,
			 void *user_data)
{
	Wait *wait = user_data;
	return !wait->retried || wait->retried(name, reason, attempt, pause_ms, wait->user_data);
}

gboolean wice_conf_resolve(WiceConf *conf, unsigned timeout_ms, WiceConfRetried retried,
			   void *user_data, GError **error)
{
	if (!wice_conf_needs_resolving(conf))
		return TRUE;
	GMainContext *context = g_main_context_new();
	Wait wait = { .retried = retried, .user_data = user_data };
	Resolution *resolution = resolution_new(conf, context, timeout_ms, NULL);
	resolution->done = wait_done;
	resolution->retried = wait_retried;
	resolution->user_data = &wait;
	while (!wait.done)
		g_main_context_iteration(context, TRUE);
	g_main_context_unref(context);
	if (!wait.error)
		return TRUE;
	g_propagate_error(error, wait.error);
	return FALSE;
}
