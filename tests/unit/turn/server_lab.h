/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_TURN_SERVER_LAB_H
#define WICE_TESTS_TURN_SERVER_LAB_H

#include <stdlib.h>

#include "stun/attributes.h"
#include "stun/credentials.h"
#include "stun/integrity.h"
#include "stun/message.h"
#include "turn/server.h"

/*
 * A server whose ports are numbers and whose clock is set, and clients that can speak to it rightly
 * or wrongly. Used by tests of several kinds, so a broken promise aborts.
 */
#define LAB_REALM "wice.example"
#define LAB_NO_ANSWER UINT16_MAX
#define LAB_MUST(condition)       \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

typedef struct {
	WiceTurnServer *server;
	WiceTurnServerEvents events;
	WiceTurnServerOptions options;
	int64_t now_ms, unix_s;
	/* What the shell is asked for. */
	uint16_t next_port;
	int refuse_ipv4, refuse_ipv6; /* what open_port returns */
	unsigned n_opened, n_closed, n_kept, n_given_up, n_ended, n_moved;
	int n_channels; /* shown and not taken back */
	unsigned n_shown;
	uint16_t last_channel;
	WiceTurnPort last_kind;
	WiceTurnTuple moved_from;
	WiceEndpoint refused_peer; /* what permit refuses */
	WiceEndpoint peer_here;    /* the system says that it is this host */
	uint16_t authorised;       /* what authorise returns */
} Lab;

/* The same at each start: random bytes of a counter. */
void lab_init(Lab *lab);
/* Before it: change lab->options and lab->events. */
void lab_start(Lab *lab);
void lab_done(Lab *lab);
/* Moves the clock and lets the server do what is due. */
void lab_wait(Lab *lab, int64_t s);

typedef struct {
	WiceTurnTuple tuple;
	const char *username, *password;
	uint16_t algorithm; /* 0: says nothing about it, which is MD5 */
	bool sha256;        /* MESSAGE-INTEGRITY-SHA256 */
	bool hidden;        /* USERHASH */
	bool retry;         /* the next request has the transaction of the last one */
	uint32_t n_requests;
	char realm[64];
	uint8_t nonce[128];
	size_t nonce_len;
	/* Of the last request. */
	uint8_t request[2048];
	size_t request_len;
	WiceStunWriter writer;
	uint8_t answer_bytes[WICE_TURN_ANSWER_SIZE];
	WiceStunMessage answer;
	WiceTurnAllocation *allocation;
} LabClient;

WiceEndpoint lab_endpoint(const char *text);
/* "user" with its right password, at this address, with a stream if that is not 0. */
LabClient lab_client(const char *address, uint64_t stream);
/* Asks without credentials, and remembers the challenge. */
void lab_challenge(Lab *lab, LabClient *client);
/* A request: begin, write attributes, ask. 0, or the code of the error, or LAB_NO_ANSWER. */
WiceStunWriter *lab_begin(LabClient *client, uint16_t method);
uint16_t lab_ask(Lab *lab, LabClient *client);
/* The same without credentials, to be sent with lab_deliver(). */
void lab_finish_plain(LabClient *client);
uint16_t lab_deliver(Lab *lab, LabClient *client);

/* Usual requests. family: WICE_STUN_FAMILY_*, 0: not said. */
uint16_t lab_allocate(Lab *lab, LabClient *client, uint8_t family);
uint16_t lab_refresh(Lab *lab, LabClient *client, uint32_t lifetime_s);
uint16_t lab_permit(Lab *lab, LabClient *client, const char *peer);
uint16_t lab_bind(Lab *lab, LabClient *client, uint16_t number, const char *peer);

/* Data, and what becomes of it. */
WiceTurnVerdict lab_channel_data(Lab *lab, LabClient *client, uint16_t number, const char *text);
WiceTurnVerdict lab_send(Lab *lab, LabClient *client, const char *peer, const char *text);
WiceTurnVerdict lab_from_peer(Lab *lab, LabClient *client, const char *peer, const char *text);

/* Reads from the last answer. */
WiceEndpoint lab_answered_address(const LabClient *client, uint16_t type);
uint32_t lab_answered_lifetime(const LabClient *client);

#endif
