/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <wice/agent.h>

#include <string.h>
#include <wice/error.h>

#include "agent/agent_private.h"
#include "base/log.h"
#include "event/source.h"
#include "wg/backend.h"

/* Interfaces are listed again this often: an event of the file system may be missed. */
#define LIST_INTERVAL_MS 10000

void wice_agent_options_init(WiceAgentOptions *options)
{
	*options = (WiceAgentOptions){ .size = sizeof *options };
}

static void on_wait_timer(void *user_data)
{
	WiceAgent *agent = user_data;
	wice__agent_deliver_events(agent);
	wice__waits_evaluate(agent);
}

void wice_agent_set_event_handler(WiceAgent *agent, WiceEventHandler handler, void *user_data)
{
	agent->handler = handler;
	agent->handler_data = user_data;
}

static void on_wg_changed(const char *name, void *user_data)
{
	WiceAgent *agent = user_data;
	if (!name || wice__agent_wants(agent, name))
		wice__agent_sync_all(agent);
}

/* On any thread. */
static void on_told(const char *name, void *user_data)
{
	WiceAgent *agent = user_data;
	g_mutex_lock(&agent->told_mutex);
	g_hash_table_add(agent->told, g_strdup(name));
	wice__timer_set(agent->told_timer, 0);
	g_mutex_unlock(&agent->told_mutex);
}

/* Engines tell of what happens; of other devices these are our own writes. */
static void on_told_timer(void *user_data)
{
	WiceAgent *agent = user_data;
	GHashTableIter iter;
	gpointer name;
	g_mutex_lock(&agent->told_mutex);
	g_hash_table_iter_init(&iter, agent->told);
	while (g_hash_table_iter_next(&iter, &name, NULL)) {
		WiceInterface *interface = g_hash_table_lookup(agent->interfaces, name);
		if (interface && wice__agent_find_engine(agent, name))
			wice__interface_poll_soon(interface);
	}
	g_hash_table_remove_all(agent->told);
	g_mutex_unlock(&agent->told_mutex);
}

WiceEngine *wice__agent_find_engine(WiceAgent *agent, const char *name)
{
	for (guint i = 0; i < agent->engines->len; i++)
		if (strcmp(wice_engine_name(agent->engines->pdata[i]), name) == 0)
			return agent->engines->pdata[i];
	return NULL;
}

gboolean wice_agent_add_engine(WiceAgent *agent, WiceEngine *engine, GError **error)
{
	if (!wice_engine_attach(engine, agent->wg, error))
		return FALSE;
	g_ptr_array_add(agent->engines, engine);
	wice__agent_sync_all(agent);
	return TRUE;
}

void wice_agent_remove_engine(WiceAgent *agent, WiceEngine *engine)
{
	if (!g_ptr_array_remove(agent->engines, engine))
		return;
	wice__agent_drop(agent, wice_engine_name(engine), true);
}

static void on_list_timer(void *user_data)
{
	WiceAgent *agent = user_data;
	wice__agent_sync_all(agent);
	wice__timer_set(agent->list_timer, wice__now_ms() + LIST_INTERVAL_MS);
}

static void event_to_all(WiceAgent *agent, WiceSessionEventType type)
{
	GHashTableIter iter;
	gpointer interface;
	g_hash_table_iter_init(&iter, agent->interfaces);
	while (g_hash_table_iter_next(&iter, NULL, &interface))
		wice__interface_event(interface, type);
}

static void on_addresses_changed(void *user_data)
{
	wice__agent_refresh_addresses(user_data);
}

/* Sessions that gather later use the new list; those that know no outside address start anew. */
static void on_stun_changed(void *user_data)
{
	WiceAgent *agent = user_data;
	GHashTableIter iter;
	gpointer interface;
	if (!agent->interfaces)
		return;
	g_hash_table_iter_init(&iter, agent->interfaces);
	while (g_hash_table_iter_next(&iter, NULL, &interface))
		wice__interface_stun_changed(interface);
}

static void on_backend_state(const char *url, bool ready, const char *reason, void *user_data)
{
	WiceAgent *agent = user_data;
	wice__log(ready ? WICE_LOG_INFO : WICE_LOG_WARNING, url, "%s", ready ? "ready" : reason);
	WiceEvent event = {
		.type = WICE_EVENT_BACKEND_STATE,
		.backend = url,
		.ready = ready,
		.reason = reason,
	};
	wice__agent_emit(agent, &event);
	if (ready)
		event_to_all(agent, WICE_SESSION_SIGNALING_READY);
}

static void on_envelope(const WiceEnvelope *envelope, void *user_data)
{
	WiceAgent *agent = user_data;
	WiceInterface *recipient = NULL;
	GHashTableIter iter;
	gpointer interface;
	g_hash_table_iter_init(&iter, agent->interfaces);
	while (g_hash_table_iter_next(&iter, NULL, &interface)) {
		const WiceKey *key = wice__interface_key(interface);
		if (!key || wice_key_compare(key, &envelope->recipient) != 0)
			continue;
		/* Interfaces may share a key; then it is meant for the one that has the peer. */
		recipient = interface;
		if (wice__interface_find_peer(interface, &envelope->sender))
			break;
	}
	if (recipient)
		wice__interface_receive(recipient, envelope);
	else
		agent->counters.misaddressed++;
}

static void on_garbage(bool oversized, void *user_data)
{
	WiceAgent *agent = user_data;
	if (oversized)
		agent->counters.oversized++;
	else
		agent->counters.malformed++;
}

static const WiceSignalingHubEvents hub_events = {
	.on_state = on_backend_state,
	.on_envelope = on_envelope,
	.on_garbage = on_garbage,
};

static bool open_system(WiceAgent *agent, const WiceAgentOptions *options, GError **error)
{
	agent->stun = wice__stun_servers_new(agent->context, options->stun_urls, on_stun_changed,
					     agent, error);
	if (!agent->stun)
		return false;
	agent->hub = wice__signaling_hub_new(agent->context, options->backends, &hub_events, agent,
					     error);
	if (!agent->hub)
		return false;
	agent->wg_watch = wice__presence_new(agent->context, on_wg_changed, agent, NULL, error);
	if (!agent->wg_watch)
		return false;
	int err = wice__address_watch_new(agent->context, on_addresses_changed, agent,
					  &agent->address_watch);
	if (err)
		g_set_error(error, WICE_ERROR, WICE_ERROR_IO,
			    "The addresses of this host cannot be watched: %s.", g_strerror(-err));
	return !err;
}

static bool check_mechanism(WiceMechanism mechanism, GError **error)
{
	switch (mechanism) {
	case WICE_MECHANISM_NONE:
	case WICE_MECHANISM_USER:
	case WICE_MECHANISM_INPROCESS:
	case WICE_MECHANISM_BPF:
	case WICE_MECHANISM_NFT:
		return true;
	case WICE_MECHANISM_KERNEL:
		break;
	}
	g_set_error_literal(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "That is no mechanism to choose: there are auto, bpf, nft, inprocess "
			    "and user.");
	return false;
}

static void free_spec(gpointer spec)
{
	wice__relay_spec_free(spec);
}

static bool parse_relays(WiceAgent *agent, const char *const *texts, GError **error)
{
	for (size_t i = 0; texts && texts[i]; i++) {
		WiceRelaySpec *spec = wice__relay_spec_parse(texts[i], false, error);
		if (!spec)
			return false;
		g_ptr_array_add(agent->relay_specs, spec);
	}
	return true;
}

static bool check_options(const WiceAgentOptions *options, GError **error)
{
	if (!check_mechanism(options->mechanism, error))
		return false;
	if (options->backends && options->backends[0])
		return true;
	g_set_error_literal(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "No signaling backend is given; at least one is needed, for instance "
			    "multicast:// or grpc://HOST.");
	return false;
}

WiceAgent *wice__agent_new_with(GMainContext *context, const WiceAgentOptions *given,
				const WiceAgentBackends *backends, GError **error)
{
	/* A program that knows fewer options has the defaults of the others. */
	WiceAgentOptions known = { 0 };
	const WiceAgentOptions *options = &known;
	memcpy(&known, given, MIN(given->size, sizeof known));
	WiceAgent *agent = g_new0(WiceAgent, 1);
	agent->context = g_main_context_ref(context ? context : g_main_context_default());
	agent->contexts = wice__context_pool_new(agent->context);
	agent->wg = backends && backends->wg ? backends->wg : wice_wg_new();
	agent->engines = g_ptr_array_new();
	agent->hosted = wice__hosted_new();
	agent->told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	agent->told_timer = wice__timer_new(agent->context, on_told_timer, agent);
	g_mutex_init(&agent->told_mutex);
	wice__wg_observe(agent->wg, on_told, agent);
	agent->ice = backends && backends->ice ? backends->ice : &wice__ice_nice;
	agent->slept_ms = backends && backends->slept_ms ? backends->slept_ms : wice__slept_ms;
	agent->slept = agent->slept_ms();
	agent->state_dir = g_strdup(options->state_dir);
	agent->mechanism = options->mechanism;
	agent->no_port_mapping = options->no_port_mapping;
	agent->hosts_relay = options->relay_server;
	agent->fits_mtu = options->fit_mtu;
	agent->relay_specs = g_ptr_array_new_with_free_func(free_spec);
	agent->started_ms = wice__realtime_ms();
	agent->epoch = (uint64_t)agent->started_ms;
	agent->events = g_queue_new();
	agent->patterns = g_ptr_array_new_with_free_func(g_free);
	agent->interfaces = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	agent->exceptions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	agent->foreign = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	agent->addresses = g_array_new(FALSE, TRUE, sizeof(WiceAddress));
	agent->wait_timer = wice__timer_new(agent->context, on_wait_timer, agent);
	agent->list_timer = wice__timer_new(agent->context, on_list_timer, agent);
	if (!check_options(options, error) || !parse_relays(agent, options->relays, error) ||
	    !open_system(agent, options, error)) {
		wice_agent_free(agent);
		return NULL;
	}
	wice__timer_set(agent->list_timer, wice__now_ms() + LIST_INTERVAL_MS);
	return agent;
}

WiceAgent *wice_agent_new(GMainContext *context, const WiceAgentOptions *options, GError **error)
{
	return wice__agent_new_with(context, options, NULL, error);
}

void wice_agent_free(WiceAgent *agent)
{
	if (!agent)
		return;
	wice__waits_cancel_all(agent);
	wice__presence_free(agent->wg_watch);
	wice__address_watch_free(agent->address_watch);
	g_autoptr(GList) names = g_hash_table_get_keys(agent->interfaces);
	for (GList *link = names; link; link = link->next)
		wice__agent_drop(agent, link->data, false);
	g_ptr_array_unref(agent->hosted);
	wice__bpf_mux_free(agent->mux);
	g_clear_error(&agent->mux_error);
	wice__signaling_hub_free(agent->hub);
	wice__stun_servers_free(agent->stun);
	wice__timer_free(agent->list_timer);
	wice__timer_free(agent->wait_timer);
	g_hash_table_unref(agent->interfaces);
	g_hash_table_unref(agent->exceptions);
	g_hash_table_unref(agent->foreign);
	g_ptr_array_unref(agent->patterns);
	g_ptr_array_unref(agent->relay_specs);
	g_array_unref(agent->addresses);
	wice__agent_free_events(agent);
	wice__wg_unobserve(agent->wg, agent);
	wice_wg_free(agent->wg);
	wice__timer_free(agent->told_timer);
	g_mutex_clear(&agent->told_mutex);
	g_hash_table_unref(agent->told);
	g_ptr_array_unref(agent->engines);
	g_free(agent->state_dir);
	wice__context_pool_free(agent->contexts);
	g_main_context_unref(agent->context);
	g_free(agent);
}

static WiceInterface *find_interface(WiceAgent *agent, const char *name, GError **error)
{
	WiceInterface *interface = g_hash_table_lookup(agent->interfaces, name);
	if (!interface)
		g_set_error(error, WICE_ERROR, WICE_ERROR_NOT_FOUND,
			    "No interface '%s' is taken care of; `wice show` lists those that are.",
			    name);
	return interface;
}

gboolean wice_agent_restart_peer(WiceAgent *agent, const char *interface, const WiceKey *peer,
				 GError **error)
{
	WiceInterface *found = find_interface(agent, interface, error);
	if (!found)
		return FALSE;
	WicePeer *session = wice__interface_find_peer(found, peer);
	if (!session) {
		char key[WICE_KEY_BASE64_SIZE];
		wice_key_to_base64(peer, key);
		g_set_error(error, WICE_ERROR, WICE_ERROR_NOT_FOUND,
			    "The interface %s has no peer %s.", interface, key);
		return FALSE;
	}
	wice__peer_event(session, WICE_SESSION_RESTART);
	return TRUE;
}

WiceBpfMux *wice__agent_mux(WiceAgent *agent, GError **error)
{
	if (!agent->mux && !agent->mux_error)
		agent->mux = wice__bpf_mux_new(agent->context, NULL, &agent->mux_error);
	if (!agent->mux && error)
		*error = g_error_copy(agent->mux_error);
	return agent->mux;
}

gboolean wice_agent_set_mechanism(WiceAgent *agent, const char *interface, WiceMechanism mechanism,
				  GError **error)
{
	WiceInterface *only = NULL;
	if (!check_mechanism(mechanism, error) ||
	    (interface && !(only = find_interface(agent, interface, error))))
		return FALSE;
	g_clear_error(&agent->mux_error); /* it is tried again */
	if (only) {
		wice__interface_want(only, mechanism);
		return TRUE;
	}
	agent->mechanism = mechanism;
	GHashTableIter iter;
	gpointer each;
	g_hash_table_iter_init(&iter, agent->interfaces);
	while (g_hash_table_iter_next(&iter, NULL, &each))
		wice__interface_want(each, mechanism);
	return TRUE;
}

gboolean wice_agent_sync(WiceAgent *agent, const char *interface, GError **error)
{
	if (interface && !find_interface(agent, interface, error))
		return FALSE;
	wice__agent_sync_all(agent);
	return TRUE;
}
