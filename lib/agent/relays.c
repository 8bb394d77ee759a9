/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/relays.h"

#include <errno.h>
#include <string.h>

#include "agent/agent_private.h"
#include "base/log.h"
#include "crypto/key.h"
#include "event/source.h"
#include "proxy/bpf/mux.h"
#include "stun/attributes.h"
#include "turn/choice.h"

/* Relays that peers are, at most: there may be a thousand peers. */
#define SERVICES_MAX 4
#define STREAM_US 40000

typedef struct {
	WiceRelays *relays;
	WiceRelay *relay;
	GHashTable *links; /* by channel */
	uint16_t port;     /* of its socket */
	bool shares_port;  /* which is WireGuard's on the wire */
	unsigned n_read;   /* links that a proxy receives the packets of */
	unsigned n_used;   /* links that packets go over */
	WiceRelayState state;
	WiceKey peer;             /* that is this relay */
	WiceRelayService service; /* server.family NONE: it is configured, and no peer */
} Entry;

struct WiceRelays {
	WiceAgent *agent;
	char *ifname;
	void (*changed)(bool anew, void *user_data);
	void *user_data;
	uint16_t wg_port;
	uint32_t fwmark;
	bool one_port;
	GPtrArray *entries; /* Entry */
	WiceTimer *timer;   /* due when changed is to be called: */
	int64_t due;
	bool anew; /* for that call */
	size_t n_told;
	WiceRelayAddress told[WICE_DESCRIPTION_MAX_RELAYS];
	int64_t told_at;
	GArray *shown; /* WiceRelayStatus */
};

struct WiceRelayLink {
	Entry *entry; /* NULL: its relay is gone */
	uint16_t channel;
	bool read, used;
	bool refused; /* the relay does not pass anything on to: */
	WiceEndpoint peer;
	WiceEndpoint relayed;
	WiceRelayLinkData data;
	void *user_data;
};

static bool same(const WiceEndpoint *a, const WiceEndpoint *b)
{
	return wice_endpoint_compare(a, b) == 0;
}

static void tell_at(WiceRelays *relays, int64_t due)
{
	relays->due = MIN(relays->due, due);
	wice__timer_set(relays->timer, relays->due);
}

static WiceRelayOffer offer_of(const WiceRelayAddress *address)
{
	return (WiceRelayOffer){ address->server, address->relayed, address->rtt_us,
				 address->loss_permille };
}

/*
 * Compares with what was told: how long after that it is to be told, INT64_MAX: nothing is new.
 * *ret_anew: other addresses, or one that nothing was known of; else other measurements only.
 */
static int64_t tell_after(const WiceRelays *relays, const WiceRelayAddress *now, size_t n,
			  bool *ret_anew)
{
	int64_t after = INT64_MAX;
	*ret_anew = n != relays->n_told;
	for (size_t i = 0; i < n && !*ret_anew; i++) {
		WiceRelayOffer a = offer_of(&relays->told[i]), b = offer_of(&now[i]);
		*ret_anew = !same(&a.server, &b.server) || !same(&a.relayed, &b.relayed) ||
			    (!a.rtt_us && b.rtt_us);
		after = MIN(after, wice__relay_offer_tell_ms(&a, &b));
	}
	return *ret_anew ? 0 : after;
}

static void log_state(Entry *entry)
{
	WiceRelayState state = wice__relay_state(entry->relay);
	if (state == entry->state)
		return;
	entry->state = state;
	if (state == WICE_RELAY_READY)
		wice__log(WICE_LOG_INFO, entry->relays->ifname, "relay %s: ready",
			  wice__relay_url(entry->relay));
	else if (state == WICE_RELAY_FAILED)
		wice__log(WICE_LOG_WARNING, entry->relays->ifname, "relay %s: %s",
			  wice__relay_url(entry->relay), wice__relay_reason(entry->relay));
}

static void on_changed(WiceRelay *relay, void *user_data)
{
	Entry *entry = user_data;
	WiceRelays *relays = entry->relays;
	WiceRelayAddress now[WICE_DESCRIPTION_MAX_RELAYS];
	bool anew;
	log_state(entry);
	int64_t after = tell_after(relays, now, wice__relays_offers(relays, now), &anew);
	if (after == INT64_MAX)
		return;
	relays->anew |= anew;
	tell_at(relays, anew ? 0 : relays->told_at + after);
}

static void on_timer(void *user_data)
{
	WiceRelays *relays = user_data;
	bool anew = relays->anew;
	relays->anew = false;
	relays->due = INT64_MAX;
	relays->n_told = wice__relays_offers(relays, relays->told);
	relays->told_at = wice__now_ms();
	relays->changed(anew, relays->user_data);
}

static void on_data(WiceRelay *relay, uint16_t channel, uint8_t *data, size_t len, void *user_data)
{
	const Entry *entry = user_data;
	WiceRelayLink *link = g_hash_table_lookup(entry->links, GUINT_TO_POINTER(channel));
	if (link)
		link->data(link, data, len, link->user_data);
}

static void on_refused(WiceRelay *relay, uint16_t channel, uint16_t code, void *user_data)
{
	const Entry *entry = user_data;
	WiceRelayLink *link = g_hash_table_lookup(entry->links, GUINT_TO_POINTER(channel));
	char peer[WICE_ENDPOINT_SIZE];
	if (!link)
		return;
	link->refused = true;
	wice__log(WICE_LOG_WARNING, entry->relays->ifname,
		  "relay %s: packets for the peer's relayed address %s are refused: %u %s",
		  wice__relay_url(relay), wice_endpoint_format(&link->peer, peer), code,
		  code ? wice__stun_error_phrase(code) : "no answer");
	tell_at(entry->relays, 0);
}

/* What cannot share the port has one of its own: nothing but a NAT's mapping more. */
static void on_socket_opened(WiceRelay *relay, int fd, const WiceEndpoint *local,
			     const WiceEndpoint *server, void *user_data)
{
	Entry *entry = user_data;
	WiceRelays *relays = entry->relays;
	entry->port = local->port;
	WiceBpfMux *mux = relays->one_port ? wice__agent_mux(relays->agent, NULL) : NULL;
	if (!mux)
		return;
	int err = wice__bpf_mux_add_asker(mux, relays->wg_port, local, fd);
	if (!err)
		err = wice__bpf_mux_add_relay(mux, relays->wg_port, server, local->port);
	entry->shares_port = err == 0;
	if (!err)
		return;
	wice__bpf_mux_remove(mux, relays->wg_port, local, NULL);
	wice__log(WICE_LOG_WARNING, relays->ifname,
		  "the relay %s cannot be spoken to from WireGuard's port: %s",
		  wice__relay_url(relay), g_strerror(-err));
}

static void on_socket_closing(WiceRelay *relay, int fd, const WiceEndpoint *local,
			      const WiceEndpoint *server, void *user_data)
{
	Entry *entry = user_data;
	WiceRelays *relays = entry->relays;
	if (!entry->shares_port)
		return;
	entry->shares_port = false;
	WiceBpfMux *mux = wice__agent_mux(relays->agent, NULL);
	wice__bpf_mux_remove_relay(mux, relays->wg_port, server);
	wice__bpf_mux_remove(mux, relays->wg_port, local, NULL);
}

static const WiceRelayEvents relay_events = {
	.changed = on_changed,
	.data = on_data,
	.refused = on_refused,
	.socket_opened = on_socket_opened,
	.socket_closing = on_socket_closing,
};

static void orphan(gpointer channel, gpointer link, gpointer user_data)
{
	((WiceRelayLink *)link)->entry = NULL;
}

static void entry_free(gpointer data)
{
	Entry *entry = data;
	g_hash_table_foreach(entry->links, orphan, NULL);
	wice__relay_free(entry->relay);
	g_hash_table_unref(entry->links);
	g_free(entry);
}

static Entry *open_one(WiceRelays *relays, const WiceRelaySpec *spec)
{
	WiceRelayOptions options = {
		.context = relays->agent->context,
		.spec = spec,
		.fwmark = relays->fwmark,
	};
	Entry *entry = g_new0(Entry, 1);
	entry->relays = relays;
	entry->links = g_hash_table_new(NULL, NULL);
	entry->relay = wice__relay_new(&options, &relay_events, entry);
	g_ptr_array_add(relays->entries, entry);
	return entry;
}

static void open_all(WiceRelays *relays)
{
	const GPtrArray *specs = relays->agent->relay_specs;
	for (guint i = 0; i < specs->len; i++)
		open_one(relays, specs->pdata[i]);
}

static void open_service(WiceRelays *relays, const WiceKey *peer, const WiceRelayService *service)
{
	WiceRelaySpec spec = {
		.url = { .relays = true, .port = service->server.port },
		.username = (char *)service->username,
		.password = (char *)service->password,
	};
	wice_address_format(&service->server.address, spec.url.host);
	Entry *entry = open_one(relays, &spec);
	entry->peer = *peer;
	entry->service = *service;
}

static bool is_offered(const Entry *entry, const WiceRelayService *services, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (same(&entry->service.server, &services[i].server) &&
		    strcmp(entry->service.username, services[i].username) == 0 &&
		    strcmp(entry->service.password, services[i].password) == 0)
			return true;
	return false;
}

static bool is_of_peer(const Entry *entry, const WiceKey *peer)
{
	return entry->service.server.address.family && wice_key_compare(&entry->peer, peer) == 0;
}

static bool is_used(const WiceRelays *relays, const WiceRelayService *service)
{
	unsigned n_services = 0;
	for (guint i = 0; i < relays->entries->len; i++) {
		const Entry *entry = relays->entries->pdata[i];
		n_services += entry->service.server.address.family != WICE_FAMILY_NONE;
		if (same(&entry->service.server, &service->server))
			return true;
	}
	return n_services >= SERVICES_MAX;
}

void wice__relays_set_services(WiceRelays *relays, const WiceKey *peer,
			       const WiceRelayService *services, size_t n)
{
	for (guint i = relays->entries->len; i-- > 0;) {
		const Entry *entry = relays->entries->pdata[i];
		if (!is_of_peer(entry, peer) || is_offered(entry, services, n))
			continue;
		g_ptr_array_remove_index(relays->entries, i);
		relays->anew = true;
		tell_at(relays, 0);
	}
	for (size_t i = 0; relays->wg_port && i < n; i++)
		if (!is_used(relays, &services[i]))
			open_service(relays, peer, &services[i]);
}

bool wice__relays_set_port(WiceRelays *relays, uint16_t wg_port, uint32_t fwmark, bool one_port)
{
	if (wg_port == relays->wg_port && fwmark == relays->fwmark && one_port == relays->one_port)
		return false;
	g_ptr_array_set_size(relays->entries, 0);
	relays->wg_port = wg_port;
	relays->fwmark = fwmark;
	relays->one_port = one_port;
	if (wg_port)
		open_all(relays);
	return true;
}

void wice__relays_network_changed(WiceRelays *relays)
{
	for (guint i = 0; i < relays->entries->len; i++)
		wice__relay_network_changed(((Entry *)relays->entries->pdata[i])->relay);
}

/*
 * What a stream costs beside its round trips: packets that wait for one that was lost, and no way
 * for them through the kernel. The same relay over UDP is the better one.
 */
static uint32_t extra_us(const WiceRelay *relay)
{
	return wice__relay_fd(relay) < 0 ? STREAM_US : 0;
}

/* One offer for each family that the allocation has an address of. */
static size_t add_offers(const WiceRelay *relay, WiceRelayAddress *ret_offers, size_t max)
{
	static const WiceFamily families[] = { WICE_FAMILY_IPV4, WICE_FAMILY_IPV6 };
	const WiceMeasure *measure = wice__relay_measure(relay);
	size_t n = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(families) && n < max; i++) {
		WiceRelayAddress offer = {
			.server = *wice__relay_server(relay),
			.rtt_us = measure->has_rtt ? measure->rtt_us + extra_us(relay) : 0,
			.loss_permille =
				wice__measure_is_dead(measure) ? 1000 : measure->loss_permille,
		};
		if (wice__relay_relayed(relay, families[i], &offer.relayed) &&
		    wice__relay_address_is_valid(&offer))
			ret_offers[n++] = offer;
	}
	return n;
}

size_t wice__relays_offers(const WiceRelays *relays,
			   WiceRelayAddress ret_offers[WICE_DESCRIPTION_MAX_RELAYS])
{
	size_t n = 0;
	for (guint i = 0; i < relays->entries->len; i++) {
		const WiceRelay *relay = ((const Entry *)relays->entries->pdata[i])->relay;
		if (wice__relay_state(relay) == WICE_RELAY_READY)
			n += add_offers(relay, ret_offers + n, WICE_DESCRIPTION_MAX_RELAYS - n);
	}
	return n;
}

bool wice__relays_are_there(const WiceRelays *relays)
{
	return relays->entries->len > 0;
}

const char *wice__relays_trouble(const WiceRelays *relays)
{
	const char *trouble = NULL;
	for (guint i = 0; i < relays->entries->len; i++) {
		const WiceRelay *relay = ((const Entry *)relays->entries->pdata[i])->relay;
		if (wice__relay_state(relay) == WICE_RELAY_READY)
			return NULL;
		if (!trouble)
			trouble = wice__relay_reason(relay);
	}
	return trouble;
}

void wice__relays_status(WiceRelays *relays, WiceInterfaceStatus *status)
{
	g_array_set_size(relays->shown, 0);
	for (guint i = 0; i < relays->entries->len; i++) {
		const Entry *entry = relays->entries->pdata[i];
		const WiceMeasure *measure = wice__relay_measure(entry->relay);
		WiceRelayStatus shown = {
			.url = wice__relay_url(entry->relay),
			.ready = wice__relay_state(entry->relay) == WICE_RELAY_READY,
			.reason = wice__relay_reason(entry->relay),
			.server = *wice__relay_server(entry->relay),
			.rtt_us = measure->has_rtt ? measure->rtt_us : 0,
			.loss_permille = measure->loss_permille,
			.n_peers = g_hash_table_size(entry->links),
		};
		(void)wice__relay_relayed(entry->relay, WICE_FAMILY_IPV4, &shown.relayed_ipv4);
		(void)wice__relay_relayed(entry->relay, WICE_FAMILY_IPV6, &shown.relayed_ipv6);
		g_array_append_val(relays->shown, shown);
	}
	status->n_relays = relays->shown->len;
	status->relays = (const WiceRelayStatus *)(void *)relays->shown->data;
}

WiceRelays *wice__relays_new(WiceAgent *agent, const char *ifname,
			     void (*changed)(bool anew, void *user_data), void *user_data)
{
	WiceRelays *relays = g_new0(WiceRelays, 1);
	relays->agent = agent;
	relays->ifname = g_strdup(ifname);
	relays->changed = changed;
	relays->user_data = user_data;
	relays->due = INT64_MAX;
	relays->entries = g_ptr_array_new_with_free_func(entry_free);
	relays->shown = g_array_new(FALSE, TRUE, sizeof(WiceRelayStatus));
	relays->timer = wice__timer_new(agent->context, on_timer, relays);
	return relays;
}

static void give_back_all(const WiceRelays *relays)
{
	guint n = relays->entries->len;
	g_autofree WiceRelay **all = g_new0(WiceRelay *, n);
	for (guint i = 0; i < n; i++)
		all[i] = ((Entry *)relays->entries->pdata[i])->relay;
	wice__relay_give_back_all(all, n);
}

void wice__relays_free(WiceRelays *relays)
{
	give_back_all(relays);
	wice__timer_free(relays->timer);
	g_ptr_array_unref(relays->entries);
	g_array_unref(relays->shown);
	g_free(relays->ifname);
	g_free(relays);
}

static Entry *find_entry(const WiceRelays *relays, const WiceEndpoint *relayed)
{
	WiceEndpoint own;
	for (guint i = 0; i < relays->entries->len; i++) {
		Entry *entry = relays->entries->pdata[i];
		if (wice__relay_relayed(entry->relay, relayed->address.family, &own) &&
		    same(&own, relayed))
			return entry;
	}
	return NULL;
}

int wice__relay_link_new(WiceRelays *relays, const WiceEndpoint *relayed, const WiceEndpoint *peer,
			 WiceRelayLinkData data, void *user_data, WiceRelayLink **ret_link)
{
	uint16_t channel;
	Entry *entry = find_entry(relays, relayed);
	if (!entry)
		return -ENOENT;
	int err = wice__relay_bind(entry->relay, peer, &channel);
	if (err)
		return err;
	if (g_hash_table_contains(entry->links, GUINT_TO_POINTER(channel)))
		return -EEXIST;
	WiceRelayLink *link = g_new0(WiceRelayLink, 1);
	link->entry = entry;
	link->channel = channel;
	link->peer = *peer;
	link->relayed = *relayed;
	link->data = data;
	link->user_data = user_data;
	g_hash_table_insert(entry->links, GUINT_TO_POINTER(channel), link);
	*ret_link = link;
	return 0;
}

void wice__relay_link_set_read(WiceRelayLink *link, bool read)
{
	Entry *entry = link->entry;
	if (!entry || read == link->read)
		return;
	link->read = read;
	entry->n_read += read ? 1u : -1u;
	wice__relay_set_reading(entry->relay, entry->n_read == 0);
}

void wice__relay_link_set_used(WiceRelayLink *link, bool used)
{
	Entry *entry = link->entry;
	if (!entry || used == link->used)
		return;
	link->used = used;
	entry->n_used += used ? 1u : -1u;
	wice__relay_set_used(entry->relay, entry->n_used > 0);
}

void wice__relay_link_free(WiceRelayLink *link)
{
	if (link && link->entry) {
		wice__relay_link_set_read(link, false);
		wice__relay_link_set_used(link, false);
		g_hash_table_remove(link->entry->links, GUINT_TO_POINTER(link->channel));
		wice__relay_unbind(link->entry->relay, link->channel);
	}
	g_free(link);
}

bool wice__relay_link_is_alive(const WiceRelayLink *link)
{
	WiceEndpoint now;
	return link->entry && wice__relay_state(link->entry->relay) == WICE_RELAY_READY &&
	       wice__relay_relayed(link->entry->relay, link->relayed.address.family, &now) &&
	       same(&now, &link->relayed);
}

bool wice__relay_link_is_refused(const WiceRelayLink *link)
{
	return link->refused;
}

void wice__relay_link_retry(WiceRelayLink *link)
{
	uint16_t channel;
	if (!link->refused || !wice__relay_link_is_alive(link))
		return;
	link->refused = wice__relay_bind(link->entry->relay, &link->peer, &channel) < 0;
}

static int send_channel_data(void *user_data, const uint8_t *channel_data, size_t len)
{
	const WiceRelayLink *link = user_data;
	return link->entry ? wice__relay_send(link->entry->relay, channel_data, len) : -ENOTCONN;
}

static void take_stun(void *user_data, const WiceEndpoint *source, uint8_t *packet, size_t len)
{
	const WiceRelayLink *link = user_data;
	if (link->entry)
		wice__relay_input(link->entry->relay, source, packet, len);
}

void wice__relay_link_channel(const WiceRelayLink *link, WiceProxyChannel *ret_channel)
{
	const Entry *entry = link->entry;
	*ret_channel = (WiceProxyChannel){
		.server = *wice__relay_server(entry->relay),
		.fd = wice__relay_fd(entry->relay),
		.port = entry->port,
		.wg_port = entry->shares_port ? entry->relays->wg_port : 0,
		.channel = link->channel,
		.fwmark = entry->relays->fwmark,
		.send = send_channel_data,
		.stun = take_stun,
		.user_data = (void *)link,
	};
}

const char *wice__relay_link_url(const WiceRelayLink *link)
{
	return link->entry ? wice__relay_url(link->entry->relay) : "";
}

uint32_t wice__relay_link_rtt_us(const WiceRelayLink *link)
{
	const WiceMeasure *measure = link->entry ? wice__relay_measure(link->entry->relay) : NULL;
	return measure && measure->has_rtt ? measure->rtt_us : 0;
}

void wice__relay_link_hurry(WiceRelayLink *link)
{
	if (link->entry)
		wice__relay_hurry(link->entry->relay);
}
