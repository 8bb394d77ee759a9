/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every backend does in the same way, whoever implements the device. Each test runs over all
 * subjects, each in a process of its own, because some enter namespaces.
 *
 * WICE_WG_SUBJECTS=fake,kernel runs only over these; a subject that is asked for by its name must
 * be there.
 */
#include "conformance/wg/conformance.h"
#include "conformance/wg/engine.h"
#include "conformance/wg/engine_uapi.h"
#include "conformance/wg/played.h"
#include "conformance/wg/real.h"
#include "conformance/wg/state.h"
#include "event/source.h"
#include "suite.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <wice/error.h>

static const struct {
	const char *id;
	TestSubject *subject;
} subjects[] = {
	{ "fake", &fake_subject },
	{ "played-kernel", &played_kernel_subject },
	{ "played-uapi", &played_uapi_subject },
	{ "played-gotatun", &played_gotatun_subject },
	{ "engine-uapi", &engine_uapi_subject },
	{ "kernel", &kernel_subject },
	{ "wireguard-go", &wireguard_go_subject },
	{ "wice-wg", &wice_wg_subject },
	{ "engine", &engine_subject },
	{ "engine-tun", &engine_tun_subject },
};

static bool is_asked_for(const char *id)
{
	g_auto(GStrv) ids = g_strsplit(g_getenv("WICE_WG_SUBJECTS"), ",", -1);
	return g_strv_contains((const char *const *)ids, id);
}

static bool is_chosen(const char *id)
{
	return !g_getenv("WICE_WG_SUBJECTS") || is_asked_for(id);
}

static bool all_chosen_exist(void)
{
	g_auto(GStrv) ids = g_strsplit(g_getenv("WICE_WG_SUBJECTS"), ",", -1);
	for (guint i = 0; ids[i]; i++) {
		bool found = false;
		for (size_t j = 0; j < G_N_ELEMENTS(subjects); j++)
			found = found || strcmp(ids[i], subjects[j].id) == 0;
		if (!found) {
			printf("WICE_WG_SUBJECTS: there is no subject \"%s\".\n", ids[i]);
			return false;
		}
	}
	return true;
}

static void keep(WiceWgBackend *backend)
{
}

/* The backend stays the subject's, while a WiceWg owns what it is made of. */
static void lend_backend(TestSubject *subject)
{
	subject->ops = subject->backend->ops;
	subject->lent_ops = *subject->ops;
	subject->lent_ops.free = keep;
	subject->backend->ops = &subject->lent_ops;
	subject->wg = wice__wg_new_with(&subject->backend, 1);
}

TestSubject *conformance_start(int number)
{
	TestSubject *subject = subjects[number].subject;
	if (!subject->start(subject)) {
		ck_assert_msg(!g_getenv("WICE_WG_SUBJECTS"), "%s is asked for, and missing",
			      subjects[number].id);
		return NULL;
	}
	lend_backend(subject);
	return subject;
}

void conformance_stop(TestSubject *subject)
{
	wice_wg_free(subject->wg);
	subject->backend->ops = subject->ops;
	subject->stop(subject);
}

int conformance_get(TestSubject *subject, const char *name, WiceDevice **ret)
{
	int64_t deadline = wice__now_ms() + CONFORMANCE_PATIENCE_MS;
	int r;
	do
		r = subject->backend->ops->get(subject->backend, name, deadline, ret);
	while ((r == -ETIMEDOUT || r == -EBUSY) && wice__now_ms() < deadline);
	return r;
}

WiceDevice *conformance_device(TestSubject *subject)
{
	WiceDevice *device = NULL;
	ck_assert_int_eq(conformance_get(subject, SUBJECT_NAME, &device), 0);
	return device;
}

gboolean conformance_set(TestSubject *subject, const char *name, const WicePlan *plan,
			 GError **error)
{
	int64_t deadline = wice__now_ms() + CONFORMANCE_PATIENCE_MS;
	for (;;) {
		GError *problem = NULL;
		if (wice_wg_set(subject->wg, name, plan, CONFORMANCE_PATIENCE_MS, &problem))
			return TRUE;
		bool passes = g_error_matches(problem, WICE_ERROR, WICE_ERROR_TIMEOUT) ||
			      g_error_matches(problem, WICE_ERROR, WICE_ERROR_BUSY);
		if (!passes || wice__now_ms() >= deadline) {
			g_propagate_error(error, problem);
			return FALSE;
		}
		g_error_free(problem);
	}
}

unsigned conformance_apply(TestSubject *subject, const WicePlan *plan, WiceDevice **ret)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WiceDevice) before = conformance_device(subject);
	g_autoptr(WiceDevice) expected = wice_plan_result(plan, before);
	conformance_set(subject, SUBJECT_NAME, plan, &error);
	ck_assert_msg(error == NULL, "%s", error ? error->message : "");
	g_autoptr(WiceDevice) after = conformance_device(subject);
	state_assert_same(expected, after);
	if (ret)
		*ret = wice_device_ref(after);
	return wice_device_diff(before, after, NULL, NULL);
}

unsigned conformance_change(TestSubject *subject, const WiceDeviceChange *change, WiceDevice **ret)
{
	g_autoptr(WicePlan) plan = wice_plan_new(change, NULL);
	ck_assert_ptr_nonnull(plan);
	return conformance_apply(subject, plan, ret);
}

int main(void)
{
	Suite *suite = suite_create("wg conformance");
	if (g_getenv("WICE_WG_SUBJECTS") && !all_chosen_exist())
		return EXIT_FAILURE;
	for (int i = 0; i < (int)G_N_ELEMENTS(subjects); i++) {
		if (!is_chosen(subjects[i].id))
			continue;
		TCase *tcase = tcase_create(subjects[i].id);
		tcase_set_timeout(tcase, SUITE_TIMEOUT_S);
		conformance_add_reading(tcase, i);
		if (subjects[i].subject->real)
			conformance_add_oracle(tcase, i);
		conformance_add_setting(tcase, i);
		conformance_add_allowed_ips(tcase, i);
		conformance_add_plans(tcase, i);
		conformance_add_links(tcase, i);
		suite_add_tcase(suite, tcase);
	}
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
