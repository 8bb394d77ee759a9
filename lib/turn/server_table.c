/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "turn/server_table.h"

#include <glib.h>

#define MIN_BUCKETS 16

void wice__turn_table_init(WiceTurnTable *table)
{
	*table = (WiceTurnTable){
		.buckets = g_new0(WiceTurnNode *, MIN_BUCKETS),
		.mask = MIN_BUCKETS - 1,
	};
}

void wice__turn_table_done(WiceTurnTable *table)
{
	g_clear_pointer(&table->buckets, g_free);
}

static void link_node(WiceTurnTable *table, WiceTurnNode *node)
{
	WiceTurnNode **bucket = &table->buckets[node->hash & table->mask];
	node->next = *bucket;
	*bucket = node;
}

static void resize(WiceTurnTable *table, uint32_t n_buckets)
{
	WiceTurnNode **old = table->buckets;
	uint32_t n_old = table->mask + 1;
	table->buckets = g_new0(WiceTurnNode *, n_buckets);
	table->mask = n_buckets - 1;
	for (uint32_t i = 0; i < n_old; i++)
		for (WiceTurnNode *node = old[i], *next; node; node = next) {
			next = node->next;
			link_node(table, node);
		}
	g_free(old);
}

void wice__turn_table_add(WiceTurnTable *table, WiceTurnNode *node, uint32_t hash)
{
	if (table->n > table->mask)
		resize(table, 2 * (table->mask + 1));
	node->hash = hash;
	link_node(table, node);
	table->n++;
}

void wice__turn_table_remove(WiceTurnTable *table, WiceTurnNode *node)
{
	WiceTurnNode **at = &table->buckets[node->hash & table->mask];
	while (*at != node)
		at = &(*at)->next;
	*at = node->next;
	table->n--;
	if (table->mask >= MIN_BUCKETS && table->n < table->mask / 8)
		resize(table, (table->mask + 1) / 2);
}
