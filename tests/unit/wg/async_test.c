/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The calls that do not wait: when they complete, with what, and what becomes of their memory. */
#include "conformance/wg/state.h"
#include "suite.h"
#include "unit/wg/gate.h"
#include "unit/wg/threads.h"
#include "wg/fake.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <wice/error.h>
#include <wice/wg.h>

#define TIMEOUT_MS 60000

/* What a call came to. */
typedef struct {
	unsigned n_done, n_destroyed;
	GThread *thread;
	int code; /* -1: success */
	char *text;
	WiceDevice *device;
} Outcome;

static void note(Outcome *outcome, const GError *error)
{
	ck_assert_uint_eq(outcome->n_destroyed, 0);
	outcome->n_done++;
	outcome->thread = g_thread_self();
	outcome->code = error ? error->code : -1;
}

static void listed(char **names, char **problems, const GError *error, void *user_data)
{
	Outcome *outcome = user_data;
	note(outcome, error);
	ck_assert((names == NULL) == (error != NULL));
	ck_assert((problems == NULL) == (error != NULL));
	g_autofree char *left = names ? g_strjoinv(",", names) : NULL;
	g_autofree char *right = problems ? g_strjoinv(",", problems) : NULL;
	if (names)
		outcome->text = g_strdup_printf("%s|%s", left, right);
}

static void got(WiceDevice *device, const GError *error, void *user_data)
{
	Outcome *outcome = user_data;
	note(outcome, error);
	ck_assert((device == NULL) == (error != NULL));
	if (device)
		outcome->device = wice_device_ref(device);
}

static void done(const GError *error, void *user_data)
{
	note(user_data, error);
}

static void got_link(const WiceLink *link, const GError *error, void *user_data)
{
	Outcome *outcome = user_data;
	note(outcome, error);
	ck_assert((link == NULL) == (error != NULL));
	if (link)
		outcome->text =
			g_strdup_printf("%s %u %zu", link->name, link->mtu, link->n_addresses);
}

static void destroyed(void *user_data)
{
	Outcome *outcome = user_data;
	outcome->n_destroyed++;
}

static void outcome_clear(Outcome *outcome)
{
	g_free(outcome->text);
	wice_device_unref(outcome->device);
	*outcome = (Outcome){ 0 };
}

/* Runs the context until the call has completed; expects it to be done once, here. */
static void await(GMainContext *context, const Outcome *outcome)
{
	ck_assert_uint_eq(outcome->n_done, 0);
	while (outcome->n_destroyed == 0)
		g_main_context_iteration(context, TRUE);
	ck_assert_uint_eq(outcome->n_done, 1);
	ck_assert_uint_eq(outcome->n_destroyed, 1);
	ck_assert_ptr_eq(outcome->thread, g_thread_self());
}

static WiceWg *new_fake(WiceWgFake **ret)
{
	*ret = wice__wg_fake_new();
	WiceWgBackend *backend = wice__wg_fake_backend(*ret);
	return wice__wg_new_with(&backend, 1);
}

static void create(WiceWg *wg, GMainContext *context, const char *name, int code)
{
	Outcome outcome = { 0 };
	wice_wg_create_async(wg, name, TIMEOUT_MS, context, NULL, done, &outcome, destroyed);
	await(context, &outcome);
	ck_assert_int_eq(outcome.code, code);
	outcome_clear(&outcome);
}

START_TEST(each_call_does_what_the_one_that_waits_does)
{
	WiceWgFake *fake;
	WiceWg *wg = new_fake(&fake);
	GMainContext *context = g_main_context_new();
	Outcome outcome = { 0 };
	create(wg, context, "wg0", -1);
	create(wg, context, "wg0", WICE_ERROR_EXISTS);
	create(wg, context, "a/b", WICE_ERROR_INVALID);

	WiceDeviceChange change = { .size = sizeof change,
				    .fields = WICE_DEVICE_HAS_LISTEN_PORT,
				    .listen_port = 9 };
	WicePlan *plan = wice_plan_new(&change, NULL);
	wice_wg_set_async(wg, "wg0", plan, TIMEOUT_MS, context, NULL, done, &outcome, destroyed);
	wice_plan_unref(plan);
	await(context, &outcome);
	ck_assert_int_eq(outcome.code, -1);
	outcome_clear(&outcome);

	wice_wg_get_async(wg, "wg0", TIMEOUT_MS, context, NULL, got, &outcome, destroyed);
	await(context, &outcome);
	ck_assert_uint_eq(wice_device_info(outcome.device)->listen_port, 9);
	outcome_clear(&outcome);

	wice__wg_fake_set_problem(fake, "It is late.");
	wice_wg_list_async(wg, context, NULL, listed, &outcome, destroyed);
	await(context, &outcome);
	ck_assert_str_eq(outcome.text, "wg0|It is late.");
	outcome_clear(&outcome);

	wice_wg_delete_async(wg, "wg0", TIMEOUT_MS, context, NULL, done, &outcome, destroyed);
	await(context, &outcome);
	ck_assert_int_eq(outcome.code, -1);
	outcome_clear(&outcome);
	wice_wg_get_async(wg, "wg0", TIMEOUT_MS, context, NULL, got, &outcome, destroyed);
	await(context, &outcome);
	ck_assert_int_eq(outcome.code, WICE_ERROR_NOT_FOUND);
	outcome_clear(&outcome);
	g_main_context_unref(context);
	wice_wg_free(wg);
	wice__wg_fake_free(fake);
}
END_TEST

START_TEST(a_link_is_changed_by_a_copy_of_what_was_asked)
{
	WiceWgFake *fake;
	WiceWg *wg = new_fake(&fake);
	GMainContext *context = g_main_context_new();
	Outcome outcome = { 0 };
	char name[] = "wg0", new_name[] = "wg1";
	WiceInterfaceAddress address;
	ck_assert(wice_interface_address_parse("10.0.0.1/24", &address));
	WiceLinkChange change = { .size = sizeof change,
				  .new_name = new_name,
				  .mtu = 1300,
				  .n_add = 1,
				  .add = &address };
	create(wg, context, name, -1);
	wice_wg_set_link_async(wg, name, &change, TIMEOUT_MS, context, NULL, done, &outcome,
			       destroyed);
	memset(name, 'x', 3);
	memset(new_name, 'x', 3);
	memset(&address, 0xff, sizeof address);
	memset(&change, 0xff, sizeof change);
	await(context, &outcome);
	ck_assert_int_eq(outcome.code, -1);
	outcome_clear(&outcome);

	wice_wg_get_link_async(wg, "wg1", TIMEOUT_MS, context, NULL, got_link, &outcome, destroyed);
	await(context, &outcome);
	ck_assert_str_eq(outcome.text, "wg1 1300 1");
	outcome_clear(&outcome);

	change = (WiceLinkChange){ .size = 1 };
	wice_wg_set_link_async(wg, "wg1", &change, TIMEOUT_MS, context, NULL, done, &outcome,
			       destroyed);
	await(context, &outcome);
	ck_assert_int_eq(outcome.code, WICE_ERROR_INVALID);
	outcome_clear(&outcome);
	g_main_context_unref(context);
	wice_wg_free(wg);
	wice__wg_fake_free(fake);
}
END_TEST

START_TEST(the_default_context_is_the_one_of_the_main_loop)
{
	Gate gate;
	Outcome outcome = { 0 };
	WiceWg *wg = gate_init(&gate);
	gate_open(&gate);
	wice_wg_get_async(wg, "wg0", TIMEOUT_MS, NULL, NULL, got, &outcome, destroyed);
	await(NULL, &outcome);
	ck_assert_int_eq(outcome.code, -1);
	outcome_clear(&outcome);
	wice_wg_free(wg);
	gate_done(&gate);
}
END_TEST

START_TEST(a_cancelled_call_completes_at_once_and_its_result_is_dropped)
{
	Gate gate;
	Outcome outcome = { 0 };
	WiceWg *wg = gate_init(&gate);
	GMainContext *context = g_main_context_new();
	WiceCancel *cancel = wice_cancel_new();
	wice_wg_get_async(wg, "wg0", TIMEOUT_MS, context, cancel, got, &outcome, destroyed);
	gate_wait_for(&gate, 1);
	wice_cancel_now(cancel);
	await(context, &outcome); /* while the thread waits at the gate */
	ck_assert_int_eq(outcome.code, WICE_ERROR_CANCELLED);
	gate_open(&gate);
	wice_wg_free(wg);
	gate_done(&gate);
	while (g_main_context_iteration(context, FALSE))
		;
	ck_assert_uint_eq(outcome.n_done, 1);
	outcome_clear(&outcome);
	wice_cancel_unref(cancel);
	g_main_context_unref(context);
}
END_TEST

START_TEST(a_call_that_was_cancelled_before_is_not_begun)
{
	Gate gate;
	Outcome outcome = { 0 };
	WiceWg *wg = gate_init(&gate);
	GMainContext *context = g_main_context_new();
	WiceCancel *cancel = wice_cancel_new();
	wice_cancel_now(cancel);
	wice_wg_get_async(wg, "wg0", TIMEOUT_MS, context, cancel, got, &outcome, destroyed);
	await(context, &outcome);
	ck_assert_int_eq(outcome.code, WICE_ERROR_CANCELLED);
	wice_wg_free(wg);
	gate_done(&gate);
	ck_assert_uint_eq(gate.n_reads, 0);
	outcome_clear(&outcome);
	wice_cancel_unref(cancel);
	g_main_context_unref(context);
}
END_TEST

START_TEST(a_result_that_nobody_has_seen_yet_can_be_cancelled)
{
	Gate gate;
	Outcome outcome = { 0 };
	WiceWg *wg = gate_init(&gate);
	GMainContext *context = g_main_context_new();
	WiceCancel *cancel = wice_cancel_new();
	gate_open(&gate);
	wice_wg_get_async(wg, "wg0", TIMEOUT_MS, context, cancel, got, &outcome, destroyed);
	while (!g_main_context_pending(context))
		g_usleep(1000);
	wice_cancel_now(cancel);
	await(context, &outcome);
	ck_assert_int_eq(outcome.code, WICE_ERROR_CANCELLED);
	outcome_clear(&outcome);
	wice_cancel_unref(cancel);
	g_main_context_unref(context);
	wice_wg_free(wg);
	gate_done(&gate);
}
END_TEST

START_TEST(many_calls_share_few_threads_and_all_complete)
{
	enum { N = 200, THREADS = 32 };
	static Outcome outcomes[N];
	Gate gate;
	WiceWg *wg = gate_init(&gate);
	GMainContext *context = g_main_context_new();
	WiceCancel *cancel = wice_cancel_new();
	for (size_t i = 0; i < N; i++)
		wice_wg_get_async(wg, "wg0", TIMEOUT_MS, context, i == N - 1 ? cancel : NULL, got,
				  &outcomes[i], destroyed);
	gate_wait_for(&gate, THREADS);
	wice_cancel_now(cancel); /* one that still waits for a thread */
	await(context, &outcomes[N - 1]);
	wice_wg_free(wg); /* they complete all the same */
	gate_open(&gate);
	for (size_t i = 0; i < N - 1; i++) {
		while (outcomes[i].n_destroyed == 0)
			g_main_context_iteration(context, TRUE);
		ck_assert_uint_eq(outcomes[i].n_done, 1);
		ck_assert_int_eq(outcomes[i].code, -1);
		outcome_clear(&outcomes[i]);
	}
	gate_done(&gate);
	ck_assert_uint_eq(gate.n_inside_max, THREADS);
	ck_assert_uint_eq(gate.n_reads, N - 1);
	wice_cancel_unref(cancel);
	g_main_context_unref(context);
}
END_TEST

START_TEST(a_context_that_is_not_run_again_frees_its_calls)
{
	Gate gate;
	Outcome finished = { 0 }, cancelled = { 0 };
	WiceWg *wg = gate_init(&gate);
	GMainContext *context = g_main_context_new();
	WiceCancel *cancel = wice_cancel_new();
	wice_wg_get_async(wg, "wg0", TIMEOUT_MS, context, NULL, got, &finished, destroyed);
	wice_wg_get_async(wg, "wg0", TIMEOUT_MS, context, cancel, got, &cancelled, destroyed);
	gate_wait_for(&gate, 2);
	wice_cancel_now(cancel);
	wice_wg_free(wg);
	g_main_context_unref(context);
	gate_open(&gate);
	gate_done(&gate);
	ck_assert_uint_eq(finished.n_done + cancelled.n_done, 0);
	ck_assert_uint_eq(finished.n_destroyed, 1);
	ck_assert_uint_eq(cancelled.n_destroyed, 1);
	wice_cancel_unref(cancel);
}
END_TEST

/* A thread may do so, and takes no other along. */
static gpointer try_another_namespace(gpointer data)
{
	return GINT_TO_POINTER(unshare(CLONE_NEWNET) == 0);
}

static gpointer call_from_another_namespace(gpointer data)
{
	WiceWg *wg = data;
	Outcome outcome = { 0 };
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	GMainContext *context = g_main_context_new();
	ino_t namespace = gate_namespace();
	wice_wg_get_async(wg, "wg0", TIMEOUT_MS, context, NULL, got, &outcome, destroyed);
	await(context, &outcome);
	outcome_clear(&outcome);
	g_main_context_unref(context);
	return GSIZE_TO_POINTER(namespace);
}

/* Also while all threads of the other namespace are busy. */
START_TEST(a_call_is_made_in_the_namespace_of_its_caller)
{
	enum { N = 40 };
	static Outcome outcomes[N];
	if (!g_thread_join(g_thread_new("probe", try_another_namespace, NULL))) {
		printf("skipped: another network namespace (not root)\n");
		return;
	}
	Gate gate;
	WiceWg *wg = gate_init(&gate);
	GMainContext *context = g_main_context_new();
	for (size_t i = 0; i < N; i++)
		wice_wg_get_async(wg, "wg0", TIMEOUT_MS, context, NULL, got, &outcomes[i],
				  destroyed);
	gate_wait_for(&gate, 32);
	GThread *thread = g_thread_new("other", call_from_another_namespace, wg);
	gate_wait_for(&gate, 33);
	gate_open(&gate);
	ino_t other = GPOINTER_TO_SIZE(g_thread_join(thread));
	for (size_t i = 0; i < N; i++) {
		while (outcomes[i].n_destroyed == 0)
			g_main_context_iteration(context, TRUE);
		outcome_clear(&outcomes[i]);
	}
	g_main_context_unref(context);
	wice_wg_free(wg);
	unsigned n_here = 0, n_there = 0;
	for (guint i = 0; i < gate.namespaces->len; i++) {
		ino_t namespace = g_array_index(gate.namespaces, ino_t, i);
		n_here += namespace == gate_namespace();
		n_there += namespace == other;
	}
	gate_done(&gate);
	ck_assert_uint_eq(n_here, N);
	ck_assert_uint_eq(n_there, 1);
}
END_TEST

/* One WiceWg and many users, each with a context of its own; half of the calls are cancelled. */
static gpointer use(gpointer data)
{
	WiceWg *wg = data;
	GMainContext *context = g_main_context_new();
	WiceDeviceChange change = { .size = sizeof change,
				    .fields = WICE_DEVICE_HAS_FWMARK,
				    .fwmark = 7 };
	WicePlan *plan = wice_plan_new(&change, NULL);
	for (unsigned i = 0; i < 100; i++) {
		Outcome got_it = { 0 }, set_it = { 0 };
		WiceCancel *cancel = wice_cancel_new();
		wice_wg_get_async(wg, "wg0", TIMEOUT_MS, context, cancel, got, &got_it, destroyed);
		wice_wg_set_async(wg, "wg0", plan, TIMEOUT_MS, context, NULL, done, &set_it,
				  destroyed);
		if (i % 2)
			wice_cancel_now(cancel);
		while (got_it.n_destroyed == 0 || set_it.n_destroyed == 0)
			g_main_context_iteration(context, TRUE);
		ck_assert_int_eq(got_it.code, i % 2 ? WICE_ERROR_CANCELLED : -1);
		ck_assert_int_eq(set_it.code, -1);
		outcome_clear(&got_it);
		outcome_clear(&set_it);
		wice_cancel_unref(cancel);
	}
	wice_plan_unref(plan);
	g_main_context_unref(context);
	return NULL;
}

START_TEST(without_threads_calls_fail)
{
	GMainContext *context = g_main_context_new();
	WiceWgFake *fake;
	WiceWg *wg = new_fake(&fake);
	threads_forbid();
	create(wg, context, "wg0", WICE_ERROR_IO);
	ck_assert_ptr_null(wice_wg_get(wg, "wg0", TIMEOUT_MS, NULL));
	wice_wg_free(wg);
	wice__wg_fake_free(fake);
	g_main_context_unref(context);
}
END_TEST

START_TEST(several_threads_use_one)
{
	enum { THREADS = 4 };
	GThread *threads[THREADS];
	WiceWgFake *fake;
	WiceWg *wg = new_fake(&fake);
	WiceDevice *state = state_new("wg0", 20, 2);
	wice__wg_fake_set_device(fake, wice_device_info(state));
	for (size_t i = 0; i < THREADS; i++)
		threads[i] = g_thread_new("user", use, wg);
	for (size_t i = 0; i < THREADS; i++)
		g_thread_join(threads[i]);
	WiceDevice *device = wice_wg_get(wg, "wg0", TIMEOUT_MS, NULL);
	ck_assert_uint_eq(wice_device_diff(state, device, NULL, NULL), WICE_CHANGE_FWMARK);
	wice_device_unref(device);
	wice_device_unref(state);
	wice_wg_free(wg);
	wice__wg_fake_free(fake);
}
END_TEST

SUITE_MAIN("wg async", each_call_does_what_the_one_that_waits_does,
	   a_link_is_changed_by_a_copy_of_what_was_asked,
	   the_default_context_is_the_one_of_the_main_loop,
	   a_cancelled_call_completes_at_once_and_its_result_is_dropped,
	   a_call_that_was_cancelled_before_is_not_begun,
	   a_result_that_nobody_has_seen_yet_can_be_cancelled,
	   many_calls_share_few_threads_and_all_complete,
	   a_context_that_is_not_run_again_frees_its_calls,
	   a_call_is_made_in_the_namespace_of_its_caller, without_threads_calls_fail,
	   several_threads_use_one)
