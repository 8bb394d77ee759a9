/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which interfaces an agent looks after: what was asked for, by names and patterns, against what
 * there is.
 */
#include <stdbool.h>
#include <string.h>
#include <wice/agent.h>
#include <wice/error.h>

#include "agent/agent_private.h"
#include "agent/claim.h"
#include "base/log.h"

/* A name by itself always counts; a pattern has exceptions, and so have the agent's own ones. */
bool wice__agent_wants(const WiceAgent *agent, const char *name)
{
	bool excepted = g_hash_table_contains(agent->exceptions, name);
	for (guint i = 0; i < agent->patterns->len; i++) {
		const char *pattern = agent->patterns->pdata[i];
		if (g_str_equal(pattern, name) ||
		    (!excepted && g_pattern_match_simple(pattern, name)))
			return true;
	}
	return !excepted && wice__hosted_has(agent, name);
}

static bool is_name(const char *pattern)
{
	return !strpbrk(pattern, "*?");
}

/* One mark for all signaling: that of the first interface that has one, by name. */
static void update_fwmark(WiceAgent *agent)
{
	const char *first = NULL;
	uint32_t mark = 0;
	GHashTableIter iter;
	gpointer name, interface;
	g_hash_table_iter_init(&iter, agent->interfaces);
	while (g_hash_table_iter_next(&iter, &name, &interface)) {
		uint32_t own = wice__interface_fwmark(interface);
		if (own && (!first || strcmp(name, first) < 0)) {
			first = name;
			mark = own;
		}
	}
	if (mark == agent->fwmark)
		return;
	agent->fwmark = mark;
	wice__signaling_hub_set_fwmark(agent->hub, mark);
	wice__signaling_hub_network_changed(agent->hub);
}

void wice__agent_drop(WiceAgent *agent, const char *name, bool gone)
{
	gpointer key, interface;
	if (!g_hash_table_steal_extended(agent->interfaces, name, &key, &interface))
		return;
	wice__interface_free(interface, gone);
	WiceEvent event = { .type = WICE_EVENT_INTERFACE_REMOVED, .interface = key };
	wice__agent_emit(agent, &event);
	wice__log(WICE_LOG_INFO, key, "%s", gone ? "the interface has disappeared" : "let go");
	g_free(key);
}

void wice__agent_lost(WiceAgent *agent, WiceInterface *interface)
{
	g_autofree char *name = g_strdup(wice__interface_name(interface));
	wice__agent_drop(agent, name, true);
}

/* Somebody else's interface is left alone, looked at again later, and mentioned once. */
static WiceInterface *take_interface(WiceAgent *agent, const char *name)
{
	g_autoptr(GError) error = NULL;
	WiceInterface *interface = wice__interface_new(agent, name, &error);
	if (interface)
		g_hash_table_remove(agent->foreign, name);
	else if (g_hash_table_add(agent->foreign, g_strdup(name)))
		wice__log(WICE_LOG_WARNING, name, "%s", error->message);
	return interface;
}

static void sync_one(WiceAgent *agent, const char *name)
{
	WiceInterface *interface = g_hash_table_lookup(agent->interfaces, name);
	if (interface) {
		if (!wice__interface_sync(interface))
			wice__agent_drop(agent, name, true);
		return;
	}
	interface = take_interface(agent, name);
	if (!interface)
		return;
	g_hash_table_insert(agent->interfaces, g_strdup(name), interface);
	if (!wice__interface_sync(interface)) {
		g_hash_table_remove(agent->interfaces, name);
		wice__interface_free(interface, true);
		return;
	}
	WiceEvent event = { .type = WICE_EVENT_INTERFACE_ADDED, .interface = name };
	wice__agent_emit(agent, &event);
	wice__log(WICE_LOG_INFO, name, "taken into care, %zu peers",
		  wice__interface_n_peers(interface));
}

void wice__agent_sync_all(WiceAgent *agent)
{
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) names = wice_wg_list(agent->wg, NULL, &error);
	if (!names) {
		wice__log(WICE_LOG_WARNING, "", "%s", error->message);
		return;
	}
	wice__agent_refresh_addresses(agent);
	wice__agent_notice_sleep(agent);
	g_autoptr(GList) known = g_hash_table_get_keys(agent->interfaces);
	for (GList *link = known; link; link = link->next)
		if (!g_strv_contains((const char *const *)names, link->data))
			wice__agent_drop(agent, link->data, true);
	for (char **name = names; *name; name++)
		if (wice__agent_wants(agent, *name))
			sync_one(agent, *name);
	update_fwmark(agent);
}

static guint find_pattern(const WiceAgent *agent, const char *pattern)
{
	guint index;
	return g_ptr_array_find_with_equal_func(agent->patterns, pattern, g_str_equal, &index)
		       ? index
		       : G_MAXUINT;
}

static bool check_pattern(const char *pattern, GError **error)
{
	if (*pattern && strlen(pattern) < 16 && !strpbrk(pattern, "/ \t\n"))
		return true;
	g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
		    "'%s' is no name of an interface: it must have 1 to 15 characters and neither "
		    "'/' nor spaces.",
		    pattern);
	return false;
}

/* Who names an interface wants to know that he cannot have it; a pattern takes what it gets. */
static bool is_free(WiceAgent *agent, const char *name, GError **error)
{
	if (g_hash_table_contains(agent->interfaces, name))
		return true;
	WiceClaim *claim;
	if (!wice__claim_new(name, &claim, error))
		return false;
	wice__claim_free(claim);
	return true;
}

gboolean wice_agent_add_interface(WiceAgent *agent, const char *pattern, GError **error)
{
	if (!check_pattern(pattern, error))
		return FALSE;
	if (find_pattern(agent, pattern) != G_MAXUINT) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_EXISTS, "'%s' is taken care of already.",
			    pattern);
		return FALSE;
	}
	if (is_name(pattern) && !is_free(agent, pattern, error))
		return FALSE;
	bool was_excepted = g_hash_table_remove(agent->exceptions, pattern);
	if (!was_excepted || !wice__agent_wants(agent, pattern))
		g_ptr_array_add(agent->patterns, g_strdup(pattern));
	wice__agent_sync_all(agent);
	return TRUE;
}

gboolean wice_agent_remove_interface(WiceAgent *agent, const char *pattern, GError **error)
{
	guint index = find_pattern(agent, pattern);
	bool matched = is_name(pattern) && wice__agent_wants(agent, pattern);
	if (index == G_MAXUINT && !matched) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_NOT_FOUND,
			    "'%s' is not taken care of; `wice show` lists what is.", pattern);
		return FALSE;
	}
	if (index != G_MAXUINT)
		g_ptr_array_remove_index(agent->patterns, index);
	if (is_name(pattern) && wice__agent_wants(agent, pattern))
		g_hash_table_add(agent->exceptions, g_strdup(pattern));
	g_autoptr(GList) names = g_hash_table_get_keys(agent->interfaces);
	for (GList *link = names; link; link = link->next)
		if (!wice__agent_wants(agent, link->data))
			wice__agent_drop(agent, link->data, false);
	return TRUE;
}
