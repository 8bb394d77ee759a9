/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_STUN_PROBE_H
#define WICE_STUN_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/addr.h>

/*
 * Finds the server-reflexive address of one UDP port (RFC 8489 Binding, with a fall-back to the
 * cookie-less form of RFC 3489 for old servers). Pure: the caller sends and receives and owns the
 * clock.
 *
 * Bytes 8..11 of each message (the first bytes of the transaction id) are WICE_STUN_PROBE_TAG, so
 * that a socket filter can tell our answers from those to another STUN user of the same port.
 */
#define WICE_STUN_PROBE_TAG 0x77694365u /* in network order on the wire */
#define WICE_STUN_PROBE_MAX_SERVERS 8
#define WICE_STUN_PROBE_REQUEST_LEN 20

typedef enum {
	WICE_STUN_PROBE_RUNNING = 0,
	WICE_STUN_PROBE_ANSWERED,
	WICE_STUN_PROBE_FAILED, /* no answer, or an error response */
} WiceStunProbeState;

typedef struct {
	WiceEndpoint server;
	WiceStunProbeState state;
	WiceEndpoint mapped; /* valid when answered */
	uint32_t rtt_ms; /* at least 1; 0 if unknown, because a retransmission made it ambiguous */
	/* internal */
	uint8_t transaction[16]; /* as on the wire in the cookie-less form */
	uint8_t tries;
	int64_t sent_at;
	int64_t next_at;
} WiceStunProbeServer;

typedef struct {
	size_t n_servers;
	WiceStunProbeServer servers[WICE_STUN_PROBE_MAX_SERVERS];
} WiceStunProbe;

/* The packet has the tag and is as long as a STUN header: it may be an answer to a probe. */
bool wice__stun_probe_is_tagged(const uint8_t *packet, size_t len);

/* fill_random is called for transaction ids. Servers beyond the maximum are ignored. */
void wice__stun_probe_init(WiceStunProbe *probe, const WiceEndpoint *servers, size_t n,
			   void (*fill_random)(void *buffer, size_t len), int64_t now_ms);
/* Gives up the servers that had time enough; output does so too. */
void wice__stun_probe_expire(WiceStunProbe *probe, int64_t now_ms);
/* Writes the next request that is due, false if there is none. To be called until false. */
bool wice__stun_probe_output(WiceStunProbe *probe, int64_t now_ms, WiceEndpoint *ret_server,
			     uint8_t ret_request[WICE_STUN_PROBE_REQUEST_LEN]);
/* A request could not even be sent to this server: it is given up. */
void wice__stun_probe_unreachable(WiceStunProbe *probe, const WiceEndpoint *server);
/* Feeds a received packet; true if it ended one server's probe. Anything else is ignored. */
bool wice__stun_probe_input(WiceStunProbe *probe, const uint8_t *packet, size_t len,
			    const WiceEndpoint *source, int64_t now_ms);
/* When output has something to do next; INT64_MAX once all are over. */
int64_t wice__stun_probe_deadline(const WiceStunProbe *probe);
bool wice__stun_probe_is_over(const WiceStunProbe *probe);

#endif
