/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_SIM_TURN_WORLD_H
#define WICE_TESTS_SIM_TURN_WORLD_H

/*
 * A TURN server, its clients, and a model of what it must remember, which is a few arrays. The
 * model looks at times when it is asked and knows no timers, so that a timer of the server that is
 * late, or forgotten, shows. Everything follows from a seed.
 */
#include <glib.h>

#include "unit/turn/server_lab.h"

#define WORLD_CLIENTS 8
#define WORLD_PEERS 10
#define WORLD_PEER_ADDRESSES 8
#define WORLD_NUMBERS 4
#define WORLD_USERS 2
#define WORLD_KEPT 16 /* as many as there are allocations at most */

/* What lives at a client's tuple. */
typedef struct {
	int64_t expires_ms;
	unsigned user; /* whose it is */
	bool mobile;
	uint8_t ticket[64];
	size_t ticket_len;       /* 0: it had none */
	WiceEndpoint relayed[2]; /* IPv4, IPv6 */
	/* The Allocate that made it, and who sent that. */
	unsigned maker;
	uint32_t transaction;
	int64_t permitted_ms[WORLD_PEER_ADDRESSES]; /* until when */
	int64_t bound_ms[WORLD_NUMBERS];            /* until when */
	unsigned bound_to[WORLD_NUMBERS];           /* and to whom */
	WiceTurnTraffic traffic;
} WorldAllocation;

/* A port that is kept for who has the token. */
typedef struct {
	int64_t expires_ms;
	uint64_t token;
	unsigned user;
	WiceEndpoint relayed;
} WorldKept;

typedef struct {
	Lab lab;
	LabClient clients[WORLD_CLIENTS];
	int64_t nonce_ms[WORLD_CLIENTS]; /* when it was made */
	WorldAllocation allocations[WORLD_CLIENTS];
	WorldKept kept[WORLD_KEPT];
	int64_t paid_us[WORLD_USERS][2]; /* to peers, from them: paid for until then */
	bool draining;
	WiceEndpoint alternate;
} World;

extern World world;
extern const uint16_t world_numbers[WORLD_NUMBERS]; /* the last one is no channel */

/* Each begins with an empty server whose limits are rolled, and ends with all ports closed. */
void world_begin(GRand *dice);
void world_end(void);
/* 0 to n - 1. */
unsigned world_roll(unsigned n);
/* Aborts, and says so, if what was found is not what the model says. Counts what was. */
void world_check(const char *what, unsigned who, unsigned expected, unsigned found);
/* How often that was right. */
uint64_t world_seen(unsigned value);

WiceEndpoint world_peer(unsigned peer);
const char *world_peer_text(unsigned peer);
unsigned world_peer_address(unsigned peer);
bool world_peer_is_ipv6(unsigned peer);
/* A port that an allocation has now: two clients may meet there. */
bool world_is_relayed(const WiceEndpoint *endpoint);
/* Of the server itself; peers there are relayed ports or none. */
bool world_is_own(const WiceAddress *address);

bool world_lives(const WorldAllocation *allocation);
bool world_is_permitted(const WorldAllocation *allocation, unsigned peer);
bool world_is_bound(const WorldAllocation *allocation, unsigned number);
void world_forget(WorldAllocation *allocation);
WorldKept *world_find_kept(uint64_t token);
/* What the server has there, or NULL. */
WiceTurnAllocation *world_find(unsigned who);

/* Seconds that an allocation gets for those that were asked for. */
uint32_t world_granted(uint32_t wanted_s);
/* Takes the ticket that the last answer must have if the allocation may move. */
void world_read_ticket(unsigned who);

/*
 * Codes to answer with, or 0. What is about the nonce, about the name, and about whose allocation
 * it is:
 */
uint16_t world_expect_nonce(unsigned who);
uint16_t world_expect_sender(unsigned who, unsigned user);
uint16_t world_expect_owner(unsigned who, unsigned user);
/* More allocations of a user, more of clients at the address of one. */
uint16_t world_expect_quota(unsigned user, unsigned n);
uint16_t world_expect_address_quota(unsigned who);
/* That many peers: in the order said, so one address twice is two. */
uint16_t world_expect_peers(const WorldAllocation *allocation, const unsigned *peers, unsigned n,
			    bool with_port);
uint16_t world_expect_bind(const WorldAllocation *allocation, unsigned number, unsigned peer);
/* Whether the rate lets so many bytes pass, which are then paid for. */
bool world_spend(unsigned user, bool from_peer, size_t len);
/* They have passed already: a debt, of at most ten seconds' worth. */
void world_charge(unsigned user, bool from_peer, uint64_t bytes);
/* The clients that share a quota. */
unsigned world_network(unsigned who);

/* After what is due was done, each table of the server has as many as the model has. */
void world_check_sums(void);

/* turn_names.c: which forms of names a server knows. */
void world_begin_names(void);
/* The client has the user's name from now on, in one of its forms. */
void world_name(unsigned who, unsigned user);
/* The same for who asks next: mostly whose allocation it is. Returns the user. */
unsigned world_speak(unsigned who);

/* turn_wishes.c: a new allocation; the same once more, as if the answer had been lost. */
void world_try_allocate(unsigned who);
void world_try_allocate_again(unsigned who);

/* turn_strangers.c: a packet of somebody who does not know a password. */
void world_hear_stranger(void);

#endif
