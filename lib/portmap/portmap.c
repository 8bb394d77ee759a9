/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client per address family, for the router of its default route. Where router or local address
 * have become others, the client is replaced.
 */
#include "portmap/portmap.h"

#include "base/log.h"
#include "crypto/blake2s.h"
#include "event/source.h"
#include "portmap/client.h"
#include "portmap/gateway.h"
#include <errno.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#define N_FAMILIES 2
static const WiceFamily families[N_FAMILIES] = { WICE_FAMILY_IPV4, WICE_FAMILY_IPV6 };

struct WicePortmap {
	GMainContext *context;
	uint16_t port;
	uint32_t fwmark;
	void (*changed)(void *user_data);
	void *user_data;
	WiceTimer *look; /* for routers, soon */
	WicePortmapClient *clients[N_FAMILIES];
	WicePortMapping mappings[N_FAMILIES];
	size_t n_mappings;
};

const char *wice__portmap_protocol_name(WicePortmapProtocol protocol)
{
	switch (protocol) {
	case WICE_PORTMAP_PCP:
		return "pcp";
	case WICE_PORTMAP_NAT_PMP:
		return "nat-pmp";
	case WICE_PORTMAP_UPNP:
		return "upnp";
	}
	return "unknown";
}

/*
 * A router leaves a mapping to who has made it, told by the nonce, until it expires: who comes
 * again after a crash must have the same one. The machine's id is random and not told to others,
 * systemd asks that it be used through a hash only (machine-id(5)). Without one, it is chance.
 */
static void make_nonce(const WiceAddress *local, uint16_t port, uint8_t ret[WICE_PCP_NONCE_LEN])
{
	g_autofree char *id = NULL;
	gsize len;
	if (!g_file_get_contents("/etc/machine-id", &id, &len, NULL) || len < 32) {
		randombytes_buf(ret, WICE_PCP_NONCE_LEN);
		return;
	}
	const WiceSpan parts[] = {
		{ "wice port mapping", 17 },
		{ local->bytes, sizeof local->bytes },
		{ &port, sizeof port },
	};
	wice__blake2s(id, 32, parts, G_N_ELEMENTS(parts), ret, WICE_PCP_NONCE_LEN);
}

/* True if the list was another one. */
static bool collect(WicePortmap *portmap)
{
	WicePortMapping mappings[N_FAMILIES];
	size_t n = 0;
	memset(mappings, 0, sizeof mappings);
	for (size_t i = 0; i < N_FAMILIES; i++) {
		const WicePortMapping *mapping =
			portmap->clients[i] ? wice__portmap_client_mapping(portmap->clients[i])
					    : NULL;
		if (mapping)
			mappings[n++] = *mapping;
	}
	bool same = n == portmap->n_mappings;
	for (size_t i = 0; i < n && same; i++)
		same = mappings[i].protocol == portmap->mappings[i].protocol &&
		       wice_endpoint_compare(&mappings[i].internal,
					     &portmap->mappings[i].internal) == 0 &&
		       wice_endpoint_compare(&mappings[i].external,
					     &portmap->mappings[i].external) == 0;
	memcpy(portmap->mappings, mappings, sizeof mappings);
	portmap->n_mappings = n;
	return !same;
}

static void log_mappings(const WicePortmap *portmap)
{
	for (size_t i = 0; i < portmap->n_mappings; i++) {
		char internal[WICE_ENDPOINT_SIZE], external[WICE_ENDPOINT_SIZE];
		const WicePortMapping *mapping = &portmap->mappings[i];
		wice__log(WICE_LOG_INFO, "portmap", "The router forwards %s to %s (%s).",
			  wice_endpoint_format(&mapping->external, external),
			  wice_endpoint_format(&mapping->internal, internal),
			  wice__portmap_protocol_name(mapping->protocol));
	}
	if (portmap->n_mappings == 0)
		wice__log(WICE_LOG_INFO, "portmap", "No router forwards port %u any more.",
			  portmap->port);
}

static void client_changed(void *user_data)
{
	WicePortmap *portmap = user_data;
	if (!collect(portmap))
		return;
	log_mappings(portmap);
	portmap->changed(portmap->user_data);
}

static bool is_same(const WiceGateway *a, const WiceGateway *b)
{
	return a->ifindex == b->ifindex && wice_address_compare(&a->address, &b->address) == 0 &&
	       wice_address_compare(&a->local, &b->local) == 0;
}

static void look_for(WicePortmap *portmap, WiceFamily family, WicePortmapClient **client)
{
	WiceGateway gateway;
	int error = wice__gateway_find(family, portmap->fwmark, &gateway);
	if (!error && *client && is_same(&gateway, wice__portmap_client_gateway(*client))) {
		wice__portmap_client_refresh(*client);
		return;
	}
	g_clear_pointer(client, wice__portmap_client_free);
	if (!error) {
		uint8_t nonce[WICE_PCP_NONCE_LEN];
		make_nonce(&gateway.local, portmap->port, nonce);
		error = wice__portmap_client_new(portmap->context, &gateway, portmap->port, nonce,
						 portmap->fwmark, client_changed, portmap, client);
	}
	if (error && error != -ENETUNREACH)
		wice__log(WICE_LOG_WARNING, "portmap",
			  "The IPv%d router cannot be asked to forward port %u: %s.", family,
			  portmap->port, g_strerror(-error));
}

static void look(void *user_data)
{
	WicePortmap *portmap = user_data;
	for (size_t i = 0; i < N_FAMILIES; i++)
		look_for(portmap, families[i], &portmap->clients[i]);
	client_changed(portmap);
}

int wice__portmap_new(GMainContext *context, uint16_t port, uint32_t fwmark,
		      void (*changed)(void *user_data), void *user_data, WicePortmap **ret_portmap)
{
	if (port == 0)
		return -EINVAL;
	WicePortmap *portmap = g_new0(WicePortmap, 1);
	portmap->context = g_main_context_ref(context ? context : g_main_context_default());
	portmap->port = port;
	portmap->fwmark = fwmark;
	portmap->changed = changed;
	portmap->user_data = user_data;
	portmap->look = wice__timer_new(portmap->context, look, portmap);
	wice__timer_set(portmap->look, 0);
	*ret_portmap = portmap;
	return 0;
}

void wice__portmap_free(WicePortmap *portmap)
{
	if (!portmap)
		return;
	for (size_t i = 0; i < N_FAMILIES; i++)
		wice__portmap_client_free(portmap->clients[i]);
	wice__timer_free(portmap->look);
	g_main_context_unref(portmap->context);
	g_free(portmap);
}

void wice__portmap_network_changed(WicePortmap *portmap)
{
	wice__timer_set(portmap->look, 0);
}

const WicePortMapping *wice__portmap_list(const WicePortmap *portmap, size_t *ret_n)
{
	*ret_n = portmap->n_mappings;
	return portmap->mappings;
}
