/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TURN_SERVER_STATE_H
#define WICE_TURN_SERVER_STATE_H

#include <glib.h>

#include "base/deadlines.h"
#include "stun/attributes.h"
#include "stun/channel_data.h"
#include "stun/credentials.h"
#include "stun/integrity.h"
#include "stun/message.h"
#include "turn/nonce.h"
#include "turn/peer_policy.h"
#include "turn/server.h"
#include "turn/server_table.h"

/*
 * What a server remembers, and the seams between its files:
 *
 *   server.c                takes packets apart; relays data
 *   server_auth.c           who asks: challenges, passwords, seals of answers
 *   server_requests.c       what is asked: Allocate, Refresh, CreatePermission, ChannelBind
 *   server_allocation.c     allocations with their ports, permissions and channels, and their ends
 *   server_accounts.c       users, client addresses: quotas and rates; ports kept for later
 *
 * Everything is in hash tables of the server, so that an allocation is as small as what it has.
 */
#define WICE_TURN_PERMISSION_MS (300 * 1000) /* RFC 8656 section 9 */
#define WICE_TURN_CHANNEL_MS (600 * 1000)    /* section 12 */
#define WICE_TURN_RESERVATION_MS (30 * 1000) /* section 18.10 */
#define WICE_TURN_LIFETIME_S 600             /* section 3.2: the default */
#define WICE_TURN_TICKET_LEN 24              /* characters of 6 bits */

/* Something that ends at a time. */
typedef struct {
	WiceDeadline deadline;
	enum { WICE_TURN_DUE_ALLOCATION, WICE_TURN_DUE_USER, WICE_TURN_DUE_RESERVATION } kind;
} WiceTurnDue;

/* All allocations of one name, and its rates: when what it has sent is paid for. */
typedef struct {
	WiceTurnNode node;
	WiceTurnDue due; /* has no allocation any more, but a debt */
	int64_t tx_paid_us, rx_paid_us;
	uint32_t n_allocations;
	char name[];
} WiceTurnUser;

/* All allocations of clients at one address, of IPv6 in one /64. */
typedef struct {
	WiceTurnNode node;
	WiceAddress address;
	uint32_t n_allocations;
} WiceTurnAddress;

/* A port that is kept for who has the token. */
typedef struct {
	WiceTurnNode node;
	WiceTurnDue due;
	uint64_t token;
	WiceEndpoint relayed;
	WiceTurnUser *user; /* whose it is: only that one gets it, and it counts for that one */
} WiceTurnReservation;

typedef struct WiceTurnPermission WiceTurnPermission;
struct WiceTurnPermission {
	WiceTurnNode node;
	WiceTurnPermission *next; /* of the allocation */
	WiceTurnAllocation *allocation;
	int64_t expires_ms;
	WiceAddress peer;
	uint32_t n_channels; /* that refer to it: so long it stays, expired or not */
};

/* Data passes while it and its permission live. */
typedef struct WiceTurnChannel WiceTurnChannel;
struct WiceTurnChannel {
	WiceTurnNode by_number, by_peer;
	WiceTurnChannel *next; /* of the allocation */
	WiceTurnAllocation *allocation;
	WiceTurnPermission *permission;
	int64_t expires_ms;
	WiceEndpoint peer;
	uint16_t number;
	bool own;   /* the peer's address is one of ours */
	bool shown; /* the shell has been told that it exists */
};

typedef struct {
	WiceTurnNode node;
	WiceEndpoint relayed; /* family NONE: is not open */
} WiceTurnOpenPort;

struct WiceTurnAllocation {
	WiceTurnNode by_tuple, by_ticket;
	WiceTurnDue due;
	WiceTurnServer *server;
	WiceTurnTuple tuple;
	WiceTurnUser *user;
	WiceTurnAddress *address;
	WiceTurnOpenPort ports[2]; /* IPv4, IPv6 */
	WiceTurnPermission *permissions;
	WiceTurnChannel *channels;
	uint32_t n_permissions, n_channels;
	int64_t expires_ms;
	WiceTurnTraffic traffic;
	void *data;
	/* So that the same Allocate gets the same answer. */
	uint8_t transaction[WICE_STUN_TRANSACTION_LEN];
	uint64_t token;            /* 0: nothing was reserved */
	uint16_t family_errors[2]; /* why it has not one family of two; or 0 */
	bool mobile;
	uint8_t ticket[WICE_TURN_TICKET_LEN]; /* if it is */
};

struct WiceTurnServer {
	WiceTurnServerOptions options; /* with the defaults filled in; texts are copies */
	const WiceTurnServerEvents *events;
	void *user_data;
	WicePeerPolicy policy;
	WiceTurnNonces nonces;
	uint8_t hash_key[WICE_TURN_NONCE_KEY_LEN];
	GArray *own;    /* WiceAddress */
	int64_t now_ms; /* the latest time that it was told */
	bool draining;
	WiceEndpoint alternate;
	WiceDeadlines deadlines; /* of WiceTurnDue */
	WiceTurnTable allocations, tickets, ports, permissions, channels, peers;
	WiceTurnTable users, addresses, reservations;
	uint32_t indication_prefix; /* transaction ids of Data indications: this and a number */
	uint64_t n_indications;
	uint8_t header[WICE_STUN_HEADER_LEN + 4 + 20 + 4];
	uint8_t answer[WICE_TURN_ANSWER_SIZE];
};

/* A request that is being answered. */
typedef struct {
	const WiceStunMessage *message;
	const WiceTurnTuple *tuple;
	int64_t now_ms;
	WiceTurnAllocation *allocation; /* that lives at the tuple, or NULL */
	/* Once its sender is known: */
	bool authenticated;
	bool sha256; /* which seal it had and the answer gets */
	WiceStunKey key;
	char username[WICE_TURN_USERNAME_SIZE]; /* without an expiry */
	/* What a 420 is about. */
	uint8_t n_unknown;
	uint16_t unknown[WICE_STUN_MAX_UNKNOWN];
	WiceStunWriter writer; /* of the answer, after begin */
} WiceTurnRequest;

/* server.c: 32 bits that only we can foretell. */
uint32_t wice__turn_hash(const WiceTurnServer *server, const void *bytes, size_t len);
static inline bool wice__turn_endpoint_equal(const WiceEndpoint *a, const WiceEndpoint *b)
{
	return wice_endpoint_compare(a, b) == 0;
}
/* An address of this host, as far as a client of that tuple can know. */
bool wice__turn_server_is_own(const WiceTurnServer *server, const WiceTurnTuple *tuple,
			      const WiceAddress *address);

/*
 * server_auth.c. Finds out who asks (RFC 8489 section 9.2.4). 0, or the error code to refuse with;
 * UINT16_MAX: not to be answered.
 */
uint16_t wice__turn_authenticate(WiceTurnServer *server, WiceTurnRequest *request);
/* Writes an answer in the server's buffer: success, then attributes, then end. */
WiceStunWriter *wice__turn_begin_answer(WiceTurnServer *server, WiceTurnRequest *request);
void wice__turn_end_answer(WiceTurnServer *server, WiceTurnRequest *request,
			   WiceTurnVerdict *ret_verdict);
/* Or an error, with what belongs to it. */
void wice__turn_refuse(WiceTurnServer *server, WiceTurnRequest *request, uint16_t code,
		       WiceTurnVerdict *ret_verdict);

/* server_requests.c: answers an authenticated request. */
void wice__turn_answer_request(WiceTurnServer *server, WiceTurnRequest *request,
			       WiceTurnVerdict *ret_verdict);

/* server_allocation.c */
static inline WiceTurnOpenPort *wice__turn_port(WiceTurnAllocation *allocation, uint8_t family)
{
	return &allocation->ports[family == WICE_FAMILY_IPV6];
}
static inline bool wice__turn_has_family(const WiceTurnAllocation *allocation, uint8_t family)
{
	return allocation->ports[family == WICE_FAMILY_IPV6].relayed.address.family == family;
}
/* That lives at the tuple, or NULL. */
WiceTurnAllocation *wice__turn_find_allocation(const WiceTurnServer *server,
					       const WiceTurnTuple *tuple, int64_t now_ms);
/* A new one without ports, in the tables; counted for its user and address. */
WiceTurnAllocation *wice__turn_allocation_new(WiceTurnServer *server, const WiceTurnTuple *tuple,
					      const char *username);
/* 0 or the code of an error. kept: what a RESERVED one is, else NULL. */
uint16_t wice__turn_allocation_open(WiceTurnAllocation *allocation, WiceFamily family,
				    WiceTurnPort port, const WiceEndpoint *kept);
void wice__turn_allocation_close(WiceTurnAllocation *allocation, WiceFamily family);
/* Closes what is open, tells the shell (ended: that it had been one), and forgets it. */
void wice__turn_allocation_end(WiceTurnAllocation *allocation, bool ended);
void wice__turn_allocation_set_lifetime(WiceTurnAllocation *allocation, int64_t expires_ms);
/* It is now at another tuple. */
void wice__turn_allocation_move(WiceTurnAllocation *allocation, const WiceTurnTuple *tuple);
/* Ends what has expired of it, or all of it. */
void wice__turn_allocation_expire(WiceTurnAllocation *allocation, int64_t now_ms);
bool wice__turn_server_has_port(const WiceTurnServer *server, const WiceEndpoint *relayed);
WiceTurnAllocation *wice__turn_find_ticket(const WiceTurnServer *server, WiceSpan ticket,
					   int64_t now_ms);
/* The allocation may be found by its ticket from now on. */
void wice__turn_allocation_make_mobile(WiceTurnAllocation *allocation);

WiceTurnPermission *wice__turn_find_permission(const WiceTurnAllocation *allocation,
					       const WiceAddress *peer);
/* Makes or prolongs it. */
WiceTurnPermission *wice__turn_permit(WiceTurnAllocation *allocation, const WiceAddress *peer,
				      int64_t now_ms);
WiceTurnChannel *wice__turn_find_channel(const WiceTurnAllocation *allocation, uint16_t number);
WiceTurnChannel *wice__turn_find_peer(const WiceTurnAllocation *allocation,
				      const WiceEndpoint *peer);
/* Makes or prolongs it and its permission. */
void wice__turn_bind(WiceTurnAllocation *allocation, uint16_t number, const WiceEndpoint *peer,
		     bool own, int64_t now_ms);
static inline bool wice__turn_channel_lives(const WiceTurnChannel *channel, int64_t now_ms)
{
	return channel->expires_ms > now_ms && channel->permission->expires_ms > now_ms;
}

/* server_accounts.c: they exist while there is something to say about them. */
WiceTurnUser *wice__turn_find_user(const WiceTurnServer *server, const char *name);
WiceTurnUser *wice__turn_user_hold(WiceTurnServer *server, const char *name);
void wice__turn_user_release(WiceTurnServer *server, WiceTurnUser *user);
/* Nobody holds it and it has no debt any more. */
void wice__turn_user_forget(WiceTurnServer *server, WiceTurnUser *user);
WiceTurnAddress *wice__turn_address_hold(WiceTurnServer *server, const WiceAddress *address);
void wice__turn_address_release(WiceTurnServer *server, WiceTurnAddress *address);
/* 0, or 486 or 508 if that many more allocations of the user would be too many. */
uint16_t wice__turn_check_quotas(const WiceTurnServer *server, const char *name, uint32_t n);
/* 0, or 486 if one more at this address would be. held: where it is counted already, or NULL. */
uint16_t wice__turn_check_address_quota(const WiceTurnServer *server, const WiceAddress *address,
					const WiceTurnAddress *held);
/* len bytes may pass now, and are paid for. paid_us: of the direction. */
bool wice__turn_spend(const WiceTurnServer *server, int64_t *paid_us, size_t len, int64_t now_ms);
/* So many have passed. */
void wice__turn_charge(const WiceTurnServer *server, int64_t *paid_us, uint64_t bytes);

/* Keeps a port for 30 s; returns its token. */
uint64_t wice__turn_reserve(WiceTurnServer *server, const char *name, const WiceEndpoint *relayed);
/* Of that user; NULL if it is not known, or not his. */
WiceTurnReservation *wice__turn_find_reservation(const WiceTurnServer *server, uint64_t token,
						 const char *name);
/* given_up: nobody has taken the port. */
void wice__turn_reservation_end(WiceTurnServer *server, WiceTurnReservation *reservation,
				bool given_up);

#endif
