/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interfaces that the agent has made. Whoever deletes one (the link, or its socket) does so with
 * programs that know nothing of the agent, so their end is an event of the engine.
 */
#include "agent/hosted.h"

#include "agent/agent_private.h"
#include "base/log.h"

#include <string.h>
#include <wice/error.h>

typedef struct {
	WiceAgent *agent;
	WiceEngine *engine;
} Hosted;

static void hosted_free(gpointer data)
{
	Hosted *hosted = data;
	if (hosted->engine)
		wice_agent_remove_engine(hosted->agent, hosted->engine);
	wice_engine_free(hosted->engine);
	g_free(hosted);
}

GPtrArray *wice__hosted_new(void)
{
	return g_ptr_array_new_with_free_func(hosted_free);
}

static Hosted *find_hosted(const WiceAgent *agent, const char *name)
{
	for (guint i = 0; i < agent->hosted->len; i++) {
		Hosted *hosted = agent->hosted->pdata[i];
		if (strcmp(wice_engine_name(hosted->engine), name) == 0)
			return hosted;
	}
	return NULL;
}

bool wice__hosted_has(const WiceAgent *agent, const char *name)
{
	return find_hosted(agent, name) != NULL;
}

static void on_engine_event(WiceEngine *engine, const WiceEngineEvent *event, void *user_data)
{
	Hosted *hosted = user_data;
	if (event->type == WICE_ENGINE_LOST || event->type == WICE_ENGINE_SOCKET_DELETED)
		g_ptr_array_remove(hosted->agent->hosted, hosted);
}

static WiceEngine *start_engine(Hosted *hosted, const char *name, GError **error)
{
	const WiceEngineOptions options = {
		.size = sizeof options,
		.name = name,
		.on_event = on_engine_event,
		.user_data = hosted,
	};
	g_autoptr(WiceEngine) engine = wice_engine_new(hosted->agent->context, &options, error);
	if (!engine || !wice_engine_listen(engine, -1, error))
		return NULL;
	return g_steal_pointer(&engine);
}

gboolean wice_agent_create_interface(WiceAgent *agent, const char *name, GError **error)
{
	if (strpbrk(name, "%*?")) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "'%s' is a pattern; an interface that is to be made needs a name.",
			    name);
		return FALSE;
	}
	Hosted *hosted = g_new0(Hosted, 1);
	hosted->agent = agent;
	hosted->engine = start_engine(hosted, name, error);
	if (!hosted->engine) {
		hosted_free(hosted);
		return FALSE;
	}
	wice__log(WICE_LOG_INFO, name, "made; WireGuard is in this process (%s)",
		  wice_engine_cipher(hosted->engine));
	g_ptr_array_add(agent->hosted, hosted);
	if (wice_agent_add_engine(agent, hosted->engine, error))
		return TRUE;
	g_ptr_array_remove(agent->hosted, hosted);
	return FALSE;
}

gboolean wice_agent_delete_interface(WiceAgent *agent, const char *name, GError **error)
{
	Hosted *hosted = find_hosted(agent, name);
	if (!hosted) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_NOT_FOUND,
			    "'%s' is none of the interfaces that were made here.", name);
		return FALSE;
	}
	g_ptr_array_remove(agent->hosted, hosted);
	return TRUE;
}
