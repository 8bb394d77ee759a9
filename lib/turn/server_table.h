/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TURN_SERVER_TABLE_H
#define WICE_TURN_SERVER_TABLE_H

#include <stddef.h>
#include <stdint.h>

/*
 * A hash table of members that hold their own links: nothing is allocated for one, and what refers
 * to it need not be looked up to take it out. The caller hashes (with a secret key: names and
 * addresses are chosen by strangers) and compares.
 */
typedef struct WiceTurnNode {
	struct WiceTurnNode *next;
	uint32_t hash;
} WiceTurnNode;

typedef struct {
	WiceTurnNode **buckets;
	uint32_t mask; /* the number of buckets is a power of 2 */
	uint32_t n;
} WiceTurnTable;

/* What a node is in. */
#define WICE_TURN_OF(type, member, node) ((type *)(void *)((char *)(node)-offsetof(type, member)))

void wice__turn_table_init(WiceTurnTable *table);
/* Members are the owners' business. */
void wice__turn_table_done(WiceTurnTable *table);
void wice__turn_table_add(WiceTurnTable *table, WiceTurnNode *node, uint32_t hash);
/* It must be in there. */
void wice__turn_table_remove(WiceTurnTable *table, WiceTurnNode *node);

/* The first one of a hash, and the next one; NULL: no more. */
static inline WiceTurnNode *wice__turn_node_of(WiceTurnNode *node, uint32_t hash)
{
	while (node && node->hash != hash)
		node = node->next;
	return node;
}

static inline WiceTurnNode *wice__turn_table_first(const WiceTurnTable *table, uint32_t hash)
{
	return wice__turn_node_of(table->buckets[hash & table->mask], hash);
}

static inline WiceTurnNode *wice__turn_table_next(const WiceTurnNode *node)
{
	return wice__turn_node_of(node->next, node->hash);
}

#endif
