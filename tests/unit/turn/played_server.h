/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_TURN_PLAYED_SERVER_H
#define WICE_TESTS_TURN_PLAYED_SERVER_H

#include <glib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <wice/addr.h>

#include "stun/credentials.h"
#include "stun/message.h"

/*
 * A TURN server for one client, played: it is honest unless it is told to be otherwise, and watches
 * that the client keeps the rules. Used by tests of several kinds, so a rule that is broken aborts.
 */
#define PLAYED_MUST(condition)    \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)
#define PLAYED_REALM "wice.example"
#define PLAYED_ANSWER_SIZE 1280
#define PLAYED_METHODS 16

typedef struct {
	/* What it is like; may be changed at any time. */
	bool open; /* asks nobody for credentials */
	bool silent;
	const char *username, *password;
	size_t n_algorithms; /* 0: does not know that there are others than MD5 */
	uint16_t algorithms[3];
	bool hides_names;
	bool takes_list_away; /* somebody on the way removes PASSWORD-ALGORITHMS */
	const char *nonce_tail;
	bool ipv4, ipv6;
	uint16_t additional_error; /* 0: ADDITIONAL-ADDRESS-FAMILY is known */
	bool ignores_additional;
	bool mobility;
	uint16_t mobility_error;
	uint32_t lifetime_s;
	/* For each method: an error, a number of how many are answered so (0: all), no answer. */
	uint16_t error[PLAYED_METHODS];
	unsigned n_errors[PLAYED_METHODS];
	uint16_t unknown[PLAYED_METHODS]; /* a strange attribute in answers */
	bool forges;                      /* answers with another key */
	bool bare_success;                /* success without MESSAGE-INTEGRITY */
	bool no_relayed;
	bool has_alternate;
	uint16_t refused_port; /* peers with it are 403 */

	/* What has become of it. */
	unsigned nonce; /* a new number makes the old one stale */
	unsigned ticket;
	bool allocated;
	unsigned allocations; /* so many have been made */
	int64_t expires_at;
	unsigned tuple; /* from where */
	char owner[64];
	uint8_t transaction[WICE_STUN_TRANSACTION_LEN]; /* of the Allocate */
	bool has_ipv4, has_ipv6;
	GHashTable *channels; /* PlayedChannel by number */
	GHashTable *peers;    /* the same by peer */
	unsigned n_requests[PLAYED_METHODS];
	unsigned n_lapsed; /* permissions that came too late */
} PlayedServer;

typedef struct {
	uint16_t number;
	WiceEndpoint peer;
	int64_t permitted_until, bound_until;
} PlayedChannel;

/* IPv4, "user" and "password", MD5. */
void played_server_init(PlayedServer *server);
void played_server_done(PlayedServer *server);
/* The answer to a packet from a client's address (a number); 0: none. */
size_t played_server_answer(PlayedServer *server, unsigned tuple, const uint8_t *packet, size_t len,
			    int64_t now_ms, uint8_t ret_answer[PLAYED_ANSWER_SIZE]);
/* As if it had been restarted: knows nothing. */
void played_server_forget(PlayedServer *server);
/* Relaying works on this channel. */
bool played_server_relays(const PlayedServer *server, uint16_t number, int64_t now_ms);
/* The n-th of many peers. */
WiceEndpoint played_peer(WiceFamily family, unsigned n);

#endif
