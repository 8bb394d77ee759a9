/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "bed.h"
#include "suite.h"

/*
 * Slow by nature: libnice gives a peer 50 s. A program of its own, to be waited for beside the
 * others.
 */

static bool has_failed(void *user_data)
{
	BedSide *side = user_data;
	return side->n_failed > 0;
}

static void lose_peer(Bed *bed, const WiceIceOps *ops)
{
	BedSide a = { 0 }, b = { 0 };
	ck_assert_int_eq(bed_open(bed, &a, ops, true, "192.0.2.1"), 0);
	ck_assert_int_eq(bed_open(bed, &b, ops, false, "192.0.2.2"), 0);
	bed_introduce(&a, &b);
	ck_assert(bed_connect(bed, &a, &b));
	bed_close(&b);
	ck_assert(bed_run(bed, has_failed, &a) || bed_run(bed, has_failed, &a));
	bed_linger(bed, 100);
	bed_close(&a);
}

START_TEST(the_loss_of_the_peer_is_reported_once)
{
	Bed bed;
	bed_init(&bed);
	for (size_t i = 0; i < G_N_ELEMENTS(bed_ops) && bed.ready; i++)
		lose_peer(&bed, bed_ops[i]);
	bed_done(&bed);
}
END_TEST

SUITE_MAIN("ice liveness", the_loss_of_the_peer_is_reported_once)
