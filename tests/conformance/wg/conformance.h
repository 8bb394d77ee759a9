/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_WG_CONFORMANCE_H
#define WICE_TESTS_WG_CONFORMANCE_H

/* What the parts of the conformance suite share. */
#include "conformance/wg/subject.h"

#include <check.h>

#define CONFORMANCE_PATIENCE_MS 60000

/* Starts a subject, with a WiceWg on it. NULL: it cannot be had here. */
TestSubject *conformance_start(int number);
void conformance_stop(TestSubject *subject);

/*
 * Reading and setting through the backend and the facade. A userspace process on a machine under
 * load may be late, and a device that others change may be busy: then they ask again.
 */
int conformance_get(TestSubject *subject, const char *name, WiceDevice **ret);
gboolean conformance_set(TestSubject *subject, const char *name, const WicePlan *plan,
			 GError **error);

/* The device as it is; the caller owns the reference. */
WiceDevice *conformance_device(TestSubject *subject);

/*
 * Applies a change and expects what wice_plan_result() foretells. Returns what differs from before
 * (WiceChanges), and the device if ret is not NULL.
 */
unsigned conformance_change(TestSubject *subject, const WiceDeviceChange *change, WiceDevice **ret);
/* The same with a plan. */
unsigned conformance_apply(TestSubject *subject, const WicePlan *plan, WiceDevice **ret);

/* The parts: each adds its tests for the subject of that number. */
void conformance_add_reading(TCase *tcase, int number);
void conformance_add_oracle(TCase *tcase, int number);
void conformance_add_setting(TCase *tcase, int number);
void conformance_add_allowed_ips(TCase *tcase, int number);
void conformance_add_plans(TCase *tcase, int number);
void conformance_add_links(TCase *tcase, int number);

#endif
