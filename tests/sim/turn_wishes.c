/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Allocate, in its forms, and what must come of each. */
#include <errno.h>
#include <string.h>

#include "turn_world.h"

static Lab *const lab = &world.lab;

/* What an Allocate asks for. */
typedef struct {
	unsigned family; /* nothing said, IPv4, IPv6, both, or none that there is */
	enum { ANY, EVEN, PAIR, TOKEN, TOKEN_AND_EVEN } port;
	uint64_t token;
	uint32_t lifetime_s; /* 0: not said */
	bool mobile, over_tcp, unfragmented;
} Wish;

static Wish roll_wish(void)
{
	static const uint32_t lifetimes[] = { 0, 0, 600, 1800, 9999 };
	static const unsigned families[] = { 0, 0, 0, 0, 1, 2, 2, 3, 3, 4 };
	static const uint8_t ports[] = { ANY,  ANY,   ANY,   EVEN,  PAIR,
					 PAIR, TOKEN, TOKEN, TOKEN, TOKEN_AND_EVEN };
	return (Wish){
		.family = families[world_roll(G_N_ELEMENTS(families))],
		.port = ports[world_roll(G_N_ELEMENTS(ports))],
		.token = world.kept[world_roll(WORLD_KEPT)].token,
		.lifetime_s = lifetimes[world_roll(G_N_ELEMENTS(lifetimes))],
		.mobile = world_roll(2),
		.over_tcp = world_roll(32) == 0,
		.unfragmented = world_roll(32) == 0,
	};
}

static void write_wish(WiceStunWriter *writer, const Wish *wish)
{
	wice__stun_write_u8(writer, WICE_STUN_REQUESTED_TRANSPORT, wish->over_tcp ? 6 : 17);
	if (wish->family == 3)
		wice__stun_write_u8(writer, WICE_STUN_ADDITIONAL_ADDRESS_FAMILY, 2);
	else if (wish->family)
		wice__stun_write_u8(writer, WICE_STUN_REQUESTED_ADDRESS_FAMILY,
				    (uint8_t)wish->family);
	if (wish->port == EVEN || wish->port == PAIR || wish->port == TOKEN_AND_EVEN)
		wice__stun_write_u8(writer, WICE_STUN_EVEN_PORT, wish->port == PAIR ? 0x80 : 0);
	if (wish->port >= TOKEN)
		wice__stun_write_u64(writer, WICE_STUN_RESERVATION_TOKEN, wish->token);
	if (wish->lifetime_s)
		wice__stun_write_u32(writer, WICE_STUN_LIFETIME, wish->lifetime_s);
	if (wish->mobile)
		wice__stun_write_bytes(writer, WICE_STUN_MOBILITY_TICKET, "", 0);
	if (wish->unfragmented)
		wice__stun_write_flag(writer, WICE_STUN_DONT_FRAGMENT);
}

static uint16_t expect_wish(const Wish *wish)
{
	if (wish->over_tcp)
		return WICE_STUN_ERROR_UNSUPPORTED_TRANSPORT;
	if (wish->unfragmented)
		return WICE_STUN_ERROR_UNKNOWN_ATTRIBUTE;
	if (wish->port == TOKEN_AND_EVEN)
		return WICE_STUN_ERROR_BAD_REQUEST;
	if (wish->family == 4)
		return WICE_STUN_ERROR_FAMILY_NOT_SUPPORTED;
	return (wish->port == TOKEN && wish->family) || (wish->port == PAIR && wish->family == 3)
		       ? WICE_STUN_ERROR_BAD_REQUEST
		       : 0;
}

static uint16_t expect_capacity(unsigned who, unsigned user, const Wish *wish)
{
	uint16_t code = 0;
	if (world.draining)
		return world.alternate.address.family ==
				       world.clients[who].tuple.client.address.family
			       ? WICE_STUN_ERROR_TRY_ALTERNATE
			       : WICE_STUN_ERROR_INSUFFICIENT_CAPACITY;
	if (wish->port != TOKEN)
		code = world_expect_quota(user, wish->port == PAIR ? 2 : 1);
	if (!code)
		code = world_expect_address_quota(who);
	return code ? code : lab->authorised;
}

static uint16_t refusal(bool ipv6)
{
	int r = ipv6 ? lab->refuse_ipv6 : lab->refuse_ipv4;
	if (r == 0)
		return 0;
	return r == -EAFNOSUPPORT ? WICE_STUN_ERROR_FAMILY_NOT_SUPPORTED
				  : WICE_STUN_ERROR_INSUFFICIENT_CAPACITY;
}

/* Who comes for a kept port has it, or it is lost. */
static uint16_t expect_ports(unsigned user, const Wish *wish, WiceEndpoint *ret_kept)
{
	if (wish->port != TOKEN) {
		uint16_t ipv4 = refusal(false), ipv6 = refusal(true);
		if (wish->family == 3)
			return ipv4 && ipv6 ? ipv4 : 0;
		return wish->family == 2 ? ipv6 : ipv4;
	}
	WorldKept *kept = world_find_kept(wish->token);
	if (!kept || kept->user != user)
		return WICE_STUN_ERROR_INSUFFICIENT_CAPACITY;
	*ret_kept = kept->relayed;
	*kept = (WorldKept){ 0 };
	return refusal(ret_kept->address.family == WICE_FAMILY_IPV6);
}

static void keep(const LabClient *client, unsigned user, const WiceEndpoint *even)
{
	unsigned i = 0;
	while (world.kept[i].expires_ms > lab->now_ms)
		LAB_MUST(++i < WORLD_KEPT);
	world.kept[i] = (WorldKept){ lab->now_ms + 30 * 1000, 0, user, *even };
	world.kept[i].relayed.port++;
	LAB_MUST(wice__stun_read_u64(&client->answer, WICE_STUN_RESERVATION_TOKEN,
				     &world.kept[i].token) == 0);
}

static void note_allocation(unsigned who, unsigned user, const Wish *wish, const WiceEndpoint *kept)
{
	static const WiceFamily families[] = { WICE_FAMILY_IPV4, WICE_FAMILY_IPV6 };
	LabClient *client = &world.clients[who];
	WorldAllocation *allocation = &world.allocations[who];
	uint32_t lifetime_s = world_granted(wish->lifetime_s);
	bool wanted[] = { wish->family != 2, wish->family == 2 || wish->family == 3 };
	world_forget(allocation);
	allocation->expires_ms = lab->now_ms + lifetime_s * 1000;
	allocation->user = user;
	allocation->mobile = wish->mobile;
	allocation->maker = who;
	allocation->transaction = client->n_requests;
	world_check("lifetime", who, lifetime_s, lab_answered_lifetime(client));
	world_read_ticket(who);
	for (unsigned i = 0; i < 2; i++) {
		bool due = wish->port == TOKEN ? kept->address.family == families[i]
					       : wanted[i] && !refusal(i);
		WiceEndpoint *relayed = &allocation->relayed[i];
		world_check("port", who, due,
			    wice__turn_allocation_relayed(world_find(who), families[i], relayed));
		if (!due)
			*relayed = (WiceEndpoint){ 0 };
		else if (wish->port == TOKEN)
			LAB_MUST(wice_endpoint_compare(relayed, kept) == 0);
		else if (wish->port == PAIR)
			keep(client, user, relayed);
	}
}

void world_try_allocate(unsigned who)
{
	Wish wish = roll_wish();
	WiceEndpoint kept = { 0 };
	unsigned user = world_speak(who);
	lab->authorised = world_roll(16) ? 0 : WICE_STUN_ERROR_FORBIDDEN;
	lab->refuse_ipv4 = world_roll(16) ? 0 : -EAFNOSUPPORT;
	lab->refuse_ipv6 = world_roll(16) ? 0 : -EMFILE;
	write_wish(lab_begin(&world.clients[who], WICE_STUN_ALLOCATE), &wish);
	uint16_t expected = world_expect_sender(who, user);
	if (!expected && world_lives(&world.allocations[who]))
		expected = WICE_STUN_ERROR_ALLOCATION_MISMATCH;
	if (!expected)
		expected = expect_wish(&wish);
	if (!expected)
		expected = expect_capacity(who, user, &wish);
	if (!expected)
		expected = expect_ports(user, &wish, &kept);
	world_check("Allocate", who, expected, lab_ask(lab, &world.clients[who]));
	if (!expected)
		note_allocation(who, user, &wish, &kept);
}

/* The answer was lost: the same request again changes nothing. */
void world_try_allocate_again(unsigned who)
{
	const WorldAllocation *allocation = &world.allocations[who];
	LabClient *client = &world.clients[who];
	uint32_t n_requests = client->n_requests;
	if (!world_lives(allocation))
		return;
	unsigned user = world_speak(who);
	client->n_requests = allocation->transaction;
	client->retry = true;
	wice__stun_write_u8(lab_begin(client, WICE_STUN_ALLOCATE), WICE_STUN_REQUESTED_TRANSPORT,
			    17);
	client->n_requests = n_requests;
	uint16_t expected = world_expect_sender(who, user);
	if (!expected && (user != allocation->user || allocation->maker != who))
		expected = WICE_STUN_ERROR_ALLOCATION_MISMATCH;
	world_check("Allocate again", who, expected, lab_ask(lab, client));
}
