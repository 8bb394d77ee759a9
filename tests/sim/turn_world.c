/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "turn_world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "turn/server_state.h"

#define FIRST_PORT 49152
#define N_PORTS 64
#define BURST_US 1000000
#define DEBT_MAX_US 10000000

/* The first three, and the last three but one, share a quota: an address, and a /64. */
static const struct {
	const char *address;
	uint64_t stream;
	unsigned network;
} places[WORLD_CLIENTS] = {
	{ "192.0.2.1:1", 0, 0 },     { "192.0.2.1:2", 0, 0 },         { "192.0.2.1:3", 7, 0 },
	{ "192.0.2.2:1", 0, 1 },     { "[2001:db8::1]:1", 0, 2 },     { "[2001:db8::2]:2", 0, 2 },
	{ "[2001:db8::3]:3", 8, 2 }, { "[2001:db8:0:1::1]:4", 0, 3 },
};

enum { FINE, DENIED, REFUSED };

/* The first two are one address with two ports. Of ours, the first port may be a relayed one. */
static const struct {
	const char *endpoint;
	unsigned address;
	bool is_ipv6;
	int kind;
} peers[WORLD_PEERS] = {
	{ "198.51.100.1:1", 0, false, FINE },    { "198.51.100.1:2", 0, false, FINE },
	{ "198.51.100.2:1", 1, false, FINE },    { "198.51.100.3:1", 2, false, FINE },
	{ "[2001:db8::9]:1", 3, true, FINE },    { "10.0.0.1:1", 4, false, DENIED },
	{ "203.0.113.1:49152", 5, false, FINE }, { "203.0.113.1:9", 5, false, FINE },
	{ "198.51.100.4:1", 6, false, REFUSED }, { "[64:ff9b::a00:1]:1", 7, true, DENIED },
};

World world;
const uint16_t world_numbers[WORLD_NUMBERS] = { 0x4000, 0x4001, 0x7fff, 0x3fff };

static GRand *dice;
static WiceTurnServerEvents shell; /* of the lab */
static bool taken[2][N_PORTS];     /* ports of IPv4 and IPv6, open or kept */
static WiceEndpoint endpoints[WORLD_PEERS];
static uint64_t seen[UINT16_MAX + 1];

unsigned world_roll(unsigned n)
{
	return (unsigned)g_rand_int_range(dice, 0, (gint32)n);
}

void world_check(const char *what, unsigned who, unsigned expected, unsigned found)
{
	if (expected != found) {
		fprintf(stderr, "%s of client %u: %u expected, %u found\n", what, who, expected,
			found);
		abort();
	}
	seen[MIN(expected, UINT16_MAX)]++;
}

uint64_t world_seen(unsigned value)
{
	return seen[value];
}

static bool *slot(const WiceEndpoint *relayed)
{
	unsigned n = (unsigned)(relayed->port - FIRST_PORT);
	LAB_MUST(n < N_PORTS);
	return &taken[relayed->address.family == WICE_FAMILY_IPV6][n];
}

/* The lab's ports never come again; these do as soon as they may. */
static int open_port(WiceTurnAllocation *allocation, WiceFamily family, WiceTurnPort port,
		     WiceEndpoint *ret_relayed, void *user_data)
{
	const bool *mine = taken[family == WICE_FAMILY_IPV6];
	unsigned n = 0;
	while (mine[n] || mine[n + 1])
		n += 2;
	world.lab.next_port = (uint16_t)(FIRST_PORT + n - 2);
	int r = shell.open_port(allocation, family, port, ret_relayed, user_data);
	if (r)
		return r;
	LAB_MUST(*slot(ret_relayed) == (port == WICE_TURN_PORT_RESERVED));
	*slot(ret_relayed) = true;
	if (port == WICE_TURN_PORT_PAIR)
		slot(ret_relayed)[1] = true;
	return 0;
}

static void close_port(WiceTurnAllocation *allocation, WiceFamily family, void *user_data)
{
	WiceEndpoint relayed;
	shell.close_port(allocation, family, user_data);
	LAB_MUST(wice__turn_allocation_relayed(allocation, family, &relayed) && *slot(&relayed));
	*slot(&relayed) = false;
}

static void give_up_port(const WiceEndpoint *relayed, void *user_data)
{
	shell.give_up_port(relayed, user_data);
	LAB_MUST(*slot(relayed));
	*slot(relayed) = false;
}

/* The longest realm meets the bound of what strangers get exactly. */
static void roll_options(WiceTurnServerOptions *options)
{
	static const uint64_t rates[] = { 0, 0, 50, 100000 };
	options->max_per_user = 1 + world_roll(8);
	options->max_per_address = 1 + world_roll(4);
	options->max_allocations = 1 + world_roll(WORLD_KEPT);
	options->max_permissions = world_roll(2) ? 1 + world_roll(4) : 64;
	options->user_bytes_per_s = rates[world_roll(G_N_ELEMENTS(rates))];
	options->software = world_roll(2) ? "simulated, and with a long name for a server" : NULL;
	if (world_roll(2))
		memset(options->realm, 'r', sizeof options->realm - 1);
}

static void begin_clients(void)
{
	for (unsigned i = 0; i < WORLD_CLIENTS; i++) {
		LabClient *client = &world.clients[i];
		*client = lab_client(places[i].address, places[i].stream);
		lab_challenge(&world.lab, client);
		client->sha256 = world_roll(2);
		client->algorithm = world_roll(2) ? WICE_STUN_ALGORITHM_SHA256 : 0;
		world.nonce_ms[i] = world.lab.now_ms;
		world_name(i, i % WORLD_USERS);
	}
}

void world_begin(GRand *its_dice)
{
	Lab *lab = &world.lab;
	dice = its_dice;
	memset(&world, 0, sizeof world);
	memset(taken, 0, sizeof taken);
	lab_init(lab);
	roll_options(&lab->options);
	world_begin_names();
	shell = lab->events;
	lab->events.open_port = open_port;
	lab->events.close_port = close_port;
	lab->events.give_up_port = give_up_port;
	for (unsigned i = 0; i < WORLD_PEERS; i++) {
		endpoints[i] = lab_endpoint(peers[i].endpoint);
		if (peers[i].kind == REFUSED)
			lab->refused_peer = endpoints[i];
	}
	for (unsigned i = 0; i < WORLD_USERS; i++)
		world.paid_us[i][0] = world.paid_us[i][1] = INT64_MIN / 2;
	lab_start(lab);
	WiceEndpoint own = lab_endpoint("203.0.113.1:1");
	wice__turn_server_add_own_address(lab->server, &own.address);
	begin_clients();
}

void world_end(void)
{
	lab_done(&world.lab);
	for (unsigned i = 0; i < N_PORTS; i++)
		LAB_MUST(!taken[0][i] && !taken[1][i]);
}

WiceEndpoint world_peer(unsigned peer)
{
	return endpoints[peer];
}

const char *world_peer_text(unsigned peer)
{
	return peers[peer].endpoint;
}

unsigned world_peer_address(unsigned peer)
{
	return peers[peer].address;
}

bool world_peer_is_ipv6(unsigned peer)
{
	return peers[peer].is_ipv6;
}

unsigned world_network(unsigned who)
{
	return places[who].network;
}

bool world_is_relayed(const WiceEndpoint *endpoint)
{
	for (unsigned i = 0; i < WORLD_CLIENTS; i++)
		for (unsigned j = 0; j < 2; j++)
			if (world_lives(&world.allocations[i]) &&
			    wice_endpoint_compare(&world.allocations[i].relayed[j], endpoint) == 0)
				return true;
	return false;
}

bool world_is_own(const WiceAddress *address)
{
	return wice_address_compare(address, &endpoints[6].address) == 0;
}

bool world_lives(const WorldAllocation *allocation)
{
	return allocation->expires_ms > world.lab.now_ms;
}

bool world_is_permitted(const WorldAllocation *allocation, unsigned peer)
{
	return allocation->permitted_ms[peers[peer].address] > world.lab.now_ms;
}

bool world_is_bound(const WorldAllocation *allocation, unsigned number)
{
	return allocation->bound_ms[number] > world.lab.now_ms;
}

void world_forget(WorldAllocation *allocation)
{
	memset(allocation, 0, sizeof *allocation);
}

WorldKept *world_find_kept(uint64_t token)
{
	for (unsigned i = 0; i < WORLD_KEPT; i++)
		if (world.kept[i].expires_ms > world.lab.now_ms && world.kept[i].token == token)
			return &world.kept[i];
	return NULL;
}

static void note(WiceTurnAllocation *allocation, void *user_data)
{
	LabClient *client = user_data;
	if (wice_endpoint_compare(&wice__turn_allocation_tuple(allocation)->client,
				  &client->tuple.client) == 0)
		client->allocation = allocation;
}

WiceTurnAllocation *world_find(unsigned who)
{
	world.clients[who].allocation = NULL;
	wice__turn_server_foreach(world.lab.server, note, &world.clients[who]);
	return world.clients[who].allocation;
}

uint32_t world_granted(uint32_t wanted_s)
{
	return CLAMP(wanted_s, 600, 3600);
}

/* The ticket that the answer has, if one is due. */
void world_read_ticket(unsigned who)
{
	WorldAllocation *allocation = &world.allocations[who];
	WiceSpan ticket;
	int r = wice__stun_read_bytes(&world.clients[who].answer, WICE_STUN_MOBILITY_TICKET,
				      &ticket);
	world_check("ticket", who, allocation->mobile, r == 0);
	if (r)
		return;
	LAB_MUST(ticket.len > 0 && ticket.len <= sizeof allocation->ticket);
	memcpy(allocation->ticket, ticket.data, ticket.len);
	allocation->ticket_len = ticket.len;
}

/* How many there are, kept ports too; of the user, unless that is WORLD_USERS. */
static unsigned count(unsigned user)
{
	unsigned n = 0;
	for (unsigned i = 0; i < WORLD_CLIENTS; i++)
		n += world_lives(&world.allocations[i]) &&
		     (user == WORLD_USERS || world.allocations[i].user == user);
	for (unsigned i = 0; i < WORLD_KEPT; i++)
		n += world.kept[i].expires_ms > world.lab.now_ms &&
		     (user == WORLD_USERS || world.kept[i].user == user);
	return n;
}

uint16_t world_expect_quota(unsigned user, unsigned n)
{
	if (count(user) + n > world.lab.options.max_per_user)
		return WICE_STUN_ERROR_QUOTA_REACHED;
	if (count(WORLD_USERS) + n > world.lab.options.max_allocations)
		return WICE_STUN_ERROR_INSUFFICIENT_CAPACITY;
	return 0;
}

static unsigned count_network(unsigned network)
{
	unsigned n = 0;
	for (unsigned i = 0; i < WORLD_CLIENTS; i++)
		n += places[i].network == network && world_lives(&world.allocations[i]);
	return n;
}

uint16_t world_expect_address_quota(unsigned who)
{
	return count_network(places[who].network) >= world.lab.options.max_per_address
		       ? WICE_STUN_ERROR_QUOTA_REACHED
		       : 0;
}

/* Permissions that take room: those that live, and those of channels that do. */
static unsigned permissions_mask(const WorldAllocation *allocation)
{
	unsigned mask = 0;
	for (unsigned i = 0; i < WORLD_PEERS; i++)
		if (world_is_permitted(allocation, i))
			mask |= 1u << peers[i].address;
	for (unsigned i = 0; i < WORLD_NUMBERS; i++)
		if (world_is_bound(allocation, i))
			mask |= 1u << peers[allocation->bound_to[i]].address;
	return mask;
}

static uint16_t expect_peer(const WorldAllocation *allocation, unsigned peer, bool with_port)
{
	if (!allocation->relayed[peers[peer].is_ipv6].address.family)
		return WICE_STUN_ERROR_FAMILY_MISMATCH;
	if (peers[peer].kind != FINE)
		return WICE_STUN_ERROR_FORBIDDEN;
	return with_port && world_is_own(&endpoints[peer].address) &&
			       !world_is_relayed(&endpoints[peer])
		       ? WICE_STUN_ERROR_FORBIDDEN
		       : 0;
}

uint16_t world_expect_peers(const WorldAllocation *allocation, const unsigned *list, unsigned n,
			    bool with_port)
{
	unsigned mask = permissions_mask(allocation), total = (unsigned)__builtin_popcount(mask);
	for (unsigned i = 0; i < n; i++) {
		uint16_t code = expect_peer(allocation, list[i], with_port);
		if (code)
			return code;
		total += !(mask & 1u << peers[list[i]].address);
		if (total > world.lab.options.max_permissions)
			return WICE_STUN_ERROR_INSUFFICIENT_CAPACITY;
	}
	return 0;
}

uint16_t world_expect_bind(const WorldAllocation *allocation, unsigned number, unsigned peer)
{
	unsigned n = 0;
	if (world_numbers[number] < 0x4000)
		return WICE_STUN_ERROR_BAD_REQUEST;
	for (unsigned i = 0; i < WORLD_NUMBERS; i++) {
		if (!world_is_bound(allocation, i))
			continue;
		n++;
		if ((i == number) != (allocation->bound_to[i] == peer))
			return WICE_STUN_ERROR_BAD_REQUEST;
	}
	uint16_t expected = world_expect_peers(allocation, &peer, 1, true);
	if (!expected && !world_is_bound(allocation, number) &&
	    n >= world.lab.options.max_permissions)
		expected = WICE_STUN_ERROR_INSUFFICIENT_CAPACITY;
	return expected;
}

bool world_spend(unsigned user, bool from_peer, size_t len)
{
	uint64_t rate = world.lab.options.user_bytes_per_s;
	int64_t now_us = world.lab.now_ms * 1000, *paid_us = &world.paid_us[user][from_peer];
	if (!rate)
		return true;
	if (*paid_us > now_us)
		return false;
	*paid_us = MAX(*paid_us, now_us - BURST_US) + (int64_t)((len + 28) * 1000000 / rate);
	return true;
}

void world_charge(unsigned user, bool from_peer, uint64_t bytes)
{
	uint64_t rate = world.lab.options.user_bytes_per_s;
	int64_t now_us = world.lab.now_ms * 1000, *paid_us = &world.paid_us[user][from_peer];
	if (!rate)
		return;
	int64_t cost_us = (int64_t)MIN(bytes * 1000000 / rate, DEBT_MAX_US);
	*paid_us = MIN(MAX(*paid_us, now_us - BURST_US) + cost_us, now_us + DEBT_MAX_US);
}

/* Who has a debt is remembered for it; in the millisecond in which it ends, he may be. */
static void check_users(unsigned found)
{
	unsigned surely = 0, perhaps = 0;
	for (unsigned i = 0; i < WORLD_USERS; i++) {
		int64_t until_us = MAX(world.paid_us[i][0], world.paid_us[i][1]) + BURST_US;
		if (count(i) || until_us > world.lab.now_ms * 1000)
			surely++;
		else if (until_us / 1000 >= world.lab.now_ms)
			perhaps++;
	}
	LAB_MUST(found >= surely && found <= surely + perhaps);
}

typedef struct {
	unsigned allocations, mobile, networks, kept, ports, permissions, channels, shown;
} Sums;

static void add_allocation(Sums *sums, const WorldAllocation *allocation)
{
	sums->allocations++;
	sums->mobile += allocation->mobile;
	sums->ports += (allocation->relayed[0].address.family != 0) +
		       (allocation->relayed[1].address.family != 0);
	sums->permissions += (unsigned)__builtin_popcount(permissions_mask(allocation));
	for (unsigned j = 0; j < WORLD_NUMBERS; j++) {
		sums->channels += world_is_bound(allocation, j);
		sums->shown += world_is_bound(allocation, j) &&
			       world_is_permitted(allocation, allocation->bound_to[j]);
	}
}

static void check_traffic(unsigned who)
{
	const WiceTurnTraffic *expected = &world.allocations[who].traffic;
	WiceTurnTraffic found;
	wice__turn_allocation_traffic(world_find(who), &found);
	LAB_MUST(found.tx_packets == expected->tx_packets && found.tx_bytes == expected->tx_bytes);
	LAB_MUST(found.rx_packets == expected->rx_packets && found.rx_bytes == expected->rx_bytes);
}

void world_check_sums(void)
{
	const WiceTurnServer *server = world.lab.server;
	Sums sums = { 0 };
	lab_wait(&world.lab, 0);
	for (unsigned i = 0; i < WORLD_CLIENTS; i++) {
		sums.networks += count_network(i) > 0;
		if (!world_lives(&world.allocations[i]))
			continue;
		add_allocation(&sums, &world.allocations[i]);
		check_traffic(i);
	}
	sums.kept = count(WORLD_USERS) - sums.allocations;
	LAB_MUST(sums.allocations == server->allocations.n);
	LAB_MUST(sums.mobile == server->tickets.n && sums.networks == server->addresses.n);
	LAB_MUST(sums.kept == server->reservations.n && sums.kept == world.lab.n_kept);
	LAB_MUST(sums.ports == server->ports.n);
	LAB_MUST(sums.ports == world.lab.n_opened - world.lab.n_closed);
	LAB_MUST(sums.permissions == server->permissions.n);
	LAB_MUST(sums.channels == server->channels.n && sums.channels == server->peers.n);
	LAB_MUST(sums.shown == (unsigned)world.lab.n_channels);
	check_users(server->users.n);
}
