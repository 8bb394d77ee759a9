/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "turn/server_state.h"

#define LOWEST_PORT 1

/* What an Allocate asks for. */
typedef struct {
	bool ipv4, ipv6;
	bool both; /* either will do */
	bool mobile;
	bool has_token;
	uint64_t token;
	WiceTurnPort port;
	uint32_t lifetime_s;
} Wish;

/* 0: is there, or may not be; else the code. */
static uint16_t check_read(int r)
{
	return r == 0 || r == -ENOENT ? 0 : WICE_STUN_ERROR_BAD_REQUEST;
}

static uint16_t refuse_attribute(WiceTurnRequest *request, uint16_t type)
{
	request->unknown[0] = type;
	request->n_unknown = 1;
	return WICE_STUN_ERROR_UNKNOWN_ATTRIBUTE;
}

/* RFC 8656 sections 7.2 and 8.2. Zero, where it means something, is the caller's. */
static uint16_t read_lifetime(const WiceTurnServer *server, const WiceStunMessage *message,
			      uint32_t *ret_wanted, uint32_t *ret_granted)
{
	uint32_t wanted = WICE_TURN_LIFETIME_S;
	uint16_t code = check_read(wice__stun_read_u32(message, WICE_STUN_LIFETIME, &wanted));
	*ret_wanted = wanted;
	*ret_granted = MIN(MAX(wanted, WICE_TURN_LIFETIME_S), server->options.max_lifetime_s);
	return code;
}

static uint16_t read_transport(const WiceStunMessage *message)
{
	uint8_t transport;
	if (wice__stun_read_u8(message, WICE_STUN_REQUESTED_TRANSPORT, &transport) != 0)
		return WICE_STUN_ERROR_BAD_REQUEST;
	return transport == WICE_STUN_TRANSPORT_UDP ? 0 : WICE_STUN_ERROR_UNSUPPORTED_TRANSPORT;
}

/* IPv4 if nothing is said, the one that is, or IPv4 with IPv6 as an addition. */
static uint16_t read_families(const WiceStunMessage *message, Wish *wish)
{
	uint8_t family = WICE_STUN_FAMILY_IPV4, additional = 0;
	int r_one = wice__stun_read_u8(message, WICE_STUN_REQUESTED_ADDRESS_FAMILY, &family);
	int r_more = wice__stun_read_u8(message, WICE_STUN_ADDITIONAL_ADDRESS_FAMILY, &additional);
	if (check_read(r_one) || check_read(r_more) || (r_one == 0 && r_more == 0) ||
	    (r_more == 0 && additional != WICE_STUN_FAMILY_IPV6))
		return WICE_STUN_ERROR_BAD_REQUEST;
	if (family != WICE_STUN_FAMILY_IPV4 && family != WICE_STUN_FAMILY_IPV6)
		return WICE_STUN_ERROR_FAMILY_NOT_SUPPORTED;
	if (wish->has_token && (r_one == 0 || r_more == 0))
		return WICE_STUN_ERROR_BAD_REQUEST;
	if (wish->port == WICE_TURN_PORT_PAIR && r_more == 0)
		return WICE_STUN_ERROR_BAD_REQUEST;
	wish->both = r_more == 0;
	wish->ipv4 = family == WICE_STUN_FAMILY_IPV4;
	wish->ipv6 = family == WICE_STUN_FAMILY_IPV6 || wish->both;
	return 0;
}

static uint16_t read_port(const WiceStunMessage *message, Wish *wish)
{
	uint8_t even = 0;
	int r_even = wice__stun_read_u8(message, WICE_STUN_EVEN_PORT, &even);
	int r_token = wice__stun_read_u64(message, WICE_STUN_RESERVATION_TOKEN, &wish->token);
	if (check_read(r_even) || check_read(r_token) || (r_even == 0 && r_token == 0))
		return WICE_STUN_ERROR_BAD_REQUEST;
	wish->has_token = r_token == 0;
	if (wish->has_token)
		wish->port = WICE_TURN_PORT_RESERVED;
	else if (r_even == 0)
		wish->port = even & WICE_STUN_EVEN_PORT_RESERVE ? WICE_TURN_PORT_PAIR
								: WICE_TURN_PORT_EVEN;
	return 0;
}

/* RFC 8016 section 3.1: an empty ticket asks for one. */
static uint16_t read_mobility(const WiceStunMessage *message, Wish *wish)
{
	WiceSpan ticket;
	int r = wice__stun_read_bytes(message, WICE_STUN_MOBILITY_TICKET, &ticket);
	if (check_read(r) || (r == 0 && ticket.len != 0))
		return WICE_STUN_ERROR_BAD_REQUEST;
	wish->mobile = r == 0;
	return 0;
}

/* In the order of RFC 8656 section 7.2. */
static uint16_t read_wish(WiceTurnServer *server, WiceTurnRequest *request, Wish *wish)
{
	const WiceStunMessage *message = request->message;
	uint32_t wanted;
	uint16_t code = read_transport(message);
	if (!code && wice__stun_message_has(message, WICE_STUN_DONT_FRAGMENT) &&
	    !server->options.dont_fragment)
		code = refuse_attribute(request, WICE_STUN_DONT_FRAGMENT);
	if (!code)
		code = read_port(message, wish);
	if (!code)
		code = read_families(message, wish);
	if (!code)
		code = read_mobility(message, wish);
	if (!code)
		code = read_lifetime(server, message, &wanted, &wish->lifetime_s);
	return code;
}

/* May this client have an allocation now? */
static uint16_t check_capacity(const WiceTurnServer *server, const WiceTurnRequest *request,
			       const Wish *wish)
{
	const WiceTurnTuple *tuple = request->tuple;
	uint32_t n = wish->port == WICE_TURN_PORT_PAIR ? 2 : 1;
	if (server->draining)
		return server->alternate.address.family == tuple->client.address.family
			       ? WICE_STUN_ERROR_TRY_ALTERNATE
			       : WICE_STUN_ERROR_INSUFFICIENT_CAPACITY;
	if (wish->port == WICE_TURN_PORT_PAIR && !server->events->give_up_port)
		return WICE_STUN_ERROR_INSUFFICIENT_CAPACITY;
	/* What was reserved has been counted. */
	uint16_t code = wish->has_token ? 0 : wice__turn_check_quotas(server, request->username, n);
	if (!code)
		code = wice__turn_check_address_quota(server, &tuple->client.address, NULL);
	if (!code && server->events->authorise)
		code = server->events->authorise(request->username, tuple, server->user_data);
	return code;
}

static uint16_t open_reserved(WiceTurnServer *server, WiceTurnAllocation *allocation,
			      const Wish *wish)
{
	WiceTurnReservation *reservation =
		wice__turn_find_reservation(server, wish->token, allocation->user->name);
	if (!reservation)
		return WICE_STUN_ERROR_INSUFFICIENT_CAPACITY;
	WiceEndpoint kept = reservation->relayed;
	uint16_t code = wice__turn_allocation_open(allocation, kept.address.family,
						   WICE_TURN_PORT_RESERVED, &kept);
	wice__turn_reservation_end(server, reservation, code != 0);
	return code;
}

/* Of two families one is enough; then the answer says why the other one is missing. */
static uint16_t open_ports(WiceTurnServer *server, WiceTurnAllocation *allocation, const Wish *wish)
{
	uint16_t ipv4 = 0, ipv6 = 0;
	if (wish->has_token)
		return open_reserved(server, allocation, wish);
	if (wish->ipv4)
		ipv4 = wice__turn_allocation_open(allocation, WICE_FAMILY_IPV4, wish->port, NULL);
	if (wish->ipv6)
		ipv6 = wice__turn_allocation_open(allocation, WICE_FAMILY_IPV6, wish->port, NULL);
	if (!wish->both || (ipv4 && ipv6))
		return ipv4 ? ipv4 : ipv6;
	allocation->family_errors[0] = ipv4;
	allocation->family_errors[1] = ipv6;
	return 0;
}

static uint16_t make_allocation(WiceTurnServer *server, WiceTurnRequest *request, const Wish *wish)
{
	WiceTurnAllocation *allocation =
		wice__turn_allocation_new(server, request->tuple, request->username);
	uint16_t code = open_ports(server, allocation, wish);
	if (code) {
		wice__turn_allocation_end(allocation, false);
		return code;
	}
	memcpy(allocation->transaction, wice__stun_message_transaction(request->message),
	       sizeof allocation->transaction);
	if (wish->port == WICE_TURN_PORT_PAIR) {
		uint8_t family = wish->ipv4 ? WICE_FAMILY_IPV4 : WICE_FAMILY_IPV6;
		WiceEndpoint next = wice__turn_port(allocation, family)->relayed;
		next.port++;
		allocation->token = wice__turn_reserve(server, request->username, &next);
	}
	if (wish->mobile)
		wice__turn_allocation_make_mobile(allocation);
	wice__turn_allocation_set_lifetime(allocation,
					   request->now_ms + (int64_t)wish->lifetime_s * 1000);
	request->allocation = allocation;
	return 0;
}

/* RFC 8656 section 18.12: the family, then as ERROR-CODE. */
static void write_family_error(WiceStunWriter *writer, uint8_t family, uint16_t code)
{
	uint8_t *value = wice__stun_writer_add(writer, WICE_STUN_ADDRESS_ERROR_CODE, 4);
	if (!value)
		return;
	value[0] = family;
	value[2] = (uint8_t)(code / 100);
	value[3] = (uint8_t)(code % 100);
}

static void write_lifetime(WiceStunWriter *writer, const WiceTurnRequest *request)
{
	int64_t left_ms = request->allocation->expires_ms - request->now_ms;
	wice__stun_write_u32(writer, WICE_STUN_LIFETIME, (uint32_t)((left_ms + 999) / 1000));
}

static void write_ticket(WiceStunWriter *writer, const WiceTurnAllocation *allocation)
{
	if (allocation->mobile)
		wice__stun_write_bytes(writer, WICE_STUN_MOBILITY_TICKET, allocation->ticket,
				       sizeof allocation->ticket);
}

static void write_allocation(WiceTurnServer *server, WiceTurnRequest *request)
{
	static const uint8_t families[] = { WICE_STUN_FAMILY_IPV4, WICE_STUN_FAMILY_IPV6 };
	const WiceTurnAllocation *allocation = request->allocation;
	WiceStunWriter *writer = wice__turn_begin_answer(server, request);
	for (size_t i = 0; i < G_N_ELEMENTS(families); i++) {
		if (allocation->ports[i].relayed.address.family)
			wice__stun_write_address(writer, WICE_STUN_XOR_RELAYED_ADDRESS,
						 &allocation->ports[i].relayed);
		if (allocation->family_errors[i])
			write_family_error(writer, families[i], allocation->family_errors[i]);
	}
	wice__stun_write_address(writer, WICE_STUN_XOR_MAPPED_ADDRESS, &request->tuple->client);
	write_lifetime(writer, request);
	if (allocation->token)
		wice__stun_write_u64(writer, WICE_STUN_RESERVATION_TOKEN, allocation->token);
	write_ticket(writer, allocation);
}

static uint16_t allocate(WiceTurnServer *server, WiceTurnRequest *request)
{
	Wish wish = { 0 };
	WiceTurnAllocation *allocation = request->allocation;
	if (allocation) {
		/* The same request once more, because the answer was lost, gets it again. */
		if (strcmp(allocation->user->name, request->username) != 0 ||
		    memcmp(allocation->transaction,
			   wice__stun_message_transaction(request->message),
			   sizeof allocation->transaction) != 0)
			return WICE_STUN_ERROR_ALLOCATION_MISMATCH;
	} else {
		uint16_t code = read_wish(server, request, &wish);
		if (!code)
			code = check_capacity(server, request, &wish);
		if (!code)
			code = make_allocation(server, request, &wish);
		if (code)
			return code;
	}
	write_allocation(server, request);
	return 0;
}

/* RFC 8016 section 3.2: by its ticket an allocation is found from another address, and follows. */
static uint16_t follow_ticket(WiceTurnServer *server, WiceTurnRequest *request)
{
	WiceSpan ticket;
	if (wice__stun_read_bytes(request->message, WICE_STUN_MOBILITY_TICKET, &ticket) != 0 ||
	    ticket.len == 0)
		return 0;
	WiceTurnAllocation *found = wice__turn_find_ticket(server, ticket, request->now_ms);
	if (request->allocation)
		return found == request->allocation ? 0 : WICE_STUN_ERROR_BAD_REQUEST;
	if (!found)
		return 0;
	if (strcmp(found->user->name, request->username) != 0)
		return WICE_STUN_ERROR_WRONG_CREDENTIALS;
	uint16_t code = wice__turn_check_address_quota(server, &request->tuple->client.address,
						       found->address);
	if (code)
		return code;
	wice__turn_allocation_move(found, request->tuple);
	request->allocation = found;
	return 0;
}

/* Section 8.2: zero releases, all or what belongs to a family. */
static void release(WiceTurnRequest *request, uint8_t family)
{
	WiceTurnAllocation *allocation = request->allocation;
	if (family)
		wice__turn_allocation_close(allocation, family);
	if (family && (wice__turn_has_family(allocation, WICE_FAMILY_IPV4) ||
		       wice__turn_has_family(allocation, WICE_FAMILY_IPV6)))
		return;
	wice__turn_allocation_end(allocation, true);
	request->allocation = NULL;
}

static uint16_t read_refreshed_family(const WiceTurnRequest *request, uint8_t *ret_family)
{
	uint8_t number;
	int r = wice__stun_read_u8(request->message, WICE_STUN_REQUESTED_ADDRESS_FAMILY, &number);
	*ret_family = WICE_FAMILY_NONE;
	if (r == -ENOENT)
		return 0;
	if (r)
		return WICE_STUN_ERROR_BAD_REQUEST;
	if (number != WICE_STUN_FAMILY_IPV4 && number != WICE_STUN_FAMILY_IPV6)
		return WICE_STUN_ERROR_FAMILY_MISMATCH;
	*ret_family = number == WICE_STUN_FAMILY_IPV4 ? WICE_FAMILY_IPV4 : WICE_FAMILY_IPV6;
	return wice__turn_has_family(request->allocation, *ret_family)
		       ? 0
		       : WICE_STUN_ERROR_FAMILY_MISMATCH;
}

static uint16_t refresh(WiceTurnServer *server, WiceTurnRequest *request)
{
	uint32_t wanted, granted;
	uint8_t family;
	uint16_t code = read_lifetime(server, request->message, &wanted, &granted);
	if (!code)
		code = read_refreshed_family(request, &family);
	if (code)
		return code;
	if (wanted == 0)
		release(request, family);
	else
		wice__turn_allocation_set_lifetime(request->allocation,
						   request->now_ms + (int64_t)granted * 1000);
	WiceStunWriter *writer = wice__turn_begin_answer(server, request);
	wice__stun_write_u32(writer, WICE_STUN_LIFETIME, wanted ? granted : 0);
	if (wanted)
		write_ticket(writer, request->allocation);
	return 0;
}

/* What is not one of our addresses that relayed ports may be at. */
static bool is_denied(const WiceTurnServer *server, const WiceAddress *peer)
{
	if (wice__peer_is_denied(&server->policy, peer))
		return true;
	if (server->policy.permit_loopback && wice_address_is_loopback(peer))
		return false;
	return server->events->ends_here && server->events->ends_here(peer, server->user_data);
}

/* May be relayed to? For permissions the port means nothing. */
static uint16_t check_peer(WiceTurnServer *server, const WiceTurnRequest *request,
			   const WiceEndpoint *peer, bool with_port, bool *ret_own)
{
	const WiceTurnAllocation *allocation = request->allocation;
	if (!wice__turn_has_family(allocation, peer->address.family))
		return WICE_STUN_ERROR_FAMILY_MISMATCH;
	*ret_own = wice__turn_server_is_own(server, request->tuple, &peer->address);
	if (*ret_own ? with_port && !wice__turn_server_has_port(server, peer)
		     : is_denied(server, &peer->address))
		return WICE_STUN_ERROR_FORBIDDEN;
	if (server->events->permit &&
	    !server->events->permit(request->username, peer, server->user_data))
		return WICE_STUN_ERROR_FORBIDDEN;
	return 0;
}

typedef uint16_t (*PeerFunc)(WiceTurnServer *server, WiceTurnRequest *request,
			     const WiceEndpoint *peer, uint32_t *n_new);

/* Calls func for each peer in the request, until it returns a code. */
static uint16_t each_peer(WiceTurnServer *server, WiceTurnRequest *request, PeerFunc func)
{
	WiceStunAttribute attribute;
	size_t cursor = 0;
	uint32_t n_new = 0;
	uint16_t code = WICE_STUN_ERROR_BAD_REQUEST;
	while (wice__stun_message_next(request->message, &cursor, &attribute)) {
		WiceEndpoint peer;
		if (attribute.type != WICE_STUN_XOR_PEER_ADDRESS)
			continue;
		if (wice__stun_decode_address(request->message, &attribute, &peer) != 0)
			return WICE_STUN_ERROR_BAD_REQUEST;
		code = func(server, request, &peer, &n_new);
		if (code)
			return code;
	}
	return code;
}

static uint16_t check_permission(WiceTurnServer *server, WiceTurnRequest *request,
				 const WiceEndpoint *peer, uint32_t *n_new)
{
	const WiceTurnAllocation *allocation = request->allocation;
	bool own;
	uint16_t code = check_peer(server, request, peer, false, &own);
	if (code)
		return code;
	if (!wice__turn_find_permission(allocation, &peer->address))
		++*n_new;
	return allocation->n_permissions + *n_new > server->options.max_permissions
		       ? WICE_STUN_ERROR_INSUFFICIENT_CAPACITY
		       : 0;
}

static uint16_t make_permission(WiceTurnServer *server, WiceTurnRequest *request,
				const WiceEndpoint *peer, uint32_t *n_new)
{
	(void)server;
	(void)n_new;
	wice__turn_permit(request->allocation, &peer->address, request->now_ms);
	return 0;
}

/* Section 10.2: all of them or none. */
static uint16_t create_permission(WiceTurnServer *server, WiceTurnRequest *request)
{
	uint16_t code = each_peer(server, request, check_permission);
	if (code)
		return code;
	each_peer(server, request, make_permission);
	wice__turn_begin_answer(server, request);
	return 0;
}

/* Section 12.2. */
static uint16_t bind_channel(WiceTurnServer *server, WiceTurnRequest *request)
{
	WiceTurnAllocation *allocation = request->allocation;
	const WiceStunMessage *message = request->message;
	WiceEndpoint peer;
	uint16_t number;
	uint32_t n_new = 0;
	bool own;
	if (wice__stun_read_u16(message, WICE_STUN_CHANNEL_NUMBER, &number) != 0 ||
	    wice__stun_read_address(message, WICE_STUN_XOR_PEER_ADDRESS, &peer) != 0 ||
	    number < WICE_CHANNEL_MIN || number > WICE_CHANNEL_MAX_READ || peer.port < LOWEST_PORT)
		return WICE_STUN_ERROR_BAD_REQUEST;
	const WiceTurnChannel *by_number = wice__turn_find_channel(allocation, number);
	const WiceTurnChannel *by_peer = wice__turn_find_peer(allocation, &peer);
	if (by_number != by_peer)
		return WICE_STUN_ERROR_BAD_REQUEST;
	uint16_t code = check_peer(server, request, &peer, true, &own);
	if (!code)
		code = check_permission(server, request, &peer, &n_new);
	if (!code && !by_number && allocation->n_channels >= server->options.max_permissions)
		code = WICE_STUN_ERROR_INSUFFICIENT_CAPACITY;
	if (code)
		return code;
	wice__turn_bind(allocation, number, &peer, own, request->now_ms);
	wice__turn_begin_answer(server, request);
	return 0;
}

/* What all but Allocate are about. */
static uint16_t about_allocation(WiceTurnServer *server, WiceTurnRequest *request)
{
	uint16_t code = 0;
	if (request->message->method == WICE_STUN_REFRESH)
		code = follow_ticket(server, request);
	if (code)
		return code;
	if (!request->allocation)
		return WICE_STUN_ERROR_ALLOCATION_MISMATCH;
	if (strcmp(request->allocation->user->name, request->username) != 0)
		return WICE_STUN_ERROR_WRONG_CREDENTIALS;
	switch (request->message->method) {
	case WICE_STUN_REFRESH:
		return refresh(server, request);
	case WICE_STUN_CREATE_PERMISSION:
		return create_permission(server, request);
	default:
		return bind_channel(server, request);
	}
}

void wice__turn_answer_request(WiceTurnServer *server, WiceTurnRequest *request,
			       WiceTurnVerdict *ret_verdict)
{
	const WiceStunMessage *message = request->message;
	uint16_t code = WICE_STUN_ERROR_UNKNOWN_ATTRIBUTE;
	if (message->n_unknown) {
		request->n_unknown = message->n_unknown;
		memcpy(request->unknown, message->unknown, sizeof request->unknown);
	} else if (message->method == WICE_STUN_ALLOCATE) {
		code = allocate(server, request);
	} else {
		code = about_allocation(server, request);
	}
	if (code)
		wice__turn_refuse(server, request, code, ret_verdict);
	else
		wice__turn_end_answer(server, request, ret_verdict);
}
