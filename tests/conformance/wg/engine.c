/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Engines of this process: on callbacks, and with an interface in a namespace of our own. */
#include "conformance/wg/engine.h"
#include "conformance/wg/real.h"
#include "conformance/wg/state.h"
#include "event/source.h"

#include <check.h>
#include <wice/engine.h>

#define PATIENCE_MS 60000

typedef struct {
	WiceWg *wg; /* its backend for engines is the subject's */
	WiceEngine *engine;
} Bed;

static void drop_packet(const uint8_t *packet, size_t length, void *user_data)
{
}

static bool start_engine(TestSubject *subject)
{
	/* The backend is made with the first engine. */
	const WiceEngineOptions options = { .size = sizeof options,
					    .name = "other",
					    .output = drop_packet };
	g_autoptr(WiceEngine) other = wice_engine_new(NULL, &options, NULL);
	Bed *bed = g_new0(Bed, 1);
	bed->wg = wice__wg_new_with(NULL, 0);
	ck_assert(wice_engine_attach(other, bed->wg, NULL));
	subject->backend = wice__wg_inprocess(bed->wg, NULL);
	subject->data = bed;
	return true;
}

static bool start_engine_tun(TestSubject *subject)
{
	if (!real_has_tun(subject->name) || !real_enter_network(subject->name) ||
	    !real_hide_run(subject->name))
		return false;
	return start_engine(subject);
}

static void make_engine(TestSubject *subject)
{
	Bed *bed = subject->data;
	g_autoptr(GError) error = NULL;
	const WiceEngineOptions options = {
		.size = sizeof options,
		.name = SUBJECT_NAME,
		.output = subject->no_interface ? drop_packet : NULL,
	};
	bed->engine = wice_engine_new(NULL, &options, &error);
	ck_assert_msg(bed->engine != NULL, "%s", error ? error->message : "");
	ck_assert(wice_engine_attach(bed->engine, bed->wg, NULL));
	/* As an interface begins: else it would talk to its peers, and count what it says. */
	ck_assert(wice_engine_set_up(bed->engine, false, NULL));
}

static void set_engine(TestSubject *subject, const WiceDevice *state)
{
	Bed *bed = subject->data;
	if (!bed->engine)
		make_engine(subject);
	g_autoptr(WiceDevice) present = wice_engine_get(bed->engine);
	g_autoptr(WicePlan) plan = wice_plan_between(present, state, 0);
	if (!wice_plan_is_empty(plan))
		ck_assert(wice_engine_set(bed->engine, plan, NULL));
}

static void remove_engine(TestSubject *subject)
{
	Bed *bed = subject->data;
	g_clear_pointer(&bed->engine, wice_engine_free);
}

static void stop_engine(TestSubject *subject)
{
	Bed *bed = subject->data;
	remove_engine(subject);
	wice_wg_free(bed->wg);
	g_free(bed);
}

TestSubject engine_subject = {
	.name = "an engine on callbacks",
	.no_interface = true,
	.start = start_engine,
	.set = set_engine,
	.remove = remove_engine,
	.stop = stop_engine,
};

TestSubject engine_tun_subject = {
	.name = "an engine with an interface",
	.keeps_name = true,
	.start = start_engine_tun,
	.set = set_engine,
	.remove = remove_engine,
	.stop = stop_engine,
};
