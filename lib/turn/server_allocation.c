/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "turn/server_state.h"

/* What keys of the tables consist of: no byte of it is padding. */
typedef struct {
	uint8_t bytes[16];
	uint32_t scope;
	uint16_t port;
	uint16_t family;
} EndpointKey;

typedef struct {
	EndpointKey client, local;
} TupleKey;

typedef struct {
	uint64_t owner;
	EndpointKey endpoint;
} PeerKey;

_Static_assert(sizeof(TupleKey) == 48 && sizeof(PeerKey) == 32, "without padding");

static EndpointKey endpoint_key(const WiceEndpoint *endpoint)
{
	EndpointKey key = {
		.scope = endpoint->scope,
		.port = endpoint->port,
		.family = endpoint->address.family,
	};
	memcpy(key.bytes, endpoint->address.bytes, sizeof key.bytes);
	return key;
}

static uint32_t hash_endpoint(const WiceTurnServer *server, const WiceEndpoint *endpoint)
{
	EndpointKey key = endpoint_key(endpoint);
	return wice__turn_hash(server, &key, sizeof key);
}

static uint32_t hash_tuple(const WiceTurnServer *server, const WiceTurnTuple *tuple)
{
	if (tuple->stream)
		return wice__turn_hash(server, &tuple->stream, sizeof tuple->stream);
	TupleKey key = { endpoint_key(&tuple->client), endpoint_key(&tuple->local) };
	return wice__turn_hash(server, &key, sizeof key);
}

static uint32_t hash_peer(const WiceTurnAllocation *allocation, const WiceEndpoint *peer)
{
	PeerKey key = { (uintptr_t)allocation, endpoint_key(peer) };
	return wice__turn_hash(allocation->server, &key, sizeof key);
}

static uint32_t hash_number(const WiceTurnAllocation *allocation, uint16_t number)
{
	uint64_t key[2] = { (uintptr_t)allocation, number };
	return wice__turn_hash(allocation->server, key, sizeof key);
}

static uint32_t hash_address(const WiceTurnAllocation *allocation, const WiceAddress *address)
{
	WiceEndpoint endpoint = { .address = *address };
	return hash_peer(allocation, &endpoint);
}

static bool is_tuple(const WiceTurnTuple *a, const WiceTurnTuple *b)
{
	if (a->stream || b->stream)
		return a->stream == b->stream;
	return wice__turn_endpoint_equal(&a->client, &b->client) &&
	       wice__turn_endpoint_equal(&a->local, &b->local);
}

WiceTurnAllocation *wice__turn_find_allocation(const WiceTurnServer *server,
					       const WiceTurnTuple *tuple, int64_t now_ms)
{
	WiceTurnNode *node =
		wice__turn_table_first(&server->allocations, hash_tuple(server, tuple));
	for (; node; node = wice__turn_table_next(node)) {
		WiceTurnAllocation *found = WICE_TURN_OF(WiceTurnAllocation, by_tuple, node);
		if (is_tuple(&found->tuple, tuple))
			return found->expires_ms > now_ms ? found : NULL;
	}
	return NULL;
}

WiceTurnAllocation *wice__turn_find_ticket(const WiceTurnServer *server, WiceSpan ticket,
					   int64_t now_ms)
{
	if (ticket.len != WICE_TURN_TICKET_LEN)
		return NULL;
	WiceTurnNode *node = wice__turn_table_first(
		&server->tickets, wice__turn_hash(server, ticket.data, ticket.len));
	for (; node; node = wice__turn_table_next(node)) {
		WiceTurnAllocation *found = WICE_TURN_OF(WiceTurnAllocation, by_ticket, node);
		if (memcmp(found->ticket, ticket.data, sizeof found->ticket) == 0)
			return found->expires_ms > now_ms ? found : NULL;
	}
	return NULL;
}

bool wice__turn_server_has_port(const WiceTurnServer *server, const WiceEndpoint *relayed)
{
	WiceTurnNode *node = wice__turn_table_first(&server->ports, hash_endpoint(server, relayed));
	for (; node; node = wice__turn_table_next(node))
		if (wice__turn_endpoint_equal(&WICE_TURN_OF(WiceTurnOpenPort, node, node)->relayed,
					      relayed))
			return true;
	return false;
}

static void lower_deadline(WiceTurnAllocation *allocation, int64_t ms)
{
	if (ms < allocation->due.deadline.ms)
		wice__deadlines_set(&allocation->server->deadlines, &allocation->due.deadline, ms);
}

WiceTurnAllocation *wice__turn_allocation_new(WiceTurnServer *server, const WiceTurnTuple *tuple,
					      const char *username)
{
	WiceTurnAllocation *allocation = g_new0(WiceTurnAllocation, 1);
	allocation->server = server;
	allocation->tuple = *tuple;
	allocation->due.kind = WICE_TURN_DUE_ALLOCATION;
	wice__deadline_init(&allocation->due.deadline);
	allocation->user = wice__turn_user_hold(server, username);
	allocation->address = wice__turn_address_hold(server, &tuple->client.address);
	wice__turn_table_add(&server->allocations, &allocation->by_tuple,
			     hash_tuple(server, tuple));
	return allocation;
}

uint16_t wice__turn_allocation_open(WiceTurnAllocation *allocation, WiceFamily family,
				    WiceTurnPort port, const WiceEndpoint *kept)
{
	WiceTurnServer *server = allocation->server;
	WiceEndpoint relayed = kept ? *kept : (WiceEndpoint){ 0 };
	int r = server->events->open_port(allocation, family, port, &relayed, server->user_data);
	if (r == -EAFNOSUPPORT)
		return WICE_STUN_ERROR_FAMILY_NOT_SUPPORTED;
	if (r)
		return WICE_STUN_ERROR_INSUFFICIENT_CAPACITY;
	WiceTurnOpenPort *open = wice__turn_port(allocation, family);
	open->relayed = relayed;
	wice__turn_table_add(&server->ports, &open->node, hash_endpoint(server, &relayed));
	wice__turn_server_add_own_address(server, &relayed.address);
	return 0;
}

/* Tells the shell whether data may pass, if that is news. */
static void show(WiceTurnChannel *channel, bool exists)
{
	WiceTurnServer *server = channel->allocation->server;
	if (channel->shown == exists)
		return;
	channel->shown = exists;
	if (server->events->channel)
		server->events->channel(channel->allocation, channel->number, &channel->peer,
					exists, server->user_data);
}

/* at: the link that leads to it. */
static void remove_channel(WiceTurnAllocation *allocation, WiceTurnChannel **at)
{
	WiceTurnChannel *channel = *at;
	show(channel, false);
	*at = channel->next;
	wice__turn_table_remove(&allocation->server->channels, &channel->by_number);
	wice__turn_table_remove(&allocation->server->peers, &channel->by_peer);
	channel->permission->n_channels--;
	allocation->n_channels--;
	g_free(channel);
}

static void remove_permission(WiceTurnAllocation *allocation, WiceTurnPermission **at)
{
	WiceTurnPermission *permission = *at;
	*at = permission->next;
	wice__turn_table_remove(&allocation->server->permissions, &permission->node);
	allocation->n_permissions--;
	g_free(permission);
}

/* family NONE: all. */
static void remove_family(WiceTurnAllocation *allocation, uint8_t family)
{
	WiceTurnChannel **channel = &allocation->channels;
	WiceTurnPermission **permission = &allocation->permissions;
	while (*channel)
		if (!family || (*channel)->peer.address.family == family)
			remove_channel(allocation, channel);
		else
			channel = &(*channel)->next;
	while (*permission)
		if (!family || (*permission)->peer.family == family)
			remove_permission(allocation, permission);
		else
			permission = &(*permission)->next;
}

void wice__turn_allocation_close(WiceTurnAllocation *allocation, WiceFamily family)
{
	WiceTurnServer *server = allocation->server;
	WiceTurnOpenPort *open = wice__turn_port(allocation, family);
	if (!open->relayed.address.family)
		return;
	remove_family(allocation, family);
	wice__turn_table_remove(&server->ports, &open->node);
	server->events->close_port(allocation, family, server->user_data);
	open->relayed = (WiceEndpoint){ 0 };
}

void wice__turn_allocation_end(WiceTurnAllocation *allocation, bool ended)
{
	WiceTurnServer *server = allocation->server;
	remove_family(allocation, WICE_FAMILY_NONE);
	wice__turn_allocation_close(allocation, WICE_FAMILY_IPV4);
	wice__turn_allocation_close(allocation, WICE_FAMILY_IPV6);
	wice__deadlines_set(&server->deadlines, &allocation->due.deadline, INT64_MAX);
	wice__turn_table_remove(&server->allocations, &allocation->by_tuple);
	if (allocation->mobile)
		wice__turn_table_remove(&server->tickets, &allocation->by_ticket);
	if (ended && server->events->ended)
		server->events->ended(allocation, server->user_data);
	wice__turn_user_release(server, allocation->user);
	wice__turn_address_release(server, allocation->address);
	g_free(allocation);
}

void wice__turn_allocation_set_lifetime(WiceTurnAllocation *allocation, int64_t expires_ms)
{
	allocation->expires_ms = expires_ms;
	lower_deadline(allocation, expires_ms);
}

/* Any bytes would do, but coturn's client keeps them as a string. */
static void make_ticket(WiceTurnServer *server, uint8_t ret_ticket[WICE_TURN_TICKET_LEN])
{
	static const char characters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	server->options.fill_random(ret_ticket, WICE_TURN_TICKET_LEN);
	for (size_t i = 0; i < WICE_TURN_TICKET_LEN; i++)
		ret_ticket[i] = (uint8_t)characters[ret_ticket[i] % 64];
}

void wice__turn_allocation_make_mobile(WiceTurnAllocation *allocation)
{
	WiceTurnServer *server = allocation->server;
	allocation->mobile = true;
	make_ticket(server, allocation->ticket);
	wice__turn_table_add(
		&server->tickets, &allocation->by_ticket,
		wice__turn_hash(server, allocation->ticket, sizeof allocation->ticket));
}

/* A fast path knows channels by the tuple, so they must go and come again. */
void wice__turn_allocation_move(WiceTurnAllocation *allocation, const WiceTurnTuple *tuple)
{
	WiceTurnServer *server = allocation->server;
	WiceTurnTuple from = allocation->tuple;
	for (WiceTurnChannel *channel = allocation->channels; channel; channel = channel->next)
		show(channel, false);
	wice__turn_table_remove(&server->allocations, &allocation->by_tuple);
	wice__turn_address_release(server, allocation->address);
	allocation->tuple = *tuple;
	allocation->address = wice__turn_address_hold(server, &tuple->client.address);
	wice__turn_table_add(&server->allocations, &allocation->by_tuple,
			     hash_tuple(server, tuple));
	for (WiceTurnChannel *channel = allocation->channels; channel; channel = channel->next)
		show(channel, wice__turn_channel_lives(channel, server->now_ms));
	if (server->events->moved)
		server->events->moved(allocation, &from, server->user_data);
}

/* The deadline is never later than what is due first; it may be earlier, and then moves on here. */
void wice__turn_allocation_expire(WiceTurnAllocation *allocation, int64_t now_ms)
{
	int64_t next = allocation->expires_ms;
	WiceTurnChannel **channel = &allocation->channels;
	WiceTurnPermission **permission = &allocation->permissions;
	if (next <= now_ms) {
		wice__turn_allocation_end(allocation, true);
		return;
	}
	while (*channel) {
		if ((*channel)->expires_ms <= now_ms) {
			remove_channel(allocation, channel);
			continue;
		}
		show(*channel, wice__turn_channel_lives(*channel, now_ms));
		next = MIN(next, (*channel)->expires_ms);
		channel = &(*channel)->next;
	}
	while (*permission) {
		bool lives = (*permission)->expires_ms > now_ms;
		if (!lives && !(*permission)->n_channels) {
			remove_permission(allocation, permission);
			continue;
		}
		if (lives)
			next = MIN(next, (*permission)->expires_ms);
		permission = &(*permission)->next;
	}
	wice__deadlines_set(&allocation->server->deadlines, &allocation->due.deadline, next);
}

WiceTurnPermission *wice__turn_find_permission(const WiceTurnAllocation *allocation,
					       const WiceAddress *peer)
{
	WiceTurnNode *node = wice__turn_table_first(&allocation->server->permissions,
						    hash_address(allocation, peer));
	for (; node; node = wice__turn_table_next(node)) {
		WiceTurnPermission *found = WICE_TURN_OF(WiceTurnPermission, node, node);
		if (found->allocation == allocation &&
		    wice_address_compare(&found->peer, peer) == 0)
			return found;
	}
	return NULL;
}

WiceTurnPermission *wice__turn_permit(WiceTurnAllocation *allocation, const WiceAddress *peer,
				      int64_t now_ms)
{
	WiceTurnPermission *permission = wice__turn_find_permission(allocation, peer);
	if (!permission) {
		permission = g_new0(WiceTurnPermission, 1);
		permission->allocation = allocation;
		permission->peer = *peer;
		permission->next = allocation->permissions;
		allocation->permissions = permission;
		allocation->n_permissions++;
		wice__turn_table_add(&allocation->server->permissions, &permission->node,
				     hash_address(allocation, peer));
	}
	permission->expires_ms = now_ms + WICE_TURN_PERMISSION_MS;
	lower_deadline(allocation, permission->expires_ms);
	if (permission->n_channels)
		for (WiceTurnChannel *at = allocation->channels; at; at = at->next)
			if (at->permission == permission)
				show(at, wice__turn_channel_lives(at, now_ms));
	return permission;
}

WiceTurnChannel *wice__turn_find_channel(const WiceTurnAllocation *allocation, uint16_t number)
{
	WiceTurnNode *node = wice__turn_table_first(&allocation->server->channels,
						    hash_number(allocation, number));
	for (; node; node = wice__turn_table_next(node)) {
		WiceTurnChannel *found = WICE_TURN_OF(WiceTurnChannel, by_number, node);
		if (found->allocation == allocation && found->number == number)
			return found;
	}
	return NULL;
}

WiceTurnChannel *wice__turn_find_peer(const WiceTurnAllocation *allocation,
				      const WiceEndpoint *peer)
{
	WiceTurnNode *node =
		wice__turn_table_first(&allocation->server->peers, hash_peer(allocation, peer));
	for (; node; node = wice__turn_table_next(node)) {
		WiceTurnChannel *found = WICE_TURN_OF(WiceTurnChannel, by_peer, node);
		if (found->allocation == allocation &&
		    wice__turn_endpoint_equal(&found->peer, peer))
			return found;
	}
	return NULL;
}

void wice__turn_bind(WiceTurnAllocation *allocation, uint16_t number, const WiceEndpoint *peer,
		     bool own, int64_t now_ms)
{
	WiceTurnServer *server = allocation->server;
	WiceTurnPermission *permission = wice__turn_permit(allocation, &peer->address, now_ms);
	WiceTurnChannel *channel = wice__turn_find_channel(allocation, number);
	if (!channel) {
		channel = g_new0(WiceTurnChannel, 1);
		channel->allocation = allocation;
		channel->permission = permission;
		channel->peer = *peer;
		channel->number = number;
		channel->own = own;
		channel->next = allocation->channels;
		allocation->channels = channel;
		allocation->n_channels++;
		permission->n_channels++;
		wice__turn_table_add(&server->channels, &channel->by_number,
				     hash_number(allocation, number));
		wice__turn_table_add(&server->peers, &channel->by_peer,
				     hash_peer(allocation, peer));
	}
	channel->expires_ms = now_ms + WICE_TURN_CHANNEL_MS;
	lower_deadline(allocation, channel->expires_ms);
	show(channel, true);
}
