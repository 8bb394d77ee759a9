/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "signaling/keyset.h"

void wice__keyset_init(WiceKeyset *set)
{
	set->keys = g_array_new(FALSE, FALSE, sizeof(WiceKey));
}

void wice__keyset_done(WiceKeyset *set)
{
	g_array_unref(set->keys);
	set->keys = NULL;
}

/* The key's index, or -1. */
static int find(const WiceKeyset *set, const WiceKey *key)
{
	for (guint i = 0; i < set->keys->len; i++)
		if (wice_key_compare(&g_array_index(set->keys, WiceKey, i), key) == 0)
			return (int)i;
	return -1;
}

bool wice__keyset_contains(const WiceKeyset *set, const WiceKey *key)
{
	return find(set, key) >= 0;
}

void wice__keyset_add(WiceKeyset *set, const WiceKey *key)
{
	if (find(set, key) < 0)
		g_array_append_val(set->keys, *key);
}

void wice__keyset_remove(WiceKeyset *set, const WiceKey *key)
{
	int at = find(set, key);
	if (at >= 0)
		g_array_remove_index_fast(set->keys, (guint)at);
}
