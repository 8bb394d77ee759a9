/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TURN_CLIENT_H
#define WICE_TURN_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/addr.h>

#include "crypto/mac.h"

/*
 * The client's side of one TURN allocation (RFC 8656) with all its channels: pure. It is given the
 * packets that come from the server and the time; it gives packets for the server, events, and the
 * time when it wants to be asked again.
 *
 *   new -- Allocate --> 401, realm, nonce      (1 round trip)
 *       -- Allocate, ChannelBind, ... -->      (all that is known to be needed, at once)
 *       <-- success, success ...               (2 round trips: data may leave)
 *
 * Data goes through channels only (section 12); no Send indication is ever made, none is expected.
 * A channel may be used for sending as soon as it is bound, for receiving as soon as it was asked
 * for. What it keeps up: the allocation (Refresh), permissions and channels (ChannelBind does
 * both), the nonce (438 is repeated with the new one). A server's 300 is an event: the owner goes
 * there with a new client.
 */
typedef struct WiceTurnClient WiceTurnClient;

#define WICE_TURN_MAX_PACKET 1280
#define WICE_TURN_MAX_CHANNELS 4096
#define WICE_TURN_REASON_SIZE 256

typedef enum {
	WICE_TURN_STARTING = 0, /* asking for the allocation */
	WICE_TURN_ALLOCATED,
	WICE_TURN_RELEASING, /* Refresh with lifetime 0 is out */
	WICE_TURN_RELEASED,
	WICE_TURN_FAILED, /* see wice__turn_client_failure() */
} WiceTurnState;

/* Why an allocation failed or was lost, by what one can do about it. */
typedef enum {
	WICE_TURN_OK = 0,
	WICE_TURN_TIMED_OUT,      /* no answer at all */
	WICE_TURN_REFUSED,        /* 401 or 441 although credentials were given: they are wrong */
	WICE_TURN_NO_CREDENTIALS, /* 401, and there are none */
	WICE_TURN_FORBIDDEN,      /* 403 */
	WICE_TURN_FAMILY,         /* 440: none of the families asked for */
	WICE_TURN_QUOTA,          /* 486 */
	WICE_TURN_CAPACITY,       /* 508, 500 */
	WICE_TURN_MISMATCH,       /* 437 lasts, or the allocation is no longer there */
	WICE_TURN_ALTERNATE,      /* 300: try wice__turn_client_alternate() */
	WICE_TURN_PROTOCOL,       /* answers that make no sense, other errors */
	WICE_TURN_CLOSED,         /* the stream has ended */
} WiceTurnFailure;

typedef struct {
	/* Over a stream nothing is sent twice (RFC 8489 section 6.2.2). */
	bool stream;
	const char *username, *password; /* NULL: none. Copied. */
	bool want_ipv4, want_ipv6;       /* relayed addresses; both: whichever can be had */
	/*
	 * Where the server offers it, the allocation follows the client to another address (RFC
	 * 8016): see wice__turn_client_moved().
	 */
	bool mobility;
	int64_t rto_ms; /* of the first request; 0: 500 (RFC 8489 section 6.2.1) */
	void (*fill_random)(void *buffer, size_t len);
} WiceTurnClientOptions;

typedef enum {
	WICE_TURN_EVENT_NONE = 0,
	WICE_TURN_EVENT_ALLOCATED, /* relayed addresses are known (again) */
	WICE_TURN_EVENT_FAILED,    /* it never was, or is no more; nothing but free works now */
	WICE_TURN_EVENT_RELEASED,
	WICE_TURN_EVENT_BOUND,     /* channel: sending works */
	WICE_TURN_EVENT_NOT_BOUND, /* channel: the server refuses; it is gone. code */
	WICE_TURN_EVENT_REFLEXIVE, /* the server sees us at another address than before */
} WiceTurnEventType;

typedef struct {
	WiceTurnEventType type;
	uint16_t channel;
	uint16_t code; /* of the error, 0 if there was no answer */
} WiceTurnEvent;

/* It begins by itself: ask for output. */
WiceTurnClient *wice__turn_client_new(const WiceTurnClientOptions *options, int64_t now_ms);
/* NULL is fine. Forgets; the server keeps what it has until it expires. */
void wice__turn_client_free(WiceTurnClient *client);

/*
 * The next packet for the server; false if nothing is due. To be called after every other function
 * here and at the deadline, until it returns false.
 */
bool wice__turn_client_output(WiceTurnClient *client, int64_t now_ms,
			      uint8_t ret_packet[WICE_TURN_MAX_PACKET], size_t *ret_len);
int64_t wice__turn_client_deadline(const WiceTurnClient *client);
/* The next event; to be called until it returns false. */
bool wice__turn_client_event(WiceTurnClient *client, WiceTurnEvent *ret_event);

typedef enum {
	WICE_TURN_INPUT_NONE = 0, /* not for us, or nothing to be done about it */
	WICE_TURN_INPUT_STUN,     /* an answer that was waited for */
	WICE_TURN_INPUT_DATA,     /* ret_channel, ret_data, which points into packet */
} WiceTurnInput;

/*
 * A packet (of a stream: a frame) of the server. Hostile: what is not authenticated as RFC 8489
 * section 9.2.5 wants is ignored, and so is ChannelData of a channel that was not asked for.
 */
WiceTurnInput wice__turn_client_input(WiceTurnClient *client, const uint8_t *packet, size_t len,
				      int64_t now_ms, uint16_t *ret_channel, WiceSpan *ret_data);

/*
 * A channel to a peer's address, the same for the same address; kept until unbind. It may be asked
 * for before there is an allocation. -ENOSPC; -EAFNOSUPPORT: known to have no relayed address of
 * that family; -EINVAL.
 */
int wice__turn_client_bind(WiceTurnClient *client, const WiceEndpoint *peer, int64_t now_ms,
			   uint16_t *ret_channel);
/*
 * It is no longer kept up; data to and from it is not to be used. The number is not given to
 * another address before the server has forgotten it (RFC 8656 section 12: 5 minutes after it
 * expired).
 */
void wice__turn_client_unbind(WiceTurnClient *client, uint16_t channel, int64_t now_ms);
bool wice__turn_client_is_bound(const WiceTurnClient *client, uint16_t channel);

/*
 * The owner has other credentials (a file has changed, time-limited ones were made anew). They are
 * used once the server asks for some or refuses those that it has: an allocation belongs to the
 * name that it was made with (RFC 8656 section 5). Copied; NULL: none after all.
 */
void wice__turn_client_set_credentials(WiceTurnClient *client, const char *username,
				       const char *password);
/*
 * The client's own address has changed: takes the allocation there with its mobility ticket. False:
 * there is none, so it cannot move; make a new one.
 */
bool wice__turn_client_moved(WiceTurnClient *client, int64_t now_ms);
/* Asks at once whether the allocation is still there, from where it was made. */
void wice__turn_client_check(WiceTurnClient *client, int64_t now_ms);
/* Gives the allocation back, if there is one; RELEASED follows, at the latest after 2 s. */
void wice__turn_client_release(WiceTurnClient *client, int64_t now_ms);
/* The stream has ended. */
void wice__turn_client_closed(WiceTurnClient *client);

WiceTurnState wice__turn_client_state(const WiceTurnClient *client);
/* Why it has FAILED; ret_reason (may be NULL) is a sentence for people. */
WiceTurnFailure wice__turn_client_failure(const WiceTurnClient *client,
					  char ret_reason[WICE_TURN_REASON_SIZE]);
/* Relayed address of a family; false if there is none. */
bool wice__turn_client_relayed(const WiceTurnClient *client, WiceFamily family,
			       WiceEndpoint *ret_relayed);
/* What the server sees us as. */
bool wice__turn_client_reflexive(const WiceTurnClient *client, WiceEndpoint *ret_reflexive);
/* Of ALTERNATE. */
bool wice__turn_client_alternate(const WiceTurnClient *client, WiceEndpoint *ret_server);
/* The server's SOFTWARE, made printable; "" if it said nothing. */
const char *wice__turn_client_software(const WiceTurnClient *client);
/* The newest round trip of a request that was sent once; -1: none yet. */
int64_t wice__turn_client_rtt_ms(const WiceTurnClient *client);

#endif
