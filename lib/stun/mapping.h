/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_STUN_MAPPING_H
#define WICE_STUN_MAPPING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/addr.h>
#include <wice/status.h>

#include "stun/probe.h"

/*
 * Watches the mapping that a NAT has made for one UDP port, of one address family: pure. A round
 * is a probe of several servers (probe.h). The first round asks all of them, which shows how the
 * NAT maps (RFC 4787 section 4.1); later ones ask one that has answered, often enough to keep the
 * mapping, and all of them again when what it says has changed or it no longer answers. If nobody
 * has answered, rounds are repeated with backoff.
 */
#define WICE_STUN_MAPPING_KEEPALIVE_MS 20000
#define WICE_STUN_MAPPING_RETRY_MIN_MS 5000
#define WICE_STUN_MAPPING_RETRY_MAX_MS 300000

typedef struct {
	void (*fill_random)(void *buffer, size_t len);
	size_t n_servers;
	WiceEndpoint servers[WICE_STUN_PROBE_MAX_SERVERS];
	/* What is known. */
	bool has_mapped;
	WiceEndpoint mapped;
	WiceEndpoint base; /* the local endpoint that the answer came to */
	WiceNatMapping nat;
	bool failed; /* the last complete round had no answer at all */
	/* internal */
	WiceStunProbe probe;
	WiceEndpoint bases[WICE_STUN_PROBE_MAX_SERVERS]; /* where the answers of probe came to */
	bool running;                                    /* a round is */
	bool all;                                        /* it asks all servers */
	bool answered;                                   /* and one has */
	bool settled;
	size_t keeper; /* which of the servers keeps the mapping */
	int64_t next_round_at;
	int64_t retry_ms;
} WiceStunMapping;

/* fill_random: for transaction ids. Nothing is due before servers are set. */
void wice__stun_mapping_init(WiceStunMapping *mapping,
			     void (*fill_random)(void *buffer, size_t len));
/* What was known is forgotten if the servers are others. */
void wice__stun_mapping_set_servers(WiceStunMapping *mapping, const WiceEndpoint *servers, size_t n,
				    int64_t now_ms);
/*
 * A round with all servers begins now. What is known stays until it says otherwise; if nothing is,
 * that round has to be waited for again.
 */
void wice__stun_mapping_restart(WiceStunMapping *mapping, int64_t now_ms);
/* As wice__stun_probe_output(). */
bool wice__stun_mapping_output(WiceStunMapping *mapping, int64_t now_ms, WiceEndpoint *ret_server,
			       uint8_t ret_request[WICE_STUN_PROBE_REQUEST_LEN]);
/*
 * What output has given could not be sent, because there is no way to this server. True if what is
 * known has changed. A host without IPv6 need not wait for servers that have it.
 */
bool wice__stun_mapping_unreachable(WiceStunMapping *mapping, const WiceEndpoint *server,
				    int64_t now_ms);
/*
 * A packet that was received at local (the address that it came to, and WireGuard's port) from
 * source. True if what is known has changed.
 */
bool wice__stun_mapping_input(WiceStunMapping *mapping, const uint8_t *packet, size_t len,
			      const WiceEndpoint *source, const WiceEndpoint *local,
			      int64_t now_ms);
/* To be called when the deadline has passed, before output. True if what is known has changed. */
bool wice__stun_mapping_advance(WiceStunMapping *mapping, int64_t now_ms);
int64_t wice__stun_mapping_deadline(const WiceStunMapping *mapping);
/* The first round is over, or there is no server to ask. That it has become so is a change. */
bool wice__stun_mapping_is_settled(const WiceStunMapping *mapping);

#endif
