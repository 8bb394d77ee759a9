/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* What an agent knows of this host's network, and what follows when that changes. */
#include <string.h>

#include "agent/agent_private.h"
#include "base/log.h"

/* More addresses than this only make more pairs to check. */
#define MAX_ADDRESSES 8
/* NATs keep a UDP mapping for 30 s at least, often (RFC 4787 section 4.3 wants 2 minutes). */
#define SLEEP_THAT_MATTERS_MS 20000

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
void wice__agent_notice_sleep(WiceAgent *agent)
{
	int64_t slept = agent->slept_ms();
	int64_t nap = slept - agent->slept;
	agent->slept = slept;
	if (nap < SLEEP_THAT_MATTERS_MS)
		return;
	wice__log(WICE_LOG_INFO, "", "this host has slept for %d s", (int)(nap / 1000));
	network_changed(agent);
}

void wice__agent_refresh_addresses(WiceAgent *agent)
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
