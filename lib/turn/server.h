/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TURN_SERVER_H
#define WICE_TURN_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/addr.h>

#include "crypto/mac.h"

/*
 * A STUN and TURN server (RFC 8489, RFC 8656) without sockets: pure. Its shell
 * (turnserver/) gives it packets of clients and of peers, opens and closes ports for it, and sends
 * what it says. Relayed data is decided on here and never copied: the answer says where the bytes
 * that came in go, and what to put before them.
 *
 * To strangers it is stateless: an unauthenticated request is answered with an error that holds
 * what a challenge needs and nothing else (no phrase, no SOFTWARE), a nonce proves itself (it holds
 * its expiry and a MAC over it and the client's address), and nothing is remembered. An answer to
 * somebody who has not proven to know a password is at most WICE_TURN_MAX_ANSWER times as long as
 * what he sent; if it were longer there is none. The shortest Allocate (28 bytes) and the longest
 * realm meet that bound exactly; with a realm of 16 bytes it is 3.4 times, with headers of IP and
 * UDP 2.2 times. A Binding gets at most 2.4 times its length.
 */
typedef struct WiceTurnServer WiceTurnServer;
typedef struct WiceTurnAllocation WiceTurnAllocation;

#define WICE_TURN_MAX_ANSWER 5
#define WICE_TURN_ANSWER_SIZE 1024
#define WICE_TURN_REALM_SIZE 61     /* with its NUL */
#define WICE_TURN_USERNAME_SIZE 514 /* RFC 8489 section 14.3: less than 509 bytes */

/* Who speaks to us, and how: the five-tuple. stream: a number of the shell's, 0 for UDP. */
typedef struct {
	WiceEndpoint client;
	WiceEndpoint local; /* of the server that it came to; stream: informative */
	uint64_t stream;
} WiceTurnTuple;

typedef struct {
	uint64_t rx_packets, rx_bytes; /* from peers to the client */
	uint64_t tx_packets, tx_bytes; /* from the client to peers */
	uint64_t dropped;              /* no permission, over the rate */
} WiceTurnTraffic;

/* Which port to open. */
typedef enum {
	WICE_TURN_PORT_ANY = 0,
	WICE_TURN_PORT_EVEN,     /* EVEN-PORT (RFC 8656 section 18.7) */
	WICE_TURN_PORT_PAIR,     /* an even one, and the next one is kept for a RESERVED */
	WICE_TURN_PORT_RESERVED, /* the one that ret_relayed holds, which was kept */
} WiceTurnPort;

/* Called by the server; it must not be called from these but to read, and to set data. */
typedef struct {
	/*
	 * The password of a user of this realm, or with what is to be checked instead; false: there
	 * is none of that name. Time-limited names (TURN-REST: "expiry:name") are handled by the
	 * server itself where secrets are set; elsewhere, and in what the others are told, the name
	 * is what follows the expiry. size: more than a password may have.
	 */
	bool (*password)(const char *username, char *ret_password, size_t size, void *user_data);
	/*
	 * The name that a USERHASH is of (RFC 8489 section 14.4: SHA-256 of "name:realm"). NULL:
	 * hidden names are not offered.
	 */
	bool (*username)(const uint8_t hash[WICE_SHA256_LEN], char *ret_username, size_t size,
			 void *user_data);
	/*
	 * Seconds since 1970, which time-limited names are compared with. NULL: there are none.
	 */
	int64_t (*unix_time)(void *user_data);
	/*
	 * May this user allocate (more)? 0, or the error code to answer with (403, 486). May be
	 * NULL.
	 */
	uint16_t (*authorise)(const char *username, const WiceTurnTuple *tuple, void *user_data);
	/*
	 * May be relayed to, on top of the built-in denial (403 if not)? May be NULL. Called when a
	 * permission or channel is made.
	 */
	bool (*permit)(const char *username, const WiceEndpoint *peer, void *user_data);
	/*
	 * Does what is sent there end at this host, whoever has not told the server so? It is
	 * denied, then. Called as permit is; may be NULL.
	 */
	bool (*ends_here)(const WiceAddress *peer, void *user_data);
	/*
	 * Opens a UDP port of the family, and closes it. 0, or -errno (-EAFNOSUPPORT: 440, others
	 * 508).
	 */
	int (*open_port)(WiceTurnAllocation *allocation, WiceFamily family, WiceTurnPort port,
			 WiceEndpoint *ret_relayed, void *user_data);
	void (*close_port)(WiceTurnAllocation *allocation, WiceFamily family, void *user_data);
	/*
	 * Nobody came for a port that was kept: the one behind an even one. NULL: there are no
	 * PAIRs (508).
	 */
	void (*give_up_port)(const WiceEndpoint *relayed, void *user_data);
	/*
	 * A channel that data may pass over has been made (again), or is no more: for fast paths in
	 * the kernel. May be NULL.
	 */
	void (*channel)(WiceTurnAllocation *allocation, uint16_t channel, const WiceEndpoint *peer,
			bool exists, void *user_data);
	/* A client has taken its allocation along from there (RFC 8016). May be NULL. */
	void (*moved)(WiceTurnAllocation *allocation, const WiceTurnTuple *from, void *user_data);
	/* The allocation has gone: for accounts. May be NULL. */
	void (*ended)(WiceTurnAllocation *allocation, void *user_data);
} WiceTurnServerEvents;

typedef struct {
	char realm[WICE_TURN_REALM_SIZE];
	const char *software;       /* NULL: none is told */
	const char *const *secrets; /* TURN-REST shared secrets, NULL-terminated, or NULL; copied */
	uint32_t max_lifetime_s;    /* 0: 3600 */
	uint32_t max_allocations;   /* 0: 100000 */
	uint32_t max_per_user;      /* 0: 10 per user */
	uint32_t max_per_address;   /* 0: 50; of clients, IPv6 by /64 */
	uint32_t max_permissions;   /* 0: 256 per allocation */
	uint64_t user_bytes_per_s;  /* each way; 0: no limit */
	bool permit_private;        /* peers of private, shared and unique-local networks */
	bool permit_loopback;       /* for tests */
	bool dont_fragment;         /* the shell can send so; else clients that ask are told 420 */
	bool stun_only;             /* Binding and nothing else */
	void (*fill_random)(void *buffer, size_t len);
} WiceTurnServerOptions;

/* events and user_data must stay valid. password, open_port and close_port must be there. */
WiceTurnServer *wice__turn_server_new(const WiceTurnServerOptions *options,
				      const WiceTurnServerEvents *events, void *user_data,
				      int64_t now_ms);
/* Closes all ports. NULL is fine. */
void wice__turn_server_free(WiceTurnServer *server);
/*
 * An address of this host, inner or outer. Peers there are denied, but for ports that are relayed
 * ones of this server: two clients may meet here. The addresses that clients come to and those of
 * relayed ports are such in any case; loopback ones are not where permit_loopback is.
 */
void wice__turn_server_add_own_address(WiceTurnServer *server, const WiceAddress *address);

typedef enum {
	WICE_TURN_DROP = 0,
	WICE_TURN_ANSWER,    /* answer, answer_len: to the same client over the same way */
	WICE_TURN_TO_PEER,   /* data, data_len from the allocation's port of that family to peer */
	WICE_TURN_TO_CLIENT, /* header, data, then so many zeros as padding, to the client */
} WiceTurnVerdictType;

/* What to do with a packet. Pointers are valid until the next call, data points into the packet. */
typedef struct {
	WiceTurnVerdictType type;
	const uint8_t *answer;
	size_t answer_len;
	WiceTurnAllocation *allocation;
	WiceEndpoint peer;
	const uint8_t *header; /* ChannelData's four bytes, or those of a Data indication */
	size_t header_len;
	const uint8_t *data;
	size_t data_len;
	/* 0 to 3; of ChannelData over UDP 0, of an indication over UDP it must be sent, too. */
	size_t padding;
	bool dont_fragment; /* TO_PEER: with the DF bit, if the family has it */
} WiceTurnVerdict;

/* A packet (of a stream: a frame) from a client. */
void wice__turn_server_from_client(WiceTurnServer *server, const WiceTurnTuple *tuple,
				   const uint8_t *packet, size_t len, int64_t now_ms,
				   WiceTurnVerdict *ret_verdict);
/* A packet that came in at the port of an allocation. */
void wice__turn_server_from_peer(WiceTurnServer *server, WiceTurnAllocation *allocation,
				 const WiceEndpoint *peer, const uint8_t *packet, size_t len,
				 int64_t now_ms, WiceTurnVerdict *ret_verdict);
/*
 * The client's stream has ended: so has its allocation (RFC 8656 section 7), unless it may come for
 * it over another one (RFC 8016).
 */
void wice__turn_server_stream_closed(WiceTurnServer *server, uint64_t stream);

/* Ends what has expired; returns when to be called next. Never more often than each second. */
int64_t wice__turn_server_expire(WiceTurnServer *server, int64_t now_ms);
/*
 * No new allocations (508 with ALTERNATE-SERVER as 300 if one is given); those that there are live
 * on until they end.
 */
void wice__turn_server_drain(WiceTurnServer *server, const WiceEndpoint *alternate);

/* Is there an allocation of who speaks to us so? */
bool wice__turn_server_has_allocation(const WiceTurnServer *server, const WiceTurnTuple *tuple);
size_t wice__turn_server_n_allocations(const WiceTurnServer *server);
/* Calls func for each. It must not change anything. */
void wice__turn_server_foreach(WiceTurnServer *server,
			       void (*func)(WiceTurnAllocation *allocation, void *user_data),
			       void *user_data);

/* Of an allocation. */
const WiceTurnTuple *wice__turn_allocation_tuple(const WiceTurnAllocation *allocation);
const char *wice__turn_allocation_username(const WiceTurnAllocation *allocation);
bool wice__turn_allocation_relayed(const WiceTurnAllocation *allocation, WiceFamily family,
				   WiceEndpoint *ret_relayed);
void wice__turn_allocation_traffic(const WiceTurnAllocation *allocation, WiceTurnTraffic *ret);
/* What a fast path has relayed past us, since the last call. Counts against the rate. */
void wice__turn_allocation_add_traffic(WiceTurnAllocation *allocation,
				       const WiceTurnTraffic *traffic);
/* A place for the shell's own. */
void wice__turn_allocation_set_data(WiceTurnAllocation *allocation, void *data);
void *wice__turn_allocation_data(const WiceTurnAllocation *allocation);

#endif
