/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include "agent/liveness.h"

#define SECOND 1000

START_TEST(bytes_of_the_former_path_prove_nothing)
{
	WiceLiveness liveness;
	wice__liveness_reset(&liveness, 5000);
	ck_assert_int_eq(wice__liveness_sample(&liveness, 100, 100, 4000, 0),
			 WICE_LIVENESS_UNKNOWN);
	ck_assert_int_eq(wice__liveness_sample(&liveness, 100, 200, 4000, 10),
			 WICE_LIVENESS_UNKNOWN);
	ck_assert_int_eq(wice__liveness_sample(&liveness, 132, 200, 4000, 20), WICE_LIVENESS_ALIVE);
}
END_TEST

START_TEST(a_newer_handshake_proves_at_once)
{
	WiceLiveness liveness;
	wice__liveness_reset(&liveness, 5000);
	ck_assert_int_eq(wice__liveness_sample(&liveness, 100, 100, 5001, 0), WICE_LIVENESS_ALIVE);
}
END_TEST

START_TEST(silence_needs_something_unanswered)
{
	WiceLiveness liveness;
	wice__liveness_reset(&liveness, 0);
	wice__liveness_sample(&liveness, 1, 1, 0, 0);
	/* An idle tunnel is not silent, however long. */
	for (int i = 1; i < 1000; i++)
		ck_assert_int_eq(wice__liveness_sample(&liveness, 1, 1, 0, i * SECOND),
				 WICE_LIVENESS_UNKNOWN);
	ck_assert_int_eq(wice__liveness_sample(&liveness, 1, 129, 0, 1000 * SECOND),
			 WICE_LIVENESS_UNKNOWN);
	ck_assert_int_eq(wice__liveness_sample(&liveness, 1, 257, 0, 1016 * SECOND),
			 WICE_LIVENESS_UNKNOWN);
	ck_assert_int_eq(wice__liveness_sample(&liveness, 1, 257, 0, 1017 * SECOND),
			 WICE_LIVENESS_SILENT);
	/* An answer ends it. */
	ck_assert_int_eq(wice__liveness_sample(&liveness, 2, 257, 0, 1018 * SECOND),
			 WICE_LIVENESS_ALIVE);
	ck_assert_int_eq(wice__liveness_sample(&liveness, 2, 257, 0, 1100 * SECOND),
			 WICE_LIVENESS_UNKNOWN);
}
END_TEST

START_TEST(keepalives_are_answered_by_nobody)
{
	WiceLiveness liveness;
	wice__liveness_reset(&liveness, 0);
	uint64_t tx = 1000;
	wice__liveness_sample(&liveness, 1, tx, 0, 0);
	for (int i = 1; i < 100; i++)
		ck_assert_int_eq(wice__liveness_sample(&liveness, 1, tx += 32, 0, i * 25 * SECOND),
				 WICE_LIVENESS_UNKNOWN);
	/* A handshake initiation asks for an answer. */
	wice__liveness_sample(&liveness, 1, tx += 148, 0, 3000 * SECOND);
	ck_assert_int_eq(wice__liveness_sample(&liveness, 1, tx, 0, 3017 * SECOND),
			 WICE_LIVENESS_SILENT);
}
END_TEST

START_TEST(seldom_samples_give_the_same_verdict)
{
	WiceLiveness liveness;
	wice__liveness_reset(&liveness, 0);
	wice__liveness_sample(&liveness, 1, 1, 0, 0);
	wice__liveness_sample(&liveness, 1, 149, 0, 10 * SECOND);
	ck_assert_int_eq(wice__liveness_sample(&liveness, 1, 9, 0, 60 * SECOND),
			 WICE_LIVENESS_SILENT);
}
END_TEST

START_TEST(counters_that_went_back_prove_nothing)
{
	WiceLiveness liveness;
	wice__liveness_reset(&liveness, 0);
	wice__liveness_sample(&liveness, 1000, 1000, 7, 0);
	ck_assert_int_eq(wice__liveness_sample(&liveness, 0, 0, 0, 10), WICE_LIVENESS_UNKNOWN);
	/* It asks, and nobody answers. */
	ck_assert_int_eq(wice__liveness_sample(&liveness, 0, 148, 0, 20), WICE_LIVENESS_UNKNOWN);
	ck_assert_int_eq(wice__liveness_sample(&liveness, 0, 148, 0, 60 * SECOND),
			 WICE_LIVENESS_SILENT);
	ck_assert_int_eq(wice__liveness_sample(&liveness, 92, 148, 9, 61 * SECOND),
			 WICE_LIVENESS_ALIVE);
}
END_TEST

START_TEST(a_peer_made_anew_that_has_heard_something_is_alive)
{
	WiceLiveness liveness;
	wice__liveness_reset(&liveness, 0);
	wice__liveness_sample(&liveness, 1000, 1000, 7, 0);
	ck_assert_int_eq(wice__liveness_sample(&liveness, 92, 148, 8, 10), WICE_LIVENESS_ALIVE);
}
END_TEST

SUITE_MAIN("liveness", counters_that_went_back_prove_nothing,
	   a_peer_made_anew_that_has_heard_something_is_alive,
	   bytes_of_the_former_path_prove_nothing, a_newer_handshake_proves_at_once,
	   silence_needs_something_unanswered, keepalives_are_answered_by_nobody,
	   seldom_samples_give_the_same_verdict)
