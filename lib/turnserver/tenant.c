/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "event/route.h"
#include "turnserver/server_private.h"

WiceTenant *wice__tenant_of(const WiceTurnAllocation *allocation)
{
	return wice__turn_allocation_data(allocation);
}

static bool same_tuple(const WiceTurnTuple *a, const WiceTurnTuple *b)
{
	return a->stream == b->stream && wice_endpoint_compare(&a->client, &b->client) == 0 &&
	       wice_endpoint_compare(&a->local, &b->local) == 0;
}

static void make_route(WiceTenant *tenant, const WiceTurnTuple *tuple)
{
	tenant->tuple = *tuple;
	tenant->listener = tuple->stream
				   ? NULL
				   : wice__listener_find(tenant->server->listeners, &tuple->local);
	tenant->route = (WiceUdpRoute){
		.to = &tenant->name.any,
		.to_len = wice__udp_name(&tenant->name, &tuple->client),
	};
	if (tenant->listener && tenant->listener->is_wildcard)
		tenant->route.local = tuple->local.address;
}

WiceUdpRoute *wice__tenant_route(WiceTenant *tenant)
{
	const WiceTurnTuple *tuple = wice__turn_allocation_tuple(tenant->allocation);
	if (!same_tuple(tuple, &tenant->tuple)) {
		/* What waits goes the old way. */
		wice__datagrams_send(tenant->server->datagrams);
		make_route(tenant, tuple);
	}
	return tenant->listener ? &tenant->route : NULL;
}

void wice__tenant_forget_listener(WiceTenant *tenant, const WiceListener *listener)
{
	if (tenant->listener == listener)
		tenant->listener = NULL;
}

static WiceTenant *tenant_new(WiceRelayServer *server, WiceTurnAllocation *allocation)
{
	WiceTenant *tenant = g_new0(WiceTenant, 1);
	tenant->server = server;
	tenant->allocation = allocation;
	make_route(tenant, wice__turn_allocation_tuple(allocation));
	wice__turn_allocation_set_data(allocation, tenant);
	server->total++;
	return tenant;
}

void wice__tenant_account(WiceTenant *tenant, gboolean ended)
{
	const WiceRelayServerOptions *options = &tenant->server->options;
	const WiceTurnAllocation *allocation = tenant->allocation;
	WiceTurnTraffic traffic;
	if (!options->account)
		return;
	wice__turn_allocation_traffic(allocation, &traffic);
	WiceRelayAccount account = {
		.username = wice__turn_allocation_username(allocation),
		.client = wice__turn_allocation_tuple(allocation)->client,
		.relayed_ipv4 = tenant->relayed[0],
		.relayed_ipv6 = tenant->relayed[1],
		.rx_packets = traffic.rx_packets,
		.rx_bytes = traffic.rx_bytes,
		.tx_packets = traffic.tx_packets,
		.tx_bytes = traffic.tx_bytes,
	};
	options->account(&account, ended, options->user_data);
}

/* What the core asks for. */

static bool on_password(const char *username, char *ret_password, size_t size, void *user_data)
{
	WiceRelayServer *server = user_data;
	const WiceRelayServerOptions *options = &server->options;
	if (options->password)
		return options->password(username, ret_password, size, options->user_data);
	return wice__users_password(server->users, username, ret_password, size);
}

static bool on_username(const uint8_t hash[WICE_SHA256_LEN], char *ret_username, size_t size,
			void *user_data)
{
	WiceRelayServer *server = user_data;
	return wice__users_find_hash(server->users, hash, ret_username, size);
}

static int64_t on_unix_time(void *user_data)
{
	return wice__realtime_ms() / 1000;
}

static uint16_t on_authorise(const char *username, const WiceTurnTuple *tuple, void *user_data)
{
	WiceRelayServer *server = user_data;
	const WiceRelayServerOptions *options = &server->options;
	if (!options->authorise || options->authorise(username, &tuple->client, options->user_data))
		return 0;
	return 403;
}

static bool on_permit(const char *username, const WiceEndpoint *peer, void *user_data)
{
	WiceRelayServer *server = user_data;
	const WiceRelayServerOptions *options = &server->options;
	return !options->permit || options->permit(username, peer, options->user_data);
}

/* More than what addresses.h lists, which are those to be reached at. */
static bool on_ends_here(const WiceAddress *peer, void *user_data)
{
	const WiceEndpoint remote = { .address = *peer };
	return wice__route_ends_here(&remote);
}

static int on_open_port(WiceTurnAllocation *allocation, WiceFamily family, WiceTurnPort port,
			WiceEndpoint *ret_relayed, void *user_data)
{
	WiceRelayServer *server = user_data;
	const WiceTurnTuple *tuple = wice__turn_allocation_tuple(allocation);
	WiceOutlet *outlet;
	int err = wice__outlet_open(server->outlets, family, port, &tuple->local.address,
				    ret_relayed, &outlet);
	if (err)
		return err;
	WiceTenant *tenant = wice__tenant_of(allocation);
	if (!tenant)
		tenant = tenant_new(server, allocation);
	outlet->owner = tenant;
	tenant->outlets[family == WICE_FAMILY_IPV6] = outlet;
	tenant->relayed[family == WICE_FAMILY_IPV6] = outlet->outer;
	*ret_relayed = outlet->outer;
	return 0;
}

static void close_outlet(WiceRelayServer *server, WiceOutlet *outlet)
{
	/* A last packet may be just before its end. */
	wice__datagrams_send(server->datagrams);
	wice__outlet_close(server->outlets, outlet);
}

static void on_close_port(WiceTurnAllocation *allocation, WiceFamily family, void *user_data)
{
	WiceTenant *tenant = wice__tenant_of(allocation);
	WiceOutlet **outlet = &tenant->outlets[family == WICE_FAMILY_IPV6];
	close_outlet(user_data, *outlet);
	*outlet = NULL;
}

static void on_give_up_port(const WiceEndpoint *relayed, void *user_data)
{
	WiceRelayServer *server = user_data;
	WiceOutlet *outlet = wice__outlet_find(server->outlets, relayed);
	if (outlet && !outlet->owner)
		close_outlet(server, outlet);
}

/* Of a stream, the kernel sees bytes that it cannot take apart. */
static void on_channel(WiceTurnAllocation *allocation, uint16_t channel, const WiceEndpoint *peer,
		       bool exists, void *user_data)
{
	WiceRelayServer *server = user_data;
	const WiceTurnTuple *tuple = wice__turn_allocation_tuple(allocation);
	const WiceTenant *tenant = wice__tenant_of(allocation);
	const WiceOutlet *outlet = tenant->outlets[peer->address.family == WICE_FAMILY_IPV6];
	if (!exists) {
		wice__fast_path_remove(server->fast_path, allocation, channel);
		return;
	}
	if (tuple->stream || !outlet)
		return;
	/* Behind a NAT, packets have our inner addresses, and so has a peer that is here, too. */
	const WiceOutlet *neighbour = wice__outlet_find(server->outlets, peer);
	const WiceXdpChannel fast = {
		.client = tuple->client,
		.server = tuple->local,
		.channel = channel,
		.relayed = outlet->inner,
		.peer = neighbour ? neighbour->inner : *peer,
	};
	wice__fast_path_add(server->fast_path, allocation, &fast);
}

/* Whoever has no allocation any more may stay for a short time only. */
static void leave_stream(WiceRelayServer *server, uint64_t stream)
{
	WiceConnection *connection = wice__connections_find(server->connections, stream);
	if (connection)
		wice__connection_settle(connection, false);
}

static void on_moved(WiceTurnAllocation *allocation, const WiceTurnTuple *from, void *user_data)
{
	leave_stream(user_data, from->stream);
}

static void on_ended(WiceTurnAllocation *allocation, void *user_data)
{
	WiceRelayServer *server = user_data;
	WiceTenant *tenant = wice__tenant_of(allocation);
	WiceTurnTraffic traffic;
	wice__turn_allocation_traffic(allocation, &traffic);
	server->ended.rx_packets += traffic.rx_packets;
	server->ended.rx_bytes += traffic.rx_bytes;
	server->ended.tx_packets += traffic.tx_packets;
	server->ended.tx_bytes += traffic.tx_bytes;
	server->ended.dropped += traffic.dropped;
	wice__tenant_account(tenant, TRUE);
	wice__datagrams_send(server->datagrams);
	leave_stream(server, wice__turn_allocation_tuple(allocation)->stream);
	wice__turn_allocation_set_data(allocation, NULL);
	g_free(tenant);
	wice__timer_set(server->expiry, server->expiry_ms = wice__now_ms());
}

const WiceTurnServerEvents wice__tenant_events = {
	.password = on_password,
	.username = on_username,
	.unix_time = on_unix_time,
	.authorise = on_authorise,
	.permit = on_permit,
	.ends_here = on_ends_here,
	.open_port = on_open_port,
	.close_port = on_close_port,
	.give_up_port = on_give_up_port,
	.channel = on_channel,
	.moved = on_moved,
	.ended = on_ended,
};
