/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TURN_CLIENT_PRIVATE_H
#define WICE_TURN_CLIENT_PRIVATE_H

#include <glib.h>

#include "base/deadlines.h"
#include "stun/credentials.h"
#include "stun/message.h"
#include "turn/client.h"

/* What the client's own files share. */

#define WICE_TURN_NONCE_MAX \
	763 /* RFC 8489 sections 14.9, 14.10: less than 128 characters, in UTF-8 */
#define WICE_TURN_TICKET_MAX 256
#define WICE_TURN_ALGORITHMS_MAX 4
#define WICE_TURN_NUMBER_AT 14 /* in a transaction id */

/* One request and its repetitions; the packet is made anew each time from what is known. */
typedef struct {
	bool active;
	unsigned method; /* WiceStunMethod */
	bool release;    /* Refresh with lifetime 0 */
	bool moves;      /* Refresh with the mobility ticket */
	bool authenticated;
	uint8_t transaction[WICE_STUN_TRANSACTION_LEN];
	unsigned sent; /* how often */
	int64_t sent_at;
	bool forged;    /* an answer has come that nobody who knows the key has made */
	unsigned stale; /* how often the nonce was, in a row */
} WiceTurnRequest;

typedef struct {
	WiceDeadline deadline; /* first: the heap knows its owner by it */
	uint16_t number;
	bool wanted; /* false: only kept so that its number is not used again too soon */
	bool bound;
	bool doubted; /* a Refresh is to tell whether the allocation is there; then it is bound again */
	WiceEndpoint peer;
	WiceTurnRequest request;
} WiceTurnChannel;

/* Which families are asked for next. */
typedef enum {
	WICE_TURN_ASK_BOTH, /* one allocation with both (RFC 8656 section 7.1) */
	WICE_TURN_ASK_IPV4,
	WICE_TURN_ASK_IPV6,
} WiceTurnAsk;

struct WiceTurnClient {
	WiceTurnState state;
	WiceTurnFailure failure;
	char reason[WICE_TURN_REASON_SIZE];
	bool stream, want_ipv4, want_ipv6, mobility;
	int64_t rto_ms;
	void (*fill_random)(void *buffer, size_t len);
	char *username, *password;
	char *next_username, *next_password; /* for when these are refused; NULL: none */

	/* What the server wants to see in authenticated requests. */
	bool has_nonce;
	char nonce[WICE_TURN_NONCE_MAX + 1];
	char realm[WICE_TURN_NONCE_MAX + 1];
	size_t n_algorithms; /* offered; 0: MD5, as in the days of RFC 5389 */
	uint16_t algorithms[WICE_TURN_ALGORITHMS_MAX];
	uint16_t algorithm;
	bool hides_names; /* USERHASH */
	WiceStunKey key;

	WiceTurnAsk ask;
	unsigned mismatches;  /* 437 to Allocate */
	WiceTurnRequest main; /* Allocate, Refresh */
	WiceDeadline main_deadline;
	WiceEndpoint relayed[2]; /* IPv4, IPv6 */
	WiceEndpoint reflexive;
	WiceEndpoint alternate;
	uint8_t ticket[WICE_TURN_TICKET_MAX];
	size_t ticket_len;
	int64_t released_by;
	int64_t rtt_ms;
	char software[128];

	GHashTable *channels; /* by number */
	uint16_t next_number;
	WiceDeadlines deadlines; /* of main and channels */
	GQueue events;           /* WiceTurnEvent */
	int64_t paced_since;     /* when a burst of ChannelBinds has begun, and how many it has */
	unsigned paced;
};

/* The request of a channel, or (NULL) the one for the allocation. */
static inline WiceTurnRequest *wice__turn_client_request(WiceTurnClient *client,
							 WiceTurnChannel *channel)
{
	return channel ? &channel->request : &client->main;
}

/* client.c */
void wice__turn_client_add_event(WiceTurnClient *client, WiceTurnEventType type, uint16_t channel,
				 uint16_t code);
/* Ends everything: FAILED, or RELEASED if that is what is going on. */
void wice__turn_client_fail(WiceTurnClient *client, WiceTurnFailure failure, const char *reason);
/* A request with a new transaction, due at some time; what it asks for beyond method stays. */
void wice__turn_client_begin(WiceTurnClient *client, WiceTurnChannel *channel, unsigned method,
			     int64_t at);
/* Frees a secret; *text may be NULL, and is then. */
void wice__turn_client_wipe(char **text);
/* An Allocate or Refresh that asks for nothing special. */
void wice__turn_client_begin_main(WiceTurnClient *client, unsigned method, int64_t at);

/* client_answers.c */
WiceTurnInput wice__turn_client_input_stun(WiceTurnClient *client, const uint8_t *packet,
					   size_t len, int64_t now);

/* client_channels.c */
/* NULL if there is none. */
WiceTurnChannel *wice__turn_client_channel(const WiceTurnClient *client, uint16_t number);
/* Begins to bind all channels that are wanted, not bound and not being bound. */
void wice__turn_client_bind_all(WiceTurnClient *client, int64_t now);
/* The server has forgotten all channels, or is about to. */
void wice__turn_client_bind_anew(WiceTurnClient *client, int64_t now);
void wice__turn_client_stop_channels(WiceTurnClient *client);
/* What is due for a channel that is not being bound. */
void wice__turn_client_wake_channel(WiceTurnClient *client, WiceTurnChannel *channel, int64_t now);
/* Answers to ChannelBind; code 0: there was none. */
void wice__turn_client_bind_succeeded(WiceTurnClient *client, WiceTurnChannel *channel,
				      int64_t now);
void wice__turn_client_bind_refused(WiceTurnClient *client, WiceTurnChannel *channel, uint16_t code,
				    int64_t now);

/* client_messages.c */
/* Makes the packet of a request; channel: of ChannelBind. 0 if it does not fit. */
size_t wice__turn_client_write(const WiceTurnClient *client, const WiceTurnRequest *request,
			       const WiceTurnChannel *channel,
			       uint8_t ret_packet[WICE_TURN_MAX_PACKET]);
/*
 * Takes realm, nonce and algorithms of a 401 or 438, and makes the key. -EBADMSG: there are none,
 * or none that we know, or they contradict each other; -EINVAL: no key can be made of the
 * credentials.
 */
int wice__turn_client_take_challenge(WiceTurnClient *client, const WiceStunMessage *message);
/* 0 if the answer was made by somebody who knows the key, or need not be. */
int wice__turn_client_verify(const WiceTurnClient *client, const WiceTurnRequest *request,
			     const WiceStunMessage *message);
/* Takes what an Allocate or Refresh gives. -EBADMSG: no usable relayed address. */
int wice__turn_client_take_allocation(WiceTurnClient *client, const WiceStunMessage *message,
				      uint32_t *ret_lifetime_s);
/* Remembers SOFTWARE, made printable. */
void wice__turn_client_take_software(WiceTurnClient *client, const WiceStunMessage *message);

#endif
