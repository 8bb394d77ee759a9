/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <glib.h>
#include <malloc.h>
#include <stdio.h>

#include "server_lab.h"

#define N 10000
/* The aim for an allocation with a channel, its user and its entries in all tables. */
#define BYTES_MAX 2048

static size_t bytes_in_use(void)
{
	struct mallinfo2 info = mallinfo2();
	return info.uordblks + info.hblkhd;
}

START_TEST(an_allocation_is_small)
{
	Lab lab;
	LabClient *client = g_new0(LabClient, 1);
	char user[16], address[32];
	lab_init(&lab);
	lab_start(&lab);
	size_t before = bytes_in_use();
	for (unsigned i = 0; i < N; i++) {
		g_snprintf(user, sizeof user, "user%u", i);
		g_snprintf(address, sizeof address, "192.0.%u.%u:1000", i / 250, i % 250 + 1);
		*client = lab_client(address, 0);
		client->username = user;
		ck_assert_uint_eq(lab_allocate(&lab, client, 0), 0);
		ck_assert_uint_eq(lab_bind(&lab, client, 0x4000, "198.51.100.9:9"), 0);
	}
	size_t after = bytes_in_use(), each = (after - before) / N;
	printf("allocation_bytes: %zu\n", each);
	fflush(stdout);
	ck_assert_uint_eq(wice__turn_server_n_allocations(lab.server), N);
	/* A sanitizer's allocator tells nothing. */
	if (after > before)
		ck_assert_uint_le(each, BYTES_MAX);
	lab_wait(&lab, 599);
	ck_assert_uint_eq(wice__turn_server_n_allocations(lab.server), N);
	lab_wait(&lab, 1);
	ck_assert_uint_eq(wice__turn_server_n_allocations(lab.server), 0);
	/* What is kept is the room of the heap of deadlines. */
	if (after > before)
		ck_assert_uint_lt(bytes_in_use(), before + (after - before) / 10);
	lab_done(&lab);
	g_free(client);
}
END_TEST

SUITE_MAIN("turn server memory", an_allocation_is_small)
