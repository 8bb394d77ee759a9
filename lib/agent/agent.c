/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <wice/agent.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wice/error.h>
#include <wice/version.h>

#include "agent/agent_private.h"
#include "agent/claim.h"
#include "base/log.h"
#include "event/source.h"
#include "wg/backend.h"

/* Interfaces are listed again this often: an event of the file system may be missed. */
#define LIST_INTERVAL_MS 10000
/* More addresses than this only make more pairs to check. */
#define MAX_ADDRESSES 8
/* NATs keep a UDP mapping for 30 s at least, often (RFC 4787 section 4.3 wants 2 minutes). */
#define SLEEP_THAT_MATTERS_MS 20000

void wice_agent_options_init(WiceAgentOptions *options)
{
	*options = (WiceAgentOptions){ .size = sizeof *options };
}

/* Events are delivered from the main loop, so that a handler may call anything. */
typedef struct {
	WiceAgent *agent;
	WiceEvent event;
	char *interface, *reason, *backend;
} QueuedEvent;

static void free_event(gpointer data)
{
	QueuedEvent *queued = data;
	g_free(queued->interface);
	g_free(queued->reason);
	g_free(queued->backend);
	g_free(queued);
}

static void deliver_events(WiceAgent *agent)
{
	QueuedEvent *queued;
	while ((queued = g_queue_pop_head(agent->events))) {
		if (agent->handler)
			agent->handler(&queued->event, agent->handler_data);
		free_event(queued);
	}
}

static void on_wait_timer(void *user_data)
{
	WiceAgent *agent = user_data;
	deliver_events(agent);
	wice__waits_evaluate(agent);
}

void wice__agent_emit(WiceAgent *agent, WiceEvent *event)
{
	QueuedEvent *queued = g_new0(QueuedEvent, 1);
	queued->event = *event;
	queued->event.time_ms = wice__realtime_ms();
	queued->event.interface = queued->interface =
		g_strdup(event->interface ? event->interface : "");
	queued->event.reason = queued->reason = g_strdup(event->reason ? event->reason : "");
	queued->event.backend = queued->backend = g_strdup(event->backend ? event->backend : "");
	g_queue_push_tail(agent->events, queued);
	wice__timer_set(agent->wait_timer, 0);
}

void wice_agent_set_event_handler(WiceAgent *agent, WiceEventHandler handler, void *user_data)
{
	agent->handler = handler;
	agent->handler_data = user_data;
}

/* A name by itself always counts; a pattern has exceptions, and so have the agent's own ones. */
static bool is_wanted(const WiceAgent *agent, const char *name)
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

static void drop_interface(WiceAgent *agent, const char *name, bool gone)
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
	drop_interface(agent, name, true);
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
			drop_interface(agent, name, true);
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

static void refresh_addresses(WiceAgent *agent);
static void notice_sleep(WiceAgent *agent);

/* Takes what is wanted and lets go of what is not there any more. */
static void sync_all(WiceAgent *agent)
{
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) names = wice_wg_list(agent->wg, NULL, &error);
	if (!names) {
		wice__log(WICE_LOG_WARNING, "", "%s", error->message);
		return;
	}
	refresh_addresses(agent);
	notice_sleep(agent);
	g_autoptr(GList) known = g_hash_table_get_keys(agent->interfaces);
	for (GList *link = known; link; link = link->next)
		if (!g_strv_contains((const char *const *)names, link->data))
			drop_interface(agent, link->data, true);
	for (char **name = names; *name; name++)
		if (is_wanted(agent, *name))
			sync_one(agent, *name);
	update_fwmark(agent);
}

static void on_wg_changed(const char *name, void *user_data)
{
	WiceAgent *agent = user_data;
	if (!name || is_wanted(agent, name))
		sync_all(agent);
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
	sync_all(agent);
	return TRUE;
}

void wice_agent_remove_engine(WiceAgent *agent, WiceEngine *engine)
{
	if (!g_ptr_array_remove(agent->engines, engine))
		return;
	drop_interface(agent, wice_engine_name(engine), true);
}

static void on_list_timer(void *user_data)
{
	WiceAgent *agent = user_data;
	sync_all(agent);
	wice__timer_set(agent->list_timer, wice__now_ms() + LIST_INTERVAL_MS);
}

/* Not the tunnels' own addresses: a path through a tunnel that it is to carry would be a loop. */
static bool is_tunnel(char *const *wireguards, const WiceLocalAddress *address)
{
	return address->wireguard ||
	       g_strv_contains((const char *const *)wireguards, address->ifname);
}

/* Bridges of container and machine managers: nobody outside reaches a host through them. */
static bool is_internal_bridge(const char *ifname)
{
	return g_str_has_prefix(ifname, "docker") || g_str_has_prefix(ifname, "virbr") ||
	       g_str_has_prefix(ifname, "br-");
}

/* NULL if they cannot be listed: nothing is known then, in particular not that there is none. */
static GArray *usable_addresses(WiceAgent *agent)
{
	g_autofree WiceLocalAddress *all = NULL;
	size_t n = 0;
	int err = wice__addresses_list(&all, &n);
	if (err) {
		wice__log(WICE_LOG_WARNING, "", "the addresses of this host cannot be listed: %s",
			  g_strerror(-err));
		return NULL;
	}
	GArray *usable = g_array_new(FALSE, TRUE, sizeof(WiceAddress));
	g_auto(GStrv) wireguards = wice_wg_list(agent->wg, NULL, NULL);
	static char *none[] = { NULL };
	for (size_t i = 0; i < n && usable->len < MAX_ADDRESSES; i++)
		if (!is_tunnel(wireguards ? wireguards : none, &all[i]) &&
		    !is_internal_bridge(all[i].ifname) &&
		    !wice_address_is_link_local(&all[i].address))
			g_array_append_val(usable, all[i].address);
	return usable;
}

static bool same_addresses(const GArray *a, const GArray *b)
{
	/* An empty array has no data, which memcmp() must not be given. */
	return a->len == b->len &&
	       (a->len == 0 || memcmp(a->data, b->data, a->len * sizeof(WiceAddress)) == 0);
}

static void event_to_all(WiceAgent *agent, WiceSessionEventType type)
{
	GHashTableIter iter;
	gpointer interface;
	g_hash_table_iter_init(&iter, agent->interfaces);
	while (g_hash_table_iter_next(&iter, NULL, &interface))
		wice__interface_event(interface, type);
}

/* Everything that was made on the old addresses is made anew on the new ones. */
static void network_changed(WiceAgent *agent)
{
	wice__signaling_hub_network_changed(agent->hub);
	wice__stun_servers_refresh(agent->stun);
	GHashTableIter iter;
	gpointer interface;
	g_hash_table_iter_init(&iter, agent->interfaces);
	while (g_hash_table_iter_next(&iter, NULL, &interface))
		wice__interface_network_changed(interface);
}

/* NATs have forgotten a host that slept, and perhaps it woke up elsewhere. */
static void notice_sleep(WiceAgent *agent)
{
	int64_t slept = agent->slept_ms();
	int64_t nap = slept - agent->slept;
	agent->slept = slept;
	if (nap < SLEEP_THAT_MATTERS_MS)
		return;
	wice__log(WICE_LOG_INFO, "", "this host has slept for %d s", (int)(nap / 1000));
	network_changed(agent);
}

static void refresh_addresses(WiceAgent *agent)
{
	GArray *now = usable_addresses(agent);
	if (!now)
		return;
	bool first = !agent->has_addresses;
	bool same = same_addresses(now, agent->addresses);
	g_array_unref(agent->addresses);
	agent->addresses = now;
	agent->has_addresses = true;
	if (first || same)
		return;
	wice__log(WICE_LOG_INFO, "", "the addresses of this host have changed, %u are usable now",
		  now->len);
	network_changed(agent);
}

static void on_addresses_changed(void *user_data)
{
	refresh_addresses(user_data);
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
	if (!check_options(options, error) || !open_system(agent, options, error)) {
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
		drop_interface(agent, link->data, false);
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
	g_array_unref(agent->addresses);
	g_queue_free_full(agent->events, free_event);
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
	if (!was_excepted || !is_wanted(agent, pattern))
		g_ptr_array_add(agent->patterns, g_strdup(pattern));
	sync_all(agent);
	return TRUE;
}

gboolean wice_agent_remove_interface(WiceAgent *agent, const char *pattern, GError **error)
{
	guint index = find_pattern(agent, pattern);
	bool matched = is_name(pattern) && is_wanted(agent, pattern);
	if (index == G_MAXUINT && !matched) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_NOT_FOUND,
			    "'%s' is not taken care of; `wice show` lists what is.", pattern);
		return FALSE;
	}
	if (index != G_MAXUINT)
		g_ptr_array_remove_index(agent->patterns, index);
	if (is_name(pattern) && is_wanted(agent, pattern))
		g_hash_table_add(agent->exceptions, g_strdup(pattern));
	g_autoptr(GList) names = g_hash_table_get_keys(agent->interfaces);
	for (GList *link = names; link; link = link->next)
		if (!is_wanted(agent, link->data))
			drop_interface(agent, link->data, false);
	return TRUE;
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
	sync_all(agent);
	return TRUE;
}

typedef struct {
	WiceInterfaceStatus status;
	WicePeerStatus *peers;
} InterfaceSlot;

static int compare_slots(const void *a, const void *b)
{
	return strcmp(((const InterfaceSlot *)a)->status.name,
		      ((const InterfaceSlot *)b)->status.name);
}

WiceStatus *wice_agent_status(WiceAgent *agent)
{
	WiceBackendStatus backends[16];
	size_t n = g_hash_table_size(agent->interfaces), i = 0;
	g_autofree InterfaceSlot *slots = g_new0(InterfaceSlot, n + 1);
	g_autofree WiceInterfaceStatus *interfaces = g_new0(WiceInterfaceStatus, n + 1);
	GHashTableIter iter;
	gpointer interface;
	g_hash_table_iter_init(&iter, agent->interfaces);
	while (g_hash_table_iter_next(&iter, NULL, &interface)) {
		wice__interface_status(interface, &slots[i].status, &slots[i].peers);
		i++;
	}
	qsort(slots, n, sizeof *slots, compare_slots);
	for (i = 0; i < n; i++)
		interfaces[i] = slots[i].status;

	WiceStatusInfo info = {
		.version = WICE_VERSION,
		.pid = getpid(),
		.started_ms = agent->started_ms,
		.now_ms = wice__realtime_ms(),
		.signaling = agent->counters,
		.backends = backends,
		.n_interfaces = n,
		.interfaces = interfaces,
	};
	info.n_backends =
		MIN(wice__signaling_hub_status(agent->hub, backends, G_N_ELEMENTS(backends)),
		    G_N_ELEMENTS(backends));
	WiceStatus *status = wice_status_new(&info);
	for (i = 0; i < n; i++)
		g_free(slots[i].peers);
	return status;
}
