/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rate is kept as the moment up to which all that has passed is paid for. While that moment is
 * not in the future there is credit, of at most BURST_US; a packet moves it on by what the packet
 * costs. So one number per direction does, nothing needs to be refilled, and a packet that is
 * larger than a second's worth passes, too, in its time.
 */
#include <string.h>

#include "turn/server_state.h"

#define BURST_US (1000 * 1000)
#define DEBT_MAX_US (10 * 1000 * 1000)
/* What a packet costs besides its data: IPv4 and UDP headers. */
#define OVERHEAD 28

WiceTurnUser *wice__turn_find_user(const WiceTurnServer *server, const char *name)
{
	uint32_t hash = wice__turn_hash(server, name, strlen(name));
	WiceTurnNode *node = wice__turn_table_first(&server->users, hash);
	for (; node; node = wice__turn_table_next(node)) {
		WiceTurnUser *user = WICE_TURN_OF(WiceTurnUser, node, node);
		if (strcmp(user->name, name) == 0)
			return user;
	}
	return NULL;
}

WiceTurnUser *wice__turn_user_hold(WiceTurnServer *server, const char *name)
{
	WiceTurnUser *user = wice__turn_find_user(server, name);
	if (!user) {
		size_t size = strlen(name) + 1;
		user = g_malloc0(sizeof *user + size);
		user->due.kind = WICE_TURN_DUE_USER;
		wice__deadline_init(&user->due.deadline);
		memcpy(user->name, name, size);
		wice__turn_table_add(&server->users, &user->node,
				     wice__turn_hash(server, name, size - 1));
		user->tx_paid_us = user->rx_paid_us = INT64_MIN / 2;
	}
	wice__deadlines_set(&server->deadlines, &user->due.deadline, INT64_MAX);
	user->n_allocations++;
	return user;
}

void wice__turn_user_forget(WiceTurnServer *server, WiceTurnUser *user)
{
	wice__deadlines_set(&server->deadlines, &user->due.deadline, INT64_MAX);
	wice__turn_table_remove(&server->users, &user->node);
	g_free(user);
}

/* Who leaves with a debt would otherwise come back without. */
void wice__turn_user_release(WiceTurnServer *server, WiceTurnUser *user)
{
	int64_t paid_us = MAX(user->tx_paid_us, user->rx_paid_us);
	if (--user->n_allocations)
		return;
	if (paid_us + BURST_US > server->now_ms * 1000)
		wice__deadlines_set(&server->deadlines, &user->due.deadline,
				    (paid_us + BURST_US) / 1000 + 1);
	else
		wice__turn_user_forget(server, user);
}

bool wice__turn_spend(const WiceTurnServer *server, int64_t *paid_us, size_t len, int64_t now_ms)
{
	uint64_t rate = server->options.user_bytes_per_s;
	if (!rate)
		return true;
	int64_t paid = MAX(*paid_us, now_ms * 1000 - BURST_US);
	if (paid > now_ms * 1000)
		return false;
	*paid_us = paid + (int64_t)((len + OVERHEAD) * 1000000 / rate);
	return true;
}

void wice__turn_charge(const WiceTurnServer *server, int64_t *paid_us, uint64_t bytes)
{
	uint64_t rate = server->options.user_bytes_per_s;
	int64_t now_us = server->now_ms * 1000;
	if (!rate)
		return;
	double cost = (double)bytes * 1e6 / (double)rate;
	int64_t paid = MAX(*paid_us, now_us - BURST_US);
	*paid_us = MIN(paid + (int64_t)MIN(cost, DEBT_MAX_US), now_us + DEBT_MAX_US);
}

/* Who has an IPv6 network has all addresses of it. */
static WiceAddress counted(const WiceAddress *address)
{
	WiceAddress result = *address;
	if (address->family == WICE_FAMILY_IPV6)
		memset(result.bytes + 8, 0, 8);
	return result;
}

static WiceTurnAddress *find_address(const WiceTurnServer *server, const WiceAddress *address)
{
	uint32_t hash = wice__turn_hash(server, address, sizeof *address);
	WiceTurnNode *node = wice__turn_table_first(&server->addresses, hash);
	for (; node; node = wice__turn_table_next(node)) {
		WiceTurnAddress *found = WICE_TURN_OF(WiceTurnAddress, node, node);
		if (wice_address_compare(&found->address, address) == 0)
			return found;
	}
	return NULL;
}

WiceTurnAddress *wice__turn_address_hold(WiceTurnServer *server, const WiceAddress *address)
{
	WiceAddress network = counted(address);
	WiceTurnAddress *found = find_address(server, &network);
	if (!found) {
		found = g_new0(WiceTurnAddress, 1);
		found->address = network;
		wice__turn_table_add(&server->addresses, &found->node,
				     wice__turn_hash(server, &network, sizeof network));
	}
	found->n_allocations++;
	return found;
}

void wice__turn_address_release(WiceTurnServer *server, WiceTurnAddress *address)
{
	if (--address->n_allocations)
		return;
	wice__turn_table_remove(&server->addresses, &address->node);
	g_free(address);
}

uint16_t wice__turn_check_quotas(const WiceTurnServer *server, const char *name, uint32_t n)
{
	const WiceTurnUser *user = wice__turn_find_user(server, name);
	if ((user ? user->n_allocations : 0) + n > server->options.max_per_user)
		return WICE_STUN_ERROR_QUOTA_REACHED;
	if (server->allocations.n + server->reservations.n + n > server->options.max_allocations)
		return WICE_STUN_ERROR_INSUFFICIENT_CAPACITY;
	return 0;
}

uint16_t wice__turn_check_address_quota(const WiceTurnServer *server, const WiceAddress *address,
					const WiceTurnAddress *held)
{
	WiceAddress network = counted(address);
	const WiceTurnAddress *found = find_address(server, &network);
	return found && found != held && found->n_allocations >= server->options.max_per_address
		       ? WICE_STUN_ERROR_QUOTA_REACHED
		       : 0;
}

uint64_t wice__turn_reserve(WiceTurnServer *server, const char *name, const WiceEndpoint *relayed)
{
	WiceTurnReservation *reservation = g_new0(WiceTurnReservation, 1);
	while (!reservation->token)
		server->options.fill_random(&reservation->token, sizeof reservation->token);
	reservation->relayed = *relayed;
	reservation->user = wice__turn_user_hold(server, name);
	reservation->due.kind = WICE_TURN_DUE_RESERVATION;
	wice__deadline_init(&reservation->due.deadline);
	wice__deadlines_set(&server->deadlines, &reservation->due.deadline,
			    server->now_ms + WICE_TURN_RESERVATION_MS);
	wice__turn_table_add(
		&server->reservations, &reservation->node,
		wice__turn_hash(server, &reservation->token, sizeof reservation->token));
	return reservation->token;
}

WiceTurnReservation *wice__turn_find_reservation(const WiceTurnServer *server, uint64_t token,
						 const char *name)
{
	uint32_t hash = wice__turn_hash(server, &token, sizeof token);
	WiceTurnNode *node = wice__turn_table_first(&server->reservations, hash);
	for (; node; node = wice__turn_table_next(node)) {
		WiceTurnReservation *found = WICE_TURN_OF(WiceTurnReservation, node, node);
		if (found->token == token && strcmp(found->user->name, name) == 0)
			return found;
	}
	return NULL;
}

void wice__turn_reservation_end(WiceTurnServer *server, WiceTurnReservation *reservation,
				bool given_up)
{
	wice__deadlines_set(&server->deadlines, &reservation->due.deadline, INT64_MAX);
	wice__turn_table_remove(&server->reservations, &reservation->node);
	wice__turn_user_release(server, reservation->user);
	if (given_up)
		server->events->give_up_port(&reservation->relayed, server->user_data);
	g_free(reservation);
}
