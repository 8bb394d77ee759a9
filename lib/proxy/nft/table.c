/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table in the kernel follows the one here: a change is made here, then there. If the kernel
 * refuses, the table there is made anew from this one; only if that fails as well, the change is
 * taken back. So it does not matter which of many things went wrong (somebody has deleted the
 * table, an earlier removal has failed for want of memory).
 *
 *   owner     The kernel keeps others away from the table, and deletes it when our socket closes.
 *   no owner  Kernels before 5.12. Others may do with the table what they like: a second socket
 *             listens to what they do, and the table is made anew.
 */
#include "proxy/nft/table.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <wice/error.h>

#include "base/log.h"
#include "event/source.h"
#include "proxy/nft/ruleset.h"
#include "proxy/nft/socket.h"

#define PREFIX "wice-"
/* An interface's name has up to 15 characters, each of which may take three. */
#define NAME_SIZE (sizeof PREFIX + 3 * 15)
#define RECEIVE_SIZE 8192
#define MAX_DATAGRAMS 64 /* read at a time; the rest waits for the next turn of the loop */

static const uint8_t families[] = { WICE_FAMILY_IPV4, WICE_FAMILY_IPV6 };

/* An element of the set of ports or of the map of routes. */
typedef struct {
	WiceEndpoint key; /* without a scope: packets have none */
	uint16_t port;    /* where a route leads; 0 in the set */
	unsigned uses;
	const void *owner;
} Element;

struct WiceNftTable {
	char *ifname;
	char name[NAME_SIZE];
	uint16_t wg_port;
	bool owned;
	WiceNftSocket *socket;
	GHashTable *ports, *routes; /* Element.key -> Element */
	struct nl_sock *watch_socket;
	WiceFdWatch *watch;
};

/* The table as a whole. */

static void add_all(WiceNftBatch *batch, GHashTable *elements, const WiceNftSet *set,
		    uint8_t family)
{
	GArray *raw = g_array_new(FALSE, FALSE, sizeof(WiceNftElement));
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, elements);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const Element *element = value;
		if (element->key.address.family != family)
			continue;
		g_array_set_size(raw, raw->len + 1);
		wice__nft_element_init(&g_array_index(raw, WiceNftElement, raw->len - 1),
				       &element->key, element->port);
	}
	wice__nft_add_elements(batch, set, (const WiceNftElement *)raw->data, raw->len);
	g_array_unref(raw);
}

/* Whatever there is, it is replaced; the first message is what makes it deletable. */
static int rebuild(WiceNftTable *table)
{
	uint32_t flags = table->owned ? NFT_TABLE_F_OWNER : 0;
	WiceNftBatch batch;
	wice__nft_begin(table->socket, &batch, table->name);
	wice__nft_add_table(&batch, flags);
	wice__nft_delete_table(&batch);
	wice__nft_add_table(&batch, flags);
	wice__nft_ruleset_create(&batch, table->wg_port);
	for (size_t i = 0; i < G_N_ELEMENTS(families); i++) {
		add_all(&batch, table->ports, wice__nft_ruleset_ports(families[i]), families[i]);
		add_all(&batch, table->routes, wice__nft_ruleset_routes(families[i]), families[i]);
	}
	return wice__nft_commit(table->socket, &batch);
}

static int commit_or_rebuild(WiceNftTable *table, WiceNftBatch *batch)
{
	int r = wice__nft_commit(table->socket, batch);
	if (r == 0)
		return 0;
	wice__log(WICE_LOG_DEBUG, table->ifname,
		  "nf_tables has refused a change (%s), so the table is made anew", g_strerror(-r));
	return rebuild(table);
}

/* What somebody else does to the table. */

static bool is_disturbance(const WiceNftTable *table, struct nlmsghdr *header)
{
	if (header->nlmsg_pid == wice__nft_socket_port(table->socket) ||
	    header->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES ||
	    !nlmsg_valid_hdr(header, sizeof(struct nfgenmsg)))
		return false;
	switch (header->nlmsg_type & 0xff) {
	case NFT_MSG_DELTABLE:
	case NFT_MSG_DELCHAIN:
	case NFT_MSG_DELRULE:
	case NFT_MSG_DELSET:
	case NFT_MSG_DELSETELEM: {
		/* In each of them this attribute, or one of its number, names the table. */
		struct nlattr *name =
			nlmsg_find_attr(header, sizeof(struct nfgenmsg), NFTA_TABLE_NAME);
		return name && nla_strcmp(name, table->name) == 0;
	}
	default:
		return false;
	}
}

/* One datagram. False if there is none. */
static bool read_event(WiceNftTable *table, bool *ret_disturbed)
{
	union {
		struct nlmsghdr header;
		uint8_t bytes[RECEIVE_SIZE];
	} buffer;
	ssize_t n = recv(nl_socket_get_fd(table->watch_socket), &buffer, sizeof buffer,
			 MSG_DONTWAIT | MSG_TRUNC);
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n < 0 || n > (ssize_t)sizeof buffer) { /* lost or cut off: it could have been ours */
		*ret_disturbed = true;
		return true;
	}
	int rest = (int)n;
	for (struct nlmsghdr *header = &buffer.header; nlmsg_ok(header, rest);
	     header = nlmsg_next(header, &rest))
		*ret_disturbed |= is_disturbance(table, header);
	return true;
}

static void watch_readable(int fd, GIOCondition condition, void *user_data)
{
	WiceNftTable *table = user_data;
	bool disturbed = false;
	for (unsigned i = 0; i < MAX_DATAGRAMS && read_event(table, &disturbed); i++)
		;
	if (!disturbed)
		return;
	int r = rebuild(table);
	wice__log(r < 0 ? WICE_LOG_WARNING : WICE_LOG_INFO, table->ifname,
		  "Another program has changed the nf_tables table %s; %s%s", table->name,
		  r < 0 ? "it could not be made anew: " : "it was made anew",
		  r < 0 ? g_strerror(-r) : "");
}

/* Making and freeing. */

/*
 * What the language of nft(8) does not take in a name (it takes letters, digits and "/-_.") becomes
 * "/xx", because a table that it cannot read back spoils a user's saved ruleset. Interfaces have no
 * slash in their names, so no two tables get the same one.
 */
static void set_name(WiceNftTable *table, const char *ifname)
{
	char *to = stpcpy(table->name, PREFIX);
	for (const char *c = ifname; *c; c++)
		if (g_ascii_isalnum(*c) || strchr("-_.", *c))
			*to++ = *c;
		else
			to += sprintf(to, "/%02x", (unsigned char)*c);
	*to = '\0';
}

static int open_watch(WiceNftTable *table, GMainContext *context)
{
	table->watch_socket = nl_socket_alloc();
	if (!table->watch_socket)
		return -ENOMEM;
	if (nl_connect(table->watch_socket, NETLINK_NETFILTER) < 0 ||
	    nl_socket_add_memberships(table->watch_socket, NFNLGRP_NFTABLES, 0) < 0)
		return -EIO;
	table->watch = wice__fd_watch_new(context, nl_socket_get_fd(table->watch_socket), G_IO_IN,
					  watch_readable, table);
	return 0;
}

static int delete_table(WiceNftTable *table)
{
	WiceNftBatch batch;
	wice__nft_begin(table->socket, &batch, table->name);
	wice__nft_delete_table(&batch);
	return wice__nft_commit(table->socket, &batch);
}

/* Listens before there is something to miss. */
static int make_ownerless(WiceNftTable *table, GMainContext *context)
{
	table->owned = false;
	int r = open_watch(table, context);
	return r < 0 ? r : rebuild(table);
}

/* -EEXIST: it is another process's. */
static int make_table(WiceNftTable *table, GMainContext *context, uint32_t *ret_owner)
{
	int r = wice__nft_find_table(table->socket, table->name, ret_owner);
	if (r == 0 && *ret_owner)
		return -EEXIST;
	if (r == 0)
		r = delete_table(table);
	if (r < 0 && r != -ENOENT)
		return r;
	r = table->owned ? rebuild(table) : -EOPNOTSUPP;
	if (r == -EINVAL || r == -EOPNOTSUPP) /* the flag is not known */
		r = make_ownerless(table, context);
	/* That this process may change tables at all, wice__nft_find_table() has shown. */
	return r == -EPERM ? -EEXIST : r;
}

static void set_error(GError **error, const WiceNftTable *table, int r, uint32_t owner)
{
	switch (-r) {
	case EPERM:
	case EACCES:
		g_set_error(error, WICE_ERROR, WICE_ERROR_PERMISSION,
			    "Rules for %s cannot be added to nf_tables without the capability "
			    "CAP_NET_ADMIN.",
			    table->ifname);
		return;
	case EEXIST:
		g_set_error(
			error, WICE_ERROR, WICE_ERROR_BUSY,
			"Rules for %s cannot be added to nf_tables, because another process "
			"owns the table %s (its netlink port is %u). Is a second wiced running?",
			table->ifname, table->name, owner);
		return;
	case EOPNOTSUPP:
	case EAFNOSUPPORT:
	case EPROTONOSUPPORT:
	case ENOENT: /* an expression that is not there */
		g_set_error(error, WICE_ERROR, WICE_ERROR_UNSUPPORTED,
			    "Rules for %s cannot be added, because this kernel has no nf_tables, "
			    "or not all that is needed of it: %s.",
			    table->ifname, g_strerror(-r));
		return;
	default:
		g_set_error(error, WICE_ERROR, WICE_ERROR_IO,
			    "Rules for %s cannot be added to nf_tables: %s.", table->ifname,
			    g_strerror(-r));
	}
}

static guint hash_endpoint(gconstpointer key)
{
	const WiceEndpoint *endpoint = key;
	uint32_t words[4];
	memcpy(words, endpoint->address.bytes, sizeof words);
	uint32_t hash = endpoint->port;
	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		hash = (hash ^ words[i]) * 0x9e3779b1;
	return hash ^ hash >> 16;
}

static gboolean equal_endpoints(gconstpointer a, gconstpointer b)
{
	return wice_endpoint_compare(a, b) == 0;
}

WiceNftTable *wice__nft_table_new(GMainContext *context, const char *ifname, uint16_t wg_port,
				  bool owned, GError **error)
{
	g_return_val_if_fail(strlen(ifname) <= 15, NULL);
	WiceNftTable *table = g_new0(WiceNftTable, 1);
	uint32_t owner = 0;
	table->ifname = g_strdup(ifname);
	table->wg_port = wg_port;
	table->owned = owned;
	table->ports = g_hash_table_new_full(hash_endpoint, equal_endpoints, NULL, g_free);
	table->routes = g_hash_table_new_full(hash_endpoint, equal_endpoints, NULL, g_free);
	set_name(table, ifname);
	int r = wice__nft_socket_open(&table->socket);
	if (r == 0)
		r = make_table(table, context, &owner);
	if (r < 0) {
		set_error(error, table, r, owner);
		wice__nft_table_free(table);
		return NULL;
	}
	return table;
}

void wice__nft_table_free(WiceNftTable *table)
{
	if (!table)
		return;
	wice__fd_watch_free(table->watch);
	if (table->socket && !table->owned)
		(void)delete_table(table);
	nl_socket_free(table->watch_socket);
	wice__nft_socket_close(table->socket);
	g_hash_table_unref(table->ports);
	g_hash_table_unref(table->routes);
	g_free(table->ifname);
	g_free(table);
}

/* Changes. */

int wice__nft_table_set_wg_port(WiceNftTable *table, uint16_t wg_port)
{
	uint16_t former = table->wg_port;
	WiceNftBatch batch;
	if (wg_port == former)
		return 0;
	table->wg_port = wg_port;
	wice__nft_begin(table->socket, &batch, table->name);
	wice__nft_ruleset_set_wg_port(&batch, wg_port);
	int r = commit_or_rebuild(table, &batch);
	if (r < 0)
		table->wg_port = former;
	return r;
}

static WiceEndpoint without_scope(const WiceEndpoint *endpoint)
{
	WiceEndpoint key = *endpoint;
	key.scope = 0;
	return key;
}

static Element *find(GHashTable *elements, const WiceEndpoint *endpoint)
{
	WiceEndpoint key = without_scope(endpoint);
	return g_hash_table_lookup(elements, &key);
}

/* NULL if there are too many. */
static Element *insert(GHashTable *elements, const WiceEndpoint *endpoint)
{
	if (g_hash_table_size(elements) >= WICE_NFT_MAX_ELEMENTS)
		return NULL;
	Element *element = g_new0(Element, 1);
	element->key = without_scope(endpoint);
	g_hash_table_insert(elements, &element->key, element);
	return element;
}

static void put_element(WiceNftBatch *batch, const WiceNftSet *set, const Element *element)
{
	WiceNftElement raw;
	wice__nft_element_init(&raw, &element->key, element->port);
	wice__nft_add_elements(batch, set, &raw, 1);
}

/* From here and there. */
static void remove_element(WiceNftTable *table, GHashTable *elements, const WiceNftSet *set,
			   Element *element)
{
	WiceNftElement raw;
	WiceNftBatch batch;
	wice__nft_element_init(&raw, &element->key, element->port);
	g_hash_table_remove(elements, &element->key);
	wice__nft_begin(table->socket, &batch, table->name);
	wice__nft_delete_element(&batch, set, &raw);
	int r = commit_or_rebuild(table, &batch);
	if (r < 0)
		wice__log(WICE_LOG_WARNING, table->ifname,
			  "A port could not be removed from nf_tables: %s", g_strerror(-r));
}

int wice__nft_table_add_port(WiceNftTable *table, const WiceEndpoint *local)
{
	Element *element = find(table->ports, local);
	WiceNftBatch batch;
	if (element) {
		element->uses++;
		return 0;
	}
	element = insert(table->ports, local);
	if (!element)
		return -ENOSPC;
	element->uses = 1;
	wice__nft_begin(table->socket, &batch, table->name);
	put_element(&batch, wice__nft_ruleset_ports(local->address.family), element);
	int r = commit_or_rebuild(table, &batch);
	if (r < 0)
		g_hash_table_remove(table->ports, &element->key);
	return r;
}

void wice__nft_table_remove_port(WiceNftTable *table, const WiceEndpoint *local)
{
	Element *element = find(table->ports, local);
	if (element && --element->uses == 0)
		remove_element(table, table->ports, wice__nft_ruleset_ports(local->address.family),
			       element);
}

static int add_route(WiceNftTable *table, const WiceNftSet *map, const WiceEndpoint *remote,
		     uint16_t port, const void *owner)
{
	Element *element = insert(table->routes, remote);
	WiceNftBatch batch;
	if (!element)
		return -ENOSPC;
	element->port = port;
	element->owner = owner;
	wice__nft_begin(table->socket, &batch, table->name);
	put_element(&batch, map, element);
	int r = commit_or_rebuild(table, &batch);
	if (r < 0)
		g_hash_table_remove(table->routes, &element->key);
	return r;
}

/* See ruleset.c for why this takes two steps. */
static int replace_route(WiceNftTable *table, const WiceNftSet *map, Element *element,
			 uint16_t port)
{
	const WiceNftSet *moving = wice__nft_ruleset_moving(element->key.address.family);
	uint16_t former = element->port;
	WiceNftElement old, new;
	WiceNftBatch batch;
	wice__nft_element_init(&old, &element->key, former);
	wice__nft_element_init(&new, &element->key, port);
	element->port = port;
	wice__nft_begin(table->socket, &batch, table->name);
	wice__nft_add_elements(&batch, moving, &new, 1);
	wice__nft_delete_element(&batch, map, &old);
	wice__nft_add_elements(&batch, map, &new, 1);
	int r = commit_or_rebuild(table, &batch);
	if (r < 0) {
		element->port = former;
		return r;
	}
	wice__nft_begin(table->socket, &batch, table->name);
	wice__nft_delete_element(&batch, moving, &new);
	(void)commit_or_rebuild(table, &batch);
	return 0;
}

int wice__nft_table_route(WiceNftTable *table, const WiceEndpoint *remote, uint16_t port,
			  const void *owner)
{
	const WiceNftSet *map = wice__nft_ruleset_routes(remote->address.family);
	Element *element = find(table->routes, remote);
	if (!element)
		return add_route(table, map, remote, port, owner);
	int r = element->port == port ? 0 : replace_route(table, map, element, port);
	if (r == 0)
		element->owner = owner;
	return r;
}

bool wice__nft_table_is_routed(const WiceNftTable *table, const WiceEndpoint *remote)
{
	return find(table->routes, remote) != NULL;
}

bool wice__nft_table_has_room(const WiceNftTable *table)
{
	return g_hash_table_size(table->routes) < WICE_NFT_MAX_ELEMENTS / 2;
}

void wice__nft_table_unroute(WiceNftTable *table, const WiceEndpoint *remote, const void *owner)
{
	Element *element = find(table->routes, remote);
	if (element && element->owner == owner)
		remove_element(table, table->routes,
			       wice__nft_ruleset_routes(remote->address.family), element);
}
