/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "event/context_pool.h"

#include "event/descriptors.h"
#include "event/nested_context.h"

typedef struct {
	WiceNestedContext *nested;
	unsigned n_users;
} Group;

struct WiceContextPool {
	GMainContext *outer;
	GArray *groups;
};

WiceContextPool *wice__context_pool_new(GMainContext *outer)
{
	WiceContextPool *pool = g_new0(WiceContextPool, 1);
	pool->outer = g_main_context_ref(outer ? outer : g_main_context_default());
	pool->groups = g_array_new(FALSE, TRUE, sizeof(Group));
	return pool;
}

void wice__context_pool_free(WiceContextPool *pool)
{
	if (!pool)
		return;
	g_assert(pool->groups->len == 0);
	g_array_unref(pool->groups);
	g_main_context_unref(pool->outer);
	g_free(pool);
}

GMainContext *wice__context_pool_take(WiceContextPool *pool)
{
	Group group = { .n_users = 1 };
	for (guint i = 0; i < pool->groups->len; i++) {
		Group *known = &g_array_index(pool->groups, Group, i);
		if (known->n_users == WICE_CONTEXT_POOL_SHARE)
			continue;
		known->n_users++;
		return wice__nested_context_inner(known->nested);
	}
	if (!wice__descriptors_are_left() ||
	    wice__nested_context_new(pool->outer, &group.nested) < 0)
		return pool->outer;
	g_array_append_val(pool->groups, group);
	return wice__nested_context_inner(group.nested);
}

void wice__context_pool_give(WiceContextPool *pool, GMainContext *context)
{
	for (guint i = 0; i < pool->groups->len; i++) {
		Group *group = &g_array_index(pool->groups, Group, i);
		if (wice__nested_context_inner(group->nested) != context)
			continue;
		if (--group->n_users == 0) {
			wice__nested_context_free(group->nested);
			g_array_remove_index_fast(pool->groups, i);
		}
		return;
	}
}
