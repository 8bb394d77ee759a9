/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <glib.h>

#include "turn/server_table.h"

#define N 1000

typedef struct {
	unsigned number;
	WiceTurnNode node;
} Member;

static Member members[N];

/* Few hashes, so that members share them and buckets. */
static uint32_t hash_of(unsigned number)
{
	return number % 7 * 16;
}

static Member *find(const WiceTurnTable *table, unsigned number)
{
	WiceTurnNode *node = wice__turn_table_first(table, hash_of(number));
	for (; node; node = wice__turn_table_next(node)) {
		Member *member = WICE_TURN_OF(Member, node, node);
		ck_assert_uint_eq(hash_of(member->number), hash_of(number));
		if (member->number == number)
			return member;
	}
	return NULL;
}

START_TEST(members_are_found_while_the_table_grows_and_shrinks)
{
	WiceTurnTable table;
	wice__turn_table_init(&table);
	for (unsigned i = 0; i < N; i++) {
		members[i].number = i;
		ck_assert_ptr_null(find(&table, i));
		wice__turn_table_add(&table, &members[i].node, hash_of(i));
		ck_assert_ptr_eq(find(&table, i), &members[i]);
		ck_assert_ptr_eq(find(&table, 0), &members[0]);
	}
	ck_assert_uint_eq(table.n, N);
	ck_assert_uint_ge(table.mask + 1, N);
	for (unsigned i = 0; i < N; i++) {
		unsigned gone = i * 37 % N;
		wice__turn_table_remove(&table, &members[gone].node);
		ck_assert_ptr_null(find(&table, gone));
		unsigned next = (i + 1) * 37 % N;
		if (i + 1 < N)
			ck_assert_ptr_eq(find(&table, next), &members[next]);
	}
	ck_assert_uint_eq(table.n, 0);
	ck_assert_uint_le(table.mask + 1, 16);
	wice__turn_table_done(&table);
}
END_TEST

START_TEST(one_comes_and_goes_at_little_cost)
{
	WiceTurnTable table;
	wice__turn_table_init(&table);
	for (unsigned i = 0; i < 64; i++)
		wice__turn_table_add(&table, &members[i].node, i);
	/* At the edge of a size the table does not change with each. */
	wice__turn_table_add(&table, &members[64].node, 64);
	uint32_t mask = table.mask;
	for (unsigned i = 0; i < 10; i++) {
		wice__turn_table_remove(&table, &members[64].node);
		ck_assert_uint_eq(table.mask, mask);
		wice__turn_table_add(&table, &members[64].node, 64);
		ck_assert_uint_eq(table.mask, mask);
	}
	wice__turn_table_done(&table);
}
END_TEST

SUITE_MAIN("turn server table", members_are_found_while_the_table_grows_and_shrinks,
	   one_comes_and_goes_at_little_cost)
