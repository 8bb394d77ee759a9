/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/interface.h"

#include <string.h>
#include <wice/error.h>

#include "agent/agent_private.h"
#include "agent/claim.h"
#include "agent/found.h"
#include "agent/mtu.h"
#include "agent/relay_host.h"
#include "agent/suspicion.h"
#include "base/log.h"
#include "crypto/key.h"
#include "event/source.h"

/*
 * WireGuard does not tell when a peer changes (but for engines of this process, which do), so the
 * device is read again and again: often while it is about to prove a path, rarely otherwise, and
 * never so often that reading takes more than one part in POLL_SHARE of the time (a dump of 10,000
 * peers takes a while).
 */
#define POLL_FAST_MS 20
#define POLL_IDLE_MS 2000
#define POLL_BRISK_MS WICE_SUSPICION_POLL_MS
#define POLL_SHARE 20
#define POLL_SHARE_FAST 5  /* the same for all interfaces together that are read often */
#define GET_TIMEOUT_MS 250 /* the loop waits so long for a userspace device that hangs */

struct WiceInterface {
	WiceAgent *agent;
	char *name;
	WiceDevice *device;
	WiceKey private_key; /* that the mailboxes and subscriptions were made with */
	WiceKey public_key;
	bool subscribed;
	bool usable;
	char idle_reason[160];
	WiceMechanisms *mechanisms;
	WiceRelays *relays;
	WiceRelayHost *relay_host; /* NULL: is no relay for its peers */
	uint16_t relay_host_port;
	WiceMtu mtu;
	WiceTimer *poll;
	int64_t dump_us;  /* how long the last one took, and */
	int64_t usual_us; /* the last two at least: one may have been held up by anything */
	bool polled_fast; /* counted in the agent */
	GHashTable *peers;
	WiceFound *found;
	WiceClaim *claim;
	bool remember_pending;
	WiceSignalingCounters counters;
};

const char *wice__interface_name(const WiceInterface *interface)
{
	return interface->name;
}

WiceContextPool *wice__interface_contexts(const WiceInterface *interface)
{
	return interface->agent->contexts;
}

const WiceKey *wice__interface_key(const WiceInterface *interface)
{
	return interface->subscribed ? &interface->public_key : NULL;
}

uint16_t wice__interface_listen_port(const WiceInterface *interface)
{
	return interface->device ? wice_device_info(interface->device)->listen_port : 0;
}

uint32_t wice__interface_fwmark(const WiceInterface *interface)
{
	return interface->device ? wice_device_info(interface->device)->fwmark : 0;
}

WiceSignalingCounters *wice__interface_counters(WiceInterface *interface)
{
	return &interface->counters;
}

void wice__interface_count(WiceInterface *interface, WiceOpenResult result)
{
	WiceSignalingCounters *counters = &interface->counters;
	switch (result) {
	case WICE_OPEN_OK:
		counters->accepted++;
		break;
	case WICE_OPEN_MALFORMED:
		counters->malformed++;
		break;
	case WICE_OPEN_UNSUPPORTED:
		counters->unsupported++;
		break;
	case WICE_OPEN_MISADDRESSED:
		counters->misaddressed++;
		break;
	case WICE_OPEN_FORGED:
		counters->forged++;
		break;
	case WICE_OPEN_REPLAYED:
		counters->replayed++;
		break;
	case WICE_OPEN_STALE:
	case WICE_OPEN_STALE_EPOCH:
		counters->stale++;
		break;
	case WICE_OPEN_DOWNGRADED:
		counters->downgraded++;
		break;
	}
}

void wice__interface_init_mailbox(WiceInterface *interface, WiceMailbox *mailbox,
				  const WiceKey *peer)
{
	/* A peer that comes back is a new life for the other end, within one of ours too. */
	WiceAgent *agent = interface->agent;
	agent->epoch = MAX(agent->epoch + 1, (uint64_t)wice__realtime_ms());
	wice__mailbox_init(mailbox, &interface->private_key, peer, agent->epoch);
}

WiceMechanisms *wice__interface_mechanisms(WiceInterface *interface)
{
	return interface->mechanisms;
}

WiceRelays *wice__interface_relays(WiceInterface *interface)
{
	return interface->relays;
}

void wice__interface_describe_services(WiceInterface *interface, const WiceKey *peer,
				       WiceDescription *description)
{
	const GArray *addresses = interface->agent->addresses;
	WiceOutside outside;
	if (!interface->relay_host)
		return;
	wice__mechanisms_outside(interface->mechanisms, &outside);
	wice__relay_host_describe(interface->relay_host, peer, &outside,
				  (const WiceAddress *)(const void *)addresses->data,
				  addresses->len, description);
}

void wice__interface_check_mtu(WiceInterface *interface, const WiceEndpoint *remote,
			       unsigned growth)
{
	WiceMtu *mtu = &interface->mtu;
	unsigned before = mtu->ours;
	wice__mtu_check(mtu, remote, wice__interface_fwmark(interface), growth);
	if (mtu->ours == before)
		return;
	wice__found_set_mtu(interface->found, mtu->found, mtu->ours);
	wice__interface_remember(interface);
}

bool wice__interface_is_kernel(const WiceInterface *interface)
{
	return interface->device && wice_device_info(interface->device)->kind == WICE_DEVICE_KERNEL;
}

void wice__interface_attempt_options(WiceInterface *interface, WiceAttemptOptions *ret_options)
{
	WiceAgent *agent = interface->agent;
	*ret_options = (WiceAttemptOptions){
		.ice = agent->ice,
		.fwmark = wice__interface_fwmark(interface),
		.addresses = (const WiceAddress *)(void *)agent->addresses->data,
		.n_addresses = agent->addresses->len,
	};
	ret_options->stun_servers =
		wice__stun_servers_list(agent->stun, &ret_options->n_stun_servers);
	wice__mechanisms_outside(interface->mechanisms, &ret_options->outside);
}

void wice__interface_publish(WiceInterface *interface, const WiceEnvelope *envelope)
{
	wice__signaling_hub_publish(interface->agent->hub, envelope);
}

gboolean wice__interface_update_peer(WiceInterface *interface, const WicePeerUpdate *update,
				     GError **error)
{
	return wice_wg_update_peer(interface->agent->wg, interface->name, update, GET_TIMEOUT_MS,
				   error);
}

void wice__interface_poll_soon(WiceInterface *interface)
{
	wice__timer_set(interface->poll, wice__now_ms() + POLL_FAST_MS / 2);
}

void wice__interface_emit(WiceInterface *interface, WiceEvent *event)
{
	event->interface = interface->name;
	wice__agent_emit(interface->agent, event);
}

void wice__interface_signaling_facts(WiceInterface *interface, WiceReasonFacts *facts)
{
	WiceBackendStatus backends[16];
	size_t n =
		wice__signaling_hub_status(interface->agent->hub, backends, G_N_ELEMENTS(backends));
	facts->n_backends = n;
	for (size_t i = 0; i < MIN(n, G_N_ELEMENTS(backends)); i++) {
		if (backends[i].ready)
			facts->n_ready_backends++;
		else if (!facts->backend_trouble)
			facts->backend_trouble = backends[i].reason;
	}
	(void)wice__stun_servers_list(interface->agent->stun, &facts->n_stun_servers);
	facts->idle_reason = interface->usable ? NULL : interface->idle_reason;
}

static void remember_peer(gpointer key, gpointer value, gpointer user_data)
{
	WiceFoundPeer values;
	wice__peer_found(value, &values);
	wice__found_set(user_data, key, &values);
}

/* Saved once after a snapshot has been handed out, not once per peer. */
void wice__interface_remember(WiceInterface *interface)
{
	interface->remember_pending = true;
}

static void save_found(WiceInterface *interface)
{
	if (!interface->remember_pending)
		return;
	interface->remember_pending = false;
	g_hash_table_foreach(interface->peers, remember_peer, interface->found);
	int err = wice__found_save(interface->found);
	if (err)
		wice__log(WICE_LOG_WARNING, interface->name,
			  "what was found on the interface could not be written down: %s",
			  g_strerror(-err));
}

bool wice__interface_recall(WiceInterface *interface, const WiceKey *peer, WiceFoundPeer *ret_peer)
{
	return wice__found_get(interface->found, peer, ret_peer);
}

WicePeer *wice__interface_find_peer(WiceInterface *interface, const WiceKey *key)
{
	return g_hash_table_lookup(interface->peers, key);
}

size_t wice__interface_n_peers(const WiceInterface *interface)
{
	return g_hash_table_size(interface->peers);
}

void wice__interface_foreach_peer(WiceInterface *interface,
				  void (*func)(WicePeer *peer, void *user_data), void *user_data)
{
	GHashTableIter iter;
	gpointer peer;
	g_hash_table_iter_init(&iter, interface->peers);
	while (g_hash_table_iter_next(&iter, NULL, &peer))
		func(peer, user_data);
}

static void peer_event(WicePeer *peer, void *user_data)
{
	wice__peer_event(peer, *(const WiceSessionEventType *)user_data);
}

void wice__interface_event(WiceInterface *interface, WiceSessionEventType type)
{
	wice__interface_foreach_peer(interface, peer_event, &type);
}

static void emit_peer(WiceInterface *interface, WiceEventType type, const WiceKey *key)
{
	WiceEvent event = { .type = type, .peer = *key };
	wice__interface_emit(interface, &event);
}

static void add_peer(WiceInterface *interface, const WiceDevicePeer *found)
{
	WicePeer *peer = wice__peer_new(interface, found);
	g_hash_table_insert(interface->peers, g_memdup2(&found->public_key, sizeof(WiceKey)), peer);
	wice__interface_remember(interface);
	emit_peer(interface, WICE_EVENT_PEER_ADDED, &found->public_key);
	if (interface->usable)
		wice__peer_event(peer, WICE_SESSION_START);
}

static void remove_peer(WiceInterface *interface, const WiceKey *key, bool gone)
{
	WiceKey copy = *key; /* key may belong to the peer */
	WicePeer *peer = wice__interface_find_peer(interface, &copy);
	if (!peer)
		return;
	g_hash_table_remove(interface->peers, &copy);
	wice__peer_free(peer, gone);
	wice__found_remove(interface->found, &copy);
	wice__interface_remember(interface);
	emit_peer(interface, WICE_EVENT_PEER_REMOVED, &copy);
}

static void remove_all_peers(WiceInterface *interface, bool gone)
{
	GHashTableIter iter;
	gpointer key, peer;
	g_hash_table_iter_init(&iter, interface->peers);
	while (g_hash_table_iter_next(&iter, &key, &peer)) {
		WiceKey copy = *(const WiceKey *)key;
		g_hash_table_iter_steal(&iter);
		g_free(key);
		wice__peer_free(peer, gone);
		emit_peer(interface, WICE_EVENT_PEER_REMOVED, &copy);
	}
}

static void on_peer_diff(unsigned changes, const WiceDevicePeer *before,
			 const WiceDevicePeer *after, void *user_data)
{
	if (changes & WICE_CHANGE_PEER_REMOVED)
		remove_peer(user_data, &before->public_key, true);
}

/* The interface's own key as a peer: WireGuard ignores it, and so do we. */
static void add_missing_peers(WiceInterface *interface, const WiceDeviceInfo *info)
{
	for (size_t i = 0; i < info->n_peers; i++) {
		const WiceKey *key = &info->peers[i].public_key;
		if (!wice__interface_find_peer(interface, key) &&
		    wice_key_compare(key, &interface->public_key) != 0)
			add_peer(interface, &info->peers[i]);
	}
}

/* Every peer, changed or not: silence is told by what did not change. */
static void update_peers(WiceInterface *interface, const WiceDeviceInfo *info)
{
	for (size_t i = 0; i < info->n_peers; i++) {
		WicePeer *peer = wice__interface_find_peer(interface, &info->peers[i].public_key);
		if (peer)
			wice__peer_update(peer, &info->peers[i]);
	}
}

/* Two interfaces may have one key, and then share the subscription. */
static bool is_key_shared(const WiceInterface *interface)
{
	GHashTableIter iter;
	gpointer other;
	g_hash_table_iter_init(&iter, interface->agent->interfaces);
	while (g_hash_table_iter_next(&iter, NULL, &other)) {
		const WiceKey *key = other == interface ? NULL : wice__interface_key(other);
		if (key && wice_key_compare(key, &interface->public_key) == 0)
			return true;
	}
	return false;
}

static void unsubscribe(WiceInterface *interface)
{
	if (interface->subscribed && !is_key_shared(interface))
		wice__signaling_hub_unsubscribe(interface->agent->hub, &interface->public_key);
	interface->subscribed = false;
}

/* A new private key is a new identity: peers, mailboxes and the subscription are made anew. */
static void use_key(WiceInterface *interface, const WiceDeviceInfo *info)
{
	bool has_key = (info->fields & WICE_DEVICE_HAS_PRIVATE_KEY) &&
		       !wice_key_is_zero(&info->private_key);
	WiceKey public_key = { 0 };
	if (has_key)
		wice_key_public(&info->private_key, &public_key);
	if (has_key == interface->subscribed &&
	    wice_key_compare(&public_key, &interface->public_key) == 0)
		return;

	remove_all_peers(interface, false);
	unsubscribe(interface);
	interface->private_key = info->private_key;
	interface->public_key = public_key;
	if (has_key) {
		wice__signaling_hub_subscribe(interface->agent->hub, &public_key,
					      &interface->private_key);
		interface->subscribed = true;
	}
}

static void host_relay(WiceInterface *interface, uint16_t port)
{
	if (!interface->agent->hosts_relay || port == interface->relay_host_port)
		return;
	wice__relay_host_free(interface->relay_host);
	interface->relay_host = NULL;
	interface->relay_host_port = port;
	if (port)
		interface->relay_host =
			wice__relay_host_new(interface->agent, interface, port,
					     wice__mechanisms_has_one_port(interface->mechanisms));
}

/* True if the sessions were stopped. */
static bool use_port(WiceInterface *interface, const WiceDeviceInfo *info)
{
	bool usable = interface->subscribed && info->listen_port;
	if (!interface->subscribed)
		g_snprintf(interface->idle_reason, sizeof interface->idle_reason,
			   "%s has no private key: set one with wg set %s private-key FILE",
			   interface->name, interface->name);
	else if (!usable)
		g_snprintf(interface->idle_reason, sizeof interface->idle_reason,
			   "%s is down: set it up with ip link set %s up", interface->name,
			   interface->name);
	bool stale = wice__mechanisms_set_port(interface->mechanisms,
					       usable ? info->listen_port : 0, info->fwmark);
	host_relay(interface, usable ? info->listen_port : 0);
	wice__relays_set_port(interface->relays, usable ? info->listen_port : 0, info->fwmark,
			      wice__mechanisms_has_one_port(interface->mechanisms));
	if (usable == interface->usable && !(usable && stale))
		return false;
	if (usable && interface->usable)
		wice__interface_event(interface, WICE_SESSION_STOP);
	interface->usable = usable;
	wice__interface_event(interface, usable ? WICE_SESSION_START : WICE_SESSION_STOP);
	return !usable || stale;
}

static WicePollRate wants_polls(const WiceInterface *interface, int64_t now)
{
	WicePollRate rate = WICE_POLL_SLOW;
	GHashTableIter iter;
	gpointer peer;
	g_hash_table_iter_init(&iter, interface->peers);
	while (rate < WICE_POLL_FAST && g_hash_table_iter_next(&iter, NULL, &peer))
		rate = MAX(rate, wice__peer_wants_polls(peer, now));
	return rate;
}

static void set_polled_fast(WiceInterface *interface, bool fast)
{
	interface->agent->n_polled_fast += (unsigned)fast - (unsigned)interface->polled_fast;
	interface->polled_fast = fast;
}

static void schedule_poll(WiceInterface *interface)
{
	int64_t now = wice__now_ms();
	static const int64_t intervals[] = { [WICE_POLL_SLOW] = POLL_IDLE_MS,
					     [WICE_POLL_BRISK] = POLL_BRISK_MS,
					     [WICE_POLL_FAST] = POLL_FAST_MS };
	WicePollRate rate = wants_polls(interface, now);
	set_polled_fast(interface, rate == WICE_POLL_FAST);
	int64_t interval = intervals[rate];
	int64_t share = POLL_SHARE_FAST * (int64_t)interface->agent->n_polled_fast;
	share = MAX(share, POLL_SHARE);
	wice__timer_set(interface->poll, now + MAX(interval, interface->usual_us * share / 1000));
}

/* Changes of the device that make every path of its peers worthless. */
#define CHANGES_THAT_RESTART (WICE_CHANGE_IFINDEX | WICE_CHANGE_FWMARK | WICE_CHANGE_KIND)

static void take_snapshot(WiceInterface *interface, WiceDevice *device)
{
	g_autoptr(WiceDevice) before = interface->device;
	interface->device = device;
	const WiceDeviceInfo *info = wice_device_info(device);

	use_key(interface, info);
	unsigned changes = wice_device_diff(before, device, on_peer_diff, interface);
	bool stopped = use_port(interface, info);
	add_missing_peers(interface, info);
	if (before && (changes & CHANGES_THAT_RESTART)) {
		wice__interface_event(interface, WICE_SESSION_STOP);
		if (interface->usable)
			wice__interface_event(interface, WICE_SESSION_START);
		stopped = true;
	}
	/*
	 * What stopping has put back is not in this snapshot: its values would pass for the user's.
	 */
	if (!stopped)
		update_peers(interface, info);
	save_found(interface);
}

bool wice__interface_sync(WiceInterface *interface)
{
	g_autoptr(GError) error = NULL;
	int64_t start = g_get_monotonic_time();
	WiceDevice *device =
		wice_wg_get(interface->agent->wg, interface->name, GET_TIMEOUT_MS, &error);
	int64_t dump_us = g_get_monotonic_time() - start;
	interface->usual_us = MIN(interface->dump_us, dump_us);
	interface->dump_us = dump_us;
	if (device)
		take_snapshot(interface, device);
	else if (g_error_matches(error, WICE_ERROR, WICE_ERROR_NOT_FOUND))
		return false;
	else
		wice__log(WICE_LOG_WARNING, interface->name, "%s", error->message);
	schedule_poll(interface);
	return true;
}

static void on_poll(void *user_data)
{
	WiceInterface *interface = user_data;
	if (!wice__interface_sync(interface))
		wice__agent_lost(interface->agent, interface);
}

void wice__interface_receive(WiceInterface *interface, const WiceEnvelope *envelope)
{
	WicePeer *peer = wice__interface_find_peer(interface, &envelope->sender);
	if (peer)
		wice__peer_receive(peer, envelope);
	else
		interface->counters.unknown_peer++;
}

static void outside_changed(WicePeer *peer, void *user_data)
{
	wice__peer_outside_changed(peer, user_data);
}

static void on_outside_changed(void *user_data)
{
	WiceInterface *interface = user_data;
	WiceOutside outside;
	wice__mechanisms_outside(interface->mechanisms, &outside);
	wice__interface_foreach_peer(interface, outside_changed, &outside);
}

/* Sessions that know no outside address start anew, unless the interface asks for all of them. */
void wice__interface_stun_changed(WiceInterface *interface)
{
	wice__mechanisms_stun_changed(interface->mechanisms);
	if (!wice__mechanisms_has_one_port(interface->mechanisms))
		wice__interface_event(interface, WICE_SESSION_STUN_CHANGED);
}

static void relay_event(WicePeer *peer, void *user_data)
{
	wice__peer_relays_changed(peer, *(const bool *)user_data);
}

static void on_relays_changed(bool anew, void *user_data)
{
	wice__interface_foreach_peer(user_data, relay_event, &anew);
}

void wice__interface_network_changed(WiceInterface *interface)
{
	wice__relays_network_changed(interface->relays);
	wice__mechanisms_network_changed(interface->mechanisms);
	wice__interface_event(interface, WICE_SESSION_NETWORK_CHANGED);
}

static void forgive_peer(WicePeer *peer, void *user_data)
{
	wice__peer_forgive(peer);
}

void wice__interface_want(WiceInterface *interface, WiceMechanism wanted)
{
	wice__mechanisms_want(interface->mechanisms, wanted);
	wice__interface_foreach_peer(interface, forgive_peer, NULL);
	wice__interface_event(interface, WICE_SESSION_RESTART);
}

WiceInterface *wice__interface_new(WiceAgent *agent, const char *name, GError **error)
{
	WiceClaim *claim;
	if (!wice__claim_new(name, &claim, error))
		return NULL;
	WiceInterface *interface = g_new0(WiceInterface, 1);
	interface->agent = agent;
	interface->claim = claim;
	interface->name = g_strdup(name);
	interface->mechanisms = wice__mechanisms_new(agent, name, on_outside_changed, interface);
	interface->mtu =
		(WiceMtu){ .wg = agent->wg, .name = interface->name, .may_fix = agent->fits_mtu };
	interface->relays = wice__relays_new(agent, name, on_relays_changed, interface);
	interface->poll = wice__timer_new(agent->context, on_poll, interface);
	interface->peers = g_hash_table_new_full(wice__key_hash, wice__key_equal, g_free, NULL);
	interface->found = wice__found_new(agent->state_dir, name);
	(void)wice__found_get_mtu(interface->found, &interface->mtu.found, &interface->mtu.ours);
	return interface;
}

void wice__interface_free(WiceInterface *interface, bool gone)
{
	remove_all_peers(interface, gone);
	if (!gone)
		wice__mtu_release(&interface->mtu);
	unsubscribe(interface);
	wice__relay_host_free(interface->relay_host);
	wice__relays_free(interface->relays);
	wice__mechanisms_free(interface->mechanisms);
	set_polled_fast(interface, false);
	wice__timer_free(interface->poll);
	wice__found_free(interface->found);
	wice__claim_free(interface->claim);
	g_hash_table_unref(interface->peers);
	wice_device_unref(interface->device);
	wice_key_clear(&interface->private_key);
	g_free(interface->name);
	g_free(interface);
}

void wice__interface_status(WiceInterface *interface, WiceInterfaceStatus *ret_status,
			    WicePeerStatus **ret_peers)
{
	*ret_status = (WiceInterfaceStatus){
		.name = interface->name,
		.public_key = interface->public_key,
		.signaling = interface->counters,
	};
	*ret_peers = NULL;
	if (!interface->device)
		return;
	const WiceDeviceInfo *info = wice_device_info(interface->device);
	wice__mechanisms_status(interface->mechanisms, ret_status);
	wice__relays_status(interface->relays, ret_status);
	ret_status->kind = info->kind;
	ret_status->ifindex = info->ifindex;
	ret_status->listen_port = info->listen_port;
	ret_status->fwmark = info->fwmark;
	*ret_peers = g_new0(WicePeerStatus, info->n_peers + 1);
	ret_status->peers = *ret_peers;
	for (size_t i = 0; i < info->n_peers; i++) {
		WicePeer *peer = wice__interface_find_peer(interface, &info->peers[i].public_key);
		if (!peer)
			continue;
		WicePeerStatus *status = &(*ret_peers)[ret_status->n_peers++];
		wice__peer_status(peer, status);
		status->n_allowed_ips = info->peers[i].n_allowed_ips;
		status->allowed_ips = info->peers[i].allowed_ips;
	}
}
