/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each text that is given is a target. Its name is resolved and its credentials are read, then its
 * addresses are checked:
 *
 *   resolve -> credentials -> one check per address -> done          (all targets at once)
 *                                                        \-> how the NAT maps, per family -> done
 *
 * Addresses of one host, whatever they are spoken to over, are checked one after the other: a
 * server counts the allocations of a user and would refuse what it gives in turn.
 */
#include <sodium.h>
#include <string.h>
#include <wice/check.h>
#include <wice/error.h>

#include "event/cancel.h"
#include "event/resolve.h"
#include "event/source.h"
#include "relay/check_advice.h"
#include "relay/check_nat.h"
#include "relay/check_server.h"
#include "stun/probe.h"

#define TIMEOUT_MS 10000
#define N_FAMILIES 2

typedef struct Check Check;
typedef struct Target Target;

/* One address, or a name that has none: then failed says so and there is no check. */
typedef struct {
	Target *target;
	WiceEndpoint server;
	WiceCheckServer *check; /* NULL: it waits for its turn */
	bool ended;
	char *reason;
	WiceCheckResult failed;
} Job;

struct Target {
	Check *check;
	WiceRelaySpec *spec;
	char url[WICE_TURN_URL_SIZE];
	int64_t began_ms;
	uint32_t resolve_ms;
	WiceResolve *resolve;
	WiceRelayCredentials *credentials;
	char *username, *password;
	WiceTimer *timer;
	GPtrArray *jobs;
	bool ready; /* jobs are all there, and may begin */
};

struct Check {
	GMainContext *context;
	uint32_t timeout_ms, fwmark;
	WiceCheckFunc each, done;
	void *user_data;
	WiceCancel *cancel;
	WiceCancelWatch *cancel_watch;
	WiceTimer *timer; /* the end, from the main loop */
	bool cancelled, measured;
	GPtrArray *targets;
	WiceCheckNat *nats[N_FAMILIES];
	WiceNatMapping mappings[N_FAMILIES];
	unsigned n_nats; /* under way */
};

static const WiceFamily families[N_FAMILIES] = { WICE_FAMILY_IPV4, WICE_FAMILY_IPV6 };

const char *wice_check_step_name(WiceCheckStep step)
{
	static const char *const names[] = { "resolve",  "connect", "binding",
					     "allocate", "relay",   "done" };
	return (size_t)step < G_N_ELEMENTS(names) ? names[step] : "unknown";
}

static void job_free(void *data)
{
	Job *job = data;
	wice__check_server_free(job->check);
	g_free(job->reason);
	g_free(job);
}

static void target_free(void *data)
{
	Target *target = data;
	wice__resolve_cancel(target->resolve);
	wice__relay_credentials_cancel(target->credentials);
	wice__timer_free(target->timer);
	g_ptr_array_unref(target->jobs);
	g_free(target->username);
	if (target->password)
		sodium_memzero(target->password, strlen(target->password));
	g_free(target->password);
	wice__relay_spec_free(target->spec);
	g_free(target);
}

static void check_free(Check *check)
{
	for (size_t i = 0; i < N_FAMILIES; i++)
		wice__check_nat_free(check->nats[i]);
	g_ptr_array_unref(check->targets);
	g_clear_pointer(&check->timer, wice__timer_free);
	wice__cancel_unwatch(check->cancel_watch);
	wice_cancel_unref(check->cancel);
	g_main_context_unref(check->context);
	g_free(check);
}

/* Walks all jobs in the order of the texts; NULL behind the last. */
typedef struct {
	const Check *check;
	guint target, job;
} Walk;

static Job *next_job(Walk *walk)
{
	while (walk->target < walk->check->targets->len) {
		const Target *target = walk->check->targets->pdata[walk->target];
		if (walk->job < target->jobs->len)
			return target->jobs->pdata[walk->job++];
		walk->target++;
		walk->job = 0;
	}
	return NULL;
}

static WiceCheckResult result_of(const Job *job)
{
	const Check *check = job->target->check;
	WiceCheckResult result = job->check ? *wice__check_server_result(job->check) : job->failed;
	for (size_t i = 0; i < N_FAMILIES; i++)
		if (job->server.address.family == families[i])
			result.nat = check->mappings[i];
	return result;
}

/* The end. */

static void report(Check *check)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GArray) results = g_array_new(FALSE, TRUE, sizeof(WiceCheckResult));
	Walk walk = { .check = check };
	for (Job *job; (job = next_job(&walk));) {
		WiceCheckResult result = result_of(job);
		g_array_append_val(results, result);
	}
	if (check->cancelled)
		error = g_error_new(WICE_ERROR, WICE_ERROR_CANCELLED, "The check was cancelled.");
	check->done(error ? NULL : (const WiceCheckResult *)(void *)results->data,
		    error ? 0 : results->len, error, check->user_data);
}

static void on_end(void *user_data)
{
	Check *check = user_data;
	report(check);
	check_free(check);
}

static void end(Check *check)
{
	wice__timer_set(check->timer, 0);
}

static void on_cancel(void *user_data)
{
	Check *check = user_data;
	check->cancelled = true;
	end(check);
}

/* How the NAT maps. */

static void on_nat(void *user_data)
{
	Check *check = user_data;
	for (size_t i = 0; i < N_FAMILIES; i++)
		if (check->nats[i])
			check->mappings[i] = wice__check_nat_mapping(check->nats[i]);
	if (--check->n_nats == 0)
		end(check);
}

static size_t add_server(WiceEndpoint *servers, size_t n, WiceFamily family,
			 const WiceEndpoint *server)
{
	if (server->address.family != family || n == WICE_STUN_PROBE_MAX_SERVERS)
		return n;
	for (size_t i = 0; i < n; i++)
		if (wice_endpoint_compare(&servers[i], server) == 0)
			return n;
	servers[n] = *server;
	return n + 1;
}

static void measure_nat(Check *check, size_t index)
{
	WiceEndpoint servers[WICE_STUN_PROBE_MAX_SERVERS];
	WiceFamily family = families[index];
	size_t n = 0;
	Walk walk = { .check = check };
	for (Job *job; (job = next_job(&walk));)
		if (job->check && job->target->spec->url.transport == WICE_TURN_UDP &&
		    result_of(job).rtt_us)
			n = add_server(servers, n, family, &job->server);
	walk = (Walk){ .check = check };
	for (Job *job; (job = next_job(&walk));)
		if (job->check)
			n = add_server(servers, n, family, wice__check_server_other(job->check));
	if (n == 0)
		return;
	check->n_nats++;
	check->nats[index] = wice__check_nat_new(check->context, family, check->fwmark, servers, n,
						 on_nat, check);
}

static bool is_over(const Check *check)
{
	for (guint i = 0; i < check->targets->len; i++)
		if (!((const Target *)check->targets->pdata[i])->ready)
			return false;
	Walk walk = { .check = check };
	for (Job *job; (job = next_job(&walk));)
		if (!job->ended)
			return false;
	return true;
}

static void conclude(Check *check)
{
	if (check->measured || !is_over(check))
		return;
	check->measured = true;
	for (size_t i = 0; i < N_FAMILIES; i++)
		measure_nat(check, i);
	if (check->n_nats == 0)
		end(check);
}

/* Jobs. */

static void start_jobs(Check *check);

static void end_job(Job *job)
{
	Check *check = job->target->check;
	WiceCheckResult result = result_of(job);
	job->ended = true;
	if (check->each)
		check->each(&result, 1, NULL, check->user_data);
}

static void on_job_done(void *user_data)
{
	Job *job = user_data;
	end_job(job);
	start_jobs(job->target->check);
	conclude(job->target->check);
}

static void start_job(Job *job)
{
	const Target *target = job->target;
	WiceCheckServerOptions options = {
		.context = target->check->context,
		.spec = target->spec,
		.url = target->url,
		.server = job->server,
		.fwmark = target->check->fwmark,
		.timeout_ms = target->check->timeout_ms,
		.resolve_ms = target->resolve_ms,
		.username = target->username,
		.password = target->password,
	};
	job->check = wice__check_server_new(&options, on_job_done, job);
}

static bool host_is_busy(const Check *check, const char *host)
{
	Walk walk = { .check = check };
	for (Job *job; (job = next_job(&walk));)
		if (job->check && !job->ended &&
		    g_ascii_strcasecmp(job->target->spec->url.host, host) == 0)
			return true;
	return false;
}

static void start_jobs(Check *check)
{
	Walk walk = { .check = check };
	for (Job *job; (job = next_job(&walk));)
		if (!job->check && !job->ended && job->target->ready &&
		    !host_is_busy(check, job->target->spec->url.host))
			start_job(job);
}

static Job *add_job(Target *target, const WiceAddress *address)
{
	Job *job = g_new0(Job, 1);
	job->target = target;
	if (address)
		job->server = (WiceEndpoint){ *address, target->spec->url.port };
	g_ptr_array_add(target->jobs, job);
	return job;
}

/* Targets. */

static void target_failed(Target *target, WiceCheckStep step, char *reason)
{
	Check *check = target->check;
	if (target->jobs->len == 0)
		add_job(target, NULL);
	for (guint i = 0; i < target->jobs->len; i++) {
		Job *job = target->jobs->pdata[i];
		job->reason = g_strdup(reason);
		job->failed = (WiceCheckResult){
			.url = target->url,
			.server = job->server,
			.step = step,
			.reason = job->reason,
			.resolve_ms = target->resolve_ms,
			.software = "",
		};
		end_job(job);
	}
	g_free(reason);
	target->ready = true;
	conclude(check);
}

static void on_credentials(const char *username, const char *password, const GError *error,
			   void *user_data)
{
	Target *target = user_data;
	target->credentials = NULL;
	if (error) {
		target_failed(target, WICE_CHECK_ALLOCATE, g_strdup_printf("%s.", error->message));
		return;
	}
	target->username = g_strdup(username);
	target->password = g_strdup(password);
	target->ready = true;
	start_jobs(target->check);
}

static void on_resolved(const WiceAddress *addresses, size_t n, const GError *error,
			void *user_data)
{
	Target *target = user_data;
	WiceAddress literal;
	target->resolve = NULL;
	wice__timer_set(target->timer, INT64_MAX);
	if (!wice_address_parse(target->spec->url.host, &literal))
		target->resolve_ms = (uint32_t)MAX(1, wice__now_ms() - target->began_ms);
	if (n == 0) {
		target_failed(target, WICE_CHECK_RESOLVE,
			      wice__check_advise_name(&target->spec->url, error));
		return;
	}
	for (size_t i = 0; i < n; i++)
		add_job(target, &addresses[i]);
	target->credentials = wice__relay_credentials_get(target->check->context, target->spec,
							  on_credentials, target);
}

static void on_resolve_timeout(void *user_data)
{
	Target *target = user_data;
	g_autoptr(GError) error =
		g_error_new(WICE_ERROR, WICE_ERROR_TIMEOUT, "no answer within %u s",
			    MAX(1, target->check->timeout_ms / 1000));
	wice__resolve_cancel(g_steal_pointer(&target->resolve));
	on_resolved(NULL, 0, error, target);
}

/* A STUN server needs nothing but its URL, and is no relay. */
static WiceRelaySpec *parse(const char *text, bool visible, GError **error)
{
	WiceTurnUrl url;
	if (wice__turn_url_parse(text, &url) != 0 || url.relays)
		return wice__relay_spec_parse(text, visible, error);
	WiceRelaySpec *spec = g_new0(WiceRelaySpec, 1);
	spec->url = url;
	return spec;
}

static bool add_target(Check *check, const char *text, bool visible, GError **error)
{
	WiceRelaySpec *spec = parse(text, visible, error);
	if (!spec)
		return false;
	Target *target = g_new0(Target, 1);
	target->check = check;
	target->spec = spec;
	wice__turn_url_format(&spec->url, target->url);
	target->jobs = g_ptr_array_new_with_free_func(job_free);
	target->timer = wice__timer_new(check->context, on_resolve_timeout, target);
	g_ptr_array_add(check->targets, target);
	return true;
}

static void start_target(Target *target)
{
	target->began_ms = wice__now_ms();
	wice__timer_set(target->timer, target->began_ms + target->check->timeout_ms);
	target->resolve = wice__resolve_start(target->check->context, target->spec->url.host,
					      on_resolved, target);
}

/* API. */

static Check *check_new(GMainContext *context, const WiceCheckOptions *options)
{
	Check *check = g_new0(Check, 1);
	check->context = g_main_context_ref(context ? context : g_main_context_default());
	check->timeout_ms = options->timeout_ms ? options->timeout_ms : TIMEOUT_MS;
	check->fwmark = options->fwmark;
	check->targets = g_ptr_array_new_with_free_func(target_free);
	check->timer = wice__timer_new(check->context, on_end, check);
	return check;
}

gboolean wice_check(GMainContext *context, const WiceCheckOptions *options, WiceCheckFunc each,
		    WiceCheckFunc done, void *user_data, WiceCancel *cancel, GError **error)
{
	if (options->size < sizeof *options) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "The options are smaller than those that this library knows.");
		return FALSE;
	}
	Check *check = check_new(context, options);
	check->each = each;
	check->done = done;
	check->user_data = user_data;
	for (const char *const *text = options->servers; text && *text; text++) {
		if (!add_target(check, *text, options->visible, error)) {
			check_free(check);
			return FALSE;
		}
	}
	if (cancel) {
		check->cancel = wice_cancel_ref(cancel);
		check->cancel_watch = wice__cancel_watch(cancel, on_cancel, check);
		check->cancelled = wice_cancel_is_cancelled(cancel);
	}
	for (guint i = 0; i < check->targets->len && !check->cancelled; i++)
		start_target(check->targets->pdata[i]);
	if (check->targets->len == 0 || check->cancelled)
		end(check);
	return TRUE;
}
