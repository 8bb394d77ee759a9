/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/consents.h"

#include <string.h>

#include "base/endpoint_key.h"

typedef struct {
	WiceConsentHeard heard;
	void *user_data;
} Listener;

typedef struct {
	WiceStunKey key;
	WiceEndpoint base;
} Agent;

struct WiceConsents {
	GHashTable *listeners; /* by the remote endpoint */
	GHashTable *agents;    /* by their ufrags */
};

static void free_agent(void *data)
{
	Agent *agent = data;
	wice__stun_key_clear(&agent->key);
	g_free(agent);
}

WiceConsents *wice__consents_new(void)
{
	WiceConsents *consents = g_new0(WiceConsents, 1);
	consents->listeners =
		g_hash_table_new_full(wice__endpoint_hash, wice__endpoint_equal, g_free, g_free);
	consents->agents = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_agent);
	return consents;
}

void wice__consents_free(WiceConsents *consents)
{
	g_hash_table_unref(consents->listeners);
	g_hash_table_unref(consents->agents);
	g_free(consents);
}

void wice__consents_listen(WiceConsents *consents, const WiceEndpoint *remote,
			   WiceConsentHeard heard, void *user_data)
{
	Listener listener = { heard, user_data };
	g_hash_table_replace(consents->listeners, g_memdup2(remote, sizeof *remote),
			     g_memdup2(&listener, sizeof listener));
}

void wice__consents_unlisten(WiceConsents *consents, const WiceEndpoint *remote)
{
	g_hash_table_remove(consents->listeners, remote);
}

void wice__consents_add(WiceConsents *consents, const char *ufrag, const char *pwd,
			const WiceEndpoint *base)
{
	Agent *agent = g_new0(Agent, 1);
	agent->base = *base;
	if (wice__stun_key_short_term(&agent->key, (WiceSpan){ pwd, strlen(pwd) }) == 0)
		g_hash_table_replace(consents->agents, g_strdup(ufrag), agent);
	else
		free_agent(agent);
}

bool wice__consents_remove(WiceConsents *consents, const char *ufrag, WiceEndpoint *ret_base)
{
	const Agent *agent = g_hash_table_lookup(consents->agents, ufrag);
	if (!agent)
		return false;
	*ret_base = agent->base;
	return g_hash_table_remove(consents->agents, ufrag);
}

bool wice__consents_any(const WiceConsents *consents, char ret_ufrag[WICE_CONSENT_UFRAG_SIZE])
{
	GHashTableIter iter;
	gpointer ufrag;
	g_hash_table_iter_init(&iter, consents->agents);
	return g_hash_table_iter_next(&iter, &ufrag, NULL) &&
	       g_strlcpy(ret_ufrag, ufrag, WICE_CONSENT_UFRAG_SIZE) > 0;
}

static const Agent *find_agent(const WiceConsents *consents, WiceSpan ufrag)
{
	char name[WICE_CONSENT_UFRAG_SIZE];
	if (ufrag.len >= sizeof name)
		return NULL;
	memcpy(name, ufrag.data, ufrag.len);
	name[ufrag.len] = 0;
	return g_hash_table_lookup(consents->agents, name);
}

size_t wice__consents_input(WiceConsents *consents, const WiceEndpoint *source,
			    const uint8_t *packet, size_t len, uint8_t ret_answer[WICE_CONSENT_MAX])
{
	WiceSpan ufrag;
	if (wice__consent_is_asked(packet, len, &ufrag)) {
		const Agent *agent = find_agent(consents, ufrag);
		return agent ? wice__consent_answer(packet, len, &agent->key, source, ret_answer)
			     : 0;
	}
	const Listener *listener = g_hash_table_lookup(consents->listeners, source);
	if (listener)
		listener->heard(packet, len, listener->user_data);
	return 0;
}
