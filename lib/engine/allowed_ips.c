/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trie has two kinds of nodes: prefixes, and forks, where prefixes part that have nothing else
 * above them. A fork always has two children and needs no bits of its own: a search goes on by the
 * one bit behind the node's length and compares whole prefixes only where it meets one. If a fork
 * has led it astray, the next prefix shows that, because everything below a node shares its bits.
 *
 *	              fork 9
 *	            /        \
 *	   10.0.0.0/16      10.64.0.0/10
 *	       \                /
 *	   10.0.128.0/24    10.64.1.2/32
 *
 * Keys are 128 bits wide; IPv4 addresses are the first 32 of them. A path has at most 129 nodes,
 * and nothing here recurses.
 */
#include "engine/allowed_ips.h"

#include <glib.h>
#include <string.h>

#include "base/address.h"

typedef struct {
	uint64_t high, low;
} Key;

/* A fork, or the beginning of a prefix. */
typedef struct Fork Fork;
struct Fork {
	Fork *children[2]; /* by the bit behind length; of a prefix either may be NULL */
	uint8_t length;
	bool is_prefix;
	uint8_t family; /* of a prefix */
};

typedef struct WiceAllowedIpsNode Prefix;
struct WiceAllowedIpsNode {
	Fork fork;
	Key key;
	void *value;
	WiceAllowedIpsList *list;
	Prefix *previous, *next;
};

struct WiceAllowedIps {
	Fork *root4, *root6;
};

static Prefix *as_prefix(const Fork *fork)
{
	return (Prefix *)(void *)fork;
}

static Key read_key(const uint8_t *bytes)
{
	Key key;
	memcpy(&key, bytes, sizeof key);
	return (Key){ GUINT64_FROM_BE(key.high), GUINT64_FROM_BE(key.low) };
}

static inline Key read_key4(const uint8_t *bytes)
{
	uint32_t bits;
	memcpy(&bits, bytes, sizeof bits);
	return (Key){ (uint64_t)GUINT32_FROM_BE(bits) << 32, 0 };
}

/* How many bits two keys have in common. */
static inline unsigned common_bits(Key a, Key b)
{
	if (a.high != b.high)
		return (unsigned)__builtin_clzll(a.high ^ b.high);
	return a.low != b.low ? 64 + (unsigned)__builtin_clzll(a.low ^ b.low) : 128;
}

/* At 128, behind the last bit, it does not matter which: there are no children. */
static inline unsigned bit_at(Key key, unsigned i)
{
	return (i < 64 ? key.high : key.low) >> (63 - i % 64) & 1;
}

static inline void *find(const Fork *at, Key key)
{
	void *value = NULL;
	while (at) {
		if (at->is_prefix) {
			if (common_bits(as_prefix(at)->key, key) < at->length)
				break;
			value = as_prefix(at)->value;
		}
		at = at->children[bit_at(key, at->length)];
	}
	return value;
}

void *wice__allowed_ips_find4(const WiceAllowedIps *ips, const uint8_t address[4])
{
	return find(ips->root4, read_key4(address));
}

void *wice__allowed_ips_find6(const WiceAllowedIps *ips, const uint8_t address[16])
{
	return find(ips->root6, read_key(address));
}

/* A prefix as it is searched for. */
typedef struct {
	Fork **root;
	Key key;
	unsigned length;
} Wanted;

static Wanted want(WiceAllowedIps *ips, const WicePrefix *prefix)
{
	WicePrefix clean = *prefix;
	wice__prefix_clear_host_bits(&clean);
	const uint8_t *bytes = clean.address.bytes;
	if (clean.address.family == WICE_FAMILY_IPV4)
		return (Wanted){ &ips->root4, read_key4(bytes), clean.length };
	return (Wanted){ &ips->root6, read_key(bytes), clean.length };
}

static void list_append(WiceAllowedIpsList *list, void *value, Prefix *prefix)
{
	prefix->value = value;
	prefix->list = list;
	prefix->previous = list->last;
	prefix->next = NULL;
	*(list->last ? &list->last->next : &list->first) = prefix;
	list->last = prefix;
	list->n++;
}

static void list_remove(Prefix *prefix)
{
	WiceAllowedIpsList *list = prefix->list;
	*(prefix->previous ? &prefix->previous->next : &list->first) = prefix->next;
	*(prefix->next ? &prefix->next->previous : &list->last) = prefix->previous;
	list->n--;
}

/* The last prefix on the way down by the bits of key: nothing in the trie parts from it later. */
static const Prefix *nearest(const Fork *at, Key key)
{
	const Fork *last = NULL;
	for (; at; at = at->children[bit_at(key, at->length)])
		last = at->is_prefix ? at : last;
	return as_prefix(last);
}

static Fork *make_fork(unsigned length)
{
	Fork *fork = g_new0(Fork, 1);
	fork->length = (uint8_t)length;
	return fork;
}

/* Puts a new prefix at the place where it parts from what is there, after common bits. */
static void link_prefix(Fork **link, Prefix *prefix, const Prefix *near, unsigned common)
{
	Fork *old = *link, *new = &prefix->fork;
	if (!old) {
		*link = new;
	} else if (old->length == common && new->length == common) { /* a fork becomes a prefix */
		memcpy(new->children, old->children, sizeof new->children);
		*link = new;
		g_free(old);
	} else if (common == new->length) {
		new->children[bit_at(near->key, common)] = old;
		*link = new;
	} else {
		Fork *fork = make_fork(common);
		fork->children[bit_at(prefix->key, common)] = new;
		fork->children[bit_at(near->key, common)] = old;
		*link = fork;
	}
}

static Prefix *make_prefix(const Wanted *wanted, uint8_t family)
{
	Prefix *prefix = g_new0(Prefix, 1);
	prefix->fork.length = (uint8_t)wanted->length;
	prefix->fork.is_prefix = true;
	prefix->fork.family = family;
	prefix->key = wanted->key;
	return prefix;
}

void wice__allowed_ips_insert(WiceAllowedIps *ips, const WicePrefix *prefix, void *value,
			      WiceAllowedIpsList *list)
{
	Wanted wanted = want(ips, prefix);
	const Prefix *near = nearest(*wanted.root, wanted.key);
	unsigned common = 0;
	if (near)
		common = MIN(common_bits(near->key, wanted.key),
			     MIN(near->fork.length, wanted.length));
	Fork **link = wanted.root;
	while (*link && (*link)->length <= common && (*link)->length < wanted.length)
		link = &(*link)->children[bit_at(wanted.key, (*link)->length)];

	Prefix *present = NULL;
	if (*link && (*link)->length == wanted.length && (*link)->is_prefix &&
	    common == wanted.length)
		present = as_prefix(*link);
	if (present && present->list == list)
		return;
	if (present) {
		list_remove(present);
	} else {
		present = make_prefix(&wanted, prefix->address.family);
		link_prefix(link, present, near, common);
	}
	list_append(list, value, present);
}

/* The link to this very prefix, or NULL; *ret_above is the link to the node above it, or NULL. */
static Fork **find_link(const Wanted *wanted, Fork ***ret_above)
{
	Fork **link = wanted->root;
	*ret_above = NULL;
	while (*link && (*link)->length < wanted->length) {
		*ret_above = link;
		link = &(*link)->children[bit_at(wanted->key, (*link)->length)];
	}
	if (!*link || (*link)->length != wanted->length || !(*link)->is_prefix ||
	    common_bits(as_prefix(*link)->key, wanted->key) != 128)
		return NULL;
	return link;
}

/* Takes the prefix at link out of the trie, and a fork above it that forks no more. */
static void unlink_prefix(Fork **link, Fork **above)
{
	Fork *old = *link, **children = old->children;
	if (children[0] && children[1]) {
		*link = make_fork(old->length);
		memcpy((*link)->children, children, sizeof old->children);
	} else {
		*link = children[0] ? children[0] : children[1];
	}
	if (!*link && above && !(*above)->is_prefix) {
		Fork *fork = *above;
		*above = fork->children[0] ? fork->children[0] : fork->children[1];
		g_free(fork);
	}
	g_free(old);
}

void wice__allowed_ips_remove(WiceAllowedIps *ips, const WicePrefix *prefix, void *value,
			      WiceAllowedIpsList *list)
{
	Wanted wanted = want(ips, prefix);
	Fork **above, **link = find_link(&wanted, &above);
	if (!link || as_prefix(*link)->list != list)
		return;
	list_remove(as_prefix(*link));
	unlink_prefix(link, above);
}

void wice__allowed_ips_clear(WiceAllowedIps *ips, WiceAllowedIpsList *list)
{
	while (list->first) {
		Prefix *prefix = list->first;
		bool ipv4 = prefix->fork.family == WICE_FAMILY_IPV4;
		Wanted wanted = { ipv4 ? &ips->root4 : &ips->root6, prefix->key,
				  prefix->fork.length };
		Fork **above, **link = find_link(&wanted, &above);
		list_remove(prefix);
		unlink_prefix(link, above);
	}
}

static WicePrefix write_prefix(const Prefix *prefix)
{
	WicePrefix result = { .address.family = prefix->fork.family,
			      .length = prefix->fork.length };
	Key key = { GUINT64_TO_BE(prefix->key.high), GUINT64_TO_BE(prefix->key.low) };
	memcpy(result.address.bytes, &key, sizeof key);
	return result;
}

void wice__allowed_ips_foreach(const WiceAllowedIpsList *list,
			       void (*func)(const WicePrefix *prefix, void *user_data),
			       void *user_data)
{
	for (const Prefix *at = list->first; at; at = at->next) {
		WicePrefix prefix = write_prefix(at);
		func(&prefix, user_data);
	}
}

WiceAllowedIps *wice__allowed_ips_new(void)
{
	return g_new0(WiceAllowedIps, 1);
}

/* Turns left children up until there is none: no stack is needed, however deep it is. */
static void free_trie(Fork *at)
{
	while (at) {
		Fork *left = at->children[0], *right = at->children[1];
		if (left) {
			at->children[0] = left->children[1];
			left->children[1] = at;
			at = left;
		} else {
			g_free(at);
			at = right;
		}
	}
}

void wice__allowed_ips_free(WiceAllowedIps *ips)
{
	if (!ips)
		return;
	free_trie(ips->root4);
	free_trie(ips->root6);
	g_free(ips);
}
